"""Queries for articles: metadata, claims, versions, and which article rests on which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.site.queries.common import CLAIM_COLUMNS, Row, many, marks, one, with_participants


async def article(db: Any, article_id: str) -> Row | None:
    """Return an article's metadata with its source, or None."""
    sql = """
        select a.*, s.title as source_title, s.source_type, s.homepage, o.label as origin_label, o.kind as origin_kind,
            o.lead_article_id, o.n_articles as origin_articles
        from articles a join sources s using (source_id) left join origins o on o.origin_id = a.origin_id
        where a.article_id = ?
    """
    return await one(db, sql, [article_id])


async def claims_of_article(db: Any, article_id: str) -> list[Row]:
    """Return an article's claims with participants and event summaries, in the order of the text."""
    sql = f"""
        select {CLAIM_COLUMNS}, e.summary from claims c join events e using (event_id)
        where c.article_id = ? order by c.quote_start, c.trigger_start, c.claim_id limit 500
    """
    return await with_participants(db, await many(db, sql, [article_id]))


async def unsure_claims_of_article(db: Any, article_id: str) -> int:
    """Return the number of an article's claims that await review; 0 in older ledgers, which lack the table."""
    if "unsure_claims" not in await db.table_counts():
        return 0
    row = await one(db, "select count(*) as n from unsure_claims where article_id = ?", [article_id])
    return (row or {}).get("n") or 0


async def versions_of_article(db: Any, article_id: str) -> list[Row]:
    """Return the versions of an article's text, oldest first."""
    sql = "select * from article_versions where article_id = ? order by first_seen_at, version"
    return await many(db, sql, [article_id])


async def credits_of(db: Any, article_ids: Sequence[str]) -> list[Row]:
    """Return which reports some articles rest on, and why.

    A credit of a publisher that was not found in the ledger is left out where another credit of it was found.
    """
    ids = list(article_ids)[:500]
    if not ids:
        return []
    sql = f"""
        select x.article_id, x.to_article_id, x.to_name, x.basis, x.detail, t.title as to_title
        from origin_edges x left join articles t on t.article_id = x.to_article_id
        where x.article_id in ({marks(ids)}) order by x.article_id, x.basis
    """
    edges = await many(db, sql, ids)
    found = {(edge["article_id"], edge["to_name"]) for edge in edges if edge["to_article_id"]}
    return [edge for edge in edges if edge["to_article_id"] or (edge["article_id"], edge["to_name"]) not in found]


async def articles_resting_on(db: Any, article_id: str, size: int = 30) -> list[Row]:
    """Return the articles that rest on this one: near-duplicates, agency copy, credits."""
    sql = """
        select x.article_id, x.basis, x.detail, a.title, s.title as source_title, a.published_on
        from origin_edges x join articles a on a.article_id = x.article_id join sources s using (source_id)
        where x.to_article_id = ? order by a.published_on, x.article_id limit ?
    """
    return await many(db, sql, [article_id, size])
