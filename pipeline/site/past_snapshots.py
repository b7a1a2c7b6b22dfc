"""Earlier snapshots: lists those still kept, opens them, and rewrites a page's links to stay within one."""

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

STAMP = r"\d{8}T\d{6}(?:_\d{1,7})?"  # when a snapshot was published, numbered if several share a second
OPEN = 2  # earlier snapshots held open: each takes memory for its arrays
_LINK = re.compile(r'(?<!rel="latest-version" )\b(href|action)="/(?!/|static/|-/static|snapshots\b)')

# The earlier snapshot that the current request reads, and the path of the same page today.
AS_OF: ContextVar[tuple[PastSnapshot, str] | None] = ContextVar("as_of", default=None)


@dataclass(frozen=True, slots=True)
class PastSnapshot:
    """A snapshot that is still kept.

    Attributes:
        path: Its file.
        stamp: The part of its file name that appears in addresses.
        published_at: When it was published (ISO 8601, UTC).
        n_bytes: Size of the file.
        sha256: Hash from its seal; "" without a seal.
        rows: Number of rows by table, from its seal.
        can_be_read: Whether this program can show its pages; if not, it can only be downloaded.
        is_newest: Whether it is the one being served.
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


class PastSnapshots:
    """The snapshots kept in a folder. A few of them are held open."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._open: OrderedDict[Path, Snapshot] = OrderedDict()
        self._lock = asyncio.Lock()

    def kept(self, newest: Snapshot) -> list[PastSnapshot]:
        """Return the kept snapshots, latest first, up to the `newest` that is being served."""
        found = []
        for path in reversed(snapshots(self.folder)):
            stamp = stamp_of(path)
            if not re.fullmatch(STAMP, stamp) or path.name > newest.path.name:
                continue
            seal, is_newest = seal_of(path), path.resolve() == newest.path
            can_be_read = is_newest or (seal is not None and seal.schema_version == SCHEMA_VERSION)
            try:
                n_bytes = path.stat().st_size
            except FileNotFoundError:  # deleted a moment ago
                continue
            sha256, rows = (seal.sha256, seal.rows) if seal else ("", newest.rows if is_newest else {})
            found.append(PastSnapshot(path, stamp, published_at(path), n_bytes, sha256, rows, can_be_read, is_newest))
        return found

    async def opened(self, kept: PastSnapshot, newest: Snapshot) -> Snapshot:
        """Return a snapshot opened for reading; raise OutsideFailure if it cannot be read."""
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
    """Return the part of a snapshot's file name that appears in addresses: "20260303T071500"."""
    return Path(path).name.removeprefix("oversight-").removesuffix(".db")


def nearest(kept: Sequence[PastSnapshot], when: str) -> tuple[PastSnapshot | None, PastSnapshot | None]:
    """Return the last snapshot before an ISO day or time and the first after it; None where there is none."""
    size = len(when)
    before = next((one for one in kept if one.published_at[:size] < when), None)
    return before, next((one for one in reversed(kept) if one.published_at[:size] > when), None)


def links_within(page: str, stamp: str) -> str:
    """Return a page's HTML with its links and forms pointing into the same snapshot.

    Safe on stored text: it is escaped wherever it is shown, so it cannot contain what looks like a link of ours.
    """
    return _LINK.sub(rf'\1="/snapshots/{stamp}/', page)
