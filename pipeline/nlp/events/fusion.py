"""What the frames found, and what the classifier reads in the same sentences -> the claims of an article.

Frames are precise where they fire, and silent where a reporter words things in a way that no card foresaw. A claim that
both see gains confidence, one that the classifier sees nothing of loses some; what only the classifier sees is a claim
from its threshold on, with the trigger, modality and roles that it tags.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipeline.lexicon.event_type_cards import EventTypes
from pipeline.lexicon.inflection import verb_forms, words
from pipeline.nlp.entities.descriptions import is_somebody
from pipeline.nlp.events.bystanders import only_asks, only_stands_by, only_watches
from pipeline.nlp.events.force import force_of, mention_of
from pipeline.nlp.events.frames import DONE_BY_SAYING, Draft, announcers
from pipeline.nlp.events.roles import Filler, Roles, directive, participants
from pipeline.nlp.modality.cues import SAYS_ITSELF, TRYING, own_sense
from pipeline.nlp.modality.scope import modality_of, modality_of_words
from pipeline.nlp.parsing.dependencies import (
    children,
    is_verb,
    members,
    noun_subjects,
    objects,
    subjects,
    surface_subjects,
)
from pipeline.nlp.parsing.parser import Passage, sentences
from pipeline.nlp.parsing.verb_forms import is_for_choice
from pipeline.records import EVENT_TYPES, EntityKind, Force, Modality, Participant

if TYPE_CHECKING:
    from spacy.tokens import Span, Token

    from pipeline.nlp.classifier.runtime import Classifier, RoleSpan, SentenceReading, Trigger

_OF_INSTRUMENTS = frozenset(["legislation", "regulation", "executive_action", "litigation", "commitment"])
_LIFTS = frozenset(form for verb in words("lift unblock unban reinstate restore") for form in verb_forms(verb))
_OF_WANTING = frozenset(["access_request", "refusal", "agreement", "commitment"])  # to want is the event, or part of it
_WILL = frozenset(["will", "would", "wo", "'ll", "’ll"])
# What is an authority's to do: by an authority that tells of it, where nobody else is said.
_OF_AUTHORITIES = frozenset(["investigation", "regulation"])
_PUBLIC = frozenset({EntityKind.AGENCY, EntityKind.GOVERNMENT})
_UNDERGOING = frozenset(  # what their subject does not do but meets with
    form for verb in words("face receive undergo await draw incur suffer") for form in verb_forms(verb)
)
_LIFELESS = frozenset({EntityKind.INSTRUMENT.value, EntityKind.MODEL.value})
_HEADS = ("NOUN", "PROPN", "PRON", "NUM", "ADJ", "X")


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When the classifier is believed: all in one place, chosen on documents that its weights had not seen."""

    alone: float = 0.4  # a type with this probability is a claim where the frames saw none of any type
    beside: float = 0.6  # and this much where they found another type in the sentence
    other: float = 0.7  # probability of a trigger that may stand for the best, where another type has taken that
    agree: float = 0.4  # from here on the classifier supports a frame's claim
    doubt: float = 0.02  # below, it speaks against it
    doubted: float = 0.8  # what is left of a frame's confidence then
    bonus: float = 0.6  # part of the remaining doubt that support takes away
    modality: float = 0.7  # probability from which its modality outweighs what the grammar says
    modality_alone: float = 0.4  # the same for a claim that only it sees
    newness: float = 0.95  # likewise for what is recalled as background; on texts it has not seen it errs more often
    role: float = 0.45  # probability of words that take a role which the frame left open
    words: int = 4  # shorter sentences are not asked about


@dataclass(frozen=True, slots=True)
class _Asked:
    passage: Passage
    sent: Span
    drafts: list[Draft]
    reading: SentenceReading


