"""Decodes the bytes of a page, and recognises bytes that are not a page."""

from __future__ import annotations

import codecs
import json
import re
from typing import Any

MAX_BYTES = 5_000_000

# The first bytes of other formats; they take precedence over the Content-Type header.
_MAGIC = (
    (b"%PDF-", "a PDF document"),
    (b"\x89PNG", "a PNG image"),
    (b"GIF8", "a GIF image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"RIFF", "a media file"),
    (b"PK\x03\x04", "a ZIP archive or an office document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\xd0\xcf\x11\xe0", "an old office document"),
    (b"ID3", "a sound file"),
    (b"OggS", "a sound file"),
    (b"\x7fELF", "a program"),
    (b"wOFF", "a font"),
    (b"wOF2", "a font"),
)

_META_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([A-Za-z0-9_:.-]{2,40})""", re.I)
_SURROGATES = re.compile("[\ud800-\udfff]")
_CONTROLS = re.compile("[\x00-\x08\x0b\x0e-\x1f\x7f\ufffe\uffff]")
_CONTROL_BYTES = bytes((*range(0x09), 0x0B, *range(0x0E, 0x20), 0x7F))
_LATIN_1_IN_NAME = {"iso8859-1", "ascii", "latin-1"}
_ESCAPED_ASCII = {"iso2022_jp", "hz", "iso2022_kr"}  # encoded in ASCII bytes


def whole(text: str) -> str:
    """Replace lone surrogates, which JSON may contain and files may not, by U+FFFD; the length stays the same."""
    return text if text.isascii() else _SURROGATES.sub("\ufffd", text)


def load_json(text: str) -> Any:
    """Return the value of a JSON text, without lone surrogates; NaN and infinities, which JSON lacks, become None.

    Raises ValueError or, if the text is nested too deeply, RecursionError.
    """
    value = json.loads(text, strict=False, parse_constant=lambda _: None)
    return _whole(value) if "\\ud" in text or "\\uD" in text else value


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return whole(value)
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return {whole(key): _whole(item) for key, item in value.items()} if isinstance(value, dict) else value


def foreign_format(body: bytes) -> str:
    """Return the format of a body that is not a web page ("a PDF document"), or ""."""
    start = body[:1024].lstrip()
    for magic, name in _MAGIC:
        if start.startswith(magic):
            return name
    if body[4:8] == b"ftyp":
        return "a video file"
    return ""


def decode(body: bytes, header_charset: str = "") -> str:
    """Return the body as text without control characters. Never fails.

    The first encoding that fits is used: valid UTF-8, the charset of the header, that of the meta tag, UTF-8 with at
    most 0.1 % invalid characters, and Windows-1252.
    """
    text = _decode(body, header_charset)
    if len(body.translate(None, _CONTROL_BYTES)) == len(body) and "\ufffe" not in text and "\uffff" not in text:
        return text  # most pages; ten times as fast as the pattern
    return _CONTROLS.sub("", text)


def _decode(body: bytes, header_charset: str) -> str:
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):
        if body.startswith(mark):
            return body[len(mark) :].decode(name, "replace")
    meta = _META_CHARSET.search(body[:8192])
    named = [_codec(header_charset), _codec(meta.group(1).decode("ascii") if meta else "")]
    if body.isascii():
        escaped = next((name for name in named if name in _ESCAPED_ASCII), "ascii")
        return body.decode(escaped, "replace")
    for name in ("utf-8", *(name for name in named if name and name != "utf-8")):
        try:
            return body.decode(name)
        except UnicodeDecodeError:
            continue
    lenient = body.decode("utf-8", "replace")
    if lenient.count("\ufffd") <= max(1, len(lenient) // 1000):
        return lenient
    return body.decode("cp1252", "replace")


def _codec(label: str) -> str:
    """Return Python's name of a charset label, interpreted as browsers do; "" if unknown or unsafe."""
    try:
        info = codecs.lookup(label.strip())
    except (LookupError, ValueError):
        return ""
    if not getattr(info, "_is_text_encoding", True) or info.name in {"utf-7", "idna", "punycode", "undefined"}:
        return ""
    if "unicode" in info.name:
        return ""
    return "cp1252" if info.name in _LATIN_1_IN_NAME else info.name
