"""Reads the metadata of an article from JSON-LD scripts."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from scrapers.reading.blocks import tidy
from scrapers.reading.decoding import load_json

_RANK = [
    "newsarticle",
    "reportagenewsarticle",
    "analysisnewsarticle",
    "opinionnewsarticle",
    "askpublicnewsarticle",
    "backgroundnewsarticle",
    "reviewnewsarticle",
    "liveblogposting",
    "article",
    "report",
    "blogposting",
    "socialmediaposting",
    "techarticle",
    "scholarlyarticle",
    "governmentpressrelease",
    "pressrelease",
    "review",
    "webpage",
    "videoobject",
]
_MAX_CHARS = 3_000_000
_MAX_NODES = 5_000

# Unterminated strings and comments extend to the end, so that no text is scanned twice.
_STRING_OR_ERROR = re.compile(
    r'("(?:[^"\\]|\\(?:.|\Z))*+(?:"|\Z))'  # strings are kept
    r"|/\*.*?(?:\*/|\Z)|(?<![:\w])//[^\n]*|<!--.*?(?:-->|\Z)|<!\[CDATA\[|\]\]>"  # comments are removed
    r"|,(?=\s*[}\]])",  # so are trailing commas
    re.S,
)


@dataclass(frozen=True, slots=True)
class Linked:
    """The metadata of the article in JSON-LD. Missing fields are empty; dates are unparsed."""

    kind: str = ""
    headline: str = ""
    description: str = ""
    published: str = ""
    modified: str = ""
    authors: tuple[str, ...] = ()
    publisher: str = ""
    body: str = ""
    language: str = ""
    free: bool | None = None  # isAccessibleForFree


def load(text: str) -> Any:
    """Return the value of a JSON-LD script, tolerating comments, trailing commas and the like; None if it is broken."""
    if len(text) > _MAX_CHARS:
        return None
    for repaired in (_as_is, _without_errors, _unescaped):
        try:
            return load_json(repaired(text))
        except (ValueError, RecursionError):
            continue
    return None


def _as_is(text: str) -> str:
    text = text.strip()
    if text.startswith("<!--") and text.endswith("-->"):
        text = text[4:-3].strip()
    return text.rstrip(";")


def _without_errors(text: str) -> str:
    return _STRING_OR_ERROR.sub(lambda found: found.group(1) or "", _as_is(text)).strip().rstrip(";")


def _unescaped(text: str) -> str:
    return _without_errors(html.unescape(text))


def nodes(values: list[Any]) -> Iterator[dict[str, Any]]:
    """Yield all objects in the scripts, outer ones first."""
    queue, seen = list(values), 0
    while queue and seen < _MAX_NODES:
        value = queue.pop(0)
        seen += 1
        if isinstance(value, list):
            queue.extend(value)
        elif isinstance(value, dict):
            yield value
            queue.extend(inner for inner in value.values() if isinstance(inner, dict | list))


def read_linked(scripts: list[str]) -> Linked:
    """Return the metadata of the article in a page's scripts, from the object of the most specific type."""
    found = list(nodes([value for value in map(load, scripts) if value is not None]))
    named = {node["@id"]: node for node in found if isinstance(node.get("@id"), str) and len(node) > 1}
    articles = [(rank, node) for node in found if (rank := _rank(node)) is not None]
    if not articles:
        return Linked()
    dated = sorted(articles, key=lambda pair: (not pair[1].get("datePublished"), pair[0]))
    rank, node = dated[0]
    is_article = rank < _RANK.index("webpage")
    return Linked(
        kind=_RANK[rank],
        headline=_text(node.get("headline") or (node.get("name") if is_article else "")) if is_article else "",
        description=_text(node.get("description") or node.get("abstract")),
        published=_text(node.get("datePublished") or node.get("dateCreated") or node.get("uploadDate")),
        modified=_text(node.get("dateModified")),
        authors=tuple(dict.fromkeys(name for name in _names(node.get("author") or node.get("creator"), named) if name)),
        publisher=next(iter(_names(node.get("publisher") or node.get("sourceOrganization"), named)), ""),
        body=_raw_text(node.get("articleBody")),
        language=_text(node.get("inLanguage")),
        free=_flag(node.get("isAccessibleForFree")),
    )


def _rank(node: dict[str, Any]) -> int | None:
    types = node.get("@type")
    names = [str(name).rsplit("/", 1)[-1].lower() for name in (types if isinstance(types, list) else [types])]
    ranks = [_RANK.index(name) for name in names if name in _RANK]
    return min(ranks) if ranks else None


def _names(value: Any, named: dict[str, dict[str, Any]], depth: int = 0) -> Iterator[str]:
    """Yield the names of people or organisations, following lists and references by @id."""
    if depth > 4:
        return
    if isinstance(value, list):
        for one in value:
            yield from _names(one, named, depth + 1)
    elif isinstance(value, dict):
        if not value.get("name") and value.get("@id") in named and depth < 4:
            value = named[value["@id"]]
        inner = value.get("name")
        if inner:
            yield from _names(inner, named, depth + 1)
        elif value.get("givenName") and value.get("familyName"):
            yield _text(f"{value['givenName']} {value['familyName']}")
    elif isinstance(value, str):
        yield _text(named[value]["name"]) if value in named and named[value].get("name") else _text(value)


def _raw_text(value: Any) -> str:
    if isinstance(value, list):
        value = "\n\n".join(part for part in value if isinstance(part, str))
    return html.unescape(value) if isinstance(value, str) else ""


def _text(value: Any) -> str:
    if isinstance(value, list):
        value = next((part for part in value if part), "")
    if isinstance(value, dict):
        value = value.get("@value") or value.get("name") or ""
    return tidy(html.unescape(str(value))) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _flag(value: Any) -> bool | None:
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, bool):
        return value
    return (
        {"true": True, "false": False}.get(str(value).strip().lower().rsplit("/", 1)[-1]) if value is not None else None
    )
