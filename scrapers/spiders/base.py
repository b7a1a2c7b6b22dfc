"""The base of all spiders of sources."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any, ClassVar

from scrapy import Request, Spider
from scrapy.crawler import Crawler
from scrapy.http import Response
from twisted.internet.defer import CancelledError
from twisted.python.failure import Failure

from scrapers.feeds.parse import FeedReading
from scrapers.fetching.content_type import content_type, non_article_reason
from scrapers.fetching.outcomes import FetchEnded, outcome_of
from scrapers.fetching.url_guard import in_scope
from scrapers.items import FETCHED, Feed, FeedEntry, Listing, Outcome, Page, Source, Visit
from scrapers.messages import Task
from scrapers.spiders.feed_reader import FeedReader

MAX_HEADERS, MAX_HEADER_CHARS = 200, 8192
# They describe the transfer; the body is stored decompressed.
TRANSPORT_HEADERS = frozenset({"content-encoding", "transfer-encoding", "content-length", "connection", "keep-alive"})


class SourceSpider(Spider):
    """Visits the feeds of one source, and the articles that they list.

    The source is its card, of which the spider loader makes a subclass with `name` and `source`. What was seen before
    and what is due is known to the scheduler, which keeps it between runs. A subclass for an odd site overrides
    one of the hooks `adapt_response` and `process_results`, or the callbacks `parse_feed` and `parse_article`. Only
    requests with one of these two callbacks are remembered between runs.
    """

    source: Source
    # A function of a module that finds the entries of a feed: see scrapers.feeds.parse.Reader. None: by its shape.
    reader: ClassVar[Any] = None

    @property
    def sources(self) -> tuple[Source, ...]:
        """The cards of this spider."""
        return (self.source,)

    async def start(self) -> AsyncIterator[Any]:
        """Begin with what is due: feeds, articles that were found earlier, and those to be revisited."""
        self.crawler.engine.scheduler.resume()  # type: ignore[union-attr]
        return
        yield  # makes this a generator, as Scrapy expects

    def adapt_response(self, response: Response) -> Response:
        """Return the response to read as a feed: a hook for lists that are wrapped in something else."""
        return response

    def process_results(self, response: Response, results: tuple[FeedEntry, ...]) -> tuple[FeedEntry, ...]:
        """Return the entries of a feed to be visited: a hook to drop or change some."""
        return results

    def request(self, task: Task) -> Request:
        """Return the request of a task. Raises ValueError if its URL is not one."""
        callback = self.parse_feed if task.kind == "feed" else self.parse_article
        return Request(task.url, callback, errback=self.failed, meta={"task": task}, dont_filter=True)

    async def parse_feed(self, response: Response) -> AsyncIterator[Any]:
        """Yield what a feed lists, as a Listing."""
        reading = await self.read_feed(self.adapt_response(response), self.feed_of(response))
        entries = tuple(self.process_results(response, reading.entries))
        if wrong := [one for one in entries if not isinstance(one, FeedEntry)]:
            raise TypeError(f"process_results must return FeedEntry records, not {type(wrong[0]).__name__}")
        useless = not entries and not reading.more and reading.faults
        detail = "; ".join(reading.faults)[:300] if reading.faults else f"{len(entries)} entries"
        visit = self.visit(response, Outcome.UNREADABLE if useless else Outcome.SAVED, detail)
        yield Listing(visit, entries, reading.more, reading.faults)

    async def read_feed(self, response: Response, feed: Feed) -> FeedReading:
        """Return the content of a feed, read in a worker process that may be killed."""
        feed_reader = self.crawler.get_extension(FeedReader)
        assert feed_reader is not None, "FeedReader is not among the EXTENSIONS"
        return await feed_reader.read(response.body, feed, response.url, type(self).reader)

    def parse_article(self, response: Response) -> Iterator[Any]:
        """Yield the page of an article as it is; it is read after the crawl. Yields a Visit if it is no article."""
        media_type, charset = content_type(response)
        if not response.body.strip():
            yield self.visit(response, Outcome.NO_TEXT, "the response is empty")
        elif reason := non_article_reason(media_type, response.body):
            yield self.visit(response, Outcome.NOT_AN_ARTICLE, f"it is {reason}")
        else:
            visit = self.visit(response, Outcome.SAVED)
            yield Page(
                *(visit.url, response.url, visit.source_id, visit.at, response.status, media_type, charset),
                *(visit.headers, response.body, visit.sha256),
            )

    def parse(self, response: Response) -> Iterator[Any]:
        """Read an article: Scrapy's default callback."""
        return self.parse_article(response)

    def failed(self, failure: Failure) -> Iterator[Visit]:
        """Yield the outcome of a request without a usable response: Scrapy's errback."""
        if isinstance(failure.value, asyncio.CancelledError | CancelledError):
            return  # the crawl is being stopped; the address remains due
        request: Request = failure.request  # type: ignore[attr-defined]
        task: Task = request.meta["task"]
        end = outcome_of(failure.value)  # type: ignore[arg-type]
        if end.response is not None:
            yield self.visit(end.response, end.outcome, end.detail, end)
        else:
            now = datetime.now(UTC)
            more = {"temporary": end.temporary, "retry_after": end.retry_after}
            yield Visit(task.url, task.source_id, now, end.outcome, end.detail, **more)  # type: ignore[arg-type]

    def visit(self, response: Response, outcome: Outcome, detail: str = "", end: FetchEnded | None = None) -> Visit:
        """Return the visit that a response belongs to, with its outcome."""
        asked = response.request
        task: Task | None = asked.meta.get("task") if asked is not None else None
        url = task.url if task is not None else response.url
        if response.url != url and outcome not in FETCHED:
            detail = f"{detail} (at {response.url})"
        return Visit(
            *(url, self.source.source_id, datetime.now(UTC), outcome, detail, response.status, len(response.body)),
            hashlib.sha256(response.body).hexdigest() if response.status == 200 else "",
            kept_headers(response),
            *((end.temporary, end.retry_after) if end is not None else ()),
        )

    def feed_of(self, response: Response) -> Feed:
        """Return the card's feed that a response belongs to; child feeds belong to their parent's."""
        task: Task | None = response.meta.get("task") if response.request is not None else None
        if task is not None:
            return task.feed
        return next((feed for feed in self.source.feeds if feed.url == response.url), self.source.feeds[0])

    @classmethod
    def handles_request(cls, request: Request) -> bool:
        """Return whether a URL belongs to this source: `scrapy shell URL` chooses the spider by it."""
        return in_scope(request.url, cls.source, for_feed=True)

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> SourceSpider:
        """Return the spider; a card must have been given to its class."""
        if not hasattr(cls, "source"):
            raise ValueError(f"{cls.__name__} has no source card: add a card named {cls.name}.toml")
        return super().from_crawler(crawler, *args, **kwargs)


def kept_headers(response: Response) -> tuple[tuple[str, str], ...]:
    """Return the headers to store, limited in number and length."""
    found = []
    for name, values in response.headers.items():
        key = name.decode("latin-1")
        if key.lower() not in TRANSPORT_HEADERS:
            found += [(key[:200], value.decode("latin-1")[:MAX_HEADER_CHARS]) for value in values[:20]]
        if len(found) >= MAX_HEADERS:
            break
    return tuple(found[:MAX_HEADERS])
