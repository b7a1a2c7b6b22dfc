"""Commands over the source cards: list them, check them, show their health."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.commands.common import settings_of, sources_of
from pipeline.commands.output import json_option, say_json, say_rows
from pipeline.errors import DONE, PROBLEM
from pipeline.folder import DataFolder


@click.group()
def sources() -> None:
    """List and check the source cards, show their health."""


@sources.command("list")
@json_option
@click.pass_obj
def list_sources(folder: DataFolder, as_json: bool) -> None:
    """List the sources that this ledger knows."""
    cards = sources_of(settings_of(folder))
    rows = [
        {"source_id": c.source_id, "title": c.title, "standing": c.standing.value, "jurisdiction": c.jurisdiction,
         "feeds": [feed.shape.value for feed in c.feeds], "enabled": c.enabled, "note": c.note}
        for c in cards
    ]  # fmt: skip
    if as_json:
        say_json(rows)
        return
    say_rows(
        ((r["source_id"], r["title"], r["standing"], r["jurisdiction"], ", ".join(r["feeds"]) or "-",
          "" if r["enabled"] else f"off: {r['note']}") for r in rows),
        ("id", "title", "standing", "where", "feeds", "note"),
    )  # fmt: skip


@sources.command("check")
@click.argument("card", required=False, type=click.Path(path_type=Path))
@click.pass_obj
def check_sources(folder: DataFolder, card: Path | None) -> int:
    """Check one CARD file, or every card: is it complete and well formed? (Nothing is fetched.)"""
    from scrapers.cards import CardError, read_card

    if card is None:
        click.echo(f"{len(sources_of(settings_of(folder)))} cards are in order.")
        return DONE
    try:
        source = read_card(card)
    except CardError as error:
        click.echo(str(error))
        return PROBLEM
    click.echo(f"{card}: in order. {source.title}: {len(source.feeds)} feed(s), {len(source.recipes)} recipe(s).")
    return DONE


@sources.command("health")
@json_option
@click.pass_obj
def source_health(folder: DataFolder, as_json: bool) -> None:
    """Show how the last visits to each source went."""
    from contextlib import closing

    from scrapers.frontier import Frontier

    folder.need(folder.crawl_db, "Run `oversight crawl` first.")
    with closing(Frontier(folder.crawl_db)) as frontier:
        found = frontier.summaries()
    rows = [
        {
            "source_id": key,
            "outcomes": one.outcomes,
            "last_visit_at": one.last_visit_at,
            "last_success_at": one.last_success_at,
            "last_fault": one.last_fault,
        }
        for key, one in sorted(found.items())
    ]
    if as_json:
        say_json(rows)
        return
    say_rows(
        (
            (
                row["source_id"],
                str(row["last_success_at"] or "never")[:16],
                ", ".join(f"{n} {outcome}" for outcome, n in row["outcomes"].items()),
                row["last_fault"],
            )
            for row in rows
        ),
        ("id", "last success", "outcomes so far", "trouble"),
    )
