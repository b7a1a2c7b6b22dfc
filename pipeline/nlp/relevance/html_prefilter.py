"""Decides from the raw bytes of a page whether its article may be about the oversight of AI, before anything is parsed.

The prefilter is much cheaper than reading the page and never stricter than the relevance score: it finds the score's
cues among all words of the page (page_words.py) and weighs them as the score does, but rounds up wherever it lacks
information. It does not know paragraphs, so a passage is a stretch of _PASSAGE characters. The article may be shorter
than the page, so a dense short stretch counts as a short article. Words of other fields subtract nothing, since they
may lie outside the article. Borderline articles therefore pass as well (tests/unit/test_html_prefilter.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from ahocorasick_rs import BytesAhoCorasick, Implementation

from pipeline.nlp.relevance.score import CHANCE, CROWDING, MOST_DEEDS, SCALE, SHORTEST, STRETCH, SURE, THRESHOLD
from pipeline.nlp.relevance.terms import ACT, AI, COMPANY, DEED, ELSEWHERE, TRACE, Term, finder
from scrapers.reading.page_words import page_words, plain_words

_PASSAGE = 5_000  # characters that contain three neighbouring paragraphs and what a page puts between them
_TITLE = 250
_APART = 150  # characters between the beginnings of two passages
_STEP = 40
_HEAD = 2_000  # characters of a page that contain its title
_FOREIGN = 1.25  # factor by which a stretch of an article may be longer on its page
_SIZES = (1500, 1100, 800, 580, 420, 300, 200)  # article lengths in characters that are tried
_KIND = {AI: 0, TRACE: 1, ACT: 2, COMPANY: 3, DEED: 4}
Hit = tuple[int, int, int, float]  # place, kind, key, weight


class Prefilter:
    """Finds the cues of the relevance score in the words of a page."""

    def __init__(self, cues: Sequence[Term]) -> None:
        cues = [cue for cue in cues if cue.kind != ELSEWHERE]
        keys: dict[tuple[str, str], int] = {}
        self._cues = [(_KIND[cue.kind], keys.setdefault((cue.kind, cue.key), len(keys)), cue.weight) for cue in cues]
        self._machine = BytesAhoCorasick(list(map(_pattern, cues)), implementation=Implementation.ContiguousNFA)

    def may_be_relevant(self, words: bytes) -> bool:
        """Return whether words from page_words() may hold a relevant article."""
        cues = self._cues
        found = self._machine.find_matches_as_indexes(words, overlapping=True)
        seen = {cues[index] for index in {hit[0] for hit in found}}
        kinds = {kind for kind, _, _ in seen}
        surely = 0 in kinds and 2 in kinds  # a word that is surely about AI counts only with an act
        traces = sum({key: weight for kind, key, weight in seen if kind == 1}.values())
        if not surely and traces <= CHANCE:
            return False
        hits = [(start, *cues[index]) for index, start, _ in found]
        hits.sort()
        return (surely and _passages(hits) >= THRESHOLD) or _stretches(hits)


def _pattern(cue: Term) -> bytes:
    words = plain_words(cue.text.encode())
    return words[:-1] if cue.open_ended else words


@lru_cache(maxsize=1)
def prefilter() -> Prefilter:
    """Return the prefilter for the packaged words and names."""
    return Prefilter(finder().cues())


def may_pass(body: bytes | bytearray, charset: str = "") -> bool:
    """Return whether the article on a page may be relevant."""
    return prefilter().may_be_relevant(page_words(body, charset))


def text_may_pass(text: str) -> bool:
    """Return whether a title and the raw paragraphs of a body may be relevant."""
    return prefilter().may_be_relevant(plain_words(text.encode("utf-8", "replace")))


def _passages(hits: list[Hit]) -> float:
    """Return an upper bound of the score by passages: the three best and the title.

    If the title has a word about AI, the word is at the head of the page or occurs elsewhere too. Passages share no
    paragraph, so at most as many of them as there are such words hold one.
    """
    places = [start for start, kind, _, _ in hits if kind == 0]
    titled = 0.5 if len(set(places)) > 1 or places[0] < _HEAD else 0.0
    best = max(_scored(hits, _TITLE, titled))[0] if titled else 0.0
    taken: list[int] = []
    for score, start in sorted(_scored(hits, _PASSAGE, titled), reverse=True):
        if len(taken) == (3 if titled else 1) or not score or best >= THRESHOLD:
            break
        if all(abs(start - other) >= _APART for other in taken):
            taken.append(start)
            best += score
    return best


def _scored(hits: list[Hit], length: int, titled: float) -> list[tuple[float, int]]:
    """Return the passage scores of stretches of a length, with their places, up to the first that suffices."""
    scored: list[tuple[float, int]] = []
    last = len(hits)
    for first, (start, _, _, _) in enumerate(hits):
        if scored and start - scored[-1][1] < _STEP:
            continue
        ai, weights, acts, at = 0, {}, False, first
        while at < last and hits[at][0] <= start + length:
            _, kind, key, weight = hits[at]
            if kind == 0:
                ai += 1
            elif kind in (2, 3):
                weights[key] = weight
                acts = acts or kind == 2
            at += 1
        scored.append((min(1.0, ai / 2 + titled) * sum(weights.values()) if acts else 0.0, start))
        if scored[-1][0] >= THRESHOLD:
            break
    return scored


def _stretches(hits: list[Hit]) -> bool:
    """Return whether the score by stretches may reach the threshold, whatever the length of the article."""
    need = THRESHOLD * SCALE
    most = _densest(hits, STRETCH * _FOREIGN, need)
    for longer, size in zip((STRETCH, *_SIZES), _SIZES, strict=False):
        if most / _crowd(SHORTEST) < need:
            return False
        if size < STRETCH:
            most = _densest(hits, longer * _FOREIGN, need * _crowd(size))
        if most / _crowd(size) >= need:
            return True
    return False


def _crowd(size: int) -> float:
    return (min(max(size, SHORTEST), STRETCH) / STRETCH) ** CROWDING


def _densest(hits: list[Hit], length: float, enough: float) -> float:
    """Return the greatest product of AI and oversight in any stretch of this length, or the first that suffices."""
    times: dict[int, int] = {}
    held = [0.0] * 5
    best, first = 0.0, 0
    for start, kind, key, weight in hits:
        count = times.get(key, 0)
        times[key] = count + 1
        if not count:
            held[kind] += weight
        edge = start - length
        while hits[first][0] < edge:
            _, old_kind, old_key, old_weight = hits[first]
            times[old_key] -= 1
            if not times[old_key]:
                held[old_kind] -= old_weight
            first += 1
        traces = held[1] + (SURE if held[0] and held[2] else 0.0)
        if traces > CHANCE:
            oversight = held[2] + held[3] + min(held[4], MOST_DEEDS)
            best = max(best, (traces - CHANCE) * max(0.0, oversight - CHANCE))
            if best >= enough:
                break
    return best
