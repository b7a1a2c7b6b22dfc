"""Timelines as of a day, shaped for pages, JSON and the command line; the matrix of agreements; models."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pipeline.aggregation.timelines.relations import is_title
from pipeline.aggregation.timelines.status import Stage, as_of
from pipeline.site.queries.timelines import Row, stages
from pipeline.site.text.labels import MATTER_WORDS
from pipeline.site.text.status_text import brief, sentence_words, since_words, stage_words, upcoming_when

SIDES = ("actor", "counterpart", "thing")
OVER = {"ended", "lifted", "closed", "settled", "dismissed", "dropped", "withdrawn", "dissolved", "revoked", "vetoed"}


def timeline_title(row: Row) -> str:
    """Return a timeline's heading: the parties and the subject."""
    words = _title(row)
    return words[:1].upper() + words[1:] if words.startswith("an unnamed") else words


def _title(row: Row) -> str:
    actor, other, thing = (row[side] for side in SIDES)
    about = f": {thing}" if thing else ""
    someone = "an unnamed party"
    match row["matter"]:
        case "agreement":
            return f"{actor or someone} and {other or someone}{about}"
        case "access":
            return f"{actor or someone}, access from {other or someone}{about}"
        case "restriction":
            return f"{actor or someone} on {other}{about}" if other else f"{actor or someone} on {thing}"
        case "case":
            return f"{actor or someone} and {other}{about}" if other else f"{actor or someone}{about}"
        case "inquiry":
            return f"{actor or someone} into {other or thing or someone}"
        case "rule":
            return thing if thing and is_title(thing) else f"{actor or someone}{about}"
        case "evaluation":
            return f"{actor or someone}, testing {thing or other}"
        case "release":
            return f"{thing}, by {actor}" if actor else str(thing)
        case "institution":
            return " · ".join(part for part in (thing, other) if part)
    return f"{actor or someone}{about}"


def sides(row: Row) -> dict[str, dict[str, str] | None]:
    """Return a timeline's actor, counterpart and thing, each with id, name and kind."""
    return {
        side: {"entity_id": row[f"{side}_id"], "name": row[side], "kind": row[f"{side}_kind"]}
        if row[f"{side}_id"]
        else None
        for side in SIDES
    }


def stage_view(stage: Stage, due: str = "") -> dict[str, Any]:
    """Return a stage for JSON and templates; `due` is the announced date in words, for a stage still open."""
    return {
        "due": due,
        "stage": stage.stage,
        "modality": stage.modality,
        "words": stage_words(stage.stage, stage.modality),
        "since": since_words(stage),
        "brief": f"{brief(stage)}; date given: {due}" if due else brief(stage),
        "summary": stage.summary,
        "from": stage.from_start,
        "from_latest": stage.from_end,
        "from_precision": stage.from_precision,
        "from_basis": stage.from_basis,
        "sure_from": stage.sure_from,
        "until": stage.until,
        "contradicted": stage.contradicted,
        "event_id": stage.event_id,
        "entry_id": stage.entry_id,
        "claim_ids": list(stage.claim_ids),
        "first_reported_on": stage.first_reported_on,
    }


def timeline_view(
    rows: Sequence[Row], day: str, claim_ids: Mapping[str, Sequence[str]] | None = None
) -> dict[str, Any]:
    """Return one timeline as of a day: its parties, its status in words, and all its stages in order."""
    found = stages(rows)
    if claim_ids:
        found = [_with_claims(stage, claim_ids.get(stage.entry_id, ())) for stage in found]
    status = as_of(found, day)
    head = status.done or (status.stages[0] if status.stages else None)
    named = {row["entry_id"]: upcoming_when(row) for row in rows if row.get("due_start")}

    def view(stage: Stage) -> dict[str, Any]:
        return stage_view(stage, named.get(stage.entry_id, ""))

    return {
        "timeline_id": rows[0]["timeline_id"],
        "matter": rows[0]["matter"],
        "title": timeline_title(rows[0]),
        **sides(rows[0]),
        "day": day,
        "words": sentence_words(status),
        "done": view(status.done) if status.done else None,
        "besides": [view(s) for s in status.besides],
        "undated": [view(s) for s in status.undated],
        "possibly": [view(s) for s in status.maybe],
        "open": [view(s) for s in status.ahead],
        "whole": all(rows[0][f"{side}_id"] for side in SIDES[:2]) or bool(rows[0]["thing_id"]),
        "head": view(head) if head else None,
        "now": [view(s) for s in status.stages],
        "shown": [s.entry_id for s in status.stages],
        "over": bool(status.done and status.done.stage in OVER),
        "stages": [view(s) for s in found],
    }


