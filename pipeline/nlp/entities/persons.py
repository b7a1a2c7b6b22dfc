"""Resolves descriptions of people and owners: "the Democrat", "Texas's governor", "ChatGPT's maker".

The titles given with a name decide; "the mother" or "the author" can be a person without a title.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from pipeline.lexicon.common_nouns import PERSON_TITLES
from pipeline.lexicon.inflection import words
from pipeline.records import EntityKind, Mention

if TYPE_CHECKING:
    from datetime import date

    from spacy.tokens import Token

    from pipeline.lexicon.entities import Lexicon

_SENATORS = frozenset(["senator", "senators", "sen", "sens", "state"])
_MEMBERS = frozenset(["representative", "representatives", "rep", "reps", "congressman", "congresswoman"])
_OTHERS = words("assemblymember assemblyman assemblywoman assembly delegate del lawmaker mp legislator speaker")
_GOVERNORS = frozenset(["governor", "gov", "governors"])
_LAWMAKERS = _SENATORS | _MEMBERS | _OTHERS
# Titles that fit a description.
_TITLES: dict[str, frozenset[str]] = {
    "senator": _SENATORS - {"state"},
    "governor": _GOVERNORS,
    **dict.fromkeys(["congressman", "congresswoman", "representative"], _MEMBERS),
    **dict.fromkeys(["lawmaker", "legislator", "sponsor", "co-sponsor", "cosponsor"], _LAWMAKERS),
    **dict.fromkeys(["democrat", "republican", "independent"], _LAWMAKERS | _GOVERNORS),
    "judge": frozenset(["judge", "magistrate", "justice"]),
    "justice": frozenset(["justice", "judge"]),
}
PARTISANS = frozenset(["democrat", "republican", "independent"])
# Descriptions of people without an office.
_PRIVATE = words(
    "mother father woman man plaintiff author artist engineer researcher scientist whistleblower employee entrepreneur "
    "professor teacher"
)
PRESS = frozenset(["newspaper", "broadcaster", "publisher", "magazine", "outlet"])
_MAKERS = frozenset(["maker", "developer", "creator", "parent", "owner"])


def can_be_called(word: str, titles: Collection[str]) -> bool:
    """Return whether somebody with these titles can be called "the WORD"."""
    plain = {title.rstrip(".") for title in titles}
    if word in plain or _TITLES.get(word, frozenset()) & plain:
        return True
    return word in _PRIVATE and not plain


def title_before(name: Token) -> frozenset[str]:
    """Return the title right before a name, whatever the parse: "Sens. Roe and Doe"."""
    before = [token for token in name.doc[max(0, name.i - 2) : name.i] if token.text != "."]
    last = before[-1].text if before else ""
    return frozenset({last.lower()} if last in PERSON_TITLES or f"{last}." in PERSON_TITLES else ())


def described(word: str, recent: Iterable[Mention], titles: Mapping[str, Collection[str]]) -> Mention | None:
    """Return the last person who can be called "the WORD"; among people without a title there must be only one."""
    people = [mention for mention in recent if mention.kind is EntityKind.PERSON]
    found = [mention for mention in people if can_be_called(word, titles.get(mention.entity_id, ()))]
    if found and word in _PRIVATE and word not in titles.get(found[0].entity_id, ()):
        return found[0] if len({mention.entity_id for mention in found}) == 1 else None
    return found[0] if found else None


def several(
    word: str, count: int, recent: Iterable[Mention], titles: Mapping[str, Collection[str]]
) -> tuple[Mention, ...]:
    """Return the recent persons meant by "the two senators" or "both lawmakers"; empty unless the number fits."""
    people = {
        m.entity_id: m
        for m in recent
        if m.kind is EntityKind.PERSON and can_be_called(word, titles.get(m.entity_id, ()))
    }
    return tuple(reversed(people.values())) if count and len(people) == count else ()


def governor(recent: Iterable[Mention], lexicon: Lexicon, day: date | None) -> str:
    """Return the id of the governor on a day of the state named last, "" if the lexicon knows none.

    The name of a body also names its state: "Texas House of Representatives".
    """
    for mention in recent:
        named = mention.name.split()
        for name in (" ".join(named[:2]), named[0]) if named else ():
            role = lexicon.holder(f"Governor of {name}", day)
            if role is not None:
                return role.person_id
    return ""


def made_by(word: str, owner: Mention, lexicon: Lexicon, maker: Callable[[str], Mention | None]) -> str:
    """Return the id of the company meant by "ChatGPT's maker" or "Facebook's parent", "" if unknown."""
    if word not in _MAKERS:
        return ""
    if owner.kind is EntityKind.MODEL:
        found = maker(owner.entity_id)
        return found.entity_id if found is not None else ""
    entity = lexicon.entities.get(owner.entity_id)
    if entity is None or word not in ("parent", "owner") or not entity.parent_id:
        return ""
    above = lexicon.entities[entity.parent_id]
    return above.entity_id if above.kind is EntityKind.ORGANISATION else ""
