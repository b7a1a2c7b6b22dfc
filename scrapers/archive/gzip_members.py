"""A file of gzip members in; the sound WARC records in it, one after the other and quickly, up to the first odd one.

Most members of most archives are in order: one member, one record, as long as it says. Their end is guessed (where the
next member seems to begin) and proven by the checksum, so that a library that takes members whole unpacks them, in two
thirds of the time that reading on and on takes. Whatever is not exactly so is left to the careful reader (warcs.py).
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from ahocorasick_rs import BytesAhoCorasick

from scrapers.archive.remote_files import Place

try:
    from deflate import DeflateError, crc32, gzip_decompress

    HERE = True
except ImportError:  # a machine that nobody builds it for: every record is read with care, which takes longer
    HERE = False

MAGIC = b"\x1f\x8b\x08"
_MAGIC = BytesAhoCorasick([MAGIC])  # seeks eight times as quickly as bytes.find()
_CHUNK = 1 << 20
_HEAD = 1 << 16  # bytes of a record's own header
_SMALLEST = 18  # bytes of a gzip member
_GUESSES = 8  # at a member's end: bytes inside of it look like a beginning once in some hundred members
_VERSIONS = (b"WARC/1.0\r\n", b"WARC/1.1\r\n")
_END = b"\r\n\r\n"
Fields = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Member:
    """One record: where its member begins and ends in the file, its header, and where in its bytes the content is."""

    offset: int
    end: int
    fields: Fields
    data: bytearray
    begin: int
    size: int


class Members:
    """Reads the members of a file in order. `longest`: bytes of the longest record that is taken."""

    def __init__(self, place: Place, at: int, longest: int) -> None:
        self._place, self._at, self._longest = place, at, longest
        self._start, self._data = at, b""
        self._magics: list[int] = []  # where members seem to begin in the data

    def next(self) -> Member | None:
        """Return the record at the place reached, None where what lies there is odd, and at the end of the file."""
        at = self._at
        if not HERE or self._bytes(at, len(MAGIC)) != MAGIC:
            return None
        look = at + _SMALLEST
        for _ in range(_GUESSES):
            end = self._next_magic(look, at + _SMALLEST + self._longest)
            if end is None:
                return None
            if (found := self._member(at, end)) is not None:
                self._at = end
                return found
            if end == self._place.size:
                return None
            look = end + 1
        return None

    def _member(self, at: int, end: int) -> Member | None:
        packed = memoryview(self._data)[at - self._start : end - self._start]
        size = int.from_bytes(packed[-4:], "little")
        if not 0 < size <= self._longest + _HEAD:
            return None
        try:
            data = gzip_decompress(packed, size)
        except (DeflateError, ValueError):
            return None
        if crc32(data) != int.from_bytes(packed[-8:-4], "little"):
            return None  # the member ends before this place, and the library looks no further
        return _parsed(at, end, data)

    def _next_magic(self, look: int, most: int) -> int | None:
        """Return where the next member seems to begin, or the end of the file; None where that is too far."""
        while True:
            found = bisect_left(self._magics, look)
            if found < len(self._magics):
                return self._magics[found]
            held = self._start + len(self._data)
            if held >= self._place.size:
                return self._place.size
            if held > most:
                return None
            self._extend()

    def _bytes(self, at: int, length: int) -> bytes:
        while at + length > self._start + len(self._data) and self._start + len(self._data) < self._place.size:
            self._extend()
        return self._data[at - self._start : at - self._start + length]

    def _extend(self) -> None:
        kept = self._data[self._at - self._start :]
        self._data, self._start = kept + self._place.read_at(self._at + len(kept), _CHUNK), self._at
        known = max(0, len(kept) - len(MAGIC) + 1)  # one may stand across the end of what was there
        new = _MAGIC.find_matches_as_indexes(memoryview(self._data)[known:])
        begin = self._start + known
        self._magics = [at for at in self._magics if self._at <= at < begin] + [begin + at for _, at, _ in new]


def _parsed(at: int, end: int, data: bytearray) -> Member | None:
    """Return the record in a member, None where it is not as the plainest of records are."""
    stop = data.find(_END, 0, _HEAD)
    head = bytes(data[:stop])
    if stop < 0 or head[:10] not in _VERSIONS or not head.isascii():
        return None
    pairs = [line.partition(":") for line in head.decode("ascii").split("\r\n")[1:]]
    fields = tuple((name, value.strip()) for name, _, value in pairs)
    lengths = [value for name, value in fields if name.lower() == "content-length"]
    plain = all(parted and name and name == name.strip() for name, parted, _ in pairs)
    if not plain or len(lengths) != 1 or not lengths[0].isdigit():
        return None
    begin, size = stop + len(_END), int(lengths[0])
    if begin + size + len(_END) != len(data) or not data.endswith(_END):
        return None
    return Member(at, end, fields, data, begin, size)
