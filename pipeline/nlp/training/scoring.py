"""Scores what a model answers for labelled windows, word by word: a quick measure during training.

Only `oversight evaluate` measures claims as they are published, with names, dates and rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from pipeline.nlp.classifier.runtime import ATTRIBUTES, NEAR, POINTERS
from pipeline.nlp.training.data import IGNORED, LabelledTrigger, LabelledWindow
from pipeline.records import EVENT_TYPES

THRESHOLDS = (0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6)


@dataclass
class Tally:
    """Adds up the answers for windows. Optional claims count neither as hits nor as misses."""

    sentences: list[tuple[np.ndarray, list[tuple[int, LabelledTrigger]]]] = field(default_factory=list)
    attributes: dict[str, list[bool]] = field(default_factory=lambda: {name: [] for name in ATTRIBUTES})
    pointers: np.ndarray = field(default_factory=lambda: np.zeros((len(POINTERS), 2), int))  # both, found + wanted

    def add_window(self, window: LabelledWindow, scores: np.ndarray) -> None:
        """Add the scores [tokens, 15] of a window."""
        for start, end in window.own:
            inside = [(each.token - start, each) for each in window.triggers if start <= each.token < end]
            self.sentences.append((scores[start:end], inside))

    def add_trigger(self, trigger: LabelledTrigger, classes: Sequence[int], pointed: Sequence[set[int]]) -> None:
        """Add the answers for a required claim: the class of each attribute, and the tokens that each pointer marks."""
        for name, wanted, found in zip(ATTRIBUTES, trigger.attributes, classes, strict=True):
            if wanted != IGNORED:
                self.attributes[name].append(wanted == found)
        for row, (tokens, marked) in enumerate(zip(trigger.pointers, pointed, strict=True)):
            self.pointers[row] += (len(marked & set(tokens)), len(marked) + len(set(tokens)))

    def result(self) -> dict[str, float]:
        """Return average precision, claims at their best threshold, accuracy of attributes, and F1 of pointers."""
        columns = [self._column(type_) for type_ in range(len(EVENT_TYPES))]
        each = [average_precision(scores, wanted) for scores, wanted in columns if wanted.any()]
        everything = [np.concatenate(arrays) for arrays in zip(*columns, strict=True)]
        found = {
            "average_precision": float(np.mean(each)) if each else 0.0,
            "average_precision_micro": average_precision(*everything),
            **max((self._claims(threshold) for threshold in THRESHOLDS), key=lambda row: row["f1"]),
            **{name: float(np.mean(right)) for name, right in self.attributes.items() if right},
            **{name: 2 * both / max(total, 1) for name, (both, total) in zip(POINTERS, self.pointers, strict=True)},
        }
        return {name: round(float(value), 3) for name, value in found.items()}

    def _column(self, type_: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the best score of a type in each sentence and whether a claim is wanted, without optional ones."""
        scores, wanted = [], []
        for found, triggers in self.sentences:
            own = [trigger for _, trigger in triggers if trigger.type == type_]
            if not own or any(not trigger.optional for trigger in own):
                scores.append(float(found[:, type_].max()) if len(found) else 0.0)
                wanted.append(bool(own))
        return np.array(scores), np.array(wanted, bool)

    def _claims(self, threshold: float) -> dict[str, float]:
        right = wrong = missed = 0
        for scores, triggers in self.sentences:
            left = sorted(triggers, key=lambda each: each[1].optional)
            for token, type_ in found_triggers(scores, threshold):
                same = [each for each in left if each[1].type == type_]
                if same:
                    hit = min(same, key=lambda each: (each[1].optional, abs(each[0] - token)))
                    left.remove(hit)
                    right += not hit[1].optional
                else:
                    wrong += not any(each.type == type_ and each.optional for _, each in triggers)
            missed += sum(not each.optional for _, each in left)
        precision, recall = right / max(right + wrong, 1), right / max(right + missed, 1)
        f1 = 2 * right / max(2 * right + wrong + missed, 1)
        return {"precision": precision, "recall": recall, "f1": f1, "threshold": threshold}


def found_triggers(scores: np.ndarray, threshold: float) -> list[tuple[int, int]]:
    """Return token and type of each trigger from a threshold on, the best first; a word names one event."""
    left, found = scores.copy(), []
    while left.size and left.max() >= threshold:
        token, type_ = divmod(int(left.argmax()), left.shape[1])
        found.append((token, type_))
        left[max(0, token - NEAR) : token + NEAR + 1, type_] = 0
        left[token] = 0
    return found


def average_precision(scores: np.ndarray, wanted: np.ndarray) -> float:
    """Return the area under the curve of precision over recall, 0 if nothing is wanted."""
    ordered = wanted[np.argsort(-scores, kind="stable")]
    if not ordered.any():
        return 0.0
    precision = np.cumsum(ordered) / np.arange(1, len(ordered) + 1)
    return float(precision[ordered].mean())
