"""Records <-> plain JSON values, by the records' own type hints: nothing is lost on the way there and back."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Callable
from datetime import date, datetime
from enum import Enum
from functools import cache, lru_cache
from typing import Any


def to_plain(value: Any) -> Any:
    """Return a record as dicts, lists, strings and numbers."""
    if dataclasses.is_dataclass(value):
        return {name: to_plain(getattr(value, name)) for name in _hints(type(value))}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if isinstance(value, (tuple, list)):
        return [to_plain(item) for item in value]
    return value


def from_plain(kind: Any, value: Any) -> Any:
    """Return the record of a type from what to_plain() made. Unknown keys are left out, missing ones take defaults."""
    return _reader(kind)(value)


@cache
def _reader(kind: Any) -> Callable[[Any], Any]:
    """Return what makes values of a type; the type's hints are looked at once, not for each value."""
    origin = typing.get_origin(kind)
    if kind is Any:
        return _same
    if origin in (types.UnionType, typing.Union):
        return _reader(next(arg for arg in typing.get_args(kind) if arg is not type(None)))
    if origin is tuple:
        return _tuple_reader(typing.get_args(kind))
    if dataclasses.is_dataclass(kind):
        return _record_reader(kind)
    if kind in (datetime, date):
        return _unless_none(kind.fromisoformat)
    if isinstance(kind, type) and (issubclass(kind, Enum) or kind in (int, float, str, bool)):
        return _unless_none(kind)
    return _same


def _same(value: Any) -> Any:
    return value


def _unless_none(make: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else make(value)


def _tuple_reader(inner: tuple[Any, ...]) -> Callable[[Any], Any]:
    if inner[-1] is Ellipsis:
        one = _reader(inner[0])
        return _unless_none(lambda values: tuple([one(value) for value in values]))
    readers = [_reader(kind) for kind in inner]
    return _unless_none(lambda values: tuple(r(value) for r, value in zip(readers, values, strict=True)))


def _record_reader(kind: type) -> Callable[[Any], Any]:
    readers = {name: _reader(hint) for name, hint in _hints(kind).items()}

    def read(value: Any) -> Any:
        if value is None:
            return None
        return kind(**{name: reader(value[name]) for name, reader in readers.items() if name in value})

    return read


@lru_cache(maxsize=64)
def _hints(kind: type) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}


def dump(value: Any) -> str:
    """Return a record as JSON text: the same record gives the same bytes."""
    return json.dumps(to_plain(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def load(kind: Any, text: str) -> Any:
    """Return the record of a type from its JSON text."""
    return from_plain(kind, json.loads(text))