def _with_claims(stage: Stage, ids: Sequence[str]) -> Stage:
    return replace(stage, claim_ids=tuple(ids))


def timeline_views(
    timelines: Mapping[str, Sequence[Row]], day: str, claim_ids: Mapping[str, Sequence[str]] | None = None
) -> list[dict[str, Any]]:
    """Return the timelines of which anything was known by a day.

    Sorted by matter; within a matter, current ones before those that have ended, those with known parties before the
    others, and then by the latest change.
    """
    views = [timeline_view(rows, day, claim_ids) for rows in timelines.values() if rows]
    known = [view for view in views if view["words"]]
    order = list(MATTER_WORDS)
    known.sort(key=lambda v: v["title"])
    known.sort(key=lambda v: v["head"]["sure_from"] or "", reverse=True)
    known.sort(key=lambda v: (order.index(v["matter"]), v["over"], not v["whole"]))
    return known


def by_matter(views: Iterable[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Return timelines grouped by matter, in the fixed order of matters."""
    found: dict[str, list[dict[str, Any]]] = {}
    for view in views:
        found.setdefault(view["matter"], []).append(view)
    return {matter: found[matter] for matter in MATTER_WORDS if matter in found}


def matrix(views: Iterable[dict[str, Any]], most_rows: int = 40, most_columns: int = 10) -> dict[str, Any]:
    """Return which company has which agreement with which body: rows, columns, and the timelines of each cell.

    If there are too many, those with the most agreements are shown. `n_left_out` counts the timelines that are not;
    `n_one_sided` counts those for which reports name one party only.
    """
    agreements = [v for v in views if v["matter"] == "agreement"]
    pairs = [v for v in agreements if v["actor"] and v["counterpart"]]
    rows = Counter(v["actor"]["entity_id"] for v in pairs)
    columns = Counter(v["counterpart"]["entity_id"] for v in pairs)
    names = {v[side]["entity_id"]: v[side]["name"] for v in pairs for side in ("actor", "counterpart")}
    top_rows = _top(rows, names, most_rows)
    top_columns = _top(columns, names, most_columns)
    # Without this, a company whose bodies are all left out would have an empty row.
    shown = {v["actor"]["entity_id"] for v in pairs if v["counterpart"]["entity_id"] in top_columns}
    top_rows = [id_ for id_ in top_rows if id_ in shown]
    cells: dict[str, dict[str, list[dict[str, Any]]]] = {}
    left_out = 0
    for view in pairs:
        row, column = view["actor"]["entity_id"], view["counterpart"]["entity_id"]
        if row in top_rows and column in top_columns:
            cells.setdefault(row, {}).setdefault(column, []).append(view)
        else:
            left_out += 1
    return {
        "rows": [{"entity_id": id_, "name": names[id_]} for id_ in top_rows],
        "columns": [{"entity_id": id_, "name": names[id_]} for id_ in top_columns],
        "cells": cells,
        "n_left_out": left_out,
        "n_one_sided": len(agreements) - len(pairs),
    }


def _top(counts: Counter[str], names: Mapping[str, str], most: int) -> list[str]:
    chosen = sorted(counts, key=lambda id_: (-counts[id_], names[id_], id_))[:most]
    return sorted(chosen, key=lambda id_: (names[id_], id_))


def models(views: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the models with their timelines on access, restrictions and release, sorted by name."""
    found: dict[str, dict[str, Any]] = {}
    for view in views:
        thing = view["thing"]
        if thing and thing["kind"] == "model" and view["matter"] in ("access", "restriction", "release"):
            model = found.setdefault(thing["entity_id"], {**thing, "lines": []})
            model["lines"].append(view)
    return sorted(found.values(), key=lambda m: (m["name"].casefold(), m["entity_id"]))
