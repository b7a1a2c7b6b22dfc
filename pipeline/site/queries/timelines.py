"""Queries for timelines and upcoming days, shared by the site and the command line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pipeline.aggregation.timelines.status import Stage
from pipeline.ledger.rows.timelines import stage_of_row
from pipeline.site.queries.common import Row, many, marks

MOST_TIMELINES = 200  # on one page; the table has the rest
COLUMNS = """
    s.*, a.name as actor, a.kind as actor_kind, c.name as counterpart, c.kind as counterpart_kind, t.name as thing,
    t.kind as thing_kind, d.due_start, d.due_end, d.due_precision
"""
JOINS = """
    left join entities a on a.entity_id = s.actor_id left join entities c on c.entity_id = s.counterpart_id
    left join entities t on t.entity_id = s.thing_id
    left join upcoming d on d.upcoming_id = (
        select upcoming_id from upcoming where event_id = s.event_id and fate = 'open'
            and s.modality in ('planned', 'considered', 'conditional', 'alleged')
            and claim_id in (select claim_id from timeline_claims where entry_id = s.entry_id)
        order by due_start, upcoming_id limit 1)
"""


def timeline_ids_sql() -> str:
    """Return SQL for the ids of the most recently changed timelines of a matter. Parameters: matter, day, limit."""
    return """
        select distinct timeline_id from (
            select timeline_id from timeline_entries where matter = ? and sure_from <= ? order by sure_from desc limit ?
        )
    """


def entity_timeline_ids_sql(n: int) -> str:
    """Return SQL for the ids of the most recently changed timelines of n entities.

    Parameters: each entity id three times (see three_times), then the limit.
    """
    parts = [
        f"select timeline_id, sure_from from (select timeline_id, sure_from from timeline_entries where {side}_id = ? "
        f"order by sure_from desc limit {4 * MOST_TIMELINES})"
        for _ in range(n)
        for side in ("actor", "counterpart", "thing")
    ]
    return (
        f"select timeline_id from ({' union all '.join(parts)}) group by timeline_id "
        "order by max(sure_from) desc limit ?"
    )


def stages_sql(placeholders: str) -> str:
    """Return SQL for all stages of some timelines, with the parties' names."""
    return (
        f"select {COLUMNS} from timeline_entries s {JOINS} where s.timeline_id in ({placeholders}) "
        "order by s.timeline_id, s.position"
    )


def three_times(ids: Iterable[str]) -> list[str]:
    """Return each id three times, as entity_timeline_ids_sql() needs them."""
    return [id_ for one in ids for id_ in (one, one, one)]


def entities_and_models_sql(n: int) -> str:
    """Return SQL for n entities and the models that belong to them. Parameters: all ids, twice."""
    placeholders = ", ".join("?" * n)
    return f"""
        select entity_id from entities where entity_id in ({placeholders})
        union select entity_id from entities where parent_id in ({placeholders}) and kind = 'model' limit 40
    """


def affected_sql(n: int) -> str:
    """Return SQL for the parties affected by the restrictions and releases among n events."""
    return f"""select event_id, name, kind from event_participants join entities using (entity_id) join events
              using (event_id) where event_id in ({", ".join("?" * n)}) and role = 'affected'
              and events.type in ('restriction', 'model_release') order by event_id, name"""


def current_events_of(models: Iterable[Row]) -> list[str]:
    """Return the ids of the events that the timelines of some models currently rest on."""
    return sorted({view["head"]["event_id"] for model in models for view in model["lines"]})


def by_event(rows: Iterable[Row]) -> dict[str, list[dict[str, str]]]:
    """Return affected parties by event id."""
    found: dict[str, list[dict[str, str]]] = {}
    for row in rows:
        found.setdefault(row["event_id"], []).append({"name": row["name"], "kind": row["kind"]})
    return found


async def affected(db: Any, event_ids: Sequence[str]) -> dict[str, list[dict[str, str]]]:
    """Return the parties affected by the restrictions and releases among some events, by event id."""
    found: list[Row] = []
    for i in range(0, len(event_ids), 400):
        some = event_ids[i : i + 400]
        found += await many(db, affected_sql(len(some)), some)
    return by_event(found)


