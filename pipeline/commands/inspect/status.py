"""The commands `status` and `upcoming`."""

from __future__ import annotations

import difflib
import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any

import click

from pipeline.commands.common import open_ledger, rows
from pipeline.commands.output import json_option, say_json
from pipeline.errors import WrongUse
from pipeline.workspace import DataFolder


def _day(db: sqlite3.Connection, text: str | None, option: str) -> tuple[str, str]:
    """Return the requested day and the day of the newest report, as ISO dates."""
    newest = db.execute("select max(published_on) from articles").fetchone()[0] or date.today().isoformat()
    if text is None:
        return newest, newest
    try:
        return date.fromisoformat(text).isoformat(), newest
    except ValueError:
        raise WrongUse(f"{option}: '{text}' is not a date. Write it like 2026-05-31.") from None


def _find(db: sqlite3.Connection, name: str) -> list[dict[str, Any]]:
    """Return the entities with this id, name or former name; raise WrongUse with the nearest names otherwise."""
    found = rows(
        db,
        """select distinct e.entity_id, e.name, e.kind from entities e left join entity_names n using (entity_id)
           where e.entity_id = ?1 or e.name = ?1 collate nocase or n.name = ?1 collate nocase order by e.entity_id""",
        name,
    )
    if found:
        return found
    known = {
        row["name"].casefold(): row["name"]
        for row in rows(db, "select name from entity_names union select name from entities order by 1")
    }
    wanted = name.casefold()
    near = [known[n] for n in sorted(known, key=len) if wanted in n or (len(n) > 4 and n in wanted)][:4]
    near += [known[n] for n in difflib.get_close_matches(wanted, list(known), n=4, cutoff=0.7)]
    hint = (
        f" Did you mean: {', '.join(list(dict.fromkeys(near))[:5])}?"
        if near
        else " `oversight unknown-names` lists names that are not in the lexicon."
    )
    raise WrongUse(f"The ledger has no entity '{name}'.{hint}")


def _timelines(db: sqlite3.Connection, timeline_ids: Sequence[str]) -> tuple[dict[str, list], dict[str, list[str]]]:
    """Return the entries of each timeline, and the claim ids of each entry."""
    from pipeline.site.queries.timelines import stages_sql

    lines: dict[str, list] = {timeline_id: [] for timeline_id in timeline_ids}
    claims: dict[str, list[str]] = defaultdict(list)
    for i in range(0, len(timeline_ids), 400):
        some = timeline_ids[i : i + 400]
        marks = ", ".join("?" * len(some))
        for row in rows(db, stages_sql(marks), *some):
            lines[row["timeline_id"]].append(row)
        sql = f"""select entry_id, claim_id from timeline_claims join timeline_entries using (entry_id)
                  where timeline_id in ({marks}) order by 1, 2"""
        for row in rows(db, sql, *some):
            claims[row["entry_id"]].append(row["claim_id"])
    return lines, claims


@click.command()
@click.argument("name", required=False)
@click.option(
    "--as-of", "as_of", metavar="DAY", help="Show the status on this day; by default the day of the newest report."
)
@json_option
@click.pass_obj
def status(folder: DataFolder, name: str | None, as_of: str | None, as_json: bool) -> None:
    """Show the status of NAME: a company, public body, person, model, law or order, by any of its names.

    The status covers agreements, access requests, restrictions, cases and rules, with what is only planned. Without
    NAME: which company has which agreement with which public body, and who may use which model.
    """
    db = open_ledger(folder)
    day, newest = _day(db, as_of, "--as-of")
    if name is None:
        _all(db, day, newest, as_json)
        return
    from pipeline.site.queries.timelines import entities_and_models_sql, entity_timeline_ids_sql, three_times
    from pipeline.site.views.timelines import timeline_views

    found = _find(db, name)
    ids = [one["entity_id"] for one in found]
    own = [row["entity_id"] for row in rows(db, entities_and_models_sql(len(ids)), *ids, *ids)]
    timeline_ids = [
        row["timeline_id"] for row in rows(db, entity_timeline_ids_sql(len(own)), *three_times(own), 10_000)
    ]
    lines, claims = _timelines(db, timeline_ids)
    views = timeline_views(lines, day, claims)
    if as_json:
        say_json({"as_of": day, "newest_report": newest, "entities": found, "lines": views})
        return
    names = ", ".join(one["name"] for one in found)
    click.echo(f"{names}, as of {_day_words(day, newest)}")
    _say_lines(views, day)
    if not views:
        click.echo("Nothing is known as of that day.")


def _day_words(day: str, newest: str) -> str:
    from pipeline.site.text.formatting import day_words

    note = " (the day of the newest report)" if day == newest else ""
    if day > newest:
        note = f" (the newest report is of {day_words(newest)}; later developments are unknown)"
    return f"{day_words(day)}{note}"


