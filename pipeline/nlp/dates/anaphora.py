"""Resolves time expressions that count from an earlier date: "eight days later", "the next month".

Each takes its day, month or year from the last date before it in the text, as precisely as both allow: "The order was
signed on August 3. Quillon sued eight days later and won the next month".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import timedelta

from pipeline.nlp.dates import calendar
from pipeline.records import DateSpan
from scrapers.items import Precision

_COUNT = calendar.COUNT_WORDS
_DAYS = {"day": 1, "week": 7, "fortnight": 14}
_SAME_MONTH = 8  # days; a sequel no later than this after an event "in May" is dated to May too
_OF_A_DAY = ("day", "morning", "afternoon", "evening", "night")
_TO_THE_DAY = (Precision.DAY, Precision.MINUTE)
_MAX_DISTANCE = 500  # characters between a date and an expression that counts from it
_RULES: tuple[tuple[str, re.Pattern], ...] = (
    (
        "shift",
        re.compile(
            rf"\b(?P<count>{_COUNT})\s+(?P<unit>day|week|fortnight|month|year)s?\s+(?P<way>later|earlier)\b", re.I
        ),
    ),
    ("next", re.compile(r"\b(?:the\s+(?:very\s+)?(?:next|following))\s+(?P<unit>day|week|month|year)\b", re.I)),
    ("before", re.compile(r"\b(?:the\s+)(?:previous|preceding)\s+(?P<unit>day|week|month|year)\b", re.I)),
    ("before", re.compile(r"\bthe\s+(?P<unit>day|week|month|year)\s+before(?=\s*(?:[.,;:)”\"]|$))", re.I)),
    (
        "same",
        re.compile(
            r"\b(?:that|the)\s+(?:very\s+|same\s+)?(?P<unit>day|morning|afternoon|evening|night|week|month|year)\b",
            re.I,
        ),
    ),
)
_OF_THAT_YEAR = re.compile(
    r"\s+(?:of\s+)?(?P<which>that|the\s+same|the\s+following|the\s+next|the\s+previous)\s+year\b"
)
Dated = tuple[int, int, DateSpan | None]  # start, end, value; None if the expression has none by itself


def linked(text: str, dated: Sequence[Dated]) -> list[Dated]:
    """Return the expressions of a text that count from an earlier one, in order, with their values.

    `dated` are its other expressions. Expressions without a date within _MAX_DISTANCE before them are left out, as are
    "the day" and "the year" without "same". One may count from another: "sued eight days later and won the next month".
    """
    matches = sorted(
        ((match, name) for name, pattern in _RULES for match in pattern.finditer(text)),
        key=lambda each: each[0].start(),
    )
    given = sorted(dated, key=lambda each: each[0])
    found: list[Dated] = []
    anchor: DateSpan | None = None
    day: DateSpan | None = None  # the last date with the precision of a day
    at, day_at, n = 0, 0, 0
    for match, name in matches:
        while n < len(given) and given[n][1] <= match.start():
            _, end, value = given[n]
            if value is not None:
                anchor, at = value, end
                day, day_at = (value, end) if value.precision in _TO_THE_DAY else (day, day_at)
            n += 1
        words = match[0].casefold()
        by_day = name == "same" and match["unit"].casefold() in _OF_A_DAY
        base, base_at = (day, day_at) if by_day else (anchor, at)
        if (
            base is None
            or match.start() - base_at > _MAX_DISTANCE
            or name == "same"
            and words.startswith("the ")
            and "same" not in words
        ):
            continue
        span = _READINGS[name](match, base)
        if span is not None:
            found.append((match.start(), match.end(), span))
            anchor, at = span, match.end()
            day, day_at = (span, at) if span.precision in _TO_THE_DAY else (day, day_at)
    return found


def month_of_that_year(text: str, end: int, month: DateSpan, before: Dated | None) -> tuple[int, DateSpan] | None:
    """Return the end and value of "October of that year", or None.

    Args:
        text: The text.
        end: The end of the month's name.
        month: The value of the month by itself.
        before: The last date before it.
    """
    match = _OF_THAT_YEAR.match(text, end)
    if match is None or before is None or before[2] is None or month.precision is not Precision.MONTH:
        return None
    if end - before[1] > _MAX_DISTANCE:
        return None
    which = match["which"].casefold()
    shift = 1 if which.endswith(("following", "next")) else -1 if which.endswith("previous") else 0
    return match.end(), calendar.month(before[2].start.year + shift, month.start.month)


def _moved(anchor: DateSpan, unit: str, n: int) -> DateSpan | None:
    """Return the time n units after a date, no more precise than the date and the unit."""
    day = anchor.precision in (Precision.DAY, Precision.MINUTE)
    if unit in _DAYS:
        days = n * _DAYS[unit]
        if not day:  # some days after "in May" it was most likely still May
            return anchor if anchor.precision is Precision.MONTH and 0 < days <= _SAME_MONTH else None
        return calendar.day(anchor.start + timedelta(days=days), "relative")
    if unit == "month":
        if not day and anchor.precision is not Precision.MONTH:
            return None
        months = anchor.start.year * 12 + anchor.start.month - 1 + n
        return calendar.month(months // 12, months % 12 + 1, "relative")
    return calendar.year(anchor.start.year + n, "relative")


def _shift(match: re.Match, anchor: DateSpan) -> DateSpan | None:
    n = calendar.number(match["count"]) * (1 if match["way"].casefold() == "later" else -1)
    return _moved(anchor, match["unit"].casefold(), n) if n else None


def _period(n: int) -> Callable[[re.Match, DateSpan], DateSpan | None]:
    def read(match: re.Match, anchor: DateSpan) -> DateSpan | None:
        unit = match["unit"].casefold()
        if unit != "week":
            return _moved(anchor, unit, n)
        if anchor.precision not in (Precision.DAY, Precision.MINUTE):
            return None
        return calendar.week(anchor.start + timedelta(days=7 * n))

    return read


def _same(match: re.Match, anchor: DateSpan) -> DateSpan | None:
    unit = match["unit"].casefold()
    if unit in _OF_A_DAY:
        return anchor if anchor.precision in _TO_THE_DAY else None
    if unit == "week" and anchor.precision in (Precision.DAY, Precision.MINUTE, Precision.WEEK):
        return calendar.week(anchor.start)
    if unit == "year":
        return calendar.year(anchor.start.year, "relative")
    if anchor.precision is Precision.YEAR or (anchor.start.year, anchor.start.month) != (
        anchor.end.year,
        anchor.end.month,
    ):
        return None
    return calendar.month(anchor.start.year, anchor.start.month, "relative")


_READINGS: dict[str, Callable[[re.Match, DateSpan], DateSpan | None]] = {
    "shift": _shift,
    "next": _period(1),
    "before": _period(-1),
    "same": _same,
}
