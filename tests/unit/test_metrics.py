"""The scorer: hits, optional claims, causes of mistakes, and agreement with the reference scorer."""

from __future__ import annotations

import copy
import json
import random
import subprocess
import sys
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
from support.paths import SHARED

from pipeline.errors import WrongUse
from pipeline.evaluation.folds import Sample, difference, fold_figures
from pipeline.evaluation.groups import Groups, jurisdiction_of, novelty_of, register_of, seen_triggers, trigger_word
from pipeline.evaluation.matching import plain_name
from pipeline.evaluation.metrics import Tally, b_cubed, evaluate

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

    def score(gold: list[dict], predicted: list[dict] | None, *, shown_from=0.0, groups=None, **more):
        for name in ("texts", "gold", "predicted"):
            (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / "texts/d.json").write_text(json.dumps({"id": "d", "text": TEXT}))
        (tmp_path / "gold/d.json").write_text(json.dumps({"id": "d", "relevant": True, "claims": gold, **more}))
        if predicted is not None:
            (tmp_path / "predicted/d.json").write_text(json.dumps({"id": "d", "relevant": True, "claims": predicted}))
        folders = [tmp_path / name for name in ("texts", "gold", "predicted")]
        return evaluate(*folders, shown_from=shown_from, groups=groups)

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


def test_claims_below_the_default_confidence_are_left_out_of_the_default_view(folders):
    sure, unsure = {**BARRED, "confidence": 0.9}, {**SUE, "confidence": 0.5}
    report = folders([BARRED, SUE], [sure, unsure, _claim("The deal is good.", confidence=0.8)], shown_from=0.7)
    assert report.figures["claims"]["recall"] == 1.0
    shown = report.figures["default_view"]
    assert (shown["precision"], shown["recall"], shown["predicted"]) == (0.5, 0.5, 2)


def test_claims_from_an_irrelevant_document_are_counted(folders):
    optional = {**SUE, "optional": True}
    found = [{**BARRED, "confidence": 0.9}, {**SUE, "confidence": 0.5}, _claim("The deal is good.", confidence=0.2)]
    report = folders([optional], found, shown_from=0.7, relevant=False)
    assert report.figures["irrelevant"] == {"claims": 2, "shown": 1}


def test_the_calibration_error_is_that_of_claims_that_an_annotation_decides_on(folders):
    found = [{**BARRED, "confidence": 0.9}, {**SUE, "confidence": 0.1}]
    report = folders([BARRED, {**SUE, "optional": True}], found)
    assert report.figures["calibration_error"] == pytest.approx(0.1)


def test_claims_are_counted_by_group_with_the_novelty_of_their_own_trigger(folders):
    seen = {"barred": 3}
    groups = Groups("news", "United States", lambda trigger: novelty_of(seen.get(trigger, 0)))
    gold = [{**BARRED, "trigger": "barred"}, {**SUE, "trigger": "sue"}]
    found = [{**BARRED, "trigger": "Friday"}, {**SUE, "trigger": "sue"}]
    rows = folders(gold, found, groups=lambda *_: groups).figures
    assert rows["by_register"]["news"]["f1"] == rows["by_jurisdiction"]["United States"]["f1"] == 1.0
    assert list(rows["by_novelty"]) == ["0", "1 to 4"]
    assert rows["by_novelty"]["0"] | {"usable_f1": 0} == {
        "precision": 1.0, "recall": 1.0, "f1": 1.0, "usable_f1": 0, "gold": 1, "predicted": 2,
    }  # fmt: skip
    assert rows["by_novelty"]["1 to 4"]["recall"] == 1.0


def test_the_word_of_a_trigger_is_its_first_word_of_content():
    assert [trigger_word(t) for t in ("will be Banned", "filed a lawsuit", "the", "“order”")] == [
        "banned", "filed", "the", "order",
    ]  # fmt: skip


def test_a_fold_has_seen_the_triggers_of_the_other_folds_and_of_the_corpus():
    gold = {"a": {"claims": [{"trigger": "banned"}]}, "b": {"claims": [{"trigger": "sued", "optional": True}]}}
    example = SimpleNamespace(source="story", notes=[SimpleNamespace(trigger="banned", optional=False)])
    seen = seen_triggers(gold, [example], {"a": "0", "b": "1"})
    assert (seen["0"]["banned"], seen["1"]["banned"], seen["0"]["sued"]) == (1, 2, 0)
    assert [novelty_of(n) for n in (0, 1, 4, 5, 19, 20)] == [
        "0",
        "1 to 4",
        "1 to 4",
        "5 to 19",
        "5 to 19",
        "20 and more",
    ]


def test_register_and_jurisdiction_follow_the_site_and_then_the_words():
    sites = ("nist.gov", "www.ico.gov.uk", "edpb.europa.eu", "gdprhub.eu", "openai.com", "courier.example")
    assert [register_of(site) for site in sites] == [
        "government", "government", "government", "law and advocacy", "company", "news",
    ]  # fmt: skip
    assert jurisdiction_of("nist.gov", "Brussels, Brussels") == "United States"
    assert (
        jurisdiction_of("courier.example", "The Garante in Italy fined a firm. The U.S. watched.") == "European Union"
    )
    assert jurisdiction_of("courier.example", "Nothing of the kind.") == "other or none"


