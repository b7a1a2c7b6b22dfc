"""An HTML element in; its readable blocks (paragraphs, headings, list items, quotations, rows) with links out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Generator
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser, LexborNode

_ASCII_SIGNS = bytes(c for c in range(128) if not chr(c).isalnum())
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]+")
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\ufeff\ufff9-\ufffc]"
)

HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_BLOCKS = HEADINGS | frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "center",
        "dd",
        "details",
        "dialog",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "header",
        "hgroup",
        "hr",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "summary",
        "table",
        "tbody",
        "tfoot",
        "thead",
        "tr",
        "ul",
    ]
)
_SILENT = frozenset(
    [
        "script",
        "style",
        "noscript",
        "template",
        "svg",
        "math",
        "iframe",
        "object",
        "embed",
        "video",
        "audio",
        "canvas",
        "map",
        "select",
        "option",
        "button",
        "input",
        "textarea",
        "label",
        "form",
        "nav",
        "footer",
        "head",
        "title",
        "link",
        "meta",
        "figcaption",
        "dialog",
        "menu",
        "progress",
        "source",
        "picture",
        "img",
    ]
)
_CELLS = frozenset({"td", "th"})


@dataclass(frozen=True, slots=True)
class Block:
    """One paragraph of a page; `kind` is its tag (p, li, h2, blockquote, div, tr), `link_chars` the text in links."""

    kind: str
    text: str
    link_chars: int = 0
    links: tuple[tuple[str, str], ...] = ()


def parse(html: str) -> LexborHTMLParser:
    """Return the parsed document, as a browser would build it."""
    return LexborHTMLParser(html)


def tidy(text: str) -> str:
    """Return one line: Unicode NFC, white space of every kind as single blanks, no unseen or control characters."""
    return unicodedata.normalize("NFC", " ".join(_UNSEEN.sub("", text).split()))


def letters(text: str) -> str:
    """Return the letters and digits of a text in lower case, to compare two texts whatever their punctuation."""
    folded = text.casefold().encode("utf-8", "surrogatepass").translate(None, _ASCII_SIGNS)
    if folded.isascii():
        return folded.decode("ascii")
    return _BEYOND_ASCII.sub(_letters_in, folded.decode("utf-8", "surrogatepass"))


def _letters_in(found: re.Match[str]) -> str:
    return "".join(filter(str.isalnum, found[0]))


def attribute(node: LexborNode, name: str) -> str:
    """Return an attribute's value, "" where it is missing or empty."""
    return node.attributes.get(name) or ""


def take_out(nodes: list[LexborNode]) -> None:
    """Destroy elements that stand in document order: innermost first, since one inside a destroyed one is no more."""
    once = {node.mem_id: node for node in nodes}
    for node in reversed(list(once.values())):
        node.decompose()


class _Collector:
    """Gathers inline text until a block begins or ends, then makes one Block of it."""

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self._reset()

    def _reset(self) -> None:
        self.parts: list[str] = []
        self.links: list[tuple[str, str]] = []
        self.link_chars = 0

    def flush(self, kind: str) -> None:
        if self.parts:
            text = tidy("".join(self.parts))
            if text:
                self.blocks.append(Block(kind, text, self.link_chars, tuple(self.links)))
        self._reset()


def _steps(root: LexborNode) -> Generator[tuple[LexborNode, bool], bool | None, None]:
    """Walk a tree without recursion: (node, True) on the way in and, for elements, (node, False) on the way out.

    Sending True after a way-in step leaves the element's inside out.
    """
    node, top = root, root.mem_id  # == on nodes compares their HTML: far too slow
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


def blocks(root: LexborNode, silent: frozenset[str] = _SILENT) -> list[Block]:
    """Return the readable blocks under an element in reading order; elements named in `silent` have no say."""
    collector = _Collector()
    kinds = ["div"]
    anchors: list[tuple[str, int]] = []
    breaks = 0
    walk = _steps(root)
    step = next(walk, None)
    while step is not None:
        (node, entering), skip = step, False
        tag = node.tag
        if tag == "-text":
            if entering:
                text = node.text_content or ""
                if text.strip():
                    breaks = 0
                collector.parts.append(text)
        elif tag in silent and node.mem_id != root.mem_id:
            skip = True
        elif tag == "br":
            breaks += entering
            if entering and breaks == 2:
                collector.flush(kinds[-1])
            collector.parts.append(" ")
        elif tag in _BLOCKS:
            collector.flush(kinds[-1])
            breaks = 0
            if entering:
                kinds.append(_kind(tag, kinds))
            else:
                kinds.pop()
        elif tag in _CELLS:
            collector.parts.append(" ")
        elif tag == "a":
            _anchor(node, entering, anchors, collector)
        try:
            step = walk.send(skip) if entering else next(walk)
        except StopIteration:
            step = None
    collector.flush("div")
    return collector.blocks


def _kind(tag: str, kinds: list[str]) -> str:
    """Return the kind of a block from its tag and what it stands in: a paragraph of a quotation is quoted."""
    if tag in {"p", "div"} and kinds[-1] in {"blockquote", "li"}:
        return kinds[-1]
    return "div" if tag in {"section", "article", "main", "body", "header", "center", "aside", "figure"} else tag


def _anchor(node: LexborNode, entering: bool, anchors: list[tuple[str, int]], collector: _Collector) -> None:
    if entering:
        anchors.append((attribute(node, "href"), len(collector.parts)))
        return
    if not anchors:
        return
    href, began = anchors.pop()
    text = tidy("".join(collector.parts[began:]))
    collector.link_chars += len(text)
    if href and text:
        collector.links.append((href, text))
