"""The frontier: what is due, revisits, holds, rejections, and kills."""

from __future__ import annotations

import hashlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from scrapers.archive.store import Archive
from scrapers.crawling.frontier import MAX_FEED_DEPTH, FeedsTooDeep, Frontier
from scrapers.crawling.revisit_policy import REVISITS, next_interval, next_visit
from scrapers.database import transaction
from scrapers.items import Feed, FeedEntry, FeedShape, Outcome, Page, Source, SourceType, Visit
from scrapers.messages import Answer, RobotsCopy, Task, as_moment, as_text

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
FEED = Feed("https://gazette.example/feed", FeedShape.RSS, every_minutes=30)
GAZETTE = Source(
    "gazette", "The Gazette", "https://gazette.example/", SourceType.PRESS, "US", "en", "gazette", (FEED,),
    ("gazette.example",),
)  # fmt: skip
STORY = "https://gazette.example/story"


@pytest.fixture
def frontier(tmp_path: Path) -> Frontier:
    frontier = Frontier(tmp_path / "crawl.db")
    frontier.add_sources([GAZETTE], NOW)
    return frontier


def visit(frontier: Frontier, task: Task, outcome: Outcome, now: datetime, **more: object) -> None:
    validators = {"etag": "ETag", "last_modified": "Last-Modified"}
    headers = tuple((name, more.pop(key)) for key, name in validators.items() if key in more)
    frontier.record(Answer(task, Visit(task.url, task.source_id, now, outcome, headers=headers, **more)), now)


def due(frontier: Frontier, now: datetime, limit: int = 100, source: Source = GAZETTE) -> list[str]:
    return [task.url for task in frontier.due(now, limit, [source])]


def with_stories(frontier: Frontier, n: int = 1, **fields: object) -> list[Task]:
    entries = [FeedEntry(f"{STORY}/{i}", published_at=NOW - i * HOUR, **fields) for i in range(n)]
    frontier.add_entries(GAZETTE, FEED, entries, NOW)
    return [task for task in frontier.due(NOW, 1000, [GAZETTE]) if task.kind == "article"]


def test_feeds_are_due_first_then_new_articles_then_revisits(frontier: Frontier) -> None:
    tasks = with_stories(frontier, 3)
    visit(frontier, tasks[0], Outcome.SAVED, NOW, status=200)
    later = NOW + 2 * HOUR
    assert due(frontier, later) == [FEED.url, f"{STORY}/1", f"{STORY}/2", f"{STORY}/0"]
    assert due(frontier, later, limit=2) == [FEED.url, f"{STORY}/1"]


def test_url_is_added_once_regardless_of_tracking_parameters(frontier: Frontier) -> None:
    for suffix in ("", "?utm_source=x", "#top", "?fbclid=1"):
        frontier.add_entries(GAZETTE, FEED, [FeedEntry(STORY + suffix)], NOW)
    assert due(frontier, NOW) == [FEED.url, STORY]


def test_articles_are_revisited_at_growing_intervals_and_then_no_longer(frontier: Frontier) -> None:
    now = NOW
    (task,) = with_stories(frontier)
    for wait in REVISITS:
        visit(frontier, task, Outcome.UNCHANGED, now, status=200)
        assert task.url not in due(frontier, now + wait - MINUTE)
        now += wait
        assert task.url in due(frontier, now)
    visit(frontier, task, Outcome.UNCHANGED, now, status=304)
    assert task.url not in due(frontier, now + 1000 * DAY)


def test_failures_are_retried_at_growing_intervals_and_then_given_up(frontier: Frontier) -> None:
    (task,) = with_stories(frontier)
    now, waits = NOW, []
    while task.url in due(frontier, now):
        visit(frontier, task, Outcome.TIMEOUT, now)
        row = frontier.db.execute("select next_due_at, state from urls where url = ?", (task.url,)).fetchone()
        if row["next_due_at"] is None:
            break
        waits.append(as_moment(row["next_due_at"]) - now)
        now = as_moment(row["next_due_at"])
    assert waits[:3] == [15 * MINUTE, HOUR, 4 * HOUR] and waits == sorted(waits) and waits[-1] == DAY
    assert len(waits) == 7 and row["state"] == "closed"