def read_learned(
    drafts: Sequence[Draft],
    passages: Sequence[Passage],
    roles: Roles,
    event_types: EventTypes,
    classifier: Classifier | None,
    thresholds: Thresholds,
) -> list[Draft]:
    """Return the frames' drafts, weighed and completed, and those that only the classifier sees."""
    if classifier is None:
        return list(drafts)
    weighed, added = [], []
    for asked in _read(drafts, passages, classifier, thresholds):
        weighed += [_weigh(draft, asked.reading, thresholds) for draft in asked.drafts]
        added += _new_drafts(asked, event_types, classifier, thresholds)
    everything = [*weighed, *added]
    spans = classifier.roles([(d.sent.text, d.type, _words_of(d)) for d in everything])
    completed = [
        _complete(draft, found, roles, thresholds, event_types.types[draft.type].owner)
        for draft, found in zip(everything, spans, strict=True)
    ]
    return [draft for n, draft in enumerate(completed) if n < len(weighed) or draft.participants]


def _read(
    drafts: Sequence[Draft], passages: Sequence[Passage], classifier: Classifier, thresholds: Thresholds
) -> list[_Asked]:
    """Read the sentences in which a claim may be gained or weighed, each with the one before it as context."""
    by_sentence: dict[tuple[int, int], list[Draft]] = {}
    for draft in drafts:
        by_sentence.setdefault((draft.passage.start, draft.sent.start), []).append(draft)
    chosen: list[tuple[Passage, Span, list[Draft]]] = []
    texts, contexts, previous = [], [], ""
    for passage in passages:
        for sent in sentences(passage):
            text, held = sent.text, by_sentence.get((passage.start, sent.start), [])
            if held or len(sent) >= thresholds.words and is_verb(sent.root):
                chosen.append((passage, sent, held))
                texts.append(text)
                contexts.append(previous)
            previous = text
    return [_Asked(*place, reading) for place, reading in zip(chosen, classifier.read(texts, contexts), strict=True)]


def _weigh(draft: Draft, reading: SentenceReading, thresholds: Thresholds) -> Draft:
    """Return a frame's draft with its confidence raised or lowered, and its doubtful points settled."""
    p = float(reading.scores[EVENT_TYPES.index(draft.type)])
    confidence = draft.confidence
    if p >= thresholds.agree:
        confidence += (1 - confidence) * thresholds.bonus * p
    elif p < thresholds.doubt:
        confidence *= thresholds.doubted
    trigger = _near(draft, reading)
    if trigger is None:
        return replace(draft, confidence=round(confidence, 3), seen=p)
    return replace(
        draft,
        confidence=round(confidence, 3),
        seen=p,
        modality=_modality(draft.modality, trigger, thresholds.modality),
        newness=_mention(draft.newness, trigger, thresholds),
    )


def _near(draft: Draft, reading: SentenceReading) -> Trigger | None:
    """Return the classifier's trigger of the draft's type that covers or is nearest to the frame's."""
    at = draft.trigger.idx - draft.sent.start_char
    same = [trigger for trigger in reading.triggers if trigger.type == draft.type]
    return min(same, key=lambda trigger: max(trigger.start - at, at - trigger.end, 0), default=None)


_REMEDY = re.compile(
    r"\b(?:can|may) be (?:challenged|appealed|contradicted|reviewed)\b", re.I
)  # what law lets anybody do


def _modality(grammar: Modality, trigger: Trigger, sure: float) -> Modality:
    """Weigh what the grammar says with what the classifier reads. In doubt, an event has not occurred."""
    seen = Modality(trigger.modality)
    if grammar is not Modality.OCCURRED or seen is Modality.OCCURRED:
        return grammar
    return seen if float(trigger.modalities.max()) >= sure else grammar


def _mention(grammar: str, trigger: Trigger, thresholds: Thresholds) -> str:
    if trigger.background >= thresholds.newness:
        return "background"
    return "new" if trigger.background <= 1 - thresholds.newness else grammar


