"""The commands `event`, `entity`, `origins` and `unknown-names`."""

from __future__ import annotations

import sqlite3
from typing import Any

import click

from pipeline.commands.common import open_ledger as _open
from pipeline.commands.common import rows as _rows
from pipeline.commands.inspect.contradictions import contradictions_of
from pipeline.commands.lookup import find_event
from pipeline.commands.output import json_option, say_json, say_rows
from pipeline.errors import WrongUse
from pipeline.site.text.formatting import count_words, support_words
from pipeline.workspace import DataFolder


def _claims_of(db: sqlite3.Connection, event_id: str) -> list[dict[str, Any]]:
    return _rows(
        db,
        """select c.*, s.title as source, a.url, a.title as article, o.label as origin
           from claims c join sources s using (source_id) join articles a using (article_id)
           left join origins o on o.origin_id = c.origin_id
           where c.event_id = ? order by c.published_on, c.claim_id""",
        event_id,
    )


@click.command()
@click.argument("event_id", metavar="EVENT")
@json_option
@click.pass_obj
def event(folder: DataFolder, event_id: str, as_json: bool) -> None:
    """Show one EVENT with its evidence: each quoted sentence, its modality and its source.

    EVENT is an id or words of the summary.
    """
    db = _open(folder)
    found = find_event(db, event_id)
    claims = _claims_of(db, found["event_id"])
    parties = _rows(
        db,
        """select p.role, e.name, e.entity_id from event_participants p join entities e using (entity_id)
           where event_id = ? order by p.role, e.name""",
        found["event_id"],
    )
    if as_json:
        say_json(found | {"participants": parties, "claims": claims})
        return
    click.echo(found["summary"])
    click.echo(f"  {found['event_id']} · {found['type']} · {found['modality']} · {_date_words(found)}")
    click.echo(f"  {_support(found, claims)}")
    for party in parties:
        click.echo(f"  {party['role']}: {party['name']}")
    for claim in sorted(claims, key=lambda one: one["modality"] != found["modality"]):
        said = f" · {claim['attribution_kind']}: {claim['attribution_name']}" if claim["attribution_name"] else ""
        click.echo(f"\n  “{claim['quote']}”")
        click.echo(f"    {claim['modality']}{said} · {claim['source']}, {claim['published_on']} · {claim['url']}")
    for contradiction in contradictions_of(db, found["event_id"]):
        click.echo(f"\n  {contradiction['summary']}")


def _support(event: dict[str, Any], claims: list[dict[str, Any]]) -> str:
    """Return the number of supporting origins and articles, and of articles with another modality."""
    supporting = len({claim["article_id"] for claim in claims if claim["modality"] == event["modality"]})
    others = event["n_articles"] - supporting
    more = f"; {count_words(others, 'more article')} {'differs' if others == 1 else 'differ'}" if others else ""
    return support_words(event["n_origins"], supporting) + more


def _date_words(row: dict[str, Any]) -> str:
    if not row["date_start"]:
        return "date unknown"
    span = row["date_start"] if row["date_start"] == row["date_end"] else f"{row['date_start']} to {row['date_end']}"
    return f"{span} ({row['date_precision']})"


def _brief_date(row: dict[str, Any]) -> str:
    """Return a date in at most ten characters, no more precise than known: 2026-04-09, 2026-04, 2026, undated."""
    if not row["date_start"]:
        return "undated"
    if row["date_start"] == row["date_end"]:
        return row["date_start"]
    same_month = row["date_start"][:7] == row["date_end"][:7]
    return row["date_start"][:7] if same_month else row["date_start"][:4]


