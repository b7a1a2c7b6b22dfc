"""Selects the rows that the filters in a URL match, in memory, so that SQL fetches only the rows of one page.

Datasette counts and sorts all matching rows to show 25, which takes half a second for a million events. Where the
arrays can evaluate the filters, a `Choice` answers the count, and the query is narrowed to the rows of the page. The
page still shows the full SQL.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from itertools import chain
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
from datasette.database import Results
from datasette.utils import sqlite_timelimit

from pipeline.site.facets.columns import Arrays
from pipeline.site.facets.counts import COLUMNS, DAYS, Counts, Filters, PartyFilters, day_number

OPEN, CLOSE = "/*filters*/", "/*end*/"  # around the conditions that a Choice replaces
FEW = 2_000  # selections up to this size are listed row by row
WORDS_MS = 3_000  # time limit of a full-text search
OPERATORS = {"": "in", "exact": "in", "in": "in", "gte": "gte", "lte": "lte"}
DISPLAY_ARGUMENTS = (  # change how a table is displayed, not which rows it contains
    *("_facet", "_sort", "_next", "_size", "_labels", "_nofacet", "_nocount", "_col", "_nocol", "_shape", "_json"),
    *("_stream", "_header", "_dl", "_trace"),
)
_MARKED = re.compile(re.escape(OPEN) + ".*" + re.escape(CLOSE), re.DOTALL)
_COUNT_ALL = re.compile(r"select count\(\*\) from \[?\"?(\w+)\"?\]?\s*")
_ORDER = re.compile(r"order by \[?(\w+)\]?( desc)?(?:, [\w\[\], ]+)? limit (\d+)$")
_PAGE = re.compile(
    r"(select (?!distinct).+? from \[?(\w+)\]? (?:where .+ )?order by \[?(\w+)\]?(?: desc)?) limit (\d+)$", re.DOTALL
)
_AFTER = r"\(\[?{column}\]? < :(\w+) or"


@dataclass(frozen=True)
class Choice:
    """The rows that a request's filters select. `key` identifies the filters in caches."""

    counts: Counts
    mask: np.ndarray
    key: tuple
    n: int

    def window(self, sql: str, params: Mapping[str, Any]) -> list[int] | None:
        """Return row ids that include every row of a page's query; None if the arrays cannot answer."""
        if self.n <= FEW:
            return self.counts.rowids[self.mask].tolist()
        order = _ORDER.search(sql)
        if not order or not order[2] or order[1] not in self.counts.days:
            return None
        days, mask, size = self.counts.days[order[1]], self.mask, int(order[3])
        after = re.search(_AFTER.format(column=order[1]), sql)
        if after:
            day = day_number(params[after[1]])
            mask = mask & (days <= day)
            size += int(np.count_nonzero(days[mask] == day))
        elif " is null and " in sql.partition(CLOSE)[2]:
            return None
        return self.counts.newest(mask, days, size)


CHOSEN: ContextVar[Choice | None] = ContextVar("chosen", default=None)  # by the filters of the current request


def answered(sql: str, params: Any, rows: Mapping[str, int], keys: Mapping[str, str]) -> tuple[Results | None, str]:
    """Return the result of a count that is already known, else None; and the SQL narrowed to the rows of its page.

    Also adds the primary key to the sort order. Datasette does so only from the second page on, so that rows would be
    lost or repeated between the first two.

    Args:
        sql: The query as Datasette generated it.
        params: Its parameters.
        rows: Number of rows by table.
        keys: Primary key by table.
    """
    if (page := _PAGE.match(sql)) and (key := keys.get(page[2])) and page[3] != key:
        sql = f"{page[1]}, {key} limit {page[4]}"
    choice = CHOSEN.get()
    if choice is not None and OPEN in sql:
        if sql.startswith("select count(*) from "):
            return _number(choice.n), sql
        window = choice.window(sql, params or {})
        if window is not None:
            sql = _MARKED.sub(f"rowid in ({', '.join(map(str, window))})", sql)
    elif (counted := _COUNT_ALL.fullmatch(sql)) and counted[1] in rows:
        return _number(rows[counted[1]]), sql
    return None, sql


