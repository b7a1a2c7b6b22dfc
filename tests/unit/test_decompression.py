"""Packed answers are unpacked within a limit; what is too large, or no such thing, ends with its name."""

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
PACKED = {
    "gzip": gzip.compress(TEXT),
    "x-gzip": gzip.compress(TEXT[:5000]) + gzip.compress(TEXT[5000:]),
    "deflate": zlib.compress(TEXT),
    "Deflate": RAW.compress(TEXT) + RAW.flush(),
    "br": brotli.compress(TEXT),
    "identity": TEXT,
    "br, gzip": gzip.compress(brotli.compress(TEXT)),
}


@pytest.mark.parametrize("encoding", PACKED)
def test_every_packing_that_is_asked_for_is_unpacked(encoding: str) -> None:
    assert decompress(PACKED[encoding], encoding, 1_000_000) == TEXT


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br"])
def test_a_bomb_ends_at_the_limit_and_never_beyond(encoding: str) -> None:
    zeros = b"\0" * 30_000_000
    packed = {"gzip": gzip.compress, "deflate": zlib.compress, "br": brotli.compress}[encoding](zeros)
    with pytest.raises(FetchEnded) as told:
        decompress(packed, encoding, 100_000)
    assert told.value.outcome is Outcome.TOO_LARGE


@pytest.mark.parametrize(
    ("encoding", "body"), [("gzip", b"no"), ("br", b"no!"), ("deflate", b"\xff\xff"), ("zstd", b"x")]
)
def test_what_cannot_be_unpacked_is_said(encoding: str, body: bytes) -> None:
    with pytest.raises(FetchEnded) as told:
        decompress(body, encoding, 1_000)
    assert told.value.outcome is Outcome.UNREADABLE


def test_of_a_body_that_breaks_off_what_came_is_kept_and_rubbish_behind_it_is_not() -> None:
    half = decompress(gzip.compress(TEXT, 0)[:9000], "gzip", 1_000_000)
    assert TEXT.startswith(half) and len(half) > 5000
    assert decompress(gzip.compress(TEXT) + b"rubbish", "gzip", 1_000_000) == TEXT


def test_packing_upon_packing_is_refused() -> None:
    with pytest.raises(FetchEnded, match="compressed 4 times"):
        decompress(b"x", "gzip, gzip, gzip, gzip", 1_000)
