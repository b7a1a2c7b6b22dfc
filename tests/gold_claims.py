"""Annotated documents come in; records as the pipeline makes them, and the events they belong to, go out."""

from __future__ import annotations

import calendar
import json
import os
import re
from collections import defaultdict
from datetime import UTC, date, datetime
from pathlib import Path

from pipeline.records import (
    Attribution,
    Claim,
    DateSpan,
    Entity,
    EntityKind,
    Evidence,
    Force,
    Modality,
    Participant,
    claim_id,
)
from scrapers.records import Article, Precision, text_version

SHARED = Path(os.environ.get("OVERSIGHT_SHARED") or Path(__file__).parents[1].parent / "shared")
_CLASS = re.compile(
    r"^[a-z]|^AI (?:labs|companies|researchers|developers|vendors|technology|models|systems)\b|^American "
)
_KIND_OF_ROLE = {"object": EntityKind.MODEL, "instrument": EntityKind.INSTRUMENT, "body": EntityKind.AGENCY}


def slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.casefold()).strip("-")


def date_span(value: dict | None) -> DateSpan | None:
    if not value or not value.get("value"):
        return None
    parts = [int(p) for p in value["value"].split("-")]
    if len(parts) == 3:
        start = end = date(*parts)
        precision = Precision.DAY
    elif len(parts) == 2:
        start, end = date(*parts, 1), date(*parts, calendar.monthrange(*parts)[1])
        precision = Precision.MONTH
    else:
        start, end, precision = date(parts[0], 1, 1), date(parts[0], 12, 31), Precision.YEAR
    return DateSpan(start, end, precision, value["basis"])


def participant(row: dict) -> Participant:
    kind = EntityKind.GROUP if _CLASS.match(row["name"]) else _KIND_OF_ROLE.get(row["role"], EntityKind.ORGANISATION)
    return Participant(row["role"], slug(row["name"]), row["name"], kind, row["text"])


def load_gold(folder: Path | str) -> tuple[list[Claim], dict[str, Article], list[Entity], dict[str, str]]:
    """Return claims, articles by id, entities with their parents, and claim id -> event key."""
    claims, articles, keys = [], {}, {}
    for path in sorted((Path(folder) / "claims").glob("*.json")):
        gold = json.loads(path.read_text())
        text = json.loads((Path(folder) / "texts" / path.name).read_text())["text"]
        published = gold.get("published")
        articles[gold["id"]] = Article(
            gold["id"], text_version(text), gold["id"], f"https://gold.example/{gold['id']}", gold["title"], text,
            published_at=datetime.fromisoformat(published).replace(tzinfo=UTC) if published else None,
        )  # fmt: skip
        for number, row in enumerate(gold["claims"]):
            start = text.find(row["quote"])
            attribution = Attribution(row["attribution"]["kind"], row["attribution"]["name"])
            id_ = claim_id(gold["id"], row["quote"], number, row["type"], row["trigger"], 1)
            keys[id_] = row["event"]
            claims.append(
                Claim(
                    id_, row["type"], Modality(row["modality"]),
                    Evidence(gold["id"], text_version(text), start, start + len(row["quote"]), row["quote"]),
                    start, start + len(row["trigger"]), row["trigger"],
                    tuple(participant(p) for p in row["participants"]), attribution, date_span(row.get("date")),
                    row.get("direction"), Force(row.get("force", "not_stated")), row["mention"], 1.0, "gold",
                )
            )  # fmt: skip
    return claims, articles, families(), keys


# Who leads or belongs to what: facts of public record, as the lexicon's offices and parents give them to the pipeline.
PARENTS = {
    "Pete Hegseth": "U.S. Department of Defense",
    "U.S. Department of Defense": "U.S. government",
    "Donald Trump": "White House",
    "Joe Biden": "White House",
    "White House": "U.S. government",
    "Dario Amodei": "Anthropic",
    "Sam Altman": "OpenAI",
    "Howard Lutnick": "U.S. Department of Commerce",
    "Secretary of Commerce": "U.S. Department of Commerce",
    "U.S. Secretary of Commerce": "U.S. Department of Commerce",
    "U.S. Department of Commerce": "U.S. government",
    "National Institute of Standards and Technology": "U.S. Department of Commerce",
    "U.S. AI Safety Institute": "National Institute of Standards and Technology",
    "Pam Bondi": "Attorney General",
    "Office of Science and Technology Policy": "White House",
    "U.S. Senate": "U.S. Congress",
    "Gavin Newsom": "California",
    "California State Legislature": "California",
    "Claude": "Anthropic",
    "Grok": "xAI",
}


def families() -> list[Entity]:
    names = sorted(set(PARENTS) | set(PARENTS.values()))
    return [Entity(slug(n), n, EntityKind.ORGANISATION, parent_id=slug(PARENTS.get(n, ""))) for n in names]


def b_cubed(pairs: list[tuple[str, str]]) -> tuple[float, float, float]:
    """Return B-cubed precision, recall and F1 over (gold key, predicted key) pairs."""
    by_gold, by_predicted = defaultdict(set), defaultdict(set)
    for index, (gold, predicted) in enumerate(pairs):
        by_gold[gold].add(index)
        by_predicted[predicted].add(index)
    both = [len(by_gold[gold] & by_predicted[predicted]) for gold, predicted in pairs]
    precision = sum(b / len(by_predicted[p]) for b, (_, p) in zip(both, pairs, strict=True)) / len(pairs)
    recall = sum(b / len(by_gold[g]) for b, (g, _) in zip(both, pairs, strict=True)) / len(pairs)
    return precision, recall, 2 * precision * recall / (precision + recall)
