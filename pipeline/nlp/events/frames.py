"""Finds claims with the frames of the event types, as drafts without date and attribution.

Each cue in a sentence is tried with its frames; a frame whose slots and requirements are met becomes a candidate.
Candidates for one event in a sentence collapse into the most specific one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipeline.lexicon.common_nouns import CONSUMERS, NOUN_KINDS
from pipeline.lexicon.event_type_cards import Cue, EventTypes, Frame
from pipeline.lexicon.inflection import singular, words
from pipeline.lexicon.speech_verbs import STATING
from pipeline.nlp.entities.coreference import Referents
from pipeline.nlp.events.counterparts import is_business, other_sides
from pipeline.nlp.events.force import force_of, newness_of
from pipeline.nlp.events.roles import Filler, Roles, directive, participants
from pipeline.nlp.modality.cues import own_sense
from pipeline.nlp.modality.nouns import out_of_a_bill, turns_down
from pipeline.nlp.modality.scope import is_negated, modality_of
from pipeline.nlp.parsing.dependencies import children, complements, is_verb, subjects
from pipeline.nlp.parsing.parser import Passage, sentences
from pipeline.nlp.parsing.verb_forms import below_shall, has_form, is_finite, is_for_choice, is_generic, two_occasions
from pipeline.records import EntityKind, Force, Mention, Modality, Participant

if TYPE_CHECKING:
    from spacy.tokens import Span, Token

SURE_PRECISION = 0.78  # from this precision on, a frame needs no named participant
# Frames of restrictions on somebody else's product.
_AGAINST_OTHERS = frozenset({"ban", "cut-off", "restored"})
# A request to a court is the event, not the ruling that it asks for.
_ASKING = frozenset({"ask-court", "want-court"})
_RULING = frozenset({"rule", "bench"})
# Acts of persons and bodies; with an order or a bill as subject, they describe its content.
_OF_PEOPLE = frozenset({"restriction", "access_request", "refusal", "commitment", "evaluation", "access_grant"})
# Acts that belong to the case if a court does them.
_OF_PARTIES = _OF_PEOPLE - {"evaluation"}
# Acts that an official performs by announcing them.
DONE_BY_SAYING = frozenset({"restriction", "executive_action", "enforcement"})
_COURTS = words("court judge magistrate circuit")
_ACTING = words("designation label determination ruling letter petition post tweet")
# Dependencies of verbs that do not name a separate event.
_CHAIN = frozenset(
    {"xcomp", "ccomp", "acl", "pcomp", "dobj", "prep", "pobj", "nsubjpass", "agent", "dative", "attr", "oprd", "conj"}
)
_MAX_STEPS = 5
_MATTER = re.compile(r" (?:of|on|for|about) ")
# Nouns for the event itself, not for an instrument: "a formal inquiry", "voluntary commitments".
_EVENT_NOUNS = {
    "investigation": words("investigation investigations probe probes inquiry inquiries enquiry review reviews"),
    "commitment": words("commitment commitments pledge pledges promise promises"),
    "executive_action": words("action actions"),
}


@dataclass(frozen=True, slots=True)
class Draft:
    """A claim that still lacks date, attribution and id."""

    type: str
    passage: Passage
    paragraph: int  # number of the passage in the article, from 0
    sent: Span
    trigger: Token
    words: tuple[int, int]  # the trigger's offsets in the article
    modality: Modality
    direction: str | None
    force: Force
    newness: str  # "new" or "background"
    participants: tuple[Participant, ...]
    confidence: float
    rule: str
    seen: float | None = None  # the classifier's probability of the type; None if it did not read the sentence


@dataclass(slots=True)
class _Candidate:
    frame: Frame
    part: str
    particle: str
    trigger: Token
    filled: list[tuple[str, Filler]] = field(default_factory=list)

    @property
    def weight(self) -> tuple[float, float, float]:
        """How specific a candidate is: its participants (a verb counts half of one), requirements and precision."""
        required = len(self.frame.needs) + sum(slot.required for slot in self.frame.slots) + bool(self.frame.complement)
        return (self.part == "verb") * 0.5 + len({f.token.i for _, f in self.filled}), required, self.frame.precision


class ClaimReader:
    """Finds the claims in the passages of one article."""

    def __init__(self, event_types: EventTypes, referents: Referents) -> None:
        self.event_types, self.referents, self.roles = event_types, referents, Roles(referents)

    def read(self, passage: Passage) -> list[Draft]:
        """Return the drafts of a passage in the order of their triggers."""
        return [draft for sent in sentences(passage) for draft in self.read_sentence(passage, sent)]

    def read_sentence(self, passage: Passage, sent: Span) -> list[Draft]:
        """Return the drafts of one sentence."""
        words = set(re.findall(r"[\w$]+(?:[.'’-][\w]+)*|[“][\w]+", sent.text.lower())) | {
            token.lower_ for token in sent
        }
        found = []
        for token in sent:
            best: dict[str, _Candidate] = {}
            for cue in self.event_types.cues.get(token.lower_, ()):
                candidate = self._try(cue, token, words, passage)
                if candidate is not None:
                    previous = best.get(cue.frame.type)
                    if previous is None or candidate.weight > previous.weight:
                        best[cue.frame.type] = candidate
            found += self._of_one_trigger(list(best.values()))
        return [self._draft(candidate, passage, sent) for candidate in self._collapse(found)]

    def _try(self, cue: Cue, token: Token, words: set[str], passage: Passage) -> _Candidate | None:
        """Return a candidate if the frame of a cue fits a word of a sentence with these lower-case words."""
        frame = cue.frame
        if not self._fits_word(cue, token, words):
            return None
        filled = self.roles.fill(frame, cue.part, token, cue.particle.split(" ")[-1], passage)
        if filled is None or len(_acting(filled)) < frame.actors:
            return None
        if frame.frame_id in _AGAINST_OTHERS and _own_product(filled):
            return None
        if frame.type in ("agreement", "commitment") and _by_consumers(filled):
            return None
        if frame.type in _OF_PARTIES and self._by_court(filled) or _of_any(filled) and not is_negated(token):
            return None
        if any(_is_identified(filler) for _, filler in filled):
            return _Candidate(frame, cue.part, cue.particle, token, filled)
        if frame.precision < SURE_PRECISION or token.tag_ == "VBG":
            return None
        if not any(_is_individual(filler) for _, filler in filled):
            return None
        return _Candidate(frame, cue.part, cue.particle, token, filled)

    def _fits_word(self, cue: Cue, token: Token, words: set[str]) -> bool:
        """Return whether a word meets the requirements of a frame other than its participants."""
        frame = cue.frame
        if not _fits_part(cue, token) or frame.without & words or frame.near and not frame.near & words:
            return False
        inside = token.dep_ in ("acl", "relcl", "xcomp", "pcomp", "advcl")
        if cue.part == "verb" and inside and frame.type in _OF_PEOPLE and self._content_of_instrument(token):
            return False
        if cue.particle and not (_has_particle if cue.part == "verb" else _has_beside)(token, cue.particle):
            return False
        if frame.complement and not any(verb.lower_ in frame.complement for verb in complements(token)):
            return False
        if not frame.finite and any(is_finite(verb) for verb in children(token, "ccomp")):
            return False
        return has_form(token, frame.form) and _names_an_event(cue, token)

    def _by_court(self, filled: list[tuple[str, Filler]]) -> bool:
        """Return whether a court or a judge acts."""
        for role, filler in filled:
            if role == "actor":
                said = {filler.token.lower_} | {
                    word for party in filler.parties for word in party.name.lower().split()[-1:]
                }
                titles = {title for party in filler.parties for title in self.referents.titles(party.entity_id)}
                if said & _COURTS or titles & _COURTS:
                    return True
        return False

    def _content_of_instrument(self, verb: Token) -> bool:
        """Return whether a verb describes the content of an order or bill ("an order that blocks states from ...")."""
        for subject in subjects(verb):
            named = self.referents.of(subject)
            kind = named[0].kind if named else NOUN_KINDS.get(singular(subject.lower_))
            if kind is EntityKind.INSTRUMENT and subject.lower_ not in _ACTING:
                return True
        return False

    def _of_one_trigger(self, candidates: list[_Candidate]) -> list[_Candidate]:
        """Keep one event per word: the type that takes precedence, else the most precise frame."""
        if len(candidates) < 2:
            return candidates
        beaten = {type_ for candidate in candidates for type_ in self._beats(candidate)}
        unbeaten = [c for c in candidates if c.frame.type not in beaten] or candidates
        return [max(unbeaten, key=lambda candidate: (candidate.frame.precision, candidate.weight))]

    def _beats(self, candidate: _Candidate) -> tuple[str, ...]:
        return self.event_types.types[candidate.frame.type].beats

    def _collapse(self, found: list[_Candidate]) -> list[_Candidate]:
        """Drop candidates that repeat the event of another candidate in the sentence."""
        dropped: set[int] = set()
        for i, one in enumerate(found):
            for j, other in enumerate(found):
                if i == j or i in dropped or j in dropped:
                    continue
                same = one.frame.type == other.frame.type
                steps = _chain(one.trigger, other.trigger, through_and=same)
                if not same:
                    if steps and other.frame.type in self._beats(one):
                        dropped.add(j)
                    elif (
                        steps
                        and one.frame.type in self._beats(other)
                        and one.frame.type not in ("refusal", "access_request")
                    ):
                        dropped.add(i)
                elif steps and one.frame.frame_id in _ASKING:
                    dropped.add(j)
                elif steps and one.frame.frame_id in _RULING and turns_down(one.trigger, other.trigger):
                    dropped.add(j)
                    one.filled.extend(other.filled)
                elif (steps or _same_event(one, other)) and not two_occasions(one.trigger, other.trigger):
                    dropped.add(i if _says_less(one, other) else j)
        return [candidate for i, candidate in enumerate(found) if i not in dropped]

    def _draft(self, candidate: _Candidate, passage: Passage, sent: Span) -> Draft:
        frame, trigger = candidate.frame, candidate.trigger
        start = passage.offset(trigger)
        end = start + len(trigger.text)
        if (
            candidate.particle
            and trigger.i + 1 < len(trigger.doc)
            and trigger.nbor().lower_ == candidate.particle.split()[0]
        ):
            end = passage.offset(trigger.nbor()) + len(trigger.nbor().text)
        ordered = any("orderee" in slot.positions for slot in frame.slots) and directive(trigger) is not None
        base = frame.modality or self.event_types.types[frame.type].means.get(trigger.lower_)
        if base is None and is_verb(trigger):
            base = own_sense(trigger, frame.type)
        modality = modality_of(trigger, sent.text, base, ordered, frame.fixed)
        span = (passage.start + sent.start_char, passage.start + sent.end_char)
        parties = participants(self.roles.governed(self._without_bare(candidate)), span, _developer(candidate.filled))
        parties = self._with_counterpart(self._with_speaker(parties, candidate), candidate, passage)
        parties = self._with_owner(self._with_sides(parties, frame), candidate)
        confidence = frame.precision - (0.05 if candidate.part == "noun" else 0.0)
        if not any(party.role == "actor" for party in parties):
            confidence -= 0.1
        if not any(_is_identified(filler) for _, filler in candidate.filled):
            confidence -= 0.15
        if frame.type == "agreement" and is_business(parties, sent.text):
            confidence -= 0.5
        return Draft(
            type=frame.type,
            passage=passage,
            paragraph=passage.doc.user_data["passage"],
            sent=sent,
            trigger=trigger,
            words=(start, end),
            modality=modality,
            direction=frame.direction,
            force=force_of(frame.force, sent),
            newness=newness_of(trigger, sent, modality, candidate.part),
            participants=parties,
            confidence=round(max(0.05, min(0.99, confidence)), 3),
            rule=f"{frame.type}:{frame.frame_id}",
        )

    def _with_sides(self, parties: tuple[Participant, ...], frame: Frame) -> tuple[Participant, ...]:
        """Add the company whose head agrees or refuses: the head acts for it."""
        if frame.type not in ("refusal", "agreement", "commitment", "access_grant"):
            return parties
        added = []
        for party in parties:
            if party.role == "actor" and party.kind is EntityKind.PERSON:
                side = self.referents.side(party.entity_id)
                if side is not None and side.kind is EntityKind.ORGANISATION:
                    added.append(Participant("actor", side.entity_id, side.name, side.kind))
        known = {(party.role, party.entity_id) for party in parties}
        return parties + tuple(party for party in added if (party.role, party.entity_id) not in known)

    def _with_counterpart(
        self, parties: tuple[Participant, ...], candidate: _Candidate, passage: Passage
    ) -> tuple[Participant, ...]:
        """Add the other side of an agreement from elsewhere in the sentence."""
        sides = [party for party in parties if party.role == "actor" and party.kind is not EntityKind.GROUP]
        if candidate.frame.type != "agreement" or len(sides) != 1:
            return parties
        heads = other_sides(candidate.trigger)
        filled = [("actor", f) for head in heads for f in self.roles.fillers(head, passage) if f.resolved]
        known = {party.entity_id for party in parties}
        added = participants(self.roles.governed(filled), (passage.start, passage.start + len(passage.text)), None)
        return parties + tuple(party for party in added if party.entity_id not in known)

    def _with_owner(self, parties: tuple[Participant, ...], candidate: _Candidate) -> tuple[Participant, ...]:
        """Add the owner of a model or product: "stop using Acme's tools" is aimed at Acme."""
        role = self.event_types.types[candidate.frame.type].owner
        if not role or any(party.role == role for party in parties):
            return parties
        taken = {party.entity_id for party in parties}
        owners = []
        for _, filler in candidate.filled:
            if filler.owner is None and filler.kind == EntityKind.MODEL:
                made_by = [self.referents.maker(party.entity_id) for party in filler.parties]
                owners += [
                    Participant(role, m.entity_id, m.name, m.kind)
                    for m in made_by
                    if m is not None and m.entity_id not in taken
                ]
            if filler.owner is not None and filler.owner.entity_id not in taken:
                m = filler.owner
                owners.append(Participant(role, m.entity_id, m.name, m.kind, m.text, m.start, m.end))
        return parties + tuple(dict.fromkeys(owners))

    def _with_speaker(self, parties: tuple[Participant, ...], candidate: _Candidate) -> tuple[Participant, ...]:
        """Add the official who announces an act without naming its actor."""
        if candidate.frame.type not in DONE_BY_SAYING or any(party.role == "actor" for party in parties):
            return parties
        if candidate.part == "verb" and subjects(candidate.trigger):
            return parties
        said_by = [m for subject in announcers(candidate.trigger) for m in self.referents.of(subject)]
        return parties + tuple(
            Participant("actor", m.entity_id, m.name, m.kind, m.text, m.start, m.end)
            for m in said_by
            if m.kind in (EntityKind.PERSON, EntityKind.AGENCY, EntityKind.GOVERNMENT)
        )

    def _without_bare(self, candidate: _Candidate) -> list[tuple[str, Filler]]:
        """Leave out unnamed instruments ("a deal", "the decision") unless the event type allows them."""
        if self.event_types.types[candidate.frame.type].bare:
            return candidate.filled
        events = _EVENT_NOUNS.get(candidate.frame.type, ())
        kept = [
            (role, filler)
            for role, filler in candidate.filled
            if role != "instrument"
            or filler.resolved
            or any(" " in party.name for party in filler.parties)
            and (filler.token.lower_ not in events or any(_MATTER.search(party.name) for party in filler.parties))
        ]
        return kept or candidate.filled


def _names_an_event(cue: Cue, token: Token) -> bool:
    """Return whether a word that fits a frame names an actual event, not a rule, a purpose or a class."""
    if cue.frame.negated and not is_negated(token):
        return False
    if below_shall(token) or is_for_choice(token) or cue.frame.direction == "lift" and out_of_a_bill(token):
        return False
    return cue.part != "noun" or not is_generic(token)


def announcers(trigger: Token) -> list[Token]:
    """Return the subjects of the speech verb above a trigger."""
    clause = trigger
    for _ in range(6):
        if clause.head == clause:
            return []
        clause = clause.head
        if clause.lower_ in STATING:
            return subjects(clause)
    return []


def _own_product(filled: list[tuple[str, Filler]]) -> bool:
    """Return whether an actor withdraws its own product: a maker that pulls its own model does not restrict anyone."""
    actors = _acting(filled)
    return any(
        filler.owner is not None and filler.owner.entity_id in actors for role, filler in filled if role != "actor"
    )


def _by_consumers(filled: list[tuple[str, Filler]]) -> bool:
    """Return whether only consumers act: users who accept terms make no agreement or commitment."""
    acting = [filler.token.lower_ for role, filler in filled if role == "actor"]
    return bool(acting) and CONSUMERS.issuperset(acting)


def _of_any(filled: list[tuple[str, Filler]]) -> bool:
    """Return whether an act concerns any member of a class: "to pull any model" is a possibility, not an event."""
    aims = [filler for role, filler in filled if role in ("target", "object")]
    return bool(aims) and all(any(child.lower_ == "any" for child in filler.token.lefts) for filler in aims)


def _acting(filled: list[tuple[str, Filler]]) -> set[str]:
    return {party.entity_id for role, filler in filled if role == "actor" for party in filler.parties}


def _is_identified(filler: Filler) -> bool:
    """Return whether a filler is a known entity or belongs to one."""
    return filler.resolved or filler.owner is not None


def _is_individual(filler: Filler) -> bool:
    """Return whether a filler describes an individual ("a federal judge", "the plant"), not a class ("regulators")."""
    token = filler.token
    if filler.kind == "other" or any(child.lower_ in ("any", "no", "every") for child in token.lefts):
        return False
    if token.tag_ not in ("NNS", "NNPS"):
        return any(child.dep_ in ("det", "poss", "amod", "nummod") for child in token.lefts)
    return any(
        child.dep_ in ("poss", "nummod") or child.lower_ in ("the", "these", "both", "several", "two")
        for child in token.lefts
    )


def _fits_part(cue: Cue, token: Token) -> bool:
    if cue.part == "verb":
        if token.lower_ == cue.head == "found" and token.tag_ != "VB":  # the past of "find"
            return False
        return is_verb(token) and token.dep_ not in ("amod", "compound", "aux", "auxpass")
    if cue.part == "adjective":
        predicates = ("acomp", "attr", "ROOT", "conj", "oprd", "amod", "advmod", "pobj")
        return token.pos_ in ("ADJ", "VERB", "NOUN", "ADV") and token.dep_ in predicates
    return token.pos_ in ("NOUN", "PROPN") and token.dep_ not in ("compound", "nmod")


def _has_particle(verb: Token, particle: str) -> bool:
    near = [
        child
        for child in verb.children
        if child.dep_ in ("prt", "prep", "advmod", "dative", "acomp", "agent", "oprd", "dobj", "intj")
    ]
    wanted = particle.split()
    first = [child for child in near if child.lower_ == wanted[0] and child.i > verb.i]
    if not first or len(wanted) == 1:
        return bool(first)
    around = [*near, *(grand for child in first for grand in child.children)]
    return any(child.lower_ == wanted[1] for child in around)


def _has_beside(noun: Token, words: str) -> bool:
    """Return whether the other words of a multi-word cue are right before or after it."""
    wanted, doc = words.split(), noun.doc
    before = [token.lower_ for token in doc[max(0, noun.i - len(wanted)) : noun.i]]
    after = [token.lower_ for token in doc[noun.i + 1 : noun.i + 1 + len(wanted)]]
    return wanted in (before, after)


def _chain(upper: Token, lower: Token, through_and: bool) -> int:
    """Return the number of steps from a trigger up to another, or 0 if a clause lies between or it is not below."""
    token, steps = lower, 0
    if not through_and and lower.dep_ == "acl" and lower.tag_ == "VBN" and lower.head != upper:
        return 0  # "wants to change a deal struck last year": the deal is a separate event
    while steps < _MAX_STEPS and token.head != token:
        infinitive = token.tag_ == "VB" and any(child.lower_ == "to" for child in children(token, "aux"))
        if token.dep_ not in _CHAIN and not (infinitive and token.dep_ in ("advcl", "relcl")):
            return 0
        if token.dep_ == "conj" and (not through_and or children(token, "nsubj", "nsubjpass")):
            return 0
        token, steps = token.head, steps + 1
        if token.i == upper.i:
            return steps
    return 0


def _named_in(candidate: _Candidate, role: str) -> set[str]:
    return {
        party.entity_id
        for own, filler in candidate.filled
        if own == role and filler.resolved
        for party in filler.parties
    }


def _same_event(one: _Candidate, other: _Candidate) -> bool:
    """Return whether two candidates of a type name one event: same actors, no differing participant."""
    if one.frame.direction != other.frame.direction:
        return False
    few, many = sorted((_named_in(one, "actor"), _named_in(other, "actor")), key=len)
    if few and not few & many or len(few) > 1 and one.frame.type == "agreement" and not few <= many:
        return False  # agreements with different parties are different events
    for role in ("target", "object", "instrument", "body"):
        mine, its = _named_in(one, role), _named_in(other, role)
        if mine and its and not mine & its:
            return False
    if one.part == "noun" or other.part == "noun":
        return True
    return abs(one.trigger.i - other.trigger.i) <= 4 or _conjoined(one.trigger, other.trigger)


def _conjoined(one: Token, other: Token) -> bool:
    """Return whether two verbs are joined by "and", or one follows the other as a participle (", sending it")."""
    return any(
        lower.head == upper and (lower.dep_ == "conj" or lower.dep_ == "advcl" and lower.tag_ == "VBG")
        for upper, lower in ((one, other), (other, one))
    )


def _says_less(one: _Candidate, other: _Candidate) -> bool:
    """Return whether the first of two candidates for one event is the less specific."""
    return (one.part == "verb", one.weight) < (other.part == "verb", other.weight)


def _developer(filled: list[tuple[str, Filler]]) -> Mention | None:
    """Return the likely owner of models without an owner: the only company among the targets, else the actors."""
    for wanted in ("target", "actor"):
        companies = {}
        for role, filler in filled:
            for p in filler.parties:
                if role == wanted and p.kind is EntityKind.ORGANISATION and filler.resolved:
                    companies[p.entity_id] = Mention(p.start, p.end, p.text, p.entity_id, p.name, p.kind, "reference")
        if len(companies) == 1:
            return next(iter(companies.values()))
    return None
