"""Finds the publishers that an article credits for its news, with the words of each credit.

A publisher that is only a subject of the news ("a lawsuit by The New York Times") is not credited.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from urllib.parse import urlsplit

from pipeline.records import Credit, EntityKind, Mention
from scrapers.items import Article

_ADVERBS = r"(?:(?:first|earlier|also|previously|originally|exclusively|separately|has|have|had)\s+)*"
_REPORTED = r"(?:reported|reports|revealed|reveals|broke\s+the\s+(?:news|story)|learned|found\s+that|wrote|writes)"
# Words before the publisher's name.
_BEFORE = re.compile(
    r"\b(?P<cue>(?:(?:first|originally|as|earlier|previously|also|initially)\s+)*(?:reported|revealed|published|broken|disclosed|"
    r"confirmed|noted|reviewed|obtained|seen|viewed|written)\s+(?:\w+\s+)?(?:by|in|on)|according\s+to|as\s+per|per|"
    r"(?:reports?|reporting)\s+(?:by|from|in)|told|tells|telling|speaking\s+to|spoke\s+(?:to|with)|interview\s+with|statement\s+to|"
    r"citing|cites|via|reports|"
    r"(?:credit|hat\s+tip|h/t)\s*(?:to|:)?|sources?\s*:)\s+"
    r"(?:(?:a|an|the|its|his|her|new|exclusive|recent|report|story|article|\w+day|reporting|in|from|by|with|of|at)\s+){0,5}$",
    re.I,
)
_AFTER = re.compile(
    rf"^(?:['’]s)?(?:\s*,)?\s+(?P<cue>{_ADVERBS}{_REPORTED}|(?:has\s+|had\s+)?(?:seen|obtained|reviewed|viewed)\b|contributed|"
    r"report(?:ing)?\s+(?:that|said|says|on|cites|citing)|(?:said|says)\s+(?:in\s+(?:a|an|its)\s+)?(?:report|story|scoop))",
    re.I,
)
_POSSESSED = re.compile(r"^['’]s?\s+(?P<cue>(?:\w+\s+){0,2}(?:report|reporting|scoop|investigation|story))\b", re.I)
_COPYRIGHT = re.compile(r"(?P<cue>©|copyright)\s*(?:(?:19|20)\d\d)?\s*(?:the\s+)?$", re.I)
_DATELINE = re.compile(r"(?:^|\n)[^\n]{0,60}?\((?P<name>[A-Z][\w .&-]{1,30}?)\)\s*[-–—]{1,2}\s")
_SOURCE_LINE = re.compile(
    r"^[^\w\n]{0,10}(?:(?P<cue>sources?|via|credits?|originally\s+published\s+(?:by|on|in|at)|this\s+(?:article|story)\s+(?:was\s+)?(?:first|"
    r"originally)\s+(?:appeared|published|ran)\s+(?:in|on|at|by)))\s*:?\s+(?P<names>[^\n]{2,120}?)[.\s]*$",
    re.I | re.M,
)
_PICTURE = re.compile(r"\b(?:images?|photos?|getty|shutterstock|illustration|picture|unsplash)\b", re.I)
_FIRST_BY = re.compile(
    r"\b(?P<cue>(?:as\s+)?first\s+(?:reported|revealed|published)\s+by|first\s+reported\s+in)\s+(?P<name>(?:the\s+)?[A-Z][\w.&’'-]*"
    r"(?:\s+(?:of\s+)?[A-Z][\w.&’'-]*){0,4})"
)
_ANCHOR = re.compile(
    r"\b(?:report(?:ed|s|ing)?|first\s+reported|according\s+to|told|revealed|scoop|writes|wrote|via|source)\b", re.I
)
_WINDOW = 90  # characters around a name or link that are searched


def find_credits(article: Article, mentions: Iterable[Mention]) -> tuple[Credit, ...]:
    """Return the credits of an article, one per publisher: first those in the text, in order, then the others.

    `start` and `end` mark the publisher's name in `article.text`; they are -1 for a name from a removed block or the
    host of a link. A publisher never credits itself.
    """
    own = {_plain(article.publisher), _plain(_host_name(article.url))} - {""}
    found: dict[str, Credit] = {}
    outlets = [mention for mention in mentions if mention.kind is EntityKind.OUTLET]
    candidates = sorted(
        [
            *_beside(article.text, outlets),
            *_first_by(article.text),
            *_datelines(article.text),
            *_lines(article, outlets),
        ],
        key=lambda credit: (credit.start < 0, credit.start),
    )
    for credit in [*candidates, *_linked(article, outlets)]:
        key = _plain(credit.name)
        if key and not any(key == name or key in name or name in key for name in own):
            found.setdefault(key, credit)
    links = {credit.name: credit.url for credit in _linked(article, outlets)}
    return tuple(
        credit if credit.url or credit.name not in links else replace(credit, url=links[credit.name])
        for credit in found.values()
    )


def _beside(text: str, outlets: list[Mention]) -> Iterator[Credit]:
    """Find publishers next to words of reporting: "first reported by X", "X reported", "told X", "X's report"."""
    for mention in outlets:
        before = text[max(0, mention.start - _WINDOW) : mention.start]
        after = text[mention.end : mention.end + _WINDOW]
        match = _BEFORE.search(before) or _COPYRIGHT.search(before) or _AFTER.match(after) or _POSSESSED.match(after)
        if match is not None:
            yield Credit(mention.name, mention.start, mention.end, " ".join(match["cue"].split()).lower())


def _first_by(text: str) -> Iterator[Credit]:
    """Find publishers missing from the lexicon after "first reported by"."""
    for match in _FIRST_BY.finditer(text):
        name = re.sub(r"['’]s$", "", match["name"]).rstrip(".")
        start = match.start("name")
        yield Credit(name, start, start + len(name), match["cue"].lower())


def _datelines(text: str) -> Iterator[Credit]:
    """Find the agency in a dateline: "LONDON (Reuters) - ..."."""
    match = _DATELINE.match(text[:400])
    if match:
        yield Credit(match["name"], match.start("name"), match.end("name"), "dateline")


def _lines(article: Article, outlets: list[Mention]) -> Iterator[Credit]:
    """Read source lines in the text and in the blocks removed from it."""
    for match in _SOURCE_LINE.finditer(article.text):
        if not _PICTURE.search(match[0]):
            for name, start, end in _names(match["names"], match.start("names")):
                yield Credit(name, start, end, "source line")
    for block in article.removed_blocks:
        for match in _SOURCE_LINE.finditer(block.text):
            if not _PICTURE.search(match[0]):
                for name, _, _ in _names(match["names"], 0):
                    known = next((m.name for m in outlets if _plain(m.text) == _plain(name)), name)
                    yield Credit(known, -1, -1, "source line")


def _names(line: str, offset: int) -> Iterator[tuple[str, int, int]]:
    """Split "Engadget, The Verge and BBC" into names with offsets; a line that is a sentence has none."""
    for match in re.finditer(r"(?:(?!\s*(?:,|;|/|\||\band\b|&\s))[^,;/|])+", line):
        name = re.sub(r"^\s*(?:and|&)\s+", "", match[0]).strip(" .()[]")
        if name and name[0].isalnum() and (name[0].isupper() or "." in name) and len(name.split()) <= 5:
            start = offset + match.start() + match[0].index(name)
            yield name, start, start + len(name)


def _linked(article: Article, outlets: list[Mention]) -> Iterator[Credit]:
    """Read external links whose text mentions a report; the publisher is a name near the link, or the host."""
    home = _host_name(article.url)
    for address, anchor in article.links:
        host = _host_name(address)
        if not host or host == home or not _ANCHOR.search(anchor):
            continue
        at = article.text.find(anchor)
        near = [m for m in outlets if at >= 0 and at - _WINDOW <= m.start <= at + len(anchor) + _WINDOW]
        known = [m for m in near if _plain(host.split(".")[0]) in _plain(m.name) or _plain(m.text) in _plain(host)]
        if known:
            yield Credit(known[0].name, known[0].start, known[0].end, "link", address)
        elif re.search(r"\breport", anchor, re.I):
            yield Credit(host, -1, -1, "link", address)


def _host_name(address: str) -> str:
    try:
        return (urlsplit(address).hostname or "").removeprefix("www.").casefold()
    except ValueError:
        return ""


def _plain(name: str) -> str:
    name = re.sub(r"\.(?:com|org|net|co\.uk)$", "", name.casefold().strip())
    return re.sub(r"\W+", "", name.removeprefix("the "))
