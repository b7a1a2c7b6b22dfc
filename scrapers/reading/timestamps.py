"""Parses timestamps in feeds and metadata."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

from scrapers.items import Precision

Moment = tuple[datetime, Precision]

_MONTH_NAMES = (
    "january", "february", "march", "april", "may", "june",
    "july", "august", "september", "october", "november", "december",
)  # fmt: skip
_MONTHS = {name: n for n, full in enumerate(_MONTH_NAMES, 1) for name in (full, full[:3])} | {"sept": 9}
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_DAY_FIRST = re.compile(rf"\b(\d{{1,2}})(?:st|nd|rd|th)?[\s.-]+(?:of\s+)?({_MONTH})\.?,?[\s-]+(\d{{4}})\b", re.I)
_MONTH_FIRST = re.compile(rf"\b({_MONTH})\.?\s+(\d{{1,2}})(?:st|nd|rd|th)?,?\s+(\d{{4}})\b", re.I)
_NUMBERS = re.compile(r"\b(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)")
_CLOCK = re.compile(r"\b(\d{1,2}):(\d{2})(?::\d{2})?\s*([ap])?\.?m?\b", re.I)
_OFFSET = re.compile(r"(?:GMT|UTC|Z|\d|\s)([+-])(\d{1,2}):?(\d{2})?\s*$")
_US_ZONES = {"est": -5, "edt": -4, "et": -5, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7, "pt": -8}
_ZONES = _US_ZONES | {"bst": 1, "cet": 1, "cest": 2}
_ZONE = re.compile(rf"\b({'|'.join(_ZONES)})\b", re.I)
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_LATEST_YEAR = 9000


def read_moment(written: object) -> Moment | None:
    """Return the time that a string or Unix time denotes, with the precision MINUTE or DAY; None if it is not a date.

    Accepts ISO 8601, RFC 822, Unix seconds and milliseconds, and English dates ("April 28, 2023 2:26 PM EDT").
    Times without an offset are in UTC. The offset is kept, so that a story of Friday evening in New York has the date
    of Friday. Exact midnight has the precision DAY. Years before 1990 are not dates.
    """
    if isinstance(written, bool) or written is None:
        return None
    if isinstance(written, int | float):
        return _unix(float(written))
    text = str(written).strip()
    if not 6 <= len(text) <= 120:
        return None
    if re.fullmatch(r"\d{10}(?:\d{3})?(?:\.\d+)?", text):
        return _unix(float(text))
    moment = _iso(text) or _rfc_822(text) or _english(text)
    return moment if moment and moment[0] >= _EARLIEST and moment[0].year < _LATEST_YEAR else None


def read_timestamp(written: object) -> datetime | None:
    """Return the time that read_moment() finds, without its precision."""
    moment = read_moment(written)
    return moment[0] if moment else None


def _unix(seconds: float) -> Moment | None:
    seconds = seconds / 1000 if seconds > 1e11 else seconds
    if not 6e8 < seconds < 1e11:
        return None
    return datetime.fromtimestamp(seconds, UTC), Precision.MINUTE


def _settle(moment: datetime, has_time: bool) -> Moment | None:
    """Return a time with its offset, UTC by default; a day, or exact midnight, has the precision DAY."""
    if not has_time or (moment.hour, moment.minute, moment.second, moment.microsecond) == (0, 0, 0, 0):
        return moment.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=UTC), Precision.DAY
    try:
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        moment.astimezone(UTC)
    except OverflowError:
        return None
    return moment, Precision.MINUTE


def _iso(text: str) -> Moment | None:
    if not re.match(r"\d{4}-?\d{2}-?\d{2}", text):
        return None
    compact = re.sub(r"\s*([+-]\d{2}:?\d{2}|Z)$", r"\1", text.replace(" UTC", "Z").replace(" GMT", "Z"))
    try:
        return _settle(datetime.fromisoformat(compact), bool(re.search(r"\d[T\s]\d", text)))
    except ValueError:
        return None


def _rfc_822(text: str) -> Moment | None:
    if not re.search(r"\d{1,2}\s+[A-Za-z]{3,9}\s+\d{2,4}\s+\d", text):
        return None
    try:
        return _settle(parsedate_to_datetime(text), True)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _english(text: str) -> Moment | None:
    if found := _DAY_FIRST.search(text):
        day, month, year = int(found[1]), _MONTHS[found[2].lower()], int(found[3])
    elif found := _MONTH_FIRST.search(text):
        day, month, year = int(found[2]), _MONTHS[found[1].lower()], int(found[3])
    elif found := _NUMBERS.search(text):
        year, month, day = int(found[1]), int(found[2]), int(found[3])
    else:
        return None
    rest = text[found.end() :] if _CLOCK.search(text, found.end()) else text[: found.start()]
    clock = _CLOCK.search(rest)
    hour, minute = (int(clock[1]), int(clock[2])) if clock else (0, 0)
    if clock and clock[3]:
        hour = hour % 12 + (12 if clock[3].lower() == "p" else 0)
    try:
        return _settle(datetime(year, month, day, hour, minute, tzinfo=_zone(rest)), bool(clock))
    except ValueError:
        return None


def _zone(text: str) -> timezone:
    if offset := _OFFSET.search(text):
        shift = timedelta(hours=int(offset[2]), minutes=int(offset[3] or 0))
        return timezone(shift if offset[1] == "+" else -shift) if shift < timedelta(hours=24) else UTC
    named = _ZONE.search(text)
    return timezone(timedelta(hours=_ZONES[named[1].lower()])) if named else UTC


def known_day(text: str | None) -> date | None:
    """Return the day of an ISO date or time, None for an empty text and for a year or month.

    Raises ValueError if the text is not an ISO date.
    """
    if not text or re.fullmatch(r"[12]\d{3}(?:-(?:0[1-9]|1[0-2]))?", text):
        return None
    return date.fromisoformat(text[:10])
