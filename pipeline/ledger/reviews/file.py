"""The file of editors' decisions: TOML comes in, decisions go out, or what is wrong with it; new ones are appended.

What an editor wrote by hand stays as it is, comments and all: the program only ever adds at the end.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from pipeline.errors import OutsideFailure, WrongUse
from pipeline.ledger.reviews.decisions import ACTIONS, FIELDS, ON_CLAIMS, Decision, ReviewFile, Sentence, Value
from pipeline.ledger.reviews.fields import problem_with
from pipeline.ledger.reviews.names import slug
from pipeline.records import EVENT_TYPES, ROLES, EntityKind

HEAD = """\
# Decisions of editors on this ledger. Each [[decision]] is applied at every build, as long as its sentence stands in
# its article. Write here by hand, or let `oversight review` add to the end; comments stay. `oversight review check`
# says what is wrong with it. An editor's name is published only with a public name:
#
#     [[editor]]
#     who = "ada"
#     public_name = "Ada Arden, news desk"
"""
_TABLES = ("decision", "editor")
_COMMON = ("action", "who", "when", "why")
_SENTENCE = ("article", "quote", "nth", "claim", "trigger", "type")
_NEW_NAME = ("jurisdiction", "parent", "wikidata", "description")
_KEYS: Mapping[str, tuple[str, ...]] = {
    "accept": (*_COMMON, *_SENTENCE, "read"),
    "edit": (*_COMMON, *_SENTENCE, "set", "read"),
    "reject": (*_COMMON, *_SENTENCE, "read"),
    "add": (*_COMMON, "article", "quote", "nth", "claim", "trigger", "set"),
    "merge": (*_COMMON, "events", "claims"),
    "split": (*_COMMON, "events", "claims", "stays"),
    "gap": (*_COMMON, "name", "is", "new", "id", "no_name", *_NEW_NAME),
}
_HEADER = re.compile(r"^[ \t]*\[\[[ \t]*decision[ \t]*\]\]", re.MULTILINE)
_MOST = 100 * 1024 * 1024  # bytes of a file that is still read


class _Refused(Exception):
    """One table cannot be used; the message says why and what to do."""


@dataclass
class ReadFile:
    """What a file says, and what is wrong with it: file, place and cure in one sentence each."""

    file: ReviewFile
    problems: list[str] = field(default_factory=list)


def load_reviews(path: Path) -> ReviewFile:
    """Return the decisions of a file, none where it is not there; raise WrongUse if anything in it cannot be used."""
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
        if path.stat().st_size > _MOST:
            return ReadFile(ReviewFile(), [f"{path}: has more than 100 MB. Is it the right file?"])
        body = path.read_bytes()
    except OSError as error:
        raise OutsideFailure(f"{path}: cannot be read ({error.strerror}). Check the path and its rights.") from error
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
        if key not in _TABLES
    ]
    raw = content.get("decision", [])
    if not isinstance(raw, list) or not all(isinstance(item, dict) for item in raw):
        return ReadFile(
            ReviewFile(), [*problems, f"{path}: write each decision under [[decision]], in double brackets."]
        )
    lines = [text.count("\n", 0, match.end()) + 1 for match in _HEADER.finditer(text)]
    decisions: list[Decision] = []
    seen: dict[str, int] = {}
    for place, item in enumerate(raw, 1):
        line = f", line {lines[place - 1]}" if len(lines) == len(raw) else ""
        where = f"{path}, decision {place}{line}"
        try:
            decision = _decision(item, place)
            if decision.review_id in seen:
                raise _Refused(f"it repeats decision {seen[decision.review_id]}. Take one of them out.")
        except _Refused as error:
            problems.append(f"{where}: {error}")
            continue
        seen[decision.review_id] = place
        decisions.append(decision)
    names, wrong = _editors(content.get("editor", []), path)
    return ReadFile(ReviewFile(tuple(decisions), names), problems + wrong)


def _editors(raw: object, path: str) -> tuple[dict[str, str], list[str]]:
    names: dict[str, str] = {}
    problems = []
    for number, item in enumerate(raw if isinstance(raw, list) else [raw], 1):
        keys = ("who", "public_name")
        if not isinstance(item, dict) or set(item) - set(keys) or not all(_is_line(item.get(key)) for key in keys):
            problems.append(f"{path}, editor {number}: write [[editor]] with who and public_name, each in quotes.")
        else:
            names[item["who"]] = item["public_name"]
    return names, problems


def _decision(raw: Mapping[str, Any], place: int) -> Decision:
    action = raw.get("action")
    if action not in ACTIONS:
        raise _Refused(f"action is {action!r}; it can be {', '.join(ACTIONS)}.")
    unknown = [key for key in raw if key not in _KEYS[action]]
    if unknown:
        known = ", ".join(_KEYS[action])
        raise _Refused(f"unknown key '{unknown[0]}'; a decision to {action} knows {known}. Correct or remove it.")
    why = _line(raw, "why", "" if action in ("accept", "gap") else None)
    common = {"action": action, "who": _line(raw, "who"), "when": _when(raw.get("when")), "why": why}
    if action in ON_CLAIMS:
        return _on_claim(raw, action, common, place)
    if action == "gap":
        return _on_name(raw, common, place)
    sentences, stays = _sentences(raw, "claims"), _sentences(raw, "stays")
    if action == "merge" and len(sentences) < 2:
        raise _Refused("a merge needs [[decision.claims]] twice at least: a claim of each event.")
    if action == "split" and not (sentences and stays):
        raise _Refused("a split needs [[decision.claims]] that leave and [[decision.stays]] that stay.")
    events = raw.get("events", [])
    if not isinstance(events, list) or not all(isinstance(e, str) for e in events):
        raise _Refused(f"events is {events!r}; write the ids in a list.")
    return Decision(**common, sentences=sentences, stays=stays, events=tuple(events), place=place)


def _on_claim(raw: Mapping[str, Any], action: str, common: dict[str, Any], place: int) -> Decision:
    changes, read = _fields(raw, "set"), _fields(raw, "read")
    sentence = _sentence(raw, str(read.get("type", "")))
    if action == "edit" and not changes:
        raise _Refused('an edit changes something: write for example set.modality = "planned".')
    if action == "add":
        missing = [key for key in ("type", "modality") if not changes.get(key)]
        missing += [] if any(changes.get(role) for role in ROLES) else ["actor (or another role)"]
        if missing or not sentence.trigger:
            lacks = [f"set.{key}" for key in missing] + ([] if sentence.trigger else ["trigger"])
            raise _Refused(f"an added claim needs {', '.join(lacks)}.")
    kind = str({**read, **changes}.get("type", ""))
    if changes.get("direction", "none") != "none" and kind and kind != "restriction":
        raise _Refused(f"only a restriction has a direction, this is {kind}. Take set.direction out.")
    return Decision(**common, sentences=(sentence,), read=read, changes=changes, place=place)


def _on_name(raw: Mapping[str, Any], common: dict[str, Any], place: int) -> Decision:
    name = " ".join(_line(raw, "name").split())
    answers = [key for key in ("is", "new", "no_name") if key in raw]
    if len(answers) != 1:
        raise _Refused('say one of is = "ENTITY", new = "KIND", no_name = true.')
    more = {key: _line(raw, key) for key in _NEW_NAME if key in raw}
    if answers[0] != "new" and (more or "id" in raw):
        raise _Refused(f"'{next(iter(more), 'id')}' belongs to a new name only. Take it out.")
    if answers[0] == "no_name":
        if raw["no_name"] is not True:
            raise _Refused("no_name can only be true. Take it out if it is a name.")
        return Decision(**common, name=name, place=place)
    if answers[0] == "is":
        return Decision(**common, name=name, entity=_line(raw, "is"), place=place)
    kind, id_ = _line(raw, "new"), _line(raw, "id", "") or slug(name)
    if kind not in tuple(EntityKind):
        raise _Refused(f"new is '{kind}'; kinds are {', '.join(EntityKind)}.")
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", id_) or id_.startswith("x-"):
        raise _Refused(
            f"the id '{id_}' is none: write id = \"...\" in lower-case letters, digits and hyphens, not x-..."
        )
    if more.get("wikidata") and not re.fullmatch(r"Q[1-9]\d*", more["wikidata"]):
        raise _Refused(f"wikidata is '{more['wikidata']}'. Write an item's id such as Q95.")
    return Decision(**common, name=name, entity=id_, kind=kind, more=more, place=place)


def _sentences(raw: Mapping[str, Any], key: str) -> tuple[Sentence, ...]:
    items = raw.get(key, [])
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise _Refused(f"write each of its claims under [[decision.{key}]].")
    for item in items:
        if unknown := [name for name in item if name not in _SENTENCE]:
            raise _Refused(f"unknown key '{unknown[0]}' under {key}; known keys are {', '.join(_SENTENCE)}.")
    return tuple(_sentence(item, "") for item in items)


def _sentence(raw: Mapping[str, Any], type_: str) -> Sentence:
    nth, quote = raw.get("nth", 1), raw.get("quote")
    if not isinstance(quote, str) or not quote.strip():
        raise _Refused("quote is missing: copy the whole sentence as it stands in the article.")
    if type(nth) is not int or nth < 1:
        raise _Refused(f"nth is {nth!r}: write 2 for the second occurrence of the sentence.")
    article, claim, trigger = _line(raw, "article"), _line(raw, "claim", ""), _line(raw, "trigger", "")
    if "://" not in article and not re.fullmatch(r"a[0-9a-f]{16}", article):
        raise _Refused(f"article is '{article}': write its address, or its id such as a0123456789abcdef.")
    if claim and not re.fullmatch(r"c[0-9a-f]{16}", claim):
        raise _Refused(f"claim is '{claim}': an id is c and 16 digits or letters a to f. Correct it or take it out.")
    if trigger and trigger not in quote:
        raise _Refused(f"the trigger '{trigger}' does not stand in the quote. Copy it as it is written there.")
    type_ = _line(raw, "type", "") or type_
    if type_ and type_ not in EVENT_TYPES:
        raise _Refused(f"type is '{type_}'; types are {', '.join(EVENT_TYPES)}.")
    return Sentence(article, quote, claim, trigger, type_, nth)


_RENAMED = {"mention": "newness"}  # fields in files that were written before


def _fields(raw: Mapping[str, Any], key: str) -> dict[str, Value]:
    items = raw.get(key, {})
    if not isinstance(items, dict):
        raise _Refused(f'write {key}.modality = "planned" and the like.')
    items = {_RENAMED.get(name, name): value for name, value in items.items()}
    for name, value in items.items():
        if words := problem_with(name, value):
            raise _Refused(f"{key}: {words}.")
    return {
        name: ((items[name],) if isinstance(items[name], str) else tuple(items[name])) if name in ROLES else items[name]
        for name in FIELDS
        if name in items
    }


def _is_line(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _line(raw: Mapping[str, Any], key: str, default: str | None = None) -> str:
    value = raw.get(key, default)
    if not isinstance(value, str) or (default is None and not value.strip()):
        said = "is missing" if value is None else f"is {value!r}"
        raise _Refused(f'{key} {said}. Write {key} = "...".')
    return value


def _when(value: object) -> datetime:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    if type(value) is date:
        return datetime.combine(value, time(), UTC)
    said = "is missing" if value is None else f"is {value}"
    raise _Refused(f"when {said}. Write a day, or a time with its zone, without quotes: when = 2026-05-31T10:04:00Z.")


# writing


def append_decisions(path: Path, decisions: Iterable[Decision]) -> None:
    """Add decisions at the end of the file, in one step; what stands in it stays byte for byte.

    Raises WrongUse where the file cannot be used as it is, or would not be usable afterwards.
    """
    decisions = tuple(decisions)
    if not decisions:
        return
    load_reviews(path)
    path = path.resolve()  # where it is a link into a folder under version control, the file there is written
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
        raise WrongUse("Nothing was written: the words hold a character that is no text.") from error
    except OSError as error:
        raise OutsideFailure(f"{path}: could not be written ({error.strerror}). Nothing was changed.") from error


def decision_text(decision: Decision) -> str:
    """Return a decision as TOML: the same decision gives the same bytes, and reads as the same decision."""
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
