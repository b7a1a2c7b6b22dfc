"""Builds timelines of dated stages, and gives the status of a timeline on a day.

A timeline is one matter between two parties, or about one thing: an agreement, access to a model, a ban, a case, a law.
Its stages keep the modality of their claims, so a plan stays a plan until a report says that it was done. A stage of
unknown date is listed first, never placed between two dated ones.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pipeline.aggregation.clustering.merge import main_participants, merged_participants
from pipeline.aggregation.clustering.stages import DEFAULT_STAGE, act_of
from pipeline.aggregation.summaries.sentence import summarise
from pipeline.aggregation.timelines.relations import MATTERS, TimelineRelation, fits, relations_of
from pipeline.records import Claim, Event, Modality

# Matters in which a new act settles earlier plans and threats, unlike the stages of a law or a case.
_ONE_AT_A_TIME = ("agreement", "access", "restriction")


_FINAL = {"vetoed", "rejected", "revoked", "withdrawn", "dissolved", "dismissed", "settled", "closed"}
# Stages that last until one of these is reached; any other stage ends with the next.
_LASTING = {
    "signed": {"ended", "passed", "in force", "vetoed", "revoked"},
    "agreed": {"ended", "signed"},
    "renewed": {"ended"},
    "adopted": {"dropped", "changed", "withdrawn", "in force"},
    "made": {"dropped", "changed"},
    "in force": {"revoked", "withdrawn"},
    "issued": {"revoked", "withdrawn", "in force"},
    "appointed": {"left", "dissolved"},
    "created": {"dissolved"},
    "renamed": {"dissolved"},
    "changed": {"dissolved", "dropped"},
}


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a timeline. All days are ISO text; None if unknown.

    Attributes:
        from_start, from_end: When it began, as reported; for a stage not done, the day of its first report.
        from_basis: stated, relative, publication (dated by its report), report (day of the first report) or unknown.
        sure_from: The first day on which it surely held.
        until: The day on which another stage replaced it.
    """

    entry_id: str
    timeline_id: str
    position: int  # in its timeline, from 0
    matter: str
    actor_id: str | None
    counterpart_id: str | None
    thing_id: str | None
    stage: str  # "signed", "lifted": what was done, or is planned, denied ..., see `modality`
    modality: str
    summary: str
    from_start: str | None
    from_end: str | None
    from_precision: str | None
    from_basis: str
    sure_from: str | None
    until: str | None
    contradicted: bool
    event_id: str
    claim_ids: tuple[str, ...]
    first_reported_on: str | None

    @property
    def done(self) -> bool:
        """Whether reports say that it happened, as opposed to planned, denied, alleged ..."""
        return self.modality == Modality.OCCURRED

    @property
    def dated(self) -> bool:
        return self.from_start is not None


@dataclass(frozen=True, slots=True)
class StatusOnDay:
    """The status of one timeline on one day.

    Attributes:
        done: The last stage surely reached.
        besides: Earlier stages not replaced since: a second pledge does not end the first.
        undated: Stages reached by that day, on unknown days.
        maybe: Stages dated too coarsely to say whether they were reached.
        ahead: Stages planned, considered, denied, alleged ... and not settled.
    """

    timeline_id: str
    day: str
    done: Stage | None
    besides: tuple[Stage, ...]
    undated: tuple[Stage, ...]
    maybe: tuple[Stage, ...]
    ahead: tuple[Stage, ...]

    @property
    def stages(self) -> tuple[Stage, ...]:
        """All stages, done ones first."""
        return (*((self.done,) if self.done else ()), *self.besides, *self.undated, *self.maybe, *self.ahead)


@dataclass
class _Timeline:
    relation: TimelineRelation
    stages: list[Stage] = field(default_factory=list)


def timeline_entries(
    events: Iterable[Event], claims: Mapping[str, Claim], day_of: Mapping[str, str]
) -> tuple[Stage, ...]:
    """Return all stages of all timelines, each timeline in order. Pure; the order of the events makes no difference.

    Args:
        events: The events.
        claims: By id.
        day_of: Article id -> day of publication, "" or missing if unknown.
    """
    return timelines_of(
        step for event in events for step in steps_of(event, [claims[c] for c in event.claim_ids], day_of)
    )


Step = tuple[Stage, TimelineRelation]


def steps_of(event: Event, claims: Sequence[Claim], day_of: Mapping[str, str]) -> list[Step]:
    """Return the stages of one event, each with every relation that it is a step of."""
    relations = relations_of(event, claims)
    return [(stage, relation) for stage in _steps(event, claims, day_of) for relation in relations] if relations else []


