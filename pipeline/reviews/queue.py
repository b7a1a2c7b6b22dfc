"""What an editor should look at first: a joined ledger and what became of the decisions come in, a queue goes out.

Its order is by what a decision would change: reopened decisions first; then doubt times reach, where the reach of an
event is its independent origins counted twice and its articles once. Pure; the same ledger gives the same queue.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pipeline.joining import Joined
from pipeline.records import Claim, Event, Findings, Modality
from pipeline.reviews.decisions import REOPENED, Effect, Reviewed
from pipeline.reviews.names import key

REASONS = ("reopened", "happened", "contested", "unsure", "name")
# What a decision of each sort weighs beside its reach: whether it happened stands above which of two days it was.
_HAPPENED, _CONTESTED, _NAME = 2.0, 1.0, 0.25
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


def make_queue(reviewed: Reviewed, joined: Joined, min_confidence: float) -> tuple[QueueItem, ...]:
    """Return all that awaits an editor, the most important first."""
    events = {event.event_id: event for event in joined.events}
    entries = [
        *_disputes(reviewed, joined, events),
        *_unsure(reviewed, joined, events, min_confidence),
        *_names(reviewed.findings, joined, events),
    ]
    entries.sort(key=lambda entry: (-entry["score"], REASONS.index(entry["reason"]), entry["subject"]))
    entries = [_reopened(effect) for effect in reviewed.effects if effect.status == REOPENED] + entries
    return tuple(QueueItem(position, **{**_EMPTY, **entry}) for position, entry in enumerate(entries, 1))


_EMPTY = {"event_id": "", "article_id": "", "n_claims": 0, "n_articles": 0, "n_origins": 0, "quote": "", "was": ""}


def reach(event: Event) -> int:
    """Return how much stands behind an event: its independent origins twice, its articles once."""
    return 2 * event.n_origins + event.n_articles


def _numbers(event: Event) -> dict[str, object]:
    return {
        "event_id": event.event_id, "n_claims": len(event.claim_ids), "n_articles": event.n_articles,
        "n_origins": event.n_origins,
    }  # fmt: skip


def _reopened(effect: Effect) -> dict[str, object]:
    decision = effect.decision
    sentence = next(iter((*decision.sentences, *decision.stays)), None)
    return {
        "reason": "reopened", "subject": decision.review_id, "score": 0.0,
        "article_id": sentence.article_id if sentence else "", "quote": _short(effect.new_wording),
        "was": _short(sentence.quote if sentence else ""),
        "words": f"decision of {decision.day} to {decision.action}: {effect.detail}",
    }  # fmt: skip


def _disputes(reviewed: Reviewed, joined: Joined, events: Mapping[str, Event]) -> Iterable[dict[str, object]]:
    """Yield the events whose claims disagree, unless an editor has confirmed or changed every claim in question."""
    fields: dict[str, set[str]] = defaultdict(set)
    asked: dict[str, set[str]] = defaultdict(set)
    for conflict in joined.conflicts:
        fields[conflict.event_id].add(conflict.field)
        asked[conflict.event_id].update(id_ for _, ids in conflict.values for id_ in ids)
    for id_, event in events.items():
        claims = [joined.claims[c] for c in event.claim_ids]
        done = {c.claim_id for c in claims if c.modality is Modality.OCCURRED}
        against = {c.claim_id for c in claims if c.modality in _NOT_DONE}
        if done and against and (event.contested or "happened" in fields[id_]):
            fields[id_].add("happened")
            asked[id_] |= done | against
        if not (event.contested or fields[id_]):
            continue
        asked[id_] = asked[id_] or set(event.claim_ids)
        if asked[id_] <= set(reviewed.marks):
            continue
        happened = "happened" in fields[id_]
        said = " and ".join(sorted(fields[id_])) or "how far it came"
        yield {
            "reason": "happened" if happened else "contested", "subject": id_, **_numbers(event),
            "score": round((_HAPPENED if happened else _CONTESTED) * reach(event), 3),
            "words": f"reports disagree on {said}: {event.summary}",
        }  # fmt: skip


def _unsure(
    reviewed: Reviewed, joined: Joined, events: Mapping[str, Event], min_confidence: float
) -> Iterable[dict[str, object]]:
    """Yield the claims that are too unsure to stand in an event, weighed by the event that they may belong to."""
    near = _nearest_events(joined, events)
    for found in reviewed.findings:
        for claim in found.claims:
            if claim.confidence >= min_confidence or claim.claim_id in joined.claim_event:
                continue
            keys = [(claim.type, p.entity_id) for p in claim.participants]
            event = max((near[k] for k in keys if k in near), key=lambda e: (reach(e), e.event_id), default=None)
            parties = "; ".join(f"{p.role} {p.name}" for p in claim.participants)
            yield {
                "reason": "unsure", "subject": claim.claim_id, "article_id": found.article_id,
                "score": round((1 - claim.confidence) * (reach(event) + 3 if event else 3), 3),
                **(_numbers(event) if event else {}),
                "words": f"{claim.type}, {claim.modality.value}? {parties}", "quote": _short(claim.evidence.quote),
            }  # fmt: skip


def _nearest_events(joined: Joined, events: Mapping[str, Event]) -> dict[tuple[str, str], Event]:
    """Return for each type and party the event of greatest reach."""
    near: dict[tuple[str, str], Event] = {}
    for event in events.values():
        for party in event.participants:
            at = (event.type, party.entity_id)
            if at not in near or (reach(event), event.event_id) > (reach(near[at]), near[at].event_id):
                near[at] = event
    return near


def _names(findings: Iterable[Findings], joined: Joined, events: Mapping[str, Event]) -> Iterable[dict[str, object]]:
    """Yield the names that neither the lexicon nor an editor knows, by the claims that they carry."""
    gaps: dict[str, list[Findings]] = defaultdict(list)
    shown: dict[str, tuple[str, str]] = {}
    claims: dict[str, list[Claim]] = defaultdict(list)
    for found in findings:
        for gap in found.gaps:
            gaps[key(gap.name)].append(found)
            shown.setdefault(key(gap.name), (gap.name, gap.kind.value))
        for claim in found.claims:
            for name in {key(p.name) for p in claim.participants if p.entity_id.startswith("x-")}:
                claims[name].append(claim)
    for name, pages in gaps.items():
        carried = claims[name]
        behind = {joined.claim_event[c.claim_id] for c in carried if c.claim_id in joined.claim_event}
        weight = sum(reach(events[id_]) for id_ in behind)
        text, kind = shown[name]
        yield {
            "reason": "name", "subject": text, "score": round(_NAME * (len(carried) + weight), 3),
            "article_id": pages[0].article_id, "n_claims": len(carried),
            "n_articles": len({found.article_id for found in pages}),
            "words": f"a name that the lexicon does not know; it looks like {_a(kind)}",
            "quote": _short(carried[0].evidence.quote) if carried else "",
        }  # fmt: skip


def _a(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeio" else f"a {kind}"


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1].rsplit(" ", 1)[0] + "…"
