"""Reads headers, and recognises responses that are not article pages by their first bytes."""

from __future__ import annotations

import re

from scrapy.http import Response

_SIGNATURES = (
    (b"%PDF-", "a PDF"),
    (b"\x89PNG\r\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"RIFF", "a WebP image or a sound"),
    (b"PK\x03\x04", "a ZIP or Office file"),
    (b"\x1f\x8b", "a gzip file"),
    (b"\xd0\xcf\x11\xe0", "an old Office file"),
    (b"\x00\x00\x00\x18ftyp", "a video"),
    (b"\x00\x00\x00\x20ftyp", "a video"),
    (b"\x1aE\xdf\xa3", "a video"),
    (b"ID3", "a sound"),
    (b"OggS", "a sound or video"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90", "a program"),
)
_SNIFFED_BYTES = 4096
_HTML = re.compile(rb"<(!doctype\s+html|html|head|body|title|meta|article|main|div|p|h1)\b", re.I)
_FEED = re.compile(rb"<(rss|feed|rdf:RDF|urlset|sitemapindex)\b")
_PAGE_TYPES = frozenset({"text/html", "application/xhtml+xml", "text/plain"})
_GENERIC_TYPES = frozenset({"", "application/octet-stream", "binary/octet-stream", "text/xml", "application/xml"})


def non_article_reason(media_type: str, body: bytes) -> str:
    """Return what a response is instead of an article page ("a PDF"), or "" if it may be one.

    The bytes take precedence over the header: a PDF labelled text/html is a PDF, HTML labelled image/png is a page.
    """
    start = body[:_SNIFFED_BYTES]
    bare = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    for signature, name in _SIGNATURES:
        if bare.startswith(signature):
            return name if media_type not in _PAGE_TYPES else f"{name} labelled {media_type}"
    if _FEED.search(bare[:600]):
        return "a feed or sitemap"
    if _HTML.search(start):
        return ""
    if bare[:1] in (b"{", b"[") and media_type != "text/plain":
        return "JSON data"
    if media_type in _PAGE_TYPES:
        return "" if b"\x00" not in start or _is_wide(start) else "binary data"
    if media_type in _GENERIC_TYPES:
        return "not an HTML page" if not _is_wide(start) else ""
    return f"{media_type}, not HTML"


def _is_wide(start: bytes) -> bool:
    """Return whether bytes are UTF-16 or UTF-32 text, in which NUL bytes are normal."""
    return start.startswith((b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff"))


def header(response: Response, name: str) -> str:
    """Return a response header, at most 500 characters of it; "" if there is none."""
    return (response.headers.get(name) or b"").decode("latin-1")[:500]


def content_type(response: Response) -> tuple[str, str]:
    """Return the media type and the charset of a Content-Type header, "" for what it does not say."""
    media_type, *parameters = header(response, "Content-Type").split(";")
    charset = ""
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            charset = value.strip().strip("\"'")[:40]
    return media_type.strip().lower()[:100], charset
