"""Assesses the health of sources by their visits, items and parsed pages, and raises alarms.

The question is not whether a site is up, but whether it still supplies news as before. A source that answers but has
nothing new is as unhealthy as one that does not answer.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from scrapers.items import FETCHED, Outcome, Source
from scrapers.messages import as_moment

MIN_GAP = timedelta(hours=8)  # even a busy source is silent at night
USUAL_SHARE = 0.8  # the usual gap is the 80th percentile of the gaps between items
MIN_GAPS = 5  # with fewer, there is no usual gap
SILENT_GAPS = 3
MAX_FAILURES = 3  # consecutive, of one feed
MAX_EMPTY = 2  # consecutive readings of one feed without an item
MIN_PAGES = 5
NO_TEXT_SHARE = 0.5  # of the last pages: the layout has changed
REFUSED_SHARE = 0.8
UNVISITED = timedelta(days=3)
_UNREAD = frozenset({Outcome.NO_TEXT, Outcome.UNREADABLE})
_FAILED = frozenset(
    {
        Outcome.REFUSED,
        Outcome.ROBOTS_DENIED,
        Outcome.SERVER_ERROR,
        Outcome.TIMEOUT,
        Outcome.CONNECTION_FAILED,
        Outcome.RATE_LIMITED,
        Outcome.BLOCKED_ADDRESS,
        Outcome.BAD_REDIRECT,
    }
)
MAX_FEED_VISITS, MAX_PAGES, MAX_ITEMS = 400, 20, 60


class ReadingOutcomes(Protocol):
    """Looks up the outcome of reading a page by its (sha256, url)."""

    def get(self, page: tuple[str, str], /) -> Outcome | None: ...


_NO_OUTCOMES: dict[tuple[str, str], Outcome] = {}

_VISITS = """select v.url, v.at, v.outcome, v.detail, v.sha256, v.n_entries from visits v join urls u using (url)
    where v.source_id = ? and u.kind = ? and v.outcome not in ('OUT_OF_SCOPE', 'UNCHANGED', ?)
    order by v.at desc, v.url, v.visit_id desc limit ?"""
_ITEMS = """select min(coalesce(published_at, first_seen_at), first_seen_at) from urls
    where source_id = ? and kind = 'article' order by first_seen_at desc, 1 desc limit ?"""


@dataclass(frozen=True, slots=True)
class Observation:
    """One visit to a feed or an article page. `n_items`: of a feed that was parsed, else None."""

    url: str
    at: datetime
    outcome: Outcome
    detail: str = ""
    n_items: int | None = None


@dataclass(frozen=True, slots=True)
class SourceHistory:
    """The latest visits to one source and its items, newest first. `items`: when they were published or first seen."""

    feeds: tuple[Observation, ...] = ()
    pages: tuple[Observation, ...] = ()
    items: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class Alarm:
    """One problem. `kind`: failing, refused, empty, silent, frozen, unread, too-few or unvisited."""

    kind: str
    words: str


@dataclass(frozen=True, slots=True)
class SourceHealth:
    """The health of one source at a point in time."""

    source_id: str
    last_visit_at: datetime | None
    last_success_at: datetime | None
    last_item_at: datetime | None
    usual_gap: timedelta | None
    alarms: tuple[Alarm, ...]


def health_of(
    db: sqlite3.Connection, sources: Iterable[Source], ends: ReadingOutcomes, now: datetime | None = None
) -> dict[str, SourceHealth]:
    """Return the health of each source at a point in time, by default that of the last visit."""
    if now is None:
        last = db.execute("select max(at) from visits").fetchone()[0]
        if last is None:
            return {}
        now = as_moment(last)
    return {source.source_id: assess(source, history_of(db, source.source_id, ends), now) for source in sources}


def history_of(db: sqlite3.Connection, source_id: str, ends: ReadingOutcomes) -> SourceHistory:
    """Return the latest visits and items of one source; a saved page counts with the outcome of reading it."""
    feeds = db.execute(_VISITS.replace("'UNCHANGED', ", ""), (source_id, "feed", "", MAX_FEED_VISITS))
    pages = db.execute(_VISITS, (source_id, "article", "GONE", MAX_PAGES)).fetchall()
    items = db.execute(_ITEMS, (source_id, MAX_ITEMS)).fetchall()
    return SourceHistory(
        tuple(_observation(row, _NO_OUTCOMES) for row in feeds.fetchall()),
        tuple(_observation(row, ends) for row in pages),
        tuple(sorted((as_moment(row[0]) for row in items), reverse=True)),
    )


def _observation(row: sqlite3.Row, ends: ReadingOutcomes) -> Observation:
    outcome = Outcome(row["outcome"])
    if outcome is Outcome.SAVED:
        outcome = ends.get((row["sha256"], row["url"])) or outcome
    return Observation(row["url"], as_moment(row["at"]), outcome, row["detail"], row["n_entries"])


def assess(source: Source, history: SourceHistory, now: datetime) -> SourceHealth:
    """Return the health of a source; disabled sources raise no alarm."""
    every = (*history.feeds, *history.pages)
    good = [visit.at for visit in every if visit.outcome in FETCHED]
    gap = usual_gap(history.items)
    return SourceHealth(
        source.source_id,
        max((visit.at for visit in every), default=None),
        max(good, default=None),
        history.items[0] if history.items else None,
        gap,
        tuple(_alarms(source, history, gap, now)) if source.enabled else (),
    )


def usual_gap(items: Sequence[datetime]) -> timedelta | None:
    """Return the time within which the next item usually appears, None if there are too few items."""
    moments = sorted(set(items))
    gaps = sorted(later - earlier for earlier, later in zip(moments, moments[1:], strict=False))
    if len(gaps) < MIN_GAPS:
        return None
    return max(MIN_GAP, gaps[int(USUAL_SHARE * (len(gaps) - 1))])


def _alarms(source: Source, history: SourceHistory, gap: timedelta | None, now: datetime) -> list[Alarm]:
    last = max((visit.at for visit in (*history.feeds, *history.pages)), default=None)
    if last is None:
        return []
    found = []
    if now - last > UNVISITED:
        words = f"not visited since {last:%Y-%m-%d}; check that `oversight run` is still scheduled"
        found.append(Alarm("unvisited", words))
    named = {feed.url for feed in source.feeds}
    for url in dict.fromkeys(visit.url for visit in history.feeds if visit.url in named):
        found += _feed_alarms(url, [visit for visit in history.feeds if visit.url == url])
    if not found:
        found += _silence(source, history, gap)
    return found + _page_alarms(history.pages)


def _feed_alarms(url: str, visits: list[Observation]) -> list[Alarm]:
    failures = next((n for n, visit in enumerate(visits) if visit.outcome in FETCHED), len(visits))
    if failures >= MAX_FAILURES:
        since = f"since {visits[failures - 1].at:%Y-%m-%d}" if failures < len(visits) else "so far"
        why = ": ".join(filter(None, (visits[0].outcome.value, visits[0].detail)))
        return [Alarm("failing", f"{url} could not be read {since}, {failures} times in a row ({why})")]
    read = [visit for visit in visits if visit.n_items is not None]
    empty = next((n for n, visit in enumerate(read) if visit.n_items), len(read))
    if empty >= MAX_EMPTY:
        return [Alarm("empty", f"{url} answers, but lists nothing, since {read[empty - 1].at:%Y-%m-%d}")]
    return []


def _silence(source: Source, history: SourceHistory, gap: timedelta | None) -> list[Alarm]:
    """Compare the items up to the last successful visit with the usual gap, and with what the card expects."""
    looked = max((visit.at for visit in history.feeds if visit.outcome in FETCHED), default=None)
    if looked is None or not history.items:
        return []
    last = history.items[0]
    if gap is not None and looked - last > SILENT_GAPS * gap:
        since = [visit for visit in history.feeds if visit.at > last and visit.outcome in FETCHED]
        words = f"nothing new since {last:%Y-%m-%d}; usually there is something within {in_words(gap)}"
        if len(since) >= MIN_GAPS and all(visit.outcome is Outcome.UNCHANGED for visit in since):
            return [Alarm("frozen", f"its feed has not changed at all since {last:%Y-%m-%d}: {words}")]
        return [Alarm("silent", words)]
    week = timedelta(days=7)
    oldest = min(visit.at for visit in history.feeds)
    came = sum(looked - item <= week for item in history.items)
    if source.expects_per_week and looked - oldest >= week and came < source.expects_per_week:
        words = f"{came} new items in the last week, while its card expects {source.expects_per_week}"
        return [Alarm("too-few", words)]
    return []


def _page_alarms(pages: Sequence[Observation]) -> list[Alarm]:
    if len(pages) < MIN_PAGES:
        return []
    ends = Counter(visit.outcome for visit in pages)
    unread, failed = sum(ends[o] for o in _UNREAD), sum(ends[o] for o in _FAILED)
    fetched = len(pages) - failed
    found = []
    if fetched >= MIN_PAGES and unread >= NO_TEXT_SHARE * fetched:
        words = f"{unread} of its last {fetched} pages have no text; the layout has probably changed"
        found.append(Alarm("unread", words))
    if failed >= REFUSED_SHARE * len(pages):
        most = max(_FAILED, key=lambda o: (ends[o], o.value))
        found.append(Alarm("refused", f"{failed} of its last {len(pages)} pages could not be fetched ({most.value})"))
    return found


def in_words(span: timedelta) -> str:
    """Return a duration in hours or days."""
    hours = span.total_seconds() / 3600
    return f"{round(hours)} hours" if hours < 48 else f"{round(hours / 24)} days"
