"""Fits the curve and thresholds of calibrated confidence, on documents that the weights have not seen.

`python -m pipeline.evaluation.fitting.confidence --gold TEXTS CLAIMS --folds DIR` reads each annotated document with
the weights of its fold. It writes calibration.json beside the shipped weights, fitted on all folds, and one into the
folder of each fold, fitted on the other folds, so that nothing that scores a document has seen it.

Without --gold it reads the newsroom with the shipped weights, which are not trained on it: enough for weights that
were trained on the corpus alone, but an invented world says little about real news.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from spacy.language import Language

from pipeline.accuracy.reliability import reliability
from pipeline.evaluation.documents import CALIBRATION, claim_row, documents_by_fold, load_fold, text_of
from pipeline.evaluation.metrics import Tally, load_json, tally
from pipeline.nlp.classifier.runtime import FLOOR
from pipeline.nlp.events.calibration import FILE, MOST, Calibrator, logit
from pipeline.nlp.pipeline import extract, load
from pipeline.nlp.training.corpus import connected
from scrapers.reading.timestamps import known_day

RIDGE = 1.0  # penalty on the slope
GOAL = 0.90  # precision of the claims that are shown by default
SCORES = tuple(round(float(score), 3) for score in np.arange(0.1, 0.651, 0.025))  # tried as least score
CONFIDENCES = tuple(round(float(p), 2) for p in np.arange(0.3, 0.991, 0.01))  # tried as default confidence
PARTS = 5  # of the newsroom, over groups of documents with the same news
Pairs = list[tuple[float, bool]]  # the score of a found claim, and whether it is right


class RawScore(Calibrator):
    """Leaves the score as it is, and makes a claim of every reading."""

    def probability(self, score: float) -> float:
        """Return the score."""
        return score


@dataclass(frozen=True, slots=True)
class ScoredDocument:
    """A document with its annotation and every claim found in it; the confidence of a claim is its raw score."""

    fold: str
    id: str
    text: str
    gold: dict[str, Any]
    predicted: dict[str, Any]

    def from_score(self, least: float) -> Tally:
        """Return the counts of the claims from a score on."""
        kept = [claim for claim in self.predicted["claims"] if claim["confidence"] >= least]
        return tally(self.id, self.text, self.gold, {**self.predicted, "claims": kept})


class Scored:
    """The documents of all folds, and their counts for each least score."""

    def __init__(self, documents: Iterable[ScoredDocument]) -> None:
        self.documents = list(documents)
        self.folds = sorted({document.fold for document in self.documents})
        self._tallies: dict[float, dict[str, Tally]] = {}

    def tallies(self, least: float) -> dict[str, Tally]:
        """Return document id -> counts of the claims from a score on."""
        if least not in self._tallies:
            self._tallies[least] = {document.id: document.from_score(least) for document in self.documents}
        return self._tallies[least]

    def pairs(self, fold: str, least: float) -> tuple[Pairs, list[str]]:
        """Return the claims of a fold that an annotation decides on, and the document of each."""
        found = self.tallies(least)
        every = [(d.id, pair) for d in self.documents if d.fold == fold for pair in found[d.id].confidences]
        return [pair for _, pair in every], [id_ for id_, _ in every]

    def usable_f1(self, fold: str, least: float) -> float:
        """Return the usable F1 of a fold with the claims from a score on."""
        some = [self.tallies(least)[d.id].counts for d in self.documents if d.fold == fold]
        usable, both = (
            sum(count[key] for count in some for key in keys) for keys in (["usable"], ["gold", "predicted"])
        )
        return 2 * usable / both if both else 0.0


def best_score(scored: Scored, folds: Sequence[str]) -> float:
    """Return the least score with the best mean usable F1 over some folds; the lower one of equals."""
    return max(SCORES, key=lambda least: (np.mean([scored.usable_f1(fold, least) for fold in folds]), -least))


def fit(pairs: Pairs, least_score: float = FLOOR) -> Calibrator:
    """Return the logistic curve over the log odds of the score, by Newton's method; its slope is never negative."""
    a = np.array([[1.0, logit(score)] for score, _ in pairs])
    y = np.array([right for _, right in pairs], float)
    ridge, b = np.diag([1e-6, RIDGE]), np.zeros(2)
    for _ in range(100):
        p = 1 / (1 + np.exp(-np.clip(a @ b, -30, 30)))
        step = np.linalg.solve((a * (p * (1 - p))[:, None]).T @ a + ridge, a.T @ (y - p) - ridge @ b)
        b = b + step
        if np.abs(step).max() < 1e-8:
            break
    if b[1] < 0:
        b = np.array([logit(float(y.mean())), 0.0])
    return Calibrator(round(float(b[0]), 4), round(float(b[1]), 4), least_score, {})


