"""Resolves names, pronouns and descriptions such as "the company" to entities, by salience.

Recent, frequent entities and subjects are the most salient. A description resolves only to what it fits: "the agency"
to an agency, "both labs" to two organisations. "We" is the speaker, in a quotation the speaker's side. A plural
resolves to every member.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from pipeline.lexicon.common_nouns import ENVOYS, NOUN_KINDS, agencies_called, may_be_called
from pipeline.lexicon.entities import Lexicon
from pipeline.lexicon.inflection import singular, verb_forms, words
from pipeline.nlp.entities.countries import bodies_of, countries_before, country_discussed
from pipeline.nlp.entities.descriptions import unnamed
from pipeline.nlp.entities.first_person import Voices
from pipeline.nlp.entities.persons import PARTISANS, PRESS, described, governor, made_by, several, title_before
from pipeline.nlp.parsing.dependencies import children, is_verb, members, prepositional, subjects, surface_subjects
from pipeline.nlp.parsing.parser import Passage, sentences
from pipeline.nlp.parsing.spans import (
    PARTIES,
    is_expletive,
    name_lists,
    noun_phrase_start,
    rank_of,
    speakers_of,
    takes_effect,
)
from pipeline.records import EntityKind, Mention, unknown_entity_id

if TYPE_CHECKING:
    from spacy.tokens import Span, Token

_IT = frozenset({"it", "its", "itself"})
_HE = frozenset({"he", "she", "him", "his", "her", "hers", "himself", "herself"})
_THEY = frozenset({"they", "them", "their", "theirs", "themselves"})
_DEFINITE = frozenset(
    {"the", "this", "that", "these", "those", "both", "each", "all", "every", "either", "neither", "such"}
)
_COUNTED = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_NUMBERS = {word: n for n, word in enumerate(_COUNTED, 2)} | {"both": 2}
_BILLS = re.compile(r"\b(?:Bill|Act|S\.?B\.?|A\.?B\.?|H\.?R\.?|HB|Law|Legislation)\b")
_ORDERS = re.compile(r"\b(?:Order|Memorandum|Directive|Proclamation)\b")
_WORKPLACES = frozenset({"company", "firm", "agency", "department", "startup", "lab", "administration"})
_ONCE = 6.0  # penalty of an unknown capitalised name that occurs once
_REACH = 10  # maximum distance in sentences between a description and what it refers to
# Verbs whose object is always a text: "they were gazetted" refers to rules, not to people.
_TO_TEXTS = frozenset(
    form
    for verb in words("notify gazette promulgate enact repeal veto shelve ratify rescind revoke")
    for form in verb_forms(verb)
)


@dataclass(frozen=True, slots=True)
class _Seen:
    sentence: int
    rank: float  # salience of its syntactic position
    mention: Mention


class Referents:
    """The entities that the tokens of one article refer to."""

    def __init__(
        self,
        passages: list[Passage],
        unknown: Iterable[Mention],
        lexicon: Lexicon,
        day: date | None,
        author: Mention | None = None,
    ) -> None:
        self.passages, self.lexicon, self.day, self.author = passages, lexicon, day, author
        self._at: dict[tuple[int, int], tuple[Mention, ...]] = {}
        self._named: dict[tuple[int, int], Mention] = {}
        self._seen: list[_Seen] = []
        self._groups: list[tuple[int, tuple[Mention, ...]]] = []
        self._frequency: Counter[str] = Counter()
        self._titles: dict[str, set[str]] = {}
        self._sides: dict[str, Mention] = {}  # person id -> body they speak for
        self._sentence = 0
        self._lists: dict[int, tuple[Mention, ...]] = {}
        extra = list(unknown)
        for number, passage in enumerate(passages):
            passage.doc.user_data["passage"] = number
            end = passage.start + len(passage.text)
            inside = sorted(
                [*passage.mentions, *(m for m in extra if passage.start <= m.start < end)], key=lambda m: m.start
            )
            for mention in inside:
                self._place(number, passage, mention)
            for members_ in name_lists(passage, inside):
                self._lists.update({mention.start: members_ for mention in members_})
        for passage in passages:
            for sent in sentences(passage):
                self._read(passage, sent)
        for (passage, token), speaker in Voices(passages, self.of, self.side, author).first_persons():
            self._at[passage.doc.user_data["passage"], token.i] = self._said((speaker,), passage, token, token)

    def of(self, token: Token) -> tuple[Mention, ...]:
        """Return the entities a token refers to: one for a name, several for a plural, none if unknown."""
        return self._at.get((token.doc.user_data["passage"], token.i), ())

    def name(self, token: Token) -> Mention | None:
        """Return the name that a token is part of, not what it refers to."""
        return self._named.get((token.doc.user_data["passage"], token.i))

    def listed(self, token: Token) -> tuple[Mention, ...]:
        """Return all members of the list of names ("X, Y and Z") that a token belongs to, whatever the parse."""
        mention = self.name(token)
        return self._lists.get(mention.start, ()) if mention is not None else ()

    def side(self, person_id: str) -> Mention | None:
        """Return the body a person speaks for, according to the text or the lexicon."""
        return self._sides.get(person_id)

    def _place(self, number: int, passage: Passage, mention: Mention) -> None:
        span = passage.doc.char_span(
            mention.start - passage.start, mention.end - passage.start, alignment_mode="expand"
        )
        if span is None or not len(span):
            return
        for token in span:
            self._named.setdefault((number, token.i), mention)
        self._at.setdefault((number, span.root.i), (mention,))
        self._frequency[mention.entity_id] += 1

    def _read(self, passage: Passage, sent: Span) -> None:
        """Resolve a sentence from left to right; each entity becomes salient for what follows."""
        self._sentence += 1
        for token in sent:
            mentions = self.of(token)
            if not mentions and self.name(token) is not None:
                continue  # part of a name, not its head
            if token.lower_ in PARTISANS and (found := self._description(passage, token)):
                mentions = self._at[token.doc.user_data["passage"], token.i] = found
            if mentions and token.pos_ != "VERB":
                self._learn_person(token, mentions[0])
            else:
                mentions = self._resolve(passage, token, sent)
                if mentions:
                    self._at[token.doc.user_data["passage"], token.i] = mentions
            if not mentions:
                self._note_thing(passage, token)
                continue
            if len(mentions) == 1:
                self._seen.append(_Seen(self._sentence, rank_of(token), mentions[0]))
                self._note_group(token)
            else:
                self._groups.append((self._sentence, mentions))

    def _note_thing(self, passage: Passage, token: Token) -> None:
        """Remember a bill, a rule or a model without a name, for a later "it"."""
        kind = NOUN_KINDS.get(singular(token.lower_)) if token.pos_ == "NOUN" else None
        if kind not in (EntityKind.INSTRUMENT, EntityKind.MODEL) or token.dep_ in ("compound", "nmod", "npadvmod"):
            return
        first = noun_phrase_start(token)
        if first == token or token.tag_ == "NNS" and first.dep_ == "amod":
            return
        start, end = passage.offset(first), passage.offset(token) + len(token.text)
        words = passage.text[first.idx : token.idx + len(token.text)]
        name = re.sub(r"^(?:an?|the|this|that|its|their|his|her)\s+", "", words, flags=re.IGNORECASE)
        mention = Mention(start, end, words, unknown_entity_id(name, kind), name, kind, "nominal")
        self._seen.append(_Seen(self._sentence, rank_of(token) - 1.0, mention))

    def _note_group(self, token: Token) -> None:
        mention = self.name(token)
        if mention is not None and (listed := self._lists.get(mention.start)):
            if listed[-1] is mention and mention.kind in PARTIES:
                self._groups.append((self._sentence, listed))
            return
        if token.dep_ in ("conj", "appos") or not children(token, "conj"):
            return
        named = [self.of(member)[0] for member in members(token) if self.of(member)]
        parties = tuple({m.entity_id: m for m in named if m.kind in PARTIES}.values())
        if len(parties) > 1:
            self._groups.append((self._sentence, parties))

    def _learn_person(self, token: Token, mention: Mention) -> None:
        """Learn title and body from "Anthropic CEO Dario Amodei" and "Dana Roe, head of the agency"."""
        if mention.kind is not EntityKind.PERSON:
            return
        titles = self._titles.setdefault(mention.entity_id, set())
        own = self.name(token)
        before = [child for child in token.lefts if child.dep_ in ("compound", "nmod", "amod", "poss")]
        before = [child for child in before if own is None or self.name(child) is not own]  # no first names
        appositions = [child for child in token.rights if child.dep_ == "appos"]
        titles.update(child.lower_ for child in before)
        titles.update(child.lower_ for child in appositions)
        titles.update(title_before(token))
        if token.dep_ == "conj":  # "Sens. Roe and Doe"
            for first in self.of(token.head):
                titles.update(t for t in self._titles.get(first.entity_id, ()) if t.rstrip(".").endswith("s"))
        near = [*before, *(grand for child in [*before, *appositions] for grand in child.subtree)]
        for child in near:
            for other in self.of(child):
                if other.kind in PARTIES:
                    self._sides[mention.entity_id] = other
        if mention.entity_id in self.lexicon.entities and len(titles) <= len(before) + len(appositions):
            for role in self.lexicon.roles_of(mention.entity_id, self.day):
                titles.update(role.office.lower().split())
                titles.update(word for title in role.titles for word in title.lower().split())
                if role.body_id and mention.entity_id not in self._sides:
                    self._sides[mention.entity_id] = self._entity(role.body_id)

    def maker(self, entity_id: str) -> Mention | None:
        """Return the maker of a model according to the lexicon."""
        entity = self.lexicon.entities.get(entity_id)
        if entity is None or entity.kind is not EntityKind.MODEL or not entity.parent_id:
            return None
        above = self._entity(entity.parent_id)
        return above if above.kind in PARTIES else self.maker(above.entity_id)

    def government(self, place_id: str) -> Mention | None:
        """Return the government of a country, None for a place without one."""
        found = next((place.government_id for place in self.lexicon.places if place.entity_id == place_id), "")
        return self._entity(found) if found else None

    def _entity(self, entity_id: str) -> Mention:
        entity = self.lexicon.entities[entity_id]
        return Mention(-1, -1, "", entity_id, self.lexicon.name_at(entity_id, self.day), entity.kind, "reference")

    def _resolve(self, passage: Passage, token: Token, sent: Span) -> tuple[Mention, ...]:
        word = token.lower_
        if token.pos_ in ("PRON", "DET") or word in _IT | _THEY | _HE:
            found: tuple[Mention, ...] = ()
            if word in _IT and not is_expletive(token):
                found = self._one(self._it(token))
            elif word in _HE:
                found = self._one(self._best({EntityKind.PERSON}, token))
            elif word in _THEY:
                found = self._they(token)
            return self._said(found, passage, token, token)
        if token.pos_ not in ("NOUN", "PROPN"):
            return ()
        return self._description(passage, token)

    def _recent(self) -> list[Mention]:
        return [seen.mention for seen in reversed(self._seen[-160:])]

    def _one(self, mention: Mention | None) -> tuple[Mention, ...]:
        return (mention,) if mention is not None else ()

    def _said(self, found: tuple[Mention, ...], passage: Passage, first: Token, last: Token) -> tuple[Mention, ...]:
        """Return the entities with the words that refer to them here."""
        start, end = passage.offset(first), passage.offset(last) + len(last.text)
        words = passage.text[first.idx : last.idx + len(last.text)]
        return tuple(
            replace(
                mention,
                start=start,
                end=end,
                text=words,
                basis="nominal" if mention.basis == "nominal" else "reference",
            )
            for mention in found
        )

    def _it(self, token: Token) -> Mention | None:
        possessive = token.lower_ == "its"
        clause = token.head
        while clause.head != clause and not is_verb(clause):
            clause = clause.head
        if possessive and is_verb(clause) and (owner := self._subject_around(token, clause)) is not None:
            return owner
        if token.dep_ == "nsubj" and takes_effect(clause):
            return self._best({EntityKind.INSTRUMENT}, token, reach=2)
        speakers = speakers_of(token, clause)
        if speakers:  # "the watchdog said that it ...": no other body, even if the watchdog has no name
            speaking = [m for speaker in speakers for m in self.of(speaker)]
            speaking += [m for s in speakers for a in children(s, "appos") for word in a.subtree for m in self.of(word)]
            sides = [self.side(m.entity_id) for m in speaking if m.kind is EntityKind.PERSON]
            said = [m for m in (*speaking, *sides) if m is not None and m.kind in PARTIES]
            first = speakers[0]
            if first.pos_ == "PROPN" and not said and not any(self._titles.get(m.entity_id) for m in speaking):
                return None  # an unknown speaker: "Easton Transmission said it had no reason to"
            if said or first.pos_ in ("NOUN", "PROPN") and NOUN_KINDS.get(singular(first.lower_)) in PARTIES:
                return said[0] if said else unnamed(first, self.passages[first.doc.user_data["passage"]])
        if possessive or token.dep_ == "nsubj":
            found = self._best(PARTIES | {EntityKind.MODEL}, token, named=True)
            if found is not None and not possessive and found.entity_id in self._objects_of(clause):
                return None  # "It asked Quillon for the logs": not Quillon
            return found or self._best({EntityKind.INSTRUMENT}, token)
        return self._best({EntityKind.INSTRUMENT, EntityKind.MODEL}, token, reach=2) or self._best(PARTIES, token)

    def _subject_around(self, token: Token, clause: Token) -> Mention | None:
        """Return the party that is the subject of the clause or of the one above ("In its suit, Quillon ...")."""
        for verb in filter(is_verb, (clause, clause.head)):
            for subject in [*subjects(verb), *surface_subjects(verb)]:
                for mention in self.of(subject):
                    if mention.kind in PARTIES and (subject.i < token.i or verb == clause):
                        return mention
        return None

    def _they(self, token: Token) -> tuple[Mention, ...]:
        if token.dep_ in ("nsubjpass", "dobj") and token.head.lower_ in _TO_TEXTS:
            return self._one(self._best({EntityKind.INSTRUMENT}, token, reach=2))
        said = [m for speaker in speakers_of(token, token.head) for one in members(speaker) for m in self.of(one)]
        if said and all(m.kind in PARTIES for m in said):
            return tuple({m.entity_id: m for m in said}.values())
        for sentence, group in reversed(self._groups):
            if self._sentence - sentence <= 2:
                return group
        best = self._best(PARTIES, token)
        return self._one(best)

    def _best(
        self,
        kinds: Iterable[EntityKind],
        token: Token,
        fits: re.Pattern[str] | None = None,
        word: str = "",
        named: bool = False,
        reach: int = _REACH,
    ) -> Mention | None:
        """Return the most salient entity of some kinds before a token, None if none is near."""
        excluded = self._clause_mates(token)
        best, score = None, 0.0
        for seen in reversed(self._seen[-160:]):
            distance = self._sentence - seen.sentence
            if distance > reach:
                break
            if named and seen.mention.basis == "nominal":
                continue
            mention = seen.mention
            if mention.kind not in kinds or mention.entity_id in excluded:
                continue
            if fits is not None and not fits.search(mention.name):
                continue
            mark = 10 + seen.rank - 1.6 * distance + min(self._frequency[mention.entity_id], 12) * 0.12
            if word and word in mention.name.lower():
                mark += 5
            if mention.basis == "capitals" and self._frequency[mention.entity_id] == 1:
                mark -= _ONCE
            if mark > score:
                best, score = mention, mark
        return best

    def _clause_mates(self, token: Token) -> set[str]:
        """Return the entities that a token cannot refer to because they are the subject of its verb."""
        head = token.head
        if token.dep_ == "pobj" and head.dep_ in ("prep", "dative", "agent"):
            head = head.head
            if head.dep_ in ("dobj", "attr") and head.pos_ == "NOUN" and is_verb(head.head):
                head = head.head  # "sought a fine against it"
        if token.dep_ not in ("dobj", "pobj", "dative") or not is_verb(head):
            return set()
        return {mention.entity_id for subject in subjects(head) if subject is not token for mention in self.of(subject)}

    def _objects_of(self, verb: Token) -> set[str]:
        return {mention.entity_id for each in children(verb, "dobj", "dative") for mention in self.of(each)}

    def _description(self, passage: Passage, token: Token) -> tuple[Mention, ...]:
        """Resolve "the company", "both labs", "the order", "his company", "Pentagon officials"."""
        word = singular(token.lower_)
        kind = EntityKind.PERSON if word in PARTISANS else NOUN_KINDS.get(word)
        first = noun_phrase_start(token)
        if token.lower_ in ENVOYS and (side := self._envoy_of(passage, token)):
            return self._said(side, passage, first, token)
        if kind is None or token.dep_ in ("compound", "nmod") or children(token, "relcl") and token.lower_ == word:
            return ()
        owner = children(token, "poss")
        if known := self._of_owner(token, word, owner):
            return self._said((self._entity(known),), passage, first, token)
        if owner:
            sides = [self._sides.get(m.entity_id) for m in self.of(owner[0]) if m.kind is EntityKind.PERSON]
            mine = kind in PARTIES and word in _WORKPLACES
            if mine and sides and sides[0] is not None:
                return self._said((sides[0],), passage, first, token)
            return ()
        determiner = {child.lower_ for child in token.lefts if child.dep_ in ("det", "predet", "nummod", "amod")}
        if not determiner & _DEFINITE and not determiner & _NUMBERS.keys() or "other" in determiner:
            return ()
        if token.tag_ in ("NNS", "NNPS") or {"each", "both", "either", "every"} & determiner:
            if kind is EntityKind.AGENCY and len(codes := countries_before(token, self.name, self.lexicon.places)) > 1:
                return self._said(bodies_of(codes, word, self._recent(), self.lexicon.entities), passage, first, token)
            return self._said(self._group(kind, determiner, word), passage, first, token)
        codes = countries_before(token, self.name, self.lexicon.places) if kind is EntityKind.AGENCY else []
        if codes:
            return self._said(bodies_of(codes, word, self._recent(), self.lexicon.entities), passage, first, token)
        found = self._definite(kind, word, token)
        if found is not None and not may_be_called(found.name, token):
            return ()
        return self._said(self._one(found), passage, first, token)

    def _of_owner(self, token: Token, word: str, owner: list[Token]) -> str:
        """Return the id of the entity meant by "Texas's governor" or "the maker of ChatGPT"."""
        if any(child.lower_ == "parent" for child in children(token, "compound", "amod")):
            word = "parent"
        for whose in [*owner, *prepositional(token, "of")][:1]:
            known = self.of(whose)[:1]
            if word == "governor":
                return governor(known or self._recent(), self.lexicon, self.day)
            return made_by(word, known[0], self.lexicon, self.maker) if known else ""
        return ""

    def _envoy_of(self, passage: Passage, token: Token) -> tuple[Mention, ...]:
        """Return the body behind its people: "Pentagon officials", "a spokesperson for X".

        What follows the token is not resolved yet, so "the agency" there is resolved first.
        """
        near = [child for child in token.children if child.dep_ in ("compound", "nmod", "poss", "amod")]
        for prep in children(token, "prep"):
            if prep.lower_ in ("of", "at", "for", "from", "with"):
                near += children(prep, "pobj")
        for child in near:
            named = {one.i: self.of(one) or self._ahead(passage, one, token) for one in members(child)}
            sides = [self._acting(mention) for found in named.values() for mention in found[:1]]
            bodies = tuple(side for side in sides if side is not None)
            if bodies and (
                bodies[0].kind is not EntityKind.GOVERNMENT
                or len(bodies) > 1
                or any(mention.kind in PARTIES for mention in named[child.i][:1])
            ):
                return bodies
        return ()

    def _ahead(self, passage: Passage, token: Token, before: Token) -> tuple[Mention, ...]:
        definite = token.pos_ == "NOUN" and any(child.lower_ == "the" for child in children(token, "det"))
        return self._description(passage, token) if definite and token.i > before.i else ()

    def _acting(self, mention: Mention) -> Mention | None:
        """Return the body that acts: for a country its government, else the body itself."""
        if mention.kind is EntityKind.PLACE:
            return self.government(mention.entity_id)
        return mention if mention.kind in PARTIES else None

    def _definite(self, kind: EntityKind, word: str, token: Token) -> Mention | None:
        if word in PRESS and (outlet := self._best({EntityKind.OUTLET}, token)) is not None:
            return outlet
        if kind is EntityKind.ORGANISATION:
            return self._best({kind}, token)
        if kind in (EntityKind.AGENCY, EntityKind.GOVERNMENT):
            if word in ("government", "administration", "state", "country", "nation"):
                return self._government(word, token)
            return self._best({EntityKind.AGENCY}, token, fits=agencies_called(word), word=word)
        if kind is EntityKind.PERSON:
            return self._titled(word, token)
        if kind is EntityKind.MODEL and word in ("model", "chatbot", "assistant", "system", "tool", "bot", "ai"):
            return self._best({kind}, token)
        if word in ("bill", "act", "law", "legislation", "measure", "statute"):
            return self._best({EntityKind.INSTRUMENT}, token, fits=_BILLS)
        if word in ("order", "memorandum", "directive", "memo"):
            return self._best({EntityKind.INSTRUMENT}, token, fits=_ORDERS)
        if kind is EntityKind.INSTRUMENT and word in (
            "framework",
            "code",
            "rule",
            "treaty",
            "guidance",
            "standard",
            "plan",
        ):
            return self._best({EntityKind.INSTRUMENT}, token, fits=re.compile(rf"\b{word}\b", re.IGNORECASE))
        return None

    def _government(self, word: str, token: Token) -> Mention | None:
        if word not in ("government", "administration"):
            return None
        best = self._best(
            {EntityKind.GOVERNMENT}, token, word="white house" if word == "administration" else "government"
        )
        if best is not None:
            return best
        place = country_discussed(self.passages, self._frequency, self.lexicon)
        return self._entity(place.government_id) if place is not None else None

    def _titled(self, word: str, token: Token) -> Mention | None:
        """Return the person introduced with a title, or the holder of the office on the day ("the president")."""
        if (found := described(word, self._recent(), self._titles)) is not None:
            return found
        if word != "president" or prepositional(token, "of"):  # "the president of the tribunal"
            return None
        role = self.lexicon.holder("President of the United States", self.day)
        return self._entity(role.person_id) if role is not None else None

    def _group(self, kind: EntityKind, determiner: set[str], word: str) -> tuple[Mention, ...]:
        """Return the members of "the companies" or "both labs": the last co-ordination of that kind and number."""
        count = next((_NUMBERS[word] for word in determiner if word in _NUMBERS), 0)
        if kind not in PARTIES:
            near = [s.mention for s in reversed(self._seen) if self._sentence - s.sentence <= 3]
            return several(word, count, near, self._titles) if kind is EntityKind.PERSON else ()
        for sentence, group in reversed(self._groups):
            fitting = tuple(m for m in group if m.kind is kind or kind is not EntityKind.ORGANISATION)
            within_reach = self._sentence - sentence <= _REACH or count > 2
            if within_reach and len(fitting) > 1 and (not count or len(fitting) == count):
                return fitting
        recent = {
            s.mention.entity_id: s.mention
            for s in self._seen
            if self._sentence - s.sentence <= 3 and s.mention.kind is kind
        }
        if len(recent) == count == 2:
            return tuple(recent.values())
        return ()
