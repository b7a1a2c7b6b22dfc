"""Finds the participants of a trigger: fills the slots of a frame and gives the fillers their roles."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from pipeline.lexicon.common_nouns import GROUP_OF, NOUN_KINDS, TIME_WORDS
from pipeline.lexicon.inflection import singular, verb_forms, words
from pipeline.nlp.entities.coreference import PARTIES, Referents, noun_phrase_start
from pipeline.nlp.entities.descriptions import is_party_noun, last_word
from pipeline.nlp.parsing.dependencies import (
    children,
    complements,
    indirect,
    instances,
    is_passive,
    is_verb,
    members,
    noun_subjects,
    objects,
    prepositional,
    subjects,
    surface_subjects,
)
from pipeline.records import EntityKind, Mention, Participant, unknown_entity_id

if TYPE_CHECKING:
    from spacy.tokens import Token

    from pipeline.lexicon.event_type_cards import Frame, Slot
    from pipeline.nlp.parsing.parser import Passage

_TELL = verb_forms("tell")  # "told it that it would" is not an order
DIRECTIVES = frozenset(
    form
    for verb in words("order direct instruct require mandate command compel force tell oblige charge task")
    for form in verb_forms(verb)
)
_DIRECTIVE_NOUNS = frozenset(
    ["order", "orders", "directive", "directives", "mandate", "mandates", "instruction", "instructions", "directions"]
)
_MODELS = frozenset(["model", "models", "ai", "system", "systems", "llm", "llms"])
_OF_MATTER = frozenset(["on", "of", "for", "about", "regarding"])  # introduce the subject of an instrument
_WHERE = frozenset(["in", "at", "across", "throughout", "outside", "inside", "within"])
_MAX_MATTER = 8  # words
_ARTICLES = words("the a an this that these those its their his her our my your any all some every each no")
_OF_PRODUCTS = words(
    "model models ai system systems technology technologies tool tools product products service services software "
    "chatbot chatbots llm llms assistant weights code data platform chips gpus processors hardware"
)


class Party(NamedTuple):
    """An entity in a slot; `start` and `end` are the offsets of its words `text` in the article, -1 without words."""

    entity_id: str
    name: str
    kind: EntityKind
    text: str
    start: int
    end: int

    @classmethod
    def of(cls, mention: Mention) -> Party:
        return cls(mention.entity_id, mention.name, mention.kind, mention.text, mention.start, mention.end)


class Directive(NamedTuple):
    """An order: the heads of those who give it and of those who receive it, and the word that names it."""

    orderers: list[Token]
    ordered: list[Token]
    word: Token


@dataclass(frozen=True, slots=True)
class Filler:
    """The content of a slot.

    Attributes:
        token: The head of the noun phrase.
        parties: The entities that it refers to.
        kind: The kind of filler, one of FILLERS in `lexicon.event_type_cards`.
        resolved: Whether it is a name or refers to one.
        loose: Whether it is an unlisted name whose kind is a guess from its shape.
        owner: The owner of a described product or person.
    """

    token: Token
    parties: tuple[Party, ...]
    kind: str
    resolved: bool
    loose: bool = False
    owner: Mention | None = None


class Roles:
    """Finds the participants of the triggers of one article."""

    def __init__(self, referents: Referents) -> None:
        self.referents = referents

    def fill(
        self, frame: Frame, part: str, trigger: Token, particle: str, passage: Passage
    ) -> list[tuple[str, Filler]] | None:
        """Return (role, filler) for the frame's slots; None if a required slot is empty or a need is not met."""
        found: list[tuple[str, Filler]] = []
        used: set[int] = set()
        for slot in frame.slots:
            filled = False
            for token in self.candidates(slot, part, trigger, particle, frame):
                fillers = self._fitting(slot, token, passage)
                for filler in fillers:
                    if slot.role == "target" and _is_actor(filler, found):
                        continue
                    filled = True
                    if slot.role and filler.token.i not in used:
                        used.add(filler.token.i)
                        found.append((slot.role, filler))
            if slot.required and not filled:
                return None
        have = {role for role, _ in found}
        if any(not have & set(need) for need in frame.needs):
            return None
        return found

    def governed(self, filled: list[tuple[str, Filler]]) -> list[tuple[str, Filler]]:
        """Replace a country that acts or is acted upon by its government, in the words of the text: "Japan"."""
        return [(role, self._governed(filler) if role in ("actor", "target") else filler) for role, filler in filled]

    def _governed(self, filler: Filler) -> Filler:
        token = filler.token
        if token.dep_ in ("compound", "nmod", "amod") or token.dep_ == "pobj" and token.head.lower_ in _WHERE:
            return filler  # "the U.S. market", "schools in Japan"
        parties = []
        for party in filler.parties:
            government = self.referents.government(party.entity_id) if party.kind is EntityKind.PLACE else None
            if government is not None:
                party = party._replace(entity_id=government.entity_id, name=government.name, kind=government.kind)
            parties.append(party)
        return replace(filler, parties=tuple(parties))

    def candidates(self, slot: Slot, part: str, trigger: Token, particle: str, frame: Frame) -> list[Token]:
        """Return the tokens in a slot's positions."""
        found: list[Token] = []
        for position in slot.positions:
            head, _, inner = position.partition(".")
            for token in self._at(head, part, trigger, particle, frame):
                reached = [token]
                for step in inner.split(".") if inner else ():
                    reached = [deeper for each in reached for deeper in _inside(each, step, self)]
                found += reached
        return list(dict.fromkeys(found))

    def _at(self, position: str, part: str, trigger: Token, particle: str, frame: Frame) -> list[Token]:
        if position == "subject":
            return self._subjects(part, trigger, frame)
        if position == "orderee":
            order = directive(trigger) if part == "verb" else None
            return order.ordered if order is not None else []
        if position == "object":
            return self._objects(part, trigger, particle)
        if position == "indirect":
            return indirect(trigger)
        if position == "modifier":
            return self._modifying(trigger)
        if position == "complement":
            return complements(trigger)
        found = prepositional(trigger, position)
        if part == "verb":
            # "was awarded a contract with the department", "awards of up to $200 million from the department"
            for governed in dict.fromkeys([*self._objects(part, trigger, particle), *children(trigger, "dobj")]):
                if governed.i > trigger.i:
                    inner = [governed, *prepositional(governed, "of")]
                    found += [token for each in inner for token in prepositional(each, position)]
        return list(dict.fromkeys(found))

    def _subjects(self, part: str, trigger: Token, frame: Frame) -> list[Token]:
        if part == "verb":
            order = directive(trigger)
            if order is not None and any("orderee" in slot.positions for slot in frame.slots):
                return order.orderers
            return subjects(trigger)
        if part == "adjective":
            return surface_subjects(trigger.head) if is_verb(trigger.head) else []
        return noun_subjects(trigger) or self._modifying(trigger)

    def _objects(self, part: str, trigger: Token, particle: str) -> list[Token]:
        if part == "noun":
            return prepositional(trigger, "of")
        found = objects(trigger)
        if particle and not found:
            found = prepositional(trigger, particle)
            if not found:  # "step in and look into": the particle's object may be one level deeper
                found = [
                    pobj
                    for child in children(trigger, "prt", "advmod")
                    for prep in children(child, "prep")
                    for pobj in children(prep, "pobj")
                ]
        return found

    def _modifying(self, noun: Token) -> list[Token]:
        """Return the names before a noun that modify it: "the Pentagon designation"."""
        return [
            child for child in noun.lefts if child.dep_ in ("compound", "nmod", "amod") and self.referents.of(child)
        ]

    def _fitting(self, slot: Slot, token: Token, passage: Passage) -> list[Filler]:
        if slot.words and token.lower_ not in slot.words and not self._named_like(token, slot.words):
            return []
        fillers = [filler for member in members(token) for filler in self.fillers(member, passage)]
        if slot.named:
            fillers = [f for f in fillers if f.resolved]
        return [
            filler
            for filler in fillers
            if not slot.kinds
            or filler.kind in slot.kinds
            or filler.loose
            and "organisation" in slot.kinds
            or slot.words
            and not filler.resolved  # the slot asks for the noun itself: "code" may be software or a rule
        ]

    def _named_like(self, token: Token, words: frozenset[str]) -> bool:
        """Return whether a name contains the wanted noun: "the RAISE Act" is an act."""
        mention = self.referents.name(token) or next(iter(self.referents.of(token)), None)
        if mention is None:
            return False
        if mention.kind is EntityKind.PERSON:
            return bool(self.referents.titles(mention.entity_id) & words)
        if mention.kind is EntityKind.INSTRUMENT:
            said = set(re.findall(r"[a-z]+", mention.name.lower())) | set(re.findall(r"[a-z]+", mention.text.lower()))
            if said & words:
                return True
            return bool(re.match(r"(?:SB|AB|HB|HR|H\.R\.|S\.)", mention.name)) and "bill" in words
        if mention.kind in (EntityKind.AGENCY, EntityKind.GOVERNMENT, EntityKind.ORGANISATION):
            # "the U.S. Senate" is a senate; the Justice Department is not a justice, the White House not a house.
            said = {_head_word(mention.name), _head_word(mention.text)} if "White" not in mention.name else set()
            return not words.isdisjoint(said)
        return False

    def fillers(self, token: Token, passage: Passage) -> list[Filler]:
        """Return what the head of a noun phrase refers to: entities, listed members, or a description."""
        named = self.referents.of(token)
        alone = named and named[0].kind is EntityKind.GROUP and " " not in named[0].text
        if alone and token.pos_ == "NOUN" and last_word(token) is not token:
            named = ()  # "users in Georgia" does not mean all users
        if named and (person := self._named_after(token, named[0])) is not None:
            return self.fillers(person, passage)
        if named and (beside := self._beside_its_own(token, named[0])) is not None:
            return self.fillers(beside, passage)
        listed = self.referents.listed(token) if len(named) == 1 and named[0].basis != "reference" else ()
        if listed:
            return [Filler(token, tuple(map(Party.of, listed)), listed[0].kind.value, True)]
        if named:
            inner = [] if named[0].basis != "reference" else instances(token)
            within = [f for member in inner for f in self.fillers(member, passage) if f.resolved]
            if within and all(f.kind == named[0].kind.value for f in within):
                return within
            parties = tuple(map(Party.of, named))
            loose = named[0].basis == "capitals" and named[0].kind in (EntityKind.PERSON, EntityKind.ORGANISATION)
            return [Filler(token, parties, named[0].kind.value, named[0].basis != "nominal", loose)]
        if token.pos_ not in ("NOUN", "PROPN", "PRON", "NUM", "ADJ", "X", "VERB"):
            return []
        within = [f for member in instances(token) for f in self.fillers(member, passage) if f.resolved]
        kind = NOUN_KINDS.get(singular(token.lower_))
        if within and (
            kind is None
            or any(f.kind == kind.value or kind in PARTIES and f.kind in ("organisation", "agency") for f in within)
        ):
            return within
        inside = [
            mention
            for child in token.lefts
            if child.dep_ in ("compound", "nmod", "amod", "appos")
            for member in members(child)
            for mention in self.referents.of(member)
        ]
        wanted = [m for m in inside if m.kind is kind and kind in (EntityKind.MODEL, EntityKind.INSTRUMENT)]
        if wanted:
            return [Filler(token, tuple(map(Party.of, wanted)), wanted[0].kind.value, True)]
        described = self._described(token, kind, inside, passage)
        return [described] if described is not None else []

    def _beside_its_own(self, token: Token, mention: Mention) -> Token | None:
        """Return the person named beside a body they head: "sued the company and its chief executive, Dana Roe"."""
        if token.dep_ != "conj" or all(m.entity_id != mention.entity_id for m in self.referents.of(token.head)):
            return None
        people = (c for c in children(token, "appos") for m in self.referents.of(c) if m.kind is EntityKind.PERSON)
        return next(people, None)

    def _named_after(self, token: Token, mention: Mention) -> Token | None:
        """Return the person whose title is a place or an office: "U.S. Senator Dana Roe", whatever the parse."""
        if mention.kind not in (EntityKind.PLACE, EntityKind.AGENCY, EntityKind.GOVERNMENT):
            return None
        for child in children(token, "appos"):
            between = token.doc[token.i + 1 : child.i]
            person = any(m.kind is EntityKind.PERSON for m in self.referents.of(child))
            if person and child.i > token.i and all(t.pos_ in ("PROPN", "NOUN") for t in between):
                return child
        return None

    def _described(
        self, token: Token, kind: EntityKind | None, inside: list[Mention], passage: Passage
    ) -> Filler | None:
        if token.pos_ == "PRON":
            return None
        first = noun_phrase_start(token)
        text = passage.text[first.idx : token.idx + len(token.text)]
        start = passage.start + first.idx
        owners = [m for child in children(token, "poss") for m in self.referents.of(child)] or inside
        owner = next((m for m in owners if m.kind in PARTIES or m.kind is EntityKind.PERSON), None)
        if owner is None:
            after = [m for pobj in prepositional(token, "of", "from", "by") for m in self.referents.of(pobj)]
            owner = next((m for m in after if m.kind in PARTIES), None) if token.lower_ in _OF_PRODUCTS else None
        if kind is EntityKind.INSTRUMENT and (matter := _subject_matter(token)) is not None:
            text = passage.text[first.idx : matter.idx + len(matter.text)]
        if token.pos_ == "NOUN" and is_party_noun(token) and (last := last_word(token)) is not token:
            text = passage.text[first.idx : last.idx + len(last.text)]
        plain = _without_article(text)
        name = GROUP_OF.get(plain.lower(), plain)
        if owner is not None and kind is EntityKind.MODEL:
            name = product_name(owner.name, token.lower_, plain)
        tag = kind or EntityKind.GROUP
        if plain.lower() in GROUP_OF or token.tag_ == "NNS" and tag in PARTIES | {EntityKind.PERSON}:
            tag = EntityKind.GROUP
        party = Party(unknown_entity_id(name, tag), name, tag, text, start, start + len(text))
        return Filler(token, (party,), tag.value if kind else "other", False, owner=owner)


