"""Selects the time expressions that can date a trigger, by the clauses of its parsed sentence.

In "Halden, which signed a pact in July, wants more" the month belongs to another clause.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from pipeline.lexicon.inflection import words
from pipeline.lexicon.speech_verbs import STATING
from pipeline.nlp.dates.expressions import DateMention
from pipeline.nlp.parsing.dependencies import children, is_verb

if TYPE_CHECKING:
    from spacy.tokens import Span, Token

_ASIDES = ("relcl", "acl")  # clauses that modify a noun
_BEFORE = frozenset({"after", "following", "since", "despite"})
_COMES = words("come comes came coming land lands landed arrive arrives arrived follow follows followed")
_IN_RESPONSE = frozenset({"response", "reaction", "reply", "answer"})
_KEEPS = words("keep keeps kept leave leaves left hold holds held")
_NOT_PAST = frozenset({"will", "would", "may", "might", "could", "can", "should", "must", "shall", "to"})
_TIMES = words("days weeks months years decades year month decade")
_AWAITED = frozenset({"due", "set", "scheduled", "slated", "expected", "planned", "supposed", "meant"})
_LIMITS = frozenset({"by", "until", "till", "before"})


def dates_for(trigger: Token, sent: Span, start: int, dates: Sequence[DateMention]) -> list[DateMention]:
    """Return the expressions that can date a trigger, without those of other clauses.

    A clause that modifies the trigger itself dates it: "the pact signed in July". Of two verbs joined by "and" each
    keeps its own date: "filed on May 2 and won on May 9".

    Args:
        trigger: The trigger.
        sent: Its sentence.
        start: The offset of the parsed passage in the text.
        dates: The time expressions of the text.
    """
    holders = {trigger.i, *(token.i for token in trigger.ancestors)}
    mine = [each for each in dates if not _dates_another(each, sent, start, trigger, holders)]
    verb = _verb_of(trigger)
    if verb is not None:
        mine = _of_own_clause(mine, sent, start, verb)
        mine = [_placed(each, sent, start, trigger, verb) for each in mine]
    return [_counted_back(each, sent, start, trigger) if each.back else each for each in mine]


def _of_own_clause(dates: Sequence[DateMention], sent: Span, start: int, verb: Token) -> list[DateMention]:
    """Drop the dates of the verbs joined to `verb` by "and", if it has a date of its own."""
    joined = set(_joined(verb)) - {verb}
    places = {each: token for each in dates if (token := _first_token(sent, each.start - start)) is not None}
    holder = {each: _verb_of(token) for each, token in places.items()}
    own = [
        each
        for each, found in holder.items()
        if found is not None
        and _holds(verb, found)
        and (verb.tag_ == "VB" or not _is_limited(places[each]))  # "gave it until Friday": not when it gave it
    ]
    if not joined or not own:
        return list(dates)
    return [each for each in dates if holder.get(each) not in joined]


def _holds(verb: Token, lower: Token) -> bool:
    """Return whether a verb is in the clause of another, not merely joined to it."""
    while lower != verb:
        if lower.dep_ == "conj" and is_verb(lower) or lower.head == lower:
            return False
        lower = lower.head
    return True


def _placed(each: DateMention, sent: Span, start: int, trigger: Token, verb: Token) -> DateMention:
    """Mark an expression as `own`, `opening` or `spoken` with respect to a trigger; see `DateMention`."""
    token = _first_token(sent, each.start - start)
    if token is not None and _depends_on(token, trigger):
        each = replace(each, own=True)
    if token is None or token.i >= trigger.i:
        return each
    span = sent.doc.char_span(each.start - start, each.end - start, alignment_mode="expand")
    if span is None:
        return each
    last = span[-1]
    after = [word for word in sent.doc[last.i + 1 : last.i + 3] if word.lower_ != ","][:1]
    if after and after[0].lower_ == "when" and (after[0].head == verb or after[0].head.is_ancestor(verb)):
        return replace(each, opening=True)  # "on Thursday, when the court ruled"
    holder = _verb_of(token)
    if holder is None:
        return each
    if holder.lower_ in STATING and holder.tag_ in ("VBD", "VBN") and _is_reported(verb, holder):
        return replace(each, spoken=True)
    fronted = any(subject.i > last.i for subject in children(holder, "nsubj", "nsubjpass"))
    return replace(each, opening=True) if fronted and verb in _joined(holder) else each


def _depends_on(token: Token, trigger: Token) -> bool:
    """Return whether a date depends directly on a trigger: "released in July 2025"."""
    while token.dep_ in ("compound", "nummod", "amod", "pobj") and token.head != trigger:
        token = token.head
    return token.head == trigger and token.dep_ in ("prep", "npadvmod")


def _is_reported(verb: Token, speech: Token) -> bool:
    """Return whether a clause is the content of a speech verb: "said on Friday that it had signed"."""
    while verb.head != verb and verb != speech:
        if verb.dep_ == "ccomp" and verb.head == speech:
            return verb.i > speech.i
        verb = verb.head
    return False


def _joined(verb: Token) -> list[Token]:
    """Return a verb and those joined to it by "and"."""
    while verb.dep_ == "conj" and is_verb(verb.head):
        verb = verb.head
    found, new = [], [verb]
    while new:
        found += new
        new = [child for each in new for child in children(each, "conj") if is_verb(child)]
    return found


def _verb_of(token: Token) -> Token | None:
    """Return the verb of a word's clause, or the word itself if it is a verb."""
    while not is_verb(token):
        if token.head == token:
            return None
        token = token.head
    return token


