"""Writes a publisher's feed in one of seven shapes.

`origin` is the address of the publisher's site, such as "http://127.0.0.1:8100". Links in a feed start with it, while
entry ids are canonical addresses, which never change. `odd` lists (title, address) of entries that lead to no article.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from email.utils import format_datetime
from xml.etree import ElementTree as ET

from pipeline.newsroom.pages import listing_page
from pipeline.newsroom.stories import FeedPath, Publisher, Story

_ATOM = "http://www.w3.org/2005/Atom"
_SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
_NEWS = "http://www.google.com/schemas/sitemap-news/0.9"
for _prefix, _namespace in (("atom", _ATOM), ("news", _NEWS)):
    ET.register_namespace(_prefix, _namespace)

Odd = Sequence[tuple[str, str]]


def _xml(root: ET.Element) -> bytes:
    ET.indent(root)
    return ET.tostring(root, encoding="utf-8", xml_declaration=True)


def _add(parent: ET.Element, tag: str, text: str = "", **attributes: str) -> ET.Element:
    element = ET.SubElement(parent, tag, attributes)
    element.text = text or None
    return element


def _latest(stories: Sequence[Story]) -> datetime | None:
    return max((story.modified or story.published for story in stories), default=None)


def rss(publisher: Publisher, stories: Sequence[Story], odd: Odd, origin: str) -> bytes:
    root = ET.Element("rss", version="2.0")
    channel = _add(root, "channel")
    _add(channel, "title", publisher.title)
    _add(channel, "link", origin + "/")
    _add(channel, "description", f"All stories of {publisher.title}")
    for story in stories:
        item = _add(channel, "item")
        _add(item, "title", story.title)
        _add(item, "link", origin + story.path)
        _add(item, "guid", story.url, isPermaLink="false")
        _add(item, "description", story.summary)
        _add(item, "pubDate", format_datetime(story.published))
        if story.modified:
            _add(item, f"{{{_ATOM}}}updated", story.modified.isoformat())
    for title, address in odd:
        item = _add(channel, "item")
        _add(item, "title", title)
        _add(item, "link", address)
    return _xml(root)


def atom(publisher: Publisher, stories: Sequence[Story], odd: Odd, origin: str) -> bytes:
    root = ET.Element(f"{{{_ATOM}}}feed")
    _add(root, f"{{{_ATOM}}}id", f"https://{publisher.host}/")
    _add(root, f"{{{_ATOM}}}title", publisher.title)
    if latest := _latest(stories):
        _add(root, f"{{{_ATOM}}}updated", latest.isoformat())
    for story in stories:
        entry = _add(root, f"{{{_ATOM}}}entry")
        _add(entry, f"{{{_ATOM}}}id", story.url)
        _add(entry, f"{{{_ATOM}}}title", story.title)
        _add(entry, f"{{{_ATOM}}}link", href=origin + story.path, rel="alternate", type="text/html")
        _add(entry, f"{{{_ATOM}}}published", story.published.isoformat())
        _add(entry, f"{{{_ATOM}}}updated", (story.modified or story.published).isoformat())
        _add(entry, f"{{{_ATOM}}}summary", story.summary, type="text")
    for title, address in odd:
        entry = _add(root, f"{{{_ATOM}}}entry")
        _add(entry, f"{{{_ATOM}}}id", address)
        _add(entry, f"{{{_ATOM}}}title", title)
        _add(entry, f"{{{_ATOM}}}link", href=address, rel="alternate")
    return _xml(root)


def json_feed(publisher: Publisher, stories: Sequence[Story], odd: Odd, origin: str) -> bytes:
    items = [
        {
            "id": story.url,
            "url": origin + story.path,
            "title": story.title,
            "summary": story.summary,
            "date_published": story.published.isoformat(),
            **({"date_modified": story.modified.isoformat()} if story.modified else {}),
            "authors": [{"name": name} for name in story.byline],
        }
        for story in stories
    ]
    items += [{"id": address, "url": address, "title": title} for title, address in odd]
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": publisher.title,
        "home_page_url": origin + "/",
        "items": items,
    }
    return json.dumps(feed, ensure_ascii=False, indent=1).encode()


def sitemap_index(publisher: Publisher, stories: Sequence[Story], odd: Odd, origin: str) -> bytes:
    """Return an index of one child sitemap per month, at /sitemap-YYYY-MM.xml."""
    root = ET.Element("sitemapindex", xmlns=_SITEMAP)
    for month in dict.fromkeys(story.published.strftime("%Y-%m") for story in stories):
        child = _add(root, "sitemap")
        _add(child, "loc", f"{origin}/sitemap-{month}.xml")
        if latest := _latest([story for story in stories if story.published.strftime("%Y-%m") == month]):
            _add(child, "lastmod", latest.isoformat())
    return _xml(root)


def sitemap(publisher: Publisher, stories: Sequence[Story], odd: Odd, origin: str) -> bytes:
    root = ET.Element("urlset", xmlns=_SITEMAP)
    for story in stories:
        url = _add(root, "url")
        _add(url, "loc", origin + story.path)
        _add(url, "lastmod", (story.modified or story.published).isoformat())
    for _, address in odd:
        _add(_add(root, "url"), "loc", address)
    return _xml(root)


def news_sitemap(publisher: Publisher, stories: Sequence[Story], odd: Odd, origin: str) -> bytes:
    root = ET.Element("urlset", xmlns=_SITEMAP)
    for story in stories:
        url = _add(root, "url")
        _add(url, "loc", origin + story.path)
        news = _add(url, f"{{{_NEWS}}}news")
        publication = _add(news, f"{{{_NEWS}}}publication")
        _add(publication, f"{{{_NEWS}}}name", publisher.title)
        _add(publication, f"{{{_NEWS}}}language", story.language)
        _add(news, f"{{{_NEWS}}}publication_date", story.published.isoformat())
        _add(news, f"{{{_NEWS}}}title", story.title)
    for _, address in odd:
        _add(_add(root, "url"), "loc", address)
    return _xml(root)


def listing(publisher: Publisher, stories: Sequence[Story], odd: Odd, origin: str) -> bytes:
    return listing_page(list(stories))


def json_api(publisher: Publisher, stories: Sequence[Story], odd: Odd, origin: str) -> bytes:
    documents = [
        {
            "number": story.reference,
            "heading": story.title,
            "category": story.section,
            "issued": story.published.strftime("%Y-%m-%d"),
            "abstract": story.summary,
            "links": {"html": origin + story.path, "canonical": story.url},
        }
        for story in stories
    ]
    return json.dumps({"response": {"total": len(documents), "documents": documents}}, indent=1).encode()


SHAPES: dict[str, tuple[str, Callable[[Publisher, Sequence[Story], Odd, str], bytes]]] = {
    "rss": ("application/rss+xml; charset=utf-8", rss),
    "atom": ("application/atom+xml", atom),
    "jsonfeed": ("application/feed+json", json_feed),
    "sitemap": ("application/xml", sitemap_index),
    "news-sitemap": ("text/xml; charset=utf-8", news_sitemap),
    "listing": ("text/html; charset=utf-8", listing),
    "json-api": ("application/json", json_api),
}


def feed_documents(
    publisher: Publisher, feed: FeedPath, stories: Sequence[Story], odd: Odd, origin: str
) -> dict[str, tuple[str, bytes]]:
    """Return the documents of a feed by path, each with its content type: the feed and any child sitemaps."""
    content_type, write = SHAPES[feed.shape]
    found = {feed.path: (content_type, write(publisher, stories, odd, origin))}
    if feed.shape == "sitemap":
        months = dict.fromkeys(story.published.strftime("%Y-%m") for story in stories)
        for number, month in enumerate(months):
            of_month = [story for story in stories if story.published.strftime("%Y-%m") == month]
            body = sitemap(publisher, of_month, odd if number == 0 else (), origin)
            found[f"/sitemap-{month}.xml"] = ("application/xml", body)
    return found
