"""Parses feeds of every shape into entries with absolute URLs."""

from __future__ import annotations

import calendar
import html
import io
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urljoin, urlsplit

from scrapers.feeds.listings import read_json_api, read_json_feed, read_listing
from scrapers.feeds.sitemaps import read_sitemap
from scrapers.items import Feed, FeedEntry, FeedShape
from scrapers.reading.blocks import tidy
from scrapers.reading.timestamps import read_timestamp

MAX_ENTRIES = 2_000
MAX_MORE = 50
_SUMMARY_CHARS = 2_000
_TAG = re.compile(r"<[!/?a-zA-Z][^<>]*>")
_CODE_TAG = re.compile(r"<(/?)(script|style)\b[^<>]*>", re.I)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


# From (body, feed, base URL) to the entries, or to (entries, URLs of child feeds). It may raise for bad input.
Reader = Callable[[bytes, Feed, str], "list[FeedEntry] | tuple[list[FeedEntry], list[str]]"]


@dataclass(frozen=True, slots=True)
class FeedReading:
    """The content of a feed: its entries, the URLs of child feeds, and descriptions of faults."""

    entries: tuple[FeedEntry, ...]
    faults: tuple[str, ...] = ()
    more: tuple[str, ...] = ()


def read_feed(body: bytes, feed: Feed, base_url: str, reader: Reader | None = None) -> FeedReading:
    """Return the content of a feed. Bad input never raises; it is reported in `faults`.

    `reader` is the function that finds the entries; without one, that of the feed's shape.

    Relative links are joined to `base_url`. Entries without an http(s) URL are dropped with a fault; at most
    MAX_ENTRIES are kept. Dates in the future are kept. External entities are not resolved and nothing is fetched.
    """
    faults: list[str] = []
    more: list[str] = []
    if not body.strip():
        return FeedReading((), ("the feed is empty: the response has no content",))
    try:
        found = (reader or READERS[feed.shape])(body, feed, base_url)
        drafts, more = found if isinstance(found, tuple) else (found, [])
    except FeedError as error:
        return FeedReading((), (str(error),))
    except (ValueError, TypeError, KeyError, AttributeError, LookupError, RecursionError, OverflowError) as error:
        return FeedReading((), (f"the feed cannot be parsed as {feed.shape.value}: {error}",))
    entries = [entry for draft in drafts if (entry := _with_address(draft, base_url)) is not None]
    if dropped := len(drafts) - len(entries):
        faults.append(f"{dropped} of {len(drafts)} entries have no http(s) URL and were dropped")
    if not drafts and not more:
        faults.append(f"the feed has no entries of shape {feed.shape.value!r}; check the shape on its card")
    if len(entries) > MAX_ENTRIES:
        faults.append(f"the feed has {len(entries):,} entries; only the first {MAX_ENTRIES:,} were used")
    addresses = [address for url in more if (address := absolute(url, base_url))]
    if len(addresses) > MAX_MORE:
        faults.append(f"the feed lists {len(addresses):,} child feeds; only {MAX_MORE} were used")
    return FeedReading(tuple(entries[:MAX_ENTRIES]), tuple(faults), tuple(dict.fromkeys(addresses))[:MAX_MORE])


class FeedError(ValueError):
    """The body is not a feed of the shape given on its card."""


def absolute(url: str, base_url: str) -> str:
    """Return a link as an absolute http(s) URL without fragment, or "" if it is not one."""
    try:
        joined = urljoin(base_url, re.sub(r"[\t\r\n]", "", url.strip())).partition("#")[0]
        parts = urlsplit(joined)
        fine = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return ""
    return joined.replace(" ", "%20") if fine else ""


def _with_address(draft: FeedEntry, base_url: str) -> FeedEntry | None:
    address = absolute(draft.url, base_url) if draft.url else ""
    return replace(draft, url=address) if address else None


def plain(text: Any) -> str:
    """Return a title or summary as one line of text, without markup and with entities resolved."""
    if not isinstance(text, str):
        return ""
    text = text[: 20 * _SUMMARY_CHARS]
    if "<" in text:
        text = _without_markup(text)
    if "&" in text:
        text = _without_markup(html.unescape(text))
    return tidy(text)[:_SUMMARY_CHARS]


