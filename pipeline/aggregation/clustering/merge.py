"""Merges the claims of one cluster into an Event, taking the best supported value of each field.

An event is "occurred" only if a claim says so. A later, better supported report (postponed, cancelled, denied) takes
precedence over an earlier one; if both remain, the event is contradicted.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC

from pipeline.aggregation.clustering.features import is_named
from pipeline.aggregation.clustering.stages import act_of, stage_of
from pipeline.aggregation.summaries.content import Content, content_of
from pipeline.aggregation.summaries.sentence import summarise
from pipeline.records import Claim, DateSpan, Event, Force, Modality, Participant, event_id
from scrapers.items import Article, Precision

_AGAINST = (Modality.POSTPONED, Modality.CANCELLED, Modality.NEGATED, Modality.DENIED)
# Breaks ties between equally supported, equally late modalities: the more cautious wins.
_CAUTIOUS_FIRST = (
    Modality.DENIED, Modality.NEGATED, Modality.CANCELLED, Modality.POSTPONED, Modality.CONDITIONAL,
    Modality.CONSIDERED, Modality.ALLEGED, Modality.PLANNED, Modality.OCCURRED,
)  # fmt: skip
_FINE_FIRST = (
    Precision.MINUTE, Precision.DAY, Precision.WEEK, Precision.MONTH, Precision.QUARTER, Precision.YEAR,
    Precision.UNKNOWN,
)  # fmt: skip
_BASIS_FIRST = ("stated", "relative", "publication")
_THING_SHARE = 0.15  # of an event's claims: a rarer instrument, object or body is not named in the summary
_MAIN_SHARE = 0.25  # of the claims of the role's best supported party: a rarer party is not named in the summary
Support = Callable[[Iterable[Claim]], int]


def written_on(claim: Claim, articles: Mapping[str, Article]) -> str:
    """Return the publication time of a claim's article as ISO text in UTC, "" where it is unknown."""
    return _moment(articles.get(claim.evidence.article_id))


def _moment(article: Article | None) -> str:
    return article.published_at.astimezone(UTC).isoformat() if article and article.published_at else ""


def anchor(claims: Iterable[Claim], articles: Mapping[str, Article]) -> str:
    """Return the claim id that the event id derives from: the earliest published, then the smallest id."""
    return earliest_claim(((c.claim_id, c.evidence.article_id) for c in claims), articles)


def earliest_claim(claims: Iterable[tuple[str, str]], articles: Mapping[str, Article]) -> str:
    """Return the anchor of (claim id, article id) pairs."""
    return min(claims, key=lambda c: (_moment(articles.get(c[1])) or "9999", c[0]))[0]


def best_modality(
    claims: Sequence[Claim], articles: Mapping[str, Article], origin_of: Mapping[str, str]
) -> tuple[Modality, bool]:
    """Return the best supported modality, and whether claims against it remain.

    Support counts origins, not claims. A single report that it occurred loses to more than twice as many that, at that
    time or later, still treat it as open, planned or not done.

    Args:
        claims: The claims of one event.
        articles: By id.
        origin_of: Claim id -> origin id; a claim without one counts by itself.
    """
    groups = _by_modality(claims)

    def support(members: Iterable[Claim]) -> int:
        return len({origin_of.get(c.claim_id, c.claim_id) for c in members})

    def last(members: Iterable[Claim]) -> str:
        return max(written_on(c, articles)[:10] for c in members)

    occurred = groups.get(Modality.OCCURRED, [])
    against = [claim for modality in _AGAINST for claim in groups.get(modality, [])]
    if occurred:
        later = [c for c in against if written_on(c, articles)[:10] >= last(occurred)]
        if support(later) > support(occurred):
            return _latest(later, articles, support), True
        first = min(written_on(c, articles)[:10] for c in occurred)
        doubtful = [c for c in claims if c not in occurred and written_on(c, articles)[:10] >= first]
        if support(doubtful) > 2 * support(occurred):
            return best_modality([c for c in claims if c not in occurred], articles, origin_of)[0], True
        after = [c for c in against if c.modality is Modality.DENIED or written_on(c, articles)[:10] > first]
        return Modality.OCCURRED, bool(after)
    ahead = [c for c in claims if c.modality not in _AGAINST]
    if against and (not ahead or last(against) >= last(ahead)):
        return _latest(against, articles, support), bool(groups.get(Modality.ALLEGED))
    ranked = sorted({c.modality for c in ahead}, key=lambda m: (-support(groups[m]), _CAUTIOUS_FIRST.index(m)))
    return ranked[0], bool(groups.get(Modality.DENIED) and groups.get(Modality.ALLEGED))


def _by_modality(claims: Iterable[Claim]) -> dict[Modality, list[Claim]]:
    groups: dict[Modality, list[Claim]] = defaultdict(list)
    for claim in claims:
        groups[claim.modality].append(claim)
    return groups


def _latest(claims: Sequence[Claim], articles: Mapping[str, Article], support: Support) -> Modality:
    groups = _by_modality(claims)

    def rank(modality: Modality) -> tuple[str, int, int]:
        days = max(written_on(c, articles)[:10] for c in groups[modality])
        return days, support(groups[modality]), -_CAUTIOUS_FIRST.index(modality)

    return max(groups, key=rank)


def best_date(claims: Sequence[Claim], origin_of: Mapping[str, str]) -> DateSpan | None:
    """Return the date that most origins give, finest precision first; dates of publication come last."""
    spans: dict[tuple, list[Claim]] = defaultdict(list)
    for claim in claims:
        if claim.date is not None:
            spans[claim.date.start, claim.date.end, claim.date.precision].append(claim)
    if not spans:
        return None

    def rank(key: tuple) -> tuple:
        members = spans[key]
        basis = min(_basis(c.date) for c in members if c.date)
        origins = len({origin_of.get(c.claim_id, c.claim_id) for c in members})
        return (basis >= 2, _FINE_FIRST.index(key[2]), -origins, basis, key[0], key[1])

    best = min(spans, key=rank)
    return min((c.date for c in spans[best] if c.date), key=lambda d: (_basis(d), d.said))


