"""SQL for who an entity is and whom it deals with: a snapshot and an id come in, plain dictionaries go out."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from itertools import product
from typing import Any

import numpy as np

from pipeline.site.facets.counts import Counts
from pipeline.site.queries.pages import Row, many

SHOWN = 8  # partners shown under each heading; the table shows the rest
SIDES = ("actor", "target", "body")  # the roles of those who deal with each other
PARTNERS = ("organisation", "agency", "government", "person", "outlet")
# How two parties of an event stand to each other: kind and direction of the event, whose side the entity is on.
WITH, AGAINST, FROM, TO_LIFT = "with", "against", "from", "lift"
HEADINGS = (WITH, AGAINST, FROM, TO_LIFT)  # in the order of the page
_WITH = ("agreement", "commitment", "access_grant")
_AGAINST = ("restriction", "enforcement", "litigation", "investigation", "refusal")


async def offices_of(db: Any, person_id: str) -> list[Row]:
    """Return a person's offices with their bodies, the latest first."""
    sql = """
        select r.office, r.body_id, e.name as body_name, r.held_from, r.held_until
        from entity_roles r left join entities e on e.entity_id = r.body_id
        where r.person_id = ? order by r.held_until is not null, r.position desc
    """
    return await many(db, sql, [person_id])


async def holders_in(db: Any, body_id: str, size: int = 20) -> list[Row]:
    """Return who of the ledger held an office in a body, those in office first."""
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


def side(event_type: str, direction: str | None, mine: str, theirs: str) -> str:
    """Return how an entity stands to another party of an event, "" where the event says nothing of it.

    `mine`, `theirs`: the roles of both. A signed agreement is with each other, a fine is against its target, a lifted
    ban is neither: it has a heading of its own.
    """
    if event_type in _WITH and {mine, theirs} <= {"actor", "target", "body"}:
        return WITH
    if event_type in _AGAINST and {mine, theirs} == {"actor", "target"}:
        if event_type == "restriction" and direction == "lift":
            return TO_LIFT
        return AGAINST if mine == "actor" else FROM
    return ""


def _headings(counts: Counts) -> np.ndarray:
    """Return the place in HEADINGS, -1 for none, by kind and direction of event (0: none) and by both roles."""
    types, directions = counts.codes["type"].values, (None, *counts.codes["direction"].values)
    roles = [(i, role) for i, role in enumerate(counts.role_names) if role in SIDES]
    found = np.full((len(types), len(directions), len(counts.role_names), len(counts.role_names)), -1, dtype=np.int8)
    for (i, kind), (j, direction), (k, mine), (m, theirs) in product(
        [(i, kind) for i, kind in enumerate(types) if kind in _WITH or kind in _AGAINST],
        enumerate(directions), roles, roles,
    ):  # fmt: skip
        if heading := side(str(kind), direction, mine, theirs):  # type: ignore[arg-type]
            found[i, j, k, m] = HEADINGS.index(heading)
    return found


def dealt(counts: Counts, entity_id: str, shown: int = SHOWN) -> dict[str, list[Row]]:
    """Return the parties that stand with or against an entity in its events, by heading, most events first.

    `n`: events reported as happened, `n_open`: the others, `types`: the kinds of both.
    """
    headings, mine = _headings(counts), counts.links_of(entity_id)
    types, modalities = counts.codes["type"], counts.codes["modality"]
    rows, roles = counts.link_row[mine], counts.link_role[mine]
    telling = (headings >= 0).any(axis=(1, 3))[types.of[rows], roles]
    mine, rows, roles = mine[telling], rows[telling], roles[telling]
    beside, theirs = counts.links_beside(mine)
    others, kinds, ways = counts.link_entity[theirs], types.of[rows], counts.codes["direction"].of[rows] + 1
    heading = headings[kinds[beside], ways[beside], roles[beside], counts.link_role[theirs]]
    partners = np.isin(counts.entities.kinds, [counts.kind_number(kind) for kind in PARTNERS])
    partners[counts.entities.place_of.get(entity_id, [])] = False
    wanted = partners[others] & (heading >= 0)
    beside, size = beside[wanted], len(partners)
    party = heading[wanted].astype(np.int64) * size + others[wanted]  # one number for heading and party
    occurred = modalities.values.index("occurred") if "occurred" in modalities.values else -2
    all_ = np.bincount(party, minlength=len(HEADINGS) * size)
    done = np.bincount(party[modalities.of[rows[beside]] == occurred], minlength=len(all_))
    names = counts.entities.names
    found: dict[str, list[Row]] = {}
    for i, name in enumerate(HEADINGS):
        places = np.flatnonzero(all_[i * size : (i + 1) * size]) + i * size
        if len(places) > shown:  # those that may be among the first; equals are sorted by name
            rank = done[places] * (int(all_.max()) + 1) + all_[places] - done[places]
            places = places[rank >= np.partition(rank, len(rank) - shown)[len(rank) - shown]]
        if len(places):
            some = [(names[at % size], at, int(done[at]), int(all_[at] - done[at])) for at in places.tolist()]
            some.sort(key=lambda one: (-one[2], -one[3], one[0]))
            found[name] = [
                {
                    "entity_id": counts.entities.ids[at % size],
                    "name": called,
                    "n": n,
                    "n_open": n_open,
                    "types": [types.values[kind] for kind in np.unique(kinds[beside[party == at]])],
                }
                for called, at, n, n_open in some[:shown]
            ]
    return found


async def dealings(db: Any, entity_id: str) -> dict[str, list[Row]]:
    """Return the parties an entity acts with and against, by heading, most events first.

    `n` counts events reported as happened; `n_open` those that are planned, denied, alleged or the like, which never
    count as dealings that took place.
    """
    return await asyncio.to_thread(dealt, db.counts("events"), entity_id)
