"""Annotated documents that the weights have not seen come in; out go the numbers that make confidence a probability.

`python -m pipeline.evaluation.fitting.confidence --gold TEXTS CLAIMS --folds DIR` reads each document with the weights
of the fold that it is in, the invented newsroom and stories younger than the weights with the shipped ones, and writes
calibration.json beside the weights. Without --gold the newsroom and the stories must do.
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

from pipeline.evaluation.documents import held_out
from pipeline.evaluation.fitting.stories import story_documents
from pipeline.evaluation.matching import match
from pipeline.evaluation.reliability import reliability
from pipeline.nlp.events.calibration import FILE, SIGNS, Calibrator, Signals, signals_of
from pipeline.nlp.events.frames import Draft
from pipeline.nlp.pipeline import Tools, extract, load_tools
from pipeline.nlp.training.corpus import Example, connected, read_corpus
from pipeline.settings import Settings
from scrapers.reading.plain_text import plain_text
from scrapers.reading.timestamps import known_day

RIDGE = 1.0  # how strongly each coefficient is drawn towards none
FOLDS = 10  # of the calibration itself, over groups of documents
FULL = 100  # claims from which on a set of texts has its full weight
GAIN = 0.002  # how much lower the Brier score must be before more features are worth having
# Only signals of how well a sentence was read. That an event is planned, denied or recalled, or that nobody is named,
# would lower the Brier score a little more (newsroom and documents: .158 against .170), but denials and plans would
# then be the first to vanish from view.
CANDIDATES = (("score",), ("score", "classifier"))
THRESHOLDS = (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7)
KEEP = 0.98  # the share of the right claims that a threshold should leave in the published view


@dataclass(frozen=True, slots=True)
class Case:
    """One found claim: which set, document and group of documents with the same news it is from, and if it is right."""

    of: str
    document: str
    group: str
    signals: Signals
    right: bool


@dataclass
class _Recorder:
    """Notes the signals of drafts and leaves their score as it is."""

    seen: dict[tuple[tuple[int, int], str], Signals] = field(default_factory=dict)

    def calibrate(self, drafts: Sequence[Draft]) -> list[Draft]:
        self.seen |= {(draft.words, draft.type): signals_of(draft) for draft in drafts if draft.seen is not None}
        return list(drafts)


Annotated = tuple[dict[str, Any], dict[str, Any]]  # a document and its annotation


def cases_of(of: str, documents: Iterable[Annotated], tools_for: Callable[[str], Tools | None]) -> list[Case]:
    """Read every document with its tools (None: leave it out) and return a case for each claim found."""
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
    claims = []
    for claim in extract(text.article, replace(tools, calibrator=recorder)).claims:
        start, end = text.original_span(claim.evidence.start, claim.evidence.end)
        parties = [{"role": p.role, "name": p.name, "text": p.text} for p in claim.participants]
        signals = recorder.seen.get(((claim.trigger_start, claim.trigger_end), claim.type))
        claims.append({"start": start, "end": end, "type": claim.type, "participants": parties, "signals": signals})
    matched = match(document["text"], annotated, {"claims": claims})
    for index, claim in enumerate(matched.found):
        if claim["signals"] is not None:
            yield claim["signals"], matched.is_right(index)


def weights_of(cases: Sequence[Case]) -> np.ndarray:
    """Return what each case weighs: every set of FULL claims or more weighs the same, a smaller one less."""
    sizes = Counter(case.of for case in cases)
    each = np.array([min(1.0, sizes[case.of] / FULL) / sizes[case.of] for case in cases])
    return each * len(cases) / each.sum()


def fit(cases: Sequence[Case], features: Sequence[str]) -> Calibrator:
    """Fit the curve: logistic regression with a ridge; a coefficient of the wrong sign is left out, the rest refitted.

    `features`: the names of SIGNS that may take part.
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
    """Return the features worth having, and each candidate's Brier score on documents that it was not fitted on."""
    right = np.array([case.right for case in cases], float)
    w = weights_of(cases)
    scores = {names: float((w * (np.array(cross_fitted(cases, names)) - right) ** 2).mean()) for names in CANDIDATES}
    best = CANDIDATES[0]
    for names in CANDIDATES[1:]:
        if scores[names] < scores[best] - GAIN:
            best = names
    return best, {" + ".join(names): round(score, 4) for names, score in scores.items()}


def cross_fitted(cases: Sequence[Case], features: Sequence[str]) -> list[float]:
    """Return each case's confidence by a curve that was fitted without its group's documents."""
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
    """Return what a threshold withholds: claims under it, how many of these are right, and the share right above it."""
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
    """Return the highest threshold that keeps the share KEEP of the right claims; 0 where none does."""
    return max((each["threshold"] for each in thresholds if each["right_kept"] >= KEEP), default=0.0)


def report(cases: Sequence[Case]) -> dict[str, Any]:
    """Return all that is to be stored: the curve and how it does on documents that it was not fitted on."""
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
    """Return the cases of all texts that some weights have not seen: documents in folds, the newsroom, stories.

    Stories of the corpus take part where the shipped weights' card does not name them, or a fold has left them out.
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
    """Return the stories that share no group of events with those that the weights have `seen` (None: unknown)."""
    if seen is None:
        return set()
    groups = {each.group for each in examples if each.source in set(seen)}
    return {each.source for each in examples} - {each.source for each in examples if each.group in groups}


def _card() -> dict[str, Any]:
    return json.loads((FILE.parent / "card.json").read_text(encoding="utf-8"))


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m pipeline.evaluation.fitting.confidence", description=__doc__)
    parser.add_argument("--gold", nargs=2, type=Path, action="append", default=[], metavar=("TEXTS", "CLAIMS"))
    parser.add_argument("--folds", type=Path, help="weights by fold, as pipeline.nlp.training.train --folds-out writes")
    parser.add_argument("--out", type=Path, default=FILE, help="where to write (default: beside the shipped weights)")
    arguments = parser.parse_args(argv)
    if bool(arguments.gold) != bool(arguments.folds):
        print("Give --gold together with --folds: the weights must not have seen the documents.", file=sys.stderr)
        return 2
    cases = read_all(arguments.gold, arguments.folds)
    if len({case.right for case in cases}) < 2:
        print("There are no right and wrong claims to learn from. Give --gold and --folds.", file=sys.stderr)
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
