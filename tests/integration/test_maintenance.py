"""Retention deletes only unreferenced pages and fetch records; a backup restores everything."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.builders import article, findings, signing, source

from pipeline.app.maintenance import FORMER, back_up, let_go_of_visits, prune_pages, room_of
from pipeline.app.steps import health, visited
from pipeline.cli import _run
from pipeline.errors import WrongUse
from pipeline.ledger.article_store import Library
from pipeline.ledger.build.build import build
from pipeline.ledger.publish.export import export
from pipeline.ledger.publish.publish import publish
from pipeline.ledger.publish.verify import pruned, verify
from pipeline.versions import reader_version
from pipeline.workspace import DataFolder
from scrapers.archive.store import Archive
from scrapers.crawling.frontier import Frontier
from scrapers.items import Article, Feed, FeedShape, Outcome, Page, Source
from scrapers.messages import as_text

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
SOURCES = (source("courier"), source("signal"))


def body_of(name: str) -> bytes:
    return f"<html><p>{name}</p></html>".encode() + hashlib.sha256(name.encode()).digest() * 60


def archived(archive: Archive, library: Library, art: Article, when: datetime, found=None) -> Article:
    """Keep an article with its page, read by this reader, and what was found in it."""
    body = body_of(art.url)
    sha = hashlib.sha256(body).hexdigest()
    archive.add(Page(art.url, art.url, art.source_id, when, 200, "text/html", "utf-8", (), body, sha))
    art = replace(art, page_sha256=sha, fetched_at=when)
    library.save_reading(sha, art.url, art.source_id, reader_version(), Outcome.SAVED, art)
    if found is not None:
        library.save_findings(found, "1")
    return art


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    """Four pages of one old day: an article of the ledger, one about football, one not understood, one not read."""
    data = DataFolder(tmp_path / "ledger").make()
    archive, old = Archive(data.archive), NOW - 500 * DAY
    with Library(data.crawl_db) as library:
        signed, found = signing("courier", "a")
        archived(archive, library, signed, old, found)
        for name in ("football", "tennis"):
            art = article("courier", name, f"A match of {name} was played.")
            archived(archive, library, art, old, findings(art, relevant=False))
        archived(archive, library, article("signal", "waiting", "Nobody understood this yet."), old)
        new = article("signal", "golf", "A round of golf was played.")
        archived(archive, library, new, NOW - 3 * DAY, findings(new, relevant=False))
    body = body_of("unread")
    sha = hashlib.sha256(body).hexdigest()
    archive.add(
        Page("https://u.example/", "https://u.example/", "signal", old, 200, "text/html", "utf-8", (), body, sha)
    )
    archive.close()
    (data.path / "reviews.toml").write_text("")
    make(data)
    return data


def make(data: DataFolder) -> None:
    build(data.crawl_db, data.build_db, SOURCES)
    publish(data.build_db, data.published)


def exported(data: DataFolder, out: Path) -> str:
    return export(data.current, out).data_sha256


def urls(data: DataFolder) -> set[str]:
    archive = Archive(data.archive)
    try:
        return {archive.read(ref).url for ref in archive.pages()}
    finally:
        archive.close()


# pages


def test_only_old_unreferenced_pages_are_deleted(folder: DataFolder) -> None:
    before = urls(folder)
    would = prune_pages(folder, 365 * DAY, now=NOW, dry=True)
    assert (would.n_pages, urls(folder)) == (2, before)
    done = prune_pages(folder, 365 * DAY, now=NOW)
    assert done == would
    assert {url.rpartition("/")[2] for url in before - urls(folder)} == {"football", "tennis"}
    assert verify(folder.path) == [] and pruned(folder.path) == 2
    assert prune_pages(folder, 365 * DAY, now=NOW).n_pages == 0


def test_a_page_that_an_editor_decided_on_stays(folder: DataFolder) -> None:
    decided = {article("courier", "tennis", "").article_id}
    prune_pages(folder, 365 * DAY, decided, now=NOW)
    assert {url.rpartition("/")[2] for url in urls(folder)} >= {"a", "tennis", "waiting", "golf"}


def test_page_missing_without_a_record_is_a_fault(folder: DataFolder) -> None:
    prune_pages(folder, 365 * DAY, now=NOW)
    with closing(sqlite3.connect(folder.crawl_db, isolation_level=None)) as db:
        db.execute("delete from pages where url like '%/a'")
    (fault,) = verify(folder.path)
    assert fault.what == "page" and "not in the archive" in str(fault)


def test_half_pruned_archive_is_consistent(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed after the index was written and before the old file was removed: the next crawl removes it."""
    with monkeypatch.context() as context:
        context.setattr(Archive, "remove_leftovers", lambda self: None)
        prune_pages(folder, 365 * DAY, now=NOW)
    assert len(list(folder.archive.glob("*.warc.gz"))) == 3
    assert verify(folder.path) == []
    archive = Archive(folder.archive)
    assert list(archive.unindexed()) == []
    archive.close()
    assert len(list(folder.archive.glob("*.warc.gz"))) == 2 and verify(folder.path) == []


