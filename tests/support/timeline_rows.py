"""Adds timeline entries and upcoming dates to a snapshot for the site's tests."""

from __future__ import annotations

from collections import defaultdict
from datetime import date

from pipeline.aggregation.timelines.status import timeline_entries
from pipeline.aggregation.timelines.upcoming import upcoming_days
from pipeline.ledger.rows.timelines import stage_row, upcoming_row
from pipeline.records import (
    Attribution,
    Claim,
    DateSpan,
    EntityKind,
    Event,
    Evidence,
    Force,
    Modality,
    Participant,
)
from scrapers.items import Precision


def span_of(row: dict) -> DateSpan | None:
    if not row["date_start"]:
        return None
    return DateSpan(
        date.fromisoformat(row["date_start"]),
        date.fromisoformat(row["date_end"]),
        Precision(row["date_precision"]),
        row.get("date_basis") or "stated",
        row.get("date_said") or "",
    )


def add_timeline_entries(db) -> None:  # noqa: ANN001 - a sqlite_utils.Database
    """Fill the tables timeline_entries, timeline_claims and upcoming from a snapshot's events and claims."""
    kinds = {row["entity_id"]: (row["name"], EntityKind(row["kind"])) for row in db["entities"].rows}
    people = defaultdict(list)
    for row in db["claim_participants"].rows:
        name, kind = kinds[row["entity_id"]]
        people[row["claim_id"]].append(Participant(row["role"], row["entity_id"], name, kind, row["text"]))
    claims, of_event, day_of = {}, defaultdict(list), {}
    for row in db["claims"].rows:
        day_of[row["article_id"]] = row["published_on"]
        of_event[row["event_id"]].append(row["claim_id"])
        claims[row["claim_id"]] = Claim(
            row["claim_id"],
            row["type"],
            Modality(row["modality"]),
            Evidence(row["article_id"], row["version"], row["quote_start"], row["quote_end"], row["quote"]),
            row["trigger_start"],
            row["trigger_end"],
            row["trigger"],
            tuple(people[row["claim_id"]]),
            Attribution(row["attribution_kind"], row["attribution_name"]),
            span_of(row),
            row["direction"],
            Force(row["force"]),
            row["newness"],
            row["confidence"],
            row["rule"],
        )
    events = [
        Event(
            row["event_id"],
            row["type"],
            Modality(row["modality"]),
            row["summary"],
            tuple(of_event[row["event_id"]]),
            tuple(p for c in of_event[row["event_id"]] for p in people[c]),
            span_of(row),
            row["direction"],
            Force(row["force"]),
            row["stage"],
            row["n_articles"],
            row["n_origins"],
            bool(row["contradicted"]),
        )
        for row in db["events"].rows
    ]
    stages = timeline_entries(events, claims, day_of)
    db["timeline_entries"].insert_all([stage_row(s) for s in stages])
    db["timeline_claims"].insert_all({"entry_id": s.entry_id, "claim_id": c} for s in stages for c in s.claim_ids)
    db["upcoming"].insert_all([upcoming_row(d) for d in upcoming_days(events, claims, day_of, stages)])
