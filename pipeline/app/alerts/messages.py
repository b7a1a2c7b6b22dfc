"""The text of alert messages, and the Atom feed of each alert."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.app.alerts.outbox import Item
from pipeline.app.alerts.rules import CONTRADICTED, SOURCES, Rule
from pipeline.site.formats.atom import FORBIDDEN, Entry, urn, write_atom

MAX_ITEMS = 20  # listed in one message
MAX_ENTRIES = 100  # of a feed
_MAX_SUBJECT = 140  # characters


def compose(rule: Rule, new: Sequence[Item], resolved: Sequence[Item], filter_words: str, note: str) -> tuple[str, str]:
    """Return subject and text of a message.

    Args:
        rule: the alert.
        new: items to report.
        resolved: sources that have recovered.
        filter_words: the alert's filter in words, "" for none.
        note: earlier messages that may not have arrived, "" for none.
    """
    blocks = [
        f"Alert “{rule.name}”: {_count(rule, new, resolved)}." + (f" Filter: {filter_words}." if filter_words else "")
    ]
    for item in new[:MAX_ITEMS]:
        where = item.link or ("" if rule.watch == SOURCES else f"oversight event {item.key.partition(' ')[0]}")
        blocks.append("\n".join(filter(None, (item.title, item.detail, where))))
    if len(new) > MAX_ITEMS:
        blocks.append(f'And {len(new) - MAX_ITEMS} more; `oversight alerts told "{rule.name}"` lists them all.')
    for item in resolved[:MAX_ITEMS]:
        source, _, problem = item.title.partition(": ")
        blocks.append(f"No problem for a day: {source} (was: {problem})")
    if note:
        blocks.append(f"Earlier messages of this alert may not have reached you: {note}.")
    if rule.watch != SOURCES:
        blocks.append("Extracted automatically: check the quoted sentences before you use this.")
    first = (new or resolved)[0].title
    subject = first if len(new) + len(resolved) == 1 and new else _count(rule, new, resolved)
    subject = " ".join(FORBIDDEN.sub("", f"[{rule.name}] {subject}").split())
    if len(subject) > _MAX_SUBJECT:
        subject = subject[: _MAX_SUBJECT - 1].rstrip() + "…"
    return subject, FORBIDDEN.sub("", "\n\n".join(blocks)) + "\n"


def _count(rule: Rule, new: Sequence[Item], resolved: Sequence[Item]) -> str:
    n = len(new)
    if rule.watch == SOURCES:
        parts = [
            f"{n} source {'problem' if n == 1 else 'problems'}" if n else "",
            f"{len(resolved)} resolved" if resolved else "",
        ]
        return ", ".join(filter(None, parts))
    if rule.watch == CONTRADICTED:
        return f"{n} new {'contradiction' if n == 1 else 'contradictions'} between reports"
    return f"{n} new {'event' if n == 1 else 'events'}"


def write_feed(path: Path, rule: Rule, reported: Iterable[Mapping[str, Any]], since: str) -> bool:
    """Write the Atom feed of an alert atomically; return whether it changed. Entry ids never change."""
    entries = [
        Entry(
            id=urn(f"alert/{rule.name}\n{one['key']}\n{one['told_at']}"),
            title=one["title"],
            updated=one["told_at"],
            published=one["told_at"],
            summary=one["detail"],
            link=one["link"],
        )
        for one in reported
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
