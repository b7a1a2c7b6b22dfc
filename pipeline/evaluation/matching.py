"""Matches the predicted claims of a document with the annotated ones.

A predicted claim hits an annotated one of the same type if they overlap by more than half of the shorter sentence. The
matching is one to one: required annotations before optional ones, then by shared participants. Claims in ignored lines
are left out, and claims that match an optional annotation count neither way.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_DROPPED = frozenset({"the", "inc", "llc", "corp", "ltd"})
Pairs = list[tuple[int, int]]  # indices of an annotated and of a predicted claim


@dataclass(frozen=True, slots=True)
class Match:
    """The matched claims of one document.

    Attributes:
        wanted: The annotated claims.
        found: The predicted claims outside ignored lines.
        spans: The offsets of the wanted and of the found claims.
        hits: Pairs of indices with a required annotation.
        free: Indices of found claims that match an optional annotation.
        any_type: Pairs of indices matched by sentence alone.
    """

    wanted: Sequence[dict[str, Any]]
    found: Sequence[dict[str, Any]]
    spans: tuple[list[tuple[int, int]], list[tuple[int, int]]]
    hits: Pairs
    free: frozenset[int]
    any_type: Pairs

    def is_right(self, index: int) -> bool:
        """Return whether a found claim is correct: it matches a required or an optional annotation."""
        return index in self.free or any(index == j for _, j in self.hits)


def match(text: str, gold: dict[str, Any], predicted: dict[str, Any]) -> Match:
    """Match the predicted claims of a text with the annotated ones; both are in the format of docs/claims.md."""
    wanted = gold["claims"]
    ignored = [m.span() for line in gold.get("ignore", []) if line.strip() for m in re.finditer(re.escape(line), text)]
    ignored += [tuple(span) for span in gold.get("ignore_spans", [])]
    found = [c for c in predicted.get("claims", []) if not any(overlap(span_of(text, c), span) for span in ignored)]
    spans = [span_of(text, c) for c in wanted], [span_of(text, c) for c in found]
    pairs = _pair(wanted, found, spans, typed=True)
    hits = [(i, j) for i, j in pairs if not wanted[i].get("optional")]
    paired = {j for _, j in pairs}
    free = {j for i, j in pairs if wanted[i].get("optional")} | {
        j
        for j, claim in enumerate(found)
        if j not in paired
        and any(
            one.get("optional") and one["type"] == claim.get("type") and overlap(spans[0][i], spans[1][j])
            for i, one in enumerate(wanted)
        )
    }
    return Match(wanted, found, spans, hits, frozenset(free), _pair(wanted, found, spans, typed=False))


def span_of(text: str, claim: dict[str, Any]) -> tuple[int, int]:
    if "start" in claim and "end" in claim:
        return claim["start"], claim["end"]
    quote = claim.get("quote") or ""
    starts = [match.start() for match in re.finditer(f"(?={re.escape(quote)})", text)] if quote else []
    nth = int(claim.get("nth") or 1)
    return (starts[nth - 1], starts[nth - 1] + len(quote)) if 0 < nth <= len(starts) else (-1, -1)


def overlap(one: tuple[int, int], other: tuple[int, int]) -> bool:
    shorter = min(one[1] - one[0], other[1] - other[0])
    return shorter > 0 and 2 * (min(one[1], other[1]) - max(one[0], other[0])) > shorter


def plain_name(name: str | None) -> str:
    """Return a name for comparison: without case, punctuation, articles and legal suffixes; "U.S." becomes "us"."""
    words = re.sub(r"[^\w ]+", " ", (name or "").casefold().replace("u.s.", "us")).split()
    return " ".join(word for word in words if word not in _DROPPED)


def same_participant(one: dict[str, Any], other: dict[str, Any]) -> bool:
    if one["role"] != other.get("role"):
        return False
    names = [{plain_name(each.get("name")), plain_name(each.get("text"))} - {""} for each in (one, other)]
    return not names[0].isdisjoint(names[1])


def shared_participants(gold: dict[str, Any], predicted: dict[str, Any]) -> int:
    left, count = list(predicted.get("participants", [])), 0
    for participant in gold.get("participants", []):
        index = next((n for n, other in enumerate(left) if same_participant(participant, other)), None)
        if index is not None:
            del left[index]
            count += 1
    return count


def _pair(gold: Sequence[dict], predicted: Sequence[dict], spans: tuple[list, list], typed: bool) -> Pairs:
    options = sorted(
        (bool(one.get("optional")), -shared_participants(one, other), i, j)
        for i, one in enumerate(gold)
        for j, other in enumerate(predicted)
        if overlap(spans[0][i], spans[1][j]) and (not typed or one["type"] == other.get("type"))
    )
    pairs: Pairs = []
    for _, _, i, j in options:
        if all(i != a and j != b for a, b in pairs):
            pairs.append((i, j))
    return pairs
