"""SQL on where things stand and what is due: a snapshot, names and days come in, plain rows and stages go out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pipeline.aggregation.timelines.status import Stage, by_timeline
from pipeline.ledger.rows.timelines import stage_of_row

Row = dict[str, Any]
MOST_LINES = 200  # lines on one page; the table holds the rest
COLUMNS = """
    s.*, a.name as actor, a.kind as actor_kind, c.name as counterpart, c.kind as counterpart_kind, t.name as thing,
    t.kind as thing_kind, d.due_start, d.due_end, d.due_precision
"""
JOINS = """
    left join entities a on a.entity_id = s.actor_id left join entities c on c.entity_id = s.counterpart_id
    left join entities t on t.entity_id = s.thing_id
    left join upcoming d on d.upcoming_id = (select upcoming_id from upcoming where event_id = s.event_id and fate =
    'open'
        and s.modality in ('planned', 'considered', 'conditional', 'alleged') and claim_id in
        (select claim_id from timeline_claims where entry_id = s.entry_id) order by due_start, upcoming_id limit 1)
"""


def lines_sql() -> str:
    """Return the SQL for the ids of the lines of a matter that moved last by a day: (matter, day, how many)."""
    return """
        select distinct timeline_id from (
            select timeline_id from timeline_entries where matter = ? and sure_from <= ? order by sure_from desc limit ?
        )
    """


def entity_lines_sql(n: int) -> str:
    """Return the SQL for the ids of the lines of n entities that moved last: each id three times, then how many."""
    parts = [
        f"select timeline_id, sure_from from (select timeline_id, sure_from from timeline_entries where {side}_id = ? "
        f"order by sure_from desc limit {4 * MOST_LINES})"
        for _ in range(n)
        for side in ("actor", "counterpart", "thing")
    ]
    return (
        f"select timeline_id from ({' union all '.join(parts)}) group by timeline_id "
        "order by max(sure_from) desc limit ?"
    )


def stages_sql(marks: str) -> str:
    """Return the SQL for all stages of lines, with
    names.
    """
    return (
        f"select {COLUMNS} from timeline_entries s {JOINS} where s.timeline_id in ({marks}) "
        "order by s.timeline_id, s.position"
    )


def thrice(ids: Iterable[str]) -> list[str]:
    """Return each id three times, as entity_lines_sql() wants them."""
    return [id_ for one in ids for id_ in (one, one, one)]


def own_sql(n: int) -> str:
    """Return the SQL for entities and the models that belong to them."""
    marks = ", ".join("?" * n)
    return f"""
        select entity_id from entities where entity_id in ({marks})
        union select entity_id from entities where parent_id in ({marks}) and kind = 'model' limit 40
    """


async def _many(db: Any, sql: str, values: Sequence) -> list[Row]:
    return [dict(row) for row in (await db.execute(sql, list(values))).rows]


def affected_sql(n: int) -> str:
    """Return the query for whom the restrictions and releases among n events touch: event_id, name, kind."""
    return f"""select event_id, name, kind from event_participants join entities using (entity_id) join events
              using (event_id) where event_id in ({", ".join("?" * n)}) and role = 'affected'
              and events.type in ('restriction', 'model_release') order by event_id, name"""


def heads_of(models: Iterable[Row]) -> list[str]:
    """Return the events that the lines of some models rest on now."""
    return sorted({view["head"]["event_id"] for model in models for view in model["lines"]})


def by_event(rows: Iterable[Row]) -> dict[str, list[dict[str, str]]]:
    """Return those whom events touch, by event."""
    found: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        found.setdefault(row["event_id"], []).append({"name": row["name"], "kind": row["kind"]})
    return found


async def affected(db: Any, event_ids: Sequence[str]) -> dict[str, list[dict[str, str]]]:
    """Return whom the restrictions and releases among some events touch, by event."""
    found: list[Row] = []
    for i in range(0, len(event_ids), 400):
        some = event_ids[i : i + 400]
        found += await _many(db, affected_sql(len(some)), some)
    return by_event(found)


async def lines_of_matter(db: Any, matter: str, day: str, size: int = MOST_LINES) -> dict[str, list[Row]]:
    """Return the lines of a matter that had begun by a day, those that moved last before it first; rows by line."""
    ids = [row["timeline_id"] for row in await _many(db, lines_sql(), [matter, day, size])]
    return await _stages_of(db, ids)


async def lines_of_entities(db: Any, entity_ids: Iterable[str], size: int = MOST_LINES) -> dict[str, list[Row]]:
    """Return the lines that moved last in which entities, or models that belong to them, take part; rows by line."""
    ids = list(entity_ids)
    own = [row["entity_id"] for row in await _many(db, own_sql(len(ids)), [*ids, *ids])] if ids else []
    if not own:
        return {}
    found = [row["timeline_id"] for row in await _many(db, entity_lines_sql(len(own)), [*thrice(own), size])]
    return await _stages_of(db, found)


async def lines_of_event(db: Any, event_id: str) -> dict[str, list[Row]]:
    """Return the lines that an event is a stage of; rows by line."""
    ids = await _many(db, "select distinct timeline_id from timeline_entries where event_id = ? limit 12", [event_id])
    return await _stages_of(db, [row["timeline_id"] for row in ids])


async def _stages_of(db: Any, timeline_ids: Sequence[str]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {timeline_id: [] for timeline_id in timeline_ids}
    for i in range(0, len(timeline_ids), 400):
        some = timeline_ids[i : i + 400]
        for row in await _many(db, stages_sql(", ".join("?" * len(some))), some):
            found[row["timeline_id"]].append(row)
    return found


def stages(rows: Iterable[Row]) -> list[Stage]:
    """Return the stages of rows."""
    return [stage_of_row(row) for row in rows]


def stages_by_line(rows: Iterable[Row]) -> dict[str, list[Stage]]:
    """Return the stages of rows by line, in order."""
    return by_timeline(stages(rows))


DUE_COLUMNS = """
    d.*, e.type, e.n_origins, c.quote, c.article_id, c.published_on, s.title as source_title
    from upcoming d join events e using (event_id) join claims c using (claim_id) join sources s using (source_id)
