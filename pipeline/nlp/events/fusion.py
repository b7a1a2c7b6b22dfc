"""Combines the drafts of the frames with the readings of the classifier.

Frames are precise but miss wordings that no card anticipates. A draft that both find gains confidence; one that the
classifier rejects loses some. A claim that only the classifier finds is added if it reaches the threshold, with the
trigger, modality and roles that the classifier tags.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pipeline.lexicon.event_type_cards import EventTypes
from pipeline.lexicon.inflection import verb_forms, words
from pipeline.nlp.entities.descriptions import is_party_noun
from pipeline.nlp.events.bystanders import is_bystander, is_observing_authority, is_petitioner
from pipeline.nlp.events.force import force_of, newness_of
from pipeline.nlp.events.frames import DONE_BY_SAYING, Draft, announcers
from pipeline.nlp.events.roles import Directive, Filler, Party, Roles, directive, participants
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
_OF_WANTING = frozenset(
    ["access_request", "refusal", "agreement", "commitment"]
)  # these events include wanting something
_WILL = frozenset(["will", "would", "wo", "'ll", "’ll"])
# Acts of authorities: if no actor is named, the authority that announces the act performs it.
_OF_AUTHORITIES = frozenset(["investigation", "regulation"])
_PUBLIC = frozenset({EntityKind.AGENCY, EntityKind.GOVERNMENT})
_UNDERGOING = frozenset(  # verbs whose subject undergoes the event
    form for verb in words("face receive undergo await draw incur suffer") for form in verb_forms(verb)
)
_LIFELESS = frozenset({EntityKind.INSTRUMENT.value, EntityKind.MODEL.value})
_HEADS = ("NOUN", "PROPN", "PRON", "NUM", "ADJ", "X")


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The thresholds of the classifier, chosen on documents unseen by its weights. All but `words` are probabilities.

    Attributes:
        alone: Minimum for a claim in a sentence without drafts.
        beside: Minimum for a claim in a sentence with drafts of other types.
        other: Minimum for a second-best trigger if another type has taken the best one.
        agree: From this probability on, the classifier supports a draft.
        doubt: Below this probability, it contradicts a draft.
        doubted: Factor on the confidence of a contradicted draft.
        bonus: Share of the remaining doubt that support removes.
        modality: Minimum for its modality to override the grammar.
        modality_alone: The same for a claim that only the classifier finds.
        newness: Minimum to override newness; higher, because it errs more often on unseen texts.
        role: Minimum for words to fill a role that the frame left open.
        words: Minimum number of words of a sentence; shorter ones are not classified.
    """

    alone: float = 0.4
    beside: float = 0.6
    other: float = 0.7
    agree: float = 0.4
    doubt: float = 0.02
    doubted: float = 0.8
    bonus: float = 0.6
    modality: float = 0.7
    modality_alone: float = 0.4
    newness: float = 0.95
    role: float = 0.45
    words: int = 4


@dataclass(frozen=True, slots=True)
class _ReadSentence:
    """A sentence with its drafts from the frames and the classifier's reading."""

    passage: Passage
    sent: Span
    drafts: list[Draft]
    reading: SentenceReading


def fuse_drafts(
    drafts: Sequence[Draft],
    passages: Sequence[Passage],
    roles: Roles,
    event_types: EventTypes,
    classifier: Classifier | None,
    thresholds: Thresholds,
) -> list[Draft]:
    """Return the frames' drafts with adjusted confidence and roles, then those that only the classifier finds."""
    if classifier is None:
        return list(drafts)
    weighed, added = [], []
    for sentence in _read(drafts, passages, classifier, thresholds):
        weighed += [_weigh(draft, sentence.reading, thresholds) for draft in sentence.drafts]
        added += _new_drafts(sentence, event_types, classifier, thresholds)
    everything = [*weighed, *added]
    spans = classifier.roles([(d.sent.text, d.type, _words_of(d)) for d in everything])
    completed = [
        _complete(draft, found, roles, thresholds, event_types.types[draft.type].owner)
        for draft, found in zip(everything, spans, strict=True)
    ]
    return [draft for n, draft in enumerate(completed) if n < len(weighed) or draft.participants]


