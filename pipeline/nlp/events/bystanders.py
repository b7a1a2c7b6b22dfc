"""Somebody who stands near an act in a sentence -> whether he is only there and does nothing."""

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
_UPWARDS = 5  # words from somebody up to a "without"


def only_stands_by(type_: str, role: str, filler: Filler) -> bool:
    """True for an actor who is a place ("agencies in the U.S."), on whose premises a test is run, or without whom."""
    if role != "actor":
        return False
    if all(kind is EntityKind.PLACE for _, _, kind, *_ in filler.parties):
        return True
    return type_ == "evaluation" and _is_host(filler.token) or _is_left_out(filler.token)


def only_asks(filler: Filler) -> bool:
    """Tell whether somebody only asked for what a trigger names: "rejected Acme's request to suspend the order"."""
    noun = filler.token.head
    return filler.token.dep_ == "poss" and noun.lower_ in _PLEAS and bool(children(noun, "acl"))


def only_watches(draft: Draft, filler: Filler) -> bool:
    """Tell whether an authority is near a model's release but not said to release it."""
    if draft.type != "model_release" or filler.kind not in ("agency", "government"):
        return False
    return not is_verb(draft.trigger) or filler.token not in subjects(draft.trigger)


def _is_host(token: Token) -> bool:
    """True for "Acme" of "three testers worked at Acme's premises"."""
    site = token.head
    return token.dep_ == "poss" and site.lower_ in _SITES and site.dep_ == "pobj" and site.head.lower_ in _AT


def _is_left_out(token: Token) -> bool:
    """True for "Acme" of "was negotiated without the help of Acme"."""
    for _ in range(_UPWARDS):
        if is_verb(token) or token.head == token:
            return False
        if token.dep_ == "prep" and token.lower_ == "without":
            return True
        token = token.head
    return False
