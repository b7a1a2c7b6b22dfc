"""Mistakes of newcomers, and the basic commands over the demo's ledger."""

from __future__ import annotations

import json
import re
import sqlite3
from pathlib import Path

import pytest
from support.command import DONE, WRONG_USE, one_line, oversight
from support.site_under_test import Site

from pipeline.newsroom.cards import card_text
from scrapers.cards import read_card

NO_TEXTS = [
    (b"%PDF-1.7 \x00\x01", "report.pdf", "a PDF document"),
    (b"PK\x03\x04\x14\x00", "report.docx", "an office document"),
    (b"\x01\x02\x00\x04" * 40, "data.txt", "a binary file"),
]


@pytest.mark.parametrize(("body", "name", "said"), NO_TEXTS, ids=[name for _, name, _ in NO_TEXTS])
def test_binary_file_is_not_added_as_text(tmp_path: Path, body: bytes, name: str, said: str) -> None:
    (tmp_path / name).write_bytes(body)
    line = one_line(oversight("add", tmp_path / name, data=tmp_path / "mine"), WRONG_USE)
    assert said in line and "Save its text" in line


def test_a_text_in_another_encoding_is_read_as_it_was_written(tmp_path: Path) -> None:
    from pipeline.commands.inputs import text_in

    words = "The regulator said “no” to Ostrava’s café."
    for name, encoding in (("a", "utf-8"), ("b", "utf-16"), ("c", "cp1252"), ("d", "utf-8-sig")):
        (tmp_path / name).write_bytes(words.encode(encoding))
        assert text_in(tmp_path / name) == words


@pytest.mark.parametrize(
    ("what", "said"), [("", "empty"), ("folder", "a folder"), ("ftp://courier.example/x", "ftp://courier.example/x")]
)
def test_input_that_cannot_be_added_is_named_as_it_was_typed(tmp_path: Path, what: str, said: str) -> None:
    (tmp_path / "folder").mkdir()
    line = one_line(oversight("add", str(tmp_path / what) if what == "folder" else what, data=tmp_path), WRONG_USE)
    assert said in line and ".json, .html or .txt" in line


def test_invalid_original_url_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("The ministry banned the model.")
    assert "--url" in one_line(oversight("add", tmp_path / "a.txt", "--url", "courier", data=tmp_path), WRONG_USE)


def test_error_on_a_missing_contact_names_the_settings_file(tmp_path: Path) -> None:
    line = one_line(oversight("add", "https://courier.example/story", data=tmp_path), WRONG_USE)
    assert str(tmp_path / "oversight.toml") in line


def _documents(folder: Path, **ids: str) -> Path:
    folder.mkdir()
    for name, id_ in ids.items():
        document = {"id": id_, "title": "t", "published": "2026-05-05", "text": "The ministry banned the model."}
        (folder / f"{name}.json").write_text(json.dumps(document))
    return folder


@pytest.mark.parametrize("id_", ["../evil", "/evil", "a\\b", "..", "x" * 300, "a\nb"])
def test_an_id_never_leads_out_of_the_folder_of_claims(tmp_path: Path, id_: str) -> None:
    texts = _documents(tmp_path / "texts", a=id_)
    line = one_line(oversight("claims", texts, "--out", tmp_path / "sub" / "out"), WRONG_USE)
    assert "a.json" in line and "name of a file" in line
    assert {path.name for path in tmp_path.rglob("*")} == {"texts", "a.json"}


def test_documents_with_the_same_id_do_not_overwrite_each_other(tmp_path: Path) -> None:
    texts = _documents(tmp_path / "texts", a="same", b="same")
    line = one_line(oversight("claims", texts, "--out", tmp_path / "out"), WRONG_USE)
    assert "a.json" in line and "b.json" in line


def test_claims_never_overwrite_their_documents(tmp_path: Path) -> None:
    texts = _documents(tmp_path / "texts", a="a")
    before = (texts / "a.json").read_bytes()
    assert "overwritten" in one_line(oversight("claims", texts, "--out", texts / ".." / "texts"), WRONG_USE)
    assert (texts / "a.json").read_bytes() == before


