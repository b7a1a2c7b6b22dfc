"""Finds the words that describe a party without a name: "judges in Ankara", "any firm that sells chips"."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipeline.lexicon.common_nouns import NOUN_KINDS, TIME_WORDS
from pipeline.lexicon.inflection import singular
from pipeline.nlp.parsing.dependencies import children, is_verb
from pipeline.nlp.parsing.spans import noun_phrase_start
from pipeline.records import Mention, unknown_entity_id

if TYPE_CHECKING:
    from spacy.tokens import Token

    from pipeline.nlp.parsing.parser import Passage

_OF_WHOM = frozenset({"of", "in", "from", "behind", "with", "for", "at"})  # precede what identifies the party
_WHO = frozenset({"who", "that"})
_LONGEST = 9  # maximum number of words after the noun


def unnamed(noun: Token, passage: Passage) -> Mention:
    """Return a mention of a body that has only a description: "a U.S. watchdog"."""
    first, kind = noun_phrase_start(noun), NOUN_KINDS[singular(noun.lower_)]
    words = passage.text[first.idx : noun.idx + len(noun.text)]
    name = re.sub(r"^(?:an?|the|this|that|its|their|his|her)\s+", "", words, flags=re.IGNORECASE)
    start = passage.offset(first)
    return Mention(start, start + len(words), words, unknown_entity_id(name, kind), name, kind, "nominal")


def last_word(noun: Token) -> Token:
    """Return the last word of a description, given its head.

    A phrase right after the noun belongs to it ("users in Turkey"), and so does a short clause that says who
    ("firms that deal with AI").
    """
    last = noun
    for child in noun.rights:
        if child.left_edge.i != last.i + 1 or child.right_edge.i - noun.i > _LONGEST:
            break
        if child.dep_ == "prep" and child.lower_ in _OF_WHOM and _says_which(child):
            last = _before_clause(child)
        elif child.dep_ == "relcl" and any(t.lower_ in _WHO for t in child.doc[noun.i + 1 : child.i]):
            last = _before_manner(child)
        else:
            break
    while last.i > noun.i and (last.is_punct or last.dep_ in ("cc", "mark")):
        last = last.nbor(-1)
    return last


def _says_which(prep: Token) -> bool:
    below = children(prep, "pobj")
    return bool(below) and below[0].lower_ not in TIME_WORDS


def _before_manner(clause: Token) -> Token:
    """Return the last word of a relative clause before a phrase that may modify the main verb.

    Such a phrase is "from exporting them".
    """
    for token in clause.doc[clause.i + 1 : clause.right_edge.i + 1]:
        if token.lower_ in ("from", "to", "into") and token.i + 1 < len(token.doc) and is_verb(token.nbor()):
            return token.nbor(-1)
        if token.text in ("—", "–", ";", ":"):
            return token.nbor(-1)
    return clause.right_edge


def _before_clause(prep: Token) -> Token:
    """Return the last word of a prepositional phrase before a clause, a comma or a date in it."""
    last = prep
    for token in prep.doc[prep.i + 1 : prep.right_edge.i + 1]:
        if token.lower_ in TIME_WORDS or is_verb(token) or token.text in ("(", "—", "–", ":", ";"):
            break
        last = token
    while last.pos_ in ("ADP", "DET", "PART", "CCONJ", "PRON") and last.i > prep.i or last.is_punct:
        last = last.nbor(-1)
    return last if last.i > prep.i else prep.nbor(-1)
