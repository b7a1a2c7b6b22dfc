"""Runs a backfill: splits archives into parts, has an engine read them, and commits the reports in file order.

Each report is committed with the position reached, so that a killed run continues inside the file and a second run adds
nothing.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipeline.app.backfill.engines import Engine
from pipeline.app.backfill.progress import FileState, ProgressStore
from pipeline.app.backfill.work import Part, PartReport, WorkerSettings
from pipeline.versions import reader_version, relevance_version
from scrapers.archive.remote_files import (
    ArchiveFile,
    ArchiveFileError,
    RangesNotSupported,
    fetch_whole,
    fingerprint,
    is_address,
    open_archive_file,
)
from scrapers.archive.warc import Packing, packing_of
from scrapers.process_pool import Lost

PART_BYTES = 8 * 1024 * 1024
PART_RECORDS = 2_000  # per part of a file that can only be read sequentially
CRASHED = "page that crashes or hangs the parser"


@dataclass(slots=True)
class Tally:
    """Counts of a run. `share`: fraction of all bytes read, `share_before`: by earlier runs."""

    n_files: int
    finished: int = 0
    share: float = 0.0
    share_before: float = 0.0
    records: int = 0
    pages: int = 0
    relevant: int = 0
    new: int = 0
    claims: int = 0
    passed_over: Counter[str] = field(default_factory=Counter)
    bad: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)  # files that could not be read to the end


Watch = Callable[[Tally, str], None]  # called after each part with a line to print, "" for none


@dataclass(slots=True)
class _OpenFile:
    """A file being read. `unaligned`: the next record's offset is unknown, after a part that could not be read."""

    state: FileState
    place: ArchiveFile
    packing: Packing
    number: int
    unaligned: bool = False
    done: bool = False
    spooled: Path | None = None


