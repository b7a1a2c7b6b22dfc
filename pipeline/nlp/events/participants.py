"""Turns the words that the model marks as a participant into entities with canonical names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from pipeline.lexicon.common_nouns import GROUP_OF, NOUN_KINDS
from pipeline.lexicon.inflection import singular, words
from pipeline.nlp.entities.coreference import Referents
from pipeline.nlp.entities.descriptions import last_word
from pipeline.nlp.parsing.dependencies import children, instances, members
from pipeline.nlp.parsing.spans import PARTIES
from pipeline.records import EntityKind, Mention, Participant, unknown_entity_id

if TYPE_CHECKING:
    from spacy.tokens import Span, Token

    from pipeline.nlp.parsing.parser import Passage

_NOT_FIRST = frozenset(["ADP", "CCONJ", "SCONJ", "PART"])  # parts of speech
_NOT_LAST = frozenset(["ADP", "CCONJ", "SCONJ", "PART", "DET"])
_NAMING = frozenset(["NOUN", "PROPN", "PRON", "NUM", "X", "SYM"])
_AHEAD = 4  # tokens
_MODELS = frozenset(["model", "models", "ai", "system", "systems", "llm", "llms"])
_ARTICLES = words("the a an this that these those its their his her our my your any all some every each no")


class Party(NamedTuple):
    """An entity; `start` and `end` are the offsets of its words `text` in the article, -1 without words."""

    entity_id: str
    name: str
    kind: EntityKind
    text: str
    start: int
    end: int

    @classmethod
    def of(cls, mention: Mention) -> Party:
        return cls(mention.entity_id, mention.name, mention.kind, mention.text, mention.start, mention.end)


@dataclass(frozen=True, slots=True)
class Filler:
    """What a noun phrase refers to.

    Attributes:
        parties: The entities.
        kind: Their kind, "other" for a description of no known kind.
        resolved: Whether it is a name or refers to one.
    """

    parties: tuple[Party, ...]
    kind: str
    resolved: bool


class Participants:
    """Finds the entities behind words of one article."""

    def __init__(self, referents: Referents) -> None:
        self.referents = referents

    def of_span(self, role: str, span: Span, passage: Passage) -> list[Participant]:
        """Return the participants that the words of a span name: several for a list or a plural."""
        tidy = self._tidy(span)
        if tidy is None:
            return []
        span = tidy
        text, start = span.text, passage.start + span.start_char
        fillers = [filler for head in _heads(span) for filler in self.fillers(head, passage)]
        if any(filler.resolved for filler in fillers):
            parties = {party.entity_id: party for filler in fillers for party in filler.parties}
            return [_participant(role, party, start, text) for party in parties.values()]
        if len(span) == 1 and span.root.pos_ == "PRON":
            return []  # an unresolved "it" names nobody
        plain = _without_article(text)
        name = GROUP_OF.get(plain.lower(), plain)
        nouns = (NOUN_KINDS.get(singular(head.lower_)) for head in _heads(span) if head.tag_ != "NNS")
        kind = EntityKind.GROUP if name != plain else next(filter(None, nouns), EntityKind.GROUP)
        return [Participant(role, unknown_entity_id(name, kind), name, kind, text, start, start + len(text))]

    def _tidy(self, span: Span) -> Span | None:
        """Return a span with whole names and without marks and prepositions at its ends, None if nothing is left."""
        doc, start, end = span.doc, span.start, span.end
        while start < end and (doc[start].is_punct or doc[start].is_space or doc[start].pos_ in _NOT_FIRST):
            start += 1
        while end > start and (doc[end - 1].is_punct or doc[end - 1].is_space or doc[end - 1].pos_ in _NOT_LAST):
            end -= 1
        if start == end:
            return None
        for edge in (doc[start], doc[end - 1]):
            while start > 0 and (name := self.referents.name(edge)) and self.referents.name(doc[start - 1]) is name:
                start -= 1
            while end < len(doc) and (name := self.referents.name(edge)) and self.referents.name(doc[end]) is name:
                end += 1
        if not any(token.pos_ in _NAMING for token in doc[start:end]):  # "Ten leading", cut before its noun
            ahead = (at for at in range(end, min(end + _AHEAD, len(doc))) if doc[at].pos_ in ("NOUN", "PROPN"))
            end = next(ahead, start - 1) + 1
        return doc[start:end] if start < end else None

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
            return [Filler(tuple(map(Party.of, listed)), listed[0].kind.value, True)]
        if named:
            inner = [] if named[0].basis != "reference" else instances(token)
            within = [f for member in inner for f in self.fillers(member, passage) if f.resolved]
            if within and all(f.kind == named[0].kind.value for f in within):
                return within
            parties = tuple(map(Party.of, named))
            return [Filler(parties, named[0].kind.value, named[0].basis != "nominal")]
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
            return [Filler(tuple(map(Party.of, wanted)), wanted[0].kind.value, True)]
        product = self._product(token, inside) if kind is EntityKind.MODEL else None
        return [Filler((product,), kind.value, True)] if kind is not None and product is not None else []

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

    def _product(self, token: Token, inside: list[Mention]) -> Party | None:
        """Return a product that goes by its owner's name: "its latest models" are "Meta's AI models"."""
        owners = [m for child in children(token, "poss") for m in self.referents.of(child)] or inside
        owner = next((m for m in owners if m.kind in PARTIES or m.kind is EntityKind.PERSON), None)
        if owner is None:
            return None
        name = product_name(owner.name, token.lower_)
        return Party(unknown_entity_id(name, EntityKind.MODEL), name, EntityKind.MODEL, "", -1, -1)


def product_name(owner: str, head: str) -> str:
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


def _heads(span: Span) -> list[Token]:
    """Return the heads of the noun phrases in a span: those that no word of the span governs, and their conjuncts."""
    inside = range(span.start, span.end)
    tops = [token for token in span if token.head.i not in inside or token.head == token]
    heads = [top for top in tops if not top.is_punct and top.dep_ not in ("det", "case", "cc", "prep")]
    heads = heads or [span.root]
    joined = [each for head in heads for each in members(head) if each.i in inside]
    return list(dict.fromkeys([*heads, *joined]))


def _participant(role: str, party: Party, start: int, text: str) -> Participant:
    """Return a participant whose words are the span's, or its own where it is one of several in the span."""
    end = start + len(text)
    if party.start >= start and party.end <= end and party.text and text.startswith(party.text, party.start - start):
        own = party.text
        if len(own) * 2 < len(text) and re.search(r",|\band\b|&", text):
            return Participant(role, party.entity_id, party.name, party.kind, own, party.start, party.end)
    return Participant(role, party.entity_id, party.name, party.kind, text, start, end)


def distinct(participants: Iterable[Participant]) -> tuple[Participant, ...]:
    """Return the participants, each entity once per role."""
    found: dict[tuple[str, str], Participant] = {}
    for each in participants:
        found.setdefault((each.role, each.entity_id), each)
    return tuple(found.values())
