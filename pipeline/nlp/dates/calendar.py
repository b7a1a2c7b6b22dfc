"""Calendar arithmetic: makes a DateSpan from the parts of a time expression and the day of publication."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable
from datetime import date, timedelta

from pipeline.lexicon.months import MONTHS
from pipeline.records import DateSpan
from scrapers.items import Precision

COUNT_WORDS = (
    r"(?:\d{1,3}|an?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|"
    r"seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|ninety|a\s+couple\s+of)"
)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_COUNTED = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty",
)  # fmt: skip
NUMBERS = {word: value for value, word in enumerate(_COUNTED)} | {
    "a": 1,
    "an": 1,
    "a couple of": 2,
    "forty": 40,
    "fifty": 50,
    "sixty": 60,
    "ninety": 90,
    "thirty": 30,
}
FIRST_YEAR, LAST_YEAR = 1900, 2100


def month_number(word: str) -> int:
    """Return 1 to 12 for "June", "Jun.", "sept"; 0 for any other word."""
    word = word.rstrip(".").capitalize()
    return next((n for n, name in enumerate(MONTHS, 1) if len(word) >= 3 and name.startswith(word)), 0)


def weekday_number(word: str) -> int:
    """Return 0 (Monday) to 6 for "Friday", "Fri."; -1 for any other word."""
    word = word.rstrip(".").casefold()
    return next((n for n, name in enumerate(WEEKDAYS) if len(word) >= 3 and name.startswith(word)), -1)


def number(word: str) -> int:
    """Return the value of "3", "three" or "a couple of"; 0 for any other word."""
    word = " ".join(word.casefold().split())
    return int(word) if word.isdigit() and len(word) < 6 else NUMBERS.get(word, 0)


def day(at: date, basis: str) -> DateSpan:
    return DateSpan(at, at, Precision.DAY, basis)


def calendar_day(year: int, month: int, day_: int, basis: str = "stated") -> DateSpan | None:
    """Return one day, or None if the calendar has no such day."""
    try:
        return day(date(year, month, day_), basis) if FIRST_YEAR <= year <= LAST_YEAR else None
    except ValueError:
        return None


def month(year: int, month_: int, basis: str = "stated") -> DateSpan:
    """Return a month; a `month_` outside 1 to 12 is in a neighbouring year."""
    year, month_ = year + (month_ - 1) // 12, (month_ - 1) % 12 + 1
    return DateSpan(date(year, month_, 1), date(year, month_, monthrange(year, month_)[1]), Precision.MONTH, basis)


def part_of_month(year: int, month_: int, part: str, basis: str = "stated") -> DateSpan:
    """Return the early, middle or late days of a month; its precision stays MONTH."""
    whole = month(year, month_, basis)
    first, last = {"early": (1, 10), "mid": (11, 20), "late": (21, whole.end.day), "end": (21, whole.end.day)}[part]
    return DateSpan(whole.start.replace(day=first), whole.start.replace(day=last), Precision.MONTH, basis)


def year(year_: int, basis: str = "stated") -> DateSpan:
    return DateSpan(date(year_, 1, 1), date(year_, 12, 31), Precision.YEAR, basis)


def part_of_year(year_: int, part: str, basis: str = "stated") -> DateSpan:
    """Return the early, middle or late months of a year; its precision stays YEAR."""
    first, last = {
        "early": (1, 4),
        "mid": (5, 8),
        "late": (9, 12),
        "end": (10, 12),
        "first": (1, 6),
        "second": (7, 12),
    }[part]
    return DateSpan(month(year_, first).start, month(year_, last).end, Precision.YEAR, basis)


def quarter(year_: int, number_: int, basis: str = "stated") -> DateSpan:
    """Return a quarter; a `number_` outside 1 to 4 is in a neighbouring year."""
    first = (number_ - 1) * 3 + 1
    return DateSpan(month(year_, first).start, month(year_, first + 2).end, Precision.QUARTER, basis)


def season(year_: int, name: str, basis: str = "stated") -> DateSpan:
    """Return a meteorological season of the northern hemisphere; the winter is the one that begins in `year_`."""
    first = {"spring": 3, "summer": 6, "fall": 9, "autumn": 9, "winter": 12}[name]
    return DateSpan(month(year_, first).start, month(year_, first + 2).end, Precision.QUARTER, basis)


def week(of: date, basis: str = "relative") -> DateSpan:
    """Return the week, Monday to Sunday, cut to the month with most of its days: a week dates an event to a month."""
    monday = of - timedelta(days=of.weekday())
    days = [monday + timedelta(days=n) for n in range(7)]
    main = (days[3].year, days[3].month)
    days = [each for each in days if (each.year, each.month) == main]
    return DateSpan(days[0], days[-1], Precision.WEEK, basis)


def last_weekday(name: int, published: date, before: bool = False) -> date:
    """Return the latest such weekday up to the publication day (`before`: not that day itself)."""
    back = (published.weekday() - name) % 7
    return published - timedelta(days=back or (7 if before else 0))


def next_weekday(name: int, published: date, after: bool = False) -> date:
    """Return the first such weekday from the publication day on (`after`: not that day itself)."""
    ahead = (name - published.weekday()) % 7
    return published + timedelta(days=ahead or (7 if after else 0))


def either_way(
    published: date | None, make: Callable[[int], DateSpan | None]
) -> tuple[DateSpan | None, DateSpan | None]:
    """Return the past and the future reading of an expression without a year.

    They are the latest span that had begun by the day of publication and the first one not yet over.
    """
    if published is None:
        return None, None
    candidates = [span for offset in range(-4, 5) if (span := make(published.year + offset)) is not None]
    past = [span for span in candidates if span.start <= published]
    ahead = [span for span in candidates if span.end >= published]
    return (past[-1] if past else None), (ahead[0] if ahead else None)


def nth_weekday(year_: int, month_: int, name: int, nth: int) -> date:
    """Return the nth such weekday of a month, or the last one if nth is -1."""
    whole = month(year_, month_)
    if nth < 0:
        return last_weekday(name, whole.end)
    return next_weekday(name, whole.start) + timedelta(weeks=nth - 1)
