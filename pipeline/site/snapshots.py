"""Snapshots as a Datasette database whose file can be swapped while the site runs.

Datasette keys its connections by database name, so it would read a swapped file through old connections. A `Snapshot`
therefore keeps its own connections, and each request is pinned to the snapshot that it began with.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from datasette.database import Database, QueryInterrupted, Results
from datasette.utils.asgi import Base400

from pipeline.errors import OutsideFailure, WrongUse
from pipeline.ledger.publish.export import defused
from pipeline.ledger.publish.seals import rows_of, seal_of
from pipeline.ledger.schema import refuse_other_schema
from pipeline.site.connections import Meter, Question, Refused, Rows, answering, connect
from pipeline.site.facets.columns import Arrays, arrays_of
from pipeline.site.facets.counts import Counts
from pipeline.site.facets.selection import answered
from scrapers.process_pool import Limits, Lost, Pool

NAME = "oversight"
REQUIRED_TABLES = (
    "article_edits",
    "articles",
    "claim_participants",
    "claims",
    "contradiction_sides",
    "contradictions",
    "entities",
    "entity_names",
    "entity_relations",
    "entity_roles",
    "event_participants",
    "event_redirects",
    "events",
    "build_info",
    "fetch_outcomes",
    "origin_edges",
    "origins",
    "revisions",
    "sources",
)
MOST_COUNTED = 1_000  # cached results with counts per snapshot
PAGE_MS, VISITOR_MS = 5_000, 1_000  # time limit of one query: on our own pages, and where visitors shape the query
VISITOR_QUERIES_AT_ONCE, VISITOR_QUERIES_WAITING = 2, 10  # in a visitor's own SQL: running, and running or waiting
VISITOR_QUERIES_OF_ONE = 4  # of one client, running or waiting
# A process for visitors' SQL ends for good what SQLite cannot interrupt, such as one call of instr() over long texts.
VISITOR_LIMITS = Limits(cpu_seconds=1.5, wall_seconds=4.0, memory_mb=160, renewed_after=1_000, attempts=1)
# Values in one result of a visitor's SQL, by format: a page of more would hold up all others while it is rendered.
CELLS_ON_A_PAGE, CELLS_IN_A_FILE = 10_000, 200_000

# Of the current request: its snapshot; whether it carries a visitor's own SQL; whether a visitor shapes its query at
# all, by filters, sorting or SQL.
PINNED: ContextVar[Snapshot | None] = ContextVar("pinned", default=None)
HAS_VISITOR_SQL: ContextVar[bool] = ContextVar("has_visitor_sql", default=False)
HAS_VISITOR_INPUT: ContextVar[bool] = ContextVar("has_visitor_input", default=False)
IS_CSV: ContextVar[bool] = ContextVar("is_csv", default=False)
IS_FILE: ContextVar[bool] = ContextVar("is_file", default=False)  # JSON, CSV or a workbook, and not a page
CLIENT: ContextVar[str] = ContextVar("client", default="")  # its network address

_KEY_SQL = "select name from pragma_table_info(?) where pk > 0 order by pk"


class Busy(Base400):
    """Too many visitors' queries are waiting."""

    status = 503


@dataclass(eq=False)
class Snapshot:
    """One published file: row counts and primary keys of its tables, its arrays, and a connection per thread."""

    path: Path
    rows: dict[str, int]
    keys: dict[str, str]
    arrays: Arrays
    counted: dict[tuple, Results] = field(default_factory=dict)  # cached results with counts
    pages: dict[str, Any] = field(default_factory=dict)  # cached template context by page
    per_thread: threading.local = field(default_factory=threading.local)


