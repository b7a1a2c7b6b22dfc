"""Fits the weights of `clustering.similarity` to annotated documents and scores the grouping of unseen stories.

    python -m pipeline.evaluation.fitting.grouping [--gold TEXTS CLAIMS [--folds DIR]]

With `--folds`, each document is read with the classifier weights that have not seen it.

Pairs come from the newsroom and, if given, from annotated documents: both as annotated and as extracted, because the
grouping must tolerate missing actors and wrong coreference. The more pairs a claim is in, the less each counts, so that
one widely reported event does not dominate. The weights come from logistic regression with a small ridge penalty. A
story is a set of documents that share events within 45 days; "left out" groups each story with weights that have not
seen it.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from pathlib import Path

import numpy as np

from pipeline.aggregation.clustering import similarity
from pipeline.aggregation.clustering.cluster import group, neighbours
from pipeline.aggregation.clustering.features import ClaimFeatures
from pipeline.evaluation.documents import claim_row, read_documents
from pipeline.evaluation.gold import annotated_claims, lexicon_ids
from pipeline.evaluation.matching import match
from pipeline.evaluation.metrics import b_cubed
from pipeline.lexicon.entity_graph import EntityGraph, holders_of
from pipeline.lexicon.load import load_lexicon
from pipeline.newsroom.answers import write_documents
from pipeline.newsroom.stories import FOLDER
from pipeline.records import Claim
from scrapers.items import Article
from scrapers.reading.timestamps import known_day

RIDGE, STEPS, STORY_DAYS = 1.0, 30, 45


@dataclass(frozen=True)
class Material:
    """Claims to group.

    Attributes:
        name: The name of the material.
        claims: The claims.
        articles: Article id -> article.
        entity_graph: The graph of related entities.
        keys: Claim id -> annotated event, if known.
        story: Article id -> story.
    """

    name: str
    claims: Sequence[Claim]
    articles: Mapping[str, Article]
    entity_graph: EntityGraph
    keys: Mapping[str, str]
    story: Mapping[str, str]


def load(name: str, texts: Path, claims: Path, extra: Sequence[Path] = (), folds: Path | None = None) -> list[Material]:
    """Return the documents of a folder twice: as annotated, and as extracted.

    Args:
        name: The name of the material.
        texts: Folder of texts.
        claims: Folder of annotations.
        extra: Additional lexicon files.
        folds: Classifier weights by fold; each document is read with those that have not seen it.
    """
    lexicon = load_lexicon(*extra)
    entity_graph, identify = EntityGraph(lexicon.entities.values(), holders_of(lexicon)), lexicon_ids(lexicon)
    golds = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(claims.glob("*.json"))}
    documents = {stem: json.loads((texts / f"{stem}.json").read_text(encoding="utf-8")) for stem in golds}
    story = stories(golds.values())
    found: list[Claim] = []
    articles: dict[str, Article] = {}
    keys: dict[str, str] = {}
    for stem, gold in golds.items():
        article, annotated, events = annotated_claims(gold, documents[stem]["text"], identify)
        articles[article.article_id] = article
        found += annotated
        keys |= events
    by_article = {article_id: story[article_id] for article_id in articles}
    materials = [Material(f"{name}, annotated", found, articles, entity_graph, keys, by_article)]
    read: list[Claim] = []
    read_articles, read_keys, read_story = {}, {}, {}
    dated = [{**each, "published": known_day(each.get("published"))} for each in documents.values()]
    for document, text, findings in read_documents(dated, extra, folds=folds):
        read_articles[text.article.article_id] = text.article
        read_story[text.article.article_id] = story[document["id"]]
        read += findings.claims
        rows = [claim_row(claim, text, claim.claim_id) for claim in findings.claims]
        found_here = match(document["text"], golds[document["id"]], {"claims": rows})
        for wanted, hit in found_here.hits:
            read_keys[found_here.found[hit]["event"]] = found_here.wanted[wanted]["event"]
    materials.append(Material(f"{name}, read", read, read_articles, entity_graph, read_keys, read_story))
    return materials


def stories(golds: Iterable[Mapping]) -> dict[str, str]:
    """Return document id -> story: documents that share an event within STORY_DAYS are one story."""
    documents = {gold["id"]: gold for gold in golds}
    head = {id_: id_ for id_ in documents}

    def top(id_: str) -> str:
        while head[id_] != id_:
            id_ = head[id_]
        return id_

    of_event: dict[str, set[str]] = defaultdict(set)
    for id_, gold in documents.items():
        for claim in gold["claims"]:
            of_event[claim["event"]].add(id_)
    for _, ids in sorted(of_event.items()):
        for one, other in combinations(sorted(ids), 2):
            days = [date.fromisoformat(day) for id_ in (one, other) if (day := documents[id_].get("published"))]
            if len(days) == 2 and abs((days[0] - days[1]).days) <= STORY_DAYS:
                head[top(other)] = top(one)
    return {id_: top(id_) for id_ in documents}


def pairs(material: Material, story: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the features of each pair [n, weights], whether it is one event [n], and its weight [n]."""
    of_type: dict[str, list[ClaimFeatures]] = defaultdict(list)
    measure = similarity.Similarity(material.entity_graph)
    for claim in material.claims:
        article = material.articles[claim.evidence.article_id]
        if material.story[article.article_id] == story and claim.claim_id in material.keys:
            day = article.published_at.date() if article.published_at else None
            of_type[claim.type].append(ClaimFeatures(claim, day))
    rows, same, counts = [], [], []
    for _, cases in sorted(of_type.items()):
        cases.sort(key=lambda case: case.key)
        number: Counter[tuple[int, bool]] = Counter()
        compared = []
        for one, other in sorted(neighbours(cases, material.entity_graph)):
            features = measure.pair_features(cases[one], cases[other])
            if features is not None and not measure.opposed(cases[one], cases[other]):
                ids = cases[one].claim.claim_id, cases[other].claim.claim_id
                is_one = material.keys[ids[0]] == material.keys[ids[1]]
                compared.append((one, other, is_one, features))
                number.update([(one, is_one), (other, is_one)])
        for one, other, is_one, features in compared:
            rows.append([features[name] for name in similarity.FEATURES])
            same.append(float(is_one))
            counts.append(0.5 / number[one, is_one] + 0.5 / number[other, is_one])
    return np.array(rows).reshape(-1, len(similarity.FEATURES)), np.array(same), np.array(counts)


