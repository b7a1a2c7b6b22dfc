"""Hostile pages and feeds have the expected outcomes, within ten seconds of CPU time and 400 MiB of memory."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from support.hostile.cases import CASES, LINKS
from support.hostile.feeds import FEEDS
from support.hostile.pages import PAGES

from scrapers.feeds.parse import read_feed
from scrapers.items import Feed, Page
from scrapers.process_pool import Limits, Lost, run_jobs
from scrapers.reading.article import read_page

LIMITS = Limits(cpu_seconds=10.0, wall_seconds=120.0, memory_mb=400, renewed_after=1000)
NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


def page_reader() -> Callable[[str], tuple]:
    """Return a function that reads a page by name: its outcome, its detail, and whether the case's check holds."""

    def work(name: str) -> tuple:
        case = PAGES[name]
        body, url = case.body(), "https://gazette.example/amp/order"
        digest = hashlib.sha256(body).hexdigest()
        page = Page(url, url, "gazette", NOW, 200, "text/html", case.charset, (), body, digest)
        found = read_page(page, None, None)
        return found.outcome, found.detail, found.outcome is not case.outcome or case.holds(found)

    return work


def feed_reader() -> Callable[[str], tuple]:
    def work(name: str) -> tuple:
        case = FEEDS[name]
        address = "https://gazette.example/feed"
        found = read_feed(case.body(), Feed(address, case.shape), address)
        return len(found.entries), tuple(found.faults), case.holds(found)

    return work


@pytest.fixture(scope="module")
def pages() -> dict[str, tuple | Lost]:
    return dict(run_jobs(PAGES, page_reader, (), LIMITS, processes=1))


@pytest.fixture(scope="module")
def feeds() -> dict[str, tuple | Lost]:
    return dict(run_jobs(FEEDS, feed_reader, (), LIMITS, processes=1))


@pytest.mark.parametrize("name", PAGES)
def test_hostile_page_gives_its_outcome_within_limits(pages: dict[str, tuple | Lost], name: str) -> None:
    found = pages[name]
    assert not isinstance(found, Lost), found
    outcome, detail, holds = found
    assert outcome is PAGES[name].outcome, detail
    assert holds, detail


@pytest.mark.parametrize("name", FEEDS)
def test_hostile_feed_gives_what_it_can_within_limits(feeds: dict[str, tuple | Lost], name: str) -> None:
    found = feeds[name]
    assert not isinstance(found, Lost), found
    n_entries, faults, holds = found
    if FEEDS[name].entries >= 0:
        assert n_entries == FEEDS[name].entries, faults
    assert n_entries or faults, "a feed that gives nothing must say why"
    assert holds, (n_entries, faults)


def test_there_are_more_than_a_hundred_hostile_cases() -> None:
    assert len(CASES) + len(LINKS) + len(PAGES) + len(FEEDS) >= 100
