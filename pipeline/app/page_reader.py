"""Archived pages come in, what could be read of each goes out in the same order, read in processes of their own."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from pipeline.errors import OutsideFailure
from scrapers.items import FeedEntry, Outcome, Page, Reading, Source
from scrapers.process_pool import Limits, Lost, WorkersFailed, run_jobs
from scrapers.reading.article import read_page

# A page takes some milliseconds, a slow one a second. Some libraries give back no memory, so readers are renewed.
LIMITS = Limits(cpu_seconds=20.0, wall_seconds=180.0, memory_mb=1024, renewed_after=2_000)
MOST = 4
WORTH_IT = 100  # pages from which a second process pays

Job = tuple[Page, str, FeedEntry | None]  # a page, its source's id, and what a feed said of it


def read_each(
    jobs: Iterable[Job],
    sources: Sequence[Source],
    start: Callable[..., Callable[[Job], Reading]] | None = None,
) -> Iterator[tuple[Job, Reading]]:
    """Yield each job with its reading; a page that ends or stops its reader is UNREADABLE, with the reason.

    Raises OutsideFailure where readers keep ending whatever they read.
    """
    processes = max(1, min(MOST, len(os.sched_getaffinity(0))))
    try:
        for job, reading in run_jobs(jobs, start or reader, (tuple(sources),), LIMITS, processes=processes,
                                     min_jobs=WORTH_IT):  # fmt: skip
            yield job, unreadable(reading.why) if isinstance(reading, Lost) else reading
    except WorkersFailed as error:
        raise OutsideFailure(
            f"The processes that read pages keep ending. {error} What was read is kept: free some memory and run "
            "this again."
        ) from error


def unreadable(why: str) -> Reading:
    """Return the reading of a page that its reader did not survive."""
    return Reading(Outcome.UNREADABLE, None, f"the page could not be read: {why}"[:300])


def reader(sources: tuple[Source, ...]) -> Callable[[Job], Reading]:
    """Return what reads one page after the other in one process."""
    return partial(_read, {source.source_id: source for source in sources})


def _read(sources: dict[str, Source], job: Job) -> Reading:
    page, source_id, hint = job
    return read_page(page, sources.get(source_id), hint)


def read_one(page: Page) -> Reading:
    """Read a page that belongs to no source."""
    return next(read_each([(page, "", None)], ()))[1]
