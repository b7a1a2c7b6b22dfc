"""Pages that nobody needs any more leave the archive; what was taken out, and when, is written down and never denied.

A day's file is not edited: the pages that stay are copied, byte for byte, into a new file beside it; the index then
points there in one transaction, which also notes what is gone; last the old file is removed. Killed at any moment, the
archive is as before or as after, and the next run removes what is left over.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path

from scrapers.archive.store import Archive, ArchiveError
from scrapers.database import PageRef, transaction
from scrapers.messages import as_text


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was taken out of the archive, or would be: pages, their bytes in the files, and the files touched."""

    n_pages: int
    n_bytes: int
    n_files: int


def prune(archive: Archive, doomed: Iterable[PageRef], now: datetime, *, dry: bool = False) -> Pruned:
    """Take pages out of the archive, file by file. To be called by the writing process.

    Raises ArchiveError where a page that stays is damaged: then its file is left as it is; OSError where the disk
    refuses.
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
                archive.read(ref)  # its hash is checked before the old file is given up
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
    """Return a name for the pages of a file that stay: "2026-05-01.kept-1.warc.gz"."""
    stem, _, number = name.removesuffix(".warc.gz").partition(".kept-")
    numbers = count(int(number or 0) + 1)  # a name is never used twice
    return next(f for n in numbers if not (folder / (f := f"{stem}.kept-{n}.warc.gz")).exists())


def pruned_pages(archive: Archive) -> Iterator[tuple[str, str]]:
    """Yield (sha256, address) of every page that was taken out."""
    yield from ((row[0], row[1]) for row in archive.db.execute("select sha256, url from pruned_pages"))


__all__ = ["ArchiveError", "Pruned", "prune", "pruned_pages"]