class LedgerDatabase(Database):
    """The published ledger. Its file can be swapped; each request sees a single snapshot throughout."""

    def __init__(self, ds: Any, snapshot: Snapshot) -> None:
        self.newest = snapshot
        super().__init__(ds, path=str(snapshot.path), is_mutable=False)
        self.name = self.route = NAME
        self._visitor_threads = ThreadPoolExecutor(max_workers=VISITOR_QUERIES_AT_ONCE, thread_name_prefix="visitors")
        self._pools: dict[int, Pool] = {}  # one process for each of these threads
        self._waiting: Counter[str] = Counter()  # visitors' queries, running or waiting, by client

    @property
    def shown(self) -> Snapshot:
        """The snapshot of the current request; outside requests, the newest."""
        return PINNED.get() or self.newest

    @property
    def path(self) -> str:
        """The file of the current snapshot."""
        return str(self.shown.path)

    @path.setter
    def path(self, value: str) -> None:
        """Ignore Datasette's assignment: the current snapshot determines the path."""

    @property
    def arrays(self) -> Arrays:
        """The events and claims of the current snapshot as arrays."""
        return self.shown.arrays

    def counts(self, table: str) -> Counts:
        """Return the arrays of the table "events" or "claims"."""
        return getattr(self.shown.arrays, table)

    @property
    def cached_table_counts(self) -> dict[str, int]:
        """Number of rows by table."""
        return self.shown.rows

    @property
    def hash(self) -> str:
        """The file name, which identifies the contents: no snapshot is ever rewritten."""
        return self.shown.path.name

    @property
    def size(self) -> int:
        """The size of the file in bytes."""
        return self.shown.path.stat().st_size

    def connect(self, write: bool = False) -> sqlite3.Connection:
        """Open the current snapshot read-only."""
        return connect(self.shown.path)

    async def execute(self, sql: str, params: Any = None, *args: Any, **kwargs: Any) -> Results:
        """Run SQL as Datasette does, but answer counts from memory and fetch only a page's rows where possible."""
        if IS_CSV.get():
            return _defused(await self._execute(sql, params, *args, **kwargs))
        return await self._execute(sql, params, *args, **kwargs)

    async def _execute(self, sql: str, params: Any = None, *args: Any, **kwargs: Any) -> Results:
        if HAS_VISITOR_INPUT.get():
            kwargs["custom_time_limit"] = min(kwargs.get("custom_time_limit") or VISITOR_MS, VISITOR_MS)
        if HAS_VISITOR_SQL.get():
            return await self._answer_visitor(sql, params, *args, **kwargs)
        answer, sql = answered(sql, params, self.shown.rows, self.shown.keys)
        if answer is not None or " group by " not in sql:
            return answer or await super().execute(sql, params, *args, **kwargs)
        # A snapshot never changes, so each count is cached.
        key = (sql, tuple(sorted(params.items())) if isinstance(params, dict) else tuple(params or ()))
        if (known := self.shown.counted.get(key)) is None:
            if not params:  # a facet over a whole table runs once per snapshot, so it gets no time limit
                kwargs.pop("custom_time_limit", None)
            known = await super().execute(sql, params, *args, **kwargs)
            if len(self.shown.counted) < MOST_COUNTED:
                self.shown.counted[key] = known
        return known

    async def cached_page(self, page: str, make: Callable[[], Awaitable[Any]]) -> Any:
        """Return the cached result of `make()` for a page of the current snapshot, calling it the first time.

        Only for pages without parameters. Callers must not change the result.
        """
        pages = self.shown.pages
        if page not in pages:
            pages[page] = await make()
        return pages[page]

    async def execute_fn(self, fn: Any) -> Any:
        """Run `fn(connection)` in a thread, on that thread's connection to the current snapshot."""
        snapshot = self.shown

        def in_thread() -> Any:
            connection = getattr(snapshot.per_thread, "connection", None)
            if connection is None:
                connection = connect(snapshot.path)
                self.ds._prepare_connection(connection, self.name)
                snapshot.per_thread.connection = connection
            if isinstance(connection.row_factory, Meter):
                connection.row_factory.spent = 0
            try:
                return fn(connection)
            except Exception as error:
                raise _without_frames(error) from None

        if self.ds.executor is None:
            return in_thread()
        return await asyncio.get_running_loop().run_in_executor(self.ds.executor, in_thread)

    async def _answer_visitor(
        self,
        sql: str,
        params: Any = None,
        truncate: bool = False,
        custom_time_limit: int = VISITOR_MS,
        page_size: int | None = None,
        log_sql_errors: bool = True,
    ) -> Results:
        """Run a query with visitors' SQL in a process of its own, as Database.execute() does in a thread.

        Raises:
            Busy: Too many visitors' queries are waiting, or too many of this client.
            QueryInterrupted: It took too long.
            sqlite3.Error: It failed, or took too much memory.
        """
        client = CLIENT.get()
        if self._waiting.total() >= VISITOR_QUERIES_WAITING or self._waiting[client] >= VISITOR_QUERIES_OF_ONE:
            raise Busy("Too many SQL queries are waiting. Please try again in a moment.")
        most = self.ds.max_returned_rows + (self.ds.max_returned_rows == (page_size or self.ds.page_size))
        cells = CELLS_IN_A_FILE if IS_FILE.get() else CELLS_ON_A_PAGE
        question = Question(self.shown.path, sql, params, custom_time_limit, most if truncate else None, cells)
        self._waiting[client] += 1
        try:
            loop = asyncio.get_running_loop()
            found = await loop.run_in_executor(self._visitor_threads, self._ask, question)
        finally:
            self._waiting[client] -= 1
        return _results(found, question)

    def _ask(self, question: Question) -> Rows | Refused | Lost:
        pool = self._pools.setdefault(threading.get_ident(), Pool(answering, (), VISITOR_LIMITS, 1))
        return pool.call(question)

    async def attached_databases(self) -> list:
        """Return no databases: none is ever attached, and the pragma that lists them reveals file paths."""
        return []


