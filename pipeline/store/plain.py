"""Records <-> plain JSON values, by the records' own type hints: nothing is lost on the way there and back."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from datetime import date, datetime
from enum import Enum
from functools import lru_cache
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
    origin = typing.get_origin(kind)
    if value is None or kind is Any:
        return value
    if origin in (types.UnionType, typing.Union):
        return from_plain(next(arg for arg in typing.get_args(kind) if arg is not type(None)), value)
    if origin is tuple:
        inner = typing.get_args(kind)
        kinds = [inner[0]] * len(value) if inner[-1] is Ellipsis else inner
        return tuple(from_plain(k, v) for k, v in zip(kinds, value, strict=True))
    if dataclasses.is_dataclass(kind):
        hints = _hints(kind)
        return kind(**{name: from_plain(hint, value[name]) for name, hint in hints.items() if name in value})
    if kind in (datetime, date):
        return kind.fromisoformat(value)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(value)
    return kind(value) if kind in (int, float, str, bool) else value


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
