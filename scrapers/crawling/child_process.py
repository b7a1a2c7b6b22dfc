"""The fetching process: an order comes in over a pipe, Scrapy runs once, answers go back over the same pipe.

It holds no database and no archive. It ends when its work is done, when it is told to, or when its parent is gone.
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


class PipeDesk:
    """The desk as the spider sees it: every call goes to the parent and waits for its word."""

    def __init__(self, pipe: Connection) -> None:
        self.pipe = pipe

    def call(self, name: str, *args: Any) -> Any:
        """Ask the parent; end this process where there is none any more."""
        try:
            self.pipe.send((name, args))
            return self.pipe.recv()
        except (EOFError, OSError):
            os._exit(PARENT_GONE)

    def answers(self, answers: Sequence[Answer]) -> Reply:
        return self.call("answers", [packed(answer) for answer in answers])

    def reading(self, url: str) -> None:
        self.call("reading", url)

    def beat(self) -> bool:
        return self.call("beat")

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
    threading.stack_size(1 << 20)  # threads only ask for names
    _crawl(order, PipeDesk(pipe))


def _crawl(order: FetchOrder, desk: PipeDesk) -> None:
    from scrapy.crawler import AsyncCrawlerProcess

    from scrapers.settings import scrapy_settings
    from scrapers.spiders.source_spider import CardSpider

    process = AsyncCrawlerProcess(scrapy_settings(order), install_root_handler=bool(order.log_file))
    crawler = process.create_crawler(CardSpider)
    process.crawl(crawler, order=order, desk=desk)
    process.start()
    spider = crawler.spider
    if not isinstance(spider, CardSpider) or not spider.finished:
        fault = spider.fault if isinstance(spider, CardSpider) else None
        raise fault or RuntimeError("Scrapy ended before the work was done")
    desk.call("done")


if __name__ == "__main__":
    main(int(sys.argv[1]))