def test_newsroom_cards_survive_writing_and_reading(tmp_path: Path) -> None:
    from pipeline.newsroom.server import Newsroom

    with Newsroom() as newsroom:
        for card in newsroom.cards():
            (file := tmp_path / f"{card.source_id}.toml").write_text(card_text(card))
            assert read_card(file) == card


def _figures(path: Path) -> list[tuple]:
    with sqlite3.connect(path) as db:
        return db.execute(
            "select (select group_concat(event_id || n_origins || summary order by event_id) from events), "
            "(select group_concat(source_id || title order by source_id) from sources)"
        ).fetchall()


def test_demo_ledger_rebuilt_by_hand_is_the_same(ledger: Path) -> None:
    before = _figures(ledger / "build.db")
    assert oversight("extract", data=ledger).stdout.startswith("Parsed 0 pages and analysed 0 articles")
    assert oversight("build", "--full", data=ledger).returncode == DONE
    assert _figures(ledger / "build.db") == before
    assert "northline" in oversight("sources", "health", data=ledger).stdout


def test_relative_path_in_the_settings_starts_at_the_data_folder(tmp_path: Path) -> None:
    from pipeline.settings import load_settings

    (tmp_path / "cards").mkdir()
    (tmp_path / "oversight.toml").write_text('cards = "cards"\nlexicon = "names"\ncatalogue = false\n')
    settings = load_settings(tmp_path / "oversight.toml")
    assert settings.cards == str(tmp_path / "cards")
    assert settings.lexicon == str(tmp_path / "names")
    assert settings.catalogue is False


def test_backup_includes_the_ledgers_own_cards(ledger: Path, tmp_path: Path) -> None:
    assert oversight("backup", tmp_path / "copy", data=ledger).returncode == DONE
    assert (tmp_path / "copy" / "cards" / "northline.toml").exists()
    assert "lies in the folder" in one_line(oversight("backup", ledger / "copy", data=ledger), WRONG_USE)


def test_crash_report_names_the_ledgers_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline import cli

    monkeypatch.setattr("sys.argv", ["oversight", "--data", str(tmp_path / "mine"), "runs"])
    assert str(tmp_path / "mine" / "logs") in cli._save_traceback(ValueError("odd"))


def test_operating_system_error_is_reported_with_what_to_do_next(monkeypatch: pytest.MonkeyPatch) -> None:
    import errno

    from pipeline.cli import _describe_os_error

    assert "choose another path" in _describe_os_error(PermissionError(errno.EACCES, "Permission denied", "/ledger/x"))


def test_counts_use_correct_plurals(demo: Path) -> None:
    for words in (("event", "Corvid 4 signed"), ("origins", "Corvid 4 signed"), ("entity", "Harrowmere")):
        said = oversight(*words, data=demo).stdout
        assert "(s)" not in said and not re.search(r"\b1 \w+s\b(?! \()", said), said
    said = oversight("event", "Corvid 4 signed", data=demo).stdout
    assert re.search(r"\d independent origins \(\d articles\); \d more articles? differs?", said)


def test_first_quote_of_an_event_supports_it(demo: Path) -> None:
    said = oversight("event", "Corvid 4 signed", data=demo).stdout
    first = said[said.index("“") :].splitlines()[1]
    assert first.strip().startswith("occurred ")


def test_list_of_events_shows_no_date_more_precise_than_known() -> None:
    from pipeline.commands.inspect.entries import _brief_date

    said = [("2026-04-09", "2026-04-09"), ("2026-04-01", "2026-04-30"), ("2025-09-01", "2025-11-30"), (None, None)]
    dates = [_brief_date({"date_start": start, "date_end": end}) for start, end in said]
    assert dates == ["2026-04-09", "2026-04", "2025", "undated"]


def test_unknown_name_is_reported_with_suggestions(demo: Path) -> None:
    assert "oversight unknown-names" in one_line(oversight("entity", "zzz", data=demo), WRONG_USE)
    assert "Which event?" in one_line(oversight("event", "", data=demo), WRONG_USE)


def test_missing_ledger_error_mentions_the_demo(demo: Path, tmp_path: Path) -> None:
    assert f"--data {demo}" in one_line(oversight("entity", "Vellichor", data=demo.parent), WRONG_USE)
    assert "another ledger's folder" in one_line(oversight("gaps", data=tmp_path), WRONG_USE)


