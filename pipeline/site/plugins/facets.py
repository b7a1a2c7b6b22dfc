"""Datasette facets by code, month and party. They are counted from arrays in memory, so none times out."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import Any

import numpy as np
from datasette import hookimpl
from datasette.facets import Facet
from datasette.utils import path_with_added_args, path_with_removed_args, sqlite_timelimit

from pipeline.site.facets.counts import COLUMNS, Counts
from pipeline.site.facets.selection import CHOSEN
from pipeline.site.plugins.filters import LINKS, PARTY_ARGUMENTS
from pipeline.site.snapshots import VISITOR_MS
from pipeline.site.text.labels import words_for

IN_ORDER = ("origins_band", "contradicted")  # sorted by value, not by count


class CountedFacet(Facet):
    """Base of our facets: the rows that the request selects, and the shape of a facet block."""

    @property
    def counts(self) -> Counts:
        """The rows of the table as arrays."""
        return self.ds.get_database(self.database).counts(self.table)

    async def chosen(self) -> tuple[np.ndarray, tuple | None]:
        """Return a mask of the selected rows, and a cache key of the filters (None if they have none).

        All facets of a request share the mask.
        """
        known = CHOSEN.get()
        if known is not None and known.counts.table == self.table:
            return known.mask, known.key
        kept = self.request.scope.setdefault("oversight_chosen", {})
        if self.sql not in kept:
            kept[self.sql] = asyncio.ensure_future(self._choose())
        return await kept[self.sql], None

    async def _choose(self) -> np.ndarray:
        sql = f"select rowid {self.sql[self.sql.index(f' from {self.table}') :]}"

        def rowids(connection: sqlite3.Connection) -> list[tuple[int]]:
            cursor = connection.cursor()
            cursor.row_factory = None  # plain numbers, so the Meter is not needed
            with sqlite_timelimit(connection, VISITOR_MS):
                return cursor.execute(sql, self.params or {}).fetchall()

        found = await self.ds.get_database(self.database).execute_fn(rowids)
        return self.counts.chosen_rows(row[0] for row in found)

    async def counted(self, *what: Any) -> list:
        """Call a method of Counts for the selected rows; results are cached by filter.

        Args:
            what: The method's name, then its arguments, with ... in place of the mask of selected rows.
        """
        mask, key = await self.chosen()
        counts, name, *arguments = self.counts, *what
        whole = (key, what)
        if key is not None and (known := counts.remembered_facet(whole)) is not None:
            return known
        given = [mask if argument is ... else argument for argument in arguments]
        found = await asyncio.to_thread(getattr(counts, name), *given)
        if key is not None:
            counts.remember_facet(whole, found)
        return found

    def names(self) -> list[tuple[str, bool]]:
        """Return the requested facets: name, and whether the reader may hide it."""
        return [
            (each["config"].get("column") or each["config"]["simple"], each["source"] != "metadata")
            for each in self.get_configs()
        ]

    def block(self, name: str, hideable: bool, argument: str, values: list[tuple[Any, str, int]], more: bool) -> dict:
        """Return a facet block in Datasette's shape; `values` are (value, label, count)."""
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


class CodeFacet(CountedFacet):
    """Counts rows by a column of codes. Configured as {"code": "type"}."""

    type = "code"

    async def facet_results(self) -> tuple[list[dict], list[str]]:
        """Return the facet blocks and the names of those that timed out: none."""
        results = []
        for name, hideable in self.names():
            if name in COLUMNS.get(self.table, ()):
                size = self.get_facet_size()
                found = list(await self.counted("column", name, ...))
                if name in IN_ORDER:
                    found.sort(key=lambda pair: str(pair[0]))
                labels = self.counts.codes[name].labels
                values = [
                    (value, labels.get(value) or words_for(name, value, self.table), n) for value, n in found[:size]
                ]
                results.append(self.block(name, hideable, name, values, len(found) > size))
        return results, []


class MonthFacet(CountedFacet):
    """Counts events by month, newest first. Configured as {"month": "event_month"}."""

    type = "month"

    async def facet_results(self) -> tuple[list[dict], list[str]]:
        """Return the facet block and the names of those that timed out: none."""
        results = []
        for name, hideable in self.names():
            if self.table == "events" and name == "event_month":
                size = self.get_facet_size()
                found = sorted(await self.counted("column", name, ...), key=lambda pair: str(pair[0]), reverse=True)
                values = [(value, words_for(name, value), n) for value, n in found[:size]]
                results.append(self.block(name, hideable, name, values, len(found) > size))
        return results, []


class PartyFacet(CountedFacet):
    """Counts rows by party. Configured as {"party": "party"} for any role, or "actor", "model" and so on."""

    type = "party"

    async def facet_results(self) -> tuple[list[dict], list[str]]:
        """Return the facet blocks and the names of those that timed out: none."""
        results = []
        for name, hideable in self.names():
            argument = f"_{name}"
            if self.table not in LINKS or argument not in PARTY_ARGUMENTS:
                continue
            size = self.get_facet_size()
            role, kind, _ = PARTY_ARGUMENTS[argument]
            found = await self.counted("parties", ..., role, kind, size + 1)
            results.append(self.block(name, hideable, argument, found[:size], len(found) > size))
        return results, []


@hookimpl
def register_facet_classes() -> list[type[Facet]]:
    """Register the facets by code, month and party."""
    return [CodeFacet, MonthFacet, PartyFacet]
