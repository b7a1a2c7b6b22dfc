"""One round of alerts: what is new since the last round is entered, what waits is sent; a report goes out.

Called at the end of each `oversight run`, by the holder of the ledger's lock.
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

MOST_SECONDS = 120.0  # what is not sent by then waits for the next run


@dataclass(slots=True)
class Round:
    """What one round did. `faults`: in words, what did not arrive and why."""

    told: int = 0  # new items, over all alerts
    sent: int = 0
    waiting: int = 0
    unsure: int = 0
    given_up: int = 0
    faults: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def look(
    folder: DataFolder, outbox: Outbox, rules: Sequence[Rule], health: Mapping[str, SourceHealth],
    sources: Sequence[Source], site: str, now: datetime,
) -> int:  # fmt: skip
    """Enter what each alert has to tell; return how many things are new."""
    told = 0
    for rule in rules:
        if rule.watch == SOURCES:
            told += _look_at_sources(outbox, rule, events.trouble_items(health, sources), now)
        elif folder.current.exists():
            told += _look_at_events(folder, outbox, rule, site, now)
    return told


def _look_at_sources(outbox: Outbox, rule: Rule, items: list[Item], now: datetime) -> int:
    if outbox.is_new(rule):
        outbox.begin(rule, (), now)
    new = outbox.unknown(rule.name, items)
    over = outbox.over(rule.name, items, now)
    keys = {item.key for item in new}
    seen = [item for item in items if item.key not in keys]
    outbox.tell(rule, seen, new, over, partial(messages.letter, rule, new, over, ""), now)
    return len(new)


def _look_at_events(folder: DataFolder, outbox: Outbox, rule: Rule, site: str, now: datetime) -> int:
    with closing(events.open_snapshot(folder.current)) as db:
        days = events.keys_of(db, rule)
        bare = [Item(key, "", "") for key in days]
        if outbox.is_new(rule):
            outbox.begin(rule, bare, now)
            return 0
        former = events.former_keys(db, days)
        unseen = outbox.unknown(rule.name, bare)
        fresh = {i.key for i in outbox.unknown(rule.name, [Item(i.key, "", "", was=former[i.key]) for i in unseen])}
        wanted = [i.key for i in unseen if i.key in fresh and events.is_news(days[i.key], now)]
        new = events.items_of(db, wanted, site)
        known = [item for item in unseen if item.key not in set(wanted)]
        words = events.chosen(db, rule).words
    outbox.tell(rule, known, new, (), partial(messages.letter, rule, new, (), words), now)
    return len(new)


def send_due(
    outbox: Outbox, rules: Sequence[Rule], clock: Callable[[], datetime], report: Round,
    send: Callable[..., delivery.Sending] = delivery.send,
) -> None:  # fmt: skip
    """Send what waits, the oldest first; a recipient that cannot be reached is left alone for the rest of the round."""
    addresses = {(rule.name, t.target_id): t.address for rule in rules for t in rule.targets}
    ends, failing, faults = time.monotonic() + MOST_SECONDS, set(), []
    for message in outbox.due(clock()):
        address = addresses.get((message.alert, message.target_id))
        if address is None:
            outbox.drop(message, "its recipient, or its alert, was taken out of the settings", clock())
            continue
        if message.target_id in failing or time.monotonic() > ends:
            report.waiting += 1
            continue
        outbox.sending(message)
        found = send(message, address)
        if found.end == delivery.ARRIVED:
            outbox.sent(message, clock())
            report.sent += 1
            continue
        failing.add(message.target_id)
        if found.end == delivery.UNKNOWN:
            outbox.unsure(message, found.why, clock())
            report.unsure += 1
            faults.append(f"“{message.subject}” may or may not have reached {message.shown}: {found.why}.")
        elif outbox.failed(message, found.why, clock()) == GIVEN_UP:
            report.given_up += 1
            faults.append(f"“{message.subject}” could not be sent to {message.shown} for three days: {found.why}.")
        else:
            report.waiting += 1
            faults.append(f"{message.shown} could not be reached, the next run tries again: {found.why}.")
    report.faults = (*report.faults, *faults)


def write_feeds(folder: DataFolder, outbox: Outbox, rules: Sequence[Rule]) -> None:
    """Write the Atom feed of each alert."""
    for rule in rules:
        since = outbox.db.execute("select since from alerts where alert = ?", (rule.name,)).fetchone()
        if since is not None:
            told = outbox.told(rule.name, messages.MOST_ENTRIES)
            messages.write_feed(folder.alerts / f"{rule.slug}.atom", rule, told, since[0])


def make_round(
    folder: DataFolder, rules: Sequence[Rule], health: Mapping[str, SourceHealth], sources: Sequence[Source],
    site: str, clock: Callable[[], datetime], send: Callable[..., delivery.Sending] = delivery.send,
) -> Round:  # fmt: skip
    """Look, send, and write the feeds."""
    report = Round()
    with closing(Outbox(folder.alerts_db)) as outbox:
        now = clock()
        lost = outbox.settle(now)
        report.unsure += lost
        if lost:
            words = "the last run was stopped while it was being sent: `oversight alerts log` names it"
            report.faults = (f"{lost} message{'s' * (lost > 1)} may or may not have arrived: {words}.",)
        report.told = look(folder, outbox, rules, health, sources, site, now)
        write_feeds(folder, outbox, rules)
        send_due(outbox, rules, clock, report, send)
    return report
