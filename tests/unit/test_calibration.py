"""Calibrated confidence: the curve is monotone, cross-validated and reported."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import numpy as np
import pytest

from pipeline.accuracy.reliability import reliability, wilson
from pipeline.evaluation.fitting.confidence import (
    Case,
    below,
    choose,
    cross_fitted,
    fit,
    main,
    report,
    suggested,
    weights_of,
)
from pipeline.nlp.events.calibration import FILE, MOST, SIGNS, Calibrator, Signals, load_calibrator, logit

PLAIN = Signals(0.8, 0.5, alone=False, actor=True, occurred=True, recalled=False)


def _cases(n: int = 600, bias: float = 0.0) -> list[Case]:
    """Make claims that are right as often as a known curve of their score says; the classifier says nothing."""
    dice = random.Random(5)
    made = []
    for number in range(n):
        signals = replace(PLAIN, score=dice.uniform(0.3, 0.98), classifier=dice.random())
        chance = 1 / (1 + np.exp(-(0.5 * logit(signals.score) + bias)))
        document = f"d{number // 10}"
        made.append(Case("one" if number % 2 else "other", document, document, signals, bool(dice.random() < chance)))
    return made


def test_a_higher_score_never_gives_a_lower_confidence():
    curve = fit(_cases(), tuple(SIGNS))
    found = [curve.probability(replace(PLAIN, score=score / 100)) for score in range(1, 100)]
    assert found == sorted(found)
    assert found[0] < found[-1] <= MOST


def test_a_feature_with_the_wrong_sign_is_dropped():
    turned = [replace(c, right=not c.right) for c in _cases(bias=0.0)]
    curve = fit(turned, ("score",))
    assert curve.weights[list(SIGNS).index("score")] == 0.0


def test_the_fit_finds_the_curve_that_made_the_data():
    curve = fit(_cases(6000, bias=0.4), ("score",))
    assert curve.weights[0] == pytest.approx(0.5, abs=0.08)
    assert curve.intercept == pytest.approx(0.4, abs=0.12)


def test_more_features_are_used_only_if_they_help_on_unseen_documents():
    best, tried = choose(_cases())
    assert best == ("score",)
    assert len(tried) > 1
    told = [replace(c, signals=replace(c.signals, classifier=0.9 if c.right else 0.1)) for c in _cases()]
    assert "classifier" in choose(told)[0]


def test_a_small_set_of_texts_does_not_outweigh_the_rest():
    cases = [replace(case, of="one") for case in _cases(300)]
    few = [replace(case, of="few", right=False) for case in _cases(4)]
    assert weights_of(cases).sum() == pytest.approx(300)
    with_few = weights_of([*cases, *few])
    assert with_few[-4:].sum() / with_few.sum() == pytest.approx(0.04 / 1.04)
    full = weights_of([*cases, *(replace(case, of="other") for case in _cases(200))])
    assert full[:300].sum() == pytest.approx(full[300:].sum())


def test_no_document_is_scored_by_a_curve_fitted_on_its_group():
    cases = _cases(60)
    before = cross_fitted(cases, ("score",))
    # What is right in a group must not move the confidence of that group's own claims.
    turned = [replace(c, right=not c.right) if c.group == "d0" else c for c in cases]
    after = cross_fitted(turned, ("score",))
    own = [n for n, case in enumerate(cases) if case.group == "d0"]
    assert [before[n] for n in own] == [after[n] for n in own]
    assert before != after


def test_calibration_lowers_the_error_of_an_overconfident_score():
    stored = report(_cases(1500, bias=-1.0))
    assert stored["calibrated"]["brier"] < stored["score"]["brier"]
    assert stored["calibrated"]["calibration_error"] < 0.06 < stored["score"]["calibration_error"]
    assert stored["sets"].keys() == {"one", "other"}
    assert json.loads(json.dumps(stored)) == stored


def test_perfect_confidence_has_no_calibration_error_and_bins_count_every_claim():
    found = reliability([0.75] * 400 + [0.25] * 400, [True] * 300 + [False] * 100 + [True] * 100 + [False] * 300,
                        [f"g{n // 20}" for n in range(800)])  # fmt: skip
    assert found["calibration_error"] == 0.0
    assert found["brier"] == pytest.approx(0.1875)
    assert sum(each["claims"] for each in found["bins"]) == 800
    low, high = found["calibration_error_interval"]
    assert 0 < low < high < 0.3


def test_wilsons_interval_contains_the_share_and_stays_between_0_and_1():
    assert wilson(0, 5)[0] == 0.0
    assert wilson(5, 5)[1] == pytest.approx(1.0)
    assert wilson(50, 100) == pytest.approx((0.404, 0.596), abs=0.001)


def test_the_effect_of_a_threshold_is_counted():
    cases = [replace(case, right=right) for case, right in zip(_cases(4), [True, False, True, True], strict=True)]
    found = below(cases, [0.4, 0.3, 0.6, 0.9], 0.5)
    assert (found["under"], found["right_under"], found["over"]) == (2, 1, 2)
    assert found["share_right_over"] == 1.0
    assert found["right_kept"] == pytest.approx(2 / 3, abs=1e-4)
    assert suggested([{"threshold": 0.3, "right_kept": 0.99}, {"threshold": 0.5, "right_kept": 0.9}]) == 0.3


def test_the_shipped_curve_belongs_to_the_shipped_weights_and_is_monotone():
    curve = load_calibrator()
    assert isinstance(curve, Calibrator)
    card = json.loads((FILE.parent / "card.json").read_text(encoding="utf-8"))
    assert curve.report["classifier"] == card["data_hash"], "fit again: pipeline.evaluation.fitting.confidence"
    for weight, sign in zip(curve.weights, SIGNS.values(), strict=True):
        assert weight * sign >= 0
    assert curve.weights[0] > 0
    assert curve.report["calibrated"]["claims"] == curve.report["claims"] >= 300


def test_gold_without_folds_is_rejected(tmp_path, capsys):
    assert main(["--gold", str(tmp_path), str(tmp_path)]) == 2
    assert "must not have seen" in capsys.readouterr().err


def test_a_claim_unread_by_the_classifier_keeps_its_score():
    class Drafted:
        seen = None

    draft = Drafted()
    assert load_calibrator().calibrate([draft]) == [draft]