def _read(
    drafts: Sequence[Draft], passages: Sequence[Passage], classifier: Classifier, thresholds: Thresholds
) -> list[_ReadSentence]:
    """Read every sentence that has drafts or may have a claim, with the sentence before it as context."""
    by_sentence: dict[tuple[int, int], list[Draft]] = {}
    for draft in drafts:
        by_sentence.setdefault((draft.passage.start, draft.sent.start), []).append(draft)
    chosen: list[tuple[Passage, Span, list[Draft]]] = []
    texts, contexts, previous = [], [], ""
    for passage in passages:
        for sent in sentences(passage):
            text, own = sent.text, by_sentence.get((passage.start, sent.start), [])
            if own or len(sent) >= thresholds.words and is_verb(sent.root):
                chosen.append((passage, sent, own))
                texts.append(text)
                contexts.append(previous)
            previous = text
    readings = classifier.read(texts, contexts)
    return [_ReadSentence(*place, reading) for place, reading in zip(chosen, readings, strict=True)]


def _weigh(draft: Draft, reading: SentenceReading, thresholds: Thresholds) -> Draft:
    """Return a frame's draft with confidence, modality and newness adjusted to the classifier's reading."""
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
        newness=_newness(draft.newness, trigger, thresholds),
    )


def _near(draft: Draft, reading: SentenceReading) -> Trigger | None:
    """Return the classifier's trigger of the draft's type nearest to the frame's."""
    at = draft.trigger.idx - draft.sent.start_char
    same = [trigger for trigger in reading.triggers if trigger.type == draft.type]
    return min(same, key=lambda trigger: max(trigger.start - at, at - trigger.end, 0), default=None)


# A remedy that the law offers is not litigation.
_REMEDY = re.compile(r"\b(?:can|may) be (?:challenged|appealed|contradicted|reviewed)\b", re.I)


def _modality(grammar: Modality, trigger: Trigger, sure: float) -> Modality:
    """Combine the modality by grammar with the classifier's, which may only lower the certainty of an event."""
    seen = Modality(trigger.modality)
    if grammar is not Modality.OCCURRED or seen is Modality.OCCURRED:
        return grammar
    return seen if float(trigger.modalities.max()) >= sure else grammar


def _newness(grammar: str, trigger: Trigger, thresholds: Thresholds) -> str:
    if trigger.background >= thresholds.newness:
        return "background"
    return "new" if trigger.background <= 1 - thresholds.newness else grammar


def _new_drafts(
    sentence: _ReadSentence, event_types: EventTypes, classifier: Classifier, thresholds: Thresholds
) -> list[Draft]:
    """Return the claims of a sentence that only the classifier finds; a list without a verb has none."""
    if not is_verb(sentence.sent.root):
        return []
    taken = {draft.trigger.i for draft in sentence.drafts}
    found = []
    for type_, score in zip(EVENT_TYPES, map(float, sentence.reading.scores), strict=True):
        least = max(classifier.thresholds[type_], thresholds.beside if sentence.drafts else thresholds.alone)
        if score < least:
            continue
        for trigger in _missed_triggers(sentence, type_, thresholds):
            token = _token(sentence.sent, trigger.start, trigger.end)
            if token is not None and token.i not in taken and not is_for_choice(token):
                taken.add(token.i)
                draft = _draft(sentence, type_, trigger, token, score, event_types, thresholds)
                if type_ == "litigation" and _REMEDY.search(_words_of(draft)):
                    break
                found.append(replace(draft, participants=_of_the_same(sentence.drafts, type_)))
                break
    return found


def _missed_triggers(sentence: _ReadSentence, type_: str, thresholds: Thresholds) -> list[Trigger]:
    """Return the triggers of a type that may name an event missed by the frames, best first.

    If the frames found an event of the type, only a restriction in the other direction is a new one: "blocked it in
    March, but the ban was lifted".
    """
    triggers = [t for t in sentence.reading.triggers if t.type == type_]
    own = [draft for draft in sentence.drafts if draft.type == type_]
    if not own:
        return [t for n, t in enumerate(triggers) if n == 0 or t.score >= thresholds.other]
    directions = {draft.direction for draft in own}
    if len(directions) > 1 or None in directions:
        return []
    return [t for t in triggers if t.score >= thresholds.beside and _direction(t, sentence.sent) not in directions]


def _direction(trigger: Trigger, sent: Span) -> str:
    """Return "lift" or "impose" for a restriction, by its words if they are clear, else by the classifier."""
    said = {token.lower_ for token in _inside(sent, trigger.start, trigger.end)}
    return "lift" if said & _LIFTS or trigger.lift > 0.5 else "impose"


def _of_the_same(drafts: Sequence[Draft], type_: str) -> tuple[Participant, ...]:
    """Return the targets of the frames' draft of a type: the ban that is lifted is the one mentioned before."""
    parties = next((draft.participants for draft in drafts if draft.type == type_), ())
    return tuple(party for party in parties if party.role in ("target", "object", "affected"))


