"""Collects the modality cues around a noun for an act, an attempt or a report.

Examples: "An attempt to ban it collapsed", "any agreement would need consent", "an order is in the works".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.lexicon.inflection import verb_forms
from pipeline.nlp.modality.auxiliaries import Cues, has_none
from pipeline.nlp.modality.cues import (
    ADJECTIVES,
    EXPECTED,
    LEADING_TO,
    PLACES,
    POSITIONS,
    PREVENTING,
    PUSHES,
    REFUTES,
    UNTRUE,
    is_beaten,
    subject_fails,
    with_particle,
)
from pipeline.nlp.parsing.dependencies import children
from pipeline.records import Modality

if TYPE_CHECKING:
    from spacy.tokens import Token


def outcome(noun: Token, cues: Cues) -> None:
    """Collect the outcome of an attempt, a motion or a plan: "an attempt to ban it collapsed", "lost its bid for"."""
    verb = noun.head
    if noun.dep_ == "nsubj" and subject_fails(verb) or any(subject_fails(each) for each in children(noun, "acl")):
        cues.found.add(Modality.NEGATED)
    if noun.dep_ in ("dobj", "nsubjpass") and is_beaten(verb):
        cues.found.add(Modality.NEGATED)
    if any(child.lower_ in _DOOMED for child in children(noun, "amod")):
        cues.found.add(Modality.NEGATED)


_DOOMED = frozenset({"failed", "unsuccessful", "abortive", "doomed", "fruitless", "futile", "vain", "aborted"})


def is_to(verb: Token) -> bool:
    """Return whether a copula schedules an act: "is to be heard", "was to have been announced"."""
    return verb.lower_ in ("is", "are", "was", "were") and any(
        child.lower_ == "to" for clause in children(verb, "xcomp") for child in children(clause, "aux")
    )


def is_refuted(noun: Token, verb: Token) -> bool:
    """Return whether a report is denied: "denied a report that", "claims that ... are untrue"."""
    if noun.dep_ in ("dobj", "nsubjpass", "pobj"):
        back = verb.lower_ in PUSHES and any(child.lower_ == "back" for child in verb.children)
        return back or verb.lower_ in REFUTES or with_particle(verb) is Modality.DENIED or is_beaten(verb)
    return noun.dep_ == "nsubj" and any(child.lower_ in UNTRUE for child in children(verb, "acomp", "attr", "oprd"))


_BRINGING = frozenset(
    """lead result mean trigger cause prompt set mark bring force hurt harm damage delay slow speed accelerate help
    affect change reshape end open expose cost undermine strengthen weaken raise create""".split()  # noqa: SIM905
)


def is_imagined(noun: Token, verb: Token) -> bool:
    """Return whether a noun without "the" is the cause of a possible effect: "resistance could lead to tensions"."""
    if verb.lower_ not in _BRINGING or not any(
        aux.lower_ in ("could", "might", "would") for aux in children(verb, "aux")
    ):
        return False
    return is_one_of_many(noun)


def is_one_of_many(noun: Token) -> bool:
    """Return whether a noun names no specific act: "a ban", "any agreement", "fines"; not "the ban", "its ban"."""
    return not any(
        child.dep_ in ("poss", "nummod") or child.dep_ == "det" and child.lower_ not in ("a", "an", "any", "such", "no")
        for child in noun.lefts
    )


def is_supposed(noun: Token, verb: Token) -> bool:
    """Return whether a clause describes a hypothetical act: "any agreement would need the board's consent"."""
    said = {child.lower_ for child in children(noun, "det")}
    would = any(aux.lower_ in ("would", "could", "might", "must") for aux in children(verb, "aux"))
    return would and ("any" in said or is_one_of_many(noun) and not children(noun, "acl", "relcl"))


def after_noun(noun: Token, cues: Cues) -> None:
    """Collect the cues right after a noun: "an agreement to be signed on Monday", "a rule due in June"."""
    for child in noun.rights:
        if child.dep_ in ("acl", "amod", "relcl", "appos", "advcl") and child.lower_ in EXPECTED:
            found = not children(child, "nsubj", "nsubjpass", "xcomp")
        else:
            to_be = any(aux.lower_ == "to" for aux in children(child, "aux")) and bool(children(child, "auxpass"))
            found = child.dep_ in ("acl", "relcl") and to_be and not children(child, "nsubjpass")
        if found:
            cues.found.add(Modality.PLANNED)


_PENDING = frozenset({"looms", "loomed", "loom", "looming", "hinges", "hinge", "depends", "depend"})


def predicate_cues(noun: Token, verb: Token, cues: Cues) -> None:
    """Collect the cues of a predicate: "a deal is close", "an order is in the works", "awaits consent"."""
    if (
        subject_fails(verb)
        and not verb.lower_.startswith("stall")
        and (is_one_of_many(noun) or noun.lower_.startswith(("talk", "negotiation")))
    ):
        cues.found.add(Modality.NEGATED)  # "a proposed contract fell by the wayside"
    for child in children(verb, "acomp", "attr", "oprd", "advmod"):
        if child.i > verb.i and child.lower_ in ADJECTIVES and child.lower_ != "open":
            cues.found.add(ADJECTIVES[child.lower_])
    for prep in [
        *children(verb, "prep"),
        *(inner for up in children(verb, "advmod") for inner in children(up, "prep")),
    ]:
        for thing in children(prep, "pobj"):
            if thing.lower_ in PLACES and prep.lower_ in ("in", "on", "under", "off", "at"):
                cues.found.add(PLACES[thing.lower_])
    if verb.lower_ in ("awaits", "awaited", "await"):
        cues.found.add(Modality.PLANNED)
    elif verb.lower_ in _PENDING and is_one_of_many(noun):
        cues.found.add(Modality.CONSIDERED)


def short_of(prep: Token) -> Modality | None:
    """Return the modality that a preposition gives to the act after it: "short of a ban", "barring an agreement"."""
    word, head = prep.lower_, prep.head.lower_
    if word == "from" and head in ("away", "far"):  # "is days away from a deal", "is far from a deal"
        predicative = prep.head.head.pos_ == "AUX"
        return (Modality.NEGATED if head == "far" else Modality.PLANNED) if predicative else None
    return LEADING_TO.get((word, head)) or LEADING_TO.get((word, ""))


def is_prevented(noun: Token, verb: Token) -> bool:
    """Return whether a verb prevents an act: "to forestall a ban"; preventing a known ban says nothing about it."""
    return noun.dep_ == "dobj" and verb.lower_ in PREVENTING and is_one_of_many(noun)


def position_of(copula: Token) -> Modality | None:
    """Return the modality that the actor's position gives to an act: "is in no position to", "is on track to"."""
    for prep in children(copula, "prep"):
        for thing in children(prep, "pobj"):
            if has_none(thing):
                return Modality.NEGATED
            if thing.lower_ in POSITIONS:
                return POSITIONS[thing.lower_]
    return None


