"""Deletes old visits from crawl.db, keeping what is still needed.

Kept regardless of age: the last visit to each URL; all visits to a URL that is gone, which give the day it went
missing; each source's last successful visits; and the latest visits, which source_health.py uses. The outcomes of
deleted visits are counted in `visit_counts`.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

from scrapers.crawling.source_health import MAX_FEED_VISITS, MAX_PAGES, ReadingOutcomes
from scrapers.database import transaction
from scrapers.items import Outcome
from scrapers.messages import as_text

KEEP_VISITS = timedelta(days=400)  # a year, and some more for comparisons with the year before
_AT_A_TIME = 5_000

_OLD = """
    select v.visit_id, v.source_id, v.outcome, v.sha256, v.url from visits v join urls u using (url)
    where v.at < :before and v.visit_id > :after and u.state <> 'gone'
    and v.visit_id <> (select visit_id from visits l where l.url = v.url order by l.at desc, l.visit_id desc limit 1)
    order by v.visit_id limit :most"""
_SUCCESSES = """
    select visit_id from visits where source_id = ? and outcome in ('SAVED', 'UNCHANGED')
    order by at desc, visit_id desc limit ?"""
_FOR_HEALTH = """
    select visit_id from visits v join urls u using (url) where v.source_id = ? and u.kind = ?
    and v.outcome not in ('OUT_OF_SCOPE', ?, ?) order by v.visit_id desc limit ?"""


def delete_old_visits(
    db: sqlite3.Connection, now: datetime, ends: ReadingOutcomes, keep: timedelta = KEEP_VISITS, *, dry: bool = False
) -> int:
    """Delete visits older than `keep` and return their number.

    Args:
        db: Connection to crawl.db.
        now: The current time.
        ends: The outcome of reading each page, which replaces SAVED in the counts.
        keep: Age from which visits are deleted.
        dry: Only count.
    """
    before, after, n = as_text(now - keep), 0, 0
    needed: dict[str, set[int]] = {}
    while True:
        rows = db.execute(_OLD, {"before": before, "after": after, "most": _AT_A_TIME}).fetchall()
        if not rows:
            return n
        after = rows[-1]["visit_id"]
        for source_id in {row["source_id"] for row in rows} - needed.keys():
            needed[source_id] = set(_needed(db, source_id))
        deleted = [row for row in rows if row["visit_id"] not in needed[row["source_id"]]]
        n += len(deleted)
        if not dry:
            _delete(db, deleted, ends)


def _needed(db: sqlite3.Connection, source_id: str) -> Iterable[int]:
    """Yield the ids of the visits to a source that its health and its last success depend on."""
    yield from (row[0] for row in db.execute(_FOR_HEALTH, (source_id, "feed", "", "", MAX_FEED_VISITS)))
    yield from (row[0] for row in db.execute(_FOR_HEALTH, (source_id, "article", "UNCHANGED", "GONE", MAX_PAGES)))
    yield from (row[0] for row in db.execute(_SUCCESSES, (source_id, MAX_PAGES)))


def _delete(db: sqlite3.Connection, rows: list[sqlite3.Row], ends: ReadingOutcomes) -> None:
    counts: Counter[tuple[str, str]] = Counter()
    for row in rows:
        outcome = Outcome(row["outcome"])
        if outcome is Outcome.SAVED:
            outcome = ends.get((row["sha256"], row["url"])) or outcome
        counts[row["source_id"], outcome.value] += 1
    with transaction(db):
        db.executemany("delete from visits where visit_id = ?", [(row["visit_id"],) for row in rows])
        db.executemany(
            "insert into visit_counts values (?, ?, ?) "
            "on conflict (source_id, outcome) do update set n = n + excluded.n",
            [(*key, n) for key, n in sorted(counts.items())],
        )
