"""TOML files of names and words -> Lexicon; whatever a file has that is not understood is refused with its cure."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterable, Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from pipeline.lexicon.entities import (
    NAME_KINDS,
    RELATION_KINDS,
    Lexicon,
    Name,
    Nominal,
    Pattern,
    PatternMatch,
    Place,
    Relation,
    Role,
)
from pipeline.records import Entity, EntityKind

__all__ = [
    "Lexicon", "LexiconError", "Name", "Nominal", "Pattern", "PatternMatch", "Place", "Relation", "Role",
    "load_lexicon",
]  # fmt: skip

PACKAGED = Path(__file__).parent / "names"
WORDS = Path(__file__).parent / "words"
_TABLES = ("defaults", "entity", "name", "role", "relation", "pattern", "nominal", "place", "field", "words")
_DEFAULTS = ("kind", "jurisdiction", "parent", "case_sensitive")
_ENTITY = (
    "id", "name", "kind", "jurisdiction", "parent", "wikidata", "description", "aliases", "short", "nominal",
    "names", "needs", "case_sensitive", "family", "wire", "fields",
)  # fmt: skip
_NAME = ("text", "kind", "from", "until", "needs", "case_sensitive")
_ROLE = ("person", "office", "titles", "body", "from", "until")
_RELATION = ("entity", "kind", "other", "from", "until")
_PATTERN = ("id", "kind", "regex", "name", "parent", "jurisdiction", "examples", "near_misses")
_NOMINAL = ("words", "kinds", "plural")
_FIELD = ("id", "words", "bodies")
_PLACE = ("id", "name", "code", "aliases", "adjectives", "wikidata", "government", "government_id", "government_names")
_GOVERNMENT_WORDS = ("government", "authorities")


class LexiconError(ValueError):
    """A lexicon file says something that cannot be used; the message has the file, the entry and the cure."""


def load_lexicon(*folders: Path | None) -> Lexicon:
    """Read the packaged files, then every further folder (all its *.toml) or single file.

    A later file adds entities, names, roles, patterns and words to the packaged ones; it cannot redefine an id.
    Raises LexiconError.
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


