"""Stored accuracy figures: the site and the docs show them, and unsure claims have their own page."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.site_data import publish
from support.site_under_test import Site

from pipeline.accuracy.stored import hash_of, load_figures, same_program, store
from pipeline.accuracy.table import (
    ABLATED,
    COUNTS,
    FOLD_FIGURES,
    Figure,
    ablation_rows,
    by_type,
    fold_rows,
    group_rows,
    lines,
    signed,
)
from pipeline.cli import oversight
from pipeline.errors import OutsideFailure
from pipeline.evaluation.fitting import docs
from pipeline.evaluation.metrics import evaluate
from pipeline.nlp.events.calibration import UNCALIBRATED, load_calibrator
from pipeline.nlp.switches import PARTS
from pipeline.versions import program_version

ROOT = Path(__file__).resolve().parents[2]
TEXT = "The agency barred Halden on Friday. Halden may sue."
BARRED = {
    "quote": "The agency barred Halden on Friday.", "type": "restriction", "modality": "occurred", "mention": "new",
    "attribution": {"kind": "own_reporting", "name": None}, "date": None, "event": "e1", "participants": [],
}  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Site:
    folder = tmp_path_factory.mktemp("accuracy")
    publish(folder)
    return Site(folder)


def _plain(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_the_page_shows_every_stored_figure_with_its_interval_and_n(site):
    page = _plain(site.get("/accuracy").text)
    stored = load_figures()
    assert {"held-out", "newsroom"} <= set(stored)
    for each in stored.values():
        assert each["data_hash"] in page and each["program_version"] in page
        for line in lines(each["figures"]):
            assert line.label in page
            shown = f"{round(100 * line.value)} %"
            if line.interval:
                shown += f" ({round(100 * line.interval[0])} to {round(100 * line.interval[1])})"
            assert f"{shown} n = {line.n}" in page, line


def test_the_page_shows_every_event_type_with_its_number_of_annotations(site):
    html = site.get("/accuracy").text
    rows = [_plain(row) for row in re.findall(r"<tr>.*?</tr>", html, re.S)]
    for each in load_figures().values():
        for name, right, found in by_type(each["figures"]):
            words = name.replace("_", " ")
            assert any(f" {right.n} " in row and f" {found.n} " in row for row in rows), words


def test_the_page_shows_the_reliability_table_and_the_review_queue(site):
    page = _plain(site.get("/accuracy").text)
    facts = load_calibrator().report
    for each in facts["calibrated"]["bins"]:
        low, high = each["interval"]
        wanted = f"{each['claims']} {round(100 * each['mean_confidence'])} {round(100 * each['share_right'])} %"
        assert f"{wanted} ({round(100 * low)} to {round(100 * high)})" in page
    held = facts["default_view"]
    assert f"were {held['under']}, of which {held['right_under']} were right" in page


def test_figures_of_another_version_are_marked_as_older(site, monkeypatch):
    measured = load_figures()
    own = {name: each | {"program_version": program_version()} for name, each in measured.items()}
    monkeypatch.setattr("pipeline.site.plugins.pages.load_figures", lambda: own)
    assert "Older figures" not in site.get("/accuracy").text
    old = {name: each | {"program_version": "0.0.9+aaaaaaaaaa"} for name, each in measured.items()}
    monkeypatch.setattr("pipeline.site.plugins.pages.load_figures", lambda: old)
    page = site.get("/accuracy").text
    assert page.count("Older figures") == 1 and page.count("(older)") == len(old)


def test_the_page_says_that_nothing_was_measured(site, monkeypatch):
    monkeypatch.setattr("pipeline.site.plugins.pages.load_figures", dict)
    monkeypatch.setattr("pipeline.site.plugins.pages.load_calibrator", lambda: UNCALIBRATED)
    page = site.get("/accuracy")
    assert page.status_code == 200
    assert "No figures are stored" in page.text and "own estimate" in page.text


def test_every_page_leads_to_the_accuracy_page_and_events_to_their_confidence(site):
    assert 'href="/accuracy"' in site.get("/").text
    event = site.event_named("signed testing agreements")
    text = site.get(f"/event/{event}").text
    assert 'href="/accuracy#confidence"' in text and "not yet calibrated" not in text


def test_the_docs_show_the_stored_figures():
    text = (ROOT / "docs/accuracy.md").read_text(encoding="utf-8")
    assert [found[1] for found in docs.BLOCK.findall(text)] == list(docs.BLOCKS)
    assert docs.renewed(text) == text, "renew it: python -m pipeline.evaluation.fitting.docs docs/accuracy.md"


def test_a_document_without_marked_blocks_is_rejected(tmp_path, capsys):
    plain = tmp_path / "plain.md"
    plain.write_text("# Nothing\n")
    assert docs.main([str(plain)]) == 2
    assert "no marked block" in capsys.readouterr().err


def test_unsure_claims_have_their_own_marked_page(site):
    claims = site.get("/oversight/claims").text
    assert 'href="/oversight/unsure_claims"' in claims and "31 in 100" not in claims
    unsure = site.get("/oversight/unsure_claims").text
    assert unsure.count("Unsure: 31 in 100") == 3
    article = site.one("select article_id from unsure_claims")
    page = site.get(f"/article/{article}").text
    assert f"/oversight/unsure_claims?article_id={article}" in page
    rows = site.get(f"/oversight/unsure_claims.json?article_id={article}&_shape=objects").json()["rows"]
    assert rows and all(row["article_id"] == article for row in rows)


# ---- storing


@pytest.fixture
def folders(tmp_path) -> list[str]:
    for name, content in (("texts", {"id": "d", "text": TEXT}), ("gold", {"relevant": True, "claims": [BARRED]})):
        for document in ("d", "other"):
            (tmp_path / name).mkdir(exist_ok=True)
            (tmp_path / name / f"{document}.json").write_text(json.dumps(content | {"id": document}))
    (tmp_path / "found").mkdir()
    for document in ("d", "other"):
        (tmp_path / f"found/{document}.json").write_text(json.dumps({"relevant": True, "claims": [BARRED]}))
    return [str(tmp_path / name) for name in ("texts", "gold", "found")]


def _run(*arguments: str):
    return CliRunner().invoke(oversight, list(arguments), catch_exceptions=False)


def test_evaluate_stores_its_figures_with_day_hash_and_version(folders, tmp_path):
    texts, gold, found = folders
    file = tmp_path / "figures.json"
    answer = _run("--data", str(tmp_path), "evaluate", texts, gold, "--predicted", found, "--store", str(file))
    assert answer.exit_code == 0, answer.output
    stored = json.loads(file.read_text())
    assert stored["figures"] == json.loads(json.dumps(evaluate(*map(Path, folders)).as_dict()))
    assert (stored["documents"], stored["annotated_claims"], stored["found_claims"]) == (2, 2, 2)
    assert stored["program_version"] == program_version()
    assert stored["data_hash"] == hash_of([*Path(texts).glob("*"), *Path(gold).glob("*")])
    assert "best case" in stored["note"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", stored["date"])


def test_held_out_figures_cover_only_documents_in_a_fold(folders, tmp_path):
    texts, gold, found = folders
    (tmp_path / "folds/1").mkdir(parents=True)
    (tmp_path / "folds/1/documents.json").write_text('["d"]')
    file = tmp_path / "figures.json"
    arguments = ("--data", str(tmp_path), "evaluate", texts, gold, "--predicted", found, "--folds")
    answer = _run(*arguments, str(tmp_path / "folds"), "--store", str(file))
    assert answer.exit_code == 0, answer.output
    assert "Skipped 1 document outside every fold." in answer.output
    stored = json.loads(file.read_text())
    assert stored["documents"] == 1 and "had not seen" in stored["note"]
    assert stored["figures"]["folds"]["documents"] == {"1": 1}
    assert list(stored["figures"]["by_novelty"]) and "fold 1" in answer.output


def test_parts_are_measured_only_on_documents_that_are_read_now(folders, tmp_path):
    texts, gold, found = folders
    answer = CliRunner().invoke(
        oversight, ["--data", str(tmp_path), "evaluate", texts, gold, "--predicted", found, "--ablate"]
    )
    assert "--ablate reads the documents again" in str(answer.exception)


# ---- tables


def _measured() -> dict:
    """Return figures as `oversight evaluate --folds --ablate` stores them, for two folds."""
    share = {name: 0.5 for name, _, _ in FOLD_FIGURES if name not in COUNTS}
    row = share | dict.fromkeys(COUNTS, 3)
    group = {"precision": 0.8, "recall": 0.4, "f1": 0.5333, "usable_f1": 0.4, "gold": 10, "predicted": 5}
    change = {"difference": -0.012, "interval": [-0.02, 0.001]}
    return {
        "folds": {
            "documents": {"0": 7, "1": 8},
            "by_fold": {"0": row, "1": row | {"direction": None}},
            "mean": row,
            "intervals": {name: [0.45, 0.55] for name in share},
        },
        "by_novelty": {"0": group},
        "intervals": {"by_novelty.0.recall": [0.3, 0.5]},
        "ablation": {
            "whole": row,
            "without": {part: {name: change for name, _ in ABLATED} | {"meaning": "it is off"} for part in PARTS},
        },
    }


def test_the_table_by_fold_has_every_figure_with_mean_and_interval():
    rows = fold_rows(_measured())
    assert rows[0] == ["", "fold 0", "fold 1", "mean", "95 % interval"]
    assert rows[1] == ["documents", "7", "8", "15", ""]
    assert [row[0] for row in rows[2:]] == [label for _, label, _ in FOLD_FIGURES]
    by_label = {row[0]: row for row in rows}
    assert by_label["Imposed or lifted"] == ["Imposed or lifted", ".500", "–", ".500", ".450 to .550"]
    assert by_label["claims from irrelevant documents"][1:] == ["3", "3", "3", ""]
    assert fold_rows({}) == []


def test_the_table_of_groups_has_intervals_and_numbers():
    heading, row = group_rows(_measured(), "novelty")
    assert heading[0] == "Trigger word in the training data"
    assert row == ["0", ".800", ".400 (.300 to .500)", ".533", ".400", "10", "5"]
    assert group_rows({}, "novelty") == []


def test_the_table_of_parts_has_every_part_with_its_differences():
    rows = ablation_rows(_measured())
    assert [row[0] for row in rows] == ["without", "nothing", *(part.replace("_", " ") for part in PARTS)]
    assert rows[2][1] == "-.012 (-.020 to +.001)"
    assert (signed(0.0001), signed(-0.5), signed(1.0)) == ("0", "-.500", "+1.000")


def test_page_and_docs_show_the_tables_by_fold_and_of_parts(site, monkeypatch):
    measured = load_figures()["held-out"]
    figures = measured["figures"] | _measured() | {"intervals": measured["figures"]["intervals"]}
    stored = {"held-out": measured | {"figures": figures}}
    monkeypatch.setattr("pipeline.site.plugins.pages.load_figures", lambda: stored)
    page = _plain(site.get("/accuracy").text)
    written = docs.folds_block(stored) + docs.groups_block(stored) + docs.ablation_block(stored)
    for rows in (fold_rows(figures), group_rows(figures, "novelty"), ablation_rows(figures)):
        for row in rows[1:]:
            assert " ".join(cell for cell in row if cell) in page
            assert "| " + " | ".join(row) + " |" in written
    assert "- guard: it is off." in written


def test_the_data_hash_changes_with_any_text_and_not_with_the_order(folders):
    texts, gold, _ = map(Path, folders)
    files = [*texts.glob("*"), *gold.glob("*")]
    before = hash_of(files)
    assert hash_of(reversed(files)) == before
    (texts / "d.json").write_text("{}")
    assert hash_of(files) != before


def test_unwritable_figures_are_reported(tmp_path, folders):
    report = evaluate(*map(Path, folders)).as_dict()
    with pytest.raises(OutsideFailure, match="Cannot write the figures"):
        store(tmp_path / "none/figures.json", report, note="", title="", data_hash="", least_confidence=0.5)


def test_versions_with_the_same_extraction_code_are_the_same_program():
    assert same_program("0+abc", "0.1.0+abc")
    assert not same_program("0+abc", "0+abd")


def test_a_figure_is_shown_with_its_interval_if_it_has_one():
    assert Figure("x", "", 0.9, (0.85, 0.94), 10).words() == "90 % (85 to 94)"
    assert Figure("x", "", 0.9, None, 10).words() == "90 %"


def test_few_claims_that_are_all_right_have_a_wide_interval(folders):
    low, high = evaluate(*map(Path, folders)).intervals["claims.precision"]
    assert low < 0.5 and high == 1.0
