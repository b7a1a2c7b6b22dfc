"""The command `alerts` and its subcommands `test`, `send`, `log`, `told` and `resend`."""

from __future__ import annotations

import re
import sqlite3
from typing import TYPE_CHECKING, Any

import click

from pipeline.commands.common import lexicon_of, settings_of, sources_of
from pipeline.commands.groups import SuggestingGroup, did_you_mean
from pipeline.commands.output import json_option, say_json, say_rows
from pipeline.errors import DONE, OUTSIDE, PROBLEM, WrongUse
from pipeline.site.text.formatting import count_words
from pipeline.workspace import DataFolder

if TYPE_CHECKING:
    from pipeline.app.alerts.outbox import Outbox
    from pipeline.app.alerts.rules import Rule
    from pipeline.settings import Settings

EXAMPLE = """[[alert]]
name = "orders"
watch = "events"
filter = "type=executive_action&modality=occurred"
to = ["mailtos://USER:${MAIL_PASSWORD}@smtp.example.org?from=ledger@example.org&to=desk@example.org"]
"""
NONE = "No alert is set up. Add a table to {file}, for example:\n\n{example}"


def rules_of(settings: Settings, folder: DataFolder) -> tuple[Rule, ...]:
    """Return the alerts of a ledger; raise WrongUse for an invalid one."""
    if not settings.alert:
        return ()
    from pipeline.app.alerts.rules import read_rules

    return read_rules(settings.alert, folder.settings)


def send_alerts(folder: DataFolder) -> dict[str, Any]:
    """Queue messages on what is new, send queued messages and report; the caller holds the ledger's lock."""
    from datetime import UTC, datetime

    from pipeline.app.alerts.run import run_alerts
    from pipeline.app.steps import health
    from pipeline.versions import program_version

    settings = settings_of(folder)
    rules, sources = rules_of(settings, folder), sources_of(settings)
    health_now = health(folder, sources, program_version(*lexicon_of(settings)), datetime.now(UTC))
    report = run_alerts(folder, rules, health_now, sources, settings.site, lambda: datetime.now(UTC))
    click.echo(
        f"Alerts: {count_words(report.new, 'new item')}; {count_words(report.sent, 'message')} sent, "
        f"{report.waiting} waiting."
    )
    for fault in report.faults:
        click.echo(f"Alerts: {fault}", err=True)
    return report.as_dict()


@click.group(cls=SuggestingGroup, invoke_without_command=True)
@json_option
@click.pass_context
def alerts(ctx: click.Context, as_json: bool) -> None:
    """Manage alerts. Without a subcommand, list them. docs/alerts.md explains how to set alerts up."""
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
    rows: list[dict[str, Any]] = [
        {
            "name": rule.name,
            "watch": rule.watch,
            "watches": WATCHED[rule.watch],
            "filter": rule.filter,
            "matches": _matches(folder, rule),
            "to": [target.shown for target in rule.targets],
            "feed": str(folder.alerts / f"{rule.slug}.atom"),
            "since": since.get(rule.name),
            "messages": counts.get(rule.name, {}),
        }
        for rule in rules
    ]
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
                row["name"],
                row["watches"] + (f" ({row['filter']})" if row["filter"] else ""),
                "" if row["matches"] is None else str(row["matches"]),
                ", ".join(row["to"]) or "feed only",
                ", ".join(f"{row['messages'][state]} {state}" for state in states if row["messages"].get(state))
                or ("none yet" if row["since"] else "starts with the next run"),
            )
            for row in rows
        ),
        ("alert", "watches", "matching now", "to", "messages"),
    )
    click.echo("\n" + "\n".join(f"Feed of {row['name']}: {row['feed']}" for row in rows))


def _matches(folder: DataFolder, rule: Rule) -> int | None:
    """Return the number of published events that match an alert, None if it cannot be determined."""
    from pipeline.app.alerts.events import keys_of, open_snapshot
    from pipeline.app.alerts.rules import SOURCES

    if rule.watch == SOURCES or not folder.current.exists():
        return None
    db = open_snapshot(folder.current)
    try:
        return len(keys_of(db, rule))
    except sqlite3.Error:
        return None  # a snapshot of another version, which the next build replaces
    finally:
        db.close()


