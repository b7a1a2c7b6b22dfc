"""What an editor should look at first: events, claims, names and decisions come in, entries of a queue go out.

Its order is by what a decision would change: reopened decisions first; then doubt times reach, where the reach of an
event is its independent origins counted twice and its articles once. Pure; the same ledger gives the same queue.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from pipeline.ledger.reviews.decisions import Effect
from pipeline.records import Claim, Contradiction, Event, Modality

REASONS = ("reopened", "happened", "contradicted", "unsure", "name")
# What a decision of each sort weighs beside its reach: whether it happened stands above which of two days it was.
_HAPPENED, _CONTRADICTED, _NAME = 2.0, 1.0, 0.25
_NOT_DONE = {Modality.NEGATED, Modality.DENIED, Modality.CANCELLED, Modality.POSTPONED}
_LONGEST = 300  # characters of a sentence in the queue


@dataclass(frozen=True, slots=True)
class QueueItem:
    """One thing to look at. `subject`: the id of a claim, event or decision, or the unknown name."""

    position: int  # from 1
    reason: str  # one of REASONS
    subject: str
    score: float
    event_id: str
    article_id: str
    n_claims: int
    n_articles: int
    n_origins: int
    words: str  # what it is about
    quote: str  # the sentence as it stands now, or an example
    was: str  # reopened: the sentence that was decided on


Entry = dict[str, object]


def item_of(entry: Mapping[str, object]) -> QueueItem:
    """Return an entry as an item of the queue that has no place yet."""
    return QueueItem(**{"position": 0, **_EMPTY, **entry})


def in_order(items: Iterable[QueueItem]) -> list[QueueItem]:
    """Return the queue with its positions: what was reopened, in the order of the file; then the most important."""
    reopened = [item for item in items if item.reason == "reopened"]
    others = [item for item in items if item.reason != "reopened"]
    others.sort(key=lambda item: (-item.score, REASONS.index(item.reason), item.subject))
    return [replace(item, position=position) for position, item in enumerate([*reopened, *others], 1)]


_EMPTY = {"event_id": "", "article_id": "", "n_claims": 0, "n_articles": 0, "n_origins": 0, "quote": "", "was": ""}


def event_weight(event: Event) -> int:
    """Return how much stands behind an event: its independent origins twice, its articles once."""
    return 2 * event.n_origins + event.n_articles


def _numbers(event: Event) -> dict[str, object]:
    return {
        "event_id": event.event_id, "n_claims": len(event.claim_ids), "n_articles": event.n_articles,
        "n_origins": event.n_origins,
    }  # fmt: skip


def reopened(effect: Effect) -> Entry:
    """Return the entry of a decision whose sentence has changed."""
    decision = effect.decision
    sentence = next(iter((*decision.sentences, *decision.stays)), None)
    return {
        "reason": "reopened", "subject": decision.review_id, "score": 0.0,
        "article_id": sentence.article_id if sentence else "", "quote": _short(effect.new_wording),
        "was": _short(sentence.quote if sentence else ""),
        "words": f"decision of {decision.day} to {decision.action}: {effect.detail}",
    }  # fmt: skip


def contradicted(
    event: Event, claims: Iterable[Claim], contradictions: Iterable[Contradiction], marked: Container[str]
) -> Entry | None:
    """Return the entry of an event whose claims disagree, unless an editor has settled every claim in question.

    `contradictions`: those kept with the event. `marked`: ids of claims that an editor has confirmed or changed.
    """
    fields: set[str] = set()
    asked: set[str] = set()
    for contradiction in contradictions:
        fields.add(contradiction.field)
        asked.update(id_ for _, ids in contradiction.values for id_ in ids)
    claims = list(claims)
    done = {c.claim_id for c in claims if c.modality is Modality.OCCURRED}
    against = {c.claim_id for c in claims if c.modality in _NOT_DONE}
    if done and against and (event.contradicted or "happened" in fields):
        fields.add("happened")
        asked |= done | against
    if not (event.contradicted or fields):
        return None
    asked = asked or set(event.claim_ids)
    if all(id_ in marked for id_ in asked):
        return None
    happened = "happened" in fields
    said = " and ".join(sorted(fields)) or "how far it came"
    return {
        "reason": "happened" if happened else "contradicted", "subject": event.event_id, **_numbers(event),
        "score": round((_HAPPENED if happened else _CONTRADICTED) * event_weight(event), 3),
        "words": f"reports disagree on {said}: {event.summary}",
    }  # fmt: skip


def unsure(claim: Claim, event: Event | None) -> Entry:
    """Return the entry of a claim that is too unsure to stand in an event, weighed by the one it may belong to.

    `event`: of its type and one of its parties, the one of greatest reach.
    """
    parties = "; ".join(f"{p.role} {p.name}" for p in claim.participants)
    return {
        "reason": "unsure", "subject": claim.claim_id, "article_id": claim.evidence.article_id,
        "score": round((1 - claim.confidence) * (event_weight(event) + 3 if event else 3), 3),
        **(_numbers(event) if event else {}),
        "words": f"{claim.type}, {claim.modality.value}? {parties}", "quote": _short(claim.evidence.quote),
    }  # fmt: skip


def unknown_name(name: str, kind: str, articles: Sequence[str], n_carried: int, quote: str, weight: int) -> Entry:
    """Return the entry of a name that neither the lexicon nor an editor knows, by the claims that it carries.

    `articles`: the ids of those that have it, in order; `n_carried`: the claims that it is a party of; `quote`: of the
    first of them, "" where there is none; `weight`: the reach of their events, summed.
    """
    return {
        "reason": "name", "subject": name, "score": round(_NAME * (n_carried + weight), 3),
        "article_id": articles[0], "n_claims": n_carried, "n_articles": len(set(articles)),
        "words": f"a name that the lexicon does not know; it looks like {_a(kind)}", "quote": _short(quote),
    }  # fmt: skip


def _a(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeio" else f"a {kind}"


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1].rsplit(" ", 1)[0] + "…"
