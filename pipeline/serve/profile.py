"""SQL for who an entity is and whom it deals with: a snapshot and an id come in, plain dictionaries go out."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from pipeline.serve.queries import Row, many

SHOWN = 8  # partners shown under each heading; the table shows the rest
MOST_DEALT = 3_000  # events of one entity that its dealings are counted over
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


async def dealings(db: Any, entity_id: str) -> dict[str, list[Row]]:
    """Return the parties an entity acts with and against, by heading, most events first.

    `n` counts events reported as happened; `n_open` those that are planned, denied, alleged or the like, which never
    count as dealings that took place. Of an entity with more than MOST_DEALT events the newest ones are counted.
    """
    counts = db.counts("events")
    mask = counts.chosen((), [("", (entity_id,))])
    newest = ""
    if mask.sum() > MOST_DEALT:
        rowids = counts.newest(mask, counts.days["last_reported_on"], MOST_DEALT)[: 2 * MOST_DEALT]
        newest = f"and e.rowid in ({', '.join(map(str, rowids))})"
    sql = f"""
        select e.type, e.direction, p.role as mine, q.role as theirs, o.entity_id, o.name,
            count(distinct case when e.modality = 'occurred' then e.event_id end) as n,
            count(distinct case when e.modality <> 'occurred' then e.event_id end) as n_open
        from event_participants p join events e using (event_id)
            join event_participants q on q.event_id = p.event_id and q.entity_id <> p.entity_id
            join entities o on o.entity_id = q.entity_id
        where p.entity_id = ? and p.role in ('actor', 'target', 'body') and q.role in ('actor', 'target', 'body')
            and o.kind in ('organisation', 'agency', 'government', 'person', 'outlet') {newest}
        group by e.type, e.direction, p.role, q.role, o.entity_id
    """
    grouped: dict[tuple[str, str], Row] = {}
    for row in await many(db, sql, [entity_id]):
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
