"""Events that are made again come in; the lines of dated stages and the days to watch that hang on them go out.

Steps without a common mark never stand in one line (timelines.status), so only events that share marks with a changed
one, directly or over others, are looked at.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from pipeline.aggregation.timelines.relations import Tie
from pipeline.aggregation.timelines.status import Stage, Step, lines_of, steps_of
from pipeline.aggregation.timelines.upcoming import Due, due_of, settled_elsewhere
from pipeline.ledger.build.changes import Happened
from pipeline.ledger.build.context import World
from pipeline.ledger.build.recompute.events import Happenings
from pipeline.ledger.build.state import chunks, keep, kept
from pipeline.records import Event

_COURT = "court\x1f"
_ASKED = "asked"  # before the mark of a court's act that names one side


@dataclass
class Lined:
    """The events whose rows of `timeline_entries` and `upcoming` are to be written again, with these rows' stages and
    days.
    """

    events: set[str] = field(default_factory=set)
    stages: list[Stage] = field(default_factory=list)
    dues: list[Due] = field(default_factory=list)


class Lines:
    """Keeps the steps of events and the marks by which lines are found."""

    def __init__(self, world: World, happenings: Happenings) -> None:
        self.world, self.state, self.happenings = world, world.state, happenings
        self._seeds: set[str] = set()  # events that stood in one line with what changes

    def begin(self, happened: Happened) -> None:
        """Note what stood in lines with the events that change, and forget those that are gone."""
        if not self.world.full:
            for id_ in happened.events | happened.gone:
                self._seeds |= self._linked(id_)
        for id_ in sorted(happened.gone):
            self._forget(id_)

    def update(self, happened: Happened) -> Iterable[Lined]:
        """Yield what is to be written again, some lines at a time."""
        seen: set[str] = set()
        for some in chunks(happened.ordered((self._seeds | happened.events) - happened.gone), 500):
            lined = Lined()
            for seed in some:
                if seed in seen:
                    continue
                cluster, edge = {seed}, [seed]
                while edge:
                    new = {other for id_ in edge for other in self._linked(id_)} - cluster
                    cluster |= new
                    edge = sorted(new)
                seen |= cluster
                self._line(cluster, lined)
            yield lined

    def _forget(self, id_: str) -> None:
        for table in ("steps", "line_marks"):
            self.state.drop(table, "event_id", [id_])

    def keep(self, id_: str) -> None:
        """Keep the steps of an event that was made."""
        claims = {claim.claim_id: claim for claim in self.happenings.claims_of(id_)}
        event: Event = self.world.events[id_]
        day_of = {c.evidence.article_id: self._day(c.evidence.article_id) for c in claims.values()}
        ordered = [claims[claim_id] for claim_id in event.claim_ids]
        steps = steps_of(event, ordered, day_of)
        dues = tuple(due_of(event, ordered, day_of))
        self._forget(id_)
        self.state.put("steps", [(id_, keep(steps), keep(dues))])
        self.state.put("line_marks", sorted((mark, id_) for mark in {m for _, tie in steps for m in _marks(tie)}))

    def _day(self, article_id: str) -> str:
        published = self.world.articles[article_id].published_at
        return published.date().isoformat() if published else ""

    def _linked(self, id_: str) -> set[str]:
        """Return the events that have a step which may stand in one line with one of this event's."""
        found: set[str] = set()
        for mark in self.state.column("select mark from joined.line_marks where event_id = ?", (id_,)):
            if mark.startswith(_COURT) and not self._holders(f"{_ASKED}{mark}"):
                continue
            found.update(self._holders(mark.removeprefix(_ASKED)))
            if mark.startswith(_COURT):
                found.update(self._holders(f"{_ASKED}{mark}"))
        return found - {id_}

    def _holders(self, mark: str) -> list[str]:
        return self.state.column("select event_id from joined.line_marks where mark = ?", (mark,))

    def _line(self, cluster: set[str], lined: Lined) -> None:
        steps: list[Step] = []
        dues: list[Due] = []
        for id_ in sorted(cluster):
            row = self.state.db.execute("select steps, dues from joined.steps where event_id = ?", (id_,)).fetchone()
            steps += kept(row[0])
            dues += kept(row[1])
        stages = lines_of(steps)
        lined.events |= cluster
        lined.stages += stages
        lined.dues += settled_elsewhere(dues, stages)


def _marks(tie: Tie) -> list[str]:
    marks = ["\x1f".join(mark) for mark in (*tie.shared, *tie.offered)]
    return marks + [_ASKED + "\x1f".join(mark) for mark in tie.asked]
