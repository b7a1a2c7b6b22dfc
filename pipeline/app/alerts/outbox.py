"""The outbox of all alerts, in alerts.db: reported items, and messages that are sent at most once.

An item and its messages are stored in one transaction. A message's row says `sending`, synced to disk, before it is
handed to the network, and `sent` afterwards. If the program is killed in between, nobody knows whether the message
arrived: it becomes `unsure` and is not resent automatically, and the next message to the same recipient mentions it.
Messages that certainly did not arrive are retried with exponential backoff for three days.
"""

from __future__ import annotations

import json
import sqlite3
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pipeline.app.alerts.rules import Rule
from scrapers.database import transaction
from scrapers.messages import as_moment, as_text

WAITING, SENDING, SENT, UNSURE, GIVEN_UP, DROPPED = "waiting", "sending", "sent", "unsure", "given up", "dropped"
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=6)  # between two attempts
GIVE_UP_AFTER = timedelta(days=3)
RESOLVED_AFTER = timedelta(days=1)  # without the problem; after a shorter gap it may return

_TABLES = """
create table if not exists alerts (
    alert text primary key, definition text not null, since text not null
) strict;
create table if not exists items (
    alert text not null, key text not null, state text not null, first_at text not null, last_at text not null,
    told_at text, title text not null, detail text not null, link text not null, primary key (alert, key)
) strict;
create table if not exists messages (
    message_id text primary key, alert text not null, target_id text not null, shown text not null,
    made_at text not null, subject text not null, body text not null, items text not null, state text not null,
    attempts integer not null default 0, next_try_at text, ended_at text, last_error text not null default '',
    mentioned integer not null default 0
) strict;
create index if not exists messages_by_state on messages (state);
"""
# State of an item: known (older than the alert, or its event was merged into another one), open, or resolved.
KNOWN, OPEN, RESOLVED = "known", "open", "over"


@dataclass(frozen=True, slots=True)
class Item:
    """One item of an alert. `key` is reported at most once; `was`: earlier keys of the same item."""

    key: str
    title: str
    detail: str
    link: str = ""
    was: tuple[str, ...] = ()


