"""The records of the lexicon: dated names, offices, relations, patterns, places, and the `Lexicon` of all."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

from pipeline.lexicon.toml_files import Table, Text, Texts
from pipeline.records import Entity, EntityKind


@dataclass(frozen=True, slots=True)
class Name:
    """A name of an entity.

    `needs`: an ambiguous name ("Meta", "Claude", "AISI") counts only near one of these words or phrases, compared
    without case; empty: it counts everywhere.
    """

    text: str
    entity_id: str
    kind: str  # canonical, alias, former, short or nominal
    case_sensitive: bool
    used_from: date | None = None  # first day of use, None: always
    used_until: date | None = None  # last day of use, None: still in use
    needs: tuple[str, ...] = ()

    def used_on(self, day: date | None) -> bool:
        """Return whether the name was in use on a day; True if the day is unknown."""
        if day is None:
            return True
        return (self.used_from is None or self.used_from <= day) and (self.used_until is None or day <= self.used_until)


@dataclass(frozen=True, slots=True)
class Role:
    """An office and its holder: Howard Lutnick, U.S. Secretary of Commerce, since 2025-02-21."""

    person_id: str
    office: str  # in full: "U.S. Secretary of Commerce", "chief executive of Anthropic"
    titles: tuple[str, ...]  # names for the holder by office: "Commerce Secretary", "Anthropic CEO"
    body_id: str = ""  # the entity that the office belongs to
    start: date | None = None
    end: date | None = None

    def held_on(self, day: date | None) -> bool:
        """Return whether the office was held on a day; None asks for the present holder."""
        if day is None:
            return self.end is None
        return (self.start is None or self.start <= day) and (self.end is None or day <= self.end)


@dataclass(frozen=True, slots=True)
class Relation:
    """A dated relation between two entities: GitHub is part of Microsoft since 2018-10-26."""

    entity_id: str
    kind: str  # part_of, made_by or member_of
    other_id: str
    start: date | None = None
    end: date | None = None


def _compiled(regex: Any) -> re.Pattern[str]:
    try:
        return re.compile(regex, re.VERBOSE)
    except (re.error, TypeError) as error:
        raise ValueError(f"regex: {error}. Correct the expression (blanks are ignored in it).") from error


@dataclass(frozen=True, slots=True)
class PatternMatch:
    """Words that a pattern found; `name` is their canonical form ("E.O. 14409" gives "Executive Order 14409")."""

    start: int
    end: int
    text: str
    name: str


class Pattern(Table):
    """A regular expression for names that no list can cover: new versions, bill numbers, orders, cases."""

    pattern_id: Text = Field(alias="id")
    kind: EntityKind
    regex: Annotated[re.Pattern[str], BeforeValidator(_compiled)]
    name: str = ""  # a template over the named groups; empty: the words as they are
    parent_id: str = Field("", alias="parent")  # the maker of the model, the legislature of the bill
    jurisdiction: str = ""
    examples: tuple[tuple[Text, Text, Text], ...] = ()  # (sentence, words found, canonical name)
    near_misses: Texts = ()  # sentences in which the pattern finds nothing

    @model_validator(mode="after")
    def _is_usable(self) -> Pattern:
        if unknown := set(re.findall(r"{(\w+)}", self.name)) - set(self.regex.groupindex):
            raise ValueError(f"name uses {sorted(unknown)}; the groups are {sorted(self.regex.groupindex)}.")
        if not self.examples:
            raise ValueError("examples needs at least one [sentence, words found, canonical name].")
        return self

    def find(self, text: str) -> Iterator[PatternMatch]:
        """Yield the matches in a text, left to right, without overlap.

        A group called `name`, if the expression has one, bounds the match; the rest is context.
        """
        group: int | str = "name" if "name" in self.regex.groupindex else 0
        for match in self.regex.finditer(text):
            said = match[group]
            groups = {key: value or "" for key, value in match.groupdict().items()}
            name = " ".join((self.name.format(**groups) if self.name else said).split())
            yield PatternMatch(match.start(group), match.end(group), said, name)


@dataclass(frozen=True, slots=True)
class Place:
    """A country, state or union, with its adjectives and the entity of its government."""

    entity_id: str
    code: str  # ISO 3166 ("US", "US-CA"), "EU" or "INT"
    adjectives: tuple[str, ...] = ()
    government_id: str = ""


@dataclass(frozen=True)
class Lexicon:
    """All known entities with their names, offices, relations and patterns."""

    entities: Mapping[str, Entity]
    names: tuple[Name, ...]
    roles: tuple[Role, ...]
    patterns: tuple[Pattern, ...]
    places: tuple[Place, ...]
    families: Mapping[str, str]  # outlet id -> publisher group
    wires: frozenset[str]  # news agencies, whose copy others reprint
    version: str  # hash of all files read, 16 hex digits
    relations: tuple[Relation, ...] = ()
    watchdogs: frozenset[str] = frozenset()  # bodies that watch over a field such as privacy
    _official: dict[str, list[Name]] = field(init=False, repr=False, compare=False)
    _by_text: dict[str, list[Name]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        official: dict[str, list[Name]] = {}
        by_text: dict[str, list[Name]] = {}
        for name in self.names:
            by_text.setdefault(name.text.casefold(), []).append(name)
            if name.kind == "former" and name.used_until is not None:
                official.setdefault(name.entity_id, []).append(name)
        for former in official.values():
            former.sort(key=lambda name: name.used_until or date.max)
        object.__setattr__(self, "_official", official)
        object.__setattr__(self, "_by_text", by_text)

    def name_at(self, entity_id: str, day: date | None) -> str:
        """Return the official name of an entity on a day, the present one for None.

        Raises:
            KeyError: the id is unknown.
        """
        entity = self.entities[entity_id]
        if day is not None:
            for former in self._official.get(entity_id, ()):
                if former.used_on(day):
                    return former.text
        return entity.name

    def parent(self, entity_id: str) -> Entity | None:
        """Return the entity that this one belongs to (agency in department, model of lab), or None."""
        parent_id = self.entities[entity_id].parent_id
        return self.entities[parent_id] if parent_id else None

    def named(self, text: str, kind: EntityKind | None = None) -> tuple[Name, ...]:
        """Return the names with exactly these words, optionally of one kind of entity.

        Matching is case-sensitive for names that are marked so.
        """
        return tuple(
            name
            for name in self._by_text.get(text.casefold(), ())
            if (not name.case_sensitive or name.text == text)
            and (kind is None or self.entities[name.entity_id].kind is kind)
        )

    def holder(self, title: str, day: date | None) -> Role | None:
        """Return who held an office on a day, by a title such as "Commerce Secretary"; None unless exactly one did."""
        wanted = title.casefold()
        held = [
            role
            for role in self.roles
            if role.held_on(day) and (wanted == role.office.casefold() or wanted in map(str.casefold, role.titles))
        ]
        return held[0] if len({role.person_id for role in held}) == 1 else None

    def roles_of(self, person_id: str, day: date | None = None) -> tuple[Role, ...]:
        """Return the offices of a person, only those held on a day if one is given."""
        return tuple(role for role in self.roles if role.person_id == person_id and (day is None or role.held_on(day)))