@pytest.mark.parametrize(
    "outcome", [Outcome.GONE, Outcome.NOT_AN_ARTICLE, Outcome.OUT_OF_SCOPE, Outcome.ROBOTS_DENIED, Outcome.TOO_LARGE]
)
def test_article_with_a_final_outcome_is_not_requested_again(frontier: Frontier, outcome: Outcome) -> None:
    (task,) = with_stories(frontier)
    visit(frontier, task, outcome, NOW)
    assert task.url not in due(frontier, NOW + 1000 * DAY)
    row = frontier.db.execute("select * from urls where url = ?", (task.url,)).fetchone()
    assert row["last_outcome"] == outcome.value and row["state"] == ("gone" if outcome is Outcome.GONE else "closed")
    frontier.add_entries(GAZETTE, FEED, [FeedEntry(task.url)], NOW + DAY)
    assert task.url not in due(frontier, NOW + 1000 * DAY)


@pytest.mark.parametrize("outcome", list(Outcome))
def test_a_feed_is_never_given_up(outcome: Outcome) -> None:
    state, when = next_visit("feed", outcome, NOW, n_read=1, attempts=500, every_minutes=30)
    assert when is not None and NOW + 30 * MINUTE <= when <= NOW + DAY


def test_feeds_are_retried_within_an_hour_after_a_network_outage() -> None:
    for outcome in (Outcome.CONNECTION_FAILED, Outcome.TIMEOUT):
        assert next_visit("feed", outcome, NOW, n_read=1, attempts=90, every_minutes=30)[1] == NOW + HOUR
    closed = next_visit("feed", Outcome.ROBOTS_DENIED, NOW, n_read=1, attempts=90, every_minutes=30, temporary=True)
    assert closed[1] == NOW + HOUR, "its robots.txt could not be fetched"
    forbidden = next_visit("feed", Outcome.ROBOTS_DENIED, NOW, n_read=1, attempts=1, every_minutes=30)
    assert forbidden[1] == NOW + 6 * HOUR


def test_failure_does_not_shorten_the_interval_of_a_weekly_feed() -> None:
    _, when = next_visit("feed", Outcome.TIMEOUT, NOW, n_read=1, attempts=3, every_minutes=60 * 24 * 7)
    assert when == NOW + 7 * DAY


def test_interval_of_a_feed_adapts_to_its_new_items() -> None:
    assert next_interval(None, 30, 20, 20) == 30, "at the first reading everything is new"
    quiet = [30.0]
    while len(quiet) < 30:
        quiet.append(next_interval(quiet[-1], 30, 0, 20))
    assert quiet == sorted(quiet) and quiet[-1] == 240, "at most eight times the interval of the card"
    assert next_interval(240, 30, 1, 20) == 120 and next_interval(40, 30, 1, 20) == 30
    assert next_interval(30, 30, 12, 20) == 15, "mostly new: items may have been missed"
    assert next_interval(15, 30, 12, 20) == 15 and next_interval(15, 30, 1, 20) == 30
    assert next_interval(10, 10, 12, 20) == 10 and next_interval(1, 1, 12, 20) == 1
    assert next_interval(300, 300, 0, 20) == 360 and next_interval(1440, 1440, 0, 20) == 1440


def test_interval_of_a_feed_is_stored(frontier: Frontier, tmp_path: Path) -> None:
    def read(now: datetime, *links: int) -> timedelta:
        (task,) = (task for task in frontier.due(now, 10, [GAZETTE]) if task.kind == "feed")
        entries = tuple(FeedEntry(f"{STORY}/{n}") for n in links)
        outcome = Outcome.SAVED if links else Outcome.UNCHANGED
        frontier.record(Answer(task, Visit(task.url, "gazette", now, outcome), entries=entries), now)
        frontier.add_entries(GAZETTE, FEED, entries, now)
        row = frontier.db.execute("select next_due_at from urls where url = ?", (FEED.url,)).fetchone()
        return as_moment(row[0]) - now

    assert read(NOW, 1, 2, 3) == 30 * MINUTE
    pauses = [read(NOW + n * DAY) for n in range(1, 6)]
    assert pauses == sorted(set(pauses)) and pauses[0] == 37.5 * MINUTE
    frontier.close()
    frontier.__init__(tmp_path / "crawl.db")
    assert read(NOW + 7 * DAY, 1, 2, 3) > pauses[-1], "known items are not new"
    assert read(NOW + 8 * DAY, 1, 2, 3, 4) < pauses[-1]


