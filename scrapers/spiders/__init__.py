"""The spiders: a base for each kind of feed, and one for each source card, which the spider loader makes.

May import `feeds`, `fetching` and the modules of `scrapers` itself; not `archive` or `crawling`.
"""

from scrapers.spiders.base import SourceSpider
from scrapers.spiders.feeds import JsonApiSpider, JsonFeedSpider, ListingSpider, SitemapSpider, XmlFeedSpider

__all__ = ["JsonApiSpider", "JsonFeedSpider", "ListingSpider", "SitemapSpider", "SourceSpider", "XmlFeedSpider"]