def _stage_line(stage: dict[str, Any], whole: bool = True) -> str:
    """Return a timeline entry as one line."""
    sentence = f" {stage['summary']}" if whole else ""
    disagree = " Reports disagree." if stage["contradicted"] else ""
    return f"{stage['brief']}.{sentence}{disagree} [{stage['event_id']}]"


def _say_lines(views: list[dict[str, Any]], day: str) -> None:
    from pipeline.site.text.labels import MATTER_WORDS
    from pipeline.site.views.timelines import by_matter

    for matter, group in by_matter(views).items():
        click.echo(f"\n{MATTER_WORDS[matter]}")
        for view in group:
            click.echo(f"  {view['title']}")
            shown = [view["done"]] if view["done"] else []
            for stage in [*shown, *view["besides"], *view["undated"]]:
                click.echo(f"    {_stage_line(stage)}")
            for stage in view["possibly"]:
                click.echo(f"    Possibly already: {_stage_line(stage)}")
            for stage in view["open"]:
                click.echo(f"    {_stage_line(stage)}")
            printed = {stage["entry_id"] for key in ("besides", "undated", "possibly", "open") for stage in view[key]}
            printed |= {stage["entry_id"] for stage in shown}
            for stage in view["stages"]:
                if stage["entry_id"] not in printed and (stage["sure_from"] or "9") <= day:
                    click.echo(f"      before: {stage['brief']}")


def _all(db: sqlite3.Connection, day: str, newest: str, as_json: bool) -> None:
    """Print all agreements, and who may use which model."""
    from pipeline.site.queries.timelines import (
        MOST_TIMELINES,
        affected_sql,
        by_event,
        current_events_of,
        timeline_ids_sql,
    )
    from pipeline.site.text.permissions import permitted
    from pipeline.site.views.timelines import matrix, models, timeline_views

    ids: list[str] = []
    for matter in ("agreement", "access", "restriction", "release"):
        ids += [row["timeline_id"] for row in rows(db, timeline_ids_sql(), matter, day, MOST_TIMELINES)]
    lines, claims = _timelines(db, ids)
    views = timeline_views(lines, day, claims)
    table = matrix(views, most_rows=1000, most_columns=1000)
    found = models(views)
    heads = current_events_of(found)
    named = permitted(found, by_event(rows(db, affected_sql(len(heads)), *heads)))
    if as_json:
        say_json({"as_of": day, "newest_report": newest, "agreements": table, "models": named})
        return
    click.echo(f"As of {_day_words(day, newest)}\n\nWhich company has which agreement with which body")
    for row in table["rows"]:
        for column in table["columns"]:
            for view in table["cells"].get(row["entity_id"], {}).get(column["entity_id"], []):
                click.echo(f"  {row['name']} - {column['name']}: {_stage_line(view['head'], whole=False)}")
    if not table["rows"]:
        click.echo("  No agreement is known.")
    click.echo("\nWho may use which model, since when and by whose order")
    for model in named:
        click.echo(f"  {model['name']}")
        for view in model["lines"]:
            click.echo(f"    {view['permission']['words']} [{view['head']['event_id']}]")


@click.command()
@click.option("--from", "from_", metavar="DAY", help="Start from this day; by default the day of the newest report.")
@click.option(
    "--limit",
    default=50,
    show_default=True,
    type=click.IntRange(1, 10000),
    help="Maximum number of entries in each list.",
)
@json_option
@click.pass_obj
def upcoming(folder: DataFolder, from_: str | None, limit: int, as_json: bool) -> None:
    """List deadlines, effective dates, hearings and announced steps, each with the claim behind it.

    Past dates are listed with what has been reported since.
    """
    from pipeline.site.queries.timelines import LATEST, NEAREST, upcoming_sql
    from pipeline.site.text.labels import UPCOMING_KINDS
    from pipeline.site.text.status_text import upcoming_state, upcoming_when

    db = open_ledger(folder)
    day, newest = _day(db, from_, "--from")
    ahead = rows(db, upcoming_sql(NEAREST, ">="), day, limit)
    behind = rows(db, upcoming_sql(LATEST, "<"), day, limit)
    for row in (*ahead, *behind):
        row["when"], row["state"] = upcoming_when(row), upcoming_state(row, day)
    if as_json:
        say_json({"from": day, "newest_report": newest, "ahead": ahead, "behind": behind})
        return
    click.echo(f"Due dates as of {_day_words(day, newest)}")
    for title, found in (("Upcoming", ahead), ("Past", behind)):
        click.echo(f"\n{title}")
        for row in found:
            click.echo(f"  {row['when']}  {UPCOMING_KINDS[row['kind']]}: {row['summary']} {row['state']}")
            click.echo(f"    “{row['quote']}” {row['source_title']}, {row['published_on']} [{row['claim_id']}]")
        if not found:
            click.echo("  None.")
