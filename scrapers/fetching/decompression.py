"""Decompresses response bodies, up to a size limit."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import brotli

from scrapers.fetching.outcomes import FetchEnded
from scrapers.items import Outcome

ACCEPT_ENCODING = "gzip, deflate, br"
MAX_LAYERS = 3


def decompress(body: bytes, encoding: str, limit: int) -> bytes:
    """Return the decompressed body; of a truncated body, what can be decompressed.

    Raises FetchEnded with TOO_LARGE beyond `limit` bytes, and with UNREADABLE for unknown or broken encodings.
    """
    layers = [one.strip().lower() for one in encoding.split(",")]
    layers = [one for one in layers if one and one != "identity"]
    if len(layers) > MAX_LAYERS:
        raise FetchEnded(Outcome.UNREADABLE, f"the response is compressed {len(layers)} times")
    for layer in reversed(layers):
        decompressor = _DECOMPRESSORS.get(layer)
        if decompressor is None:
            raise FetchEnded(
                Outcome.UNREADABLE, f"the response has an encoding that was not requested ({layer[:30]!r})"
            )
        try:
            body = decompressor(body, limit)
        except (zlib.error, brotli.error, EOFError, OSError) as error:
            reason = " ".join(str(error).split())[:200]
            raise FetchEnded(Outcome.UNREADABLE, f"the response cannot be decompressed ({reason})") from error
        if len(body) > limit:
            raise FetchEnded(Outcome.TOO_LARGE, f"the decompressed response is larger than {limit:,} bytes")
    return body


def _gzip(body: bytes, limit: int) -> bytes:
    """Decompress gzip, possibly of several members."""
    out, rest = b"", body
    while rest and len(out) <= limit:
        inflater = zlib.decompressobj(wbits=31)
        try:
            out += inflater.decompress(rest, limit + 1 - len(out))
        except zlib.error:
            if out:  # garbage after the last member
                return out
            raise
        rest = inflater.unused_data
    return out


def _deflate(body: bytes, limit: int) -> bytes:
    try:
        return zlib.decompressobj().decompress(body, limit + 1)
    except zlib.error:
        return zlib.decompressobj(wbits=-15).decompress(body, limit + 1)  # some servers omit the zlib header


def _brotli(body: bytes, limit: int) -> bytes:
    decompressor = brotli.Decompressor()
    out = decompressor.process(body, output_buffer_limit=limit + 1)
    while not decompressor.is_finished() and len(out) <= limit:
        more = decompressor.process(b"", output_buffer_limit=limit + 1 - len(out))
        if not more:
            break
        out += more
    return out


_DECOMPRESSORS: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _brotli,
}
