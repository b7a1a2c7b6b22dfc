"""Loads source cards: TOML files that describe one publisher each."""

from __future__ import annotations

import difflib
import re
import tomllib
from datetime import date as Day
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from scrapers.items import Feed, FeedShape, Recipe, Source, SourceType

SOURCES = Path(__file__).parent / "sources"
_SOURCE_ID = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)*")
_RENAMED_KEYS = {"standing": "source_type"}
_RECIPE_SELECTORS = ("body", "title", "byline", "date")
_FEED_PATHS = ("items", "link", "title", "date", "summary")  # CSS selectors or JSON paths, depending on the shape


class CardError(ValueError):
    """A card that cannot be used. The message names the file, the key, the value found and the remedy."""


def _checked_url(url: str) -> str:
    parts = urlsplit(url)  # raises ValueError for a malformed host
    if parts.scheme not in {"http", "https"} or not parts.hostname or re.search(r"\s", url):
        raise ValueError
    return url


def _checked_selector(selector: str) -> str:
    """Return a CSS selector that compiles, so that a typo is found here and not during a crawl."""
    from soupsieve import SelectorSyntaxError  # imports BeautifulSoup, which most cards do not need
    from soupsieve import compile as compile_selector

    try:
        compile_selector(selector or "*")
    except (SelectorSyntaxError, ValueError) as error:
        raise ValueError(str(error).splitlines()[0]) from error
    return selector


_SELECTOR = "a valid CSS selector"
_DATE = "a date such as 2026-05-01, without quotes"
Text = Annotated[str, Field(description="a text")]
Required = Annotated[str, Field(min_length=1, description="a non-empty text")]
Flag = Annotated[bool, Field(description="true or false")]
Url = Annotated[
    str, AfterValidator(_checked_url), Field(description="a complete URL that begins with https:// or http://")
]
Selector = Annotated[str, AfterValidator(_checked_selector), Field(description=_SELECTOR)]
_HOST = r"^\.?[a-z0-9-]+(\.[a-z0-9-]+)*(:\d+)?$"


class _Table(BaseModel):
    """A table of a card. A field's description completes the sentence "it must be ..."."""

    model_config = ConfigDict(extra="forbid", strict=True)


class _FeedTable(_Table):
    url: Url
    shape: FeedShape = Field(strict=False, description=f"one of {', '.join(FeedShape)}")
    every_minutes: int = Field(30, ge=1, description="a whole number of minutes, 1 or more")
    pass_all: Flag = False
    items: Text = ""
    link: Text = ""
    title: Text = ""
    date: Text = ""
    summary: Text = ""

    @model_validator(mode="after")
    def _paths_fit_the_shape(self) -> _FeedTable:
        given = {key: value for key in _FEED_PATHS if (value := getattr(self, key))}
        if self.shape is FeedShape.LISTING:
            if not self.link and not self.items:
                raise ValueError("a listing needs link (or items), the CSS selector of the links to articles")
            for key, value in given.items():
                try:
                    _checked_selector(value)
                except ValueError as error:
                    raise ValueError(f"{key} is {value!r}; it must be {_SELECTOR} ({error})") from error
        elif self.shape is FeedShape.JSON_API:
            if not self.link:
                raise ValueError("a json-api needs link, the dotted path of the URL inside an item")
        elif given:
            raise ValueError(f"{next(iter(given))} does not apply to shape {self.shape.value!r}; leave it out")
        return self


class _RecipeTable(_Table):
    body: Selector = ""
    drop: list[Annotated[Selector, Field(min_length=1)]] = Field([], description="a list of CSS selectors")
    title: Selector = ""
    byline: Selector = ""
    date: Selector = ""
    valid_from: Day | None = Field(None, description=_DATE)
    valid_until: Day | None = Field(None, description=_DATE)

    @model_validator(mode="after")
    def _selects_something(self) -> _RecipeTable:
        if not any(getattr(self, key) for key in _RECIPE_SELECTORS):
            raise ValueError(f"it has no selector; give at least one of {', '.join(_RECIPE_SELECTORS)}")
        if self.valid_from and self.valid_until and self.valid_until < self.valid_from:
            raise ValueError(
                f"valid_until {self.valid_until} is before valid_from {self.valid_from}; swap or correct them"
            )
        return self


