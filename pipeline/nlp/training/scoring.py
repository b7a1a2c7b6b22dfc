"""Splits examples into folds, chooses thresholds, and scores the readings of a classifier by claim type."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

import numpy as np

from pipeline.nlp.classifier.runtime import SentenceReading
from pipeline.nlp.training.corpus import Example
from pipeline.records import EVENT_TYPES

_GRID = np.arange(0.2, 0.81, 0.05)
_SHRINK = 15  # claims at which the threshold of a type is halfway between its own best and the common one


def folds(examples: Sequence[Example], n: int) -> list[list[int]]:
    """Spread the event groups over n folds with about equal numbers of claims; a group is never split."""
    groups: dict[str, list[int]] = defaultdict(list)
    for index, each in enumerate(examples):
        groups[each.group].append(index)
    made: list[list[int]] = [[] for _ in range(n)]
    weight = [0.0] * n
    for name in sorted(groups, key=lambda key: (-_weight(examples, groups[key]), key)):
        lightest = min(range(n), key=lambda k: (weight[k], k))
        made[lightest] += groups[name]
        weight[lightest] += _weight(examples, groups[name])
    return [sorted(each) for each in made if each]


def _weight(examples: Sequence[Example], indices: Sequence[int]) -> float:
    return sum(len(examples[n].notes) for n in indices) + 0.1 * len(indices)


def _truth(examples: Sequence[Example]) -> np.ndarray:
    """Return [n, 15]: 1 for a required claim, -1 for an optional one, 0 for none."""
    truth = np.zeros((len(examples), len(EVENT_TYPES)), int)
    for row, each in enumerate(examples):
        for note in each.notes:
            column = EVENT_TYPES.index(note.type)
            truth[row, column] = 1 if not note.optional or truth[row, column] == 1 else -1
    return truth


def _counts(truth: np.ndarray, found: np.ndarray) -> tuple[int, int, int]:
    """Return the numbers of hits, found and wanted claims; optional claims count neither way."""
    asked = truth != -1
    return int((found & (truth == 1)).sum()), int((found & asked).sum()), int((truth == 1).sum())


def _f1(hit: int, found: int, wanted: int) -> float:
    return 2 * hit / (found + wanted) if found + wanted else 0.0


def choose_thresholds(examples: Sequence[Example], readings: Sequence[SentenceReading]) -> dict[str, float]:
    """Choose for each type the threshold with the best F1, shrunk towards the best common one for rare types."""
    truth, scores = _truth(examples), np.stack([each.scores for each in readings])
    common = max(_GRID, key=lambda t: (_f1(*_counts(truth, scores >= t)), -t))
    chosen = {}
    for column, name in enumerate(EVENT_TYPES):
        own, values = truth[:, column], scores[:, column]
        best = max(_GRID, key=lambda t: (_f1(*_counts(own, values >= t)), -abs(t - common)))
        n = int((own == 1).sum())
        chosen[name] = round(float((n * best + _SHRINK * common) / (n + _SHRINK)), 3)
    return chosen


def score_table(
    examples: Sequence[Example],
    readings: Sequence[SentenceReading],
    thresholds: dict[str, float],
    say: Callable[[str], None],
) -> dict:
    """Print and return precision, recall and F1 by type over sentences, and the accuracy of the details.

    The table also shows corpus stories (which have a register) and annotated documents (which have none) separately.
    """
    truth, scores = _truth(examples), np.stack([each.scores for each in readings])
    found = scores >= np.array([thresholds[name] for name in EVENT_TYPES])
    table: dict[str, dict[str, float]] = {}
    stories = np.array([bool(each.register) for each in examples])
    rows = {"all": np.ones_like(stories), "corpus": stories, "annotated documents": ~stories}
    for name, chosen in rows.items():
        table[name] = _prf(*_counts(truth[chosen], found[chosen]))
    for column, name in enumerate(EVENT_TYPES):
        table[name] = _prf(*_counts(truth[:, column], found[:, column]))
    say(f"{'':22}{'precision':>10}{'recall':>10}{'F1':>10}{'claims':>8}")
    for name, row in table.items():
        say(f"{name:22}{row['precision']:10.3f}{row['recall']:10.3f}{row['f1']:10.3f}{row['claims']:8}")
    details = _details(examples, readings)
    for name, (right, asked) in details.items():
        say(f"{name} correct for {right} of {asked} claims ({right / asked:.3f})" if asked else f"{name}: no claims")
    clean = [n for n, each in enumerate(examples) if not each.notes]
    alarms = sum(bool(found[n].any()) for n in clean)
    say(f"false alarms on {alarms} of {len(clean)} sentences without a claim")
    return {"by_type": table, "details": details, "false_alarms": [alarms, len(clean)]}


def _prf(hit: int, found: int, wanted: int) -> dict[str, float]:
    precision, recall = hit / found if found else 0.0, hit / wanted if wanted else 0.0
    return {
        "precision": round(precision, 4),
        "recall": round(recall, 4),
        "f1": round(_f1(hit, found, wanted), 4),
        "claims": wanted,
    }


def _details(examples: Sequence[Example], readings: Sequence[SentenceReading]) -> dict[str, tuple[int, int]]:
    """Count the required claims whose trigger is found, and of these the ones with correct details.

    Returns for each detail the number correct and the number of claims.
    """
    right: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    for example, reading in zip(examples, readings, strict=True):
        for note in example.notes:
            if note.optional:
                continue
            near = [t for t in reading.triggers if t.type == note.type and t.start < note.end and note.start < t.end]
            asked["trigger"] += 1
            right["trigger"] += bool(near)
            if not near:
                continue
            asked["modality"] += 1
            right["modality"] += near[0].modality == note.modality
            asked["not occurred"] += note.modality != "occurred"
            right["not occurred"] += note.modality != "occurred" and near[0].modality != "occurred"
            asked["newness"] += 1
            right["newness"] += (near[0].background > 0.5) == (note.newness == "background")
            if note.direction:
                asked["direction"] += 1
                right["direction"] += (near[0].lift > 0.5) == (note.direction == "lift")
    return {name: (right[name], asked[name]) for name in asked}
