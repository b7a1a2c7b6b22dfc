"""The bytes of a page in; why its markup would choke a parser out: too many tags, too deep, too many attributes.

What is counted is what a browser takes for tags. One regular expression reads any tag as browsers do; a second one
passes over stretches of plain markup in one go, several times as quickly, and stops before whatever is not plain. Both
are linear: every quantifier is possessive, so that no scan goes back.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from itertools import product

from ahocorasick_rs import BytesAhoCorasick

MAX_TAGS = 50_000
MAX_DEPTH = 512
MAX_ATTRIBUTES = 2_000
_SHORTEST_TAG = 3  # bytes

# One tag as a browser reads it.
_ATTRIBUTE = rb"""[\s/]*+[^\s/>][^\s/>=]*+(?:\s*+=\s*+(?:"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z)|[^\s>]*+))?+"""
_TAG = re.compile(rb"<(?:(!--)|(/?)([a-zA-Z][^\s/>]*+)((?:" + _ATTRIBUTE + rb")*+)[\s/]*+(?:>|\Z))")
_ATTRIBUTES = re.compile(_ATTRIBUTE)
_RAW_TEXT = ("script", "style", "textarea", "title", "iframe", "xmp", "noembed", "noframes")
_NO_DEPTH = (
    "p", "li", "dt", "dd", "option", "optgroup", "tr", "td", "th", "thead", "tbody", "tfoot", "colgroup", "rp", "rt",
    "html", "head", "body",  # these close themselves, those below are void
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr",
)  # fmt: skip
_SVG_PARTS = set(
    b"path circle rect line polyline polygon ellipse use stop image g defs symbol mask clippath lineargradient "
    b"radialgradient filter text tspan title desc animate animatetransform fegaussianblur feoffset feblend feflood "
    b"fecolormatrix fecomposite femerge femergenode pattern style".split()
)
_RAW_NAMES = {name.encode() for name in _RAW_TEXT}
_FLAT_NAMES = {name.encode() for name in _NO_DEPTH}

# Plain markup: names in lower case, attributes parted by white space (at most 40, far below the limit), values that
# begin right behind their "=". Text, comments, tags that add no depth, and elements with nothing but text in them are
# passed over; then comes a tag that begins an element, or one or several that end one.
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
# The ends of the longest of elements whose insides are no markup, in every spelling.
_ENDS = BytesAhoCorasick(
    [b"</" + bytes(c) for name in (b"scr", b"sty") for c in product(*zip(name, name.upper(), strict=True))]
)


def unsafe_markup(body: bytes) -> str:
    """Return why this markup would choke a parser ("a tag with 90,000 attributes"), or "" where it is harmless.

    One linear pass over the bytes; the limits are MAX_TAGS, MAX_DEPTH and MAX_ATTRIBUTES.
    """
    told, most = _told(body, plainly=True)
    if most > MAX_TAGS and body.count(b"<") > MAX_TAGS:
        told, _ = _told(body, plainly=False)
    return told


def _told(body: bytes, plainly: bool) -> tuple[str, int]:
    """Return what is wrong with the markup, and how many tags were met at most: those passed over are not counted."""
    position, tags, depth, in_svg, passed = 0, 0, 0, False, 0
    ends = [at for _, at, _ in _ENDS.find_matches_as_indexes(body)]
    while True:
        if plainly and not in_svg:
            begin = position
            while depth < MAX_DEPTH and (plain := _PLAIN.match(body, position)):
                position = plain.end()
                if plain.lastindex == 1:
                    depth += 1
                elif plain.lastindex:
                    depth = max(0, depth - plain[plain.lastindex].count(b"<"))
                else:
                    break
            passed += position - begin
        tag = _TAG.search(body, position)
        if tag is None:
            return "", tags + passed // _SHORTEST_TAG
        position = tag.end()
        if tag.group(1):
            end = body.find(b"-->", tag.start() + 4)
            position = len(body) if end < 0 else end + 3
            continue
        tags += 1
        if tags > MAX_TAGS:
            return f"it has more than {MAX_TAGS:,} tags", tags + passed // _SHORTEST_TAG
        name, attributes = tag.group(3).lower(), tag.group(4)
        if len(attributes) > 2 * MAX_ATTRIBUTES:
            n_attributes = sum(1 for _ in _ATTRIBUTES.finditer(attributes))
            if n_attributes > MAX_ATTRIBUTES:
                return (
                    f"a tag in it has {n_attributes:,} attributes (limit {MAX_ATTRIBUTES:,})",
                    tags + passed // _SHORTEST_TAG,
                )
        if tag.group(2):
            depth = max(0, depth - (name not in _FLAT_NAMES))
            in_svg = in_svg and name != b"svg"
            continue
        in_svg = name == b"svg" or (in_svg and name in _SVG_PARTS)
        closes_itself = in_svg and tag.group().endswith(b"/>")
        if name not in _FLAT_NAMES and not closes_itself:
            depth += 1
            if depth > MAX_DEPTH:
                return f"its elements are nested more than {MAX_DEPTH} deep", tags + passed // _SHORTEST_TAG
        if name in _RAW_NAMES and not in_svg:
            position = _end_of(name, body, position, ends)


def _end_of(name: bytes, body: bytes, position: int, ends: list[int]) -> int:
    """Return where the end of an element begins whose inside is no markup, the end of the body where it has none."""
    if name in (b"script", b"style"):
        places = (ends[i] for i in range(bisect_left(ends, position), len(ends)))
        return next((at for at in places if body[at + 2 : at + 2 + len(name)].lower() == name), len(body))
    closing = re.compile(rb"</" + name, re.I).search(body, position)
    return closing.start() if closing else len(body)