def _parse(path: Path) -> tuple[bytes, dict[str, Any]]:
    try:
        body = path.read_bytes()
        return body, tomllib.loads(body.decode())
    except OSError as error:
        raise LexiconError(f"{path}: cannot be read ({error.strerror}). Check the path and its rights.") from error
    except UnicodeDecodeError as error:
        raise LexiconError(f"{path}: is not UTF-8 (byte {error.start}). Save the file as UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise LexiconError(f"{path}: is not TOML: {error}. Correct that line.") from error


_packaged = lru_cache(maxsize=None)(_parse)  # parsing is most of the loading, and packaged files do not change


class _Builder:
    """Collects the entries of file after file; what needs all files at once is checked in finish()."""

    def __init__(self) -> None:
        self.entities: dict[str, Entity] = {}
        self.names: list[Name] = []
        self.roles: list[Role] = []
        self.relations: list[Relation] = []
        self.patterns: dict[str, Pattern] = {}
        self.nominals: list[Nominal] = []
        self.places: list[Place] = []
        # id of a field -> its words, and what its bodies are called
        self.fields: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {}
        self.watched: list[tuple[str, str, tuple[str, ...]]] = []  # (where, entity id, fields it watches)
        self.families: dict[str, str] = {}
        self.wires: set[str] = set()
        self.lists: dict[str, tuple[str, ...]] = {}
        self.where: dict[str, str] = {}  # entity id -> "file, [[entity]] id"
        self.refers: list[tuple[str, str]] = []  # (where, id that must exist)
        self.more_names: list[tuple[str, str, Mapping[str, Any]]] = []  # (where, entity id, [[name]])
        self.digest = hashlib.sha256()

    def read(self, path: Path) -> None:
        body, content = _packaged(path) if path.parent == PACKAGED else _parse(path)
        self.digest.update(path.name.encode() + b"\0" + body + b"\0")
        _known_keys(content, _TABLES, str(path))
        defaults = content.get("defaults", {})
        _known_keys(defaults, _DEFAULTS, f"{path}, [defaults]")
        for raw in content.get("place", ()):
            self._place(raw, f"{path}, [[place]] {raw.get('id', raw.get('name', '?'))}")
        for raw in content.get("entity", ()):
            self._entity(defaults | raw, f"{path}, [[entity]] {raw.get('id', raw.get('name', '?'))}")
        for number, raw in enumerate(content.get("name", ()), 1):
            where = f"{path}, [[name]] number {number} ({raw.get('text', '?')})"
            self.more_names.append((where, _text(raw, "entity", where), raw))
        for number, raw in enumerate(content.get("relation", ()), 1):
            self._relation(raw, f"{path}, [[relation]] number {number} ({raw.get('entity', '?')})")
        for number, raw in enumerate(content.get("role", ()), 1):
            self._role(raw, f"{path}, [[role]] number {number} ({raw.get('person', '?')})")
        for raw in content.get("field", ()):
            self._field(raw, f"{path}, [[field]] {raw.get('id', '?')}")
        for raw in content.get("pattern", ()):
            self._pattern(raw, f"{path}, [[pattern]] {raw.get('id', '?')}")
        for number, raw in enumerate(content.get("nominal", ()), 1):
            self._nominal(raw, f"{path}, [[nominal]] number {number}")
        for list_name, words in content.get("words", {}).items():
            added = _texts(words, f"{path}, [words] {list_name}")
            self.lists[list_name] = tuple(dict.fromkeys(self.lists.get(list_name, ()) + added))

    def _entity(self, raw: Mapping[str, Any], where: str) -> None:
        _known_keys(raw, _ENTITY, where)
        entity_id, canonical = _text(raw, "id", where), _text(raw, "name", where)
        entity = Entity(
            entity_id,
            canonical,
            _kind(_text(raw, "kind", where), where),
            jurisdiction=_text(raw, "jurisdiction", where, ""),
            parent_id=_text(raw, "parent", where, ""),
            wikidata_id=_wikidata(_text(raw, "wikidata", where, ""), where),
            description=_text(raw, "description", where, ""),
        )
        self._keep(entity, where)
        case = raw.get("case_sensitive")
        self._name(entity_id, canonical, "canonical", where, case, needs=_texts(raw.get("needs", ()), where))
        for key, kind in (("aliases", "alias"), ("short", "short"), ("nominal", "nominal")):
            for text in _texts(raw.get(key, ()), f"{where}, {key}"):
                self._name(entity_id, text, kind, where, case)
        for name in raw.get("names", ()):
            self._further_name(entity_id, {"case_sensitive": case} | name, f"{where}, names {name.get('text', '?')}")
        if raw.get("wire"):
            self.wires.add(entity_id)
        if "fields" in raw:
            self.watched.append((where, entity_id, _texts(raw["fields"], f"{where}, fields")))
        if "family" in raw:
            self.families[entity_id] = _text(raw, "family", where)

    def _further_name(self, entity_id: str, raw: Mapping[str, Any], where: str) -> None:
        _known_keys(raw, _NAME, where)
        if entity_id not in self.entities:
            raise LexiconError(f"{where}: there is no entity {entity_id!r}. Add it or correct the id.")
        kind = _text(raw, "kind", where, "alias")
        if kind not in NAME_KINDS[1:]:
            raise LexiconError(f"{where}: kind is {kind!r}; known kinds are {', '.join(NAME_KINDS[1:])}.")
        start, end = _day(raw, "from", where), _day(raw, "until", where)
        needs = _texts(raw.get("needs", ()), where)
        self._name(entity_id, _text(raw, "text", where), kind, where, raw.get("case_sensitive"), start, end, needs)

    def _keep(self, entity: Entity, where: str) -> None:
        if entity.entity_id in self.entities:
            seen = self.where[entity.entity_id]
            raise LexiconError(f"{where}: the id is taken by {seen}. Give it another id, or add its names there.")
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", entity.entity_id) or entity.entity_id.startswith("x-"):
            raise LexiconError(
                f"{where}: an id has lower-case letters, digits and hyphens and does not begin with 'x-'."
                " Write one such as 'newco-ai'."
            )
        self.entities[entity.entity_id] = entity
        self.where[entity.entity_id] = where
        if entity.parent_id:
            self.refers.append((f"{where}, parent", entity.parent_id))

    def _name(
        self, entity_id: str, text: str, kind: str, where: str, case: bool | None = None,
        start: date | None = None, end: date | None = None, needs: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        if text != " ".join(text.split()) or not text:
            raise LexiconError(f"{where}: the name {text!r} has stray white space. Write it with single spaces.")
        if start and end and start > end:
            raise LexiconError(f"{where}: from {start} is after until {end}. Exchange them.")
        # Names of three words or more are told apart without case; "Commerce", "Apple", "X" are not.
        sensitive = case if case is not None else text != text.lower() and len(text.split()) < 3
        self.names.append(Name(text, entity_id, kind, sensitive, start, end, tuple(map(_need, needs))))

    def _place(self, raw: Mapping[str, Any], where: str) -> None:
        _known_keys(raw, _PLACE, where)
        place_id, canonical, code = (_text(raw, key, where) for key in ("id", "name", "code"))
        wikidata = _wikidata(_text(raw, "wikidata", where, ""), where)
        self._keep(Entity(place_id, canonical, EntityKind.PLACE, jurisdiction=code, wikidata_id=wikidata), where)
        self._name(place_id, canonical, "canonical", where)
        for text in _texts(raw.get("aliases", ()), where):
            self._name(place_id, text, "alias", where)
        adjectives = _texts(raw.get("adjectives", ()), where)
        government = _text(raw, "government", where, "")
        government_id = _text(raw, "government_id", where, "")
        if government_id:
            self.refers.append((f"{where}, government_id", government_id))
        if government:
            government_id = f"{place_id}-government"
            kind = EntityKind.GOVERNMENT
            self._keep(Entity(government_id, government, kind, jurisdiction=code, parent_id=place_id), where)
            said = [f"{adjective} {word}" for adjective in adjectives for word in _GOVERNMENT_WORDS]
            said += [f"government of {text}" for text in (canonical, *_texts(raw.get("aliases", ()), where))]
            said += _texts(raw.get("government_names", ()), where)
            for text in dict.fromkeys([government, *said]):
                self._name(government_id, text, "canonical" if text == government else "alias", where)
        self.places.append(Place(place_id, code, adjectives, government_id))

    def _role(self, raw: Mapping[str, Any], where: str) -> None:
        _known_keys(raw, _ROLE, where)
        person, body = _text(raw, "person", where), _text(raw, "body", where, "")
        start, end = _day(raw, "from", where), _day(raw, "until", where)
        if start and end and start > end:
            raise LexiconError(f"{where}: from {start} is after until {end}. Exchange them.")
        self.refers += [(f"{where}, person", person)] + ([(f"{where}, body", body)] if body else [])
        self.roles.append(
            Role(
                person,
                _text(raw, "office", where),
                _texts(raw.get("titles", ()), where),
                body,
                start,
                end,
            )
        )

    def _relation(self, raw: Mapping[str, Any], where: str) -> None:
        _known_keys(raw, _RELATION, where)
        entity, kind, other = (_text(raw, key, where) for key in ("entity", "kind", "other"))
        if kind not in RELATION_KINDS:
            raise LexiconError(f"{where}: kind is {kind!r}; known kinds are {', '.join(RELATION_KINDS)}.")
        start, end = _day(raw, "from", where), _day(raw, "until", where)
        if start and end and start > end:
            raise LexiconError(f"{where}: from {start} is after until {end}. Exchange them.")
        self.refers += [(f"{where}, entity", entity), (f"{where}, other", other)]
        self.relations.append(Relation(entity, kind, other, start, end))

    def _pattern(self, raw: Mapping[str, Any], where: str) -> None:
        _known_keys(raw, _PATTERN, where)
        pattern_id = _text(raw, "id", where)
        if pattern_id in self.patterns:
            raise LexiconError(f"{where}: there is a pattern of this id already. Give it another id.")
        try:
            regex = re.compile(_text(raw, "regex", where), re.VERBOSE)
        except re.error as error:
            raise LexiconError(
                f"{where}: regex: {error}. Correct the expression (blanks are ignored in it)."
            ) from error
        name, parent = _text(raw, "name", where, ""), _text(raw, "parent", where, "")
        unknown = set(re.findall(r"{(\w+)}", name)) - set(regex.groupindex)
        if unknown:
            raise LexiconError(f"{where}: name uses {sorted(unknown)}; the groups are {sorted(regex.groupindex)}.")
        if parent:
            self.refers.append((f"{where}, parent", parent))
        examples = tuple(_texts(example, f"{where}, examples") for example in raw.get("examples", ()))
        if not examples or any(len(example) != 3 for example in examples):
            raise LexiconError(f"{where}: examples needs at least one [sentence, words found, canonical name].")
        self.patterns[pattern_id] = Pattern(
            pattern_id,
            _kind(_text(raw, "kind", where), where),
            regex,
            name,
            parent,
            _text(raw, "jurisdiction", where, ""),
            examples,  # type: ignore[arg-type]  # lengths are checked above
            _texts(raw.get("near_misses", ()), where),
        )

    def _nominal(self, raw: Mapping[str, Any], where: str) -> None:
        _known_keys(raw, _NOMINAL, where)
        kinds = tuple(_kind(kind, where) for kind in _texts(raw.get("kinds", ()), where))
        words = _texts(raw.get("words", ()), where)
        if not kinds or not words:
            raise LexiconError(f"{where}: has no words or no kinds. Write both as lists.")
        self.nominals.append(Nominal(words, kinds, bool(raw.get("plural", False))))

    def _field(self, raw: Mapping[str, Any], where: str) -> None:
        _known_keys(raw, _FIELD, where)
        key, words = _text(raw, "id", where), _texts(raw.get("words", ()), where)
        self.fields[key] = words, _texts(raw.get("bodies", ()), where)

    def _descriptions(self) -> None:
        """Give each body that watches a field in one country the words that reporters describe it with.

        "Ireland's data protection watchdog", "the Irish privacy regulator", "the privacy watchdog of Ireland"; "the
        Irish watchdog" where a word of the field stands near. What is a name already or fits a second body is left out.
        """
        taken = {name.text.casefold() for name in self.names}
        said: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
        owners: dict[str, set[str]] = {}
        for where, entity_id, fields in self.watched:
            code = self.entities[entity_id].jurisdiction
            for field in fields:
                if field not in self.fields:
                    raise LexiconError(f"{where}: there is no [[field]] {field!r}; there are {', '.join(self.fields)}.")
                words, bodies = self.fields[field]
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
                    self._name(entity_id, text, "nominal", self.where[entity_id], needs=needs)

    def _said_of(self, code: str) -> list[str]:
        """Return the words that put a body into a country: "Irish", "Ireland's"."""
        for place in self.places:
            if place.code == code:
                names = [name.text for name in self.names if name.entity_id == place.entity_id]
                return [*place.adjectives, *(f"{name}'s" for name in names)]
        return []

    def finish(self) -> Lexicon:
        for where, entity_id in self.refers:
            if entity_id not in self.entities:
                raise LexiconError(f"{where}: there is no entity {entity_id!r}. Add it or correct the id.")
        for where, entity_id, raw in self.more_names:
            self._further_name(entity_id, {key: value for key, value in raw.items() if key != "entity"}, where)
        self._refuse_circles()
        self._descriptions()
        self._refuse_shared_names()
        return Lexicon(
            entities=self.entities,
            names=tuple(self.names),
            roles=tuple(self.roles),
            relations=tuple(self.relations),
            patterns=tuple(self.patterns.values()),
            nominals=tuple(self.nominals),
            places=tuple(self.places),
            families=self.families,
            wires=frozenset(self.wires),
            version=self.digest.hexdigest()[:16],
            lists=self.lists,
            watchdogs=frozenset(entity_id for _, entity_id, _ in self.watched),
        )

    def _refuse_circles(self) -> None:
        for entity in self.entities.values():
            seen, above = {entity.entity_id}, entity.parent_id
            while above:
                if above in seen:
                    raise LexiconError(f"{self.where[entity.entity_id]}: is its own parent by way of {above!r}.")
                seen.add(above)
                above = self.entities[above].parent_id

    def _refuse_shared_names(self) -> None:
        """One name may stand for two entities of a kind only where it is ambiguous by `needs`, or at other times."""
        taken: dict[tuple[str, EntityKind], list[Name]] = {}
        for name in self.names:
            kind = self.entities[name.entity_id].kind
            for other in taken.setdefault((name.text.casefold(), kind), []):
                same = name.entity_id == other.entity_id
                if _apart(name, other) or ((name.needs or other.needs) and not same):
                    continue
                cure = "Take one of them out."
                if not same:
                    cure = "Give the rarer one `needs`: words that must stand near it."
                raise LexiconError(
                    f"{self.where[name.entity_id]}: the name {name.text!r} stands for {other.entity_id!r} too"
                    f" ({self.where[other.entity_id]}). {cure}"
                )
            taken[name.text.casefold(), kind].append(name)


def _apart(one: Name, two: Name) -> bool:
    """Tell whether two names were in use at different times, or differ in case where case counts."""
    if one.case_sensitive and two.case_sensitive and one.text != two.text:
        return True
    earlier, later = sorted((one, two), key=lambda name: name.used_until or date.max)
    return bool(earlier.used_until and later.used_from and earlier.used_until < later.used_from)


def _need(word: str) -> str:
    """Return a needed word as it is looked for: an abbreviation as it stands ("US" is not "us"), others in any case."""
    return word if len(word) < 5 and word.isupper() else word.casefold()


def _known_keys(raw: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    unknown = [key for key in raw if key not in known]
    if unknown:
        raise LexiconError(f"{where}: unknown key {unknown[0]!r}; known keys are {', '.join(known)}. Correct the key.")


def _text(raw: Mapping[str, Any], key: str, where: str, default: str | None = None) -> str:
    value = raw.get(key, default)
    if not isinstance(value, str) or (default is None and not value):
        said = "is missing" if value is None else f"is {value!r}"
        raise LexiconError(f'{where}: {key} {said}. Write {key} = "...".')
    return value


def _texts(value: object, where: str) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) and item for item in value):
        raise LexiconError(f'{where}: {value!r} is not a list of words. Write ["...", "..."].')
    return tuple(value)


def _day(raw: Mapping[str, Any], key: str, where: str) -> date | None:
    value = raw.get(key)
    if value is not None and type(value) is not date:
        raise LexiconError(f"{where}: {key} is {value!r}. Write a day without quotes: {key} = 2025-06-03.")
    return value


def _kind(value: str, where: str) -> EntityKind:
    try:
        return EntityKind(value)
    except ValueError:
        raise LexiconError(f"{where}: kind is {value!r}; known kinds are {', '.join(EntityKind)}.") from None


def _wikidata(value: str, where: str) -> str:
    if value and not re.fullmatch(r"Q[1-9]\d*", value):
        raise LexiconError(f"{where}: wikidata is {value!r}. Write an item's id such as Q95, or leave it out.")
    return value