def is_in_vain(verb: Token) -> bool:
    """Return whether an attempt failed: "tried in vain to", "sought unsuccessfully to"."""
    vain = any(thing.lower_ in ("vain", "avail") for prep in children(verb, "prep") for thing in children(prep, "pobj"))
    return vain or any(
        child.lower_ in ("unsuccessfully", "fruitlessly", "vainly") for child in children(verb, "advmod")
    )


def turns_down(upper: Token, lower: Token) -> bool:
    """Return whether a court rules by declining to undo or stop something: "declined to dismiss".

    Declining to give something ("declined to grant relief") is not a ruling.
    """
    return upper.lower_ in _DECLINES and lower.dep_ == "xcomp" and lower.head == upper and lower.lower_ not in _GIVES


_DECLINES = frozenset(form for verb in ("decline", "refuse") for form in verb_forms(verb))
_GIVES = frozenset("grant issue award give allow extend impose order rule decide say comment approve".split())  # noqa: SIM905
# Texts from which a clause can be dropped before it becomes law.
_DRAFTS = frozenset("bill draft text package legislation version proposal measure act".split())  # noqa: SIM905


def out_of_a_bill(verb: Token) -> bool:
    """Return whether something is dropped from a bill before it became law: "dropped the ban from the bill"."""
    preps = [
        *children(verb, "prep"),
        *(p for noun in children(verb, "dobj", "nsubjpass") for p in children(noun, "prep")),
    ]
    out = [inner for prep in preps if prep.lower_ == "out" for inner in children(prep, "prep")]
    preps = [prep for prep in preps if prep.lower_ == "from"] + out
    return any(thing.lower_ in _DRAFTS for prep in preps for thing in children(prep, "pobj"))


def is_hearsay(verb: Token) -> bool:
    """Return whether a verb passes on hearsay: "word has it that", "rumor has it that"."""
    return verb.lower_ in ("has", "had") and any(child.lower_ in _WORD for child in children(verb, "nsubj"))


_WORD = frozenset({"word", "rumor", "rumour", "legend", "gossip"})
