"""Extracts many articles in parallel, one worker process per processor, and yields their findings in order.

The number of workers changes only the time. An article that crashes or hangs its worker loses only its own findings.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

from pipeline.errors import OutsideFailure, WrongUse
from pipeline.nlp.pipeline import extract, load
from pipeline.records import Findings
from scrapers.items import Article
from scrapers.process_pool import Limits, Lost, WorkersFailed, run_jobs

MAX_READERS = 8  # each worker loads its own parser and event model
MIN_ARTICLES = 8  # below this number of articles a second worker does not pay for its start
# The longest text takes a minute of one processor. Workers are replaced after some articles because the parser's
# vocabulary grows with every new word.
LIMITS = Limits(cpu_seconds=300.0, wall_seconds=1800.0, memory_mb=4096, renewed_after=5_000)


def reader_count() -> int:
    """Return the number of worker processes: OVERSIGHT_READERS, else one per available processor, at most MAX_READERS.

    Raises WrongUse if OVERSIGHT_READERS is not a whole number of at least 1.
    """
    wanted = os.environ.get("OVERSIGHT_READERS", "").strip()
    if not wanted:
        return max(1, min(MAX_READERS, len(os.sched_getaffinity(0))))
    if not wanted.isdecimal() or int(wanted) < 1:
        raise WrongUse(f"OVERSIGHT_READERS is {wanted!r}; set it to a whole number of at least 1.")
    return int(wanted)


def extract_each(
    articles: Iterable[Article],
    lexicon: Sequence[Path] = (),
    readers: int | None = None,
    start: Callable[..., Callable[[Article], Findings]] | None = None,
) -> Iterator[tuple[Article, Findings | Lost]]:
    """Yield each article with its findings, or with the reason for their loss.

    Args:
        articles: The articles to read.
        lexicon: Additional lexicon files.
        readers: Number of worker processes; None for `reader_count()`.
        start: Returns the function that a worker applies to each article; `reader` by default.

    Raises:
        OutsideFailure: Workers keep dying, whatever they read.
    """
    readers = reader_count() if readers is None else readers
    args = (tuple(lexicon),)
    try:
        yield from run_jobs(articles, start or reader, args, LIMITS, processes=readers, min_jobs=MIN_ARTICLES)
    except WorkersFailed as error:
        raise OutsideFailure(
            f"The worker processes keep dying. {error} Finished articles are saved: run the command again, with "
            "OVERSIGHT_READERS=1 in the environment if memory is short."
        ) from error


def extract_all(
    articles: Iterable[Article], lexicon: Sequence[Path] = (), readers: int | None = None
) -> Iterator[Findings]:
    """Yield the findings of articles in order. Raises OutsideFailure at the first article that cannot be read."""
    for article, found in extract_each(articles, lexicon, readers):
        if isinstance(found, Lost):
            raise OutsideFailure(f"{article.url}: the text could not be read: {found.why}.")
        yield found


def reader(lexicon: tuple[Path, ...]) -> Callable[[Article], Findings]:
    """Load the pipeline and return the function that extracts one article."""
    return partial(extract, nlp=load(lexicon=lexicon))
