"""Events come in, an Atom feed as bytes goes out."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from xml.etree import ElementTree as ET

from pipeline.site.text.words import TYPES, day_words, modality_words, span_words, support_words

ATOM = "http://www.w3.org/2005/Atom"
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")  # characters that XML 1.0 cannot hold


def entry_id(event_id: str) -> str:
    """Return the permanent id of an event's entry: it depends on the event alone, not on the host that serves it."""
    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, 'oversight-ledger/event/' + event_id)}"


def atom(
    title: str,
    self_url: str,
    page_url: str,
    base_url: str,
    events: Iterable[dict],
    built_at: str,
    steps: Mapping[str, Sequence[tuple[str, str]]] | None = None,
) -> bytes:
    """Return the feed. Entries' titles begin with the modality in words, so that no reader takes a plan for a fact.

    `events`: as following.changed_last() gives them; an entry is updated whenever a report, an edit or an editor
    changes the event.

    `steps`: event id -> (day of report, modality), what the reports had made of it by then, the earliest first.
    """
    feed = ET.Element("feed", xmlns=ATOM)  # declared by hand: registering a prefix would hold for the whole process
    _add(feed, "title", title)
    _add(feed, "id", f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, 'oversight-ledger/feed/' + title)}")
    _add(feed, "link", rel="self", href=self_url, type="application/atom+xml")
    _add(feed, "link", rel="alternate", href=page_url, type="text/html")
    _add(ET.SubElement(feed, "author"), "name", "Oversight Ledger")
    events = list(events)
    days = [_moment(event["updated_on"]) for event in events]
    _add(feed, "updated", max(days, default=_moment(built_at)))
    for event in events:
        words = modality_words(event["modality"])
        entry = ET.SubElement(feed, "entry")
        _add(entry, "title", f"{words.badge}: {event['summary']}")
        _add(entry, "id", entry_id(event["event_id"]))
        _add(entry, "link", rel="alternate", href=f"{base_url}/event/{event['event_id']}", type="text/html")
        _add(entry, "updated", _moment(event["updated_on"]))
        _add(entry, "published", _moment(event["first_reported_on"]))
        _add(entry, "category", term=event["type"], label=TYPES.get(event["type"], event["type"]))
        _add(entry, "summary", " ".join(_told(event, (steps or {}).get(event["event_id"], ()))))
    return ET.tostring(feed, encoding="utf-8", xml_declaration=True)


def _told(event: Mapping[str, Any], steps: Sequence[tuple[str, str]]) -> list[str]:
    """Return an entry's sentences: how sure it is, when, what stands behind it, and how it changed."""
    when = span_words(event["date_start"], event["date_end"], event["date_precision"])
    said = [
        modality_words(event["modality"]).meaning,
        f"When: {when}.",
        f"Support: {support_words(event['n_origins'], event['n_articles'])}.",
    ]
    if event["contradicted"]:
        said.append("Reports disagree about it.")
    if moved := steps[1:]:
        was = steps[0]
        told = [f"{modality_words(code).badge} (since the reports of {day_words(day)})" for day, code in moved]
        first = f"{modality_words(was[1]).badge} ({day_words(was[0]) or 'no date'})"
        said.append(f"How it changed: {first}, then {', then '.join(told)}.")
    if event["last_reported_on"] != event["first_reported_on"]:
        said.append(f"Latest report: {day_words(event['last_reported_on'])}.")
    return [*said, *event.get("notes", ())]


def _add(parent: ET.Element, name: str, text: str = "", **attributes: str) -> None:
    element = ET.SubElement(parent, name, attributes)
    element.text = _FORBIDDEN.sub("", text) or None


def _moment(day: str | None) -> str:
    if not day:
        return "1970-01-01T00:00:00Z"
    return f"{day}T00:00:00Z" if len(day) == 10 else day.replace("+00:00", "Z")