def _counted_back(each: DateMention, sent: Span, start: int, trigger: Token) -> DateMention:
    """Let "four days after" date the event that follows it, if the news "comes" that much later."""
    after = _first_token(sent, each.end - start - 1)
    if after is None or after.lower_ != "after" or trigger.i < after.i:
        return each
    if sent.doc.text[: each.start - start].rstrip().endswith("less than"):
        return each
    whole = after.head if after.dep_ == "mark" else after
    main = next((token for token in after.ancestors if token.pos_ in ("VERB", "AUX") and token != whole), None)
    if main is None or main.lower_ not in _COMES or not (whole == trigger or whole.is_ancestor(trigger)):
        return each
    return replace(each, span=each.back, is_duration=False)


def is_in_other_clause(sent: Span, at: int, trigger: Token) -> bool:
    """Return whether the word at an offset of the parsed passage is in a clause about another event."""
    return _is_aside(_first_token(sent, at), trigger, {trigger.i, *(token.i for token in trigger.ancestors)})


def lasts(trigger: Token) -> bool:
    """Return whether a verb states how long something has lasted: "has been in force for two years".

    It began long before the report, on an unknown day.
    """
    verb = _verb_of(trigger)
    while verb is not None and verb.dep_ in ("xcomp", "acomp") and verb.head != verb:
        verb = verb.head
    if verb is None:
        return False
    helpers = {child.lower_ for child in children(verb, "aux")}
    state = verb.lower_ == "been" or verb.tag_ == "VBG" and "been" in helpers
    if not state or not helpers & {"has", "have", "'ve", "’ve"}:
        return False  # "has banned it for two months": the ban will last that long
    spans = [noun for prep in verb.subtree if prep.lower_ == "for" for noun in children(prep, "pobj")]
    return any(noun.lower_ in _TIMES for noun in spans)


def read_back(sent: Span, start: int, dates: Sequence[DateMention]) -> list[DateMention]:
    """Drop the future reading of expressions that depend on a verb in the past tense.

    In "In February it hired Fathom to inspect the code", February is the past one.
    """
    return [
        replace(each, ahead=None)
        if each.ahead is not None and each.span is not None and _is_past(_first_token(sent, each.start - start))
        else each
        for each in dates
    ]


def _is_past(token: Token | None) -> bool:
    """Return whether the nearest verb above a word is past, unless it is a speech verb or a limit is between."""
    while token is not None and token.pos_ not in ("VERB", "AUX"):
        if token.lower_ in (*_LIMITS, "to", "for"):
            return False
        token = None if token.head == token else token.head
    if token is None or any(child.dep_ == "ccomp" for child in token.children):
        return False
    if any(child.lower_ in _AWAITED for child in token.children):
        return False  # "the signing that was due on March 24"
    helpers = {child.lower_ for child in token.children if child.dep_ in ("aux", "auxpass")}
    if token.lower_ in _AWAITED or helpers & _NOT_PAST:
        return False
    return token.tag_ == "VBD" or token.tag_ == "VBN" and bool(helpers & {"was", "were", "had", "has", "have"})