def _subject_matter(noun: Token) -> Token | None:
    """Return the last word of an instrument's subject ("an executive order on AI exports"), or None.

    Only a short phrase right after the noun counts, up to a clause or a comma.
    """
    after = noun.nbor(1) if noun.i + 1 < len(noun.doc) else None
    if after is None or after.dep_ != "prep" or after.head != noun or after.lower_ not in _OF_MATTER:
        return None
    last = None
    for pobj in children(after, "pobj"):
        if pobj.pos_ not in ("NOUN", "PROPN") or pobj.lower_ in TIME_WORDS:
            return None
        last = pobj
        for token in noun.doc[pobj.i + 1 : pobj.right_edge.i + 1]:
            if token.is_punct or is_verb(token) or token.tag_ in ("WDT", "WP", "CC") or token.lower_ == "with":
                break
            last = token
    while last is not None and last.pos_ in ("ADP", "DET", "PART"):
        last = last.nbor(-1)
    return last if last is not None and last.i - after.i <= _MAX_MATTER else None


def _head_word(name: str) -> str:
    """Return the head noun of a name: "court" for "Court of Appeals for the Ninth Circuit"."""
    return re.split(r" (?:of|for|on) ", name.lower())[0].rpartition(" ")[2]


def _is_actor(filler: Filler, found: list[tuple[str, Filler]]) -> bool:
    """Return whether a filler already acts in the claim: no party is its own target."""
    mine = {party.entity_id for party in filler.parties}
    return any(role == "actor" and mine & {party.entity_id for party in other.parties} for role, other in found)


