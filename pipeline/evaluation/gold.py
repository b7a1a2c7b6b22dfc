"""Turns annotated documents in the exchange format into articles and claims, with the event key of each claim."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from typing import Any

from pipeline.lexicon.entities import Lexicon
from pipeline.records import (
    Attribution,
    Claim,
    DateSpan,
    EntityKind,
    Evidence,
    Force,
    Modality,
    Participant,
    claim_id,
)
from scrapers.items import Article, Precision, text_version
from scrapers.reading.timestamps import known_day

_CLASS = re.compile(
    r"^[a-z]|^AI (?:labs|companies|researchers|developers|vendors|technology|models|systems)\b|^American "
)
_KIND_OF_ROLE = {"object": EntityKind.MODEL, "instrument": EntityKind.INSTRUMENT, "body": EntityKind.AGENCY}


def slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")


def lexicon_ids(lexicon: Lexicon) -> Callable[[str], str]:
    """Return a function from a name to its entity id: the lexicon's, else a slug."""
    known = {name.text.casefold(): name.entity_id for name in lexicon.names if name.kind != "nominal"}
    known |= {entity.name.casefold(): entity_id for entity_id, entity in lexicon.entities.items()}
    return lambda name: known.get(name.casefold()) or slug(name)


def date_span(value: Mapping[str, str] | None) -> DateSpan | None:
    """Return the span of an annotated date: "2026-05-05", "2026-05" or "2026". None if there is no date."""
    if not value or not value.get("value"):
        return None
    year, *rest = map(int, value["value"].split("-"))
    if not rest:
        return DateSpan(date(year, 1, 1), date(year, 12, 31), Precision.YEAR, value["basis"])
    month = rest[0]
    if len(rest) == 1:
        start, end = date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1])
        return DateSpan(start, end, Precision.MONTH, value["basis"])
    day = date(year, month, rest[1])
    return DateSpan(day, day, Precision.DAY, value["basis"])


def annotated_claims(
    gold: Mapping[str, Any], text: str, identify: Callable[[str], str] = slug
) -> tuple[Article, list[Claim], dict[str, str]]:
    """Return an annotated document as an article, its claims, and claim id -> event key.

    Args:
        gold: The annotation.
        text: The text of the document.
        identify: Returns the entity id of a canonical name.
    """
    published = known_day(gold.get("published"))
    article = Article(
        gold["id"],
        text_version(text),
        gold["id"],
        f"https://gold.example/{gold['id']}",
        gold["title"],
        text,
        published_at=datetime.combine(published, time.min, UTC) if published else None,
    )
    claims, keys = [], {}
    for number, row in enumerate(gold["claims"]):
        start = text.find(row["quote"])
        trigger = start + max(row["quote"].find(row["trigger"]), 0)
        id_ = claim_id(gold["id"], row["quote"], number, row["type"], row["trigger"], 1)
        keys[id_] = row["event"]
        claims.append(
            Claim(
                id_,
                row["type"],
                Modality(row["modality"]),
                Evidence(gold["id"], article.version, start, start + len(row["quote"]), row["quote"]),
                trigger,
                trigger + len(row["trigger"]),
                row["trigger"],
                tuple(_participant(each, identify) for each in row["participants"]),
                Attribution(row["attribution"]["kind"], row["attribution"]["name"]),
                date_span(row.get("date")),
                row.get("direction"),
                Force(row.get("force", "not_stated")),
                row["mention"],
                1.0,
                "gold",
            )
        )
    return article, claims, keys


def _participant(row: Mapping[str, str], identify: Callable[[str], str]) -> Participant:
    kind = EntityKind.GROUP if _CLASS.match(row["name"]) else _KIND_OF_ROLE.get(row["role"], EntityKind.ORGANISATION)
    return Participant(row["role"], identify(row["name"]), row["name"], kind, row.get("text", ""))
