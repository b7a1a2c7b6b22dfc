"""Queries for publishers' edits and the claims that they changed."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from pipeline.aggregation.revisions.text_diff import word_changes
from pipeline.site.queries.common import Row, many

_REVISION = """
    r.revision_id, r.article_id, r.nth, r.seen_on, r.kind, r.fields, r.event_id, r.old_claim_id, r.new_claim_id, r.type,
    r.old_modality, r.new_modality, r.old_date, r.new_date, r.old_quote, r.new_quote, r.summary
"""


def with_pieces(revision: Row) -> Row:
    """Return the revision with `before` and `after`: both wordings as (words, changed) pieces."""
    before, after = word_changes(revision["old_quote"], revision["new_quote"])
    return revision | {"before": before, "after": after}


async def edits_of_article(db: Any, article_id: str) -> list[Row]:
    """Return an article's edits, newest first, each with its `sentences` and the `revisions` of their claims."""
    edits = await many(db, "select * from article_edits where article_id = ? order by nth desc", [article_id])
    if not edits:
        return []
    sql = f"""
        select {_REVISION}, e.summary as event_summary from revisions r left join events e using (event_id)
        where r.article_id = ? order by r.nth, r.rowid limit 300
    """
    found: dict[int, list[Row]] = defaultdict(list)
    for row in await many(db, sql, [article_id]):
        found[row["nth"]].append(row)
    return [edit | {"sentences": _by_sentence(found[edit["nth"]])} for edit in edits]


def _by_sentence(revisions: list[Row]) -> list[Row]:
    grouped: dict[tuple[str, str], Row] = {}
    for row in revisions:
        key = (row["old_quote"], row["new_quote"])
        grouped.setdefault(key, with_pieces(row) | {"revisions": []})["revisions"].append(row)
    return list(grouped.values())


async def edits_behind_event(db: Any, event_id: str) -> tuple[dict[str, list[Row]], list[Row]]:
    """Return what publishers' edits did to an event's evidence.

    Returns:
        The edits that led to each claim's present sentence, by claim id; and the claims that were removed, each with
        article and source. Removed claims are shown but not counted.
    """
    sql = f"""
        select {_REVISION}, a.title as article_title, a.url, s.title as source_title, c.claim_id as present_claim_id
        from revisions r join articles a using (article_id) join sources s using (source_id)
            left join claims c on c.claim_id = r.new_claim_id
        where r.event_id = ? order by r.seen_on, r.article_id, r.nth, r.revision_id limit 200
    """
    changed: dict[str, list[Row]] = defaultdict(list)
    gone: list[Row] = []
    for row in await many(db, sql, [event_id]):
        if row["kind"] == "vanished":
            gone.append(with_pieces(row))
        elif row["present_claim_id"]:
            changed[row["present_claim_id"]].append(with_pieces(row))
    return changed, gone