def timelines_of(every: Iterable[Step]) -> tuple[Stage, ...]:
    """Return the stages of the timelines that steps form. Pure; the order of the steps makes no difference.

    Steps without a common key (TimelineRelation.shared) never join one timeline.
    """
    timelines: list[_Timeline] = []
    near: dict[tuple[str, ...], list[_Timeline]] = defaultdict(list)
    # Steps with most known sides first, then finished ones, so that a step with an open side finds them.
    steps = sorted(every, key=_precedence)
    for stage, relation in steps:
        timeline = _find(near, relation)
        if timeline is None:
            timeline = _Timeline(relation)
            timelines.append(timeline)
            for mark in (*relation.shared, *relation.offered):
                near[mark].append(timeline)
        timeline.stages.append(replace(stage, actor_id=relation.actor) if relation.by_thing_alone else stage)
    found = [_finish(timeline) for timeline in timelines if timeline.stages]
    return tuple(stage for stages in sorted(found, key=lambda s: s[0].timeline_id) for stage in stages)


def _precedence(step: Step) -> tuple:
    stage, relation = step
    return -relation.n_known, not stage.done, stage.sure_from or "9", stage.event_id, stage.modality


def _find(near: Mapping[tuple[str, ...], list[_Timeline]], relation: TimelineRelation) -> _Timeline | None:
    """Return the timeline of a step: the one of the same key, else the only one that fits, else None."""
    candidates: dict[int, _Timeline] = {}
    for mark in (*relation.shared, *relation.asked):
        candidates |= {id(timeline): timeline for timeline in near.get(mark, ()) if fits(timeline.relation, relation)}
    same = [timeline for timeline in candidates.values() if timeline.relation.key == relation.key]
    if same:
        return same[0]
    return next(iter(candidates.values())) if len(candidates) == 1 else None


def _steps(event: Event, claims: Sequence[Claim], day_of: Mapping[str, str]) -> list[Stage]:
    """Return the stages of one event: planned, postponed, done ..., each dated by its first report."""
    groups: dict[Modality, list[Claim]] = defaultdict(list)
    for claim in claims:
        groups[claim.modality].append(claim)

    def reported(members: Iterable[Claim]) -> str:
        return min((day_of.get(c.evidence.article_id) or "9" for c in members), default="9")

    done = _done(event, groups.get(Modality.OCCURRED, []), reported) if event.modality is Modality.OCCURRED else None
    found = [done] if done else []
    for modality, members in groups.items():
        day = reported(members)
        # Reports after it was done add no stage; a denial only marks the finished stage as contradicted.
        if modality is Modality.OCCURRED or (done and (done.sure_from is None or day >= done.sure_from)):
            continue
        found.append(_stage(event, members, modality, day if day != "9" else None))
    return found


def _done(event: Event, members: Sequence[Claim], reported: Callable[[Iterable[Claim]], str]) -> Stage:
    day = reported(members)
    known = day if day != "9" else None
    stage = _stage(event, members, Modality.OCCURRED, known)
    if event.date is None:
        return replace(stage, from_start=None, from_end=None, from_precision=None, from_basis="unknown")
    start, end = event.date.start.isoformat(), event.date.end.isoformat()
    # A report within the stated period narrows the period down.
    sure = min(end, known) if known and known >= start else end
    return replace(
        stage,
        from_start=start, from_end=end, from_precision=event.date.precision.value, from_basis=event.date.basis,
        sure_from=sure,
    )  # fmt: skip


def _stage(event: Event, members: Sequence[Claim], modality: Modality, day: str | None) -> Stage:
    """Return a stage first reported on `day`, not yet placed in a timeline."""
    acts = Counter(found for c in members if (found := act_of(c)))
    act_ = min(acts, key=lambda a: (-acts[a], a)) if acts else ""
    direction = next((c.direction for c in members if c.direction), event.direction)
    merged = merged_participants(members)
    summary = event.summary
    if modality is not event.modality:
        roles = {p.role for p, _ in merged}
        others = [(p, 1) for p in event.participants if p.role not in roles]
        people = main_participants([*merged, *others], len(members))
        said = [c.attribution for c in members]
        summary = summarise(event.type, modality, people, act=act_, direction=direction, attributions=said)
    return Stage(
        entry_id="", timeline_id="", position=0, matter=MATTERS[event.type], actor_id=None, counterpart_id=None,
        thing_id=None, stage="lifted" if direction == "lift" else act_ or DEFAULT_STAGE[event.type],
        modality=modality.value, summary=summary, from_start=day, from_end=day,
        from_precision="day" if day else None, from_basis="report" if day else "unknown", sure_from=day, until=None,
        contradicted=event.contradicted, event_id=event.event_id,
        claim_ids=tuple(sorted(c.claim_id for c in members)), first_reported_on=day,
    )  # fmt: skip


