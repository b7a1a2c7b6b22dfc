"""A source card, a TOML file of facts about one publisher, in; the Source that it describes out."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from scrapers.items import Feed, FeedShape, Recipe, Source, SourceType

SOURCES = Path(__file__).parent / "sources"
_SOURCE_ID = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)*")
_LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Z]{2})?")
_JURISDICTION = re.compile(r"[A-Z]{2}(?:-[A-Z]{2,3})?|INT")
_HOST = re.compile(r"\.?[a-z0-9-]+(?:\.[a-z0-9-]+)*(?::\d+)?")


class CardError(ValueError):
    """A card that cannot be used: the message names the file, the key, what was seen and what to write instead."""


@dataclass(frozen=True, slots=True)
class _Key:
    """What a card may say under one key."""

    kind: type | tuple[type, ...]
    said: str  # the kind in words
    required: bool = False
    known: type[StrEnum] | None = None
    at_least: float | None = None


_TEXT = _Key(str, "a text")
_NEEDED = _Key(str, "a text", required=True)
_YES_NO = _Key(bool, "true or false")
_TEXTS = _Key(list, "a list of texts")
_DAY = _Key(date, "a day such as 2026-05-01, without quotes")

_SOURCE_KEYS: dict[str, _Key] = {
    "title": _NEEDED,
    "homepage": _NEEDED,
    "source_type": _Key(str, "a text", required=True, known=SourceType),
    "jurisdiction": _NEEDED,
    "language": _NEEDED,
    "family": _TEXT,
    "hosts": _TEXTS,
    "pause_seconds": _Key((int, float), "a number of seconds", at_least=0),
    "daily_pages": _Key(int, "a whole number", at_least=1),
    "agency": _YES_NO,
    "enabled": _YES_NO,
    "note": _TEXT,
    "expects_per_week": _Key(int, "a whole number", at_least=0),
    "feed": _Key(list, "tables headed [[feed]]"),
    "recipe": _Key(list, "tables headed [[recipe]]"),
}
_FEED_KEYS: dict[str, _Key] = {
    "url": _NEEDED,
    "shape": _Key(str, "a text", required=True, known=FeedShape),
    "every_minutes": _Key(int, "a whole number of minutes", at_least=1),
    "pass_all": _YES_NO,
    "items": _TEXT,
    "link": _TEXT,
    "title": _TEXT,
    "date": _TEXT,
    "summary": _TEXT,
}
_RECIPE_KEYS: dict[str, _Key] = {
    "body": _TEXT,
    "drop": _TEXTS,
    "title": _TEXT,
    "byline": _TEXT,
    "date": _TEXT,
    "valid_from": _DAY,
    "valid_until": _DAY,
}
_SELECTORS = ("body", "title", "byline", "date")

_RENAMED = {"standing": "source_type"}  # keys of older cards


def load_sources(folder: Path | None = None) -> tuple[Source, ...]:
    """Return every card of a folder, by file name; None means the catalogue that comes with the package.

    Raises CardError at the first card that cannot be used, and where the folder is missing.
    """
    folder = SOURCES if folder is None else Path(folder)
    if not folder.is_dir():
        raise CardError(f"{folder}: no such folder of source cards; give the folder that holds the *.toml files")
    return tuple(read_card(path) for path in sorted(folder.glob("*.toml")))


def read_card(path: Path) -> Source:
    """Return the source that a card describes; its file name without .toml is the source's id. Raises CardError."""
    path = Path(path)
    if not _SOURCE_ID.fullmatch(path.stem):
        raise CardError(f"{path}: the file name {path.stem!r} is no source id; use small letters, digits and _ only")
    try:
        card = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CardError(
            f"{path}: the card cannot be read ({error.strerror}); check its name and permissions"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CardError(f"{path}: this is not TOML ({error}); correct the line named") from error
    return _source(path, card)


def _source(path: Path, card: dict[str, Any]) -> Source:
    _check(path, "", card, _SOURCE_KEYS)
    _check_form(
        path, "jurisdiction", card["jurisdiction"], _JURISDICTION, 'an ISO 3166 code such as "US", "EU" or "INT"'
    )
    _check_form(path, "language", card["language"], _LANGUAGE, 'a language tag such as "en" or "en-GB"')
    _check_address(path, "homepage", card["homepage"])
    hosts = _texts(path, "hosts", card.get("hosts", [])) or _default_hosts(card["homepage"])
    for host in hosts:
        _check_form(
            path, "hosts", host, _HOST, 'a bare host such as "example.org", or ".example.org" for subdomains too'
        )
    feeds = tuple(_feed(path, i, table) for i, table in enumerate(card.get("feed", []), 1))
    enabled = card.get("enabled", True)
    if enabled and not feeds:
        raise CardError(
            f"{path}: it has no [[feed]], so nothing would ever be found; add one, or write enabled = false"
        )
    if not enabled and not card.get("note"):
        raise CardError(f"{path}: enabled is false and note is missing; write why in note")
    plain = {
        key: card[key] for key in _SOURCE_KEYS if key in card and key not in {"feed", "recipe", "hosts", "source_type"}
    }
    plain.setdefault("family", path.stem)
    return Source(
        source_id=path.stem,
        source_type=SourceType(card["source_type"]),
        hosts=hosts,
        feeds=feeds,
        recipes=tuple(_recipe(path, i, table) for i, table in enumerate(card.get("recipe", []), 1)),
        **plain,
    )


def _default_hosts(homepage: str) -> tuple[str, ...]:
    """The homepage's host, with and without "www."."""
    host = urlsplit(homepage).netloc.lower().rpartition("@")[2]
    bare = host.removeprefix("www.")
    return (host,) if ":" in host else tuple(dict.fromkeys((bare, f"www.{bare}")))


def _feed(path: Path, number: int, table: Any) -> Feed:
    place = f"feed {number}: "
    _check(path, place, table, _FEED_KEYS)
    _check_address(path, f"{place}url", table["url"])
    shape = FeedShape(table["shape"])
    if shape is FeedShape.LISTING and not table.get("link") and not table.get("items"):
        raise CardError(f"{path}: {place}a listing needs link (or items), the CSS selector of the links to articles")
    if shape is FeedShape.JSON_API and not table.get("link"):
        raise CardError(f"{path}: {place}a json-api needs link, the dotted path of the address inside an item")
    if shape is FeedShape.LISTING:
        for key in ("items", "link", "title", "date", "summary"):
            _check_selector(path, f"{place}{key}", table.get(key, ""))
    elif shape is not FeedShape.JSON_API:
        for key in ("items", "link", "title", "date", "summary"):
            if table.get(key):
                raise CardError(f"{path}: {place}{key} means nothing for shape {shape.value!r}; leave it out")
    return Feed(**{**table, "shape": shape})


def _recipe(path: Path, number: int, table: Any) -> Recipe:
    place = f"recipe {number}: "
    _check(path, place, table, _RECIPE_KEYS)
    if not any(table.get(key) for key in _SELECTORS):
        raise CardError(f"{path}: {place}it has no selector; give at least one of {', '.join(_SELECTORS)}")
    drop = _texts(path, f"{place}drop", table.get("drop", []))
    for key, selector in [*((key, table.get(key, "")) for key in _SELECTORS), *(("drop", one) for one in drop)]:
        _check_selector(path, f"{place}{key}", selector)
    first, last = table.get("valid_from"), table.get("valid_until")
    if first and last and last < first:
        raise CardError(f"{path}: {place}valid_until {last} is before valid_from {first}; swap or correct them")
    return Recipe(**{**table, "drop": drop})


def _check(path: Path, place: str, table: Any, keys: Mapping[str, _Key]) -> None:
    """Refuse what the schema does not know: keys, kinds of values, words outside a closed list, missing keys."""
    if not isinstance(table, dict):
        raise CardError(f"{path}: {place or 'the card '}is {table!r}; it must be a table of keys")
    for key, value in table.items():
        if key not in keys:
            near = [_RENAMED[key]] if key in _RENAMED else difflib.get_close_matches(key, keys, 1, 0.6)
            cure = f"did you mean {near[0]!r}?" if near else "remove it."
            raise CardError(f"{path}: {place}the key {key!r} is unknown; {cure} Known keys: {', '.join(keys)}")
        rule = keys[key]
        wrong_kind = not isinstance(value, rule.kind) or (isinstance(value, bool) and rule.kind is not bool)
        if wrong_kind or (rule.kind is date and hasattr(value, "hour")):
            raise CardError(f"{path}: {place}{key} is {value!r}; it must be {rule.said}")
        if rule.known is not None and value not in list(rule.known):
            known = ", ".join(rule.known)
            raise CardError(f"{path}: {place}{key} is {value!r}; known values are {known}. Correct the card")
        if rule.at_least is not None and value < rule.at_least:
            raise CardError(f"{path}: {place}{key} is {value!r}; it must be {rule.said}, {rule.at_least} or more")
    for key, rule in keys.items():
        if rule.required and not table.get(key):
            known = f" ({', '.join(rule.known)})" if rule.known else ""
            raise CardError(f"{path}: {place}{key} is missing; add it: {rule.said}{known}")


def _texts(path: Path, key: str, values: list[Any]) -> tuple[str, ...]:
    for value in values:
        if not isinstance(value, str) or not value:
            raise CardError(f"{path}: {key} holds {value!r}; it must be a list of texts")
    return tuple(values)


def _check_form(path: Path, key: str, value: str, form: re.Pattern[str], said: str) -> None:
    if not form.fullmatch(value):
        raise CardError(f"{path}: {key} is {value!r}; it must be {said}")


def _check_address(path: Path, key: str, value: str) -> None:
    try:
        parts = urlsplit(value)
        fine = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        fine = False
    if not fine or re.search(r"\s", value):
        raise CardError(f"{path}: {key} is {value!r}; it must be a whole address that begins with https:// or http://")


def _check_selector(path: Path, key: str, selector: str) -> None:
    """Compile a CSS selector, so that a slip is met here, not in a crawl; the compiler is imported only if needed."""
    if not selector:
        return
    from soupsieve import SelectorSyntaxError
    from soupsieve import compile as compile_selector

    try:
        compile_selector(selector)
    except (SelectorSyntaxError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise CardError(f"{path}: {key} is {selector!r}, which is not a CSS selector ({reason}); correct it") from error
