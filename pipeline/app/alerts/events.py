"""Finds the items of an alert: events and contradictions of the published ledger, or problems of its sources."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from pipeline.app.alerts.outbox import Item
from pipeline.app.alerts.rules import CONTRADICTED, Rule
from scrapers.crawling.source_health import SourceHealth
from scrapers.items import Source

if TYPE_CHECKING:
    from pipeline.site.saved_filters import SavedFilter

# Alerts ignore events last reported longer ago, so that neither a backfill nor better extraction floods the recipients.
MAX_AGE = timedelta(days=14)

MODALITY = "modality"  # the field of an event that is contradicted in no other field: reports disagree on its modality
# Each event's contradictions, including those stored with another event that shares a claim, such as a denial.
_FIELDS = """
    select event_id, field, event_id as kept_with from contradictions
    union select c.event_id, k.field, k.event_id from contradictions k
    join contradiction_sides v using (contradiction_id) join claims c on c.claim_id = v.claim_id order by 1, 2, 3
"""
_SUMMARIES = """
    select k.summary from contradictions k where k.field = :field and (k.event_id = :event_id or k.contradiction_id in (
        select v.contradiction_id from contradiction_sides v join claims c using (claim_id)
        where c.event_id = :event_id))
    order by k.contradiction_id
"""


def selection_of(db: sqlite3.Connection, rule: Rule) -> SavedFilter:
    """Return the filter of a rule as the site's list of events applies it; raise WrongUse for an invalid one."""
    from pipeline.site.saved_filters import saved_filter

    return saved_filter(db, rule.filter, f"alert '{rule.name}'")


def open_snapshot(path: Path) -> sqlite3.Connection:
    """Open a published snapshot for reading."""
    db = sqlite3.connect(f"file:{quote(str(path.resolve()))}?mode=ro&immutable=1", uri=True)
    db.row_factory = sqlite3.Row
    return db


def keys_of(db: sqlite3.Connection, rule: Rule) -> dict[str, str]:
    """Return the key of every current item of an alert on events, with the day of its last report."""
    found = selection_of(db, rule)
    where = " and ".join([*found.clauses, "contradicted = 1" if rule.watch == CONTRADICTED else "1"])
    rows = db.execute(f"select event_id, last_reported_on from events where {where} order by 1", found.params)
    days = {row[0]: row[1] or "" for row in rows.fetchall()}
    if rule.watch != CONTRADICTED:
        return days
    kept: dict[str, set[str]] = defaultdict(set)
    elsewhere: dict[str, set[str]] = defaultdict(set)
    for event_id, field, kept_with in db.execute(_FIELDS).fetchall():
        (kept if event_id == kept_with or kept_with not in days else elsewhere)[event_id].add(field)
    return {
        f"{event_id} {field}": day
        for event_id, day in days.items()
        for field in sorted(kept[event_id] or ((MODALITY,) if not elsewhere[event_id] else ()))
    }


def former_keys(db: sqlite3.Connection, keys: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return the earlier keys of each item whose event absorbed other events."""
    wanted = set(keys)
    into: dict[str, list[str]] = defaultdict(list)
    for old, new in db.execute("select old_event_id, event_id from event_redirects where event_id is not null"):
        into[new].append(old)

    def before(event_id: str, seen: frozenset[str]) -> list[str]:
        olds = [old for old in into.get(event_id, ()) if old not in seen]
        return [*olds, *(one for old in olds for one in before(old, seen | {old}))]

    found = {}
    for key in wanted:
        event_id, space, field = key.partition(" ")
        found[key] = tuple(f"{old}{space}{field}" for old in before(event_id, frozenset({event_id})))
    return found


def items_of(db: sqlite3.Connection, keys: Sequence[str], site: str) -> list[Item]:
    """Return the items with these keys, the most recently reported first. The title always states the modality."""
    from pipeline.site.text.formatting import day_words, span_words, support_words
    from pipeline.site.text.labels import modality_words

    by_event: dict[str, list[str]] = defaultdict(list)
    for key in keys:
        event_id, _, field = key.partition(" ")
        by_event[event_id].append(field)
    found = []
    for event_id, fields in by_event.items():
        row = db.execute("select * from events where event_id = ?", (event_id,)).fetchone()
        title = f"{modality_words(row['modality']).badge}: {row['summary']}"
        lines = [
            f"{support_words(row['n_origins'], row['n_articles'])}; when: "
            f"{span_words(row['date_start'], row['date_end'], row['date_precision'])}; last reported "
            f"{day_words(row['last_reported_on']) or 'on an unknown day'}."
        ]
        if row["contradicted"] and fields == [""]:
            lines.append("Reports disagree about it.")
        link = f"{site.rstrip('/')}/event/{event_id}" if site else ""
        for field in fields:
            if not field:
                found.append((row["last_reported_on"] or "", Item(event_id, title, "\n".join(lines), link)))
                continue
            rows = db.execute(_SUMMARIES, {"event_id": event_id, "field": field}).fetchall()
            summaries = [one[0] for one in rows] or ["some report it as done, others do not."]
            detail = "\n".join([*(f"Reports disagree: {one}" for one in summaries), *lines])
            found.append((row["last_reported_on"] or "", Item(f"{event_id} {field}", title, detail, link)))
    found.sort(key=lambda each: (each[0], each[1].key), reverse=True)
    return [item for _, item in found]


def is_recent(day: str, now: datetime) -> bool:
    """Return whether a last report on `day` (ISO) is recent enough for an alert."""
    return day >= (now - MAX_AGE).strftime("%Y-%m-%d")


def source_items(health: Mapping[str, SourceHealth], sources: Iterable[Source]) -> list[Item]:
    """Return one item for each alarm of each source."""
    by_id = {source.source_id: source for source in sources}
    return [
        Item(
            f"{source_id} {alarm.kind}",
            f"{by_id[source_id].title}: {alarm.words}",
            f"Source {source_id}. `oversight sources health` shows its state.",
            by_id[source_id].homepage,
        )
        for source_id, one in sorted(health.items())
        for alarm in one.alarms
        if source_id in by_id
    ]