def _draft(
    sentence: _ReadSentence,
    type_: str,
    trigger: Trigger,
    token: Token,
    score: float,
    event_types: EventTypes,
    thresholds: Thresholds,
) -> Draft:
    passage, sent = sentence.passage, sentence.sent
    part = "verb" if token.pos_ in ("VERB", "AUX") else "noun"
    grammar = _grammar(token, part, _inside(sent, trigger.start, trigger.end), sent.text, event_types, type_)
    inside = _trimmed(_inside(sent, trigger.start, trigger.end)) or [token]  # the classifier reads pieces of words
    words = _whole(inside, sent, passage)
    begin = passage.start + sent.start_char
    said = sent.text[words[0] - begin : words[1] - begin]
    if type_ == "restriction" and is_verb(token) and directive(token) is not None:  # an order imposes a restriction
        modality = modality_of(token, sent.text, None, True)
    else:
        modality = next((each for sayings, each in SAYS_ITSELF if sayings.search(said)), None) or _modality(
            grammar, trigger, thresholds.modality_alone
        )
    return Draft(
        type=type_,
        passage=passage,
        paragraph=passage.doc.user_data["passage"],
        sent=sent,
        trigger=token,
        words=words,
        modality=modality,
        direction=_direction(trigger, sent) if type_ == "restriction" else None,
        force=force_of(Force.NOT_STATED, sent),
        newness=_newness(newness_of(token, sent, modality, part), trigger, thresholds),
        participants=(),
        confidence=round(score, 3),
        rule=f"model:{type_}",
        seen=score,
    )


def _grammar(
    token: Token, part: str, words: list[Token], sentence: str, event_types: EventTypes, type_: str
) -> Modality:
    """Return the modality by grammar: of the head if it names the event by itself, else of all words of the trigger.

    In "asked to see the weights" the request was made, whether or not they were seen.
    """
    event_type = event_types.types[type_]
    cues = [cue.frame for cue in event_types.cues.get(token.lower_, ()) if cue.frame.type == type_ and cue.part == part]
    meant = {frame.modality for frame in cues}
    base = event_type.means.get(token.lower_) or (meant.pop() if len(meant) == 1 else None)
    if base is None and part == "verb":
        base = own_sense(token, type_)
    if any(not frame.negated for frame in cues):
        found = modality_of(token, sentence, base)
    else:
        found = modality_of_words(words, sentence, base)
    if found is not Modality.OCCURRED:
        return found
    if token.lower_ in TRYING and type_ not in _OF_WANTING and children(token, "xcomp"):
        return Modality.CONSIDERED  # the trigger is "attempted" in "attempted to impose a moratorium"
    return Modality.PLANNED if _there_will_be(token) else found


def _there_will_be(token: Token) -> bool:
    """Return whether an expletive clause above a trigger is in the future: "there would be a phase-out"."""
    verb = token
    while verb.head != verb and not children(verb, "expl"):
        verb = verb.head
    return bool(children(verb, "expl")) and any(aux.lower_ in _WILL for aux in children(verb, "aux"))


def _inside(sent: Span, start: int, end: int) -> list[Token]:
    """Return the words between two offsets of a sentence, without punctuation."""
    found = [t for t in sent if t.idx - sent.start_char < end and t.idx - sent.start_char + len(t.text) > start]
    return [t for t in found if not t.is_punct and not t.is_space]


def _token(sent: Span, start: int, end: int) -> Token | None:
    """Return the head of a span, preferably a verb, noun or adjective."""
    inside = _inside(sent, start, end)
    if not inside:
        return None
    within = {t.i for t in inside}
    heads = [t for t in inside if t.head.i not in within or t.head == t]
    ranked = sorted(heads, key=lambda t: (t.pos_ not in ("VERB", "NOUN", "AUX", "PROPN", "ADJ"), t.i))
    return ranked[0] if ranked else inside[0]


_FUNCTION_WORDS = frozenset({"CCONJ", "SCONJ", "ADP", "DET", "PUNCT", "SPACE"})


def _trimmed(words: list[Token]) -> list[Token]:
    """Return a trigger without function words at its ends: "lifted the ban", not "and lifted the ban on"."""

    def trims(word: Token) -> bool:
        return word.pos_ in _FUNCTION_WORDS and word.dep_ not in ("prt", "ROOT", "neg")

    first = next((n for n, word in enumerate(words) if not trims(word)), 0)
    last = next((n for n in range(len(words) - 1, -1, -1) if not trims(words[n])), -1)
    return words[first : last + 1]


