"""Editors' decisions on a page: a snapshot and an event or article come in, plain dictionaries go out."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from pipeline.site.queries.pages import Row, many

_COLUMNS = (
    "review_id, decision, status, decided_at, decided_on, editor, why, event_id, claim_id, article_id, subject, "
    "effect, machine_reading, now_reads"
)


async def of_event(db: Any, event_id: str) -> list[Row]:
    """Return the decisions that bear on an event now, the latest last; none in a ledger that did not keep them."""
    return await _applied(db, "event_id", event_id)


async def of_article(db: Any, article_id: str) -> list[Row]:
    """Return the decisions on sentences of an article that are applied, the latest last."""
    return await _applied(db, "article_id", article_id)


async def _applied(db: Any, column: str, value: str) -> list[Row]:
    if "reviews" not in await db.table_names():
        return []
    sql = f"""
        select {_COLUMNS} from reviews where {column} = ? and status = 'applied' order by decided_at, review_id
    """
    return await many(db, sql, [value])


def by_claim(rows: list[Row]) -> dict[str, list[Row]]:
    """Return decisions by the claim that each is about; those about an event or a name stand under ""."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["claim_id"] or ""].append(row)
    return dict(found)
