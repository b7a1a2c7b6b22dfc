"""The bytes of a page in; all the words that its reader could find on it out, in order, without building a tree.

No word of an article is left out: what stands in scripts, styles, comments and inside tags is, besides links that stand
alone between two tags, which the reader leaves out as well. Words that are no text may come through (a script that the
markup does not let one see); for a sieve they do no harm. Text runs of inline elements are parted by blanks.
"""

from __future__ import annotations

import html
import re
from functools import lru_cache
from itertools import product

import numpy as np
from ahocorasick_rs import BytesAhoCorasick, MatchKind

from scrapers.reading.decoding import decode

# Every spelling of the first letters of <script, <style and their ends, comments, and elements that are looked into:
# found all at once, several times quicker than one after the other.
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
# A run of text is given; a link that stands alone, whatever it wraps, is matched and gives nothing. A tag ends at the
# first ">", as browsers see it; [^>] runs along it twice as quickly as [^<>] would. Most tags are followed by one that
# is no link: the search goes on at once.
_RUN = re.compile(
    rb">(?!\s*+<[^a])(?:\s*+([^<\s][^<]*+(?:<(?![a-zA-Z/!?])[^<]*+)*+)"
    rb"|(?=\s*+<a[\s>])(?<!</b>)(?<!</i>)(?<!</em>)(?<!</strong>)(?<!</span>)\s*+<a\b[^>]*+>"
    rb"[^<]*+(?:<(?!/?a[\s>])[^>]*+>[^<]*+){0,12}+</a>(?:\s*+</span>)*+(?=\s*+<(?!/?" + _INLINE + rb"[\s>])))"
)
_WORD_BREAK = re.compile(rb"<wbr\s*+/?>", re.I)
# What both names of a title end with, alone: that is sought several times as quickly as by bytes.find().
_TITLE = BytesAhoCorasick([b":title"])
_TITLES = (b"og", b"twitter")
_HEAD = 200_000  # bytes in which the metadata stands
_INDENT = 20  # bytes of blanks that commonly stand before a tag
_LONGEST_TAG = 2_000  # bytes before a place in which the tag that it may be in begins
_MOST_LINKED = 120_000  # bytes of JSON-LD that are looked at: live blogs hold a megabyte of it
_ESCAPE = re.compile(rb"\\(?:[nrtbf]|u[0-9a-fA-F]{4})")
_ENTITY = re.compile(rb"&(?:#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[^\t\n\f <&#;\x80-\xff]{1,32};?)")  # as html.unescape()
_UNSEEN = (b"\xc2\xad", b"\xe2\x80\x8b")  # inside words, where a line may break
_ANY_UNSEEN = BytesAhoCorasick(_UNSEEN)
_WIDE = (b"\xff\xfe", b"\xfe\xff")
# Of a letter beyond ASCII its first byte in UTF-8 is kept; that of punctuation and signs parts words.
_PLAIN = bytes(
    c if 48 <= c < 58 or 97 <= c < 123 or (c > 127 and c not in b"\xc2\xe2\xef\xf0") else c + 32 if 65 <= c < 91 else 32
    for c in range(256)
)
_REST = bytes(range(0x80, 0xC0))
_BLANK = 32


def page_words(body: bytes | bytearray, charset: str = "") -> bytes:
    """Return the words on a page in lower case, parted and enclosed by single blanks; whatever is no letter or digit
    parts words. `charset`: as the answer's header named it."""
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
    """Tell whether letters of East Asia stand in ASCII behind an ESC: a byte that hardly another page has."""
    return body.find(b"\x1b", 0, 65536) >= 0 and b"\x1b$" in body[:65536]


def _text(body: bytes | bytearray) -> bytes | bytearray:
    if b"<" not in body[:2000]:
        return body
    runs = text_runs(body)
    large = [at for at, length in enumerate(map(len, runs)) if length == 1]  # first letters
    runs += [runs[at] + runs[at + 1][:40] for at in large if at + 1 < len(runs)]
    return b" ".join(filter(None, runs))


