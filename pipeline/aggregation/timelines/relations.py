"""Derives the relations that an event belongs to: (matter, actor, counterpart, thing).

The sides mean the same throughout a matter, whoever acts in a single event: company and public body in an agreement,
requester and holder in access, imposer and affected party in a restriction, the two parties in a case.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

from pipeline.aggregation.clustering.features import is_named
from pipeline.aggregation.clustering.merge import merged_participants
from pipeline.aggregation.clustering.stages import act_of
from pipeline.records import Claim, EntityKind, Event, Participant

MATTERS = {
    "agreement": "agreement", "access_request": "access", "access_grant": "access", "refusal": "access",
    "restriction": "restriction", "litigation": "case", "investigation": "inquiry", "enforcement": "inquiry",
    "executive_action": "rule", "legislation": "rule", "regulation": "rule", "commitment": "commitment",
    "model_release": "release", "evaluation": "evaluation", "institution": "institution",
}  # fmt: skip
PUBLIC = (EntityKind.AGENCY, EntityKind.GOVERNMENT)
_SHARE = 0.25  # of the claims of a role's best supported party; rarer parties are mentioned in passing
_CLASS = re.compile(r"(?:AI|US|U\.S\.|EU|UK|American|European) [a-z]")  # "AI developer" names nobody
_COURT = re.compile(r"\b(?:[Cc]ourt|Tribunal|Judge)\b")
_COURT_ACTS = {"ruled", "dismissed", "hearing"}  # in these the actor is the court
_STRONG = ("release", "restriction", "evaluation")  # in these one shared thing identifies a timeline


@dataclass(frozen=True, slots=True)
class TimelineRelation:
    """A matter between two parties or about a thing, by entity id; None for what the sentences do not say."""

    matter: str
    actor: str | None
    counterpart: str | None
    thing: str | None
    exact: bool = False  # joins only a timeline of the same key: a ban on a company is not a ban on one of its models
    court: bool = False  # reported by a court act, which may name only one side
    by_thing_alone: bool = False  # actors differ from stage to stage: one introduces a law, another signs it

    @property
    def key(self) -> tuple[str, str, str, str]:
        """The identity of a timeline."""
        if self.matter == "case" and self.actor and self.counterpart:
            one, other = sorted((self.actor, self.counterpart))
            return self.matter, one, other, self.thing or ""
        return self.matter, "" if self.by_thing_alone else self.actor or "", self.counterpart or "", self.thing or ""

    @property
    def n_known(self) -> int:
        return sum(side is not None for side in (self.actor, self.counterpart, self.thing))

    @property
    def shared(self) -> tuple[tuple[str, ...], ...]:
        """Keys of which a step shares at least one with its timeline, unless a court act names only one side."""
        found: list[tuple[str, ...]] = [("key", *self.key)]
        if not self.by_thing_alone and self.matter != "case":
            named = zip("act", (self.actor, self.counterpart, self.thing), strict=True)
            sides = [(name, id_) for name, id_ in named if id_]
            found += [(self.matter, *one, *other) for one, other in combinations(sides, 2)]
            if self.matter in _STRONG and self.thing:
                found.append((self.matter, "t", self.thing))
        return tuple(found)

    @property
    def offered(self) -> tuple[tuple[str, ...], ...]:
        """Keys by which a court act that names one or both sides of a case finds it."""
        if self.matter != "case" or self.by_thing_alone:
            return ()
        sides = sorted({side for side in (self.actor, self.counterpart) if side})
        return tuple(("court", *some) for n in range(1, len(sides) + 1) for some in combinations(sides, n))

    @property
    def asked(self) -> tuple[tuple[str, ...], ...]:
        """The key of the cases that a court act may belong to."""
        if self.matter != "case" or not self.court or self.exact or self.by_thing_alone:
            return ()
        sides = sorted({side for side in (self.actor, self.counterpart) if side})
        return (("court", *sides),) if sides else ()


def fits(timeline: TimelineRelation, step: TimelineRelation) -> bool:
    """Return True if a step may belong to a timeline: nothing differs, and enough is the same."""
    if step.key == timeline.key:
        return True
    if step.exact or timeline.matter != step.matter or timeline.by_thing_alone or step.by_thing_alone:
        return False
    if step.matter == "case":
        mine, theirs = ({t.actor, t.counterpart} - {None} for t in (step, timeline))
        return step.court and bool(mine) and mine <= theirs
    pairs = [(timeline.actor, step.actor), (timeline.counterpart, step.counterpart), (timeline.thing, step.thing)]
    if any(one and other and one != other for one, other in pairs):
        return False
    same = sum(one is not None and one == other for one, other in pairs)
    return same >= 2 or (timeline.matter in _STRONG and timeline.thing is not None and timeline.thing == step.thing)


def is_title(name: str) -> bool:
    """Return True for the name of an instrument ("SB 53", "Frontier Disclosure Act"), False for "AI safety deal"."""
    last = re.sub(r"[^\w-]+$", "", name).split()[-1:] or [""]
    return len(name.split()) + (not name.islower()) > 1 and (last[0][:1].isupper() or last[0][:1].isdigit())


class _Cast:
    """The named participants of an event by role, without those mentioned in passing."""

    def __init__(self, claims: Sequence[Claim]) -> None:
        self.roles: dict[str, list[Participant]] = defaultdict(list)
        most: dict[str, int] = {}
        for participant, n in merged_participants(claims):
            top = most.setdefault(participant.role, n)
            if is_named(participant) and not _CLASS.match(participant.name) and n >= _SHARE * top:
                self.roles[participant.role].append(participant)

    def parties(self, role: str) -> list[Participant]:
        """Return the parties in a role. A person is left out if a body is named too."""
        found = [p for p in self.roles[role] if p.kind not in (EntityKind.INSTRUMENT, EntityKind.MODEL)]
        bodies = [p for p in found if p.kind is not EntityKind.PERSON]
        return bodies or found

    def ids(self, role: str) -> list[str]:
        return list(dict.fromkeys(p.entity_id for p in self.parties(role)))

    @property
    def models(self) -> list[str]:
        rows = [p for role in ("object", "target") for p in self.roles[role] if p.kind is EntityKind.MODEL]
        return list(dict.fromkeys(p.entity_id for p in rows))

    @property
    def title(self) -> str | None:
        """The best supported instrument with a name of its own."""
        named = [p for p in self.roles["instrument"] if p.kind is EntityKind.INSTRUMENT and is_title(p.name)]
        return named[0].entity_id if named else None


def merged_all(claims: Sequence[Claim], role: str) -> list[Participant]:
    """Return everybody and everything in a role, named or described, best supported first."""
    return [p for p, _ in merged_participants(claims) if p.role == role]


def _each(values: Sequence[str]) -> Sequence[str | None]:
    return values or (None,)


def relations_of(event: Event, claims: Sequence[Claim]) -> tuple[TimelineRelation, ...]:
    """Return the relations of an event, one for each pair of parties and thing; none if nobody is named."""
    cast = _Cast(claims)
    matter = MATTERS[event.type]
    found = dict.fromkeys(
        relation
        for relation in _MAKERS[matter](matter, cast, event, claims)
        if relation.n_known and (relation.actor is None or relation.actor != relation.counterpart)
    )
    return tuple(found)


def _agreement(matter: str, cast: _Cast, event: Event, claims: Sequence[Claim]) -> Iterable[TimelineRelation]:
    everybody = {p.entity_id: p.kind for role in ("actor", "target") for p in cast.parties(role)}
    public = [id_ for id_, kind in everybody.items() if kind in PUBLIC]
    private = [id_ for id_ in everybody if id_ not in public]
    if public and private:
        return [TimelineRelation(matter, a, b, cast.title) for a in private for b in public]
    if len(everybody) == 2:
        one, other = sorted(everybody)
        return [TimelineRelation(matter, one, other, cast.title)]
    # "Google, OpenAI and xAI signed" does not say with whom; usually not with each other.
    return [TimelineRelation(matter, a, None, cast.title) for a in everybody]


def _access(matter: str, cast: _Cast, event: Event, claims: Sequence[Claim]) -> Iterable[TimelineRelation]:
    asks, holds = ("actor", "target") if event.type == "access_request" else ("target", "actor")
    return [
        TimelineRelation(matter, a, b, thing) for a in _each(cast.ids(asks)) for b in _each(cast.ids(holds))
        for thing in _each(cast.models) if a or b
    ]  # fmt: skip


def _restriction(matter: str, cast: _Cast, event: Event, claims: Sequence[Claim]) -> Iterable[TimelineRelation]:
    return [
        TimelineRelation(matter, a, b, thing, exact=event.direction != "lift" and thing is None)
        for a in _each(cast.ids("actor")) for b in _each(cast.ids("target")) for thing in _each(cast.models)
        if b or thing
    ]  # fmt: skip


def _case(matter: str, cast: _Cast, event: Event, claims: Sequence[Claim]) -> Iterable[TimelineRelation]:
    acts = {act_of(c) for c in claims if c.modality is event.modality}
    courts = [p for p in cast.parties("actor") if _COURT.search(p.name)]
    winners, targets = cast.ids("affected"), cast.ids("target")
    if courts or (acts & _COURT_ACTS and targets):
        losers = _each(targets) if winners else targets
        return [TimelineRelation(matter, a, b, None, court=True) for a in _each(winners) for b in losers]
    return [
        TimelineRelation(matter, a, b, None if b else cast.title)
        for a in _each(cast.ids("actor"))
        for b in _each(targets)
    ]


def _inquiry(matter: str, cast: _Cast, event: Event, claims: Sequence[Claim]) -> Iterable[TimelineRelation]:
    targets = cast.ids("target")
    things = _each(() if targets else cast.models)
    return [
        TimelineRelation(matter, a, b, t)
        for a in _each(cast.ids("actor"))
        for b in _each(targets)
        for t in things
        if b or t
    ]


def _rule(matter: str, cast: _Cast, event: Event, claims: Sequence[Claim]) -> Iterable[TimelineRelation]:
    actors = cast.ids("actor")
    if cast.title:
        return [TimelineRelation(matter, actors[0] if actors else None, None, cast.title, by_thing_alone=True)]
    # "New rules" are identified by their issuer and this name.
    words = [p.entity_id for p in merged_all(claims, "instrument")][:1]
    return [TimelineRelation(matter, a, None, thing) for a in actors for thing in words]


def _commitment(matter: str, cast: _Cast, event: Event, claims: Sequence[Claim]) -> Iterable[TimelineRelation]:
    return [TimelineRelation(matter, a, None, cast.title) for a in cast.ids("actor")]


def _release(matter: str, cast: _Cast, event: Event, claims: Sequence[Claim]) -> Iterable[TimelineRelation]:
    return [TimelineRelation(matter, a, None, model) for a in _each(cast.ids("actor")[:1]) for model in cast.models]


def _evaluation(matter: str, cast: _Cast, event: Event, claims: Sequence[Claim]) -> Iterable[TimelineRelation]:
    models, targets = cast.models, cast.ids("target")
    return [
        TimelineRelation(matter, a, None if model else b, model)
        for a in _each(cast.ids("actor")) for b in _each(() if models else targets) for model in _each(models)
        if b or model
    ]  # fmt: skip


def _institution(matter: str, cast: _Cast, event: Event, claims: Sequence[Claim]) -> Iterable[TimelineRelation]:
    bodies = [p.entity_id for p in cast.roles["body"]]
    people = [
        p.entity_id for role in ("target", "actor") for p in cast.roles[role] if p.kind is EntityKind.PERSON
    ]  # fmt: skip
    moves = {act_of(c) for c in claims} & {"left", "appointed"}
    person = people[0] if people and moves else None
    actors = [a for a in cast.ids("actor") if a != person]
    actor = actors[0] if actors else None
    return [
        TimelineRelation(matter, actor, person, body, by_thing_alone=body is not None)
        for body in _each(bodies[:1])
        if body or person
    ]


_MAKERS = {
    "agreement": _agreement, "access": _access, "restriction": _restriction, "case": _case, "inquiry": _inquiry,
    "rule": _rule, "commitment": _commitment, "release": _release, "evaluation": _evaluation,
    "institution": _institution,
}  # fmt: skip
