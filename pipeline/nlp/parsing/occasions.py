"""Two verbs of one sentence -> whether they tell of two occasions: "opened it in May and widened it in July"."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipeline.lexicon.common_nouns import TIME_WORDS
from pipeline.nlp.parsing.dependencies import is_verb

if TYPE_CHECKING:
    from spacy.tokens import Token

_YEAR = re.compile(r"(?:19|20)\d\d$")


def two_occasions(one: Token, other: Token) -> bool:
    """Tell whether two verbs joined by "and" have each a time of its own, and another."""
    first, second = sorted((one, other), key=lambda verb: verb.i)
    if second.dep_ != "conj" or second.head != first or not (is_verb(first) and is_verb(second)):
        return False
    doc = first.doc
    before = _times(list(doc[first.i : second.i]))
    after = _times(list(doc[second.i : second.right_edge.i + 1]))
    return bool(before and after) and before != after


def _times(tokens: list[Token]) -> set[str]:
    return {token.lower_ for token in tokens if token.lower_ in TIME_WORDS or _YEAR.match(token.text)}