def plain_words(text: bytes | bytearray) -> bytes:
    """Return the words of a text in UTF-8 as page_words() does; entities and escapes of JSON are resolved first."""
    if b"&" in text:
        text = _ENTITY.sub(_character, text)
    if b"\\" in text:
        text = _ESCAPE.sub(b" ", text)
    if _ANY_UNSEEN.find_matches_as_indexes(text):
        for unseen in _UNSEEN:
            text = text.replace(unseen, b"")
    return _single_blanks(b" " + text.translate(_PLAIN, _REST) + b" ")


def _single_blanks(text: bytes) -> bytes:
    """Keep of each run of blanks the first; five times as quick as a regular expression."""
    letters = np.frombuffer(text, np.uint8)
    kept = letters != _BLANK
    kept[1:] |= kept[:-1].copy()
    kept[0] = True
    return letters[kept].tobytes()


def _character(entity: re.Match[bytes]) -> bytes:
    return _resolved(entity[0])


@lru_cache(maxsize=4096)
def _resolved(entity: bytes) -> bytes:
    return html.unescape(entity.decode("utf-8", "replace")).encode("utf-8", "replace")


def text_runs(body: bytes | bytearray) -> list[bytes | bytearray]:
    """Return the runs of text between the tags of a page, with what JSON-LD and titles in metadata say."""
    found = [body[: body.find(b"<")], *_titles(body)]
    start, inside = 0, b""  # where the text to come begins; the element that has to end before it does
    kept, linked = False, 0  # whether the element is a script of JSON-LD; how much of that there was
    for mark, at, end in _MARKS.find_matches_as_indexes(body):
        if inside:
            if _CLOSER <= mark < _WORD_BREAK_AT and body[at + 2 : at + 2 + len(inside)].lower() == inside:
                if kept and linked < _MOST_LINKED:
                    found += _RUN.findall(body, start, min(at, start + _MOST_LINKED))
                    linked += at - start
                start, inside = at, b""
        elif at < start:
            continue  # in a comment
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
    found += _RUN.findall(body, start)  # also what an element holds that never ends
    return found


def _titles(body: bytes | bytearray) -> list[bytes | bytearray]:
    """Return the tags in which the metadata gives a title: of each name the first one."""
    ends = [at for _, at, _ in _TITLE.find_matches_as_indexes(memoryview(body)[:_HEAD])]
    firsts = (next((at for at in ends if body.endswith(name, 0, at)), -1) for name in _TITLES)
    return [body[body.rfind(b"<", 0, at) + 1 : body.find(b">", at)][:_LONGEST_TAG] for at in firsts if at >= 0]


def _in_a_tag(body: bytes | bytearray, at: int) -> bool:
    """Tell whether a place is inside a tag, as the value of an attribute."""
    if body[max(0, at - _INDENT) : at].rstrip()[-1:] == b">":
        return False
    start = max(0, at - _LONGEST_TAG)
    return body.find(b"<", max(start, body.rfind(b">", start, at)), at) >= 0


def _end_of_comment(body: bytes | bytearray, start: int) -> int:
    """Return the place of the ">" that ends a comment, as browsers see it; `start` is behind its "<!--"."""
    if body[start : start + 1] == b">":
        return start
    end = body.find(b"-->", start - 1)
    early = body.find(b"--!>", start, end if end >= 0 else len(body))
    if early >= 0:
        return early + 3
    return end + 2 if end >= 0 else len(body)


def _raw_element(body: bytes | bytearray, at: int) -> bytes:
    """Return "script" or "style" where the name of such an element begins."""
    name = body[at : at + 7].lower()
    if name[:6] == b"script":
        return b"script" if name[6:] in _NAME_ENDS else b""
    return b"style" if name[:5] == b"style" and name[5:6] in _NAME_ENDS else b""
