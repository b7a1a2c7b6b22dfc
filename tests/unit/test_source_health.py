"""Alarms on unhealthy sources."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.app.run_log import last_runs, recorded
from pipeline.cli import _run
from pipeline.ledger.build.build import gone_articles
from scrapers.crawling.frontier import Frontier
from scrapers.crawling.source_health import Observation, SourceHistory, assess, health_of, usual_gap
from scrapers.items import Feed, FeedEntry, FeedShape, Outcome, Source, SourceType, Visit
from scrapers.messages import Answer, Task

NOW = datetime(2026, 5, 30, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FEED = Feed("https://gazette.example/feed", FeedShape.RSS)


def source(**changes: object) -> Source:
    fields: dict = dict(
        source_id="gazette", title="The Gazette", homepage="https://gazette.example/", source_type=SourceType.PRESS,
        jurisdiction="US", language="en", family="gazette", feeds=(FEED,), hosts=("gazette.example",),
    )  # fmt: skip
    return Source(**fields | changes)


def visits(*ends: tuple[Outcome, int | None], every: timedelta = HOUR, url: str = FEED.url) -> tuple[Observation, ...]:
    """Return visits to a feed, newest first, the newest an hour ago."""
    return tuple(Observation(url, NOW - every * (n + 1), end, "", items) for n, (end, items) in enumerate(ends))


def daily(last: datetime = NOW - 2 * HOUR, n: int = 20, gap: timedelta = DAY) -> tuple[datetime, ...]:
    return tuple(last - gap * k for k in range(n))


FINE, SAME, EMPTY, DOWN = (
    (Outcome.SAVED, 20),
    (Outcome.UNCHANGED, None),
    (Outcome.SAVED, 0),
    (Outcome.SERVER_ERROR, None),
)


def alarms(history: SourceHistory, now: datetime = NOW, **card: object) -> dict[str, str]:
    return {alarm.kind: alarm.words for alarm in assess(source(**card), history, now).alarms}


def pages(*ends: Outcome) -> tuple[Observation, ...]:
    return tuple(Observation(f"https://gazette.example/{n}", NOW - HOUR * (n + 1), end) for n, end in enumerate(ends))


def test_source_with_news_raises_no_alarm() -> None:
    found = assess(source(), SourceHistory(visits(FINE, SAME, FINE), pages(*[Outcome.SAVED] * 10), daily()), NOW)
    assert found.alarms == () and found.usual_gap == DAY
    assert found.last_item_at == NOW - 2 * HOUR and found.last_success_at == NOW - HOUR


def test_silence_of_more_than_three_usual_gaps_raises_an_alarm() -> None:
    busy = visits(FINE, SAME, FINE, FINE)
    assert alarms(SourceHistory(busy, (), daily(NOW - 2.9 * DAY))) == {}
    found = alarms(SourceHistory(busy, (), daily(NOW - 4 * DAY)))
    assert found == {"silent": "nothing new since 2026-05-26; usually there is something within 24 hours"}


def test_unchanging_feed_is_frozen() -> None:
    assert list(alarms(SourceHistory(visits(*[SAME] * 8), (), daily(NOW - 4 * DAY)))) == ["frozen"]


def test_unvisited_source_is_not_silent() -> None:
    looked_long_ago = visits(FINE, FINE, every=10 * DAY)
    found = alarms(SourceHistory(looked_long_ago, (), daily(NOW - 10 * DAY - HOUR)))
    assert list(found) == ["unvisited"] and "oversight run" in found["unvisited"]


def test_empty_feed_raises_an_alarm() -> None:
    found = alarms(SourceHistory(visits(EMPTY, SAME, EMPTY, FINE), (), daily()))
    assert list(found) == ["empty"] and "lists nothing" in found["empty"]
    assert alarms(SourceHistory(visits(EMPTY, FINE, FINE), (), daily())) == {}, "one empty response is ignored"


def test_feed_that_fails_three_times_raises_an_alarm() -> None:
    found = alarms(SourceHistory(visits(DOWN, DOWN, DOWN, FINE), (), daily()))
    assert list(found) == ["failing"] and "3 times in a row (SERVER_ERROR)" in found["failing"]
    assert alarms(SourceHistory(visits(DOWN, DOWN, FINE), (), daily())) == {}
    assert "so far" in alarms(SourceHistory(visits(DOWN, DOWN, DOWN)))["failing"]


def test_one_failing_feed_of_two_is_named() -> None:
    other = Feed("https://gazette.example/other", FeedShape.RSS)
    history = SourceHistory((*visits(FINE, FINE), *visits(DOWN, DOWN, DOWN, url=other.url)), (), daily())
    assert other.url in alarms(history, feeds=(FEED, other))["failing"]
    assert alarms(history) == {}, "feeds that were removed from the card are ignored"


def test_pages_without_text_suggest_a_new_layout() -> None:
    mixed = pages(*[Outcome.NO_TEXT] * 6, *[Outcome.SAVED] * 4)
    assert alarms(SourceHistory(visits(FINE), mixed, daily())) == {
        "unread": "6 of its last 10 pages have no text; the layout has probably changed"
    }
    assert alarms(SourceHistory(visits(FINE), pages(*[Outcome.NO_TEXT] * 3, *[Outcome.SAVED] * 7), daily())) == {}
    assert alarms(SourceHistory(visits(FINE), pages(*[Outcome.NO_TEXT] * 3), daily())) == {}, "three pages are too few"


def test_refused_pages_are_distinguished_from_pages_without_text() -> None:
    found = alarms(SourceHistory(visits(FINE), pages(*[Outcome.REFUSED] * 9, Outcome.SAVED), daily()))
    assert list(found) == ["refused"] and "REFUSED" in found["refused"]


def test_fewer_items_than_the_card_expects_raise_an_alarm_after_a_week() -> None:
    long = visits(*[FINE] * 10, every=DAY)
    rare = daily(NOW - 2 * DAY, n=4, gap=5 * DAY)
    assert list(alarms(SourceHistory(long, (), rare), expects_per_week=5)) == ["too-few"]
    assert alarms(SourceHistory(long, (), rare), expects_per_week=1) == {}
    assert alarms(SourceHistory(visits(FINE), (), rare), expects_per_week=5) == {}, "known for less than a week"


def test_disabled_source_raises_no_alarm() -> None:
    assert alarms(SourceHistory(visits(*[DOWN] * 9)), enabled=False, note="bot wall") == {}


def test_usual_gap_needs_six_items_and_is_at_least_a_night() -> None:
    assert usual_gap(daily(n=5)) is None
    assert usual_gap(daily(n=6)) == DAY
    assert usual_gap(daily(n=50, gap=timedelta(minutes=10))) == 8 * HOUR
    assert usual_gap((*daily(n=18), NOW - 90 * DAY)) == DAY, "one long gap is ignored"


@pytest.fixture
def unhealthy(tmp_path: Path) -> Path:
    """A ledger with a healthy source and one whose feed is empty."""
    cards = tmp_path / "cards"
    cards.mkdir()
    now = datetime.now(UTC)
    with closing(Frontier(tmp_path / "crawl.db")) as frontier:
        for name in ("well", "empty"):
            feed = Feed(f"https://{name}.example/feed", FeedShape.RSS)
            (cards / f"{name}.toml").write_text(
                f'title = "{name.title()}"\nhomepage = "https://{name}.example/"\nsource_type = "press"\n'
                f'jurisdiction = "US"\nlanguage = "en"\n[[feed]]\nurl = "{feed.url}"\nshape = "rss"\n'
            )
            one = source(source_id=name, feeds=(feed,))
            frontier.add_sources([one], now)
            entries = [FeedEntry(f"https://{name}.example/{n}", published_at=now - n * DAY) for n in range(9)]
            frontier.add_entries(one, feed, entries, now)
            for hours in (3, 2, 1):
                at = now - timedelta(hours=hours)
                task = Task(feed.url, name, "feed", f"{name}.example", feed)
                listed = tuple(entries) if name == "well" or hours == 3 else ()
                frontier.record(Answer(task, Visit(feed.url, name, at, Outcome.SAVED), entries=listed), at)
    (tmp_path / "oversight.toml").write_text(f'cards = "{cards}"\n')
    return tmp_path


def oversight(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr("sys.argv", ["oversight", *words])
    return _run()


def test_health_strict_lists_unhealthy_sources_and_exits_with_1(unhealthy: Path, monkeypatch, capsys) -> None:
    assert oversight(monkeypatch, "--data", str(unhealthy), "sources", "health") == 0
    assert "well" in capsys.readouterr().out
    assert oversight(monkeypatch, "--data", str(unhealthy), "sources", "health", "--strict") == 1
    said = capsys.readouterr().out
    assert "https://empty.example/feed answers, but lists nothing" in said and "well.example" not in said
    assert oversight(monkeypatch, "--data", str(unhealthy), "sources", "health", "--strict", "--json") == 1
    (row,) = json.loads(capsys.readouterr().out)
    assert row["source_id"] == "empty" and [alarm["kind"] for alarm in row["alarms"]] == ["empty"]


def test_default_time_is_that_of_the_last_visit(unhealthy: Path) -> None:
    feed = Feed("https://empty.example/feed", FeedShape.RSS)
    with closing(Frontier(unhealthy / "crawl.db")) as frontier:
        found = health_of(frontier.db, [source(source_id="empty", feeds=(feed,))], {})
        assert [alarm.kind for alarm in found["empty"].alarms] == ["empty"]
        assert found["empty"].usual_gap == DAY


def test_run_is_recorded_however_it_ends(tmp_path: Path) -> None:
    from pipeline.errors import OutsideFailure, Stopped
    from pipeline.workspace import DataFolder

    folder = DataFolder(tmp_path)
    with recorded(folder, "crawl") as run, run.step("crawl"):
        run.add("crawl", {"outcomes": {"SAVED": 3, "GONE": 1}, "visits": 4, "stopped": ""})
    for error in (OutsideFailure("the disk is full"), Stopped("Told to stop.")):
        with pytest.raises(type(error)), recorded(folder, "run"):
            raise error
    killed = recorded(folder, "run")
    killed.__enter__()  # a run that is killed never leaves
    with recorded(folder, "extract"):
        pass
    found = last_runs(folder, 10)
    assert [(row["command"], row["ended"]) for row in found] == [
        ("extract", "done"), ("run", "interrupted"), ("run", "stopped"), ("run", "failed"), ("crawl", "done"),
    ]  # fmt: skip
    assert found[-1]["outcomes"] == {"crawl": {"GONE": 1, "SAVED": 3}} and found[-1]["counts"] == {"crawl.visits": 4}
    assert list(found[-1]["seconds"]) == ["crawl"] and found[-1]["program_version"] and found[-1]["reader_version"]
    assert found[3]["words"] == "the disk is full"


def test_article_is_gone_when_all_its_urls_are_gone() -> None:
    a, b = "https://gazette.example/a", "https://gazette.example/b"
    addresses = {"a1": {a}, "a2": {a, b}, "a3": {b}}
    assert gone_articles(addresses, {a: NOW}) == {"a1": NOW.date()}
    assert gone_articles(addresses, {a: NOW, b: NOW + DAY})["a2"] == (NOW + DAY).date()
    assert gone_articles(addresses, {}) == {}


def test_step_that_needs_a_ledger_does_not_create_one(tmp_path: Path, monkeypatch, capsys) -> None:
    assert oversight(monkeypatch, "--data", str(tmp_path), "build") == 2
    assert "oversight crawl" in capsys.readouterr().err and not (tmp_path / "crawl.db").exists()
