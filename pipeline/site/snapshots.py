"""The published folder comes in; the newest sound snapshot goes out, as a Datasette database that can be swapped.

Datasette keys its connections by database name, so that a swapped file would be read through old connections; a
`Snapshot` keeps connections of its own, and each request is pinned to the snapshot that it began with.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from datasette.database import Database, Results
from datasette.utils.asgi import Base400

from pipeline.errors import OutsideFailure, WrongUse
from pipeline.ledger.publish.seals import rows_of, seal_of
from pipeline.ledger.schema import refuse_other_schema
from pipeline.site.facets.columns import Arrays, arrays_of
from pipeline.site.facets.counts import Counts
from pipeline.site.facets.selection import answered

NAME = "oversight"
NEEDED = (
    "article_edits", "articles", "claim_participants", "claims", "contradiction_sides", "contradictions", "entities",
    "entity_names", "entity_relations", "entity_roles", "event_participants", "event_redirects", "events",
    "build_info", "fetch_outcomes", "origin_edges", "origins", "revisions", "sources",
)  # fmt: skip
LENGTH_LIMIT = 8_000_000  # bytes of one value: randomblob(900000000) would take more than 1 GB
MOST_COUNTED = 1_000  # answers with counts that are kept for a snapshot
ANSWER_LIMIT = 20_000_000  # characters and bytes of all values of one answer
PAGE_MS, ASKED_MS = 5_000, 1_000  # longest time of one SQL: of our own pages, and of what a visitor shapes
QUESTIONS_AT_ONCE, QUESTIONS_WAITING = 2, 10  # in a visitor's SQL: running, and running or waiting
PATTERN_LIMIT = 200  # characters of a LIKE or GLOB pattern

PINNED: ContextVar[Snapshot | None] = ContextVar("pinned", default=None)  # the snapshot of the request under way
QUESTION: ContextVar[bool] = ContextVar("question", default=False)  # whether it asks in a visitor's SQL
ASKED: ContextVar[bool] = ContextVar("asked", default=False)  # whether a visitor shapes its SQL: filters, sorting, SQL

_KEY_SQL = "select name from pragma_table_info(?) where pk > 0 order by pk"


class Busy(Base400):
    """Too many questions in SQL wait already."""

    status = 503


@dataclass(eq=False)
class Snapshot:
    """One published file: the rows and primary keys of its tables, its arrays, and connections for each thread."""

    path: Path
    rows: dict[str, int]
    keys: dict[str, str]
    arrays: Arrays
    counted: dict[tuple, Results] = field(default_factory=dict)  # answers that were counted before
    kept: dict[str, Any] = field(default_factory=dict)  # what whole pages are made of, by page
    own: threading.local = field(default_factory=threading.local)


class LedgerDatabase(Database):
    """The published ledger, whose file can be swapped: a request sees one snapshot from its first query to its last."""

    def __init__(self, ds: Any, snapshot: Snapshot) -> None:
        self.newest = snapshot
        super().__init__(ds, path=str(snapshot.path), is_mutable=False)
        self.name = self.route = NAME
        self._questions = ThreadPoolExecutor(max_workers=QUESTIONS_AT_ONCE, thread_name_prefix="questions")
        self._waiting = 0

    @property
    def shown(self) -> Snapshot:
        """The snapshot of the request under way, the newest outside of requests."""
        return PINNED.get() or self.newest

    @property
    def path(self) -> str:
        """The file of the snapshot that is shown."""
        return str(self.shown.path)

    @path.setter
    def path(self, value: str) -> None:
        """Datasette sets what is known already."""

    @property
    def arrays(self) -> Arrays:
        """The events and claims of the snapshot that is shown, as arrays."""
        return self.shown.arrays

    def counts(self, table: str) -> Counts:
        """Return the arrays of table events or claims."""
        return getattr(self.shown.arrays, table)

    @property
    def cached_table_counts(self) -> dict[str, int]:
        """The rows of each table; counted when the snapshot was taken up."""
        return self.shown.rows

    @property
    def hash(self) -> str:
        """The name of the file stands for its contents: no file is written twice."""
        return self.shown.path.name

    @property
    def size(self) -> int:
        """The size of the file in bytes."""
        return self.shown.path.stat().st_size

    def connect(self, write: bool = False) -> sqlite3.Connection:
        """Open the snapshot that is shown, to read only."""
        return connect(self.shown.path)

    async def execute(self, sql: str, params: Any = None, *args: Any, **kwargs: Any) -> Results:
        """Run SQL as Datasette does; a count that is known in memory, and the rows of a page, need less of it."""
        if ASKED.get():
            kwargs["custom_time_limit"] = min(kwargs.get("custom_time_limit") or ASKED_MS, ASKED_MS)
        if QUESTION.get():
            return await super().execute(sql, params, *args, **kwargs)
        answer, sql = answered(sql, params, self.shown.rows, self.shown.keys)
        if answer is not None or " group by " not in sql:
            return answer or await super().execute(sql, params, *args, **kwargs)
        # Whatever is counted once over a file that never changes need not be counted again.
        key = (sql, tuple(sorted(params.items())) if isinstance(params, dict) else tuple(params or ()))
        if (known := self.shown.counted.get(key)) is None:
            if not params:  # facets over a whole table: once for each snapshot they may take their time
                kwargs.pop("custom_time_limit", None)
            known = await super().execute(sql, params, *args, **kwargs)
            if len(self.shown.counted) < MOST_COUNTED:
                self.shown.counted[key] = known
        return known

    async def once(self, page: str, make: Callable[[], Awaitable[Any]]) -> Any:
        """Return what `make()` gave for a page of the snapshot that is shown, or make it now: its file never changes.

        For the few pages that have one address only; nobody may alter what is returned.
        """
        kept = self.shown.kept
        if page not in kept:
            kept[page] = await make()
        return kept[page]

    async def execute_fn(self, fn: Any) -> Any:
        """Run `fn(connection)` in a thread, on this snapshot's connection of that thread.

        Questions in a visitor's SQL have threads of their own, so that they cannot hold up the pages; raises Busy where
        too many wait for one.
        """
        snapshot, is_question = self.shown, QUESTION.get()
        if is_question and self._waiting >= QUESTIONS_WAITING:
            raise Busy("Too many questions in SQL are waiting already. Please try again in a moment.")

        def in_thread() -> Any:
            connection = getattr(snapshot.own, "connection", None)
            if connection is None:
                connection = connect(snapshot.path)
                self.ds._prepare_connection(connection, self.name)
                snapshot.own.connection = connection
            if isinstance(connection.row_factory, Meter):
                connection.row_factory.spent = 0
            return fn(connection)

        if self.ds.executor is None:
            return in_thread()
        loop = asyncio.get_running_loop()
        if not is_question:
            return await loop.run_in_executor(self.ds.executor, in_thread)
        self._waiting += 1
        try:
            return await loop.run_in_executor(self._questions, in_thread)
        finally:
            self._waiting -= 1

    async def attached_databases(self) -> list:
        """Nothing is ever attached; asking SQLite would need the pragma that tells file paths."""
        return []


class Meter:
    """A row factory that counts what a query fetches and ends it beyond a limit: many values can be as large as one."""

    def __init__(self, limit: int = ANSWER_LIMIT) -> None:
        self.limit = limit
        self.spent = 0

    def __call__(self, cursor: sqlite3.Cursor, row: tuple) -> sqlite3.Row:
        for value in row:
            if value.__class__ is str or value.__class__ is bytes:
                self.spent += len(value)
        if self.spent > self.limit:
            raise sqlite3.DataError(f"The answer is larger than {self.limit // 1_000_000} MB. Ask for less.")
        return sqlite3.Row(cursor, row)


def connect(path: Path) -> sqlite3.Connection:
    """Open a snapshot to read only; it never changes, so no locks are taken."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True, check_same_thread=False)


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
    """Return the number of rows of each table of a sound snapshot; raise OutsideFailure where it cannot be served.

    One that is still as `publish` checked and sealed it is not checked through again.
    """
    connection = None
    try:
        seal = seal_of(path)
        connection = connect(path)
        answer = "ok" if seal else connection.execute("pragma quick_check(1)").fetchone()[0]
        if answer != "ok":
            raise OutsideFailure(f"{path} is damaged ({answer}). Publish again with `oversight publish`.")
        tables = {name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")}
        refuse_other_schema(connection, path)
        if missing := sorted(set(NEEDED) - tables):
            raise OutsideFailure(f"{path} is no published ledger: it lacks {', '.join(missing)}.")
        return dict(seal.rows) if seal else rows_of(path)
    except sqlite3.Error as error:
        raise OutsideFailure(f"{path} cannot be read ({error}). Publish again with `oversight publish`.") from error
    finally:
        if connection is not None:
            connection.close()


def open_snapshot(path: Path) -> Snapshot:
    """Check a snapshot and take up its arrays; raises OutsideFailure where it cannot be served."""
    rows = check_snapshot(path)
    with closing(connect(path)) as connection:
        keys = {table: ", ".join(row[0] for row in connection.execute(_KEY_SQL, [table])) for table in rows}
    arrays = arrays_of(path)
    arrays.events.warm_up()
    arrays.claims.warm_up()
    return Snapshot(path, rows, {table: key for table, key in keys.items() if key}, arrays)


def attach(ds: Any, path: Path) -> None:
    """Check a snapshot and make it the one that `ds` serves from the next request on.

    Requests under way go on reading the one that they began with.
    """
    snapshot = open_snapshot(path)
    if NAME in ds.databases:
        ds.databases[NAME].newest = snapshot
    else:
        ds.databases = ds.databases | {NAME: LedgerDatabase(ds, snapshot)}


def limit(connection: sqlite3.Connection) -> None:
    """Close what a reader's SQL could abuse: memory-eating values and answers, slow patterns, pragmas, file paths."""
    connection.row_factory = Meter()
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
