"""Which readings of an article name the same event."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.nlp.classifier.runtime import EventReading
from pipeline.nlp.events.document import group_events


def reading(type_: str, number: int) -> EventReading:
    """Return a reading whose sentence number stands for its event."""
    none = np.zeros(1)
    return EventReading(number, type_, 0, 1, 0.9, none, 0.0, 0.0, none, none, none, (), none)


def same(one: EventReading, other: EventReading) -> float:
    return 0.9 if one.sentence % 3 == other.sentence % 3 else 0.1


def test_readings_of_one_type_and_event_are_joined() -> None:
    readings = [reading("restriction", n) for n in (0, 3, 1)] + [reading("litigation", 6)]
    assert group_events(readings, same) == [[0, 1], [2], [3]]


@given(st.lists(st.tuples(st.sampled_from(["restriction", "agreement"]), st.integers(0, 8)), max_size=12))
def test_every_reading_is_in_one_group_of_its_type(made: list[tuple[str, int]]) -> None:
    readings = [reading(*each) for each in made]
    groups = group_events(readings, same)
    assert sorted(n for group in groups for n in group) == list(range(len(readings)))
    assert all(len({readings[n].type for n in group}) == 1 for group in groups)
    assert all(len({readings[n].sentence % 3 for n in group}) == 1 for group in groups)


def test_an_article_full_of_events_is_grouped_quickly() -> None:
    readings = [reading("restriction", n) for n in range(900)]
    groups = group_events(readings, same)
    assert sorted(n for group in groups for n in group) == list(range(900))
