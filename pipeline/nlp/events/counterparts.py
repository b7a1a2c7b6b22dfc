"""Finds the other side of an agreement elsewhere in its sentence, and recognises purely commercial deals."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pipeline.lexicon.inflection import verb_forms, words
from pipeline.nlp.parsing.dependencies import children, is_verb, prepositional, subjects
from pipeline.records import EntityKind, Participant

if TYPE_CHECKING:
    from spacy.tokens import Token

_DEALS = words("deal agreement contract pact accord memorandum settlement arrangement partnership")
_OWN = frozenset(  # what a party to a deal does with it or under it
    form
    for verb in words(
        "change amend revise renegotiate reopen extend renew end terminate cancel suspend honour honor keep break "
        "breach test use deploy get share provide give"
    )
    for form in verb_forms(verb)
)
# Words that make an agreement among companies relevant to AI oversight.
_OVERSIGHT = re.compile(
    r"safe|guardrail|red.?line|\bterms?\b|standard|\bcodes?\b|pledge|regulat|oversight|audit|evaluat|\btest|inspect|"
    r"govern|military|defen[cs]e|pentagon|police|army|minist|classified|declar|convention|memorand|principle|statement|"
    r"commit|licen|copyright|royalt|publisher|security|watermark|transparen|disclos|rights|settle|access to",
    re.IGNORECASE,
)
_WISH = frozenset(
    form
    for verb in words("seek want try plan hope intend begin start agree move ask propose vote decide")
    for form in verb_forms(verb)
)


def other_sides(trigger: Token) -> list[Token]:
    """Return the heads of the other parties to an agreement.

    Examples: "under a deal with the ministry, X agreed to ..."; "X wants to change the terms of a deal struck with Y".
    """
    under = [
        head
        for prep in children(trigger, "prep")
        for noun in children(prep, "pobj")
        if prep.lower_ in ("under", "in", "as") and noun.lower_ in _DEALS
        for head in prepositional(noun, "with")
    ]
    return under or _whose_deal(trigger)


def is_business(parties: Sequence[Participant], sentence: str) -> bool:
    """Return whether only companies agree and the sentence has no word about oversight."""
    sides = [party.kind for party in parties if party.role == "actor"]
    return len(sides) > 1 and set(sides) == {EntityKind.ORGANISATION} and not _OVERSIGHT.search(sentence)


def _whose_deal(trigger: Token) -> list[Token]:
    """Return the party that acts on a deal of which only the other side is named."""
    noun = trigger.head
    if trigger.dep_ != "acl" or trigger.tag_ != "VBN" or noun.lower_ not in _DEALS or not children(trigger, "prep"):
        return []
    verb = noun
    while verb.head != verb and not is_verb(verb):
        verb = verb.head
    under = noun.dep_ == "pobj" and noun.head.lower_ == "under"
    if not is_verb(verb) or not (under or verb.lower_ in _OWN):
        return []
    while verb.dep_ == "xcomp" and verb.head.lower_ in _WISH:
        verb = verb.head
    return subjects(verb)
