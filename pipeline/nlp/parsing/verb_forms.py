"""Tests of a verb's form in its sentence: passive, owed, forbidden, generic, or dated otherwise than another."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from pipeline.lexicon.common_nouns import TIME_WORDS
from pipeline.lexicon.inflection import words
from pipeline.nlp.parsing.dependencies import children, is_passive, is_verb

if TYPE_CHECKING:
    from collections.abc import Callable

    from spacy.tokens import Token

_MAY = frozenset({"may", "can", "shall", "must"})
_HAVE = frozenset({"have", "has", "had", "having"})
_CHOOSING = words(
    "decide decides decided deciding choose chooses chose chosen choosing determine determines determined determining "
    "select selects selected selecting pick picks picked picking dictate dictates settle settles"
)
_ASKED = frozenset({"which", "what", "whom", "who", "whose"})
_FAR = 7  # maximum number of words between such a pronoun and the verb
_ONLY_POSSIBLE = frozenset({"may", "might", "could", "would", "should"})
_YEAR = re.compile(r"(?:19|20)\d\d$")


def has_form(verb: Token, form: str) -> bool:
    """Return whether a verb has the form of this name in FORMS; "" fits every verb."""
    return not form or FORMS[form](verb)


def is_owed(verb: Token) -> bool:
    """Return whether a verb states a duty: "must pay", "has to pay", "will have to pay", but not "may have to pay"."""
    if any(aux.lower_ == "must" for aux in children(verb, "aux")):
        return not children(verb, "neg")
    above = verb.head
    bound = above.lower_ in _HAVE and verb.dep_ in ("xcomp", "ccomp") and _is_infinitive(verb)
    if not bound or children(above, "neg", "dobj") or any(child.lower_ == "yet" for child in above.children):
        return False
    return not any(aux.lower_ in _ONLY_POSSIBLE for aux in children(above, "aux"))


def is_forbidden(verb: Token) -> bool:
    """Return whether a verb states a prohibition: "no supplier may sell", "may no longer use"."""
    may = [child for child in children(verb, "aux") if child.lower_ in _MAY]
    if not may:
        return False
    if any(child.lower_ == "longer" and child.nbor(-1).lower_ == "no" for child in verb.lefts if child.i):
        return True
    return may[0].lower_ != "must" and any(
        grand.lower_ in ("no", "neither") for child in children(verb, "nsubj", "nsubjpass") for grand in child.children
    )


def below_shall(token: Token) -> bool:
    """Return whether a token is inside the content of a duty: "the agency shall determine whether it may adopt"."""
    for _ in range(6):
        token = token.head
        if is_verb(token) and any(child.lower_ == "shall" for child in children(token, "aux")):
            return True
    return False


def is_for_choice(token: Token) -> bool:
    """Return whether a present-tense verb only says what somebody chooses, which is not an act.

    "Decides for itself which systems it examines", "it is up to the office whom it sues". Judged by the words,
    since the parser mistakes the verbs of such clauses for nouns.
    """
    if token.tag_ not in ("VBZ", "VBP", "NNS"):
        return False
    for asked in reversed(token.doc[max(token.sent.start, token.i - _FAR) : token.i]):
        if asked.is_punct or asked.lower_ == "that":
            return False
        if asked.lower_ in _ASKED:
            before = [word.lower_ for word in asked.doc[max(asked.sent.start, asked.i - 6) : asked.i]]
            return bool(_CHOOSING & {*before[-4:]}) or any(pair == ("up", "to") for pair in pairwise(before))
    return False


def is_generic(noun: Token) -> bool:
    """Return whether a noun refers to acts of its kind in general, not to one act.

    Example: "a developer's refusal to answer is not a risk".
    """
    owners = children(noun, "poss")
    one_of_many = any(child.lower_ in ("a", "an", "any") for owner in owners for child in children(owner, "det"))
    verb = noun.head
    if not one_of_many or noun.dep_ not in ("nsubj", "nsubjpass"):
        return False
    helpers = children(verb, "aux", "auxpass")
    return verb.tag_ in ("VBZ", "VBP") or any(aux.tag_ == "MD" for aux in helpers)


def is_finite(verb: Token) -> bool:
    """Return whether a verb has a subject of its own and is not an infinitive."""
    return (
        is_verb(verb)
        and bool(children(verb, "nsubj", "nsubjpass", "expl"))
        and not any(child.lower_ == "to" for child in children(verb, "aux"))
    )


def two_occasions(one: Token, other: Token) -> bool:
    """Return whether two verbs joined by "and" have different times: "opened it in May and widened it in July"."""
    first, second = sorted((one, other), key=lambda verb: verb.i)
    if second.dep_ != "conj" or second.head != first or not (is_verb(first) and is_verb(second)):
        return False
    doc = first.doc
    before = _times(list(doc[first.i : second.i]))
    after = _times(list(doc[second.i : second.right_edge.i + 1]))
    return bool(before and after) and before != after


def _times(tokens: list[Token]) -> set[str]:
    return {token.lower_ for token in tokens if token.lower_ in TIME_WORDS or _YEAR.match(token.text)}


def _is_infinitive(verb: Token) -> bool:
    return is_verb(verb) and any(child.lower_ == "to" for child in children(verb, "aux"))


FORMS: dict[str, Callable[[Token], bool]] = {"passive": is_passive, "owed": is_owed, "forbidden": is_forbidden}
