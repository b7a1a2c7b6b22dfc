"""Loads the event type cards: for each type its roles, cues and frames, with examples and near-misses.

A new event type is one more card in event_types/. A faulty card is rejected with the file, the location and a remedy.

A slot reads "position, position [noun noun] -> role: kind kind !":
    position  subject, object, indirect, orderee (who is ordered to do it), modifier (a noun before the trigger),
              complement (verb that completes it), complement.object, complement.subject, complement.WORD,
              or a preposition ("with", "against", "as to"); object.WORD is a preposition on the object
    [nouns]   the filler's head must be one of these words; @name takes a list of the card's [lists]
    role      a role of the claim, or "-" for words that must be there but are not a participant
    kinds     what the filler may be, see FILLERS; empty: anything; "named": it must have a name or refer to one
    !         the frame does not match without it
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, ValidationInfo, model_validator

from pipeline.lexicon.inflection import noun_forms, verb_forms
from pipeline.lexicon.toml_files import EventTypeName, Flag, RoleName, Table, Text, Texts, read_toml, tables, validated
from pipeline.records import ROLES, EntityKind, Force, Modality

PACKAGED = Path(__file__).parent / "event_types"
# Conditions that a frame can set on its verb; nlp/parsing/verb_forms.py tests it.
VerbForm = Literal["", "passive", "owed", "forbidden"]
VERB_FORMS: tuple[str, ...] = get_args(VerbForm)[1:]
# Kinds of filler that a slot can require, with the kinds of entity that fit.
FILLERS: Mapping[str, frozenset[str]] = {
    "party": frozenset({"organisation", "agency", "government", "person", "group", "place", "outlet"}),
    "body": frozenset({"organisation", "agency", "government", "place"}),
    "authority": frozenset({"agency", "government", "person", "place"}),
    "thing": frozenset({"model"}),
    **{kind: frozenset({kind}) for kind in (*map(str, EntityKind), "other")},
}
_POSITION = re.compile(
    r"(?:subject|object|indirect|orderee|orderer|modifier|complement|[a-z]+(?: [a-z]+)?)(?:\.[a-z]+)*$"
)
_SLOT = re.compile(
    r"^(?P<positions>[^\[\]>]+?)\s*(?:\[(?P<words>[^\]]*)\])?\s*->\s*"
    r"(?P<role>[a-z]+|-)(?:\s*:\s*(?P<kinds>[a-z ]+?))?\s*(?P<must>!)?$"
)


class EventTypeError(ValueError):
    """An event type card cannot be used; the message names the file, the location and a remedy."""


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a filler is found, what it must be, and which role it then has ("" for none)."""

    positions: tuple[str, ...]
    role: str
    kinds: frozenset[str]  # empty: any
    words: frozenset[str]  # lower-case forms of the head; empty: any
    required: bool
    named: bool  # only a filler that has a name or refers to one


def _resolve(words: Any, info: ValidationInfo) -> Any:
    """Replace each @name by the words of that list of the card."""
    if not isinstance(words, list):
        return words
    lists = info.context if isinstance(info.context, dict) else {}
    found = []
    for word in words:
        if not isinstance(word, str) or not word.startswith("@"):
            found.append(word)
        elif isinstance(lists.get(word[1:]), list):
            found += lists[word[1:]]
        else:
            raise ValueError(f"there is no list {word!r}; the card's [lists] are {', '.join(lists) or 'none'}.")
    return found


