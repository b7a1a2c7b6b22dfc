"""A trigger in a parsed sentence and the time expressions of a text -> those that can date it.

In "Halden, which signed a pact in July, wants more" the month stands in a clause that tells of another thing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipeline.timewords import DateMention

if TYPE_CHECKING:
    from spacy.tokens import Span, Token

_ASIDES = ("relcl", "acl")  # clauses that hang on a noun


def dates_for(trigger: Token, sent: Span, start: int, dates: Sequence[DateMention]) -> list[DateMention]:
    """Return the expressions less those inside a relative clause or participle that does not hold the trigger.

    `start` is the offset of the parsed passage in the text. A clause that hangs on the trigger itself, a noun, dates
    it: "the pact signed in July".
    """
    holders = {trigger.i, *(token.i for token in trigger.ancestors)}
    return [each for each in dates if not _is_aside(_first_token(sent, each.start - start), trigger, holders)]


def _first_token(sent: Span, at: int) -> Token | None:
    if not sent.start_char <= at < sent.end_char:
        return None
    token = sent[bisect_right(range(len(sent)), at, key=lambda index: sent[index].idx) - 1]
    return token if at < token.idx + len(token.text) else None


def _is_aside(token: Token | None, trigger: Token, holders: set[int]) -> bool:
    while token is not None and token.i not in holders:
        if token.dep_ in _ASIDES and token.head != trigger:
            return True
        if token.dep_ == "relcl" and trigger.pos_ in ("VERB", "AUX"):
            return True
        token = None if token.head == token else token.head
    return False
