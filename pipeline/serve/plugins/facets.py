"""A table page's request comes in, its facets by code, month and party go out (events: arrays in memory; claims: SQL).

An event facet never times out: what its filters choose is counted in pipeline.serve.counting.
"""

from __future__ import annotations

import asyncio
import sqlite3
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
from datasette import hookimpl
from datasette.database import QueryInterrupted
from datasette.facets import Facet
from datasette.utils import path_with_added_args, path_with_removed_args, sqlite_timelimit

from pipeline.serve import queries
from pipeline.serve.counting import COLUMNS, DAY, Filters, PartyFilters
from pipeline.serve.plugins.filters import LINKS, PARTY_ARGUMENTS
from pipeline.serve.words import words_for

IN_ORDER = ("origins_band", "contested")  # few values that have an order of their own
OPERATORS = {"": "in", "exact": "in", "in": "in", "gte": "gte", "lte": "lte"}
QUIET = ("_facet", "_sort", "_next", "_size", "_labels", "_nofacet", "_nocount", "_col", "_nocol", "_shape", "_json")


def simple_filters(query_string: str) -> tuple[Filters, list[tuple[str, str]]] | None:
    """Return the filters of an address on columns, and those on parties, if arrays can answer them all; else None."""
    filters: list[tuple[str, str, tuple[str, ...]]] = []
    parties: list[tuple[str, str]] = []
    for key, value in parse_qsl(query_string):
        column, _, operator = key.partition("__")
        if key.startswith(QUIET):
            continue
        if key in PARTY_ARGUMENTS:
            parties.append((key, value))
        elif column in COLUMNS and OPERATORS.get(operator) == "in" and not value.startswith("["):
            filters.append((column, "in", tuple(value.split(",")) if operator == "in" else (value,)))
        elif column == DAY and operator in ("gte", "lte") and len(value) == 10:
            filters.append((column, operator, (value,)))
        else:
            return None
    return filters, parties


async def chosen_events(db: Any, filters: Filters, parties: list[tuple[str, str]]) -> np.ndarray:
    """Return which events pass filters on columns and on parties, as simple_filters() gives them."""
    known: PartyFilters = [
        (PARTY_ARGUMENTS[argument].role, tuple(await queries.entity_ids_named(db, text)))
        for argument, text in parties
        if text.strip()
    ]
    return await asyncio.to_thread(db.event_counts.chosen, filters, known)


class Counted(Facet):
    """What our facets share: the events that the request chooses, and the shape of an answer."""

    async def chosen(self) -> np.ndarray:
        """Return which events pass; all facets of a request share one answer."""
        kept = self.request.scope.setdefault("oversight_chosen", {})
        if self.sql not in kept:
            kept[self.sql] = asyncio.ensure_future(self._choose())
        return await kept[self.sql]

    async def _choose(self) -> np.ndarray:
        db = self.ds.get_database(self.database)
        counts = db.event_counts
        if (simple := simple_filters(self.request.query_string)) is not None:
            return await chosen_events(db, *simple)
        sql = f"select rowid {self.sql[self.sql.index(' from events') :]}"

        def rowids(connection: sqlite3.Connection) -> list[tuple[int]]:
            cursor = connection.cursor()
            cursor.row_factory = None  # a number for each event: no need to be counted
            with sqlite_timelimit(connection, self.ds.sql_time_limit_ms):
                return cursor.execute(sql, self.params or {}).fetchall()

        return counts.chosen_rows(row[0] for row in await db.execute_fn(rowids))

    def names(self) -> list[tuple[str, bool]]:
        """Return the facets asked for: name, and whether the reader may hide it."""
        return [
            (each["config"].get("column") or each["config"]["simple"], each["source"] != "metadata")
            for each in self.get_configs()
        ]

    def block(self, name: str, hideable: bool, argument: str, values: list[tuple[Any, str, int]], more: bool) -> dict:
        """Return a facet as Datasette wants it; `values`: (value, words, count)."""
        pairs = self.get_querystring_pairs()
        removed = path_with_removed_args(self.request, {f"_facet_{self.type}": name})
        return {
            "name": name,
            "type": "column",
            "hideable": hideable,
            "toggle_url": self.ds.urls.path(removed),
            "results": [self._value(argument, pairs, *value) for value in values],
            "truncated": more,
        }

    def _value(self, argument: str, pairs: list[tuple[str, str]], value: Any, words: str, count: int) -> dict:
        taken = next((v for k, v in pairs if k == argument and v in (str(value), words)), None)
        if taken is None:
            path = path_with_added_args(self.request, {argument: value, "_next": None})
        else:
            path = path_with_removed_args(self.request, {argument: taken})
        url = self.ds.absolute_url(self.request, self.ds.urls.path(path))
        return {"value": value, "label": words, "count": count, "toggle_url": url, "selected": taken is not None}


