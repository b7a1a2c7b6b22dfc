"""An archive of web pages made by others (WARC) in; its records out, the damaged ones counted with the reason.

A stretch of a file is read by itself, so that many processes share one file: the records that begin in it. Where one
ends is known from the record, not from its place, so that the stretches of a file join without a gap.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from enum import StrEnum

from fastwarc.warc import ArchiveIterator

from scrapers.archive.gzip_members import MAGIC, Fields, Members
from scrapers.archive.remote_files import Place, PlaceError, PlaceStream

MAX_RECORD = 16 * 1024 * 1024  # bytes of a record that are read; a longer one holds no news page
_CHUNK = 1 << 20


class Packing(StrEnum):
    """How the records of a file are packed."""

    MEMBERS = "members"  # gzip, each record by itself
    PLAIN = "plain"
    STREAM = "stream"  # gzip over all records, zstd or lz4: readable from the beginning only


class Fault(StrEnum):
    """Why a record cannot be read."""

    DAMAGED = "damaged compression"
    NO_RECORD = "no WARC record"
    CUT_SHORT = "cut short"
    WRONG_LENGTH = "wrong length"
    TOO_LARGE = "too large"


@dataclass(frozen=True, slots=True)
class Record:
    """One record. `offset`: where it begins, in a Packing.STREAM its number.

    Its content, the block, stands in `data` from `begin` on; what is never asked for is never copied.
    """

    offset: int
    fields: Fields
    data: bytes | bytearray
    begin: int = 0
    size: int = -1  # bytes of the block; -1: all of the data

    def part(self, start: int = 0, stop: int | None = None) -> bytes:
        """Return the block from one of its bytes to another."""
        size = len(self.data) - self.begin if self.size < 0 else self.size
        stop = size if stop is None else min(stop, size)
        return bytes(memoryview(self.data)[self.begin + start : self.begin + stop])

    def cut(self, at: int) -> tuple[bytes, bytes | bytearray]:
        """Return the block before and from one of its bytes on. The larger part is not copied: the record is used up,
        and nothing more can be asked of it."""
        head, rest = self.part(0, at), self.data
        if not isinstance(rest, bytearray):
            return head, self.part(at)
        if self.size >= 0:
            del rest[self.begin + self.size :]
        del rest[: self.begin + at]
        return head, rest

    def find(self, mark: bytes, most: int) -> int:
        """Return where some bytes stand in the first `most` of the block, -1 where they do not."""
        most = most if self.size < 0 else min(most, self.size)
        found = self.data.find(mark, self.begin, self.begin + most)
        return found - self.begin if found >= 0 else -1


@dataclass(frozen=True, slots=True)
class Bad:
    """A record that cannot be read."""

    offset: int
    fault: Fault


Wish = Callable[[Fields], bool]
Run = Generator[Record | Bad, None, int | None]  # records, and where the next run begins


def packing_of(place: Place) -> Packing | None:
    """Return how a file is packed, None where it is no WARC file."""
    start = place.read_at(0, 8)
    if start.startswith(b"WARC/"):
        return Packing.PLAIN
    if start.startswith((b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18")) or start[1:4] == b"\x2a\x4d\x18":
        return Packing.STREAM
    if not start.startswith(MAGIC):
        return None
    if not _is_record(place, 0):
        return None
    inflater, head, at = zlib.decompressobj(wbits=31), b"", 0
    try:
        while not inflater.eof and len(head) < _CHUNK and (chunk := place.read_at(at, 65536)):
            head += inflater.decompress(chunk)
            at += len(chunk)
    except zlib.error:
        return Packing.MEMBERS  # damaged further on
    if inflater.eof and head.count(b"\nWARC-Type:") < 2:
        return Packing.MEMBERS
    fields, _, rest = head.partition(b"\r\n\r\n")
    length = next((line[15:] for line in fields.split(b"\r\n") if line[:15].lower() == b"content-length:"), b"0")
    whole = int(length) if length.strip().isdigit() else 0
    return Packing.STREAM if rest[whole : whole + 9].lstrip().startswith(b"WARC/") else Packing.MEMBERS


class Scan:
    """The records of a file that begin from `start` on and before `stop`; those that `wish` refuses are not read.

    `exact`: a record begins at `start` for certain. After the iteration `first` is where the first record began and
    `end` where the first one behind the stretch does: the file's size where there is none; both None where no record
    begins in the stretch. Raises PlaceError where the file itself cannot be read.
    """

    def __init__(self, place: Place, packing: Packing, start: int, stop: int, wish: Wish, *, exact: bool) -> None:
        self.place, self.packing, self.start, self.stop, self.wish, self.exact = (
            place,
            packing,
            start,
            stop,
            wish,
            exact,
        )
        self.first: int | None = None
        self.end: int | None = None
        self.n_records = 0

    def __iter__(self) -> Iterator[Record | Bad]:
        if self.packing is Packing.STREAM:
            yield from self._numbered()
            return
        at = self.start if self.exact else self._next_start(self.start, self.stop)
        while at is not None and at < self.stop:
            self.first = at if self.first is None else self.first
            sound = False
            if self.packing is Packing.MEMBERS:
                at, sound = yield from self._sound(at)
            if not sound:
                at = yield from self._run(at)
        if self.first is not None:
            self.end = self.place.size if at is None else at

    def _sound(self, at: int) -> Generator[Record, None, tuple[int, bool]]:
        """Yield records from `at` on as long as they are in order and so is what lies behind each.

        Return where the first other one begins, and whether that is behind the stretch.
        """
        members = Members(self.place, at, MAX_RECORD)
        held = members.next()
        while held is not None:
            at, behind, end = held.offset, None, held.end
            if end < self.stop:
                behind = members.next()
            if end < self.place.size and behind is None and (end < self.stop or not self._begins(end)):
                break
            self.n_records += 1
            if self.wish(held.fields):
                yield Record(held.offset, held.fields, held.data, held.begin, held.size)
            at, held = end, behind
            if end >= min(self.stop, self.place.size):
                return end, True
        return at, False

    def _run(self, at: int) -> Run:
        """Yield records from `at` on; return where the next run begins (behind a fault, or behind the stretch)."""
        held: Record | None = None
        last, length = at, -1  # the last record met, and the length that it claims
        try:
            for record in ArchiveIterator(PlaceStream(self.place, at), parse_http=False):
                offset = record.stream_pos
                if held is not None:
                    yield held
                    held = None
                if offset >= self.stop:
                    return offset
                last, length = offset, record.content_length
                self.n_records += 1
                if length > MAX_RECORD:
                    break
                fields = tuple(record.headers.to_tuples())
                if self.wish(fields):
                    block = record.reader.read()
                    if len(block) != length:
                        break
                    held = Record(offset, fields, block)
            else:
                if length < 0:  # an empty rest
                    return None
            fault = None
        except PlaceError:
            raise
        except BaseException as error:
            fault = _fault_of(error)
        if length < 0 and fault is not None:
            self.n_records += 1
            yield Bad(at, fault)
            return self._next_start(at + 1, self.place.size)
        return (yield from self._behind(held, last, length, fault))

    def _behind(self, held: Record | None, last: int, length: int, fault: Fault | None) -> Run:
        """Judge the last record that was met by its own end; return where to go on. `fault`: of what came behind it."""
        if self.packing is Packing.PLAIN:
            wrong = self._wrong_plain(last, length)
            end = self._next_start(last + 1, self.place.size) if wrong or fault else None
        else:
            end, wrong = self._member(last, length)
        if wrong:
            yield Bad(last, wrong)
            return end
        if held is not None:
            yield held
        if fault is not None and end is not None:
            self.n_records += 1
            yield Bad(end, fault)
            return self._next_start(end + 1, self.place.size)
        return None if end is None or end >= self.place.size else end

    def _wrong_plain(self, at: int, length: int) -> Fault | None:
        head = self.place.read_at(at, 1 << 16).partition(b"\r\n\r\n")[0]
        end = at + len(head) + 4 + length
        if end > self.place.size:
            return Fault.CUT_SHORT if self._next_start(at + 1, self.place.size) is None else Fault.WRONG_LENGTH
        behind = self.place.read_at(end, 10)
        if behind.strip() and not behind.lstrip().startswith(b"WARC/"):
            return Fault.WRONG_LENGTH
        return Fault.TOO_LARGE if length > MAX_RECORD else None

    def _member(self, at: int, length: int) -> tuple[int | None, Fault | None]:
        """Return where the gzip member of a record ends, and what is wrong with the record, if anything is."""
        inflater, head, content, begin = zlib.decompressobj(wbits=31), b"", 0, at
        while not inflater.eof:
            data = self.place.read_at(at, _CHUNK)
            if not data:
                return None, Fault.CUT_SHORT
            at += len(data)
            try:
                while data and not inflater.eof:
                    piece = inflater.decompress(data, _CHUNK)
                    content += len(piece)
                    head = (head + piece)[:_CHUNK] if len(head) < _CHUNK else head
                    data = inflater.unconsumed_tail
            except zlib.error:
                return self._next_start(begin + 1, self.place.size), Fault.DAMAGED
        at -= len(inflater.unused_data)
        behind = content - (head.find(b"\r\n\r\n") + 4) - length
        end = at if at < self.place.size else None
        if behind not in (0, 2, 4):
            return end, Fault.WRONG_LENGTH
        return end, Fault.TOO_LARGE if length > MAX_RECORD else None

    def _next_start(self, at: int, stop: int) -> int | None:
        """Return where the next record begins from `at` on and before `stop`, None where none does."""
        while at < stop:
            data = self.place.read_at(at, _CHUNK)
            if len(data) < 8:
                return None
            mark = MAGIC if self.packing is Packing.MEMBERS else b"WARC/1."
            found = data.find(mark)
            while found >= 0:
                if at + found >= stop:
                    return None
                if self._begins(at + found):
                    return at + found
                found = data.find(mark, found + 1)
            at += max(1, len(data) - 8)
        return None

    def _begins(self, at: int) -> bool:
        if self.packing is Packing.PLAIN:
            return at == 0 or self.place.read_at(at - 4, 4) in (b"\r\n\r\n", b"\n\n\n\n")
        return _is_record(self.place, at)

    def _numbered(self) -> Iterator[Record | Bad]:
        """Yield the records of a file that can be read from the beginning only; they are known by their number."""
        number = -1
        try:
            for number, record in enumerate(ArchiveIterator(PlaceStream(self.place, 0), parse_http=False)):
                if number >= self.stop:
                    self.end = number
                    return
                if number < self.start:
                    continue
                self.first = number if self.first is None else self.first
                self.n_records += 1
                length = record.content_length
                if length > MAX_RECORD:
                    yield Bad(number, Fault.TOO_LARGE)
                elif self.wish(fields := tuple(record.headers.to_tuples())):
                    block = record.reader.read()
                    if len(block) == length:
                        yield Record(number, fields, block)
                    else:
                        yield Bad(number, Fault.CUT_SHORT)
        except PlaceError:
            raise
        except BaseException as error:
            fault = _fault_of(error)
            if number + 1 >= self.start:  # else the stretch lies behind the fault, and an earlier one has told of it
                self.first = number + 1 if self.first is None else self.first
                self.n_records += 1
                yield Bad(number + 1, fault)


def _is_record(place: Place, at: int) -> bool:
    """Tell whether a gzip member with a record in it begins at a place."""
    try:
        return zlib.decompressobj(wbits=31).decompress(place.read_at(at, 512), 5) == b"WARC/"
    except zlib.error:
        return False


def _fault_of(error: BaseException) -> Fault:
    """Return what an error of the reading library means; raise it again where it is none of a record."""
    if not isinstance(error, OSError) and type(error).__name__ != "PanicException":  # of Rust, no Exception
        raise error
    return Fault.DAMAGED if "ompress" in str(error) else Fault.NO_RECORD
