"""The bytes of an answer and its Content-Encoding come in; the unpacked bytes, within a limit, go out."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import brotli

from scrapers.fetching.outcomes import Ended
from scrapers.items import Outcome

ACCEPTED = "gzip, deflate, br"
MOST_LAYERS = 3


def unpack(body: bytes, encoding: str, limit: int) -> bytes:
    """Return a body without its compression. Of a body that breaks off, what came is returned.

    Raises Ended with TOO_LARGE beyond `limit` bytes, with UNREADABLE for what cannot be unpacked.
    """
    layers = [one.strip().lower() for one in encoding.split(",")]
    layers = [one for one in layers if one and one != "identity"]
    if len(layers) > MOST_LAYERS:
        raise Ended(Outcome.UNREADABLE, f"the answer is packed {len(layers)} times over")
    for layer in reversed(layers):
        unpacker = _UNPACKERS.get(layer)
        if unpacker is None:
            raise Ended(Outcome.UNREADABLE, f"the answer is packed in a way that was not asked for ({layer[:30]!r})")
        try:
            body = unpacker(body, limit)
        except (zlib.error, brotli.error, EOFError, OSError) as error:
            reason = " ".join(str(error).split())[:200]
            raise Ended(Outcome.UNREADABLE, f"the answer cannot be unpacked ({reason})") from error
        if len(body) > limit:
            raise Ended(Outcome.TOO_LARGE, "the answer unpacks to more than is kept")
    return body


def _gzip(body: bytes, limit: int) -> bytes:
    """Unpack gzip, several members after each other as well."""
    out, rest = b"", body
    while rest and len(out) <= limit:
        inflater = zlib.decompressobj(wbits=31)
        try:
            out += inflater.decompress(rest, limit + 1 - len(out))
        except zlib.error:
            if out:  # rubbish behind the last member
                return out
            raise
        rest = inflater.unused_data
    return out


def _deflate(body: bytes, limit: int) -> bytes:
    try:
        return zlib.decompressobj().decompress(body, limit + 1)
    except zlib.error:
        return zlib.decompressobj(wbits=-15).decompress(body, limit + 1)  # without zlib's header, as some servers send


def _brotli(body: bytes, limit: int) -> bytes:
    unpacker = brotli.Decompressor()
    out = unpacker.process(body, output_buffer_limit=limit + 1)
    while not unpacker.is_finished() and len(out) <= limit:
        more = unpacker.process(b"", output_buffer_limit=limit + 1 - len(out))
        if not more:
            break
        out += more
    return out


_UNPACKERS: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": _gzip, "x-gzip": _gzip, "deflate": _deflate, "br": _brotli,
}  # fmt: skip
