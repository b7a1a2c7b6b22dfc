"""A noun for an act, an attempt or a report in its parse -> what the words around it say becomes of it.

"An attempt to ban it collapsed", "any agreement would need consent", "an order is in the works", "reports are false".
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
    PREVENTING,
    PUSHES,
    REFUTES,
    STANCES,
    UNTRUE,
    comes_to_nothing,
    is_beaten,
    with_particle,
)
from pipeline.nlp.parsing.dependencies import children
from pipeline.records import Modality

if TYPE_CHECKING:
    from spacy.tokens import Token


def fate(noun: Token, cues: Cues) -> None:
    """Read what becomes of an attempt, a motion or a plan: "an attempt to ban it collapsed", "lost its bid for"."""
    verb = noun.head
    if noun.dep_ == "nsubj" and comes_to_nothing(verb) or any(comes_to_nothing(each) for each in children(noun, "acl")):
        cues.found.add(Modality.NEGATED)
    if noun.dep_ in ("dobj", "nsubjpass") and is_beaten(verb):
        cues.found.add(Modality.NEGATED)
    if any(child.lower_ in _DOOMED for child in children(noun, "amod")):
        cues.found.add(Modality.NEGATED)


_DOOMED = frozenset({"failed", "unsuccessful", "abortive", "doomed", "fruitless", "futile", "vain", "aborted"})


def is_to(verb: Token) -> bool:
    """Tell whether a verb only sets a thing to come: "is to be heard", "was to have been announced"."""
    return verb.lower_ in ("is", "are", "was", "were") and any(
        child.lower_ == "to" for clause in children(verb, "xcomp") for child in children(clause, "aux")
    )


def is_refuted(noun: Token, verb: Token) -> bool:
    """Tell whether somebody says that a report is wrong: "denied a report that", "claims that ... are untrue"."""
    if noun.dep_ in ("dobj", "nsubjpass", "pobj"):
        back = verb.lower_ in PUSHES and any(child.lower_ == "back" for child in verb.children)
        return back or verb.lower_ in REFUTES or with_particle(verb) is Modality.DENIED or is_beaten(verb)
    return noun.dep_ == "nsubj" and any(child.lower_ in UNTRUE for child in children(verb, "acomp", "attr", "oprd"))


_BRINGING = frozenset(
    """lead result mean trigger cause prompt set mark bring force hurt harm damage delay slow speed accelerate help
    affect change reshape end open expose cost undermine strengthen weaken raise create""".split()  # noqa: SIM905
)


def is_imagined(noun: Token, verb: Token) -> bool:
    """Tell whether a noun without "the" might bring something: "resistance from Meta could lead to tensions"."""
    if verb.lower_ not in _BRINGING or not any(
        aux.lower_ in ("could", "might", "would") for aux in children(verb, "aux")
    ):
        return False
    return is_one_of_many(noun)


def is_one_of_many(noun: Token) -> bool:
    """Tell whether a noun means no act in particular: "a ban", "any agreement", "fines"; not "the ban", "its ban"."""
    return not any(
        child.dep_ in ("poss", "nummod") or child.dep_ == "det" and child.lower_ not in ("a", "an", "any", "such", "no")
        for child in noun.lefts
    )


def is_supposed(noun: Token, verb: Token) -> bool:
    """Tell whether a clause only says what such an act would do: "any agreement would need the board's consent"."""
    said = {child.lower_ for child in children(noun, "det")}
    would = any(aux.lower_ in ("would", "could", "might", "must") for aux in children(verb, "aux"))
    return would and ("any" in said or is_one_of_many(noun) and not children(noun, "acl", "relcl"))


def after_noun(noun: Token, cues: Cues) -> None:
    """Read what stands right after a noun: "an agreement to be signed on Monday", "a rule due in June"."""
    for child in noun.rights:
        if child.dep_ in ("acl", "amod", "relcl", "appos", "advcl") and child.lower_ in EXPECTED:
            found = not children(child, "nsubj", "nsubjpass", "xcomp")
        else:
            to_be = any(aux.lower_ == "to" for aux in children(child, "aux")) and children(child, "auxpass")
            found = child.dep_ in ("acl", "relcl") and to_be and not children(child, "nsubjpass")
        if found:
            cues.found.add(Modality.PLANNED)


_HANGS = frozenset({"looms", "loomed", "loom", "looming", "hinges", "hinge", "depends", "depend"})


def said_of_noun(noun: Token, verb: Token, cues: Cues) -> None:
    """Read what is said of an act: "a deal is close", "an order is in the works", "her appointment awaits consent"."""
    if (
        comes_to_nothing(verb)
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
    elif verb.lower_ in (
        "looms",
        "loomed",
        "loom",
        "looming",
        "hinges",
        "hinge",
        "depends",
        "depend",
    ) and is_one_of_many(noun):
        cues.found.add(Modality.CONSIDERED)


def short_of(prep: Token) -> Modality | None:
    """Return what a preposition or its like makes of the act after it: "short of a ban", "barring an agreement"."""
    word, head = prep.lower_, prep.head.lower_
    if word == "from" and head in ("away", "far"):  # "is days away from a deal", "is far from a deal"
        stands = prep.head.head.pos_ == "AUX"
        return (Modality.NEGATED if head == "far" else Modality.PLANNED) if stands else None
    return LEADING_TO.get((word, head)) or LEADING_TO.get((word, ""))


def is_prevented(noun: Token, verb: Token) -> bool:
    """Tell whether a verb keeps an act from being done: "to forestall a ban"; to prevent the ban one knows is open."""
    return noun.dep_ == "dobj" and verb.lower_ in PREVENTING and is_one_of_many(noun)


def stance(copula: Token) -> Modality | None:
    """Return what it says of an act where its doer stands: "is in no position to", "is on track to"."""
    for prep in children(copula, "prep"):
        for thing in children(prep, "pobj"):
            if has_none(thing):
                return Modality.NEGATED
            if thing.lower_ in STANCES:
                return STANCES[thing.lower_]
    return None


def is_in_vain(verb: Token) -> bool:
    """Tell whether what is tried comes to nothing: "tried in vain to", "sought unsuccessfully to"."""
    vain = any(thing.lower_ in ("vain", "avail") for prep in children(verb, "prep") for thing in children(prep, "pobj"))
    return vain or any(
        child.lower_ in ("unsuccessfully", "fruitlessly", "vainly") for child in children(verb, "advmod")
    )


def turns_down(upper: Token, lower: Token) -> bool:
    """Tell whether a court turns down what it was asked to undo or to stop, which is a ruling: "declined to dismiss".

    What it declines to give ("declined to grant relief") is only not given.
    """
    return upper.lower_ in _DECLINES and lower.dep_ == "xcomp" and lower.head == upper and lower.lower_ not in _GIVES


_DECLINES = frozenset(form for verb in ("decline", "refuse") for form in verb_forms(verb))
_GIVES = frozenset("grant issue award give allow extend impose order rule decide say comment approve".split())  # noqa: SIM905
# Out of what a clause can be taken before it is law.
_DRAFTS = frozenset("bill draft text package legislation version proposal measure act".split())  # noqa: SIM905


def out_of_a_bill(verb: Token) -> bool:
    """Tell whether a thing leaves a bill before it was in force for anybody: "dropped the ban from the bill"."""
    preps = [
        *children(verb, "prep"),
        *(p for noun in children(verb, "dobj", "nsubjpass") for p in children(noun, "prep")),
    ]
    out = [inner for prep in preps if prep.lower_ == "out" for inner in children(prep, "prep")]
    preps = [prep for prep in preps if prep.lower_ == "from"] + out
    return any(thing.lower_ in _DRAFTS for prep in preps for thing in children(prep, "pobj"))


def is_hearsay(verb: Token) -> bool:
    """Tell whether a verb only passes on what is said: "word has it that", "rumor has it that"."""
    return verb.lower_ in ("has", "had") and any(child.lower_ in _WORD for child in children(verb, "nsubj"))


_WORD = frozenset({"word", "rumor", "rumour", "legend", "gossip"})
