"""Translates the query string of an events page into SQL conditions, so that an alert can use it as its filter.

Parties, words, columns and operators mean the same as on the site.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

from datasette.filters import Filters

from pipeline.errors import WrongUse
from pipeline.site.plugins.filters import PARTY_ARGUMENTS, conditions
from pipeline.site.text.labels import COLUMN_WORDS

_OWN_ARGUMENTS = (*PARTY_ARGUMENTS, "_words")
_DISPLAY_ARGUMENTS = (  # change how a list is displayed, not what it contains
    *("_sort", "_size", "_next", "_facet", "_nofacet", "_nocount", "_shape", "_col", "_nocol", "_labels", "_stream"),
    *("_header", "_json", "_trace", "_dl"),
)
_ENUM_COLUMNS = ("type", "modality", "direction", "force", "contradicted", "origins_band", "closest_source_type")


@dataclass(frozen=True, slots=True)
class SavedFilter:
    """SQL conditions on `events` with their parameters, and a description in words."""

    clauses: tuple[str, ...]
    params: dict[str, str]
    words: str


class _Arguments:
    """Stands in for Datasette's request arguments."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        self.values: dict[str, list[str]] = defaultdict(list)
        for key, value in pairs:
            self.values[key].append(value)

    def getlist(self, name: str) -> list[str]:
        return self.values.get(name, [])


@dataclass(frozen=True, slots=True)
class _Rows:
    rows: list[sqlite3.Row]


class _Database:
    """Stands in for Datasette's database, over a plain connection."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db

    async def execute(self, sql: str, params: Sequence | Mapping = ()) -> _Rows:
        return _Rows(self.db.execute(sql, params).fetchall())


def saved_filter(db: sqlite3.Connection, query: str, owner: str) -> SavedFilter:
    """Return the SQL conditions of a query string such as "type=restriction&_party=openai".

    Args:
        db: The snapshot that the filter will run on.
        query: The part of an events page's address after the question mark.
        owner: What the filter belongs to, for error messages.

    Raises:
        WrongUse: The filter names a column or value that events do not have.
    """
    pairs = [pair for pair in parse_qsl(query, keep_blank_values=True) if not pair[0].startswith(_DISPLAY_ARGUMENTS)]
    plain = [(key, value) for key, value in pairs if key not in _OWN_ARGUMENTS]
    columns = {row[1] for row in db.execute("pragma table_info(events)")}
    unknown = sorted({key for key, _ in plain if key.partition("__")[0] not in columns})
    if unknown or (query and not pairs):
        which = f" ({', '.join(unknown)})" if unknown else ""
        raise WrongUse(
            f"{owner}: the events table has no such filter{which}: {query!r}. Filter events on the site's page "
            "/oversight/events and copy the part of its address after the question mark."
        )
    for key, value in plain:
        _refuse_unknown_value(key, value, f"{owner}: the filter {query!r}")
    clauses, params = Filters(sorted(plain)).build_where_clauses("events")
    more = asyncio.run(conditions(_Database(db), _Arguments(pairs), "events"))
    words = "; ".join([*more.words, *(f"{key.replace('__', ' ')}: {value}" for key, value in plain)])
    return SavedFilter((*clauses, *more.clauses), {**params, **more.params}, words)


def _refuse_unknown_value(key: str, value: str, where: str) -> None:
    """Raise WrongUse for a value that a column never has: such a filter would silently match nothing."""
    column, _, operator = key.partition("__")
    if column not in _ENUM_COLUMNS or operator not in ("", "exact", "in", "not", "notin"):
        return
    known = COLUMN_WORDS[column]
    for word in value.split(",") if operator in ("in", "notin") else [value]:
        if word and word not in known:
            raise WrongUse(f"{where} has {column} {word!r}, which no event has. Use one of {', '.join(known)}.")
