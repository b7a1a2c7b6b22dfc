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

from pipeline.bench.made import Maker
from pipeline.ledger.build import build
from pipeline.store.export import export
from pipeline.store.library import Library
from pipeline.store.publish import publish

MORE = 100  # articles that are added at each size
CHECKED = 20_000  # up to this size a ledger that grew is compared with one joined anew
_PROGRAM = "bench"
_AT_A_TIME = 1_000


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

    @property
    def ms_per_article(self) -> float:
        return 1000 * self.whole / self.n_articles

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
    """Return what each size of a ledger costs; its articles are made (pipeline.bench.made).

    `relevant`: the share of them that is on the oversight of AI and has claims. `per_day`: articles of one day, the
    same at each size, so that a larger ledger is of more days, as an archive is. The busiest party is in three of ten
    relevant articles, five are in more than one of ten. `folder`: where the ledger is made, by default a temporary
    one; it takes some 8 kB for each article.
    """
    with tempfile.TemporaryDirectory() as temporary:
        place = folder or Path(temporary)
        place.mkdir(parents=True, exist_ok=True)
        maker, found, done = Maker(relevant=relevant, per_day=per_day), [], 0
        for size in sorted(sizes):
            say(f"making {size:,} articles")
            _make(place, maker, done, size - done)
            say(f"joining {size:,} articles")
            found.append(_measure(place, maker, size, say))
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


def _measure(place: Path, maker: Maker, size: int, say: Callable[[str], None]) -> Size:
    crawl, ledger = place / "crawl.db", place / "build.db"
    with _timed() as whole:
        report = build(crawl, ledger, maker.sources, program_version=_PROGRAM, full=True)
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
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, files, same,
    )  # fmt: skip
