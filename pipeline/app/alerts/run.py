"""Runs all alerts: queues messages on what is new, writes the feeds and sends what is due.

`oversight run` calls this at its end, holding the ledger's lock.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from typing import Any

from pipeline.app.alerts import delivery, events, messages
from pipeline.app.alerts.outbox import GIVEN_UP, Item, Outbox
from pipeline.app.alerts.rules import SOURCES, Rule
from pipeline.workspace import DataFolder
from scrapers.crawling.source_health import SourceHealth
from scrapers.items import Source

MAX_SECONDS = 120.0  # messages not sent by then wait for the next run


@dataclass(slots=True)
class AlertReport:
    """Counts of one run of the alerts. `faults`: failed deliveries, in words."""

    new: int = 0  # items, over all alerts
    sent: int = 0
    waiting: int = 0
    unsure: int = 0
    given_up: int = 0
    faults: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def queue_new(
    folder: DataFolder,
    outbox: Outbox,
    rules: Sequence[Rule],
    health: Mapping[str, SourceHealth],
    sources: Sequence[Source],
    site: str,
    now: datetime,
) -> int:
    """Queue messages on what is new for each alert; return the number of new items."""
    n_new = 0
    for rule in rules:
        if rule.watch == SOURCES:
            n_new += _queue_source_items(outbox, rule, events.source_items(health, sources), now)
        elif folder.current.exists():
            n_new += _queue_event_items(folder, outbox, rule, site, now)
    return n_new


def _queue_source_items(outbox: Outbox, rule: Rule, items: list[Item], now: datetime) -> int:
    if outbox.is_new(rule):
        outbox.start(rule, (), now)
    new = outbox.unreported(rule.name, items)
    resolved = outbox.resolved(rule.name, items, now)
    keys = {item.key for item in new}
    known = [item for item in items if item.key not in keys]
    outbox.queue(rule, known, new, resolved, partial(messages.compose, rule, new, resolved, ""), now)
    return len(new)


def _queue_event_items(folder: DataFolder, outbox: Outbox, rule: Rule, site: str, now: datetime) -> int:
    with closing(events.open_snapshot(folder.current)) as db:
        days = events.keys_of(db, rule)
        bare = [Item(key, "", "") for key in days]
        if outbox.is_new(rule):
            outbox.start(rule, bare, now)
            return 0
        former = events.former_keys(db, days)
        unseen = outbox.unreported(rule.name, bare)
        with_former = [Item(item.key, "", "", was=former[item.key]) for item in unseen]
        unreported = {item.key for item in outbox.unreported(rule.name, with_former)}
        keys = [item.key for item in unseen if item.key in unreported and events.is_recent(days[item.key], now)]
        new = events.items_of(db, keys, site)
        known = [item for item in unseen if item.key not in set(keys)]
        filter_words = events.selection_of(db, rule).words
    outbox.queue(rule, known, new, (), partial(messages.compose, rule, new, (), filter_words), now)
    return len(new)


def send_due(
    outbox: Outbox,
    rules: Sequence[Rule],
    clock: Callable[[], datetime],
    report: AlertReport,
    send: Callable[..., delivery.Delivery] = delivery.send,
) -> None:
    """Send due messages, oldest first. After a failure, further messages to the same recipient wait."""
    addresses = {(rule.name, t.target_id): t.address for rule in rules for t in rule.targets}
    ends, failing, faults = time.monotonic() + MAX_SECONDS, set(), []
    for message in outbox.due(clock()):
        address = addresses.get((message.alert, message.target_id))
        if address is None:
            outbox.drop(message, "its recipient or its alert was removed from the settings", clock())
            continue
        if message.target_id in failing or time.monotonic() > ends:
            report.waiting += 1
            continue
        outbox.mark_sending(message)
        result = send(message, address)
        if result.status == delivery.ARRIVED:
            outbox.mark_sent(message, clock())
            report.sent += 1
            continue
        failing.add(message.target_id)
        if result.status == delivery.UNKNOWN:
            outbox.mark_unsure(message, result.reason, clock())
            report.unsure += 1
            faults.append(f"“{message.subject}” may or may not have reached {message.shown}: {result.reason}.")
        elif outbox.mark_failed(message, result.reason, clock()) == GIVEN_UP:
            report.given_up += 1
            faults.append(f"“{message.subject}” could not be sent to {message.shown} for three days: {result.reason}.")
        else:
            report.waiting += 1
            faults.append(f"{message.shown} could not be reached; the next run tries again: {result.reason}.")
    report.faults = (*report.faults, *faults)


def write_feeds(folder: DataFolder, outbox: Outbox, rules: Sequence[Rule]) -> None:
    """Write the Atom feed of each alert."""
    for rule in rules:
        since = outbox.db.execute("select since from alerts where alert = ?", (rule.name,)).fetchone()
        if since is not None:
            reported = outbox.reported(rule.name, messages.MAX_ENTRIES)
            messages.write_feed(folder.alerts / f"{rule.slug}.atom", rule, reported, since[0])


def run_alerts(
    folder: DataFolder,
    rules: Sequence[Rule],
    health: Mapping[str, SourceHealth],
    sources: Sequence[Source],
    site: str,
    clock: Callable[[], datetime],
    send: Callable[..., delivery.Delivery] = delivery.send,
) -> AlertReport:
    """Queue messages on what is new, write the feeds and send due messages.

    Args:
        folder: the data folder; the caller holds its lock.
        rules: the alerts.
        health: the health of each source.
        sources: the source cards.
        site: public address of the site, for links; "" for none.
        clock: returns the current time.
        send: delivers one message.
    """
    report = AlertReport()
    with closing(Outbox(folder.alerts_db)) as outbox:
        now = clock()
        lost = outbox.mark_interrupted(now)
        report.unsure += lost
        if lost:
            reason = "the last run was stopped while sending; see `oversight alerts log`"
            report.faults = (f"{lost} message{'s' * (lost > 1)} may or may not have arrived: {reason}.",)
        report.new = queue_new(folder, outbox, rules, health, sources, site, now)
        write_feeds(folder, outbox, rules)
        send_due(outbox, rules, clock, report, send)
    return report
