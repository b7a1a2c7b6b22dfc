"""Decompression of response bodies, within limits."""

from __future__ import annotations

import gzip
import zlib

import brotli
import pytest

from scrapers.fetching.decompression import decompress
from scrapers.fetching.outcomes import FetchEnded
from scrapers.items import Outcome

TEXT = b"The ministry signed the order on Monday. " * 500
RAW = zlib.compressobj(wbits=-15)
COMPRESSED = {
    "gzip": gzip.compress(TEXT),
    "x-gzip": gzip.compress(TEXT[:5000]) + gzip.compress(TEXT[5000:]),
    "deflate": zlib.compress(TEXT),
    "Deflate": RAW.compress(TEXT) + RAW.flush(),
    "br": brotli.compress(TEXT),
    "identity": TEXT,
    "br, gzip": gzip.compress(brotli.compress(TEXT)),
}


@pytest.mark.parametrize("encoding", COMPRESSED)
def test_every_requested_encoding_is_decompressed(encoding: str) -> None:
    assert decompress(COMPRESSED[encoding], encoding, 1_000_000) == TEXT


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br"])
def test_decompression_bomb_stops_at_the_limit(encoding: str) -> None:
    zeros = b"\0" * 30_000_000
    compressed = {"gzip": gzip.compress, "deflate": zlib.compress, "br": brotli.compress}[encoding](zeros)
    with pytest.raises(FetchEnded) as error:
        decompress(compressed, encoding, 100_000)
    assert error.value.outcome is Outcome.TOO_LARGE


@pytest.mark.parametrize(
    ("encoding", "body"), [("gzip", b"no"), ("br", b"no!"), ("deflate", b"\xff\xff"), ("zstd", b"x")]
)
def test_broken_encoding_is_unreadable(encoding: str, body: bytes) -> None:
    with pytest.raises(FetchEnded) as error:
        decompress(body, encoding, 1_000)
    assert error.value.outcome is Outcome.UNREADABLE


def test_truncated_body_is_kept_and_garbage_after_it_is_dropped() -> None:
    half = decompress(gzip.compress(TEXT, 0)[:9000], "gzip", 1_000_000)
    assert TEXT.startswith(half) and len(half) > 5000
    assert decompress(gzip.compress(TEXT) + b"garbage", "gzip", 1_000_000) == TEXT


def test_too_many_nested_encodings_are_refused() -> None:
    with pytest.raises(FetchEnded, match="compressed 4 times"):
        decompress(b"x", "gzip, gzip, gzip, gzip", 1_000)