def default_confidence(confidence: Sequence[float], right: Sequence[bool], goal: float = GOAL) -> float:
    """Return the least confidence from which the share `goal` of the claims is right; MOST if there is none."""
    p, y = np.asarray(confidence, float), np.asarray(right, float)
    return next((t for t in CONFIDENCES if (p >= t).any() and y[p >= t].mean() >= goal), MOST)


def view(confidence: Sequence[float], right: Sequence[bool], threshold: float) -> dict[str, Any]:
    """Return the effect of a threshold: the claims below it, how many of them are right, and the share right above."""
    under = [r for p, r in zip(confidence, right, strict=True) if p < threshold]
    over = [r for p, r in zip(confidence, right, strict=True) if p >= threshold]
    return {
        "threshold": threshold,
        "under": len(under),
        "right_under": sum(under),
        "over": len(over),
        "share_right_over": round(sum(over) / len(over), 4) if over else 0.0,
        "right_kept": round(sum(over) / (sum(over) + sum(under)), 4) if sum(over) + sum(under) else 0.0,
    }


def stored(curve: Calibrator, default: float) -> dict[str, Any]:
    """Return the numbers of a curve as calibration.json holds them."""
    return {
        "intercept": curve.intercept,
        "slope": curve.slope,
        "least_score": curve.least_score,
        "default_confidence": default,
    }


def fitted(scored: Scored, folds: Sequence[str]) -> tuple[Calibrator, float]:
    """Return the curve fitted on some folds, and the default confidence of their claims."""
    least = best_score(scored, folds)
    pairs = [pair for fold in folds for pair in scored.pairs(fold, least)[0]]
    curve = fit(pairs, least)
    return curve, default_confidence([curve.probability(score) for score, _ in pairs], [right for _, right in pairs])


