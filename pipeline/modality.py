"""A trigger in its parse -> how sure the sentence is of the event: from the trigger upwards through all that governs
it.

Auxiliaries, negation, "if", adverbs, and governing verbs and nouns ("plans to", "has yet to", "denied that", "threat
to") each leave a cue; of several cues the strongest decides. Reporting verbs leave none: "X said
it signed" is occurred.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipeline.modalwords import (
    ACTS,
    ADJECTIVES,
    ADVERBS,
    AUXILIARIES,
    BEFORE_NOUN,
    DROPPED,
    ENABLES,
    GOVERNORS,
    HEARSAY,
    NOUNS,
    ORDERING,
    REFUTES,
    TRANSPARENT,
    UNTRUE,
    governing,
)  # fmt: skip
from pipeline.phrasing import SAY
from pipeline.records import Modality
from pipeline.syntax import SUPPORT, children, is_passive, is_verb

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spacy.tokens import Token

_DEPTH = 9  # steps upwards from the trigger
_TOLD = frozenset({"report", "reveal", "confirm", "disclose", "exclusively"})
_NO_SUBJECT = frozenset({"no", "none", "nobody", "neither"})
_SUPPORT_NOUN = frozenset({"dobj", "nsubjpass", "pobj", "attr", "nsubj", "conj", "oprd"})
# The strongest cue first.
_ORDER = (
    Modality.DENIED, Modality.CANCELLED, Modality.POSTPONED, Modality.NEGATED, Modality.CONDITIONAL,
    Modality.CONSIDERED,
    Modality.PLANNED, Modality.ALLEGED,
)  # fmt: skip
_REPORTS = re.compile(
    r"\baccording to (?:(?:some |several |multiple |recent |media |press |news |unconfirmed )*reports?|rumou?rs)\b|"
    r"^(?:reports|rumou?rs) (?:say|suggest|claim|indicate)|\b(?:it (?:has been|was|is)) (?:reported|rumou?red|"
    r"alleged) that\b|"
    r"\b(?:are|is|was|were) (?:said|believed|rumou?red|alleged|understood|reported) to\b", re.IGNORECASE,
)  # fmt: skip


class _Cues:
    """What was met on the way up."""

    def __init__(self) -> None:
        self.found: set[Modality] = set()
        self.would = self.reported = self.past_report = self.in_if = self.has_if = self.ordered = self.never = False


def modality_of(
    trigger: Token, sentence: str, base: Modality | None = None, done_by_order: bool = False, fixed: bool = False
) -> Modality:
    """Return the modality of the event that a trigger names.

    `base` is what the cue means by itself ("talks": considered). `done_by_order`: the order is itself the event ("was
    ordered to suspend"), so the ordering verb above the trigger plans nothing. `fixed`: negation and auxiliaries are
    part
    of the cue ("cannot accede").
    """
    cues = _Cues()
    cues.ordered = done_by_order
    if is_verb(trigger):
        _verb(trigger, cues, 0)
    else:
        _noun(trigger, cues, 0)
    found = cues.found
    if fixed:
        found &= {Modality.DENIED, Modality.ALLEGED}
        cues.would = False
    if _REPORTS.search(sentence):
        found.add(Modality.ALLEGED)
    if cues.would:
        found.add(Modality.PLANNED if cues.past_report and not cues.has_if else Modality.CONDITIONAL)
    if cues.in_if:
        found.add(Modality.CONDITIONAL)
        found.discard(Modality.NEGATED)
    if cues.has_if and (found & {Modality.PLANNED, Modality.CONSIDERED} or trigger.tag_ in ("VB", "VBZ", "VBP")):
        found.add(Modality.CONDITIONAL)
    if sentence.rstrip("\"”’' ").endswith("?"):
        found.add(Modality.CONSIDERED)
    strongest = next((modality for modality in _ORDER if modality in found), Modality.OCCURRED)
    if base is None or base is Modality.OCCURRED:
        return strongest
    if strongest in (Modality.OCCURRED, Modality.ALLEGED) or base in (
        Modality.CANCELLED,
        Modality.POSTPONED,
        Modality.NEGATED,
    ):
        return base if strongest is not Modality.CONDITIONAL else strongest
    return strongest


def is_negated(verb: Token) -> bool:
    """Tell whether a verb is negated, by itself or by what governs it: "refused to budge", "is not going to"."""
    cues = _Cues()
    _verb(verb, cues, 0)
    return Modality.NEGATED in cues.found


def modality_of_words(words: Sequence[Token], sentence: str, base: Modality | None = None) -> Modality:
    """Return the modality of an event that several words name together ("postponed the signing"): the strongest cue."""
    heads = [word.head if word.dep_ in ("compound", "nmod") else word for word in words]
    found = {modality_of(word, sentence, base) for word in heads if word.pos_ in ("VERB", "AUX", "NOUN", "ADJ")}
    for modality in (Modality.CANCELLED, Modality.POSTPONED):
        if any(word.lower_ in dict(GOVERNORS)[modality] for word in words):
            found.add(modality)
    return next((modality for modality in _ORDER if modality in found), Modality.OCCURRED)


def _verb(verb: Token, cues: _Cues, depth: int) -> None:
    """Read the cues at a verb and go on to what governs it."""
    _own(verb, cues)
    head = verb.head
    if head == verb or depth > _DEPTH:
        return
    infinitive = any(child.lower_ == "to" and child.dep_ == "aux" for child in verb.children)
    dep = verb.dep_
    if dep == "conj":
        if is_verb(head):
            if not children(verb, "nsubj", "nsubjpass", "aux", "auxpass") or infinitive and not children(verb, "nsubj"):
                _verb(head, cues, depth + 1)
            else:
                _above(head, cues, depth)
        return
    if dep in ("xcomp", "ccomp", "advcl", "acl", "pcomp", "relcl", "csubj", "dep", "parataxis", "oprd", "attr"):
        _governed(verb, head, dep, infinitive, cues, depth)


def _above(head: Token, cues: _Cues, depth: int) -> None:
    """Go on above a clause that is co-ordinate with the one read: its own auxiliaries do not count."""
    if head.dep_ in ("ccomp", "conj", "advcl") and head.head != head and is_verb(head.head) and depth <= _DEPTH:
        _governed(head, head.head, "ccomp" if head.dep_ == "conj" else head.dep_, False, cues, depth + 1)


def _own(verb: Token, cues: _Cues) -> None:
    before_subject = False
    if _negated_before(verb):
        cues.found.add(Modality.NEGATED)
    for child in verb.children:
        word = child.lower_
        if child.dep_ == "neg" or word in ("not", "n't", "n’t"):
            cues.never = cues.never or word == "never"
            if not any(grand.lower_ == "only" for grand in (child, *child.rights)) and not _not_only(child):
                cues.found.add(Modality.NEGATED)
        elif child.dep_ in ("aux", "auxpass"):
            if word in ("would", "'d", "’d") and child.tag_ == "MD":
                cues.would = True
            elif word in AUXILIARIES and child.tag_ == "MD":
                subject = children(verb, "nsubj", "nsubjpass")
                before_subject = word == "should" and bool(subject) and child.i < subject[0].i
                cues.found.add(Modality.CONDITIONAL if before_subject else AUXILIARIES[word])
                cues.in_if = cues.in_if or before_subject
        elif child.dep_ == "mark":
            if word in ("if", "unless", "once", "lest"):
                cues.in_if = True
            elif word == "whether":
                cues.found.add(Modality.CONSIDERED)
        elif child.dep_ == "prep" and word == "in" and _in_case(child):
            cues.found.add(Modality.CONDITIONAL)
        elif child.dep_ == "advmod":
            if word in ADVERBS:
                cues.found.add(ADVERBS[word])
                cues.never = cues.never or word == "never"
            elif (
                word == "yet"
                and verb.lower_ in ("has", "have", "had", "is", "are", "was")
                or word == "longer"
                and any(grand.lower_ == "no" for grand in child.children)
            ):
                cues.found.add(Modality.NEGATED)
        elif child.dep_ in ("nsubj", "nsubjpass", "dobj") and child.i < verb.i + 6:
            if child.lower_ in _NO_SUBJECT or any(g.lower_ == "no" and g.dep_ == "det" for g in child.children):
                cues.found.add(Modality.NEGATED)
        elif child.dep_ == "advcl" and any(m.lower_ in ("if", "unless") for m in children(child, "mark")):
            cues.has_if = True
        elif child.dep_ == "prep" and word == "without" and verb.dep_ == "ROOT":
            continue


def _in_case(prep: Token) -> bool:
    """Tell whether a phrase names a condition: "in case of a breach", "in the event that it fails"."""
    for noun in children(prep, "pobj"):
        definite = any(child.lower_ == "the" for child in noun.children)
        if noun.lower_ == ("event" if definite else "case") and noun.i + 1 < len(noun.doc):
            return noun.nbor(1).lower_ in ("of", "that")
    return False


def _negated_before(verb: Token) -> bool:
    """Tell whether "not yet to", "never" or the like stands right before a verb, whatever the parse hangs it on."""
    for token in reversed(verb.doc[max(0, verb.i - 4) : verb.i]):
        if token.lower_ in ("not", "n't", "n’t", "never"):
            return not _not_only(token)
        if token.dep_ not in ("aux", "auxpass", "advmod", "neg") and token.lower_ != "to":
            return False
    return False


def _not_only(token: Token) -> bool:
    following = token.nbor(1) if token.i + 1 < len(token.doc) else None
    return following is not None and following.lower_ in ("only", "just", "merely")


def _governed(verb: Token, head: Token, dep: str, infinitive: bool, cues: _Cues, depth: int) -> None:
    """Read what a governing word makes of the clause below it."""
    word = head.lower_
    if dep in ("ccomp", "parataxis") and not infinitive and word in _TOLD and verb.i < head.i:
        return  # "The director resigned, the paper can report"
    if dep == "pcomp":
        _preposition(head, cues, depth)
        return
    if dep == "relcl":
        if infinitive and head.pos_ in ("NOUN", "PROPN"):  # "no reason to switch it off", "ten days to comply"
            _noun_governor(head, cues, depth)
        return
    if dep == "acl":
        if infinitive:
            _noun_governor(head, cues, depth)
        elif head.dep_ == "attr" and is_verb(head.head):  # "would be the first app blocked by a state"
            outer = _Cues()
            _own(head.head, outer)
            cues.found |= outer.found & {Modality.PLANNED, Modality.CONSIDERED}
            cues.would = cues.would or outer.would
        return
    if not is_verb(head):
        if word in ADJECTIVES:
            cues.found.add(ADJECTIVES[word])
            if is_verb(head.head):
                _own(head.head, cues)
                if head.head.dep_ in ("ccomp", "xcomp"):
                    _governed(head.head, head.head.head, head.head.dep_, False, cues, depth + 1)
        elif head.pos_ in ("NOUN", "PROPN"):
            _noun_governor(head, cues, depth)
        return
    if word in SAY and dep in ("ccomp", "parataxis") and not infinitive:
        cues.reported = True
        if word in ("claim", "claims", "claimed", "claiming"):
            cues.found.add(Modality.ALLEGED)
        if cues.never:
            cues.found.add(Modality.DENIED)
        if head.tag_ in ("VBD", "VBN", "VBG") or children(head, "aux"):
            cues.past_report = True
        if any(child.lower_ in ADVERBS for child in children(head, "advmod")):
            cues.found.update(ADVERBS[child.lower_] for child in children(head, "advmod") if child.lower_ in ADVERBS)
        if any(
            child.dep_ == "advcl" and any(m.lower_ == "if" for m in children(child, "mark")) for child in head.children
        ):
            cues.has_if = True
        return
    if word == "going" and infinitive or word in ("is", "are", "was", "were") and dep == "xcomp" and infinitive:
        cues.found.add(Modality.PLANNED)
        _own(head, cues)
        return
    if word in ENABLES and dep in ("xcomp", "ccomp"):  # "the act lets the office ask": it may, it has not
        cues.found.add(Modality.CONSIDERED)
        return
    cue = governing(head)
    if dep == "advcl" and not infinitive:
        _adverbial(verb, head, cues, depth)
        return
    if cues.ordered and (cue is Modality.PLANNED or word in ORDERING):
        cues.ordered = False
        _verb(head, cues, depth + 1)
        return
    if word == "worked" and infinitive:
        _verb(head, cues, depth + 1)
        return
    if word in ("has", "have", "had") and infinitive:
        cues.found.add(Modality.NEGATED if any(c.lower_ == "yet" for c in head.children) else Modality.PLANNED)
        return
    if cue is not None and (infinitive or dep in ("xcomp", "ccomp")):
        if not (
            cue is Modality.PLANNED
            and not infinitive
            and dep == "ccomp"
            and word not in ("expected", "expects", "expect")
        ):
            cues.found.add(cue)
    elif (
        infinitive
        and word not in TRANSPARENT
        and not is_passive(head)
        or (
            infinitive
            and is_passive(head)
            and word not in TRANSPARENT
            and word not in ("found", "seen", "made", "forced")
        )
    ):
        cues.found.add(Modality.PLANNED)
    _verb(head, cues, depth + 1)


def _adverbial(verb: Token, head: Token, cues: _Cues, depth: int) -> None:
    """A participle clause shares the certainty of its sentence only where it has no subject: "would ..., barring X"."""
    marks = {child.lower_ for child in children(verb, "mark", "advmod")}
    if verb.tag_ == "VBG" and not marks and not children(verb, "nsubj"):
        outer = _Cues()
        _verb(head, outer, depth + 1)
        cues.found |= outer.found & {Modality.PLANNED, Modality.CONSIDERED, Modality.CONDITIONAL}
        cues.would = cues.would or outer.would
        cues.past_report = cues.past_report or outer.past_report


def _preposition(prep: Token, cues: _Cues, depth: int) -> None:
    word, head = prep.lower_, prep.head
    governor = head if is_verb(head) else head.head
    if is_verb(governor) and (cue := governing(governor, planned=False)) not in (None, Modality.CONSIDERED):
        cues.found.add(cue)  # "held off on issuing", "stopped short of signing"
        return
    if word in ("without", "than", "instead") or word == "of" and head.lower_ in ("instead", "short"):
        cues.found.add(Modality.NEGATED)
        return
    if word == "from" and is_verb(head):
        cues.found.add(Modality.CONSIDERED)
        return
    if word in ("before", "until"):
        return
    if is_verb(head):
        cue = governing(head)
        if cue is not None and word in ("of", "to", "on", "about", "for", "against", "in"):
            cues.found.add(cue)
        _verb(head, cues, depth + 1)
    elif head.pos_ in ("NOUN", "PROPN"):
        _noun_governor(head, cues, depth)
    elif head.lower_ in ADJECTIVES:
        cues.found.add(ADJECTIVES[head.lower_])


def _noun_governor(noun: Token, cues: _Cues, depth: int) -> None:
    word = noun.lower_
    cue = next((modality for modality, forms in NOUNS if word in forms), None)
    if cues.ordered and cue is Modality.PLANNED:
        cue, cues.ordered = None, False
    if cue is not None:
        cues.found.add(cue)
    if word in ("choice", "option", "alternative"):
        cues.found.add(Modality.PLANNED)
    elif any(child.lower_ == "no" and child.dep_ == "det" for child in noun.children):
        cues.found.add(Modality.NEGATED)
    head = noun.head
    if word in HEARSAY and is_verb(head):
        cues.found.add(Modality.DENIED if _is_refuted(noun, head) else HEARSAY[word])
    if cue is not None and noun.dep_ == "nsubjpass" and head.lower_ in DROPPED:
        cues.found.add(Modality.CANCELLED)
    if cue is not None and noun.dep_ in ("dobj", "pobj") and depth <= _DEPTH:
        verb = head if is_verb(head) else head.head
        if is_verb(verb):
            outer = _Cues()
            _own(verb, outer)
            cues.found |= outer.found & {Modality.NEGATED, Modality.CONDITIONAL}
            if verb.lower_ in DROPPED:
                cues.found.add(Modality.CANCELLED)


def _is_to(verb: Token) -> bool:
    """Tell whether a verb only sets a thing to come: "is to be heard", "was to have been announced"."""
    return verb.lower_ in ("is", "are", "was", "were") and any(
        child.lower_ == "to" for clause in children(verb, "xcomp") for child in children(clause, "aux")
    )


def _is_refuted(noun: Token, verb: Token) -> bool:
    """Tell whether somebody says that a report is wrong: "denied a report that", "claims that ... are untrue"."""
    if noun.dep_ in ("dobj", "nsubjpass", "pobj"):
        return verb.lower_ in REFUTES
    return noun.dep_ == "nsubj" and any(child.lower_ in UNTRUE for child in children(verb, "acomp", "attr", "oprd"))


_BRINGING = frozenset(
    """lead result mean trigger cause prompt set mark bring force hurt harm damage delay slow speed accelerate help
    affect change reshape end open expose cost undermine strengthen weaken raise create""".split()  # noqa: SIM905
)


def _is_imagined(noun: Token, verb: Token) -> bool:
    """Tell whether a noun without "the" might bring something: "resistance from Meta could lead to tensions"."""
    if verb.lower_ not in _BRINGING or not any(
        aux.lower_ in ("could", "might", "would") for aux in children(verb, "aux")
    ):
        return False
    return not any(
        child.dep_ == "poss" or child.dep_ == "det" and child.lower_ not in ("a", "an", "any", "such")
        for child in noun.children
    )


def _noun(noun: Token, cues: _Cues, depth: int) -> None:
    """Read the cues at an eventive noun: its modifiers, then the verb it completes."""
    for child in noun.children:
        word = child.lower_
        if child.dep_ in ("amod", "compound", "nmod", "advmod") and word in BEFORE_NOUN:
            cues.found.add(BEFORE_NOUN[word])
        if child.dep_ in ("det", "neg") and word in ("no", "not"):
            cues.found.add(Modality.NEGATED)
        if child.dep_ == "amod" and word in ADVERBS:
            cues.found.add(ADVERBS[word])
    head = noun.head
    if head == noun or depth > _DEPTH:
        return
    if noun.dep_ == "pobj":
        word = head.lower_
        if word == "without":
            cues.found.add(Modality.NEGATED)
            return
        governed = head.head
        if word == "of" and governed.lower_ in ACTS and depth <= _DEPTH:
            _noun(governed, cues, depth + 1)  # "postponed the signing of an agreement"
        if governed.pos_ in ("NOUN", "PROPN") and governed is not head:
            cue = next((modality for modality, forms in NOUNS if governed.lower_ in forms), None)
            if cue is not Modality.PLANNED and cue is not None and word in ("of", "for", "to", "on", "about"):
                cues.found.add(cue)
                if any(child.lower_ == "no" for child in governed.children):
                    cues.found.add(Modality.NEGATED)
            return
        if is_verb(governed) and word in ("for", "on", "to", "about", "with", "of"):
            cue = governing(governed)
            if cue in (Modality.CONSIDERED, Modality.DENIED, Modality.ALLEGED) and word in ("for", "of", "on", "about"):
                cues.found.add(cue)
        return
    if noun.dep_ == "conj" and head.pos_ in ("NOUN", "PROPN"):
        _noun(head, cues, depth + 1)
        return
    if noun.dep_ in _SUPPORT_NOUN and is_verb(head):
        cue = governing(head, planned=False)
        if (
            cue is not None
            and noun.dep_ in ("dobj", "nsubjpass")
            and head.lower_ not in ("rejected", "rejects", "reject")
        ):
            cues.found.add(cue)
        if noun.dep_ == "nsubjpass" and head.lower_ in ("set", "scheduled", "expected", "planned", "slated"):
            cues.found.add(Modality.PLANNED)
        if noun.dep_ == "nsubj" and _is_imagined(noun, head):
            cues.found.add(Modality.CONDITIONAL)
        if noun.dep_ in ("nsubj", "nsubjpass") and (head.lower_ in ("headed", "bound", "due") or _is_to(head)):
            cues.found.add(Modality.PLANNED)
        if noun.dep_ == "nsubj" and not is_passive(head) and head.dep_ != "ROOT":
            return
        lends = head.lower_ in SUPPORT or not children(noun, "poss")
        if (
            noun.dep_ in ("dobj", "nsubjpass", "attr")
            and lends
            or head.lower_ in ("is", "was", "remains", "looms", "follows")
        ):
            _verb(head, cues, depth + 1)