async def timelines_of_matter(db: Any, matter: str, day: str, size: int = MOST_TIMELINES) -> dict[str, list[Row]]:
    """Return the rows of the timelines of a matter begun by a day, by timeline, last changed first."""
    ids = [row["timeline_id"] for row in await many(db, timeline_ids_sql(), [matter, day, size])]
    return await _stages_of(db, ids)


async def timelines_of_entities(db: Any, entity_ids: Iterable[str], size: int = MOST_TIMELINES) -> dict[str, list[Row]]:
    """Return the rows of the timelines of some entities and their models, by timeline, last changed first."""
    ids = list(entity_ids)
    own = [row["entity_id"] for row in await many(db, entities_and_models_sql(len(ids)), [*ids, *ids])] if ids else []
    if not own:
        return {}
    found = [row["timeline_id"] for row in await many(db, entity_timeline_ids_sql(len(own)), [*three_times(own), size])]
    return await _stages_of(db, found)


async def timelines_of_event(db: Any, event_id: str) -> dict[str, list[Row]]:
    """Return the rows of the timelines that contain an event, by timeline."""
    ids = await many(db, "select distinct timeline_id from timeline_entries where event_id = ? limit 12", [event_id])
    return await _stages_of(db, [row["timeline_id"] for row in ids])


async def _stages_of(db: Any, timeline_ids: Sequence[str]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {timeline_id: [] for timeline_id in timeline_ids}
    for i in range(0, len(timeline_ids), 400):
        some = timeline_ids[i : i + 400]
        for row in await many(db, stages_sql(marks(some)), some):
            found[row["timeline_id"]].append(row)
    return found


def stages(rows: Iterable[Row]) -> list[Stage]:
    """Return rows of timeline_entries as stages."""
    return [stage_of_row(row) for row in rows]


UPCOMING_COLUMNS = """
    d.*, e.type, e.n_origins, c.quote, c.article_id, c.published_on, s.title as source_title
    from upcoming d join events e using (event_id) join claims c using (claim_id) join sources s using (source_id)
"""


def upcoming_sql(order: str, sign: str, n_parties: int = 0, *, busy: bool = False) -> str:
    """Return SQL for upcoming rows that end on or after a day (">=") or before it ("<").

    Parameters of the query: the day, the ids of the parties, the limit.

    Args:
        order: The ORDER BY terms: NEAREST or LATEST.
        sign: ">=" or "<".
        n_parties: Number of parties, one of which must take part; 0 for any.
        busy: Whether the parties have so many events that scanning by day is faster.
    """
    placeholders = ", ".join("?" * n_parties)
    if busy:
        party = f"""and exists (select 1 from event_participants p
            where p.event_id = d.event_id and p.entity_id in ({placeholders}))"""
    else:
        party = f"and d.event_id in (select event_id from event_participants where entity_id in ({placeholders}))"
    return f"select {UPCOMING_COLUMNS} where d.due_end {sign} ? {party if n_parties else ''} order by {order} limit ?"


BUSY = 2_000  # events of the parties together; above it, scanning by day is faster


async def _are_busy(db: Any, ids: Sequence[str]) -> bool:
    sql = f"select coalesce(sum(n_events), 0) as n from entities where entity_id in ({marks(ids)})"
    return bool(ids) and (await many(db, sql, ids))[0]["n"] > BUSY


NEAREST, LATEST = "d.due_end, d.due_start, d.upcoming_id", "d.due_end desc, d.due_start desc, d.upcoming_id"


async def upcoming_after(db: Any, day: str, party_ids: Iterable[str] = (), size: int = 200) -> list[Row]:
    """Return the rows due on a day or later, nearest first; only those of the given parties, if any."""
    ids = list(party_ids)
    return await many(db, upcoming_sql(NEAREST, ">=", len(ids), busy=await _are_busy(db, ids)), [day, *ids, size])


async def upcoming_before(db: Any, day: str, party_ids: Iterable[str] = (), size: int = 100) -> list[Row]:
    """Return the rows due before a day, latest first; only those of the given parties, if any."""
    ids = list(party_ids)
    return await many(db, upcoming_sql(LATEST, "<", len(ids), busy=await _are_busy(db, ids)), [day, *ids, size])


async def next_upcoming(db: Any, day: str, size: int = 8) -> list[Row]:
    """Return the open rows due on a day or later, nearest first."""
    sql = f"select {UPCOMING_COLUMNS} where d.due_end >= ? and d.fate = 'open' order by {NEAREST} limit ?"
    return await many(db, sql, [day, size])
