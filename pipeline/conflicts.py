"""Where claims of one event cannot all be right: claims by event come in, rival values with their claims go out.

A less precise date that holds a more precise one agrees with it; a planned day and the day it happened are two things;
"has not signed" before the signing is no contradiction. Nothing is averaged away and nobody is declared right.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from itertools import combinations

from pipeline.amounts import Amount, agree, amounts
from pipeline.cases import CONTINUING, is_named
from pipeline.families import Families
from pipeline.records import Claim, Conflict, DateSpan, EntityKind, Force, Modality
from pipeline.stages import act
from scrapers.records import Article

FIELDS = ("date", "actor", "amount", "force", "happened", "direction")
_DONE = (Modality.OCCURRED, Modality.ALLEGED)
_AHEAD = (Modality.PLANNED, Modality.CONSIDERED)
_SEVERAL_ACTORS = {"agreement", "commitment", "access_request", "evaluation", "litigation", "refusal", "access_grant"}
_ADMINISTRATION = re.compile(r"\b([A-Z][a-z]+) [Aa]dministration\b")
Rivals = dict[str, set[str]]  # value in words -> claim ids


def find_conflicts(
    events: Mapping[str, Iterable[Claim]], articles: Mapping[str, Article], families: Families | None = None
) -> tuple[Conflict, ...]:
    """Return the conflicts, in the order of event and field. `events`: event id -> its claims."""
    families = families or Families()
    found: dict[tuple[str, str], Rivals] = {}
    for event_id in sorted(events):
        claims = sorted(events[event_id], key=lambda c: c.claim_id)
        checks: dict[str, Callable[[], Rivals]] = {
            "date": lambda claims=claims: _dates(claims),
            "actor": lambda claims=claims: _actors(claims, families),
            "amount": lambda claims=claims: _amounts(claims),
            "force": lambda claims=claims: _forces(claims),
            "happened": lambda claims=claims: _happened(claims, articles),
        }
        for field, check in checks.items():
            if rivals := check():
                found[event_id, field] = rivals
    for (event_id, field), rivals in _between_events(events, families).items():
        merged = found.setdefault((event_id, field), {})
        for value, ids in rivals.items():
            merged.setdefault(value, set()).update(ids)
    return tuple(_conflict(event_id, field, found[event_id, field]) for event_id, field in sorted(found))


def _conflict(event_id: str, field: str, rivals: Rivals) -> Conflict:
    digest = hashlib.sha256(f"{event_id}\x1f{field}".encode()).hexdigest()[:16]
    values = tuple((value, tuple(sorted(ids))) for value, ids in sorted(rivals.items()))
    return Conflict(f"k{digest}", event_id, field, values)


def in_words(conflict: Conflict) -> str:
    """Return a conflict as one sentence: "Reports differ on the date: 2026-05-05 (2 claims) or 2026-05-07 (1)"."""
    words = {"happened": "whether it happened", "force": "whether it is binding"}
    field = words.get(conflict.field, f"the {conflict.field}")
    values = [f"{value} ({len(ids)} claim{'s' if len(ids) > 1 else ''})" for value, ids in conflict.values]
    return f"Reports differ on {field}: {', '.join(values[:-1])} or {values[-1]}."


def _rivals(values: list[tuple[str, str]], clash: Callable[[int, int], bool]) -> Rivals:
    """Keep the values that clash with another one: (value in words, claim id) pairs -> value -> claim ids."""
    rivals: Rivals = defaultdict(set)
    for one, other in combinations(range(len(values)), 2):
        if clash(one, other):
            for value, claim_id in (values[one], values[other]):
                rivals[value].add(claim_id)
    return dict(rivals) if len(rivals) > 1 else {}


def _dates(claims: list[Claim]) -> Rivals:
    dated = [c for c in claims if c.date is not None and c.date.basis != "publication" and c.type not in CONTINUING]
    spans: list[DateSpan] = [c.date for c in dated if c.date is not None]

    def clash(one: int, other: int) -> bool:
        if _tense(dated[one]) != _tense(dated[other]) or not _tense(dated[one]):
            return False
        stages = {act(c.type, c.trigger) for c in (dated[one], dated[other])} - {""}
        if len(stages) > 1:
            return False
        return spans[one].end < spans[other].start or spans[other].end < spans[one].start

    return _rivals([(c.date.value, c.claim_id) for c in dated if c.date is not None], clash)


def _tense(claim: Claim) -> str:
    return "done" if claim.modality in _DONE else "ahead" if claim.modality in _AHEAD else ""


def _actor_words(claim: Claim) -> dict[str, str]:
    """Return the named actors by id; a government's actor keeps which administration its words name."""
    found = {}
    for p in claim.participants:
        if p.role != "actor" or p.kind is EntityKind.GROUP:
            continue
        named = _ADMINISTRATION.search(p.text)
        if named:
            found[f"{p.entity_id}/{named[1]}"] = f"{named[1]} administration"
        else:
            found[p.entity_id] = p.name
    return found