def test_feed_is_requested_with_validators_except_once_a_day(frontier: Frontier) -> None:
    (task,) = frontier.due(NOW, 1, [GAZETTE])
    assert (task.etag, task.last_modified) == ("", "")
    visit(frontier, task, Outcome.SAVED, NOW, status=200, sha256="5" * 64, etag='"a"', last_modified="Mon")
    now = NOW + HOUR
    (task,) = frontier.due(now, 1, [GAZETTE])
    assert (task.etag, task.last_modified, task.body_sha256) == ('"a"', "Mon", "5" * 64)
    visit(frontier, task, Outcome.UNCHANGED, now, status=304)
    (task,) = frontier.due(NOW + 25 * HOUR, 1, [GAZETTE])
    assert (task.etag, task.last_modified) == ("", "")


def test_failed_visit_keeps_the_validators(frontier: Frontier) -> None:
    (task,) = with_stories(frontier)
    visit(frontier, task, Outcome.SAVED, NOW, status=200, etag='"a"')
    visit(frontier, task, Outcome.SERVER_ERROR, NOW + HOUR, status=500)
    again = next(t for t in frontier.due(NOW + 2 * HOUR, 10, [GAZETTE]) if t.kind == "article")
    assert again.etag == '"a"'


def test_edit_reported_by_the_feed_makes_the_article_due(frontier: Frontier) -> None:
    (task,) = with_stories(frontier)
    for n in range(3):
        visit(frontier, task, Outcome.UNCHANGED, NOW + n * MINUTE, status=200)
    now = NOW + 2 * HOUR
    assert task.url not in due(frontier, now)
    frontier.add_entries(GAZETTE, FEED, [FeedEntry(task.url, title="New title", updated_at=NOW + HOUR)], now)
    assert task.url in due(frontier, now)
    assert frontier.hint(task.url).title == "New title"
    visit(frontier, task, Outcome.UNCHANGED, now, status=304)
    frontier.add_entries(GAZETTE, FEED, [FeedEntry(task.url, updated_at=now + MINUTE)], now + 2 * MINUTE)
    assert task.url not in due(frontier, now + 2 * MINUTE), "not more often than once an hour"


def test_hold_on_a_host_survives_restarts(frontier: Frontier, tmp_path: Path) -> None:
    frontier.hold_host("gazette.example", NOW + 2 * HOUR, "429", NOW)
    frontier.hold_host("gazette.example", NOW + HOUR, "a shorter one", NOW)
    frontier.close()
    again = Frontier(tmp_path / "crawl.db")
    assert due(again, NOW + 2 * HOUR - MINUTE) == [] and again.held_until("gazette.example", NOW) == NOW + 2 * HOUR
    assert due(again, NOW + 2 * HOUR) == [FEED.url] and again.held_until("gazette.example", NOW + 3 * HOUR) is None
    assert again.hold_host("gazette.example", NOW + 900 * DAY, "absurd", NOW) == NOW + DAY


def test_daily_pages_are_limited(frontier: Frontier) -> None:
    few = replace(GAZETTE, daily_pages=3)
    tasks = with_stories(frontier, 6)
    assert len(due(frontier, NOW, source=few)) == 4
    for task in tasks[:2]:
        visit(frontier, task, Outcome.SAVED, NOW, status=200)
    assert due(frontier, NOW, source=few) == [FEED.url, tasks[2].url]
    assert len(due(frontier, NOW + DAY + MINUTE, source=few)) == 4


def test_disabled_and_removed_sources_are_not_due(frontier: Frontier) -> None:
    assert frontier.due(NOW, 10, [replace(GAZETTE, enabled=False)]) == []
    assert frontier.due(NOW, 10, [replace(GAZETTE, feeds=())]) == []
    assert frontier.due(NOW, 10, []) == []


