"""Visits that are long past are let go: crawl.db comes in, bounded; what is counted and what is still asked stays.

Kept, however old: the last visit to each address; every visit to an address that is gone, for the day on which it was
first missed; each source's last good visit; and the newest visits that its health is judged by (health_signals.py).
Of what is let go the outcomes are counted in `visit_counts`, as they had ended by then.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

from scrapers.crawling.health_signals import MOST_FEED_VISITS, MOST_PAGES, Ends
from scrapers.database import transaction
from scrapers.items import Outcome
from scrapers.messages import as_text

KEEP_VISITS = timedelta(days=400)  # a year and what a yearly comparison needs beside it
_AT_A_TIME = 5_000

_OLD = """
    select v.visit_id, v.source_id, v.outcome, v.sha256, v.url from visits v join urls u using (url)
    where v.at < :before and v.visit_id > :after and u.state <> 'gone'
    and v.visit_id <> (select visit_id from visits l where l.url = v.url order by l.at desc, l.visit_id desc limit 1)
    order by v.visit_id limit :most"""
_GOOD = """
    select visit_id from visits where source_id = ? and outcome in ('SAVED', 'UNCHANGED')
    order by at desc, visit_id desc limit ?"""
_ASKED = """
    select visit_id from visits v join urls u using (url) where v.source_id = ? and u.kind = ?
    and v.outcome not in ('OUT_OF_SCOPE', ?, ?) order by v.visit_id desc limit ?"""


def let_go(
    db: sqlite3.Connection, now: datetime, ends: Ends, keep: timedelta = KEEP_VISITS, *, dry: bool = False
) -> int:
    """Let go of visits older than `keep`; return how many. `ends`: how reading each page ended; `dry`: only count."""
    before, after, n = as_text(now - keep), 0, 0
    asked: dict[str, set[int]] = {}
    while True:
        rows = db.execute(_OLD, {"before": before, "after": after, "most": _AT_A_TIME}).fetchall()
        if not rows:
            return n
        after = rows[-1]["visit_id"]
        for source_id in {row["source_id"] for row in rows} - asked.keys():
            asked[source_id] = set(_asked(db, source_id))
        doomed = [row for row in rows if row["visit_id"] not in asked[row["source_id"]]]
        n += len(doomed)
        if not dry:
            _drop(db, doomed, ends)


def _asked(db: sqlite3.Connection, source_id: str) -> Iterable[int]:
    """Yield the visits to a source that its health and its last good day rest on."""
    yield from (row[0] for row in db.execute(_ASKED, (source_id, "feed", "", "", MOST_FEED_VISITS)))
    yield from (row[0] for row in db.execute(_ASKED, (source_id, "article", "UNCHANGED", "GONE", MOST_PAGES)))
    yield from (row[0] for row in db.execute(_GOOD, (source_id, MOST_PAGES)))


def _drop(db: sqlite3.Connection, rows: list[sqlite3.Row], ends: Ends) -> None:
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
