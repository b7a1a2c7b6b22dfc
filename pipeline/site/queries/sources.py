"""Queries for sources: what is covered, and how the fetches went."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from pipeline.site.queries.common import Row, many, one


async def coverage(db: Any) -> Row:
    """Return what the ledger covers: counts, first and last day, last fetch, and sources with problems."""
    counts = await db.table_counts()
    row = (
        await one(
            db,
            """
        select sum(source_type <> 'unknown' and health not like 'switched off%') as n_sources,
            sum(health like 'switched off%') as n_off, sum(n_articles > 0) as n_with_articles,
            max(last_visit_at) as last_visit_at,
            min(first_article_on) as first_on, max(last_article_on) as last_on,
            sum(last_visit_at is not null and (last_success_at is null or last_success_at < last_visit_at)) as
            n_failing,
            sum(last_visit_at is null and source_type <> 'unknown' and health not like 'switched off%') as n_never
        from sources""",
        )
        or {}
    )
    failing = await many(
        db, "select source_id, title, alarms, last_article_on from sources where alarms <> '' order by title limit 200"
    )
    row["failing"] = failing
    return row | {name: counts.get(name) or 0 for name in ("articles", "claims", "events", "entities")}


async def sources(db: Any) -> list[Row]:
    """Return all sources with their fetch `outcomes`, sorted by source type and title."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in await many(db, "select source_id, outcome, n from fetch_outcomes order by source_id, n desc"):
        found[row["source_id"]].append(row)
    rows = await many(
        db,
        "select * from sources "
        "order by instr('primary lab wire press trade aggregator', source_type), title collate nocase",
    )
    return [row | {"outcomes": found[row["source_id"]]} for row in rows]
