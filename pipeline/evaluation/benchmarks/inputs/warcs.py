"""Writes WARC records like those of Common Crawl's news archive."""

from __future__ import annotations

import base64
import gzip
import hashlib
import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import BinaryIO

HEADERS = (("Content-Type", "text/html; charset=utf-8"),)


def response(
    url: str,
    body: bytes,
    fetched_at: datetime,
    *,
    status: str = "200 OK",
    headers: Iterable[tuple[str, str]] = HEADERS,
    digest: str | None = "",
) -> bytes:
    """Return one uncompressed response record. `digest` is "" for the correct one, None for no digest."""
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers), f"Content-Length: {len(body)}"]
    block = "\r\n".join(lines).encode() + b"\r\n\r\n" + body
    fields = {
        "WARC-Type": "response",
        "WARC-Target-URI": url,
        "WARC-Date": f"{fetched_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "WARC-Record-ID": f"<urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, url)}>",
        "Content-Type": "application/http; msgtype=response",
        **({} if digest is None else {"WARC-Block-Digest": digest or sha1(block)}),
        **({} if digest is None else {"WARC-Payload-Digest": digest or sha1(body)}),
    }
    return record(fields, block)


def record(fields: dict[str, str], block: bytes) -> bytes:
    """Return a record with these header fields, its length and a block."""
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"WARC/1.0\r\n{head}Content-Length: {len(block)}\r\n\r\n".encode() + block + b"\r\n\r\n"


def info() -> bytes:
    """Return the first record of an archive."""
    return record({"WARC-Type": "warcinfo", "WARC-Date": "2026-01-01T00:00:00Z"}, b"software: bench\r\n")


def sha1(data: bytes) -> str:
    """Return a SHA-1 digest in the format of WARC files."""
    return "sha1:" + base64.b32encode(hashlib.sha1(data).digest()).decode()


def member(data: bytes, level: int = 6) -> bytes:
    """Return a record as a gzip member."""
    return gzip.compress(data, level, mtime=0)


def write(file: BinaryIO, records: Iterable[bytes], level: int = 6) -> Iterator[int]:
    """Write records, each as a gzip member; yield the offset of each."""
    for data in records:
        yield file.tell()
        file.write(member(data, level))
