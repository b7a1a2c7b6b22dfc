"""The settings of one ledger: oversight.toml in its data folder, environment variables over it, defaults under it."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from pipeline.errors import WrongUse


@dataclass(frozen=True, slots=True)
class Settings:
    """What an editor may set. Each field but `alert` can be set as OVERSIGHT_<NAME> in the environment, too."""

    contact: str = ""  # e-mail or address for site owners and readers: the live web is not crawled without one
    cards: str = ""  # folder of further source cards; a relative path counts from the data folder
    catalogue: bool = True  # whether the source cards that come with the program are used beside those in `cards`
    lexicon: str = ""  # a further lexicon file or folder of them; a relative path counts from the data folder
    reviews: str = ""  # file of the editors' decisions; a relative path counts from the data folder
    editor: str = ""  # who decides where `oversight review` is not told; else the name of this user
    least_confidence: float = 0.55  # claims that are right with a lower probability wait for review, in no event
    keep_months: int = 120  # of so many months the last snapshot stays published; 0: of none
    site: str = ""  # where readers find the site, such as https://ledger.your-newsroom.example: for links in alerts
    alert: tuple[Mapping[str, Any], ...] = ()  # tables [[alert]]: whom to tell of what (docs/alerts.md)


def load_settings(file: Path) -> Settings:
    """Read the settings; raise WrongUse for an unreadable file, an unknown key or a value of the wrong type."""
    values: dict[str, object] = {}
    if file.exists():
        try:
            values = tomllib.loads(file.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise WrongUse(f"{file}: this is not readable TOML ({error}).") from error
    known = {field.name: field for field in fields(Settings)}
    for key in values:
        if key not in known:
            raise WrongUse(f"{file}: unknown setting '{key}'. Known settings: {', '.join(known)}.")
    for name in known.keys() - {"alert"}:
        if (text := os.environ.get(f"OVERSIGHT_{name.upper()}")) is not None:
            values[name] = text
    values |= {key: _placed(file, value) for key, value in values.items() if key in ("cards", "lexicon")}
    return Settings(**{key: _typed(file, key, value) for key, value in values.items()})  # type: ignore[arg-type]


def _placed(file: Path, value: object) -> object:
    """Return the place in the data folder that a relative path names, else the path as it was given."""
    near = file.parent / value if isinstance(value, str) and value else file
    return str(near) if near != file and near.exists() else value


def _typed(file: Path, key: str, value: object) -> object:
    default = getattr(Settings(), key)
    if key == "alert":
        if not isinstance(value, list) or not all(isinstance(each, Mapping) for each in value):
            raise WrongUse(f"{file}: begin each alert with a line of its own that says [[alert]].")
        return tuple(value)
    if isinstance(default, bool):
        if str(value).lower() not in ("true", "false"):
            raise WrongUse(f"{file}: setting '{key}' is {value!r}, but should be true or false.")
        return str(value).lower() == "true"
    if isinstance(default, str) and not isinstance(value, str):
        raise WrongUse(f"{file}: setting '{key}' is {value!r}, but should be text in quotation marks.")
    if key == "site" and value and not str(value).startswith(("http://", "https://")):
        raise WrongUse(f"{file}: setting 'site' is {value!r}, but should be an address that begins with https://.")
    try:
        return _in_range(file, key, type(default)(value))
    except (TypeError, ValueError):
        kind = {"str": "text", "float": "a number", "int": "a whole number"}[type(default).__name__]
        raise WrongUse(f"{file}: setting '{key}' is {value!r}, but should be {kind}.") from None


def _in_range(file: Path, key: str, value: object) -> object:
    """Return a number that makes sense for its setting; raise WrongUse for one that would hide claims or snapshots."""
    if key == "least_confidence" and not 0 <= value <= 1:  # type: ignore[operator]
        raise WrongUse(f"{file}: setting 'least_confidence' is {value}, but should lie between 0 and 1, such as 0.55.")
    if key == "keep_months" and value < 0:  # type: ignore[operator]
        raise WrongUse(f"{file}: setting 'keep_months' is {value}, but should be 0 or more.")
    return value
