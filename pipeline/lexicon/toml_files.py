"""Reads TOML files into pydantic models; a fault is reported with its location and a remedy."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Strict, StringConstraints, ValidationError, model_validator

Text = Annotated[str, StringConstraints(min_length=1)]
Texts = tuple[Text, ...]
Flag = Annotated[bool, Strict()]
Day = Annotated[date, Strict()]

_REMEDIES = {
    "date_type": "Write a day without quotes, such as 2025-06-03.",
    "string_too_short": 'Write text: "...".',
    "string_type": 'Write text: "...".',
    "tuple_type": 'Write a list: ["...", "..."].',
    "model_type": "Write a table.",
    "bool_type": "Write true or false.",
}
_LABELS = ("id", "text", "name", "person", "entity")  # the first of these keys names an entry in messages


class Table(BaseModel):
    """A TOML table; unknown keys are rejected."""

    model_config = ConfigDict(frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _reject_unknown_keys(cls, table: Any) -> Any:
        known = [field.alias or name for name, field in cls.model_fields.items()]
        for key in table if isinstance(table, Mapping) else ():
            if key not in known:
                raise ValueError(f"unknown key {key!r}; known keys are {', '.join(known)}. Correct the key.")
        return table


def tables(content: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """Return an array of tables as it was parsed; raise ValueError if it is anything else."""
    found = content.get(name, [])
    if not isinstance(found, list) or not all(isinstance(table, dict) for table in found):
        raise ValueError(f"{name} is not a list of tables. Begin each {name} with a line of its own: [[{name}]].")
    return found


_Model = TypeVar("_Model", bound=Table)


def read_toml(path: Path, error: type[ValueError]) -> tuple[bytes, dict[str, Any]]:
    """Return the bytes of a file and its parsed content; raise `error` if it is not readable TOML."""
    try:
        body = path.read_bytes()
        return body, tomllib.loads(body.decode())
    except OSError as failure:
        raise error(f"{path}: cannot be read ({failure.strerror}). Check the path and its permissions.") from failure
    except UnicodeDecodeError as failure:
        raise error(f"{path}: is not UTF-8 (byte {failure.start}). Save the file as UTF-8.") from failure
    except tomllib.TOMLDecodeError as failure:
        raise error(f"{path}: is not TOML: {failure}. Correct that line.") from failure


def validated(
    model: type[_Model], content: dict[str, Any], path: Path, error: type[ValueError], context: object = None
) -> _Model:
    """Return the model of a file's content; raise `error` with the first fault, its location and a remedy."""
    try:
        return model.model_validate(content, context=context)
    except ValidationError as faults:
        fault = faults.errors()[0]
    keys = [str(key) for key in fault["loc"] if key != "[key]"]
    place, value = str(path), content.get(keys[0]) if keys else None
    if len(keys) > 1 and isinstance(value, list):
        number = int(keys[1])
        if isinstance(value[number], dict):
            place, keys = spot(path, keys[0], number + 1, value[number]), keys[2:]
    elif len(keys) > 1:
        place, keys = f"{path}, [{keys[0]}]", keys[1:]
    key = " ".join(str(int(key) + 1) if key.isdigit() else key for key in keys)
    if fault["type"] == "value_error":
        raise error(f"{place}: {fault['ctx']['error']}")
    if fault["type"] == "missing":
        raise error(f'{place}: {key} is missing. Write {key} = "...".')
    if fault["type"] == "tuple_type" and isinstance(fault["input"], dict):
        raise error(f"{place}: {key} is one table. Begin each {key} with a line of its own: [[{key}]].")
    remedy = _REMEDIES.get(fault["type"]) or fault["msg"].replace("Input should", "It should") + "."
    raise error(f"{place}: {key} is {fault['input']!r}. {remedy}")


def spot(path: Path, table: str, number: int, entry: object) -> str:
    """Return where an entry of an array of tables is: "names/persons.toml, [[entity]] ada-arden"."""
    values = entry if isinstance(entry, Mapping) else getattr(entry, "__dict__", {})
    label = next((values[key] for key in _LABELS if isinstance(values.get(key), str)), f"number {number}")
    return f"{path}, [[{table}]] {label[:60]}"
