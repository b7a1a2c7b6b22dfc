"""Every command as a user calls it: messages, exit codes, and damage that it must not do."""

from __future__ import annotations

import fcntl
import json
import sqlite3
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.command import DONE, LOCKED, OUTSIDE, PROBLEM, WRONG_USE, one_line, oversight

ROOT = Path(__file__).resolve().parents[2]


def test_help_names_every_command_and_each_has_help() -> None:
    from pipeline.cli import COMMANDS
    from pipeline.cli import oversight as group

    text = oversight("--help").stdout
    for name in COMMANDS:
        assert f"\n  {name} " in text
    for name in COMMANDS:
        assert "Usage:" in CliRunner().invoke(group, [name, "--help"]).output


def test_unknown_command_is_a_usage_error() -> None:
    assert "There is no command 'crwal'. Did you mean 'crawl'?" in one_line(oversight("crwal"), WRONG_USE)
    assert "Did you mean 'check'?" in one_line(oversight("sources", "chek"), WRONG_USE)
    assert "--json" in one_line(oversight("verify", "--jsn"), WRONG_USE)


@pytest.mark.parametrize(
    "words", [("build",), ("verify",), ("event", "e1"), ("serve",), ("export", "--out", "x"), ("unknown-names",)]
)
def test_missing_ledger_is_reported_with_what_to_do(words: tuple[str, ...], tmp_path: Path) -> None:
    result = oversight(*words, data=tmp_path / "none")
    assert result.returncode in (WRONG_USE, OUTSIDE)
    assert "oversight" in result.stderr.split(":", 1)[1] and "Traceback" not in result.stderr


def test_the_live_web_is_not_crawled_without_a_contact(tmp_path: Path) -> None:
    assert "contact" in one_line(oversight("crawl", data=tmp_path), WRONG_USE)


def test_a_network_that_is_down_is_one_line_and_nothing_is_published(tmp_path: Path) -> None:
    cards = tmp_path / "cards"
    cards.mkdir()
    example = (ROOT / "docs" / "example_card.toml").read_text()
    for number in range(3):  # names that end in .invalid never resolve
        card = example.replace("courier.example", f"courier{number}.invalid")
        (cards / f"courier_{number}.toml").write_text(card)
    (tmp_path / "oversight.toml").write_text(f'cards = "{cards}"\ncontact = "mailto:desk@gazette.invalid"\n')
    result = oversight("run", data=tmp_path)
    assert result.returncode == OUTSIDE and "NETWORK_DOWN" in result.stderr.splitlines()[-1], result
    assert not (tmp_path / "oversight.db").exists()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert "nowhere.html" in one_line(oversight("add", "nowhere.html", data=tmp_path), WRONG_USE)


def test_document_that_is_not_json_is_named(tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "one.json").write_text("{not json")
    said = one_line(oversight("claims", tmp_path / "texts", "--out", tmp_path / "out"), WRONG_USE)
    assert "one.json" in said and "JSON" in said


def test_invalid_date_is_named(tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "one.json").write_text(json.dumps({"text": "A text.", "published": "next Tuesday"}))
    said = one_line(oversight("claims", tmp_path / "texts", "--out", tmp_path / "out"), WRONG_USE)
    assert "next Tuesday" in said


def test_a_broken_card_is_named_with_the_key(tmp_path: Path) -> None:
    card = tmp_path / "cards" / "the_gazette.toml"
    card.parent.mkdir()
    card.write_text((ROOT / "docs" / "example_card.toml").read_text().replace("shape", "shap"))
    result = oversight("sources", "check", card)
    assert result.returncode == PROBLEM
    assert "shap" in result.stdout and "the_gazette.toml" in result.stdout
    (tmp_path / "oversight.toml").write_text(f'cards = "{card.parent}"\n')
    assert "shap" in one_line(oversight("sources", "list", data=tmp_path), WRONG_USE)


def test_an_unknown_setting_is_refused(tmp_path: Path) -> None:
    (tmp_path / "oversight.toml").write_text('contakt = "x"\n')
    said = one_line(oversight("sources", "list", data=tmp_path), WRONG_USE)
    assert "unknown setting 'contakt'. Did you mean 'contact'?" in said


def test_second_run_on_a_locked_ledger_exits(ledger: Path) -> None:
    with (ledger / "lock").open("a+") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        assert "in use" in one_line(oversight("build", data=ledger), LOCKED)


@pytest.mark.parametrize("name", ["crawl.db", "build.db"])
def test_a_damaged_database_is_named_and_left_alone(ledger: Path, name: str) -> None:
    file = ledger / name
    for rest in ("-wal", "-shm"):
        Path(f"{file}{rest}").unlink(missing_ok=True)
    file.write_bytes(b"this is no database" * 1000)
    command = "publish" if name == "build.db" else "build"
    assert name in one_line(oversight(command, data=ledger), OUTSIDE)
    assert file.read_bytes().startswith(b"this is no database")
    assert oversight("verify", data=ledger).returncode in (PROBLEM, OUTSIDE)


