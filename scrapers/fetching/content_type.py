"""The first bytes of an answer and what its header calls it come in; why it can be no article, or "", goes out."""

from __future__ import annotations

import re

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
_LOOKED_AT = 4096
_HTML = re.compile(rb"<(!doctype\s+html|html|head|body|title|meta|article|main|div|p|h1)\b", re.I)
_FEED = re.compile(rb"<(rss|feed|rdf:RDF|urlset|sitemapindex)\b")
_PAGE_TYPES = frozenset({"text/html", "application/xhtml+xml", "text/plain"})
_UNTOLD_TYPES = frozenset({"", "application/octet-stream", "binary/octet-stream", "text/xml", "application/xml"})


def why_no_article(media_type: str, body: bytes) -> str:
    """Return what an answer is instead of an article page, in words; "" where it may be one.

    The bytes win over the header: a PDF called text/html is a PDF, an HTML page called image/png is a page.
    """
    start = body[:_LOOKED_AT]
    bare = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    for signature, name in _SIGNATURES:
        if bare.startswith(signature):
            return name if media_type not in _PAGE_TYPES else f"{name}, called {media_type}"
    if _FEED.search(bare[:600]):
        return "a feed or sitemap"
    if _HTML.search(start):
        return ""
    if bare[:1] in (b"{", b"[") and media_type != "text/plain":
        return "JSON data"
    if media_type in _PAGE_TYPES:
        return "" if b"\x00" not in start or _is_wide(start) else "binary data"
    if media_type in _UNTOLD_TYPES:
        return "no HTML page" if not _is_wide(start) else ""
    return f"no HTML page but {media_type}"


def _is_wide(start: bytes) -> bool:
    """Tell whether bytes are UTF-16 or UTF-32 text, where NUL bytes are no sign of anything."""
    return start.startswith((b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff"))