def _basis(span: DateSpan) -> int:
    return _BASIS_FIRST.index(span.basis) if span.basis in _BASIS_FIRST else len(_BASIS_FIRST)


def merged_participants(claims: Sequence[Claim]) -> list[tuple[Participant, int]]:
    """Return each (role, entity) once with the number of claims that name it, best supported first within its role.

    A class ("AI companies") is dropped if the role has named members.
    """
    number: Counter[tuple[str, str]] = Counter()
    shown: dict[tuple[str, str], Participant] = {}
    for claim in sorted(claims, key=lambda c: c.claim_id):
        for key, participant in {(p.role, p.entity_id): p for p in claim.participants}.items():
            number[key] += 1
            shown.setdefault(key, Participant(key[0], key[1], participant.name, participant.kind))
    named_roles = {p.role for p in shown.values() if is_named(p)}
    kept = [key for key, p in shown.items() if is_named(p) or p.role not in named_roles]
    kept.sort(key=lambda key: (key[0], -number[key], shown[key].name, key[1]))
    return [(shown[key], number[key]) for key in kept]


def main_participants(merged: Sequence[tuple[Participant, int]], n_claims: int) -> list[Participant]:
    """Return the participants that the summary names: well supported parties, one instrument, object and body.

    A thing that few of the `n_claims` mention is left out, unless it is a named instrument or body.
    """
    most: dict[str, int] = {}
    taken: Counter[str] = Counter()
    chosen = []
    for participant, n in merged:
        top = most.setdefault(participant.role, n)
        alone = participant.role in ("instrument", "object", "body")
        enough = _THING_SHARE * n_claims if alone else _MAIN_SHARE * top
        if participant.role in ("instrument", "body") and is_named(participant):
            enough = 0
        if n >= enough and not (alone and taken[participant.role]):
            taken[participant.role] += 1
            chosen.append(participant)
    return chosen


def _force(claims: Iterable[Claim]) -> Force:
    """Return the force that most claims state; NOT_STATED on a tie."""
    found = Counter(claim.force for claim in claims if claim.force is not Force.NOT_STATED).most_common(2)
    if not found or len(found) > 1 and found[0][1] == found[1][1]:
        return Force.NOT_STATED
    return found[0][0]


def make_event(
    claims: Sequence[Claim],
    articles: Mapping[str, Article],
    origin_of: Mapping[str, str],
    *,
    in_contradiction: bool = False,
    jurisdiction_of: Mapping[str, str] | None = None,
) -> Event:
    """Return the event that a cluster of claims reports. `jurisdiction_of`: entity id -> jurisdiction."""
    claims = sorted(claims, key=lambda c: (written_on(c, articles) or "9999", c.claim_id))
    modality, contradicted = best_modality(claims, articles, origin_of)
    bearing = [c for c in claims if c.modality is modality]
    merged = merged_participants(bearing)
    known = {(p.role, p.entity_id) for p, _ in merged}
    roles = {p.role for p, _ in merged}
    everybody = merged_participants(claims)
    # Parties named only by claims of another modality belong to the event; in the summary they fill empty roles.
    filled = merged + [(p, n) for p, n in everybody if p.role not in roles]
    participants = tuple(p for p, _ in merged) + tuple(
        p for p, _ in everybody if (p.role, p.entity_id) not in known
    )  # fmt: skip
    main = main_participants(filled, len(bearing))
    acts = Counter(found for c in bearing if (found := act_of(c)))
    act_ = min(acts, key=lambda a: (-acts[a], a)) if acts else ""
    direction = next((c.direction for c in bearing if c.direction), None)
    return Event(
        event_id=event_id(anchor(claims, articles)),
        type=claims[0].type,
        modality=modality,
        summary=summarise(
            claims[0].type,
            modality,
            main,
            act=act_,
            direction=direction,
            attributions=[c.attribution for c in bearing],
            content=_content(bearing, main),
            sentences=[c.evidence.quote for c in bearing],
        ),
        claim_ids=tuple(c.claim_id for c in claims),
        participants=participants,
        date=best_date(bearing, origin_of) or (best_date(claims, origin_of) if modality is Modality.OCCURRED else None),
        direction=direction,
        force=_force(claims),
        stage=stage_of(claims[0].type, act_, modality, direction),
        n_articles=len({c.evidence.article_id for c in claims}),
        # Only claims of the event's modality confirm it: a plan or a denial does not.
        n_origins=len({origin_of.get(c.claim_id, c.claim_id) for c in bearing}),
        contradicted=contradicted or in_contradiction,
        jurisdiction=_jurisdiction(participants, jurisdiction_of or {}),
    )


def _content(bearing: Sequence[Claim], main: Sequence[Participant]) -> Content:
    """Return what the quotes of the supporting claims say beyond the participants."""
    found = content_of(bearing, [(p.role, p.entity_id) for p in main if p.role in ("actor", "target")])
    titled = any(p.role == "instrument" and is_named(p) for p in main)
    return replace(found, which="") if titled else found


def _jurisdiction(participants: Sequence[Participant], of: Mapping[str, str]) -> str:
    """Return the jurisdiction of the actor, else that of the instrument, target or body."""
    for role in ("actor", "instrument", "target", "body"):
        for participant in participants:
            if participant.role == role and of.get(participant.entity_id):
                return of[participant.entity_id]
    return ""