def _whole(words: list[Token], sent: Span, passage: Passage) -> tuple[int, int]:
    """Return the offsets of a trigger in the article, extended to whole hyphenated words ("phase-out")."""
    first, last, doc = words[0].i, words[-1].i, sent.doc

    def joined(left: int) -> bool:
        return not doc[left].whitespace_ and ("-" in (doc[left].text, doc[left + 1].text))

    while first > sent.start and joined(first - 1):
        first -= 1
    while last + 1 < sent.end and joined(last):
        last += 1
    return passage.offset(doc[first]), passage.offset(doc[last]) + len(doc[last].text)


def _words_of(draft: Draft) -> str:
    """Return the words of a draft's trigger."""
    start = draft.passage.start + draft.sent.start_char
    return draft.sent.text[draft.words[0] - start : draft.words[1] - start]


def _complete(draft: Draft, spans: Sequence[RoleSpan], roles: Roles, thresholds: Thresholds, owner: str) -> Draft:
    """Return a draft with its open roles filled from the classifier's role spans and the grammar.

    Args:
        draft: The draft to complete.
        spans: The classifier's role spans for it.
        roles: Finds the entities behind words.
        thresholds: The thresholds of the classifier.
        owner: The role of the owner of products in the event, "" for none.
    """
    filled_roles = {party.role for party in draft.participants}
    taken = {party.entity_id for party in draft.participants}
    n_actors = sum(party.role == "actor" for party in draft.participants)
    filled: list[tuple[str, Filler]] = []
    tagged = roles.governed(_from_spans(draft, spans, roles, thresholds.role))
    seen = [each for each in tagged if not is_bystander(draft.type, *each)]
    if draft.type == "access_grant" and is_verb(draft.trigger) and (order := directive(draft.trigger)) is not None:
        seen = [(_swapped_role(role, filler, order), filler) for role, filler in seen]
    actors = [] if n_actors else _grammatical_actors(draft, roles, taken)
    acting: set[str] = set()
    if not any(role == "actor" for role, _ in seen):
        acting = {party.entity_id for filler in actors for party in filler.parties}
    for role, filler in seen:
        lone = draft.type == "agreement" and role == "actor" and n_actors == 1  # an agreement has two actors
        if role in filled_roles and not lone:
            continue
        parties = tuple(party for party in filler.parties if party.entity_id not in taken | acting)
        if parties:
            filled.append((role, replace(filler, parties=parties)))
    if not n_actors and not any(role == "actor" for role, _ in filled):
        others = {party.entity_id for _, filler in filled for party in filler.parties}
        filled += [("actor", f) for f in actors if not others & {party.entity_id for party in f.parties}]
    if not draft.participants and not filled:
        filled = _things(draft, roles)
    if owner and owner not in filled_roles and not any(role == owner for role, _ in filled):
        filled += [(owner, filler) for filler in _owners(filled, taken, roles)]
    start = draft.passage.start
    sentence = (start + draft.sent.start_char, start + draft.sent.end_char)
    filled = [
        (role, f) for role, f in filled if role != "actor" or not (is_petitioner(f) or is_observing_authority(draft, f))
    ]
    found = tuple(party for party in participants(roles.governed(filled), sentence, None) if _can_play(party))
    found = tuple(party for party in found if not any(_within(party, other) for other in found))
    return replace(draft, participants=draft.participants + found) if found else draft


def _swapped_role(role: str, filler: Filler, order: Directive) -> str:
    """Swap actor and target in an ordered act: the party ordered to open files grants access to the one ordering."""
    if role == "actor" and filler.token in order.orderers:
        return "target"
    return "actor" if role == "target" and filler.token in order.ordered else role


def _from_spans(draft: Draft, spans: Sequence[RoleSpan], roles: Roles, least: float) -> list[tuple[str, Filler]]:
    """Return (role, filler) for the classifier's role spans.

    Nobody is both actor and target: the role with the higher score is kept.
    """
    tagged = [(s, filler) for s in spans if s.score >= least for filler in _fillers(draft, s, roles)]
    best: dict[str, tuple[float, str]] = {}
    for span, filler in tagged:
        for party in filler.parties:
            if span.role in ("actor", "target") and span.score > best.get(party.entity_id, (0.0, ""))[0]:
                best[party.entity_id] = (span.score, span.role)
    found = []
    for span, filler in tagged:
        kept = tuple(
            party
            for party in filler.parties
            if span.role not in ("actor", "target") or best.get(party.entity_id, (0.0, span.role))[1] == span.role
        )
        if kept:
            found.append((span.role, replace(filler, parties=kept)))
    return found


def _within(party: Participant, other: Participant) -> bool:
    """Return whether a party's words lie inside those of another in its role: "Turkey" in "users in Turkey"."""
    longer = other.end - other.start > party.end - party.start
    return party.role == other.role and longer and 0 <= other.start <= party.start and party.end <= other.end


