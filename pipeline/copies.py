"""Which texts are copies of one another: texts by id come in, pairs with their measured likeness go out.

MinHash over word shingles proposes pairs, an exact count of shared shingles decides. A copy shares much of the whole,
or nearly all of the shorter text stands in the longer one (a reprint with a paragraph of its own, or cut short).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping

from rensa import RMinHash

SHINGLE = 3  # words
JACCARD = 0.40
CONTAINED = 0.65
MIN_SHINGLES = 25  # a shorter text is too short to be called a copy
_PERMUTATIONS, _ROWS, _SEED = 128, 2, 20260501
_WORD = re.compile(r"\w+")


def shingles(text: str) -> frozenset[str]:
    """Return the runs of SHINGLE words, case folded."""
    words = _WORD.findall(text.casefold())
    return frozenset(" ".join(words[i : i + SHINGLE]) for i in range(len(words) - SHINGLE + 1))


def find_copies(texts: Mapping[str, str]) -> dict[tuple[str, str], float]:
    """Return the likeness (0 to 1) of each pair of ids, smaller id first, whose texts are near-duplicates."""
    sets = {key: found for key in sorted(texts) if len(found := shingles(texts[key])) >= MIN_SHINGLES}
    buckets: dict[tuple[int, ...], list[str]] = defaultdict(list)
    for key, found in sets.items():
        sketch = RMinHash(_PERMUTATIONS, _SEED)
        sketch.update(sorted(found))
        digest = sketch.digest()
        for band in range(0, _PERMUTATIONS, _ROWS):
            buckets[(band, *digest[band : band + _ROWS])].append(key)
    pairs = {
        (one, other)
        for members in buckets.values()
        for position, one in enumerate(members)
        for other in members[position + 1 :]
    }
    likeness = {}
    for one, other in sorted(pairs):
        shared = len(sets[one] & sets[other])
        jaccard = shared / len(sets[one] | sets[other])
        contained = shared / min(len(sets[one]), len(sets[other]))
        if jaccard >= JACCARD or contained >= CONTAINED:
            likeness[one, other] = round(max(jaccard, contained), 3)
    return likeness
