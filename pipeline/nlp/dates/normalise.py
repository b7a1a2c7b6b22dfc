"""Gives time expressions their values: a past and a future reading, each a DateSpan.

Each function takes the match of one rule of `expressions`, whose groups it uses, and the day of publication.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

from pipeline.nlp.dates import calendar
from pipeline.records import DateSpan
from scrapers.items import Precision

_RECENT_DAYS = 15  # how far back "recently" reaches

Readings = tuple[DateSpan | None, DateSpan | None]  # past, future


def _day_of(text: str) -> int:
    """Return the number of a day: 2 for "2nd"."""
    return int(text.rstrip("stndrh"))


def day_month(match: re.Match, published: date | None) -> Readings:
    month, day = calendar.month_number(match["month"]), _day_of(match["day"])
    if match["year"]:
        return (calendar.calendar_day(int(match["year"]), month, day),) * 2
    return calendar.either_way(published, lambda year: calendar.calendar_day(year, month, day))


def day_range(match: re.Match, published: date | None) -> Readings:
    first_month = calendar.month_number(match["month"])
    last_month = calendar.month_number(match["month2"]) if match["month2"] else first_month
    days = [_day_of(match[name]) for name in ("day", "day2")]

    def make(year: int) -> DateSpan | None:
        first = calendar.calendar_day(year, first_month, days[0])
        last = calendar.calendar_day(year, last_month, days[1])
        if first is None or last is None or last.end < first.start:
            return None
        precision = Precision.WEEK if (last.end - first.start).days < 7 else Precision.MONTH
        return DateSpan(first.start, last.end, precision, "stated")

    return (make(int(match["year"])),) * 2 if match["year"] else calendar.either_way(published, make)


def iso(match: re.Match, _: date | None) -> Readings:
    return (calendar.calendar_day(int(match["year"]), int(match["month"]), int(match["day"])),) * 2


def slashed(match: re.Match, _: date | None) -> Readings:
    """Read 25/03/2026 and 03/25/2026; 12/03/2026 could be either day, so only its year is certain."""
    one, two, year = int(match["one"]), int(match["two"]), int(match["year"])
    found = {
        span
        for day, month in ((one, two), (two, one))
        if month <= 12 and (span := calendar.calendar_day(year, month, day)) is not None
    }
    if not found:
        return None, None
    return (found.pop() if len(found) == 1 else calendar.year(year),) * 2


_PARTS = {
    "earl": "early",
    "begi": "early",
    "star": "early",
    "mid": "mid",
    "midd": "mid",
    "late": "late",
    "end": "end",
    "clos": "end",
}


def part_named(word: str | None) -> str | None:
    """Return "early", "mid", "late" or "end" for "beginning of", "mid", "the end of"; None for any other word."""
    first = (word or "").casefold().removeprefix("the").strip()
    return next((part for stem, part in _PARTS.items() if first.startswith(stem)), None)


def month_of_year(match: re.Match, published: date | None) -> Readings:
    month, part = calendar.month_number(match["month"]), part_named(match["part"])

    def make(year: int) -> DateSpan:
        return calendar.part_of_month(year, month, part) if part else calendar.month(year, month)

    if match["year"] and match["year"].isdigit():
        return (make(int(match["year"])),) * 2
    if match["year"]:
        return _of_named_year(match["year"].casefold(), make, published)
    which = (match["which"] or "").casefold()
    past, ahead = calendar.either_way(published, make)
    if which:
        # In July 2026, "last June" is June 2026; in June 2026, it is June 2025.
        if published and which == "last" and past and past.end >= published:
            past = make(past.start.year - 1)
        if published and which == "next" and ahead and ahead.start <= published:
            ahead = make(ahead.start.year + 1)
        past, ahead = (past, past) if which == "last" else (ahead, ahead)
        if which == "this" and published:
            past = ahead = make(published.year)
        past, ahead = (replace(each, basis="relative") if each else None for each in (past, ahead))
    return past, ahead


def _of_named_year(year: str, make: Callable[[int], DateSpan], published: date | None) -> Readings:
    """Read "August of last year"."""
    if not published:
        return None, None
    shift = next((n for word, n in (("last", -1), ("past", -1), ("next", 1), ("coming", 1)) if word in year), 0)
    return (replace(make(published.year + shift), basis="relative"),) * 2


def plain_year(match: re.Match, _: date | None) -> Readings:
    year, part = int(match["year"]), part_named(match["part"])
    return (calendar.part_of_year(year, part) if part else calendar.year(year),) * 2


def year_range(match: re.Match, _: date | None) -> Readings:
    first, last = calendar.year(int(match["year"])), calendar.year(int(match["year2"]))
    return (replace(first, end=last.end),) * 2 if last.end > first.end else (None, None)


def quarter(match: re.Match, published: date | None) -> Readings:
    words = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": 4}
    digit = match["digit"] or match["digit2"]
    number = int(digit) if digit else words[match["word"].casefold()]
    half = bool(match["half"])

    def make(year: int) -> DateSpan:
        return (
            calendar.part_of_year(year, "first" if number == 1 else "second")
            if half
            else calendar.quarter(year, number)
        )

    return (make(int(match["year"])),) * 2 if match["year"] else calendar.either_way(published, make)


def season(match: re.Match, published: date | None) -> Readings:
    name, which = match["season"].casefold(), (match["which"] or "").casefold()
    if match["year"]:
        return (calendar.season(int(match["year"]), name),) * 2
    past, ahead = calendar.either_way(published, lambda year: calendar.season(year, name, "relative"))
    if which == "last" and published and past and past.end >= published:
        past = calendar.season(past.start.year - 1, name, "relative")
    if which == "this" and published and past and past.start.year < published.year and name != "winter":
        past = ahead
    if which == "next" and published and ahead and ahead.start <= published:
        ahead = calendar.season(ahead.start.year + 1, name, "relative")
    return (past, past) if which == "last" else (ahead, ahead) if which == "next" else (past, ahead)


def near_day(match: re.Match, published: date | None) -> Readings:
    word = match["word"].casefold()
    offset = -1 if word.startswith(("yesterday", "last")) else 1 if word.startswith("tomorrow") else 0
    return (calendar.day(published + timedelta(days=offset), "relative"),) * 2 if published else (None, None)


def weekday(match: re.Match, published: date | None) -> Readings:
    if not published:
        return None, None
    name, which = calendar.weekday_number(match["weekday"]), (match["which"] or "").casefold()
    # On a Friday, "on Friday" is the same day; "last Friday" and "next Friday" are a week away.
    back = calendar.day(calendar.last_weekday(name, published, before=which in ("last", "past")), "relative")
    ahead = calendar.day(calendar.next_weekday(name, published, after=which in ("next", "coming")), "relative")
    if which in ("last", "past"):
        return back, back
    return (ahead, ahead) if which in ("next", "coming") else (back, ahead)


def weekend(match: re.Match, published: date | None) -> Readings:
    if not published:
        return None, None
    which = (match["which"] or "").casefold()
    back = calendar.last_weekday(5, published, before=which == "last" and published.weekday() < 5)
    ahead = calendar.next_weekday(5, published)
    both = [replace(calendar.week(day), start=day, end=day + timedelta(days=1)) for day in (back, ahead)]
    return (both[0],) * 2 if which == "last" else (both[1],) * 2 if which in ("next", "coming") else (both[0], both[1])


def period(match: re.Match, published: date | None) -> Readings:
    """Read "last week", "this month", "next year", "the current quarter"; a week is cut to its month."""
    if not published:
        return None, None
    which, unit = match["which"].casefold(), match["unit"].casefold()
    offset = (
        -1 if which in ("last", "past", "previous", "prior") else 1 if which in ("next", "coming", "following") else 0
    )
    made = _whole(unit, published, offset)
    return made, made


def _whole(unit: str, published: date, offset: int) -> DateSpan:
    """Return the week, month, quarter or year of the publication, shifted by `offset` units."""
    if unit == "week":
        return calendar.week(published + timedelta(weeks=offset))
    if unit == "month":
        return calendar.month(published.year, published.month + offset, "relative")
    if unit == "quarter":
        return calendar.quarter(published.year, (published.month - 1) // 3 + 1 + offset, "relative")
    return calendar.year(published.year + offset, "relative")


def end_of_period(match: re.Match, published: date | None) -> Readings:
    """Read "the end of the year" as its last months; the end of a month or week keeps the precision of the month."""
    if not published:
        return None, None
    which, unit, part = (match["which"] or "").casefold(), match["unit"].casefold(), part_named(match["part"])
    offset = -1 if which == "last" else 1 if which == "next" else 0
    if part is None:  # "in the course of the year"
        made = _whole(unit, published, offset)
    elif unit == "year":
        made = calendar.part_of_year(published.year + offset, part, "relative")
    elif unit == "month":
        whole = calendar.month(published.year, published.month + offset)
        made = calendar.part_of_month(whole.start.year, whole.start.month, part, "relative")
    else:
        made = calendar.week(published + timedelta(weeks=offset))
    return made, made


def ago(match: re.Match, published: date | None) -> Readings:
    count, unit = calendar.number(match["count"]), match["unit"].casefold()
    if not published or not 0 < count < 1000:
        return None, None
    if unit == "hour":
        made = calendar.day(published, "relative") if count < 12 else None
    elif unit == "day":
        made = calendar.day(published - timedelta(days=count), "relative")
    elif unit in ("week", "fortnight"):
        made = calendar.week(published - timedelta(weeks=count * (2 if unit == "fortnight" else 1)))
    elif unit == "month":
        made = calendar.month(published.year, published.month - count, "relative")
    else:
        made = calendar.year(max(published.year - count, calendar.FIRST_YEAR), "relative")
    return made, made


def vague_weeks(match: re.Match, published: date | None) -> Readings:
    """Read "in recent weeks" as the month of publication; "in recent months" and longer have no value."""
    if not published or match["unit"].casefold() in ("month", "year"):
        return None, None
    return (calendar.month(published.year, published.month, "relative"),) * 2


def recently(_: re.Match, published: date | None) -> Readings:
    """Read "recently" as the month of publication, unless it has only just begun."""
    if not published or published.day < _RECENT_DAYS:
        return None, None
    return (calendar.month(published.year, published.month, "relative"),) * 2


def soon(match: re.Match, published: date | None) -> Readings:
    """Read "in the coming weeks", "in the months ahead" as a span from the publication on."""
    if not published:
        return None, None
    unit = (match["unit"] or match["unit2"]).casefold().removesuffix("s")
    days = {"day": 7, "week": 42, "month": 183}[unit]
    precision = Precision.WEEK if days == 7 else Precision.MONTH
    return (DateSpan(published, published + timedelta(days=days), precision, "relative"),) * 2


_HOLIDAYS: dict[str, Callable[[int], date]] = {
    "new year's day": lambda year: date(year, 1, 1),
    "new year's eve": lambda year: date(year, 12, 31),
    "christmas eve": lambda year: date(year, 12, 24),
    "christmas day": lambda year: date(year, 12, 25),
    "christmas": lambda year: date(year, 12, 25),
    "independence day": lambda year: date(year, 7, 4),
    "fourth of july": lambda year: date(year, 7, 4),
    "halloween": lambda year: date(year, 10, 31),
    "juneteenth": lambda year: date(year, 6, 19),
    "labor day": lambda year: calendar.nth_weekday(year, 9, 0, 1),
    "memorial day": lambda year: calendar.nth_weekday(year, 5, 0, -1),
    "thanksgiving": lambda year: calendar.nth_weekday(year, 11, 3, 4),
}


def holiday(match: re.Match, published: date | None) -> Readings:
    make = _HOLIDAYS[match["name"].casefold().replace("’", "'")]
    if match["year"]:
        return (calendar.day(make(int(match["year"])), "stated"),) * 2
    return calendar.either_way(published, lambda year: calendar.day(make(year), "stated"))


def duration(_: re.Match, __: date | None) -> Readings:
    """Return no reading: "within 30 days" is not a date."""
    return None, None
