"""Fits the curve that turns scores into calibrated confidence, on documents that the weights have not seen.

`python -m pipeline.evaluation.fitting.confidence --gold TEXTS CLAIMS --folds DIR` reads each annotated document with
the weights of its fold, and the newsroom and newer stories with the shipped weights. It writes calibration.json beside
the weights. Without --gold it uses the newsroom and the stories alone.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.accuracy.reliability import reliability
from pipeline.evaluation.documents import held_out
from pipeline.evaluation.fitting.stories import story_documents
from pipeline.evaluation.matching import match
from pipeline.nlp.events.calibration import FILE, SIGNS, Calibrator, Signals, signals_of
from pipeline.nlp.events.frames import Draft
from pipeline.nlp.pipeline import Tools, extract, load_tools
from pipeline.nlp.training.corpus import Example, connected, read_corpus
from pipeline.settings import Settings
from scrapers.reading.plain_text import plain_text
from scrapers.reading.timestamps import known_day

RIDGE = 1.0  # penalty on the coefficients
FOLDS = 10  # of the calibration, over groups of documents
FULL = 100  # number of claims at which a set of texts gets its full weight
GAIN = 0.002  # minimum gain in the Brier score for more features
# Only signals of how well a sentence was read. Modality, newness and a missing actor would lower the Brier score
# slightly (newsroom and documents: .158 instead of .170), but denials and plans would then be the first to fall below
# the threshold of publication.
CANDIDATES: tuple[tuple[str, ...], ...] = (("score",), ("score", "classifier"))
THRESHOLDS = (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7)
KEEP = 0.98  # share of the right claims that a threshold should keep in the published view


@dataclass(frozen=True, slots=True)
class Case:
    """One found claim.

    Attributes:
        of: The set of texts it is from.
        document: The document it is from.
        group: The group of documents with the same news.
        signals: The inputs of its confidence.
        right: Whether the claim is right.
    """

    of: str
    document: str
    group: str
    signals: Signals
    right: bool


@dataclass
class _Recorder:
    """A confidence model that records the signals of drafts and leaves their score unchanged."""

    seen: dict[tuple[tuple[int, int], str], Signals] = field(default_factory=dict)

    def calibrate(self, drafts: Sequence[Draft]) -> list[Draft]:
        self.seen |= {(draft.words, draft.type): signals_of(draft) for draft in drafts if draft.seen is not None}
        return list(drafts)


Annotated = tuple[dict[str, Any], dict[str, Any]]  # a document and its annotation


def cases_of(of: str, documents: Iterable[Annotated], tools_for: Callable[[str], Tools | None]) -> list[Case]:
    """Read every document with its tools (None: skip it) and return a case for each claim found."""
    wanted = [(document, gold, tools) for document, gold in documents if (tools := tools_for(document["id"]))]
    news = [
        (document["id"], {claim["event"] for claim in gold["claims"] if claim.get("mention") == "new"})
        for document, gold, _ in wanted
    ]
    groups = connected(news)
    return [
        Case(of, document["id"], f"{of}:{groups[document['id']]}", signals, right)
        for document, gold, tools in wanted
        for signals, right in _judged(document, gold, tools)
    ]


def documents_in(texts: Path, gold: Path) -> Iterator[Annotated]:
    """Yield the documents of a folder of texts with their annotations."""
    for path in sorted(Path(gold).glob("*.json")):
        document = json.loads((Path(texts) / path.name).read_text(encoding="utf-8"))
        yield document | {"id": path.stem}, json.loads(path.read_text(encoding="utf-8"))


def _judged(document: dict[str, Any], annotated: dict[str, Any], tools: Tools) -> Iterable[tuple[Signals, bool]]:
    recorder = _Recorder()
    published = str(document.get("published") or "")[:10]
    text = plain_text(
        document["text"],
        name=document["id"],
        title=str(document.get("title") or ""),
        published=known_day(published),
        publisher=str(document.get("site") or ""),
    )
    rows = []
    for claim in extract(text.article, replace(tools, calibrator=recorder)).claims:
        start, end = text.original_span(claim.evidence.start, claim.evidence.end)
        parties = [{"role": p.role, "name": p.name, "text": p.text} for p in claim.participants]
        signals = recorder.seen.get(((claim.trigger_start, claim.trigger_end), claim.type))
        rows.append({"start": start, "end": end, "type": claim.type, "participants": parties, "signals": signals})
    matched = match(document["text"], annotated, {"claims": rows})
    for index, row in enumerate(matched.found):
        if row["signals"] is not None:
            yield row["signals"], matched.is_right(index)


def weights_of(cases: Sequence[Case]) -> np.ndarray:
    """Return the weight of each case: all sets of at least FULL claims weigh the same, smaller ones less."""
    sizes = Counter(case.of for case in cases)
    each = np.array([min(1.0, sizes[case.of] / FULL) / sizes[case.of] for case in cases])
    return each * len(cases) / each.sum()


def fit(cases: Sequence[Case], features: Sequence[str]) -> Calibrator:
    """Fit the curve by logistic regression with a ridge penalty, using these features (names in SIGNS).

    A feature whose coefficient has the wrong sign is dropped, and the rest is fitted again.
    """
    x = np.array([case.signals.features() for case in cases])
    y = np.array([case.right for case in cases], float)
    w = weights_of(cases)
    signs = list(SIGNS.values())
    free = [n for n, name in enumerate(SIGNS) if name in features]
    while True:
        b = _logistic(x[:, free], y, w)
        wrong = [n for n, value in zip(free, b[1:], strict=True) if signs[n] and value * signs[n] < 0]
        if not wrong:
            break
        free = [n for n in free if n not in wrong]
    weights = np.zeros(x.shape[1])
    weights[free] = b[1:]
    return Calibrator(round(float(b[0]), 4), tuple(round(float(value), 4) for value in weights), {})


def _logistic(x: np.ndarray, y: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Return intercept and coefficients by Newton's method."""
    a = np.column_stack([np.ones(len(x)), x])
    ridge = np.diag([1e-6] + [RIDGE] * x.shape[1])
    b = np.zeros(a.shape[1])
    for _ in range(100):
        p = 1 / (1 + np.exp(-np.clip(a @ b, -30, 30)))
        step = np.linalg.solve((a * (w * p * (1 - p))[:, None]).T @ a + ridge, a.T @ (w * (y - p)) - ridge @ b)
        b = b + step
        if np.abs(step).max() < 1e-8:
            break
    return b


