"""A sitemap, a news sitemap or a sitemap index in; entries with title and date, or the sitemaps it points to, out."""

from __future__ import annotations

import zlib
from datetime import UTC, datetime

from lxml import etree

from scrapers.items import Feed, FeedEntry
from scrapers.reading.blocks import tidy
from scrapers.reading.timestamps import read_moment

_MAX_UNPACKED = 30_000_000
_OLDEST = datetime(1, 1, 1, tzinfo=UTC)


def read_sitemap(body: bytes, feed: Feed, base_url: str) -> tuple[list[FeedEntry], list[str]]:
    """Return (entries, further sitemaps). Titles and dates come from the news extension, else the date from lastmod.

    Entries stand newest first, undated ones last, since the order in a sitemap says nothing; so do further sitemaps.
    Entities are not resolved, no DTD is loaded. Raises ValueError where the body is no sitemap.
    """
    root = _root(_unpacked(body))
    kind = _name(root)
    if kind not in {"urlset", "sitemapindex"}:
        raise ValueError(f"the document begins with <{kind}>, not with <urlset> or <sitemapindex>")
    rows = [
        _fields(element) for element in root if isinstance(element.tag, str) and _name(element) in {"url", "sitemap"}
    ]
    if kind == "sitemapindex":
        dated = [(_moment(row.get("lastmod")) or _OLDEST, row["loc"]) for row in rows if row.get("loc")]
        return [], [address for _, address in sorted(dated, key=lambda pair: pair[0], reverse=True)]
    entries = [
        FeedEntry(
            url=row.get("loc", ""),
            title=row.get("news:title", ""),
            summary=row.get("news:keywords", ""),
            published_at=_moment(row.get("news:publication_date")),
            updated_at=_moment(row.get("lastmod")),
        )
        for row in rows
    ]
    return sorted(entries, key=lambda entry: entry.published_at or entry.updated_at or _OLDEST, reverse=True), []


def _unpacked(body: bytes) -> bytes:
    """Unpack a sitemap that is served as a .gz file, up to a limit that no gzip bomb passes."""
    if not body.startswith(b"\x1f\x8b"):
        return body
    try:
        return zlib.decompressobj(wbits=31).decompress(body, _MAX_UNPACKED)
    except zlib.error as error:
        raise ValueError(f"its gzip data is broken ({error})") from error


def _root(body: bytes) -> etree._Element:
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, dtd_validation=False, huge_tree=False, recover=True
    )
    try:
        root = etree.fromstring(body.lstrip(), parser)
    except etree.XMLSyntaxError as error:
        raise ValueError(f"it is not XML ({error})") from error
    if root is None:
        raise ValueError("it is not XML")
    return root


def _name(element: etree._Element) -> str:
    return etree.QName(element).localname.lower() if isinstance(element.tag, str) else ""


def _fields(element: etree._Element) -> dict[str, str]:
    """Return the texts inside a <url> or <sitemap>; those of the news extension under "news:" and their name."""
    found: dict[str, str] = {}
    for child in element:
        name = _name(child)
        if name == "news":
            for inner in child:
                found.setdefault(f"news:{_name(inner)}", tidy(inner.text or ""))
        elif name in {"loc", "lastmod"}:
            found.setdefault(name, tidy(child.text or ""))
    return found


def _moment(written: str | None) -> datetime | None:
    moment = read_moment(written) if written else None
    return moment[0] if moment else None
