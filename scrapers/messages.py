"""The plain values that pass between the fetching process and the one that keeps the books: tasks out, answers back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from scrapers.items import Feed, FeedEntry, Outcome, Page, Source, Visit

DAY_TEXT = "%Y-%m-%dT%H:%M:%S.%fZ"


@dataclass(frozen=True, slots=True)
class Task:
    """One address to be visited now. `kind`: "feed" or "article"; the validators are those of the last full answer."""

    url: str
    source_id: str
    kind: str
    host: str
    feed: Feed
    etag: str = ""
    last_modified: str = ""
    body_sha256: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one task: the visit with its outcome, and whatever is to be kept of it."""

    task: Task
    visit: Visit
    page: Page | None = None  # an article page to be archived
    entries: tuple[FeedEntry, ...] = ()
    more: tuple[str, ...] = ()  # further feed addresses
    faults: tuple[str, ...] = ()
    etag: str = ""
    last_modified: str = ""
    retry_after: str = ""  # the header as sent, for 429 and 503
    temporary: bool = False  # the outcome speaks of the moment, not of the address: try again later
    rest_seconds: float = 0.0  # how long the host wants to rest after each request, where that is longer than a pause


@dataclass(frozen=True, slots=True)
class Reply:
    """What the desk says to answers: what to fetch besides, which hosts to leave alone, whether to leave everything."""

    tasks: tuple[Task, ...] = ()
    leave_hosts: tuple[str, ...] = ()
    stop: bool = False


def packed(answer: Answer) -> tuple[Any, ...]:
    """Return an answer as it travels between the processes: without its task, which the desk has, and without times."""
    visit, page = answer.visit, answer.page
    return (
        *(visit.url, visit.outcome.value, visit.detail, visit.status, visit.n_bytes, visit.sha256, visit.headers),
        (page.final_url, page.media_type, page.charset, page.body) if page is not None else None,
        *(answer.entries, answer.more, answer.faults, answer.etag, answer.last_modified, answer.retry_after),
        *(answer.temporary, answer.rest_seconds),
    )


def unpacked(values: tuple[Any, ...], task: Task, now: datetime) -> Answer:
    """Return the answer to a task that packed() made a tuple of, dated by the desk's clock."""
    url, outcome, detail, status, n_bytes, sha256, headers, kept, entries, more, faults, *rest = values
    visit = Visit(url, task.source_id, now, Outcome(outcome), detail, status, n_bytes, sha256, headers)
    page = None
    if kept is not None:
        final_url, media_type, charset, body = kept
        page = Page(url, final_url, task.source_id, now, status, media_type, charset, headers, body, sha256)
    return Answer(task, visit, page, entries, more, faults, *rest)


@dataclass(frozen=True, slots=True)
class RobotsCopy:
    """The robots.txt of a host as last fetched. `status` is 0 where the host could not be reached."""

    host: str
    status: int
    body: bytes
    fetched_at: datetime


@dataclass(frozen=True, slots=True)
class CrawlConfig:
    """How a crawl behaves. `pause_seconds`, where given, replaces every card's own pause."""

    user_agent: str = "OversightLedger/0.1"
    contact: str = ""  # an e-mail address or a web page that a site's owner can write to
    allow_loopback: bool = False
    max_pages: int = 2000  # visits to articles and feeds in one run
    max_seconds: float = 1800.0
    host_seconds: float = 600.0  # a host that is visited for longer waits for the next run: no host makes a run long
    topic_filter: Callable[[str], bool] | None = None  # None: every entry is on topic
    topic_version: str = ""  # of the filter: what another version refused is judged again
    pause_seconds: float | None = None
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    timeout_seconds: float = 30.0  # for one answer, from connection to last byte
    max_bytes: int = 8 * 1024 * 1024  # of one answer, before and after decompression
    memory_mb: int = 1536  # address space of the fetching process
    log_file: str = ""  # Scrapy's log; "" writes none


@dataclass(frozen=True, slots=True)
class FetchOrder:
    """Everything that the fetching process needs to know at its start."""

    sources: tuple[Source, ...]
    tasks: tuple[Task, ...]
    user_agent: str  # as sent, with the contact
    robots_token: str  # the name looked for in robots.txt
    allow_loopback: bool
    pause_seconds: float | None
    timeout_seconds: float
    max_bytes: int
    memory_mb: int
    log_file: str


@lru_cache(maxsize=256)
def as_text(moment: datetime) -> str:
    """Return a moment as fixed-width UTC text, which sorts as time does."""
    return moment.astimezone(UTC).strftime(DAY_TEXT)


def as_moment(text: str) -> datetime:
    """Return the moment that as_text() wrote."""
    return datetime.strptime(text, DAY_TEXT).replace(tzinfo=UTC)
