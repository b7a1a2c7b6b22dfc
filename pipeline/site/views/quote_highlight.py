"""Cuts quotes into pieces with the trigger and parties marked, and checks addresses before they become links.

Nothing here makes HTML: templates escape every piece.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

_WORDS = re.compile(r"\S+")
_TOKEN = re.compile(r"\w+")
WORDS_BEFORE, WORDS_AFTER = 20, 28  # in a snippet, around the first match
WORDS_OF_FRAGMENT = 5  # at each end of a text fragment


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a quote: plain, part of the trigger, part of a party's mention, or both."""

    text: str
    trigger: bool = False
    role: str = ""
    entity_id: str = ""
    name: str = ""


def pieces(
    text: str, start: int, trigger: tuple[int, int], participants: Iterable[Mapping[str, Any]]
) -> tuple[Piece, ...]:
    """Cut a quote at the offsets of its trigger and participants. The pieces joined give the quote again.

    Spans outside the quote are ignored. Where two parties overlap, the shorter one is marked.

    Args:
        text: The quote.
        start: Its offset in the article.
        trigger: Start and end of the trigger in the article; -1 for none.
        participants: Mappings with role, entity_id, name, and start and end in the article (-1 for none).
    """
    size = len(text)

    def inside(span_start: int, span_end: int) -> tuple[int, int] | None:
        a, b = span_start - start, span_end - start
        return (a, b) if span_start >= 0 and 0 <= a < b <= size else None

    trigger_span = inside(*trigger)
    parties = [(span, p) for p in participants if (span := inside(p["start"], p["end"]))]
    parties.sort(key=lambda item: item[0][1] - item[0][0])
    cuts = sorted({0, size, *(trigger_span or ()), *(edge for span, _ in parties for edge in span)})
    found = []
    for a, b in zip(cuts, cuts[1:], strict=False):
        party = next((p for (s, e), p in parties if s <= a and b <= e), None)
        found.append(
            Piece(
                text[a:b],
                trigger=bool(trigger_span and trigger_span[0] <= a and b <= trigger_span[1]),
                role=party["role"] if party else "",
                entity_id=party["entity_id"] if party else "",
                name=party["name"] if party else "",
            )
        )
    return tuple(found)


def snippet(text: str, query: str) -> tuple[Piece, ...]:
    """Return the part of a text around the first match of a search, in pieces with the matches marked.

    A word matches if it begins like a word of the query, because full-text search finds "tested" for "testing" too.
    """
    stems = tuple(word[: max(4, len(word) - 3)] for word in re.findall(r"\w+", query.casefold()))
    tokens = [
        (m.start(), m.end(), bool(stems) and m.group().casefold().startswith(stems)) for m in _TOKEN.finditer(text)
    ]
    first = next((i for i, token in enumerate(tokens) if token[2]), 0)
    shown = tokens[max(0, first - WORDS_BEFORE) : first + WORDS_AFTER]
    if not shown:
        return (Piece(text),) if text else ()
    found, at = [], 0 if shown[0] is tokens[0] else shown[0][0]
    end = len(text) if shown[-1] is tokens[-1] else shown[-1][1]
    if at:
        found.append(Piece("… "))
    for start, stop, hit in shown:
        if hit:
            found += [Piece(text[at:start])] if at < start else []
            found.append(Piece(text[start:stop], trigger=True))
            at = stop
    found += [Piece(text[at:end])] if at < end else []
    return (*found, Piece(" …")) if end < len(text) else tuple(found)


def safe_url(url: str | None) -> str:
    """Return the address if it is http(s) with a host and without spaces or control characters, "" otherwise."""
    text = (url or "").strip()
    if not re.fullmatch(r"https?://[^\s\x00-\x1f\\<>\"']+", text, re.IGNORECASE):
        return ""
    try:
        return text if urlsplit(text).hostname else ""
    except ValueError:
        return ""


def fragment_url(url: str | None, text: str) -> str:
    """Return the address with a text fragment that makes a browser scroll to `text`; "" for an unsafe address."""
    safe = safe_url(url)
    words = _WORDS.findall(text)
    if not safe or not words:
        return safe

    def encode(some: list[str]) -> str:
        return quote(" ".join(some), safe="").replace("-", "%2D")

    if len(words) <= 2 * WORDS_OF_FRAGMENT:
        wanted = encode(words)
    else:
        wanted = f"{encode(words[:WORDS_OF_FRAGMENT])},{encode(words[-WORDS_OF_FRAGMENT:])}"
    return f"{safe}{'' if '#' in safe else '#'}:~:text={wanted}"


def host_of(url: str | None) -> str:
    """Return the host of an address without "www."; "" for an unsafe address."""
    safe = safe_url(url)
    return (urlsplit(safe).hostname or "").removeprefix("www.") if safe else ""
