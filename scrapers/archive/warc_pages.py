"""Extracts pages from WARC records made by others."""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime

from scrapers.archive.gzip_members import Fields
from scrapers.archive.warc import Record
from scrapers.items import Page
from scrapers.reading.decoding import MAX_BYTES

_BLANK_LINE = b"\r\n\r\n"
_STATUS = re.compile(rb"HTTP/\d(?:\.\d)? (\d{3})\b")
_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:-]{2,40})", re.I)
_PAGE_TYPES = frozenset({"text/html", "application/xhtml+xml", "text/plain", ""})
_CHUNK_SIZE = re.compile(rb"([0-9a-fA-F]{1,8})(?:;[^\r\n]*)?\r\n")
_HASHES = {"sha1": hashlib.sha1, "sha256": hashlib.sha256, "sha512": hashlib.sha512, "md5": hashlib.md5}


class NoPage(Exception):
    """A record contains no readable page; `why` is the reason, for statistics."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """The HTTP response in a record: its header, the body as stored, and the decoded body."""

    head: bytes
    stored: bytes | bytearray
    body: bytes | bytearray
    kind: str
    charset: str  # as named in the header


def answer_of(record: Record) -> HttpAnswer:
    """Return the HTTP response in a record, which cannot be used afterwards. Raises NoPage."""
    end = record.find(_BLANK_LINE, 1 << 18)
    if end < 0:
        raise NoPage("no HTTP answer")
    head, stored = record.cut(end + len(_BLANK_LINE))
    status = _STATUS.match(head)
    if status is None:
        raise NoPage("no HTTP answer")
    if status[1] != b"200":
        raise NoPage("answer without a page")
    kind, charset = _type_of(head)
    if kind not in _PAGE_TYPES:
        raise NoPage("no web page")
    body = _decoded(head, stored) if b"ncoding" in head else stored
    if len(body) > MAX_BYTES:
        raise NoPage("too large")
    if not body or (body[:1000].isspace() and body.isspace()):
        raise NoPage("empty")
    return HttpAnswer(head, stored, body, kind, charset)


def page_of(answer: HttpAnswer, fields: Fields, url: str, source_id: str) -> Page:
    """Return the page in a response; `fields` are its record's header. Raises NoPage: no date, or a wrong digest."""
    headers = {name.lower(): value for name, value in fields}
    _check(headers, answer)
    lines = answer.head.removesuffix(_BLANK_LINE).decode("latin-1").split("\r\n")[1:]
    body = bytes(answer.body)
    return Page(
        url=url,
        final_url=url,
        source_id=source_id,
        fetched_at=_moment(headers.get("warc-date", "")),
        status=200,
        media_type=answer.kind,
        charset=answer.charset,
        headers=tuple(
            (name.strip(), value.strip()) for name, found, value in (x.partition(":") for x in lines) if found
        ),
        body=body,
        sha256=hashlib.sha256(body).hexdigest(),
    )


def _header(head: bytes, name: bytes) -> str:
    found = re.search(rb"^" + name + rb":[ \t]*([^\r\n]*)", head, re.I | re.M)
    return found[1].decode("latin-1").strip() if found else ""


def _type_of(head: bytes) -> tuple[str, str]:
    named = _header(head, b"Content-Type")
    charset = _CHARSET.search(named)
    return named.partition(";")[0].strip().lower(), charset[1] if charset else ""


def _decoded(head: bytes, body: bytes | bytearray) -> bytes | bytearray:
    """Undo the chunked encoding and compression of a response that was archived as sent."""
    if "chunked" in _header(head, b"Transfer-Encoding").lower() and _CHUNK_SIZE.match(body):
        body = _joined(body)
    encoding = _header(head, b"Content-Encoding").lower()
    if encoding in ("gzip", "x-gzip") and body.startswith(b"\x1f\x8b"):
        return _inflated(body, 47)
    if encoding == "deflate" and b"<" not in body[:200]:
        return _inflated(body, 15 if body[:1] == b"\x78" else -15)
    if encoding in ("br", "zstd") and b"<" not in body[:200]:
        raise NoPage("compressed as " + encoding)
    return body


def _joined(body: bytes | bytearray) -> bytes:
    parts, at = [], 0
    while (size := _CHUNK_SIZE.match(body, at)) and (length := int(size[1], 16)):
        parts.append(body[size.end() : size.end() + length])
        at = size.end() + length + 2
    return b"".join(parts)


def _inflated(body: bytes | bytearray, bits: int) -> bytes:
    try:
        return zlib.decompressobj(wbits=bits).decompress(body, MAX_BYTES + 1)
    except zlib.error:
        raise NoPage("damaged compression") from None


def _check(fields: dict[str, str], answer: HttpAnswer) -> None:
    """Raise NoPage if the record's digest does not match its bytes; digests of unknown algorithms are ignored.

    The payload digest is only used if there is no block digest: some archivers compute it after removing the chunked
    encoding, others before.
    """
    for name, before in (("warc-block-digest", answer.head), ("warc-payload-digest", b"")):
        sort, _, value = fields.get(name, "").partition(":")
        make = _HASHES.get(sort.strip().lower().replace("-", ""))
        if make is None or not value:
            continue
        made = make(before)
        made.update(answer.stored)
        right = made.digest()
        base32 = base64.b32encode(right).decode().lower()
        if value.strip().lower() not in (right.hex(), base32, base32.rstrip("=")):
            if name == "warc-payload-digest" and _CHUNK_SIZE.match(answer.stored):
                return
            raise NoPage("digest does not match")
        return


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise NoPage("no date") from None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