def test_list_of_runs_explains_failures_in_plain_words(ledger: Path) -> None:
    assert "No run has been recorded yet" in oversight("runs", data=ledger).stdout
    oversight("crawl", "--source", "nobody", data=ledger)
    said = oversight("runs", data=ledger).stdout
    assert "There is no source 'nobody'" in said and "WrongUse" not in said


def test_saved_queries_show_no_date_more_precise_than_known(demo: Path) -> None:
    site = Site(demo)
    rows = site.get("/oversight/planned_and_not_done.json?_shape=objects").json()["rows"]
    dates = {row["summary"]: row["due"] for row in rows}
    known = site.db.execute("select summary, date_precision from events where date_precision <> 'day'").fetchall()
    vague = [summary for summary, _ in known if summary in dates]
    assert vague
    assert [dates[summary] for summary in vague if re.fullmatch(r"\d{4}-\d\d-\d\d", dates[summary] or "")] == []
    rows = site.get("/oversight/follow_one_instrument.json?_shape=objects").json()["rows"]
    assert {"2026-03-26"} <= {row["date"] for row in rows}


def test_hopes_do_not_count_as_the_first_report(demo: Path) -> None:
    site = Site(demo)
    rows = site.get("/oversight/who_reported_first.json?_shape=objects").json()["rows"]
    signed = [row for row in rows if row["summary"].startswith("Vellichor and the Federal Office for Machine")]
    assert all(row["first_day"] >= "2026-04-08" for row in signed)  # before, a signing was only hoped for
    rows = site.get("/oversight/one_origin_only.json?_shape=objects").json()["rows"]
    assert rows and all(row["origin"] for row in rows)


def test_article_page_explains_why_others_share_its_origin(demo: Path) -> None:
    site = Site(demo)
    page = site.get(f"/article/{site.one('select to_article_id from origin_edges where basis = ?', 'family')}").text
    assert "belongs to the same publisher group as this one" in page
    assert "from time" not in page


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("least_confidence = 7", "between 0 and 1"),
        ("keep_months = -3", "0 or more"),
        ('contact = ["desk@courier.example"]', "text in quotation marks"),
        ('site = "ledger"', "begins with https://"),
        ('catalogue = "perhaps"', "true or false"),
    ],
)
def test_invalid_setting_is_refused(tmp_path: Path, setting: str, said: str) -> None:
    (tmp_path / "oversight.toml").write_text(setting + "\n")
    line = one_line(oversight("alerts", data=tmp_path), WRONG_USE)
    assert said in line and setting.split()[0] in line


def test_page_of_models_states_who_released_a_model_and_when(demo: Path) -> None:
    said = oversight("status", data=demo).stdout
    assert re.search(r"Released by Vellichor(?: to 200 vetted organisations)?, 21 April 2026\.", said)


def test_every_country_code_has_a_name() -> None:
    from pipeline.lexicon.load import load_lexicon
    from pipeline.site.text.labels import words_for
    from scrapers.cards import load_sources

    codes = {card.jurisdiction for card in load_sources()}
    codes |= {entity.jurisdiction for entity in load_lexicon().entities.values() if entity.jurisdiction}
    assert len(codes) > 100
    assert not sorted(code for code in codes if words_for("jurisdiction", code) == code)


def test_new_ledger_states_its_coverage(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    example = Path(__file__).parents[2] / "docs" / "example-article.txt"
    for words in (("add", example, "--published", "2026-05-12"), ("build",), ("publish",)):
        assert oversight(*words, data=mine).returncode == DONE
    site = Site(mine)
    n_off = int(site.one("select count(*) from sources where health like 'switched off%'"))
    n_all = int(site.one("select count(*) from sources"))
    assert 0 < n_off < n_all
    for page in (site.get("/").text, site.get("/sources").text):
        assert f"{n_all - n_off - 1} sources watched; {n_off} more are listed but switched off" in page
    assert "only what 1 source published on 12 May 2026," in site.get("/").text
    assert "Publisher without a card" in site.get("/sources").text
