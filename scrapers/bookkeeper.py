"""What the Scrapy components ask of a crawl's bookkeeper, and the extension that connects them to it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Sequence
from typing import Any, Protocol

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.utils.misc import build_from_crawler, load_object

from scrapers.messages import Answer, Reply, RobotsCopy, Task

HEARTBEAT_SECONDS = 1.0

_log = logging.getLogger(__name__)


class Bookkeeper(Protocol):
    """Keeps the frontier and the archive, in this process or in another."""

    def begin(self) -> tuple[Task, ...]:
        """Return what is due."""

    def record_answers(self, answers: Sequence[Answer]) -> Reply:
        """Record visits, with their pages and feed entries; return what to do next."""

    def add_url(self, url: str, source_id: str, kind: str, feed_url: str, found_on: str) -> tuple[Task, ...]:
        """Add a URL that a spider found; return what is due now."""

    def robots(self, site: str) -> RobotsCopy | None:
        """Return the robots.txt of a site such as "https://host" if a fresh copy is kept."""

    def keep_robots(self, site: str, status: int, body: bytes) -> RobotsCopy:
        """Keep the robots.txt of a site."""

    def rest(self, host: str, seconds: float) -> None:
        """Hold a host for this long after each visit: its crawl delay is too long to wait for within a run."""

    def heartbeat(self) -> bool:
        """Return whether the crawl should stop."""

    def close(self) -> None:
        """Close the frontier and the archive."""


class BookkeeperExtension:
    """Connects the scheduler, the middlewares and the item pipeline of a crawl with its bookkeeper.

    The setting BOOKKEEPER names the class, or is a function that returns the bookkeeper. It is not called before a
    spider starts, so `scrapy shell` and `scrapy check` record nothing.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.keeper: Bookkeeper | None = None
        self.fault: BaseException | None = None  # an error of the program itself, which ended the crawl
        self.reason = ""  # why the spider was closed
        self.resting: set[str] = set()  # hosts to hold after each visit
        self._heart: asyncio.Task[None] | None = None
        crawler.signals.connect(self._item_failed, signals.item_error)
        crawler.signals.connect(self._start_failed, signals.spider_error)
        crawler.signals.connect(self._closed, signals.spider_closed)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> BookkeeperExtension:
        return cls(crawler)

    def begin(self) -> tuple[Task, ...]:
        """Begin to record; return what is due."""
        if self.keeper is None:
            self.keeper = build_from_crawler(load_object(self.crawler.settings["BOOKKEEPER"]), self.crawler)
            self._heart = asyncio.get_running_loop().create_task(self._beat())
        return self.keeper.begin()

    def rest(self, host: str, seconds: float) -> None:
        """Hold a host for this long after each visit, which is therefore recorded at once."""
        if self.keeper is not None and seconds:
            self.resting.add(host)
            self.keeper.rest(host, seconds)

    def stop(self, reason: str = "stopped") -> None:
        """Close the spider; requests in progress may end."""
        engine = self.crawler.engine
        if engine is not None and engine.spider is not None:
            asyncio.get_running_loop().create_task(engine.close_spider_async(reason=reason))

    async def _beat(self) -> None:
        while self.keeper is not None and not self.keeper.heartbeat():
            await asyncio.sleep(HEARTBEAT_SECONDS)
        self.stop()

    def _item_failed(self, item: Any, failure: Any) -> None:
        """Stop if an outcome could not be recorded, as on a full disk; it must not be lost among others."""
        scheduler: Any = self.crawler.engine.scheduler  # type: ignore[union-attr]
        if getattr(item, "url", None) in scheduler.in_progress:
            self.fault = self.fault or failure.value
            self.stop("fault")

    def _start_failed(self, failure: Any, response: Any) -> None:
        if response is None:
            self.fault = self.fault or failure.value

    async def _closed(self, reason: str) -> None:
        self.reason = reason
        if self._heart is not None:
            self._heart.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._heart
        if self.keeper is not None:
            self.keeper.close()


def bookkeeper_extension(crawler: Crawler) -> BookkeeperExtension:
    """Return the BookkeeperExtension of a crawl."""
    found = crawler.get_extension(BookkeeperExtension)
    if found is None:
        raise RuntimeError("the extension scrapers.bookkeeper.BookkeeperExtension is not among the EXTENSIONS")
    return found