def _dates_another(each: DateMention, sent: Span, start: int, trigger: Token, holders: set[int]) -> bool:
    """Return whether an expression dates something other than the trigger."""
    token = _first_token(sent, each.start - start)
    if token is None:
        return False
    if sent.doc.text[each.end - start : trigger.idx].strip() in ("to", "the"):
        return False  # "the decision last month to ban it", wherever the parser attaches it
    return _is_aside(token, trigger, holders) or _dates_a_thing(token, trigger, holders) or _lies_before(token, trigger)


def _dates_a_thing(token: Token, trigger: Token, holders: set[int]) -> bool:
    """Return whether a date belongs to a thing ("the action plan from July"), not to what is done with it."""
    preposition = token.head
    while preposition.dep_ in ("compound", "nummod", "npadvmod", "pobj", "amod") and preposition.head != preposition:
        preposition = preposition.head
    noun = preposition.head
    return preposition.lower_ == "from" and noun.pos_ in ("NOUN", "PROPN") and noun.i not in holders


def _lies_before(token: Token, trigger: Token) -> bool:
    """Return whether the trigger is an earlier act than the dated one.

    Examples: "After its refusal, the ministry on Friday barred the lab"; "lifted it on Friday, 39 days after pulling
    the plug".
    """
    if trigger.pos_ not in ("NOUN", "PROPN"):
        return trigger.dep_ == "pcomp" and trigger.head.lower_ in _BEFORE and not trigger.head.is_ancestor(token)
    for each in trigger.ancestors:
        if each.pos_ in ("VERB", "AUX"):
            return False
        if each.dep_ == "prep" and (each.lower_ in _BEFORE or each.lower_ == "to" and each.head.lower_ in _IN_RESPONSE):
            return not each.is_ancestor(token)
    return False


def _first_token(sent: Span, at: int) -> Token | None:
    if not sent.start_char <= at < sent.end_char:
        return None
    token = sent[bisect_right(range(len(sent)), at, key=lambda index: sent[index].idx) - 1]
    return token if at < token.idx + len(token.text) else None


def _is_aside(token: Token | None, trigger: Token, holders: set[int]) -> bool:
    limited = token is not None and _is_limited(token)
    if token is not None and _is_state_of_object(token, trigger):
        return False
    while token is not None and token.i not in holders:
        due = limited and token.tag_ in ("VBP", "VBZ")  # "is to write rules for firms that deal in it by March"
        aside = token.dep_ in _ASIDES and token.lower_ != "dated" and token.head != trigger and not due
        if aside and (limited or not _is_infinitive(token)):
            return True
        if token.dep_ == "advcl" and token.i < trigger.i and _is_bare_participle(token):
            return True
        if token.dep_ == "relcl" and trigger.pos_ in ("VERB", "AUX") and not due:
            return True
        token = None if token.head == token else token.head
    return False


def _is_limited(token: Token) -> bool:
    """Return whether a date is a limit: "by the end of March", "until Friday"."""
    return any(each.lower_ in _LIMITS for each in list(token.ancestors)[:3])


def _is_state_of_object(token: Token, trigger: Token) -> bool:
    """Return whether a date belongs to the state of the trigger's object: "has kept sales suspended since May"."""
    verb = _verb_of(token)
    return (
        verb is not None
        and verb.tag_ == "VBN"
        and verb.dep_ in ("acl", "oprd", "ccomp", "xcomp", "advcl")
        and trigger.lower_ in _KEEPS
        and (verb.head == trigger or verb.head.head == trigger and verb.head.dep_ == "dobj")
    )


def _is_infinitive(verb: Token) -> bool:
    """Return whether a verb is an infinitive, which has no time of its own: "an attempt to stop them in July"."""
    return verb.tag_ == "VB" and any(child.lower_ == "to" and child.dep_ == "aux" for child in verb.children)


def _is_bare_participle(verb: Token) -> bool:
    """Return whether a verb is a bare participle, an earlier step of the story: "Proposed in 2024, the act ..."."""
    return verb.tag_ == "VBN" and not any(
        child.dep_ in ("aux", "auxpass", "nsubj", "nsubjpass") for child in verb.children
    )