def test_rejected_entry_is_recorded_at_once_and_judged_once(frontier: Frontier) -> None:
    judged: list[str] = []

    def judge(entry: FeedEntry) -> tuple[Outcome, str] | None:
        judged.append(entry.url)
        return (Outcome.OUT_OF_SCOPE, "off topic") if "sport" in entry.url else None

    entries = [FeedEntry(STORY), FeedEntry("https://gazette.example/sport")]
    for _ in range(2):
        ended = frontier.add_entries(GAZETTE, FEED, entries, NOW, judge)
    assert judged == [entry.url for entry in entries] and ended == []
    assert frontier.summaries()["gazette"].outcomes == {"OUT_OF_SCOPE": 1}
    assert due(frontier, NOW) == [FEED.url, STORY]


def test_every_visit_has_one_outcome_and_counts_add_up(frontier: Frontier) -> None:
    tasks = with_stories(frontier, len(Outcome))
    for task, outcome in zip(tasks, Outcome, strict=True):
        visit(frontier, task, outcome, NOW + MINUTE)
    summary = frontier.summaries()["gazette"]
    assert summary.outcomes == {outcome.value: 1 for outcome in Outcome}
    assert frontier.db.execute("select count(*) from visits").fetchone()[0] == len(Outcome)
    assert summary.last_visit_at == NOW + MINUTE
    assert [(v.url, v.outcome, v.at) for v in frontier.visits("gazette")] == [
        (task.url, outcome, NOW + MINUTE) for task, outcome in zip(tasks, Outcome, strict=True)
    ]
    assert list(frontier.visits("other")) == []


def test_page_and_visit_are_recorded_together_or_not_at_all(frontier: Frontier, tmp_path: Path) -> None:
    (task,) = with_stories(frontier)
    body = b"<p>Signed.</p>"
    sha256 = hashlib.sha256(body).hexdigest()
    page = Page(task.url, task.url, "gazette", NOW, 200, "text/html", "", (), body, sha256)
    archive = Archive(tmp_path / "archive", frontier.db)
    ref = archive.append(page)
    unknown = Answer(replace(task, url="https://gazette.example/unknown"), Visit("x", "gazette", NOW, Outcome.SAVED))
    with pytest.raises(KeyError):
        frontier.record(unknown, NOW, (page, ref))
    assert list(archive.pages()) == []
    frontier.record(Answer(task, Visit(task.url, "gazette", NOW, Outcome.SAVED, status=200)), NOW, (page, ref))
    assert list(archive.pages()) == [ref]


def test_page_found_in_the_archive_after_a_crash_is_saved(frontier: Frontier, tmp_path: Path) -> None:
    (task,) = with_stories(frontier)
    body = b"<p>Signed.</p>"
    page = Page(task.url, task.url, "gazette", NOW, 200, "", "", (), body, hashlib.sha256(body).hexdigest())
    archive = Archive(tmp_path / "archive", frontier.db)
    archive.append(page)
    archive.close()
    assert frontier.recover(Archive(tmp_path / "archive", frontier.db).unindexed()) == [task.url]
    assert task.url not in due(frontier, NOW)
    assert frontier.summaries()["gazette"].outcomes == {"SAVED": 1}
    assert frontier.recover(Archive(tmp_path / "archive", frontier.db).unindexed()) == []


def test_robots_txt_is_stored_for_a_day_and_a_failure_for_an_hour(frontier: Frontier) -> None:
    fine = RobotsCopy("https://gazette.example", 200, b"User-agent: *", NOW)
    frontier.keep_robots(fine)
    assert frontier.robots(fine.host, NOW + DAY - MINUTE) == fine and frontier.robots(fine.host, NOW + DAY) is None
    for status, kept in ((0, 10 * MINUTE), (429, HOUR), (500, HOUR)):
        frontier.keep_robots(RobotsCopy("https://gazette.example", status, b"", NOW))
        assert frontier.robots(fine.host, NOW + kept - MINUTE).status == status
        assert frontier.robots(fine.host, NOW + kept) is None


