"""A title and a text come in; out goes whether they are about the oversight of AI, with the words that say so.

No parsing: words are found with Aho-Corasick, so that a stream of unrelated news costs almost nothing. What separates
oversight of AI from other AI news and from other regulation is not how often words of either sort occur, but that they
occur together. Two scores measure that, and either suffices. The first adds up passages (three neighbouring paragraphs)
in which words that are surely about AI stand beside words of oversight. The second serves texts that hardly say "AI"
("the lab gave the testers the weights of its model"): it multiplies the traces of AI in a stretch of text, less the
words of other trades that have models and tests too, by the words of oversight there.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from dataclasses import dataclass

from pipeline.nlp.relevance.terms import ACT, AI, COMPANY, DEED, ELSEWHERE, KINDS, TRACE, Cue, finder
from scrapers.reading.decoding import whole

THRESHOLD = 7.0  # score from which a text is relevant; chosen on documents with and without AI oversight
# From this score on an article is read all the same: one sure claim makes it relevant (pipeline/nlp/pipeline.py). Of 36
# training stories and retold reports between the two scores 34 hold one, of 5 texts on other things one.
DOUBT = 4.0
LONGEST = 400_000  # characters that are looked at; beyond that a text is no article
PASSAGE = 3  # paragraphs
STRETCH = 1500  # characters within which traces of AI and words of oversight belong together
SHORTEST = 200  # characters; a shorter text is weighed as if it had so many
_PARAGRAPH = re.compile(r"\n\s*\n|\n")
# How the second score is made; chosen on the annotated documents, on the stories of the claim classifier and on news of
# other subjects. A logistic model of the same quantities, cross-validated by story, was no better.
# AI news says "AI" all the time: many words that are surely about AI weigh among traces as much as one.
SURE = 3.0
CHANCE = 2.0  # what a text on any subject has of traces, and of words of oversight
MOST_DEEDS = 6
CROWDING = 0.75  # short texts have fewer words of any sort: power of the length by which the product is divided
SCALE = 2.0  # brings the product to the scale of THRESHOLD
_ENOUGH_TRACES = 2.0  # for a title and summary


@dataclass(frozen=True, slots=True)
class Relevance:
    """The gate's answer: `score` grows with the evidence and is compared with THRESHOLD; `ai` and `oversight` are the
    distinct words found, in the order of their first occurrence."""

    relevant: bool
    score: float
    ai: tuple[str, ...]
    oversight: tuple[str, ...]

    @property
    def doubtful(self) -> bool:
        """True where only reading can tell: the score lies between DOUBT and THRESHOLD."""
        return not self.relevant and self.score >= DOUBT


def judge_relevance(title: str, text: str) -> Relevance:
    """Say whether a text is about the oversight of AI.

    The title counts as a paragraph of its own and as part of every passage's AI words: an article headed "Halden AI
    sued" goes on to say "the company".
    """
    title = (title or "").strip()
    looked_at = whole(f"{title}\n{text or ''}"[:LONGEST])
    hits = finder().find(looked_at)
    breaks = [match.start() for match in _PARAGRAPH.finditer(looked_at)]
    paragraphs: dict[int, list[Cue]] = {}
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


def _score(paragraphs: dict[int, list[Cue]], count: int, titled_ai: bool) -> float:
    """Add up the three best passages that do not share a paragraph; the title's own oversight words count twice."""
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


def _passage_score(cues: list[Cue], titled_ai: bool) -> float:
    """Weigh the distinct oversight words of a passage by how sure it is that the passage is about AI."""
    ai = sum(cue.kind == AI for cue in cues)
    about_ai = min(1.0, ai / 2 + (0.5 if titled_ai else 0.0))
    if not about_ai:
        return 0.0
    oversight = {cue.key: cue for cue in cues if cue.kind in (ACT, COMPANY)}
    weight = sum(cue.weight for cue in oversight.values())
    acts = any(cue.kind == ACT for cue in oversight.values())
    return about_ai * weight if acts else 0.0


def _stretch_score(hits: list[tuple[int, Cue]], title_end: int, size: int) -> float:
    """Multiply, for each stretch of a text of `size` characters, the AI in it by the oversight in it; the best counts.

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
    """The distinct cues of a stretch, and how much each kind weighs."""

    def __init__(self) -> None:
        self._times: Counter[tuple[str, str]] = Counter()
        self._weight = dict.fromkeys(KINDS, 0.0)

    def enter(self, cue: Cue) -> None:
        self._times[cue.kind, cue.key] += 1
        if self._times[cue.kind, cue.key] == 1:
            self._weight[cue.kind] += cue.weight

    def leave(self, cue: Cue) -> None:
        self._times[cue.kind, cue.key] -= 1
        if self._times[cue.kind, cue.key] == 0:
            self._weight[cue.kind] -= cue.weight

    def traces(self) -> float:
        return max(0.0, self._weight[TRACE] - self._weight[ELSEWHERE])

    def ai(self) -> float:
        return (SURE if self._weight[AI] else 0.0) + self.traces()

    def mixes(self) -> bool:
        """Tell whether some trace of AI and some word of oversight are there."""
        return bool(self._weight[TRACE] and (self._weight[ACT] or self._weight[COMPANY] or self._weight[DEED]))

    def score(self) -> float:
        weight = self._weight
        oversight = weight[ACT] + weight[COMPANY] + min(weight[DEED], MOST_DEEDS)
        # AI news is full of presidents, safety and promises: without an act they count among traces alone.
        ai = self.ai() if weight[ACT] else self.traces()
        return max(0.0, ai - CHANCE) * max(0.0, oversight - CHANCE)


def _distinct(words) -> tuple[str, ...]:
    return tuple(dict.fromkeys(words))


def passes_topic(text: str) -> bool:
    """Say whether a feed's title and summary speak of AI, or may: the cheap filter before an entry is fetched.

    A fetch costs little and an entry not fetched is lost, so that two traces suffice, or one beside any word of
    oversight.
    """
    said = _Stretch()
    for _, cue in finder().find(whole(text[:LONGEST])):
        said.enter(cue)
    return said.ai() >= _ENOUGH_TRACES or said.mixes()
