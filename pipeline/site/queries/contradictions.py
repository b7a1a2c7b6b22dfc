"""Queries for contradictions: what reports disagree on about an event or in an article, with each side's claims."""

from __future__ import annotations

from typing import Any

from pipeline.site.queries.common import Row, many

_SIDES = """
    select k.contradiction_id, k.event_id as kept_with, k.field, k.summary, e.summary as event_summary, v.value,
        v.claim_id, c.event_id, c.quote, c.quote_start, c.modality, c.published_on, c.attribution_kind,
        c.attribution_name, c.article_id, s.title as source_title
    from contradictions k join contradiction_sides v using (contradiction_id) join claims c on c.claim_id = v.claim_id
        join sources s on s.source_id = c.source_id join events e on e.event_id = k.event_id
    where k.contradiction_id in ({which})
    order by k.field, k.contradiction_id, v.value, c.published_on, c.article_id, c.quote_start, c.claim_id
"""
_OF_EVENT = """select contradiction_id from contradictions where event_id = :id
    union select v.contradiction_id from contradiction_sides v join claims c using (claim_id) where c.event_id = :id"""
_OF_ARTICLE = (
    "select v.contradiction_id from contradiction_sides v join claims c using (claim_id) where c.article_id = :id"
)


async def contradictions_of_event(db: Any, event_id: str) -> list[Row]:
    """Return an event's contradictions, each with its `values`: the claims by value.

    Includes contradictions of other events that a claim of this one is part of, such as a denial.
    """
    return _by_contradiction(await many(db, _SIDES.format(which=_OF_EVENT), {"id": event_id}))


async def contradictions_of_article(db: Any, article_id: str) -> list[Row]:
    """Return the contradictions that an article's claims are part of, those within the article first.

    `inside` is True where the article itself gives two values.
    """
    found = _by_contradiction(await many(db, _SIDES.format(which=_OF_ARTICLE), {"id": article_id}))
    for contradiction in found:
        own = [any(c["article_id"] == article_id for c in said) for said in contradiction["values"].values()]
        contradiction["inside"] = sum(own) > 1
    return sorted(found, key=lambda contradiction: not contradiction["inside"])


def _by_contradiction(rows: list[Row]) -> list[Row]:
    found: dict[str, Row] = {}
    for row in rows:
        contradiction = found.setdefault(
            row["contradiction_id"],
            {key: row[key] for key in ("contradiction_id", "kept_with", "field", "summary", "event_summary")}
            | {"values": {}},
        )
        contradiction["values"].setdefault(row["value"], []).append(row)
    return list(found.values())
