"""The fetching process: runs Scrapy for its parent, with which it communicates over a pipe.

It has no access to the database or the archive. It ends when its work is done, on request, or when its parent is gone.
Run as `python -m scrapers.crawling.child_process DESCRIPTOR`.
"""

from __future__ import annotations

import os
import resource
import sys
import threading
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any

from scrapers.messages import Answer, FetchOrder, Reply, RobotsCopy, packed

PARENT_GONE = 3


class RemoteBookkeeper:
    """The spider's view of the parent's Bookkeeper: each call is a request over the pipe."""

    def __init__(self, pipe: Connection) -> None:
        self.pipe = pipe

    def call(self, name: str, *args: Any) -> Any:
        """Call a method in the parent; exit if the parent is gone."""
        try:
            self.pipe.send((name, args))
            return self.pipe.recv()
        except (EOFError, OSError):
            os._exit(PARENT_GONE)

    def record_answers(self, answers: Sequence[Answer]) -> Reply:
        return self.call("record_answers", [packed(answer) for answer in answers])

    def parsing(self, url: str) -> None:
        self.call("parsing", url)

    def heartbeat(self) -> bool:
        return self.call("heartbeat")

    def robots(self, site: str) -> RobotsCopy | None:
        return self.call("robots", site)

    def keep_robots(self, site: str, status: int, body: bytes) -> RobotsCopy:
        return self.call("keep_robots", site, status, body)


def main(descriptor: int) -> None:
    """Run one crawl for the parent at the other end of the pipe."""
    pipe = Connection(descriptor)
    order: FetchOrder = pipe.recv()
    limit = order.memory_mb * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    threading.stack_size(1 << 20)  # threads only resolve names
    _crawl(order, RemoteBookkeeper(pipe))


def _crawl(order: FetchOrder, bookkeeper: RemoteBookkeeper) -> None:
    from scrapy.crawler import AsyncCrawlerProcess

    from scrapers.settings import scrapy_settings
    from scrapers.spiders.source_spider import CardSpider

    process = AsyncCrawlerProcess(scrapy_settings(order), install_root_handler=bool(order.log_file))
    crawler = process.create_crawler(CardSpider)
    process.crawl(crawler, order=order, bookkeeper=bookkeeper)
    process.start()
    spider = crawler.spider
    if not isinstance(spider, CardSpider) or not spider.finished:
        fault = spider.fault if isinstance(spider, CardSpider) else None
        raise fault or RuntimeError("Scrapy ended before the work was done")
    bookkeeper.call("done")


if __name__ == "__main__":
    main(int(sys.argv[1]))
