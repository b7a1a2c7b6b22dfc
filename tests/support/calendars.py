"""A strict reader of iCalendar files (RFC 5545)."""

from __future__ import annotations

import re
from datetime import date

_LINE = re.compile(r"([A-Z][A-Z0-9-]*)((?:;[A-Z-]+=[^:;,\"]+)*):(.*)", re.S)
_TEXT = {"SUMMARY", "DESCRIPTION", "CATEGORIES", "X-WR-CALNAME"}
_ONCE = ("UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "STATUS", "SEQUENCE", "URL")


def unescaped(value: str) -> str:
    """Return a TEXT value; AssertionError where a character stands that must be escaped, or an escape is unknown."""
    assert not re.search(r"(?<!\\)(?:\\\\)*[;,]", value), f"an unescaped comma or semicolon: {value}"
    assert not re.search(r"[\x00-\x08\x0a-\x1f\x7f]", value), f"a control character: {value!r}"
    assert re.fullmatch(r"(?:[^\\]|\\[\\;,nN])*", value), f"an unknown escape: {value}"
    return re.sub(r"\\(.)", lambda m: "\n" if m[1] in "nN" else m[1], value)


def read_calendar(body: bytes) -> list[dict[str, str]]:
    """Return the entries by property name; AssertionError names what breaks the standard."""
    assert body.endswith(b"\r\n") and b"\n" not in body.replace(b"\r\n", b""), "lines must end with CRLF"
    for raw in body.split(b"\r\n"):
        assert len(raw) <= 75, f"longer than 75 octets: {raw!r}"
        raw.decode()  # a fold must not cut a character
    lines = body.decode().replace("\r\n ", "").split("\r\n")[:-1]
    assert lines[0] == "BEGIN:VCALENDAR" and lines[-1] == "END:VCALENDAR"
    head = lines[1 : lines.index("BEGIN:VEVENT")] if "BEGIN:VEVENT" in lines else lines[1:-1]
    assert [line for line in head if line == "VERSION:2.0"] and [line for line in head if line.startswith("PRODID:")]
    entries, current = [], None
    for line in lines[1:-1]:
        found = _LINE.fullmatch(line)
        assert found, f"no content line: {line}"
        name, params, value = found[1], found[2], found[3]
        if (name, value) == ("BEGIN", "VEVENT"):
            assert current is None
            current = {}
        elif (name, value) == ("END", "VEVENT"):
            _check(current)
            entries.append(current)
            current = None
        elif current is not None:
            assert name not in current, f"{name} stands twice"
            current[name] = unescaped(value) if name in _TEXT else value
            assert not name.startswith("DTSTART") or params == ";VALUE=DATE"
    assert current is None
    uids = [entry["UID"] for entry in entries]
    assert len(uids) == len(set(uids)), "a UID stands twice"
    return entries


def _check(entry: dict[str, str]) -> None:
    for name in _ONCE:
        assert entry.get(name), f"{name} is missing: {entry}"
    assert re.fullmatch(r"\d{8}T\d{6}Z", entry["DTSTAMP"])
    assert entry["STATUS"] in ("TENTATIVE", "CONFIRMED", "CANCELLED")
    first, after = (date.fromisoformat(entry[name]) for name in ("DTSTART", "DTEND"))
    assert first < after, "an entry of whole days ends after it begins"
