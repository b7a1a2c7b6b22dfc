"""Scores whether a text is about the oversight of AI, without parsing.

Cues are found with Aho-Corasick, so unrelated news costs almost nothing. What distinguishes oversight of AI from other
AI news and from other regulation is not how often words of either kind occur, but that they occur together. Two scores
measure that, and either suffices. The first adds up passages (three neighbouring paragraphs) in which words that are
surely about AI occur with words of oversight. The second is for texts that hardly mention "AI" ("the lab gave the
testers the weights of its model"): it multiplies the traces of AI in a stretch of text, less the words of other fields
that have models and tests too, by the words of oversight there.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from pipeline.nlp.relevance.terms import ACT, AI, COMPANY, DEED, ELSEWHERE, KINDS, TRACE, Term, finder
from scrapers.reading.decoding import whole

THRESHOLD = 7.0  # minimum score of a relevant text; chosen on documents with and without AI oversight
# From this score on, claims are extracted anyway: one sure claim makes an article relevant (pipeline/nlp/pipeline.py).
# Between the two scores, 34 of 36 stories on AI oversight have such a claim, and one of 5 texts on other subjects.
DOUBT = 4.0
LONGEST = 400_000  # maximum number of characters scored; no article is longer
PASSAGE = 3  # paragraphs
STRETCH = 1500  # characters within which traces of AI and words of oversight count together
SHORTEST = 200  # characters; a shorter text is scored as if it had this length
_PARAGRAPH = re.compile(r"\n\s*\n|\n")
# Parameters of the second score, chosen on the annotated documents, the training stories of the event model and news of
# other subjects. A logistic model of the same quantities, cross-validated by story, was no better.
# AI news says "AI" constantly, so any number of words that are surely about AI add this much to the traces.
SURE = 3.0
CHANCE = 2.0  # traces, and words of oversight, that a text on any subject has by chance
MOST_DEEDS = 6
CROWDING = (
    0.75  # exponent of the length by which the product is divided, since short texts have fewer words of any kind
)
SCALE = 2.0  # brings the product to the scale of THRESHOLD
_ENOUGH_TRACES = 2.0  # for a title and summary


@dataclass(frozen=True, slots=True)
class Relevance:
    """The result for one text.

    `score` grows with the evidence and is compared with THRESHOLD; `ai` and `oversight` are the distinct words
    found, in order of first occurrence.
    """

    relevant: bool
    score: float
    ai: tuple[str, ...]
    oversight: tuple[str, ...]

    @property
    def doubtful(self) -> bool:
        """Whether only extraction can decide: the score lies between DOUBT and THRESHOLD."""
        return not self.relevant and self.score >= DOUBT


def judge_relevance(title: str, text: str) -> Relevance:
    """Score how surely a text is about the oversight of AI.

    The title counts as a paragraph of its own, and its AI words count in every passage: an article headed "Halden
    AI sued" goes on to say "the company".
    """
    title = (title or "").strip()
    looked_at = whole(f"{title}\n{text or ''}"[:LONGEST])
    hits = finder().find(looked_at)
    breaks = [match.start() for match in _PARAGRAPH.finditer(looked_at)]
    paragraphs: dict[int, list[Term]] = {}
    for start, cue in hits:
        paragraphs.setdefault(bisect_right(breaks, start), []).append(cue)
    titled_ai = any(cue.kind == AI for cue in paragraphs.get(0, ()))
    score = max(_score(paragraphs, len(breaks) + 1, titled_ai), _stretch_score(hits, len(title), len(looked_at)))
    return Relevance(
        relevant=score >= THRESHOLD,
        score=round(score, 2),
        ai=_distinct(cue.text for _, cue in hits if cue.kind == AI),
        oversight=_distinct(cue.text for _, cue in hits if cue.kind in (ACT, COMPANY)),
    )


def _score(paragraphs: dict[int, list[Term]], count: int, titled_ai: bool) -> float:
    """Add up the three best passages that do not share a paragraph; oversight words in the title count twice."""
    passages = []
    for first in range(count):
        window = [cue for index in range(first, first + PASSAGE) for cue in paragraphs.get(index, ())]
        passages.append((_passage_score(window, titled_ai), first))
    best, taken = 0.0, set[int]()
    for score, first in sorted(passages, key=lambda passage: (-passage[0], passage[1])):
        if len(taken) == 3 or score == 0.0:
            break
        if all(abs(first - other) >= PASSAGE for other in taken):
            taken.add(first)
            best += score
    return best + _passage_score(paragraphs.get(0, []), titled_ai)


def _passage_score(cues: list[Term], titled_ai: bool) -> float:
    """Weigh the distinct oversight words of a passage by how surely the passage is about AI."""
    ai = sum(cue.kind == AI for cue in cues)
    about_ai = min(1.0, ai / 2 + (0.5 if titled_ai else 0.0))
    if not about_ai:
        return 0.0
    oversight = {cue.key: cue for cue in cues if cue.kind in (ACT, COMPANY)}
    weight = sum(cue.weight for cue in oversight.values())
    acts = any(cue.kind == ACT for cue in oversight.values())
    return about_ai * weight if acts else 0.0


def _stretch_score(hits: list[tuple[int, Term]], title_end: int, size: int) -> float:
    """Return the greatest product of AI and oversight in any stretch of a text of `size` characters.

    The words of the title belong to every stretch.
    """
    inside = _Stretch()
    body = 0
    while body < len(hits) and hits[body][0] < title_end:
        inside.enter(hits[body][1])
        body += 1
    best, first = inside.score(), body
    for start, cue in hits[body:]:
        inside.enter(cue)
        while hits[first][0] < start - STRETCH:
            inside.leave(hits[first][1])
            first += 1
        best = max(best, inside.score())
    return best / (min(max(size, SHORTEST), STRETCH) / STRETCH) ** CROWDING / SCALE


class _Stretch:
    """The distinct cues of a stretch and the weight of each group."""

    def __init__(self) -> None:
        self._times: Counter[tuple[str, str]] = Counter()
        self._weight = dict.fromkeys(KINDS, 0.0)

    def enter(self, cue: Term) -> None:
        self._times[cue.kind, cue.key] += 1
        if self._times[cue.kind, cue.key] == 1:
            self._weight[cue.kind] += cue.weight

    def leave(self, cue: Term) -> None:
        self._times[cue.kind, cue.key] -= 1
        if self._times[cue.kind, cue.key] == 0:
            self._weight[cue.kind] -= cue.weight

    def traces(self) -> float:
        return max(0.0, self._weight[TRACE] - self._weight[ELSEWHERE])

    def ai(self) -> float:
        return (SURE if self._weight[AI] else 0.0) + self.traces()

    def mixes(self) -> bool:
        """Return whether both a trace of AI and a word of oversight occur."""
        return bool(self._weight[TRACE] and (self._weight[ACT] or self._weight[COMPANY] or self._weight[DEED]))

    def score(self) -> float:
        weight = self._weight
        oversight = weight[ACT] + weight[COMPANY] + min(weight[DEED], MOST_DEEDS)
        # AI news is full of presidents, safety and promises: without an act they count among traces alone.
        ai = self.ai() if weight[ACT] else self.traces()
        return max(0.0, ai - CHANCE) * max(0.0, oversight - CHANCE)


def _distinct(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))


def passes_topic(text: str) -> bool:
    """Return whether a feed entry's title and summary may be about AI: the cheap filter before an entry is fetched.

    A fetch is cheap and an entry that is not fetched is lost, so two traces suffice, or one with a word of
    oversight.
    """
    said = _Stretch()
    for _, cue in finder().find(whole(text[:LONGEST])):
        said.enter(cue)
    return said.ai() >= _ENOUGH_TRACES or said.mixes()
