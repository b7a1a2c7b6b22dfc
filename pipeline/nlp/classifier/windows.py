"""Packs the sentences of an article into windows for the encoder, the same way in training and at run time.

A window holds the title, the end of the sentence before, as many whole sentences as fit, and the beginning of the next
sentence. So every sentence is read once, with its context, and a window costs little more than its own sentences.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Tokenizer

MAX_TOKENS = 384  # of a window
MAX_TITLE, MAX_BEFORE, MAX_AFTER = 28, 40, 24  # tokens of context
MAX_SENTENCE = 200  # tokens of one sentence that are read; the rest of a longer one is not
OPEN, PAD, CLOSE = 0, 1, 2  # ids of <s>, <pad>, </s>
TITLE, OTHER, OWN = 1, 2, 3  # segments; 0 is the opening token


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sentence lies in a window: its number in the article, first token, and offsets of its tokens in it."""

    sentence: int
    first: int
    offsets: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Window:
    """One input of the encoder: token ids, the segment of each token, and the sentences that are its own."""

    ids: tuple[int, ...]
    segments: tuple[int, ...]
    places: tuple[Place, ...]


class Packer:
    """Tokenizes articles into windows."""

    def __init__(self, tokenizer: Path, max_tokens: int = MAX_TOKENS) -> None:
        self._tokenizer = Tokenizer.from_file(str(tokenizer))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self.max_tokens = max_tokens

    def pack(self, title: str, sentences: Sequence[str]) -> list[Window]:
        """Return the windows of an article in order; every sentence is own in exactly one of them."""
        encoded = self._tokenizer.encode_batch([title, *sentences], add_special_tokens=False)
        head = encoded[0].ids[:MAX_TITLE]
        own = [(each.ids[:MAX_SENTENCE], each.offsets[:MAX_SENTENCE]) for each in encoded[1:]]
        room = self.max_tokens - len(head) - MAX_BEFORE - MAX_AFTER - 4
        total = sum(len(each) + 1 for each, _ in own)
        limit = total / max(1, -(-total // room)) + 16  # windows of one article have about the same length
        windows, at = [], 0
        while at < len(own):
            ids, segments = [OPEN, *head, CLOSE], [0] + [TITLE] * (len(head) + 1)
            if at:
                before = own[at - 1][0][-MAX_BEFORE:]
                ids += [*before, CLOSE]
                segments += [OTHER] * (len(before) + 1)
            places: list[Place] = []
            begin = len(ids)
            while at < len(own) and (
                not places
                or len(ids) + len(own[at][0]) + 1 <= begin + limit
                and len(ids) + len(own[at][0]) + MAX_AFTER + 2 <= self.max_tokens
            ):
                places.append(Place(at, len(ids), tuple(own[at][1])))
                ids += [*own[at][0], CLOSE]
                segments += [OWN] * (len(own[at][0]) + 1)
                at += 1
            if at < len(own):
                after = own[at][0][:MAX_AFTER]
                ids += after
                segments += [OTHER] * len(after)
            windows.append(Window(tuple(ids), tuple(segments), tuple(places)))
        return windows
