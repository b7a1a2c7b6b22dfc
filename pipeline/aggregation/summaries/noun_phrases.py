"""Turns names into English noun phrases: articles, lists, plural or singular."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from pipeline.records import EntityKind, Participant

MAX_LISTED = 4
_WITH_THE = re.compile(
    r"\b(?:Department|Office|Commission|Institute|Center|Centre|Agency|Bureau|Ministry|Court|Committee|Council|Senate|"
    r"House|Authority|[Gg]overnment|[Aa]dministration|Union|Board|Association|Federation|Legislature|Parliament|"
    r"Task Force|States|Kingdom|Congress|Academy|Society|Foundation|Service|Garante|Pentagon|Secretary|Assistant|"
    r"Advis[oe]r|Attorney General|Director|[Cc]ommunity|Group|Registry|Ombudsman|Inspectorate|Tribunal|Assembly|"
    r"Chamber|University of)\b|^(?:G7|G20|EU|UN|UK|US)$"
)
_TITLE = re.compile(r"^[A-Z][a-z]+ing [A-Z]|^(?:\S+ ){6,}\S+$")  # reads as a heading, not as a noun
_INSTRUMENT_THE = re.compile(
    r"\b(?:Act|Bill|Framework|Plan|Memorandum|Code|Declaration|Program(?:me)?|Mission|Initiative|Rule|Rules|"
    r"Regulation|Directive|Convention|Treaty|Charter|Accord|Agreement|Standard|Policy|Strategy|Blueprint|Roadmap)\b"
)
_DETERMINED = re.compile(
    r"^(?:the|a|an|its|his|her|their|our|this|that|these|those|some|all|any|no|more|many|several|both|each|every|"
    r"one|two|three|four|five|six|seven|eight|nine|ten|dozens|state|states)\b(?!-)|^\d+ |[’']s? ",
    re.I,
)
_ONLY_ONE = re.compile(
    r"^(?:first|second|third|only|same|latest|last|next|other|rest|former|current)\b|"
    r"^(?:opposition|government|judiciary|public|press|cabinet|military|police)$"
)
_OF = re.compile(
    r" (?:of|on|for|in|to|about|over|with|under|by|from|that|which|used|made|at|against|between|announced|issued|"
    r"adopted|signed) "
)
_AI_WORDS = re.compile(r"AI [a-z]")
_INNER_CAPITAL = re.compile(r"[a-z]+[A-Z]")  # xAI, iFlytek
_MASS = re.compile(
    r"\b(?:technology|software|data|access|guidance|information|legislation|equipment|hardware|funding|research|use|"
    r"intelligence|training|compute|commerce|business|work|advice|documentation|permission|support|activity|authority|pressure)$"
)


def head(name: str) -> str:
    """Return the head noun of a description: "models" of "new models of OpenAI"."""
    return _OF.split(name, maxsplit=1)[0].split()[-1] if name.split() else ""


def is_plural(name: str, kind: EntityKind | None = None) -> bool:
    """Return True for a plural description ("AI developers"); a proper name is singular."""
    if kind is EntityKind.GROUP and re.search(r"[a-z]{2}s$", name) and not re.search(r"(?:ss|us|is|ics)$", name):
        return True
    if (
        kind is not EntityKind.GROUP
        and name[:1].isupper()
        and not re.match(r"^(?:AI|U\.S\.|American|European|State|Federal) [a-z]", name)
    ):
        return False
    last = head(name).casefold()
    return last.endswith("s") and not last.endswith(("ss", "us", "is", "ics")) or last in ("people", "men", "women")


def noun(name: str, kind: EntityKind) -> str:
    """Return a name with its English article: "the U.S. Senate", "a draft rule", "OpenAI", "SB 53"."""
    name = re.sub(r"^(?:our|my|your) ", "its ", " ".join(name.split())).removeprefix("own ")
    if name.startswith("such "):
        rest = name.removeprefix("such ")
        return name if is_plural(rest, kind) or _DETERMINED.search(rest) else f"such {_a(rest)} {rest}"
    if not name or kind is EntityKind.PERSON or re.match(r"(?i)(?:the|a|an) ", name):
        return name
    if kind is EntityKind.INSTRUMENT and _TITLE.search(name) and name[:1].isupper():
        return f"“{name}”"
    if kind is EntityKind.INSTRUMENT and name[:1].isupper() and not _AI_WORDS.match(name):
        numbered = re.search(r"\b(?:\d+[-\w.]*|[IVX]+)$", name)
        return name if numbered or not _INSTRUMENT_THE.search(name) or _DETERMINED.search(name) else f"the {name}"
    if _ONLY_ONE.match(name) or re.match(r"(?!people|children|women|men|today|yesterday)[a-z-]+[’']s ", name):
        return f"the {name}"
    if (
        any(c.isupper() for c in name.split()[0])
        and not _AI_WORDS.match(name)
        and (kind is not EntityKind.GROUP or _INNER_CAPITAL.match(name))
    ):
        if kind in (EntityKind.MODEL, EntityKind.OUTLET, EntityKind.PLACE) or re.search(r"[’']s? ", name):
            return name
        return f"the {name}" if _WITH_THE.search(name) and not re.match(r"(?:Google|Amazon|Congress)", name) else name
    if is_plural(name, kind) or _DETERMINED.search(name) or _MASS.search(_OF.split(name, maxsplit=1)[0]):
        return name
    return f"{_a(name)} {name}"


def _a(name: str) -> str:
    first = re.sub(r"^[^\w$€£]+", "", name)
    if re.match(r"(?i)(?:eu|uni[^nm]|use|uk|one\b|[$€£](?!8|11|18))", first):
        return "a"
    if re.match(r"[AEFHILMNORSX][A-Z0-9]", first) or re.match(r"[$€£]?(?:8|11\b|18\b)", first):
        return "an"
    return "an" if first[:1].casefold() in "aeiou" else "a"


def listing(phrases: Sequence[str]) -> str:
    """Return "A", "A and B", "A, B and C"; a long list ends with the number of others."""
    unique = list(dict.fromkeys(p for p in phrases if p))
    if len(unique) > MAX_LISTED:
        unique = [*unique[: MAX_LISTED - 1], f"{len(unique) - MAX_LISTED + 1} others"]
    if len(unique) < 2:
        return "".join(unique)
    return f"{', '.join(unique[:-1])} and {unique[-1]}"


def parties(participants: Iterable[Participant], role: str) -> tuple[str, bool]:
    """Return the phrase for everybody in a role, and whether it is plural; ("", False) for nobody."""
    those = [p for p in participants if p.role == role and re.search(r"[^\W\d_]", p.name)]  # "58" names nobody
    names = list(dict.fromkeys(noun(p.name, p.kind) for p in those))
    plural = len(names) > 1 or bool(those and is_plural(those[0].name, those[0].kind))
    return listing(names), plural


def sentence(words: str) -> str:
    """Return words as a sentence: capital first letter, one full stop."""
    words = " ".join(words.split()).replace(" ,", ",")
    first = words[:1] if words[1:2].isupper() else words[:1].upper()  # "xAI" keeps its lower-case letter
    return first + words[1:] + ("" if words.endswith((".", "?", "!")) else ".")
