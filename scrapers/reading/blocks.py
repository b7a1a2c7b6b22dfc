"""Splits an HTML element into blocks of text: paragraphs, headings, list items, quotations and table rows."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Generator
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser, LexborNode

_ASCII_SIGNS = bytes(c for c in range(128) if not chr(c).isalnum())
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")
_INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff"
    "\ufff9-\ufffc]"
)

HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_BLOCKS = HEADINGS | frozenset({
    "address", "article", "aside", "blockquote", "body", "center", "dd", "details", "dialog", "div", "dl", "dt",
    "fieldset", "figcaption", "figure", "footer", "form", "header", "hgroup", "hr", "li", "main", "nav", "ol", "p",
    "pre", "section", "summary", "table", "tbody", "tfoot", "thead", "tr", "ul",
})  # fmt: skip
_SILENT = frozenset({
    "script", "style", "noscript", "template", "svg", "math", "iframe", "object", "embed", "video", "audio",
    "canvas", "map", "select", "option", "button", "input", "textarea", "label", "form", "nav", "footer", "head",
    "title", "link", "meta", "figcaption", "dialog", "menu", "progress", "source", "picture", "img",
})  # fmt: skip
_CELLS = frozenset({"td", "th"})


@dataclass(frozen=True, slots=True)
class Block:
    """One paragraph of a page. `kind`: its tag (p, li, h2, ...); `link_chars`: number of characters in links."""

    kind: str
    text: str
    link_chars: int = 0
    links: tuple[tuple[str, str], ...] = ()


def parse(html: str) -> LexborHTMLParser:
    """Parse a document as browsers do."""
    return LexborHTMLParser(html)


def tidy(text: str) -> str:
    """Return text as one line: NFC, single spaces, and no invisible or control characters."""
    return unicodedata.normalize("NFC", " ".join(_INVISIBLE.sub("", text).split()))


def letters(text: str) -> str:
    """Return the letters and digits of a text in lower case, to compare texts regardless of punctuation."""
    folded = text.casefold().encode("utf-8", "surrogatepass").translate(None, _ASCII_SIGNS)
    if folded.isascii():
        return folded.decode("ascii")
    return _BEYOND_ASCII.sub(_letters_in, folded.decode("utf-8", "surrogatepass"))


def _letters_in(found: re.Match[str]) -> str:
    return "".join(filter(str.isalnum, found[0]))


def attribute(node: LexborNode, name: str) -> str:
    """Return the value of an attribute, "" if it is missing."""
    return node.attributes.get(name) or ""


def remove(nodes: list[LexborNode]) -> None:
    """Remove elements, given in document order; inner ones first, since removing an element destroys its children."""
    once = {node.mem_id: node for node in nodes}
    for node in reversed(list(once.values())):
        node.decompose()


class _Collector:
    """Gathers inline text until a block begins or ends, then makes a Block of it."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self._kinds = ["div"]  # of the open blocks
        self._anchors: list[tuple[str, int]] = []  # href and first part of the open links
        self._breaks = 0  # consecutive <br> elements
        self._reset()

    def _reset(self) -> None:
        self._parts: list[str] = []
        self._links: list[tuple[str, str]] = []
        self._link_chars = 0

    def flush(self, kind: str) -> None:
        if text := tidy("".join(self._parts)):
            self.blocks.append(Block(kind, text, self._link_chars, tuple(self._links)))
        self._reset()

    def visit(self, node: LexborNode, entering: bool) -> None:
        """Process a step of the walk through the tree."""
        tag = node.tag
        if tag == "-text":
            if entering:
                self._text(node.text_content or "")
        elif tag == "br":
            self._breaks += entering
            if entering and self._breaks == 2:
                self.flush(self._kinds[-1])
            self._parts.append(" ")
        elif tag in _BLOCKS:
            self.flush(self._kinds[-1])
            self._breaks = 0
            if entering:
                self._kinds.append(_kind(tag, self._kinds))
            else:
                self._kinds.pop()
        elif tag in _CELLS:
            self._parts.append(" ")
        elif tag == "a":
            self._anchor(node, entering)

    def _text(self, text: str) -> None:
        if text.strip():
            self._breaks = 0
        self._parts.append(text)

    def _anchor(self, node: LexborNode, entering: bool) -> None:
        if entering:
            self._anchors.append((attribute(node, "href"), len(self._parts)))
        elif self._anchors:
            href, began = self._anchors.pop()
            text = tidy("".join(self._parts[began:]))
            self._link_chars += len(text)
            if href and text:
                self._links.append((href, text))


def _steps(root: LexborNode) -> Generator[tuple[LexborNode, bool], bool | None, None]:
    """Walk a tree without recursion, yielding (node, True) on entering and (node, False) on leaving a node.

    Sending True after entering skips the children.
    """
    node, top = root, root.mem_id  # == on nodes compares their HTML, which is too slow
    while True:
        skip = yield node, True
        child = None if skip else node.child
        if child is not None:
            node = child
            continue
        while True:
            yield node, False
            if node.mem_id == top:
                return
            following = node.next
            if following is not None:
                node = following
                break
            parent = node.parent
            if parent is None:
                return
            node = parent


def blocks(root: LexborNode) -> list[Block]:
    """Return the blocks of text in an element, in reading order, without scripts, forms, navigation and the like."""
    collector = _Collector()
    walk = _steps(root)
    step = next(walk, None)
    while step is not None:
        node, entering = step
        skip = node.tag in _SILENT and node.mem_id != root.mem_id
        if not skip:
            collector.visit(node, entering)
        try:
            step = walk.send(skip) if entering else next(walk)
        except StopIteration:
            step = None
    collector.flush("div")
    return collector.blocks


def _kind(tag: str, kinds: list[str]) -> str:
    """Return the kind of a block: its tag, or that of the quotation or list item that contains it."""
    if tag in {"p", "div"} and kinds[-1] in {"blockquote", "li"}:
        return kinds[-1]
    return "div" if tag in {"section", "article", "main", "body", "header", "center", "aside", "figure"} else tag