Compose = Callable[[str], tuple[str, str]]  # given a note, returns subject and body


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one recipient. `shown`: the recipient, without passwords."""

    message_id: str
    alert: str
    target_id: str
    shown: str
    made_at: datetime
    subject: str
    body: str
    items: tuple[dict[str, str], ...]
    state: str
    attempts: int
    next_try_at: datetime | None
    last_error: str


class Outbox:
    """Items and messages of all alerts of one ledger. Writers hold the ledger's lock."""

    def __init__(self, path: Path) -> None:
        self.db = sqlite3.connect(path, isolation_level=None, timeout=30)
        self.db.row_factory = sqlite3.Row
        self.db.execute("pragma journal_mode = wal")
        self.db.execute("pragma synchronous = full")  # `sending` must be on disk before the message leaves
        with transaction(self.db):
            for statement in _TABLES.split(";"):
                self.db.execute(statement)

    def close(self) -> None:
        """Close the database after a checkpoint of its write-ahead log."""
        self.db.execute("pragma wal_checkpoint(truncate)")
        self.db.close()

    def mark_interrupted(self, now: datetime) -> int:
        """Mark messages that a killed program was sending as unsure; return their number."""
        reason = "the program was stopped while sending it"
        with transaction(self.db):
            return self.db.execute(
                "update messages set state = ?, ended_at = ?, last_error = ? where state = ?",
                (UNSURE, as_text(now), reason, SENDING),
            ).rowcount

    def is_new(self, rule: Rule) -> bool:
        """Return whether an alert runs for the first time, or its definition has changed."""
        row = self.db.execute("select definition from alerts where alert = ?", (rule.name,)).fetchone()
        return row is None or row["definition"] != rule.definition

    def start(self, rule: Rule, items: Iterable[Item], now: datetime) -> None:
        """Store the existing items as known: an alert reports only items that appear after it was set up."""
        with transaction(self.db):
            self.db.execute(
                "insert into alerts values (?, ?, ?) on conflict (alert) do update set "
                "definition = excluded.definition, since = excluded.since",
                (rule.name, rule.definition, as_text(now)),
            )
            for item in items:
                self._store(rule.name, item, KNOWN, now)

    def unreported(self, alert: str, items: Sequence[Item]) -> list[Item]:
        """Return the items that this alert has not reported under their key or an earlier one."""
        rows = self.db.execute("select key from items where alert = ? and state <> ?", (alert, RESOLVED))
        known = {row[0] for row in rows}
        return [item for item in items if not known & {item.key, *item.was}]

    def resolved(self, alert: str, items: Sequence[Item], now: datetime) -> list[Item]:
        """Return the open items that have been absent from `items` for RESOLVED_AFTER."""
        current = {item.key for item in items}
        rows = self.db.execute("select * from items where alert = ? and state = ?", (alert, OPEN)).fetchall()
        return [
            Item(row["key"], row["title"], row["detail"], row["link"])
            for row in rows
            if row["key"] not in current and now - as_moment(row["last_at"]) >= RESOLVED_AFTER
        ]

    def queue(
        self,
        rule: Rule,
        known: Iterable[Item],
        new: Sequence[Item],
        resolved: Sequence[Item],
        compose: Compose,
        now: datetime,
    ) -> int:
        """Store items and queue a message to each recipient, in one transaction; return the number of messages.

        Args:
            rule: the alert.
            known: items to store without reporting them.
            new: items to report.
            resolved: items to report as resolved.
            compose: returns subject and body, given a note on earlier messages that may not have arrived.
            now: the current time.
        """
        with transaction(self.db):
            for item in known:
                self._store(rule.name, item, KNOWN, now)
            for item in new:
                self._store(rule.name, item, OPEN, now, reported=True)
            for item in resolved:
                self.db.execute(
                    "update items set state = ? where alert = ? and key = ?", (RESOLVED, rule.name, item.key)
                )
            if not new and not resolved:
                return 0
            rows = [{"key": i.key, "title": i.title, "detail": i.detail, "link": i.link} for i in new]
            for target in rule.targets:
                subject, body = compose(self._note(rule.name, target.target_id))
                self.db.execute(
                    "insert into messages (message_id, alert, target_id, shown, made_at, subject, body, items, state, "
                    "next_try_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        uuid.uuid4().hex,
                        rule.name,
                        target.target_id,
                        target.shown,
                        as_text(now),
                        subject,
                        body,
                        json.dumps(rows, ensure_ascii=False),
                        WAITING,
                        as_text(now),
                    ),
                )
            return len(rule.targets)

    def _store(self, alert: str, item: Item, state: str, now: datetime, *, reported: bool = False) -> None:
        self.db.execute(
            "insert into items (alert, key, state, first_at, last_at, told_at, title, detail, link) "
            "values (?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict (alert, key) do update set last_at = excluded.last_at, "
            "state = case when items.state = 'over' then excluded.state else items.state end, "
            "told_at = coalesce(excluded.told_at, items.told_at), title = excluded.title, detail = excluded.detail, "
            "link = excluded.link",
            (
                alert,
                item.key,
                state,
                as_text(now),
                as_text(now),
                as_text(now) if reported else None,
                item.title,
                item.detail,
                item.link,
            ),
        )

    def _note(self, alert: str, target_id: str) -> str:
        rows = self.db.execute(
            "select message_id, subject, made_at from messages where alert = ? and target_id = ? and state in (?, ?) "
            "and not mentioned order by made_at",
            (alert, target_id, UNSURE, GIVEN_UP),
        ).fetchall()
        self.db.executemany(
            "update messages set mentioned = 1 where message_id = ?", [(r["message_id"],) for r in rows]
        )
        return "; ".join(f"“{row['subject']}” of {row['made_at'][:16].replace('T', ' ')} UTC" for row in rows)

    def due(self, now: datetime) -> list[Message]:
        """Return the messages to send now, oldest first. A clock that was set back delays none."""
        rows = self.db.execute(
            "select * from messages where state = ? and (next_try_at <= ? or next_try_at > ?) order by made_at, rowid",
            (WAITING, as_text(now), as_text(now + LONGEST_WAIT)),
        )
        return [_message(row) for row in rows.fetchall()]

    def mark_sending(self, message: Message) -> None:
        """Record that a message is about to be handed to the network."""
        self.db.execute(
            "update messages set state = ?, attempts = attempts + 1 where message_id = ?", (SENDING, message.message_id)
        )

    def mark_sent(self, message: Message, now: datetime) -> None:
        """Record that a message was accepted."""
        self._end(message, SENT, "", now)

    def mark_unsure(self, message: Message, why: str, now: datetime) -> None:
        """Record that a message may or may not have arrived."""
        self._end(message, UNSURE, why, now)

    def drop(self, message: Message, why: str, now: datetime) -> None:
        """Record that a message no longer has a recipient."""
        self._end(message, DROPPED, why, now)

    def mark_failed(self, message: Message, why: str, now: datetime) -> str:
        """Record that a message certainly did not arrive; return its new state, WAITING or GIVEN_UP."""
        if now - message.made_at >= GIVE_UP_AFTER:
            self._end(message, GIVEN_UP, why, now)
            return GIVEN_UP
        wait = min(FIRST_WAIT * 4 ** min(message.attempts, 8), LONGEST_WAIT)
        self.db.execute(
            "update messages set state = ?, next_try_at = ?, last_error = ? where message_id = ?",
            (WAITING, as_text(now + wait), why[:500], message.message_id),
        )
        return WAITING

    def resend(self, message_id: str, now: datetime) -> Message | None:
        """Queue an unsure or given-up message again at an editor's request; return None if there is no such message."""
        with transaction(self.db):
            self.db.execute(
                "update messages set state = ?, next_try_at = ?, made_at = ?, attempts = 0, ended_at = null "
                "where message_id like ? || '%' and state in (?, ?)",
                (WAITING, as_text(now), as_text(now), message_id, UNSURE, GIVEN_UP),
            )
            row = self.db.execute(
                "select * from messages where message_id like ? || '%' and state = ?", (message_id, WAITING)
            ).fetchone()
        return _message(row) if row else None

    def last(self, n: int) -> list[Message]:
        """Return the last `n` messages, newest first."""
        rows = self.db.execute("select * from messages order by made_at desc, rowid desc limit ?", (n,))
        return [_message(row) for row in rows.fetchall()]

    def counts(self) -> dict[str, dict[str, int]]:
        """Return the number of messages by alert and state."""
        found: dict[str, dict[str, int]] = {}
        for alert, state, n in self.db.execute("select alert, state, count(*) from messages group by 1, 2"):
            found.setdefault(alert, {})[state] = n
        return found

    def reported(self, alert: str, n: int) -> list[dict[str, Any]]:
        """Return the last `n` items that an alert reported, newest first."""
        rows = self.db.execute(
            "select * from items where alert = ? and told_at is not null order by told_at desc, key limit ?", (alert, n)
        )
        return [dict(row) for row in rows.fetchall()]

    def _end(self, message: Message, state: str, why: str, now: datetime) -> None:
        self.db.execute(
            "update messages set state = ?, ended_at = ?, last_error = ?, next_try_at = null where message_id = ?",
            (state, as_text(now), why[:500], message.message_id),
        )


def _message(row: sqlite3.Row) -> Message:
    return Message(
        row["message_id"],
        row["alert"],
        row["target_id"],
        row["shown"],
        as_moment(row["made_at"]),
        row["subject"],
        row["body"],
        tuple(json.loads(row["items"])),
        row["state"],
        row["attempts"],
        as_moment(row["next_try_at"]) if row["next_try_at"] else None,
        row["last_error"],
    )
