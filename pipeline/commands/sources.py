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
@click.option("--strict", is_flag=True, help="Exit with 1 where any source is in trouble, naming only those.")
@json_option
@click.pass_obj
def source_health(folder: DataFolder, strict: bool, as_json: bool) -> int:
    """Show how each source fares, and in words what is wrong with it."""
    from datetime import UTC, datetime

    from pipeline.commands.common import lexicon_of
    from pipeline.steps import health
    from pipeline.versions import program_version
    from scrapers.health import in_words

    folder.need(folder.crawl_db, "Run `oversight crawl` first.")
    settings = settings_of(folder)
    found = health(folder, sources_of(settings), program_version(*lexicon_of(settings)), datetime.now(UTC))
    shown = [one for _, one in sorted(found.items()) if one.last_visit_at and (one.alarms or not strict)]
    sick = [one for one in shown if one.alarms]
    if as_json:
        say_json(
            [
                {
                    "source_id": one.source_id,
                    "last_visit_at": one.last_visit_at,
                    "last_success_at": one.last_success_at,
                    "last_item_at": one.last_item_at,
                    "usual_gap_hours": round(one.usual_gap.total_seconds() / 3600, 1) if one.usual_gap else None,
                    "alarms": [{"kind": alarm.kind, "words": alarm.words} for alarm in one.alarms],
                }
                for one in shown
            ]
        )
    elif shown:
        say_rows(
            (
                (
                    one.source_id,
                    str(one.last_success_at or "never")[:16],
                    str(one.last_item_at or "none yet")[:16],
                    in_words(one.usual_gap) if one.usual_gap else "not known",
                    "; ".join(alarm.words for alarm in one.alarms),
                )
                for one in shown
            ),
            ("id", "last success", "newest item", "usual gap", "trouble"),
        )
    else:
        click.echo("No source is in trouble." if strict else "No source was visited yet.")
    return PROBLEM if strict and sick else DONE
