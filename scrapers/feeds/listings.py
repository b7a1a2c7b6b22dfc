"""Parses listing pages, JSON Feeds and JSON APIs, by the selectors and paths on the card."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urljoin

from scrapers.items import Feed, FeedEntry
from scrapers.reading.blocks import tidy
from scrapers.reading.decoding import decode, load_json
from scrapers.reading.parser_limits import unsafe_markup
from scrapers.reading.timestamps import read_timestamp


def read_listing(body: bytes, feed: Feed, base_url: str) -> list[FeedEntry]:
    """Return the entries of an HTML page: one for each match of `items`, or of `link` if there is no `items`.

    Inside an item, `link`, `title`, `date` and `summary` are CSS selectors; an item that is a link itself needs no
    `link`. Without `title`, the text of the link is the title. Duplicate URLs are merged. Raises ValueError for unsafe
    markup and for XML.
    """
    from bs4 import BeautifulSoup, Tag

    if harm := unsafe_markup(body):
        raise ValueError(f"the page is not parsed because {harm}")
    if body[:200].lstrip().startswith(b"<?xml") and b"<html" not in body[:5000].lower():
        raise ValueError("it is an XML document, not a web page")
    soup = BeautifulSoup(decode(body), "lxml")
    base = soup.select_one("base[href]")
    base_url = urljoin(base_url, str(base["href"])) if base else base_url

    def text(item: Tag, selector: str) -> str:
        node = item.select_one(selector) if selector else None
        return tidy(node.get_text(" ")) if node else ""

    def when(item: Tag) -> datetime | None:
        node = item.select_one(feed.date or "time")
        written = (node.get("datetime") or node.get("content") or node.get_text(" ")) if node else None
        return read_timestamp(tidy(str(written))) if written else None

    found: dict[str, FeedEntry] = {}
    for item in soup.select(feed.items or feed.link):
        link = item if item.name == "a" else item.select_one((feed.items and feed.link) or "a[href]")
        if link is None or not link.get("href"):
            continue
        address = urljoin(base_url, str(link["href"]).strip())
        title = text(item, feed.title) or tidy(link.get_text(" "))
        if address not in found or (title and not found[address].title):
            found[address] = FeedEntry(address, title, text(item, feed.summary), when(item))
    return list(found.values())


def read_json_feed(body: bytes, feed: Feed, base_url: str) -> list[FeedEntry]:
    """Return the items of a JSON Feed (versions 1 and 1.1). Raises ValueError if it is not one."""
    answer = _json(body)
    items = answer.get("items") if isinstance(answer, dict) else None
    if not isinstance(items, list):
        raise ValueError("the JSON has no list under items")
    return [
        FeedEntry(
            url=_text(item.get("url")) or _text(item.get("external_url")) or _address_like(item.get("id")),
            title=_text(item.get("title")),
            summary=_text(item.get("summary")) or _text(item.get("content_text"))[:2000],
            published_at=read_timestamp(item.get("date_published")),
            updated_at=read_timestamp(item.get("date_modified")),
            entry_id=_text(item.get("id")),
        )
        for item in items
        if isinstance(item, dict)
    ]


def read_json_api(body: bytes, feed: Feed, base_url: str) -> list[FeedEntry]:
    """Return the items at the card's dotted paths, such as "results" and "html_url"; a number is a list index.

    Raises ValueError if there is no list at `items`.
    """
    answer = _json(body)
    items = at_path(answer, feed.items)
    if isinstance(items, dict):
        items = list(items.values())
    if not isinstance(items, list):
        keys = ", ".join(list(answer)[:8]) if isinstance(answer, dict) else type(answer).__name__
        raise ValueError(f"the card's items path {feed.items!r} is not a list; the response has: {keys}")
    return [
        FeedEntry(
            url=_text(at_path(item, feed.link)),
            title=_text(at_path(item, feed.title)) if feed.title else "",
            summary=_text(at_path(item, feed.summary)) if feed.summary else "",
            published_at=read_timestamp(at_path(item, feed.date)) if feed.date else None,
        )
        for item in items
    ]


def at_path(value: Any, path: str) -> Any:
    """Return the value at a dotted path in JSON, None if there is none; the path "" is the value itself."""
    for key in path.split(".") if path else []:
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, list) and key.isdigit() and int(key) < len(value):
            value = value[int(key)]
        else:
            return None
    return value


def _json(body: bytes) -> Any:
    try:
        return load_json(decode(body))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it is not JSON ({error})") from error


def _text(value: Any) -> str:
    return tidy(str(value)) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _address_like(value: Any) -> str:
    return value if isinstance(value, str) and value.startswith(("http://", "https://")) else ""
