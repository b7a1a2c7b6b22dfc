"""The JSON-LD scripts of a page in; what they say of its article out: headline, dates, authors, publisher, access."""

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

# What is left open runs to the end, so that no text is scanned twice.
_STRING_OR_SLIP = re.compile(
    r'("(?:[^"\\]|\\(?:.|\Z))*+(?:"|\Z))'  # a string stays as it is
    r"|/\*.*?(?:\*/|\Z)|(?<![:\w])//[^\n]*|<!--.*?(?:-->|\Z)|<!\[CDATA\[|\]\]>"  # comments go
    r"|,(?=\s*[}\]])",  # so do trailing commas
    re.S,
)


@dataclass(frozen=True, slots=True)
class Linked:
    """What JSON-LD says of the page's article; empty fields where it says nothing. Dates are as written."""

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
    """Return the value of one JSON-LD script, forgiving comments, trailing commas, control characters; or None."""
    if len(text) > _MAX_CHARS:
        return None
    for mended in (_as_is, _without_slips, _unescaped):
        try:
            return load_json(mended(text))
        except (ValueError, RecursionError):
            continue
    return None


def _as_is(text: str) -> str:
    text = text.strip()
    if text.startswith("<!--") and text.endswith("-->"):
        text = text[4:-3].strip()
    return text.rstrip(";")


def _without_slips(text: str) -> str:
    return _STRING_OR_SLIP.sub(lambda found: found.group(1) or "", _as_is(text)).strip().rstrip(";")


def _unescaped(text: str) -> str:
    return _without_slips(html.unescape(text))


def nodes(values: list[Any]) -> Iterator[dict[str, Any]]:
    """Yield every object in the scripts, outer ones first."""
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
    """Return what the scripts of one page say of its article: the object of the most telling type wins."""
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
    """Yield the names of people or organisations, through lists and through references by @id."""
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
    return tidy(html.unescape(str(value))) if isinstance(value, str | int | float) else ""


def _flag(value: Any) -> bool | None:
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, bool):
        return value
    return (
        {"true": True, "false": False}.get(str(value).strip().lower().rsplit("/", 1)[-1]) if value is not None else None
    )
