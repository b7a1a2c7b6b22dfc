"""Finds where names of persons, companies and bodies begin and end among capitalised words.

A title can precede a name in the same capitals: "Assistant Technology Minister Dana Roe", "Minister of Industry,
Science and Trade Dana Roe".
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from pipeline.lexicon.common_nouns import NOUN_KINDS, PERSON_TITLES, TIME_WORDS
from pipeline.lexicon.inflection import singular
from pipeline.records import EntityKind

if TYPE_CHECKING:
    from spacy.tokens import Doc, Token

_PORTFOLIO = re.compile(
    r"\b(?:Minister|Secretary|Commissioner|Chancellor|Chair|Director) (?:of|for) "
    r"(?:the )?(?P<field>[A-Z][\w-]+(?:, [A-Z][\w-]+)*,? (?:and|&) [A-Z][\w-]+(?: [A-Z][\w-]+){0,2}?) "
    r"(?P<name>[A-Z][\w'’.-]+ [A-Z][\w'’-]+)(?! [A-Z])"
)
_PART = re.compile(r"[A-Z][\w'’-]+|[A-Z]\.")
PLURAL_BODIES = re.compile(
    r"\b(?P<body>Department|Ministr|Secretar)(?:s|ies) (?P<of>of|for) (?:the )?"
    r"(?P<names>[A-Z]\w+(?: [A-Z]\w+)*(?:, (?:the )?[A-Z]\w+(?: [A-Z]\w+)*)*,? and (?:the )?[A-Z]\w+(?: [A-Z]\w+)*)"
)

_LEGAL_FORM = re.compile(
    r",? (?:Inc|Incorporated|Ltd|Limited|LLC|LLP|Corp|Corporation|plc|PLC|GmbH|Pty|AG|AB)\b(?:\.(?= [a-z(]))?"
)


def person_at(text: str, start: int, end: int) -> int:
    """Return where a name begins in the capitalised words from `start` to `end`, after any title.

    The result is `end` if all words are part of a title: the "Science" of "Minister of Science and Trade Dana
    Roe".
    """
    for match in _PORTFOLIO.finditer(text, max(0, start - 120), min(len(text), end + 120)):
        if match.start("field") <= start < match.end("field"):
            return match.start("name") if end >= match.end("name") else end
    words = list(re.finditer(r"\S+", text[start:end]))
    for n, word in enumerate(words[1:-2], 1):
        name = words[n + 1 :]
        of_person = NOUN_KINDS.get(word[0].lower()) is EntityKind.PERSON or word[0].endswith(".")  # "Prof."
        title = word[0] in PERSON_TITLES and of_person
        if title and len(name) <= 3 and all(_part_of_name(part[0]) for part in name):
            return start + name[0].start()
    return start


def _part_of_name(word: str) -> bool:
    return _PART.fullmatch(word) is not None and word.lower() not in NOUN_KINDS


def bodies_listed_together(text: str) -> list[tuple[int, int, str]]:
    """Return (start, end, full name) of each body in "the Departments of Energy, Defense and Homeland Security"."""
    found = []
    for match in PLURAL_BODIES.finditer(text):
        body = {"Department": "Department", "Ministr": "Ministry", "Secretar": "Secretary"}[match["body"]]
        for n, name in enumerate(re.finditer(r"[A-Z]\w+(?: [A-Z]\w+)*", match["names"])):
            at = match.start("names")
            start = at + name.start() if n else match.start()
            found.append((start, at + name.end(), f"{body} {match['of']} {name[0]}"))
    return found


def with_legal_form(plain: str, end: int) -> int:
    """Return where a company's name ends with its legal form: "Meta Platforms Inc", "Orchid Labs Ltd"."""
    form = _LEGAL_FORM.match(plain, end)
    return form.end() if form else end


_GOES_ON = re.compile(r"(?:['’]s?)? (?:(?:of|for) )?[A-Z]|-")
_BEFORE = re.compile(r"\b(?:(?P<of>[A-Z]\w+ of)|(?P<word>[A-Z][a-z]+)) $")


def in_longer_name(text: str, start: int, end: int, openers: Collection[str]) -> bool:
    """Return whether a city's name is part of a longer one, such as "Seoul Women's University".

    `openers`: capitalised words that are part of no name.
    """
    if _GOES_ON.match(text, end):
        return True
    before = _BEFORE.search(text[max(0, start - 30) : start])
    if before is None:
        return False
    return bool(before["of"]) or before["word"] not in openers and before["word"].lower() not in TIME_WORDS


def is_presented(last: Token) -> bool:
    """Return whether a name, given its last token, is presented as a person's: "Lee Min-jung, a professor"."""
    for child in last.rights:
        if child.dep_ == "appos" and NOUN_KINDS.get(singular(child.lower_)) is EntityKind.PERSON:
            return True
        if child.dep_ == "relcl" and any(token.lower_ == "who" for token in child.doc[last.i + 1 : child.i]):
            return True
    return False


_OFFICES = frozenset({EntityKind.AGENCY, EntityKind.ORGANISATION, EntityKind.GOVERNMENT, EntityKind.INSTRUMENT})


def reads_as_person(tokens: Iterable[str]) -> bool:
    """Return whether capitalised words look like a person's name: two or three, none of them a word for a body."""
    words = " ".join(tokens).split()
    named = 2 <= len(words) <= 3 and all(_PART.fullmatch(word) for word in words)
    return named and not any(NOUN_KINDS.get(singular(word.lower())) in _OFFICES for word in words)


def of_the(doc: Doc, i: int, before: Token) -> bool:
    """Return whether "of the" continues the name of a body: "Office of the Privacy Commissioner"."""
    if i + 2 >= len(doc) or doc[i].lower_ not in ("of", "for") or doc[i + 1].lower_ != "the":
        return False
    return NOUN_KINDS.get(singular(before.lower_)) is EntityKind.AGENCY
