"""Checks source cards against their live sites.

A probe is a small crawl into a temporary ledger: every feed of a card once, and its newest items. It respects
robots.txt, rate limits and any Retry-After that the real ledger has received.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pipeline.app.page_reader import read_each
from scrapers.archive.store import Archive
from scrapers.crawling.crawl import CrawlConfig, crawl
from scrapers.crawling.frontier import Frontier
from scrapers.crawling.source_health import in_words
from scrapers.database import transaction
from scrapers.fetching.robots import NOT_FETCHED
from scrapers.fetching.url_guard import host_key
from scrapers.items import FETCHED, Feed, FeedEntry, FeedShape, Outcome, Page, Reading, Source, Visit

PAGES_PER_CARD = 2
CHILD_FEEDS = 2  # followed from a sitemap index
STALE_AFTER = timedelta(days=60)
FEW_WORDS = 80  # a shorter article suggests that the parser found only a part
_NOT_REACHED = frozenset({Outcome.CONNECTION_FAILED, Outcome.TIMEOUT})
_OFF_HOST = frozenset({Outcome.OUT_OF_SCOPE, Outcome.BLOCKED_ADDRESS})
NO_NETWORK = (
    "No site could be reached: the network or DNS seems to be down. The cards were not tested; run the command again "
    "later."
)


@dataclass(frozen=True, slots=True)
class Probe:
    """Result of checking one card. `good` and `trouble` are sentences; `reached`: whether any of its hosts answered."""

    source_id: str
    title: str
    good: tuple[str, ...] = ()
    trouble: tuple[str, ...] = ()
    reached: bool = True
    n_pages: int = 0

    @property
    def verdict(self) -> str:
        """The result in a word or two."""
        if not self.reached:
            return "not reached"
        return "works" if not self.trouble else "works in part" if self.good else "does not work"

    def as_dict(self) -> dict[str, Any]:
        return {"verdict": self.verdict, **asdict(self)}


class _FewFeeds(Frontier):
    """A frontier that follows only a few child feeds."""

    def add_feeds(self, source: Source, feed: Feed, urls: Sequence[str], found_in: str, now: datetime) -> list[str]:
        return super().add_feeds(source, feed, urls[:CHILD_FEEDS], found_in, now)


@dataclass(slots=True)
class _Seen:
    pages: list[Page] = field(default_factory=list)
    visits: dict[str, list[Visit]] = field(default_factory=dict)
    readings: dict[str, list[tuple[Page, Reading]]] = field(default_factory=dict)


def probe(
    sources: Sequence[Source],
    config: CrawlConfig,
    *,
    on_topic: Callable[[str], bool],
    crawl_db: Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> list[Probe]:
    """Check each card, including disabled ones; return one Probe for each, in order.

    Args:
        sources: the cards.
        config: settings of the crawl.
        on_topic: the relevance filter, given title and summary of a feed entry.
        crawl_db: the real ledger's, for robots.txt and Retry-After of its hosts.
        progress: receives progress lines of the crawl.
    """
    tried = [replace(source, enabled=True, daily_pages=PAGES_PER_CARD) for source in sources if source.feeds]
    with (
        tempfile.TemporaryDirectory(prefix="oversight-check-") as name,
        closing(_FewFeeds(Path(name) / "crawl.db")) as frontier,
    ):
        if crawl_db is not None and crawl_db.exists():
            _copy_host_state(frontier, crawl_db)
        archive = Archive(Path(name) / "archive", frontier.db)
        seen = _Seen()
        crawl(
            tried,
            frontier,
            archive,
            config=replace(config, topic_filter=None),
            sink=seen.pages.append,
            progress=progress,
        )
        for visit in frontier.visits():
            seen.visits.setdefault(visit.source_id, []).append(visit)
        jobs = [(page, page.source_id, frontier.hint(page.url)) for page in seen.pages]
        for (page, source_id, _), reading in read_each(jobs, tried):
            seen.readings.setdefault(source_id, []).append((page, reading))
        found = [_probe(source, frontier, seen, on_topic, config.now()) for source in tried]
        archive.close()
    by_id = {one.source_id: one for one in found}
    return [
        by_id.get(source.source_id, Probe(source.source_id, source.title, trouble=("The card lists no feed.",)))
        for source in sources
    ]


def nothing_reached(probes: Sequence[Probe]) -> bool:
    """Return whether no host of any card answered: then the network is at fault, not the cards."""
    return bool(probes) and not any(one.reached for one in probes)


def fetch_one(source: Source, url: str, config: CrawlConfig, crawl_db: Path | None = None) -> tuple[Page | None, str]:
    """Fetch one page, respecting robots.txt and rate limits; return it, or None and the reason."""
    kept: list[Page] = []
    wanted = Feed(url=url, shape=FeedShape.LISTING, pass_all=True)
    alone = replace(source, enabled=True, feeds=())
    with (
        tempfile.TemporaryDirectory(prefix="oversight-record-") as name,
        closing(Frontier(Path(name) / "crawl.db")) as frontier,
    ):
        if crawl_db is not None and crawl_db.exists():
            _copy_host_state(frontier, crawl_db)
        archive = Archive(Path(name) / "archive", frontier.db)
        frontier.add_entries(alone, wanted, [FeedEntry(url=url)], config.now())
        crawl([alone], frontier, archive, config=config, sink=kept.append)
        visits = list(frontier.visits())
        archive.close()
    if kept:
        return kept[0], ""
    return None, f"{visits[-1].outcome.value}: {visits[-1].detail}" if visits else "the host asked crawlers to wait"


def _copy_host_state(frontier: Frontier, crawl_db: Path) -> None:
    """Copy the hosts' Retry-After and robots.txt from the real ledger."""
    with closing(sqlite3.connect(f"file:{crawl_db}?mode=ro", uri=True)) as db:
        rows = db.execute("select host, not_before, reason, robots_status, robots_body, robots_fetched_at from hosts")
        with transaction(frontier.db):
            frontier.db.executemany("insert or ignore into hosts values (?, ?, ?, ?, ?, ?)", rows.fetchall())


