"""Queries for feeds: the events that changed last, with notes on what changed.

An event changes when a new report covers it, a publisher edits a sentence behind it, or an editor decides on it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from pipeline.site.facets.selection import Choice
from pipeline.site.queries.common import EVENT_COLUMNS, Row, many, marks, with_parties
from pipeline.site.text.formatting import day_words
from pipeline.site.text.labels import DECISIONS, REVISED_FIELDS, modality_words

FEED_SIZE = 50
LATELY = 200  # how many of the last edited or reviewed events a filter considers
_EDITED = "(r.fields <> '' or r.kind <> 'changed')"  # not where only the wording changed


async def _touched(db: Any) -> list[str]:
    """Return the ids of the events last edited by a publisher or reviewed by an editor."""
    sql = f"""
        select event_id from (
            select * from (select r.event_id, r.seen_on as day from revisions r
                where r.event_id is not null and {_EDITED} order by r.seen_on desc limit {LATELY})
            union all
            select * from (select event_id, decided_on from reviews
                where event_id is not null and status = 'applied' order by decided_on desc limit {LATELY})
        ) group by event_id order by max(day) desc limit {LATELY}
    """
    return [row["event_id"] for row in await many(db, sql)]


async def chosen_events(db: Any, choice: Choice) -> list[Row]:
    """Return the selected events that may have changed last, newest reports first."""
    ids = await _touched(db)
    rowids = choice.counts.newest(choice.mask, choice.counts.days["last_reported_on"], FEED_SIZE)[: 10 * FEED_SIZE]
    if ids:
        touched = [
            row["rowid"] for row in await many(db, f"select rowid from events where event_id in ({marks(ids)})", ids)
        ]
        places = choice.counts.places(touched)
        rowids += choice.counts.rowids[places[choice.mask[places]]].tolist()
    return await _newest(db, [f"rowid in ({', '.join(map(str, rowids))})"], {})


async def events_where(db: Any, clauses: Sequence[str], params: dict[str, Any]) -> list[Row]:
    """Return the events that meet all conditions and may have changed last, newest reports first."""
    found = await _newest(db, clauses, params)
    ids = await _touched(db)
    names = {f"_touched_{i}": event_id for i, event_id in enumerate(ids)}
    one_of = f"event_id in ({', '.join(f':{name}' for name in names)})"
    more = await _newest(db, [*clauses, one_of], params | names) if ids else []
    return list({event["event_id"]: event for event in (*found, *more)}.values())


async def events_with_ids(db: Any, event_ids: Iterable[str]) -> list[Row]:
    """Return events by their ids."""
    names = {f"_id_{i}": event_id for i, event_id in enumerate(event_ids)}
    return await _newest(db, [f"event_id in ({', '.join(f':{name}' for name in names)})"], names) if names else []


async def _newest(db: Any, clauses: Sequence[str], params: dict[str, Any]) -> list[Row]:
    sql = f"""
        select {EVENT_COLUMNS} from events e where {" and ".join(f"({clause})" for clause in clauses) or "1"}
        order by e.last_reported_on desc, e.event_id limit {FEED_SIZE + LATELY}
    """
    return await many(db, sql, params)


async def changed_last(db: Any, events: Sequence[Row]) -> list[Row]:
    """Return the events of a feed, last changed first, with `updated_on`, `parties` and `notes`.

    `notes` are sentences on what edits and editors did to the event, latest first.
    """
    notes = await _notes(db, [event["event_id"] for event in events])
    dated = [
        event
        | {
            "notes": [words for _, words in notes[event["event_id"]]],
            "updated_on": max([event["last_reported_on"] or "", *(day for day, _ in notes[event["event_id"]])]),
        }
        for event in events
    ]
    dated.sort(key=lambda event: event["event_id"])
    dated.sort(key=lambda event: event["updated_on"], reverse=True)
    return await with_parties(db, dated[:FEED_SIZE])


async def _notes(db: Any, ids: Sequence[str]) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for i in range(0, len(ids), 400):
        some = ids[i : i + 400]
        edits = await many(
            db,
            f"""
            select r.event_id, r.seen_on, r.kind, r.fields, r.old_modality, r.new_modality, s.title
            from revisions r join articles a using (article_id) join sources s using (source_id)
            where r.event_id in ({marks(some)}) and {_EDITED}""",
            some,
        )
        for row in edits:
            found[row["event_id"]].append((row["seen_on"], _edit_words(row)))
        decided = await many(
            db,
            "select event_id, decided_on, decision, editor, why from reviews "
            f"where event_id in ({marks(some)}) and status = 'applied'",
            some,
        )
        for row in decided:
            what = DECISIONS.get(row["decision"]) or str(row["decision"])
            why = f" Why: {row['why']}" if row["why"] else ""
            words = f"{what.capitalize()} by {row['editor'] or 'an editor'}, {day_words(row['decided_on'])}.{why}"
            found[row["event_id"]].append((row["decided_on"], words))
    for notes in found.values():
        notes.sort(reverse=True)
    return found


def _edit_words(row: Row) -> str:
    """Return a sentence on what a publisher's edit did to a claim."""
    did = {"vanished": "removed a sentence", "appeared": "added a sentence"}.get(row["kind"], "changed a sentence")
    if row["old_modality"] and row["new_modality"] and row["old_modality"] != row["new_modality"]:
        moved = (modality_words(code).badge for code in (row["old_modality"], row["new_modality"]))
        did += f", from “{'” to “'.join(moved)}”"
    elif row["kind"] == "changed":
        fields = [REVISED_FIELDS.get(name, name).lower() for name in row["fields"].split(", ") if name]
        did += f" ({', '.join(fields)})" if fields else ""
    return f"{row['title']} {did}, seen {day_words(row['seen_on'])}."
