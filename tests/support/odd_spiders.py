"""Spiders of odd sites, for tests of the Scrapy project."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

from scrapy import Request
from scrapy.exceptions import DropItem
from scrapy.http import Response

from scrapers.items import Outcome, Page
from scrapers.spiders import JsonApiSpider, ListingSpider


class ScriptSpider(JsonApiSpider):
    """Its list is JSON in a <script> of a web page."""

    name = "script_list"

    def adapt_response(self, response: Response) -> Response:
        return response.replace(body=response.css("script#posts::text").get("").encode())


class PagedSpider(ListingSpider):
    """Its list has several pages, and each article a second page."""

    name = "paged"

    async def parse_feed(self, response: Response) -> AsyncIterator[Any]:
        async for item in super().parse_feed(response):
            yield item
        for href in response.css("a.next::attr(href)").getall():
            yield response.follow(href, self.parse_feed)
        yield Request("http://10.0.0.1/internal", self.parse_article)

    def parse_article(self, response: Response) -> Iterator[Any]:
        yield from super().parse_article(response)
        for href in response.css("a.more::attr(href)").getall():
            yield response.follow(href)


class FaultySpider(ListingSpider):
    """Yields nothing for one article, and fails on another."""

    name = "faulty"

    def parse_article(self, response: Response) -> Iterator[Any]:
        if response.url.endswith("/silent"):
            return
        if response.url.endswith("/fails"):
            raise RuntimeError("no such element")
        yield from super().parse_article(response)


class DoubleSpider(ListingSpider):
    """Yields two pages for one article, and a plain item."""

    name = "double"

    def parse_article(self, response: Response) -> Iterator[Any]:
        pages = [item for item in super().parse_article(response) if isinstance(item, Page)]
        yield {"title": response.css("title::text").get()}
        yield from pages * 2


class WrongResultsSpider(ListingSpider):
    """Returns addresses in place of entries."""

    name = "wrong_results"

    def process_results(self, response: Response, results: Any) -> Any:
        return [entry.url for entry in results]


class YearsSpider(ListingSpider):
    """Its list is one of lists; it also asks for something that is not remembered, twice."""

    name = "years"

    def parse_feed(self, response: Response) -> Iterator[Any]:  # type: ignore[override]
        if response.url.endswith("/feed"):
            yield response.follow("/2025", self.parse_feed)
            yield response.follow("/once", self.parse_once)
            yield response.follow("/once", self.parse_once)
        else:
            yield self.visit(response, Outcome.SAVED)

    def parse_once(self, response: Response) -> Iterator[Any]:
        yield {"url": response.url}


class DropEverything:
    """An item pipeline that drops all."""

    def process_item(self, item: Any) -> Any:
        raise DropItem("all")