def _results(found: Rows | Refused | Lost, question: Question) -> Results:
    """Return the answer of a process as Datasette's Results; raise what Datasette would have raised."""
    if isinstance(found, Refused):
        error = getattr(sqlite3, found.kind, sqlite3.DatabaseError)(found.words)
        if found.words == "interrupted":
            raise QueryInterrupted(error, question.sql, question.params)
        raise error
    if isinstance(found, Lost):
        if "memory" in found.why:
            raise sqlite3.DataError("The query needs too much memory. Select less.")
        raise QueryInterrupted(sqlite3.OperationalError("interrupted"), question.sql, question.params)
    return _of_tuples(found.rows, found.truncated, found.columns)


def _of_tuples(rows: Iterable[tuple], truncated: bool, columns: Sequence[str]) -> Results:
    quoted = ", ".join('null as "{}"'.format(name.replace('"', '""')) for name in columns)
    with closing(sqlite3.connect(":memory:")) as memory:
        cursor = memory.execute(f"select {quoted or 'null'}")
        return Results([sqlite3.Row(cursor, row) for row in rows], truncated, cursor.description)


def _defused(found: Results) -> Results:
    """Return a result for CSV, in which no text is a formula of a spreadsheet."""
    rows = (tuple(map(defused, row)) for row in found.rows)
    return _of_tuples(rows, found.truncated, [column[0] for column in found.description])


def _without_frames(error: Exception) -> Exception:
    """Return an error without the frames that it passed through, with the errors in it.

    They would keep a cursor alive until another thread drops the error, which then waits for the cursor's connection.
    """
    for one in (error, error.__cause__, error.__context__, getattr(error, "e", None)):
        if isinstance(one, BaseException):
            one.__traceback__ = None
    return error


def current_snapshot(data_dir: Path) -> Path:
    """Return the resolved path of the newest snapshot; raise WrongUse if nothing has been published."""
    link = Path(data_dir) / "published" / "current"
    if not link.exists():
        raise WrongUse(
            f"{link} does not exist: this ledger has not been published yet. Run `oversight publish` first, "
            "or pass the right folder with --data."
        )
    return link.resolve()


def published_at(path: Path | str) -> str:
    """Return when a snapshot was published (ISO 8601, UTC), read from its file name; "" for any other name."""
    match = re.search(r"-(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)", Path(path).name)
    return "{}-{}-{}T{}:{}:{}Z".format(*match.groups()) if match else ""


def check_snapshot(path: Path) -> dict[str, int]:
    """Return the number of rows by table of a valid snapshot; raise OutsideFailure if it cannot be served.

    A snapshot with an intact seal from `publish` is not checked again.
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
        if missing := sorted(set(REQUIRED_TABLES) - tables):
            raise OutsideFailure(f"{path} is not a published ledger: it lacks {', '.join(missing)}.")
        return dict(seal.rows) if seal else rows_of(path)
    except sqlite3.Error as error:
        raise OutsideFailure(f"{path} cannot be read ({error}). Publish again with `oversight publish`.") from error
    finally:
        if connection is not None:
            connection.close()


def open_snapshot(path: Path) -> Snapshot:
    """Check a snapshot and load its arrays; raise OutsideFailure if it cannot be served."""
    rows = check_snapshot(path)
    with closing(connect(path)) as connection:
        keys = {table: ", ".join(row[0] for row in connection.execute(_KEY_SQL, [table])) for table in rows}
    arrays = arrays_of(path)
    arrays.events.warm_up()
    arrays.claims.warm_up()
    return Snapshot(path, rows, {table: key for table, key in keys.items() if key}, arrays)


def attach(ds: Any, path: Path) -> None:
    """Check a snapshot and make `ds` serve it from the next request on.

    Requests already running keep reading the snapshot that they began with.
    """
    snapshot = open_snapshot(path)
    if NAME in ds.databases:
        ds.databases[NAME].newest = snapshot
    else:
        ds.databases = ds.databases | {NAME: LedgerDatabase(ds, snapshot)}
