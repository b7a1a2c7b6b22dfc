"""Loads the event type cards: for each type its roles, cues and frames, with examples and near-misses.

A new kind is one more card in this folder. A card that says something unknown is refused with file, place and cure.

A slot reads "position, position [noun noun] -> role: kind kind !":
    position  subject, object, indirect, orderee (who is ordered to do it), modifier (a noun before the trigger),
              complement (verb that completes it), complement.object, complement.subject, complement.WORD,
              or a preposition ("with", "against", "as to"); object.WORD is a preposition on the object
    [nouns]   the filler's head must be one of these words; @name takes a list of the card's [lists]
    role      a role of the claim, or "-" for words that must be there but are no participant
    kinds     what the filler may stand for, see FILLERS; none: anything; "named": it must have a name or refer to one
    !         the frame does not match without it
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from pipeline.lexicon.inflection import noun_forms, verb_forms
from pipeline.records import EVENT_TYPES, ROLES, Modality

PACKAGED = Path(__file__).parent / "event_types"
VERB_FORMS = ("passive", "owed", "forbidden")  # what a frame may ask of its verb; nlp/parsing/verb_forms.py tests them
# What a slot may ask of its filler -> the kinds of entity that are meant.
FILLERS: Mapping[str, frozenset[str]] = {
    "party": frozenset({"organisation", "agency", "government", "person", "group", "place", "outlet"}),
    "body": frozenset({"organisation", "agency", "government", "place"}),
    "authority": frozenset({"agency", "government", "person", "place"}),
    "thing": frozenset({"model"}),
    **{kind: frozenset({kind}) for kind in (
        "organisation", "agency", "government", "person", "model", "instrument", "group", "place", "outlet", "other")},
}  # fmt: skip
_POSITION = re.compile(
    r"(?:subject|object|indirect|orderee|orderer|modifier|complement|[a-z]+(?: [a-z]+)?)(?:\.[a-z]+)*$"
)
_CARD = (
    "type", "label", "definition", "roles", "lists", "beats", "owner", "bare", "means", "defaults", "frame",
    "example", "near_miss",
)  # fmt: skip
_FRAME = (
    "id", "verbs", "nouns", "adjectives", "slots", "needs", "near", "without", "complement", "direction", "modality",
    "precision", "force", "finite", "fixed", "form", "negated", "actors",
)  # fmt: skip
_EXAMPLE = ("text", "type", "modality", "direction", "trigger", "mention", *ROLES)
_NEAR_MISS = ("text", "because")
_SLOT = re.compile(
    r"^(?P<positions>[^\[\]>]+?)\s*(?:\[(?P<words>[^\]]*)\])?\s*->\s*(?P<role>[a-z]+|"
    r"-)(?:\s*:\s*(?P<kinds>[a-z ]+?))?\s*(?P<must>!)?$"
)


class EventTypeError(ValueError):
    """A card of a kind cannot be used; the message has the file, the place and the cure."""


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a filler stands, what it must be, and which role it then has ("" for none)."""

    positions: tuple[str, ...]
    role: str
    kinds: frozenset[str]  # empty: any
    words: frozenset[str]  # lower-case forms of the head; empty: any
    required: bool
    named: bool  # only what has a name or refers to one


@dataclass(frozen=True, slots=True)
class Frame:
    """One way to say that an event of a type happened."""

    frame_id: str
    type: str
    slots: tuple[Slot, ...]
    needs: tuple[tuple[str, ...], ...]  # of each group of roles one must be filled
    near: frozenset[str]  # one of these lower-case words must stand in the sentence; empty: no demand
    without: frozenset[str]  # none of these may
    complement: frozenset[str]  # forms of verbs, one of which must complete the trigger; empty: no demand
    direction: str | None
    modality: Modality | None  # what the cue alone means: "negotiations" are an agreement considered
    precision: float
    force: str
    finite: bool  # False: a finite "that" clause as complement makes it no event
    fixed: bool  # the negation or auxiliary belongs to the cue: "cannot accede" is a refusal that occurred
    negated: bool  # only with a negation: "will not back down"
    actors: int  # so many parties must act at least: two for an agreement
    form: str  # one of VERB_FORMS: "passive", "owed" ("must pay"), "forbidden" ("no one may"); "" for any


