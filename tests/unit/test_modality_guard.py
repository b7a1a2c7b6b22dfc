"""What the guard on modality lets pass as done."""

from __future__ import annotations

import numpy as np
import pytest
from support.readings import read_by_rules

from pipeline.nlp.classifier.runtime import MODALITIES
from pipeline.nlp.modality.guard import SURE, modality_of
from pipeline.records import Modality
from scrapers.reading.plain_text import plain_text


def probabilities(**values: float) -> np.ndarray:
    return np.array([values.get(name, 0.0) for name in MODALITIES])


def token(text: str, word: str):
    reading = read_by_rules(plain_text(text, name="one").article)
    return next(each for passage in reading.passages for each in passage.doc if each.text == word)


def test_done_needs_to_be_sure() -> None:
    assert modality_of(probabilities(occurred=0.9, planned=0.1), None) is Modality.OCCURRED
    unsure = probabilities(occurred=SURE - 0.01, planned=0.3, denied=0.2)
    assert modality_of(unsure, None) is Modality.PLANNED


@pytest.mark.parametrize(
    ("text", "word", "modality"),
    [
        ("The agency will ban the model.", "ban", Modality.PLANNED),
        ("The agency did not ban the model.", "ban", Modality.NEGATED),
        ("The agency could ban the model.", "ban", Modality.CONSIDERED),
        ("The agency banned the model.", "banned", Modality.OCCURRED),
        ("The agency may have banned the model.", "banned", Modality.OCCURRED),
    ],
)
def test_words_beside_the_verb_lower_the_certainty(text: str, word: str, modality: Modality) -> None:
    assert modality_of(probabilities(occurred=1.0), token(text, word)) is modality


@pytest.mark.parametrize("name", [name for name in MODALITIES if name != "occurred"])
def test_the_guard_never_raises_the_certainty(name: str) -> None:
    verb = token("The agency banned the model.", "banned")
    assert modality_of(probabilities(**{name: 0.6, "occurred": 0.4}), verb) is Modality(name)
