"""Publishes build.db as a checked snapshot under published/.

The snapshot is written under a new name and checked; only then is `current` pointed at it, atomically.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pipeline.errors import OversightError
from pipeline.ledger.publish import seals
from pipeline.ledger.schema import refuse_other_schema
from pipeline.ledger.sqlite_errors import StoreError, plain_errors

KEEP, KEEP_DAYS, KEEP_MONTHS = 7, 7, 120  # the last ones; days and months whose last snapshot is also kept
CURRENT = "current"
_COUNTED = ("articles", "events", "claims", "entities")
_FEW = 10  # smaller tables may shrink freely


class NotSane(OversightError):
    """The new ledger is so much smaller than the last one that something must be wrong."""


@dataclass(frozen=True, slots=True)
class PublishReport:
    """The current snapshot, its rows by table, and the snapshots removed."""

    path: Path
    n_bytes: int
    counts: Mapping[str, int]
    removed: tuple[str, ...]


def publish(
    build_path: Path,
    folder: Path,
    *,
    force: bool = False,
    keep: int = KEEP,
    keep_months: int = KEEP_MONTHS,
    now: datetime | None = None,
    prepare: Callable[[Path, Path], object] | None = None,
) -> PublishReport:
    """Publish build.db into `folder` and delete old snapshots (see `worth_keeping`).

    If anything fails, `current` still points at the last good snapshot. `prepare` is called with the checked copy and
    its future path before it is shown.

    Raises:
        StoreError: The file is damaged or the disk is full.
        NotSane: A table lost half its rows or more; `force` publishes anyway.
    """
    build_path, folder = Path(build_path), Path(folder)
    if not build_path.exists():
        raise StoreError(f"{build_path} does not exist. Run `oversight build` first.")
    with plain_errors(folder, "make"):
        folder.mkdir(parents=True, exist_ok=True)
        for leftover in folder.glob("*.db.tmp*"):
            leftover.unlink()
        for lone in folder.glob(f"*{seals.SUFFIX}*"):
            if not lone.with_name(lone.name.partition(seals.SUFFIX)[0]).exists():
                lone.unlink()
    name = _free_name(folder, now or datetime.now(UTC))
    temporary = folder / f"{name}.tmp"
    try:
        with plain_errors(build_path, "copy"):
            roll_back(build_path)
            _copy(build_path, temporary)
        counts = check(temporary)
        with plain_errors(build_path, "read"), closing(sqlite3.connect(temporary)) as connection:
            refuse_other_schema(connection, build_path)
        if not force:
            _compare(counts, last_counts(folder), folder)
        if prepare is not None:
            prepare(temporary, folder / name)
        with plain_errors(temporary, "publish"):
            _sync(temporary)
            seals.seal(temporary, folder / name)
            os.replace(temporary, folder / name)
            _point(folder, name)
            removed = _prune(folder, name, keep, keep_months)
            n_bytes = (folder / name).stat().st_size
    finally:
        temporary.unlink(missing_ok=True)
    return PublishReport(folder / name, n_bytes, counts, removed)


def roll_back(path: Path) -> None:
    """Roll back what a killed build left in a ledger: a read-only connection cannot do so."""
    if Path(f"{path}-journal").exists():
        with closing(sqlite3.connect(path, timeout=30)) as connection:
            connection.execute("select count(*) from sqlite_master").fetchone()


def _free_name(folder: Path, now: datetime) -> str:
    """Return a name by the second, later than any existing one, so that names sort by time."""
    name = f"oversight-{now.astimezone(UTC):%Y%m%dT%H%M%S}.db"
    taken = [path.name for path in snapshots(folder)]
    if not taken or name > taken[-1]:
        return name
    stem, _, number = taken[-1].removesuffix(".db").partition("_")
    return f"{stem}_{int(number or 0) + 1:04d}.db"


def _copy(build_path: Path, target: Path) -> None:
    with closing(sqlite3.connect(f"file:{build_path.absolute()}?mode=ro", uri=True, timeout=30)) as connection:
        connection.execute("vacuum into ?", (str(target),))
    with closing(sqlite3.connect(target)) as connection:
        connection.execute("pragma journal_mode=delete")


def check(path: Path) -> dict[str, int]:
    """Return the rows by table; raise StoreError if the ledger is damaged or has dangling references."""
    with (
        plain_errors(path, "check"),
        closing(sqlite3.connect(f"file:{path.absolute()}?mode=ro", uri=True)) as connection,
    ):
        said = connection.execute("pragma quick_check").fetchone()[0]
        if said != "ok":
            raise StoreError(f"{path} is damaged ({said}). Run `oversight build` again.")
        if broken := connection.execute("pragma foreign_key_check").fetchone():
            raise StoreError(
                f"{path}: row {broken[1]} of table {broken[0]} refers to a missing row of {broken[2]}. "
                "Run `oversight build` again."
            )
        tables = [row[0] for row in connection.execute(f"select name from sqlite_master where {_PLAIN} order by name")]
        return {table: connection.execute(f"select count(*) from {table}").fetchone()[0] for table in tables}


_PLAIN = "type = 'table' and name not like '%\\_fts%' escape '\\' and name not like 'sqlite\\_%' escape '\\' " + (
    "and name <> '_sqlite_migrations'"
)


def last_counts(folder: Path) -> dict[str, int]:
    """Return the rows by table of the current snapshot, {} if there is none or it is unreadable."""
    current = folder / CURRENT
    if not current.exists():
        return {}
    if seal := seals.seal_of(current.resolve()):
        return dict(seal.rows)
    try:
        return check(current.resolve())
    except StoreError:
        return {}


def _compare(counts: Mapping[str, int], before: Mapping[str, int], folder: Path) -> None:
    for table in _COUNTED:
        old, new = before.get(table, 0), counts.get(table, 0)
        if old >= _FEW and new * 2 <= old:
            raise NotSane(
                f"{folder / CURRENT} has {old} {table}, the new ledger only {new}, so it was not published. "
                "If that is right, publish with --force."
            )


def _sync(path: Path) -> None:
    with path.open("rb") as handle:
        os.fsync(handle.fileno())


def _point(folder: Path, name: str) -> None:
    """Point `current` at a snapshot, atomically."""
    link = folder / f".{CURRENT}.{os.getpid()}"
    link.unlink(missing_ok=True)
    link.symlink_to(name)
    os.replace(link, folder / CURRENT)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def snapshots(folder: Path) -> list[Path]:
    """Return the published snapshots, oldest first."""
    return sorted(path for path in Path(folder).glob("oversight-*.db") if path.is_file() and not path.is_symlink())


def worth_keeping(names: Sequence[str], keep: int = KEEP, keep_months: int = KEEP_MONTHS) -> set[str]:
    """Return the snapshots to keep, by names in order of time, so that cited ones can still be opened.

    These are the last `keep`, and the last one of each of the last seven days and `keep_months` months that have any.
    """
    days, months = {name[10:18]: name for name in names}, {name[10:16]: name for name in names}
    kept_months = sorted(months)[-keep_months:] if keep_months > 0 else []
    return {*names[-max(keep, 1) :], *(days[d] for d in sorted(days)[-KEEP_DAYS:]), *(months[m] for m in kept_months)}


def _prune(folder: Path, shown: str, keep: int, keep_months: int) -> tuple[str, ...]:
    found = snapshots(folder)
    kept = worth_keeping([path.name for path in found], keep, keep_months) | {shown}
    old = [path for path in found if path.name not in kept]
    for path in old:
        path.unlink()
        seals.beside(path).unlink(missing_ok=True)
    return tuple(path.name for path in old)
