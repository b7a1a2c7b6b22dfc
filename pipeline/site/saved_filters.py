"""A filter of the list of events, as it stands in an address, comes in; what it means in SQL goes out, for alerts.

It means what it means on the site: the same parties, words, columns and operators.
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
from pipeline.site.text.words import COLUMN_WORDS

_UNDERSTOOD = (*PARTY_ARGUMENTS, "_words")
# What only says how a list is shown.
_SHOWN = (
    "_sort", "_size", "_next", "_facet", "_nofacet", "_nocount", "_shape", "_col", "_nocol", "_labels", "_stream",
    "_header", "_json", "_trace", "_dl",
)  # fmt: skip


# Columns that hold one of few words.
_CLOSED = ("type", "modality", "direction", "force", "contradicted", "origins_band", "closest_source_type")


@dataclass(frozen=True, slots=True)
class Saved:
    """SQL conditions on `events` with their parameters, and the words for them."""

    clauses: tuple[str, ...]
    params: dict[str, str]
    words: str


class _Arguments:
    """The arguments of an address, as the site's own filters ask for them."""

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
    """A snapshot as the site's own queries ask it."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db

    async def execute(self, sql: str, params: Sequence | Mapping = ()) -> _Rows:
        return _Rows(self.db.execute(sql, params).fetchall())


def saved_filter(db: sqlite3.Connection, query: str, whose: str) -> Saved:
    """Return what a filter means; raise WrongUse, naming `whose` it is, for one that the site does not know."""
    pairs = [pair for pair in parse_qsl(query, keep_blank_values=True) if not pair[0].startswith(_SHOWN)]
    plain = [(key, value) for key, value in pairs if key not in _UNDERSTOOD]
    columns = {row[1] for row in db.execute("pragma table_info(events)")}
    strange = sorted({key for key, _ in plain if key.partition("__")[0] not in columns})
    if strange or (query and not pairs):
        which = f" ({', '.join(strange)})" if strange else ""
        raise WrongUse(
            f"{whose}: its filter {query!r} is none that the list of events knows{which}. Choose events on the site's "
            "page /oversight/events and copy the part of its address behind the question mark."
        )
    for key, value in plain:
        _refuse_unknown_value(key, value, f"{whose}: its filter {query!r}")
    clauses, params = Filters(sorted(plain)).build_where_clauses("events")
    more = asyncio.run(conditions(_Database(db), _Arguments(pairs), "events"))
    said = "; ".join([*more.said, *(f"{key.replace('__', ' ')}: {value}" for key, value in plain)])
    return Saved((*clauses, *more.clauses), {**params, **more.params}, said)


def _refuse_unknown_value(key: str, value: str, where: str) -> None:
    """Raise WrongUse for a word that a column never holds: such a filter would choose nothing, and never say so."""
    column, _, operator = key.partition("__")
    if column not in _CLOSED or operator not in ("", "exact", "in", "not", "notin"):
        return
    known = COLUMN_WORDS[column]
    for word in value.split(",") if operator in ("in", "notin") else [value]:
        if word and word not in known:
            raise WrongUse(f"{where} asks for {column} {word!r}, which no event has. Write one of {', '.join(known)}.")
