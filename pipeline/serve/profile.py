"""SQL for who an entity is and whom it deals with: a snapshot and an id come in, plain dictionaries go out."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import Any

import numpy as np

from pipeline.serve.counting import Counts
from pipeline.serve.queries import Row, many

SHOWN = 8  # partners shown under each heading; the table shows the rest
SIDES = ("actor", "target", "body")  # the roles of those who deal with each other
PARTNERS = ("organisation", "agency", "government", "person", "outlet")
# How two parties of an event stand to each other: kind and direction of the event, whose side the entity is on.
WITH, AGAINST, FROM, TO_LIFT = "with", "against", "from", "lift"
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


def dealt(counts: Counts, entity_id: str) -> list[Row]:
    """Return how often each other party stands with an entity in events of kinds that tell how parties stand.

    By kind and direction of the event and both roles; `n`: events reported as happened, `n_open`: the others.
    """
    sides = [counts.role_number(role) for role in SIDES if role in counts.role_names]
    mine = counts.links_of(entity_id)
    mine = mine[np.isin(counts.link_role[mine], sides)]
    beside, theirs = counts.links_beside(mine)
    partners = np.isin(counts.entities.kinds, [counts.kind_number(kind) for kind in PARTNERS])
    others = counts.link_entity[theirs]
    types, directions, modalities = (counts.codes[name] for name in ("type", "direction", "modality"))
    telling = [types.values.index(kind) for kind in (*_WITH, *_AGAINST) if kind in types.values]
    wanted = partners[others] & np.isin(counts.link_role[theirs], sides)
    wanted &= np.isin(types.of, telling)[counts.link_row[theirs]]
    wanted &= others != counts.entities.place_of.get(entity_id, -1)
    beside, theirs, others = beside[wanted], theirs[wanted], others[wanted]
    rows, size = counts.link_row[theirs], len(counts.entities.ids)
    done = modalities.of[rows] == (modalities.values.index("occurred") if "occurred" in modalities.values else -2)
    key = types.of[rows].astype(np.int64)
    for part in (directions.of[rows] + 1, counts.link_role[mine[beside]], counts.link_role[theirs]):
        key = key * 32 + part
    keys, at, n_all = np.unique(key * size + others, return_inverse=True, return_counts=True)
    happened = np.bincount(at, done, minlength=len(keys))
    found = []
    for whole, n, n_events in zip(keys.tolist(), happened.tolist(), n_all.tolist(), strict=True):
        rest, other = divmod(whole, size)
        rest, their_role = divmod(rest, 32)
        rest, my_role = divmod(rest, 32)
        kind, direction = divmod(rest, 32)
        found.append(
            {
                "type": types.values[kind],
                "direction": directions.values[direction - 1] if direction else None,
                "mine": counts.role_names[my_role],
                "theirs": counts.role_names[their_role],
                "entity_id": counts.entities.ids[other],
                "name": counts.entities.names[other],
                "n": int(n),
                "n_open": n_events - int(n),
            }
        )
    return found


async def dealings(db: Any, entity_id: str) -> dict[str, list[Row]]:
    """Return the parties an entity acts with and against, by heading, most events first.

    `n` counts events reported as happened; `n_open` those that are planned, denied, alleged or the like, which never
    count as dealings that took place.
    """
    grouped: dict[tuple[str, str], Row] = {}
    for row in await asyncio.to_thread(dealt, db.counts("events"), entity_id):
        heading = side(row["type"], row["direction"], row["mine"], row["theirs"])
        if not heading:
            continue
        party = grouped.setdefault(
            (heading, row["entity_id"]),
            {"entity_id": row["entity_id"], "name": row["name"], "n": 0, "n_open": 0, "types": []},
        )
        party["n"] += row["n"]
        party["n_open"] += row["n_open"]
        if row["type"] not in party["types"]:
            party["types"].append(row["type"])
    found: dict[str, list[Row]] = {}
    for heading in (WITH, AGAINST, FROM, TO_LIFT):
        rows = [row for (key, _), row in grouped.items() if key == heading]
        if rows:
            found[heading] = sorted(rows, key=lambda r: (-r["n"], -r["n_open"], r["name"]))[:SHOWN]
    return found
