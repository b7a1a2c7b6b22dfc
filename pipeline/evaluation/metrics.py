"""Scores predicted claims against annotated ones, with confidence intervals and a list of mistakes.

docs/claims.md defines the task, `matching` how claims are matched. Optional claims and ignored lines count neither way.
Details are compared on the hits. Intervals are 95 % bootstrap intervals over documents, because claims of one document
are not independent; no interval of a share is narrower than Wilson's.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.accuracy.reliability import wilson
from pipeline.errors import WrongUse
from pipeline.evaluation.matching import Pairs, match, overlap, same_participant, shared_participants

RESAMPLES, SEED = 1000, 20260101
_ATTRIBUTES = ("attribution_kind", "date", "direction", "mention", "modality")


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake with its cause: missed, wrong type, not a claim, or a wrong attribute or missing actor of a hit."""

    cause: str
    type: str
    document: str
    sentence: str
    detail: str = ""

    def __str__(self) -> str:
        detail = f" ({self.detail})" if self.detail else ""
        return f"{self.cause:16} {self.type:16} {self.document[:40]}{detail}: {' '.join(self.sentence.split())[:200]}"


@dataclass(slots=True)
class _Tally:
    """The counts of one document, with keys such as "hit", "gold", "type:agreement:hit", "right:modality"."""

    counts: Counter = field(default_factory=Counter)
    keys: list[tuple[str, str]] = field(default_factory=list)  # event key annotated, event key predicted
    mistakes: list[Mistake] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Report:
    """The result of an evaluation.

    Attributes:
        figures: All figures, in the layout of `as_dict`.
        intervals: "claims.f1" and the like -> (low, high).
        causes: Number of mistakes by cause.
        errors: All mistakes.
    """

    figures: dict[str, Any]
    intervals: dict[str, tuple[float, float]]
    causes: dict[str, int]
    errors: tuple[Mistake, ...]

    def as_dict(self) -> dict[str, Any]:
        return {
            **self.figures,
            "intervals": {k: list(v) for k, v in self.intervals.items()},
            "errors_by_cause": self.causes,
        }

    def as_table(self) -> str:
        """Return the figures as text for a terminal, with 95 % intervals in brackets."""
        figures, lines = self.figures, []
        lines.append(f"documents: {figures['documents']}; relevance right: {figures['relevance_accuracy']:.1%}")
        lines.append(f"{'':26}{'precision':>20}{'recall':>20}{'F1':>20}{'annotated':>11}{'found':>8}")
        rows = {
            "claims": "claims",
            "claim_sentences_any_type": "sentences, any type",
            "usable_claims": "usable claims",
            "participants_of_matched": "participants of hits",
        }
        for key, label in rows.items():
            lines.append(self._row(label, key, figures[key]))
        for name in sorted(figures["accuracy_of_matched"]):
            value = figures["accuracy_of_matched"][name]
            lines.append(
                f"{name.replace('_', ' ') + ' of hits':26}{value:.3f}{self._interval('accuracy_of_matched.' + name)}"
            )
        wrong, asked = figures["not_occurred_claims_stored_as_occurred"]
        lines.append(f"{wrong} of {asked} hits on events that did not occur are stored as occurred")
        lines.append(self._row("event grouping (B-cubed)", "events_b_cubed", figures["events_b_cubed"]))
        lines.append("by type")
        lines += [self._row("  " + name, "by_type." + name, row) for name, row in figures["by_type"].items()]
        lines.append("errors by cause: " + ", ".join(f"{cause} {n}" for cause, n in self.causes.items()))
        return "\n".join(lines)

    def _row(self, label: str, key: str, row: dict[str, Any]) -> str:
        cells = [f"{row[name]:.3f}{self._interval(f'{key}.{name}')}" for name in ("precision", "recall", "f1")]
        counts = f"{row.get('gold', row.get('claims', 0)):>11}{row.get('predicted', ''):>8}"
        return f"{label:26}" + "".join(f"{cell:>20}" for cell in cells) + counts

    def _interval(self, key: str) -> str:
        return " [{:.2f}, {:.2f}]".format(*self.intervals[key]) if key in self.intervals else ""


def evaluate(texts_dir: Path, gold_dir: Path, predicted_dir: Path, only: set[str] | None = None) -> Report:
    """Score the predictions in a folder. A document without a prediction counts as predicted irrelevant.

    Args:
        texts_dir: Folder of texts, one ID.json each, as are the other two.
        gold_dir: Folder of annotations.
        predicted_dir: Folder of predictions.
        only: Ids of the documents to score; None for all.

    Raises:
        WrongUse: A text is missing, or a file is not a JSON object.
    """
    tallies = []
    for path in sorted(Path(gold_dir).glob("*.json")):
        if only is not None and path.stem not in only:
            continue
        gold, text = _load(path), _load(Path(texts_dir) / path.name).get("text", "")
        other = Path(predicted_dir) / path.name
        predicted = _load(other) if other.exists() else {"relevant": False, "claims": []}
        tallies.append(_tally(path.stem, text, gold, predicted))
    if not tallies:
        raise WrongUse(f"{gold_dir} has no .json files. Name the folder with the annotated claims.")
    counts = sum((tally.counts for tally in tallies), Counter())
    figures = _figures(counts, [key for tally in tallies for key in tally.keys])
    mistakes = tuple(mistake for tally in tallies for mistake in tally.mistakes)
    causes = dict(sorted(Counter(mistake.cause for mistake in mistakes).items(), key=lambda item: (-item[1], item[0])))
    return Report(figures, _intervals(tallies, figures), causes, mistakes)


