"""Writes sources as source cards in TOML."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from scrapers.items import Feed, Source

_OF_A_FEED = ("items", "link", "title", "date", "summary")


def write_cards(sources: Iterable[Source], folder: Path) -> None:
    """Write the card of each source into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for source in sources:
        (folder / f"{source.source_id}.toml").write_text(card_text(source), encoding="utf-8")


def card_text(source: Source) -> str:
    """Return the card of a source; `scrapers.cards.read_card` returns the same source."""
    lines = [f"{key} = {_value(value)}" for key, value in _facts(source).items()]
    for feed in source.feeds:
        lines += ["", "[[feed]]", *(f"{key} = {_value(value)}" for key, value in _feed(feed).items())]
    return "\n".join(lines) + "\n"


def _facts(source: Source) -> dict[str, object]:
    return {
        "title": source.title,
        "homepage": source.homepage,
        "source_type": source.source_type.value,
        "jurisdiction": source.jurisdiction,
        "language": source.language,
        "family": source.family,
        "hosts": list(source.hosts),
        "pause_seconds": source.pause_seconds,
        "agency": source.agency,
        "note": source.note,
    }


def _feed(feed: Feed) -> dict[str, object]:
    plain = {"url": feed.url, "shape": feed.shape.value, "every_minutes": feed.every_minutes, "pass_all": feed.pass_all}
    return plain | {key: value for key in _OF_A_FEED if (value := getattr(feed, key))}


def _value(value: object) -> str:
    """Return a value in TOML, which writes strings, numbers, booleans and lists of strings as JSON does."""
    return json.dumps(value, ensure_ascii=False)
