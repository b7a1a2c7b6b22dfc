"""The settings of one ledger: environment variables, then oversight.toml in the data folder, then defaults."""

from __future__ import annotations

import difflib
import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.errors import WrongUse

PATHS = ("cards", "lexicon", "reviews")
ENVIRONMENT_PREFIX = "OVERSIGHT_"
_CALIBRATION = Path(__file__).parent / "nlp/classifier/weights/calibration.json"
_UNCALIBRATED = 0.7  # as in `pipeline.nlp.events.calibration`
# What a value should be, by setting, for error messages.
_EXPECTED = {
    "catalogue": "true or false",
    "least_confidence": "a number between 0 and 1, such as 0.55",
    "keep_months": "a whole number, 0 or more",
    "site": "an address that begins with https://",
}


def _default_confidence() -> float:
    """Return the confidence from which claims are shown by default, as fitted for the shipped weights."""
    if not _CALIBRATION.is_file():
        return _UNCALIBRATED
    return float(json.loads(_CALIBRATION.read_text(encoding="utf-8")).get("default_confidence", _UNCALIBRATED))


class Settings(BaseModel):
    """What an editor can set. Every field but `alert` can also be set in the environment, as OVERSIGHT_<NAME>."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    contact: str = Field("", description="E-mail or web address for site owners; required to crawl the live web.")
    cards: str = Field("", description="Folder of further source cards. Relative paths start at the data folder.")
    catalogue: bool = Field(True, description="Whether to use the packaged source cards beside those in `cards`.")
    spiders: str = Field("", description="A Python module with spiders of your own; see docs/spiders.md.")
    lexicon: str = Field("", description="A further lexicon file, or a folder of them.")
    reviews: str = Field("", description="File of editors' decisions; by default reviews.toml in the data folder.")
    editor: str = Field("", description="Name recorded with decisions; by default the name of the current user.")
    least_confidence: float = Field(
        default_factory=_default_confidence,
        ge=0,
        le=1,
        description="Claims less likely to be right than this wait for review, outside any event; by default as fitted "
        "for the weights.",
    )
    keep_months: int = Field(120, ge=0, description="Number of month-end snapshots to keep.")
    site: str = Field(
        "",
        pattern=r"^(https?://.*)?$",
        description="Public address of the site, for links in pages, feeds, citations and alerts.",
    )
    alert: tuple[Mapping[str, Any], ...] = Field((), description="[[alert]] tables; see docs/alerts.md.")


def load_settings(file: Path) -> Settings:
    """Return the settings of a ledger; relative paths in them are resolved against the folder of `file`.

    Raises:
        WrongUse: the file is not readable TOML, a key is unknown, or a value does not fit its setting.
    """
    values: dict[str, Any] = {}
    if file.exists():
        try:
            values = tomllib.loads(file.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise WrongUse(f"{file}: not readable as TOML ({error}).") from error
    for name in Settings.model_fields.keys() - {"alert"}:
        if (text := os.environ.get(ENVIRONMENT_PREFIX + name.upper())) is not None:
            values[name] = text
    try:
        settings = Settings(**values)
    except ValidationError as error:
        if error.errors()[0]["loc"][0] == "alert":
            raise WrongUse(f"{file}: begin each alert with a line of its own that says [[alert]].") from error
        raise WrongUse(f"{file}: {explain(error, 'setting', Settings, _EXPECTED)}") from error
    placed = {name: str(file.parent / path) for name in PATHS if (path := getattr(settings, name))}
    return settings.model_copy(update=placed)


def explain(error: ValidationError, what: str, model: type[BaseModel], expected: Mapping[str, str]) -> str:
    """Return the first problem of a validation as a sentence with a remedy.

    Args:
        error: the problems that pydantic found.
        what: the word for a field of `model`, such as "setting".
        model: the model, for its known fields.
        expected: what a value should be, by field; text by default.
    """
    first = error.errors()[0]
    name, value = str(first["loc"][0]), first["input"]
    if first["type"] == "extra_forbidden":
        near = difflib.get_close_matches(name, model.model_fields, n=1)
        remedy = f"Did you mean '{near[0]}'?" if near else f"Known names: {', '.join(model.model_fields)}."
        return f"unknown {what} '{name}'. {remedy}"
    seen = "is missing" if first["type"] == "missing" else f"is {value!r}"
    return f"{what} '{name}' {seen}, but should be {expected.get(name, 'text in quotation marks')}."
