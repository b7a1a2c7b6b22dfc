"""Lists upcoming dates: days that sentences name for planned events, with the claims behind them.

Only days on or after the day of their article count; a plan without a day is no deadline. The outcome comes from the
same event: happened, put off, called off, moved, or open.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from pipeline.aggregation.clustering.merge import main_participants, merged_participants
from pipeline.aggregation.clustering.stages import act_of
from pipeline.aggregation.summaries.noun_phrases import parties, sentence
from pipeline.aggregation.summaries.sentence import summarise
from pipeline.aggregation.timelines.status import Stage, by_timeline
from pipeline.records import Claim, DateSpan, Event, Modality

_UNSURE = (Modality.CONSIDERED, Modality.CONDITIONAL, Modality.ALLEGED)
_NEW_DAY = re.compile(r"\b(?:to|until|till)\s+(?:\w+\s+)?$", re.I)  # "postponed until 3 August": the day is the new one
_DEADLINE = re.compile(r"\b(?:until|deadline|by|no later than|within|before|at the latest|ultimatum)\b", re.I)


class UpcomingOutcome(StrEnum):
    """The outcome of a date, according to the reports in the ledger."""

    OPEN = "open"  # no report yet
    HAPPENED = "happened"
    PUT_OFF = "put_off"
    CALLED_OFF = "called_off"
    MOVED = "moved"  # a later report names another day


@dataclass(frozen=True, slots=True)
class Upcoming:
    """A day on which something is to happen, according to a sentence. Days are ISO text, inclusive.

    `settled_on`: the day on which it happened, or of the report that it was put off, called off or moved.
    """

    upcoming_id: str
    event_id: str
    claim_id: str  # the earliest claim that names this day
    claim_ids: tuple[str, ...]
    kind: str  # deadline, effect, hearing or plan
    modality: str
    summary: str
    start: str
    end: str
    precision: str
    said: str
    outcome: UpcomingOutcome
    settled_on: str | None
    first_reported_on: str


def upcoming_days(
    events: Iterable[Event], claims: Mapping[str, Claim], day_of: Mapping[str, str], stages: Iterable[Stage] = ()
) -> tuple[Upcoming, ...]:
    """Return all upcoming dates, in order of days. Pure.

    Args:
        events: The events.
        claims: By id.
        day_of: Article id -> day of publication, "" or missing if unknown.
        stages: Of timelines.status; a plan counts as done if another event of its timeline reports the same act.
    """
    own = [due for event in events for due in upcoming_of(event, [claims[c] for c in event.claim_ids], day_of)]
    return settled_elsewhere(own, stages)


def settled_elsewhere(upcoming: Iterable[Upcoming], stages: Iterable[Stage]) -> tuple[Upcoming, ...]:
    """Return the dates in order, settling those that other events of their timeline have settled."""
    done_after = _done_elsewhere(stages)
    found = []
    for due in upcoming:
        later = [day for day in done_after.get(due.event_id, ()) if day > due.first_reported_on]
        if due.outcome is UpcomingOutcome.OPEN and later:
            due = replace(due, outcome=UpcomingOutcome.HAPPENED, settled_on=min(later))
        found.append(due)
    return tuple(sorted(found, key=lambda d: (d.start, d.end, d.upcoming_id)))


def _done_elsewhere(stages: Iterable[Stage]) -> dict[str, list[str]]:
    """Return, for each event not done, the days on which other events of its timelines did the same."""
    found: dict[str, list[str]] = defaultdict(list)
    for timeline in by_timeline(stages).values():
        for stage in (s for s in timeline if not s.done):
            found[stage.event_id] += [
                other.sure_from for other in timeline
                if other.done and other.dated and other.stage == stage.stage and other.sure_from
                and other.event_id != stage.event_id
            ]  # fmt: skip
    return found


def upcoming_of(event: Event, claims: Sequence[Claim], day_of: Mapping[str, str]) -> Iterable[Upcoming]:
    """Yield the upcoming dates of one event, by its own claims alone."""

    def reported(claim: Claim) -> str:
        return day_of.get(claim.evidence.article_id) or ""

    by_day: dict[tuple[str, str], list[Claim]] = defaultdict(list)
    for claim in sorted(claims, key=lambda c: (reported(c), c.claim_id)):
        if span := _day_ahead(claim, reported(claim)):
            by_day[span.start.isoformat(), span.end.isoformat()].append(claim)
    for (start, end), members in by_day.items():
        first, last = members[0], max(reported(c) for c in members)
        outcome, settled_on = _outcome(event, claims, reported, (start, end), last, by_day)
        # A report of a postponement is evidence of the earlier plan.
        modality = Modality.PLANNED if first.modality is Modality.POSTPONED else first.modality
        yield Upcoming(
            upcoming_id="d" + hashlib.sha256(f"{event.event_id}\x1f{start}\x1f{end}".encode()).hexdigest()[:16],
            event_id=event.event_id,
            claim_id=first.claim_id,
            claim_ids=tuple(c.claim_id for c in members),
            kind=_kind(first),
            modality=modality.value,
            summary=_summary(event, members, modality),
            start=start,
            end=end,
            precision=first.date.precision.value if first.date else "day",
            said=first.date.said if first.date else "",
            outcome=outcome,
            settled_on=settled_on,
            first_reported_on=reported(first),
        )


def _day_ahead(claim: Claim, reported: str) -> DateSpan | None:
    """Return the date that a claim names for something still to come, None for none."""
    span = claim.date
    if span is None or span.basis == "publication" or not reported or span.end.isoformat() < reported:
        return None
    if claim.modality in (Modality.PLANNED, Modality.POSTPONED):
        return span
    # "On Friday it considered ..." dates the considering: only a later day is upcoming.
    return span if claim.modality in _UNSURE and span.start.isoformat() > reported else None


def _moved_to(claim: Claim) -> bool:
    """Return True if a sentence that postpones something names the new day, not the old one."""
    said = claim.date.said if claim.date else ""
    at = claim.evidence.quote.find(said) if said else -1
    return at > 0 and bool(_NEW_DAY.search(claim.evidence.quote[:at]))


def _outcome(event, claims, reported, day: tuple[str, str], last: str, days) -> tuple[UpcomingOutcome, str | None]:  # noqa: ANN001
    """Return the outcome of a date, and since when it is known. `last`: day of the last report that names the date."""
    if event.modality is Modality.OCCURRED:
        reports = [reported(c) for c in claims if c.modality is Modality.OCCURRED and reported(c)]
        done_on = event.date.end.isoformat() if event.date else min(reports, default=None)
        if done_on is None or done_on >= min(reported(c) for c in days[day]):
            return UpcomingOutcome.HAPPENED, done_on
    off = {Modality.CANCELLED: UpcomingOutcome.CALLED_OFF, Modality.POSTPONED: UpcomingOutcome.PUT_OFF}
    for claim in sorted(claims, key=lambda c: (reported(c), c.claim_id), reverse=True):
        new_day = claim.modality is Modality.POSTPONED and claim in days.get(day, ()) and _moved_to(claim)
        if claim.modality in off and reported(claim) >= last and not new_day:
            return off[claim.modality], reported(claim)
    later = [min(reported(c) for c in members) for other, members in days.items() if not _overlap(other, day)]
    newer = [moment for moment in later if moment > last]
    return (UpcomingOutcome.MOVED, min(newer)) if newer else (UpcomingOutcome.OPEN, None)


def _overlap(one: tuple[str, str], other: tuple[str, str]) -> bool:
    return one[0] <= other[1] and other[0] <= one[1]


def _kind(claim: Claim) -> str:
    stage = act_of(claim)
    said = claim.date.said if claim.date else ""
    at = claim.evidence.quote.find(said) if said else -1
    before = claim.evidence.quote[max(0, at - 24) : at] if at > 0 else ""
    if stage == "hearing":
        return "hearing"
    if stage == "in force":
        return "effect"
    return "deadline" if stage == "deadline set" or _DEADLINE.search(before) else "plan"


_TAKES_EFFECT = {
    Modality.PLANNED: ("is set to take effect", "are set to take effect"),
    Modality.CONSIDERED: ("may take effect: nothing is decided", "may take effect: nothing is decided"),
    Modality.CONDITIONAL: ("would take effect under stated conditions", "would take effect under stated conditions"),
    Modality.ALLEGED: ("is said, unconfirmed, to take effect", "are said, unconfirmed, to take effect"),
}  # fmt: skip


def _summary(event: Event, members: Sequence[Claim], modality: Modality) -> str:
    acts = [found for c in members if (found := act_of(c)) and found != "delayed"]  # not the delay: the act is due
    if modality is event.modality and "in force" not in acts:
        return event.summary
    if "in force" in acts:
        thing, many = parties([p for c in members for p in c.participants] or event.participants, "instrument")
        return sentence(f"{thing or 'a rule'} {_TAKES_EFFECT[modality][many]}")
    merged = merged_participants(members)
    roles = {p.role for p, _ in merged}
    people = main_participants([*merged, *((p, 1) for p in event.participants if p.role not in roles)], len(members))
    said = [c.attribution for c in members]
    return summarise(
        event.type, modality, people, act=next(iter(acts), ""), direction=event.direction, attributions=said
    )