def test_the_index_of_a_pruned_archive_can_be_made_again(folder: DataFolder) -> None:
    prune_pages(folder, 365 * DAY, now=NOW)
    left = urls(folder)
    archive = Archive(folder.archive)
    assert archive.rebuild_index() == len(left)
    archive.close()
    assert urls(folder) == left and verify(folder.path) == []


def test_prune_reports_what_it_would_do(folder: DataFolder, monkeypatch, capsys) -> None:
    def oversight(*words: str) -> int:
        monkeypatch.setattr("sys.argv", ["oversight", "--data", str(folder.path), *words])
        return _run()

    assert oversight("prune") == 2 and "--pages-older-than DAYS" in capsys.readouterr().err
    assert oversight("prune", "--pages-older-than", "300", "--dry-run", "--json") == 0
    assert json.loads(capsys.readouterr().out)["pages"]["n_pages"] == 2
    assert oversight("prune", "--pages-older-than", "300", "--visits-older-than", "400") == 0
    assert "Took 2 pages" in capsys.readouterr().out
    assert oversight("verify") == 0
    said = capsys.readouterr().out
    assert "2 pages on which nothing in the ledger rests were taken out" in said and "All is as it was." in said


# visits


GAZETTE = Source(
    "gazette", "The Gazette", "https://gazette.example/", SOURCES[0].source_type, "US", "en", "",
    (Feed("https://gazette.example/feed", FeedShape.RSS),), ("gazette.example",),
)  # fmt: skip


def visits_of_two_years(path: Path) -> None:
    """A feed read every day, an article a day, visited twice; one of them is gone since."""
    frontier = Frontier(path)
    frontier.add_sources([GAZETTE], NOW - 730 * DAY)
    db = frontier.db
    rows = []
    for n in range(730):
        when = NOW - (730 - n) * DAY
        url = f"https://gazette.example/{n}"
        db.execute(
            "insert into urls (url, source_id, kind, feed_url, host, state, first_seen_at, discovered_from, n_read) "
            "values (?, 'gazette', 'article', '', 'gazette.example', ?, ?, '', 1)",
            (url, "gone" if n == 5 else "done", as_text(when)),
        )
        rows.append((GAZETTE.feeds[0].url, when, "SAVED", n))
        rows.append((url, when, "SAVED", n))
        rows.append((url, when + DAY / 2, "GONE" if n == 5 else "UNCHANGED", n))
    for url, when, outcome, n in sorted(rows, key=lambda row: row[1]):
        db.execute(
            "insert into visits (url, source_id, at, outcome, detail, status, n_bytes, sha256, n_entries) "
            "values (?, 'gazette', ?, ?, '', 200, 10, ?, 5)",
            (url, as_text(when), outcome, f"{n:064d}"),
        )
    frontier.close()