def _new_drafts(asked: _Asked, event_types: EventTypes, classifier: Classifier, thresholds: Thresholds) -> list[Draft]:
    """Return the claims of a sentence that only the classifier sees; a list without a verb tells none."""
    if not is_verb(asked.sent.root):
        return []
    have = {draft.type for draft in asked.drafts}
    taken = {draft.trigger.i for draft in asked.drafts}
    found = []
    for type_, score in zip(EVENT_TYPES, map(float, asked.reading.scores), strict=True):
        least = max(classifier.thresholds[type_], thresholds.beside if have else thresholds.alone)
        if score < least:
            continue
        for trigger in _wanted(asked, type_, thresholds):
            token = _token(asked.sent, trigger.start, trigger.end)
            if token is not None and token.i not in taken and not is_for_choice(token):
                taken.add(token.i)
                draft = _draft(asked, type_, trigger, token, score, event_types, thresholds)
                if type_ == "litigation" and _REMEDY.search(_words_of(draft)):
                    break
                found.append(replace(draft, participants=_of_the_same(asked.drafts, type_)))
                break
    return found


def _wanted(asked: _Asked, type_: str, thresholds: Thresholds) -> list[Trigger]:
    """Return the triggers of a type that may name an event which no frame found, best first.

    Where the frames found one of the type, only a restriction of the other direction is another: "blocked it in March,
    but the ban was lifted".
    """
    triggers = [t for t in asked.reading.triggers if t.type == type_]
    held = [draft for draft in asked.drafts if draft.type == type_]
    if not held:
        return [t for n, t in enumerate(triggers) if n == 0 or t.score >= thresholds.other]
    directions = {draft.direction for draft in held}
    return [t for t in triggers if t.score >= thresholds.beside and len(directions) == 1 and None not in directions
            and _direction(t, asked.sent) not in directions]  # fmt: skip


def _direction(trigger: Trigger, sent: Span) -> str:
    """Return whether a restriction is lifted: by its words where they say so, else as the classifier reads it."""
    said = {token.lower_ for token in _inside(sent, trigger.start, trigger.end)}
    return "lift" if said & _LIFTS or trigger.lift > 0.5 else "impose"


def _of_the_same(drafts: Sequence[Draft], type_: str) -> tuple[Participant, ...]:
    """Return whom the frames' claim of a type concerns: the ban that is lifted is the one spoken of before."""
    held = next((draft.participants for draft in drafts if draft.type == type_), ())
    return tuple(party for party in held if party.role in ("target", "object", "affected"))


def _draft(
    asked: _Asked,
    type_: str,
    trigger: Trigger,
    token: Token,
    score: float,
    event_types: EventTypes,
    thresholds: Thresholds,
) -> Draft:
    passage, sent = asked.passage, asked.sent
    part = "verb" if token.pos_ in ("VERB", "AUX") else "noun"
    grammar = _grammar(token, part, _inside(sent, trigger.start, trigger.end), sent.text, event_types, type_)
    inside = _telling(_inside(sent, trigger.start, trigger.end)) or [token]  # the classifier reads pieces of words
    words = _whole(inside, sent, passage)
    begin = passage.start + sent.start_char
    said = sent.text[words[0] - begin : words[1] - begin]
    if type_ == "restriction" and is_verb(token) and directive(token) is not None:  # ordered is imposed
        modality = modality_of(token, sent.text, None, True)
    else:
        modality = next((each for sayings, each in SAYS_ITSELF if sayings.search(said)), None) or _modality(
            grammar, trigger, thresholds.modality_alone
        )
    direction = _direction(trigger, sent) if type_ == "restriction" else None
    return Draft(
        type_, passage, passage.doc.user_data["passage"], sent, token, words, modality, direction,
        force_of(Force.NOT_STATED, sent),
        _mention(mention_of(token, sent, modality, part), trigger, thresholds), (), round(score, 3),
        f"model:{type_}", score,
    )  # fmt: skip


