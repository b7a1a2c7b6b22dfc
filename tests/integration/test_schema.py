"""Migrations: older private tables are updated, other published ones are refused with a message."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database
from support.builders import signing, source

from pipeline.errors import OUTSIDE, OutsideFailure
from pipeline.ledger.article_store import Library
from pipeline.ledger.build.build import build
from pipeline.ledger.publish.publish import publish
from pipeline.ledger.rows.records import article_row, findings_row
from pipeline.ledger.schema import SCHEMA_VERSION, private, published
from pipeline.ledger.sqlite_errors import StoreError
from pipeline.site.snapshots import check_snapshot

ROOT = Path(__file__).resolve().parents[2]
# The tables of the first version, hashed: a migration that was released is never edited.
FIRST = {"private": "33ef51b8c7074fff", "published": "cbfbd09fcd73d70f"}


def old_findings_row(found):  # noqa: ANN001, ANN201
    """The row of `findings` as it was before the columns and keys took the names of the field."""
    row = findings_row(found, "1")
    row["gate_score"] = row.pop("relevance_score")
    for new, old in (("newness", "mention"), ("unknown_names", "gaps"), ("relevance_score", "gate_score")):
        row["findings"] = row["findings"].replace(f'"{new}":', f'"{old}":')
    return row


def first_tables(set_, path: Path | None = None) -> Database:
    """A database with the tables of the first migration of a set alone."""
    names = [migration.name for migration in set_.pending(Database(memory=True))]
    db = Database(path) if path else Database(memory=True)
    set_.apply(db, stop_before=names[1:2])
    return db


@pytest.mark.parametrize("name", FIRST)
def test_the_first_tables_are_as_they_were_released(name: str) -> None:
    db = first_tables({"private": private, "published": published}[name])
    sql = "select sql from sqlite_master where sql is not null and name not like '%migrations%' order by name"
    text = "\n".join(" ".join(row[0].split()) for row in db.execute(sql).fetchall())
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == FIRST[name]


def test_a_crawl_database_of_the_first_version_is_migrated_with_all_it_holds(tmp_path: Path) -> None:
    art, found = signing("courier", "a")
    path = tmp_path / "crawl.db"
    old = first_tables(private, path)
    seen = "2026-05-05T09:00:00+00:00"
    old["articles"].insert(article_row(art) | {"first_seen_at": seen, "last_seen_at": seen})
    old["findings"].insert(old_findings_row(found))
    old["event_history"].insert({"event_id": "e1", "claim_ids": found.claims[0].claim_id})
    old.conn.close()
    with Library(path) as library:
        assert library.article(art.article_id) == art
        assert list(library.findings("1")) == [found]
        assert library.event_history() == {"e1": (found.claims[0].claim_id,)}
        assert library.redirects() == {}
    report = build(path, tmp_path / "build.db", [source("courier")])
    assert (report.n_claims, report.n_redirects) == (1, 1)
    with Library(path) as library:  # and again: nothing is left to migrate
        assert not list(private.pending(Database(library._db)))


STEPS = [migration.name for migration in private.pending(Database(memory=True))]


@pytest.mark.parametrize("n", range(1, len(STEPS) + 1))
def test_a_crawl_database_of_every_version_is_migrated_and_joined_with_all_it_holds(tmp_path: Path, n: int) -> None:
    path = tmp_path / "crawl.db"
    old = Database(path)
    private.apply(old, stop_before=STEPS[n : n + 1])
    seen = "2026-05-05T09:00:00+00:00"
    reports = [signing("courier", "a"), signing("signal", "b", day=2)]
    for art, found in reports:
        old["articles"].insert(article_row(art) | {"first_seen_at": seen, "last_seen_at": seen})
        old["findings"].insert(
            old_findings_row(found) if n < STEPS.index("names_of_the_field") + 1 else findings_row(found, "1")
        )
    old["event_history"].insert({"event_id": "e1", "claim_ids": reports[0][1].claims[0].claim_id})
    if n > 1:
        old["event_redirects"].insert({"old_event_id": "e0", "event_id": "e1", "reason": "merged"})
    old.conn.close()
    sources = [source("courier"), source("signal")]
    report = build(path, tmp_path / "build.db", sources)
    assert (report.n_articles, report.n_claims, report.n_redirects) == (2, 2, 1 + (n > 1))
    with Library(path) as library:
        assert [v.article for v in library.versions()] == sorted((a for a, _ in reports), key=lambda a: a.article_id)
        assert not list(private.pending(Database(library._db)))
        library.save(*signing("courier", "later", day=3), "1")
    assert not build(path, tmp_path / "build.db", sources).whole


def test_a_crawl_database_of_a_newer_program_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "crawl.db"
    Library(path).close()
    with closing(sqlite3.connect(path)) as db:
        db.execute("insert into _sqlite_migrations (migration_set, name, applied_at) values (?, ?, ?)",
                   ("oversight_private", "from_the_future", "2030-01-01"))  # fmt: skip
        db.commit()
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"newer version of this program \(from_the_future is unknown here\)"):
        Library(path)
    assert path.read_bytes() == before


def ledger(tmp_path: Path, version: int) -> Path:
    """A built ledger that says that its tables are of some version."""
    with Library(tmp_path / "crawl.db") as library:
        library.save(*signing("courier", "a"), "1")
    build(tmp_path / "crawl.db", tmp_path / "build.db", [source("courier")])
    with closing(sqlite3.connect(tmp_path / "build.db")) as db:
        db.execute("update build_info set value = ? where key = 'schema_version'", [str(version)])
        db.commit()
    return tmp_path / "build.db"


@pytest.mark.parametrize(
    ("version", "words"),
    [
        (SCHEMA_VERSION - 1, "older version .*oversight build"),
        (SCHEMA_VERSION + 1, "newer version .*Update this program"),
    ],
)
def test_a_ledger_of_another_version_is_neither_published_nor_served(tmp_path: Path, version: int, words: str) -> None:
    path = ledger(tmp_path, version)
    with pytest.raises(StoreError, match=words):
        publish(path, tmp_path / "published")
    assert not (tmp_path / "published" / "current").exists()
    with pytest.raises(OutsideFailure, match=words):
        check_snapshot(path)


def test_a_snapshot_of_the_first_version_is_refused_in_words_by_every_command(tmp_path: Path) -> None:
    folder = tmp_path / "published"
    folder.mkdir()
    old = first_tables(published, folder / "oversight-20260501T000000.db")
    old["build_info"].insert({"key": "schema_version", "value": "1"})
    old.conn.close()
    (folder / "current").symlink_to("oversight-20260501T000000.db")
    for words in (
        ("event", "e1"),
        ("entity", "Meta"),
        ("contradictions",),
        ("revisions", "x"),
        ("serve", "--port", "0"),
    ):
        command = [sys.executable, "-m", "pipeline.cli", "--data", str(tmp_path), *words]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == OUTSIDE, done.stderr
        assert "schema 1" in done.stderr and "oversight build" in done.stderr and "Traceback" not in done.stderr
    out = [sys.executable, "-m", "pipeline.cli", "--data", str(tmp_path), "export", "--out", str(tmp_path / "out")]
    assert subprocess.run(out, cwd=ROOT, check=False).returncode == 0  # the old tables can still be taken out
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["schema_version"] == 1


def test_every_schema_version_has_one_migration_and_one_line_in_the_changelog() -> None:
    migrations = [migration.name for migration in published.pending(Database(memory=True))]
    assert len(migrations) == SCHEMA_VERSION, "a new migration of `published` raises SCHEMA_VERSION by one"
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    listed = re.findall(r"^- Version (\d+): \S.{20,}", changes, re.MULTILINE)
    assert listed == [str(n) for n in range(1, SCHEMA_VERSION + 1)], "CHANGELOG.md, “Published tables”: a line for each"