class Backfill:
    """One run over several files."""

    def __init__(
        self,
        store: ProgressStore,
        engine: Engine,
        settings: WorkerSettings,
        folder: Path,
        watch: Watch,
        part_bytes: int,
    ) -> None:
        self.store, self.engine, self.settings, self.folder, self.watch = store, engine, settings, folder, watch
        self.part_bytes = part_bytes
        self.choice = f"{settings.hosts.fingerprint()}+{relevance_version()}+{reader_version()}"
        self.opened: dict[str, _OpenFile] = {}
        self.tally = Tally(0)

    def run(self, files: Sequence[str]) -> Tally:
        """Read the files one after the other; return the counts. An unreadable file does not stop the others."""
        self.tally = Tally(len(files))
        for part, answer in self.engine.run(self._parts(files)):
            file = self.opened[part.file]
            if file.done:
                continue
            report = self._aligned(file, part, self._read_page_by_page(part) if isinstance(answer, Lost) else answer)
            if report is not None:
                self._commit(file, part, report)
        return self.tally

    def _parts(self, files: Sequence[str]) -> Iterator[Part]:
        for number, name in enumerate(files):
            try:
                file = self._open(number, name)
            except ArchiveFileError as error:
                self._problem(error.words)
                continue
            if file is None:
                continue
            key = file.place.name
            self.opened[key] = file
            start, exact = file.state.position, True
            if file.packing is Packing.STREAM:
                while not file.done:
                    yield Part(key, file.packing, start, start + PART_RECORDS, exact=True)
                    start += PART_RECORDS
                continue
            while start < file.state.size and not file.done:
                stop = min(file.state.size, (start // self.part_bytes + 1) * self.part_bytes)
                yield Part(key, file.packing, start, stop, exact=exact)
                start, exact = stop, False

    def _open(self, number: int, name: str) -> _OpenFile | None:
        """Open a file at the position reached; return None if it is finished."""
        spooled = None
        try:
            place = open_archive_file(name, self.settings.access)
        except RangesNotSupported as error:
            if not self.engine.shares_files:
                raise ArchiveFileError(
                    f"{error.words} Download it to a folder that all workers see, and give that path."
                ) from error
            self.watch(self.tally, f"{name}: the server does not support range requests; downloading the file")
            spooled = self._spool(name)
            place = open_archive_file(str(spooled))
        packing = packing_of(place)
        if packing is None:
            place.close()
            raise ArchiveFileError(
                f"{name}: not a WARC file: it begins with neither a WARC record nor a compressed one."
            )
        state = self.store.state(fingerprint(place), self.choice, name, place.size)
        if state.finished_at:
            place.close()
            self.tally.finished += 1
            self.tally.share_before += 1 / self.tally.n_files
            self.tally.share += 1 / self.tally.n_files
            self.watch(self.tally, f"{name}: finished on {state.finished_at[:10]}; nothing to do")
            return None
        done = 0.0 if packing is Packing.STREAM else state.position / max(1, state.size)
        self.tally.share_before += done / self.tally.n_files
        self.tally.share += done / self.tally.n_files
        if state.position:
            self.watch(self.tally, f"{name}: continuing at byte {state.position:,} of {state.size:,}")
        return _OpenFile(state, place, packing, number, spooled=spooled)

    def _spool(self, name: str) -> Path:
        file = self.folder / f"{hashlib.sha256(name.encode()).hexdigest()[:16]}.warc"
        if not file.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            fetch_whole(name, file, self.settings.access)
        return file

    def _aligned(self, file: _OpenFile, part: Part, report: PartReport) -> PartReport | None:
        """Return a report that starts where the last one ended, reading the part again if this one does not.

        A part that starts inside a record looks for the next record. Bytes inside a long record may look like one; only
        the end of the previous part is certain. Returns None if the whole part belongs to the last record before it.
        """
        if report.failed:
            self._problem(report.failed)
            file.done = True
            return None
        if file.packing is Packing.STREAM or file.unaligned:
            file.unaligned = report.first is None and file.unaligned
            return report
        expected = file.state.position
        if report.first == expected:
            return report
        if expected >= part.stop:
            return PartReport(part, None, None)
        part = replace(part, start=expected, exact=True)
        _, again = next(self.engine.one_by_one([part]))
        return self._read_page_by_page(part) if isinstance(again, Lost) else again

    def _read_page_by_page(self, part: Part) -> PartReport:
        """Read a part that crashed its worker page by page, so that only the faulty page is lost."""
        _, named = next(self.engine.one_by_one([replace(part, alone=True)]))
        if isinstance(named, Lost):
            self.opened[part.file].unaligned = True
            return PartReport(part, None, part.stop, bad={CRASHED: 1}, n_records=1)
        found, passed, bad = list(named.found), Counter(named.passed_over), Counter(named.bad)
        alone = [replace(part, start=at, stop=at + 1, exact=True) for at in named.candidates]
        for _, report in self.engine.one_by_one(alone):
            if isinstance(report, Lost):
                bad[CRASHED] += 1
                continue
            found += report.found
            passed.update(report.passed_over)
            bad.update(report.bad)
        return replace(named, found=tuple(found), passed_over=dict(passed), bad=dict(bad))

    def _commit(self, file: _OpenFile, part: Part, report: PartReport) -> None:
        state, tally = file.state, self.tally
        if file.packing is Packing.STREAM:
            done = report.end is None
            position = state.size if done else report.end or 0
        else:
            position = report.end if report.end is not None else state.position
            done = part.stop >= state.size
        before = 0 if file.packing is Packing.STREAM else state.position
        tally.new += self.store.commit(state, report, position, done=done)
        tally.records += report.n_records
        tally.pages += report.n_pages
        tally.relevant += len(report.found)
        tally.claims += sum(len(one.findings.claims) for one in report.found)
        tally.passed_over.update(report.passed_over)
        tally.bad.update(report.bad)
        if file.packing is not Packing.STREAM or done:
            tally.share += (position - before) / max(1, state.size) / tally.n_files
        file.done = done
        tally.finished += done
        self.watch(tally, _finished_words(state) if done else "")
        if done:
            file.place.close()
            if file.spooled is not None:
                file.spooled.unlink(missing_ok=True)

    def _problem(self, words: str) -> None:
        self.tally.problems.append(words)
        self.watch(self.tally, words)


def _finished_words(state: FileState) -> str:
    bad = sum(state.bad.values())
    return (
        f"{state.name}: {state.records:,} records, {state.pages:,} pages of the chosen hosts, {state.relevant:,} on AI "
        f"oversight with {state.claims:,} claims" + (f"; {bad:,} bad records skipped" if bad else "")
    )


def local_names(files: Sequence[str]) -> list[str]:
    """Return the files given as paths."""
    return [name for name in files if not is_address(name)]
