"""Articles come in, their findings go out in the same order, read by as many processes as there are processors.

An article is read alike in any process, so that the number of readers changes nothing but the time.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import chain, islice
from multiprocessing import get_context
from pathlib import Path

from pipeline.errors import OutsideFailure, WrongUse
from pipeline.flow import Tools, load_tools, understand
from pipeline.records import Findings
from scrapers.records import Article

MOST = 8  # readers; each holds its own copy of parser and classifier
WORTH_IT = 8  # articles from which starting further processes pays
AHEAD = 4  # articles given out for each reader before the first of them is back
RENEWED_AFTER = 5_000  # articles; the parser remembers every new word, so that a reader without end would only grow

_tools: Tools | None = None


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


def understand_all(
    articles: Iterable[Article], lexicon: Sequence[Path] = (), readers: int | None = None
) -> Iterator[Findings]:
    """Yield the findings of articles in their order; few articles, or one reader, are read in this process.

    Raises OutsideFailure where a reader ends before its time.
    """
    readers = readers_here() if readers is None else readers
    waiting = iter(articles)
    first = list(islice(waiting, WORTH_IT))
    if readers == 1 or len(first) < WORTH_IT:
        if first:
            tools = load_tools(lexicon=lexicon)
            yield from (understand(article, tools) for article in chain(first, waiting))
        return
    pool = ProcessPoolExecutor(
        readers, get_context("spawn"), _start, (tuple(lexicon),), max_tasks_per_child=RENEWED_AFTER
    )
    try:
        given: deque[Future[Findings]] = deque()
        for article in chain(first, waiting):
            given.append(pool.submit(_read, article))
            if len(given) > readers * AHEAD:
                yield given.popleft().result()
        while given:
            yield given.popleft().result()
    except BrokenProcessPool as error:
        raise OutsideFailure(
            "A process that reads articles was ended from outside, most likely for lack of memory. What was read is "
            "kept: run this again, with OVERSIGHT_READERS=1 in the environment if it happens again."
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _start(lexicon: tuple[Path, ...]) -> None:
    global _tools
    _tools = load_tools(lexicon=lexicon)


def _read(article: Article) -> Findings:
    assert _tools is not None
    return understand(article, _tools)
