"""The Scrapy extension that reads feeds in worker processes, which are killed if a feed is too much for them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from scrapy import signals
from scrapy.crawler import Crawler

from scrapers.feeds.parse import FeedReading, Reader, read_feed
from scrapers.items import Feed
from scrapers.process_pool import Limits, Lost, Pool

# A feed of 2,000 entries takes a tenth of a second.
LIMITS = Limits(cpu_seconds=8.0, wall_seconds=15.0, memory_mb=400, renewed_after=2000)
MAX_WORKERS = 2  # one feed that takes its time must not delay all others


class FeedReader:
    """Reads feeds outside the crawling process, so that no feed can stall or end the crawl."""

    def __init__(self, crawler: Crawler) -> None:
        self.pools: list[Pool] = []
        self.of_thread = threading.local()
        self.threads = ThreadPoolExecutor(MAX_WORKERS, "feeds")
        crawler.signals.connect(self._closed, signals.spider_closed)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> FeedReader:
        return cls(crawler)

    async def read(self, body: bytes, feed: Feed, base_url: str, reader: Reader | None) -> FeedReading:
        """Return the content of a feed; what its worker died of is a fault."""
        call = asyncio.get_running_loop().run_in_executor(self.threads, self._read, (body, feed, base_url, reader))
        found = await call
        return FeedReading((), (f"it cannot be read: {found.why}",)) if isinstance(found, Lost) else found

    def _read(self, job: tuple[Any, ...]) -> FeedReading | Lost:
        if not hasattr(self.of_thread, "pool"):
            self.of_thread.pool = Pool(reading, (), LIMITS, 1)
            self.pools.append(self.of_thread.pool)
        return self.of_thread.pool.call(job)

    def _closed(self) -> None:
        self.threads.shutdown(wait=False, cancel_futures=True)
        for pool in self.pools:
            pool.end()


def reading() -> Callable[[tuple[Any, ...]], FeedReading]:
    """Return the function that a worker process runs."""
    return lambda job: read_feed(*job)
