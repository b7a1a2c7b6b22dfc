"""What frames and classifier say of a claim comes in, the probability that it is one goes out.

The score that decides what is found is no probability: frames carry the precision that their author expected of them.
A logistic curve with a handful of numbers, fitted by `fitting.confidence` on texts that the weights had not
seen, turns it into one. It rises with the score and the classifier's agreement. The numbers lie beside the weights.
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
EDGE = 0.01  # no score counts as nearer to 0 or 1 than this
LEAST, MOST = 0.01, 0.99  # and no probability is said to be
# The features, with the sign that each of them may have: a better score never makes a claim less probable.
SIGNS = {"score": 1, "classifier": 1, "classifier_alone": 0, "no_actor": -1, "not_occurred": 0, "recalled": 0}


@dataclass(frozen=True, slots=True)
class Signals:
    """What is known of a claim when its confidence is made.

    `score`: the weighed score of frames and classifier; `classifier`: the classifier's probability of the claim's
    type; `alone`: only the classifier sees it; `actor`: who acts is known; `occurred`, `recalled`: modality, mention.
    """

    score: float
    classifier: float
    alone: bool
    actor: bool
    occurred: bool
    recalled: bool

    def features(self) -> tuple[float, ...]:
        """Return the values of SIGNS, in its order."""
        return (
            logit(self.score), logit(self.classifier), float(self.alone), float(not self.actor),
            float(not self.occurred), float(self.recalled),
        )  # fmt: skip


def signals_of(draft: Draft) -> Signals:
    """Return the signals of a draft that the classifier has read."""
    return Signals(
        draft.confidence, draft.seen or 0.0, draft.rule.startswith("model:"),
        any(party.role == "actor" for party in draft.participants),
        draft.modality is Modality.OCCURRED, draft.newness == "background",
    )  # fmt: skip


def logit(p: float) -> float:
    """Return the log odds of a probability, held off 0 and 1 by EDGE."""
    p = min(1 - EDGE, max(EDGE, p))
    return math.log(p / (1 - p))


class Judge(Protocol):
    """What gives drafts their confidence."""

    def judge(self, drafts: Sequence[Draft]) -> list[Draft]: ...


@dataclass(frozen=True)
class Calibrator:
    """The fitted curve. `weights`: one number for each of SIGNS; `facts`: all that is stored with them."""

    intercept: float
    weights: tuple[float, ...]
    facts: dict[str, Any]

    def probability(self, signals: Signals) -> float:
        """Return the probability that type and sentence of the claim are right."""
        z = self.intercept + sum(w * x for w, x in zip(self.weights, signals.features(), strict=True))
        return round(min(MOST, max(LEAST, 1 / (1 + math.exp(-max(-30.0, min(30.0, z)))))), 3)

    def judge(self, drafts: Sequence[Draft]) -> list[Draft]:
        """Return the drafts with calibrated confidence; those that no classifier has read keep their score."""
        return [
            draft if draft.seen is None else replace(draft, confidence=self.probability(signals_of(draft)))
            for draft in drafts
        ]


@cache
def load_calibrator(file: Path = FILE) -> Calibrator | None:
    """Load the fitted numbers; None where there are none, and confidence then stays the uncalibrated score."""
    if not file.is_file():
        return None
    stored = json.loads(file.read_text(encoding="utf-8"))
    weights = tuple(float(stored["weights"][name]) for name in SIGNS)
    return Calibrator(float(stored["intercept"]), weights, stored)
