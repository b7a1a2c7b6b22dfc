"""Measures the cost of a full build, an incremental build and publishing for ledgers of several sizes."""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import median

from pipeline.evaluation.synthetic_news import NewsGenerator
from pipeline.ledger.article_store import Library
from pipeline.ledger.build.build import build
from pipeline.ledger.publish.export import export
from pipeline.ledger.publish.publish import publish

MORE = 100  # articles added to each ledger
MAX_CHECKED = 20_000  # up to this size an incremental build is compared with a full one
_PROGRAM = "bench"
_BATCH = 1_000  # articles per transaction
BASELINE_ARTICLES = 2_000  # of the small ledger that each size is compared with
_BASELINE_RUNS = 3  # before and after each size


@dataclass(frozen=True, slots=True)
class Size:
    """The cost of a ledger of one size.

    Attributes:
        n_articles, n_relevant, n_claims, n_events: The size.
        full, full_clock: CPU and wall-clock seconds of a full build.
        incremental, incremental_clock: The same for adding MORE articles.
        published, published_clock: The same for copying and checking a snapshot.
        peak_mb: Peak memory of this process.
        bytes: Size of each file.
        same: Whether the incremental build exports the same bytes as a full one; None if not compared.
        baseline: CPU milliseconds per article of a full build of BASELINE_ARTICLES articles, the median of runs right
            before and after. It separates a slow ledger from a slow moment of the machine.
    """

    n_articles: int
    n_relevant: int
    n_claims: int
    n_events: int
    full: float
    full_clock: float
    incremental: float
    incremental_clock: float
    published: float
    published_clock: float
    peak_mb: int
    bytes: dict[str, int]
    same: bool | None
    baseline: float

    @property
    def ms_per_article(self) -> float:
        return 1000 * self.full / self.n_articles

    @property
    def relative_cost(self) -> float:
        """The cost of an article relative to the small ledger, built at about the same time."""
        return self.ms_per_article / self.baseline


class _Clock:
    cpu = wall = 0.0


@contextmanager
def _timed() -> Iterator[_Clock]:
    clock, cpu, wall = _Clock(), time.process_time(), time.perf_counter()
    yield clock
    clock.cpu, clock.wall = time.process_time() - cpu, time.perf_counter() - wall


def measure_linear(
    sizes: tuple[int, ...], relevant: float, say: Callable[[str], None], folder: Path | None = None, per_day: int = 400
) -> list[Size]:
    """Return the cost of a ledger of each size, built from synthetic news.

    In this news the busiest party is in three of ten relevant articles, and five parties are in more than one of ten.

    Args:
        sizes: Numbers of articles.
        relevant: Share of articles with claims.
        say: Reports progress.
        folder: Where to build the ledger, at some 8 kB per article; a temporary folder by default.
        per_day: Articles per day, the same at each size, so that a larger ledger covers more days.
    """
    with tempfile.TemporaryDirectory() as temporary:
        place = folder or Path(temporary)
        place.mkdir(parents=True, exist_ok=True)
        maker, found, done = NewsGenerator(relevant=relevant, per_day=per_day), [], 0
        baseline = NewsGenerator(relevant=relevant, per_day=per_day)
        (place / "baseline").mkdir(exist_ok=True)
        _make(place / "baseline", baseline, 0, BASELINE_ARTICLES)
        for size in sorted(sizes):
            say(f"generating {size:,} articles")
            _make(place, maker, done, size - done)
            say(f"building a ledger of {size:,} articles")
            found.append(_measure(place, maker, baseline, size, say))
            say(f"{size:,} articles took {found[-1].full:,.0f} seconds, {MORE} more {found[-1].incremental:.1f}")
            done = size + MORE
        return found


def _make(place: Path, maker: NewsGenerator, first: int, n: int) -> None:
    articles = maker.articles(n, first)
    with Library(place / "crawl.db") as library:
        while batch := list(islice(articles, _BATCH)):
            with library.transaction():
                for article, findings in batch:
                    library.save(article, findings, _PROGRAM)


def _baseline_costs(place: Path, maker: NewsGenerator) -> list[float]:
    """Return the current cost of building the small ledger, in CPU milliseconds per article, for each run."""
    costs = []
    for _ in range(_BASELINE_RUNS):
        with _timed() as run:
            build(place / "crawl.db", place / "build.db", maker.sources, program_version=_PROGRAM, full=True)
        costs.append(1000 * run.cpu / BASELINE_ARTICLES)
    return costs


def _measure(place: Path, maker: NewsGenerator, baseline: NewsGenerator, size: int, say: Callable[[str], None]) -> Size:
    crawl, ledger = place / "crawl.db", place / "build.db"
    baseline_costs = _baseline_costs(place / "baseline", baseline)
    with _timed() as full:
        report = build(crawl, ledger, maker.sources, program_version=_PROGRAM, full=True)
    baseline_costs += _baseline_costs(place / "baseline", baseline)
    _make(place, maker, size, MORE)
    say(f"adding {MORE} articles to {size:,}")
    with _timed() as incremental:
        build(crawl, ledger, maker.sources, program_version=_PROGRAM)
    with _timed() as published:
        publish(ledger, place / "published", keep=1)
    same = None
    if size <= MAX_CHECKED:
        say(f"comparing with a full build of {size + MORE:,} articles")
        before = export(ledger, place / "export").data_sha256
        build(crawl, ledger, maker.sources, program_version=_PROGRAM, full=True)
        same = export(ledger, place / "export").data_sha256 == before
    files = {name: (place / name).stat().st_size for name in ("crawl.db", "build.db", "joined.db")}
    return Size(
        n_articles=size,
        n_relevant=report.n_relevant,
        n_claims=report.n_claims,
        n_events=report.n_events,
        full=round(full.cpu, 2),
        full_clock=round(full.wall, 2),
        incremental=round(incremental.cpu, 2),
        incremental_clock=round(incremental.wall, 2),
        published=round(published.cpu, 2),
        published_clock=round(published.wall, 2),
        peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        bytes=files,
        same=same,
        baseline=round(median(baseline_costs), 4),
    )
