"""Determines the modality of a trigger by walking from it up the parse tree through everything that governs it.

Auxiliaries, negation, "if", adverbs, and governing verbs and nouns ("plans to", "has yet to", "denied that", "threat
to") each leave a cue, and the strongest cue decides. Reporting verbs leave none: "X said it signed" is occurred.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipeline.lexicon.speech_verbs import STATING
from pipeline.nlp.modality.auxiliaries import (
    Cues,
    asks_how,
    finite,
    has_condition_before,
    has_none,
    is_condition,
    is_perfect,
    is_stray,
    judgment_cues,
    or_else,
    own,
)
from pipeline.nlp.modality.cues import (
    ACTS,
    ADJECTIVES,
    ADVERBS,
    AWAITING,
    BEFORE_NOUN,
    DROPPED,
    ENABLES,
    FACING,
    GOVERNORS,
    HAPPENING,
    HEARSAY,
    HEARSAY_SUBJECTS,
    IMAGINED,
    IN_FAVOUR,
    MAKING,
    NOUNS,
    OPPOSING_VERBS,
    ORDERING,
    PARTS,
    PLANNING,
    REJECTABLE_NOUNS,
    SANCTION_NOUNS,
    TRANSPARENT,
    governing,
    is_beaten,
    subject_fails,
    unless_negated,
    with_particle,
)
from pipeline.nlp.modality.nouns import (
    after_noun,
    is_hearsay,
    is_imagined,
    is_in_vain,
    is_one_of_many,
    is_prevented,
    is_refuted,
    is_supposed,
    is_to,
    outcome,
    position_of,
    predicate_cues,
    short_of,
)
from pipeline.nlp.parsing.dependencies import SUPPORT, children, is_passive, is_verb
from pipeline.records import Modality

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spacy.tokens import Token

_DEPTH = 9  # steps upwards from the trigger
_EXPECTS = frozenset({"expects", "expected", "expect"})
_TOLD = frozenset({"report", "reveal", "confirm", "disclose", "exclusively"})
_SUPPORT_NOUN = frozenset({"dobj", "nsubjpass", "pobj", "attr", "nsubj", "conj", "oprd"})
# The strongest cue first.
_ORDER = (
    Modality.DENIED,
    Modality.CANCELLED,
    Modality.POSTPONED,
    Modality.NEGATED,
    Modality.CONDITIONAL,
    Modality.CONSIDERED,
    Modality.PLANNED,
    Modality.ALLEGED,
)
_REPORTS = re.compile(
    r"\baccording to (?:(?:some |several |multiple |recent |media |press |news |unconfirmed )*reports?|rumou?rs)\b|"
    r"^(?:reports|rumou?rs) (?:say|suggest|claim|indicate)|\b(?:it (?:has been|was|is)) (?:reported|rumou?red|"
    r"alleged) that\b|"
    r"\b(?:unverified|unconfirmed|unsubstantiated)\b|\bneither \w+ (?:would|could|did) confirm\b|"
    r"\b(?:could|can|ha[sd]|have|did|does|would|were|was) ?(?:not|n['’]t) (?:be |been |yet )*(?:\w+ly )?"
    r"(?:verif(?:y|ied)|confirm(?:ed)?|corroborated?|substantiated?)\b",
    re.IGNORECASE,
)
_ABOUT = frozenset({"for", "of", "on", "about", "at"})
_SAID_OF = frozenset({"said", "believed", "rumored", "rumoured", "alleged", "understood", "reported", "thought"})


def modality_of(
    trigger: Token, sentence: str, base: Modality | None = None, done_by_order: bool = False, fixed: bool = False
) -> Modality:
    """Return the modality of the event that a trigger names.

    Args:
        trigger: The trigger.
        sentence: The text of its sentence.
        base: The modality of the cue by itself ("talks": considered).
        done_by_order: Whether the order is the event ("was ordered to suspend"), so that the ordering verb above the
            trigger does not make it planned.
        fixed: Whether negation and auxiliaries are part of the cue ("cannot accede").
    """
    cues = Cues()
    cues.ordered = done_by_order
    if is_verb(trigger):
        _verb(trigger, cues, 0)
    else:
        _noun(trigger, cues, 0)
    cues.has_if = cues.has_if or has_condition_before(trigger)
    found = cues.found
    if fixed:
        found &= {Modality.DENIED, Modality.ALLEGED}
        cues.would = False
    if _REPORTS.search(sentence):
        found.add(Modality.ALLEGED)
    if IMAGINED.search(sentence):
        found.add(Modality.CONDITIONAL)
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
    fixed_by_cue = base in (Modality.CANCELLED, Modality.POSTPONED, Modality.NEGATED)
    if strongest in (Modality.OCCURRED, Modality.ALLEGED) or fixed_by_cue:
        return base if strongest is not Modality.CONDITIONAL else strongest
    return strongest


def is_negated(verb: Token) -> bool:
    """Return whether a verb is negated, by itself or by what governs it: "refused to budge", "is not going to"."""
    cues = Cues()
    _verb(verb, cues, 0)
    return Modality.NEGATED in cues.found


def modality_of_words(words: Sequence[Token], sentence: str, base: Modality | None = None) -> Modality:
    """Return the modality of an event named by several words ("postponed the signing"): the strongest cue."""
    heads = [word.head if word.dep_ in ("compound", "nmod", "amod") else word for word in words]
    found = {modality_of(word, sentence, base) for word in heads if word.pos_ in ("VERB", "AUX", "NOUN", "ADJ")}
    for modality in (Modality.CANCELLED, Modality.POSTPONED):
        if any(word.lower_ in dict(GOVERNORS)[modality] for word in words):
            found.add(modality)
    return next((modality for modality in _ORDER if modality in found), Modality.OCCURRED)


def _verb(verb: Token, cues: Cues, depth: int) -> None:
    """Collect the cues at a verb, then those of what governs it."""
    own(verb, cues)
    head = verb.head
    if is_stray(verb) and depth <= _DEPTH:
        _verb(head, cues, depth + 1)  # "will give engineers supervised access"
        return
    if head == verb or depth > _DEPTH or any(child.lower_ == "whether" for child in children(verb, "mark")):
        return  # "whether" leaves the event open, whoever asks
    if verb.dep_ in ("ccomp", "csubj", "pcomp") and verb.tag_ in ("VBD", "VBZ", "VBN") and asks_how(verb):
        return  # "it is not clear why it agreed": it did
    infinitive = any(child.lower_ == "to" and child.dep_ == "aux" for child in verb.children)
    dep = verb.dep_
    if dep == "conj" and or_else(verb, head):
        cues.found.add(Modality.CONDITIONAL)
    if dep == "conj":
        main = finite(head)
        if verb.tag_ == "VBD" and head.tag_ == "VB" and is_verb(main.head):  # "did not want to wait and fined it"
            _above(main, cues, depth)
        elif is_verb(head):
            if not children(verb, "nsubj", "nsubjpass", "aux", "auxpass") or infinitive and not children(verb, "nsubj"):
                _verb(head, cues, depth + 1)
            else:
                _above(head, cues, depth)
        return
    if dep in ("xcomp", "ccomp", "advcl", "acl", "pcomp", "relcl", "csubj", "dep", "parataxis", "oprd", "attr"):
        _governed(verb, head, dep, infinitive, cues, depth)


def _above(head: Token, cues: Cues, depth: int) -> None:
    """Continue above a clause coordinated with the one read; its own auxiliaries do not count."""
    if head.dep_ in ("ccomp", "conj", "advcl") and head.head != head and is_verb(head.head) and depth <= _DEPTH:
        _governed(head, head.head, "ccomp" if head.dep_ == "conj" else head.dep_, False, cues, depth + 1)


# One branch per construction, in order of precedence.
def _governed(verb: Token, head: Token, dep: str, infinitive: bool, cues: Cues, depth: int) -> None:  # noqa: C901
    """Collect the cue that a governing word gives to the clause below it."""
    word = head.lower_
    if any(token.text == ";" for token in verb.doc[min(verb.i, head.i) : max(verb.i, head.i)]):
        return  # a separate sentence
    if dep in ("ccomp", "parataxis") and not infinitive and word in _TOLD and verb.i < head.i:
        return  # "The director resigned, the paper can report"
    spliced = dep == "ccomp" and not infinitive and verb.i < head.i and word not in STATING | _EXPECTS
    if spliced and governing(head) is Modality.PLANNED and children(head, "nsubj"):
        return  # two clauses side by side: "Alef has given its word, Bet will sign"
    if dep == "pcomp":
        _preposition(head, cues, depth)
        return
    if dep == "relcl":
        if infinitive and head.pos_ in ("NOUN", "PROPN"):  # "no reason to switch it off", "ten days to comply"
            _noun_governor(head, cues, depth)
        elif word == "time" and any(child.lower_ in ("high", "about") for child in head.lefts):
            cues.found.add(Modality.CONSIDERED)  # "it is high time that the agency fined it"
        return
    if dep == "acl":
        if has_none(head) and not infinitive and any(child.lower_ == "that" for child in children(verb, "mark")):
            cues.found.add(Modality.CONSIDERED)  # "gave no indication that it had"
        if infinitive or word in HEARSAY and any(child.lower_ == "that" for child in children(verb, "mark")):
            _noun_governor(head, cues, depth)
        elif head.dep_ == "attr" and is_verb(head.head):  # "would be the first app blocked by a state"
            outer = Cues()
            own(head.head, outer)
            cues.found |= outer.found & {Modality.PLANNED, Modality.CONSIDERED}
            cues.would = cues.would or outer.would
        return
    if not is_verb(head):
        if head.pos_ == "ADJ" and word not in ADJECTIVES and infinitive and is_verb(head.head):
            judgment_cues(head.head, cues)
        elif word in ADJECTIVES:
            cues.found.add(ADJECTIVES[word])
            if is_verb(head.head):
                own(head.head, cues)
                if head.head.dep_ in ("ccomp", "xcomp"):
                    _governed(head.head, head.head.head, head.head.dep_, False, cues, depth + 1)
        elif head.pos_ in ("NOUN", "PROPN"):
            _noun_governor(head, cues, depth)
        return
    if word in STATING and dep in ("ccomp", "parataxis") and not infinitive:
        if word in ("claim", "claims", "claimed", "claiming"):
            cues.found.add(Modality.ALLEGED)
        if any(child.lower_ in HEARSAY_SUBJECTS and not children(child, "poss") for child in children(head, "nsubj")):
            cues.found.add(Modality.ALLEGED)  # "several outlets reported that it had"
        if cues.never:
            cues.found.add(Modality.DENIED)
        if head.tag_ in ("VBD", "VBN", "VBG") or children(head, "aux"):
            cues.past_report = True
        if any(child.lower_ in ADVERBS for child in children(head, "advmod")):
            cues.found.update(ADVERBS[child.lower_] for child in children(head, "advmod") if child.lower_ in ADVERBS)
        if any(is_condition(clause) for clause in children(head, "advcl")):
            cues.has_if = True
        return
    if word == "going" and infinitive or word in ("is", "are", "was", "were") and dep == "xcomp" and infinitive:
        cues.found.add(Modality.PLANNED)
        own(head, cues)
        return
    if word in ENABLES and dep in ("xcomp", "ccomp"):  # "the act lets the office ask": it may, it has not
        cues.found.add(Modality.CONSIDERED)
        return
    if is_hearsay(head) and dep == "ccomp":
        cues.found.add(Modality.ALLEGED)
    if infinitive and (is_in_vain(head) or subject_fails(head)):
        cues.found.add(Modality.NEGATED)
    if word in _SAID_OF and infinitive and is_passive(head):  # "is understood to have signed"
        cues.found.add(Modality.ALLEGED)
        _verb(head, cues, depth + 1)
        return
    cue = governing(head)
    if unless_negated(head, cue) is not cue:  # "cannot rule out banning", "did not fail to sign"
        cues.found |= {each for each in (unless_negated(head, cue),) if each is not None}
        return
    if dep == "advcl" and not infinitive:
        _adverbial(verb, head, cues, depth)
        return
    if dep == "advcl" and head.pos_ == "AUX" and infinitive and (position := position_of(head)) is not None:
        cues.found.add(position)
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


def _adverbial(verb: Token, head: Token, cues: Cues, depth: int) -> None:
    """Collect the cues of an adverbial clause; a participle without a subject shares those of its sentence."""
    marks = {child.lower_ for child in children(verb, "mark", "advmod")}
    if verb.tag_ == "VBG" and verb.i - head.i == 2 and (particle := with_particle(head)) is not None:
        cues.found.add(particle)  # "held off suing"
    if "before" in marks and subject_fails(head):  # "talks broke down before an agreement was signed"
        cues.found.add(Modality.NEGATED)
    if marks & {"until", "till", "before"} and (verb.tag_ in ("VBZ", "VBP") or is_perfect(verb)):
        cues.found.add(Modality.PLANNED)  # "until the office has tested it"
    if verb.tag_ == "VBG" and not marks and not children(verb, "nsubj"):
        outer = Cues()
        _verb(head, outer, depth + 1)
        cues.found |= outer.found & {Modality.PLANNED, Modality.CONSIDERED, Modality.CONDITIONAL}
        cues.would = cues.would or outer.would
        cues.past_report = cues.past_report or outer.past_report


def _preposition(prep: Token, cues: Cues, depth: int) -> None:
    """Collect the cues of a preposition before a gerund: "without signing", "held off on issuing"."""
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
    if (barred := short_of(prep)) is not None:
        cues.found.add(barred)
        return
    if word in ("before", "until"):
        return
    if is_verb(head):
        cue = governing(head)
        if cue is not None and word in ("of", "to", "on", "about", "for", "against", "in"):
            cues.found.add(cue)
        _verb(head, cues, depth + 1)
    elif head.pos_ in ("NOUN", "PROPN"):
        if word == "for" and head.lower_ in IN_FAVOUR:
            cues.found.add(Modality.CONSIDERED)
        _noun_governor(head, cues, depth)
    elif head.lower_ in ADJECTIVES:
        came = head.lower_ in ("close", "near") and head.head.lower_ in ("came", "come")
        cues.found.add(Modality.NEGATED if came else ADJECTIVES[head.lower_])  # "came close to banning it"


# The branches share their state.
def _noun_governor(noun: Token, cues: Cues, depth: int) -> None:  # noqa: C901
    """Collect the cues of a noun that governs a clause: "plan to", "threat of", "failure to"."""
    if noun.dep_ == "npadvmod" and noun.head.pos_ in ("NOUN", "PROPN") and noun.head.i < noun.i:
        noun = noun.head  # "its decision last month to ban it"
    word = noun.lower_
    cue = next((modality for modality, forms in NOUNS if word in forms), None)
    if cues.ordered and cue is Modality.PLANNED:
        cue, cues.ordered = None, False
    if cue is not None:
        cues.found.add(cue)
    if word in ("choice", "option", "alternative"):
        cues.found.add(Modality.PLANNED)
    elif has_none(noun) or any(child.lower_ == "little" for child in children(noun, "amod")):
        cues.found.add(Modality.NEGATED)
    head = noun.head
    if cue is not None:
        outcome(noun, cues)
    told = head.head if noun.dep_ == "pobj" and not is_verb(head) else head
    if word in HEARSAY and is_verb(told):
        cues.found.add(Modality.DENIED if is_refuted(noun, told) else HEARSAY[word])
    if cue is not None and noun.dep_ == "nsubjpass" and head.lower_ in DROPPED:
        cues.found.add(Modality.CANCELLED)
    if cue is not None and noun.dep_ in ("dobj", "pobj") and depth <= _DEPTH:
        verb = head if is_verb(head) else head.head
        if is_verb(verb):
            outer = Cues()
            own(verb, outer)
            cues.found |= outer.found & {Modality.NEGATED, Modality.CONDITIONAL}
            if verb.lower_ in DROPPED or with_particle(verb) is Modality.CANCELLED:
                cues.found.add(Modality.CANCELLED)
            elif with_particle(verb) is Modality.NEGATED:
                cues.found.add(Modality.NEGATED)  # "passed up a chance to"


def _made_in(noun: Token, cues: Cues, depth: int) -> None:
    """Collect the cues of a relative clause on the making of an act: "a board that the policy proposed to create"."""
    for clause in children(noun, "relcl"):
        verb = clause
        while (inner := next(iter(children(verb, "xcomp", "ccomp")), None)) is not None and is_verb(inner):
            verb = inner
        subject = children(clause, "nsubj")
        done_by_other = bool(subject) and subject[0].lower_ not in ("that", "which", "who")
        if verb.lower_ in MAKING and (done_by_other or children(verb, "nsubjpass") or is_passive(verb)):
            _verb(verb, cues, depth + 1)


# One branch per construction, in order of precedence.
def _noun(noun: Token, cues: Cues, depth: int) -> None:  # noqa: C901
    """Collect the cues at an eventive noun: those of its modifiers, then those of the verb it completes."""
    before = [inner for child in children(noun, "compound", "nmod", "amod") for inner in child.lefts]
    for child in (*noun.children, *before):  # "a draft AI order": "draft" may be attached to "AI"
        word = child.lower_
        if child.dep_ in ("amod", "compound", "nmod", "advmod") and word in BEFORE_NOUN:
            cues.found.add(BEFORE_NOUN[word])
        if child.dep_ == "amod" and word in ADVERBS:
            cues.found.add(ADVERBS[word])
    if has_none(noun):
        cues.found.add(Modality.NEGATED)
    after_noun(noun, cues)
    _made_in(noun, cues, depth)
    head = noun.head
    if head == noun or depth > _DEPTH:
        return
    if noun.dep_ == "pobj":
        word = head.lower_
        if (barred := short_of(head)) is not None:
            cues.found.add(barred)
            return
        governed = head.head
        if word == "of" and (governed.lower_ in ACTS or governed.lower_ in PARTS) and depth <= _DEPTH:
            _noun(governed, cues, depth + 1)  # "postponed the signing of an agreement"
            if governed.lower_ in PARTS:
                return
        if governed.pos_ in ("NOUN", "PROPN") and governed is not head:
            cue = next((modality for modality, forms in NOUNS if governed.lower_ in forms), None)
            if cue is not Modality.PLANNED and cue is not None and word in ("of", "for", "to", "on", "about"):
                cues.found.add(cue)
                outcome(governed, cues)
            elif word == "for" and governed.lower_ in IN_FAVOUR and is_one_of_many(noun):
                cues.found.add(Modality.CONSIDERED)
            if word in ("on", "to") and is_verb(governed.head) and (idiom := with_particle(governed.head)) is not None:
                cues.found.add(idiom)  # "pulled the plug on the launch"
            if has_none(governed) and (cue is not None or governed.lower_ in IN_FAVOUR):
                cues.found.add(Modality.NEGATED)
            return
        if word == "on" and is_verb(governed) and (idiom := with_particle(governed)) is not None:
            cues.found.add(idiom)  # "hit the brakes on the launch"
        if is_one_of_many(noun) and (verb := governed if is_verb(governed) else governed.head) is not None:
            particle = with_particle(verb) if is_verb(verb) else None
            outer = Cues()
            own(verb, outer)
            if is_verb(governed):  # "can result in a fine"
                cues.found |= outer.found & {Modality.CONSIDERED, Modality.CONDITIONAL}
                cues.would = cues.would or outer.would
            if particle not in (None, Modality.PLANNED):
                cues.found.add(particle)  # "backed away from a ban"
            elif word == "for" and verb.lower_ in AWAITING:
                cues.found.add(Modality.CONSIDERED)
        if is_verb(governed) and word in ("for", "on", "to", "about", "with", "of", "at"):
            cue = governing(governed)
            if cue in (Modality.CONSIDERED, Modality.DENIED, Modality.ALLEGED) and word in _ABOUT:
                cues.found.add(cue)
        return
    if noun.dep_ == "conj" and head.pos_ in ("NOUN", "PROPN"):
        _noun(head, cues, depth + 1)
        return
    if noun.dep_ in _SUPPORT_NOUN and is_verb(head):
        cue = unless_negated(head, governing(head, planned=False))
        if (
            cue is not None
            and noun.dep_ in ("dobj", "nsubjpass")
            and (head.lower_ not in OPPOSING_VERBS or noun.lower_ in SANCTION_NOUNS)
        ):
            cues.found.add(cue)
        if noun.dep_ == "dobj" and head.lower_ in FACING and noun.lower_ in SANCTION_NOUNS and is_one_of_many(noun):
            cues.found.add(Modality.CONSIDERED)
        if noun.dep_ == "dobj" and head.lower_ in PLANNING and is_one_of_many(noun):
            cues.found.add(Modality.PLANNED)
        if is_prevented(noun, head) or is_beaten(head) and noun.lower_ in REJECTABLE_NOUNS and is_one_of_many(noun):
            cues.found.add(Modality.NEGATED)
        if noun.dep_ == "nsubj":
            predicate_cues(noun, head, cues)
        if noun.dep_ == "nsubj" and head.lower_ not in HAPPENING and is_supposed(noun, head):
            cues.found.add(Modality.CONDITIONAL)
        if noun.dep_ == "nsubjpass" and head.lower_ in ("set", "scheduled", "expected", "planned", "slated"):
            cues.found.add(Modality.PLANNED)
        if noun.dep_ == "nsubj" and is_imagined(noun, head):
            cues.found.add(Modality.CONDITIONAL)
        if noun.dep_ in ("nsubj", "nsubjpass") and (head.lower_ in ("headed", "bound", "due") or is_to(head)):
            cues.found.add(Modality.PLANNED)
        if noun.dep_ == "nsubj" and head.lower_ in HAPPENING:
            _verb(head, cues, depth + 1)
            return
        if noun.dep_ == "nsubj" and not is_passive(head) and head.dep_ != "ROOT":
            return
        lends = head.lower_ in SUPPORT or not children(noun, "poss")
        if (
            noun.dep_ in ("dobj", "nsubjpass", "attr")
            and lends
            or head.lower_ in ("is", "was", "remains", "looms", "follows")
        ):
            _verb(head, cues, depth + 1)
