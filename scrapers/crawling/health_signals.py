"""crawl.db comes in; what is known of each source's feeds, pages and items goes out, for its health."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from datetime import datetime

from scrapers.crawling.source_health import Sign, Signs, SourceHealth, judge
from scrapers.items import Outcome, Source
from scrapers.messages import as_moment

MOST_FEED_VISITS, MOST_PAGES, MOST_ITEMS = 400, 20, 60

Ends = Mapping[tuple[str, str], Outcome]  # (sha256, address) of a page -> how reading it ended

_VISITS = """select v.url, v.at, v.outcome, v.detail, v.sha256, v.n_entries from visits v join urls u using (url)
    where v.source_id = ? and u.kind = ? and v.outcome not in ('OUT_OF_SCOPE', 'UNCHANGED', ?)
    order by v.at desc, v.url, v.visit_id desc limit ?"""
_ITEMS = """select min(coalesce(published_at, first_seen_at), first_seen_at) from urls
    where source_id = ? and kind = 'article' order by first_seen_at desc, 1 desc limit ?"""


def health_of(
    db: sqlite3.Connection, sources: Iterable[Source], ends: Ends, now: datetime | None = None
) -> dict[str, SourceHealth]:
    """Return how each source fares at a moment; None stands for that of the last visit to any."""
    if now is None:
        last = db.execute("select max(at) from visits").fetchone()[0]
        if last is None:
            return {}
        now = as_moment(last)
    return {source.source_id: judge(source, signs_of(db, source.source_id, ends), now) for source in sources}


def signs_of(db: sqlite3.Connection, source_id: str, ends: Ends) -> Signs:
    """Return what is known of one source; the last visit to a page counts as its reader found it."""
    feeds = db.execute(_VISITS.replace("'UNCHANGED', ", ""), (source_id, "feed", "", MOST_FEED_VISITS))
    pages = db.execute(_VISITS, (source_id, "article", "GONE", MOST_PAGES)).fetchall()
    items = db.execute(_ITEMS, (source_id, MOST_ITEMS)).fetchall()
    return Signs(
        tuple(_sign(row, {}) for row in feeds.fetchall()),
        tuple(_sign(row, ends) for row in pages),
        tuple(sorted((as_moment(row[0]) for row in items), reverse=True)),
    )


def _sign(row: sqlite3.Row, ends: Ends) -> Sign:
    outcome = Outcome(row["outcome"])
    if outcome is Outcome.SAVED:
        outcome = ends.get((row["sha256"], row["url"]), outcome)
    return Sign(row["url"], as_moment(row["at"]), outcome, row["detail"], row["n_entries"])
