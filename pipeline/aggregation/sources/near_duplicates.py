"""Finds near-duplicate texts.

MinHash over word shingles proposes pairs. Two bands must agree, so that a million texts that share only phrases propose
few. An exact count of shared shingles decides: near-duplicates share much of the whole, or nearly all of the shorter
text (a reprint that was cut or extended).
"""

from __future__ import annotations

import re
import struct
from collections import Counter, defaultdict
from collections.abc import Mapping
from hashlib import blake2b
from itertools import combinations

from rensa import RMinHash

SHINGLE = 3  # words
JACCARD = 0.40
CONTAINED = 0.65
MIN_SHINGLES = 25  # shorter texts are never near-duplicates
_PERMUTATIONS, _ROWS, _SEED = 192, 2, 20260501
SHARED_BANDS = 2  # of 96: proposes 96% of pairs with similarity 0.23, and one in 20,000 with similarity 0.01
_WORD = re.compile(r"\w+")


def shingles(text: str) -> frozenset[str]:
    """Return the runs of SHINGLE words, case folded."""
    words = _WORD.findall(text.casefold())
    return frozenset(" ".join(words[i : i + SHINGLE]) for i in range(len(words) - SHINGLE + 1))


def sketch(found: frozenset[str]) -> tuple[int, ...]:
    """Return the MinHash bands of a text as 63-bit numbers; () if it is too short."""
    if len(found) < MIN_SHINGLES:
        return ()
    minhash = RMinHash(_PERMUTATIONS, _SEED)
    minhash.update(sorted(found))
    digest = minhash.digest()
    bands = (struct.pack(f"<{_ROWS + 1}I", at, *digest[at : at + _ROWS]) for at in range(0, _PERMUTATIONS, _ROWS))
    return tuple(int.from_bytes(blake2b(band, digest_size=8).digest(), "big") >> 1 for band in bands)


def alike(one: frozenset[str], other: frozenset[str]) -> float | None:
    """Return the similarity of two texts by their shingles, 0 to 1; None if they are not near-duplicates."""
    shared = len(one & other)
    jaccard = shared / len(one | other)
    contained = shared / min(len(one), len(other))
    return round(max(jaccard, contained), 3) if jaccard >= JACCARD or contained >= CONTAINED else None


def find_near_duplicates(texts: Mapping[str, str]) -> dict[tuple[str, str], float]:
    """Return the similarity (0 to 1) of each pair of near-duplicates, as (smaller id, larger id)."""
    sets = {key: shingles(texts[key]) for key in sorted(texts)}
    buckets: dict[int, list[str]] = defaultdict(list)
    for key, found in sets.items():
        for band in sketch(found):
            buckets[band].append(key)
    shared = Counter(pair for members in buckets.values() for pair in combinations(members, 2))
    proposed = sorted(pair for pair, n in shared.items() if n >= SHARED_BANDS)
    found_pairs = ((one, other, alike(sets[one], sets[other])) for one, other in proposed)
    return {(one, other): similarity for one, other, similarity in found_pairs if similarity is not None}
