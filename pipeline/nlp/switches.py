"""The parts that the pipeline can run without, so that `oversight evaluate --ablate` can measure what each is worth.

A component takes the names of the parts to leave out as `without` in its config.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pipeline.nlp.classifier.runtime import BASES, FORCES, EventReading
from pipeline.records import ATTRIBUTION_KINDS, Force


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the pipeline: the component that it belongs to, and what happens without it."""

    component: str
    without: str


PARTS = {
    "guard": Part("claims", "the model's most likely modality stands, whatever the auxiliaries say"),
    "document": Part("claims", "each trigger is an event of its own: no shared date or newness"),
    "coreference": Part("coreference", "pronouns and descriptions refer to nothing"),
    "acronyms": Part("names", "acronyms introduced in brackets are not learnt"),
    "unknown_names": Part("names", "only names of the lexicon and its patterns are known"),
    "time_pointer": Part("claims", "the model points to no time expression"),
    "relevance_filter": Part("claims", "every text is read, whatever its words"),
    "calibration": Part("claims", "the raw score is the confidence, with an uncalibrated threshold"),
    "newness": Part("claims", "every claim is new"),
    "attribution": Part("claims", "every claim is the outlet's own reporting"),
    "direction": Part("claims", "every restriction is imposed"),
    "force": Part("claims", "no force is stated"),
    "basis": Part("claims", "no event is dated by the publication"),
}


def parts(without: Collection[str]) -> frozenset[str]:
    """Return the names of parts as a set.

    Raises:
        ValueError: a name is not that of a part.
    """
    if wrong := sorted(set(without) - PARTS.keys()):
        raise ValueError(f"without: '{wrong[0]}' is not a part. Parts: {', '.join(PARTS)}.")
    return frozenset(without)


def majority(reading: EventReading, without: Collection[str]) -> EventReading:
    """Return a reading with the most frequent answer of the training data for each head that is left out."""
    changed: dict[str, Any] = {}
    if "newness" in without:
        changed["background"] = 0.0
    if "direction" in without:
        changed["lift"] = 0.0
    if "attribution" in without:
        changed["attribution"] = _certain("own_reporting", ATTRIBUTION_KINDS)
    if "force" in without:
        changed["force"] = _certain(Force.NOT_STATED.value, FORCES)
    if "basis" in without:
        changed["basis"] = _certain("none", BASES)
    if "time_pointer" in without:
        changed["spans"] = tuple(span for span in reading.spans if span.what != "time")
    return replace(reading, **changed) if changed else reading


def _certain(answer: str, answers: tuple[str, ...]) -> np.ndarray:
    return np.array([float(each == answer) for each in answers])
