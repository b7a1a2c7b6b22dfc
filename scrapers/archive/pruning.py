"""Deletes unneeded pages from the archive and records what was deleted, and when.

Files are not edited in place. The remaining pages are copied, byte for byte, to a new file; then one transaction moves
the index to it and records the deletions; finally, the old file is removed. After a kill at any moment the archive is
in the old or the new state, and the next run removes leftovers.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path

from scrapers.archive.store import Archive
from scrapers.database import PageRef, transaction
from scrapers.messages import as_text


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was deleted, or would be: numbers of pages, of their bytes, and of the files affected."""

    n_pages: int
    n_bytes: int
    n_files: int


def prune(archive: Archive, doomed: Iterable[PageRef], now: datetime, *, dry: bool = False) -> Pruned:
    """Delete pages from the archive, file by file. Only the writing process may call this.

    Raises:
        ArchiveError: A remaining page is damaged; its file is left unchanged.
        OSError: The disk is full or fails.
    """
    of_file: dict[str, list[PageRef]] = defaultdict(list)
    for ref in doomed:
        of_file[ref.warc_file].append(ref)
    if not dry:
        archive.remove_leftovers()
        for name in sorted(of_file):
            _rewrite(archive, name, of_file[name], now)
    every = [ref for refs in of_file.values() for ref in refs]
    return Pruned(len(every), sum(ref.length for ref in every), len(of_file))


def _rewrite(archive: Archive, name: str, doomed: list[PageRef], now: datetime) -> None:
    gone = {ref.offset for ref in doomed}
    stay = [ref for ref in archive.pages_of(name) if ref.offset not in gone]
    fresh = _free_name(archive.folder, name)
    places: list[tuple[str, int, str, str]] = []
    if stay:
        temporary = archive.folder / f"{fresh}.tmp"
        with temporary.open("wb") as out, (archive.folder / name).open("rb") as old:
            for ref in stay:
                archive.read(ref)  # checks its hash before the old file is removed
                old.seek(ref.offset)
                places.append((fresh, out.tell(), ref.sha256, ref.url))
                out.write(old.read(ref.length))
            out.flush()
            os.fsync(out.fileno())
        os.replace(temporary, archive.folder / fresh)
    rows = [(r.sha256, r.url, r.source_id, r.fetched_at, r.length, as_text(now)) for r in doomed]
    with transaction(archive.db):
        archive.db.executemany("update pages set warc_file = ?, offset = ? where sha256 = ? and url = ?", places)
        archive.db.executemany("insert or replace into pruned_pages values (?, ?, ?, ?, ?, ?)", rows)
        archive.db.executemany("delete from pages where sha256 = ? and url = ?", [(r.sha256, r.url) for r in doomed])
        archive.db.execute("insert or ignore into archive_leftovers values (?)", (name,))
    archive.remove_leftovers()


def _free_name(folder: Path, name: str) -> str:
    """Return a file name for the remaining pages of a file: "2026-05-01.kept-1.warc.gz"."""
    stem, _, number = name.removesuffix(".warc.gz").partition(".kept-")
    numbers = count(int(number or 0) + 1)  # names are never reused
    return next(f for n in numbers if not (folder / (f := f"{stem}.kept-{n}.warc.gz")).exists())


def pruned_pages(archive: Archive) -> Iterator[tuple[str, str]]:
    """Yield (sha256, url) of every deleted page."""
    yield from ((row[0], row[1]) for row in archive.db.execute("select sha256, url from pruned_pages"))
