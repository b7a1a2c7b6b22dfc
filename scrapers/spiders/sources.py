"""The spider that crawls all sources in one go, as `oversight crawl` does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from scrapy import Request, Spider
from scrapy.crawler import Crawler
from scrapy.spiderloader import get_spider_loader

from scrapers.items import Source
from scrapers.messages import Task
from scrapers.spiders.base import SourceSpider


class SourcesSpider(Spider):
    """Crawls every enabled source, each with its own spider: hosts that several sources share keep one pace."""

    name = "sources"

    def __init__(self, spiders: dict[str, SourceSpider], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.spiders = spiders

    @classmethod
    def from_crawler(cls, crawler: Crawler, *args: Any, **kwargs: Any) -> SourcesSpider:
        loader = get_spider_loader(crawler.settings)
        spiders = {name: loader.load(name).from_crawler(crawler) for name in loader.list()}
        return super().from_crawler(crawler, spiders, *args, **kwargs)

    @property
    def sources(self) -> tuple[Source, ...]:
        """The cards of all spiders."""
        return tuple(spider.source for spider in self.spiders.values())

    async def start(self) -> AsyncIterator[Any]:
        """Begin as each spider does."""
        for spider in self.spiders.values():
            async for one in spider.start():
                yield one

    def request(self, task: Task) -> Request:
        """Return the request of a task, of the spider of its source."""
        return self.spiders[task.source_id].request(task)
