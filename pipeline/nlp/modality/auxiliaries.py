"""Collects the modality cues at a verb: its auxiliaries, negation, adverbs, conjunctions and dependent clauses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.nlp.modality.cues import ADVERBS, AUXILIARIES, FINDING
from pipeline.nlp.parsing.dependencies import children, is_verb
from pipeline.records import Modality

if TYPE_CHECKING:
    from spacy.tokens import Token

_NO_SUBJECT = frozenset({"no", "none", "nobody", "neither", "nothing"})


class Cues:
    """The cues collected on the way up from a trigger.

    Attributes:
        found: The modalities of the cues.
        would: "would" was found.
        past_report: A speech verb in the past was found.
        in_if: The trigger is inside a condition.
        has_if: A condition governs the trigger.
        ordered: The order is the event, and its ordering verb has not been passed yet.
        never: "never" was found.
    """

    def __init__(self) -> None:
        self.found: set[Modality] = set()
        self.would = self.past_report = self.in_if = self.has_if = self.ordered = self.never = False


_PRESENT = ("VBZ", "VBP")
_TAGGED_AS_NOUNS = ("NN", "NNS")  # the tagger's error for verbs in short sentences: "The app returns when ..."
_PROPOSALS = frozenset({"proposal", "proposals", "draft", "drafts", "plan", "plans", "blueprint", "scheme", "bill"})
_WHEN = frozenset({"when", "whenever", "once", "until", "till"})


# One branch per kind of dependent.
def own(verb: Token, cues: Cues) -> None:  # noqa: C901
    """Collect the cues among the direct dependents of a verb."""
    cues.in_if = cues.in_if or _were_to(verb)
    if verb.tag_ in ("VBZ", "VBP", "VBG") and _later(verb):
        cues.found.add(Modality.PLANNED)
    if _negated_before(verb) or [token.lower_ for token in verb.doc[max(0, verb.i - 2) : verb.i]] == ["all", "but"]:
        cues.found.add(Modality.NEGATED)
    if _waits(verb) or _is_proposed(verb):
        cues.found.add(Modality.CONDITIONAL)
    if _was_to_have(verb) or _is_left_undone(verb):
        cues.found.add(Modality.NEGATED)
    for child in verb.children:
        word = child.lower_
        if child.dep_ == "neg" or word in ("not", "n't", "n’t"):
            cues.never = cues.never or word == "never"
            if not any(grand.lower_ == "only" for grand in (child, *child.rights)) and not _not_only(child):
                cues.found.add(Modality.NEGATED)
        elif child.dep_ in ("aux", "auxpass"):
            if word == "had" and _is_inverted(child, verb):
                cues.in_if = True
            elif word in ("would", "'d", "’d") and child.tag_ == "MD":
                cues.would = True
            elif word in AUXILIARIES and child.tag_ == "MD":
                subject = children(verb, "nsubj", "nsubjpass")
                before_subject = word == "should" and bool(subject) and child.i < subject[0].i
                cues.found.add(Modality.CONDITIONAL if before_subject else AUXILIARIES[word])
                cues.in_if = cues.in_if or before_subject
        elif child.dep_ == "mark":
            if word in ("if", "unless", "once", "lest"):
                cues.in_if = True
            elif word == "whether" or word == "for" and verb.tag_ == "VB":  # "it is for the court to decide"
                cues.found.add(Modality.CONSIDERED)
            elif word == "before" and any(aux.lower_ == "could" for aux in children(verb, "aux")):
                cues.found.add(Modality.NEGATED)  # "adjourned before it could vote"
        elif child.dep_ == "prep" and word == "in" and _in_case(child):
            cues.found.add(Modality.CONDITIONAL)
        elif child.dep_ == "advmod":
            if word in ADVERBS and (word not in ("almost", "nearly") or child.i == verb.i - 1):
                cues.found.add(ADVERBS[word])
                cues.never = cues.never or word == "never"
            elif (
                word == "yet"
                and verb.lower_ in ("has", "have", "had", "is", "are", "was")
                or word == "longer"
                and any(grand.lower_ == "no" for grand in child.children)
            ):
                cues.found.add(Modality.NEGATED)
            elif word == "otherwise" and child.i < verb.i and verb.tag_ in ("VBZ", "VBP", "VB"):
                cues.found.add(Modality.CONDITIONAL)  # "must comply and otherwise faces a fine"
        elif child.dep_ in ("nsubj", "nsubjpass", "dobj", "dative") and child.i < verb.i + 6:
            sought = child.dep_ == "dobj" and verb.lower_ in FINDING
            if not sought and (child.lower_ in _NO_SUBJECT or has_none(child)):
                cues.found.add(Modality.NEGATED)
        elif child.dep_ == "advcl" and is_condition(child):
            cues.has_if = True


def _waits(verb: Token) -> bool:
    """Return whether a verb waits for another: both of "the app returns when the agency lifts its ban" are future."""
    if verb.tag_ not in _PRESENT or any(child.dep_ in ("aux", "auxpass") for child in verb.children):
        return False
    if verb.dep_ == "advcl" and verb.head.tag_ in (*_PRESENT, *_TAGGED_AS_NOUNS, "VB", "RB") and _when(verb):
        return not any(child.lower_ in ("did", "would", "could", "has", "have") for child in verb.head.children)
    below = [
        *verb.children,
        *(deeper for child in verb.children if child.lower_ == "soon" for deeper in child.children),
    ]
    return any(
        clause.dep_ == "advcl" and clause.tag_ in (*_PRESENT, *_TAGGED_AS_NOUNS) and _when(clause) for clause in below
    )


def _is_proposed(verb: Token) -> bool:
    """Return whether a verb is part of a proposal: "under the proposal, the agency bans the app"."""
    if verb.tag_ not in _PRESENT:
        return False
    under = [noun for prep in children(verb, "prep") if prep.lower_ == "under" for noun in children(prep, "pobj")]
    return any(noun.lower_ in _PROPOSALS for noun in under)


def _is_left_undone(verb: Token) -> bool:
    """Return whether an act is left undone: "rather than ban it", "far from banning it"."""
    if verb.tag_ not in ("VB", "VBG"):
        return False
    words = [token.lower_ for token in verb.doc[max(0, verb.i - 2) : verb.i]]
    return words in (["rather", "than"], ["far", "from"])


def _was_to_have(verb: Token) -> bool:
    """Return whether a plan failed: "was to have been tested in May"."""
    helpers = {child.lower_ for child in children(verb, "aux")}
    return verb.tag_ == "VBN" and {"to", "have"} <= helpers and verb.head.lower_ in ("was", "were")


def _when(clause: Token) -> bool:
    words = {child.lower_ for child in clause.children if child.dep_ in ("mark", "advmod")}
    return bool(words & _WHEN) or clause.head.lower_ == "soon" and "as" in words


def _were_to(verb: Token) -> bool:
    """Return whether an inverted "were" makes a condition: "Were the bill to pass, ..."."""
    first = verb.sent[0]
    if first.lower_ != "were" or verb.sent.text.rstrip().endswith("?"):
        return False
    return (
        any(child.lower_ == "to" for child in children(verb, "aux"))
        and "," not in verb.sent.text[: verb.idx - first.idx]
    )


def _later(verb: Token) -> bool:
    """Return whether a present tense is about the future: "signs it later today"."""
    if verb.tag_ == "VBG" and not any(aux.lower_ in ("is", "are", "'s", "’s") for aux in children(verb, "aux")):
        return False
    near = [child for child in verb.children if child.dep_ in ("npadvmod", "advmod", "prep")]
    words = [word for child in near for word in (child, *child.children)]
    return any(
        word.lower_ == "later" and word.i + 1 < len(word.doc) and word.nbor(1).lower_ in ("today", "this")
        for word in words
    )


def has_condition_before(trigger: Token) -> bool:
    """Return whether an inverted condition precedes a trigger, whatever the parse attaches it to.

    Example: ", and should violations recur, the ban will be reimposed".
    """
    doc = trigger.doc
    for aux in doc[trigger.sent.start : trigger.i]:
        verb = aux.head
        inverted = aux.lower_ == "should" and any(c.i > aux.i for c in children(verb, "nsubj", "nsubjpass"))
        if inverted and verb.i < trigger.i and any(token.text == "," for token in doc[verb.i : trigger.i]):
            return True
    return False


def is_condition(clause: Token) -> bool:
    """Return whether a clause is a condition: "if it fails", "had it failed"."""
    return any(mark.lower_ in ("if", "unless") for mark in children(clause, "mark")) or any(
        aux.lower_ == "had" and _is_inverted(aux, clause) for aux in children(clause, "aux")
    )


def _is_inverted(had: Token, verb: Token) -> bool:
    """Return whether "had" opens a condition: "Had the board said no, ..."; not a question, not "never had it"."""
    subject = children(verb, "nsubj", "nsubjpass")
    if not subject or had.i > subject[0].i or had.sent.text.rstrip().endswith("?"):
        return False
    return bool(had.is_sent_start) or had.i == 0 or verb.dep_ == "advcl" and had.nbor(-1).is_punct


def has_none(noun: Token) -> bool:
    """Return whether a noun is negated: "no fine", "not a single fine", "neither fine"."""
    return any(
        child.dep_ in ("det", "preconj", "cc")
        and child.lower_ in ("no", "neither")
        or child.dep_ in ("neg", "preconj", "advmod")
        and child.lower_ == "not"
        and not _not_only(child)
        for child in noun.lefts
    )


def _in_case(prep: Token) -> bool:
    """Return whether a phrase is a condition: "in case of a breach", "in the event that it fails"."""
    for noun in children(prep, "pobj"):
        definite = any(child.lower_ == "the" for child in noun.children)
        if noun.lower_ == ("event" if definite else "case") and noun.i + 1 < len(noun.doc):
            return noun.nbor(1).lower_ in ("of", "that")
    return False


def _negated_before(verb: Token) -> bool:
    """Return whether a negation is right before a verb ("not yet to", "never"), whatever the parse attaches it to."""
    for token in reversed(verb.doc[max(0, verb.i - 4) : verb.i]):
        if token.lower_ in ("not", "n't", "n’t", "never"):
            return not _not_only(token)
        if token.dep_ not in ("aux", "auxpass", "advmod", "neg") and token.lower_ != "to":
            return False
    return False


def _not_only(token: Token) -> bool:
    following = token.nbor(1) if token.i + 1 < len(token.doc) else None
    return following is not None and following.lower_ in ("only", "just", "merely")


def or_else(verb: Token, head: Token) -> bool:
    """Return whether a verb names the alternative to an obligation: "must comply or pay a fine"."""
    must = any(aux.lower_ == "must" for aux in children(head, "aux"))
    return must and any(word.lower_ == "or" and word.i < verb.i for word in children(head, "cc"))


def finite(verb: Token) -> Token:
    """Return the finite verb above an infinitive."""
    while verb.tag_ == "VB" and verb.head != verb and is_verb(verb):
        verb = verb.head
    return verb


def is_perfect(verb: Token) -> bool:
    return verb.tag_ == "VBN" and any(aux.lower_ in ("has", "have") for aux in children(verb, "aux"))


def is_stray(verb: Token) -> bool:
    """Return whether the parse mistakes a participle before a noun for a verb: "will give it supervised access"."""
    if verb.tag_ not in ("VBD", "VBN") or verb.dep_ not in ("conj", "advcl") or verb.head.i > verb.i:
        return False
    if not is_verb(verb.head) or children(verb, "nsubj", "nsubjpass", "aux", "auxpass", "mark", "advmod", "prt"):
        return False
    between = verb.doc[verb.head.i + 1 : verb.i]
    joined = any(token.is_punct or token.dep_ in ("cc", "mark") or token.lower_ == "then" for token in between)
    noun = verb.nbor(1) if verb.i + 1 < len(verb.doc) else verb
    return not joined and bool(children(verb.head, "dobj", "dative")) and noun.dep_ in ("dobj", "compound", "amod")


def asks_how(verb: Token) -> bool:
    """Return whether a clause asks how or why a thing was done, which implies that it was."""
    return any(
        child.lower_ in ("why", "how", "when", "where") and child.i < verb.i for child in children(verb, "advmod")
    )


def judgment_cues(copula: Token, cues: Cues) -> None:
    """Collect the cues of a judgment on an act: "it would be wrong to ban it", "it is time to act"."""
    outer = Cues()
    own(copula, outer)
    cues.found |= outer.found - {Modality.NEGATED}
    cues.would = cues.would or outer.would
    expletive = any(child.lower_ == "it" for child in children(copula, "nsubj", "expl"))
    if expletive and copula.tag_ in ("VBZ", "VBP", "VB"):
        cues.found.add(Modality.CONSIDERED)
