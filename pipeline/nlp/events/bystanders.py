"""Recognises parties that are mentioned near an act but do not take part in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.lexicon.inflection import words
from pipeline.nlp.parsing.dependencies import children, is_verb, subjects
from pipeline.records import EntityKind

if TYPE_CHECKING:
    from spacy.tokens import Token

    from pipeline.nlp.events.frames import Draft
    from pipeline.nlp.events.roles import Filler

_PLEAS = frozenset(
    words("request requests motion motions bid bids plea pleas petition petitions application demand demands")
)
_SITES = frozenset(
    words("premises office offices headquarters campus site sites building buildings plant laboratory datacentre doors")
)
_AT = frozenset({"at", "in", "inside", "outside", "near", "from"})
_MAX_STEPS = 5  # steps up the parse tree to a "without"


def is_bystander(type_: str, role: str, filler: Filler) -> bool:
    """Return whether an actor is only a place, the host of a test, or excluded ("without the help of Acme")."""
    if role != "actor":
        return False
    if all(party.kind is EntityKind.PLACE for party in filler.parties):
        return True
    return type_ == "evaluation" and _is_host(filler.token) or _is_left_out(filler.token)


def is_petitioner(filler: Filler) -> bool:
    """Return whether a party only asked for the act: "rejected Acme's request to suspend the order"."""
    noun = filler.token.head
    return filler.token.dep_ == "poss" and noun.lower_ in _PLEAS and bool(children(noun, "acl"))


def is_observing_authority(draft: Draft, filler: Filler) -> bool:
    """Return whether an authority is mentioned in a model release without releasing the model."""
    if draft.type != "model_release" or filler.kind not in ("agency", "government"):
        return False
    return not is_verb(draft.trigger) or filler.token not in subjects(draft.trigger)


def _is_host(token: Token) -> bool:
    """Return whether a party is the host: "three testers worked at Acme's premises"."""
    site = token.head
    return token.dep_ == "poss" and site.lower_ in _SITES and site.dep_ == "pobj" and site.head.lower_ in _AT


def _is_left_out(token: Token) -> bool:
    """Return whether a party is excluded: "was negotiated without the help of Acme"."""
    for _ in range(_MAX_STEPS):
        if is_verb(token) or token.head == token:
            return False
        if token.dep_ == "prep" and token.lower_ == "without":
            return True
        token = token.head
    return False
