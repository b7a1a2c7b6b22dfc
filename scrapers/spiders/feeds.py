"""One base spider for each kind of feed. The spider loader chooses by the shapes on a card."""

from __future__ import annotations

from scrapers.feeds.listings import read_json_api, read_json_feed, read_listing
from scrapers.feeds.parse import read_xml
from scrapers.feeds.sitemaps import read_sitemap
from scrapers.items import FeedShape, Source
from scrapers.spiders.base import SourceSpider


class XmlFeedSpider(SourceSpider):
    """Reads RSS and Atom feeds, broken ones too."""

    reader = staticmethod(read_xml)


class JsonFeedSpider(SourceSpider):
    """Reads JSON Feeds, versions 1 and 1.1."""

    reader = staticmethod(read_json_feed)


class SitemapSpider(SourceSpider):
    """Reads sitemaps and news sitemaps, and the sitemaps that an index lists."""

    reader = staticmethod(read_sitemap)


class ListingSpider(SourceSpider):
    """Reads web pages with links, by the CSS selectors on the card."""

    reader = staticmethod(read_listing)


class JsonApiSpider(SourceSpider):
    """Reads JSON, by the dotted paths on the card."""

    reader = staticmethod(read_json_api)


SPIDERS: dict[FeedShape, type[SourceSpider]] = {
    FeedShape.RSS: XmlFeedSpider,
    FeedShape.ATOM: XmlFeedSpider,
    FeedShape.JSON_FEED: JsonFeedSpider,
    FeedShape.SITEMAP: SitemapSpider,
    FeedShape.NEWS_SITEMAP: SitemapSpider,
    FeedShape.LISTING: ListingSpider,
    FeedShape.JSON_API: JsonApiSpider,
}


def spider_for(source: Source) -> type[SourceSpider]:
    """Return the base spider for a card: SourceSpider, which reads every shape, if its feeds are of several kinds."""
    kinds = {SPIDERS[feed.shape] for feed in source.feeds}
    return kinds.pop() if len(kinds) == 1 else SourceSpider
