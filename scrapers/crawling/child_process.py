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

from scrapers.messages import Answer, FetchOrder, Reply, RobotsCopy, Task, packed

PARENT_GONE = 3


class RemoteBookkeeper:
    """The crawl's view of the parent's FrontierBookkeeper: each call is a request over the pipe."""

    def __init__(self, pipe: Connection) -> None:
        self.pipe = pipe

    def call(self, name: str, *args: Any) -> Any:
        """Call a method in the parent; exit if the parent is gone."""
        try:
            self.pipe.send((name, args))
            return self.pipe.recv()
        except (EOFError, OSError):
            os._exit(PARENT_GONE)

    def begin(self) -> tuple[Task, ...]:
        return self.call("begin")

    def record_answers(self, answers: Sequence[Answer]) -> Reply:
        return self.call("record_packed", [packed(answer) for answer in answers])

    def add_url(self, url: str, source_id: str, kind: str, feed_url: str, found_on: str) -> tuple[Task, ...]:
        return self.call("add_url", url, source_id, kind, feed_url, found_on)

    def robots(self, site: str) -> RobotsCopy | None:
        return self.call("robots", site)

    def keep_robots(self, site: str, status: int, body: bytes) -> RobotsCopy:
        return self.call("keep_robots", site, status, body)

    def rest(self, host: str, seconds: float) -> None:
        self.call("rest", host, seconds)

    def heartbeat(self) -> bool:
        return self.call("heartbeat")

    def close(self) -> None:
        """Do nothing: the parent closes its files."""


def main(descriptor: int) -> None:
    """Run one crawl for the parent at the other end of the pipe."""
    pipe = Connection(descriptor)
    order: FetchOrder = pipe.recv()
    limit = order.memory_mb * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    threading.stack_size(1 << 20)  # threads resolve names and wait for workers
    _crawl(order, RemoteBookkeeper(pipe))


def _crawl(order: FetchOrder, keeper: RemoteBookkeeper) -> None:
    from scrapy.crawler import AsyncCrawlerProcess
    from scrapy.settings import Settings

    from scrapers.bookkeeper import bookkeeper_extension

    settings = Settings()
    settings.setmodule("scrapers.settings", priority="project")
    settings.setdict(order.settings | {"BOOKKEEPER": lambda: keeper}, priority="cmdline")
    process = AsyncCrawlerProcess(settings, install_root_handler=settings.getbool("LOG_ENABLED"))
    crawler = process.create_crawler("sources")
    process.crawl(crawler)
    process.start()
    extension = bookkeeper_extension(crawler)
    if extension.fault is not None or extension.reason not in ("finished", "stopped"):
        raise extension.fault or RuntimeError(f"Scrapy ended before the work was done ({extension.reason})")
    keeper.call("done")


if __name__ == "__main__":
    main(int(sys.argv[1]))
