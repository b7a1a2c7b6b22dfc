"""The command `contradictions`."""

from __future__ import annotations

import sqlite3
import textwrap
from itertools import zip_longest
from typing import Any

import click

from pipeline.commands.common import open_ledger, rows
from pipeline.commands.lookup import find_event
from pipeline.commands.output import json_option, say_json
from pipeline.workspace import DataFolder

WIDTH = 100  # characters per line
MAX_COLUMNS = 3  # more sides are printed one below the other


def contradictions_of(db: sqlite3.Connection, event_id: str | None = None) -> list[dict[str, Any]]:
    """Return the contradictions of an event, or all, each with its `values`: the sides and the claims behind them."""
    found = rows(
        db,
        """select k.*, e.summary as event from contradictions k join events e using (event_id)
           where ?1 is null or k.event_id = ?1 or k.contradiction_id in (
               select v.contradiction_id from contradiction_sides v join claims c using (claim_id)
               where c.event_id = ?1)
           order by e.last_reported_on desc, k.event_id, k.field, k.contradiction_id""",
        event_id,
    )
    for contradiction in found:
        contradiction["values"] = rows(
            db,
            """select v.value, v.claim_id, c.quote, c.event_id, c.article_id, c.published_on, c.attribution_name,
                      s.title as source
               from contradiction_sides v join claims c using (claim_id)
               join sources s using (source_id) where v.contradiction_id = ?
               order by v.value, c.published_on, v.claim_id""",
            contradiction["contradiction_id"],
        )
    return found


@click.command()
@click.option("--event", "event_id", help="Only contradictions of this event: its id, or words of its summary.")
@json_option
@click.pass_obj
def contradictions(folder: DataFolder, event_id: str | None, as_json: bool) -> None:
    """Show where reports disagree or an article contradicts itself, with the sentences behind each side."""
    db = open_ledger(folder)
    if event_id:
        event_id = find_event(db, event_id)["event_id"]
    found = contradictions_of(db, event_id)
    if as_json:
        say_json(found)
        return
    if not found:
        click.echo("No contradictions found.")
    for position, contradiction in enumerate(found):
        if position == 0 or contradiction["event_id"] != found[position - 1]["event_id"]:
            click.echo(("\n" if position else "") + f"{contradiction['event']} ({contradiction['event_id']})")
        for line in textwrap.wrap(contradiction["summary"], WIDTH - 2):
            click.echo(f"  {line}")
        for line in side_by_side(_sides(contradiction["values"])):
            click.echo(f"    {line}".rstrip())


def _sides(values: list[dict[str, Any]]) -> list[tuple[str, list[str]]]:
    """Return each value with its supporting quotes, in order of publication."""
    sides: dict[str, list[str]] = {}
    for value in values:
        who = f"{value['source']}, {value['published_on'] or 'no date'}"
        if value["attribution_name"] and value["attribution_name"] != value["source"]:
            who += f", citing {value['attribution_name']}"
        sides.setdefault(value["value"], []).append(f"{who}: “{value['quote']}”")
    return list(sides.items())


def side_by_side(sides: list[tuple[str, list[str]]], width: int = WIDTH - 4) -> list[str]:
    """Return the lines of a table with one column per (heading, paragraphs), or of a list if there are too many."""
    columns = len(sides) if len(sides) <= MAX_COLUMNS else 1
    room = (width - 3 * (columns - 1)) // columns
    blocks = []
    for heading, paragraphs in sides:
        lines = [*textwrap.wrap(heading, room), "-" * min(room, len(heading))]
        for paragraph in paragraphs:
            lines += textwrap.wrap(paragraph, room)
        blocks.append(lines)
    if columns == 1:
        return [line for block in blocks for line in block]
    return [" | ".join(cell.ljust(room) for cell in row).rstrip() for row in zip_longest(*blocks, fillvalue="")]
