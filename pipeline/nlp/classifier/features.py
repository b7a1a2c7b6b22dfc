"""Tokenizes sentences with their context for the encoder, the same way in training and at run time.

The sentence comes first, the end of the one before it second. Both together have at most MAX_TOKENS tokens; the longer
one is cut at its end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tokenizers import Encoding, Tokenizer

MAX_TOKENS = 160
CONTEXT_CHARACTERS = 120  # of the sentence before; more costs time and adds little


def role_query(type_: str, trigger: str) -> str:
    """Return the context that asks the encoder for the roles in the event of a trigger."""
    return f"{type_.replace('_', ' ')}: {trigger}"


@dataclass(frozen=True, slots=True)
class Batch:
    """Encoded sentences.

    Attributes:
        ids, mask, types: The inputs of the encoder, each [n, tokens].
        own: [n, tokens], 1 on the tokens of the sentence itself.
        offsets: Character offsets of each token in its sentence, (0, 0) outside it.
    """

    ids: np.ndarray
    mask: np.ndarray
    types: np.ndarray
    own: np.ndarray
    offsets: list[list[tuple[int, int]]]


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
        """Pad encodings to the longest one."""
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
            if not arrays["own"][row].any():  # the encoder must pool something even if a sentence has no tokens
                arrays["own"][row, 0] = 1
        return Batch(arrays["ids"], arrays["mask"], arrays["types"], arrays["own"], offsets)


def _end(context: str) -> str:
    """Return the last CONTEXT_CHARACTERS of a context, starting at a word."""
    if len(context) <= CONTEXT_CHARACTERS:
        return context
    cut = context[-CONTEXT_CHARACTERS:]
    return cut if context[-CONTEXT_CHARACTERS - 1].isspace() else cut.partition(" ")[2] or cut