def test_child_feeds_are_visited_like_their_parent(frontier: Frontier) -> None:
    child = "https://gazette.example/sitemap-2026.xml"
    assert frontier.add_feeds(GAZETTE, FEED, [child, child], FEED.url, NOW) == [child]
    task = next(task for task in frontier.due(NOW, 10, [GAZETTE]) if task.url == child)
    assert task.kind == "feed" and task.feed == FEED


def test_an_index_that_lists_itself_under_new_addresses_ends(frontier: Frontier) -> None:
    parent = FEED.url
    for level in range(MAX_FEED_DEPTH):
        child = f"https://gazette.example/index-{level}.xml"
        assert frontier.add_feeds(GAZETTE, FEED, [child], parent, NOW) == [child]
        parent = child
    assert frontier.add_feeds(GAZETTE, FEED, [], parent, NOW) == []
    with pytest.raises(FeedsTooDeep, match="more than 3 levels"):
        frontier.add_feeds(GAZETTE, FEED, ["https://gazette.example/index-deep.xml"], parent, NOW)


def test_database_uses_wal_and_foreign_keys(frontier: Frontier) -> None:
    assert frontier.db.execute("pragma journal_mode").fetchone()[0] == "wal"
    assert frontier.db.execute("pragma synchronous").fetchone()[0] == 1
    assert frontier.db.execute("pragma foreign_keys").fetchone()[0] == 1
    with pytest.raises(sqlite3.IntegrityError):
        frontier.db.execute(
            "insert into visits (url, source_id, at, outcome, detail, status, n_bytes, sha256) "
            "values ('nowhere', 's', '', 'SAVED', '', 0, 0, '')"
        )


def test_transaction_is_atomic(frontier: Frontier) -> None:
    with pytest.raises(ZeroDivisionError), transaction(frontier.db):
        frontier.db.execute("delete from urls")
        _ = 1 / 0
    assert due(frontier, NOW) == [FEED.url]


def test_time_texts_sort_chronologically() -> None:
    moments = [NOW, NOW + timedelta(microseconds=1), datetime.fromisoformat("2026-05-04T23:59:00-05:00")]
    assert [as_moment(as_text(m)) for m in moments] == moments
    assert sorted(map(as_text, moments)) == list(map(as_text, moments))


WRITER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from scrapers.crawling.frontier import Frontier
from scrapers.items import *
from scrapers.messages import Answer
now = datetime(2026, 5, 4, tzinfo=UTC)
feed = Feed("https://g.example/feed", FeedShape.RSS)
source = Source("g", "G", "", SourceType.PRESS, "US", "en", "g", (feed,), ("g.example",), daily_pages=10**9)
frontier = Frontier(Path(sys.argv[1]))
frontier.add_sources([source], now)
n = 0
while True:
    frontier.add_entries(source, feed, [FeedEntry(f"https://g.example/{n}/{i}") for i in range(5)], now)
    for task in frontier.due(now, 5, [source]):
        frontier.record(Answer(task, Visit(task.url, "g", now, Outcome.SAVED)), now)
    n += 1
    print(n, flush=True)
