"""Resolves bodies by their countries ("the U.S. and British institutes") and finds the country that a text is about."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from pipeline.lexicon.common_nouns import agencies_called
from pipeline.lexicon.entities import Lexicon, Place
from pipeline.nlp.parsing.dependencies import children, members
from pipeline.records import Entity, EntityKind, Mention

if TYPE_CHECKING:
    from spacy.tokens import Token

    from pipeline.nlp.parsing.parser import Passage

_OF_STATES = frozenset({EntityKind.AGENCY, EntityKind.GOVERNMENT, EntityKind.PLACE})
# A body that one of these nouns refers to has the noun in its name.
_IN_NAME = frozenset({"institute", "office", "department", "centre", "center", "agency", "authority"})


def countries_before(noun: Token, name_of: Callable[[Token], Mention | None], places: Iterable[Place]) -> list[str]:
    """Return the codes of the countries named before a noun, in order: ["US", "GB"]."""
    before = [
        word
        for child in noun.lefts
        if child.dep_ in ("amod", "compound", "nmod")
        for one in members(child)
        for word in (one, *children(one, "compound", "nmod", "conj"))
    ]
    if not before:
        return []
    codes: dict[str, None] = {}
    for word in sorted(before, key=lambda each: each.i):
        mention = name_of(word)
        for place in places:
            if word.text in place.adjectives or mention is not None and mention.entity_id == place.entity_id:
                codes[place.code] = None
    return list(codes)


def bodies_of(
    codes: Iterable[str], noun: str, recent: Iterable[Mention], entities: Mapping[str, Entity]
) -> tuple[Mention, ...]:
    """Return the latest body of this kind in `recent` for each country, or none unless every country has one."""
    called = re.compile(rf"\b{noun}", re.IGNORECASE) if noun in _IN_NAME else agencies_called(noun)
    fitting: dict[str, Mention] = {}
    for mention in recent:
        entity = entities.get(mention.entity_id)
        if mention.kind is EntityKind.AGENCY and entity and (called is None or called.search(mention.name)):
            fitting.setdefault(entity.jurisdiction, mention)
    return tuple(fitting[code] for code in codes) if all(code in fitting for code in codes) else ()


def country_discussed(passages: Iterable[Passage], frequency: Mapping[str, int], lexicon: Lexicon) -> Place | None:
    """Return the country, with a government, that a text mentions most: by name, by its bodies or by its adjective.

    The home countries of companies count only if the text mentions no country: an Indonesian report on a U.S.
    chatbot means Jakarta by "the government". `frequency`: the number of mentions of each entity.
    """
    by_code = {place.code: place for place in lexicon.places if place.government_id}
    adjectives = {word: place.code for place in by_code.values() for word in place.adjectives}
    of_states, of_others = Counter[str](), Counter[str]()
    for entity_id, n in frequency.items():
        entity = lexicon.entities.get(entity_id)
        if entity is not None and entity.jurisdiction in by_code:
            counted = of_states if entity.kind in _OF_STATES else of_others
            counted[entity.jurisdiction] += n
    for passage in passages:
        of_states.update(adjectives[token.text] for token in passage.doc if token.text in adjectives)
    for counted in (of_states, of_others):
        if counted:
            return by_code[counted.most_common(1)[0][0]]
    return None