def _probe(source: Source, frontier: Frontier, seen: _Seen, on_topic: Callable[[str], bool], now: datetime) -> Probe:
    visits = {visit.url: visit for visit in seen.visits.get(source.source_id, [])}
    good: list[str] = []
    trouble: list[str] = []
    for feed in source.feeds:
        words, works = _describe_feed(source, feed, visits.get(feed.url), frontier, on_topic, now)
        (good if works else trouble).append(words)
    readings = seen.readings.get(source.source_id, [])
    for page, reading in readings:
        words, works = _describe_page(page, reading)
        (good if works else trouble).append(words)
    read, feeds = {page.url for page, _ in readings}, {feed.url for feed in source.feeds}
    off_host = [visit for visit in visits.values() if visit.outcome in _OFF_HOST]
    if off_host:
        hosts = ", ".join(sorted({host_key(visit.url) for visit in off_host})[:3])
        words = f"{len(off_host)} of its items link to hosts that are not on the card, such as {hosts}: add them?"
        trouble.append(words)
    for visit in visits.values():
        if visit.url not in read | feeds and visit.outcome not in FETCHED | _OFF_HOST:
            trouble.append(f"The page {visit.url} could not be fetched: {visit.outcome.value}, {visit.detail}.")
    tried = list(visits.values())
    reached = not tried or any(not _unreachable(visit) for visit in tried)
    return Probe(source.source_id, source.title, tuple(good), tuple(trouble), reached, len(readings))


def _unreachable(visit: Visit) -> bool:
    closed = visit.outcome is Outcome.ROBOTS_DENIED and visit.detail.startswith(NOT_FETCHED)
    return visit.status == 0 and (visit.outcome in _NOT_REACHED or closed)


def _describe_feed(
    source: Source, feed: Feed, visit: Visit | None, frontier: Frontier, on_topic: Callable[[str], bool], now: datetime
) -> tuple[str, bool]:
    name = f"The feed {feed.url} ({feed.shape.value})"
    if visit is None:
        until = frontier.held_until(host_key(feed.url), now)
        why = f"the host asked crawlers to wait until {until:%Y-%m-%d %H:%M} UTC" if until else "time ran out"
        return f"{name} was not fetched: {why}.", False
    if visit.outcome not in FETCHED:
        return f"{name} could not be read: {visit.outcome.value}, {visit.detail}.", False
    rows = frontier.db.execute(
        "select title, summary, published_at from urls where source_id = ? and kind = 'article' and feed_url = ?",
        (source.source_id, feed.url),
    ).fetchall()
    if not rows:
        return f"{name} answers, but lists no page to fetch ({visit.detail}).", False
    dates = sorted(row["published_at"] for row in rows if row["published_at"])
    n_topic = sum(feed.pass_all or on_topic(f"{row['title']}\n{row['summary']}") for row in rows)
    age = now - datetime.fromisoformat(dates[-1]) if dates else None
    newest = "none is dated" if age is None else f"the newest is {in_words(max(age, timedelta()))} old"
    chosen = "all are fetched" if feed.pass_all else f"{n_topic} pass the relevance filter"
    words = f"{name} lists {len(rows)} items: {newest}, {chosen}."
    if age is not None and age > STALE_AFTER:
        return f"{words} Is the feed still updated?", False
    return words, True


def _describe_page(page: Page, reading: Reading) -> tuple[str, bool]:
    article = reading.article
    if article is None:
        return (
            f"No article was found on {page.url}: {reading.outcome.value}, {reading.detail}.",
            False,
        )
    n_words = len(article.text.split())
    day = f"{article.published_at:%Y-%m-%d} ({article.published_basis})" if article.published_at else "no date"
    partial = ", in part only (paywall)" if article.access != "full" else ""
    words = f"The page {page.url} is “{article.title}”: {n_words} words{partial}, {day}"
    if n_words < FEW_WORDS:
        return f"{words}. That is short: does the card need a recipe?", False
    if not article.title or article.published_at is None:
        return f"{words}. The title or date is missing: does the card need a recipe?", False
    return f"{words}.", True