@click.command()
@click.argument("name")
@json_option
@click.pass_obj
def entity(folder: DataFolder, name: str, as_json: bool) -> None:
    """Show a person, public body, company, model or law by NAME or id, with its latest events."""
    db = _open(folder)
    found = _rows(
        db,
        """select distinct e.* from entities e left join entity_names n using (entity_id)
           where e.entity_id = ?1 or e.name = ?1 collate nocase or n.name = ?1 collate nocase""",
        name,
    )
    if not found:
        near = _rows(db, "select name from entities where name like ? order by n_events desc limit 5", f"%{name}%")
        hint = (
            f"Did you mean: {', '.join(row['name'] for row in near)}?"
            if near
            else "Give part of its name, or see `oversight unknown-names`."
        )
        raise WrongUse(f"The ledger has no entity '{name}'. {hint}")
    for one in found:
        one["names"] = _rows(
            db, "select name, kind, used_from, used_until from entity_names where entity_id = ?", one["entity_id"]
        )
        one["offices"] = _rows(
            db,
            """select r.office, r.held_from, r.held_until, p.name as person, b.name as body from entity_roles r
               join entities p on p.entity_id = r.person_id left join entities b on b.entity_id = r.body_id
               where r.person_id = ?1 or r.body_id = ?1 order by r.held_from, r.person_id, r.position""",
            one["entity_id"],
        )
        one["relations"] = _rows(
            db,
            """select e.name as part, r.kind, o.name as whole, r.holds_from, r.holds_until from entity_relations r
               join entities e on e.entity_id = r.entity_id join entities o on o.entity_id = r.other_id
               where r.entity_id = ?1 or r.other_id = ?1 order by r.kind, e.name, o.name""",
            one["entity_id"],
        )
        one["events"] = _rows(
            db,
            """select ev.event_id, ev.summary, ev.modality, ev.date_start, ev.date_end, ev.n_origins,
                      group_concat(p.role, ', ') as roles
               from event_participants p join events ev using (event_id) where p.entity_id = ?
               group by ev.event_id order by ev.date_start desc, ev.event_id""",
            one["entity_id"],
        )
    if as_json:
        say_json(found)
        return
    for one in found:
        click.echo(f"{one['name']} ({one['kind']}, {one['entity_id']}): {count_words(one['n_events'], 'event')}")
        for row in one["names"]:
            if row["used_from"] or row["used_until"]:
                click.echo(f"  named {row['name']}{_days(row['used_from'], row['used_until'])}")
        for row in one["offices"]:
            click.echo(f"  {row['person']}: {row['office']}{_days(row['held_from'], row['held_until'])}")
        for row in one["relations"]:
            kind = row["kind"].replace("_", " ")
            click.echo(f"  {row['part']}: {kind} {row['whole']}{_days(row['holds_from'], row['holds_until'])}")
        for row in one["events"][:25]:
            click.echo(f"  {_brief_date(row):<10}  {row['modality']:<11} {row['summary']}")
        if len(one["events"]) > 25:
            click.echo(f"  ... and {len(one['events']) - 25} more; --json lists all")


def _days(start: str | None, end: str | None) -> str:
    """Return " from 2024-02-01 until 2025-12-31", "" if both days are unknown."""
    return (f" from {start}" if start else "") + (f" until {end}" if end else "")


@click.command()
@click.argument("event_id", metavar="EVENT")
@json_option
@click.pass_obj
def origins(folder: DataFolder, event_id: str, as_json: bool) -> None:
    """Show which reports of EVENT are independent, and why the others do not count."""
    db = _open(folder)
    found = find_event(db, event_id)
    rows = _rows(
        db,
        """select distinct c.origin_id, o.kind, o.label, a.article_id, s.title as source, a.url
           from claims c join articles a using (article_id) join sources s on s.source_id = c.source_id
           left join origins o on o.origin_id = c.origin_id where c.event_id = ? order by o.label, a.url""",
        found["event_id"],
    )
    edges = _rows(
        db,
        """select distinct oe.* from origin_edges oe join claims c using (article_id) where c.event_id = ?""",
        found["event_id"],
    )
    if as_json:
        say_json({"event_id": found["event_id"], "origins": rows, "edges": edges})
        return
    click.echo(f"{found['summary']}\n{_support(found, _claims_of(db, found['event_id']))}")
    last = None
    for row in rows:
        if row["origin_id"] != last:
            click.echo(f"\n{row['label']} ({row['kind']})")
            last = row["origin_id"]
        click.echo(f"  {row['source']}: {row['url']}")
        for edge in edges:
            if edge["article_id"] == row["article_id"]:
                click.echo(f"    relies on {edge['to_name']} ({edge['basis']}: {edge['detail']})")


@click.command()
@json_option
@click.pass_obj
def unknown_names(folder: DataFolder, as_json: bool) -> None:
    """List names that are not in the lexicon, most frequent first."""
    found = _rows(_open(folder), "select * from unknown_names order by n_articles desc, n_mentions desc, name")
    if as_json:
        say_json(found)
        return
    say_rows(
        ((row["name"], row["kind"], str(row["n_articles"]), row["example"][:70]) for row in found),
        ("name", "probable kind", "articles", "example"),
    )
