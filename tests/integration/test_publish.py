"""A new snapshot is shown atomically, or not at all."""

from __future__ import annotations

import hashlib
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.builders import signing, source

from pipeline.app import steps
from pipeline.errors import OutsideFailure
from pipeline.ledger.article_store import Library
from pipeline.ledger.build.build import build
from pipeline.ledger.publish import seals
from pipeline.ledger.publish.publish import KEEP, NotSane, check, publish, snapshots
from pipeline.ledger.publish.seals import seal_of
from pipeline.ledger.sqlite_errors import StoreError
from pipeline.site.snapshots import check_snapshot
from pipeline.workspace import DataFolder

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
SOURCES = (source("courier"),)


def ledger(folder: Path, n: int) -> Path:
    """A built ledger of n articles."""
    crawl = folder / f"crawl{n}.db"
    with Library(crawl) as library:
        for number in range(n):
            library.save(*signing("courier", f"a{number}", day=number), "1")
    build(crawl, folder / "build.db", SOURCES)
    return folder / "build.db"


def shown(folder: Path) -> int:
    with closing(sqlite3.connect(f"file:{(folder / 'current').resolve()}?mode=ro", uri=True)) as connection:
        return connection.execute("select count(*) from articles").fetchone()[0]


def test_a_published_ledger_is_checked_and_current(tmp_path: Path) -> None:
    report = publish(ledger(tmp_path, 2), tmp_path / "published", now=NOW)
    assert report.path.name == "oversight-20260601T120000.db"
    assert (tmp_path / "published/current").resolve() == report.path.resolve()
    assert (report.counts["articles"], shown(tmp_path / "published")) == (2, 2)
    with closing(sqlite3.connect(report.path)) as connection:
        assert connection.execute("pragma journal_mode").fetchone() == ("delete",)


def test_the_last_seven_are_kept_and_names_sort_by_time(tmp_path: Path) -> None:
    database, folder = ledger(tmp_path, 1), tmp_path / "published"
    for n in range(KEEP + 2):
        report = publish(database, folder, now=NOW + timedelta(minutes=n))
    assert len(snapshots(folder)) == KEEP
    assert report.removed == ("oversight-20260601T120100.db",)
    again = publish(database, folder, now=NOW)
    assert snapshots(folder)[-1] == again.path


@pytest.mark.parametrize(("setting", "kept"), [("", True), ("keep_months = 0\n", False)])
def test_the_last_snapshot_of_a_month_is_kept_unless_set_otherwise(tmp_path: Path, setting: str, kept: bool) -> None:
    (tmp_path / "oversight.toml").write_text(setting, encoding="utf-8")
    database, folder = ledger(tmp_path, 1), DataFolder(tmp_path)
    old = publish(database, folder.published, now=NOW - timedelta(days=90)).path
    for n in range(9):
        publish(database, folder.published, now=NOW + timedelta(days=n))
    steps.publish(folder)
    assert old.exists() is kept and seals.beside(old).exists() is kept


def test_a_ledger_that_shrank_by_half_is_refused_unless_forced(tmp_path: Path) -> None:
    folder = tmp_path / "published"
    publish(ledger(tmp_path, 12), folder, now=NOW)
    small = ledger(tmp_path, 5)
    with pytest.raises(NotSane, match=r"12 articles, the new ledger only 5.*--force"):
        publish(small, folder, now=NOW + timedelta(minutes=1))
    assert shown(folder) == 12
    assert len(snapshots(folder)) == 1
    publish(small, folder, now=NOW + timedelta(minutes=2), force=True)
    assert shown(folder) == 5


def test_a_damaged_ledger_is_never_shown(tmp_path: Path) -> None:
    folder = tmp_path / "published"
    database = ledger(tmp_path, 3)
    publish(database, folder, now=NOW)
    data = bytearray(database.read_bytes())
    data[4096:40960] = b"\xff" * (40960 - 4096)
    database.write_bytes(data)
    with pytest.raises(StoreError, match=r"damaged|oversight build"):
        publish(database, folder, now=NOW + timedelta(minutes=1))
    assert shown(folder) == 3
    assert list(folder.glob("*.tmp*")) == []


def test_dangling_reference_is_found(tmp_path: Path) -> None:
    database = ledger(tmp_path, 1)
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("update claims set event_id = 'e0'")
    with pytest.raises(StoreError, match="table claims refers to a missing row of events"):
        check(database)


def test_a_published_ledger_is_sealed_with_its_hash_and_rows(tmp_path: Path) -> None:
    report = publish(ledger(tmp_path, 2), tmp_path / "published", now=NOW)
    seal = seal_of(report.path)
    assert seal.sha256 == hashlib.sha256(report.path.read_bytes()).hexdigest()
    assert seal.n_bytes == report.n_bytes and {t: seal.rows[t] for t in report.counts} == dict(report.counts)
    for n in range(1, KEEP + 1):
        publish(tmp_path / "build.db", tmp_path / "published", now=NOW + timedelta(minutes=n))
    assert not report.path.exists() and seal_of(report.path) is None
    assert len(list((tmp_path / "published").glob("*.seal.json"))) == KEEP


def test_a_sealed_snapshot_is_served_unchecked_but_a_changed_one_is_checked_again(tmp_path: Path, monkeypatch) -> None:
    path = publish(ledger(tmp_path, 3), tmp_path / "published", now=NOW).path
    rows = check_snapshot(path)
    with monkeypatch.context() as sealed:
        sealed.setattr("pipeline.site.snapshots.rows_of", lambda _: pytest.fail("it was counted through"))
        assert check_snapshot(path) == rows and rows["articles"] == 3
    seal, data = seal_of(path), bytearray(path.read_bytes())
    data[4096:40960] = b"\xff" * (40960 - 4096)
    path.write_bytes(data)
    assert path.stat().st_size == seal.n_bytes and seal_of(path) is None
    with pytest.raises(OutsideFailure, match="damaged|cannot be read"):
        check_snapshot(path)
    seals.beside(path).write_text("no seal", encoding="utf-8")
    assert seal_of(path) is None


def test_nothing_to_publish_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(OutsideFailure, match="Run `oversight build` first"):
        publish(tmp_path / "build.db", tmp_path / "published")


@pytest.mark.parametrize("step", ["_copy", "check", "_sync", "_point", "_prune"])
def test_a_kill_at_any_step_leaves_a_whole_ledger_shown(tmp_path: Path, step: str) -> None:
    folder = tmp_path / "published"
    publish(ledger(tmp_path, 2), folder, now=NOW)
    database = ledger(tmp_path, 3)
    program = (
        "import os, sys, pathlib, pipeline.ledger.publish.publish as p\n"
        f"p.{step} = lambda *a, **k: os._exit(9)\n"
        "p.publish(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, database, folder], cwd=Path(__file__).parents[2], check=False
    )  # fmt: skip
    assert done.returncode == 9
    assert shown(folder) == (3 if step == "_prune" else 2)
    check((folder / "current").resolve())
    publish(database, folder)
    assert shown(folder) == 3
    assert list(folder.glob("*.tmp*")) == []


def test_reader_always_finds_a_ledger_during_a_switch(tmp_path: Path) -> None:
    database, folder = ledger(tmp_path, 1), tmp_path / "published"
    publish(database, folder, now=NOW)
    with closing(sqlite3.connect(f"file:{(folder / 'current').resolve()}?mode=ro", uri=True)) as reader:
        for n in range(1, KEEP + 3):
            publish(database, folder, now=NOW + timedelta(minutes=n))
            assert shown(folder) == 1
        assert reader.execute("select count(*) from articles").fetchone() == (1,)
