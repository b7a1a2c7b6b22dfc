"""Fetches the pages of some feeds with stock Scrapy, as a baseline for the crawl benchmark.

Run `python -m pipeline.evaluation.benchmarks.stock_scrapy FEED_LIST OUT`. OUT is a file in JSON Lines, a file in WARC
if its name ends in .warc.gz, or "-" to discard the items.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from fastwarc.stream_io import GzipWriter
from fastwarc.warc import WarcRecord, WarcRecordType
from scrapy import Request, Spider
from scrapy.crawler import Crawler, CrawlerProcess
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


class WarcPipeline:
    """Writes the body of each item as a WARC record, gzipped at the level of our own archive, without an index."""

    def __init__(self, path: str) -> None:
        self.file = open(path, "wb")  # noqa: SIM115

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> WarcPipeline:
        return cls(crawler.settings["WARC_FILE"])

    def process_item(self, item: dict[str, Any]) -> dict[str, Any]:
        """Append the item."""
        block = f"HTTP/1.1 {item['status']}\r\n\r\n".encode() + item["body"].encode()
        record = WarcRecord()
        record.init_headers(WarcRecordType.response, content_length=len(block))
        record.headers["WARC-Target-URI"] = item["url"]
        record.is_http = True
        record.set_bytes_content(block)
        writer = GzipWriter(self.file, compression_level=6)
        record.write(writer, checksum_data=True)
        writer.finish()
        return item

    def close_spider(self) -> None:
        """Close the file."""
        self.file.close()


def main(feed_list: str, out: str) -> None:
    """Crawl with Scrapy's default settings; unless OUT is "-", save the items."""
    settings: dict[str, Any] = {} if out == "-" else {"FEEDS": {out: {"format": "jsonlines"}}}
    if out.endswith(".warc.gz"):
        settings = {"ITEM_PIPELINES": {WarcPipeline: 0}, "WARC_FILE": out}
    process = CrawlerProcess(settings)
    process.crawl(StockSpider, feeds=Path(feed_list).read_text(encoding="utf-8").split())
    process.start()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
