"""Finds the cues of relevance: words about AI, traces of AI and words of oversight.

The words are in lexicon/words/relevance.toml; the names of models, their makers and AI bodies come from the lexicon.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ahocorasick_rs import AhoCorasick, MatchKind

from pipeline.lexicon.entities import Lexicon, Name
from pipeline.lexicon.load import WORDS, load_lexicon
from pipeline.records import EntityKind

# Groups of cues: surely about AI; a trace of AI; an act of oversight; a word of oversight that counts only with others;
# an act common to oversight and many other fields, which counts only among traces of AI; a word of another field.
AI, TRACE, ACT, COMPANY, DEED, ELSEWHERE = "ai", "trace", "act", "company", "deed", "elsewhere"
KINDS = (AI, TRACE, ACT, COMPANY, DEED, ELSEWHERE)
_WORDS = WORDS / "relevance.toml"
_NAMED_AI = re.compile(r"\bAI\b|\bArtificial Intelligence\b")
_BILL = re.compile(r"[A-Z.]{1,4}[ -]?\d+")  # any state can have an "SB 53"
_KINDS = {"specific": ACT, "act": ACT, "hint": COMPANY, "body": COMPANY, "deed": DEED}
_BODIES = (EntityKind.AGENCY, EntityKind.ORGANISATION)


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """A word that counts for relevance.

    `key`: what counts once, however often it occurs: the word itself, for a trace its kind ("weights", "training").
    `open_ended`: the word may continue.
    """

    text: str
    key: str
    kind: str
    weight: float
    open_ended: bool


class TermFinder:
    """Finds the cues in a text."""

    def __init__(self, words: Path, lexicon: Lexicon) -> None:
        with words.open("rb") as file:
            card = tomllib.load(file)
        named = list(_names(card["ai"], lexicon, card["oversight"]["act"]["weight"]))
        self._folded = _Automaton([*_cues(card, "words"), *(cue for cue, exact in named if not exact)], fold=True)
        self._exact = _Automaton([*_cues(card, "exact"), *(cue for cue, exact in named if exact)], fold=False)

    def cues(self) -> list[Term]:
        """Return all cues, those that ignore case first."""
        return [*self._folded.cues, *self._exact.cues]

    def find(self, text: str) -> list[tuple[int, Term]]:
        """Return the cues with their offsets, in the order of the text.

        A trace inside a word that is surely about AI does not count: the "lab" of "Thinking Machines Lab".
        """
        found = [*self._folded.find(text), *self._exact.find(text)]
        found.sort(key=lambda hit: (hit[0], hit[1].text))
        surely = [(start, start + len(cue.text)) for start, cue in found if cue.kind == AI]
        if not surely:
            return found
        starts = [start for start, _ in surely]
        return [hit for hit in found if hit[1].kind != TRACE or not _inside(hit, surely, starts)]


@lru_cache(maxsize=1)
def finder() -> TermFinder:
    """Return the finder for the packaged words and names."""
    return TermFinder(_WORDS, load_lexicon())


def _inside(hit: tuple[int, Term], spans: list[tuple[int, int]], starts: list[int]) -> bool:
    start, end = hit[0], hit[0] + len(hit[1].text)
    nearest = bisect_right(starts, start)
    return any(end <= stop for _, stop in spans[max(0, nearest - 4) : nearest])


def _cues(card: dict, key: str) -> list[Term]:
    groups = [(AI, "", 1.0, card["ai"]), (ELSEWHERE, "", 1.0, card["elsewhere"])]
    groups += [(_KINDS[name], "", part["weight"], part) for name, part in card["oversight"].items()]
    groups += [(TRACE, name, part["weight"], part) for name, part in card["trace"].items()]
    return [
        Term(word.rstrip("*"), sort or word.rstrip("*"), kind, weight, word.endswith("*"))
        for kind, sort, weight, part in groups
        for word in part.get(key, [])
    ]


def _names(card: dict, lexicon: Lexicon, weight: float) -> Iterator[tuple[Term, bool]]:
    """Yield the names that are cues, each with whether its case counts.

    A body that watches over a field weighs as much as an act of oversight, by its plain names. Ambiguous names of
    AI are traces.
    """
    wanted = set(card["makers"])
    for name in lexicon.names:
        entity = lexicon.entities[name.entity_id]
        # An instrument is about AI if any of its names says so, a body only if its main name does.
        said_by = name.text if entity.kind is EntityKind.INSTRUMENT else entity.name
        about_ai = entity.kind in (*_BODIES, EntityKind.INSTRUMENT) and _NAMED_AI.search(said_by)
        if entity.kind is EntityKind.MODEL or about_ai:
            wanted.add(entity.entity_id)
    known = {word.rstrip("*") for word in (*card["words"], *card["exact"])}
    doubtful = set(card["doubtful"])
    for name in lexicon.names:
        if name.entity_id in lexicon.watchdogs and name.kind != "nominal" and not name.needs and len(name.text) > 2:
            text = name.text if name.case_sensitive else name.text.lower()
            yield Term(text, name.entity_id, ACT, weight, False), name.case_sensitive
        if name.entity_id not in wanted or name.kind == "nominal" or known & {name.text, name.text.lower()}:
            continue
        trace = _is_ambiguous(name, doubtful)
        text = name.text if name.case_sensitive else name.text.lower()
        yield Term(text, "name" if trace else text, TRACE if trace else AI, 1.0, False), name.case_sensitive


def _is_ambiguous(name: Name, doubtful: set[str]) -> bool:
    return bool(name.needs) or name.text in doubtful or len(name.text) < 4 or bool(_BILL.fullmatch(name.text))


class _Automaton:
    def __init__(self, cues: list[Term], fold: bool) -> None:
        self._fold = fold
        self.cues = cues
        # Overlapping, because "ai safety institute" is both a body and, with its first word, a word about AI.
        self._machine = AhoCorasick([cue.text for cue in cues], matchkind=MatchKind.Standard)

    def find(self, text: str) -> list[tuple[int, Term]]:
        looked_at = _lower(text) if self._fold else text
        size, found = len(text), []
        for index, start, end in self._machine.find_matches_as_indexes(looked_at, overlapping=True):
            cue = self.cues[index]
            if start and looked_at[start - 1].isalnum() and looked_at[start].isalnum():
                continue
            if not cue.open_ended and end < size and looked_at[end].isalnum():
                continue
            found.append((start, cue))
        return found


def _lower(text: str) -> str:
    """Lower-case a text without changing its length (one Turkish letter lower-cases to two)."""
    lowered = text.lower()
    if len(lowered) == len(text):
        return lowered
    return "".join(letter.lower() if len(letter.lower()) == 1 else letter for letter in text)
