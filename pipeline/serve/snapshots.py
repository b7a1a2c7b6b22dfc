"""The published folder comes in; the newest sound snapshot goes out, as a Datasette database that can be swapped.

Datasette keys its connections by database name, so that a swapped file would be read through old connections;
`SnapshotDatabase` keeps connections of its own.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

from datasette.database import Database

from pipeline.errors import OutsideFailure, WrongUse
from pipeline.serve.counting import EventCounts, load_counts
from pipeline.store.schema import refuse_other_schema

NAME = "oversight"
NEEDED = (
    "article_edits", "articles", "claim_participants", "claims", "conflict_values", "conflicts", "entities",
    "entity_names", "entity_relations", "entity_roles", "event_participants", "event_redirects", "events",
    "facts", "origin_edges", "origins", "outcomes", "revisions", "sources",
)  # fmt: skip
LENGTH_LIMIT = 8_000_000  # bytes of one value: randomblob(900000000) would take more than 1 GB
PATTERN_LIMIT = 200  # characters of a LIKE or GLOB pattern


class SnapshotDatabase(Database):
    """One immutable snapshot, with connections of its own for each thread."""

    def __init__(self, ds: Any, path: Path, counts: dict[str, int], event_counts: EventCounts) -> None:
        super().__init__(ds, path=str(path), is_mutable=False)
        self.event_counts = event_counts
        self._own = threading.local()
        self._cached_table_counts = counts
        self.cached_hash = path.name

    async def execute_fn(self, fn: Any) -> Any:
        """Run `fn(connection)` in one of Datasette's threads, on this snapshot's connection of that thread."""

        def in_thread() -> Any:
            connection = getattr(self._own, "connection", None)
            if connection is None:
                connection = self.connect()
                self.ds._prepare_connection(connection, self.name)
                self._own.connection = connection
            return fn(connection)

        if self.ds.executor is None:
            return in_thread()
        return await asyncio.get_running_loop().run_in_executor(self.ds.executor, in_thread)

    async def attached_databases(self) -> list:
        """Nothing is ever attached; asking SQLite would need the pragma that tells file paths."""
        return []


def current_snapshot(data_dir: Path) -> Path:
    """Return the real path of the newest snapshot; raise WrongUse with the cure where there is none."""
    link = Path(data_dir) / "published" / "current"
    if not link.exists():
        raise WrongUse(
            f"{link} is not there: this ledger has not been published yet. Run `oversight publish` first, "
            "or name the right folder with --data."
        )
    return link.resolve()


def published_at(path: Path | str) -> str:
    """Return when a snapshot was published, as an ISO moment in UTC, from its file name; "" for another name."""
    match = re.search(r"-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)", Path(path).name)
    return "{}-{}-{}T{}:{}:{}Z".format(*match.groups()) if match else ""


def check_snapshot(path: Path) -> dict[str, int]:
    """Return the number of rows of each table of a sound snapshot; raise OutsideFailure where it cannot be served."""
    connection = None
    try:
        connection = sqlite3.connect(f"file:{path}?immutable=1", uri=True)
        answer = connection.execute("pragma quick_check(1)").fetchone()[0]
        if answer != "ok":
            raise OutsideFailure(f"{path} is damaged ({answer}). Publish again with `oversight publish`.")
        tables = [name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")]
        refuse_other_schema(connection, path)
        if missing := sorted(set(NEEDED) - set(tables)):
            raise OutsideFailure(f"{path} is no published ledger: it lacks {', '.join(missing)}.")
        return {name: connection.execute(f'select count(*) from "{name}"').fetchone()[0] for name in tables}
    except sqlite3.Error as error:
        raise OutsideFailure(f"{path} cannot be read ({error}). Publish again with `oversight publish`.") from error
    finally:
        if connection is not None:
            connection.close()


def counts_of(path: Path) -> EventCounts:
    """Return the events of a sound snapshot as arrays to count facets with."""
    with closing(sqlite3.connect(f"file:{path}?immutable=1", uri=True)) as connection:
        return load_counts(connection)


def attach(ds: Any, path: Path) -> SnapshotDatabase:
    """Check a snapshot and make it the one that `ds` serves from the next request on; return the database."""
    database = SnapshotDatabase(ds, path, check_snapshot(path), counts_of(path))
    database.name = database.route = NAME
    databases = ds.databases.copy()
    databases[NAME] = database
    ds.databases = databases  # rebound, never changed in place: requests under way keep the old dictionary
    return database


def limit(connection: sqlite3.Connection) -> None:
    """Close what a reader's SQL could abuse: memory-eating values, slow patterns, the pragma that tells file paths."""
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LENGTH_LIMIT)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, PATTERN_LIMIT)
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    connection.set_authorizer(_allowed)


def _allowed(action: int, first: str | None, second: str | None, _database: str | None, _trigger: str | None) -> int:
    if action == sqlite3.SQLITE_ATTACH:
        return sqlite3.SQLITE_DENY
    if action == sqlite3.SQLITE_PRAGMA and (first or "").lower() == "database_list":
        return sqlite3.SQLITE_DENY
    if action == sqlite3.SQLITE_READ and (first or "").lower() == "pragma_database_list":
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK
