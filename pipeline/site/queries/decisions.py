"""Queries for editors' decisions on an event or an article."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from pipeline.site.queries.common import Row, many

_COLUMNS = (
    "review_id, decision, status, decided_at, decided_on, editor, why, event_id, claim_id, article_id, subject, "
    "effect, machine_reading, now_reads"
)


async def of_event(db: Any, event_id: str) -> list[Row]:
    """Return the decisions applied to an event, latest last; none in older ledgers, which lack the table."""
    return await _applied(db, "event_id", event_id)


async def of_article(db: Any, article_id: str) -> list[Row]:
    """Return the decisions applied to sentences of an article, latest last."""
    return await _applied(db, "article_id", article_id)


async def _applied(db: Any, column: str, value: str) -> list[Row]:
    if "reviews" not in await db.table_names():
        return []
    sql = f"""
        select {_COLUMNS} from reviews where {column} = ? and status = 'applied' order by decided_at, review_id
    """
    return await many(db, sql, [value])


def by_claim(rows: list[Row]) -> dict[str, list[Row]]:
    """Return decisions by claim id; those about an event or a name have the key ""."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["claim_id"] or ""].append(row)
    return dict(found)