def test_locked_database_is_reported_and_nothing_is_lost(ledger: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = sqlite3.connect(ledger / "crawl.db", isolation_level=None)
    before = other.execute("select count(*) from articles").fetchone()
    other.execute("begin exclusive")
    result = oversight("add", ROOT / "docs" / "example-article.txt", data=ledger)
    other.execute("rollback")
    assert "locked" in one_line(result, OUTSIDE)
    assert other.execute("select count(*) from articles").fetchone() == before


def test_full_disk_is_reported_and_the_ledger_stays_intact(ledger: Path, tmp_path: Path) -> None:
    """A file system of one megabyte stands for the full disk; it takes the right to mount one."""
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", small], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("no right to mount a small file system here")
    try:
        (small / "filler").write_bytes(b"x" * 900_000)
        assert "full" in one_line(oversight("export", "--out", small / "tables", data=ledger), OUTSIDE)
    finally:
        subprocess.run(["umount", small], check=False)
    assert oversight("verify", data=ledger).returncode == DONE


def test_missing_network_is_an_outcome_not_a_crash(tmp_path: Path) -> None:
    (tmp_path / "oversight.toml").write_text('contact = "desk@newsroom.example"\n')
    result = oversight("add", "https://no-such-host.invalid/story", data=tmp_path)
    assert "no-such-host.invalid" in one_line(result, OUTSIDE)


def test_local_address_is_not_fetched(tmp_path: Path) -> None:
    (tmp_path / "oversight.toml").write_text('contact = "desk@newsroom.example"\n')
    result = oversight("add", "http://127.0.0.1:9/secret", data=tmp_path)
    assert "BLOCKED_ADDRESS" in one_line(result, OUTSIDE)


def test_verify_finds_no_fault_in_the_demo(demo: Path) -> None:
    result = oversight("verify", data=demo)
    assert result.returncode == DONE
    assert result.stdout.startswith("Checked 59 pages in 5 archive files, ")
    assert result.stdout.endswith(" events, 1 snapshot: 0 faults.\n")


def test_verify_names_the_claim_after_one_changed_byte_of_a_text(ledger: Path) -> None:
    with sqlite3.connect(ledger / "crawl.db") as db:
        claim, quote, article = (
            sqlite3.connect(ledger / "published" / "current")
            .execute("select claim_id, quote, article_id from claims order by claim_id")
            .fetchone()
        )
        db.execute("update articles set text = replace(text, ?, ?) where article_id = ?",
                   (quote, quote.replace("e", "i", 1), article))  # fmt: skip
    result = oversight("verify", data=ledger)
    assert result.returncode == PROBLEM and claim in result.stdout


def test_verify_names_a_claim_after_one_changed_byte_of_the_archive(ledger: Path) -> None:
    page, claim = (
        sqlite3.connect(ledger / "published" / "current")
        .execute("select page_sha256, claim_id from claims join articles using (article_id) order by claim_id")
        .fetchone()
    )
    file, offset, length = (
        sqlite3.connect(ledger / "crawl.db")
        .execute("select warc_file, offset, length from pages where sha256 = ?", (page,))
        .fetchone()
    )
    warc = ledger / "archive" / file
    data = bytearray(warc.read_bytes())
    data[offset + length // 2] ^= 1
    warc.write_bytes(bytes(data))
    result = oversight("verify", data=ledger)
    assert result.returncode == PROBLEM and claim in result.stdout


def test_two_builds_export_the_same_bytes(ledger: Path, tmp_path: Path) -> None:
    from pipeline.commands.operate.demo import demo_lexicon

    (ledger / "oversight.toml").write_text(f'lexicon = "{demo_lexicon()}"\nleast_confidence = 0.45\n')
    exports = []
    for name in ("one", "two"):
        for command in ("build", "publish"):
            assert oversight(command, data=ledger).returncode == DONE
        assert oversight("export", "--out", tmp_path / name, data=ledger).returncode == DONE
        exports.append({p.name: p.read_bytes() for p in sorted((tmp_path / name).iterdir())})
    assert exports[0] == exports[1]


def test_only_quotes_of_an_article_are_published(demo: Path) -> None:
    published = sqlite3.connect(demo / "published" / "current")
    longest = published.execute("select max(length(quote)) from claims").fetchone()[0]
    assert 40 < longest <= 700
    dump = "\n".join(published.iterdump())
    texts = sqlite3.connect(demo / "crawl.db").execute("select text from articles where length(text) > 800").fetchall()
    assert texts and not [text for (text,) in texts if text[:800] in dump]


def test_tables_are_output_as_json_on_request(demo: Path) -> None:
    for words in (("contradictions",), ("unknown-names",), ("sources", "list"), ("entity", "Vellichor"), ("verify",)):
        assert isinstance(json.loads(oversight(*words, "--json", data=demo).stdout), list)
