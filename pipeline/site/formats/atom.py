"""Writes Atom feeds (RFC 4287): of events for the site, and of any entries for alerts."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET

from pipeline.site.text.formatting import day_words, span_words, support_words
from pipeline.site.text.labels import TYPES, modality_words

ATOM = "http://www.w3.org/2005/Atom"
FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")  # characters that XML 1.0 forbids, and DEL


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a feed. Times are ISO 8601 in UTC; `category` is (code, label)."""

    id: str
    title: str
    updated: str
    published: str
    summary: str
    link: str = ""
    category: tuple[str, str] | None = None


def urn(name: str) -> str:
    """Return a permanent id that depends on `name` only, not on the host that serves the feed."""
    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'oversight-ledger/{name}')}"


def write_atom(
    title: str, feed_id: str, updated: str, entries: Iterable[Entry], self_url: str = "", page_url: str = ""
) -> bytes:
    """Return a feed as XML.

    Args:
        title: Title of the feed.
        feed_id: Its permanent id.
        updated: When it last changed, ISO 8601 in UTC.
        entries: Its entries, newest first.
        self_url: Address of the feed, if it is served.
        page_url: Address of the page with the same content, if there is one.
    """
    feed = ET.Element("feed", xmlns=ATOM)  # not registered as a namespace: that would affect the whole process
    _add(feed, "title", title)
    _add(feed, "id", feed_id)
    if self_url:
        _add(feed, "link", rel="self", href=self_url, type="application/atom+xml")
    if page_url:
        _add(feed, "link", rel="alternate", href=page_url, type="text/html")
    _add(ET.SubElement(feed, "author"), "name", "Oversight Ledger")
    _add(feed, "updated", updated)
    for each in entries:
        entry = ET.SubElement(feed, "entry")
        _add(entry, "title", each.title)
        _add(entry, "id", each.id)
        if each.link:
            _add(entry, "link", rel="alternate", href=each.link, type="text/html")
        _add(entry, "updated", each.updated)
        _add(entry, "published", each.published)
        if each.category:
            _add(entry, "category", term=each.category[0], label=each.category[1])
        _add(entry, "summary", each.summary)
    return ET.tostring(feed, encoding="utf-8", xml_declaration=True)


def entry_id(event_id: str) -> str:
    """Return the permanent id of an event's entry."""
    return urn(f"event/{event_id}")


def event_feed(
    title: str,
    self_url: str,
    page_url: str,
    base_url: str,
    events: Iterable[dict],
    built_at: str,
    steps: Mapping[str, Sequence[tuple[str, str]]] | None = None,
) -> bytes:
    """Return a feed of events. Each title begins with the modality, so that a plan does not read as a fact.

    Args:
        title: Title of the feed.
        self_url: Address of the feed.
        page_url: Address of the page with the same events.
        base_url: Address of the site without a trailing slash.
        events: Rows of recent_changes.changed_last().
        built_at: When the snapshot was published, for a feed without events.
        steps: By event id, the (day, modality) steps of whats_new.steps(), earliest first.
    """
    entries = [
        Entry(
            id=entry_id(event["event_id"]),
            title=f"{modality_words(event['modality']).badge}: {event['summary']}",
            updated=_moment(event["updated_on"]),
            published=_moment(event["first_reported_on"]),
            summary=" ".join(_sentences(event, (steps or {}).get(event["event_id"], ()))),
            link=f"{base_url}/event/{event['event_id']}",
            category=(event["type"], TYPES.get(event["type"], event["type"])),
        )
        for event in events
    ]
    updated = max((entry.updated for entry in entries), default=_moment(built_at))
    return write_atom(title, urn(f"feed/{title}"), updated, entries, self_url, page_url)


def _sentences(event: Mapping[str, Any], steps: Sequence[tuple[str, str]]) -> list[str]:
    """Return an event's modality, date, support and changes as sentences."""
    when = span_words(event["date_start"], event["date_end"], event["date_precision"])
    found = [
        modality_words(event["modality"]).meaning,
        f"When: {when}.",
        f"Support: {support_words(event['n_origins'], event['n_articles'])}.",
    ]
    if event["contradicted"]:
        found.append("Reports disagree about it.")
    if later := steps[1:]:
        day, code = steps[0]
        changes = [f"{modality_words(code).badge} (since the reports of {day_words(day)})" for day, code in later]
        first = f"{modality_words(code).badge} ({day_words(day) or 'no date'})"
        found.append(f"How it changed: {first}, then {', then '.join(changes)}.")
    if event["last_reported_on"] != event["first_reported_on"]:
        found.append(f"Latest report: {day_words(event['last_reported_on'])}.")
    return [*found, *event.get("notes", ())]


def _add(parent: ET.Element, name: str, text: str = "", **attributes: str) -> None:
    element = ET.SubElement(parent, name, attributes)
    element.text = FORBIDDEN.sub("", text) or None


def _moment(day: str | None) -> str:
    if not day:
        return "1970-01-01T00:00:00Z"
    return f"{day}T00:00:00Z" if len(day) == 10 else day.replace("+00:00", "Z")
