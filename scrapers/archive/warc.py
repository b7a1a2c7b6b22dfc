"""Reads WARC files made by others, tolerating damaged records.

A file can be read in ranges by several processes: a range contains the records that begin in it. The end of a record is
known from the record itself, so that adjacent ranges join without gap or overlap.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from enum import StrEnum

from fastwarc.warc import ArchiveIterator

from scrapers.archive.gzip_members import MAGIC, Fields, Members
from scrapers.archive.remote_files import ArchiveFile, ArchiveFileError, ArchiveFileStream

MAX_RECORD = 16 * 1024 * 1024  # bytes; a longer record is not a news page
_CHUNK = 1 << 20


class Packing(StrEnum):
    """How the records of a file are compressed."""

    MEMBERS = "members"  # gzip, one member per record
    PLAIN = "plain"
    STREAM = "stream"  # gzip over all records, zstd or lz4: only readable from the start


class Fault(StrEnum):
    """Why a record cannot be read."""

    DAMAGED = "damaged compression"
    NO_RECORD = "no WARC record"
    CUT_SHORT = "cut short"
    WRONG_LENGTH = "wrong length"
    TOO_LARGE = "too large"


@dataclass(frozen=True, slots=True)
class Record:
    """One record. `offset`: where it begins, or its number in a Packing.STREAM.

    Its content, the block, is `data` from `begin` on; parts are copied only on demand.
    """

    offset: int
    fields: Fields
    data: bytes | bytearray
    begin: int = 0
    size: int = -1  # bytes of the block; -1: all of the data

    def part(self, start: int = 0, stop: int | None = None) -> bytes:
        """Return the bytes of the block from `start` to `stop`."""
        size = len(self.data) - self.begin if self.size < 0 else self.size
        stop = size if stop is None else min(stop, size)
        return bytes(memoryview(self.data)[self.begin + start : self.begin + stop])

    def cut(self, at: int) -> tuple[bytes, bytes | bytearray]:
        """Split the block at an offset. The second part is not copied, so the record cannot be used afterwards."""
        head, rest = self.part(0, at), self.data
        if not isinstance(rest, bytearray):
            return head, self.part(at)
        if self.size >= 0:
            del rest[self.begin + self.size :]
        del rest[: self.begin + at]
        return head, rest

    def find(self, mark: bytes, most: int) -> int:
        """Return the offset of some bytes within the first `most` bytes of the block, or -1."""
        most = most if self.size < 0 else min(most, self.size)
        found = self.data.find(mark, self.begin, self.begin + most)
        return found - self.begin if found >= 0 else -1


@dataclass(frozen=True, slots=True)
class BadRecord:
    """A record that cannot be read."""

    offset: int
    fault: Fault


RecordFilter = Callable[[Fields], bool]
Run = Generator[Record | BadRecord, None, int | None]  # yields records; returns where the next run begins


def packing_of(file: ArchiveFile) -> Packing | None:
    """Return how a file is compressed, None if it is not a WARC file."""
    start = file.read_at(0, 8)
    if start.startswith(b"WARC/"):
        return Packing.PLAIN
    if start.startswith((b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18")) or start[1:4] == b"\x2a\x4d\x18":
        return Packing.STREAM
    if not start.startswith(MAGIC):
        return None
    if not _is_record(file, 0):
        return None
    inflater, head, at = zlib.decompressobj(wbits=31), b"", 0
    try:
        while not inflater.eof and len(head) < _CHUNK and (chunk := file.read_at(at, 65536)):
            head += inflater.decompress(chunk)
            at += len(chunk)
    except zlib.error:
        return Packing.MEMBERS  # damaged later in the file
    if inflater.eof and head.count(b"\nWARC-Type:") < 2:
        return Packing.MEMBERS
    fields, _, rest = head.partition(b"\r\n\r\n")
    length = next((line[15:] for line in fields.split(b"\r\n") if line[:15].lower() == b"content-length:"), b"0")
    whole = int(length) if length.strip().isdigit() else 0
    return Packing.STREAM if rest[whole : whole + 9].lstrip().startswith(b"WARC/") else Packing.MEMBERS


class Scan:
    """Iterates over the records of a file that begin from `start` on and before `stop`.

    After the iteration, `first` is the offset of the first record, and `end` that of the first record after the range,
    or the size of the file. Both are None if no record begins in the range. The iteration raises ArchiveFileError if
    the file itself cannot be read.

    Args:
        file: The file to read.
        packing: As returned by packing_of().
        start: First offset of the range, or first record number in a Packing.STREAM.
        stop: End of the range, exclusive.
        wanted: Receives a record's header fields; records for which it returns False are skipped unread.
        exact: Whether a record is known to begin at `start`.
    """

    def __init__(
        self, file: ArchiveFile, packing: Packing, start: int, stop: int, wanted: RecordFilter, *, exact: bool
    ) -> None:
        self.file, self.packing, self.wanted = file, packing, wanted
        self.start, self.stop, self.exact = start, stop, exact
        self.first: int | None = None
        self.end: int | None = None
        self.n_records = 0

    def __iter__(self) -> Iterator[Record | BadRecord]:
        if self.packing is Packing.STREAM:
            yield from self._numbered()
            return
        at = self.start if self.exact else self._next_start(self.start, self.stop)
        while at is not None and at < self.stop:
            self.first = at if self.first is None else self.first
            beyond = False
            if self.packing is Packing.MEMBERS:
                at, beyond = yield from self._well_formed(at)
            if not beyond:
                at = yield from self._run(at)
        if self.first is not None:
            self.end = self.file.size if at is None else at

    def _well_formed(self, at: int) -> Generator[Record, None, tuple[int, bool]]:
        """Yield records from `at` on while they and what follows them are well-formed.

        Returns where the first other record begins, and whether that is beyond the range.
        """
        members = Members(self.file, at, MAX_RECORD)
        held = members.next()
        while held is not None:
            at, following, end = held.offset, None, held.end
            if end < self.stop:
                following = members.next()
            if end < self.file.size and following is None and (end < self.stop or not self._begins(end)):
                break
            self.n_records += 1
            if self.wanted(held.fields):
                yield Record(held.offset, held.fields, held.data, held.begin, held.size)
            at, held = end, following
            if end >= min(self.stop, self.file.size):
                return end, True
        return at, False

    def _run(self, at: int) -> Run:
        """Yield records from `at` on; return where the next run begins, after a fault or after the range."""
        held: Record | None = None
        last, length = at, -1  # the last record seen, and its declared length
        try:
            for record in ArchiveIterator(ArchiveFileStream(self.file, at), parse_http=False):
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
                if self.wanted(fields):
                    block = record.reader.read()
                    if len(block) != length:
                        break
                    held = Record(offset, fields, block)
            else:
                if length < 0:  # the rest is empty
                    return None
            fault = None
        except ArchiveFileError:
            raise
        except BaseException as error:
            fault = _fault_of(error)
        if length < 0 and fault is not None:
            self.n_records += 1
            yield BadRecord(at, fault)
            return self._next_start(at + 1, self.file.size)
        return (yield from self._after_last(held, last, length, fault))

    def _after_last(self, held: Record | None, last: int, length: int, fault: Fault | None) -> Run:
        """Check the end of the last record seen; return where to continue. `fault`: of what followed it."""
        if self.packing is Packing.PLAIN:
            wrong = self._wrong_plain(last, length)
            end = self._next_start(last + 1, self.file.size) if wrong or fault else None
        else:
            end, wrong = self._member(last, length)
        if wrong:
            yield BadRecord(last, wrong)
            return end
        if held is not None:
            yield held
        if fault is not None and end is not None:
            self.n_records += 1
            yield BadRecord(end, fault)
            return self._next_start(end + 1, self.file.size)
        return None if end is None or end >= self.file.size else end

    def _wrong_plain(self, at: int, length: int) -> Fault | None:
        head = self.file.read_at(at, 1 << 16).partition(b"\r\n\r\n")[0]
        end = at + len(head) + 4 + length
        if end > self.file.size:
            return Fault.CUT_SHORT if self._next_start(at + 1, self.file.size) is None else Fault.WRONG_LENGTH
        following = self.file.read_at(end, 10)
        if following.strip() and not following.lstrip().startswith(b"WARC/"):
            return Fault.WRONG_LENGTH
        return Fault.TOO_LARGE if length > MAX_RECORD else None

    def _member(self, at: int, length: int) -> tuple[int | None, Fault | None]:
        """Return where the gzip member of a record ends, and the fault of the record, if any."""
        inflater, head, content, begin = zlib.decompressobj(wbits=31), b"", 0, at
        while not inflater.eof:
            data = self.file.read_at(at, _CHUNK)
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
                return self._next_start(begin + 1, self.file.size), Fault.DAMAGED
        at -= len(inflater.unused_data)
        following = content - (head.find(b"\r\n\r\n") + 4) - length
        end = at if at < self.file.size else None
        if following not in (0, 2, 4):
            return end, Fault.WRONG_LENGTH
        return end, Fault.TOO_LARGE if length > MAX_RECORD else None

    def _next_start(self, at: int, stop: int) -> int | None:
        """Return where the next record begins, from `at` on and before `stop`, or None."""
        while at < stop:
            data = self.file.read_at(at, _CHUNK)
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
            return at == 0 or self.file.read_at(at - 4, 4) in (b"\r\n\r\n", b"\n\n\n\n")
        return _is_record(self.file, at)

    def _numbered(self) -> Iterator[Record | BadRecord]:
        """Yield the records of a Packing.STREAM, which are identified by their number."""
        number = -1
        try:
            for number, record in enumerate(ArchiveIterator(ArchiveFileStream(self.file, 0), parse_http=False)):
                if number >= self.stop:
                    self.end = number
                    return
                if number < self.start:
                    continue
                self.first = number if self.first is None else self.first
                self.n_records += 1
                length = record.content_length
                if length > MAX_RECORD:
                    yield BadRecord(number, Fault.TOO_LARGE)
                elif self.wanted(fields := tuple(record.headers.to_tuples())):
                    block = record.reader.read()
                    if len(block) == length:
                        yield Record(number, fields, block)
                    else:
                        yield BadRecord(number, Fault.CUT_SHORT)
        except ArchiveFileError:
            raise
        except BaseException as error:
            fault = _fault_of(error)
            if number + 1 >= self.start:  # otherwise an earlier range reports the fault
                self.first = number + 1 if self.first is None else self.first
                self.n_records += 1
                yield BadRecord(number + 1, fault)


def _is_record(file: ArchiveFile, at: int) -> bool:
    """Return whether a gzip member that contains a record begins at an offset."""
    try:
        return zlib.decompressobj(wbits=31).decompress(file.read_at(at, 512), 5) == b"WARC/"
    except zlib.error:
        return False


def _fault_of(error: BaseException) -> Fault:
    """Return the fault that an error of the WARC library means; re-raise errors that are not about a record."""
    if (
        not isinstance(error, OSError) and type(error).__name__ != "PanicException"
    ):  # a panic in Rust, which is not an Exception
        raise error
    return Fault.DAMAGED if "ompress" in str(error) else Fault.NO_RECORD