def _without_markup(text: str) -> str:
    return _TAG.sub(" ", _without_code(text))


def _without_code(text: str) -> str:
    """Return a text without its <script> and <style> elements, in one pass: one pattern for them is quadratic."""
    kept, at, opened = [], 0, None
    for tag in _CODE_TAG.finditer(text):
        if opened is None:
            opened = None if tag[1] else tag
        elif tag[1] and tag[2].lower() == opened[2].lower():
            kept += [text[at : opened.start()], " "]
            at, opened = tag.end(), None
    return "".join([*kept, text[at:]])


def xml_entries(body: bytes, base_url: str) -> list[FeedEntry]:
    """Return all entries of an RSS or Atom feed, including those without a URL (url is "").

    fastfeedparser is tried first. feedparser, which is ten times slower, is used if the former fails, finds no entries,
    or finds an entry without URL or date, and for feeds with xml:base or isPermaLink.
    """
    fast = _fast(body)
    whole = bool(fast) and all(entry.url and (entry.published_at or entry.updated_at) for entry in fast)
    if whole and b"xml:base" not in body and b"isPermaLink" not in body:
        return fast
    careful = _careful(body, base_url)
    return careful if len(careful) >= len(fast) else fast


def _fast(body: bytes) -> list[FeedEntry]:
    from fastfeedparser import parse

    try:
        found = parse(body, include_tags=False, include_media=False, include_enclosures=False)
    except Exception:  # a C extension on lxml may raise anything; feedparser comes next
        return []
    return [
        FeedEntry(
            url=_address(entry.get("link")),
            title=plain(entry.get("title")),
            summary=plain(entry.get("description")),
            published_at=read_timestamp(entry.get("published")),
            updated_at=read_timestamp(entry.get("updated")),
            entry_id=tidy(str(entry.get("id") or "")),
        )
        for entry in found.entries[: 2 * MAX_ENTRIES]
    ]


def _careful(body: bytes, base_url: str) -> list[FeedEntry]:
    import feedparser

    try:
        found = feedparser.parse(io.BytesIO(body), response_headers={"content-location": base_url}, sanitize_html=False)
    except Exception:  # feedparser sometimes raises despite its promise
        return []
    return [
        FeedEntry(
            url=_address(entry.get("link")),
            title=plain(entry.get("title")),
            summary=plain(entry.get("summary")),
            published_at=_struct(entry, "published") or _struct(entry, "created"),
            updated_at=_struct(entry, "updated"),
            entry_id=tidy(str(entry.get("id") or "")),
        )
        for entry in found.entries[: 2 * MAX_ENTRIES]
    ]


def _address(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _struct(entry: Any, key: str) -> datetime | None:
    """Return the date that feedparser parsed, a UTC time tuple, or else the one that read_timestamp() reads."""
    if key not in entry and f"{key}_parsed" not in entry:  # feedparser would return "published" for "updated"
        return None
    parsed = entry.get(f"{key}_parsed")
    if parsed:
        try:
            return _EPOCH + timedelta(seconds=calendar.timegm(parsed))
        except (ValueError, OverflowError, TypeError):
            return None
    return read_timestamp(entry.get(key))


def read_xml(body: bytes, feed: Feed, base_url: str) -> list[FeedEntry]:
    """Return the entries of an RSS or Atom feed. Raises FeedError if the body is something else."""
    drafts = xml_entries(body, base_url)
    start = body[:2000].lstrip().lower()
    if not drafts and (start.startswith((b"<!doctype html", b"<html")) or b"<html" in start):
        raise FeedError(f"the response is a web page, not a feed of shape {feed.shape.value!r}; check the card's url")
    if not drafts and not re.search(rb"<(?:\w+:)?(?:rss|feed|rdf|channel)\b", body[:5000], re.I):
        raise FeedError(f"the response is not XML of shape {feed.shape.value!r}; check the card's url and shape")
    return drafts


READERS: dict[FeedShape, Reader] = {
    FeedShape.RSS: read_xml,
    FeedShape.ATOM: read_xml,
    FeedShape.JSON_FEED: read_json_feed,
    FeedShape.SITEMAP: read_sitemap,
    FeedShape.NEWS_SITEMAP: read_sitemap,
    FeedShape.LISTING: read_listing,
    FeedShape.JSON_API: read_json_api,
}