def _slot(text: Any, info: ValidationInfo) -> Slot:
    match = _SLOT.match(text.strip()) if isinstance(text, str) else None
    if not match:
        raise ValueError(f'slot {text!r} is malformed. Write "position [nouns] -> role: kinds !".')
    positions = tuple(part.strip() for part in match["positions"].split(","))
    for position in positions:
        if not _POSITION.match(position):
            raise ValueError(f"slot {text!r}: there is no position {position!r}; event_type_cards.py lists them.")
    role, wanted = match["role"], (match["kinds"] or "").split()
    if role != "-" and role not in ROLES:
        raise ValueError(f"slot {text!r}: there is no role {role!r}; roles are {', '.join(ROLES)}.")
    kinds = [kind for kind in wanted if kind != "named"]
    for kind in kinds:
        if kind not in FILLERS:
            raise ValueError(f"slot {text!r}: there is no kind {kind!r}; kinds are {', '.join(FILLERS)}.")
    words = _resolve((match["words"] or "").split(), info)
    return Slot(
        positions,
        "" if role == "-" else role,
        frozenset[str]().union(*(FILLERS[kind] for kind in kinds)),
        frozenset(form for word in words for form in noun_forms(word)),
        required=bool(match["must"]),
        named="named" in wanted,
    )


def _need(need: Any) -> Any:
    return tuple(role.strip() for role in need.split("|")) if isinstance(need, str) else need


def _complement_forms(verbs: Any, info: ValidationInfo) -> Any:
    verbs = _resolve(verbs, info)
    if not isinstance(verbs, list) or not all(isinstance(verb, str) and verb for verb in verbs):
        return verbs
    return frozenset(form for verb in verbs for form in verb_forms(verb.split()[0]))


Words = Annotated[Texts, BeforeValidator(_resolve)]
WordSet = Annotated[frozenset[Text], BeforeValidator(_resolve)]
Names = Annotated[Texts, BeforeValidator(lambda names: [names] if isinstance(names, str) else names)]


class Frame(Table):
    """One way to say that an event of a type happened."""

    frame_id: Text = Field(alias="id")
    type: EventTypeName = ""  # the card's
    verbs: Words = ()
    nouns: Words = ()
    adjectives: Words = ()
    slots: tuple[Annotated[Slot, BeforeValidator(_slot)], ...] = ()
    # At least one role of each group must be filled.
    needs: tuple[Annotated[tuple[RoleName, ...], BeforeValidator(_need)], ...] = ()
    near: WordSet = frozenset()  # one of these lower-case words must be in the sentence; empty: no requirement
    without: WordSet = frozenset()  # none of these may be in the sentence
    # Forms of verbs, one of which must complete the trigger; empty: no requirement.
    complement: Annotated[frozenset[str], BeforeValidator(_complement_forms)] = frozenset()
    direction: Literal["impose", "lift"] | None = None
    modality: Modality | None = None  # of the cue by itself: "negotiations" are an agreement considered
    precision: float = Field(0.85, gt=0, le=1)
    force: Force = Force.NOT_STATED
    finite: Flag = True  # False: not an event if its complement is a finite "that" clause
    fixed: Flag = False  # the negation or auxiliary belongs to the cue: "cannot accede" is a refusal that occurred
    negated: Flag = False  # only with a negation: "will not back down"
    actors: int = 0  # minimum number of acting parties: two for an agreement
    form: VerbForm = ""

    @model_validator(mode="after")
    def _has_cues(self) -> Frame:
        if not (self.verbs or self.nouns or self.adjectives):
            raise ValueError("has neither verbs nor nouns nor adjectives. Write the words that name the event.")
        return self


@dataclass(frozen=True, slots=True)
class Cue:
    """A form that identifies a frame: a "verb", "noun" or "adjective", with its particle if it has one."""

    frame: Frame
    part: str
    particle: str
    head: str = ""  # the word as written on the card: "found" and "find" have a form in common


class CardExample(Table):
    """A sentence and the claim to be found in it; each role has the names of its participants."""

    text: Text
    type: EventTypeName = ""  # by default the card's
    modality: Modality = Modality.OCCURRED
    direction: str | None = None
    trigger: str = ""
    actor: Names = ()
    target: Names = ()
    object: Names = ()
    instrument: Names = ()
    affected: Names = ()
    body: Names = ()

    @property
    def roles(self) -> Mapping[str, tuple[str, ...]]:
        """The roles that are filled, with their names."""
        return {role: names for role in ROLES if (names := getattr(self, role))}


