"""Archives of the web in, by path or address; their articles on the oversight of AI stand in the ledger afterwards.

Files are cut into parts that any engine works off. Reports are entered in the order of the file, each with the place up
to which the file is read, so that a run that was killed goes on inside the file, and a second run adds nothing.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pipeline.app.backfill.engines import Engine
from pipeline.app.backfill.progress import Books, FileState
from pipeline.app.backfill.work import Order, Part, PartReport
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
PART_RECORDS = 2_000  # of a file that can be read from its beginning only
ENDS_READER = "page that ends or stops its reader"


@dataclass(slots=True)
class Tally:
    """What a run has done so far. `share` is that of all bytes of all files, of which some were read before."""

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
    problems: list[str] = field(default_factory=list)  # files that could not be read to their end, in words


Watch = Callable[[Tally, str], None]  # called after each part with a line to say, "" for none


@dataclass(slots=True)
class _Open:
    """A file under way. `loose`: where its next record begins is not known, after a part that nobody could read."""

    state: FileState
    place: ArchiveFile
    packing: Packing
    number: int
    loose: bool = False
    over: bool = False
    spooled: Path | None = None


class Backfill:
    """One run over some files."""

    def __init__(self, books: Books, engine: Engine, order: Order, folder: Path, watch: Watch, part_bytes: int) -> None:
        self.books, self.engine, self.order, self.folder, self.watch = books, engine, order, folder, watch
        self.part_bytes = part_bytes
        self.choice = f"{order.hosts.mark()}+{relevance_version()}+{reader_version()}"
        self.opened: dict[str, _Open] = {}
        self.tally = Tally(0)

    def run(self, files: Sequence[str]) -> Tally:
        """Read the files one after the other; return what came of it. A file that cannot be read stops no other."""
        self.tally = Tally(len(files))
        for part, answer in self.engine.run(self._parts(files)):
            file = self.opened[part.file]
            if file.over:
                continue
            report = self._joined(file, part, self._carefully(part) if isinstance(answer, Lost) else answer)
            if report is not None:
                self._enter(file, part, report)
        return self.tally

    # what is to be read

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
                while not file.over:
                    yield Part(key, file.packing, start, start + PART_RECORDS, exact=True)
                    start += PART_RECORDS
                continue
            while start < file.state.size and not file.over:
                stop = min(file.state.size, (start // self.part_bytes + 1) * self.part_bytes)
                yield Part(key, file.packing, start, stop, exact=exact)
                start, exact = stop, False

    def _open(self, number: int, name: str) -> _Open | None:
        """Open a file at the place up to which it is read; None where that is its end."""
        spooled = None
        try:
            place = open_archive_file(name, self.order.access)
        except RangesNotSupported as error:
            if not self.engine.shares_files:
                raise ArchiveFileError(
                    f"{error.words} Fetch it to a folder that all workers see, and name it there."
                ) from error
            self.watch(self.tally, f"{name}: the server gives it only as a whole, so it is fetched first")
            spooled = self._spool(name)
            place = open_archive_file(str(spooled))
        packing = packing_of(place)
        if packing is None:
            place.close()
            raise ArchiveFileError(
                f"{name}: is no WARC archive: it begins with neither a WARC record nor a compressed one."
            )
        state = self.books.state(fingerprint(place), self.choice, name, place.size)
        if state.finished_at:
            place.close()
            self.tally.finished += 1
            self.tally.share_before += 1 / self.tally.n_files
            self.tally.share += 1 / self.tally.n_files
            self.watch(self.tally, f"{name}: was read on {state.finished_at[:10]}; nothing to do")
            return None
        done = 0.0 if packing is Packing.STREAM else state.position / max(1, state.size)
        self.tally.share_before += done / self.tally.n_files
        self.tally.share += done / self.tally.n_files
        if state.position:
            self.watch(self.tally, f"{name}: goes on at {state.position:,} of {state.size:,}")
        return _Open(state, place, packing, number, spooled=spooled)

    def _spool(self, name: str) -> Path:
        file = self.folder / f"{hashlib.sha256(name.encode()).hexdigest()[:16]}.warc"
        if not file.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            fetch_whole(name, file, self.order.access)
        return file

    # what comes back

    def _joined(self, file: _Open, part: Part, report: PartReport) -> PartReport | None:
        """Return a report that begins where the last one ended, reading the part again where this one does not.

        A part that begins in the middle of a record looks for the next beginning; bytes inside a long record may look
        like one, and only the part before knows better. None where all of the part belongs to that one's last record.
        """
        if report.failed:
            self._problem(report.failed)
            file.over = True
            return None
        if file.packing is Packing.STREAM or file.loose:
            file.loose = report.first is None and file.loose
            return report
        due = file.state.position
        if report.first == due:
            return report
        if due >= part.stop:
            return PartReport(part, None, None)
        _, again = next(self.engine.one_by_one([replace(part, start=due, exact=True)]))
        return self._carefully(replace(part, start=due, exact=True)) if isinstance(again, Lost) else again

    def _carefully(self, part: Part) -> PartReport:
        """Read a part that ended its worker page by page, so that only the page to blame is lost."""
        _, named = next(self.engine.one_by_one([replace(part, alone=True)]))
        if isinstance(named, Lost):
            self.opened[part.file].loose = True
            return PartReport(part, None, part.stop, bad={ENDS_READER: 1}, n_records=1)
        found, passed, bad = list(named.found), Counter(named.passed_over), Counter(named.bad)
        alone = [replace(part, start=at, stop=at + 1, exact=True) for at in named.candidates]
        for _, report in self.engine.one_by_one(alone):
            if isinstance(report, Lost):
                bad[ENDS_READER] += 1
                continue
            found += report.found
            passed.update(report.passed_over)
            bad.update(report.bad)
        return replace(named, found=tuple(found), passed_over=dict(passed), bad=dict(bad))

    def _enter(self, file: _Open, part: Part, report: PartReport) -> None:
        state, tally = file.state, self.tally
        if file.packing is Packing.STREAM:
            done = report.end is None
            position = state.size if done else report.end or 0
        else:
            position = report.end if report.end is not None else state.position
            done = part.stop >= state.size
        before = 0 if file.packing is Packing.STREAM else state.position
        tally.new += self.books.enter(state, report, position, done=done)
        tally.records += report.n_records
        tally.pages += report.n_pages
        tally.relevant += len(report.found)
        tally.claims += sum(len(one.findings.claims) for one in report.found)
        tally.passed_over.update(report.passed_over)
        tally.bad.update(report.bad)
        if file.packing is not Packing.STREAM or done:
            tally.share += (position - before) / max(1, state.size) / tally.n_files
        file.over = done
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
        f"{state.name}: {state.records:,} records, {state.pages:,} pages of wanted hosts, {state.relevant:,} on AI "
        f"oversight with {state.claims:,} claims" + (f"; {bad:,} bad records passed over" if bad else "")
    )


def local_names(files: Sequence[str]) -> list[str]:
    """Return the files that are named by path."""
    return [name for name in files if not is_address(name)]
