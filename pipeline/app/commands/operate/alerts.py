"""Commands over the alerts of a ledger: list them, try them, send what waits, see what became of each message."""

from __future__ import annotations

import re
import sqlite3
from typing import Any

import click

from pipeline.app.commands.common import lexicon_of, settings_of, sources_of
from pipeline.app.commands.output import json_option, say_json, say_rows
from pipeline.errors import DONE, OUTSIDE, PROBLEM, WrongUse
from pipeline.settings import Settings
from pipeline.workspace import DataFolder

EXAMPLE = """[[alert]]
name = "orders"
watch = "events"
filter = "type=executive_action&modality=occurred"
to = ["mailtos://USER:${MAIL_PASSWORD}@smtp.example.org?from=ledger@example.org&to=desk@example.org"]
"""
NONE = "No alert is set up. Put a table into {file}, for example:\n\n{example}"


def rules_of(settings: Settings, folder: DataFolder) -> tuple[Any, ...]:
    """Return the checked alerts of a ledger; raise WrongUse for a mistake in them."""
    if not settings.alert:
        return ()
    from pipeline.app.alerts.rules import read_rules

    return read_rules(settings.alert, folder.settings)


def send_alerts(folder: DataFolder) -> dict[str, Any]:
    """Tell what is new and send what waits, in words; the caller holds the ledger's lock."""
    from datetime import UTC, datetime

    from pipeline.app.alerts.run import make_round
    from pipeline.app.steps import health
    from pipeline.versions import program_version

    settings = settings_of(folder)
    rules, sources = rules_of(settings, folder), sources_of(settings)
    fares = health(folder, sources, program_version(*lexicon_of(settings)), datetime.now(UTC))
    report = make_round(folder, rules, fares, sources, settings.site, lambda: datetime.now(UTC))
    click.echo(f"Alerts: {report.told} things to tell, {report.sent} messages sent, {report.waiting} waiting.")
    for fault in report.faults:
        click.echo(f"Alerts: {fault}", err=True)
    return report.as_dict()


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def alerts(ctx: click.Context, as_json: bool) -> None:
    """Show whom the ledger tells of what, try it, and send what waits. docs/alerts.md explains how to set alerts up."""
    if ctx.invoked_subcommand is None:
        _list(ctx.obj, as_json)


def _list(folder: DataFolder, as_json: bool) -> None:
    from pipeline.app.alerts.outbox import DROPPED, GIVEN_UP, SENT, UNSURE, WAITING, Outbox
    from pipeline.app.alerts.rules import WATCHED

    rules = rules_of(settings_of(folder), folder)
    counts: dict[str, dict[str, int]] = {}
    since: dict[str, str] = {}
    if folder.alerts_db.exists():
        outbox = Outbox(folder.alerts_db)
        counts = outbox.counts()
        since = {row[0]: row[1] for row in outbox.db.execute("select alert, since from alerts")}
        outbox.close()
    rows = [
        {
            "name": rule.name, "watch": rule.watch, "watches": WATCHED[rule.watch], "filter": rule.filter,
            "matches": _matches(folder, rule), "to": [target.shown for target in rule.targets],
            "feed": str(folder.alerts / f"{rule.slug}.atom"), "since": since.get(rule.name),
            "messages": counts.get(rule.name, {}),
        }
        for rule in rules
    ]  # fmt: skip
    if as_json:
        say_json(rows)
        return
    if not rows:
        click.echo(NONE.format(example=EXAMPLE, file=folder.settings), nl=False)
        return
    states = (SENT, WAITING, UNSURE, GIVEN_UP, DROPPED)
    say_rows(
        (
            (
                row["name"], row["watches"] + (f" ({row['filter']})" if row["filter"] else ""),
                "" if row["matches"] is None else str(row["matches"]), ", ".join(row["to"]) or "its feed alone",
                ", ".join(f"{row['messages'][state]} {state}" for state in states if row["messages"].get(state))
                or ("none yet" if row["since"] else "begins with the next run"),
            )
            for row in rows
        ),
        ("alert", "tells of", "match now", "to", "messages"),
    )  # fmt: skip
    click.echo("\n" + "\n".join(f"Feed of {row['name']}: {row['feed']}" for row in rows))


def _matches(folder: DataFolder, rule: Any) -> int | None:
    """Return how many published events pass an alert's filter, None where that cannot be said."""
    from pipeline.app.alerts.events import keys_of, open_snapshot
    from pipeline.app.alerts.rules import SOURCES

    if rule.watch == SOURCES or not folder.current.exists():
        return None
    db = open_snapshot(folder.current)
    try:
        return len(keys_of(db, rule))
    except sqlite3.Error:
        return None  # a snapshot with other tables: the next build makes a new one
    finally:
        db.close()


