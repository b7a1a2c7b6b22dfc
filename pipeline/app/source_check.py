"""Cards come in; each is tried against its live site; what works and what does not, in words, goes out.

A probe is a small crawl with all manners and guards, into a ledger of its own that is thrown away: every feed of the
card once, and its newest items. What hosts have asked of the real ledger (Retry-After, robots.txt) holds for it too.
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

PAGES = 2  # of each card
CHILD_FEEDS = 2  # of a sitemap that names further ones
OLD = timedelta(days=60)
FEW_WORDS = 80
_NOT_REACHED = frozenset({Outcome.CONNECTION_FAILED, Outcome.TIMEOUT})
_ABROAD = frozenset({Outcome.OUT_OF_SCOPE, Outcome.BLOCKED_ADDRESS})
NO_NETWORK = (
    "No site could be reached: this machine seems to have no network, or no name service. Nothing is said of the cards "
    "by that; run this again when it is there."
)


@dataclass(frozen=True, slots=True)
class Probe:
    """What trying one card came to. `good` and `trouble` are sentences; `reached`: whether any host of it answered."""

    source_id: str
    title: str
    good: tuple[str, ...] = ()
    trouble: tuple[str, ...] = ()
    reached: bool = True
    n_pages: int = 0

    @property
    def verdict(self) -> str:
        """In a word or two."""
        if not self.reached:
            return "not reached"
        return "works" if not self.trouble else "works in part" if self.good else "does not work"

    def as_dict(self) -> dict[str, Any]:
        return {"verdict": self.verdict, **asdict(self)}


class _FewFeeds(Frontier):
    """A frontier that goes on to few of the further feeds that a feed names."""

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
    """Try each card, also those that are switched off; return one Probe for each, in their order.

    `crawl_db`: the real ledger's, for what hosts have asked of it. Raises what crawl() raises.
    """
    tried = [replace(source, enabled=True, daily_pages=PAGES) for source in sources if source.feeds]
    with (
        tempfile.TemporaryDirectory(prefix="oversight-check-") as name,
        closing(_FewFeeds(Path(name) / "crawl.db")) as frontier,
    ):
        if crawl_db is not None and crawl_db.exists():
            _take_over_hosts(frontier, crawl_db)
        archive = Archive(Path(name) / "archive", frontier.db)
        seen = _Seen()
        crawl(tried, frontier, archive, config=replace(config, topic_filter=None), sink=seen.pages.append,
              progress=progress)  # fmt: skip
        for visit in frontier.visits():
            seen.visits.setdefault(visit.source_id, []).append(visit)
        jobs = [(page, page.source_id, frontier.hint(page.url)) for page in seen.pages]
        for (page, source_id, _), reading in read_each(jobs, tried):
            seen.readings.setdefault(source_id, []).append((page, reading))
        found = [_probe(source, frontier, seen, on_topic, config.now()) for source in tried]
        archive.close()
    by_id = {one.source_id: one for one in found}
    return [
        by_id.get(source.source_id, Probe(source.source_id, source.title, trouble=("Its card names no feed.",)))
        for source in sources
    ]


def nothing_reached(probes: Sequence[Probe]) -> bool:
    """Tell whether it is the network, rather than the cards: several hosts, and none that answered."""
    return bool(probes) and not any(one.reached for one in probes)


def fetch_one(source: Source, url: str, config: CrawlConfig, crawl_db: Path | None = None) -> tuple[Page | None, str]:
    """Fetch one page of a source with all manners and guards; return it, or None and the reason in words."""
    kept: list[Page] = []
    wanted = Feed(url=url, shape=FeedShape.LISTING, pass_all=True)
    alone = replace(source, enabled=True, feeds=())
    with (
        tempfile.TemporaryDirectory(prefix="oversight-record-") as name,
        closing(Frontier(Path(name) / "crawl.db")) as frontier,
    ):
        if crawl_db is not None and crawl_db.exists():
            _take_over_hosts(frontier, crawl_db)
        archive = Archive(Path(name) / "archive", frontier.db)
        frontier.add_entries(alone, wanted, [FeedEntry(url=url)], config.now())
        crawl([alone], frontier, archive, config=config, sink=kept.append)
        visits = list(frontier.visits())
        archive.close()
    if kept:
        return kept[0], ""
    return None, f"{visits[-1].outcome.value}: {visits[-1].detail}" if visits else "its host asked to be left alone"


def _take_over_hosts(frontier: Frontier, crawl_db: Path) -> None:
    """Take over what hosts have asked of the real ledger: until when to leave them alone, and their robots.txt."""
    with closing(sqlite3.connect(f"file:{crawl_db}?mode=ro", uri=True)) as db:
        rows = db.execute("select host, not_before, reason, robots_status, robots_body, robots_fetched_at from hosts")
        with transaction(frontier.db):
            frontier.db.executemany("insert or ignore into hosts values (?, ?, ?, ?, ?, ?)", rows.fetchall())


def _probe(
    source: Source, frontier: Frontier, seen: _Seen, on_topic: Callable[[str], bool], now: datetime
) -> Probe:  # fmt: skip
    visits = {visit.url: visit for visit in seen.visits.get(source.source_id, [])}
    good: list[str] = []
    trouble: list[str] = []
    for feed in source.feeds:
        words, works = _feed_words(source, feed, visits.get(feed.url), frontier, on_topic, now)
        (good if works else trouble).append(words)
    readings = seen.readings.get(source.source_id, [])
    for page, reading in readings:
        words, works = _page_words(page, reading)
        (good if works else trouble).append(words)
    read, feeds = {page.url for page, _ in readings}, {feed.url for feed in source.feeds}
    abroad = [visit for visit in visits.values() if visit.outcome in _ABROAD]
    if abroad:
        hosts = ", ".join(sorted({host_key(visit.url) for visit in abroad})[:3])
        words = (
            f"{len(abroad)} of its items lead to addresses that are not the card's, such as {hosts}: are hosts missing?"
        )
        trouble.append(words)
    for visit in visits.values():
        if visit.url not in read | feeds and visit.outcome not in FETCHED | _ABROAD:
            trouble.append(f"The page {visit.url} gave nothing: {visit.outcome.value}, {visit.detail}.")
    tried = list(visits.values())
    reached = not tried or any(not _unreachable(visit) for visit in tried)
    return Probe(source.source_id, source.title, tuple(good), tuple(trouble), reached, len(readings))


def _unreachable(visit: Visit) -> bool:
    closed = visit.outcome is Outcome.ROBOTS_DENIED and visit.detail.startswith(NOT_FETCHED)
    return visit.status == 0 and (visit.outcome in _NOT_REACHED or closed)


def _feed_words(
    source: Source, feed: Feed, visit: Visit | None, frontier: Frontier, on_topic: Callable[[str], bool], now: datetime
) -> tuple[str, bool]:
    name = f"The feed {feed.url} ({feed.shape.value})"
    if visit is None:
        until = frontier.held_until(host_key(feed.url), now)
        why = f"its host asked to be left alone until {until:%Y-%m-%d %H:%M} UTC" if until else "the time was over"
        return f"{name} was not asked for: {why}.", False
    if visit.outcome not in FETCHED:
        return f"{name} could not be read: {visit.outcome.value}, {visit.detail}.", False
    rows = frontier.db.execute(
        "select title, summary, published_at from urls where source_id = ? and kind = 'article' and feed_url = ?",
        (source.source_id, feed.url),
    ).fetchall()
    if not rows:
        return f"{name} answers, but lists nothing that can be fetched ({visit.detail}).", False
    dates = sorted(row["published_at"] for row in rows if row["published_at"])
    n_topic = sum(feed.pass_all or on_topic(f"{row['title']}\n{row['summary']}") for row in rows)
    age = now - datetime.fromisoformat(dates[-1]) if dates else None
    newest = "none has a date" if age is None else f"the newest is {in_words(max(age, timedelta()))} old"
    chosen = "all are taken" if feed.pass_all else f"{n_topic} pass the topic filter"
    words = f"{name} lists {len(rows)} items: {newest}, {chosen}."
    if age is not None and age > OLD:
        return f"{words} Does it still bring anything?", False
    return words, True


def _page_words(page: Page, reading: Reading) -> tuple[str, bool]:
    article = reading.article
    if article is None:
        return (
            f"The page {page.url} is no article that could be read: {reading.outcome.value}, {reading.detail}.",
            False,
        )
    n_words = len(article.text.split())
    day = f"{article.published_at:%Y-%m-%d} ({article.published_basis})" if article.published_at else "no date"
    partial = ", only in part (a wall)" if article.access != "full" else ""
    words = f"The page {page.url} reads as “{article.title}”: {n_words} words{partial}, {day}"
    if n_words < FEW_WORDS:
        return f"{words}. That is very little: does the card need a recipe?", False
    if not article.title or article.published_at is None:
        return f"{words}. Title or date is missing: does the card need a recipe?", False
    return f"{words}.", True
