"""Queries for an entity's profile: offices, related entities, and the parties that it acts with or against."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from itertools import product
from typing import Any

import numpy as np

from pipeline.site.facets.counts import Counts
from pipeline.site.queries.common import Row, many

SHOWN = 8  # partners shown under each heading; the table shows the rest
SIDES = ("actor", "target", "body")  # roles of parties that deal with each other
PARTNERS = ("organisation", "agency", "government", "person", "outlet")
WITH, AGAINST, FROM, TO_LIFT = "with", "against", "from", "lift"
HEADINGS = (WITH, AGAINST, FROM, TO_LIFT)  # in the order of the page
_WITH = ("agreement", "commitment", "access_grant")
_AGAINST = ("restriction", "enforcement", "litigation", "investigation", "refusal")


async def offices_of(db: Any, person_id: str) -> list[Row]:
    """Return a person's offices with their bodies, latest first."""
    sql = """
        select r.office, r.body_id, e.name as body_name, r.held_from, r.held_until
        from entity_roles r left join entities e on e.entity_id = r.body_id
        where r.person_id = ? order by r.held_until is not null, r.position desc
    """
    return await many(db, sql, [person_id])


async def holders_in(db: Any, body_id: str, size: int = 20) -> list[Row]:
    """Return the persons in the ledger who held an office in a body, present holders first."""
    sql = """
        select r.office, r.person_id, e.name as person_name, r.held_from, r.held_until
        from entity_roles r join entities e on e.entity_id = r.person_id
        where r.body_id = ? order by r.held_until is not null, r.held_from desc, e.name limit ?
    """
    return await many(db, sql, [body_id, size])


async def relations_of(db: Any, entity_id: str) -> dict[str, list[Row]]:
    """Return what an entity belongs to ("part_of", "made_by", "member_of") and what belongs to it ("parts", ...)."""
    sql = """
        select r.kind, r.holds_from, r.holds_until, 0 as down, e.entity_id, e.name, e.kind as is_a, e.n_events
        from entity_relations r join entities e on e.entity_id = r.other_id where r.entity_id = :id
        union all
        select r.kind, r.holds_from, r.holds_until, 1, e.entity_id, e.name, e.kind, e.n_events
        from entity_relations r join entities e on e.entity_id = r.entity_id where r.other_id = :id
        order by down, n_events desc, name limit 120
    """
    downward = {"part_of": "parts", "made_by": "models", "member_of": "members"}
    found: dict[str, list[Row]] = defaultdict(list)
    for row in await many(db, sql, {"id": entity_id}):
        found[downward[row["kind"]] if row["down"] else row["kind"]].append(row)
    return dict(found)


def dealing_kind(event_type: str, direction: str | None, mine: str, theirs: str) -> str:
    """Return how an entity deals with another party of an event: WITH, AGAINST, FROM, TO_LIFT, or "" for neither.

    Args:
        event_type: Type of the event.
        direction: "impose" or "lift" for restrictions.
        mine: The entity's role.
        theirs: The other party's role.
    """
    if event_type in _WITH and {mine, theirs} <= {"actor", "target", "body"}:
        return WITH
    if event_type in _AGAINST and {mine, theirs} == {"actor", "target"}:
        if event_type == "restriction" and direction == "lift":
            return TO_LIFT
        return AGAINST if mine == "actor" else FROM
    return ""


def _headings(counts: Counts) -> np.ndarray:
    """Return an array of indexes into HEADINGS, -1 for none, by event type, direction (0: none) and both roles."""
    types, directions = counts.codes["type"].values, (None, *counts.codes["direction"].values)
    roles = [(i, role) for i, role in enumerate(counts.role_names) if role in SIDES]
    found = np.full((len(types), len(directions), len(counts.role_names), len(counts.role_names)), -1, dtype=np.int8)
    wanted = [(i, kind) for i, kind in enumerate(types) if kind in _WITH or kind in _AGAINST]
    for (i, kind), (j, direction), (k, mine), (m, theirs) in product(wanted, enumerate(directions), roles, roles):
        if heading := dealing_kind(str(kind), str(direction) if direction else None, mine, theirs):
            found[i, j, k, m] = HEADINGS.index(heading)
    return found


def count_dealings(counts: Counts, entity_id: str, shown: int = SHOWN) -> dict[str, list[Row]]:
    """Return the parties that an entity acts with or against, by heading, most events first.

    Each has `n`, the events reported as happened, `n_open`, the other events, and the `types` of both.
    """
    headings, mine = _headings(counts), counts.links_of(entity_id)
    types, modalities = counts.codes["type"], counts.codes["modality"]
    rows, roles = counts.link_row[mine], counts.link_role[mine]
    possible: np.ndarray = np.any(headings >= 0, axis=(1, 3))
    relevant = possible[types.of[rows], roles]
    mine, rows, roles = mine[relevant], rows[relevant], roles[relevant]
    beside, theirs = counts.links_beside(mine)
    others, kinds, ways = counts.link_entity[theirs], types.of[rows], counts.codes["direction"].of[rows] + 1
    heading = headings[kinds[beside], ways[beside], roles[beside], counts.link_role[theirs]]
    partners = np.isin(counts.entities.kinds, [counts.kind_number(kind) for kind in PARTNERS])
    partners[counts.entities.place_of.get(entity_id, [])] = False
    wanted = partners[others] & (heading >= 0)
    beside, size = beside[wanted], len(partners)
    party = heading[wanted].astype(np.int64) * size + others[wanted]  # heading and party as one number
    occurred = modalities.values.index("occurred") if "occurred" in modalities.values else -2
    all_ = np.bincount(party, minlength=len(HEADINGS) * size)
    done = np.bincount(party[modalities.of[rows[beside]] == occurred], minlength=len(all_))
    names = counts.entities.names
    found: dict[str, list[Row]] = {}
    for i, name in enumerate(HEADINGS):
        places = np.flatnonzero(all_[i * size : (i + 1) * size]) + i * size
        top = [
            (names[at % size], at, int(done[at]), int(all_[at] - done[at]))
            for at in _top_places(places, done, all_, shown).tolist()
        ]
        top.sort(key=lambda one: (-one[2], -one[3], one[0]))
        if top:
            found[name] = [
                {
                    "entity_id": counts.entities.ids[at % size],
                    "name": party_name,
                    "n": n,
                    "n_open": n_open,
                    "types": [types.values[kind] for kind in np.unique(kinds[beside[party == at]])],
                }
                for party_name, at, n, n_open in top[:shown]
            ]
    return found


def _top_places(places: np.ndarray, done: np.ndarray, all_: np.ndarray, shown: int) -> np.ndarray:
    """Return the places with the most events, at least `shown` of them; ties are kept to be sorted by name."""
    if len(places) <= shown:
        return places
    rank = done[places] * (int(all_.max()) + 1) + all_[places] - done[places]
    return places[rank >= np.partition(rank, len(rank) - shown)[len(rank) - shown]]


async def dealings(db: Any, entity_id: str) -> dict[str, list[Row]]:
    """Return the parties that an entity acts with or against, by heading, most events first.

    `n` counts events reported as happened; `n_open` counts those planned, denied, alleged and so on.
    """
    return await asyncio.to_thread(count_dealings, db.counts("events"), entity_id)
