"""Parses sitemaps, news sitemaps and sitemap indexes."""

from __future__ import annotations

import zlib
from datetime import UTC, datetime

from lxml import etree

from scrapers.items import Feed, FeedEntry
from scrapers.reading.blocks import tidy
from scrapers.reading.timestamps import read_timestamp

_MAX_BYTES = 30_000_000
_OLDEST = datetime(1, 1, 1, tzinfo=UTC)


def read_sitemap(body: bytes, feed: Feed, base_url: str) -> tuple[list[FeedEntry], list[str]]:
    """Return (entries, URLs of child sitemaps), newest first and undated ones last.

    Titles and publication dates are those of the news extension. Entities are not resolved and no DTD is loaded. Raises
    ValueError if the body is not a sitemap.
    """
    root = _root(_decompressed(body))
    kind = _name(root)
    if kind not in {"urlset", "sitemapindex"}:
        raise ValueError(f"the document begins with <{kind}>, not with <urlset> or <sitemapindex>")
    rows = [
        _fields(element) for element in root if isinstance(element.tag, str) and _name(element) in {"url", "sitemap"}
    ]
    if kind == "sitemapindex":
        dated = [(read_timestamp(row.get("lastmod")) or _OLDEST, row["loc"]) for row in rows if row.get("loc")]
        return [], [address for _, address in sorted(dated, key=lambda pair: pair[0], reverse=True)]
    entries = [
        FeedEntry(
            url=row.get("loc", ""),
            title=row.get("news:title", ""),
            summary=row.get("news:keywords", ""),
            published_at=read_timestamp(row.get("news:publication_date")),
            updated_at=read_timestamp(row.get("lastmod")),
        )
        for row in rows
    ]
    return sorted(entries, key=lambda entry: entry.published_at or entry.updated_at or _OLDEST, reverse=True), []


def _decompressed(body: bytes) -> bytes:
    """Decompress a sitemap served as a .gz file, up to a limit."""
    if not body.startswith(b"\x1f\x8b"):
        return body
    try:
        return zlib.decompressobj(wbits=31).decompress(body, _MAX_BYTES)
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
    """Return the texts in a <url> or <sitemap>; names of the news extension get the prefix "news:"."""
    found: dict[str, str] = {}
    for child in element:
        name = _name(child)
        if name == "news":
            for inner in child:
                found.setdefault(f"news:{_name(inner)}", tidy(inner.text or ""))
        elif name in {"loc", "lastmod"}:
            found.setdefault(name, tidy(child.text or ""))
    return found
