"""Articles come in, their findings go out in the same order, read by as many processes as there are processors.

An article is read alike in any process, so that the number of readers changes nothing but the time; one that ends or
stops its reader costs nobody else's findings.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

from pipeline.errors import OutsideFailure, WrongUse
from pipeline.nlp.pipeline import extract, load_tools
from pipeline.records import Findings
from scrapers.items import Article
from scrapers.process_pool import Limits, Lost, WorkersFailed, run_jobs

MOST = 8  # readers; each holds its own copy of parser and classifier
WORTH_IT = 8  # articles from which a second reader pays
# The longest text that is read takes a minute of one processor. A reader is renewed because the parser remembers every
# new word, so that one without end would only grow.
LIMITS = Limits(cpu_seconds=300.0, wall_seconds=1800.0, memory_mb=4096, renewed_after=5_000)


def readers_here() -> int:
    """Return how many processes read here: OVERSIGHT_READERS, else one for each processor that this process may use.

    Raises WrongUse where OVERSIGHT_READERS is no whole number from 1.
    """
    wanted = os.environ.get("OVERSIGHT_READERS", "").strip()
    if not wanted:
        return max(1, min(MOST, len(os.sched_getaffinity(0))))
    if not wanted.isdecimal() or int(wanted) < 1:
        raise WrongUse(f"OVERSIGHT_READERS is {wanted!r}, but should be a whole number from 1.")
    return int(wanted)


def understand_each(
    articles: Iterable[Article],
    lexicon: Sequence[Path] = (),
    readers: int | None = None,
    start: Callable[..., Callable[[Article], Findings]] | None = None,
) -> Iterator[tuple[Article, Findings | Lost]]:
    """Yield each article with its findings, or with the reason why it gave none; `start` makes a reader.

    Raises OutsideFailure where readers keep ending whatever they read.
    """
    readers = readers_here() if readers is None else readers
    args = (tuple(lexicon),)
    try:
        yield from run_jobs(articles, start or reader, args, LIMITS, processes=readers, min_jobs=WORTH_IT)
    except WorkersFailed as error:
        raise OutsideFailure(
            f"The processes that read articles keep ending. {error} What was read is kept: run this again, with "
            "OVERSIGHT_READERS=1 in the environment where memory is short."
        ) from error


def extract_all(
    articles: Iterable[Article], lexicon: Sequence[Path] = (), readers: int | None = None
) -> Iterator[Findings]:
    """Yield the findings of articles in their order. Raises OutsideFailure at one that cannot be read."""
    for article, found in understand_each(articles, lexicon, readers):
        if isinstance(found, Lost):
            raise OutsideFailure(f"{article.url}: this text cannot be read: {found.why}.")
        yield found


def reader(lexicon: tuple[Path, ...]) -> Callable[[Article], Findings]:
    """Return what reads one article after the other in one process."""
    return partial(extract, tools=load_tools(lexicon=lexicon))
