"""Turns the score of a draft into a calibrated confidence.

The raw score is not a probability: frames state the precision that their author expected. A logistic curve, fitted by
`pipeline.evaluation.fitting.confidence` on texts unseen by the weights, maps it to one. The curve rises with the score
and the classifier's agreement; its coefficients are stored beside the weights.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pipeline.records import Modality

if TYPE_CHECKING:
    from pipeline.nlp.events.frames import Draft

FILE = Path(__file__).parents[1] / "classifier" / "weights" / "calibration.json"
EDGE = 0.01  # scores are clipped to this distance from 0 and 1
LEAST, MOST = 0.01, 0.99  # range of the confidence
# The features and the sign that each coefficient may have: a better score never makes a claim less probable.
SIGNS = {"score": 1, "classifier": 1, "classifier_alone": 0, "no_actor": -1, "not_occurred": 0, "recalled": 0}


@dataclass(frozen=True, slots=True)
class Signals:
    """The inputs of the confidence of a claim.

    Attributes:
        score: The fused score of frames and classifier.
        classifier: The classifier's probability of the claim's type.
        alone: Whether only the classifier found the claim.
        actor: Whether the claim has an actor.
        occurred: Whether the modality is OCCURRED.
        recalled: Whether the claim is background.
    """

    score: float
    classifier: float
    alone: bool
    actor: bool
    occurred: bool
    recalled: bool

    def features(self) -> tuple[float, ...]:
        """Return the feature values in the order of SIGNS."""
        return (
            logit(self.score),
            logit(self.classifier),
            float(self.alone),
            float(not self.actor),
            float(not self.occurred),
            float(self.recalled),
        )


def signals_of(draft: Draft) -> Signals:
    """Return the signals of a draft that the classifier has read."""
    return Signals(
        score=draft.confidence,
        classifier=draft.seen or 0.0,
        alone=draft.rule.startswith("model:"),
        actor=any(party.role == "actor" for party in draft.participants),
        occurred=draft.modality is Modality.OCCURRED,
        recalled=draft.newness == "background",
    )


def logit(p: float) -> float:
    """Return the log odds of a probability, clipped to EDGE from 0 and 1."""
    p = min(1 - EDGE, max(EDGE, p))
    return math.log(p / (1 - p))


class ConfidenceModel(Protocol):
    """Sets the confidence of drafts."""

    def calibrate(self, drafts: Sequence[Draft]) -> list[Draft]: ...


@dataclass(frozen=True)
class Calibrator:
    """The fitted curve.

    Attributes:
        intercept: The constant term.
        weights: One coefficient for each of SIGNS.
        report: The whole stored file, with the reliability figures.
    """

    intercept: float
    weights: tuple[float, ...]
    report: dict[str, Any]

    def probability(self, signals: Signals) -> float:
        """Return the probability that the claim's type and sentence are right."""
        z = self.intercept + sum(w * x for w, x in zip(self.weights, signals.features(), strict=True))
        return round(min(MOST, max(LEAST, 1 / (1 + math.exp(-max(-30.0, min(30.0, z)))))), 3)

    def calibrate(self, drafts: Sequence[Draft]) -> list[Draft]:
        """Return the drafts with calibrated confidence; drafts that no classifier has read keep their score."""
        return [
            draft if draft.seen is None else replace(draft, confidence=self.probability(signals_of(draft)))
            for draft in drafts
        ]


@cache
def load_calibrator(file: Path = FILE) -> Calibrator | None:
    """Load the fitted curve; None if there is none, so that confidence stays the uncalibrated score."""
    if not file.is_file():
        return None
    stored = json.loads(file.read_text(encoding="utf-8"))
    weights = tuple(float(stored["weights"][name]) for name in SIGNS)
    return Calibrator(float(stored["intercept"]), weights, stored)
