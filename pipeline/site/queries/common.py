"""Columns and helpers that the queries of several pages share."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

Row = dict[str, Any]

EVENT_COLUMNS = (
    "e.event_id, e.type, e.modality, e.summary, e.stage, e.direction, e.force, e.jurisdiction, e.date_start, "
    "e.date_end, e.date_precision, e.event_month, e.n_claims, e.n_articles, e.n_origins, e.origins_band, "
    "e.contradicted, e.closest_source_type, e.confidence, e.first_reported_on, e.last_reported_on"
)
CLAIM_COLUMNS = (
    "c.claim_id, c.event_id, c.article_id, c.source_id, c.origin_id, c.type, c.modality, c.direction, c.force, "
    "c.newness, c.date_start, c.date_end, c.date_precision, c.date_basis, c.date_said, c.attribution_kind, "
    "c.attribution_name, c.quote, c.quote_start, c.quote_end, c.trigger, c.trigger_start, c.trigger_end, "
    "c.confidence, c.rule, c.published_on"
)


async def many(db: Any, sql: str, params: Sequence | dict = ()) -> list[Row]:
    """Return all rows of a query as dictionaries."""
    return [dict(row) for row in (await db.execute(sql, params)).rows]


async def one(db: Any, sql: str, params: Sequence | dict = ()) -> Row | None:
    """Return the first row of a query, or None."""
    rows = await many(db, sql, params)
    return rows[0] if rows else None


def marks(values: Sequence) -> str:
    """Return one SQL placeholder per value: "?, ?, ?"."""
    return ", ".join("?" * len(values))


async def build_info(db: Any) -> dict[str, str]:
    """Return the table build_info as a dictionary: when and from what the snapshot was built."""
    return {row["key"]: row["value"] for row in await many(db, "select key, value from build_info order by key")}


async def last_day(db: Any) -> str:
    """Return the day of the newest article; "" for an empty ledger."""
    row = await one(db, "select max(published_on) as day from articles")
    return (row or {}).get("day") or ""


async def with_leads(db: Any, events: list[Row]) -> list[Row]:
    """Return the events with their `lead`: the claim whose sentence says best what happened, with its participants.

    It has the event's modality. News comes before what is recalled, then sentences that name two parties, then the
    closest source and the surest claim.
    """
    ids = [event["event_id"] for event in events]
    found: dict[str, Row] = {}
    if ids:
        sql = f"""
            select * from (
                select {CLAIM_COLUMNS}, s.title as source_title, s.source_type, a.url, row_number() over (
                    partition by c.event_id
                    order by c.modality <> e.modality, c.newness = 'background', c.confidence < 0.6,
                        min(2, (
                            select count(distinct p.entity_id) from claim_participants p
                            where p.claim_id = c.claim_id and p.start >= c.quote_start and p.text glob '*[A-Z]*'
                        )) desc,
                        instr('primary lab wire press trade aggregator unknown', s.source_type), c.confidence desc,
                        c.published_on, c.claim_id
                ) as place
                from claims c join events e on e.event_id = c.event_id join sources s on s.source_id = c.source_id
                    join articles a on a.article_id = c.article_id
                where c.event_id in ({marks(ids)})
            ) where place = 1
        """
        found = {claim["event_id"]: claim for claim in await with_participants(db, await many(db, sql, ids))}
    return [event | {"lead": found.get(event["event_id"])} for event in events]


async def with_parties(db: Any, events: list[Row]) -> list[Row]:
    """Return the events with their `lead` and `parties`.

    Parties are sorted by role: actor, target, object, instrument, affected, body.
    """
    events = await with_leads(db, events)
    ids = [event["event_id"] for event in events]
    parties: dict[str, list[Row]] = defaultdict(list)
    if ids:
        sql = f"""
            select p.event_id, p.role, p.n_claims, n.entity_id, n.name, n.kind
            from event_participants p join entities n using (entity_id)
            where p.event_id in ({marks(ids)})
            order by p.event_id, instr('actor target object instrument affected body', p.role), p.n_claims desc, n.name
        """
        for row in await many(db, sql, ids):
            parties[row["event_id"]].append(row)
    return [event | {"parties": parties[event["event_id"]]} for event in events]


async def with_participants(db: Any, claims: list[Row]) -> list[Row]:
    """Return the claims with their `participants`, in order."""
    ids = [claim["claim_id"] for claim in claims]
    parties: dict[str, list[Row]] = defaultdict(list)
    for i in range(0, len(ids), 500):
        some = ids[i : i + 500]
        sql = f"""
            select claim_id, role, entity_id, name, text, start, end from claim_participants
            where claim_id in ({marks(some)}) order by claim_id, position
        """
        for row in await many(db, sql, some):
            parties[row["claim_id"]].append(row)
    return [claim | {"participants": parties[claim["claim_id"]]} for claim in claims]
