"""Groups the readings of one article by event, so that they can share what an event has once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pipeline.nlp.classifier.runtime import EventReading

SAME = 0.5  # mean probability from which a reading belongs to a group
COMPARED = 40  # members of a group that a reading is compared with: texts can be long


def group_events(
    readings: Sequence[EventReading], same: Callable[[EventReading, EventReading], float]
) -> list[list[int]]:
    """Return the numbers of the readings of each event, in text order.

    Each reading joins the group of its type with which it most probably shares the event, or begins a new one.

    Args:
        readings: The readings of one article, in text order.
        same: The probability that two readings name the same event.
    """
    groups: list[list[int]] = []
    for number, reading in enumerate(readings):
        best, chosen = SAME, None
        for group in groups:
            if readings[group[0]].type == reading.type:
                members = group[:COMPARED]
                p = sum(same(readings[other], reading) for other in members) / len(members)
                if p >= best:
                    best, chosen = p, group
        if chosen is None:
            groups.append([number])
        else:
            chosen.append(number)
    return groups
