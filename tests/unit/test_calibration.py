"""Calibrated confidence: the curve is monotone, fitted without the fold that it scores, and reported."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

import numpy as np
import pytest

from pipeline.accuracy.reliability import calibration_error, reliability, wilson
from pipeline.evaluation.fitting.confidence import (
    FLOOR,
    Scored,
    ScoredDocument,
    best_score,
    default_confidence,
    fit,
    main,
    report,
    view,
)
from pipeline.nlp.events.calibration import FILE, MOST, Calibrator, load_calibrator, logit
from pipeline.settings import Settings


def _claim(number: int, type_: str = "restriction", **more) -> dict:
    return {
        "start": 10 * number, "end": 10 * number + 9, "type": type_, "modality": "occurred", "mention": "new",
        "attribution": {"kind": "own_reporting"}, "date": None, "event": f"e{number}", "participants": [], **more,
    }  # fmt: skip


def _documents(count: int = 60, bias: float = 0.0, seed: int = 5) -> Iterator[ScoredDocument]:
    """Make documents of ten claims that are right as often as a known curve of their score says."""
    dice = random.Random(seed)
    for number in range(count):
        gold, found = [], []
        for place in range(10):
            score = dice.uniform(0.1, 0.98)
            chance = 1 / (1 + np.exp(-(0.5 * logit(score) + bias)))
            found.append(_claim(place, confidence=score))
            if dice.random() < chance:
                gold.append(_claim(place))
        annotated = {"relevant": True, "claims": gold}
        yield ScoredDocument(str(number % 3), f"d{number}", "x" * 100, annotated, {"relevant": True, "claims": found})


def _pairs(count: int, bias: float = 0.0) -> list[tuple[float, bool]]:
    scored = Scored(_documents(count, bias))
    return [pair for fold in scored.folds for pair in scored.pairs(fold, FLOOR)[0]]


def test_a_higher_score_never_gives_a_lower_confidence():
    curve = fit(_pairs(60))
    found = [curve.probability(score / 100) for score in range(1, 100)]
    assert found == sorted(found)
    assert found[0] < found[-1] <= MOST
    turned = fit([(score, not right) for score, right in _pairs(60)])
    assert turned.slope == 0.0


def test_the_fit_finds_the_curve_that_made_the_data():
    curve = fit(_pairs(600, bias=0.4))
    assert curve.slope == pytest.approx(0.5, abs=0.08)
    assert curve.intercept == pytest.approx(0.4, abs=0.12)


def test_the_least_score_is_the_one_with_the_best_usable_f1():
    sure = [_claim(0, confidence=0.8), _claim(1, confidence=0.3), _claim(2, "refusal", confidence=0.15)]
    gold = {"relevant": True, "claims": [_claim(0), _claim(1), _claim(3)]}
    scored = Scored([ScoredDocument("0", "d", "x" * 100, gold, {"relevant": True, "claims": sure})])
    assert 0.15 < best_score(scored, ["0"]) <= 0.3
    assert scored.usable_f1("0", 0.2) == pytest.approx(2 * 2 / (3 + 2))


def test_the_default_confidence_is_the_least_with_the_wanted_precision():
    confidence, right = [0.5, 0.6, 0.7, 0.8], [False, True, True, True]
    assert default_confidence(confidence, right, 0.9) == 0.51
    assert default_confidence(confidence, [False] * 4, 0.9) == MOST


def test_no_fold_is_scored_by_a_curve_fitted_on_it():
    documents = list(_documents())
    _, curves = report(Scored(documents))
    # What is right in a fold must not move the curve that scores its own claims.
    turned = [
        d if d.fold != "0" else ScoredDocument(d.fold, d.id, d.text, {"relevant": True, "claims": []}, d.predicted)
        for d in documents
    ]
    _, after = report(Scored(turned))
    assert curves["0"] == after["0"]
    assert curves["1"] != after["1"]


def test_calibration_lowers_the_error_of_an_overconfident_score():
    stored, curves = report(Scored(_documents(150, bias=-1.0)))
    assert stored["calibrated"]["brier"] < stored["score"]["brier"]
    assert stored["calibrated"]["calibration_error"] < 0.06 < stored["score"]["calibration_error"]
    assert stored["folds"].keys() == curves.keys() == {"0", "1", "2"}
    assert {"intercept", "slope", "least_score", "default_confidence"} <= stored.keys()
    assert json.loads(json.dumps(stored)) == stored


def test_the_effect_of_a_threshold_is_counted():
    found = view([0.4, 0.3, 0.6, 0.9], [True, False, True, True], 0.5)
    assert (found["under"], found["right_under"], found["over"]) == (2, 1, 2)
    assert found["share_right_over"] == 1.0
    assert found["right_kept"] == pytest.approx(2 / 3, abs=1e-4)


def test_perfect_confidence_has_no_calibration_error_and_bins_count_every_claim():
    confidence, right = [0.75] * 400 + [0.25] * 400, [True] * 300 + [False] * 100 + [True] * 100 + [False] * 300
    found = reliability(confidence, right, [f"g{n // 20}" for n in range(800)])
    assert found["calibration_error"] == calibration_error(confidence, right) == 0.0
    assert found["brier"] == pytest.approx(0.1875)
    assert sum(each["claims"] for each in found["bins"]) == 800
    low, high = found["calibration_error_interval"]
    assert 0 < low < high < 0.3


def test_wilsons_interval_contains_the_share_and_stays_between_0_and_1():
    assert wilson(0, 5)[0] == 0.0
    assert wilson(5, 5)[1] == pytest.approx(1.0)
    assert wilson(50, 100) == pytest.approx((0.404, 0.596), abs=0.001)


def test_the_shipped_curve_belongs_to_the_shipped_weights_and_is_monotone():
    curve = load_calibrator()
    assert isinstance(curve, Calibrator)
    card = json.loads((FILE.parent / "card.json").read_text(encoding="utf-8"))
    assert curve.report["classifier"] == card["data_hash"], "fit again: pipeline.evaluation.fitting.confidence"
    assert curve.slope > 0
    assert curve.report["calibrated"]["claims"] == curve.report["claims"] >= 300


def test_the_ledger_shows_claims_from_the_fitted_confidence_on():
    assert Settings().least_confidence == load_calibrator().default_confidence


def test_gold_without_folds_is_rejected(tmp_path, capsys):
    assert main(["--gold", str(tmp_path), str(tmp_path)]) == 2
    assert "must not have seen" in capsys.readouterr().err
