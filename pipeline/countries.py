"""Countries before a noun -> the bodies of these countries that are meant: "the U.S. and British institutes"."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from pipeline.lexicon.lexicon import Place
from pipeline.nominals import agencies_called
from pipeline.records import Entity, EntityKind, Mention
from pipeline.syntax import children, members

if TYPE_CHECKING:
    from spacy.tokens import Token

# Nouns that a body meant by them has in its name, though many others are called so as well.
_IN_NAME = frozenset({"institute", "office", "department", "centre", "center", "agency", "authority"})


def countries_before(noun: Token, name_of: Callable[[Token], Mention | None], places: Iterable[Place]) -> list[str]:
    """Return the codes of the countries that stand before a noun, in order: ["US", "GB"]."""
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
    """Return the bodies called so of some countries, for each the first in `recent`: all of them or none."""
    called = re.compile(rf"\b{noun}", re.IGNORECASE) if noun in _IN_NAME else agencies_called(noun)
    fitting: dict[str, Mention] = {}
    for mention in recent:
        entity = entities.get(mention.entity_id)
        if mention.kind is EntityKind.AGENCY and entity and (called is None or called.search(mention.name)):
            fitting.setdefault(entity.jurisdiction, mention)
    found = [fitting.get(code) for code in codes]
    return tuple(found) if all(found) else ()
