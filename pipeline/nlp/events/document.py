"""Groups the readings of one article by event and lets them share what an event has once: newness and date."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pipeline.nlp.classifier.runtime import EventReading

SAME = 0.5  # mean probability from which two groups name the same event


def group_events(
    readings: Sequence[EventReading], same: Callable[[EventReading, EventReading], float]
) -> list[list[int]]:
    """Return the numbers of the readings of each event, by average-link clustering within a type.

    Args:
        readings: The readings of one article.
        same: The probability that two readings name the same event.
    """
    groups: list[list[int]] = []
    for type_ in dict.fromkeys(reading.type for reading in readings):
        groups += _clusters([n for n, reading in enumerate(readings) if reading.type == type_], readings, same)
    return sorted(groups)


MOST = 60  # readings of a type in one article that are compared; the cost grows with the cube


def _clusters(
    numbers: list[int], readings: Sequence[EventReading], same: Callable[[EventReading, EventReading], float]
) -> list[list[int]]:
    groups = [[n] for n in numbers]
    p = {(a, b): same(readings[a], readings[b]) for a in numbers for b in numbers if a < b}
    while len(groups) > 1:
        scored = [
            (sum(p[min(a, b), max(a, b)] for a in one for b in other) / (len(one) * len(other)), i, j)
            for i, one in enumerate(groups)
            for j, other in enumerate(groups[:i])
        ]
        best, i, j = max(scored)
        if best < SAME:
            break
        groups[j] = sorted(groups[j] + groups.pop(i))
    return groups
