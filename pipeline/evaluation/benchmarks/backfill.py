"""A number of pages comes in; how quick archives are read goes out, beside the bare reading of the file and a peer."""

from __future__ import annotations

import json
import os
import pickle
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.app.backfill.engines import LocalEngine
from pipeline.app.backfill.hosts import Hosts
from pipeline.app.backfill.progress import Books
from pipeline.app.backfill.run import PART_BYTES, Backfill
from pipeline.app.backfill.work import Order
from pipeline.errors import OutsideFailure
from pipeline.evaluation.benchmarks import peer
from pipeline.evaluation.benchmarks.inputs.archive import Made, each, make_archive
from pipeline.nlp.relevance.score import judge_relevance

SHARE = 0.03  # of the pages that are relevant
PEER_PAGES = 40  # that the peer is measured on
LONGER, LONGEST = 5, 20_000  # where nothing is relevant, a short archive would show how processes start and little else


@dataclass(frozen=True, slots=True)
class Line:
    """How many pages a second something read: by the clock, and by the processor's time of all its processes."""

    what: str
    n: int
    runs: int
    per_second: float
    per_cpu_second: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """The seconds of one run by the clock and by the processor."""

    wall: float
    cpu: float


def measure_backfill(
    n_pages: int, runs: int, frames: Path | None, peer_python: str, workers: int, say: Callable[[str], None]
) -> dict[str, Any]:
    """Make two archives, one with relevant pages and one without, and read both. `peer_python`: where the peer runs."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sample: list[tuple[str, bytes]] = []
        say(f"making archives of {n_pages:,} pages")
        mixed = make_archive(folder / "mixed.warc.gz", n_pages, SHARE, frames, sample=sample)
        chosen = list(each(sample, min(PEER_PAGES, n_pages), mixed.planted))
        sample.clear()
        n_barren = max(n_pages, min(LONGER * n_pages, LONGEST))
        barren = make_archive(folder / "barren.warc.gz", n_barren, 0.0, frames, edition=1)
        say("measuring the peer")
        theirs, other = _peer(folder, chosen, mixed, peer_python)
        bare, empty, whole = [], [], []
        found: set[str] = set()
        claims = 0
        for run in range(runs):
            say(f"run {run + 1} of {runs}: nothing relevant")
            bare.append(_timed(lambda: _bare(barren.file)))
            empty.append(_timed(lambda: _read(barren.file, folder / f"empty-{run}", workers)))  # noqa: B023
            say(f"run {run + 1} of {runs}: {len(mixed.planted):,} relevant")
            whole.append(_timed(lambda: _read(mixed.file, folder / f"whole-{run}", workers, build=True)))  # noqa: B023
            found, claims = _found(folder / f"whole-{run}")
        alone, none, line = (
            _line("fastwarc alone, one process, nothing relevant", n_barren, bare),
            _line(f"backfill, {workers} processes, nothing relevant", n_barren, empty),
            _line(f"backfill, {workers} processes, {SHARE:.0%} relevant, to published claims", n_pages, whole),
        )
        missed, extra = len(mixed.planted - found), len(found - mixed.planted)
        return {
            "pages": n_pages, "bytes_per_page": mixed.n_bytes // n_pages,
            "archive_bytes": mixed.file.stat().st_size, "data_hash": f"{mixed.data_hash}{barren.data_hash}",
            "frames": "pages of a folder" if frames else "made", "relevant": len(mixed.planted), "missed": missed,
            "extra": extra, "claims": claims, "peer": other, "lines": [alone, none, line, theirs],
            "ratios": {
                "times the peer's rate, by the clock": round(line.per_second / (theirs.per_second * workers), 1),
                "times the peer's rate, by processor time": round(line.per_cpu_second / theirs.per_cpu_second, 1),
                "share of fastwarc's rate, by the clock": round(none.per_second / alone.per_second, 2),
                "share of fastwarc's rate, by processor time": round(none.per_cpu_second / alone.per_cpu_second, 2),
            },
        }  # fmt: skip


def _timed(work: Callable[[], Any]) -> Taken:
    wall, cpu = time.perf_counter(), _cpu()
    work()
    return Taken(time.perf_counter() - wall, _cpu() - cpu)


def _cpu() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _line(what: str, n: int, taken: list[Taken], note: str = "") -> Line:
    wall, cpu = (statistics.median(getattr(one, kind) for one in taken) for kind in ("wall", "cpu"))
    return Line(what, n, len(taken), round(n / wall, 2), round(n / cpu, 2), note)


def _bare(file: Path) -> None:
    """Read and decompress every record, as the library does it by itself."""
    from fastwarc.warc import ArchiveIterator

    for record in ArchiveIterator(str(file), parse_http=False):
        record.reader.read()


def _read(file: Path, data: Path, workers: int, *, build: bool = False) -> None:
    order = Order(Hosts((), (), every=True), ())
    books = Books(data / "crawl.db", data / "archive", ())
    try:
        tally = Backfill(
            books, LocalEngine(order, workers), order, data / "spool", lambda tally, line: None, PART_BYTES
        ).run([str(file)])
    finally:
        books.close()
    if tally.problems:
        raise OutsideFailure(tally.problems[0])
    if build:
        from pipeline.app.steps import build as build_step
        from pipeline.app.steps import publish
        from pipeline.workspace import DataFolder

        folder = DataFolder(data)
        build_step(folder, (), least_confidence=0.5)
        publish(folder)


def _found(data: Path) -> tuple[set[str], int]:
    """Return the addresses whose articles stand in a ledger, and how many claims it publishes."""
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(data / "crawl.db")) as db:
        found = {row[0] for row in db.execute("select url from backfill_records")}
    with closing(sqlite3.connect(data / "build.db")) as db:
        return found, db.execute("select count(*) from claims").fetchone()[0]


def _peer(folder: Path, chosen: list[tuple[str, bytes]], made: Made, python: str) -> tuple[Line, dict[str, Any]]:
    """Let the peer read a sample in a process of its own; judge its texts by the same gate."""
    pages = folder / "pages.pickle"
    pages.write_bytes(pickle.dumps(chosen))
    done = subprocess.run(
        [python or sys.executable, peer.__file__, str(pages)], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": ""} if python else None,
    )  # fmt: skip
    if done.returncode != 0:
        raise OutsideFailure(f"The peer failed: {(done.stderr.strip().splitlines() or ['no reason given'])[-1]}")
    told = json.loads(done.stdout.strip().splitlines()[-1])
    n = told["n"]
    ours = {url for url, _ in chosen} & made.planted
    found = {url for url, title, text in told["texts"] if judge_relevance(title, text).relevant}
    cpu = sum(told["cpu"].values())
    line = _line(
        f"{told['reader']} and spaCy {told['spacy']} on every page, one process", n, [Taken(told["seconds"], cpu)]
    )
    about = {
        "reader": told["reader"], "spacy": told["spacy"], "pages": n, "failed": told["failed"],
        "relevant": len(ours), "missed": len(ours - found), "extra": len(found - ours),
        "milliseconds": {key: round(1000 * value / n, 1) for key, value in told["cpu"].items()},
    }  # fmt: skip
    return line, about
