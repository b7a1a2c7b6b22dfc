"""Queries for changes since a day: events that are new, changed status, were contradicted, edited or withdrawn."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np

from pipeline.aggregation.clustering.merge import best_modality
from pipeline.records import Modality
from pipeline.site.facets.counts import day_number
from pipeline.site.queries.common import EVENT_COLUMNS, Row, many, marks, with_parties
from pipeline.site.queries.events import latest_events

DAYS = 7  # of the front page
MOST = 60  # events per section of the changes page
Step = tuple[str, str]  # (day of the reports, the event's modality from then on)


@dataclass(frozen=True, slots=True)
class _Evidence:
    article_id: str


@dataclass(frozen=True, slots=True)
class _Claim:
    """The fields of a claim, and of its article, that best_modality() reads."""

    claim_id: str
    modality: Modality
    evidence: _Evidence
    published_at: datetime | None


def steps(claims: Iterable[Row]) -> list[Step]:
    """Return how an event's modality changed as reports came in, one step per change.

    Args:
        claims: Rows with claim_id, article_id, origin_id, modality and published_on. Claims without a day count first.
    """
    by_day: dict[str, list[Row]] = defaultdict(list)
    for row in claims:
        by_day[row["published_on"] or ""].append(row)
    so_far: list[_Claim] = []
    articles: dict[str, _Claim] = {}
    origin_of: dict[str, str] = {}
    found: list[Step] = []
    for day in sorted(by_day):
        for row in by_day[day]:
            when = datetime.fromisoformat(day).replace(tzinfo=UTC) if day else None
            claim = _Claim(row["claim_id"], Modality(row["modality"]), _Evidence(row["article_id"]), when)
            so_far.append(claim)
            articles[row["article_id"]] = claim
            origin_of[row["claim_id"]] = row["origin_id"] or row["claim_id"]
        modality = best_modality(so_far, articles, origin_of)[0].value  # type: ignore[arg-type]
        if not found or found[-1][1] != modality:
            found.append((day, modality))
    return found


async def steps_of_events(db: Any, event_ids: Sequence[str]) -> dict[str, list[Step]]:
    """Return the steps of each event by event id."""
    by_event: dict[str, list[Row]] = defaultdict(list)
    for i in range(0, len(event_ids), 400):
        some = event_ids[i : i + 400]
        sql = f"""
            select event_id, claim_id, article_id, origin_id, modality, published_on from claims
            where event_id in ({marks(some)}) order by event_id, published_on, claim_id
        """
        for row in await many(db, sql, some):
            by_event[row["event_id"]].append(row)
    return {event_id: steps(claims) for event_id, claims in by_event.items()}


def days_before(day: str, n: int) -> str:
    """Return the ISO day n days before; "" for ""."""
    return (date.fromisoformat(day) - timedelta(days=n)).isoformat() if day else ""


async def new_since(db: Any, day: str, size: int) -> tuple[int, list[Row]]:
    """Return the number of events first reported on a day or later, and the newest of them."""
    reported = db.counts("events").days["first_reported_on"]
    n = int(np.count_nonzero((reported >= day_number(day)) & (reported > 0)))
    return n, await latest_events(db, size, day)


async def moved_since(db: Any, day: str, size: int) -> list[Row]:
    """Return events whose modality changed on a day or later, with `was` and `moved_on`."""
    counts = db.counts("events")
    last = counts.days["last_reported_on"]
    mask = db.arrays.modality_differs & (last >= day_number(day)) & (counts.days["first_reported_on"] < day_number(day))
    rowids = counts.newest(mask, last, 400)[:1_000]
    sql = f"""
        select {EVENT_COLUMNS} from events e where e.rowid in ({", ".join(map(str, rowids))})
        order by e.last_reported_on desc, e.event_id limit 400
    """
    events = await many(db, sql)
    found: list[Row] = []
    for i in range(0, len(events), 4 * size):  # in batches, because most pages show only a few
        taken = await steps_of_events(db, [event["event_id"] for event in events[i : i + 4 * size]])
        for event in events[i : i + 4 * size]:
            before = [step for step in taken[event["event_id"]] if step[0] < day]
            after = [step for step in taken[event["event_id"]] if step[0] >= day]
            if before and after and before[-1][1] != event["modality"]:
                found.append(event | {"was": before[-1][1], "moved_on": after[-1][0]})
        if len(found) >= size:
            break
    return await with_parties(db, found[:size])


async def contradicted_since(db: Any, day: str, size: int) -> list[Row]:
    """Return events that reports of a day or later contradict, with the fields in `about`."""
    counts = db.counts("events")
    last = counts.days["last_reported_on"]
    mask = counts.chosen([("contradicted", "in", ("1",))], ()) & (last >= day_number(day))
    rowids = counts.newest(mask, last, 400)[:1_000]
    sql = f"""
        select {EVENT_COLUMNS}, group_concat(distinct k.field) as about
        from events e join contradictions k using (event_id)
        where e.rowid in ({", ".join(map(str, rowids))}) and exists (
            select 1 from contradiction_sides v join claims c using (claim_id)
            where v.contradiction_id = k.contradiction_id and c.published_on >= :day)
        group by e.event_id order by e.last_reported_on desc, e.event_id limit :size
    """
    return await with_parties(db, await many(db, sql, {"day": day, "size": size}))


async def edited_since(db: Any, day: str, size: int) -> list[Row]:
    """Return publishers' edits seen on a day or later that changed what an article claims."""
    sql = """
        select r.*, a.title as article_title, s.title as source_title, e.summary as event_summary
        from revisions r join articles a using (article_id) join sources s using (source_id)
            left join events e on e.event_id = r.event_id
        where r.seen_on >= ? and (r.fields <> '' or r.kind <> 'changed') order by r.seen_on desc, r.revision_id limit ?
    """
    return await many(db, sql, [day, size])


async def gone_since(db: Any, day: str, size: int) -> list[Row]:
    """Return event ids withdrawn or merged on a day or later, with the summary of the event that replaced them."""
    sql = """
        select g.old_event_id, g.event_id, g.reason, g.gone_on, e.summary
        from event_redirects g left join events e on e.event_id = g.event_id
        where g.gone_on >= ? order by g.event_id is not null, g.gone_on desc, g.old_event_id limit ?
    """
    return await many(db, sql, [day, size])


async def changes_since(db: Any, day: str, size: int = MOST) -> Row:
    """Return everything that changed since a day, at most `size` events per section."""
    n_new, new = await new_since(db, day, size)
    return {
        "n_new": n_new,
        "new": new,
        "moved": await moved_since(db, day, size),
        "contradicted": await contradicted_since(db, day, size),
        "edited": await edited_since(db, day, size),
        "gone": await gone_since(db, day, size),
    }
