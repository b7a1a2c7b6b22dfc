"""Splits the text of an article into paragraphs and classifies each; only those of kind BODY give claims."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

BODY = "body"
LONGEST = 5000  # maximum number of characters parsed as one piece
_LINE = re.compile(r"[^\r\n\f\v\x85\u2028\u2029]+")
_BULLET = re.compile(r"^(?:[-–—*•·▪◦‣>]+|\(?[0-9]{1,2}[.)]|\([a-z]{1,3}\)|\\\([a-z]{1,3}\\\))\s+")
_DATELINE = re.compile(  # "GAITHERSBURG, Md. (AP) — ", "PARIS, 6 September – "
    r"^[A-ZÀ-ÖØ-Þ]{3}[A-ZÀ-ÖØ-Þ .'’-]*(?:,\s+[A-Z][\w.]+(?:\s[A-Z][\w.]+)?)?"
    r"(?:,\s+(?:[A-Z][a-z]+\.?\s+\d{1,2}|\d{1,2}\.?\s+[A-Z][a-z]+\.?)(?:,?\s+\d{4})?)?\s*(?:\([A-Z][\w /]+\)\s*)?"
    r"(?:—|–|--|-)+\s+"
)
_ENDS = re.compile(r"[.!?…:;,]['\"”’»)\]*]*$|[.!?…]\s*\[[0-9]+\]$|[”\"]$")
_RELATED = re.compile(
    r"^(?:you (?:may|might) also (?:like|enjoy|be interested)|related(?: (?:stories|articles|posts|reading|"
    r"coverage|content|"
    r"links|topics|news))?|read (?:more|next|also)|more (?:from|on|in|stories)\b.{0,40}|"
    r"recommended(?: (?:for you|reading|"
    r"stories))?|trending(?: now)?|most (?:read|popular)|popular now|up next|further reading|don[’']t miss|"
    r"keep reading|latest (?:news|stories)|what to read next|in case you missed it)\s*:?$",
    re.IGNORECASE,
)
_LINE_RULES = (
    ("credit", re.compile(r"^(?:sources?|via|photo(?:graph)?s?|images?|picture|credits?|image credits?|video|"
                          r"illustration|graphic)\s*:", re.I)),
    ("credit", re.compile(r"(?:\|\s*(?:Getty Images|Reuters|AFP|Bloomberg|AP)\b|"
                          r"Getty Images\s*$|^\(?(?:Photo|Image) (?:by|courtesy))")),
    ("caption", re.compile(r"\b(?:this (?:photo|picture|image|illustration|photo illustration|video grab)|"
                           r"photo illustration|file photo)\b", re.I)),
    ("caption", re.compile(
        r"^(?:[A-Z][\w.’'-]*,? (?:[\w.’'&-]+,? ){0,14}?)(?:speaks|testifies|arrives|attends|looks on|"
        r"gestures|poses|delivers|listens|walks|"
        r"stands|appears|waves|is seen|are seen|pictured|holds up)\b.{0,160}\b(?:19|20)[0-9]{2}\.?$")),
    ("advertising", re.compile(
        r"(?:affiliate (?:link|commission|partner)|as an? (?:amazon )?(?:affiliate|associate)|"
        r"earn(?:s)? (?:a |an )?(?:commission|on qualifying)|"
        r"sign up (?:for|to) (?:our|the|your)|subscribe (?:to|now|for)|our newsletters?|follow us on|"
        r"share this (?:article|story)|"
        r"all rights reserved|advertisement|sponsored (?:content|by)|join the (?:conversation|discussion))", re.I)),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A line of the text without bullet and margins.

    `kind`: body, heading, question, caption, credit, advertising, teaser or repeated.
    """

    start: int
    end: int
    kind: str


def find_paragraphs(text: str) -> list[Paragraph]:
    """Return the paragraphs of a text in order."""
    lines = []
    for match in _LINE.finditer(text):
        start, end = match.span()
        while start < end and text[start].isspace():
            start += 1
        while end > start and text[end - 1].isspace():
            end -= 1
        if start < end:
            lines.append((start, end))
    counts = Counter(text[start:end] for start, end in lines)
    found: list[Paragraph] = []
    related = False
    for start, end in lines:
        line = text[start:end]
        if _RELATED.match(line) and start > len(text) * 0.4:
            related = True
        kind = "teaser" if related else _kind(line, counts[line])
        bullet = _BULLET.match(line) or _DATELINE.match(line)
        found += _pieces(text, start + bullet.end() if bullet else start, end, kind)
    return found


def _kind(line: str, count: int) -> str:
    words = line.split()
    for kind, rule in _LINE_RULES:
        if rule.search(line) and len(words) <= 60:
            return kind
    if not any(character.isalpha() for character in line):
        return "heading"
    if count > 1 and not line.endswith((".", "”", '"')) and len(words) <= 30:
        return "repeated"
    if line.endswith("?") and len(words) <= 25 and len(re.findall(r"[.!?](?:\s|$)", line)) == 1:
        return "question"
    if re.match(r"^[—–―]\s*\w", line) and len(words) <= 12 and not line.endswith("."):
        return "credit"  # the by-line under a quotation
    if not _ENDS.search(line) and len(words) <= 25:
        return "heading"
    letters = [character for character in line if character.isalpha()]
    if len(words) <= 30 and sum(character.isupper() for character in letters) > 0.8 * len(letters) > 8:
        return "heading"
    return BODY


def _pieces(text: str, start: int, end: int, kind: str) -> list[Paragraph]:
    """Cut a paragraph that is too long for the parser at the end of a sentence, else at a blank."""
    pieces = []
    while end - start > LONGEST:
        window = text[start : start + LONGEST]
        ends = [match.end() for match in re.finditer(r"[.!?][\"”’']?\s", window)]
        cut = start + (ends[-1] if ends else (window.rfind(" ") + 1 or LONGEST))
        pieces.append(Paragraph(start, cut, kind))
        start = cut
    if start < end:
        pieces.append(Paragraph(start, end, kind))
    return pieces