def _load(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise WrongUse(f"{path} is missing. Every annotated document needs its text.") from None
    except ValueError as error:
        raise WrongUse(f"{path} is not valid JSON ({error}).") from None
    if not isinstance(found, dict):
        raise WrongUse(f"{path} is not a JSON object. docs/claims.md describes its keys.")
    return found


def _tally(name: str, text: str, gold: dict[str, Any], predicted: dict[str, Any]) -> _Tally:
    tally = _Tally()
    count = tally.counts
    matched = match(text, gold, predicted)
    wanted, found, spans, hits, free = matched.wanted, matched.found, matched.spans, matched.hits, matched.free
    count["documents"] = 1
    count["relevance"] = bool(gold.get("relevant", True)) == bool(predicted.get("relevant", True))
    required = [i for i, claim in enumerate(wanted) if not claim.get("optional")]
    count.update(gold=len(required), predicted=len(found) - len(free), hit=len(hits))
    sentences = matched.any_type
    optional = sum(bool(wanted[i].get("optional")) for i, _ in sentences)
    count.update(sentence_hit=len(sentences) - optional, sentence_predicted=len(found) - optional)
    count.update(f"type:{wanted[i]['type']}:gold" for i in required)
    count.update(f"type:{claim.get('type')}:predicted" for j, claim in enumerate(found) if j not in free)
    for i, j in hits:
        _compare(tally, name, text[slice(*spans[0][i])], wanted[i], found[j])
    _find_mistakes(tally, name, text, (wanted, found), spans, hits, free)
    return tally


def _compare(tally: _Tally, name: str, sentence: str, gold: dict[str, Any], found: dict[str, Any]) -> None:
    """Compare the details of one hit: count the correct ones and note the mistakes."""
    count, type_ = tally.counts, gold["type"]
    count[f"type:{type_}:hit"] += 1
    count["participant_hit"] += shared_participants(gold, found)
    count["participant_gold"] += len(gold.get("participants", []))
    count["participant_predicted"] += len(found.get("participants", []))
    actors = [each for each in gold.get("participants", []) if each["role"] == "actor"]
    lost = [a for a in actors if not any(same_participant(a, other) for other in found.get("participants", []))]
    values = {
        "modality": (gold["modality"], found.get("modality")),
        "mention": (gold["mention"], found.get("mention")),
        "attribution_kind": (gold["attribution"]["kind"], (found.get("attribution") or {}).get("kind")),
    }
    if gold.get("direction"):
        values["direction"] = gold["direction"], found.get("direction")
    if gold.get("date"):
        values["date"] = gold["date"]["value"], (found.get("date") or {}).get("value")
    for key, (one, other) in values.items():
        count[f"asked:{key}"] += 1
        count[f"right:{key}"] += one == other
        if one != other:
            tally.mistakes.append(Mistake(f"{key.split('_')[0]} wrong", type_, name, sentence, f"{one}, found {other}"))
    if lost:
        tally.mistakes.append(
            Mistake("actor missing", type_, name, sentence, ", ".join(str(a.get("name")) for a in lost))
        )
    occurred = gold["modality"] == "occurred"
    count["not_occurred"] += not occurred
    count["wrongly_occurred"] += not occurred and found.get("modality") == "occurred"
    count["usable"] += values["modality"][0] == values["modality"][1] and not lost
    if found.get("event"):
        tally.keys.append((gold["event"], found["event"]))


def _find_mistakes(
    tally: _Tally, name: str, text: str, claims: tuple, spans: tuple, hits: Pairs, free: frozenset[int]
) -> None:
    """Note every missed and every spurious claim with its cause."""
    wanted, found = claims
    extra = [j for j in range(len(found)) if j not in free and j not in {j for _, j in hits}]
    missed = [i for i, c in enumerate(wanted) if not c.get("optional") and i not in {i for i, _ in hits}]
    for i in missed:
        other = next((j for j in extra if overlap(spans[0][i], spans[1][j])), None)
        sentence = text[slice(*spans[0][i])]
        if other is None:
            tally.mistakes.append(Mistake("missed", wanted[i]["type"], name, sentence))
        else:
            extra.remove(other)
            tally.mistakes.append(
                Mistake("wrong type", wanted[i]["type"], name, sentence, f"found {found[other].get('type')}")
            )
    for j in extra:
        tally.mistakes.append(Mistake("not a claim", str(found[j].get("type")), name, text[slice(*spans[1][j])]))


def _ratio(part: float, whole: float) -> float:
    return round(part / whole, 4) if whole else 0.0


def _prf(hit: float, predicted: float, gold: float) -> dict[str, float]:
    precision, recall = _ratio(hit, predicted), _ratio(hit, gold)
    f1 = _ratio(2 * precision * recall, precision + recall)
    return {"precision": precision, "recall": recall, "f1": f1, "gold": gold, "predicted": predicted}


def b_cubed(keys: Iterable[tuple[str, str]]) -> dict[str, float]:
    """Return B-cubed precision, recall and F1 of a grouping. `keys`: (annotated, predicted group) of each item."""
    keys = list(keys)
    groups: tuple[dict[str, Counter], dict[str, Counter]] = defaultdict(Counter), defaultdict(Counter)
    for gold, predicted in keys:
        groups[0][gold][predicted] += 1
        groups[1][predicted][gold] += 1
    n = len(keys)
    precision = _ratio(sum(groups[1][p][g] / groups[1][p].total() for g, p in keys), n)
    recall = _ratio(sum(groups[0][g][p] / groups[0][g].total() for g, p in keys), n)
    f1 = _ratio(2 * precision * recall, precision + recall)
    return {"precision": precision, "recall": recall, "f1": f1, "claims": n}


def _figures(count: Counter, keys: list[tuple[str, str]]) -> dict[str, Any]:
    types = sorted({key.split(":")[1] for key in count if key.startswith("type:")})
    return {
        "documents": count["documents"],
        "relevance_accuracy": _ratio(count["relevance"], count["documents"]),
        "claims": _prf(count["hit"], count["predicted"], count["gold"]),
        "claim_sentences_any_type": _prf(count["sentence_hit"], count["sentence_predicted"], count["gold"]),
        "usable_claims": _prf(count["usable"], count["predicted"], count["gold"]),
        "participants_of_matched": _prf(
            count["participant_hit"], count["participant_predicted"], count["participant_gold"]
        ),
        "accuracy_of_matched": {
            key: _ratio(count[f"right:{key}"], count[f"asked:{key}"]) for key in _ATTRIBUTES if count[f"asked:{key}"]
        },
        "asked_of_matched": {key: count[f"asked:{key}"] for key in _ATTRIBUTES if count[f"asked:{key}"]},
        "not_occurred_claims_stored_as_occurred": [count["wrongly_occurred"], count["not_occurred"]],
        "events_b_cubed": b_cubed(keys),
        "by_type": {
            name: _prf(*(count[f"type:{name}:{part}"] for part in ("hit", "predicted", "gold"))) for name in types
        },
    }


def _intervals(tallies: list[_Tally], figures: dict[str, Any]) -> dict[str, tuple[float, float]]:
    """Return the 2.5 and 97.5 percentiles of each figure over documents drawn with replacement; the seed is fixed."""
    draws = np.random.default_rng(SEED).multinomial(len(tallies), np.full(len(tallies), 1 / len(tallies)), RESAMPLES)

    def total(key: str) -> np.ndarray:
        return draws @ np.array([tally.counts[key] for tally in tallies], dtype=float)

    found: dict[str, tuple[float, float]] = {}

    counts = sum((tally.counts for tally in tallies), Counter())

    def keep(key: str, part: np.ndarray, whole: np.ndarray, share: tuple[str, str] | None = None) -> None:
        values = np.divide(part, whole, out=np.zeros(RESAMPLES), where=whole > 0)
        low, high = np.percentile(values, [2.5, 97.5])
        if share and counts[share[1]]:
            # The bootstrap interval is empty if few documents are all right or all wrong; Wilson's is not.
            at_least = wilson(counts[share[0]], counts[share[1]])
            low, high = min(low, at_least[0]), max(high, at_least[1])
        found[key] = round(float(low), 4), round(float(high), 4)

    families = {
        "claims": ("hit", "predicted", "gold"),
        "claim_sentences_any_type": ("sentence_hit", "sentence_predicted", "gold"),
        "usable_claims": ("usable", "predicted", "gold"),
        "participants_of_matched": ("participant_hit", "participant_predicted", "participant_gold"),
    } | {
        f"by_type.{name}": tuple(f"type:{name}:{p}" for p in ("hit", "predicted", "gold"))
        for name in figures["by_type"]
    }
    for key, names in families.items():
        hit, predicted, gold = map(total, names)
        keep(f"{key}.precision", hit, predicted, (names[0], names[1]))
        keep(f"{key}.recall", hit, gold, (names[0], names[2]))
        keep(f"{key}.f1", 2 * hit, predicted + gold)
    for name in figures["accuracy_of_matched"]:
        keep(
            f"accuracy_of_matched.{name}",
            total(f"right:{name}"),
            total(f"asked:{name}"),
            (f"right:{name}", f"asked:{name}"),
        )
    keep("relevance_accuracy", total("relevance"), total("documents"), ("relevance", "documents"))
    return found
