"""The messages between the crawl's main process and its fetching process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from scrapers.items import Feed, FeedEntry, Outcome, Page, Visit

TIMESTAMP_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"


@dataclass(frozen=True, slots=True)
class Task:
    """A URL to visit now. `kind` is "feed" or "article"; the validators are those of the last full response."""

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
    """The result of one task: the visit with its outcome, and what the response contained."""

    task: Task
    visit: Visit
    page: Page | None = None  # the article page to archive
    entries: tuple[FeedEntry, ...] = ()
    more: tuple[str, ...] = ()  # URLs of further feeds
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """The response to answers: new tasks, hosts to skip for the rest of the run, and whether to stop."""

    tasks: tuple[Task, ...] = ()
    skip_hosts: tuple[str, ...] = ()
    stop: bool = False


def packed(answer: Answer) -> tuple[Any, ...]:
    """Return an answer as a tuple for the main process, without the task and the times, which are known there."""
    visit, page = answer.visit, answer.page
    return (
        *(visit.url, visit.outcome.value, visit.detail, visit.status, visit.n_bytes, visit.sha256, visit.headers),
        *(visit.temporary, visit.retry_after),
        (page.final_url, page.media_type, page.charset, page.body) if page is not None else None,
        *(answer.entries, answer.more, answer.faults),
    )


def unpacked(values: tuple[Any, ...], task: Task, now: datetime) -> Answer:
    """Return the answer to a task from the tuple that packed() made; `now` becomes the time of the visit."""
    url, outcome, *sent, kept, entries, more, faults = values
    visit = Visit(url, task.source_id, now, Outcome(outcome), *sent)
    page = None
    if kept is not None:
        final_url, media_type, charset, body = kept
        page = Page(
            *(url, final_url, task.source_id, now, visit.status, media_type, charset, visit.headers, body),
            sha256=visit.sha256,
        )
    return Answer(task, visit, page, entries, more, faults)


@dataclass(frozen=True, slots=True)
class RobotsCopy:
    """The robots.txt of a host as last fetched. `status` is 0 if the host could not be reached."""

    host: str
    status: int
    body: bytes
    fetched_at: datetime = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class CrawlConfig:
    """Options of a crawl. `pause_seconds`, if given, overrides the pause of every card."""

    user_agent: str = "OversightLedger/0.1"
    contact: str = ""  # an e-mail address or a web page that a site's owner can write to
    allow_loopback: bool = False
    local_ports: Mapping[str, int] = field(default_factory=dict)  # hosts served from a local port instead
    max_pages: int = 2000  # maximum number of visits in one run, to articles and feeds
    max_seconds: float = 1800.0
    host_seconds: float = 600.0  # longest time spent on one host in one run
    topic_filter: Callable[[str], bool] | None = None  # None: every entry passes
    topic_version: str = ""  # of the filter: entries rejected by another version are filtered again
    pause_seconds: float | None = None
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    timeout_seconds: float = 30.0  # for one response, from connection to last byte
    max_bytes: int = 8 * 1024 * 1024  # of one response, before and after decompression
    memory_mb: int = 1536  # address space of the fetching process
    log_file: str = ""  # for Scrapy's log; "": no log
    spider_modules: tuple[str, ...] = ("scrapers.spiders",)  # with the spiders of sources that need one


@dataclass(frozen=True, slots=True)
class FetchOrder:
    """What the fetching process needs to start."""

    settings: dict[str, Any]  # that override those of scrapers.settings
    memory_mb: int


@lru_cache(maxsize=256)
def as_text(moment: datetime) -> str:
    """Return a time as fixed-width UTC text, which sorts chronologically."""
    return moment.astimezone(UTC).strftime(TIMESTAMP_FORMAT)


def as_moment(text: str) -> datetime:
    """Return the time that as_text() formatted."""
    return datetime.strptime(text, TIMESTAMP_FORMAT).replace(tzinfo=UTC)
