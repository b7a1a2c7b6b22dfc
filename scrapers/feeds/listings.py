"""A listing page, a JSON Feed or the answer of a JSON API in; feed entries by the card's selectors and paths out."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urljoin

from scrapers.items import Feed, FeedEntry
from scrapers.reading.blocks import tidy
from scrapers.reading.decoding import decode, load_json
from scrapers.reading.parser_limits import unsafe_markup
from scrapers.reading.timestamps import read_moment


def read_listing(body: bytes, feed: Feed, base_url: str) -> list[FeedEntry]:
    """Return the links of an HTML page: one for each `items` (or each `link`, without items), first of its kind only.

    Inside an item, `link`, `title`, `date` and `summary` are CSS selectors; an item that is a link itself needs no
    `link`. Without `title` the link's own text is the title. Raises ValueError for markup that would choke a parser.
    """
    from bs4 import BeautifulSoup, Tag

    if harm := unsafe_markup(body):
        raise ValueError(f"the page is not read because {harm}")
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
        return _moment(tidy(str(written))) if written else None

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
    """Return the items of a JSON Feed (versions 1 and 1.1). Raises ValueError where it is none."""
    answer = _json(body)
    items = answer.get("items") if isinstance(answer, dict) else None
    if not isinstance(items, list):
        raise ValueError("the JSON has no list under items")
    return [
        FeedEntry(
            url=_text(item.get("url")) or _text(item.get("external_url")) or _address_like(item.get("id")),
            title=_text(item.get("title")),
            summary=_text(item.get("summary")) or _text(item.get("content_text"))[:2000],
            published_at=_moment(item.get("date_published")),
            updated_at=_moment(item.get("date_modified")),
            entry_id=_text(item.get("id")),
        )
        for item in items
        if isinstance(item, dict)
    ]


def read_json_api(body: bytes, feed: Feed, base_url: str) -> list[FeedEntry]:
    """Return the items under the card's dotted paths ("results", "html_url"; a number picks from a list).

    Raises ValueError where `items` names no list.
    """
    answer = _json(body)
    items = at_path(answer, feed.items)
    if isinstance(items, dict):
        items = list(items.values())
    if not isinstance(items, list):
        keys = ", ".join(list(answer)[:8]) if isinstance(answer, dict) else type(answer).__name__
        raise ValueError(f"the card's items path {feed.items!r} leads to no list; the answer has: {keys}")
    return [
        FeedEntry(
            url=_text(at_path(item, feed.link)),
            title=_text(at_path(item, feed.title)) if feed.title else "",
            summary=_text(at_path(item, feed.summary)) if feed.summary else "",
            published_at=_moment(at_path(item, feed.date)) if feed.date else None,
        )
        for item in items
    ]


def at_path(value: Any, path: str) -> Any:
    """Return what stands at a dotted path inside JSON, None where the path leads nowhere; "" is the value itself."""
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


def _moment(written: Any) -> datetime | None:
    moment = read_moment(written)
    return moment[0] if moment else None
