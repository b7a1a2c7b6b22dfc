"""What there is to tell comes in; messages that still have to go out, each at most once, go out. Kept in alerts.db.

What an alert has told and the message that tells it are entered in one transaction. Before a message is handed to the
network its row says `sending`, on the disk; after it, `sent`. A program that was killed in between leaves a row that is
neither: nobody knows whether the message arrived. It becomes `unsure`, is not sent again by itself, and the next
message to the same recipient says so. What certainly did not arrive is tried again, ever more seldom, for three days.
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
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=6)
TRIED_FOR = timedelta(days=3)
WELL_AFTER = timedelta(days=1)  # trouble that is gone for so long is over; sooner it may only flicker

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
# An item is `known` (it stood before the alert did, or its event went into another), `open` or `over`.
KNOWN, OPEN, OVER = "known", "open", "over"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that an alert can tell. `key`: what must never be told twice; `was`: keys that it went by before."""

    key: str
    title: str
    detail: str
    link: str = ""
    was: tuple[str, ...] = ()


Letter = Callable[[str], tuple[str, str]]  # a note -> subject and body


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one recipient."""

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
    """The memory of all alerts of one ledger. Only the holder of the ledger's lock may write."""

    def __init__(self, path: Path) -> None:
        self.db = sqlite3.connect(path, isolation_level=None, timeout=30)
        self.db.row_factory = sqlite3.Row
        self.db.execute("pragma journal_mode = wal")
        self.db.execute("pragma synchronous = full")  # `sending` must be on the disk before anything is sent
        with transaction(self.db):
            for statement in _TABLES.split(";"):
                self.db.execute(statement)

    def close(self) -> None:
        """Close the file; its write-ahead log is folded into it."""
        self.db.execute("pragma wal_checkpoint(truncate)")
        self.db.close()

    def settle(self, now: datetime) -> int:
        """Call what a killed program was about to send unsure; return how many messages."""
        words = "the program was stopped while it was being sent"
        with transaction(self.db):
            return self.db.execute(
                "update messages set state = ?, ended_at = ?, last_error = ? where state = ?",
                (UNSURE, as_text(now), words, SENDING),
            ).rowcount

    def is_new(self, rule: Rule) -> bool:
        """Tell whether an alert is looked at for the first time, or watches something else than before."""
        row = self.db.execute("select definition from alerts where alert = ?", (rule.name,)).fetchone()
        return row is None or row["definition"] != rule.definition

    def begin(self, rule: Rule, items: Iterable[Item], now: datetime) -> None:
        """Take everything that stands already as known: an alert tells what comes after it was set up."""
        with transaction(self.db):
            self.db.execute(
                "insert into alerts values (?, ?, ?) on conflict (alert) do update set "
                "definition = excluded.definition, since = excluded.since",
                (rule.name, rule.definition, as_text(now)),
            )
            for item in items:
                self._enter(rule.name, item, KNOWN, now)

    def unknown(self, alert: str, items: Sequence[Item]) -> list[Item]:
        """Return the items that this alert has not told; one whose event was joined from known ones is none."""
        known = {row[0] for row in self.db.execute("select key from items where alert = ? and state <> ?",
                                                   (alert, OVER))}  # fmt: skip
        return [item for item in items if not known & {item.key, *item.was}]

    def over(self, alert: str, items: Sequence[Item], now: datetime) -> list[Item]:
        """Return, as items to tell, the open ones that are gone for a day; for things that can be well again."""
        here = {item.key for item in items}
        rows = self.db.execute("select * from items where alert = ? and state = ?", (alert, OPEN)).fetchall()
        return [
            Item(row["key"], row["title"], row["detail"], row["link"]) for row in rows
            if row["key"] not in here and now - as_moment(row["last_at"]) >= WELL_AFTER
        ]  # fmt: skip

    def tell(
        self,
        rule: Rule,
        known: Iterable[Item],
        new: Sequence[Item],
        over: Sequence[Item],
        letter: Letter,
        now: datetime,
    ) -> int:
        """Enter what is new with the messages that tell it, all or nothing; return how many messages.

        `known`: what is seen, but not told. `letter(note)` makes subject and body; `note` says which earlier message
        may not have arrived, "" for none.
        """
        with transaction(self.db):
            for item in known:
                self._enter(rule.name, item, KNOWN, now)
            for item in new:
                self._enter(rule.name, item, OPEN, now, told=True)
            for item in over:
                self.db.execute("update items set state = ? where alert = ? and key = ?", (OVER, rule.name, item.key))
            if not new and not over:
                return 0
            rows = [{"key": i.key, "title": i.title, "detail": i.detail, "link": i.link} for i in new]
            for target in rule.targets:
                subject, body = letter(self._note(rule.name, target.target_id))
                self.db.execute(
                    "insert into messages (message_id, alert, target_id, shown, made_at, subject, body, items, state, "
                    "next_try_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        *(uuid.uuid4().hex, rule.name, target.target_id, target.shown, as_text(now), subject, body),
                        *(json.dumps(rows, ensure_ascii=False), WAITING, as_text(now)),
                    ),
                )
            return len(rule.targets)

    def _enter(self, alert: str, item: Item, state: str, now: datetime, *, told: bool = False) -> None:
        self.db.execute(
            "insert into items (alert, key, state, first_at, last_at, told_at, title, detail, link) "
            "values (?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict (alert, key) do update set last_at = excluded.last_at, "
            "state = case when items.state = 'over' then excluded.state else items.state end, "
            "told_at = coalesce(excluded.told_at, items.told_at), title = excluded.title, detail = excluded.detail, "
            "link = excluded.link",
            (alert, item.key, state, as_text(now), as_text(now), as_text(now) if told else None, item.title,
             item.detail, item.link),
        )  # fmt: skip

    def _note(self, alert: str, target_id: str) -> str:
        rows = self.db.execute(
            "select message_id, subject, made_at from messages where alert = ? and target_id = ? and state in (?, ?) "
            "and not mentioned order by made_at", (alert, target_id, UNSURE, GIVEN_UP),
        ).fetchall()  # fmt: skip
        self.db.executemany(
            "update messages set mentioned = 1 where message_id = ?", [(r["message_id"],) for r in rows]
        )
        return "; ".join(f"“{row['subject']}” of {row['made_at'][:16].replace('T', ' ')} UTC" for row in rows)

    def due(self, now: datetime) -> list[Message]:
        """Return what is to be sent now, the oldest first. A clock that was set back puts nothing off."""
        rows = self.db.execute(
            "select * from messages where state = ? and (next_try_at <= ? or next_try_at > ?) order by made_at, rowid",
            (WAITING, as_text(now), as_text(now + LONGEST_WAIT)),
        )
        return [_message(row) for row in rows.fetchall()]

    def sending(self, message: Message) -> None:
        """Note that a message is handed to the network from now on."""
        self.db.execute("update messages set state = ?, attempts = attempts + 1 where message_id = ?",
                        (SENDING, message.message_id))  # fmt: skip

    def sent(self, message: Message, now: datetime) -> None:
        """Note that a message was accepted."""
        self._end(message, SENT, "", now)

    def unsure(self, message: Message, why: str, now: datetime) -> None:
        """Note that nobody knows whether a message arrived."""
        self._end(message, UNSURE, why, now)

    def drop(self, message: Message, why: str, now: datetime) -> None:
        """Note that a message has no recipient any more."""
        self._end(message, DROPPED, why, now)

    def failed(self, message: Message, why: str, now: datetime) -> str:
        """Note that a message certainly did not arrive; return its state: waiting for its next turn, or given up."""
        if now - message.made_at >= TRIED_FOR:
            self._end(message, GIVEN_UP, why, now)
            return GIVEN_UP
        wait = min(FIRST_WAIT * 4 ** min(message.attempts, 8), LONGEST_WAIT)
        self.db.execute("update messages set state = ?, next_try_at = ?, last_error = ? where message_id = ?",
                        (WAITING, as_text(now + wait), why[:500], message.message_id))  # fmt: skip
        return WAITING

    def resend(self, message_id: str, now: datetime) -> Message | None:
        """Let a message that is unsure or given up wait again, because an editor asks for it; None where none is."""
        with transaction(self.db):
            self.db.execute(
                "update messages set state = ?, next_try_at = ?, made_at = ?, attempts = 0, ended_at = null "
                "where message_id like ? || '%' and state in (?, ?)",
                (WAITING, as_text(now), as_text(now), message_id, UNSURE, GIVEN_UP),
            )
            row = self.db.execute("select * from messages where message_id like ? || '%' and state = ?",
                                  (message_id, WAITING)).fetchone()  # fmt: skip
        return _message(row) if row else None

    def last(self, n: int) -> list[Message]:
        """Return the last messages, the newest first."""
        rows = self.db.execute("select * from messages order by made_at desc, rowid desc limit ?", (n,))
        return [_message(row) for row in rows.fetchall()]

    def counts(self) -> dict[str, dict[str, int]]:
        """Return how many messages of each alert are in each state."""
        found: dict[str, dict[str, int]] = {}
        for alert, state, n in self.db.execute("select alert, state, count(*) from messages group by 1, 2"):
            found.setdefault(alert, {})[state] = n
        return found

    def told(self, alert: str, n: int) -> list[dict[str, Any]]:
        """Return the items that an alert told last, the newest first."""
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
        row["message_id"], row["alert"], row["target_id"], row["shown"], as_moment(row["made_at"]), row["subject"],
        row["body"], tuple(json.loads(row["items"])), row["state"], row["attempts"],
        as_moment(row["next_try_at"]) if row["next_try_at"] else None, row["last_error"],
    )  # fmt: skip