"""


def due_sql(order: str, sign: str, n_parties: int = 0, *, busy: bool = False) -> str:
    """Return the SQL for days due that end on or after a day (">="), or before it ("<"): (day, *parties, how many).

    `busy`: whether the parties have so many events that it is quicker to look for them day by day.
    """
    marks = ", ".join("?" * n_parties)
    if busy:
        party = f"""and exists (select 1 from event_participants p
            where p.event_id = d.event_id and p.entity_id in ({marks}))"""
    else:
        party = f"and d.event_id in (select event_id from event_participants where entity_id in ({marks}))"
    return f"select {DUE_COLUMNS} where d.due_end {sign} ? {party if n_parties else ''} order by {order} limit ?"


BUSY = 2_000  # events


async def _are_busy(db: Any, ids: Sequence[str]) -> bool:
    sql = f"select coalesce(sum(n_events), 0) as n from entities where entity_id in ({', '.join('?' * len(ids))})"
    return bool(ids) and (await _many(db, sql, ids))[0]["n"] > BUSY


NEAREST, LATEST = "d.due_end, d.due_start, d.upcoming_id", "d.due_end desc, d.due_start desc, d.upcoming_id"


async def due_ahead(db: Any, day: str, party_ids: Iterable[str] = (), size: int = 200) -> list[Row]:
    """Return what is due on a day or later, the nearest first; of some parties only, where any are given."""
    ids = list(party_ids)
    return await _many(db, due_sql(NEAREST, ">=", len(ids), busy=await _are_busy(db, ids)), [day, *ids, size])


async def due_behind(db: Any, day: str, party_ids: Iterable[str] = (), size: int = 100) -> list[Row]:
    """Return what was due before a day, the latest first; of some parties only, where any are given."""
    ids = list(party_ids)
    return await _many(db, due_sql(LATEST, "<", len(ids), busy=await _are_busy(db, ids)), [day, *ids, size])


async def due_next(db: Any, day: str, size: int = 8) -> list[Row]:
    """Return what is still open and due on a day or later, the nearest first."""
    sql = f"select {DUE_COLUMNS} where d.due_end >= ? and d.fate = 'open' order by {NEAREST} limit ?"
    return await _many(db, sql, [day, size])
