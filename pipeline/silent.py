"""Sentences in which no frame found anything, and the classifier's scores -> claims of the type it sees in them.

Where frames and classifier agree, the claim's confidence rises.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from pipeline.claims import ClaimReader, Draft
from pipeline.language import Passage, sentences
from pipeline.records import EVENT_TYPES

if TYPE_CHECKING:
    import numpy as np


class Scorer(Protocol):
    """Gives each sentence a probability for each of EVENT_TYPES: an array of shape (sentences, 15)."""

    def scores(self, sentences: list[str]) -> np.ndarray: ...


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When the classifier is believed: all in one place."""

    silent: float = 0.6  # a type with this probability gives a claim where frames are silent about the sentence
    beside: float = 0.85  # and this much where frames found another type in it
    agree: float = 0.4  # from here on the classifier supports a frame's claim
    bonus: float = 0.5  # part of the remaining doubt that support takes away
    trust: float = 0.8  # confidence of a claim of the classifier alone, times its probability
    words: int = 5  # shorter sentences are not asked about


def read_silent(
    drafts: list[Draft], passages: list[Passage], reader: ClaimReader, classifier: Scorer | None, thresholds: Thresholds
) -> list[Draft]:
    """Return the frames' drafts, raised where the classifier agrees, and the drafts it adds."""
    if classifier is None:
        return drafts
    asked = [(p, s) for p in passages for s in sentences(p) if len(s) >= thresholds.words]
    if not asked:
        return drafts
    scores = classifier.scores([sent.text for _, sent in asked])
    by_sentence: dict[tuple[int, int], list[Draft]] = {}
    for draft in drafts:
        by_sentence.setdefault((draft.passage.start, draft.sent.start), []).append(draft)
    result = []
    for (passage, sent), row in zip(asked, scores, strict=True):
        found = by_sentence.pop((passage.start, sent.start), [])
        for draft in found:
            p = float(row[EVENT_TYPES.index(draft.type)])
            if p >= thresholds.agree:
                draft = replace(
                    draft, confidence=round(draft.confidence + (1 - draft.confidence) * thresholds.bonus * p, 3)
                )
            result.append(draft)
        have = {draft.type for draft in found}
        for type_, p in zip(EVENT_TYPES, map(float, row), strict=True):
            if type_ not in have and p >= (thresholds.beside if have else thresholds.silent):
                added = reader.read_generic(passage, sent, type_, round(p * thresholds.trust, 3))
                if added is not None:
                    result.append(added)
    return result + [draft for left in by_sentence.values() for draft in left]
