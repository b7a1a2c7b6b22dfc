"""Fetches the pages of some feeds with stock Scrapy, as a baseline for the crawl benchmark.

Run `python -m pipeline.evaluation.benchmarks.stock_scrapy FEED_LIST OUT`, with "-" for OUT to discard the items.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from scrapy import Request, Spider
from scrapy.crawler import CrawlerProcess
from scrapy.http import Response


class StockSpider(Spider):
    """Reads each feed, fetches its links, and yields every page as an item."""

    name = "stock"

    def __init__(self, feeds: list[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.feeds = feeds

    async def start(self) -> AsyncIterator[Request]:
        for url in self.feeds:
            yield Request(url)

    def parse(self, response: Response) -> Iterator[Request]:
        """Follow the links of a feed."""
        for url in response.xpath("//item/link/text()").getall():
            yield Request(url, callback=self.parse_page)

    def parse_page(self, response: Response) -> Iterator[dict[str, object]]:
        """Yield a page as an item."""
        yield {"url": response.url, "status": response.status, "body": response.text}


def main(feed_list: str, out: str) -> None:
    """Crawl with Scrapy's default settings; unless OUT is "-", save the items with its feed export."""
    settings = {} if out == "-" else {"FEEDS": {out: {"format": "jsonlines"}}}
    process = CrawlerProcess(settings)
    process.crawl(StockSpider, feeds=Path(feed_list).read_text(encoding="utf-8").split())
    process.start()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
