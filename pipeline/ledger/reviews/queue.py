"""Ranks what editors should review: events, claims, unknown names and reopened decisions.

Reopened decisions come first, then entries by uncertainty times the weight of the event: twice its independent origins
plus its articles. Pure; the same ledger gives the same queue.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipeline.aggregation.contradictions.find import FIELD_WORDS
from pipeline.ledger.reviews.decisions import Effect
from pipeline.records import Claim, Contradiction, Event, Modality

REASONS = ("reopened", "happened", "contradicted", "unsure", "name")
# Factors by kind of entry: whether something happened matters more than which of two days it was.
_HAPPENED, _CONTRADICTED, _NAME = 2.0, 1.0, 0.25
_NOT_DONE = {Modality.NEGATED, Modality.DENIED, Modality.CANCELLED, Modality.POSTPONED}
_LONGEST = 300  # characters of a sentence in the queue


@dataclass(frozen=True, slots=True)
class QueueItem:
    """One entry. `subject`: id of a claim, event or decision, or the unknown name."""

    position: int  # from 1
    reason: str  # one of REASONS
    subject: str
    score: float
    event_id: str
    article_id: str
    n_claims: int
    n_articles: int
    n_origins: int
    words: str  # description
    quote: str  # the current sentence, or an example
    was: str  # reopened: the sentence that was decided on


Entry = dict[str, Any]


def item_of(entry: Mapping[str, Any]) -> QueueItem:
    """Return an entry as an item without a position."""
    return QueueItem(**{"position": 0, **_EMPTY, **entry})


def in_order(items: Iterable[QueueItem]) -> list[QueueItem]:
    """Return the queue with positions: reopened decisions in file order, then by score."""
    reopened = [item for item in items if item.reason == "reopened"]
    others = [item for item in items if item.reason != "reopened"]
    others.sort(key=lambda item: (-item.score, REASONS.index(item.reason), item.subject))
    return [replace(item, position=position) for position, item in enumerate([*reopened, *others], 1)]


_EMPTY = {"event_id": "", "article_id": "", "n_claims": 0, "n_articles": 0, "n_origins": 0, "quote": "", "was": ""}


def event_weight(event: Event) -> int:
    """Return the weight of an event: twice its independent origins plus its articles."""
    return 2 * event.n_origins + event.n_articles


def _numbers(event: Event) -> Entry:
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
    """Return the entry of an event whose claims contradict each other; None if editors settled all claims in question.

    `contradictions`: those filed under the event; `marked`: ids of claims that an editor confirmed or changed.
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
    *others, last = [FIELD_WORDS[field] for field in sorted(fields)] or ["how far it got"]
    said = f"{', '.join(others)} and {last}" if others else last
    return {
        "reason": "happened" if happened else "contradicted", "subject": event.event_id, **_numbers(event),
        "score": round((_HAPPENED if happened else _CONTRADICTED) * event_weight(event), 3),
        "words": f"reports disagree on {said}: {event.summary}",
    }  # fmt: skip


def unsure(claim: Claim, event: Event | None) -> Entry:
    """Return the entry of a claim too unsure to support an event.

    `event`: the best supported event of its type and one of its parties.
    """
    parties = "; ".join(f"{p.role} {p.name}" for p in claim.participants)
    return {
        "reason": "unsure", "subject": claim.claim_id, "article_id": claim.evidence.article_id,
        "score": round((1 - claim.confidence) * (event_weight(event) + 3 if event else 3), 3),
        **(_numbers(event) if event else {}),
        "words": f"{claim.type}, {claim.modality.value}? {parties}", "quote": _short(claim.evidence.quote),
    }  # fmt: skip


def unknown_name(name: str, kind: str, articles: Sequence[str], n_carried: int, quote: str, weight: int) -> Entry:
    """Return the entry of an unknown name, weighted by its claims.

    Args:
        name: As written.
        kind: The presumed kind of entity.
        articles: Ids of the articles that have it, in order.
        n_carried: Number of claims that it is a party of.
        quote: Of the first of them, "" for none.
        weight: Sum of the weights of their events.
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
