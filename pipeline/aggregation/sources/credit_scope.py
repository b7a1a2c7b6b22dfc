"""Decides how much of a text a credit covers: all of it, a stretch, or nothing.

"First reported by the Beacon" in the lead, or a source line, covers the whole article. A report mentioned in a later
paragraph covers that paragraph; "after the Beacon reported that ..." covers only what follows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.lexicon.months import MONTHS
from pipeline.records import Claim, Credit

LEAD_PARAGRAPHS = 2  # a credit this early, or before the first claim, covers the whole article
_REPLY_REACH = 60  # characters between "after" and the name in "after the Beacon reported"
_LEAST = 60  # minimum length of a substantial paragraph, unlike "TL;DR" or a headline
_NOT_A_CREDIT = ("dateline",)
_FIRST = ("first reported", "first report", "originally reported", "broke the", "scoop")
_TAKEN_FROM = ("source line", "source", "via", "byline", "agency", "credit line")
# The sentence is about something else, so its credit does not cover the article's news.
_ANOTHER = re.compile(
    r"\b(?:separate(?:ly)?|another|unrelated|different|elsewhere|last (?:year|month)|years? ago|months ago|previous|"
    rf"in (?:{'|'.join(MONTHS)}) (?:of )?\d{{4}}|"
    r"in (?:19|20)\d\d)\b",
    re.I,
)
# Text before these words is the article's own news; the credited report follows them.
_IN_REPLY = re.compile(
    r"\b(?:after|following|since|in response to|responding to|hours? after|days? after|when)\b", re.I
)
_SENTENCE_END = re.compile(r"[.!?][\"”’]?\s+(?=[\"“‘A-Z])|\n")


@dataclass(frozen=True, slots=True)
class CreditScope:
    """The stretch of a text that a credit covers, in characters. `whole`: the article rests on the credit."""

    start: int
    end: int
    whole: bool = False

    def covers(self, claim: Claim) -> bool:
        return self.whole or self.start <= claim.trigger_start < self.end


def rank(credit: Credit) -> int:
    """Return the rank of a credit: 0 first reported, 1 report repeated, 2 source of the text."""
    cue = credit.cue.casefold()
    if any(word in cue for word in _FIRST):
        return 0
    return 2 if any(cue.startswith(word) for word in _TAKEN_FROM) else 1


def scope_of(credit: Credit, text: str, claims: Iterable[Claim] = ()) -> CreditScope | None:
    """Return the scope of a credit, None for nothing (a dateline). `claims`: those of the article."""
    if any(word in credit.cue.casefold() for word in _NOT_A_CREDIT):
        return None
    whole = CreditScope(0, len(text), whole=True)
    kind = rank(credit)
    if credit.start < 0 or kind == 2:
        return whole
    first, last = _sentence(text, credit.start)
    sentence = text[first:last]
    reply = _last(_IN_REPLY, text[first : credit.start])
    if reply is not None:
        return CreditScope(first + reply, last)
    begin, end = _paragraph(text, credit.start)
    if _ANOTHER.search(sentence):
        return CreditScope(first, last)
    claims = tuple(claims)
    if _n_before(text, begin) < LEAD_PARAGRAPHS or not any(c.trigger_start < begin for c in claims):
        return whole
    inside = [c for c in claims if begin <= c.trigger_start < end]
    if kind == 0 and (not inside or _topics(inside) & _topics(c for c in claims if c.trigger_start < begin)):
        return whole
    return CreditScope(begin, end)


def _topics(claims: Iterable[Claim]) -> set[tuple[str, str]]:
    return {(claim.type, p.entity_id) for claim in claims for p in claim.participants}


def _last(pattern: re.Pattern[str], text: str) -> int | None:
    found = [match.start() for match in pattern.finditer(text)]
    near = found and len(text) - found[-1] <= _REPLY_REACH and "," not in text[found[-1] :]
    return found[-1] if near else None


def _paragraph(text: str, at: int) -> tuple[int, int]:
    begin, end = text.rfind("\n\n", 0, at), text.find("\n\n", at)
    return (0 if begin < 0 else begin + 2), (len(text) if end < 0 else end)


def _sentence(text: str, at: int) -> tuple[int, int]:
    begin, end = _paragraph(text, at)
    starts = [begin + match.end() for match in _SENTENCE_END.finditer(text[begin:end])]
    return max([begin, *(s for s in starts if s <= at)]), min([end, *(s for s in starts if s > at)])


def _n_before(text: str, begin: int) -> int:
    """Return the number of substantial paragraphs before an offset."""
    return sum(len(paragraph.strip()) >= _LEAST for paragraph in text[:begin].split("\n\n"))
