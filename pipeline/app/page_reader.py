"""Parses archived pages in worker processes, so that a page that crashes or hangs the parser is the only one lost."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from pipeline.errors import OutsideFailure
from scrapers.items import FeedEntry, Outcome, Page, Reading, Source
from scrapers.process_pool import Limits, Lost, WorkersFailed, run_jobs
from scrapers.reading.article import read_page

# A page takes milliseconds, a slow one a second. Some libraries leak memory, so workers are replaced now and then.
LIMITS = Limits(cpu_seconds=20.0, wall_seconds=180.0, memory_mb=1024, renewed_after=2_000)
MAX_PROCESSES = 4
MIN_PAGES_FOR_POOL = 100  # fewer are parsed faster by one process

Job = tuple[Page, str, FeedEntry | None]  # a page, its source's id, and its entry in a feed


def read_each(
    jobs: Iterable[Job],
    sources: Sequence[Source],
    start: Callable[..., Callable[[Job], Reading]] | None = None,
) -> Iterator[tuple[Job, Reading]]:
    """Yield each job with its reading, in order; a page that crashes or hangs the parser is UNREADABLE.

    Raises:
        OutsideFailure: the worker processes keep dying.
    """
    processes = max(1, min(MAX_PROCESSES, len(os.sched_getaffinity(0))))
    try:
        for job, reading in run_jobs(
            jobs, start or reader, (tuple(sources),), LIMITS, processes=processes, min_jobs=MIN_PAGES_FOR_POOL
        ):
            yield job, unreadable(reading.why) if isinstance(reading, Lost) else reading
    except WorkersFailed as error:
        raise OutsideFailure(
            f"The processes that parse pages keep dying. {error} Parsed pages are kept: free some memory and run "
            "the command again."
        ) from error


def unreadable(why: str) -> Reading:
    """Return the reading of a page that crashed its parser."""
    return Reading(Outcome.UNREADABLE, None, f"the page could not be read: {why}"[:300])


def reader(sources: tuple[Source, ...]) -> Callable[[Job], Reading]:
    """Return the function that parses pages in one worker process."""
    return partial(_read, {source.source_id: source for source in sources})


def _read(sources: dict[str, Source], job: Job) -> Reading:
    page, source_id, hint = job
    return read_page(page, sources.get(source_id), hint)


def read_one(page: Page) -> Reading:
    """Parse a page that belongs to no source."""
    return next(read_each([(page, "", None)], ()))[1]