@dataclass(frozen=True, slots=True)
class Cue:
    """A form that a frame is found by: part of speech "verb", "noun" or "adjective", with its particle if it has
    one."""

    frame: Frame
    part: str
    particle: str
    head: str = ""  # the word as the card has it: "found" and "find" have a form in common


@dataclass(frozen=True, slots=True)
class Example:
    """A sentence and the claim to be found in it; roles give the participants' names."""

    text: str
    type: str
    modality: str
    direction: str | None
    trigger: str
    mention: str
    roles: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class EventType:
    """What one card says."""

    type: str
    label: str
    definition: str
    roles: Mapping[str, str]
    beats: tuple[str, ...]  # types that say less where both are seen in one chain of words
    bare: bool  # False: an instrument said in one common word ("a deal") is no participant
    means: Mapping[str, Modality]  # forms of cues that say by themselves how far it came: "postponed", "scrapped"
    owner: str  # the role of whose model or product is meant, "" for none
    frames: tuple[Frame, ...]
    examples: tuple[Example, ...]
    near_misses: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class EventTypes:
    """All cards, with the index from lower-case forms to the cues they may be."""

    types: Mapping[str, EventType]
    cues: Mapping[str, tuple[Cue, ...]] = field(repr=False)


def load_event_types(folder: Path | None = None) -> EventTypes:
    """Read the packaged cards, or those of another folder. Raises EventTypeError."""
    return _load(Path(folder) if folder is not None else PACKAGED)


@lru_cache(maxsize=4)
def _load(folder: Path) -> EventTypes:
    types: dict[str, EventType] = {}
    cues: dict[str, list[Cue]] = {}
    paths = sorted(folder.glob("*.toml"))
    if not paths:
        raise EventTypeError(f"{folder}: holds no cards. Give a folder with one TOML file for each kind of event.")
    for path in paths:
        kind = read_card(path, cues)
        if kind.type in types:
            raise EventTypeError(f"{path}: there is another card of type {kind.type!r}. Keep one of them.")
        types[kind.type] = kind
    return EventTypes(types, {form: tuple(found) for form, found in cues.items()})


