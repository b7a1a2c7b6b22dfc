"""Compares the readings of one article: which name the same event, which state it twice, and which words date it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pipeline.nlp.classifier.runtime import EventReading, PointedSpan

SETTLED = 0.5  # probability of being background from which a claim, or the mean from which an event, is background
SAME = 0.5  # mean probability from which a reading belongs to a group
COMPARED = 40  # members of a group that a reading is compared with: texts can be long


def group_events(
    readings: Sequence[EventReading], same: Callable[[EventReading, EventReading], float]
) -> list[list[int]]:
    """Return the numbers of the readings of each event, in text order.

    Each reading joins the group of its type and direction with which it most probably shares the event, or begins a
    new one. A ban and its end are never one event.

    Args:
        readings: The readings of one article, in text order.
        same: The probability that two readings name the same event.
    """
    groups: list[list[int]] = []
    for number, reading in enumerate(readings):
        best, chosen = SAME, None
        for group in groups:
            first = readings[group[0]]
            if (first.type, first.direction) == (reading.type, reading.direction):
                members = group[:COMPARED]
                p = sum(same(readings[other], reading) for other in members) / len(members)
                if p >= best:
                    best, chosen = p, group
        if chosen is None:
            groups.append([number])
        else:
            chosen.append(number)
    return groups


def stated_once(readings: Sequence[EventReading], group: Sequence[int]) -> list[int]:
    """Return the readings of an event without those that repeat a better one: one sentence states an event once.

    In "imposed an order that bars agencies", "imposed" and "bars" are one statement. Readings of a sentence that differ
    in modality or newness are two.
    """
    best: dict[tuple[int, int, bool], int] = {}
    for number in sorted(group, key=lambda number: -readings[number].score):
        reading = readings[number]
        best.setdefault((reading.sentence, int(reading.modality.argmax()), reading.background < SETTLED), number)
    return sorted(best.values())


def own_times(readings: Sequence[EventReading], groups: Sequence[Sequence[int]]) -> list[PointedSpan | None]:
    """Return the words that date each reading, None where there are none.

    Words that date the news of a sentence do not date another event that the sentence recalls: in "it lifted on Friday
    the ban that had kept agencies away", the ban is not of Friday.

    Args:
        readings: The readings of one article.
        groups: The numbers of the readings of each event.
    """
    event = {number: group[0] for group in groups for number in group}
    times = [next((span for span in reading.spans if span.what == "time"), None) for reading in readings]
    news = [number for number, reading in enumerate(readings) if reading.background < SETTLED]

    def is_of_news(number: int) -> bool:
        return any(
            readings[other].sentence == readings[number].sentence
            and event[other] != event[number]
            and _overlap(times[other], times[number])
            for other in news
        )

    return [
        None if reading.background >= SETTLED and is_of_news(number) else times[number]
        for number, reading in enumerate(readings)
    ]


def _overlap(one: PointedSpan | None, other: PointedSpan | None) -> bool:
    if one is None or other is None:
        return False
    return one.sentence == other.sentence and one.start < other.end and other.start < one.end
