"""Updates timelines and upcoming dates after events changed.

Steps without a common key never join one timeline (timelines.status), so only events that share keys with a changed
one, directly or via others, are recomputed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from pipeline.aggregation.timelines.relations import TimelineRelation
from pipeline.aggregation.timelines.status import Stage, Step, steps_of, timelines_of
from pipeline.aggregation.timelines.upcoming import Upcoming, settled_elsewhere, upcoming_of
from pipeline.ledger.build.changes import EventChanges
from pipeline.ledger.build.context import BuildContext
from pipeline.ledger.build.recompute.events import EventUpdater
from pipeline.ledger.build.state import chunks, pack, unpack
from pipeline.records import Event

_COURT = "court\x1f"
_ASKED = "asked"  # prefix of the key of a court act that names one side


@dataclass
class TimelineChanges:
    """Events whose rows of `timeline_entries` and `upcoming` are rewritten, with their new stages and dates."""

    events: set[str] = field(default_factory=set)
    stages: list[Stage] = field(default_factory=list)
    upcoming: list[Upcoming] = field(default_factory=list)


class TimelineUpdater:
    """Stores the steps of events and the keys by which timelines are found."""

    def __init__(self, context: BuildContext, event_updater: EventUpdater) -> None:
        self.context, self.state, self.event_updater = context, context.state, event_updater
        self._seeds: set[str] = set()  # events in one timeline with a changed event

    def begin(self, event_changes: EventChanges) -> None:
        """Note the events in a timeline with a changed event, and delete the steps of removed events."""
        if not self.context.full:
            for id_ in event_changes.events | event_changes.gone:
                self._seeds |= self._linked(id_)
        for id_ in sorted(event_changes.gone):
            self._forget(id_)

    def update(self, event_changes: EventChanges) -> Iterable[TimelineChanges]:
        """Yield what to rewrite, some timelines at a time."""
        seen: set[str] = set()
        for some in chunks(event_changes.ordered((self._seeds | event_changes.events) - event_changes.gone), 500):
            timeline_changes = TimelineChanges()
            for seed in some:
                if seed in seen:
                    continue
                cluster, edge = {seed}, [seed]
                while edge:
                    new = {other for id_ in edge for other in self._linked(id_)} - cluster
                    cluster |= new
                    edge = sorted(new)
                seen |= cluster
                self._line(cluster, timeline_changes)
            yield timeline_changes

    def _forget(self, id_: str) -> None:
        for table in ("steps", "timeline_marks"):
            self.state.drop(table, "event_id", [id_])

    def keep(self, id_: str) -> None:
        """Store the steps of an event."""
        claims = {claim.claim_id: claim for claim in self.event_updater.claims_of(id_)}
        event: Event = self.context.events[id_]
        day_of = {c.evidence.article_id: self._day(c.evidence.article_id) for c in claims.values()}
        ordered = [claims[claim_id] for claim_id in event.claim_ids]
        steps = steps_of(event, ordered, day_of)
        upcoming = tuple(upcoming_of(event, ordered, day_of))
        self._forget(id_)
        self.state.put("steps", [(id_, pack(steps), pack(upcoming))])
        self.state.put(
            "timeline_marks", sorted((mark, id_) for mark in {m for _, relation in steps for m in _marks(relation)})
        )

    def _day(self, article_id: str) -> str:
        published = self.context.articles[article_id].published_at
        return published.date().isoformat() if published else ""

    def _linked(self, id_: str) -> set[str]:
        """Return the events with a step that may join a timeline with one of this event."""
        found: set[str] = set()
        for mark in self.state.column("select mark from joined.timeline_marks where event_id = ?", (id_,)):
            if mark.startswith(_COURT) and not self._holders(f"{_ASKED}{mark}"):
                continue
            found.update(self._holders(mark.removeprefix(_ASKED)))
            if mark.startswith(_COURT):
                found.update(self._holders(f"{_ASKED}{mark}"))
        return found - {id_}

    def _holders(self, mark: str) -> list[str]:
        return self.state.column("select event_id from joined.timeline_marks where mark = ?", (mark,))

    def _line(self, cluster: set[str], timeline_changes: TimelineChanges) -> None:
        steps: list[Step] = []
        upcoming: list[Upcoming] = []
        for id_ in sorted(cluster):
            row = self.state.db.execute(
                "select steps, upcoming from joined.steps where event_id = ?", (id_,)
            ).fetchone()
            steps += unpack(row[0])
            upcoming += unpack(row[1])
        stages = timelines_of(steps)
        timeline_changes.events |= cluster
        timeline_changes.stages += stages
        timeline_changes.upcoming += settled_elsewhere(upcoming, stages)


def _marks(relation: TimelineRelation) -> list[str]:
    marks = ["\x1f".join(mark) for mark in (*relation.shared, *relation.offered)]
    return marks + [_ASKED + "\x1f".join(mark) for mark in relation.asked]
