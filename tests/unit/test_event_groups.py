"""Which readings of an article name the same event, which repeat another, and which words date each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.nlp.classifier.runtime import EventReading, PointedSpan
from pipeline.nlp.events.document import group_events, own_times, stated_once

FRIDAY, MARCH = PointedSpan("time", 0, 20, 26, 0.9), PointedSpan("time", 0, 60, 65, 0.9)


def reading(type_: str, number: int, **more: Any) -> EventReading:
    """Return a reading whose sentence number stands for its event."""
    none = np.zeros(1)
    made = EventReading(number, type_, 0, 1, 0.9, none, 0.0, 0.0, none, none, none, (), none)
    return replace(made, **more)


def same(one: EventReading, other: EventReading) -> float:
    return 0.9 if one.sentence % 3 == other.sentence % 3 else 0.1


def test_readings_of_one_type_and_event_are_joined() -> None:
    readings = [reading("restriction", n) for n in (0, 3, 1)] + [reading("litigation", 6)]
    assert group_events(readings, same) == [[0, 1], [2], [3]]


def test_a_ban_and_its_end_are_two_events() -> None:
    ban, end = reading("restriction", 0), reading("restriction", 0, lift=0.9)
    assert group_events([end, ban, ban], same) == [[0], [1, 2]]
    sued, settled = reading("litigation", 0), reading("litigation", 0, lift=0.9)
    assert group_events([sued, settled], same) == [[0, 1]]


def test_words_that_date_the_news_of_a_sentence_do_not_date_what_it_recalls() -> None:
    lifted = reading("restriction", 0, lift=0.9, spans=(FRIDAY,))
    barred = reading("restriction", 0, background=0.9, spans=(FRIDAY,))
    assert own_times([lifted, barred], [[0], [1]]) == [FRIDAY, None]
    assert own_times([lifted, barred], [[0, 1]]) == [FRIDAY, FRIDAY]  # one event has one date
    assert own_times([lifted, replace(barred, spans=(MARCH,))], [[0], [1]]) == [FRIDAY, MARCH]
    assert own_times([lifted, replace(barred, sentence=1)], [[0], [1]]) == [FRIDAY, FRIDAY]
    assert own_times([replace(lifted, spans=()), barred], [[0], [1]]) == [None, FRIDAY]


def test_of_two_readings_of_one_statement_the_surer_stays() -> None:
    imposed, bars = reading("restriction", 0, score=0.6), reading("restriction", 0, score=0.7)
    assert stated_once([imposed, bars], [0, 1]) == [1]
    assert stated_once([imposed, replace(bars, sentence=3)], [0, 1]) == [0, 1]
    assert stated_once([imposed, replace(bars, background=0.9)], [0, 1]) == [0, 1]
    assert stated_once([imposed, replace(bars, modality=np.array([0, 1]))], [0, 1]) == [0, 1]


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