def _tallies(folders, count: int = 6) -> dict:
    right = folders([BARRED, SUE], [{**BARRED, "confidence": 0.8}, {**SUE, "confidence": 0.6}]).tallies["d"]
    wrong = folders([BARRED, SUE], [{**BARRED, "modality": "planned", "confidence": 0.8}]).tallies["d"]
    return {f"d{n}": right if n % 3 else wrong for n in range(count)}


def test_a_mean_over_folds_weighs_the_folds_alike(folders):
    tallies = _tallies(folders)
    found = fold_figures(tallies, {id_: "0" if id_ in ("d0", "d1") else "1" for id_ in tallies})
    assert found.documents == {"0": 2, "1": 4}
    assert found.by_fold["0"]["claims.recall"] == 0.75 and found.by_fold["1"]["claims.recall"] == 0.875
    assert found.mean["claims.recall"] == pytest.approx(0.8125)
    assert found.mean["not_done"] == 4  # a count is added up
    low, high = found.as_dict()["intervals"]["claims.recall"]
    assert low <= 0.8125 <= high
    assert json.loads(json.dumps(found.as_dict()))["by_fold"]["0"]["direction"] == 1.0


def test_the_same_run_differs_from_itself_by_nothing_and_the_interval_is_paired(folders):
    tallies, fold_of = _tallies(folders), dict.fromkeys([f"d{n}" for n in range(6)], "0")
    base = fold_figures(tallies, fold_of)
    assert difference(base, fold_figures(tallies, fold_of), "usable.f1") == {"difference": 0.0, "interval": [0.0, 0.0]}
    better = fold_figures(dict.fromkeys(tallies, tallies["d1"]), fold_of)
    found = difference(base, better, "usable.f1")
    assert found["difference"] > 0 and found["interval"][0] >= 0


def _grouped(*pairs: list[tuple[str, str]]) -> list[Tally]:
    """Return the tallies of documents whose claims have these events, annotated and predicted."""
    return [Tally(Counter(), keys) for keys in pairs]


def test_b_cubed_of_every_document_drawn_once_is_that_of_the_sample():
    pairs = [[("a", "x"), ("a", "x")], [("a", "y"), ("b", "y")], []]
    found = Sample(_grouped(*pairs)).figures(np.ones((1, 3)))["b_cubed.f1"][0]
    assert found == pytest.approx(b_cubed(sum(pairs, []))["f1"], abs=1e-4)


def test_a_document_drawn_twice_is_not_right_about_its_copy():
    sample = Sample(_grouped([("a", "x")], [("b", "x")], []))
    found = sample.figures(np.array([[1, 1, 1], [2, 0, 1], [0, 3, 0], [0, 0, 3]], float))["b_cubed.f1"]
    assert found[:3] == pytest.approx([2 / 3] * 3)
    assert np.isnan(found[3])


def test_the_interval_of_b_cubed_contains_its_mean():
    """Sixty events of one document each: the program joins those of fifty documents, two at a time."""
    keys = [(f"e{n}", f"p{n // 2}" if n < 50 else f"q{n}") for n in range(60)]
    tallies = {f"d{n}": each for n, each in enumerate(_grouped(*([key] for key in keys)))}
    found = fold_figures(tallies, dict.fromkeys(tallies, "0"))
    low, high = found.as_dict()["intervals"]["b_cubed.f1"]
    assert found.mean["b_cubed.f1"] == pytest.approx(b_cubed(keys)["f1"], abs=1e-4)
    assert low < found.mean["b_cubed.f1"] < high


def test_a_figure_without_anything_to_divide_by_is_unknown(folders):
    tallies = {"d": folders([SUE], [SUE]).tallies["d"]}
    found = fold_figures(tallies, {"d": "0"}).as_dict()
    assert found["mean"]["direction"] is None and found["intervals"]["direction"] is None


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
    report = evaluate(*folders, shown_from=0.5)
    figures = {name: report.figures[name] for name in reference}
    for row in figures["by_type"].values():
        del row["usable_f1"]  # ours alone
    assert json.loads(json.dumps(figures)) == reference
    fold_of = json.loads((SHARED / "gold/folds.json").read_text())["folds"]
    by_fold = fold_figures(report.tallies, {id_: str(fold) for id_, fold in fold_of.items()})
    assert by_fold.documents.keys() == {"0", "1", "2", "3", "4"}
    assert by_fold.mean["claims.f1"] == pytest.approx(reference["claims"]["f1"], abs=0.02)
    one = fold_figures(report.tallies, dict.fromkeys(report.tallies, "all")).mean
    for name, value in (
        ("claims.f1", reference["claims"]["f1"]),
        ("usable.f1", reference["usable_claims"]["f1"]),
        ("participants.f1", reference["participants_of_matched"]["f1"]),
        ("b_cubed.f1", reference["events_b_cubed"]["f1"]),
        ("date", reference["accuracy_of_matched"]["date"]),
        ("newness", reference["accuracy_of_matched"]["mention"]),
        ("relevance", reference["relevance_accuracy"]),
    ):
        assert one[name] == pytest.approx(value, abs=2e-4), name
    assert 0.3 < figures["claims"]["f1"] < 0.95
