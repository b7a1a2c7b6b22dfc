"""A title and a text come in; out goes whether they are about the oversight of AI, with the words that say so.

No parsing: words are found with Aho-Corasick, so that a stream of unrelated news costs almost nothing. What separates
oversight of AI from other AI news and from other regulation is not how often words of either sort occur, but that they
occur together: the score adds up passages (three neighbouring paragraphs) in which both do.
"""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ahocorasick_rs import AhoCorasick, MatchKind

THRESHOLD = 7.0  # score from which a text is relevant; chosen on documents with and without AI oversight
LONGEST = 400_000  # characters that are looked at; beyond that a text is no article
PASSAGE = 3  # paragraphs
_WORDS = Path(__file__).parent / "lexicon" / "gate_words.toml"
_PARAGRAPH = re.compile(r"\n\s*\n|\n")
_AI = "ai"
_COMPANY = ("hint", "body")  # groups that say nothing on their own


@dataclass(frozen=True, slots=True)
class Gate:
    """The gate's answer: `score` grows with the evidence and is compared with THRESHOLD; `ai` and `oversight` are the
    distinct words found, in the order of their first occurrence."""

    relevant: bool
    score: float
    ai: tuple[str, ...]
    oversight: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Cue:
    text: str
    group: str
    weight: float
    open_ended: bool  # the word may go on


class _Finder:
    """Finds the cues of both sorts in one text."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            card = tomllib.load(file)
        self._folded = _Automaton(_cues(card, "words"), fold=True)
        self._exact = _Automaton(_cues(card, "exact"), fold=False)

    def find(self, text: str) -> list[tuple[int, _Cue]]:
        return sorted(
            [*self._folded.find(text), *self._exact.find(text)], key=lambda hit: (hit[0], hit[1].group, hit[1].text)
        )


def _cues(card: dict, key: str) -> list[_Cue]:
    groups = [(_AI, 1.0, card["ai"])] + [(name, part["weight"], part) for name, part in card["oversight"].items()]
    return [
        _Cue(word.rstrip("*"), group, weight, word.endswith("*"))
        for group, weight, part in groups
        for word in part.get(key, [])
    ]


class _Automaton:
    def __init__(self, cues: list[_Cue], fold: bool) -> None:
        self._fold = fold
        self._cues = cues
        # Overlapping, because "ai safety institute" is both a body and, with its first word, a word about AI.
        self._machine = AhoCorasick([cue.text for cue in cues], matchkind=MatchKind.Standard)

    def find(self, text: str) -> list[tuple[int, _Cue]]:
        looked_at = _lower(text) if self._fold else text
        size, found = len(text), []
        for index, start, end in self._machine.find_matches_as_indexes(looked_at, overlapping=True):
            cue = self._cues[index]
            if start and looked_at[start - 1].isalnum():
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


@lru_cache(maxsize=1)
def _finder() -> _Finder:
    return _Finder(_WORDS)


def gate(title: str, text: str) -> Gate:
    """Say whether a text is about the oversight of AI.

    The title counts as a paragraph of its own and as part of every passage's AI words: an article headed "Halden AI
    sued" goes on to say "the company".
    """
    title = (title or "").strip()
    whole = f"{title}\n{text or ''}"[:LONGEST]
    hits = _finder().find(whole)
    breaks = [match.start() for match in _PARAGRAPH.finditer(whole)]
    paragraphs: dict[int, list[_Cue]] = {}
    for start, cue in hits:
        paragraphs.setdefault(bisect_right(breaks, start), []).append(cue)
    titled_ai = sum(cue.group == _AI for cue in paragraphs.get(0, ()))
    score = _score(paragraphs, len(breaks) + 1, bool(titled_ai))
    return Gate(
        relevant=score >= THRESHOLD,
        score=round(score, 2),
        ai=_distinct(cue.text for _, cue in hits if cue.group == _AI),
        oversight=_distinct(cue.text for _, cue in hits if cue.group != _AI),
    )


def _score(paragraphs: dict[int, list[_Cue]], count: int, titled_ai: bool) -> float:
    """Add up the three best passages that do not share a paragraph; the title's own oversight words count twice."""
    passages = []
    for first in range(count):
        window = [cue for index in range(first, first + PASSAGE) for cue in paragraphs.get(index, ())]
        passages.append((_passage_score(window, titled_ai), first))
    best, taken = 0.0, set()
    for score, first in sorted(passages, key=lambda passage: (-passage[0], passage[1])):
        if len(taken) == 3 or score == 0.0:
            break
        if all(abs(first - other) >= PASSAGE for other in taken):
            taken.add(first)
            best += score
    return best + _passage_score(paragraphs.get(0, []), titled_ai)


def _passage_score(cues: list[_Cue], titled_ai: bool) -> float:
    """Weigh the distinct oversight words of a passage by how sure it is that the passage is about AI."""
    ai = sum(cue.group == _AI for cue in cues)
    about_ai = min(1.0, ai / 2 + (0.5 if titled_ai else 0.0))
    oversight = {cue.text: cue for cue in cues if cue.group != _AI}
    weight = sum(cue.weight for cue in oversight.values())
    acts = sum(cue.group not in _COMPANY for cue in oversight.values())
    return about_ai * weight if acts else 0.0


def _distinct(words) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))


def passes_topic(text: str) -> bool:
    """Say whether a feed's title and summary speak of AI at all: the cheap filter before an entry is fetched."""
    return any(cue.group == _AI for _, cue in _finder().find(text[:LONGEST]))
