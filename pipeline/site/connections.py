"""Connections to a snapshot, restricted in what SQL can do; and the process that runs visitors' SQL.

Light to import: each of those processes imports this module alone.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LENGTH_LIMIT = 8_000_000  # bytes of one value: randomblob(900000000) would take more than 1 GB
ANSWER_LIMIT = 20_000_000  # characters and bytes of all values in one result
PATTERN_LIMIT = 200  # characters of a LIKE or GLOB pattern
CELL_BYTES = 30  # what a value takes at least, in a result and in each format
# For visitors' own SQL: no published value is longer, and no table is as wide.
VISITOR_LENGTH_LIMIT, VISITOR_COLUMN_LIMIT = 1_000_000, 100
_STEPS = 1_000  # of SQLite's virtual machine, between two looks at the clock
_HIDDEN = frozenset({"pragma_database_list", "sqlite_stmt", "sqlite_dbpage", "dbstat"})


class Meter:
    """A row factory that measures what a query fetches and aborts it above a limit."""

    def __init__(self, limit: int = ANSWER_LIMIT) -> None:
        self.limit = limit
        self.spent = 0

    def __call__(self, cursor: sqlite3.Cursor, row: tuple) -> sqlite3.Row:
        self.spent += CELL_BYTES * len(row)
        for value in row:
            if value.__class__ is str or value.__class__ is bytes:
                self.spent += len(value)
        if self.spent > self.limit:
            raise sqlite3.DataError(f"The result is larger than {self.limit // 1_000_000} MB. Select less.")
        return sqlite3.Row(cursor, row)


def connect(path: Path) -> sqlite3.Connection:
    """Open a snapshot read-only, without locks: it never changes."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True, check_same_thread=False)


def limit(connection: sqlite3.Connection) -> None:
    """Restrict what SQL can do on a connection: size of values and results, LIKE patterns, pragmas, file paths."""
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
    if action == sqlite3.SQLITE_READ and (first or "").lower() in _HIDDEN:
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK


@dataclass(frozen=True, slots=True)
class Question:
    """A query with visitors' SQL. `most_rows`: None for all rows; `most_cells`: rows beyond are left out."""

    path: Path
    sql: str
    params: Any
    milliseconds: int
    most_rows: int | None
    most_cells: int


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of an answer, as tuples; whether there were more; and the names of the columns."""

    rows: list[tuple]
    truncated: bool
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a query failed: the name of SQLite's exception class, and its message."""

    kind: str
    words: str


def answering() -> Callable[[Question], Rows | Refused]:
    """Return the function that a process for visitors' SQL runs."""
    connections: dict[Path, sqlite3.Connection] = {}

    def answer(question: Question) -> Rows | Refused:
        if question.path not in connections:
            connections.clear()  # of an older snapshot
            connections[question.path] = connection = connect(question.path)
            limit(connection)
            connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, VISITOR_LENGTH_LIMIT)
            connection.setlimit(sqlite3.SQLITE_LIMIT_COLUMN, VISITOR_COLUMN_LIMIT)
        return _answer(connections[question.path], question)

    return answer


def _answer(connection: sqlite3.Connection, question: Question) -> Rows | Refused:
    ends = time.perf_counter() + question.milliseconds / 1000
    connection.set_progress_handler(lambda: time.perf_counter() >= ends, _STEPS)
    connection.row_factory.spent = 0  # type: ignore[union-attr]
    try:
        cursor = connection.execute(question.sql, question.params if question.params is not None else {})
        columns = tuple(column[0] for column in cursor.description or ())
        most = question.most_cells // max(1, len(columns))
        if question.most_rows is not None:
            most = min(most, question.most_rows)
        rows = cursor.fetchmany(most + 1)
        cursor.close()
    except sqlite3.Error as error:
        return Refused(type(error).__name__, str(error))
    return Rows([tuple(row) for row in rows[:most]], len(rows) > most, columns)
