"""Checks the training corpus: format errors, near-duplicate sentences, and counts.

Run `python -m pipeline.nlp.training.corpus_check [FOLDER]`; it exits with 1 if there are faults.
"""

from __future__ import annotations

import hashlib
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from pipeline.nlp.training.corpus import CorpusFault, CorpusReading, Example, read_corpus

NEAR = 0.8  # share of common shingles from which two sentences are near-duplicates
_SHINGLE = 3  # words
_SHORT = 6  # sentences with fewer words may repeat ("Yes, Senator.")
_BANDS, _ROWS = 20, 4  # of MinHash; at a similarity of 0.8 one pair in 50,000 is missed


def check(folder: Path | None = None) -> tuple[CorpusReading, list[CorpusFault]]:
    """Read a corpus and return it with all faults: format errors and near-duplicate sentences."""
    reading = read_corpus(folder)
    return reading, [*reading.faults, *near_duplicates(reading.examples)]


def near_duplicates(examples: Sequence[Example]) -> list[CorpusFault]:
    """Return a fault for each sentence with a Jaccard similarity of at least NEAR to an earlier one, by shingles."""
    shingles = [_shingles(each.sentence) for each in examples]
    buckets: dict[tuple[int, tuple[int, ...]], list[int]] = defaultdict(list)
    found: dict[int, int] = {}
    for index, own in enumerate(shingles):
        if len(examples[index].sentence.split()) < _SHORT:
            continue
        signature = _signature(own)
        for band in range(_BANDS):
            key = band, tuple(signature[band * _ROWS : (band + 1) * _ROWS])
            for other in buckets[key]:
                if index not in found and _jaccard(own, shingles[other]) >= NEAR:
                    found[index] = other
            buckets[key].append(index)
    return [
        CorpusFault(examples[index].place, f"This sentence nearly repeats {examples[other].place}. Write another one.")
        for index, other in found.items()
    ]


def _shingles(sentence: str) -> frozenset[str]:
    words = re.findall(r"\w+", sentence.casefold())
    return frozenset(" ".join(words[n : n + _SHINGLE]) for n in range(max(1, len(words) - _SHINGLE + 1)))


def _signature(shingles: frozenset[str]) -> list[int]:
    """Return the MinHash signature: for each of 80 hash functions the minimum over the shingles."""
    prime = (1 << 61) - 1
    hashes = [int.from_bytes(hashlib.blake2b(each.encode(), digest_size=8).digest(), "big") for each in shingles]
    return [min((a * h + b) % prime for h in hashes) for a, b in _COEFFICIENTS]


def _coefficients() -> list[tuple[int, int]]:
    made = []
    for n in range(_BANDS * _ROWS):
        digest = hashlib.blake2b(str(n).encode(), digest_size=16).digest()
        made.append((int.from_bytes(digest[:8], "big") | 1, int.from_bytes(digest[8:], "big")))
    return made


_COEFFICIENTS = _coefficients()


def _jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other)


def counts(examples: Sequence[Example]) -> str:
    """Return the counts of a corpus as text: stories, sentences and claims, by type and other properties."""
    notes = [note for each in examples for note in each.notes]
    with_claims = sum(bool(each.notes) for each in examples)
    lines = [
        f"{len({each.source for each in examples})} stories, {len({each.group for each in examples})} event groups",
        f"{len(examples)} sentences: {with_claims} with claims, {len(examples) - with_claims} without",
        f"{len(notes)} claims, {sum(note.optional for note in notes)} of them optional",
    ]
    for label, values in (
        ("claims by type", [note.type for note in notes]),
        ("claims by modality", [note.modality for note in notes]),
        ("claims by attribution", [note.attribution for note in notes]),
        ("claims by newness", [note.newness for note in notes]),
        ("sentences by register", [each.register for each in examples]),
        ("sentences by region", [each.region for each in examples]),
    ):
        lines.append(f"{label}: " + ", ".join(f"{key} {n}" for key, n in Counter(values).most_common()))
    return "\n".join(lines)


def main(argv: Sequence[str]) -> int:
    folder = Path(argv[0]) if argv else None
    reading, faults = check(folder)
    for fault in faults:
        print(fault)
    print(counts(reading.examples))
    print(f"{len(faults)} faults." if faults else "No faults.")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
