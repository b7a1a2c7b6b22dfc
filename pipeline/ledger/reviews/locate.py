"""Finds the sentence and the claim of a decision in the current version of an article."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import SequenceMatcher

from pipeline.ledger.reviews.decisions import Sentence
from pipeline.records import Claim

_SENTENCE = re.compile(r"\S[^\n]*?(?:[.!?][\"”’')]*(?=\s)|$)", re.MULTILINE)
_LIKE = 0.5  # similarity at which a sentence may be the new wording of a missing one


def locate(text: str, quote: str, nth: int = 1) -> tuple[int, int] | None:
    """Return the span of the nth occurrence of a quote, ignoring differences in white space; None if not found."""
    words = quote.split()
    if not words:
        return None
    pattern = re.compile(r"\s+".join(map(re.escape, words)))
    for number, match in enumerate(pattern.finditer(text), 1):
        if number == nth:
            return match.span()
    return None


def nearest(text: str, quote: str) -> str:
    """Return the sentence of a text most similar to a quote, "" for none."""
    wanted = quote.split()
    best, found = _LIKE, ""
    for match in _SENTENCE.finditer(text):
        words = match.group().split()
        matcher = SequenceMatcher(None, wanted, words, autojunk=False)
        if matcher.real_quick_ratio() <= best or matcher.quick_ratio() <= best:
            continue
        if (ratio := matcher.ratio()) > best:
            best, found = ratio, match.group().strip()
    return found


def claim_in(sentence: Sentence, span: tuple[int, int], claims: Iterable[Claim]) -> tuple[Claim | None, int]:
    """Return the claim of a decision, and the number of claims in its sentence.

    That is the claim of the same id; else one in the sentence with the same trigger and type, or the same trigger; else
    the only one, if it has the same type or the decision names neither.
    """
    here = [c for c in claims if span[0] <= c.trigger_start and c.trigger_end <= span[1]]
    for claim in here:
        if claim.claim_id == sentence.claim_id:
            return claim, len(here)
    if not sentence.trigger and not sentence.type:
        return (here[0] if len(here) == 1 else None), len(here)
    trigger, type_ = sentence.trigger, sentence.type
    tests = (
        lambda c: c.trigger == trigger and c.type == type_,
        lambda c: c.trigger == trigger and not type_ or c.type == type_ and not trigger,
        lambda c: c.trigger == trigger,
        lambda c: c.type == type_ and len(here) == 1,
    )
    for test in tests:
        found = [c for c in here if test(c)]
        if len(found) == 1:
            return found[0], len(here)
        if found:
            return None, len(found)
    return None, 0
