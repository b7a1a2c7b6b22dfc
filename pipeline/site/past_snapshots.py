"""The published folder comes in; the kept snapshots go out: as a list, and opened, to be read as they were."""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from pipeline.ledger.publish.publish import snapshots
from pipeline.ledger.publish.seals import seal_of
from pipeline.ledger.schema import SCHEMA_VERSION
from pipeline.site.snapshots import Snapshot, open_snapshot, published_at

STAMP = r"\d{8}T\d{6}(?:_\d{1,7})?"  # of a snapshot: when it was published, and a number among those of one second
OPEN = 2  # older snapshots that are open at a time: each takes memory for its arrays
_LINK = re.compile(r'(?<!rel="latest-version" )\b(href|action)="/(?!/|static/|-/static|snapshots\b)')

AS_OF: ContextVar[tuple[Kept, str] | None] = ContextVar("as_of", default=None)  # the older snapshot shown, and the path


@dataclass(frozen=True, slots=True)
class Kept:
    """A kept snapshot. `published_at`: ISO moment in UTC; `sha256`, `rows`: as it was sealed, empty without a seal.

    `can_be_read`: whether this program can show its pages; if not, it can only be downloaded.
    """

    path: Path
    stamp: str
    published_at: str
    n_bytes: int
    sha256: str
    rows: Mapping[str, int]
    can_be_read: bool
    is_newest: bool

    @property
    def day(self) -> str:
        """The ISO day of publication."""
        return self.published_at[:10]


class Older:
    """The kept snapshots of a folder, of which a few are open."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._open: OrderedDict[Path, Snapshot] = OrderedDict()
        self._lock = asyncio.Lock()

    def kept(self, newest: Snapshot) -> list[Kept]:
        """Return the kept snapshots, the latest first; none that came after the `newest` that is served."""
        found = []
        for path in reversed(snapshots(self.folder)):
            stamp = stamp_of(path)
            if not re.fullmatch(STAMP, stamp) or path.name > newest.path.name:
                continue
            seal, is_newest = seal_of(path), path.resolve() == newest.path
            can_be_read = is_newest or (seal is not None and seal.schema_version == SCHEMA_VERSION)
            try:
                n_bytes = path.stat().st_size
            except FileNotFoundError:  # let go of just now
                continue
            sha256, rows = (seal.sha256, seal.rows) if seal else ("", newest.rows if is_newest else {})
            found.append(Kept(path, stamp, published_at(path), n_bytes, sha256, rows, can_be_read, is_newest))
        return found

    async def opened(self, kept: Kept, newest: Snapshot) -> Snapshot:
        """Return a snapshot to read from; raises OutsideFailure where it cannot be read."""
        if kept.is_newest:
            return newest
        async with self._lock:
            if (snapshot := self._open.get(kept.path)) is None:
                snapshot = await asyncio.to_thread(open_snapshot, kept.path)
            self._open[kept.path] = snapshot
            self._open.move_to_end(kept.path)
            while len(self._open) > OPEN:
                self._open.popitem(last=False)
        return snapshot


def stamp_of(path: Path | str) -> str:
    """Return the part of a snapshot's name that its address has: "20260303T071500"."""
    return Path(path).name.removeprefix("oversight-").removesuffix(".db")


def around(kept: Sequence[Kept], when: str) -> tuple[Kept | None, Kept | None]:
    """Return the last snapshot before an ISO day or moment and the first after it, None where there is none."""
    size = len(when)
    before = next((one for one in kept if one.published_at[:size] < when), None)
    return before, next((one for one in reversed(kept) if one.published_at[:size] > when), None)


def within(page: str, stamp: str) -> str:
    """Return a page of the site with its links and forms leading to the pages of the same snapshot.

    Stored words are escaped wherever they are shown, so that no quote of theirs looks like a link of ours.
    """
    return _LINK.sub(rf'\1="/snapshots/{stamp}/', page)
