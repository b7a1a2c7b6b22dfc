"""Loads names, offices, relations and patterns from TOML files; faulty entries are rejected with a remedy."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, Field, model_validator

from pipeline.lexicon.entities import Lexicon, Name, Pattern, Place, Relation, Role
from pipeline.lexicon.toml_files import Day, Flag, Table, Text, Texts, read_toml, spot, tables, validated
from pipeline.records import Entity, EntityKind

PACKAGED = Path(__file__).parent / "names"
WORDS = Path(__file__).parent / "words"
_GOVERNMENT_WORDS = ("government", "authorities")


class LexiconError(ValueError):
    """A lexicon file cannot be used; the message names the file, the entry and a remedy."""


def _entity_id(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", value) or value.startswith("x-"):
        raise ValueError(
            f"id is {value!r}. Write lower-case letters, digits and hyphens, such as 'newco-ai'; 'x-' is reserved."
        )
    return value


def _single_spaced(value: str) -> str:
    if value != " ".join(value.split()):
        raise ValueError(f"the name {value!r} has stray white space. Write it with single spaces.")
    return value


def _wikidata_id(value: str) -> str:
    if value and not re.fullmatch(r"Q[1-9]\d*", value):
        raise ValueError(f"wikidata is {value!r}. Write an item's id such as Q95, or leave it out.")
    return value


EntityId = Annotated[str, AfterValidator(_entity_id)]
NameText = Annotated[Text, AfterValidator(_single_spaced)]
WikidataId = Annotated[str, AfterValidator(_wikidata_id)]


class _Dated(Table):
    start: Day | None = Field(None, alias="from")
    end: Day | None = Field(None, alias="until")

    @model_validator(mode="after")
    def _in_order(self) -> _Dated:
        if self.start and self.end and self.start > self.end:
            raise ValueError(f"from {self.start} is after until {self.end}. Swap them.")
        return self


class _DatedName(_Dated):
    """A further name of an entity, with the days of its use."""

    text: NameText
    kind: Literal["alias", "former", "short", "nominal"] = "alias"
    needs: Texts = ()
    case_sensitive: Flag | None = None


class _NameEntry(_DatedName):
    entity: str


class _EntityEntry(Table):
    id: EntityId
    name: NameText
    kind: EntityKind
    jurisdiction: str = ""
    parent: str = ""
    wikidata: WikidataId = ""
    description: str = ""
    aliases: tuple[NameText, ...] = ()
    short: tuple[NameText, ...] = ()
    nominal: tuple[NameText, ...] = ()
    names: tuple[_DatedName, ...] = ()
    needs: Texts = ()
    case_sensitive: Flag | None = None
    family: str = ""  # publisher group of an outlet
    wire: Flag = False  # whether others reprint its copy
    fields: Texts = ()  # [[field]] entries that the body watches over


class _PlaceEntry(Table):
    id: EntityId
    name: NameText
    code: Text
    aliases: tuple[NameText, ...] = ()
    adjectives: Texts = ()
    wikidata: WikidataId = ""
    government: str = ""  # name of a government to be added
    government_id: str = ""  # or id of one that has an entry
    government_names: tuple[NameText, ...] = ()


class _RoleEntry(_Dated):
    person: Text
    office: Text
    titles: Texts = ()
    body: str = ""


class _RelationEntry(_Dated):
    entity: Text
    kind: Literal["part_of", "made_by", "member_of"]
    other: Text


class _FieldEntry(Table):
    """A field that bodies watch over, such as privacy, and what such bodies are called."""

    id: Text
    words: Texts = ()
    bodies: Texts = ()


class _Defaults(Table):
    kind: EntityKind | None = None
    jurisdiction: str = ""
    parent: str = ""
    case_sensitive: Flag | None = None


class _File(Table):
    defaults: _Defaults = _Defaults()  # keys of every [[entity]] of the file that does not set them itself
    place: tuple[_PlaceEntry, ...] = ()
    entity: tuple[_EntityEntry, ...] = ()
    name: tuple[_NameEntry, ...] = ()
    relation: tuple[_RelationEntry, ...] = ()
    role: tuple[_RoleEntry, ...] = ()
    field: tuple[_FieldEntry, ...] = ()
    pattern: tuple[Pattern, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _spread_defaults(cls, content: Any) -> Any:
        defaults = content.get("defaults", {})
        if not isinstance(defaults, dict):
            return content
        return {**content, "entity": [defaults | entity for entity in tables(content, "entity")]}


def load_lexicon(*folders: Path | None) -> Lexicon:
    """Read the packaged files, then every further folder (all its *.toml files) or single file.

    A later file can add entities, names, roles and patterns, but cannot redefine an id. Raises LexiconError.
    """
    paths = tuple(dict.fromkeys(Path(folder) for folder in folders if folder is not None))
    return _load(tuple(path for path in paths if path != PACKAGED))


@lru_cache(maxsize=4)
def _load(further: tuple[Path, ...]) -> Lexicon:
    builder = _Builder()
    for path in _files((PACKAGED, *further)):
        builder.read(path)
    return builder.finish()


def _files(places: Iterable[Path]) -> Iterable[Path]:
    for place in places:
        if place.is_dir():
            yield from sorted(place.glob("*.toml"))
        elif place.is_file():
            yield place
        else:
            raise LexiconError(f"{place}: no such file or folder. Give a folder of TOML files or one TOML file.")


def _parse(path: Path) -> tuple[bytes, _File]:
    body, content = read_toml(path, LexiconError)
    return body, validated(_File, content, path, LexiconError)


_packaged = lru_cache(maxsize=None)(_parse)  # parsing is most of the loading, and packaged files do not change


_Entry = TypeVar("_Entry", bound=Table)


def _spotted(path: Path, table: str, entries: Iterable[_Entry]) -> Iterator[tuple[str, _Entry]]:
    """Yield the entries of an array of tables, each with its place in the file."""
    for number, entry in enumerate(entries, 1):
        yield spot(path, table, number, entry), entry


class _Builder:
    """Collects the entries of all files; finish() makes the checks that need every file."""

    def __init__(self) -> None:
        self.entities: dict[str, Entity] = {}
        self.names: list[Name] = []
        self.roles: list[Role] = []
        self.relations: list[Relation] = []
        self.patterns: dict[str, Pattern] = {}
        self.places: list[Place] = []
        self.fields: dict[str, _FieldEntry] = {}
        self.watched: list[tuple[str, str, tuple[str, ...]]] = []  # (where, entity id, fields it watches)
        self.families: dict[str, str] = {}
        self.wires: set[str] = set()
        self.where: dict[str, str] = {}  # entity id -> "file, [[entity]] id"
        self.references: list[tuple[str, str]] = []  # (where, id that must exist)
        self.further_names: list[tuple[str, _NameEntry]] = []  # (where, entry)
        self.digest = hashlib.sha256()

    def read(self, path: Path) -> None:
        body, file = _packaged(path) if path.parent == PACKAGED else _parse(path)
        self.digest.update(path.name.encode() + b"\0" + body + b"\0")

        for where, place in _spotted(path, "place", file.place):
            self._place(place, where)
        for where, entity in _spotted(path, "entity", file.entity):
            self._entity(entity, where)
        self.further_names += _spotted(path, "name", file.name)
        for where, relation in _spotted(path, "relation", file.relation):
            self._refer(where, entity=relation.entity, other=relation.other)
            self.relations.append(
                Relation(relation.entity, relation.kind, relation.other, relation.start, relation.end)
            )
        for where, role in _spotted(path, "role", file.role):
            self._refer(where, person=role.person, body=role.body)
            self.roles.append(Role(role.person, role.office, role.titles, role.body, role.start, role.end))
        self.fields |= {entry.id: entry for entry in file.field}
        for where, pattern in _spotted(path, "pattern", file.pattern):
            if pattern.pattern_id in self.patterns:
                raise LexiconError(f"{where}: another pattern has this id. Give this one another id.")
            self._refer(where, parent=pattern.parent_id)
            self.patterns[pattern.pattern_id] = pattern

    def _refer(self, where: str, **ids: str) -> None:
        self.references += [(f"{where}, {key}", entity_id) for key, entity_id in ids.items() if entity_id]

    def _keep(self, entity: Entity, where: str) -> None:
        if entity.entity_id in self.entities:
            seen = self.where[entity.entity_id]
            raise LexiconError(f"{where}: the id is taken by {seen}. Give it another id, or add its names there.")
        self.entities[entity.entity_id] = entity
        self.where[entity.entity_id] = where
        self._refer(where, parent=entity.parent_id)

    def _name(self, entity_id: str, text: str, kind: str, case: bool | None = None, **more: Any) -> None:
        # Names of three words or more are recognised in any case; "Commerce", "Apple", "X" are not.
        sensitive = case if case is not None else text != text.lower() and len(text.split()) < 3
        needs = tuple(map(_need, more.pop("needs", ())))
        self.names.append(Name(text, entity_id, kind, sensitive, needs=needs, **more))

    def _dated_name(self, entity_id: str, name: _DatedName, case: bool | None) -> None:
        self._name(entity_id, name.text, name.kind, case, used_from=name.start, used_until=name.end, needs=name.needs)

    def _entity(self, entry: _EntityEntry, where: str) -> None:
        entity = Entity(
            entry.id,
            entry.name,
            entry.kind,
            jurisdiction=entry.jurisdiction,
            parent_id=entry.parent,
            wikidata_id=entry.wikidata,
            description=entry.description,
        )
        self._keep(entity, where)
        self._name(entry.id, entry.name, "canonical", entry.case_sensitive, needs=entry.needs)
        for kind, texts in (("alias", entry.aliases), ("short", entry.short), ("nominal", entry.nominal)):
            for text in texts:
                self._name(entry.id, text, kind, entry.case_sensitive)
        for name in entry.names:
            self._dated_name(
                entry.id, name, entry.case_sensitive if name.case_sensitive is None else name.case_sensitive
            )
        if entry.wire:
            self.wires.add(entry.id)
        if entry.fields:
            self.watched.append((where, entry.id, entry.fields))
        if entry.family:
            self.families[entry.id] = entry.family

    def _place(self, entry: _PlaceEntry, where: str) -> None:
        self._keep(
            Entity(entry.id, entry.name, EntityKind.PLACE, jurisdiction=entry.code, wikidata_id=entry.wikidata), where
        )
        self._name(entry.id, entry.name, "canonical")
        for text in entry.aliases:
            self._name(entry.id, text, "alias")
        government_id = entry.government_id
        self._refer(where, government_id=government_id)
        if entry.government:
            government_id = f"{entry.id}-government"
            kind = EntityKind.GOVERNMENT
            self._keep(
                Entity(government_id, entry.government, kind, jurisdiction=entry.code, parent_id=entry.id), where
            )
            said = [f"{adjective} {word}" for adjective in entry.adjectives for word in _GOVERNMENT_WORDS]
            said += [f"government of {text}" for text in (entry.name, *entry.aliases)]
            for text in dict.fromkeys([entry.government, *said, *entry.government_names]):
                self._name(government_id, text, "canonical" if text == entry.government else "alias")
        self.places.append(Place(entry.id, entry.code, entry.adjectives, government_id))

    def _descriptions(self) -> None:
        """Add the descriptions by which reporters refer to a body that watches over a field in a country.

        "Ireland's data protection watchdog", "the Irish privacy regulator", "the privacy watchdog of Ireland";
        "the Irish watchdog" only near a word of the field. A description that is a name already or fits a
        second body is left out.
        """
        taken = {name.text.casefold() for name in self.names}
        said: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
        owners: dict[str, set[str]] = {}
        for where, entity_id, fields in self.watched:
            code = self.entities[entity_id].jurisdiction
            for field in fields:
                if field not in self.fields:
                    raise LexiconError(f"{where}: there is no [[field]] {field!r}; there are {', '.join(self.fields)}.")
                words, bodies = self.fields[field].words, self.fields[field].bodies
                named = [self.entities[place.entity_id].name for place in self.places if place.code == code]
                of_country = [f"{word} {body} of {name}" for name in named for word in words for body in bodies]
                for text in of_country:
                    said.setdefault(entity_id, []).append((text, ()))
                    owners.setdefault(text.casefold(), set()).add(entity_id)
                for country in self._said_of(code):
                    full = [(f"{country} {word} {body}", ()) for word in words for body in bodies]
                    for text, needs in [*full, *((f"{country} {body}", words) for body in bodies)]:
                        said.setdefault(entity_id, []).append((text, needs))
                        if not needs:
                            owners.setdefault(text.casefold(), set()).add(entity_id)
        for entity_id, texts in said.items():
            for text, needs in dict.fromkeys(texts):
                if text.casefold() not in taken and (needs or len(owners[text.casefold()]) == 1):
                    self._name(entity_id, text, "nominal", needs=needs)

    def _said_of(self, code: str) -> list[str]:
        """Return the words that place a body in a country: "Irish", "Ireland's"."""
        for place in self.places:
            if place.code == code:
                names = [name.text for name in self.names if name.entity_id == place.entity_id]
                return [*place.adjectives, *(f"{name}'s" for name in names)]
        return []

    def finish(self) -> Lexicon:
        for where, entity_id in [*self.references, *((where, name.entity) for where, name in self.further_names)]:
            if entity_id not in self.entities:
                raise LexiconError(f"{where}: there is no entity {entity_id!r}. Add it or correct the id.")
        for _, name in self.further_names:
            self._dated_name(name.entity, name, name.case_sensitive)
        self._check_cycles()
        self._descriptions()
        self._check_shared_names()
        return Lexicon(
            entities=self.entities,
            names=tuple(self.names),
            roles=tuple(self.roles),
            relations=tuple(self.relations),
            patterns=tuple(self.patterns.values()),
            places=tuple(self.places),
            families=self.families,
            wires=frozenset(self.wires),
            version=self.digest.hexdigest()[:16],
            watchdogs=frozenset(entity_id for _, entity_id, _ in self.watched),
        )

    def _check_cycles(self) -> None:
        for entity in self.entities.values():
            seen, above = {entity.entity_id}, entity.parent_id
            while above:
                if above in seen:
                    raise LexiconError(f"{self.where[entity.entity_id]}: is its own ancestor through {above!r}.")
                seen.add(above)
                above = self.entities[above].parent_id

    def _check_shared_names(self) -> None:
        """Allow two entities of a kind to share a name only if `needs` or the days of use distinguish them."""
        taken: dict[tuple[str, EntityKind], list[Name]] = {}
        for name in self.names:
            kind = self.entities[name.entity_id].kind
            for other in taken.setdefault((name.text.casefold(), kind), []):
                same = name.entity_id == other.entity_id
                if _apart(name, other) or ((name.needs or other.needs) and not same):
                    continue
                remedy = "Remove one of them."
                if not same:
                    remedy = "Give the rarer one `needs`: words that must occur near it."
                raise LexiconError(
                    f"{self.where[name.entity_id]}: the name {name.text!r} is also a name of {other.entity_id!r}"
                    f" ({self.where[other.entity_id]}). {remedy}"
                )
            taken[name.text.casefold(), kind].append(name)


def _apart(one: Name, two: Name) -> bool:
    """Return whether two names were in use at different times, or differ in case if they are case-sensitive."""
    if one.case_sensitive and two.case_sensitive and one.text != two.text:
        return True
    earlier, later = sorted((one, two), key=lambda name: name.used_until or date.max)
    return bool(earlier.used_until and later.used_from and earlier.used_until < later.used_from)


def _need(word: str) -> str:
    """Return a needed word in the form in which it is searched: abbreviations keep their case ("US" is not "us")."""
    return word if len(word) < 5 and word.isupper() else word.casefold()
