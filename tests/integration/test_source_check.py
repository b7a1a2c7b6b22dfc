"""Source cards tried against local sites, and pages recorded from them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from support.hostile.pages import STORY, story
from support.hostile.server import Site, status

from pipeline.cli import oversight
from pipeline.errors import OutsideFailure, WrongUse
from scrapers.crawling.frontier import Frontier

ROOT = Path(__file__).resolve().parents[2]
LONG = story(
    head='<title>Order signed</title><meta property="article:published_time" content="2026-11-20T08:00:00Z">',
    paragraphs=(*STORY, *(f"{p} So it was said in part two of the report." for p in STORY)),
)


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    site.routes["/robots.txt"] = b""
    yield site
    site.close()


@pytest.fixture
def run(tmp_path: Path, site: Site) -> Callable[..., Result]:
    """Run `oversight sources` over a folder with one card of an editor's own."""
    cards = tmp_path / "cards"
    cards.mkdir()
    (cards / "courier.toml").write_text(
        f'title = "The Courier"\nhomepage = "{site.url("/")}"\nsource_type = "press"\njurisdiction = "GB"\n'
        f'language = "en"\n[[feed]]\nurl = "{site.url("/feed")}"\nshape = "rss"\n'
    )
    ledger = tmp_path / "ledger"
    ledger.mkdir()
    (ledger / "oversight.toml").write_text(f'contact = "desk@courier.example"\ncards = "{cards}"\n')
    return lambda *words: CliRunner().invoke(oversight, ["--data", str(ledger), "sources", *words])


def check(run: Callable[..., Result], *words: str) -> str:
    return run("check", "courier", "--newsroom", *words).output


def test_a_card_that_works_is_told_with_what_was_found(run, site: Site) -> None:
    links = [f"/{n}" for n in range(5)]
    site.routes |= {"/feed": site.feed(links, {"/1": "Regulator opens AI probe"})} | dict.fromkeys(links, LONG)
    said = check(run)
    assert "courier (The Courier): works." in said and "1 of 1 work." in said
    assert f"{site.url('/feed')} (rss) lists 5 items: none has a date, 1 pass the topic filter." in said
    assert "reads as “Order signed”" in said and "2026-11-20 (meta)" in said
    asked = site.paths(without_robots=False)
    assert asked[:2] == ["/robots.txt", "/feed"] and len(asked) == 4, "robots.txt, the feed and two pages"
    assert "desk@courier.example" in site.asked[0].headers["user-agent"]


@pytest.mark.parametrize(
    ("route", "said"),
    [
        (status(404), "could not be read: GONE, status 404"),
        (status(403), "could not be read: REFUSED, status 403"),
        (b"<!doctype html><html><body><p>Log in</p></body></html>", "the response is a web page, not a feed"),
        (b'<?xml version="1.0"?><rss version="2.0"><channel><title>x</title></channel></rss>', "has no entries"),
    ],
)
def test_a_feed_that_gives_nothing_is_told_with_the_reason(run, site: Site, route, said: str) -> None:
    site.routes["/feed"] = route
    out = check(run)
    assert said in out and "look at: courier." in out and "does not work" in out


def test_robots_txt_is_obeyed_and_told(run, site: Site) -> None:
    site.routes |= {"/robots.txt": b"User-agent: *\nDisallow: /feed", "/feed": site.feed([])}
    assert "ROBOTS_DENIED, robots.txt forbids this URL" in check(run)
    assert site.paths() == []


def test_pages_that_are_no_articles_or_lie_elsewhere_are_told(run, site: Site) -> None:
    site.routes |= {
        "/feed": site.feed(["/thin", "/empty", "http://elsewhere.example/x"]),
        "/thin": story(), "/empty": b"<html><body><div id=root></div></body></html>",
    }  # fmt: skip
    said = check(run)
    assert "That is very little: does the card need a recipe?" in said
    assert "is no article that could be read: NO_TEXT" in said
    assert "1 of its items lead to addresses that are not the card's, such as elsewhere.example" in said
    assert "works in part" in said


