"""What one build finds changed: articles and claims since the last build, and the events that were made again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from pipeline.records import Claim


class AffiliationChanged(Exception):
    """An article tells otherwise than before to whom a party belongs: all that names it must be joined again."""


@dataclass
class Changes:
    """What differs from the last build. `days`: for each type the first day of which a claim came, went or changed."""

    origin_inputs: set[str] = field(
        default_factory=set
    )  # articles whose text, credits or topics changed
    articles: set[str] = field(default_factory=set)  # articles of which anything is other, the above among them
    gone: set[str] = field(default_factory=set)  # articles that are no longer in the ledger
    claims: set[str] = field(default_factory=set)  # claims that are new or say anything else
    removed: list[tuple[Claim, str, str]] = field(default_factory=list)  # claims as they were, their day and group
    events: set[str] = field(default_factory=set)  # events that a claim was taken from
    days: dict[str, str] = field(default_factory=dict)
    unsure: set[str] = field(default_factory=set)  # claims below the threshold that are new, other or gone
    edited: set[str] = field(default_factory=set)  # articles of which an edit is new or other
    names: set[str] = field(default_factory=set)  # unknown names that articles or claims carry otherwise, folded
    unknown_names: set[str] = field(default_factory=set)  # unknown names, as written, that articles tell otherwise
    new_entities: set[str] = field(default_factory=set)  # entities that no article told of before
    entities_changed: bool = False  # whether articles may tell of others no more, or otherwise

    def touch(self, type_: str, day: str) -> None:
        self.days[type_] = min(day, self.days.get(type_, day))


@dataclass
class EventChanges:
    """What became of the events. `events`: made again, and to be written; `gone`: ids that are in use no more;
    `places`: the place of an event in the order of time, as far as that matters."""

    events: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    contradictions: set[str] = field(default_factory=set)  # events whose disagreements are others
    places: dict[str, int] = field(default_factory=dict)

    def ordered(self, ids: Iterable[str]) -> list[str]:
        """Return events in a settled order: that of time where many are made, for then what is looked up of one is
        still in memory for the next."""
        return sorted(ids, key=lambda id_: (self.places.get(id_, -1), id_))
