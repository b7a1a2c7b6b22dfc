"""A snapshot's events and their parties come in; counts of facets under filters go out, from arrays in memory.

SQLite counts a facet over a date range by looking up every row: hundreds of milliseconds at 100,000 events. Each facet
column is kept here as one small integer for each event, so that any combination of filters is counted in milliseconds.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from pipeline.store.indexes import FACETS

COLUMNS = FACETS["events"]
DAY = "date_start"
BATCH = 50_000
Filters = Sequence[tuple[str, str, tuple[str, ...]]]  # (column, "in" | "gte" | "lte", values)
PartyFilters = Sequence[tuple[str, tuple[str, ...]]]  # (role, "" for any; entity ids, of which one must take part)


@dataclass(frozen=True)
class Codes:
    """One column: `of` holds for each event the place of its value in `values`; -1 where it has none."""

    values: tuple[object, ...]
    of: np.ndarray


@dataclass(frozen=True)
class EventCounts:
    """All events of a snapshot as arrays, in the order of their row ids."""

    rowids: np.ndarray
    days: np.ndarray  # year, month and day of the first day as one number; 0 where it is unknown
    reported: np.ndarray  # the day of the first report, likewise
    last_reported: np.ndarray
    codes: Mapping[str, Codes]
    entity_ids: tuple[str, ...]
    names: tuple[str, ...]
    kinds: np.ndarray  # of entities: place in `kind_names`
    kind_names: tuple[str, ...]
    role_names: tuple[str, ...]
    link_event: np.ndarray  # of each pair of event and party: place of the event
    link_entity: np.ndarray
    link_role: np.ndarray
    kept_pairs: dict[tuple[str, str], tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)  # filled when asked

    def chosen(self, filters: Filters, parties: PartyFilters) -> np.ndarray:
        """Return for each event whether it passes all the filters."""
        mask = np.ones(len(self.rowids), dtype=bool)
        for column, operator, values in filters:
            if column == DAY:
                day = day_number(values[0])
                mask &= (self.days >= day) & (self.days > 0) if operator == "gte" else (self.days <= day)
                mask &= self.days > 0
            else:
                known = [i for i, value in enumerate(self.codes[column].values) if str(value) in values]
                mask &= np.isin(self.codes[column].of, known)
        for role, ids in parties:
            events, entities = self.pairs(role)
            wanted = [self.place_of[id_] for id_ in ids if id_ in self.place_of]
            with_party = np.zeros(len(self.rowids), dtype=bool)
            with_party[events[np.isin(entities, wanted)]] = True
            mask &= with_party
        return mask

    def chosen_rows(self, rowids: Iterable[int]) -> np.ndarray:
        """Return for each event whether its row id is among these."""
        mask = np.zeros(len(self.rowids), dtype=bool)
        wanted = np.fromiter(rowids, dtype=np.int64)
        if len(self.rowids) and len(wanted):
            places = np.searchsorted(self.rowids, wanted)
            places = places[places < len(self.rowids)]
            mask[places] = np.isin(self.rowids[places], wanted)
        return mask

    def column(self, name: str, mask: np.ndarray) -> list[tuple[object, int]]:
        """Return the values of a column among the chosen events with their counts, the most frequent first."""
        codes = self.codes[name]
        found = codes.of[mask]
        counts = np.bincount(found[found >= 0], minlength=len(codes.values))
        pairs = [(value, int(n)) for value, n in zip(codes.values, counts, strict=True) if n]
        return sorted(pairs, key=lambda pair: (-pair[1], str(pair[0])))

    @cached_property
    def place_of(self) -> dict[str, int]:
        """The place of each entity by its id."""
        return {id_: i for i, id_ in enumerate(self.entity_ids)}

    def pairs(self, role: str, kind: str = "") -> tuple[np.ndarray, np.ndarray]:
        """Return the places of events and entities that go together in a role ("": any), each pair once."""
        if (role, kind) not in self.kept_pairs:
            events, entities = self.link_event, self.link_entity
            wanted = np.ones(len(events), dtype=bool) if not role else self.link_role == self.role_number(role)
            if kind:
                wanted &= self.kinds[entities] == self.kind_number(kind)
            events, entities = events[wanted], entities[wanted]
            if not role and len(events):  # one party may stand in an event in two roles: it counts once
                size = len(self.entity_ids)
                both = np.unique(events.astype(np.int64) * size + entities)
                events, entities = (both // size).astype(np.int32), (both % size).astype(np.int32)
            self.kept_pairs[role, kind] = events, entities
        return self.kept_pairs[role, kind]

    def parties(self, mask: np.ndarray, role: str, kind: str, size: int) -> list[tuple[str, str, int]]:
        """Return (id, name, number of chosen events) of the parties in a role ("": any) and of a kind ("": any)."""
        events, entities = self.pairs(role, kind)
        counts = np.bincount(entities[mask[events]], minlength=len(self.entity_ids))
        top = np.flatnonzero(counts)
        if len(top) > size:
            least = np.partition(counts[top], len(top) - size)[len(top) - size]
            top = top[counts[top] >= least]
        found = [(self.entity_ids[i], self.names[i], int(counts[i])) for i in top]
        return sorted(found, key=lambda one: (-one[2], one[1], one[0]))[:size]

    def newest(self, mask: np.ndarray, by: np.ndarray, size: int) -> list[int]:
        """Return the row ids of the chosen events with the latest days in `by`, all those of the last such day too."""
        places = np.flatnonzero(mask)
        if len(places) > size:
            days = by[places]
            places = places[days >= np.partition(days, len(days) - size)[len(days) - size]]
        return [int(rowid) for rowid in self.rowids[places]]

    def by_year(self, mask: np.ndarray) -> list[tuple[str, str, int]]:
        """Return (year, modality, number) of the chosen events by the year of their first day; "" for no day."""
        modalities = self.codes["modality"]
        keys, counts = np.unique(self.days[mask] // 10_000 * 100 + modalities.of[mask], return_counts=True)
        found = [
            (int(k) // 100, str(modalities.values[int(k) % 100]), int(n)) for k, n in zip(keys, counts, strict=True)
        ]
        return sorted((f"{year:04d}" if year else "", modality, n) for year, modality, n in found)

    def role_number(self, role: str) -> int:
        """Return the number of a role, -1 for one that nobody has."""
        return self.role_names.index(role) if role in self.role_names else -1

    def kind_number(self, kind: str) -> int:
        """Return the number of a kind of entity, -1 for one that nobody is."""
        return self.kind_names.index(kind) if kind in self.kind_names else -1


def day_number(day: str | None) -> int:
    """Return an ISO day as a number that keeps the order ("2026-05-31": 20260531); a part of one counts from below."""
    digits = "".join(c for c in (day or "")[:10] if c.isdigit())
    return int(digits.ljust(8, "0")) if digits else 0


def load_counts(connection: sqlite3.Connection) -> EventCounts:
    """Read all events and their parties of a snapshot into arrays: about 10 bytes for each event and facet column."""
    rowids, days, reported, last_reported = [], [], [], []
    seen: dict[str, dict[object, int]] = {column: {} for column in COLUMNS}
    of: dict[str, list[np.ndarray]] = {column: [] for column in COLUMNS}
    place: dict[str, int] = {}
    cursor = connection.execute(
        f"select rowid, event_id, {DAY}, first_reported_on, last_reported_on, {', '.join(COLUMNS)} from events "
        "order by rowid"
    )
    while batch := cursor.fetchmany(BATCH):
        rowid, ids, starts, first, last, *columns = zip(*batch, strict=True)
        place.update(zip(ids, range(len(place), len(place) + len(ids)), strict=True))
        rowids.append(np.array(rowid, dtype=np.int64))
        for kept, texts in ((days, starts), (reported, first), (last_reported, last)):
            kept.append(np.array([day_number(text) for text in texts], dtype=np.int32))
        for name, values in zip(COLUMNS, columns, strict=True):
            known = seen[name]
            for value in set(values) - known.keys():
                if value is not None:
                    known[value] = len(known)
            of[name].append(np.array([known.get(value, -1) for value in values], dtype=np.int32))
    entities = connection.execute("select entity_id, name, kind from entities order by entity_id").fetchall()
    number = {row[0]: i for i, row in enumerate(entities)}
    kinds = {kind: i for i, kind in enumerate(sorted({row[2] for row in entities}))}
    roles: dict[str, int] = {}
    links: list[np.ndarray] = []
    cursor = connection.execute("select event_id, entity_id, role from event_participants")
    while batch := cursor.fetchmany(BATCH):
        links.append(
            np.array([(place[e], number[n], roles.setdefault(r, len(roles))) for e, n, r in batch], dtype=np.int32)
        )
    joined = np.concatenate(links) if links else np.zeros((0, 3), dtype=np.int32)
    return EventCounts(
        rowids=_joined(rowids, np.int64),
        days=_joined(days, np.int32),
        reported=_joined(reported, np.int32),
        last_reported=_joined(last_reported, np.int32),
        codes={name: Codes(tuple(seen[name]), _joined(of[name], np.int32)) for name in COLUMNS},
        entity_ids=tuple(row[0] for row in entities),
        names=tuple(row[1] for row in entities),
        kinds=np.array([kinds[row[2]] for row in entities], dtype=np.int16),
        kind_names=tuple(kinds),
        role_names=tuple(roles),
        link_event=np.ascontiguousarray(joined[:, 0]),
        link_entity=np.ascontiguousarray(joined[:, 1]),
        link_role=np.ascontiguousarray(joined[:, 2]).astype(np.int8),
    )


def _joined(parts: list[np.ndarray], kind: type) -> np.ndarray:
    return np.concatenate(parts) if parts else np.zeros(0, dtype=kind)
