"""Measures how often a late article takes reports away from an existing event, and why.

    python -m pipeline.evaluation.fitting.late_arrivals [--gold TEXTS CLAIMS [--folds DIR]]

It draws articles from the newsroom, from synthetic news and, if given, from annotated documents, takes one of them as
late, and groups the claims with and without it. An event has lost reports if it, or its successor, has fewer articles.
"""

from __future__ import annotations

import random
import sys
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from pipeline.aggregation.clustering.cluster import group, neighbours
from pipeline.aggregation.clustering.features import ClaimFeatures
from pipeline.aggregation.clustering.similarity import Similarity
from pipeline.evaluation.fitting.grouping import Material, materials_of
from pipeline.evaluation.synthetic_news import NewsGenerator
from pipeline.ledger.build.redirects import trace
from pipeline.lexicon.entity_graph import EntityGraph
from pipeline.records import Claim, event_id

DRAWS = 250  # of each size, from each material
FEW = 14  # maximum articles of a small draw; a large one takes about half
SYNTHETIC_ARTICLES = 120
# Draws; draws that cannot lose; draws with a loss; draws with a loss that cannot lose; events with a loss; and those of
# them that two incompatible claims split.
_COLUMNS = ("draws", "safe", "with loss", "safe with loss", "lost", "excluded")


@dataclass(frozen=True, slots=True)
class Loss:
    """An event that lost reports to a late article.

    Attributes:
        event_id: The event.
        before, after: Its number of articles.
        excluded: Whether two incompatible claims split it; otherwise the average similarities changed.
    """

    event_id: str
    before: int
    after: int
    excluded: bool


def events(material: Material, claims: Sequence[Claim]) -> dict[str, tuple[str, ...]]:
    """Return event id -> claim ids."""
    groups = group(claims, material.articles, entity_graph=material.entity_graph)
    return {event_id(ids[0]): ids for ids in groups}


def losses(material: Material, claims: Sequence[Claim], late: str) -> list[Loss]:
    """Return the events with fewer articles with the article `late` than without it.

    Claims of other types than its own are left out: they are grouped separately.
    """
    types = {c.type for c in claims if c.evidence.article_id == late}
    claims = [c for c in claims if c.type in types]
    by_id = {c.claim_id: c for c in claims}
    then = events(material, [c for c in claims if c.evidence.article_id != late])
    now = events(material, claims)
    event_of = {id_: event for event, ids in now.items() for id_ in ids}
    gone = trace(then, {}, event_of, by_id)
    found = []
    for event, ids in then.items():
        heir = event if event in now else gone[event][0]
        before, after = (len({by_id[id_].evidence.article_id for id_ in some}) for some in (ids, now[heir or ""]))
        if after < before:
            homes = {event_of[id_] for id_ in ids}
            found.append(Loss(event, before, after, _excluded(material, [by_id[c] for h in homes for c in now[h]])))
    return found


def _cases(material: Material, claims: Sequence[Claim]) -> list[ClaimFeatures]:
    published = {id_: article.published_at for id_, article in material.articles.items()}
    days = {id_: when.date() if when else None for id_, when in published.items()}
    return sorted(
        (ClaimFeatures(claim, days[claim.evidence.article_id]) for claim in claims), key=lambda case: case.key
    )


def _excluded(material: Material, claims: Sequence[Claim]) -> bool:
    measure = Similarity(material.entity_graph)
    return any(measure.opposed(one, other) for one, other in combinations(_cases(material, claims), 2))


def cannot_lose(material: Material, claims: Sequence[Claim], late: str) -> bool:
    """Return whether a late article cannot take reports from any event.

    Either its claims join no claim of another article, or all claims linked to them, directly or indirectly, were
    published before its day.
    """
    own = {c.claim_id for c in claims if c.evidence.article_id == late}
    if all(own.issuperset(ids) for ids in events(material, claims).values() if not own.isdisjoint(ids)):
        return True
    cases = _cases(material, claims)
    beside: Mapping[int, list[int]] = defaultdict(list)
    for one, other in neighbours(cases, material.entity_graph):
        beside[one].append(other)
        beside[other].append(one)
    waiting = [place for place, case in enumerate(cases) if case.claim.evidence.article_id == late]
    reached = set(waiting)
    while waiting:
        for other in beside[waiting.pop()]:
            if other not in reached:
                reached.add(other)
                waiting.append(other)
    days = {cases[place].key[0] for place in reached if cases[place].claim.claim_id in own}
    others = {cases[place].key[0] for place in reached if cases[place].claim.claim_id not in own}
    return not others or max(others) < min(days)


def draws(material: Material, n: int, few: bool, seed: int = 0) -> Iterator[tuple[list[Claim], str]]:
    """Yield n times the claims of some articles, and the id of the late one among them."""
    chance = random.Random(f"{material.name} {few} {seed}")
    of_article: Mapping[str, list[Claim]] = defaultdict(list)
    for claim in material.claims:
        of_article[claim.evidence.article_id].append(claim)
    every = sorted(of_article)
    for _ in range(n):
        some = chance.sample(every, min(len(every), chance.randint(2, FEW) if few else len(every) // 2))
        yield [claim for id_ in some for claim in of_article[id_]], chance.choice(some)


def synthetic(seed: int) -> Material:
    """Return synthetic news of a few parties over two weeks, without annotations."""
    generator = NewsGenerator(seed=seed, parties=8, outlets=7, per_day=8, relevant=0.9, filler=100)
    made = list(generator.articles(SYNTHETIC_ARTICLES))
    claims = {c.claim_id: c for _, found in made for c in found.claims}
    entities = {e.entity_id: e for _, found in made for e in found.entities}
    articles = {article.article_id: article for article, _ in made}
    return Material(f"synthetic news {seed}", list(claims.values()), articles, EntityGraph(entities.values()), {}, {})


def table(materials: Collection[Material], n: int = DRAWS) -> Iterator[str]:
    """Yield a line for each material and size of draw, with the counts of _COLUMNS."""
    for material in materials:
        for few in (True, False):
            number: Counter[str] = Counter()
            for claims, late in draws(material, n, few):
                lost = losses(material, claims, late)
                safe = cannot_lose(material, claims, late)
                number.update({"draws": 1, "safe": safe, "with loss": bool(lost), "lost": len(lost)})
                number["safe with loss"] += safe and bool(lost)
                number["excluded"] += sum(loss.excluded for loss in lost)
            yield f"{material.name:22}{'few' if few else 'half':6}" + ", ".join(f"{k} {number[k]}" for k in _COLUMNS)


def main(*arguments: str) -> int:
    """Print how often late articles take reports from events."""
    for line in table([*materials_of(*arguments), *map(synthetic, range(1, 4))]):
        print(line, flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
