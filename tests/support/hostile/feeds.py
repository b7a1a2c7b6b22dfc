"""Hostile feeds, with their shape and the expected result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from scrapers.items import FeedShape

RSS, ATOM, SITEMAP, JSON = FeedShape.RSS, FeedShape.ATOM, FeedShape.SITEMAP, FeedShape.JSON_FEED


@dataclass(frozen=True)
class FeedCase:
    """One feed. `entries`: expected number, -1 for any; `holds`: a check of the whole result."""

    shape: FeedShape
    body: Callable[[], bytes]
    entries: int
    holds: Callable[[Any], bool] = lambda reading: True


def item(n: int | str = 1, more: str = "<pubDate>Mon, 04 May 2026 10:00:00 GMT</pubDate>", title: str = "") -> str:
    link = f"https://gazette.example/{n}"
    return f"<item><title>{title or f'Story {n}'}</title><link>{link}</link>{more}</item>"


def rss(*items: str, before: str = "") -> bytes:
    inner = "".join(items)
    return f'<?xml version="1.0"?>{before}<rss version="2.0"><channel><title>G</title>{inner}</channel></rss>'.encode()


def laughs() -> bytes:
    lines = ['<!ENTITY l0 "lol">'] + [f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10)]
    return rss(item(title="&l9;"), before=f"<!DOCTYPE rss [{''.join(lines)}]>")


def quadratic() -> bytes:
    return rss(item(title="&a;" * 20_000), before=f'<!DOCTYPE rss [<!ENTITY a "{"a" * 50_000}">]>')


def steals_files() -> bytes:
    return rss(item(title="&x;"), before='<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]>')


def leaks_nothing(reading: Any) -> bool:
    return "root:" not in repr(reading)


def dates(reading: Any) -> list:
    return [entry.published_at for entry in reading.entries]


FEEDS: dict[str, FeedCase] = {
    "an ordinary feed": FeedCase(RSS, lambda: rss(item(1), item(2)), 2),
    "a billion laughs": FeedCase(RSS, laughs, -1),
    "one long entity many times": FeedCase(RSS, quadratic, -1),
    "an entity that names a file": FeedCase(RSS, steals_files, -1, leaks_nothing),
    "items without dates": FeedCase(RSS, lambda: rss(item(1, ""), item(2, "")), 2, lambda r: dates(r) == [None] * 2),
    "invalid dates": FeedCase(
        RSS, lambda: rss(item(1, "<pubDate>Invalid Date</pubDate>")), 1, lambda r: dates(r) == [None]
    ),
    "a relative link": FeedCase(
        RSS, lambda: rss("<item><title>A</title><link>/a</link></item>"), 1,
        lambda r: r.entries[0].url == "https://gazette.example/a",
    ),
    "an item without a link": FeedCase(RSS, lambda: rss("<item><title>A</title></item>", item(2)), 1),
    "duplicate items": FeedCase(RSS, lambda: rss(item(1), item(1), item(1)), -1),
    "links that are not URLs": FeedCase(
        RSS, lambda: rss("<item><title>A</title><link>javascript:alert(1)</link></item>", item(2)), -1
    ),
    "10,000 items": FeedCase(RSS, lambda: rss(*(item(n) for n in range(10_000))), -1),
    "a truncated feed": FeedCase(RSS, lambda: rss(item(1), item(2), item(3))[:-40], -1),
    "20,000 nested elements": FeedCase(RSS, lambda: rss("<x>" * 20_000 + item(1) + "</x>" * 20_000), -1),
    "a page instead of a feed": FeedCase(
        RSS, lambda: b"<!doctype html><html><body><p>Log in</p></body></html>", 0, lambda r: bool(r.faults)
    ),
    "an empty feed": FeedCase(RSS, lambda: b"", 0, lambda r: bool(r.faults)),
    "random bytes": FeedCase(
        RSS, lambda: bytes((n * 7919 + n // 256) % 256 for n in range(50_000)), 0, lambda r: bool(r.faults)
    ),
    "control characters": FeedCase(RSS, lambda: rss(item(1, title="Or\x08der")), -1),
    "a sitemap of 60,000 URLs": FeedCase(
        SITEMAP,
        lambda: b'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
        + b"".join(b"<url><loc>https://gazette.example/%d</loc></url>" % n for n in range(60_000)) + b"</urlset>", -1,
    ),
    "a truncated JSON feed": FeedCase(
        JSON, lambda: b'{"version": "https://jsonfeed.org/version/1.1", "items": [', 0, lambda r: bool(r.faults)
    ),
    "a JSON feed 100,000 levels deep": FeedCase(JSON, lambda: b"[" * 100_000, 0, lambda r: bool(r.faults)),
}  # fmt: skip
