"""Chooses the body of a page of unknown layout between two readers: ours and trafilatura.

Where they agree, ours is taken, without the short lines that trafilatura leaves out: those are captions, labels and
links to other articles. Where they differ, a third opinion decides: the articleBody of the page's JSON-LD, or jusText.
The limits matter little: chosen anew without each outlet, they read its pages as well.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from scrapers.reading.blocks import Block, blocks, letters, parse, tidy

AGREED = 0.8  # F1 of the shingles from which two bodies are the same text
RELATED = 0.2  # below it a third opinion is of another text
SHORT = 100  # characters; a shorter block needs both readers
_SHINGLE = 4  # words
_WORD = re.compile(r"\w+")
_BLOCK_TAG = re.compile(r"</?(?:p|br|div|h[1-6]|li)\b[^>]*>")
_TAG = re.compile(r"<[^>]{1,500}>")


def choose(own: list[Block], other: list[Block], third: Callable[[], list[Block]]) -> list[Block]:
    """Return the better of two bodies of a page.

    Args:
        own: The body by our reader.
        other: The body by trafilatura.
        third: Returns a third opinion, which is slow; called only where the two differ.
    """
    if not own or not other:
        return own or other
    one, two = _shingles(own), _shingles(other)
    if _f1(one, two) >= AGREED:
        confirmed = letters(" ".join(block.text for block in other))
        return [
            block
            for at, block in enumerate(own)
            if at == 0 or len(block.text) >= SHORT or letters(block.text) in confirmed
        ]
    judge = _shingles(third())
    for_own, for_other = _f1(one, judge), _f1(two, judge)
    return own if for_own >= for_other and for_own >= RELATED else other


def _shingles(body: list[Block]) -> Counter[tuple[str, ...]]:
    words = _WORD.findall("\n".join(block.text for block in body).lower())
    return Counter(zip(*(words[n:] for n in range(_SHINGLE)), strict=False))


def _f1(one: Counter[tuple[str, ...]], other: Counter[tuple[str, ...]]) -> float:
    return 2 * (one & other).total() / max(1, one.total() + other.total())


def by_trafilatura(html: str) -> list[Block]:
    """Return the body found by trafilatura, without its links."""
    from trafilatura import extract  # slow to import

    text = extract(html, include_comments=False, include_tables=False) or ""
    return [Block("p", tidy(line)) for line in text.split("\n") if tidy(line)]


def with_links(body: list[Block], html: str) -> list[Block]:
    """Return a body with the links that its paragraphs have on the page."""
    root = parse(html).body
    on_page = {letters(block.text): block for block in (blocks(root) if root is not None else [])}
    same = [on_page.get(letters(block.text), block) for block in body]
    return [replace(block, link_chars=own.link_chars, links=own.links) for block, own in zip(body, same, strict=True)]


def by_justext(html: str) -> list[Block]:
    """Return the paragraphs that jusText takes for the text of a page."""
    from justext import get_stoplist, justext  # slow to import

    return [Block("p", tidy(each.text)) for each in justext(html, get_stoplist("English")) if not each.is_boilerplate]


def linked_body(text: str) -> list[Block]:
    """Return the paragraphs of an articleBody of JSON-LD, which may contain markup."""
    lines = _TAG.sub("", _BLOCK_TAG.sub("\n", text)).split("\n")
    return [Block("p", tidy(line)) for line in lines if tidy(line)]