def test_visits_of_past_years_are_counted_and_deleted(tmp_path: Path) -> None:
    data = DataFolder(tmp_path).make()
    visits_of_two_years(data.crawl_db)
    with Library(data.crawl_db) as library:  # one saved page could not be read
        library.save_reading(f"{9:064d}", "https://gazette.example/9", "gazette", reader_version(), Outcome.NO_TEXT)

    def known() -> tuple:
        with closing(Frontier(data.crawl_db)) as frontier:
            gone, sums = frontier.gone(), frontier.summaries()["gazette"]
        now = visited(data, "1")["gazette"]
        return (
            gone,
            now.last,
            now.last_good,
            sorted(now.outcomes.items()),
            health(data, [GAZETTE], "1"),
            sums.last_visit_at,
        )

    before = known()
    assert dict(before[3])["NO_TEXT"] == 1 and len(before[0]) == 1
    would = let_go_of_visits(data, "1", now=NOW, dry=True)
    done = let_go_of_visits(data, "1", now=NOW)
    assert done == would and done > 600
    assert known() == before
    with closing(sqlite3.connect(data.crawl_db)) as db:
        assert db.execute("select count(*) from visits").fetchone()[0] == 730 * 3 - done
    assert let_go_of_visits(data, "1", now=NOW) == 0


# room and backup


def test_the_room_of_a_ledger_adds_up(folder: DataFolder) -> None:
    room = room_of(folder)
    assert (room.n_articles, room.n_relevant, room.n_pages) == (5, 1, 6)
    assert room.files["archive"] == sum(m.n_bytes for m in room.months)
    assert room.files["crawl.db"] >= 5 * room.crawl_db_per_article > 0 and room.per_month > 0


def test_backup_restores_everything(folder: DataFolder, tmp_path: Path) -> None:
    (folder.path / "oversight.toml").write_text('contact = "desk@ledger.example"\n')
    wanted = exported(folder, tmp_path / "before")
    first = back_up(folder, tmp_path / "backup")
    with Library(folder.crawl_db) as library:  # the ledger goes on, and is then lost
        library.save(*signing("signal", "later", day=9), "1")
    shutil.rmtree(folder.path)
    shutil.copytree(first.folder, folder.path)
    assert verify(folder.path) == []
    make(folder)
    assert exported(folder, tmp_path / "after") == wanted
    assert (folder.path / "oversight.toml").read_text() == 'contact = "desk@ledger.example"\n'


def test_a_second_backup_copies_only_what_is_new_and_deletes_nothing(folder: DataFolder, tmp_path: Path) -> None:
    target = tmp_path / "backup"
    back_up(folder, target)
    kept = {path.name for path in (target / "archive").iterdir()}
    assert back_up(folder, target).n_copied == 2  # crawl.db and reviews.toml
    prune_pages(folder, 365 * DAY, now=NOW)
    back_up(folder, target)
    assert {path.name for path in (target / "archive").iterdir()} == {path.name for path in folder.archive.iterdir()}
    assert {path.name for path in (target / FORMER).iterdir()} < kept
    shutil.copytree(target, tmp_path / "restored")
    assert verify(tmp_path / "restored") == []


def test_a_folder_is_not_backed_up_into_itself(folder: DataFolder) -> None:
    with pytest.raises(WrongUse, match="another disk"):
        back_up(folder, folder.path / "backup")


def test_restored_ledger_is_built_from_scratch(folder: DataFolder, tmp_path: Path) -> None:
    """build.db knows more than an older crawl.db: it is not grown from there."""
    back_up(folder, tmp_path / "backup")
    with Library(folder.crawl_db) as library:
        library.save(*signing("signal", "later", day=9), "1")
    assert not build(folder.crawl_db, folder.build_db, SOURCES).whole
    for leftover in ("", "-wal", "-shm"):
        Path(f"{folder.crawl_db}{leftover}").unlink(missing_ok=True)
    shutil.copy(tmp_path / "backup/crawl.db", folder.crawl_db)
    report = build(folder.crawl_db, folder.build_db, SOURCES)
    assert (report.whole, report.n_claims) == (True, 1)
