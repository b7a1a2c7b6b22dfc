"""Turns plain text into an Article, with a mapping of offsets back to the original text."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from scrapers.items import Article, Precision, article_id, text_version
from scrapers.reading.boilerplate import clean
from scrapers.reading.decoding import whole

_PARAGRAPHS = re.compile(r"(?s)\S.*?(?=\n\s*\n|\s*\Z)")
_LINES = re.compile(r"\S.*")


@dataclass(frozen=True, slots=True)
class PlainText:
    """An article made from plain text; original_span() maps its offsets to the original text."""

    article: Article
    original: str
    _starts: tuple[int, ...]  # offset of each kept paragraph in the article
    _maps: tuple[tuple[int, ...], ...]  # for each kept paragraph, the offset of each character in the original

    def original_span(self, start: int, end: int) -> tuple[int, int]:
        """Return the span of the original text that a span of the article's text comes from."""
        return self._place(start), self._place(end - 1) + 1

    def _place(self, offset: int) -> int:
        index = max(bisect_right(self._starts, offset) - 1, 0)
        places = self._maps[index]
        return places[min(offset - self._starts[index], len(places) - 1)]


def plain_text(
    text: str,
    *,
    name: str,
    title: str = "",
    published: date | None = None,
    url: str = "",
    publisher: str = "",
    source_id: str = "added",
) -> PlainText:
    """Return the article in a plain text. `name` determines its id if there is no `url`."""
    text, name, title, url, publisher = map(whole, (text, name, title, url, publisher))
    pieces = [(m.start(), m.group()) for m in _PARAGRAPHS.finditer(text)]
    if len(pieces) == 1:  # without blank lines, each line is a paragraph
        pieces = [(m.start(), m.group()) for m in _LINES.finditer(text)]
    cleaned = clean([piece for _, piece in pieces])
    kept, starts, maps, at = [], [], [], 0
    for words, index in zip(cleaned.kept, cleaned.kept_at, strict=True):
        offset, raw = pieces[index]
        places = _aligned(words, raw)
        if places is None:  # cleaning changed more than white space: use the original words
            words = " ".join(raw.split())
            places = _aligned(words, raw)
        kept.append(words)
        starts.append(at)
        maps.append(tuple(offset + place for place in places or (0,)))
        at += len(words) + 2
    body = "\n\n".join(kept)
    when = datetime.combine(published, time(12), tzinfo=UTC) if published else None
    address = url or f"urn:text:{name}"
    article = Article(
        article_id=article_id(address),
        version=text_version(body),
        source_id=source_id,
        url=address,
        title=title,
        text=body,
        published_at=when,
        published_basis="given" if when else "unknown",
        published_precision=Precision.DAY if when else Precision.UNKNOWN,
        publisher=publisher,
        removed_blocks=cleaned.removed,
        has_affiliate_content=cleaned.has_affiliate_content,
    )
    return PlainText(article, text, tuple(starts) or (0,), tuple(maps) or ((0,),))


def _aligned(words: str, raw: str) -> list[int] | None:
    """Return the offset in `raw` of each character of `words`, None if they differ in more than white space."""
    places, at = [], 0
    for char in words:
        if char.isspace():
            places.append(min(at, len(raw) - 1))
            continue
        while at < len(raw) and raw[at].isspace():
            at += 1
        if at >= len(raw) or raw[at] != char:
            return None
        places.append(at)
        at += 1
    return places if not raw[at:].strip() else None