def _grammar(
    token: Token, part: str, words: list[Token], sentence: str, event_types: EventTypes, type_: str
) -> Modality:
    """Return what the grammar says of a trigger: of its head where that names the event by itself, else of all its
    words. In "asked to see the weights" the request was made, whatever became of seeing them."""
    kind = event_types.types[type_]
    cues = [cue.frame for cue in event_types.cues.get(token.lower_, ()) if cue.frame.type == type_ and cue.part == part]
    meant = {frame.modality for frame in cues}
    base = kind.means.get(token.lower_) or (meant.pop() if len(meant) == 1 else None)
    if base is None and part == "verb":
        base = own_sense(token, type_)
    if any(not frame.negated for frame in cues):
        found = modality_of(token, sentence, base)
    else:
        found = modality_of_words(words, sentence, base)
    if found is not Modality.OCCURRED:
        return found
    if token.lower_ in TRYING and type_ not in _OF_WANTING and children(token, "xcomp"):
        return Modality.CONSIDERED  # the trigger is "attempted", of "attempted to impose a moratorium"
    return Modality.PLANNED if _there_will_be(token) else found


def _there_will_be(token: Token) -> bool:
    """Tell whether the clause above a trigger says what there will be: "there would be a phase-out of its tools"."""
    verb = token
    while verb.head != verb and not children(verb, "expl"):
        verb = verb.head
    return bool(children(verb, "expl")) and any(aux.lower_ in _WILL for aux in children(verb, "aux"))


def _inside(sent: Span, start: int, end: int) -> list[Token]:
    """Return the words between two offsets of a sentence."""
    found = [t for t in sent if t.idx - sent.start_char < end and t.idx - sent.start_char + len(t.text) > start]
    return [t for t in found if not t.is_punct and not t.is_space]


def _token(sent: Span, start: int, end: int) -> Token | None:
    """Return the word on which the others of a span hang; verbs and nouns before all else."""
    inside = _inside(sent, start, end)
    if not inside:
        return None
    within = {t.i for t in inside}
    heads = [t for t in inside if t.head.i not in within or t.head == t]
    ranked = sorted(heads, key=lambda t: (t.pos_ not in ("VERB", "NOUN", "AUX", "PROPN", "ADJ"), t.i))
    return ranked[0] if ranked else inside[0]


_TELLS_NOTHING = frozenset({"CCONJ", "SCONJ", "ADP", "DET", "PUNCT", "SPACE"})


def _telling(words: list[Token]) -> list[Token]:
    """Return the words of a trigger without "and", "the" and "on" at its ends: not "and lifted the ban on"."""

    def idle(word: Token) -> bool:
        return word.pos_ in _TELLS_NOTHING and word.dep_ not in ("prt", "ROOT", "neg")

    first = next((n for n, word in enumerate(words) if not idle(word)), 0)
    last = next((n for n in range(len(words) - 1, -1, -1) if not idle(words[n])), -1)
    return words[first : last + 1]


def _whole(words: list[Token], sent: Span, passage: Passage) -> tuple[int, int]:
    """Return where the words of a trigger begin and end in the text, with all parts of "phase-out"."""
    first, last, doc = words[0].i, words[-1].i, sent.doc

    def joined(left: int) -> bool:
        return not doc[left].whitespace_ and ("-" in (doc[left].text, doc[left + 1].text))

    while first > sent.start and joined(first - 1):
        first -= 1
    while last + 1 < sent.end and joined(last):
        last += 1
    return passage.offset(doc[first]), passage.offset(doc[last]) + len(doc[last].text)


def _words_of(draft: Draft) -> str:
    """Return the words of a draft's trigger as they stand in its sentence."""
    start = draft.passage.start + draft.sent.start_char
    return draft.sent.text[draft.words[0] - start : draft.words[1] - start]