def choose(cases: Sequence[Case]) -> tuple[tuple[str, ...], dict[str, float]]:
    """Return the best features, and the cross-validated Brier score of each candidate set."""
    right = np.array([case.right for case in cases], float)
    w = weights_of(cases)
    scores = {names: float((w * (np.array(cross_fitted(cases, names)) - right) ** 2).mean()) for names in CANDIDATES}
    best = CANDIDATES[0]
    for names in CANDIDATES[1:]:
        if scores[names] < scores[best] - GAIN:
            best = names
    return best, {" + ".join(names): round(score, 4) for names, score in scores.items()}


def cross_fitted(cases: Sequence[Case], features: Sequence[str]) -> list[float]:
    """Return the confidence of each case by a curve fitted without its group."""
    size: dict[str, int] = {}
    for case in cases:
        size[case.group] = size.get(case.group, 0) + 1
    load, fold = [0] * FOLDS, {}
    for name in sorted(size, key=lambda group: (-size[group], group)):
        fold[name] = min(range(FOLDS), key=lambda n: (load[n], n))
        load[fold[name]] += size[name]
    found = [0.0] * len(cases)
    for number in sorted(set(fold.values())):
        curve = fit([case for case in cases if fold[case.group] != number], features)
        for n, case in enumerate(cases):
            if fold[case.group] == number:
                found[n] = curve.probability(case.signals)
    return found


def below(cases: Sequence[Case], confidence: Sequence[float], threshold: float) -> dict[str, Any]:
    """Return the effect of a threshold: the claims below it, how many of them are right, and the share right above."""
    under = [case.right for case, p in zip(cases, confidence, strict=True) if p < threshold]
    over = [case.right for case, p in zip(cases, confidence, strict=True) if p >= threshold]
    return {
        "threshold": threshold,
        "under": len(under),
        "right_under": sum(under),
        "over": len(over),
        "share_right_over": round(sum(over) / len(over), 4) if over else 0.0,
        "right_kept": round(sum(over) / (sum(over) + sum(under)), 4) if sum(over) + sum(under) else 0.0,
    }


def suggested(thresholds: Sequence[dict[str, Any]]) -> float:
    """Return the highest threshold that keeps the share KEEP of the right claims, or 0."""
    return max((each["threshold"] for each in thresholds if each["right_kept"] >= KEEP), default=0.0)


