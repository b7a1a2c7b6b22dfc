"""Detects markup that would make a parser crash or hang: too many tags or attributes, or nested too deep.

Tags are counted as browsers see them. One regular expression reads any tag; a second one skips runs of plain markup,
several times as fast, and stops before anything else. Both are linear, since all quantifiers are possessive.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from itertools import product

from ahocorasick_rs import BytesAhoCorasick

MAX_TAGS = 50_000
MAX_DEPTH = 512
MAX_ATTRIBUTES = 2_000
_MIN_TAG_BYTES = 3  # bytes

# One tag, as browsers parse it.
_ATTRIBUTE = rb"""[\s/]*+[^\s/>][^\s/>=]*+(?:\s*+=\s*+(?:"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z)|[^\s>]*+))?+"""
_TAG = re.compile(rb"<(?:(!--)|(/?)([a-zA-Z][^\s/>]*+)((?:" + _ATTRIBUTE + rb")*+)[\s/]*+(?:>|\Z))")
_ATTRIBUTES = re.compile(_ATTRIBUTE)
_RAW_TEXT = ("script", "style", "textarea", "title", "iframe", "xmp", "noembed", "noframes")
_NO_DEPTH = (
    "p", "li", "dt", "dd", "option", "optgroup", "tr", "td", "th", "thead", "tbody", "tfoot", "colgroup", "rp", "rt",
    "html", "head", "body",  # closed implicitly; those below are void
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr",
)  # fmt: skip
_SVG_PARTS = set(
    b"path circle rect line polyline polygon ellipse use stop image g defs symbol mask clippath lineargradient "
    b"radialgradient filter text tspan title desc animate animatetransform fegaussianblur feoffset feblend feflood "
    b"fecolormatrix fecomposite femerge femergenode pattern style".split()
)
_RAW_NAMES = {name.encode() for name in _RAW_TEXT}
_FLAT_NAMES = {name.encode() for name in _NO_DEPTH}

# Plain markup: names in lower case, at most 40 attributes separated by white space, values directly after their "=".
# Skips text, comments, tags that add no depth, and elements that contain only text; then matches a start tag or one or
# more end tags.
_REST = r"""(?:\s++[^\s"'<>=/]++(?:=(?:"[^"]*+"|'[^']*+'|[^\s"'>][^\s>]*+(?=[\s>])))?+){0,40}+\s*+/?+>"""
_LEAVES = ("a", "span", "div", "h2", "h3", "h4", "button", "time", "strong", "em", "b", "i")
_PLAIN = re.compile(
    (
        r"(?:[^<]++"
        rf"|</?+(?:{'|'.join(_NO_DEPTH)}){_REST}"
        rf"|<(?:{'|'.join(f'{name}{_REST}[^<]*+</{name}>' for name in _LEAVES)})"
        r"|<!--[^-]*+(?:-(?!->)[^-]*+)*+-->"
        r")*+"
        rf"(?:(<)(?!(?:svg|{'|'.join(_RAW_TEXT)})[\s/>])[a-z][a-z0-9-]*+{_REST}"
        r"|((?:</(?:div|a|span|ul|section|article|button|header|main|nav|aside|figure|form|table)>\s*+)++)"
        r"|(</)[a-z][a-z0-9-]*+\s*+>)?+"
    ).encode()
)
# End tags of scripts and styles, in every case.
_ENDS = BytesAhoCorasick(
    [b"</" + bytes(c) for name in (b"scr", b"sty") for c in product(*zip(name, name.upper(), strict=True))]
)


def unsafe_markup(body: bytes) -> str:
    """Return why parsing this markup is unsafe ("it has more than 50,000 tags"), or "" if it is safe.

    One linear pass over the bytes; the limits are MAX_TAGS, MAX_DEPTH and MAX_ATTRIBUTES.
    """
    fault, most = _scan(body, skip_plain=True)
    if most > MAX_TAGS and body.count(b"<") > MAX_TAGS:
        fault, _ = _scan(body, skip_plain=False)
    return fault


def _scan(body: bytes, skip_plain: bool) -> tuple[str, int]:
    """Return the fault of the markup, and the maximum number of tags: skipped ones are estimated."""
    position, tags, depth, in_svg, skipped, fault = 0, 0, 0, False, 0, ""
    ends = [at for _, at, _ in _ENDS.find_matches_as_indexes(body)]
    while True:
        if skip_plain and not in_svg:
            begin = position
            position, depth = _skip_plain(body, position, depth)
            skipped += position - begin
        tag = _TAG.search(body, position)
        if tag is None:
            break
        position = tag.end()
        if tag.group(1):
            end = body.find(b"-->", tag.start() + 4)
            position = len(body) if end < 0 else end + 3
            continue
        tags += 1
        if fault := _fault(tags, tag.group(4)):
            break
        name = tag.group(3).lower()
        if tag.group(2):
            depth = max(0, depth - (name not in _FLAT_NAMES))
            in_svg = in_svg and name != b"svg"
            continue
        in_svg = name == b"svg" or (in_svg and name in _SVG_PARTS)
        if name not in _FLAT_NAMES and not (in_svg and tag.group().endswith(b"/>")):
            depth += 1
        if depth > MAX_DEPTH:
            fault = f"its elements are nested more than {MAX_DEPTH} deep"
            break
        if name in _RAW_NAMES and not in_svg:
            position = _end_of(name, body, position, ends)
    return fault, tags + skipped // _MIN_TAG_BYTES


def _skip_plain(body: bytes, position: int, depth: int) -> tuple[int, int]:
    """Return the position and the depth after a run of plain markup."""
    while depth < MAX_DEPTH and (plain := _PLAIN.match(body, position)):
        position = plain.end()
        if plain.lastindex == 1:
            depth += 1
        elif plain.lastindex:
            depth = max(0, depth - plain[plain.lastindex].count(b"<"))
        else:
            break
    return position, depth


def _fault(tags: int, attributes: bytes) -> str:
    """Return why there are too many tags, or too many attributes in the last one, or ""."""
    if tags > MAX_TAGS:
        return f"it has more than {MAX_TAGS:,} tags"
    if len(attributes) > 2 * MAX_ATTRIBUTES:
        n_attributes = sum(1 for _ in _ATTRIBUTES.finditer(attributes))
        if n_attributes > MAX_ATTRIBUTES:
            return f"a tag in it has {n_attributes:,} attributes (limit {MAX_ATTRIBUTES:,})"
    return ""


def _end_of(name: bytes, body: bytes, position: int, ends: list[int]) -> int:
    """Return the offset of the end tag of an element that contains raw text, or the end of the body."""
    if name in (b"script", b"style"):
        places = (ends[i] for i in range(bisect_left(ends, position), len(ends)))
        return next((at for at in places if body[at + 2 : at + 2 + len(name)].lower() == name), len(body))
    closing = re.compile(rb"</" + name, re.I).search(body, position)
    return closing.start() if closing else len(body)
