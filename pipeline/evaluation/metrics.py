"""Scores predicted claims against annotated ones, with confidence intervals and a list of mistakes.

docs/claims.md defines the task, `matching` how claims are matched. Optional claims and ignored lines count neither way.
Details are compared on the hits. Intervals are 95 % bootstrap intervals over documents, because claims of one document
are not independent; no interval of a share is narrower than Wilson's. `folds` adds the figures by fold.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.accuracy.reliability import calibration_error, wilson
from pipeline.errors import WrongUse
from pipeline.evaluation.groups import Groups
from pipeline.evaluation.matching import Pairs, match, overlap, same_participant, shared_participants

RESAMPLES, SEED = 1000, 20260101
_ATTRIBUTES = ("attribution_kind", "date", "direction", "mention", "modality")
FAMILIES = ("type", "novelty", "register", "jurisdiction")  # of groups of claims, each with a table


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
class Tally:
    """The counts of one document.

    Attributes:
        counts: With keys such as "hit", "gold", "type:agreement:hit", "right:modality".
        keys: The event key annotated and the one predicted, of each hit.
        confidences: The confidence of each found claim that an annotation decides on, and whether it is right.
        mistakes: All mistakes.
    """

    counts: Counter = field(default_factory=Counter)
    keys: list[tuple[str, str]] = field(default_factory=list)
    confidences: list[tuple[float, bool]] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Report:
    """The result of an evaluation.

    Attributes:
        figures: All figures, in the layout of `as_dict`.
        intervals: "claims.f1" and the like -> (low, high).
        causes: Number of mistakes by cause.
        errors: All mistakes.
        tallies: The counts of each document, by id.
    """

    figures: dict[str, Any]
    intervals: dict[str, tuple[float, float]]
    causes: dict[str, int]
    errors: tuple[Mistake, ...]
    tallies: dict[str, Tally] = field(repr=False)

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
        lines.append(self._row("shown by default", "default_view", figures["default_view"]))
        made, shown = figures["irrelevant"]["claims"], figures["irrelevant"]["shown"]
        lines.append(f"{made} claims from irrelevant documents, {shown} of them shown by default")
        lines.append(f"calibration error: {figures['calibration_error']:.3f}")
        for family in FAMILIES:
            if rows := figures[f"by_{family}"]:
                lines.append(f"by {family}")
                lines += [self._row("  " + name, f"by_{family}.{name}", row) for name, row in rows.items()]
        lines.append("errors by cause: " + ", ".join(f"{cause} {n}" for cause, n in self.causes.items()))
        return "\n".join(lines)

    def _row(self, label: str, key: str, row: dict[str, Any]) -> str:
        cells = [f"{row[name]:.3f}{self._interval(f'{key}.{name}')}" for name in ("precision", "recall", "f1")]
        counts = f"{row.get('gold', row.get('claims', 0)):>11}{row.get('predicted', ''):>8}"
        return f"{label:26}" + "".join(f"{cell:>20}" for cell in cells) + counts

    def _interval(self, key: str) -> str:
        return " [{:.2f}, {:.2f}]".format(*self.intervals[key]) if key in self.intervals else ""


def evaluate(
    texts_dir: Path,
    gold_dir: Path,
    predicted_dir: Path,
    only: set[str] | None = None,
    *,
    shown_from: Callable[[str], float] | float = 0.0,
    groups: Callable[[str, dict[str, Any]], Groups] | None = None,
) -> Report:
    """Score the predictions in a folder. A document without a prediction counts as predicted irrelevant.

    Args:
        texts_dir: Folder of texts, one ID.json each, as are the other two.
        gold_dir: Folder of annotations.
        predicted_dir: Folder of predictions.
        only: Ids of the documents to score; None for all.
        shown_from: The confidence from which claims are shown by default, or a function of the document's id.
        groups: Returns the groups of a document, given its id and text, for the tables by group.

    Raises:
        WrongUse: A text is missing, or a file is not a JSON object.
    """
    tallies = {}
    for path in sorted(Path(gold_dir).glob("*.json")):
        if only is not None and path.stem not in only:
            continue
        gold, document = load_json(path), load_json(Path(texts_dir) / path.name)
        other = Path(predicted_dir) / path.name
        predicted = load_json(other) if other.exists() else {"relevant": False, "claims": []}
        least = shown_from(path.stem) if callable(shown_from) else shown_from
        own = groups(path.stem, document) if groups else None
        tallies[path.stem] = tally(path.stem, document.get("text", ""), gold, predicted, shown_from=least, groups=own)
    if not tallies:
        raise WrongUse(f"{gold_dir} has no .json files. Name the folder with the annotated claims.")
    return report_of(tallies)


def report_of(tallies: dict[str, Tally]) -> Report:
    """Return the figures over all documents; `tallies`: the counts by document id."""
    every = list(tallies.values())
    figures = figures_of(every)
    mistakes = tuple(mistake for each in every for mistake in each.mistakes)
    causes = dict(sorted(Counter(mistake.cause for mistake in mistakes).items(), key=lambda item: (-item[1], item[0])))
    return Report(figures, _intervals(every, figures), causes, mistakes, tallies)


def load_json(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file; raise WrongUse if there is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise WrongUse(f"{path} is missing. Every annotated document needs its text.") from None
    except ValueError as error:
        raise WrongUse(f"{path} is not valid JSON ({error}).") from None
    if not isinstance(found, dict):
        raise WrongUse(f"{path} is not a JSON object. docs/claims.md describes its keys.")
    return found


def tally(
    name: str,
    text: str,
    gold: dict[str, Any],
    predicted: dict[str, Any],
    *,
    shown_from: float = 0.0,
    groups: Groups | None = None,
) -> Tally:
    """Return the counts of one document; the annotation and the prediction are in the format of docs/claims.md."""
    made = Tally()
    count = made.counts
    matched = match(text, gold, predicted)
    wanted, found, spans, hits, free = matched.wanted, matched.found, matched.spans, matched.hits, matched.free
    count["documents"] = 1
    count["relevance"] = bool(gold.get("relevant", True)) == bool(predicted.get("relevant", True))
    required = [i for i, claim in enumerate(wanted) if not claim.get("optional")]
    count.update(gold=len(required), predicted=len(found) - len(free), hit=len(hits))
    sentences = matched.any_type
    optional = sum(bool(wanted[i].get("optional")) for i, _ in sentences)
    count.update(sentence_hit=len(sentences) - optional, sentence_predicted=len(found) - optional)
    for i in required:
        count.update(f"{group}:gold" for group in _groups_of(wanted[i], groups))
    right = {j for _, j in hits}
    for j, claim in enumerate(found):
        if j not in free:
            count.update(f"{group}:predicted" for group in _groups_of(claim, groups))
            count.update(f"{group}:right" for group in _groups_of(claim, groups) if j in right)
            made.confidences.append((float(claim.get("confidence", 1.0)), j in right))
    for i, j in hits:
        usable = _compare(made, name, text[slice(*spans[0][i])], wanted[i], found[j])
        for group in _groups_of(wanted[i], groups):
            count.update({f"{group}:hit": 1, f"{group}:usable": usable})
    _find_mistakes(made, name, text, (wanted, found), spans, hits, free)
    _count_shown(count, text, gold, predicted, shown_from)
    if not gold.get("relevant", True):
        count.update(irrelevant=len(found) - len(free), irrelevant_shown=count["shown_predicted"])
    return made


def _groups_of(claim: dict[str, Any], groups: Groups | None) -> list[str]:
    """Return the groups of a claim: "type:agreement", "register:news" and so on."""
    found = [f"type:{claim.get('type')}"]
    if groups is not None:
        found += [f"novelty:{groups.novelty(claim.get('trigger') or '')}", f"register:{groups.register}"]
        found += [f"jurisdiction:{groups.jurisdiction}"]
    return found


def _count_shown(count: Counter, text: str, gold: dict[str, Any], predicted: dict[str, Any], least: float) -> None:
    """Count the hits among the claims that are shown by default; they are matched without the others."""
    shown = [claim for claim in predicted.get("claims", []) if claim.get("confidence", 1.0) >= least]
    matched = match(text, gold, {"claims": shown})
    count.update(shown_hit=len(matched.hits), shown_predicted=len(matched.found) - len(matched.free))


def _compare(tally: Tally, name: str, sentence: str, gold: dict[str, Any], found: dict[str, Any]) -> bool:
    """Compare the details of one hit: count the correct ones, note the mistakes, return whether it is usable."""
    count, type_ = tally.counts, gold["type"]
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
    usable = values["modality"][0] == values["modality"][1] and not lost
    count["usable"] += usable
    if found.get("event"):
        tally.keys.append((gold["event"], found["event"]))
    return usable


def _find_mistakes(
    tally: Tally, name: str, text: str, claims: tuple, spans: tuple, hits: Pairs, free: frozenset[int]
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


def _group(count: Counter, key: str) -> dict[str, float]:
    """Return the figures of one group of claims: recall over the annotated ones, precision over the found ones."""
    row = _prf(count[f"{key}:hit"], count[f"{key}:predicted"], count[f"{key}:gold"])
    if count[f"{key}:right"] != count[f"{key}:hit"]:  # a hit whose trigger was annotated and found in different groups
        precision, recall = _ratio(count[f"{key}:right"], count[f"{key}:predicted"]), row["recall"]
        row |= {"precision": precision, "f1": _ratio(2 * precision * recall, precision + recall)}
    return row | {"usable_f1": _ratio(2 * count[f"{key}:usable"], row["gold"] + row["predicted"])}


def _names(count: Counter, family: str) -> list[str]:
    names = {key.split(":")[1] for key in count if key.startswith(family + ":")}
    return sorted(names, key=lambda name: (int(re.sub(r"\D.*", "", name) or 0), name))  # "5 to 19" before "20 and more"


def figures_of(tallies: Iterable[Tally]) -> dict[str, Any]:
    """Return the figures over some documents."""
    tallies = list(tallies)
    count = sum((each.counts for each in tallies), Counter())
    keys = [key for each in tallies for key in each.keys]
    sure = [pair for each in tallies for pair in each.confidences]
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
        "default_view": _prf(count["shown_hit"], count["shown_predicted"], count["gold"]),
        "irrelevant": {"claims": count["irrelevant"], "shown": count["irrelevant_shown"]},
        "calibration_error": round(calibration_error([p for p, _ in sure], [right for _, right in sure]), 4),
        **{
            f"by_{family}": {name: _group(count, f"{family}:{name}") for name in _names(count, family)}
            for family in FAMILIES
        },
    }


def _intervals(tallies: list[Tally], figures: dict[str, Any]) -> dict[str, tuple[float, float]]:
    """Return the 2.5 and 97.5 percentiles of each figure over documents drawn with replacement; the seed is fixed."""
    draws = np.random.default_rng(SEED).multinomial(len(tallies), np.full(len(tallies), 1 / len(tallies)), RESAMPLES)

    def total(key: str) -> np.ndarray:
        return draws @ np.array([each.counts[key] for each in tallies], dtype=float)

    found: dict[str, tuple[float, float]] = {}

    counts = sum((each.counts for each in tallies), Counter())

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
        "default_view": ("shown_hit", "shown_predicted", "gold"),
    } | {
        f"by_{family}.{name}": tuple(f"{family}:{name}:{p}" for p in ("hit", "predicted", "gold", "right"))
        for family in FAMILIES
        for name in figures[f"by_{family}"]
    }
    for key, names in families.items():
        hit, predicted, gold = map(total, names[:3])
        right = total(names[3]) if len(names) > 3 else hit
        keep(f"{key}.precision", right, predicted, (names[-1] if len(names) > 3 else names[0], names[1]))
        keep(f"{key}.recall", hit, gold, (names[0], names[2]))
        keep(f"{key}.f1", right + hit, predicted + gold)
    for name in figures["accuracy_of_matched"]:
        keep(
            f"accuracy_of_matched.{name}",
            total(f"right:{name}"),
            total(f"asked:{name}"),
            (f"right:{name}", f"asked:{name}"),
        )
    keep("relevance_accuracy", total("relevance"), total("documents"), ("relevance", "documents"))
    return found
