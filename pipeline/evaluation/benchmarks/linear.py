"""Sizes of a ledger come in; what joining all of it, adding a hundred articles, and publishing cost goes out."""

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

from pipeline.evaluation.synthetic_news import Maker
from pipeline.ledger.article_store import Library
from pipeline.ledger.build.build import build
from pipeline.ledger.publish.export import export
from pipeline.ledger.publish.publish import publish

MORE = 100  # articles that are added at each size
CHECKED = 20_000  # up to this size a ledger that grew is compared with one joined anew
_PROGRAM = "bench"
_AT_A_TIME = 1_000
YARD = 2_000  # articles of the ledger that each size is measured beside
_YARD_RUNS = 3  # before and after each size


@dataclass(frozen=True, slots=True)
class Size:
    """What a ledger of one size cost, in seconds of the processor and by the clock."""

    n_articles: int
    n_relevant: int
    n_claims: int
    n_events: int
    whole: float  # joining all of it anew, CPU seconds
    whole_clock: float
    grown: float  # joining MORE articles to it, CPU seconds
    grown_clock: float
    published: float  # copying and checking a snapshot, CPU seconds
    published_clock: float
    peak_mb: int
    bytes: dict[str, int]
    same: bool | None  # whether the grown ledger exports the very bytes of one joined anew; None: not compared
    yard: float  # joining a ledger of YARD articles anew, CPU milliseconds for each: the median of runs right before
    # and right after, which tells a slow hour of the machine from a slow ledger

    @property
    def ms_per_article(self) -> float:
        return 1000 * self.whole / self.n_articles

    @property
    def beside(self) -> float:
        """How many times as much an article costs as in the small ledger, joined in the same minutes."""
        return self.ms_per_article / self.yard

    @property
    def ms_per_relevant(self) -> float:
        return 1000 * self.whole / max(self.n_relevant, 1)


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
    """Return what each size of a ledger costs; its articles are made (pipeline.evaluation.synthetic_news).

    `relevant`: the share of them that is on the oversight of AI and has claims. `per_day`: articles of one day, the
    same at each size, so that a larger ledger is of more days, as an archive is. The busiest party is in three of ten
    relevant articles, five are in more than one of ten. `folder`: where the ledger is made, by default a temporary
    one; it takes some 8 kB for each article.
    """
    with tempfile.TemporaryDirectory() as temporary:
        place = folder or Path(temporary)
        place.mkdir(parents=True, exist_ok=True)
        maker, found, done = Maker(relevant=relevant, per_day=per_day), [], 0
        yard = Maker(relevant=relevant, per_day=per_day)
        (place / "yard").mkdir(exist_ok=True)
        _make(place / "yard", yard, 0, YARD)
        for size in sorted(sizes):
            say(f"making {size:,} articles")
            _make(place, maker, done, size - done)
            say(f"joining {size:,} articles")
            found.append(_measure(place, maker, yard, size, say))
            say(f"{size:,} articles took {found[-1].whole:,.0f} seconds, {MORE} more {found[-1].grown:.1f}")
            done = size + MORE
        return found


def _make(place: Path, maker: Maker, first: int, n: int) -> None:
    articles = maker.articles(n, first)
    with Library(place / "crawl.db") as library:
        while some := list(islice(articles, _AT_A_TIME)):
            with library.transaction():
                for article, findings in some:
                    library.save(article, findings, _PROGRAM)


def _yard(place: Path, maker: Maker) -> list[float]:
    """Return what joining the small ledger anew costs now, CPU milliseconds for each article, run by run."""
    costs = []
    for _ in range(_YARD_RUNS):
        with _timed() as run:
            build(place / "crawl.db", place / "build.db", maker.sources, program_version=_PROGRAM, full=True)
        costs.append(1000 * run.cpu / YARD)
    return costs


def _measure(place: Path, maker: Maker, yard: Maker, size: int, say: Callable[[str], None]) -> Size:
    crawl, ledger = place / "crawl.db", place / "build.db"
    beside = _yard(place / "yard", yard)
    with _timed() as whole:
        report = build(crawl, ledger, maker.sources, program_version=_PROGRAM, full=True)
    beside += _yard(place / "yard", yard)
    _make(place, maker, size, MORE)
    say(f"adding {MORE} articles to {size:,}")
    with _timed() as grown:
        build(crawl, ledger, maker.sources, program_version=_PROGRAM)
    with _timed() as published:
        publish(ledger, place / "published", keep=1)
    same = None
    if size <= CHECKED:
        say(f"comparing with {size + MORE:,} articles joined anew")
        before = export(ledger, place / "export").data_sha256
        build(crawl, ledger, maker.sources, program_version=_PROGRAM, full=True)
        same = export(ledger, place / "export").data_sha256 == before
    files = {name: (place / name).stat().st_size for name in ("crawl.db", "build.db", "joined.db")}
    return Size(
        size, report.n_relevant, report.n_claims, report.n_events, round(whole.cpu, 2), round(whole.wall, 2),
        round(grown.cpu, 2), round(grown.wall, 2), round(published.cpu, 2), round(published.wall, 2),
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, files, same, round(median(beside), 4),
    )  # fmt: skip
