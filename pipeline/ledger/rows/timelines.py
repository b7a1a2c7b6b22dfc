"""Returns the rows of `timeline_entries`, `timeline_claims` and `upcoming`. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from pipeline.aggregation.aggregate import Aggregate
from pipeline.aggregation.timelines.status import Stage, timeline_entries
from pipeline.aggregation.timelines.upcoming import Upcoming, upcoming_days
from pipeline.ledger.rows.records import Row, day
from scrapers.items import Article


def timeline_rows(joined: Aggregate, articles: Mapping[str, Article]) -> dict[str, list[Row]]:
    """Return the rows of the three tables, each in a fixed order."""
    day_of = {id_: day(article.published_at) or "" for id_, article in articles.items()}
    stages = timeline_entries(joined.events, joined.claims, day_of)
    return {
        "timeline_entries": [stage_row(stage) for stage in stages],
        "timeline_claims": [{"entry_id": s.entry_id, "claim_id": c} for s in stages for c in s.claim_ids],
        "upcoming": [upcoming_row(due) for due in upcoming_days(joined.events, joined.claims, day_of, stages)],
    }


def stage_row(stage: Stage) -> Row:
    """Return the row of `timeline_entries` for a stage; its claims are in `timeline_claims`."""
    row = asdict(stage) | {"contradicted": int(stage.contradicted), "n_claims": len(stage.claim_ids)}
    del row["claim_ids"]
    return row


def stage_of_row(row: Row, claim_ids: tuple[str, ...] = ()) -> Stage:
    """Return the stage of a row of `timeline_entries`, ignoring further columns."""
    names = Stage.__dataclass_fields__
    known = {name: row[name] for name in names if name != "claim_ids"}
    return Stage(**(known | {"contradicted": bool(row["contradicted"]), "claim_ids": claim_ids}))


def upcoming_row(due: Upcoming) -> Row:
    """Return the row of `upcoming` for an upcoming date."""
    return {
        "upcoming_id": due.upcoming_id, "due_start": due.start, "due_end": due.end, "due_precision": due.precision,
        "kind": due.kind, "modality": due.modality, "summary": due.summary, "fate": due.outcome.value,
        "settled_on": due.settled_on, "event_id": due.event_id, "claim_id": due.claim_id, "date_said": due.said,
        "n_claims": len(due.claim_ids), "first_reported_on": due.first_reported_on,
    }  # fmt: skip