def test_a_feed_whose_newest_item_is_old_is_doubted(run, site: Site) -> None:
    feed = site.feed(["/a"]).replace(b"</item>", b"<pubDate>Mon, 06 Jan 2020 10:00:00 GMT</pubDate></item>")
    site.routes |= {"/feed": feed, "/a": LONG}
    assert "Does it still bring anything?" in check(run)


def test_a_host_that_asked_to_be_left_alone_is_left_alone(run, site: Site, tmp_path: Path) -> None:
    frontier = Frontier(tmp_path / "ledger" / "crawl.db")
    now = datetime.now(UTC)
    frontier.hold_host(site.host, now + timedelta(hours=2), "status 429", now)
    frontier.close()
    site.routes |= {"/feed": site.feed(["/a"]), "/a": LONG}
    assert "its host asked to be left alone until" in check(run) and site.asked == []


def test_without_a_network_nothing_is_said_against_the_cards(run, tmp_path: Path) -> None:
    (tmp_path / "cards" / "nowhere.toml").write_text(
        'title = "Nowhere"\nhomepage = "https://nowhere.invalid/"\nsource_type = "press"\njurisdiction = "GB"\n'
        'language = "en"\n[[feed]]\nurl = "https://nowhere.invalid/feed"\nshape = "rss"\n'
    )
    result = run("check", "nowhere")
    assert "nowhere (Nowhere): not reached." in result.output
    assert "the name nowhere.invalid does not resolve" in result.output
    assert isinstance(result.exception, OutsideFailure) and "seems to have no network" in str(result.exception)


def test_json_and_exit_codes_say_the_same(run, site: Site) -> None:
    site.routes |= {"/feed": status(404)}
    result = run("check", "courier", "--newsroom", "--json")
    (one,) = json.loads(result.stdout)
    assert one["verdict"] == "does not work" and "GONE" in one["trouble"][0] and one["reached"] is True


def test_the_live_web_is_not_tried_without_a_contact_and_names_are_checked(run, tmp_path: Path) -> None:
    assert isinstance(run("check", "no_such_card").exception, WrongUse)
    (tmp_path / "ledger" / "oversight.toml").write_text("")
    refused = run("check", "ftc").exception
    assert isinstance(refused, WrongUse) and "contact" in str(refused)


def test_a_recorded_page_is_a_test_of_its_card(run, site: Site, tmp_path: Path) -> None:
    site.routes["/2026/order"] = LONG
    kept = run("record", "courier", site.url("/2026/order"), "--newsroom")
    assert kept.exit_code == 0 and "“Order signed”" in kept.output and STORY[0] in kept.output
    folder = tmp_path / "cards" / "recorded" / "courier"
    (answer,) = folder.glob("*.json")
    assert answer.with_suffix(".html.gz").exists() and "2026-order" in answer.name
    assert "1 of 1 recorded pages read as they did." in run("check", "--offline").output

    card = tmp_path / "cards" / "courier.toml"
    card.write_text(card.read_text() + '[[recipe]]\nbody = "article"\ndrop = ["p:last-of-type"]\n')
    changed = run("check", "courier", "--offline")
    assert "reads otherwise than when it was recorded" in changed.output
    assert "paragraph missing: “Members" in changed.output

    answer.with_suffix(".html.gz").write_bytes(b"no gzip")
    broken = run("check", "--offline").output
    assert "the recording cannot be read" in broken and "Record it again with" in broken


def test_what_is_no_article_or_lies_elsewhere_is_not_recorded(run, site: Site, tmp_path: Path) -> None:
    site.routes |= {"/empty": b"<html><body></body></html>", "/gone": status(410)}
    assert "Nothing was kept" in run("record", "courier", site.url("/empty"), "--newsroom").output
    assert "GONE" in str(run("record", "courier", site.url("/gone"), "--newsroom").exception)
    abroad = run("record", "courier", "https://elsewhere.example/x", "--newsroom").exception
    assert isinstance(abroad, WrongUse) and "is on no host of the card" in str(abroad)
    assert not (tmp_path / "cards" / "recorded").exists()


def test_recording_is_closed_to_this_machine_unless_a_developer_says_so(run, site: Site) -> None:
    site.routes["/a"] = LONG
    refused = run("record", "courier", site.url("/a")).exception
    assert isinstance(refused, OutsideFailure) and "BLOCKED_ADDRESS" in str(refused) and site.asked == []