def report(scored: Scored) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Return the content of calibration.json, and fold -> the curve that was fitted without that fold."""
    confidence: list[float] = []  # by a curve fitted without the fold
    score: list[float] = []
    right: list[bool] = []
    groups: list[str] = []  # the document of each claim
    sets, curves = {}, {}
    for fold in scored.folds:
        curve, default = fitted(scored, [other for other in scored.folds if other != fold])
        curves[fold] = stored(curve, default)
        pairs, documents = scored.pairs(fold, curve.least_score)
        own, own_right = [curve.probability(each) for each, _ in pairs], [each for _, each in pairs]
        confidence += own
        score += [each for each, _ in pairs]
        right += own_right
        groups += documents
        sets[fold] = {
            **curves[fold],
            "documents": sum(document.fold == fold for document in scored.documents),
            "calibrated": reliability(own, own_right, documents) if pairs else None,
            "default_view": view(own, own_right, default),
        }
    curve, _ = fitted(scored, scored.folds)
    default = default_confidence(confidence, right)
    return {
        "version": 2,
        "date": datetime.now(UTC).date().isoformat(),
        "data_hash": hashlib.sha256(repr(sorted(zip(groups, score, right, strict=True))).encode()).hexdigest()[:16],
        "claims": len(right),
        "documents": len(scored.documents),
        **stored(curve, default),
        "usable_f1_from_score": {
            str(least): round(float(np.mean([scored.usable_f1(fold, least) for fold in scored.folds])), 4)
            for least in SCORES
        },
        "calibrated": reliability(confidence, right, groups),
        "score": reliability(score, right, groups),
        "default_view": view(confidence, right, default),
        "folds": sets,
    }, curves


def read_gold(texts: Path, claims: Path, folds: Path) -> Iterator[ScoredDocument]:
    """Yield the annotated documents that belong to a fold, read with its weights."""
    documents = [_document(Path(texts) / path.name) for path in sorted(Path(claims).glob("*.json"))]
    for folder, unseen in documents_by_fold(documents, folds):
        nlp = load_fold(folder)
        yield from _scored(unseen, claims, nlp, dict.fromkeys((each["id"] for each in unseen), folder.name))


def read_newsroom() -> Iterator[ScoredDocument]:
    """Yield the articles of the newsroom, read with the shipped weights; the same news is in one part."""
    from pipeline.newsroom.answers import write_documents
    from pipeline.newsroom.stories import FOLDER

    with tempfile.TemporaryDirectory() as name:
        texts, claims = Path(name, "texts"), Path(name, "claims")
        write_documents(texts, claims)
        paths = sorted(claims.glob("*.json"))
        news = [(p.stem, {c["event"] for c in load_json(p)["claims"] if c.get("mention") == "new"}) for p in paths]
        groups = connected(news)
        number = {group: n for n, group in enumerate(dict.fromkeys(groups.values()))}
        nlp = load(lexicon=[FOLDER / "lexicon.toml"])
        documents = [_document(texts / path.name) for path in paths]
        part_of = {id_: str(number[group] % PARTS) for id_, group in groups.items()}
        yield from _scored(documents, claims, nlp, part_of)


def _scored(
    documents: Iterable[Mapping[str, Any]], claims: Path, nlp: Language, fold_of: Mapping[str, str]
) -> Iterator[ScoredDocument]:
    component: Any = nlp.get_pipe("claims")
    component.calibrator = RawScore(0.0, 1.0, FLOOR, {})
    for document in documents:
        text, id_ = text_of(dict(document)), document["id"]
        findings = extract(text.article, nlp)
        rows = [claim_row(claim, text, "") for claim in findings.claims]
        predicted = {"relevant": findings.relevant, "claims": rows}
        yield ScoredDocument(fold_of[id_], id_, document["text"], load_json(claims / f"{id_}.json"), predicted)


def _document(path: Path) -> dict[str, Any]:
    document = load_json(path)
    return document | {"id": path.stem, "published": known_day(str(document.get("published") or ""))}


def main(argv: Sequence[str] | None = None) -> int:
    """Fit and write the calibration."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.evaluation.fitting.confidence", description=__doc__)
    parser.add_argument("--gold", nargs=2, type=Path, metavar=("TEXTS", "CLAIMS"), help="Annotated documents.")
    parser.add_argument(
        "--folds", type=Path, help="Weights by fold, as pipeline.nlp.training.train --folds-out writes."
    )
    parser.add_argument("--out", type=Path, default=FILE, help="Output file (default: beside the shipped weights).")
    arguments = parser.parse_args(argv)
    if bool(arguments.gold) != bool(arguments.folds):
        print("Give --gold and --folds together: the weights must not have seen the documents.", file=sys.stderr)
        return 2
    if arguments.gold:
        texts, claims = arguments.gold
        scored = Scored(read_gold(texts, claims, arguments.folds))
    else:
        scored = Scored(read_newsroom())
    rights = {right for fold in scored.folds for _, right in scored.pairs(fold, FLOOR)[0]}
    if len(scored.folds) < 2 or len(rights) < 2:
        print("The fit needs two folds, and both right and wrong claims. Give --gold and --folds.", file=sys.stderr)
        return 2
    whole, curves = report(scored)
    card = load_json(FILE.parent / "card.json")
    _write(arguments.out, {**whole, "classifier": card.get("data_hash", "")})
    for fold, curve in curves.items() if arguments.folds else ():
        _write(arguments.folds / fold / CALIBRATION, curve)
    print(f"Wrote {arguments.out}: {whole['claims']} claims of {whole['documents']} documents.")
    print(
        f"Claims are made from score {whole['least_score']} on and shown by default from confidence "
        f"{whole['default_confidence']} on: {whole['default_view']['share_right_over']:.1%} of these are right."
    )
    for fold, each in whole["folds"].items():
        error = each["calibrated"]["calibration_error"] if each["calibrated"] else 0.0
        print(f"fold {fold}: calibration error {error:.3f} by the curve of the other folds")
    return 0


def _write(file: Path, content: dict[str, Any]) -> None:
    file.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
