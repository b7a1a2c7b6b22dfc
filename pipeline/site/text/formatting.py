"""Dates, counts and sizes in words, as the pages, the feeds and the command line print them."""

from __future__ import annotations

import re
from datetime import date

from pipeline.lexicon.months import MONTHS


def month_words(value: str) -> str:
    """Return "May 2026" for "2026-05"; anything else unchanged."""
    year, _, month = value.partition("-")
    if len(year) == 4 and month.isdigit() and 1 <= int(month) <= 12:
        return f"{MONTHS[int(month) - 1]} {year}"
    return value


def day_words(value: str | None) -> str:
    """Return "5 May 2026" for an ISO day or time; "" for none; anything else unchanged."""
    if not value:
        return ""
    try:
        day = date.fromisoformat(value[:10])
    except ValueError:
        return month_words(value)
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"


def with_day_words(text: str) -> str:
    """Return a text with its ISO days in words."""
    return re.sub(r"\b\d{4}-\d\d-\d\d\b", lambda match: day_words(match.group()), text)


def moment_words(value: str | None) -> str:
    """Return "5 May 2026, 14:30 UTC" for an ISO time in UTC; a day without a time stays a day."""
    if not value or len(value) < 16:
        return day_words(value)
    return f"{day_words(value)}, {value[11:16]} UTC"


def span_words(start: str | None, end: str | None, precision: str | None) -> str:
    """Return a date as precisely as it is known: "5 May 2026", "May 2026", "2026", "no date given"."""
    if not start:
        return "no date given"
    end = end or start
    if precision == "year":
        return start[:4]
    if precision == "quarter":
        return _three_months(start, end)
    if precision == "month":
        return month_words(start[:7])
    if precision == "week":
        return f"Week of {day_words(start)}"
    if start == end or precision in ("day", "minute"):
        return day_words(start)
    return f"{day_words(start)} to {day_words(end)}"


def _three_months(start: str, end: str) -> str:
    """Return "Third quarter of 2026", or "September to November 2026" for months that are not a calendar quarter."""
    month = int(start[5:7]) if start[5:7].isdigit() else 1
    if month % 3 == 1 and start[:4] == end[:4]:
        return f"{('First', 'Second', 'Third', 'Last')[month // 3]} quarter of {start[:4]}"
    first = month_words(start[:7])
    return f"{first.removesuffix(f' {end[:4]}')} to {month_words(end[:7])}"


def count_words(n: int, one: str, many: str = "") -> str:
    """Return "1 article", "3 articles", "1,204 articles"."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def size_words(n_bytes: int) -> str:
    """Return a file size: "640 kB", "3.3 MB", "1.2 GB"."""
    for unit, size in (("GB", 10**9), ("MB", 10**6)):
        if n_bytes >= size:
            return f"{n_bytes / size:.1f} {unit}"
    return f"{max(1, round(n_bytes / 1000))} kB"


def support_words(n_origins: int, n_articles: int) -> str:
    """Return an event's support: "2 independent origins (5 articles)"."""
    return f"{count_words(n_origins, 'independent origin')} ({count_words(n_articles, 'article')})"


def chance_words(confidence: float) -> str:
    """Return a confidence as a frequency: "87 in 100"."""
    return f"{round(100 * confidence)} in 100"
