"""Measures how reliable confidences are: Brier score, expected calibration error, and a reliability table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

EDGES = (0.0, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
RESAMPLES, SEED = 1000, 20260101


def reliability(confidence: Sequence[float], right: Sequence[bool], groups: Sequence[str]) -> dict[str, Any]:
    """Return the reliability of confidences, with 95 % bootstrap intervals over groups.

    The calibration error is the distance between mean confidence and share right, averaged over the bins by size. The
    interval of a bin is Wilson's, which treats claims as independent.

    Args:
        confidence: The confidence of each claim.
        right: Whether each claim is right.
        groups: The group of each claim; claims of one group are not independent.
    """
    p, y = np.asarray(confidence, float), np.asarray(right, float)
    bins = bins_of(p)
    names = sorted(set(groups))
    member = np.array([names.index(each) for each in groups])
    draws = np.random.default_rng(SEED).integers(0, len(names), (RESAMPLES, len(names)))
    rows = [np.flatnonzero(member == n) for n in range(len(names))]
    drawn = [np.concatenate([rows[n] for n in draw]) for draw in draws]
    return {
        "claims": len(p),
        "groups": len(names),
        "share_right": _round(y.mean()),
        "mean_confidence": _round(p.mean()),
        "brier": _round(_brier(p, y)),
        "brier_interval": _interval([_brier(p[d], y[d]) for d in drawn]),
        "calibration_error": _round(_error(p, y, bins)),
        "calibration_error_interval": _interval([_error(p[d], y[d], bins[d]) for d in drawn]),
        "bins": [_bin(n, p[bins == n], y[bins == n]) for n in range(len(EDGES) - 1) if (bins == n).any()],
    }


def calibration_error(confidence: Sequence[float], right: Sequence[bool]) -> float:
    """Return the expected calibration error over the bins of EDGES, 0 without claims."""
    if not confidence:
        return 0.0
    p, y = np.asarray(confidence, float), np.asarray(right, float)
    return _error(p, y, bins_of(p))


def bins_of(confidence: np.ndarray) -> np.ndarray:
    """Return the number of the bin of each confidence."""
    return np.clip(np.digitize(confidence, EDGES[1:-1]), 0, len(EDGES) - 2)


def wilson(right: float, n: int) -> tuple[float, float]:
    """Return the 95 % Wilson score interval of a share."""
    z, share = 1.96, right / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * (share * (1 - share) / n + z * z / (4 * n * n)) ** 0.5
    return max(0.0, middle - half), min(1.0, middle + half)


def _bin(number: int, p: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    low, high = wilson(float(y.sum()), len(y))
    return {
        "from": EDGES[number],
        "to": EDGES[number + 1],
        "claims": len(y),
        "mean_confidence": _round(p.mean()),
        "share_right": _round(y.mean()),
        "interval": [_round(low), _round(high)],
    }


def _brier(p: np.ndarray, y: np.ndarray) -> float:
    return float(((p - y) ** 2).mean())


def _error(p: np.ndarray, y: np.ndarray, bins: np.ndarray) -> float:
    return float(sum(abs((p[bins == n] - y[bins == n]).sum()) for n in np.unique(bins)) / len(p))


def _interval(values: Sequence[float]) -> list[float]:
    low, high = np.percentile(values, [2.5, 97.5])
    return [_round(low), _round(high)]


def _round(value: float) -> float:
    return round(float(value), 4)