def _other_actor(one: Claim, other: Claim, families: Families) -> bool:
    some, others = _actor_words(one), _actor_words(other)
    if not some or not others or one.type in _SEVERAL_ACTORS or other.type in _SEVERAL_ACTORS:
        return False
    for a in some:
        for b in others:
            (id_a, _, who_a), (id_b, _, who_b) = a.partition("/"), b.partition("/")
            if families.closeness(id_a, id_b) and not (who_a and who_b and who_a != who_b):
                return False
    return True


def _actors(claims: list[Claim], families: Families) -> Rivals:
    done = [c for c in claims if _tense(c) == "done"]
    values = [(", ".join(sorted(_actor_words(c).values())), c.claim_id) for c in done]
    return _rivals(values, lambda one, other: _other_actor(done[one], done[other], families))


def _amounts(claims: list[Claim]) -> Rivals:
    """Compare the sums of sentences that name exactly one."""
    single: list[tuple[Claim, Amount]] = [(c, found[0]) for c in claims if len(found := amounts(c.evidence.quote)) == 1]
    values = [(amount.said, c.claim_id) for c, amount in single]
    return _rivals(values, lambda one, other: not agree(single[one][1], single[other][1]))


def _forces(claims: list[Claim]) -> Rivals:
    said = [c for c in claims if c.force is not Force.NOT_STATED]
    values = [(c.force.value, c.claim_id) for c in said]
    return _rivals(values, lambda one, other: values[one][0] != values[other][0])


def _happened(claims: list[Claim], articles: Mapping[str, Article]) -> Rivals:
    """An occurred claim clashes with a denial, and with a "did not" that was written after it happened."""
    values = [
        ("it happened" if c.modality is Modality.OCCURRED else f"it did not ({c.modality})", c.claim_id) for c in claims
    ]

    def clash(one: int, other: int) -> bool:
        yes, no = sorted((claims[one], claims[other]), key=lambda c: c.modality is not Modality.OCCURRED)
        if yes.modality is not Modality.OCCURRED or act(yes.type, yes.trigger) != act(no.type, no.trigger):
            return False
        if no.modality is Modality.DENIED:
            return True
        return no.modality is Modality.NEGATED and _written(no, articles) > _happened_by(yes, articles)

    return _rivals(values, clash)


def _written(claim: Claim, articles: Mapping[str, Article]) -> str:
    article = articles.get(claim.evidence.article_id)
    return article.published_at.date().isoformat() if article and article.published_at else ""


def _happened_by(claim: Claim, articles: Mapping[str, Article]) -> str:
    return claim.date.end.isoformat() if claim.date else _written(claim, articles) or "9999"


def _between_events(events: Mapping[str, Iterable[Claim]], families: Families) -> dict[tuple[str, str], Rivals]:
    """Claims that stand in different events because they differ in a field, though they tell of one act.

    One article that credits one thing to two actors; two reports of one day on one party, one of a restriction
    imposed, the other of it lifted. The conflict is kept with the event of the smaller id.
    """
    found: dict[tuple[str, str], Rivals] = {}
    by_thing: dict[tuple, list[tuple[str, Claim]]] = defaultdict(list)
    for event_id in sorted(events):
        for claim in events[event_id]:
            if claim.modality is Modality.OCCURRED:
                for mark in _marks(claim):
                    by_thing[mark].append((event_id, claim))
    for mark, members in by_thing.items():
        for (event_one, one), (event_other, other) in combinations(members, 2):
            if event_one == event_other:
                continue
            field, values = ("actor", {}) if mark[0] == "made" else ("direction", {})
            if field == "actor" and _other_actor(one, other, families):
                values = {", ".join(sorted(_actor_words(c).values())): c.claim_id for c in (one, other)}
            if field == "direction" and one.direction != other.direction:
                values = {str(c.direction): c.claim_id for c in (one, other)}
            if len(values) == 2:
                rivals = found.setdefault((min(event_one, event_other), field), {})
                for value, claim_id in values.items():
                    rivals.setdefault(value, set()).add(claim_id)
    return found


def _marks(claim: Claim) -> Iterable[tuple]:
    named = [p for p in claim.participants if is_named(p)]
    for thing in (p.entity_id for p in named if p.role in ("instrument", "body")):
        yield ("made", claim.type, act(claim.type, claim.trigger), thing, claim.evidence.article_id)
    span = claim.date
    if claim.direction and span is not None and span.basis != "publication" and span.start == span.end:
        actors = tuple(sorted(p.entity_id for p in named if p.role == "actor"))
        for target in (p.entity_id for p in named if p.role == "target"):
            yield ("turned", target, actors, span.value)
