"""The changes that one build finds (articles, claims) and makes (events)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from pipeline.records import Claim


class AffiliationChanged(Exception):
    """The parent of an entity changed: everything that names the entity must be recomputed."""


@dataclass
class Changes:
    """Differences from the last build. `days`: for each type the first day with an added, removed or changed claim."""

    origin_inputs: set[str] = field(default_factory=set)  # articles whose text, credits or topics changed
    articles: set[str] = field(default_factory=set)  # articles with any change, including the above
    gone: set[str] = field(default_factory=set)  # articles removed from the ledger
    claims: set[str] = field(default_factory=set)  # new or changed claims
    removed: list[tuple[Claim, str, str]] = field(default_factory=list)  # former claims with day and cluster
    events: set[str] = field(default_factory=set)  # events that lost a claim
    days: dict[str, str] = field(default_factory=dict)
    unsure: set[str] = field(default_factory=set)  # changed claims below the threshold
    edited: set[str] = field(default_factory=set)  # articles with a new or changed edit
    names: set[str] = field(default_factory=set)  # unknown names with changed claims, normalised
    unknown_names: set[str] = field(default_factory=set)  # unknown names with changed mentions, as written
    new_entities: set[str] = field(default_factory=set)  # entities named for the first time
    entities_changed: bool = False  # whether an entity may have changed or disappeared

    def touch(self, type_: str, day: str) -> None:
        self.days[type_] = min(day, self.days.get(type_, day))


@dataclass
class EventChanges:
    """Effects on events. `events`: to be written again; `gone`: ids no longer in use.

    `places`: position of an event in time, where the order matters.
    """

    events: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    contradictions: set[str] = field(default_factory=set)  # events whose contradictions changed
    places: dict[str, int] = field(default_factory=dict)

    def ordered(self, ids: Iterable[str]) -> list[str]:
        """Return events in a fixed order. In a full build that is by time, so that cached look-ups are reused."""
        return sorted(ids, key=lambda id_: (self.places.get(id_, -1), id_))
