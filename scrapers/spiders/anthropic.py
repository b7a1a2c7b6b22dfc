"""The spider of Anthropic, whose newsroom omits some launches that its sitemap lists among all its pages."""

from __future__ import annotations

from urllib.parse import urlsplit

from scrapy.http import Response

from scrapers.items import FeedEntry, FeedShape
from scrapers.spiders.base import SourceSpider


class AnthropicSpider(SourceSpider):
    """Takes from the sitemap what stands under /news/ and /research/; the other pages are about jobs and products."""

    name = "anthropic"

    def process_results(self, response: Response, results: tuple[FeedEntry, ...]) -> tuple[FeedEntry, ...]:
        """Return the entries to be visited."""
        if self.feed_of(response).shape is not FeedShape.SITEMAP:
            return results
        return tuple(one for one in results if urlsplit(one.url).path.startswith(("/news/", "/research/")))
