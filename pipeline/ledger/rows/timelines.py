"""What was joined comes in, the rows of `standings`, `standing_claims` and `due` go out. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from pipeline.aggregation.join import Joined
from pipeline.aggregation.timelines.status import Stage, standings
from pipeline.aggregation.timelines.upcoming import Due, due_days
from pipeline.ledger.rows.records import Row, day
from scrapers.items import Article


def standing_rows(joined: Joined, articles: Mapping[str, Article]) -> dict[str, list[Row]]:
    """Return the rows of the three tables, each in a fixed order."""
    day_of = {id_: day(article.published_at) or "" for id_, article in articles.items()}
    stages = standings(joined.events, joined.claims, day_of)
    return {
        "standings": [stage_row(stage) for stage in stages],
        "standing_claims": [{"standing_id": s.standing_id, "claim_id": c} for s in stages for c in s.claim_ids],
        "due": [due_row(due) for due in due_days(joined.events, joined.claims, day_of, stages)],
    }


def stage_row(stage: Stage) -> Row:
    """Return the row of `standings` for a stage; its claims stand in `standing_claims`."""
    row = asdict(stage) | {"contested": int(stage.contested), "n_claims": len(stage.claim_ids)}
    del row["claim_ids"]
    return row


def stage_of_row(row: Row, claim_ids: tuple[str, ...] = ()) -> Stage:
    """Return the stage of a row of `standings`; further columns of the row are left aside."""
    names = Stage.__dataclass_fields__
    known = {name: row[name] for name in names if name != "claim_ids"}
    return Stage(**(known | {"contested": bool(row["contested"]), "claim_ids": claim_ids}))


def due_row(due: Due) -> Row:
    """Return the row of `due` for a day to watch."""
    return {
        "due_id": due.due_id, "due_start": due.start, "due_end": due.end, "due_precision": due.precision,
        "kind": due.kind, "modality": due.modality, "summary": due.summary, "fate": due.fate.value,
        "settled_on": due.settled_on, "event_id": due.event_id, "claim_id": due.claim_id, "date_said": due.said,
        "n_claims": len(due.claim_ids), "first_reported_on": due.first_reported_on,
    }  # fmt: skip
