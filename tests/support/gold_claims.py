"""Loads annotated documents as the pipeline's records, with the events that they belong to."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

from pipeline.evaluation.gold import annotated_claims, slug
from pipeline.records import Claim, Entity, EntityKind
from scrapers.items import Article


def load_gold(folder: Path | str) -> tuple[list[Claim], dict[str, Article], list[Entity], dict[str, str]]:
    """Return claims, articles by id, entities with their parents, and claim id -> event key."""
    claims, articles, keys = [], {}, {}
    for path in sorted((Path(folder) / "claims").glob("*.json")):
        text = json.loads((Path(folder) / "texts" / path.name).read_text())["text"]
        article, found, events = annotated_claims(json.loads(path.read_text()), text)
        articles[article.article_id] = article
        claims += found
        keys |= events
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
