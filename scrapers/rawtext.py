"""The bytes of a page in; all the words that its reader could find on it out, in order, without building a tree.

No word of an article is left out: what stands in scripts, styles, comments and inside tags is, besides links that stand
alone between two tags, which the reader leaves out as well. Words that are no text may come through (a script that the
markup does not let one see); for a sieve they do no harm. Text runs of inline elements are parted by blanks.
"""

from __future__ import annotations

import html
import re
from itertools import pairwise

from ahocorasick_rs import BytesAhoCorasick, MatchKind

from scrapers.decoding import decode

# Every spelling of the first letters of <script, <style and their ends, comments, and elements that are looked into:
# found all at once, several times quicker than one after the other.
_OPENERS = tuple(b"<" + a + b for a in (b"s", b"S") for b in (b"c", b"C", b"t", b"T"))
_CLOSERS = tuple(b"</" + opener[1:] for opener in _OPENERS)
_META = (b"<meta", b"<META")
_WORD_BREAKS = (b"<wbr", b"<WBR")
_MARKS = BytesAhoCorasick([*_OPENERS, *_CLOSERS, *_META, *_WORD_BREAKS, b"<!--"], matchkind=MatchKind.LeftmostFirst)
_CLOSER = len(_OPENERS)
_META_AT = _CLOSER + len(_CLOSERS)
_WORD_BREAK_AT = _META_AT + len(_META)
_COMMENT = _WORD_BREAK_AT + len(_WORD_BREAKS)
_NAME_ENDS = frozenset((b" ", b"\t", b"\r", b"\n", b"\f", b"/", b">"))
_INLINE = rb"(?:a|abbr|b|cite|code|em|font|i|mark|q|s|small|span|strong|sub|sup|time|u)"
# A link alone between two tags that part blocks is matched and gives no text; any other run of text is given.
_RUN = re.compile(
    rb">(?:\s*+([^<\s][^<]*+(?:<(?![a-zA-Z/!?])[^<]*+)*+)"
    rb"|(?<!</b>)(?<!</i>)(?<!</em>)(?<!</strong>)(?<!</span>)\s*+<a\b[^<>]*+>"
    rb"(?:\s*+<(?:span|strong|b|em|i|div|p)\b[^<>]*+>)*+[^<]*+(?:</(?:span|strong|b|em|i|div|p)>\s*+)*+</a>"
    rb"(?=\s*+<(?!/?" + _INLINE + rb"[\s>])))"
)
_WORD_BREAK = re.compile(rb"<wbr\s*+/?>", re.I)
_TITLE = re.compile(rb"(?:og:|twitter:|dc\.)title", re.I)
_LONGEST_TAG = 2_000  # bytes before a place in which the tag that it may be in begins
_MOST_LINKED = 120_000  # bytes of JSON-LD that are looked at: live blogs hold a megabyte of it
_ESCAPE = re.compile(rb"\\(?:[nrtbf]|u[0-9a-fA-F]{4})")
_WIDE = (b"\xff\xfe", b"\xfe\xff")
_PLAIN = bytes(c if 48 <= c < 58 or 97 <= c < 123 else c + 32 if 65 <= c < 91 else 32 for c in range(256))


def page_words(body: bytes, charset: str = "") -> bytes:
    """Return the words on a page in lower case, parted and enclosed by single blanks; whatever is no ASCII letter or
    digit parts words. `charset`: as the answer's header named it."""
    if body.startswith(_WIDE) or b"\x1b$" in body[:65536] or charset.lower().startswith(("utf-16", "utf-32", "hz")):
        body = decode(body, charset).encode("utf-8", "replace")
    if b"<" not in body[:2000]:
        return plain_words(body)
    runs = text_runs(body)
    runs += [first + rest[:40] for first, rest in pairwise(runs) if len(first) == 1]  # a large first letter
    return plain_words(b" ".join(runs))


def plain_words(text: bytes) -> bytes:
    """Return the words of a text as page_words() does; entities and escapes of JSON are resolved first."""
    if b"&" in text:
        text = html.unescape(text.decode("utf-8", "replace")).encode("utf-8", "replace")
    if b"\xc2\xad" in text or b"\xe2\x80\x8b" in text:  # inside words, where a line may break
        text = text.replace(b"\xc2\xad", b"").replace(b"\xe2\x80\x8b", b"")
    if b"\\" in text:
        text = _ESCAPE.sub(b" ", text)
    return b" " + b" ".join(text.translate(_PLAIN).split()) + b" "


def text_runs(body: bytes) -> list[bytes]:
    """Return the runs of text between the tags of a page, with what JSON-LD and titles in metadata say."""
    found = [body[: body.find(b"<")]]
    start, inside = 0, b""  # where the text to come begins; the element that has to end before it does
    kept, linked = False, 0  # whether the element is a script of JSON-LD; how much of that there was
    for mark, at, end in _MARKS.find_matches_as_indexes(body):
        if inside:
            if _CLOSER <= mark < _META_AT and body[at + 2 : at + 2 + len(inside)].lower() == inside:
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
        elif mark >= _WORD_BREAK_AT:
            if _WORD_BREAK.match(body, at):
                return text_runs(_WORD_BREAK.sub(b"", body))
        elif mark >= _META_AT:
            meta = body[at : body.find(b">", at)]
            if b"title" in meta and _TITLE.search(meta):
                found.append(meta)
    found += _RUN.findall(body, start)  # also what an element holds that never ends
    return found


def _in_a_tag(body: bytes, at: int) -> bool:
    """Tell whether a place is inside a tag, as the value of an attribute."""
    start = max(0, at - _LONGEST_TAG)
    return body.rfind(b"<", start, at) > body.rfind(b">", start, at)


def _end_of_comment(body: bytes, start: int) -> int:
    """Return the place of the ">" that ends a comment, as browsers see it; `start` is behind its "<!--"."""
    if body[start : start + 1] == b">":
        return start
    end = body.find(b"-->", start - 1)
    if end < 0:
        return len(body)
    early = body.find(b"--!>", start, end)
    return early + 3 if early >= 0 else end + 2


def _raw_element(body: bytes, at: int) -> bytes:
    """Return "script" or "style" where the name of such an element begins."""
    name = body[at : at + 7].lower()
    if name[:6] == b"script":
        return b"script" if name[6:] in _NAME_ENDS else b""
    return b"style" if name[:5] == b"style" and name[5:6] in _NAME_ENDS else b""
