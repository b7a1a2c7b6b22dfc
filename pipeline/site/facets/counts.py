"""Rows of a snapshot and their parties as arrays in memory: facet counts under any filters, and the newest rows.

To count a facet over a date range, SQLite looks up every row: hundreds of milliseconds at 100,000 events. Here each
facet column is one small integer per row, so any combination of filters is counted in milliseconds.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock
from typing import Any

import numpy as np

from pipeline.ledger.publish.indexes import FACETS

COLUMNS = {table: FACETS[table] for table in ("events", "claims")}
DAY = {"events": "date_start", "claims": "published_on"}
DAYS = {"events": ("date_start", "first_reported_on", "last_reported_on"), "claims": ("published_on",)}
SHOWN_PAIRS = {  # (role, kind) of the facets by party in datasette_metadata.json
    "events": (("", ""), ("actor", ""), ("target", ""), ("", "model"), ("instrument", "")),
    "claims": (("", ""),),
}
MOST_KEPT, MOST_FACETS_KEPT = 24, 2_000  # cached masks (a byte per row each) and cached facets (short lists)
LOCK = Lock()
Filters = Sequence[tuple[str, str, tuple[str, ...]]]  # (column, "in" | "gte" | "lte", values)
PartyFilters = Sequence[tuple[str, tuple[str, ...]]]  # (role or "" for any; entity ids, one of which must take part)


@dataclass(frozen=True)
class Codes:
    """One column: `of` has the index into `values` for each row, -1 for no value."""

    values: tuple[object, ...]
    of: np.ndarray
    labels: Mapping[object, str] = field(default_factory=dict)  # names of values that are ids


@dataclass(frozen=True)
class Parties:
    """The entities that can take part in a row."""

    ids: tuple[str, ...]
    names: tuple[str, ...]
    kinds: np.ndarray  # index into `kind_names`
    kind_names: tuple[str, ...]

    @cached_property
    def place_of(self) -> dict[str, int]:
        """The index of each entity by its id."""
        return {id_: i for i, id_ in enumerate(self.ids)}


@dataclass(frozen=True)
class Counts:
    """All rows of a table as arrays, in row id order."""

    table: str
    rowids: np.ndarray
    days: Mapping[str, np.ndarray]  # by column: year, month and day as one number; 0 for unknown
    codes: Mapping[str, Codes]
    entities: Parties
    role_names: tuple[str, ...]
    link_row: np.ndarray  # of each link between a row and a party: index of the row
    link_entity: np.ndarray
    link_role: np.ndarray
    kept_pairs: dict[tuple[str, str], tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)
    kept: OrderedDict[tuple, Any] = field(default_factory=OrderedDict)  # cached selections, most recently used last
    kept_facets: OrderedDict[tuple, list] = field(default_factory=OrderedDict)

    def __len__(self) -> int:
        return len(self.rowids)

    @property
    def all(self) -> np.ndarray:
        """A mask that every row passes."""
        return np.ones(len(self), dtype=bool)

    def chosen(self, filters: Filters, parties: PartyFilters) -> np.ndarray:
        """Return a mask of the rows that pass all filters."""
        mask = self.all
        for column, operator, values in filters:
            if column in self.days:
                day = day_number(values[0])
                days = self.days[column]
                mask &= (days >= day) & (days > 0) if operator == "gte" else (days <= day) & (days > 0)
            else:
                mask &= self._with_values(column, values)
        for role, ids in parties:
            mask &= self.with_party(role, ids)
        return mask

    def _with_values(self, column: str, values: Sequence[str]) -> np.ndarray:
        codes = self.codes[column]
        known = [i for i, value in enumerate(codes.values) if str(value) in values]
        if len(known) == 1:
            return codes.of == known[0]
        passing = np.zeros(len(codes.values) + 1, dtype=bool)  # the last element is for -1: no value
        passing[known] = True
        return passing[codes.of]

    def with_party(self, role: str, ids: Iterable[str]) -> np.ndarray:
        """Return a mask of the rows in which one of these entities has a role ("" for any)."""
        mask = np.zeros(len(self), dtype=bool)
        for id_ in ids:
            links = self.links_of(id_)
            if role:
                links = links[self.link_role[links] == self.role_number(role)]
            mask[self.link_row[links]] = True
        return mask

    def links_of(self, entity_id: str) -> np.ndarray:
        """Return the indexes of an entity's links in `link_row`, `link_entity` and `link_role`."""
        place = self.entities.place_of.get(entity_id)
        if place is None:
            return np.zeros(0, dtype=np.int32)
        order, starts = self.by_entity
        return order[starts[place] : starts[place + 1]]

    @cached_property
    def by_entity(self) -> tuple[np.ndarray, np.ndarray]:
        """The indexes of links sorted by entity, and where each entity's links begin."""
        places = np.arange(len(self.link_entity), dtype=np.int64)
        order = (np.sort(self.link_entity.astype(np.int64) << 32 | places) & 0xFFFFFFFF).astype(np.int32)
        counts = np.bincount(self.link_entity, minlength=len(self.entities.ids))
        return order, np.concatenate(([0], np.cumsum(counts)))

    @cached_property
    def row_starts(self) -> np.ndarray:
        """Where the links of each row begin; links are sorted by row."""
        return np.concatenate(([0], np.cumsum(np.bincount(self.link_row, minlength=len(self)))))

    def links_beside(self, links: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return all links of the rows of some links.

        Returns:
            Two arrays: the index into `links` whose row it shares, and the index of the link itself.
        """
        rows = self.link_row[links]
        starts, sizes = self.row_starts[rows], self.row_starts[rows + 1] - self.row_starts[rows]
        beside = np.repeat(np.arange(len(links)), sizes)
        first = np.repeat(starts - np.concatenate(([0], np.cumsum(sizes)[:-1])), sizes) if len(links) else starts
        return beside, np.arange(len(beside)) + first

    def warm_up(self) -> None:
        """Compute the cached properties and the pairs of the standard facets now, so that no reader waits for them."""
        self.by_entity, self.row_starts  # noqa: B018 - cached from now on
        for role, kind in SHOWN_PAIRS[self.table]:
            self.pairs(role, kind)

    def places(self, rowids: Iterable[int] | np.ndarray) -> np.ndarray:
        """Return the indexes of rows by row id; unknown row ids are left out."""
        wanted = rowids if isinstance(rowids, np.ndarray) else np.fromiter(rowids, dtype=np.int64)
        if not len(self) or not len(wanted):
            return np.zeros(0, dtype=np.int64)
        places = np.searchsorted(self.rowids, wanted)
        places[places == len(self)] = 0
        return places[self.rowids[places] == wanted]

    def chosen_rows(self, rowids: Iterable[int] | np.ndarray) -> np.ndarray:
        """Return a mask of the rows with these row ids."""
        mask = np.zeros(len(self), dtype=bool)
        mask[self.places(rowids)] = True
        return mask

    def column(self, name: str, mask: np.ndarray) -> list[tuple[object, int]]:
        """Return the values of a column among the masked rows with their counts, most frequent first."""
        codes = self.codes[name]
        counts = np.bincount(codes.of[mask].astype(np.int64) + 1, minlength=len(codes.values) + 1)[1:]
        pairs = [(value, int(n)) for value, n in zip(codes.values, counts, strict=True) if n]
        return sorted(pairs, key=lambda pair: (-pair[1], str(pair[0])))

    def pairs(self, role: str, kind: str = "") -> tuple[np.ndarray, np.ndarray]:
        """Return row and entity indexes linked by a role ("" for any), each pair once."""
        if (role, kind) not in self.kept_pairs:
            rows, entities = self.link_row, self.link_entity
            wanted = np.ones(len(rows), dtype=bool) if not role else self.link_role == self.role_number(role)
            if kind:
                wanted &= self.entities.kinds[entities] == self.kind_number(kind)
            rows, entities = rows[wanted], entities[wanted]
            if len(rows) and (not role or self.table == "claims"):  # a party may occur twice in a row; count it once
                size = len(self.entities.ids)
                both = np.sort(rows.astype(np.int64) * size + entities)  # np.unique takes a hundred times as long
                both = both[np.concatenate(([True], both[1:] != both[:-1]))]
                rows, entities = (both // size).astype(np.int32), (both % size).astype(np.int32)
            self.kept_pairs[role, kind] = rows, entities
        return self.kept_pairs[role, kind]

    def parties(self, mask: np.ndarray, role: str, kind: str, size: int) -> list[tuple[str, str, int]]:
        """Return (id, name, number of masked rows) of the most frequent parties in a role and of a kind.

        Args:
            mask: The rows to count.
            role: Role of the party, "" for any.
            kind: Kind of entity, "" for any.
            size: Number of parties.
        """
        rows, entities = self.pairs(role, kind)
        counts = np.bincount(entities[mask[rows]], minlength=len(self.entities.ids))
        top = np.flatnonzero(counts)
        if len(top) > size:
            least = np.partition(counts[top], len(top) - size)[len(top) - size]
            top = top[counts[top] >= least]
        found = [(self.entities.ids[i], self.entities.names[i], int(counts[i])) for i in top]
        return sorted(found, key=lambda one: (-one[2], one[1], one[0]))[:size]

    def newest(self, mask: np.ndarray, by: np.ndarray, size: int) -> list[int]:
        """Return the row ids of the masked rows with the latest days in `by`, at least `size`; ties are included."""
        places = np.flatnonzero(mask)
        if len(places) > size:
            days = by[places]
            places = places[days >= np.partition(days, len(days) - size)[len(days) - size]]
        return self.rowids[places].tolist()

    def by_year(self, mask: np.ndarray) -> list[tuple[str, str, int]]:
        """Return (year, modality, number) of the masked rows by the year of their first day; "" for no day."""
        modalities = self.codes["modality"]
        years = self.days[DAY[self.table]][mask] // 10_000
        counts = np.bincount(years * 100 + modalities.of[mask])
        found = [(k // 100, str(modalities.values[k % 100]), int(counts[k])) for k in np.flatnonzero(counts).tolist()]
        return sorted((f"{year:04d}" if year else "", modality, n) for year, modality, n in found)

    def crossed(self, one: str, other: str, mask: np.ndarray) -> list[tuple[object, object, int]]:
        """Return the number of masked rows for each pair of values of two columns."""
        a, b = self.codes[one], self.codes[other]
        both = (a.of >= 0) & (b.of >= 0) & mask
        size = len(b.values)
        counts = np.bincount(a.of[both].astype(np.int64) * size + b.of[both], minlength=len(a.values) * size)
        return [(a.values[i // size], b.values[i % size], int(counts[i])) for i in np.flatnonzero(counts)]

    def role_number(self, role: str) -> int:
        """Return the number of a role, -1 for one that does not occur."""
        return self.role_names.index(role) if role in self.role_names else -1

    def kind_number(self, kind: str) -> int:
        """Return the number of a kind of entity, -1 for one that does not occur."""
        names = self.entities.kind_names
        return names.index(kind) if kind in names else -1

    def remembered(self, key: tuple) -> Any:
        """Return the cached selection for a key, or None."""
        return _known(self.kept, key)

    def remember(self, key: tuple, chosen: Any) -> None:
        """Cache a selection; the least recently used one is dropped."""
        _keep(self.kept, key, chosen, MOST_KEPT)

    def remembered_facet(self, key: tuple) -> list | None:
        """Return the cached facet for a key, or None."""
        return _known(self.kept_facets, key)

    def remember_facet(self, key: tuple, found: list) -> None:
        """Cache a facet."""
        _keep(self.kept_facets, key, found, MOST_FACETS_KEPT)


def _known(kept: OrderedDict[tuple, Any], key: tuple) -> Any:
    with LOCK:
        if key in kept:
            kept.move_to_end(key)
        return kept.get(key)


def _keep(kept: OrderedDict[tuple, Any], key: tuple, value: Any, most: int) -> None:
    with LOCK:
        kept[key] = value
        while len(kept) > most:
            kept.popitem(last=False)


def day_number(day: str | None) -> int:
    """Return an ISO day as a number in the same order: 20260531 for "2026-05-31", 20260500 for "2026-05"."""
    digits = "".join(c for c in (day or "")[:10] if c.isdigit())
    return int(digits.ljust(8, "0")) if digits else 0
