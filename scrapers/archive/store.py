"""The archive of fetched pages: one WARC file per UTC day, indexed by sha256.

Each record is one gzip member, synced to disk before the call returns. The index is the table `pages` of crawl.db; it
can be rebuilt from the WARC files alone.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import os
import re
import sqlite3
import uuid
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from fastwarc.stream_io import GzipWriter
from fastwarc.warc import ArchiveIterator, WarcRecord, WarcRecordType

from scrapers.database import PageRef, index_page, open_crawl_db, transaction
from scrapers.items import Page
from scrapers.messages import as_text

_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
_CHUNK = 1 << 20


class ArchiveError(Exception):
    """The archive is damaged or locked. The message names the file, the offset and the page."""


class Archive:
    """The raw pages of one ledger. One process at a time may write; any number may read."""

    def __init__(self, folder: Path, db: Path | sqlite3.Connection | None = None) -> None:
        """Open the archive in `folder`. `db`: crawl.db or a connection to it; default: in the parent folder."""
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._owns_db = not isinstance(db, sqlite3.Connection)
        self.db = db if isinstance(db, sqlite3.Connection) else open_crawl_db(db or self.folder.parent / "crawl.db")
        self._open: tuple[str, int] | None = None  # name and descriptor of the file being written

    def close(self) -> None:
        """Close the file being written, and the database if the archive opened it."""
        self._close_file()
        if self._owns_db:
            self.db.close()

    def add(self, page: Page) -> PageRef:
        """Archive and index a page. The same bytes of the same URL are stored once."""
        ref = self.append(page)
        with transaction(self.db):
            index_page(self.db, page, ref)
        return ref

    def append(self, page: Page) -> PageRef:
        """Write a page to disk without indexing it; index_page() does that in the caller's transaction.

        Raises:
            ArchiveError: The sha256 is not that of the body, or another process is writing.
            OSError: The disk is full or fails; the incomplete record is removed.
        """
        return self.append_all([page])[0]

    def append_all(self, pages: Sequence[Page]) -> list[PageRef]:
        """Write pages to disk, all or none, like append(); return their locations in the same order."""
        for page in pages:
            if hashlib.sha256(page.body).hexdigest() != page.sha256:
                raise ArchiveError(f"{page.url}: the page's sha256 is not that of its body, so it was not archived.")
        refs: dict[tuple[str, str], PageRef] = {}
        by_file: dict[str, list[Page]] = {}
        for page in pages:
            key = (page.sha256, page.url)
            if key in refs:
                continue
            if (known := self._find(*key)) is not None:
                refs[key] = known
                continue
            name = f"{page.fetched_at.astimezone(UTC):%Y-%m-%d}.warc.gz"
            by_file.setdefault(name, []).append(page)
            refs[key] = PageRef(page.sha256, page.url, page.source_id, as_text(page.fetched_at), name, 0, 0)
        for name, new in by_file.items():
            offset, records = self._write(name, [_record_bytes(page) for page in new])
            for page, length in zip(new, records, strict=True):
                key = (page.sha256, page.url)
                refs[key] = replace(refs[key], offset=offset, length=length)
                offset += length
        return [refs[page.sha256, page.url] for page in pages]

    def _write(self, name: str, records: list[bytes]) -> tuple[int, list[int]]:
        """Append records to a file and sync it; return the offset of the first and the length of each."""
        descriptor = self._writer(name)
        offset = os.lseek(descriptor, 0, os.SEEK_END)
        try:
            view = memoryview(b"".join(records))
            while view:
                view = view[os.write(descriptor, view) :]
            os.fsync(descriptor)
        except OSError as error:
            os.ftruncate(descriptor, offset)
            error.filename = error.filename or str(self.folder / name)
            raise
        return offset, [len(record) for record in records]

    def get(self, sha256: str, url: str | None = None) -> Page:
        """Return the page with this sha256, and of this URL if several URLs had the same bytes.

        Raises:
            KeyError: The page is not in the index.
            ArchiveError: The file no longer contains the page.
        """
        ref = self._find(sha256, url)
        if ref is None:
            raise KeyError(f"page {sha256} is not in the archive")
        return self.read(ref)

    def read(self, ref: PageRef) -> Page:
        """Return the page at a location and verify its hash. Raises ArchiveError on any difference."""
        path = self.folder / ref.warc_file
        where = f"{path}, byte {ref.offset}: page {ref.sha256} ({ref.url})"
        try:
            with path.open("rb") as file:
                file.seek(ref.offset)
                page = _page_of(file.read(ref.length))
        except FileNotFoundError:
            raise ArchiveError(f"{where} cannot be read: the file is missing. Restore it from a backup.") from None
        except (zlib.error, OSError, ValueError, EOFError) as error:
            raise ArchiveError(f"{where} cannot be read ({error}). Restore the file from a backup.") from error
        if hashlib.sha256(page.body).hexdigest() != ref.sha256 or page.url != ref.url:
            raise ArchiveError(f"{where} has changed since it was archived. Restore the file from a backup.")
        return page

    def pages(self, source_id: str | None = None) -> Iterator[PageRef]:
        """Yield the locations of all pages, or those of one source, in the order of archiving."""
        where, values = ("where source_id = ?", (source_id,)) if source_id else ("", ())
        rows = self.db.execute(f"select * from pages {where} order by warc_file, offset", values).fetchall()
        yield from map(_ref_of, rows)

    def pages_of(self, warc_file: str) -> list[PageRef]:
        """Return the locations of the pages in one file, in order."""
        rows = self.db.execute("select * from pages where warc_file = ? order by offset", (warc_file,))
        return [_ref_of(row) for row in rows.fetchall()]

    def remove_leftovers(self) -> None:
        """Remove files whose remaining pages were moved by pruning (scrapers/archive/pruning.py)."""
        for (name,) in self.db.execute("select name from archive_leftovers").fetchall():
            self._close_file()
            (self.folder / name).unlink(missing_ok=True)
            _sync_folder(self.folder)
            with transaction(self.db):
                self.db.execute("delete from archive_leftovers where name = ?", (name,))

    def unindexed(self) -> Iterator[tuple[Page, PageRef]]:
        """Yield the complete records after the last indexed one of each file; truncate incomplete ones.

        They are pages written just before the program was killed. Only the writing process may call this.
        """
        self.remove_leftovers()
        for path in sorted(self.folder.glob("*.warc.gz")):
            end = self._indexed_end(path.name)
            if path.stat().st_size > end:
                self._writer(path.name)
                yield from self._records(path, end)

    def rebuild_index(self) -> int:
        """Rebuild the index from the WARC files alone; return the number of pages.

        Raises ArchiveError at the first damaged record; the old index is then kept.
        """
        with transaction(self.db):
            self.db.execute("delete from pages")
            for path in sorted(self.folder.glob("*.warc.gz")):
                for page, ref in self._records(path, 0):
                    index_page(self.db, page, ref)
            return self.db.execute("select count(*) from pages").fetchone()[0]

    def _records(self, path: Path, start: int) -> Iterator[tuple[Page, PageRef]]:
        for offset, length, data in _members(path, start):
            page = _page_of(data)
            fetched_at = as_text(page.fetched_at)
            yield page, PageRef(page.sha256, page.url, page.source_id, fetched_at, path.name, offset, length)

    def _find(self, sha256: str, url: str | None) -> PageRef | None:
        condition = "sha256 = ?" if url is None else "sha256 = ? and url = ?"
        values = (sha256,) if url is None else (sha256, url)
        row = self.db.execute(f"select * from pages where {condition} order by fetched_at limit 1", values).fetchone()
        return None if row is None else _ref_of(row)

    def _indexed_end(self, name: str) -> int:
        found = self.db.execute("select max(offset + length) from pages where warc_file = ?", (name,)).fetchone()
        return found[0] or 0

    def _close_file(self) -> None:
        if self._open is not None:
            os.close(self._open[1])
            self._open = None

    def _writer(self, name: str) -> int:
        """Return the descriptor of the file to write, locked and without an incomplete last record."""
        if self._open is not None and self._open[0] == name:
            return self._open[1]
        self._close_file()
        path = self.folder / name
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _cut_tail(path, descriptor, self._indexed_end(name))
            _sync_folder(self.folder)
        except BaseException as error:
            os.close(descriptor)
            if isinstance(error, BlockingIOError):
                raise ArchiveError(f"{path}: another process is writing to it. Wait until it ends.") from None
            raise
        self._open = (name, descriptor)
        return descriptor


def _cut_tail(path: Path, descriptor: int, end: int) -> None:
    """Truncate a file after its last complete record from `end` on; damaged bytes are saved to a file next to it."""
    size = os.fstat(descriptor).st_size
    try:
        for offset, length, _ in _members(path, end):
            end = offset + length
    except ArchiveError:
        # A power failure can leave blocks of zeros. They must not block the crawl, nor be lost unnoticed.
        with path.open("rb") as file:
            file.seek(end)
            path.with_name(f"{path.name}.damaged-{end}").write_bytes(file.read())
    if size > end:
        os.ftruncate(descriptor, end)


def _record_bytes(page: Page) -> bytes:
    """Return a page as a gzipped WARC response record with the decompressed body."""
    head = [f"HTTP/1.1 {page.status}".encode()]
    head += [f"{_clean(name)}: {_clean(value)}".encode("latin-1", "replace") for name, value in page.headers]
    block = b"\r\n".join(head) + b"\r\n\r\n" + page.body
    record = WarcRecord()
    record.init_headers(WarcRecordType.response, content_length=len(block))
    identity = uuid.uuid5(uuid.NAMESPACE_URL, f"{page.url} {page.sha256} {as_text(page.fetched_at)}")
    fields = {
        "WARC-Record-ID": f"<urn:uuid:{identity}>",
        "WARC-Date": as_text(page.fetched_at),
        "WARC-Target-URI": page.final_url,
        "WARC-Payload-Digest": f"sha256:{page.sha256}",
        "WARC-Identified-Payload-Type": page.media_type,
        "X-Requested-URI": page.url,
        "X-Source-ID": page.source_id,
        "X-Charset": page.charset,
    }
    for name, value in fields.items():
        record.headers[name] = _clean(value)
    record.is_http = True
    record.set_bytes_content(block)
    buffer = io.BytesIO()
    writer = GzipWriter(buffer, compression_level=6)
    record.write(writer, checksum_data=True)
    writer.finish()
    return buffer.getvalue()


def _page_of(data: bytes) -> Page:
    """Return the page in a record, gzipped or plain. Raises ValueError if there is none."""
    record = next(iter(ArchiveIterator(io.BytesIO(data), parse_http=False)), None)
    if record is None:
        raise ValueError("no WARC record")
    fields = dict(record.headers.to_tuples())
    head, found, body = record.reader.read().partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    status = re.match(r"HTTP/1\.1 (\d+)", lines[0])
    if not found or status is None or "X-Requested-URI" not in fields:
        raise ValueError("not a page of this archive")
    return Page(
        url=fields["X-Requested-URI"],
        final_url=fields.get("WARC-Target-URI", ""),
        source_id=fields.get("X-Source-ID", ""),
        fetched_at=datetime.fromisoformat(fields["WARC-Date"]),
        status=int(status[1]),
        media_type=fields.get("WARC-Identified-Payload-Type", ""),
        charset=fields.get("X-Charset", ""),
        headers=tuple((name, value) for name, _, value in (line.partition(": ") for line in lines[1:])),
        body=body,
        sha256=fields.get("WARC-Payload-Digest", "").removeprefix("sha256:"),
    )


def _members(path: Path, start: int) -> Iterator[tuple[int, int, bytes]]:
    """Yield (offset, length, content) of the complete gzip members from `start` on; an incomplete last one is skipped.

    Raises ArchiveError for a damaged member, which a crash of the writer cannot cause.
    """
    with path.open("rb") as file:
        file.seek(start)
        offset, rest = start, b""
        while True:
            inflater, content, length = zlib.decompressobj(wbits=31), [], 0
            while not inflater.eof:
                chunk = rest or file.read(_CHUNK)
                if not chunk:
                    return
                try:
                    content.append(inflater.decompress(chunk))
                except zlib.error as error:
                    raise ArchiveError(f"{path}, byte {offset}: a damaged record ({error}).") from error
                length += len(chunk)
                rest = b""
            rest = inflater.unused_data
            length -= len(rest)
            yield offset, length, b"".join(content)
            offset += length


def _ref_of(row: sqlite3.Row) -> PageRef:
    return PageRef(**{field: row[field] for field in PageRef.__slots__})


def _clean(value: str) -> str:
    return _CONTROL.sub(" ", value)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
