"""Reads articles with the trained event model: an int8 ONNX encoder and its heads in numpy. No PyTorch.

The encoder reads windows of whole sentences. Each word gets a score for every event type; each word chosen as a trigger
gets a modality and other attributes, and pointers to its participants, speaker and time expression.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.nlp.classifier.windows import Packer, Place, Window
from pipeline.records import ATTRIBUTION_KINDS, EVENT_TYPES, ROLES, Force, Modality

WEIGHTS = Path(__file__).parent / "weights"
MODALITIES = tuple(each.value for each in Modality)
FORCES = (Force.BINDING.value, Force.VOLUNTARY.value, Force.NOT_STATED.value)
BASES = ("none", "stated", "relative", "publication")  # of a date; "none": unknown
POINTERS = (*ROLES, "speaker", "time")
ATTRIBUTES = {"modality": len(MODALITIES), "newness": 2, "direction": 2, "force": len(FORCES),
              "attribution": len(ATTRIBUTION_KINDS), "basis": len(BASES)}  # fmt: skip
FLOOR = 0.1  # a word below this score is no trigger of a type
AGAIN = 0.5  # a second trigger of one type in a sentence needs this score
NEAR = 3  # tokens around a trigger in which no other of its type is looked for
POINTED = 0.5  # probability that a participant needs at one of its tokens
BESIDE = 0.25  # that the tokens beside it need
GAP, BRIDGED = 2, 0.05  # tokens between two parts of a participant, and the probability that each needs
LAST_RESORT = 0.15  # instead of POINTED, if an event has no participant at all


@dataclass(frozen=True, slots=True)
class PointedSpan:
    """Words of a sentence that a pointer marks. Offsets in the sentence."""

    what: str  # one of POINTERS
    sentence: int
    start: int
    end: int
    score: float


@dataclass(frozen=True, slots=True)
class EventReading:
    """One event that the model reads in a sentence.

    Attributes:
        sentence: Its number in the article.
        type: One of EVENT_TYPES.
        start, end: The word that names the event. Offsets in the sentence.
        score: Probability of a claim of this type at this word, before calibration.
        modality, attribution, force, basis: Probabilities in the order of MODALITIES, ATTRIBUTION_KINDS, FORCES, BASES.
        background: Probability that the event is background, not news.
        lift: Probability that a restriction is lifted.
        spans: Participants, speaker and time expression.
        vector: [128], of length 1; the product of two vectors of an article says whether they name the same event.
    """

    sentence: int
    type: str
    start: int
    end: int
    score: float
    modality: np.ndarray
    background: float
    lift: float
    force: np.ndarray
    attribution: np.ndarray
    basis: np.ndarray
    spans: tuple[PointedSpan, ...]
    vector: np.ndarray

    @property
    def direction(self) -> str | None:
        """Return "lift" or "impose" for a restriction, None for other types."""
        return ("lift" if self.lift >= 0.5 else "impose") if self.type == "restriction" else None


class EventModel:
    """The trained model. `card` is its model card. An instance serves any number of threads."""

    def __init__(self, session: Any, packer: Packer, words: dict[str, np.ndarray], heads: dict[str, np.ndarray],
                 card: dict[str, Any]) -> None:  # fmt: skip
        self._session, self._packer, self._words, self._heads, self.card = session, packer, words, heads, card

    @classmethod
    def load(cls, folder: Path | None = None, threads: int = 1) -> EventModel:
        """Load the weights of a folder (None: the shipped ones).

        Raises:
            FileNotFoundError: a file of the weights is missing.
        """
        import onnxruntime

        folder = folder or WEIGHTS
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = threads
        options.log_severity_level = 3
        options.enable_cpu_mem_arena = False  # windows differ in length: the arena would keep the largest of each size
        session = onnxruntime.InferenceSession(
            (folder / "encoder.onnx").read_bytes(), options, providers=["CPUExecutionProvider"]
        )
        with np.load(folder / "words.npz") as file:
            words = dict(file)
        with np.load(folder / "heads.npz") as file:
            heads = {name: file[name].astype(np.float32) for name in file.files}
        card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
        return cls(session, Packer(folder / "tokenizer.json"), words, heads, card)

    def read(self, title: str, sentences: Sequence[str]) -> tuple[EventReading, ...]:
        """Read the sentences of an article in order."""
        events: list[EventReading] = []
        for window in self._packer.pack(title, sentences):
            states, scores = self._encode(window)
            triggers = [found for place in window.places for found in _triggers(place, scores)]
            if triggers:
                events += self._events(window, states, triggers, sentences)
        return tuple(events)

    def _encode(self, window: Window) -> tuple[np.ndarray, np.ndarray]:
        """Return the state [tokens, width] and the scores [tokens, 15] of each token of a window."""
        ids = np.array(window.ids)
        table, scale = self._words["table"], self._words["scale"]
        x = table[ids].astype(np.float32) * scale[ids][:, None].astype(np.float32)
        x += self._words["places"][: len(ids)] + self._words["segments"][list(window.segments)]
        states, logits = self._session.run(None, {"x": x[None]})
        return states[0], _sigmoid(logits[0])

    def _events(
        self,
        window: Window,
        states: np.ndarray,
        triggers: list[tuple[Place, int, int, float]],
        sentences: Sequence[str],
    ) -> list[EventReading]:
        heads, at = self._heads, [token for _, token, _, _ in triggers]
        types = [type_ for _, _, type_, _ in triggers]
        around = [states[place.first : place.first + len(place.offsets)].mean(0) for place, *_ in triggers]
        joined = np.concatenate([states[at], np.stack(around)], 1)
        t = _gelu(joined @ heads["trig.0.weight"].T + heads["trig.0.bias"]) + heads["ty.weight"][types]
        attributes = t @ heads["attrs.weight"].T + heads["attrs.bias"]
        far = (len(heads["pd.weight"]) - 1) // 2
        apart = np.clip(np.arange(len(states))[None] - np.array(at)[:, None], -far, far) + far
        hidden = (t @ heads["pt.weight"].T + heads["pt.bias"])[:, None] + (states @ heads["px.weight"].T)[None]
        logits = _gelu(hidden + heads["pd.weight"][apart]) @ heads["po.weight"].T + heads["po.bias"]
        pointers = _sigmoid(logits).transpose(0, 2, 1)
        vectors = t @ heads["event.weight"].T + heads["event.bias"]
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-9
        splits = np.cumsum(list(ATTRIBUTES.values()))[:-1]
        found = []
        for row, (place, token, type_, score) in enumerate(triggers):
            modality, newness, direction, force, attribution, basis = map(
                _softmax, np.split(attributes[row], splits)
            )  # fmt: skip
            start, end = _whole_word(sentences[place.sentence], *place.offsets[token - place.first])
            found.append(
                EventReading(
                    place.sentence, EVENT_TYPES[type_], start, end, score, modality, float(newness[1]),
                    float(direction[1]), force, attribution, basis,
                    _pointed(window, place, pointers[row], sentences), vectors[row],
                )
            )  # fmt: skip
        return found

    def same_event(self, one: EventReading, other: EventReading) -> float:
        """Return the probability that two readings of one article name the same event."""
        bias, scale = self._heads["eb"]
        return float(_sigmoid(one.vector @ other.vector * np.exp(scale) + bias))


def _triggers(place: Place, scores: np.ndarray) -> list[tuple[Place, int, int, float]]:
    """Return the triggers of a sentence as (place, token in the window, number of the type, score), best first.

    A word names one event; words near a trigger of a type are taken for the same trigger.
    """
    left = scores[place.first : place.first + len(place.offsets)].copy()
    found: list[tuple[Place, int, int, float]] = []
    types: set[int] = set()
    while left.size and (best := left.max()) >= FLOOR:
        token, type_ = divmod(int(left.argmax()), left.shape[1])
        if type_ not in types or best >= AGAIN:
            found.append((place, place.first + token, type_, float(best)))
            types.add(type_)
        left[max(0, token - NEAR) : token + NEAR + 1, type_] = 0
        left[token] = 0
    return found


def _pointed(window: Window, own: Place, pointers: np.ndarray, sentences: Sequence[str]) -> tuple[PointedSpan, ...]:
    """Return the spans that pointers [8, tokens] mark: participants in the own sentence, the others in any one."""
    found: list[PointedSpan] = []
    inside = pointers[:, own.first : own.first + len(own.offsets)]
    for least in (POINTED, LAST_RESORT):
        if not found:
            for row in range(len(ROLES)):
                found += _runs(own, inside[row], POINTERS[row], sentences, least)
    for row in range(len(ROLES), len(POINTERS)):
        runs = [
            run
            for place in window.places
            for run in _runs(
                place, pointers[row, place.first : place.first + len(place.offsets)], POINTERS[row], sentences
            )
        ]
        if runs:  # one speaker, one date: the best
            found.append(max(runs, key=lambda run: (run.sentence == own.sentence, run.score)))
    return tuple(found)


def _runs(
    place: Place, p: np.ndarray, what: str, sentences: Sequence[str], least: float = POINTED
) -> list[PointedSpan]:
    """Join pointed tokens to spans of whole words: a span holds a sure token, and its neighbours may be less sure."""
    sentence, found = sentences[place.sentence], []
    edges: list[list[int]] = []
    for at in np.flatnonzero(p >= least).tolist():
        first, last = at, at
        while first > 0 and p[first - 1] >= BESIDE:
            first -= 1
        while last + 1 < len(p) and p[last + 1] >= BESIDE:
            last += 1
        if edges and first <= edges[-1][1] + 1 + GAP and (p[edges[-1][1] + 1 : first] >= BRIDGED).all():
            edges[-1][1] = max(edges[-1][1], last)
        else:
            edges.append([first, last])
    for first, last in edges:
        start, _ = _whole_word(sentence, *place.offsets[first])
        _, end = _whole_word(sentence, *place.offsets[last])
        found.append(PointedSpan(what, place.sentence, start, end, float(p[first : last + 1].max())))
    return found


def _whole_word(sentence: str, start: int, end: int) -> tuple[int, int]:
    """Extend offsets to whole words: the encoder reads pieces of words."""
    while start > 0 and sentence[start - 1].isalnum() and sentence[start].isalnum():
        start -= 1
    while end < len(sentence) and sentence[end].isalnum() and sentence[end - 1].isalnum():
        end += 1
    return start, end


def _gelu(x: np.ndarray) -> np.ndarray:
    return 0.5 * x * (1.0 + _erf(x / np.sqrt(2.0)))


def _erf(x: np.ndarray) -> np.ndarray:
    """Abramowitz and Stegun 7.1.26; the error is below 1.5e-7."""
    t = 1.0 / (1.0 + 0.3275911 * np.abs(x))
    series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
    return np.sign(x) * (1.0 - series * np.exp(-x * x))


def _softmax(x: np.ndarray) -> np.ndarray:
    shifted = np.exp(x - x.max(-1, keepdims=True))
    return shifted / shifted.sum(-1, keepdims=True)


def _sigmoid(x: Any) -> Any:
    return 1.0 / (1.0 + np.exp(-np.clip(x, -60, 60)))
