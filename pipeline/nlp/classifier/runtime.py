"""Runs the shipped int8 model: scores sentences for the 15 claim types and tags triggers, modality and roles.

The weights are in `weights/` (model.onnx, tokenizer.json, card.json). Without them `Classifier.load` returns None, and
extraction uses the frames alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.nlp.classifier.features import Batch, Featurizer, role_query
from pipeline.records import EVENT_TYPES, ROLES, Modality

WEIGHTS = Path(__file__).parent / "weights"
THRESHOLD = 0.4  # default minimum score of a claim, best on unseen documents
TRIGGER_FLOOR = 0.2  # minimum probability of a token of a trigger
_MODALITIES = tuple(each.value for each in Modality)


@dataclass(frozen=True, slots=True)
class Trigger:
    """Words that name an event.

    Attributes:
        type: The event type.
        start, end: Offsets in the sentence.
        score: The highest probability of the type over the words.
        modalities: [9], the probability of each Modality in order.
        background: The probability that the event is background.
        lift: The probability that a restriction is lifted.
    """

    type: str
    start: int
    end: int
    score: float
    modalities: np.ndarray
    background: float
    lift: float

    @property
    def modality(self) -> str:
        return _MODALITIES[int(self.modalities.argmax())]


@dataclass(frozen=True, slots=True)
class SentenceReading:
    """The reading of one sentence: `scores` [15] in the order of EVENT_TYPES, and the triggers, best first."""

    scores: np.ndarray
    triggers: tuple[Trigger, ...]

    def trigger(self, type_: str) -> Trigger | None:
        """Return the best trigger of a type."""
        return next((each for each in self.triggers if each.type == type_), None)


@dataclass(frozen=True, slots=True)
class RoleSpan:
    """Words of a sentence that play a role in an event. Offsets in the sentence."""

    role: str
    start: int
    end: int
    score: float


class Classifier:
    """The run-time model. `card` is its model card, `thresholds` the minimum score of a claim of each type."""

    def __init__(self, session: Any, featurizer: Featurizer, card: dict[str, Any]) -> None:
        self._session, self._featurizer, self.card = session, featurizer, card
        thresholds = card.get("thresholds", {})
        self.thresholds = {name: float(thresholds.get(name, THRESHOLD)) for name in EVENT_TYPES}

    @classmethod
    def load(cls, folder: Path | None = None, threads: int = 1) -> Classifier | None:
        """Load the weights of a folder (None: the shipped ones); return None if there are none."""
        folder = folder or WEIGHTS
        if not (folder / "model.onnx").is_file():
            return None
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = threads
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"])
        card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
        return cls(session, Featurizer(folder / "tokenizer.json"), card)

    def scores(self, sentences: Sequence[str], previous: Sequence[str] | None = None) -> np.ndarray:
        """Return [n, 15]: the probability of a claim of each of EVENT_TYPES in each sentence."""
        readings = self.read(sentences, previous)
        return np.stack([each.scores for each in readings]) if readings else np.zeros((0, len(EVENT_TYPES)), np.float32)

    def read(self, sentences: Sequence[str], previous: Sequence[str] | None = None) -> list[SentenceReading]:
        """Read sentences, each with the one before it as context ("" for none)."""
        return self._run(sentences, previous, decode)

    def roles(self, asked: Sequence[tuple[str, str, str]]) -> list[tuple[RoleSpan, ...]]:
        """Return the role spans of events given as (sentence, type, words of the trigger), each in reading order."""
        return self._run([a[0] for a in asked], [role_query(a[1], a[2]) for a in asked], decode_roles)

    def _run(self, sentences: Sequence[str], context: Sequence[str] | None, decoder: Callable[..., list]) -> list:
        if not sentences:
            return []
        # One sentence at a time: on a CPU that is faster than a batch, without padding and with everything in the
        # cache. The int8 model also scales its values by the largest of a batch, so a batch would change the results.
        pairs = list(zip(sentences, context or [""] * len(sentences), strict=True))
        different = list(dict.fromkeys(pairs))
        found: dict[tuple[str, str], Any] = {}
        encodings = self._featurizer.encode([pair[0] for pair in different], [pair[1] for pair in different])
        for pair, encoding in zip(different, encodings, strict=True):
            batch = self._featurizer.batch([encoding])
            feeds = {"ids": batch.ids, "mask": batch.mask, "types": batch.types, "own": batch.own}
            found[pair] = decoder(batch, *self._session.run(None, feeds))[0]
        return [found[pair] for pair in pairs]


def decode_roles(batch: Batch, *logits: np.ndarray) -> list[tuple[RoleSpan, ...]]:
    """Turn the role logits, the last output, into spans: runs of tokens with the same most likely role."""
    probabilities = _softmax(logits[-1]) * batch.own[:, :, None]
    return [_role_spans(offsets, p) for offsets, p in zip(batch.offsets, probabilities, strict=True)]


def _role_spans(offsets: list[tuple[int, int]], p: np.ndarray) -> tuple[RoleSpan, ...]:
    best, found, at = p[: len(offsets)].argmax(-1), [], 0
    while at < len(offsets):
        stop = at + 1
        if best[at] and offsets[at] != (0, 0):
            while stop < len(offsets) and best[stop] == best[at] and offsets[stop] != (0, 0):
                stop += 1
            role = ROLES[best[at] - 1]
            found.append(RoleSpan(role, offsets[at][0], offsets[stop - 1][1], float(p[at:stop, best[at]].mean())))
        at = stop
    return tuple(found)


def decode(
    batch: Batch, sentence: np.ndarray, trigger: np.ndarray, modality: np.ndarray, flags: np.ndarray, *_: np.ndarray
) -> list[SentenceReading]:
    """Turn logits into readings. The score of a type is the mean of the sentence's and the best token's probability."""
    token_types, modalities, flags = _softmax(trigger), _softmax(modality), _sigmoid(flags)
    token_types = token_types * batch.own[:, :, None]
    best = token_types[:, :, 1:].max(1)
    scores = (_sigmoid(sentence) + best) / 2
    return [
        SentenceReading(scores[n], _triggers(batch.offsets[n], token_types[n], modalities[n], flags[n]))
        for n in range(len(scores))
    ]


def _triggers(offsets: list[tuple[int, int]], types: np.ndarray, modalities: np.ndarray, flags: np.ndarray) -> tuple:
    """Join neighbouring tokens of one type; the modality of a trigger is the weighted mean over its tokens."""
    found = []
    for index, name in enumerate(EVENT_TYPES, 1):
        column, at = types[: len(offsets), index], 0
        while at < len(column):
            if column[at] < TRIGGER_FLOOR or offsets[at] == (0, 0):
                at += 1
                continue
            stop = at
            while stop < len(column) and column[stop] >= TRIGGER_FLOOR and offsets[stop] != (0, 0):
                stop += 1
            weights = column[at:stop] / column[at:stop].sum()
            background, lift = weights @ flags[at:stop]
            found.append(
                Trigger(
                    name,
                    offsets[at][0],
                    offsets[stop - 1][1],
                    float(column[at:stop].max()),
                    weights @ modalities[at:stop],
                    float(background),
                    float(lift),
                )
            )
            at = stop
    return tuple(sorted(found, key=lambda each: (-each.score, each.start, each.type)))


def _softmax(x: np.ndarray) -> np.ndarray:
    shifted = np.exp(x - x.max(-1, keepdims=True))
    return shifted / shifted.sum(-1, keepdims=True)


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1.0 / (1.0 + np.exp(-np.clip(x, -60, 60)))
