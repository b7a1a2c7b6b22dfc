"""A kept snapshot and a request for its file come in; the file, or the part of it that was asked for, is sent."""

from __future__ import annotations

import asyncio
import base64
import logging
import re
from typing import Any

from datasette import Response
from datasette.utils.asgi import Base400

from pipeline.site.past_snapshots import Kept

AT_ONCE = 4  # files that are being sent
CHUNK = 1_048_576  # bytes
STALLED_SECONDS = 60  # after which a reader who takes nothing is cut off
LONGEST_SECONDS = 7_200  # of one answer: a slow reader asks for the rest, and others have their turn
_under_way = 0
log = logging.getLogger("oversight.serve")


class TooMany(Base400):
    """Enough files are being sent already."""

    status = 503


class NoSuchPart(Base400):
    """The part of the file that was asked for does not exist."""

    status = 416


def part_of(asked: str, n_bytes: int) -> tuple[int, int] | None:
    """Return the first and last byte of a header Range, None where the whole file is to be sent; raises NoSuchPart.

    Several parts at once, and units other than bytes, are answered with the whole file, as RFC 9110 allows.
    """
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", asked.strip())
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


async def give(kept: Kept, request: Any, receive: Any, send: Any) -> Response | None:
    """Send the file of a snapshot; a download that broke off can go on where it was. Raises TooMany."""
    global _under_way
    if request.method == "HEAD":
        return Response("", headers=_headers(kept, kept.n_bytes), content_type="application/vnd.sqlite3")
    whole = request.headers.get("if-range") not in (None, _tag(kept))
    part = None if whole else part_of(request.headers.get("range") or "", kept.n_bytes)
    if _under_way >= AT_ONCE:
        raise TooMany("Enough files are being sent already. Please try again in a few minutes.")
    _under_way += 1
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            await _send(kept, part, receive, send)
    except TimeoutError:
        log.info("A download of %s took too long and was ended.", kept.path.name)
    finally:
        _under_way -= 1
    return None


def _tag(kept: Kept) -> str:
    return f'"{kept.sha256 or kept.stamp}"'


def _headers(kept: Kept, length: int) -> dict[str, str]:
    found = {
        "content-length": str(length), "accept-ranges": "bytes", "etag": _tag(kept), "x-robots-tag": "noindex",
        "content-disposition": f'attachment; filename="{kept.path.name}"', "cache-control": "max-age=86400",
    }  # fmt: skip
    if kept.sha256:  # RFC 9530
        found["repr-digest"] = f"sha-256=:{base64.b64encode(bytes.fromhex(kept.sha256)).decode()}:"
    return found


async def _send(kept: Kept, part: tuple[int, int] | None, receive: Any, send: Any) -> None:
    start, end = part or (0, kept.n_bytes - 1)
    headers = {"content-type": "application/vnd.sqlite3"} | _headers(kept, end - start + 1)
    if part:
        headers["content-range"] = f"bytes {start}-{end}/{kept.n_bytes}"
    with kept.path.open("rb") as file:  # once open, it can be read to its end even if it is let go of meanwhile
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
    """Return when the reader has gone away."""
    while (await receive())["type"] != "http.disconnect":
        pass
