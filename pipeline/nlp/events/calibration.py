"""Turns the model's score of an event into a calibrated confidence.

A logistic curve over the score, fitted on texts that the weights have not seen; its numbers are stored beside the
weights with the score from which a claim is made and the confidence from which it is shown by default.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).parents[1] / "classifier" / "weights" / "calibration.json"
EDGE = 0.001  # scores are clipped to this distance from 0 and 1
LEAST, MOST = 0.01, 0.99  # range of the confidence
DEFAULT_SCORE = 0.35  # from which a claim is made where nothing is stored
DEFAULT_CONFIDENCE = 0.7  # from which a claim is shown by default where nothing is stored


def logit(p: float) -> float:
    """Return the log odds of a probability, clipped to EDGE from 0 and 1."""
    p = min(1 - EDGE, max(EDGE, p))
    return math.log(p / (1 - p))


@dataclass(frozen=True)
class Calibrator:
    """The fitted curve.

    Attributes:
        intercept, slope: Of the log odds of being right over those of the score.
        least_score: Score from which a reading becomes a claim.
        report: The whole stored file, with the reliability figures.
    """

    intercept: float
    slope: float
    least_score: float
    report: dict[str, Any]

    @property
    def default_confidence(self) -> float:
        """The confidence from which a claim is shown by default."""
        return float(self.report.get("default_confidence", DEFAULT_CONFIDENCE))

    def probability(self, score: float) -> float:
        """Return the probability that the claim's type and sentence are right."""
        z = self.intercept + self.slope * logit(score)
        return round(min(MOST, max(LEAST, 1 / (1 + math.exp(-max(-30.0, min(30.0, z)))))), 3)


UNCALIBRATED = Calibrator(0.0, 1.0, DEFAULT_SCORE, {})


@cache
def load_calibrator(file: Path = FILE) -> Calibrator:
    """Load the fitted curve; without a file, confidence is the uncalibrated score."""
    if not file.is_file():
        return UNCALIBRATED
    stored = json.loads(file.read_text(encoding="utf-8"))
    intercept, slope, least_score = (float(stored[name]) for name in ("intercept", "slope", "least_score"))
    return Calibrator(intercept, slope, least_score, stored)
