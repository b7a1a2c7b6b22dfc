"""Measures how fast backfill reads archives, compared with fastwarc alone and with a peer.

The peer is news-please's extractor (or trafilatura's) and spaCy's small model on every page; see `peer`.
"""

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
from pipeline.app.backfill.progress import ProgressStore
from pipeline.app.backfill.run import PART_BYTES, Backfill
from pipeline.app.backfill.work import WorkerSettings
from pipeline.errors import OutsideFailure
from pipeline.evaluation.benchmarks import peer
from pipeline.evaluation.benchmarks.inputs.archive import GeneratedArchive, make_archive, sample_of
from pipeline.nlp.relevance.score import judge_relevance

SHARE = 0.03  # of relevant pages
PEER_PAGES = 40  # read by the peer
# The archive without relevant pages has 5 times as many, up to 20,000: over a short one, process start-up
# would dominate.
LONGER, MAX_PAGES = 5, 20_000


@dataclass(frozen=True, slots=True)
class Throughput:
    """Pages per second, by the wall clock and by the CPU time of all processes."""

    what: str
    n: int
    runs: int
    per_second: float
    per_cpu_second: float
    note: str = ""


@dataclass(frozen=True, slots=True)
class Times:
    """Wall-clock and CPU seconds of one run."""

    wall: float
    cpu: float


def measure_backfill(
    n_pages: int, runs: int, frames: Path | None, peer_python: str, workers: int, say: Callable[[str], None]
) -> dict[str, Any]:
    """Generate two archives, one with relevant pages and one without, and measure how fast both are read.

    Args:
        n_pages: Number of pages in the archive with relevant pages.
        runs: Number of repetitions.
        frames: Folder of saved pages to generate from; None for generated pages.
        peer_python: Python interpreter for the peer; "" for this one.
        workers: Number of worker processes.
        say: Reports progress.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sample: list[tuple[str, bytes]] = []
        say(f"generating archives of {n_pages:,} pages")
        mixed = make_archive(folder / "mixed.warc.gz", n_pages, SHARE, frames, sample=sample)
        chosen = list(sample_of(sample, min(PEER_PAGES, n_pages), mixed.planted))
        sample.clear()
        n_barren = max(n_pages, min(LONGER * n_pages, MAX_PAGES))
        barren = make_archive(folder / "barren.warc.gz", n_barren, 0.0, frames, edition=1)
        say("measuring the peer")
        theirs, about_peer = _peer(folder, chosen, mixed, peer_python)
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
        alone = _throughput("fastwarc alone, one process, nothing relevant", n_barren, bare)
        none = _throughput(f"backfill, {workers} processes, nothing relevant", n_barren, empty)
        full = _throughput(f"backfill, {workers} processes, {SHARE:.0%} relevant, to published claims", n_pages, whole)
        return {
            "pages": n_pages,
            "bytes_per_page": mixed.n_bytes // n_pages,
            "archive_bytes": mixed.file.stat().st_size,
            "data_hash": f"{mixed.data_hash}{barren.data_hash}",
            "frames": "pages of a folder" if frames else "generated",
            "relevant": len(mixed.planted),
            "missed": len(mixed.planted - found),
            "extra": len(found - mixed.planted),
            "claims": claims,
            "peer": about_peer,
            "lines": [alone, none, full, theirs],
            "ratios": {
                "times the peer's rate, by wall clock": round(full.per_second / (theirs.per_second * workers), 1),
                "times the peer's rate, by CPU time": round(full.per_cpu_second / theirs.per_cpu_second, 1),
                "of fastwarc's rate, by wall clock": round(none.per_second / alone.per_second, 2),
                "of fastwarc's rate, by CPU time": round(none.per_cpu_second / alone.per_cpu_second, 2),
            },
        }


def _timed(work: Callable[[], Any]) -> Times:
    wall, cpu = time.perf_counter(), _cpu()
    work()
    return Times(time.perf_counter() - wall, _cpu() - cpu)


def _cpu() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _throughput(what: str, n: int, taken: list[Times], note: str = "") -> Throughput:
    wall, cpu = (statistics.median(getattr(one, kind) for one in taken) for kind in ("wall", "cpu"))
    return Throughput(what, n, len(taken), round(n / wall, 2), round(n / cpu, 2), note)


def _bare(file: Path) -> None:
    """Read and decompress every record with fastwarc alone."""
    from fastwarc.warc import ArchiveIterator

    for record in ArchiveIterator(str(file), parse_http=False):
        record.reader.read()


def _read(file: Path, data: Path, workers: int, *, build: bool = False) -> None:
    order = WorkerSettings(Hosts((), (), every=True), ())
    books = ProgressStore(data / "crawl.db", data / "archive", ())
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
    """Return the URLs of the articles in a ledger, and its number of claims."""
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(data / "crawl.db")) as db:
        found = {row[0] for row in db.execute("select url from backfill_records")}
    with closing(sqlite3.connect(data / "build.db")) as db:
        return found, db.execute("select count(*) from claims").fetchone()[0]


def _peer(
    folder: Path, chosen: list[tuple[str, bytes]], made: GeneratedArchive, python: str
) -> tuple[Throughput, dict[str, Any]]:
    """Run the peer over a sample in a separate process; filter its texts with our relevance filter."""
    pages = folder / "pages.pickle"
    pages.write_bytes(pickle.dumps(chosen))
    done = subprocess.run(
        [python or sys.executable, peer.__file__, str(pages)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": ""} if python else None,
    )
    if done.returncode != 0:
        raise OutsideFailure(f"The peer failed: {(done.stderr.strip().splitlines() or ['no reason given'])[-1]}")
    answer = json.loads(done.stdout.strip().splitlines()[-1])
    n, reader, spacy = answer["n"], answer["reader"], answer["spacy"]
    relevant = {url for url, _ in chosen} & made.planted
    found = {url for url, title, text in answer["texts"] if judge_relevance(title, text).relevant}
    times = Times(answer["seconds"], sum(answer["cpu"].values()))
    about = {
        "reader": reader,
        "spacy": spacy,
        "pages": n,
        "failed": answer["failed"],
        "relevant": len(relevant),
        "missed": len(relevant - found),
        "extra": len(found - relevant),
        "milliseconds": {key: round(1000 * value / n, 1) for key, value in answer["cpu"].items()},
    }
    return _throughput(f"{reader} and spaCy {spacy} on every page, one process", n, [times]), about