"""


def test_states_and_visits_agree_after_a_kill_at_any_moment(tmp_path: Path) -> None:
    path = tmp_path / "crawl.db"
    for wait in (0.0, 0.02, 0.05):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )  # fmt: skip
        assert process.stdout is not None and process.stdout.readline()
        time.sleep(wait)
        process.send_signal(signal.SIGKILL)
        process.wait()
    db = Frontier(path).db
    assert db.execute("pragma integrity_check").fetchone()[0] == "ok"
    assert db.execute("select count(*) from urls where n_read > 0").fetchone()[0] > 0
    odd = "select count(*) from urls u where n_read != (select count(*) from visits v where v.url = u.url)"
    assert db.execute(odd).fetchone()[0] == 0


def test_article_that_disappears_is_rechecked(frontier: Frontier) -> None:
    (task,) = with_stories(frontier)
    visit(frontier, task, Outcome.SAVED, NOW)
    assert frontier.gone() == {}
    hour, day = timedelta(hours=1), timedelta(days=1)
    visit(frontier, task, Outcome.GONE, NOW + hour)
    assert frontier.gone() == {task.url: NOW + hour}
    assert task.url not in due(frontier, NOW + hour * 24) and task.url in due(frontier, NOW + hour + day)
    visit(frontier, task, Outcome.GONE, NOW + hour + day)
    assert frontier.gone() == {task.url: NOW + hour}, "gone since the first time"
    visit(frontier, task, Outcome.UNCHANGED, NOW + 12 * day)
    assert frontier.gone() == {}, "it was missing temporarily"


def test_article_that_was_never_read_is_not_gone(frontier: Frontier) -> None:
    (task,) = with_stories(frontier)
    visit(frontier, task, Outcome.GONE, NOW)
    assert frontier.gone() == {} and task.url not in due(frontier, NOW + timedelta(days=400))


def off_topic(entry: FeedEntry) -> tuple[Outcome, str] | None:
    return None if "AI" in entry.title else (Outcome.OUT_OF_SCOPE, "off topic by its title and summary")


def test_off_topic_url_is_judged_again_when_its_title_changes(frontier: Frontier) -> None:
    feed, later = GAZETTE.feeds[0], NOW + timedelta(hours=1)
    entry = FeedEntry("https://gazette.example/minister", title="Minister speaks")
    frontier.add_sources([GAZETTE], NOW)
    assert len(frontier.add_entries(GAZETTE, feed, [entry], NOW, off_topic, "1")) == 1
    assert frontier.add_entries(GAZETTE, feed, [entry], later, off_topic, "1") == []
    assert entry.url not in due(frontier, later)
    frontier.add_entries(GAZETTE, feed, [replace(entry, title="Minister speaks on AI")], later, off_topic, "1")
    assert entry.url in due(frontier, later)


def test_new_topic_filter_judges_recent_rejections_again(frontier: Frontier) -> None:
    feed = GAZETTE.feeds[0]
    entries = [
        FeedEntry(f"https://gazette.example/{n}", title=title) for n, title in enumerate(("AI bill", "Cup final"))
    ]
    frontier.add_sources([GAZETTE], NOW)
    frontier.add_entries(GAZETTE, feed, entries, NOW, lambda entry: (Outcome.OUT_OF_SCOPE, "no"), "1")
    assert frontier.judge_again(GAZETTE, lambda feed: off_topic, "1", NOW) == 0, "same version"
    assert frontier.judge_again(GAZETTE, lambda feed: off_topic, "2", NOW + timedelta(days=31)) == 0, "too old"
    assert frontier.judge_again(GAZETTE, lambda feed: off_topic, "2", NOW) == 1
    assert frontier.judge_again(GAZETTE, lambda feed: off_topic, "2", NOW) == 0
    found = due(frontier, NOW)
    assert entries[0].url in found and entries[1].url not in found


def test_clock_that_was_ahead_does_not_block_urls(frontier: Frontier) -> None:
    (task,) = with_stories(frontier)
    ahead = NOW + timedelta(days=365)
    for address in due(frontier, ahead):
        row = frontier.db.execute("select * from urls where url = ?", (address,)).fetchone()
        done = Task(address, "gazette", row["kind"], row["host"], GAZETTE.feeds[0])
        visit(frontier, done, Outcome.SAVED, ahead)
    frontier.hold_host(task.host, ahead + timedelta(hours=1), "status 429", ahead)
    frontier.keep_robots(RobotsCopy(task.host, 500, b"", ahead))
    assert due(frontier, NOW) == []
    assert frontier.correct_clock(NOW) >= 2
    assert task.url in due(frontier, NOW) and frontier.held_until(task.host, NOW) is None
    assert frontier.robots(task.host, NOW) is None
    assert frontier.correct_clock(NOW) == 0


def test_older_database_gets_the_new_columns(tmp_path: Path) -> None:
    path = tmp_path / "crawl.db"
    Frontier(path).close()
    with sqlite3.connect(path) as db:
        db.executescript(
            "drop table runs; alter table visits drop column n_entries; alter table urls drop column judged_by;"
            "pragma user_version = 0"
        )
    db.close()
    again = Frontier(path)
    with_stories(again)
    assert again.db.execute("select judged_by from urls").fetchone()[0] == ""
    assert again.db.execute("select count(*) from runs").fetchone()[0] == 0
    again.close()
