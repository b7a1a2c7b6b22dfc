"""Each way in which a source falls ill raises its alarm in words, and a source that fares well raises none."""

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


def test_a_source_that_answers_and_brings_news_is_well() -> None:
    found = assess(source(), SourceHistory(visits(FINE, SAME, FINE), pages(*[Outcome.SAVED] * 10), daily()), NOW)
    assert found.alarms == () and found.usual_gap == DAY
    assert found.last_item_at == NOW - 2 * HOUR and found.last_success_at == NOW - HOUR


def test_silence_beyond_three_usual_gaps_is_told_and_less_is_not() -> None:
    busy = visits(FINE, SAME, FINE, FINE)
    assert alarms(SourceHistory(busy, (), daily(NOW - 2.9 * DAY))) == {}
    told = alarms(SourceHistory(busy, (), daily(NOW - 4 * DAY)))
    assert told == {"silent": "nothing new since 2026-05-26; usually there is something within 24 hours"}


def test_a_feed_that_never_changes_while_it_should_is_called_frozen() -> None:
    assert list(alarms(SourceHistory(visits(*[SAME] * 8), (), daily(NOW - 4 * DAY)))) == ["frozen"]


def test_silence_is_not_the_source_s_when_we_did_not_look() -> None:
    looked_long_ago = visits(FINE, FINE, every=10 * DAY)
    told = alarms(SourceHistory(looked_long_ago, (), daily(NOW - 10 * DAY - HOUR)))
    assert list(told) == ["unvisited"] and "oversight run" in told["unvisited"]


def test_answers_that_list_nothing_raise_an_alarm() -> None:
    told = alarms(SourceHistory(visits(EMPTY, SAME, EMPTY, FINE), (), daily()))
    assert list(told) == ["empty"] and "lists nothing" in told["empty"]
    assert alarms(SourceHistory(visits(EMPTY, FINE, FINE), (), daily())) == {}, "once is chance"


def test_a_feed_that_fails_three_times_raises_an_alarm_with_its_reason() -> None:
    told = alarms(SourceHistory(visits(DOWN, DOWN, DOWN, FINE), (), daily()))
    assert list(told) == ["failing"] and "3 times in a row (SERVER_ERROR)" in told["failing"]
    assert alarms(SourceHistory(visits(DOWN, DOWN, FINE), (), daily())) == {}
    assert "so far" in alarms(SourceHistory(visits(DOWN, DOWN, DOWN)))["failing"]


def test_one_failing_feed_of_two_is_named() -> None:
    other = Feed("https://gazette.example/other", FeedShape.RSS)
    history = SourceHistory((*visits(FINE, FINE), *visits(DOWN, DOWN, DOWN, url=other.url)), (), daily())
    assert other.url in alarms(history, feeds=(FEED, other))["failing"]
    assert alarms(history) == {}, "a feed that is no longer on the card is nobody's trouble"


def test_pages_without_text_tell_of_a_new_layout() -> None:
    mixed = pages(*[Outcome.NO_TEXT] * 6, *[Outcome.SAVED] * 4)
    assert alarms(SourceHistory(visits(FINE), mixed, daily())) == {
        "unread": "6 of its last 10 pages have no text; the layout has probably changed"
    }
    assert alarms(SourceHistory(visits(FINE), pages(*[Outcome.NO_TEXT] * 3, *[Outcome.SAVED] * 7), daily())) == {}
    assert alarms(SourceHistory(visits(FINE), pages(*[Outcome.NO_TEXT] * 3), daily())) == {}, "three pages say little"


def test_pages_that_are_refused_are_told_apart_from_pages_without_text() -> None:
    told = alarms(SourceHistory(visits(FINE), pages(*[Outcome.REFUSED] * 9, Outcome.SAVED), daily()))
    assert list(told) == ["refused"] and "REFUSED" in told["refused"]


def test_fewer_items_than_the_card_expects_raise_an_alarm_after_a_week() -> None:
    long = visits(*[FINE] * 10, every=DAY)
    rare = daily(NOW - 2 * DAY, n=4, gap=5 * DAY)
    assert list(alarms(SourceHistory(long, (), rare), expects_per_week=5)) == ["too-few"]
    assert alarms(SourceHistory(long, (), rare), expects_per_week=1) == {}
    assert alarms(SourceHistory(visits(FINE), (), rare), expects_per_week=5) == {}, "we have not watched for a week"


def test_a_source_that_is_switched_off_raises_no_alarm() -> None:
    assert alarms(SourceHistory(visits(*[DOWN] * 9)), enabled=False, note="bot wall") == {}


def test_the_usual_gap_is_known_from_six_items_on_and_never_less_than_a_night() -> None:
    assert usual_gap(daily(n=5)) is None
    assert usual_gap(daily(n=6)) == DAY
    assert usual_gap(daily(n=50, gap=timedelta(minutes=10))) == 8 * HOUR
    assert usual_gap((*daily(n=18), NOW - 90 * DAY)) == DAY, "one long holiday is not usual"


@pytest.fixture
def sick(tmp_path: Path) -> Path:
    """A ledger with one well source and one whose feed answers with nothing."""
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


def test_health_strict_names_the_sick_and_ends_with_one(sick: Path, monkeypatch, capsys) -> None:
    assert oversight(monkeypatch, "--data", str(sick), "sources", "health") == 0
    assert "well" in capsys.readouterr().out
    assert oversight(monkeypatch, "--data", str(sick), "sources", "health", "--strict") == 1
    said = capsys.readouterr().out
    assert "https://empty.example/feed answers, but lists nothing" in said and "well.example" not in said
    assert oversight(monkeypatch, "--data", str(sick), "sources", "health", "--strict", "--json") == 1
    (row,) = json.loads(capsys.readouterr().out)
    assert row["source_id"] == "empty" and [alarm["kind"] for alarm in row["alarms"]] == ["empty"]


def test_the_moment_of_a_build_is_that_of_the_last_visit(sick: Path) -> None:
    feed = Feed("https://empty.example/feed", FeedShape.RSS)
    with closing(Frontier(sick / "crawl.db")) as frontier:
        found = health_of(frontier.db, [source(source_id="empty", feeds=(feed,))], {})
        assert [alarm.kind for alarm in found["empty"].alarms] == ["empty"]
        assert found["empty"].usual_gap == DAY


def test_a_run_is_recorded_however_it_ends(tmp_path: Path) -> None:
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


def test_an_article_is_gone_when_none_of_its_addresses_answers_any_more() -> None:
    a, b = "https://gazette.example/a", "https://gazette.example/b"
    addresses = {"a1": {a}, "a2": {a, b}, "a3": {b}}
    assert gone_articles(addresses, {a: NOW}) == {"a1": NOW.date()}
    assert gone_articles(addresses, {a: NOW, b: NOW + DAY})["a2"] == (NOW + DAY).date()
    assert gone_articles(addresses, {}) == {}


def test_no_ledger_is_made_by_a_step_that_needs_one(tmp_path: Path, monkeypatch, capsys) -> None:
    assert oversight(monkeypatch, "--data", str(tmp_path), "build") == 2
    assert "oversight crawl" in capsys.readouterr().err and not (tmp_path / "crawl.db").exists()
