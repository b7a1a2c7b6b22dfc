"""Sentences and the sentences before them -> token ids for the encoder, alike in training and at run time.

The sentence comes first and the one before it second, as context. Both together have at most MAX_TOKENS tokens: the
longer of them is cut at its end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tokenizers import Encoding, Tokenizer

MAX_TOKENS = 160
CONTEXT_CHARACTERS = 120  # the end of the sentence before that is looked at: more costs time and tells little


def role_query(type_: str, trigger: str) -> str:
    """Return the context that asks, of a sentence, who plays which role in the event that a trigger names."""
    return f"{type_.replace('_', ' ')}: {trigger}"


@dataclass(frozen=True, slots=True)
class Batch:
    """Encoded sentences. All arrays are [n, tokens]; `own` is 1 on the tokens of the sentence itself."""

    ids: np.ndarray
    mask: np.ndarray
    types: np.ndarray
    own: np.ndarray
    offsets: list[list[tuple[int, int]]]  # characters in the sentence; (0, 0) outside it


class Featurizer:
    """Turns sentences into batches with the tokenizer of the encoder."""

    def __init__(self, path: Path, max_tokens: int = MAX_TOKENS) -> None:
        self.max_tokens = max_tokens
        self._tokenizer = Tokenizer.from_file(str(path))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(max_tokens, strategy="longest_first")

    def encode(self, sentences: Sequence[str], previous: Sequence[str] | None = None) -> list[Encoding]:
        """Tokenize sentences with their context ("" for none)."""
        before = previous or [""] * len(sentences)
        return self._tokenizer.encode_batch([(s or " ", _end(p)) for s, p in zip(sentences, before, strict=True)])

    @staticmethod
    def batch(encodings: Sequence[Encoding]) -> Batch:
        """Pad encodings to the longest of them."""
        size = max(len(each.ids) for each in encodings)
        arrays = {name: np.zeros((len(encodings), size), dtype=np.int64) for name in ("ids", "mask", "types", "own")}
        offsets = []
        for row, each in enumerate(encodings):
            n = len(each.ids)
            arrays["ids"][row, :n] = each.ids
            arrays["mask"][row, :n] = 1
            arrays["types"][row, :n] = each.type_ids
            arrays["own"][row, :n] = [part == 0 for part in each.sequence_ids]
            offsets.append(
                [span if part == 0 else (0, 0) for span, part in zip(each.offsets, each.sequence_ids, strict=True)]
            )
            if not arrays["own"][row].any():  # a sentence without any token still needs something to pool
                arrays["own"][row, 0] = 1
        return Batch(arrays["ids"], arrays["mask"], arrays["types"], arrays["own"], offsets)


def _end(context: str) -> str:
    """Return the end of a context, from a word's beginning on."""
    if len(context) <= CONTEXT_CHARACTERS:
        return context
    cut = context[-CONTEXT_CHARACTERS:]
    return cut if context[-CONTEXT_CHARACTERS - 1].isspace() else cut.partition(" ")[2] or cut