def product_name(owner: str, head: str, words: str) -> str:
    """Return the name of an owner's products: "Meta's AI models" for "its latest models", "Meta's tools"."""
    if head in _MODELS:
        return f"{owner}'s AI models"
    if head in ("technology", "technologies"):
        return f"{owner}'s technology"
    return f"{owner}'s {head}"


def _without_article(words: str) -> str:
    first, _, rest = words.strip('[]"“”').partition(" ")
    if first.lower().strip('[]"“”') in _ARTICLES and rest:
        return _without_article(rest)
    return re.sub(r"^[\w.&'’ -]*?(?:'s|’s|s'|s’)\s+(?=\w)", "", words) if re.search(r"['’]s? ", words) else words


def directive(verb: Token) -> Directive | None:
    """Return the order to do what a verb names, or None if it is not ordered."""
    clause = verb
    while clause.dep_ == "conj" and is_verb(clause.head):
        if clause.head.lower_ in DIRECTIVES or children(clause, "nsubj", "nsubjpass"):
            break
        clause = clause.head
    head = clause.head
    infinitive = any(child.lower_ == "to" for child in children(clause, "aux"))
    below = clause.dep_ in ("xcomp", "ccomp", "advcl", "acl", "relcl") and is_verb(head) and head.lower_ in DIRECTIVES
    finite = clause.dep_ == "ccomp" and children(clause, "nsubj") and head.lower_ not in _TELL
    if below and (infinitive or finite):
        ordered = children(clause, "nsubj", "nsubjpass") or objects(head)
        if ordered:
            return Directive(subjects(head), ordered, head)
    on_object = clause.dep_ in ("acl", "relcl") and head.dep_ in ("dobj", "nsubjpass")
    if on_object and infinitive and head.head.lower_ in DIRECTIVES:
        return Directive(subjects(head.head), [head], head.head)
    if clause.dep_ in ("acl", "relcl", "ccomp") and head.lower_ in _DIRECTIVE_NOUNS:
        ordered = children(clause, "nsubj") or prepositional(head, "for", "to")
        if ordered:
            return Directive(noun_subjects(head), ordered, head)
    return None