def _complete(draft: Draft, spans: Sequence[RoleSpan], roles: Roles, thresholds: Thresholds, owner: str) -> Draft:
    """Return a draft with the roles that it left open, as far as the classifier sees who plays them.

    `owner`: the role of whose products are meant, "" for none.
    """
    held = {party.role for party in draft.participants}
    taken = {party.entity_id for party in draft.participants}
    n_actors = sum(party.role == "actor" for party in draft.participants)
    filled: list[tuple[str, Filler]] = []
    told = roles.governed(_told(draft, spans, roles, thresholds.role))
    seen = [each for each in told if not only_stands_by(draft.type, *each)]
    if draft.type == "access_grant" and is_verb(draft.trigger) and (order := directive(draft.trigger)) is not None:
        seen = [(_turned(role, filler, *order[:2]), filler) for role, filler in seen]
    doers = [] if n_actors else _doers(draft, roles, taken)
    acting: set[str] = set()
    if not any(role == "actor" for role, _ in seen):
        acting = {party[0] for filler in doers for party in filler.parties}
    for role, filler in seen:
        lone = draft.type == "agreement" and role == "actor" and n_actors == 1  # it takes two to agree
        if role in held and not lone:
            continue
        parties = tuple(party for party in filler.parties if party[0] not in taken and party[0] not in acting)
        if parties:
            filled.append((role, replace(filler, parties=parties)))
    if not n_actors and not any(role == "actor" for role, _ in filled):
        others = {party[0] for _, filler in filled for party in filler.parties}
        filled += [("actor", filler) for filler in doers if not others & {party[0] for party in filler.parties}]
    if not draft.participants and not filled:
        filled = _things(draft, roles)
    if owner and owner not in held and not any(role == owner for role, _ in filled):
        filled += [(owner, filler) for filler in _owners(filled, taken, roles)]
    start = draft.passage.start
    sentence = (start + draft.sent.start_char, start + draft.sent.end_char)
    filled = [(role, f) for role, f in filled if role != "actor" or not (only_asks(f) or only_watches(draft, f))]
    found = tuple(party for party in participants(roles.governed(filled), sentence, None) if _can_play(party))
    found = tuple(party for party in found if not any(_within(party, other) for other in found))
    return replace(draft, participants=draft.participants + found) if found else draft


def _turned(role: str, filler: Filler, orders: Sequence[Token], ordered: Sequence[Token]) -> str:
    """Return the role of somebody in what is ordered: who is told to open his files gives, to who tells him."""
    if role == "actor" and filler.token in orders:
        return "target"
    return "actor" if role == "target" and filler.token in ordered else role


def _told(draft: Draft, spans: Sequence[RoleSpan], roles: Roles, least: float) -> list[tuple[str, Filler]]:
    """Return (role, filler) for the words that the classifier gives a role. Nobody is towards himself: of actor and
    target the role is kept that it is surer of."""
    told = [(s, filler) for s in spans if s.score >= least for filler in _fillers(draft, s, roles)]
    sure: dict[str, tuple[float, str]] = {}
    for span, filler in told:
        for party in filler.parties:
            if span.role in ("actor", "target") and span.score > sure.get(party[0], (0.0, ""))[0]:
                sure[party[0]] = (span.score, span.role)
    found = []
    for span, filler in told:
        kept = tuple(p for p in filler.parties if sure.get(p[0], (0.0, span.role))[1] == span.role
                     or span.role not in ("actor", "target"))  # fmt: skip
        if kept:
            found.append((span.role, replace(filler, parties=kept)))
    return found


def _within(party: Participant, other: Participant) -> bool:
    """Tell whether a party's words stand inside those of another in its role: "Turkey" in "users in Turkey"."""
    longer = other.end - other.start > party.end - party.start
    return party.role == other.role and longer and 0 <= other.start <= party.start and party.end <= other.end


def _doers(draft: Draft, roles: Roles, taken: set[str]) -> list[Filler]:
    """Return who does, by the grammar alone, what a trigger names: the subject of its verb, or a noun's possessor."""
    trigger = draft.trigger
    if trigger.lower_ in _UNDERGOING or trigger.pos_ == "AUX":
        return []
    heads = subjects(trigger) if is_verb(trigger) else noun_subjects(trigger)
    if (order := _order_of(draft)) is not None:
        heads = order[0]
    if not heads and draft.type in DONE_BY_SAYING:
        heads = announcers(trigger)
    elif not heads and draft.type in _OF_AUTHORITIES:
        heads = [head for head in announcers(trigger) if any(m.kind in _PUBLIC for m in roles.referents.of(head))]
    found = [filler for head in heads for member in members(head) for filler in roles.fillers(member, draft.passage)]
    return [f for f in found if _acts(f) and not any(party[0] in taken for party in f.parties)]


