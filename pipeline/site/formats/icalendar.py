"""Writes upcoming days as a calendar file (iCalendar, RFC 5545).

All entries are whole-day events. Where only a month or longer is known, the entry lies on the last possible day and
its title says so. Open entries are tentative; those put off, called off or moved are cancelled.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, timedelta

from pipeline.site.text.labels import UPCOMING_KINDS, modality_words
from pipeline.site.text.status_text import latest_words, upcoming_state, upcoming_when

_STATUS = {"open": "TENTATIVE", "happened": "CONFIRMED"}
_COARSE = ("month", "quarter", "year")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")
WIDTH = 75  # octets in a line, without its end


def escaped(text: str) -> str:
    """Return a text as a TEXT value: special characters escaped, control characters removed."""
    text = _CONTROL.sub(" ", text.replace("\r\n", "\n").replace("\r", "\n"))
    return text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def folded(line: str) -> bytes:
    """Return a content line with its CRLF, folded at 75 octets without splitting a character."""
    pieces, rest, room = [], line, WIDTH
    while len(rest.encode()) > room:
        cut = room
        while len(rest[:cut].encode()) > room:
            cut -= 1
        pieces.append(rest[:cut])
        rest, room = rest[cut:], WIDTH - 1  # a continuation line begins with a space
    return "\r\n ".join([*pieces, rest]).encode() + b"\r\n"


def calendar(rows: Iterable[dict], title: str, base_url: str, day: str) -> bytes:
    """Return the calendar of some upcoming rows as of a day.

    UIDs depend on the row ids only, so they are the same on every host and in every snapshot.

    Args:
        rows: Rows of the table `upcoming` with `quote`, `source_title` and `published_on`.
        title: Name of the calendar.
        base_url: Address of the site without a trailing slash.
        day: ISO day from which the state of each row is seen.
    """
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Oversight Ledger//Upcoming//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{escaped(title)}",
        "REFRESH-INTERVAL;VALUE=DURATION:PT6H",
        "X-PUBLISHED-TTL:PT6H",
    ]
    for row in rows:
        lines += _entry(row, base_url, day)
    return b"".join(folded(line) for line in [*lines, "END:VCALENDAR"])


def _entry(row: dict, base_url: str, day: str) -> list[str]:
    coarse = row["due_precision"] in _COARSE
    first = row["due_end"] if coarse else row["due_start"]
    after = (date.fromisoformat(row["due_end"]) + timedelta(days=1)).isoformat()
    sure = "" if row["modality"] == "planned" else f" ({modality_words(row['modality']).badge.lower()})"
    limit = f"{latest_words(row['due_end'])}: " if coarse else ""
    state = upcoming_state(row, day)
    known = max(row["first_reported_on"], row["settled_on"] or "")
    url = f"{base_url}/event/{row['event_id']}"
    about = [
        f"{UPCOMING_KINDS.get(row['kind'], row['kind'])}, {upcoming_when(row)}. {state}",
        modality_words(row["modality"]).meaning,
        f"“{row['quote']}” {row['source_title']}, {row['published_on'] or 'no date'}",
        url,
    ]
    return [
        "BEGIN:VEVENT",
        f"UID:{row['upcoming_id']}@oversight-ledger",
        f"DTSTAMP:{known.replace('-', '')}T000000Z",
        f"DTSTART;VALUE=DATE:{first.replace('-', '')}",
        f"DTEND;VALUE=DATE:{after.replace('-', '')}",
        f"SUMMARY:{escaped((limit[:1].upper() + limit[1:]) + row['summary'] + sure)}",
        f"DESCRIPTION:{escaped(chr(10).join(about))}",
        f"URL:{url}",
        f"CATEGORIES:{escaped(UPCOMING_KINDS.get(row['kind'], row['kind']))}",
        f"STATUS:{_STATUS.get(row['fate'], 'CANCELLED')}",
        f"SEQUENCE:{0 if row['fate'] == 'open' else 1}",
        "TRANSP:TRANSPARENT",
        "END:VEVENT",
    ]