def _inside(token: Token, position: str, roles: Roles) -> list[Token]:
    """Return the tokens in a position below another: the object of a complement, a preposition on an object."""
    if position == "object":
        found = objects(token)
        return (
            found or [pobj for child in complements(token) for pobj in objects(child)]
            if is_verb(token)
            else prepositional(token, "of")
        )
    if position == "complement":
        return complements(token)
    if position == "acl":
        return children(token, "acl")
    if position == "subject":
        own = children(token, "nsubj")
        if own:
            return own
        return [] if is_passive(token) else _nested_subjects(token)
    if position == "owner":
        return children(token, "poss") or roles._modifying(token)
    if position == "modifier":
        return roles._modifying(token)
    found = prepositional(token, position)
    if is_verb(token):
        found += [
            pobj for governed in objects(token) if governed.i > token.i for pobj in prepositional(governed, position)
        ]
    return found


def _nested_subjects(verb: Token) -> list[Token]:
    """Return the subject of a clause below "let": "agreed to let the institute test"."""
    found = [inner for clause in children(verb, "ccomp", "xcomp") for inner in children(clause, "nsubj")]
    return found + (children(verb, "dobj") if verb.lower_ in ("let", "allow", "permit", "enable", "help") else [])


def participants(
    filled: list[tuple[str, Filler]], sentence: tuple[int, int], developer: Mention | None
) -> tuple[Participant, ...]:
    """Turn fillers into participants, each entity once per role.

    Args:
        filled: (role, filler) pairs.
        sentence: Offsets of the sentence; participants named outside it lose their offsets.
        developer: The owner of models that have none, if known.
    """
    found: dict[tuple[str, str], Participant] = {}
    for role, filler in filled:
        for entity_id, name, kind, text, start, end in filler.parties:
            unowned = not filler.resolved and filler.owner is None and kind is EntityKind.MODEL
            if developer is not None and unowned and filler.token.lower_ in _OF_PRODUCTS:
                name = product_name(developer.name, filler.token.lower_, name)
                entity_id = unknown_entity_id(name, kind)
            if not sentence[0] <= start < sentence[1]:
                start = end = -1
            found.setdefault((role, entity_id), Participant(role, entity_id, name, kind, text, start, end))
    return tuple(found.values())