def read_card(path: Path, cues: dict[str, list[Cue]] | None = None) -> EventType:
    """Read one card and add its cues to an index. Raises EventTypeError."""
    try:
        card = tomllib.loads(path.read_bytes().decode())
    except OSError as error:
        raise EventTypeError(f"{path}: cannot be read ({error.strerror}). Check the path and its rights.") from error
    except UnicodeDecodeError as error:
        raise EventTypeError(f"{path}: is not UTF-8 (byte {error.start}). Save the file as UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise EventTypeError(f"{path}: is not TOML: {error}. Correct that line.") from error
    where = str(path)
    _known(card, _CARD, where)
    type_ = _text(card, "type", where)
    if type_ not in EVENT_TYPES:
        raise EventTypeError(f"{where}: type is {type_!r}; known types are {', '.join(EVENT_TYPES)}.")
    lists = {name: _words(value, f"{where}, [lists] {name}") for name, value in card.get("lists", {}).items()}
    defaults = card.get("defaults", {})
    _known(defaults, _FRAME, f"{where}, [defaults]")
    frames = []
    for raw in card.get("frame", ()):
        spot = f"{where}, [[frame]] {raw.get('id', '?')}"
        _known(raw, _FRAME, spot)
        frames.append(_frame(type_, defaults | raw, lists, spot, {} if cues is None else cues))
    if not frames:
        raise EventTypeError(f"{where}: has no [[frame]]. Write at least one, with id, verbs or nouns, and slots.")
    roles = card.get("roles", {})
    _known(roles, ROLES, f"{where}, [roles]")
    beats = _words(card.get("beats", ()), f"{where}, beats")
    for other in beats:
        if other not in EVENT_TYPES:
            raise EventTypeError(f"{where}: beats has {other!r}; known types are {', '.join(EVENT_TYPES)}.")
    owner = card.get("owner", "")
    if owner and owner not in ROLES:
        raise EventTypeError(f"{where}: owner is {owner!r}; roles are {', '.join(ROLES)}.")
    return EventType(
        type_, _text(card, "label", where), _text(card, "definition", where), roles, beats, bool(card.get("bare",
        True)), _means(card.get("means", {}), where), owner, tuple(frames),
        tuple(_example(raw, type_, where) for raw in card.get("example", ())),
        tuple(_near_miss(raw, where) for raw in card.get("near_miss", ())),
    )  # fmt: skip


def _frame(
    type_: str, raw: Mapping[str, Any], lists: Mapping[str, tuple[str, ...]], where: str, cues: dict[str, list[Cue]]
) -> Frame:
    direction, modality = raw.get("direction"), raw.get("modality")
    if direction not in (None, "impose", "lift"):
        raise EventTypeError(f"{where}: direction is {direction!r}; write impose or lift.")
    if modality is not None and modality not in list(Modality):
        raise EventTypeError(f"{where}: modality is {modality!r}; known ones are {', '.join(Modality)}.")
    if raw.get("force", "not_stated") not in ("binding", "voluntary", "not_stated"):
        raise EventTypeError(f"{where}: force is {raw['force']!r}; write binding, voluntary or not_stated.")
    if raw.get("form", "passive") not in VERB_FORMS:
        raise EventTypeError(f"{where}: form is {raw['form']!r}; write {', '.join(VERB_FORMS)}.")
    precision = raw.get("precision", 0.85)
    if not isinstance(precision, int | float) or not 0 < precision <= 1:
        raise EventTypeError(f"{where}: precision is {precision!r}; write a number above 0 and up to 1.")
    needs = tuple(tuple(part.strip() for part in need.split("|")) for need in _words(raw.get("needs", ()), where))
    for role in (role for need in needs for role in need):
        if role not in ROLES:
            raise EventTypeError(f"{where}: needs names {role!r}; roles are {', '.join(ROLES)}.")
    complement = frozenset(
        form for verb in _resolve(raw.get("complement", ()), lists, where) for form in verb_forms(verb.split()[0])
    )
    frame = Frame(
        _text(raw, "id", where), type_,
        tuple(_slot(slot, lists, where) for slot in _words(raw.get("slots", ()), where)),
        needs, frozenset(_resolve(raw.get("near", ()), lists, where)),
        frozenset(_resolve(raw.get("without", ()), lists, where)), complement, direction,
        Modality(modality) if modality else None, float(precision), raw.get("force", "not_stated"),
        bool(raw.get("finite", True)),
        bool(raw.get("fixed", False)), bool(raw.get("negated", False)), int(raw.get("actors", 0)),
        raw.get("form", ""),
    )  # fmt: skip
    said = 0
    for part, key, forms in (
        ("verb", "verbs", verb_forms),
        ("noun", "nouns", noun_forms),
        ("adjective", "adjectives", _same),
    ):
        for cue in _resolve(raw.get(key, ()), lists, where):
            said += 1
            head, particle = _split(cue, part)
            for form in forms(head):
                cues.setdefault(form, []).append(Cue(frame, part, particle, head))
    if not said:
        raise EventTypeError(
            f"{where}: has neither verbs nor nouns nor adjectives. Write the words that name the event."
        )
    return frame


def _means(raw: Mapping[str, Any], where: str) -> dict[str, Modality]:
    found: dict[str, Modality] = {}
    for modality, verbs in raw.items():
        if modality not in list(Modality):
            raise EventTypeError(
                f"{where}, [means]: there is no modality {modality!r}; there are {', '.join(Modality)}."
            )
        for verb in _words(verbs, f"{where}, [means] {modality}"):
            found.update(dict.fromkeys(verb_forms(verb), Modality(modality)))
    return found


def _split(cue: str, part: str) -> tuple[str, str]:
    """Split a cue of several words into the word that is inflected and the rest, which must stand beside it."""
    first, _, rest = cue.partition(" ")
    if part == "noun" and rest and not rest.startswith(("of ", "for ")):
        words = cue.split()
        return words[-1], " ".join(words[:-1])
    return first, rest


def _same(word: str) -> frozenset[str]:
    return frozenset({word})


def _slot(text: str, lists: Mapping[str, tuple[str, ...]], where: str) -> Slot:
    match = _SLOT.match(text.strip())
    if not match:
        raise EventTypeError(f'{where}: slot {text!r} is not understood. Write "position [nouns] -> role: kinds !".')
    positions = tuple(part.strip() for part in match["positions"].split(","))
    for position in positions:
        if not _POSITION.match(position):
            raise EventTypeError(
                f"{where}: slot {text!r}: there is no position {position!r}; see the head of kinds/load.py."
            )
    role = match["role"]
    if role != "-" and role not in ROLES:
        raise EventTypeError(f"{where}: slot {text!r}: there is no role {role!r}; roles are {', '.join(ROLES)}.")
    kinds: set[str] = set()
    wanted = (match["kinds"] or "").split()
    for name in wanted:
        if name == "named":
            continue
        if name not in FILLERS:
            raise EventTypeError(f"{where}: slot {text!r}: there is no kind {name!r}; kinds are {', '.join(FILLERS)}.")
        kinds |= FILLERS[name]
    words = _resolve((match["words"] or "").split(), lists, where)
    forms = frozenset(form for word in words for form in noun_forms(word))
    return Slot(positions, "" if role == "-" else role, frozenset(kinds), forms, bool(match["must"]), "named" in wanted)


def _resolve(words: Any, lists: Mapping[str, tuple[str, ...]], where: str) -> list[str]:
    found: list[str] = []
    for word in _words(words, where):
        if word.startswith("@"):
            if word[1:] not in lists:
                raise EventTypeError(
                    f"{where}: there is no list {word!r}; the card's [lists] are {', '.join(lists) or 'none'}."
                )
            found += lists[word[1:]]
        else:
            found.append(word)
    return found


def _example(raw: Mapping[str, Any], type_: str, where: str) -> Example:
    spot = f"{where}, [[example]] {str(raw.get('text', '?'))[:40]!r}"
    _known(raw, _EXAMPLE, spot)
    modality = raw.get("modality", "occurred")
    if modality not in list(Modality):
        raise EventTypeError(f"{spot}: modality is {modality!r}; known ones are {', '.join(Modality)}.")
    roles = {
        role: _words(raw[role] if isinstance(raw[role], list) else [raw[role]], spot) for role in ROLES if role in raw
    }
    return Example(
        _text(raw, "text", spot), raw.get("type", type_), modality, raw.get("direction"), raw.get("trigger", ""),
        raw.get("mention", ""), roles,
    )  # fmt: skip


def _near_miss(raw: Mapping[str, Any], where: str) -> tuple[str, str]:
    spot = f"{where}, [[near_miss]] {str(raw.get('text', '?'))[:40]!r}"
    _known(raw, _NEAR_MISS, spot)
    return _text(raw, "text", spot), raw.get("because", "")


def _known(raw: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    for key in raw:
        if key not in known:
            raise EventTypeError(f"{where}: unknown key {key!r}; known keys are {', '.join(known)}. Correct the key.")


def _text(raw: Mapping[str, Any], key: str, where: str) -> str:
    value = raw.get(key)
    if not isinstance(value, str) or not value:
        raise EventTypeError(f'{where}: {key} is {"missing" if value is None else repr(value)}. Write {key} = "...".')
    return value


def _words(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(word, str) and word for word in value):
        raise EventTypeError(f'{where}: {value!r} is not a list of words. Write ["...", "..."].')
    return tuple(value)