def _number(n: int) -> Results:
    return Results([[n]], False, (("count(*)",),))


def marked(clauses: Iterable[str]) -> str:
    """Return conditions as one marked expression, which a Choice can replace."""
    return f"{OPEN} {' and '.join(f'({clause})' for clause in clauses) or '1'} {CLOSE}"


def unmarked(sql: str) -> str:
    """Return SQL without the marks of marked()."""
    empty = f"{OPEN} 1 {CLOSE}"
    for part in (f"{empty} and ", f" and {empty}", f"where {empty}", f"{OPEN} ", f" {CLOSE}"):
        sql = sql.replace(part, "")
    return sql


@dataclass(frozen=True)
class Asked:
    """The filters of a query string: on columns, on parties (argument and name), and on words."""

    columns: Filters
    parties: tuple[tuple[str, str], ...]
    words: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.columns or self.parties or self.words)


def asked(query_string: str, table: str, party_arguments: Iterable[str]) -> Asked | None:
    """Return the filters of a query string if the arrays can evaluate all of them, else None."""
    columns: list[tuple[str, str, tuple[str, ...]]] = []
    parties: list[tuple[str, str]] = []
    words: list[str] = []
    for key, value in parse_qsl(query_string):
        column, _, operator = key.partition("__")
        if key.startswith(DISPLAY_ARGUMENTS):
            continue
        if key in party_arguments:
            parties += [(key, value)] if value.strip() else []
        elif key == "_words":
            words.append(value)
        elif column in COLUMNS[table] and OPERATORS.get(operator) == "in" and not value.startswith("["):
            columns.append((column, "in", tuple(value.split(",")) if operator == "in" else (value,)))
        elif column in DAYS[table] and operator in ("gte", "lte") and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            columns.append((column, operator, (value,)))
        else:
            return None
    return Asked(tuple(columns), tuple(parties), tuple(words))


def choose(
    arrays: Arrays, table: str, filters: Filters, parties: PartyFilters, words: Iterable[tuple[str, np.ndarray]]
) -> Choice:
    """Return the rows that pass all filters; `words` are full-text queries, each with a mask of its matches."""
    counts: Counts = getattr(arrays, table)
    words = tuple(words)
    key = ("choice", tuple(filters), tuple(parties), tuple(text for text, _ in words))
    if (known := counts.remembered(key)) is not None:
        return known
    mask = counts.chosen(filters, parties)
    for _, found in words:
        mask &= found
    choice = Choice(counts, mask, key, int(np.count_nonzero(mask)))
    counts.remember(key, choice)
    return choice


def rows_with_words(
    connection: sqlite3.Connection, arrays: Arrays, table: str, match: str, named: Iterable[str]
) -> np.ndarray:
    """Return a mask of the rows with some words in the summary, in a quote, or in the name of a party.

    Args:
        connection: An open snapshot.
        arrays: Its arrays.
        table: "events" or "claims".
        match: The words as a full-text query.
        named: Ids of the entities whose names contain the words.
    """
    counts: Counts = getattr(arrays, table)
    key = ("words", match)
    if (known := counts.remembered(key)) is not None:
        return known
    cursor = connection.cursor()
    cursor.row_factory = None  # plain numbers, so the Meter is not needed

    def hits(of: str) -> np.ndarray:
        found = cursor.execute(f"select rowid from {of}_fts where {of}_fts match ?", [match])
        return np.fromiter(chain.from_iterable(found), dtype=np.int64)

    with sqlite_timelimit(connection, WORDS_MS):
        quoted = arrays.claims.places(hits("claims"))
        if table == "claims":
            mask = np.zeros(len(counts), dtype=bool)
            mask[quoted] = True
        else:
            mask = counts.chosen_rows(hits("events"))
            mask[arrays.event_of_claim[quoted]] = True
    mask |= counts.with_party("", named)
    counts.remember(key, mask)
    return mask