def _order_of(draft: Draft) -> tuple[list[Token], list[Token], Token] | None:
    """Return who orders whom, and the word for it, where a restriction is what somebody is ordered to do."""
    return directive(draft.trigger) if draft.type == "restriction" and is_verb(draft.trigger) else None


def _acts(filler: Filler) -> bool:
    """Tell whether somebody is meant who can do things: a name, or a description of people or a body."""
    somebody = filler.resolved or is_somebody(filler.token) or filler.token.pos_ == "PRON"
    return somebody and filler.kind not in _LIFELESS


def _owners(filled: Sequence[tuple[str, Filler]], taken: set[str], roles: Roles) -> list[Filler]:
    """Return whose products are meant by what was filled in: "cease all use of Acme's tools" is aimed at Acme."""
    found = []
    for role, filler in filled:
        m = filler.owner if role == "object" else None
        if m is not None and m.entity_id not in taken:
            found.append(
                Filler(filler.token, ((m.entity_id, m.name, m.kind, m.text, m.start, m.end),), m.kind.value, True)
            )
    return found


def _things(draft: Draft, roles: Roles) -> list[tuple[str, Filler]]:
    """Return the law, rule or model that a verb is said of, where nobody is named: "the code, launched this month"."""
    if not is_verb(draft.trigger):
        return []
    role_of = {EntityKind.MODEL.value: "object"}
    if draft.type in _OF_INSTRUMENTS:
        role_of[EntityKind.INSTRUMENT.value] = "instrument"
    heads = [*objects(draft.trigger), *surface_subjects(draft.trigger)]
    found = {head.i: filler for head in heads for filler in roles.fillers(head, draft.passage)}
    return [(role_of[filler.kind], filler) for filler in found.values() if filler.kind in role_of]


def _can_play(party: Participant) -> bool:
    """Tell whether a party can play its role at all: an order signs nothing, a place is no instrument."""
    if party.role in ("actor", "target"):
        return party.kind not in (EntityKind.INSTRUMENT, EntityKind.MODEL, EntityKind.PLACE)
    if party.role in ("affected", "instrument"):
        return (party.kind is EntityKind.INSTRUMENT) == (party.role == "instrument")
    if party.role == "object" and party.kind is EntityKind.ORGANISATION:
        return party.entity_id.startswith("x-")  # an unknown name may well be a product's
    return party.kind not in (EntityKind.PERSON, EntityKind.PLACE) and not (
        party.role == "object" and party.kind in (EntityKind.AGENCY, EntityKind.GOVERNMENT)
    )


def _fillers(draft: Draft, span: RoleSpan, roles: Roles) -> list[Filler]:
    """Return what the words of a span stand for: every head in it, with the members of a list."""
    inside = _inside(draft.sent, span.start, span.end)
    within = {t.i for t in inside}
    heads = [t for t in inside if t.pos_ in _HEADS and (t.head.i not in within or t.head.pos_ not in _HEADS)]
    found: dict[int, Filler] = {}
    for head in heads:
        for member in members(head):
            if member.i in within:
                for filler in roles.fillers(member, draft.passage):
                    # "AI safety" in "an AI safety testing agreement" only describes; a name may stand before a noun.
                    if filler.resolved or member.dep_ not in ("compound", "nmod", "amod", "npadvmod"):
                        found.setdefault(filler.token.i, filler)
    return [filler for filler in found.values() if not _inside_another(filler, found, within)]


def _inside_another(filler: Filler, found: Mapping[int, Filler], within: set[int]) -> bool:
    """Tell whether a noun only says more of another one of the same words: "Turkey" in "users in Turkey"."""
    token = filler.token
    for _ in range(6):
        if (
            token.dep_ not in ("prep", "pobj", "conj", "pcomp", "compound", "nmod", "appos")
            or token.head.i not in within
        ):
            return False
        joined = token.dep_ in ("conj", "appos")
        token = token.head
        if token.pos_ in _HEADS and not joined and token.i != filler.token.i:
            above = found.get(token.i)
            return not filler.resolved or above is not None and (above.resolved or is_somebody(token))
    return False