class NearMiss(Table):
    """A sentence in which no claim of the card's type may be found, and why."""

    text: Text
    because: str = ""


def _by_form(means: Any) -> Any:
    found = {}
    for modality, verbs in means.items() if isinstance(means, dict) else ():
        if not isinstance(verbs, list) or not all(isinstance(verb, str) for verb in verbs):
            raise ValueError(f'[means] {modality} is {verbs!r}. Write a list: ["...", "..."].')
        if modality not in list(Modality):
            raise ValueError(f"[means] has the unknown modality {modality!r}; known are {', '.join(Modality)}.")
        found.update({form: modality for verb in verbs for form in verb_forms(verb)})
    return found


class EventType(Table):
    """An event type card."""

    type: EventTypeName
    label: Text
    definition: Text
    roles: Mapping[RoleName, str] = {}
    lists: Mapping[str, Texts] = {}  # words that slots and frames refer to as @name
    beats: tuple[EventTypeName, ...] = ()  # less specific types, dropped if both occur in one chain of words
    owner: RoleName = ""  # the role whose model or product the event concerns
    bare: Flag = True  # False: an instrument named by a common word alone ("a deal") is not a participant
    # Forms of cues that decide the modality by themselves: "postponed", "scrapped".
    means: Annotated[Mapping[str, Modality], BeforeValidator(_by_form)] = {}
    defaults: Mapping[str, Any] = {}  # keys of every frame that does not set them itself
    frames: tuple[Frame, ...] = Field((), alias="frame")
    examples: tuple[CardExample, ...] = Field((), alias="example")
    near_misses: tuple[NearMiss, ...] = Field((), alias="near_miss")

    @model_validator(mode="before")
    @classmethod
    def _spread_defaults(cls, card: Any) -> Any:
        own, defaults = {"type": card.get("type")}, card.get("defaults", {})
        frames = [{**defaults, **frame, **own} for frame in tables(card, "frame")] if isinstance(defaults, dict) else []
        return {**card, "frame": frames, "example": [own | example for example in tables(card, "example")]}

    @model_validator(mode="after")
    def _has_frames(self) -> EventType:
        if not self.frames:
            raise ValueError("has no [[frame]]. Write at least one, with id, verbs or nouns, and slots.")
        return self


@dataclass(frozen=True)
class EventTypes:
    """All cards, with the index from lower-case forms to the cues that they can be."""

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
        raise EventTypeError(f"{folder}: holds no cards. Give a folder with one TOML file for each event type.")
    for path in paths:
        card = read_card(path)
        if card.type in types:
            raise EventTypeError(f"{path}: another card of type {card.type!r} exists. Keep one of them.")
        types[card.type] = card
        for frame in card.frames:
            for form, cue in _cues(frame):
                cues.setdefault(form, []).append(cue)
    return EventTypes(types, {form: tuple(found) for form, found in cues.items()})


def read_card(path: Path) -> EventType:
    """Read one card. Raises EventTypeError."""
    _, content = read_toml(path, EventTypeError)
    return validated(EventType, content, path, EventTypeError, context=content.get("lists"))


def _cues(frame: Frame) -> Iterator[tuple[str, Cue]]:
    """Yield the cues of a frame, each with every form it is found by."""
    for verb in frame.verbs:
        head, _, particle = verb.partition(" ")
        yield from ((form, Cue(frame, "verb", particle, head)) for form in verb_forms(head))
    for noun in frame.nouns:
        head, _, rest = noun.partition(" ")
        if rest and not rest.startswith(("of ", "for ")):  # the last word is inflected: "action plan"
            rest, _, head = noun.rpartition(" ")
        yield from ((form, Cue(frame, "noun", rest, head)) for form in noun_forms(head))
    for adjective in frame.adjectives:
        head, _, rest = adjective.partition(" ")
        yield head, Cue(frame, "adjective", rest, head)