def fit(parts: Iterable[tuple[np.ndarray, np.ndarray, np.ndarray]]) -> dict[str, float]:
    """Return the weights of a logistic regression over pairs, rounded to hundredths (Newton's method, STEPS steps)."""
    parts = list(parts)
    x, y, w = (np.concatenate([part[index] for part in parts]) for index in range(3))
    x = np.hstack([x, np.ones((len(x), 1))])
    ridge = np.eye(x.shape[1]) * RIDGE
    ridge[-1, -1] = 1e-6
    weights = np.zeros(x.shape[1])
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-x @ weights))
        slope = x.T @ (w * (p - y)) + ridge @ weights
        weights -= np.linalg.solve((x * (w * p * (1 - p))[:, None]).T @ x + ridge, slope)
    names = (*similarity.FEATURES, "bias")
    return {"bias": 0.0} | {name: round(float(value), 2) for name, value in zip(names, weights, strict=True)}


def grouped(material: Material, story: str | None, weights: Mapping[str, float]) -> list[tuple[str, str]]:
    """Return (annotated event, group) of each claim of a story (None: of all), grouped with the given weights."""
    kept, chosen = similarity.WEIGHTS.copy(), material.claims
    if story is not None:
        chosen = [c for c in chosen if material.story[c.evidence.article_id] == story]
    try:
        similarity.WEIGHTS.update(weights)
        found = group(chosen, material.articles, entity_graph=material.entity_graph)
    finally:
        similarity.WEIGHTS.update(kept)
    return [
        (f"{story} {material.keys[id_]}", f"{story} {ids[0]}") for ids in found for id_ in ids if id_ in material.keys
    ]


def materials_of(*arguments: str) -> list[Material]:
    """Return the newsroom and, with --gold TEXTS CLAIMS [--folds DIR], annotated documents, annotated and extracted."""
    with tempfile.TemporaryDirectory() as folder:
        texts, claims = Path(folder, "texts"), Path(folder, "claims")
        write_documents(texts, claims)
        materials = load("newsroom", texts, claims, [FOLDER / "lexicon.toml"])
    if arguments[:1] == ("--gold",):
        folds = Path(arguments[4]) if arguments[3:4] == ("--folds",) else None
        materials += load("gold", Path(arguments[1]), Path(arguments[2]), folds=folds)
    return materials


def main(*arguments: str) -> int:
    """Print the fitted weights and their scores, on all documents and with each story left out."""
    materials = materials_of(*arguments)
    names = sorted({story for material in materials for story in material.story.values()})
    parts = {(m.name, story): pairs(m, story) for m in materials for story in names}
    weights = fit(parts.values())
    print(json.dumps(weights))
    for label in ("all", "left out", "present, all"):
        for material in materials:
            keys: list[tuple[str, str]] = []
            for story in names if label == "left out" else [None]:
                unseen = fit(part for key, part in parts.items() if key[1] != story) if story else weights
                keys += grouped(material, story, similarity.WEIGHTS if "present" in label else unseen)
            found = b_cubed(keys)
            print(f"{label:14}{material.name:22}" + " ".join(f"{found[k]:.3f}" for k in ("precision", "recall", "f1")))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
