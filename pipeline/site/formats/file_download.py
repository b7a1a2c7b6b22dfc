"""Sends a snapshot file, whole or in part, with limits on the number and duration of downloads."""

from __future__ import annotations

import asyncio
import base64
import logging
import re
from typing import Any

from datasette import Response
from datasette.utils.asgi import Base400, Request

from pipeline.site.past_snapshots import PastSnapshot

AT_ONCE = 4  # downloads at a time
CHUNK = 1_048_576  # bytes
STALLED_SECONDS = 60  # without progress before a download is aborted
LONGEST_SECONDS = 7_200  # per download; a slow client can resume
_under_way = 0
log = logging.getLogger("oversight.serve")


class TooMany(Base400):
    """Too many downloads are running."""

    status = 503


class NoSuchPart(Base400):
    """The requested range lies outside the file."""

    status = 416


def part_of(asked: str, n_bytes: int) -> tuple[int, int] | None:
    """Return the first and last byte of a Range header, or None to send the whole file.

    Several ranges, and units other than bytes, get the whole file, as RFC 9110 allows.

    Raises:
        NoSuchPart: The range lies outside the file.
    """
    match = re.fullmatch(r"bytes=(\d{0,18})-(\d{0,18})", asked.strip())
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        start, end = max(n_bytes - int(last), 0), n_bytes - 1
    else:
        start, end = int(first), min(int(last or n_bytes), n_bytes - 1)
    if start > end:
        raise NoSuchPart(f"The file has {n_bytes:,} bytes.")
    return start, end


async def send_file(kept: PastSnapshot, request: Request, receive: Any, send: Any) -> Response | None:
    """Send a snapshot file; interrupted downloads can be resumed. Raises TooMany."""
    global _under_way  # noqa: PLW0603 - one count for the whole server
    if request.method == "HEAD":
        return Response("", headers=_headers(kept, kept.n_bytes), content_type="application/vnd.sqlite3")
    whole = request.headers.get("if-range") not in (None, _tag(kept))
    part = None if whole else part_of(request.headers.get("range") or "", kept.n_bytes)
    if _under_way >= AT_ONCE:
        raise TooMany("Too many downloads are running. Please try again in a few minutes.")
    _under_way += 1
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            await _send(kept, part, receive, send)
    except TimeoutError:
        log.info("Aborted a download of %s: it took too long.", kept.path.name)
    finally:
        _under_way -= 1
    return None


def _tag(kept: PastSnapshot) -> str:
    return f'"{kept.sha256 or kept.stamp}"'


def _headers(kept: PastSnapshot, length: int) -> dict[str, str]:
    found = {
        "content-length": str(length),
        "accept-ranges": "bytes",
        "etag": _tag(kept),
        "x-robots-tag": "noindex",
        "content-disposition": f'attachment; filename="{kept.path.name}"',
        "cache-control": "max-age=86400",
    }
    if kept.sha256:  # RFC 9530
        found["repr-digest"] = f"sha-256=:{base64.b64encode(bytes.fromhex(kept.sha256)).decode()}:"
    return found


async def _send(kept: PastSnapshot, part: tuple[int, int] | None, receive: Any, send: Any) -> None:
    start, end = part or (0, kept.n_bytes - 1)
    headers = {"content-type": "application/vnd.sqlite3"} | _headers(kept, end - start + 1)
    if part:
        headers["content-range"] = f"bytes {start}-{end}/{kept.n_bytes}"
    with kept.path.open("rb") as file:  # an open file stays readable even if it is deleted meanwhile
        file.seek(start)
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": 206 if part else 200, "headers": raw})
        left, gone = end - start + 1, asyncio.create_task(_gone(receive))
        try:
            while left > 0 and not gone.done():
                chunk = await asyncio.to_thread(file.read, min(CHUNK, left))
                left -= len(chunk)
                message = {"type": "http.response.body", "body": chunk, "more_body": left > 0}
                await asyncio.wait_for(send(message), STALLED_SECONDS)
        finally:
            gone.cancel()


async def _gone(receive: Any) -> None:
    """Return when the client has disconnected."""
    while (await receive())["type"] != "http.disconnect":
        pass