@alerts.command("test")
@click.argument("names", nargs=-1, metavar="[ALERT]...")
@click.pass_obj
def try_alerts(folder: DataFolder, names: tuple[str, ...]) -> int:
    """Send a test message to every recipient of the named alerts (of all, if none is named)."""
    import uuid
    from datetime import UTC, datetime

    from pipeline.app.alerts.delivery import ARRIVED, send
    from pipeline.app.alerts.outbox import Message

    rules = rules_of(settings_of(folder), folder)
    for name in names:
        if name not in {rule.name for rule in rules}:
            raise WrongUse(f"There is no alert '{name}'. `oversight alerts` lists them.")
    chosen = [rule for rule in rules if not names or rule.name in names]
    tried = [(rule, target) for rule in chosen for target in rule.targets]
    if not tried:
        click.echo("There is nobody to try: no alert has an address in 'to'.")
        return PROBLEM
    failed = 0
    for rule, target in tried:
        now = datetime.now(UTC)
        body = f"This is a test of the alert “{rule.name}” of an Oversight Ledger. Nothing has happened.\n"
        message = Message(uuid.uuid4().hex, rule.name, target.target_id, target.shown, now,
                          f"[{rule.name}] Test of an alert", body, (), "test", 1, None, "")  # fmt: skip
        found = send(message, target.address)
        failed += found.end != ARRIVED
        words = "accepted" if found.end == ARRIVED else f"{found.end}: {found.why}"
        click.echo(f"{rule.name} to {target.shown}: {words}.")
    return OUTSIDE if failed else DONE


@alerts.command("send")
@json_option
@click.pass_obj
def send_now(folder: DataFolder, as_json: bool) -> None:
    """Tell what is new and send what waits, as the end of each `oversight run` does."""
    from pipeline.app.commands.common import plain_errors

    if not settings_of(folder).alert:
        raise WrongUse(NONE.format(example=EXAMPLE, file=folder.settings).rstrip())
    folder.need(folder.crawl_db, "Run `oversight run` first.")
    with folder.lock(), plain_errors():
        report = send_alerts(folder)
    if as_json:
        say_json(report)


def _open(folder: DataFolder) -> Any:
    from pipeline.app.alerts.outbox import Outbox

    return Outbox(folder.need(folder.alerts_db, "No alert was looked at yet: `oversight run` does so at its end."))


@alerts.command("log")
@click.option("--last", "n", default=20, show_default=True, type=click.IntRange(1), help="So many messages.")
@json_option
@click.pass_obj
def show_log(folder: DataFolder, n: int, as_json: bool) -> None:
    """Show the last messages and what became of each."""
    outbox = _open(folder)
    found = outbox.last(n)
    outbox.close()
    if as_json:
        say_json([{**{k: getattr(m, k) for k in ("message_id", "alert", "made_at", "subject", "body", "state",
                                                 "attempts", "next_try_at", "last_error")}, "to": m.shown}
                  for m in found])  # fmt: skip
        return
    say_rows(
        (
            (m.message_id[:8], f"{m.made_at:%Y-%m-%d %H:%M} UTC", m.state, str(m.attempts), m.shown, m.subject,
             m.last_error)
            for m in found
        ),
        ("id", "made", "state", "tries", "to", "subject", "reason"),
    )  # fmt: skip


@alerts.command("told")
@click.argument("name", metavar="ALERT")
@click.option("--last", "n", default=100, show_default=True, type=click.IntRange(1), help="So many things.")
@json_option
@click.pass_obj
def show_told(folder: DataFolder, name: str, n: int, as_json: bool) -> None:
    """List what an alert has told, the newest first."""
    outbox = _open(folder)
    rows = outbox.told(name, n)
    outbox.close()
    if as_json:
        say_json(rows)
        return
    if not rows:
        click.echo(f"The alert '{name}' has told nothing yet.")
        return
    say_rows(((f"{row['told_at'][:16].replace('T', ' ')} UTC", row["title"], row["link"]) for row in rows),
             ("told", "what", "where"))  # fmt: skip


@alerts.command("resend")
@click.argument("message_id", metavar="ID")
@click.pass_obj
def resend(folder: DataFolder, message_id: str) -> None:
    """Send a message again that may not have arrived, or was given up: ID is that of `oversight alerts log`."""
    from datetime import UTC, datetime

    if not re.fullmatch(r"[0-9a-f]{6,32}", message_id):
        raise WrongUse(f"'{message_id}' is no id of a message. `oversight alerts log` shows them.")
    with folder.lock():
        outbox = _open(folder)
        try:
            outbox.settle(datetime.now(UTC))
            found = outbox.resend(message_id, datetime.now(UTC))
        finally:
            outbox.close()
    if found is None:
        raise WrongUse(f"No message {message_id} is unsure or given up. `oversight alerts log` shows them.")
    click.echo(f"“{found.subject}” to {found.shown} goes out with the next run, or with `oversight alerts send`.")
