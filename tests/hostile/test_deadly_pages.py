"""Pages and articles that crash or hang the parser end in a named outcome; all others are read."""

from __future__ import annotations

import hashlib
import os
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.app import page_reader, steps
from pipeline.ledger.article_store import Library
from pipeline.nlp import pool
from pipeline.records import Findings
from pipeline.versions import program_version
from pipeline.workspace import DataFolder
from scrapers.archive.store import Archive
from scrapers.crawling.frontier import Frontier
from scrapers.items import Article, Feed, FeedShape, Outcome, Page, Reading, Source, SourceType, Visit
from scrapers.messages import Answer, Task
from scrapers.process_pool import Limits
from scrapers.reading.article import read_page

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
PARAGRAPHS = "".join(
    f"<p>The institute said on {day} that it will test the {n} models of Halden Labs before {who} releases them.</p>"
    for day, n, who in (("Monday", "four", "it"), ("Friday", "new", "the lab"), ("Sunday", "larger", "anyone"))
)
FEED = Feed("https://gazette.example/feed", FeedShape.RSS)
SOURCE = Source("gazette", "The Gazette", "https://gazette.example/", SourceType.PRESS, "US", "en", "gazette", (FEED,),
                ("gazette.example",))  # fmt: skip
LIMITS = Limits(cpu_seconds=1.0, wall_seconds=60.0, memory_mb=256, renewed_after=100)


def page(name: str) -> Page:
    body = f"<html><head><title>{name}</title></head><body><article>{PARAGRAPHS}</article></body></html>".encode()
    url = f"https://gazette.example/{name}"
    digest = hashlib.sha256(body).hexdigest()
    return Page(url, url, "gazette", NOW, 200, "text/html", "utf-8", (), body, digest)


def fragile_reader(sources: tuple[Source, ...]) -> Callable[[page_reader.Job], Reading]:
    def work(job: page_reader.Job) -> Reading:
        name = job[0].url.rpartition("/")[2]
        if name == "spins":
            while True:
                pass
        if name == "crashes":
            os.kill(os.getpid(), signal.SIGSEGV)
        if name == "eats":
            bytearray(1 << 30)
        return read_page(job[0], sources[0], None)

    return work


def article_reader(lexicon: tuple) -> Callable[[Article], Findings]:
    def work(article: Article) -> Findings:
        if article.url.endswith("drowns"):
            raise RecursionError("maximum recursion depth exceeded")
        return Findings(article.article_id, article.version, True, 9.0)

    return work


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DataFolder:
    """A ledger whose archive holds six pages, and readers that some of them are too much for."""
    folder = DataFolder(tmp_path).make()
    names = ("first", "spins", "crashes", "eats", "drowns", "last")
    with closing(steps.Frontier(folder.crawl_db)) as frontier:
        archive = Archive(folder.archive, folder.crawl_db)
        for name in names:
            one = page(name)
            frontier._insert("gazette", "article", one.url, FEED.url, FEED.url, NOW)  # noqa: SLF001 - no feed here
            task = Task(one.url, "gazette", "article", "gazette.example", FEED)
            visit = Visit(one.url, "gazette", NOW, Outcome.SAVED, "", 200, len(one.body), one.sha256)
            frontier.record(Answer(task, visit, one), NOW, (one, archive.append(one)))
        archive.close()
    monkeypatch.setattr(page_reader, "LIMITS", LIMITS)
    monkeypatch.setattr(page_reader, "reader", fragile_reader)
    monkeypatch.setattr(pool, "LIMITS", LIMITS)
    monkeypatch.setattr(pool, "reader", article_reader)
    return folder


def test_page_that_crashes_the_parser_becomes_a_row_and_never_stops_the_run(folder: DataFolder) -> None:
    report = steps.extract(folder, (SOURCE,), lambda line: None)
    assert report.outcomes == {"SAVED": 3, "UNREADABLE": 3}
    assert (report.n_pages, report.n_articles, report.n_relevant, report.n_lost) == (6, 3, 2, 1)
    with closing(sqlite3.connect(folder.crawl_db)) as db:
        rows = db.execute("select url, detail from readings where outcome = 'UNREADABLE' order by url").fetchall()
        said = {url.rpartition("/")[2]: detail for url, detail in rows}
        assert said == {
            "crashes": "the page could not be read: its process died (SIGSEGV), twice",
            "eats": "the page could not be read: it needs more than 256 MiB of memory",
            "spins": "the page could not be read: it took more than 1 seconds of CPU time",
        }
        assert db.execute("select why from lost_articles").fetchall() == [
            ("the program failed on it: RecursionError: maximum recursion depth exceeded",)
        ]
    with Library(folder.crawl_db) as library, closing(Frontier(folder.crawl_db)) as frontier:
        ends = steps.ParsingOutcomes(library, program_version())
        last_words = {v.url.rpartition("/")[2]: ends.get((v.sha256, v.url)) for v in frontier.visits()}
    assert last_words == {
        "first": Outcome.SAVED, "spins": Outcome.UNREADABLE, "crashes": Outcome.UNREADABLE,
        "eats": Outcome.UNREADABLE, "drowns": Outcome.UNREADABLE, "last": Outcome.SAVED,
    }  # fmt: skip


def test_unreadable_page_is_not_retried_by_the_same_program(folder: DataFolder) -> None:
    steps.extract(folder, (SOURCE,), lambda line: None)
    again = steps.extract(folder, (SOURCE,), lambda line: None)
    assert (again.n_pages, again.n_articles, again.n_lost) == (0, 0, 0)
