"""Reads the editors' decisions from their TOML file, reports what is wrong with it, and appends decisions.

The program only appends: what an editor wrote by hand is kept, comments included.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Annotated, Any, NoReturn, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    ValidationError,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from pipeline.errors import OutsideFailure, WrongUse
from pipeline.ledger.reviews.decisions import ACTIONS, FIELDS, ON_CLAIMS, Decision, ReviewFile, Sentence, Value
from pipeline.ledger.reviews.fields import problem_with
from pipeline.ledger.reviews.names import slug
from pipeline.records import EVENT_TYPES, ROLES, EntityKind

HEAD = """\
# Editors' decisions on this ledger. Each [[decision]] is applied at every build, as long as its sentence is in its
# article. Edit this file by hand, or let `oversight review` append to it; comments are kept. `oversight review check`
# reports what is wrong with it. An editor is named on the site only with a public name:
#
#     [[editor]]
#     who = "ada"
#     public_name = "Ada Arden, news desk"
"""
_HEADER = re.compile(r"^[ \t]*\[\[[ \t]*decision[ \t]*\]\]", re.MULTILINE)
_MAX_BYTES = 100 * 1024 * 1024
_OLD_FIELDS = {"mention": "newness"}  # former names of fields, still read
# What to write instead of a value that cannot be used, by key.
_CURES = {
    "article": "write its address, or its id such as a0123456789abcdef",
    "claim": "an id is the letter c and 16 hexadecimal digits",
    "claims": "write [[decision.claims]] for a claim of each event to merge, or for each claim that leaves",
    "events": "write the ids in a list",
    "new": f"kinds are {', '.join(EntityKind)}",
    "no_name": "write no_name = true, or remove it if it is a name",
    "nth": "write 2 for the second occurrence of the sentence",
    "quote": "copy the whole sentence as it is in the article",
    "read": 'write read.modality = "planned" and the like',
    "set": 'write set.modality = "planned" and the like',
    "stays": "write [[decision.stays]] for each claim that stays",
    "type": f"types are {', '.join(EVENT_TYPES)}",
    "when": "write a day, or a time with its zone, without quotes: when = 2026-05-31T10:04:00Z",
    "wikidata": "write the id of an item, such as Q95",
}


def _refuse(words: str) -> NoReturn:
    """Fail validation with this message instead of one from _problem()."""
    raise PydanticCustomError("refused", "{words}", {"words": words})


def _moment(value: object) -> datetime:
    if type(value) is date:
        return datetime.combine(value, time(), UTC)
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise ValueError  # _problem() finds the words
    return value.astimezone(UTC)


def _reading(raw: dict[str, Any]) -> dict[str, Value]:
    """Return the fields of a claim in the order of FIELDS, with the parties of a role as a tuple."""
    items = {_OLD_FIELDS.get(name, name): value for name, value in raw.items()}
    for name, value in items.items():
        if words := problem_with(name, value):
            _refuse(words)
    return {
        name: ((items[name],) if isinstance(items[name], str) else tuple(items[name])) if name in ROLES else items[name]
        for name in FIELDS
        if name in items
    }


_Text = Annotated[str, Field(pattern=r"\S")]
_Reading = Annotated[dict[str, Any], AfterValidator(_reading)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Editor(_Table):
    who: _Text
    public_name: _Text


class _Common(_Table):
    action: str
    who: _Text
    when: Annotated[datetime, BeforeValidator(_moment)]
    why: _Text

    def decision(self, place: int) -> Decision:
        return Decision(self.action, self.who, self.when, self.why, place=place, **self._values())

    def _values(self) -> dict[str, Any]:
        """Return the values that only this kind of decision has."""
        return {}


class _Quote(_Table):
    article: Annotated[str, Field(pattern=r"://|^a[0-9a-f]{16}$")]
    quote: _Text
    nth: Annotated[StrictInt, Field(ge=1)] = 1
    claim: Annotated[str, Field(pattern=r"^(c[0-9a-f]{16})?$")] = ""
    trigger: str = ""

    @model_validator(mode="after")
    def _has_its_trigger(self) -> Self:
        if self.trigger not in self.quote:
            _refuse(f"the trigger '{self.trigger}' is not in the quote. Copy it as it is written there")
        return self

    def sentence(self, type_: str = "") -> Sentence:
        return Sentence(self.article, self.quote, self.claim, self.trigger, type_, self.nth)


class _TypedQuote(_Quote):
    type: Annotated[str, Field(pattern=f"^({'|'.join(EVENT_TYPES)})?$")] = ""


class _Accept(_Common, _TypedQuote):
    why: str = ""
    read: _Reading = {}

    def _values(self) -> dict[str, Any]:
        return {"sentences": (self.sentence(self.type or self.read.get("type", "")),), "read": self.read}


class _Reject(_Accept):
    why: _Text


class _Edit(_Reject):
    set: _Reading = {}

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if not self.set:
            _refuse('an edit changes something: write for example set.modality = "planned"')
        _check_direction({**self.read, **self.set}, self.set)
        return self

    def _values(self) -> dict[str, Any]:
        return {**super()._values(), "changes": self.set}


class _Add(_Common, _Quote):
    set: _Reading = {}

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        missing = [f"set.{key}" for key in ("type", "modality") if not self.set.get(key)]
        missing += [] if any(self.set.get(role) for role in ROLES) else ["set.actor (or another role)"]
        missing += [] if self.trigger else ["trigger"]
        if missing:
            _refuse(f"an added claim needs {', '.join(missing)}")
        _check_direction(self.set, self.set)
        return self

    def _values(self) -> dict[str, Any]:
        return {"sentences": (self.sentence(),), "changes": self.set}


def _check_direction(fields: dict[str, Value], changes: dict[str, Value]) -> None:
    type_ = fields.get("type", "restriction")
    if changes.get("direction", "none") != "none" and type_ != "restriction":
        _refuse(f"only a restriction has a direction, this is {type_}. Remove set.direction")


class _Merge(_Common):
    events: list[str] = []
    claims: Annotated[list[_TypedQuote], Field(min_length=2)]

    def _values(self) -> dict[str, Any]:
        return {"events": tuple(self.events), "sentences": tuple(c.sentence(c.type) for c in self.claims)}


class _Split(_Merge):
    claims: Annotated[list[_TypedQuote], Field(min_length=1)]
    stays: Annotated[list[_TypedQuote], Field(min_length=1)]

    def _values(self) -> dict[str, Any]:
        return {**super()._values(), "stays": tuple(c.sentence(c.type) for c in self.stays)}


class _Gap(_Common):
    why: str = ""
    name: _Text
    is_: _Text | None = Field(None, alias="is")
    new: EntityKind | None = None
    id: str | None = None
    no_name: StrictBool | None = None
    jurisdiction: _Text | None = None
    parent: _Text | None = None
    wikidata: Annotated[str, Field(pattern=r"^Q[1-9]\d*$")] | None = None
    description: _Text | None = None

    @model_validator(mode="after")
    def _is_one_answer(self) -> Self:
        if sum(answer is not None for answer in (self.is_, self.new, self.no_name)) != 1:
            _refuse('write one of is = "ENTITY", new = "KIND", no_name = true')
        if self.no_name is False:
            _refuse("no_name can only be true. Remove it if this is a name")
        more = [*self._more(), *(["id"] if self.id is not None else [])]
        if self.new is None and more:
            _refuse(f"'{more[0]}' belongs to a new name only. Remove it")
        id_ = self.id or slug(self.name)
        if self.new is not None and not re.fullmatch(r"(?!x-)[a-z0-9][a-z0-9-]*", id_):
            _refuse(f"id is '{id_}': write id = \"...\" in lower case, digits and hyphens, not starting with x-")
        return self

    def _more(self) -> dict[str, str]:
        return self.model_dump(include={"jurisdiction", "parent", "wikidata", "description"}, exclude_none=True)

    def _values(self) -> dict[str, Any]:
        name = " ".join(self.name.split())
        if self.new is None:
            return {"name": name, "entity": self.is_ or ""}
        return {"name": name, "entity": self.id or slug(name), "kind": self.new.value, "more": self._more()}


_MODELS: dict[str, type[_Common]] = {
    "accept": _Accept,
    "edit": _Edit,
    "reject": _Reject,
    "add": _Add,
    "merge": _Merge,
    "split": _Split,
    "gap": _Gap,
}


@dataclass
class ReadFile:
    """The content of a file, and what is wrong with it: one sentence each, with file, place and remedy."""

    file: ReviewFile
    problems: list[str] = field(default_factory=list)


def load_reviews(path: Path) -> ReviewFile:
    """Return the decisions of a file, none if it does not exist; raise WrongUse if anything in it cannot be used."""
    read = read_reviews(path)
    if read.problems:
        more = f" {len(read.problems) - 1} more: `oversight review check` lists them." if len(read.problems) > 1 else ""
        raise WrongUse(f"{read.problems[0]}{more}")
    return read.file


def read_reviews(path: Path) -> ReadFile:
    """Return the decisions of a file and all that is wrong with it."""
    try:
        if not path.exists():
            return ReadFile(ReviewFile())
        if path.stat().st_size > _MAX_BYTES:
            return ReadFile(ReviewFile(), [f"{path}: is larger than 100 MB. Is it the right file?"])
        body = path.read_bytes()
    except OSError as error:
        raise OutsideFailure(
            f"{path}: cannot be read ({error.strerror}). Check the path and its permissions."
        ) from error
    return parse_reviews(body, str(path))


def parse_reviews(body: bytes, path: str) -> ReadFile:
    """Return the decisions in the bytes of a file called `path`, and all that is wrong with them."""
    try:
        text = body.decode()
        content = tomllib.loads(text)
    except UnicodeDecodeError as error:
        return ReadFile(ReviewFile(), [f"{path}: is not UTF-8 (byte {error.start}). Save the file as UTF-8."])
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        return ReadFile(ReviewFile(), [f"{path}: is not TOML: {error or 'nested too deep'}. Correct that place."])
    problems = [
        f"{path}: unknown table or key '{key}'. Write [[decision]] or [[editor]]."
        for key in content
        if key not in ("decision", "editor")
    ]
    raw = content.get("decision", [])
    if not isinstance(raw, list) or not all(isinstance(item, dict) for item in raw):
        words = f"{path}: write each decision under [[decision]], in double brackets."
        return ReadFile(ReviewFile(), [*problems, words])
    lines = [text.count("\n", 0, match.end()) + 1 for match in _HEADER.finditer(text)]
    decisions: list[Decision] = []
    seen: dict[str, int] = {}
    for place, item in enumerate(raw, 1):
        line = f", line {lines[place - 1]}" if len(lines) == len(raw) else ""
        found = _decision(item, place)
        if isinstance(found, Decision) and found.review_id in seen:
            found = f"it repeats decision {seen[found.review_id]}. Remove one of them"
        if isinstance(found, str):
            problems.append(f"{path}, decision {place}{line}: {found}.")
            continue
        seen[found.review_id] = place
        decisions.append(found)
    names, wrong = _editors(content.get("editor", []), path)
    return ReadFile(ReviewFile(tuple(decisions), names), problems + wrong)


def _editors(raw: object, path: str) -> tuple[dict[str, str], list[str]]:
    names: dict[str, str] = {}
    problems = []
    for number, item in enumerate(raw if isinstance(raw, list) else [raw], 1):
        try:
            editor = _Editor.model_validate(item)
            names[editor.who] = editor.public_name
        except ValidationError:
            problems.append(f"{path}, editor {number}: write [[editor]] with who and public_name, each in quotes.")
    return names, problems


def _decision(raw: dict[str, Any], place: int) -> Decision | str:
    """Return the decision of a table, or what is wrong with the table and what to do."""
    action = raw.get("action")
    if action not in ACTIONS:
        return f"action is {action!r}; it can be {', '.join(ACTIONS)}"
    try:
        return _MODELS[action].model_validate(raw).decision(place)
    except ValidationError as error:
        # An unknown key is usually a misspelt one, and so the cause of a missing one.
        return _problem(min(error.errors(), key=lambda e: e["type"] != "extra_forbidden"), action)


def _problem(error: ErrorDetails, action: str) -> str:
    """Describe an error of pydantic in the terms of the file."""
    path = [str(key) for key in error["loc"] if isinstance(key, str)]
    key = path[-1] if path else ""
    if error["type"] == "extra_forbidden":
        nested = len(path) > 1
        model: type[_Table] = _TypedQuote if nested else _MODELS[action]
        known = ", ".join(info.alias or name for name, info in model.model_fields.items())
        where = f"under {path[0]}; known keys are {known}" if nested else f"; known keys of {action} are {known}"
        return f"unknown key '{key}'{' ' if nested else ''}{where}. Correct or remove it"
    if error["type"] == "refused":
        return f"{key}: {error['msg']}" if key in ("set", "read") else error["msg"]
    value = error["input"]
    said = {"missing": "is missing", "too_short": "has too few entries"}.get(error["type"], f"is {value!r}")
    if key == "when" and error["type"] != "missing":
        said = f"is {value}"
    cure = _CURES.get(key, f'write {key} = "..."')
    return f"{key} {said}: {cure}"


def append_decisions(path: Path, decisions: Iterable[Decision]) -> None:
    """Append decisions to the file, atomically; the existing text is kept byte for byte.

    Raises WrongUse if the file cannot be used as it is, or could not be used afterwards.
    """
    decisions = tuple(decisions)
    if not decisions:
        return
    load_reviews(path)
    path = path.resolve()  # follow a link, for example into a folder under version control
    try:
        before = path.read_bytes() if path.exists() else HEAD.encode()
        if before and not before.endswith(b"\n"):
            before += b"\n"
        body = before + "".join("\n" + decision_text(decision) for decision in decisions).encode()
        after = parse_reviews(body, str(path))
        if after.problems:
            raise WrongUse(f"Nothing was written: {after.problems[0]}")
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        temporary.write_bytes(body)
        if path.exists():
            shutil.copymode(path, temporary)
        os.replace(temporary, path)
    except UnicodeEncodeError as error:
        raise WrongUse("Nothing was written: the text contains a character that UTF-8 cannot encode.") from error
    except OSError as error:
        raise OutsideFailure(f"{path}: could not be written ({error.strerror}). Nothing was changed.") from error


def decision_text(decision: Decision) -> str:
    """Return a decision as TOML. Equal decisions give equal bytes, and reading them gives the decision again."""
    lines = ["[[decision]]", f'action = "{decision.action}"', f"who = {_text(decision.who)}"]
    when = decision.when.astimezone(UTC).isoformat().replace("+00:00", "Z")
    lines += [f"when = {when}"] + ([f"why = {_text(decision.why)}"] if decision.why else [])
    if decision.action in ON_CLAIMS:
        lines += _sentence_lines(decision.sentences[0], with_type=not decision.read and decision.action != "add")
        lines += [f"set.{name} = {_value(value)}" for name, value in decision.changes.items()]
        lines += [f"read.{name} = {_value(value)}" for name, value in decision.read.items()]
    elif decision.action == "gap":
        lines.append(f"name = {_text(decision.name)}")
        if decision.kind:
            lines += [f"new = {_text(decision.kind)}", f"id = {_text(decision.entity)}"]
            lines += [f"{name} = {_text(value)}" for name, value in decision.more.items() if value]
        else:
            lines.append(f"is = {_text(decision.entity)}" if decision.entity else "no_name = true")
    else:
        lines.append(f"events = {_value(decision.events)}")
        for name, sentences in (("claims", decision.sentences), ("stays", decision.stays)):
            for sentence in sentences:
                lines += ["", f"[[decision.{name}]]", *_sentence_lines(sentence, with_type=True)]
    return "\n".join(lines) + "\n"


def _sentence_lines(sentence: Sentence, *, with_type: bool) -> list[str]:
    lines = [f"article = {_text(sentence.article)}", f"quote = {_text(sentence.quote)}"]
    lines += [f"nth = {sentence.nth}"] if sentence.nth > 1 else []
    lines += [f"claim = {_text(sentence.claim_id)}"] if sentence.claim_id else []
    lines += [f"trigger = {_text(sentence.trigger)}"] if sentence.trigger else []
    return lines + ([f"type = {_text(sentence.type)}"] if sentence.type and with_type else [])


def _value(value: Value) -> str:
    return _text(value) if isinstance(value, str) else "[" + ", ".join(map(_text, value)) + "]"


def _text(value: str) -> str:
    """Return a text as a TOML basic string."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
