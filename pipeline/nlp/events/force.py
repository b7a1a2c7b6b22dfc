"""Reads two properties of an event from its sentence: force (is it binding?) and newness (is it news or background?).

`newness_of` is a first estimate from grammar; `pipeline.nlp.newness` decides with the whole article in view.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipeline.lexicon.months import MONTHS
from pipeline.nlp.dates.clauses import is_in_other_clause
from pipeline.nlp.parsing.dependencies import children, is_verb
from pipeline.records import Force, Modality

if TYPE_CHECKING:
    from spacy.tokens import Span, Token

_VOLUNTARY = re.compile(r"\b(?:voluntar(?:y|ily)|non-?binding|self-regulat\w+)\b", re.IGNORECASE)
_BINDING = re.compile(r"\b(?:mandatory|legally binding|binding|required by law|into law|must|shall)\b", re.IGNORECASE)
_PAST_TIME = re.compile(
    rf"\b(?:last (?:year|month|summer|fall|autumn|winter|spring|{'|'.join(MONTHS)})|"
    r"(?:years?|months?|weeks) (?:ago|earlier)|previously|earlier this (?:year|month)|"
    r"in (?:19|20)[0-9]{2}|"
    r"(?:had|has) (?:already|long|previously)|the (?:previous|prior) (?:year|month)|formerly|originally)\b",
    re.IGNORECASE,
)
_SUBORDINATE = frozenset(
    {"after", "since", "before", "when", "following", "because", "as", "while", "until", "despite"}
)


def force_of(frame: str, sent: Span) -> Force:
    """Return the force of an event, as stated in its sentence or else given by its frame."""
    if _VOLUNTARY.search(sent.text):
        return Force.VOLUNTARY
    if frame != Force.NOT_STATED:
        return Force(frame)
    return Force.BINDING if _BINDING.search(sent.text) else Force.NOT_STATED


def newness_of(trigger: Token, sent: Span, modality: Modality, part: str) -> str:
    """Return "background" for a recalled event (pluperfect, noun, temporal or relative clause), else "new"."""
    if modality in (Modality.PLANNED, Modality.CONSIDERED, Modality.CONDITIONAL):
        return "new"
    if any(child.dep_ == "aux" and child.lower_ in ("had", "'d") for child in trigger.children):
        return "background"
    if any(
        not is_in_other_clause(sent, sent.start_char + match.start(), trigger)
        for match in _PAST_TIME.finditer(sent.text)
    ):
        return "background"
    if part == "noun" and trigger.dep_ not in ("dobj", "ROOT", "attr", "nsubjpass"):
        return "background"
    token, steps = trigger, 0
    while token.head != token and steps < 8:
        if token.dep_ in ("relcl", "acl") and token.tag_ in ("VBD", "VBN", "VBZ", "VBP"):
            return "background"
        if token.dep_ == "advcl" and any(c.lower_ in _SUBORDINATE for c in children(token, "mark", "advmod")):
            return "background"
        if token.dep_ in ("pcomp", "pobj") and token.head.lower_ in _SUBORDINATE:
            return "background"
        if is_verb(token) and token.lower_ in ("following",):
            return "background"
        token, steps = token.head, steps + 1
    return "new"
