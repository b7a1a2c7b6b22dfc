"""A fast reader of well-formed WARC records, each compressed as one gzip member.

Most archives contain nothing else. The reader guesses where a member ends (where the next one seems to begin), has
libdeflate decompress it in one call, and checks the guess by the checksum. This takes two thirds of the time of
streaming decompression. Anything irregular is left to the tolerant reader in warc.py.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from ahocorasick_rs import BytesAhoCorasick

from scrapers.archive.remote_files import ArchiveFile

try:
    from deflate import DeflateError, crc32, gzip_decompress

    AVAILABLE = True
except ImportError:  # no wheel for this platform: the tolerant reader reads everything
    AVAILABLE = False

MAGIC = b"\x1f\x8b\x08"
_MAGIC = BytesAhoCorasick([MAGIC])  # eight times as fast as bytes.find()
_CHUNK = 1 << 20
_HEAD = 1 << 16  # maximum bytes of a record's header
_MIN_MEMBER = 18  # bytes of the smallest gzip member
_GUESSES = 8  # of a member's end; one member in a few hundred contains bytes that look like a beginning
_VERSIONS = (b"WARC/1.0\r\n", b"WARC/1.1\r\n")
_END = b"\r\n\r\n"
Fields = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Member:
    """One record: the offsets of its member in the file, its header, and the position of its content in `data`."""

    offset: int
    end: int
    fields: Fields
    data: bytearray
    begin: int
    size: int


class Members:
    """Reads the members of a file in order. `longest`: maximum bytes of a record."""

    def __init__(self, file: ArchiveFile, at: int, longest: int) -> None:
        self._file, self._at, self._longest = file, at, longest
        self._start, self._data = at, b""
        self._magics: list[int] = []  # offsets at which members seem to begin

    def next(self) -> Member | None:
        """Return the next record; None at the end of the file and at anything irregular."""
        at = self._at
        if not AVAILABLE or self._bytes(at, len(MAGIC)) != MAGIC:
            return None
        look = at + _MIN_MEMBER
        for _ in range(_GUESSES):
            end = self._next_magic(look, at + _MIN_MEMBER + self._longest)
            if end is None:
                return None
            if (found := self._member(at, end)) is not None:
                self._at = end
                return found
            if end == self._file.size:
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
            return None  # the member ends earlier; the library ignores what follows it
        return _parsed(at, end, data)

    def _next_magic(self, look: int, most: int) -> int | None:
        """Return where the next member seems to begin, or the end of the file; None if that is beyond `most`."""
        while True:
            found = bisect_left(self._magics, look)
            if found < len(self._magics):
                return self._magics[found]
            held = self._start + len(self._data)
            if held >= self._file.size:
                return self._file.size
            if held > most:
                return None
            self._extend()

    def _bytes(self, at: int, length: int) -> bytes:
        while at + length > self._start + len(self._data) and self._start + len(self._data) < self._file.size:
            self._extend()
        return self._data[at - self._start : at - self._start + length]

    def _extend(self) -> None:
        kept = self._data[self._at - self._start :]
        self._data, self._start = kept + self._file.read_at(self._at + len(kept), _CHUNK), self._at
        known = max(0, len(kept) - len(MAGIC) + 1)  # a magic number may cross the boundary
        new = _MAGIC.find_matches_as_indexes(memoryview(self._data)[known:])
        begin = self._start + known
        self._magics = [at for at in self._magics if self._at <= at < begin] + [begin + at for _, at, _ in new]


def _parsed(at: int, end: int, data: bytearray) -> Member | None:
    """Return the record in a member; None if it is irregular in any way."""
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
