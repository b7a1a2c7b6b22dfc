"""Queries for entities: by name, by id, and the events that they take part in."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.site.queries.common import EVENT_COLUMNS, Row, many, marks, one, with_parties
from pipeline.site.queries.search import like_pattern

EVENTS_ON_PAGE = 100  # events on an entity's page; the table shows the rest


async def entity(db: Any, entity_id: str) -> Row | None:
    """Return an entity with its names, parent and children, or None."""
    row = await one(
        db,
        "select e.*, p.name as parent_name from entities e left join entities p on p.entity_id = e.parent_id "
        "where e.entity_id = ?",
        [entity_id],
    )
    if not row:
        return None
    names = await many(
        db,
        "select name, kind, used_from, used_until from entity_names where entity_id = ? "
        "order by coalesce(used_from, ''), name",
        [entity_id],
    )
    children = await many(
        db,
        "select entity_id, name, kind, n_events from entities where parent_id = ? "
        "order by n_events desc, name limit 24",
        [entity_id],
    )
    return row | {"names": names, "children": children}


async def events_of_entity(db: Any, entity_id: str) -> list[Row]:
    """Return an entity's newest events, newest first, each with the entity's `roles` in it."""
    counts = db.counts("events")
    mask = counts.chosen((), [("", (entity_id,))])
    shown = np.where(counts.days["date_start"] > 0, counts.days["date_start"], counts.days["first_reported_on"])
    rowids = counts.newest(mask, shown, EVENTS_ON_PAGE)[: 5 * EVENTS_ON_PAGE]
    sql = f"""
        select {EVENT_COLUMNS}, (select group_concat(p.role) from event_participants p
            where p.event_id = e.event_id and p.entity_id = ?) as roles
        from events e where e.rowid in ({marks(rowids)})
        order by coalesce(e.date_start, e.first_reported_on) desc, e.event_id limit ?
    """
    return await with_parties(db, await many(db, sql, [entity_id, *rowids, EVENTS_ON_PAGE]))


async def years_of_entity(db: Any, entity_id: str) -> list[Row]:
    """Return the number of an entity's events by year ("" if unknown) and modality."""
    counts = db.counts("events")
    found = counts.by_year(counts.chosen((), [("", (entity_id,))]))
    return [{"year": year, "modality": modality, "n": n} for year, modality, n in found]


async def companions(db: Any, entity_id: str, size: int = 12) -> list[Row]:
    """Return the entities that most often take part in the same events."""
    counts = db.counts("events")
    found = counts.parties(counts.chosen((), [("", (entity_id,))]), "", "", size + 1)
    return [{"entity_id": id_, "name": name, "n": n} for id_, name, n in found if id_ != entity_id][:size]


async def busiest_entities(db: Any, size: int = 150) -> list[Row]:
    """Return the entities with the most events, as suggestions for the filter form."""
    sql = "select entity_id, name, n_events from entities where n_events > 0 order by n_events desc, name limit ?"
    return await many(db, sql, [size])


async def entity_ids_named(db: Any, text: str) -> list[str]:
    """Return the ids of up to 20 entities with this id or this name, ignoring case."""
    sql = """
        select entity_id from entities where entity_id = :text
        union select entity_id from entities where name = :text collate nocase
        union select entity_id from entity_names where name = :text collate nocase
        limit 20
    """
    return [row["entity_id"] for row in await many(db, sql, {"text": text.strip()})]


async def entity_ids_like(db: Any, text: str, size: int) -> list[str]:
    """Return the ids of the entities with the most events whose present or former name contains `text`."""
    sql = """
        select entity_id from entities where n_events > 0 and entity_id in (
            select entity_id from entities where name like :pattern escape '\\'
            union select entity_id from entity_names where name like :pattern escape '\\'
        ) order by n_events desc, entity_id limit :size
    """
    return [row["entity_id"] for row in await many(db, sql, {"pattern": like_pattern(text), "size": size})]