class _Card(_Table):
    title: Required
    homepage: Url
    source_type: SourceType = Field(strict=False, description=f"one of {', '.join(SourceType)}")
    jurisdiction: str = Field(
        pattern=r"^([A-Z]{2}(-[A-Z]{2,3})?|INT)$", description='an ISO 3166 code such as "US" or "US-CA", "EU" or "INT"'
    )
    language: str = Field(pattern=r"^[a-z]{2,3}(-[A-Z]{2})?$", description='a language tag such as "en" or "en-GB"')
    family: Text = ""
    hosts: list[Annotated[str, Field(pattern=_HOST)]] = Field(
        [], description='a list of texts, each a bare host such as "example.org", or ".example.org" for subdomains too'
    )
    pause_seconds: float = Field(5, ge=0, allow_inf_nan=False, description="a number of seconds, 0 or more")
    daily_pages: int = Field(200, ge=1, description="a whole number, 1 or more")
    agency: Flag = False
    enabled: Flag = True
    note: Text = ""
    expects_per_week: int = Field(0, ge=0, description="a whole number, 0 or more")
    feed: list[_FeedTable] = Field([], description="tables headed [[feed]]")
    recipe: list[_RecipeTable] = Field([], description="tables headed [[recipe]]")

    @model_validator(mode="after")
    def _is_crawled_or_says_why_not(self) -> _Card:
        if self.enabled and not self.feed:
            raise ValueError("it has no [[feed]], so nothing would ever be found; add one, or write enabled = false")
        if not self.enabled and not self.note:
            raise ValueError("enabled is false and note is missing; give the reason in note")
        return self


_TABLES: dict[str, type[_Table]] = {"feed": _FeedTable, "recipe": _RecipeTable}


def load_sources(folder: Path | None = None) -> tuple[Source, ...]:
    """Return the sources of all cards in a folder, by file name; the default is the catalogue of this package.

    Raises CardError for the first unusable card, and for a missing folder.
    """
    folder = SOURCES if folder is None else Path(folder)
    if not folder.is_dir():
        raise CardError(f"{folder}: no such folder of source cards; give the folder that holds the *.toml files")
    return tuple(read_card(path) for path in sorted(folder.glob("*.toml")))


def load_catalogue(folder: Path | None, *, packaged: bool = True) -> tuple[Source, ...]:
    """Return the packaged sources and those of a folder, by id; the folder's replace packaged ones of the same id."""
    found = (*(load_sources() if packaged else ()), *(load_sources(folder) if folder is not None else ()))
    by_id = {source.source_id: source for source in found}
    return tuple(by_id[key] for key in sorted(by_id))


def read_card(path: Path) -> Source:
    """Return the source that a card describes; its file name without .toml is the source's id. Raises CardError."""
    path = Path(path)
    if not _SOURCE_ID.fullmatch(path.stem):
        raise CardError(
            f"{path}: the file name {path.stem!r} is not a source id; use lower-case letters, digits and _ only"
        )
    try:
        card = _Card.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise CardError(
            f"{path}: the card cannot be read ({error.strerror}); check its name and permissions"
        ) from error
    except ValidationError as error:
        # Unknown keys first: a misspelt key is why another one is missing.
        errors = sorted(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
        raise CardError("\n".join(f"{path}: {_message(one)}" for one in errors)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CardError(f"{path}: not TOML ({error}); correct the line named") from error
    given = card.model_dump(exclude_unset=True, exclude={"feed", "recipe", "hosts", "family"})
    return Source(
        **given,
        source_id=path.stem,
        family=card.family or path.stem,
        hosts=tuple(card.hosts) or _default_hosts(card.homepage),
        feeds=tuple(Feed(**table.model_dump(exclude_unset=True)) for table in card.feed),
        recipes=tuple(
            Recipe(**{**table.model_dump(exclude_unset=True), "drop": tuple(table.drop)}) for table in card.recipe
        ),
    )


def _default_hosts(homepage: str) -> tuple[str, ...]:
    """Return the homepage's host, with and without "www."."""
    host = urlsplit(homepage).netloc.lower().rpartition("@")[2]
    bare = host.removeprefix("www.")
    return (host,) if ":" in host else tuple(dict.fromkeys((bare, f"www.{bare}")))


def _message(error: Any) -> str:
    """Return what is wrong with a card and what to write instead, from one of pydantic's errors."""
    model: type[_Table] = _Card
    place, key = "", ""
    for part in error["loc"]:
        if isinstance(part, str):
            key = part
        elif key in _TABLES:  # the number of a [[feed]] or [[recipe]]
            model, place, key = _TABLES[key], f"{key} {part + 1}: ", ""
    reason = str(error["ctx"]["error"]) if error["type"] == "value_error" else ""
    if not key:
        return place + (reason or f"it is {error['input']!r}; it must be a table of keys")
    if error["type"] == "extra_forbidden":
        known = list(model.model_fields)
        near = [_RENAMED_KEYS[key]] if key in _RENAMED_KEYS else difflib.get_close_matches(key, known, 1, 0.6)
        remedy = f"did you mean {near[0]!r}?" if near else "remove it."
        return f"{place}the key {key!r} is unknown; {remedy} Known keys: {', '.join(known)}"
    wanted = model.model_fields[key].description
    if error["type"] == "missing":
        return f"{place}{key} is missing; add it: {wanted}"
    return f"{place}{key} is {error['input']!r}; it must be {wanted}" + (f" ({reason})" if reason else "")