def _finish(timeline: _Timeline) -> list[Stage]:
    """Order the stages of a timeline, set the day until which each held, mark contradictions, and assign ids."""
    relation = timeline.relation
    unique = {(s.event_id, s.modality): s for s in timeline.stages}
    # Undated stages first. On one day, open stages before finished ones.
    ordered = sorted(
        unique.values(),
        key=lambda s: (s.dated, s.sure_from or "", s.from_start or "", s.done, s.event_id, s.modality),
    )
    timeline_id = "l" + _digest("\x1f".join(relation.key))
    ordered = [replace(s, until=_until(s, ordered[place + 1 :])) for place, s in enumerate(ordered)]
    contradicted_stages = _contradicted(ordered)
    return [
        replace(
            stage,
            entry_id="s" + _digest(f"{timeline_id}\x1f{stage.event_id}\x1f{stage.modality}"),
            timeline_id=timeline_id,
            position=position,
            actor_id=stage.actor_id or relation.actor,
            counterpart_id=relation.counterpart,
            thing_id=relation.thing,
            contradicted=stage.contradicted or (stage.event_id, stage.modality) in contradicted_stages,
        )
        for position, stage in enumerate(ordered)
    ]


def _until(stage: Stage, later: Sequence[Stage]) -> str | None:
    """Return the day on which a later stage replaced this one.

    A finished stage is replaced only by a later finished one. An open stage ends with newer reports on the same event,
    with the same act done after all, and, for parties with one relation at a time, with anything done later.
    """
    if not stage.dated:
        return None
    for other in later:
        if not other.dated:
            continue
        after = (other.sure_from or "") > (stage.sure_from or "")
        if stage.done:
            settles = other.done and _ends(other.stage, stage)
        elif other.event_id == stage.event_id:
            settles = True
        else:
            ends = stage.matter in _ONE_AT_A_TIME or other.stage in _FINAL
            settles = other.done and after and (other.stage == stage.stage or ends)
        if settles:
            return other.sure_from
    return None


def _ends(new: str, old: Stage) -> bool:
    """Return True if reaching one stage ends another: an amended agreement continues, an ended one does not."""
    if new == old.stage:
        return False
    if old.stage in _LASTING:
        return new in _LASTING[old.stage]
    if old.matter == "restriction" and old.stage != "lifted":
        return new == "lifted"
    return new != "amended"


def _contradicted(stages: Sequence[Stage]) -> set[tuple[str, str]]:
    """Return stages reported as done while another stage denies them, and those denials."""
    found: set[tuple[str, str]] = set()
    for denied in (s for s in stages if s.modality == Modality.DENIED):
        for done in (s for s in stages if s.done and s.stage == denied.stage):
            if done.until is None or done.until > (denied.sure_from or ""):
                found |= {(denied.event_id, denied.modality), (done.event_id, done.modality)}
    return found


def as_of(stages: Sequence[Stage], day: str) -> StatusOnDay:
    """Return the status of one timeline on an ISO day, as far as is known today. `stages`: in order."""
    done = [s for s in stages if s.done and s.dated and (s.sure_from or "9") <= day]
    maybe = [s for s in stages if s.done and s.dated and (s.from_start or "9") <= day < (s.sure_from or "9")]
    undated = [s for s in stages if s.done and not s.dated and (s.sure_from or "9") <= day]
    ahead = [s for s in stages if not s.done and (s.sure_from or "9") <= day and (s.until is None or s.until > day)]
    return StatusOnDay(
        timeline_id=stages[0].timeline_id if stages else "",
        day=day,
        done=done[-1] if done else None,
        besides=tuple(s for s in reversed(done[:-1]) if s.until is None or s.until > day),
        undated=tuple(undated),
        maybe=tuple(maybe),
        ahead=tuple(ahead),
    )


def by_timeline(stages: Iterable[Stage]) -> dict[str, list[Stage]]:
    """Return stages by timeline, each in order."""
    found: dict[str, list[Stage]] = defaultdict(list)
    for stage in sorted(stages, key=lambda s: (s.timeline_id, s.position)):
        found[stage.timeline_id].append(stage)
    return dict(found)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