class CodeFacet(Counted):
    """Counts events by a column of codes: {"code": "type"}."""

    type = "code"

    async def facet_results(self) -> tuple[list[dict], list[str]]:
        """Return the facet blocks; none times out."""
        results = []
        for name, hideable in self.names():
            if self.table == "events" and name in COLUMNS:
                size = self.get_facet_size()
                found = self.ds.get_database(self.database).event_counts.column(name, await self.chosen())
                if name in IN_ORDER:
                    found.sort(key=lambda pair: str(pair[0]))
                values = [(value, words_for(name, value, "events"), n) for value, n in found[:size]]
                results.append(self.block(name, hideable, name, values, len(found) > size))
        return results, []


class MonthFacet(Counted):
    """Counts events by month, the newest first: {"month": "event_month"}."""

    type = "month"

    async def facet_results(self) -> tuple[list[dict], list[str]]:
        """Return the facet block; it does not time out."""
        results = []
        for name, hideable in self.names():
            if self.table == "events" and name == "event_month":
                size = self.get_facet_size()
                found = self.ds.get_database(self.database).event_counts.column(name, await self.chosen())
                found.sort(key=lambda pair: str(pair[0]), reverse=True)
                values = [(value, words_for(name, value), n) for value, n in found[:size]]
                results.append(self.block(name, hideable, name, values, len(found) > size))
        return results, []


class PartyFacet(Counted):
    """Counts rows by who takes part in them: {"party": "party"} in any role, or "actor", "model" and so on."""

    type = "party"

    async def facet_results(self) -> tuple[list[dict], list[str]]:
        """Return the facet blocks, and the names of those of claims that timed out."""
        results, timed_out = [], []
        for name, hideable in self.names():
            argument = f"_{name}"
            if self.table not in LINKS or argument not in PARTY_ARGUMENTS:
                continue
            size = self.get_facet_size()
            try:
                found = await (self._of_events if self.table == "events" else self._of_claims)(argument, size + 1)
            except QueryInterrupted:
                timed_out.append(name)
                continue
            results.append(self.block(name, hideable, argument, found[:size], len(found) > size))
        return results, timed_out

    async def _of_events(self, argument: str, size: int) -> list[tuple[str, str, int]]:
        role, kind, _ = PARTY_ARGUMENTS[argument]
        counts = self.ds.get_database(self.database).event_counts
        return await asyncio.to_thread(counts.parties, await self.chosen(), role, kind, size)

    async def _of_claims(self, argument: str, size: int) -> list[tuple[str, str, int]]:
        limit = self.ds.setting("facet_time_limit_ms")
        sql = self._claims_sql(argument, size)
        found = await self.ds.execute(self.database, sql, self.params, custom_time_limit=limit)
        return [tuple(row) for row in found.rows]

    def _claims_sql(self, argument: str, size: int) -> str:
        """Return the SQL that counts claims; over all of them the counts that every entity carries are taken."""
        role, kind, _ = PARTY_ARGUMENTS[argument]
        of_kind = f"and e.kind = '{kind}'" if kind else ""
        if not self.params and self.sql.rstrip().endswith(" from claims") and not role:
            return f"""
                select e.entity_id, e.name, e.n_claims from entities e
                where e.n_claims > 0 {of_kind} order by e.n_claims desc, e.name limit {size}
            """
        return f"""
            select p.entity_id, e.name, count(distinct p.claim_id) as n
            from claim_participants p join entities e using (entity_id)
            where p.claim_id in (select claim_id from ({self.sql})) {f"and p.role = '{role}'" if role else ""} {of_kind}
            group by p.entity_id order by n desc, e.name limit {size}
        """


@hookimpl
def register_facet_classes() -> list[type[Facet]]:
    """Facets by code, by month and by party."""
    return [CodeFacet, MonthFacet, PartyFacet]
