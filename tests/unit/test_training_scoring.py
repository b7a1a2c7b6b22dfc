"""The quick scores of training."""

from __future__ import annotations

import numpy as np

from pipeline.nlp.classifier.runtime import POINTERS
from pipeline.nlp.training.data import IGNORED, LabelledTrigger, LabelledWindow
from pipeline.nlp.training.scoring import Tally, average_precision, found_triggers
from pipeline.records import EVENT_TYPES

RESTRICTION, AGREEMENT = EVENT_TYPES.index("restriction"), EVENT_TYPES.index("agreement")


def trigger(token: int, type_: int, optional: bool = False) -> LabelledTrigger:
    return LabelledTrigger(
        token, (), type_, (0, 0, IGNORED, 0, 0, 0), ((),) * len(POINTERS), optional, None, 0, (2, 12)
    )


def window(*triggers: LabelledTrigger) -> LabelledWindow:
    return LabelledWindow((0,) * 24, (0,) * 24, ((2, 12), (13, 23)), triggers, "story")


def scores(**high: tuple[int, float]) -> np.ndarray:
    made = np.zeros((24, len(EVENT_TYPES)))
    for type_, (token, value) in high.items():
        made[token, EVENT_TYPES.index(type_)] = value
    return made


def test_hits_misses_and_false_alarms_are_counted_but_not_optional_claims():
    tally = Tally()
    tally.add_window(window(trigger(4, RESTRICTION)), scores(restriction=(5, 0.9), agreement=(15, 0.7)))
    tally.add_window(window(trigger(4, RESTRICTION)), scores())
    tally.add_window(window(trigger(4, AGREEMENT, optional=True)), scores(agreement=(4, 0.9)))
    found = tally.result()
    assert (found["precision"], found["recall"], found["f1"]) == (0.5, 0.5, 0.5)


def test_attributes_and_pointers_are_compared_where_they_are_asked():
    tally = Tally()
    tally.add_window(window(trigger(4, RESTRICTION)), scores(restriction=(4, 0.9)))
    pointed = [{3}, *[set() for _ in POINTERS[1:]]]
    tally.add_trigger(trigger(4, RESTRICTION), (0, 1, 1, 0, 0, 0), pointed)
    found = tally.result()
    assert (found["modality"], found["newness"]) == (1.0, 0.0)
    assert "direction" not in found
    assert found["actor"] == 0.0


def test_words_near_a_trigger_are_the_same_trigger():
    made = scores(restriction=(4, 0.9))
    made[6, RESTRICTION] = 0.8
    made[12, RESTRICTION] = 0.7
    made[4, AGREEMENT] = 0.6
    assert found_triggers(made, 0.5) == [(4, RESTRICTION), (12, RESTRICTION)]
    assert found_triggers(np.zeros((0, 15)), 0.5) == []


def test_average_precision_is_one_only_if_all_wanted_come_first():
    ordered = np.array([0.9, 0.8, 0.1])
    assert average_precision(ordered, np.array([True, True, False])) == 1.0
    assert average_precision(ordered, np.array([False, True, False])) == 0.5
    assert average_precision(ordered, np.array([False, False, False])) == 0.0
