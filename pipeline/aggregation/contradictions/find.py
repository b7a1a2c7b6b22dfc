"""Finds contradictions: values of one field that cannot all be true, with the claims behind each.

Compares the claims of each event field by field (see compare.py). Also finds claims in two different events that
disagree: a denial and the report that it denies, a restriction imposed and lifted on one day, one thing credited to two
administrations. Takes no side.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import combinations

from pipeline.aggregation.clustering.features import is_named
from pipeline.aggregation.contradictions.administrations import Terms, find_credited_twice
from pipeline.aggregation.contradictions.administrations import in_words as administration_of
from pipeline.aggregation.contradictions.compare import (
    Grounds,
    actors_contradict,
    dates_contradict,
    denies_elsewhere,
    force_said,
    forces_contradict,
    occurrence_contradicts,
    same_article,
    says_force,
    sum_of,
    sums_contradict,
)
from pipeline.lexicon.entity_graph import EntityGraph
from pipeline.records import Claim, Contradiction, EntityKind, Force, Modality, digest
from scrapers.items import Article

FIELDS = ("date", "actor", "amount", "force", "happened", "direction")
MOST_COMPARED = 400  # maximum number of claims compared in one event
_CALLED = re.compile(
    r"\b(?:the|this|that|our|its|their)\s+(?:[\w-]+\s+){0,2}?"
    r"(?:agreement|accord|deal|pact|memorandum|commitment|commitments|pledge|arrangement|arrangements|code)\s+"
    r"(?:is|are|was|were|remains?)\s+(?:\w+\s+){0,2}?(?:(?:legally\s+)?(?:non-?)?binding|voluntary)\b",
    re.I,
)
_FORCE_WORDS = {"agreement", "commitment"}  # types whose force a text states separately
FIELD_WORDS = {  # field of a contradiction -> what reports differ on
    "date": "the date", "actor": "who acted", "amount": "the amount", "force": "whether it is binding",
    "happened": "whether it happened", "direction": "whether it was imposed or lifted",
}  # fmt: skip


@dataclass
class _OtherValues:
    """The contradicting values of one field of one event. `notes`: sentences that add to the values."""

    values: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    notes: set[str] = field(default_factory=set)

    def add(self, *pairs: tuple[str, Claim]) -> None:
        for value, claim in pairs:
            self.values[value].add(claim.claim_id)


def find_contradictions(
    events: Mapping[str, Iterable[Claim]],
    articles: Mapping[str, Article],
    entity_graph: EntityGraph | None = None,
    *,
    near_duplicates: Mapping[str, str] | None = None,
    terms: Terms | None = None,
    of: Collection[str] | None = None,
) -> tuple[Contradiction, ...]:
    """Return the contradictions in order of event and field. Pure; the order of the input makes no difference.

    Args:
        events: Event id -> its claims.
        articles: By id.
        entity_graph: Which entity belongs to which.
        near_duplicates: Article id -> smallest id of its group of near-duplicates, which count as one report.
        terms: Terms of office of heads of government, see administrations.terms_of.
        of: Return only the contradictions filed under these events. `events` then needs these events and, of the
            others, only claims among the first MOST_COMPARED that share a party, day or article with one of theirs.
            A contradiction between two events is filed under one of them.
    """
    grounds = Grounds(articles, entity_graph or EntityGraph(), near_duplicates or {})
    found: dict[tuple[str, str], _OtherValues] = defaultdict(_OtherValues)
    ordered = {id_: sorted(events[id_], key=lambda c: c.claim_id)[:MOST_COMPARED] for id_ in sorted(events)}
    wanted = ordered.keys() if of is None else frozenset(of)
    for event_id, claims in ordered.items():
        if event_id in wanted:
            _inside(event_id, claims, grounds, found)
    _denied_elsewhere(ordered, grounds, found, wanted)
    _reversed(ordered, grounds, found, wanted)
    _credited_twice(ordered, articles, terms or {}, found)
    by_id = {c.claim_id: c for claims in ordered.values() for c in claims}
    return tuple(
        _contradiction(event_id, name, others, by_id)
        for (event_id, name), others in sorted(found.items(), key=lambda item: item[0])
        if len(others.values) > 1 and event_id in wanted
    )


def _contradiction(event_id: str, name: str, others: _OtherValues, claims: Mapping[str, Claim]) -> Contradiction:
    values = tuple((value, tuple(sorted(ids))) for value, ids in sorted(others.values.items()))
    within = {claims[id_].evidence.article_id for _, ids in values for id_ in ids}
    return Contradiction(
        f"k{digest(event_id, name)}", event_id, name, values,
        article_id=within.pop() if len(within) == 1 else "", note=" ".join(sorted(others.notes)),
    )  # fmt: skip


def in_words(contradiction: Contradiction) -> str:
    """Describe a contradiction: "Reports differ on the date: 2026-05-05 (2 claims) or 2026-05-07 (1 claim)."."""
    who = "One article contradicts itself" if contradiction.article_id else "Reports differ"
    values = [f"{value} ({len(ids)} claim{'s' if len(ids) > 1 else ''})" for value, ids in contradiction.values]
    about = f"{who} on {FIELD_WORDS[contradiction.field]}: {', '.join(values[:-1])} or {values[-1]}."
    return f"{about} {contradiction.note}".strip()


def _inside(event_id: str, claims: list[Claim], grounds: Grounds, found: dict[tuple[str, str], _OtherValues]) -> None:
    """Compare the claims of one event, field by field."""
    forces, notes = _forces(claims, grounds)
    said: dict[str, Callable[[Claim], str]] = {
        "date": lambda c: c.date.value if c.date and c.date.basis != "publication" else "",
        "actor": lambda c: ", ".join(sorted(_actor_words(c).values())),
        "amount": lambda c: amount.said if (amount := sum_of(c)) else "",
        "force": lambda c: "" if forces[c.claim_id] is Force.NOT_STATED else forces[c.claim_id].value,
        "happened": _occurrence,
    }
    contradicts: dict[str, Callable[[Claim, Claim], bool]] = {
        "date": lambda a, b: dates_contradict(a, b, grounds),
        "actor": lambda a, b: actors_contradict(a, b, grounds),
        "amount": lambda a, b: sums_contradict(a, b, grounds),
        "force": lambda a, b: forces_contradict(a, b, (forces[a.claim_id], forces[b.claim_id]), grounds),
        "happened": lambda a, b: occurrence_contradicts(a, b, grounds),
    }
    for name, value in said.items():
        with_value = [(words, claim) for claim in claims if (words := value(claim))]
        for (words, one), (other_words, other) in combinations(with_value, 2):
            if words != other_words and not grounds.one_report(one, other) and contradicts[name](one, other):
                found[event_id, name].add((words, one), (other_words, other))
                if name == "force":
                    found[event_id, name].notes.update(notes[c.claim_id] for c in (one, other) if c.claim_id in notes)


def _actor_words(claim: Claim) -> dict[str, str]:
    return {
        p.entity_id: p.name for p in claim.participants if p.role == "actor" and p.kind is not EntityKind.GROUP
    }  # fmt: skip


def _occurrence(claim: Claim) -> str:
    if claim.modality is Modality.OCCURRED:
        return "it happened"
    if claim.modality is Modality.ALLEGED:
        return "it happened (alleged)"
    return f"it did not ({claim.modality})" if claim.modality in (Modality.DENIED, Modality.NEGATED) else ""


def _forces(claims: list[Claim], grounds: Grounds) -> tuple[dict[str, Force], dict[str, str]]:
    """Return the stated force of each claim, and the sentence that states it if that is another one.

    "The agreement is voluntary" further down applies to the claims on the one agreement that an article reports.
    """
    forces = {c.claim_id: force_said(c) for c in claims}
    notes: dict[str, str] = {}
    for claim in claims:
        if claim.type not in _FORCE_WORDS or forces[claim.claim_id] is not Force.NOT_STATED:
            continue
        article = grounds.articles.get(claim.evidence.article_id)
        if article is None or not ("binding" in article.text or "voluntary" in article.text):
            continue
        called = {m[0]: says_force(m[0]) for m in _CALLED.finditer(article.text)}
        if len(set(called.values())) == 1 and claim.modality is Modality.OCCURRED:
            words, force = next(iter(called.items()))
            forces[claim.claim_id] = force
            notes[claim.claim_id] = f"Further on, the report of {article.publisher or 'one publisher'} says: “{words}”."
    return forces, notes


def _denied_elsewhere(
    events: Mapping[str, list[Claim]],
    grounds: Grounds,
    found: dict[tuple[str, str], _OtherValues],
    wanted: Collection[str],
) -> None:
    """Add denials that form an event of their own; filed under the event that they deny."""
    by_party: dict[tuple[str, str], list[tuple[str, Claim]]] = defaultdict(list)
    for event_id, claims in events.items():
        for claim in claims:
            for mark in occurrence_marks(claim):
                by_party[mark].append((event_id, claim))
    for members in by_party.values():
        denials = [one for one in members if one[1].modality is Modality.DENIED]
        reports = [one for one in members if one[0] in wanted and one[1].modality is not Modality.DENIED]
        for event_no, no in denials:
            for event_yes, yes in reports:
                if event_no == event_yes or grounds.one_report(no, yes):
                    continue
                if denies_elsewhere(yes, no, grounds):
                    found[event_yes, "happened"].add((_occurrence(yes), yes), (_occurrence(no), no))


def occurrence_marks(claim: Claim) -> set[tuple[str, str]]:
    """Return (type, actor) for each named actor of a claim that reports or denies an occurrence."""
    if not _occurrence(claim) or claim.modality is Modality.NEGATED:
        return set()
    return {(claim.type, p.entity_id) for p in claim.participants if p.role == "actor" and is_named(p)}


def _reversed(
    events: Mapping[str, list[Claim]],
    grounds: Grounds,
    found: dict[tuple[str, str], _OtherValues],
    wanted: Collection[str],
) -> None:
    """Add restrictions that one article reports imposed and another lifted: same day, actor and target."""
    by_mark: dict[tuple, list[tuple[str, Claim]]] = defaultdict(list)
    for event_id, claims in events.items():
        for claim in claims:
            for mark in reversal_marks(claim):
                by_mark[mark].append((event_id, claim))
    for members in by_mark.values():
        reported: dict[str, set[str | None]] = defaultdict(set)
        for _, claim in members:
            reported[claim.evidence.article_id].add(claim.direction)
        for (event_one, one), (event_other, other) in combinations(members, 2):
            event_id = min(event_one, event_other)
            if event_id not in wanted or one.direction == other.direction or same_article(one, other):
                continue
            if any(len(reported[c.evidence.article_id]) > 1 for c in (one, other)) or grounds.one_report(one, other):
                continue
            found[event_id, "direction"].add((str(one.direction), one), (str(other.direction), other))


def reversal_marks(claim: Claim) -> Iterable[tuple]:
    """Yield (target, actors, day) of a restriction imposed or lifted on a stated day."""
    span = claim.date
    if not claim.direction or claim.modality is not Modality.OCCURRED or span is None:
        return
    if span.basis != "publication" and span.start == span.end:
        named = [p for p in claim.participants if is_named(p)]
        actors = tuple(sorted(p.entity_id for p in named if p.role == "actor"))
        for target in {p.entity_id for p in named if p.role == "target"}:
            yield (target, actors, span.value)


def _credited_twice(
    events: Mapping[str, list[Claim]],
    articles: Mapping[str, Article],
    terms: Terms,
    found: dict[tuple[str, str], _OtherValues],
) -> None:
    event_of = {claim.claim_id: event_id for event_id, claims in events.items() for claim in claims}
    every = [claim for claims in events.values() for claim in claims]
    for twice in find_credited_twice(every, articles, terms):
        event_id = min(event_of[twice.one.claim_id], event_of[twice.other.claim_id])
        others = found[event_id, "actor"]
        others.add(
            (administration_of(twice.one, terms), twice.one), (administration_of(twice.other, terms), twice.other)
        )
        others.notes.add(f"Both are said of one thing: {twice.thing}.")
