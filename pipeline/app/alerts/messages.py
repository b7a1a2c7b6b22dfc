"""What an alert tells comes in; the subject and the text of its message, or its Atom feed, go out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.app.alerts.outbox import Item
from pipeline.app.alerts.rules import CONTRADICTED, SOURCES, Rule
from pipeline.site.formats.atom import FORBIDDEN, Entry, urn, write_atom

MOST_LISTED = 20
MOST_ENTRIES = 100
_LONGEST_SUBJECT = 140


def letter(rule: Rule, new: Sequence[Item], over: Sequence[Item], words: str, note: str) -> tuple[str, str]:
    """Return subject and text of a message. `words`: what the filter means; `note`: messages that may be lost."""
    blocks = [f"Alert “{rule.name}”: {_count(rule, new, over)}." + (f" Filter: {words}." if words else "")]
    for item in new[:MOST_LISTED]:
        where = item.link or ("" if rule.watch == SOURCES else f"oversight event {item.key.partition(' ')[0]}")
        blocks.append("\n".join(filter(None, (item.title, item.detail, where))))
    if len(new) > MOST_LISTED:
        blocks.append(f'And {len(new) - MOST_LISTED} more; `oversight alerts told "{rule.name}"` lists them all.')
    blocks += [f"Well again for a day: {item.title.partition(': ')[0]} (was: {item.title.partition(': ')[2]})"
               for item in over[:MOST_LISTED]]  # fmt: skip
    if note:
        blocks.append(f"Earlier messages of this alert may not have reached you: {note}.")
    if rule.watch != SOURCES:
        blocks.append("Read by a program: look at the sentence behind it before you use it.")
    first = (new or over)[0].title
    subject = first if len(new) + len(over) == 1 and new else _count(rule, new, over)
    subject = " ".join(FORBIDDEN.sub("", f"[{rule.name}] {subject}").split())
    if len(subject) > _LONGEST_SUBJECT:
        subject = subject[: _LONGEST_SUBJECT - 1].rstrip() + "…"
    return subject, FORBIDDEN.sub("", "\n\n".join(blocks)) + "\n"


def _count(rule: Rule, new: Sequence[Item], over: Sequence[Item]) -> str:
    n = len(new)
    if rule.watch == SOURCES:
        parts = [f"{n} {'sign' if n == 1 else 'signs'} of trouble with sources" if n else "",
                 f"{len(over)} well again" if over else ""]  # fmt: skip
        return ", ".join(filter(None, parts))
    if rule.watch == CONTRADICTED:
        return f"{n} new {'disagreement' if n == 1 else 'disagreements'} between reports"
    return f"{n} new {'event' if n == 1 else 'events'}"


def write_feed(path: Path, rule: Rule, told: Iterable[Mapping[str, Any]], since: str) -> bool:
    """Write the Atom feed of an alert, whole or not at all; return whether it changed. Ids hold for ever."""
    entries = [
        Entry(
            id=urn(f"alert/{rule.name}\n{one['key']}\n{one['told_at']}"),
            title=one["title"],
            updated=one["told_at"],
            published=one["told_at"],
            summary=one["detail"],
            link=one["link"],
        )
        for one in told
    ]
    updated = max((entry.updated for entry in entries), default=since)
    body = write_atom(f"Oversight Ledger: {rule.name}", urn(f"alert/{rule.name}"), updated, entries)
    if path.exists() and path.read_bytes() == body:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.write_bytes(body)
    os.replace(part, path)
    return True