def report(cases: Sequence[Case]) -> dict[str, Any]:
    """Return the content of calibration.json: the curve and its cross-validated reliability."""
    features, tried = choose(cases)
    curve, confidence = fit(cases, features), cross_fitted(cases, features)
    groups = [case.group for case in cases]
    right = [case.right for case in cases]
    sets = {}
    for name in dict.fromkeys(case.of for case in cases):
        own = [n for n, case in enumerate(cases) if case.of == name]
        some = [cases[n] for n in own]
        sets[name] = {
            "documents": len({case.document for case in some}),
            "calibrated": reliability([confidence[n] for n in own], [right[n] for n in own], [groups[n] for n in own]),
            "score": reliability([c.signals.score for c in some], [c.right for c in some], [c.group for c in some]),
            "thresholds": [below(some, [confidence[n] for n in own], t) for t in THRESHOLDS],
        }
    return {
        "version": 1,
        "date": datetime.now(UTC).date().isoformat(),
        "data_hash": hashlib.sha256(repr(sorted(map(repr, cases))).encode()).hexdigest()[:16],
        "claims": len(cases),
        "documents": len({(case.of, case.document) for case in cases}),
        "intercept": curve.intercept,
        "tried": tried,
        "weights": dict(zip(SIGNS, curve.weights, strict=True)),
        "least_confidence": Settings().least_confidence,
        "calibrated": reliability(confidence, right, groups),
        "score": reliability([case.signals.score for case in cases], right, groups),
        "thresholds": [below(cases, confidence, t) for t in THRESHOLDS],
        "sets": sets,
    }


def read_all(gold: Sequence[tuple[Path, Path]], folds: Path | None) -> list[Case]:
    """Return the cases of all unseen texts: documents in folds, the newsroom, and stories.

    Stories of the corpus count if the model card of the shipped weights does not list them, or a fold held them out.
    """
    from pipeline.newsroom.answers import write_documents
    from pipeline.newsroom.stories import FOLDER

    shipped = load_tools()
    by_fold = held_out(replace(shipped, classifier=None), folds) if folds else {}
    cases: list[Case] = []
    for texts, claims in gold:
        cases += cases_of("documents", documents_in(texts, claims), by_fold.get)
    newsroom = load_tools(lexicon=[FOLDER / "lexicon.toml"])
    with tempfile.TemporaryDirectory() as name:
        write_documents(Path(name, "texts"), Path(name, "claims"))
        cases += cases_of("newsroom", documents_in(Path(name, "texts"), Path(name, "claims")), lambda _: newsroom)
    examples = [each for each in read_corpus().examples if each.relevant]
    unseen = _unseen(examples, _card().get("stories"))
    tools = {**by_fold, **dict.fromkeys(unseen, shipped)}
    return cases + cases_of("stories", story_documents(examples), tools.get)


def _unseen(examples: Sequence[Example], seen: Sequence[str] | None) -> set[str]:
    """Return the stories that share no event group with those that the weights have `seen` (None: unknown)."""
    if seen is None:
        return set()
    groups = {each.group for each in examples if each.source in set(seen)}
    return {each.source for each in examples} - {each.source for each in examples if each.group in groups}


def _card() -> dict[str, Any]:
    return json.loads((FILE.parent / "card.json").read_text(encoding="utf-8"))


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m pipeline.evaluation.fitting.confidence", description=__doc__)
    pair = ("TEXTS", "CLAIMS")
    parser.add_argument(
        "--gold", nargs=2, type=Path, action="append", default=[], metavar=pair, help="Annotated documents."
    )
    parser.add_argument(
        "--folds", type=Path, help="Weights by fold, as pipeline.nlp.training.train --folds-out writes."
    )
    parser.add_argument("--out", type=Path, default=FILE, help="Output file (default: beside the shipped weights).")
    arguments = parser.parse_args(argv)
    if bool(arguments.gold) != bool(arguments.folds):
        print("Give --gold and --folds together: the weights must not have seen the documents.", file=sys.stderr)
        return 2
    cases = read_all(arguments.gold, arguments.folds)
    if len({case.right for case in cases}) < 2:
        print("The fit needs both right and wrong claims. Give --gold and --folds.", file=sys.stderr)
        return 2
    stored = {**report(cases), "classifier": _card()["data_hash"]}
    arguments.out.write_text(json.dumps(stored, indent=1) + "\n", encoding="utf-8")
    print(f"Wrote {arguments.out}: {stored['claims']} claims of {stored['documents']} documents.")
    print(
        f"least_confidence is {stored['least_confidence']}; the highest that keeps {KEEP:.0%} of the right claims is "
        f"{suggested(stored['thresholds'])} (pipeline/settings.py)."
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
