"""Turns the editors' merges and splits into pairs of claims to join or keep apart.

Later decisions take precedence; an earlier one that contradicts them has no effect.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from pipeline.ledger.reviews.decisions import APPLIED, REOPENED, REPLACED, WAITING, Decision, Effect, Sentence


@dataclass(frozen=True, slots=True)
class Found:
    """The claim of a sentence of a decision, or None with a status, the reason and the new wording."""

    claim_id: str | None
    status: str = APPLIED
    detail: str = ""
    wording: str = ""


@dataclass(frozen=True, slots=True)
class Linked:
    """The pairs of claim ids that decisions ask for, and the effect of each decision."""

    effects: tuple[Effect, ...]
    together: tuple[tuple[str, str], ...]
    apart: tuple[tuple[str, str], ...]


class _Constraints:
    """Pairs that do not contradict each other: groups that are one event, and pairs that are not."""

    def __init__(self) -> None:
        self.above: dict[str, str] = {}
        self.together: list[tuple[str, str]] = []
        self.apart: list[tuple[str, str]] = []

    def group(self, id_: str) -> str:
        while id_ in self.above:
            id_ = self.above[id_]
        return id_

    def join(self, one: str, other: str) -> bool:
        """Join two claims; return False if a later decision keeps their groups apart."""
        a, b = sorted((self.group(one), self.group(other)))
        if any({self.group(x), self.group(y)} == {a, b} for x, y in self.apart):
            return False
        self.together.append((one, other))
        if a != b:
            self.above[b] = a
        return True

    def keep_apart(self, one: str, other: str) -> bool:
        """Keep two claims apart; return False if a later decision joined them."""
        if self.group(one) == self.group(other):
            return False
        self.apart.append((one, other))
        return True


def link(decisions: Iterable[Decision], find: Callable[[Sentence], Found]) -> Linked:
    """Return the pairs that merges and splits ask for. `find`: sentence -> its claim."""
    constraints = _Constraints()
    chosen = sorted((d for d in decisions if d.action in ("merge", "split")), key=lambda d: d.order, reverse=True)
    effects = [_one(decision, find, constraints) for decision in chosen]
    return Linked(tuple(effects), tuple(constraints.together), tuple(constraints.apart))


def _one(decision: Decision, find: Callable[[Sentence], Found], constraints: _Constraints) -> Effect:
    found = [find(sentence) for sentence in decision.sentences]
    stay = [find(sentence) for sentence in decision.stays]
    ids = list(dict.fromkeys(f.claim_id for f in found if f.claim_id))
    rest = [f.claim_id for f in stay if f.claim_id and f.claim_id not in ids]
    lost = [f for f in (*found, *stay) if not f.claim_id]
    if len(ids) < 2 and decision.action == "merge" or decision.action == "split" and not (ids and rest):
        worst = next((f for f in lost if f.status == REOPENED), None) or next(iter(lost), Found(None))
        return Effect(
            decision, REOPENED if worst.status == REOPENED else WAITING,
            worst.detail or "all its sentences have the same claim", tuple(ids), new_wording=worst.wording,
        )  # fmt: skip
    if decision.action == "merge":
        done = [constraints.join(ids[0], other) for other in ids[1:]]
        said = f"{len(ids)} claims put into one event"
    else:
        done = [constraints.keep_apart(one, other) for one in ids for other in rest]
        done += [constraints.join(ids[0], other) for other in ids[1:]]
        said = f"{'1 claim' if len(ids) == 1 else f'{len(ids)} claims'} put into an event of their own"
    if not any(done):
        return Effect(decision, REPLACED, "a later decision on these claims says otherwise", tuple(ids))
    if not all(done):
        said += ", except where a later decision says otherwise"
    if lost:
        said += f"; {len(lost)} of its sentences were not found: {lost[0].detail}"
    return Effect(decision, APPLIED, said, tuple(ids))


def kept(effects: Iterable[Effect], claim_event: Mapping[str, str]) -> tuple[Effect, ...]:
    """Return the effects after clustering: a merge that other decisions prevented is waiting."""
    checked = []
    for effect in effects:
        events = {claim_event[id_] for id_ in effect.claim_ids if id_ in claim_event}
        if effect.decision.action == "merge" and effect.status == APPLIED and len(events) > 1:
            said = "other decisions keep claims of these events apart"
            effect = replace(effect, status=WAITING, detail=said)
        checked.append(effect)
    return tuple(checked)
