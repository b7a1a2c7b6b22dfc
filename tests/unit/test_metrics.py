"""The scorer: hits, optional claims, causes of mistakes, and agreement with the reference scorer."""

from __future__ import annotations

import copy
import json
import random
import subprocess
import sys

import pytest
from support.paths import SHARED

from pipeline.errors import WrongUse
from pipeline.evaluation.matching import plain_name
from pipeline.evaluation.metrics import b_cubed, evaluate

TEXT = "The agency barred Halden on Friday. Halden may sue. Buy our mugs. The deal is good."


def _claim(quote: str, type_: str = "restriction", **more) -> dict:
    return {
        "quote": quote,
        "type": type_,
        "modality": "occurred",
        "attribution": {"kind": "own_reporting", "name": None},
        "date": {"value": "2026-06-19", "basis": "relative"},
        "mention": "new",
        "event": "e1",
        "participants": [{"role": "actor", "name": "The Agency", "text": "The agency"}],
        **more,
    }


BARRED = _claim("The agency barred Halden on Friday.", direction="impose")
SUE = _claim("Halden may sue.", "litigation", modality="considered", date=None, event="e2")


@pytest.fixture
def folders(tmp_path):
    """Return a function that writes one document's gold and predicted claims and scores them."""

    def score(gold: list[dict], predicted: list[dict] | None, **more):
        for name in ("texts", "gold", "predicted"):
            (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / "texts/d.json").write_text(json.dumps({"id": "d", "text": TEXT}))
        (tmp_path / "gold/d.json").write_text(json.dumps({"id": "d", "relevant": True, "claims": gold, **more}))
        if predicted is not None:
            (tmp_path / "predicted/d.json").write_text(json.dumps({"id": "d", "relevant": True, "claims": predicted}))
        return evaluate(tmp_path / "texts", tmp_path / "gold", tmp_path / "predicted")

    return score


def test_the_annotation_itself_has_perfect_scores(folders):
    report = folders([BARRED, SUE], [BARRED, SUE])
    assert report.figures["claims"]["f1"] == report.figures["usable_claims"]["f1"] == 1.0
    assert set(report.figures["accuracy_of_matched"].values()) == {1.0}
    assert report.errors == ()


def test_a_missing_prediction_counts_as_irrelevant_without_claims(folders):
    report = folders([BARRED, SUE], None)
    assert report.figures["claims"]["recall"] == 0.0
    assert report.figures["relevance_accuracy"] == 0.0
    assert report.causes == {"missed": 2}


def test_a_claim_of_the_wrong_type_is_reported_as_such(folders):
    report = folders([BARRED], [{**BARRED, "type": "refusal"}])
    assert report.causes == {"wrong type": 1}
    assert report.figures["claim_sentences_any_type"]["f1"] == 1.0


def test_optional_claims_and_ignored_lines_count_neither_way(folders):
    mug = _claim("Buy our mugs.", "agreement")
    report = folders([BARRED, {**SUE, "optional": True}], [BARRED, SUE, SUE, mug], ignore=["Buy our mugs."])
    assert report.figures["claims"] == {"precision": 1.0, "recall": 1.0, "f1": 1.0, "gold": 1, "predicted": 1}


def test_a_spurious_claim_lowers_precision(folders):
    report = folders([BARRED], [BARRED, _claim("The deal is good.", "agreement")])
    assert report.figures["claims"]["precision"] == 0.5
    assert report.causes == {"not a claim": 1}


def test_claims_wrongly_stored_as_occurred_are_counted(folders):
    report = folders([SUE], [{**SUE, "modality": "occurred"}])
    assert report.figures["not_occurred_claims_stored_as_occurred"] == [1, 1]
    assert report.figures["usable_claims"]["f1"] == 0.0
    assert "modality wrong" in report.causes


def test_offsets_may_replace_the_quotation(folders):
    predicted = {**BARRED, "start": 0, "end": 35}
    del predicted["quote"]
    assert folders([BARRED], [predicted]).figures["claims"]["f1"] == 1.0


def test_the_table_has_every_type_and_the_dict_is_json(folders):
    report = folders([BARRED, SUE], [BARRED])
    table = report.as_table()
    assert "restriction" in table
    assert "litigation" in table
    assert "errors by cause: missed 1" in table
    assert json.loads(json.dumps(report.as_dict()))["intervals"]["claims.f1"]


def test_a_missing_text_is_reported(folders, tmp_path):
    folders([BARRED], [BARRED])
    (tmp_path / "texts/d.json").unlink()
    with pytest.raises(WrongUse, match="needs its text"):
        evaluate(tmp_path / "texts", tmp_path / "gold", tmp_path / "predicted")


def test_names_are_compared_without_articles_suffixes_and_dots():
    assert plain_name("The Halden Systems, Inc.") == "halden systems"
    assert plain_name("U.S. Senate") == "us senate"


def test_b_cubed_of_a_single_group_and_of_perfect_groups():
    assert b_cubed([("a", "x"), ("a", "x"), ("b", "y")])["f1"] == 1.0
    assert b_cubed([("a", "x"), ("b", "x")]) == {"precision": 0.5, "recall": 1.0, "f1": 0.6667, "claims": 2}


def _spoil(claims: list[dict], dice: random.Random) -> list[dict]:
    """Make an imperfect prediction of annotated claims: drop, retype, change, double and invent."""
    spoilt = []
    for claim in copy.deepcopy(claims):
        throw = dice.random()
        if throw < 0.2:
            continue
        if throw < 0.3:
            claim["type"] = dice.choice(["agreement", "refusal", "restriction"])
        if throw > 0.8:
            claim["modality"] = dice.choice(["occurred", "planned"])
            claim["date"] = None
            claim["attribution"] = {"kind": "person", "name": "X"}
            claim["participants"] = claim["participants"][1:]
        if throw > 0.9:
            claim["event"] = "one-heap"
            spoilt.append(copy.deepcopy(claim))
        claim.pop("optional", None)
        spoilt.append(claim)
    return spoilt


def test_the_figures_equal_those_of_the_reference_scorer(tmp_path):
    if not (SHARED / "gold/score.py").is_file():
        pytest.skip("the reference scorer is not on this machine")
    dice = random.Random(7)
    for path in sorted((SHARED / "gold/dev/claims").glob("*.json")):
        document = json.loads(path.read_text())
        if dice.random() < 0.1:
            continue
        spoilt = {**document, "relevant": dice.random() < 0.9, "claims": _spoil(document["claims"], dice)}
        (tmp_path / path.name).write_text(json.dumps(spoilt))
    folders = [SHARED / "gold/dev/texts", SHARED / "gold/dev/claims", tmp_path]
    command = [sys.executable, str(SHARED / "gold/score.py"), *map(str, folders), "--json"]
    reference = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    figures = evaluate(*folders).figures
    assert sum(figures.pop("asked_of_matched").values()) > 500  # ours alone: what each share is a share of
    assert json.loads(json.dumps(figures)) == reference
    assert 0.3 < figures["claims"]["f1"] < 0.95