@alerts.command("test")
@click.argument("names", nargs=-1, metavar="[ALERT]...")
@click.pass_obj
def send_test_messages(folder: DataFolder, names: tuple[str, ...]) -> int:
    """Send a test message to every recipient of the named alerts, by default of all alerts."""
    import uuid
    from datetime import UTC, datetime

    from pipeline.app.alerts.delivery import ARRIVED, send
    from pipeline.app.alerts.outbox import Message

    rules = rules_of(settings_of(folder), folder)
    known = {rule.name for rule in rules}
    for name in names:
        if name not in known:
            raise WrongUse(
                f"There is no alert '{name}'.{did_you_mean(name, known)} `oversight alerts` lists all alerts."
            )
    chosen = [rule for rule in rules if not names or rule.name in names]
    recipients = [(rule, target) for rule in chosen for target in rule.targets]
    if not recipients:
        click.echo("No alert has an address in 'to'. Nothing was sent.")
        return PROBLEM
    failed = 0
    for rule, target in recipients:
        now = datetime.now(UTC)
        body = f"This is a test message of the alert “{rule.name}” of an Oversight Ledger. No event is reported.\n"
        message = Message(
            uuid.uuid4().hex,
            rule.name,
            target.target_id,
            target.shown,
            now,
            f"[{rule.name}] Test of an alert",
            body,
            (),
            "test",
            1,
            None,
            "",
        )
        delivery = send(message, target.address)
        failed += delivery.status != ARRIVED
        result = "accepted" if delivery.status == ARRIVED else f"{delivery.status}: {delivery.reason}"
        click.echo(f"{rule.name} to {target.shown}: {result}.")
    return OUTSIDE if failed else DONE


@alerts.command("send")
@json_option
@click.pass_obj
def send_now(folder: DataFolder, as_json: bool) -> None:
    """Report what is new and send waiting messages, as `oversight run` does at its end."""
    from pipeline.commands.common import plain_errors

    if not settings_of(folder).alert:
        raise WrongUse(NONE.format(example=EXAMPLE, file=folder.settings).rstrip())
    folder.need(folder.crawl_db, "Run `oversight run` first.")
    with folder.lock(), plain_errors():
        report = send_alerts(folder)
    if as_json:
        say_json(report)


def _open(folder: DataFolder) -> Outbox:
    from pipeline.app.alerts.outbox import Outbox

    return Outbox(folder.need(folder.alerts_db, "No alert has run yet: `oversight run` runs alerts at its end."))


@alerts.command("log")
@click.option("--last", "n", default=20, show_default=True, type=click.IntRange(1), help="Number of messages to show.")
@json_option
@click.pass_obj
def show_log(folder: DataFolder, n: int, as_json: bool) -> None:
    """List recent messages with their status."""
    outbox = _open(folder)
    found = outbox.last(n)
    outbox.close()
    if as_json:
        say_json(
            [
                {
                    **{
                        k: getattr(m, k)
                        for k in (
                            "message_id",
                            "alert",
                            "made_at",
                            "subject",
                            "body",
                            "state",
                            "attempts",
                            "next_try_at",
                            "last_error",
                        )
                    },
                    "to": m.shown,
                }
                for m in found
            ]
        )
        return
    say_rows(
        (
            (
                m.message_id[:8],
                f"{m.made_at:%Y-%m-%d %H:%M} UTC",
                m.state,
                str(m.attempts),
                m.shown,
                m.subject,
                m.last_error,
            )
            for m in found
        ),
        ("id", "created", "status", "attempts", "to", "subject", "reason"),
    )


@alerts.command("told")
@click.argument("name", metavar="ALERT")
@click.option("--last", "n", default=100, show_default=True, type=click.IntRange(1), help="Number of items to show.")
@json_option
@click.pass_obj
def show_told(folder: DataFolder, name: str, n: int, as_json: bool) -> None:
    """List the items that an alert has reported, newest first."""
    outbox = _open(folder)
    rows = outbox.reported(name, n)
    outbox.close()
    if as_json:
        say_json(rows)
        return
    if not rows:
        click.echo(f"The alert '{name}' has reported nothing yet.")
        return
    say_rows(
        ((f"{row['told_at'][:16].replace('T', ' ')} UTC", row["title"], row["link"]) for row in rows),
        ("reported", "item", "link"),
    )


@alerts.command("resend")
@click.argument("message_id", metavar="ID")
@click.pass_obj
def resend(folder: DataFolder, message_id: str) -> None:
    """Resend a message that may not have arrived or was given up. `oversight alerts log` shows its ID."""
    from datetime import UTC, datetime

    if not re.fullmatch(r"[0-9a-f]{6,32}", message_id):
        raise WrongUse(f"'{message_id}' is not a message id. `oversight alerts log` lists the ids.")
    with folder.lock():
        outbox = _open(folder)
        try:
            outbox.mark_interrupted(datetime.now(UTC))
            found = outbox.resend(message_id, datetime.now(UTC))
        finally:
            outbox.close()
    if found is None:
        raise WrongUse(f"No message {message_id} is unsure or given up. `oversight alerts log` lists all messages.")
    click.echo(f"“{found.subject}” to {found.shown} will be sent by the next run, or by `oversight alerts send`.")
