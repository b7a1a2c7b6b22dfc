"""Lowers the certainty of an event where the model and the grammar do not both say that it happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.nlp.classifier.runtime import MODALITIES
from pipeline.records import Modality

if TYPE_CHECKING:
    from spacy.tokens import Token

SURE = 0.8  # probability that `occurred` needs: a plan told as done is worse than the reverse
_AHEAD = frozenset({"will", "wo", "'ll", "’ll", "shall"})
_OPEN = frozenset({"would", "could", "may", "might", "should", "'d", "’d"})
_NOT = frozenset({"not", "n't", "n’t", "never"})
_OCCURRED = MODALITIES.index(Modality.OCCURRED.value)


def modality_of(probabilities: np.ndarray, trigger: Token | None) -> Modality:
    """Return the most likely modality; `occurred` only if it is sure and no word beside the trigger forbids it.

    Args:
        probabilities: In the order of MODALITIES.
        trigger: The word that names the event, if the parser has it as one token.
    """
    others = probabilities.copy()
    others[_OCCURRED] = 0.0
    other = Modality(MODALITIES[int(others.argmax())])
    if probabilities[_OCCURRED] < max(SURE, others.max()):
        return other
    return forbidden(trigger) or Modality.OCCURRED if trigger is not None else Modality.OCCURRED


def forbidden(trigger: Token) -> Modality | None:
    """Return what an auxiliary or a negation of the trigger itself makes of its event, None if there is none."""
    if trigger.pos_ not in ("VERB", "AUX"):
        return None
    beside = {child.lower_ for child in trigger.children if child.dep_ in ("aux", "auxpass", "neg")}
    if beside & _NOT:
        return Modality.NEGATED
    if beside & _AHEAD:
        return Modality.PLANNED
    if beside & _OPEN and not beside & {"have", "'ve", "’ve"}:
        return Modality.CONSIDERED
    return None
