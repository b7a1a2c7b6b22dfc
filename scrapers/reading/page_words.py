"""Extracts the words of a page from its bytes, without building a tree: a fast prefilter for the page reader.

The result contains all words that the reader can find, in order. Scripts, styles, comments and tags are skipped, and so
are links alone between two tags, which the reader skips too. Some words that are not text may be included, for example
of scripts in broken markup, which does no harm in a prefilter.
"""

from __future__ import annotations

import html
import re
from functools import lru_cache
from itertools import product

import numpy as np
from ahocorasick_rs import BytesAhoCorasick, MatchKind

from scrapers.reading.decoding import decode

# Start and end tags of scripts and styles in every case, comments and word breaks: one search for all of them is
# several times as fast as one after the other.
_OPENERS = tuple(
    b"<" + bytes(letters) for name in (b"scr", b"sty") for letters in product(*zip(name, name.upper(), strict=True))
)
_CLOSERS = tuple(b"</" + opener[1:] for opener in _OPENERS)
_WORD_BREAKS = (b"<wbr", b"<WBR")
_MARKS = BytesAhoCorasick([*_OPENERS, *_CLOSERS, *_WORD_BREAKS, b"<!--"], matchkind=MatchKind.LeftmostFirst)
_CLOSER = len(_OPENERS)
_WORD_BREAK_AT = _CLOSER + len(_CLOSERS)
_COMMENT = _WORD_BREAK_AT + len(_WORD_BREAKS)
_NAME_ENDS = (b" ", b">", b"\t", b"\r", b"\n", b"\f", b"/")
_INLINE = rb"(?:abbr|b|cite|code|em|font|i|mark|q|s|small|span|strong|sub|sup|time|u)"
# Captures a run of text; a link alone between two tags is matched without a capture. A tag ends at the first ">", as in
# browsers; [^>] is twice as fast as [^<>]. Most tags are followed by another tag that is not a link, and the first
# lookahead skips them at once.
_RUN = re.compile(
    rb">(?!\s*+<[^a])(?:\s*+([^<\s][^<]*+(?:<(?![a-zA-Z/!?])[^<]*+)*+)"
    rb"|(?=\s*+<a[\s>])(?<!</b>)(?<!</i>)(?<!</em>)(?<!</strong>)(?<!</span>)\s*+<a\b[^>]*+>"
    rb"[^<]*+(?:<(?!/?a[\s>])[^>]*+>[^<]*+){0,12}+</a>(?:\s*+</span>)*+(?=\s*+<(?!/?" + _INLINE + rb"[\s>])))"
)
_WORD_BREAK = re.compile(rb"<wbr\s*+/?>", re.I)
# The common end of both title properties: this search is several times as fast as bytes.find().
_TITLE = BytesAhoCorasick([b":title"])
_TITLES = (b"og", b"twitter")
_HEAD = 200_000  # bytes that contain the metadata
_INDENT = 20  # bytes of white space that are common before a tag
_MAX_TAG_BYTES = 2_000  # bytes to search backwards for the start of a tag
_MAX_JSONLD_BYTES = 120_000  # live blogs contain a megabyte of JSON-LD
_ESCAPE = re.compile(rb"\\(?:[nrtbf]|u[0-9a-fA-F]{4})")
_ENTITY = re.compile(rb"&(?:#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[^\t\n\f <&#;\x80-\xff]{1,32};?)")  # as html.unescape()
_INVISIBLE = (b"\xc2\xad", b"\xe2\x80\x8b")  # inside words, at possible line breaks
_ANY_INVISIBLE = BytesAhoCorasick(_INVISIBLE)
_WIDE = (b"\xff\xfe", b"\xfe\xff")
# Of non-ASCII letters the first UTF-8 byte is kept; punctuation and symbols become spaces.
_PLAIN = bytes(
    c if 48 <= c < 58 or 97 <= c < 123 or (c > 127 and c not in b"\xc2\xe2\xef\xf0") else c + 32 if 65 <= c < 91 else 32
    for c in range(256)
)
_REST = bytes(range(0x80, 0xC0))
_SPACE = 32


def page_words(body: bytes | bytearray, charset: str = "") -> bytes:
    """Return the words on a page in lower case, separated and enclosed by single spaces.

    Anything but letters and digits separates words. `charset`: as in the Content-Type header.
    """
    if body.startswith(_WIDE) or _is_escaped(body) or charset.lower().startswith(("utf-16", "utf-32", "hz")):
        body = decode(bytes(body), charset).encode("utf-8", "replace")
    text = _text(body)
    if not text.isascii():
        try:
            text.decode("utf-8")
        except UnicodeDecodeError:
            text = _text(decode(bytes(body), charset).encode("utf-8", "replace"))
    return plain_words(text)


def _is_escaped(body: bytes | bytearray) -> bool:
    """Return whether a page uses an East Asian encoding with escape sequences."""
    return body.find(b"\x1b", 0, 65536) >= 0 and b"\x1b$" in body[:65536]