def _grammatical_actors(draft: Draft, roles: Roles, taken: set[str]) -> list[Filler]:
    """Return the actors by grammar alone: the subject of a verb, or the possessor of a noun."""
    trigger = draft.trigger
    if trigger.lower_ in _UNDERGOING or trigger.pos_ == "AUX":
        return []
    heads = subjects(trigger) if is_verb(trigger) else noun_subjects(trigger)
    if (order := _order_of(draft)) is not None:
        heads = order.orderers
    if not heads and draft.type in DONE_BY_SAYING:
        heads = announcers(trigger)
    elif not heads and draft.type in _OF_AUTHORITIES:
        heads = [head for head in announcers(trigger) if any(m.kind in _PUBLIC for m in roles.referents.of(head))]
    found = [filler for head in heads for member in members(head) for filler in roles.fillers(member, draft.passage)]
    return [f for f in found if _can_act(f) and not any(party.entity_id in taken for party in f.parties)]


def _order_of(draft: Draft) -> Directive | None:
    """Return the order that imposes a restriction, if there is one."""
    return directive(draft.trigger) if draft.type == "restriction" and is_verb(draft.trigger) else None


def _can_act(filler: Filler) -> bool:
    """Return whether a filler can act: a name, or a description of people or a body."""
    somebody = filler.resolved or is_party_noun(filler.token) or filler.token.pos_ == "PRON"
    return somebody and filler.kind not in _LIFELESS


def _owners(filled: Sequence[tuple[str, Filler]], taken: set[str], roles: Roles) -> list[Filler]:
    """Return the owners of the objects: "cease all use of Acme's tools" is aimed at Acme."""
    return [
        Filler(filler.token, (Party.of(filler.owner),), filler.owner.kind.value, True)
        for role, filler in filled
        if role == "object" and filler.owner is not None and filler.owner.entity_id not in taken
    ]


def _things(draft: Draft, roles: Roles) -> list[tuple[str, Filler]]:
    """Return the law, rule or model that is subject or object of a verb: "the code, launched this month"."""
    if not is_verb(draft.trigger):
        return []
    role_of = {EntityKind.MODEL.value: "object"}
    if draft.type in _OF_INSTRUMENTS:
        role_of[EntityKind.INSTRUMENT.value] = "instrument"
    heads = [*objects(draft.trigger), *surface_subjects(draft.trigger)]
    found = {head.i: filler for head in heads for filler in roles.fillers(head, draft.passage)}
    return [(role_of[filler.kind], filler) for filler in found.values() if filler.kind in role_of]


def _can_play(party: Participant) -> bool:
    """Return whether a party's kind allows its role: an order signs nothing, a place is not an instrument."""
    if party.role in ("actor", "target"):
        return party.kind not in (EntityKind.INSTRUMENT, EntityKind.MODEL, EntityKind.PLACE)
    if party.role in ("affected", "instrument"):
        return (party.kind is EntityKind.INSTRUMENT) == (party.role == "instrument")
    if party.role == "object" and party.kind is EntityKind.ORGANISATION:
        return party.entity_id.startswith("x-")  # an unlisted name may be that of a product
    return party.kind not in (EntityKind.PERSON, EntityKind.PLACE) and not (
        party.role == "object" and party.kind in (EntityKind.AGENCY, EntityKind.GOVERNMENT)
    )


def _fillers(draft: Draft, span: RoleSpan, roles: Roles) -> list[Filler]:
    """Return the fillers of a span: one for each head in it, with the members of lists."""
    inside = _inside(draft.sent, span.start, span.end)
    within = {t.i for t in inside}
    heads = [t for t in inside if t.pos_ in _HEADS and (t.head.i not in within or t.head.pos_ not in _HEADS)]
    found: dict[int, Filler] = {}
    for head in heads:
        for member in members(head):
            if member.i in within:
                for filler in roles.fillers(member, draft.passage):
                    # "AI safety" in "an AI safety testing agreement" is only a modifier; a name before a noun counts.
                    if filler.resolved or member.dep_ not in ("compound", "nmod", "amod", "npadvmod"):
                        found.setdefault(filler.token.i, filler)
    return [filler for filler in found.values() if not _inside_another(filler, found, within)]


def _inside_another(filler: Filler, found: Mapping[int, Filler], within: set[int]) -> bool:
    """Return whether a noun only modifies another one of the span: "Turkey" in "users in Turkey"."""
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
            return not filler.resolved or above is not None and (above.resolved or is_party_noun(token))
    return False
