"""The published ledger and an event or article come in; what the reports disagree on, with each side, comes out."""

from __future__ import annotations

from typing import Any

from pipeline.site.queries.pages import Row, many

_SIDES = """
    select k.conflict_id, k.event_id as kept_with, k.field, k.summary, e.summary as event_summary, v.value, v.claim_id,
        c.event_id, c.quote, c.quote_start, c.modality, c.published_on, c.attribution_kind, c.attribution_name,
        c.article_id, s.title as source_title
    from conflicts k join conflict_values v using (conflict_id) join claims c on c.claim_id = v.claim_id
        join sources s on s.source_id = c.source_id join events e on e.event_id = k.event_id
    where k.conflict_id in ({which})
    order by k.field, k.conflict_id, v.value, c.published_on, c.article_id, c.quote_start, c.claim_id
"""
_OF_EVENT = """select conflict_id from conflicts where event_id = :id
    union select v.conflict_id from conflict_values v join claims c using (claim_id) where c.event_id = :id"""
_OF_ARTICLE = "select v.conflict_id from conflict_values v join claims c using (claim_id) where c.article_id = :id"


async def conflicts_of_event(db: Any, event_id: str) -> list[Row]:
    """Return an event's conflicts, each with its `values`: the value and the claims that give it.

    Among them those kept with another event that a claim of this one takes part in, such as a denial.
    """
    return _by_conflict(await many(db, _SIDES.format(which=_OF_EVENT), {"id": event_id}))


async def conflicts_of_article(db: Any, article_id: str) -> list[Row]:
    """Return the conflicts that an article's claims take part in, those within the article itself first.

    `inside` is True where the article alone gives two values.
    """
    found = _by_conflict(await many(db, _SIDES.format(which=_OF_ARTICLE), {"id": article_id}))
    for conflict in found:
        own = [any(c["article_id"] == article_id for c in said) for said in conflict["values"].values()]
        conflict["inside"] = sum(own) > 1
    return sorted(found, key=lambda conflict: not conflict["inside"])


def _by_conflict(rows: list[Row]) -> list[Row]:
    found: dict[str, Row] = {}
    for row in rows:
        conflict = found.setdefault(
            row["conflict_id"],
            {key: row[key] for key in ("conflict_id", "kept_with", "field", "summary", "event_summary")}
            | {"values": {}},
        )
        conflict["values"].setdefault(row["value"], []).append(row)
    return list(found.values())
