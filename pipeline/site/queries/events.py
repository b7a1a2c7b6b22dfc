"""Queries for events: the newest, the contradicted, one with its claims, and those related to it."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np

from pipeline.site.facets.counts import day_number
from pipeline.site.queries.common import (
    CLAIM_COLUMNS,
    EVENT_COLUMNS,
    Row,
    many,
    marks,
    one,
    with_participants,
    with_parties,
)

CHART_MONTHS = 18


async def latest_events(db: Any, size: int = 12, since: str = "") -> list[Row]:
    """Return the most recently reported new events, without those only recalled as background.

    Args:
        db: The snapshot.
        size: Number of events.
        since: First day of the first report; "" for any.
    """
    counts = db.counts("events")
    reported = counts.days["first_reported_on"]
    mask = db.arrays.reported_as_new & (reported >= day_number(since)) & (reported > 0)
    return await with_parties(db, await _newest_events(db, mask, "first_reported_on", "n_origins desc", size))


async def _newest_events(db: Any, mask: np.ndarray, day: str, then: str, size: int) -> list[Row]:
    """Return the masked events with the latest days in a column, sorted by that day and by `then`."""
    counts = db.counts("events")
    rowids = counts.newest(mask, counts.days[day], size)
    sql = f"""
        select {EVENT_COLUMNS} from events e where e.rowid in ({", ".join(map(str, rowids))})
        order by e.{day} desc, {then}, e.event_id limit ?
    """
    return await many(db, sql, [size])


async def contradicted_events(db: Any, size: int = 5) -> list[Row]:
    """Return the contradicted events with the latest reports, each with its `contradictions`."""
    mask = db.counts("events").chosen([("contradicted", "in", ("1",))], ())
    events = await _newest_events(db, mask, "last_reported_on", "e.event_id", size)
    ids = [event["event_id"] for event in events]
    found: dict[str, list[Row]] = defaultdict(list)
    if ids:
        for row in await many(
            db,
            f"select event_id, field, summary from contradictions where event_id in ({marks(ids)}) order by field",
            ids,
        ):
            found[row["event_id"]].append(row)
    return [event | {"contradictions": found[event["event_id"]]} for event in await with_parties(db, events)]


async def months_and_types(db: Any, until: str) -> list[Row]:
    """Return the number of events reported as happened by month and type, for the last months up to `until`."""
    if not until:
        return []
    counts, since = db.counts("events"), months_before(until, CHART_MONTHS - 1)
    found = counts.crossed("event_month", "type", counts.chosen([("modality", "in", ("occurred",))], ()))
    return [{"event_month": month, "type": kind, "n": n} for month, kind, n in found if since <= str(month) <= until]


def months_before(month: str, n: int) -> str:
    """Return the month n months before: ("2026-01", 1) gives "2025-12"."""
    index = int(month[:4]) * 12 + int(month[5:7]) - 1 - n
    return f"{index // 12:04d}-{index % 12 + 1:02d}"


async def event(db: Any, event_id: str) -> Row | None:
    """Return one event with its parties, or None."""
    row = await one(db, f"select {EVENT_COLUMNS} from events e where e.event_id = ?", [event_id])
    return (await with_parties(db, [row]))[0] if row else None


async def redirect(db: Any, event_id: str) -> Row | None:
    """Return what replaced an old event id: event_id (None if withdrawn) and reason."""
    return await one(db, "select event_id, reason from event_redirects where old_event_id = ?", [event_id])


async def claims_of_event(db: Any, event_id: str) -> list[Row]:
    """Return an event's claims with article, source, origin and participants, sorted by day of publication."""
    sql = f"""
        select {CLAIM_COLUMNS}, a.url, a.title as article_title, a.published_at, a.fetched_at, a.access, a.gone_on,
            s.title as source_title, s.source_type, o.kind as origin_kind, o.label as origin_label,
            o.lead_article_id, o.n_articles as origin_articles
        from claims c join articles a using (article_id) join sources s on s.source_id = c.source_id
            left join origins o on o.origin_id = c.origin_id
        where c.event_id = ?
        order by c.published_on, instr('primary lab wire press trade aggregator', s.source_type), c.article_id,
            c.quote_start limit 500
    """
    return await with_participants(db, await many(db, sql, [event_id]))


async def related_events(db: Any, event_id: str, size: int = 6) -> list[Row]:
    """Return the events that share the most parties with this one; an instrument or model counts double."""
    sql = f"""
        with mine as (
            select p.entity_id, max(case when n.kind in ('instrument', 'model') then 2 else 1 end) as weight
            from event_participants p join entities n using (entity_id)
            where p.event_id = :id and n.n_events < 5000 group by p.entity_id
        ), shared as (
            select p.event_id, sum(mine.weight) as score
            from mine join event_participants p using (entity_id) where p.event_id <> :id
            group by p.event_id having score >= 2 order by score desc limit 200
        )
        select {EVENT_COLUMNS} from shared join events e using (event_id)
        order by shared.score desc, abs(julianday(coalesce(e.date_start, e.first_reported_on)) -
            julianday((select coalesce(date_start, first_reported_on) from events where event_id = :id))), e.event_id
        limit :size
    """
    return await with_parties(db, await many(db, sql, {"id": event_id, "size": size}))
