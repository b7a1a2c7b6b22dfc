"""Figures by fold, their mean over the folds, and bootstrap intervals over documents.

Documents are drawn with replacement within each fold, RESAMPLES times with a fixed seed. Two runs over the same
documents are drawn alike, so that the interval of their difference is paired. The B-cubed scores of a claim are
computed once, over all documents of the fold: grouped anew, the copies of a document drawn twice would be right about
each other and raise the figure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.accuracy.reliability import bins_of
from pipeline.accuracy.table import COUNTS, FOLD_FIGURES
from pipeline.evaluation.metrics import RESAMPLES, SEED, Tally

Tallies = Mapping[str, Tally]  # by document id
_SHARES = {  # figure -> the counts that it divides
    "claims.precision": ("hit", "predicted"),
    "claims.recall": ("hit", "gold"),
    "usable.precision": ("usable", "predicted"),
    "usable.recall": ("usable", "gold"),
    "participants.precision": ("participant_hit", "participant_predicted"),
    "participants.recall": ("participant_hit", "participant_gold"),
    "modality": ("right:modality", "asked:modality"),
    "date": ("right:date", "asked:date"),
    "newness": ("right:mention", "asked:mention"),
    "attribution": ("right:attribution_kind", "asked:attribution_kind"),
    "direction": ("right:direction", "asked:direction"),
    "not_done_as_done": ("wrongly_occurred", "not_occurred"),
    "relevance": ("relevance", "documents"),
    "default.precision": ("shown_hit", "shown_predicted"),
    "default.recall": ("shown_hit", "gold"),
    "b_cubed.precision": ("grouped_precision", "grouped"),
    "b_cubed.recall": ("grouped_recall", "grouped"),
}
_COUNTED = {"not_done": "not_occurred", "irrelevant.claims": "irrelevant", "irrelevant.shown": "irrelevant_shown"}


class Sample:
    """The counts of some documents, ready to be drawn with replacement."""

    def __init__(self, tallies: Sequence[Tally]) -> None:
        self.n = len(tallies)
        names = {name for pair in _SHARES.values() for name in pair} | set(_COUNTED.values())
        self._counts = {name: np.array([each.counts[name] for each in tallies], float) for name in names}
        self._counts |= _b_cubed_sums(tallies)
        sure = [(number, p, right) for number, each in enumerate(tallies) for p, right in each.confidences]
        self._sure_of = np.array([number for number, _, _ in sure], int)
        p = np.array([p for _, p, _ in sure], float)
        self._gap, self._bins = p - np.array([right for _, _, right in sure], float), bins_of(p)

    def figures(self, draws: np.ndarray) -> dict[str, np.ndarray]:
        """Return each figure for each draw; NaN where it has nothing to divide by.

        Args:
            draws: [draws, documents]: how often each document is drawn.
        """
        total = {name: draws @ counts for name, counts in self._counts.items()}
        found = {name: _divided(total[part], total[whole]) for name, (part, whole) in _SHARES.items()}
        for name in ("claims", "usable", "participants"):
            precision, recall = np.nan_to_num(found[f"{name}.precision"]), found[f"{name}.recall"]
            found[f"{name}.f1"] = np.nan_to_num(_divided(2 * precision * recall, precision + recall))
        precision, recall = found["b_cubed.precision"], found["b_cubed.recall"]
        found["b_cubed.f1"] = _divided(2 * precision * recall, precision + recall)
        found["calibration_error"] = np.array([self._error(row[self._sure_of]) for row in draws])
        return found | {name: total[count] for name, count in _COUNTED.items()}

    def _error(self, weights: np.ndarray) -> float:
        if not weights.sum():
            return float("nan")
        return float(np.abs(np.bincount(self._bins, weights * self._gap)).sum() / weights.sum())


@dataclass(frozen=True, slots=True)
class FoldFigures:
    """The figures of one run over all folds.

    Attributes:
        documents: The number of documents of each fold.
        by_fold: Fold -> figure -> value.
        mean: Figure -> its mean over the folds, or its sum for a count.
        drawn: Figure -> [RESAMPLES], the same for the drawn documents.
    """

    documents: dict[str, int]
    by_fold: dict[str, dict[str, float]]
    mean: dict[str, float]
    drawn: dict[str, np.ndarray]

    def as_dict(self) -> dict[str, Any]:
        """Return the figures for the table of `pipeline.accuracy.table`, with None for what was not asked."""
        return {
            "documents": self.documents,
            "by_fold": {fold: {k: _plain(v) for k, v in row.items()} for fold, row in self.by_fold.items()},
            "mean": {name: _plain(value) for name, value in self.mean.items()},
            "intervals": {name: interval(values) for name, values in self.drawn.items() if name not in COUNTS},
        }


def fold_figures(tallies: Tallies, fold_of: Mapping[str, str]) -> FoldFigures:
    """Return the figures by fold.

    Args:
        tallies: The counts of each document.
        fold_of: The fold of each document.
    """
    folds = {fold: sorted(id_ for id_ in tallies if fold_of[id_] == fold) for fold in sorted(set(fold_of.values()))}
    documents = {fold: len(ids) for fold, ids in folds.items() if ids}
    points, drawn = {}, {}
    for number, fold in enumerate(documents):
        sample = Sample([tallies[id_] for id_ in folds[fold]])
        points[fold] = {k: float(v[0]) for k, v in sample.figures(np.ones((1, sample.n))).items()}
        drawn[fold] = sample.figures(_draws(sample.n, number))
    names = [name for name, _, _ in FOLD_FIGURES]
    mean = {name: float(_joined(name, [np.array([row[name]]) for row in points.values()])[0]) for name in names}
    return FoldFigures(
        documents,
        {fold: {name: row[name] for name in names} for fold, row in points.items()},
        mean,
        {name: _joined(name, [row[name] for row in drawn.values()]) for name in names},
    )


def difference(one: FoldFigures, other: FoldFigures, name: str) -> dict[str, Any]:
    """Return how much a figure of the second run is above that of the first, with its paired interval."""
    return {
        "difference": _plain(other.mean[name] - one.mean[name]),
        "interval": interval(other.drawn[name] - one.drawn[name]),
    }


def interval(values: np.ndarray) -> list[float] | None:
    """Return the 2.5 and 97.5 percentiles, None if no value is known."""
    if np.isnan(values).all():
        return None
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return [round(float(low), 4), round(float(high), 4)]


def _joined(name: str, rows: Sequence[np.ndarray]) -> np.ndarray:
    """Return the mean over folds of each draw, without folds that have no value; the sum of a count."""
    stacked = np.stack(rows)
    if name in COUNTS:
        return stacked.sum(0)
    known = ~np.isnan(stacked)
    return _divided(np.where(known, stacked, 0.0).sum(0), known.sum(0))


def _b_cubed_sums(tallies: Sequence[Tally]) -> dict[str, np.ndarray]:
    """Return the number of grouped claims of each document, and the sums of their B-cubed precision and recall."""
    pairs = [(number, key) for number, each in enumerate(tallies) for key in each.keys]
    of = np.array([number for number, _ in pairs], int)
    sides: list[list[Any]] = [[key[0] for _, key in pairs], [key[1] for _, key in pairs], [key for _, key in pairs]]
    gold, found, both = (np.bincount(cells)[cells] for cells in map(_numbers, sides))
    weights = {"grouped": np.ones(len(of)), "grouped_precision": both / found, "grouped_recall": both / gold}
    return {name: np.bincount(of, each, len(tallies)) for name, each in weights.items()}


def _draws(n: int, fold: int) -> np.ndarray:
    return np.random.default_rng([SEED, fold]).multinomial(n, np.full(n, 1 / n), RESAMPLES).astype(float)


def _divided(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)


def _numbers(keys: Sequence[Any]) -> np.ndarray:
    number = {key: n for n, key in enumerate(dict.fromkeys(keys))}
    return np.array([number[key] for key in keys], int)


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 4)