def _text(body: bytes | bytearray) -> bytes | bytearray:
    if b"<" not in body[:2000]:
        return body
    runs = text_runs(body)
    large = [at for at, length in enumerate(map(len, runs)) if length == 1]  # drop caps
    runs += [runs[at] + runs[at + 1][:40] for at in large if at + 1 < len(runs)]
    return b" ".join(filter(None, runs))


def plain_words(text: bytes | bytearray) -> bytes:
    """Return the words of a UTF-8 text in the form of page_words(), resolving entities and JSON escapes."""
    if b"&" in text:
        text = _ENTITY.sub(_character, text)
    if b"\\" in text:
        text = _ESCAPE.sub(b" ", text)
    if _ANY_INVISIBLE.find_matches_as_indexes(text):
        for invisible in _INVISIBLE:
            text = text.replace(invisible, b"")
    return _collapse_spaces(b" " + text.translate(_PLAIN, _REST) + b" ")


def _collapse_spaces(text: bytes) -> bytes:
    """Collapse runs of spaces; five times as fast as a regular expression."""
    letters = np.frombuffer(text, np.uint8)
    kept = letters != _SPACE
    kept[1:] |= kept[:-1].copy()
    kept[0] = True
    return letters[kept].tobytes()


def _character(entity: re.Match[bytes]) -> bytes:
    return _resolved(entity[0])


@lru_cache(maxsize=4096)
def _resolved(entity: bytes) -> bytes:
    return html.unescape(entity.decode("utf-8", "replace")).encode("utf-8", "replace")


def text_runs(body: bytes | bytearray) -> list[bytes | bytearray]:
    """Return the runs of text between the tags of a page, including JSON-LD and titles in the metadata."""
    found = [body[: body.find(b"<")], *_titles(body)]
    start, inside = 0, b""  # start of the next text; the element that must end first
    kept, linked = False, 0  # whether the element is JSON-LD; bytes of JSON-LD so far
    for mark, at, end in _MARKS.find_matches_as_indexes(body):
        if inside:
            if _CLOSER <= mark < _WORD_BREAK_AT and body[at + 2 : at + 2 + len(inside)].lower() == inside:
                if kept and linked < _MAX_JSONLD_BYTES:
                    found += _RUN.findall(body, start, min(at, start + _MAX_JSONLD_BYTES))
                    linked += at - start
                start, inside = at, b""
        elif at < start:
            continue  # inside a comment
        elif mark < _CLOSER:
            if (inside := _raw_element(body, at + 1)) and _in_a_tag(body, at):
                inside = b""
            if inside:
                found += _RUN.findall(body, start, at)
                kept = inside == b"script" and b"ld+json" in body[at : body.find(b">", at) + 1].lower()
                start = at
        elif mark == _COMMENT and not _in_a_tag(body, at):
            found += _RUN.findall(body, start, at)
            start = _end_of_comment(body, end)
        elif mark >= _WORD_BREAK_AT and _WORD_BREAK.match(body, at):
            return text_runs(_WORD_BREAK.sub(b"", body))
    found += _RUN.findall(body, start)  # including the content of an unterminated element
    return found


def _titles(body: bytes | bytearray) -> list[bytes | bytearray]:
    """Return the meta tags with a title, the first of each property."""
    ends = [at for _, at, _ in _TITLE.find_matches_as_indexes(memoryview(body)[:_HEAD])]
    firsts = (next((at for at in ends if body.endswith(name, 0, at)), -1) for name in _TITLES)
    return [body[body.rfind(b"<", 0, at) + 1 : body.find(b">", at)][:_MAX_TAG_BYTES] for at in firsts if at >= 0]


def _in_a_tag(body: bytes | bytearray, at: int) -> bool:
    """Return whether an offset is inside a tag, that is, in an attribute."""
    if body[max(0, at - _INDENT) : at].rstrip()[-1:] == b">":
        return False
    start = max(0, at - _MAX_TAG_BYTES)
    return body.find(b"<", max(start, body.rfind(b">", start, at)), at) >= 0


def _end_of_comment(body: bytes | bytearray, start: int) -> int:
    """Return the offset of the ">" that ends a comment in browsers; `start` is after its "<!--"."""
    if body[start : start + 1] == b">":
        return start
    end = body.find(b"-->", start - 1)
    early = body.find(b"--!>", start, end if end >= 0 else len(body))
    if early >= 0:
        return early + 3
    return end + 2 if end >= 0 else len(body)


def _raw_element(body: bytes | bytearray, at: int) -> bytes:
    """Return "script" or "style" if the name of such an element begins at an offset, else b""."""
    name = body[at : at + 7].lower()
    if name[:6] == b"script":
        return b"script" if name[6:] in _NAME_ENDS else b""
    return b"style" if name[:5] == b"style" and name[5:6] in _NAME_ENDS else b""
