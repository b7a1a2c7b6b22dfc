"""A text and its publication day come in; out go its time expressions with what they mean.

Own rules, because no library returns how fine a date is known: "June" is a month, "last week" dates to a month at best,
"within 30 days" is no date at all. A bare weekday or a date without a year has two readings, one back and one ahead.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta

from pipeline import dayspans as spans
from pipeline.records import DateSpan
from scrapers.records import Precision


@dataclass(frozen=True, slots=True)
class DateMention:
    """A time expression at text[start:end].

    `span` is what it means, read back from the publication day where it is open ("Friday", "June 2"), `ahead` the
    reading forward. Both are None where nothing can be said (no publication day) and for durations ("within 30 days",
    "three days later").
    """

    start: int
    end: int
    span: DateSpan | None
    is_duration: bool = False
    ahead: DateSpan | None = None


Readings = tuple[DateSpan | None, DateSpan | None]
_MONTH = (
    r"(?:Jan(?:uary|\.)?|Feb(?:ruary|\.)?|Mar(?:ch|\.)|Apr(?:il|\.)?|May|Jun(?:e|\.)|Jul(?:y|\.)|Aug(?:ust|\.)?|"
    r"Sept?(?:ember|\.)?|Oct(?:ober|\.)?|Nov(?:ember|\.)?|Dec(?:ember|\.)?)"
)
_LONG_MONTH = "(?:" + "|".join(name.capitalize() for name in spans.MONTHS) + ")"
_DAY = r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?"
_YEAR = r"(?:19|20)\d\d"
_WEEKDAY = r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
_SHORT_WEEKDAY = rf"(?:{_WEEKDAY}|(?:Mon|Tues?|Wed|Thurs?|Thu|Fri|Sat|Sun)\.)"
_COUNT = r"(?:\d{1,3}|an?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|a\s+couple\s+of|thirty|twenty)"
_VAGUE = r"(?:several|(?:a\s+)?few|many|some)"
_UNIT = r"(?:hour|day|week|month|year)"
_DASH = r"\s*(?:-|–|—|to|through|until|and)\s*"


def _day_month(match: re.Match, published: date | None) -> Readings:
    month, day = spans.month_number(match["month"]), int(re.match(r"\d+", match["day"])[0])
    if match["year"]:
        return (spans.calendar_day(int(match["year"]), month, day),) * 2
    return spans.either_way(published, lambda year: spans.calendar_day(year, month, day))


def _day_range(match: re.Match, published: date | None) -> Readings:
    first_month = spans.month_number(match["month"])
    last_month = spans.month_number(match["month2"]) if match["month2"] else first_month
    days = [int(re.match(r"\d+", match[name])[0]) for name in ("day", "day2")]

    def make(year: int) -> DateSpan | None:
        first = spans.calendar_day(year, first_month, days[0])
        last = spans.calendar_day(year, last_month, days[1])
        if first is None or last is None or last.end < first.start:
            return None
        fine = Precision.WEEK if (last.end - first.start).days < 7 else Precision.MONTH
        return DateSpan(first.start, last.end, fine, "stated")

    return (make(int(match["year"])),) * 2 if match["year"] else spans.either_way(published, make)


def _iso(match: re.Match, _: date | None) -> Readings:
    return (spans.calendar_day(int(match["year"]), int(match["month"]), int(match["day"])),) * 2


def _slashed(match: re.Match, _: date | None) -> Readings:
    """Read 25/03/2026 and 03/25/2026; 12/03/2026 could be either day, so that only its year is sure."""
    one, two, year = int(match["one"]), int(match["two"]), int(match["year"])
    found = {
        span
        for day, month in ((one, two), (two, one))
        if month <= 12 and (span := spans.calendar_day(year, month, day)) is not None
    }
    if not found:
        return None, None
    return (found.pop() if len(found) == 1 else spans.year(year),) * 2


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


def _part(word: str | None) -> str | None:
    return next((part for stem, part in _PARTS.items() if word and word.casefold().startswith(stem)), None)


def _month_of_year(match: re.Match, published: date | None) -> Readings:
    month, part = spans.month_number(match["month"]), _part(match["part"])

    def make(year: int) -> DateSpan:
        return spans.part_of_month(year, month, part) if part else spans.month(year, month)

    if match["year"]:
        return (make(int(match["year"])),) * 2
    which = (match["which"] or "").casefold()
    past, ahead = spans.either_way(published, make)
    if which:
        # "last June" said in July 2026 is the one just gone; said in June it is that of the year before.
        if published and which == "last" and past and past.end >= published:
            past = make(past.start.year - 1)
        if published and which == "next" and ahead and ahead.start <= published:
            ahead = make(ahead.start.year + 1)
        past, ahead = (past, past) if which == "last" else (ahead, ahead)
        if which == "this" and published:
            past = ahead = make(published.year)
        past, ahead = (replace(each, basis="relative") if each else None for each in (past, ahead))
    return past, ahead


def _plain_year(match: re.Match, _: date | None) -> Readings:
    year, part = int(match["year"]), _part(match["part"])
    return (spans.part_of_year(year, part) if part else spans.year(year),) * 2


def _year_range(match: re.Match, _: date | None) -> Readings:
    first, last = spans.year(int(match["year"])), spans.year(int(match["year2"]))
    return (replace(first, end=last.end),) * 2 if last.end > first.end else (None, None)


def _quarter(match: re.Match, published: date | None) -> Readings:
    words = {"first": 1, "second": 2, "third": 3, "fourth": 4, "last": 4}
    number = int(match["digit"]) if match["digit"] else words[match["word"].casefold()]
    half = bool(match["half"])

    def make(year: int) -> DateSpan:
        return spans.part_of_year(year, "first" if number == 1 else "second") if half else spans.quarter(year, number)

    return (make(int(match["year"])),) * 2 if match["year"] else spans.either_way(published, make)


def _season(match: re.Match, published: date | None) -> Readings:
    name, which = match["season"].casefold(), (match["which"] or "").casefold()
    if match["year"]:
        return (spans.season(int(match["year"]), name),) * 2
    past, ahead = spans.either_way(published, lambda year: spans.season(year, name, "relative"))
    if which == "last" and published and past and past.end >= published:
        past = spans.season(past.start.year - 1, name, "relative")
    if which == "this" and published and past and past.start.year < published.year and name != "winter":
        past = ahead
    if which == "next" and published and ahead and ahead.start <= published:
        ahead = spans.season(ahead.start.year + 1, name, "relative")
    return (past, past) if which == "last" else (ahead, ahead) if which == "next" else (past, ahead)


def _near_day(match: re.Match, published: date | None) -> Readings:
    word = match["word"].casefold()
    offset = -1 if word.startswith(("yesterday", "last")) else 1 if word.startswith("tomorrow") else 0
    return (spans.day(published + timedelta(days=offset), "relative"),) * 2 if published else (None, None)


def _weekday(match: re.Match, published: date | None) -> Readings:
    if not published:
        return None, None
    name, which = spans.weekday_number(match["weekday"]), (match["which"] or "").casefold()
    # Written on a Friday, "on Friday" is that day, "last Friday" and "next Friday" are a week away.
    back = spans.day(spans.last_weekday(name, published, before=which in ("last", "past")), "relative")
    ahead = spans.day(spans.next_weekday(name, published, after=which in ("next", "coming")), "relative")
    if which in ("last", "past"):
        return back, back
    return (ahead, ahead) if which in ("next", "coming") else (back, ahead)


def _weekend(match: re.Match, published: date | None) -> Readings:
    if not published:
        return None, None
    which = (match["which"] or "").casefold()
    back = spans.last_weekday(5, published, before=which == "last" and published.weekday() < 5)
    ahead = spans.next_weekday(5, published)
    both = [replace(spans.week(day), start=day, end=day + timedelta(days=1)) for day in (back, ahead)]
    return (both[0],) * 2 if which == "last" else (both[1],) * 2 if which in ("next", "coming") else (both[0], both[1])


def _period(match: re.Match, published: date | None) -> Readings:
    """Read "last week", "this month", "next year", "the current quarter"; a week is cut to its month."""
    if not published:
        return None, None
    which, unit = match["which"].casefold(), match["unit"].casefold()
    offset = (
        -1 if which in ("last", "past", "previous", "prior") else 1 if which in ("next", "coming", "following") else 0
    )
    made = {
        "week": lambda: spans.week(published + timedelta(weeks=offset)),
        "month": lambda: spans.month(published.year, published.month + offset, "relative"),
        "quarter": lambda: spans.quarter(published.year, (published.month - 1) // 3 + 1 + offset, "relative"),
        "year": lambda: spans.year(published.year + offset, "relative"),
    }[unit]()
    return made, made


def _end_of_period(match: re.Match, published: date | None) -> Readings:
    """Read "the end of the year": its last months; a month's or a week's end stays in the month."""
    if not published:
        return None, None
    which, unit, part = (match["which"] or "").casefold(), match["unit"].casefold(), _part(match["part"]) or "end"
    offset = -1 if which == "last" else 1 if which == "next" else 0
    if unit == "year":
        made = spans.part_of_year(published.year + offset, part, "relative")
    elif unit == "month":
        whole = spans.month(published.year, published.month + offset)
        made = spans.part_of_month(whole.start.year, whole.start.month, part, "relative")
    else:
        made = spans.week(published + timedelta(weeks=offset))
    return made, made


def _ago(match: re.Match, published: date | None) -> Readings:
    count, unit = spans.number(match["count"]), match["unit"].casefold()
    if not published or not 0 < count < 1000:
        return None, None
    if unit == "hour":
        made = spans.day(published, "relative") if count < 12 else None
    elif unit == "day":
        made = spans.day(published - timedelta(days=count), "relative")
    elif unit == "week":
        made = spans.week(published - timedelta(weeks=count))
    elif unit == "month":
        made = spans.month(published.year, published.month - count, "relative")
    else:
        made = spans.year(max(published.year - count, spans.FIRST_YEAR), "relative")
    return made, made


def _vague_weeks(match: re.Match, published: date | None) -> Readings:
    """Read "in recent weeks": the month of publication; "in recent months" and longer say too little."""
    if not published or match["unit"].casefold() in ("month", "year"):
        return None, None
    return (spans.month(published.year, published.month, "relative"),) * 2


_HOLIDAYS: dict[str, Callable[[int], date]] = {
    "new year's day": lambda year: date(year, 1, 1),
    "new year's eve": lambda year: date(year, 12, 31),
    "christmas eve": lambda year: date(year, 12, 24),
    "christmas day": lambda year: date(year, 12, 25),
    "christmas": lambda year: date(year, 12, 25),
    "independence day": lambda year: date(year, 7, 4),
    "fourth of july": lambda year: date(year, 7, 4),
    "juneteenth": lambda year: date(year, 6, 19),
    "labor day": lambda year: spans.nth_weekday(year, 9, 0, 1),
    "memorial day": lambda year: spans.nth_weekday(year, 5, 0, -1),
    "thanksgiving": lambda year: spans.nth_weekday(year, 11, 3, 4),
}


def _holiday(match: re.Match, published: date | None) -> Readings:
    make = _HOLIDAYS[match["name"].casefold().replace("’", "'")]
    if match["year"]:
        return (spans.day(make(int(match["year"])), "stated"),) * 2
    return spans.either_way(published, lambda year: spans.day(make(year), "stated"))


def _nothing(_: re.Match, __: date | None) -> Readings:
    return None, None


_BEFORE_MONTH = (
    r"(?:in|since|by|until|till|before|after|from|during|for|through|of|to|this|earlier\s+in|later\s+in|back\s+in|around|"
    r"and|a|an|the|its|his|her|their)"
)
# Longest first within a sort, sorts in the order in which they may claim the same words. The first item is a duration?
_RULES: tuple[tuple[bool, re.Pattern, Callable[[re.Match, date | None], Readings]], ...] = tuple(
    (is_duration, re.compile(pattern, flags), read)
    for is_duration, pattern, flags, read in (
        (False, r"\b(?P<year>(?:19|20)\d\d)-(?P<month>\d\d)-(?P<day>\d\d)(?!\d)", 0, _iso),
        (False, r"(?<![\d/.])(?P<one>\d{1,2})[/.](?P<two>\d{1,2})[/.](?P<year>(?:19|20)\d\d)\b", 0, _slashed),
        (
            False,
            rf"\b(?:from\s+|between\s+)?(?P<month>{_MONTH})\s+(?P<day>{_DAY}){_DASH}(?:(?P<month2>{_MONTH})\s+)?"
            rf"(?P<day2>{_DAY})\b(?!\d)(?:,?\s+(?P<year>{_YEAR})\b)?",
            0,
            _day_range,
        ),
        (
            False,
            rf"\b(?P<day>{_DAY})(?:\s*(?:-|–)\s*|\s+(?:to|and)\s+)(?P<day2>{_DAY})\s+(?P<month>{_MONTH})(?P<month2>)"
            rf"(?:,?\s+(?P<year>{_YEAR})\b)?",
            0,
            _day_range,
        ),
        (
            False,
            rf"\b(?:{_SHORT_WEEKDAY},?\s+)?(?P<month>{_MONTH})\s+(?P<day>{_DAY})\b(?![:.,]?\d)"
            rf"(?:,?\s+(?P<year>{_YEAR})\b)?",
            0,
            _day_month,
        ),
        (
            False,
            rf"\b(?:{_SHORT_WEEKDAY},?\s+)?(?:the\s+)?(?P<day>{_DAY})(?:\s+of)?\s+(?P<month>{_MONTH})(?![a-z])"
            rf"(?:,?\s+(?P<year>{_YEAR})\b)?",
            0,
            _day_month,
        ),
        (
            False,
            r"\b(?P<name>New\s+Year['’]s\s+(?:Day|Eve)|Christmas(?:\s+(?:Day|Eve))?|Independence\s+Day|Fourth\s+of\s+July|"
            rf"Juneteenth|Labor\s+Day|Memorial\s+Day|Thanksgiving)\b(?:,?\s+(?P<year>{_YEAR})\b)?",
            re.I,
            _holiday,
        ),
        (
            False,
            rf"\b(?:(?P<part>early|mid|late|(?:the\s+)?(?:end|start|beginning|middle|close)\s+of)[\s-]+)?(?P<which>)"
            rf"(?P<month>{_MONTH}),?\s+(?:of\s+)?(?P<year>{_YEAR})\b",
            re.I,
            _month_of_year,
        ),
        (
            False,
            rf"\b(?:(?P<part>[Ee]arly|[Mm]id|[Ll]ate|(?:[Tt]he\s+)?(?:end|start|beginning|middle|close)\s+of)[\s-]+"
            rf"|(?P<which>[Ll]ast|[Nn]ext|[Tt]his)\s+)(?P<month>{_LONG_MONTH})\b(?P<year>)",
            0,
            _month_of_year,
        ),
        (
            False,
            rf"\b(?P<lead>(?i:{_BEFORE_MONTH}))\s+(?P<part>)(?P<which>)(?P<month>{_LONG_MONTH})\b(?P<year>)(?!\s+[A-Z]\w)",
            0,
            _month_of_year,
        ),
        (
            False,
            r"\b(?:(?:Q(?P<digit>[1-4])|(?:the\s+)?(?P<word>first|second|third|fourth|last)[\s-]+(?:quarter|(?P<half>half)))"
            rf"(?:,?\s+(?:of\s+)?(?:the\s+year|(?P<year>{_YEAR})))|Q(?:(?<=Q)(?P<digit2>[1-4])))\b",
            re.I,
            lambda match, published: _quarter(_Quarter(match), published),
        ),
        (
            False,
            rf"\b(?:(?P<which>last|this|next|the|in|past|coming)\s+)(?P<season>spring|summer|autumn|fall|winter)\b"
            rf"(?!\s+(?:of\s+)?(?:in|through|short|under|into|apart|back))(?:\s+(?:of\s+)?(?P<year>{_YEAR})\b)?",
            re.I,
            _season,
        ),
        (
            False,
            rf"\b(?P<which>)(?P<season>spring|summer|autumn|fall|winter)\s+(?:of\s+)?(?P<year>{_YEAR})\b",
            re.I,
            _season,
        ),
        (
            False,
            rf"\b(?:(?:from|between)\s+)(?P<year>{_YEAR}){_DASH}(?P<year2>{_YEAR})\b",
            re.I,
            _year_range,
        ),
        (
            False,
            rf"(?<![\w$€£.,-])(?:(?P<part>early|mid|late|(?:the\s+)?(?:end|start|beginning|middle|close)\s+of)[\s-]+"
            rf"|(?:in|since|by|until|till|before|after|from|during|for|through|of|year)\s+)(?P<year>{_YEAR})\b(?![,.]?\d|\s*%)",
            re.I,
            _plain_year,
        ),
        (
            True,
            rf"\b(?:within|for|over|after|in|every|up\s+to|at\s+least|no\s+more\s+than|under)\s+(?:the\s+|a\s+)?(?:next\s+|"
            rf"first\s+|last\s+|past\s+|period\s+of\s+)?(?:{_COUNT}|{_VAGUE}|\w+ty)[\s-](?:business\s+|working\s+|calendar\s+|full\s+)?"
            rf"{_UNIT}s?\b(?!\s+ago)",
            re.I,
            _nothing,
        ),
        (
            True,
            rf"\b(?:{_COUNT}|\w+ty|\w+teen)[\s-]{_UNIT}(?:[\s-]old)?\b(?!s|\s+(?:ago|after|later|before|earlier))",
            re.I,
            _nothing,
        ),
        (
            True,
            rf"\b(?:{_COUNT}|{_VAGUE}|hours|days|weeks|months|years|moments|minutes|\w+ty)(?:\s+{_UNIT}s?)?\s+"
            r"(?:later|earlier|after|before|since|prior|from\s+now)\b",
            re.I,
            _nothing,
        ),
        (False, rf"\b(?P<count>{_COUNT})\s+(?P<unit>{_UNIT})s?\s+ago\b", re.I, _ago),
        (
            False,
            r"\b(?:over\s+|in\s+|during\s+)?(?:the\s+)?(?:recent|past\s+few|last\s+few)\s+(?P<unit>day|week|month|year)s\b",
            re.I,
            _vague_weeks,
        ),
        (
            False,
            r"\b(?P<word>today|tonight|yesterday|tomorrow|last\s+night|this\s+(?:morning|afternoon|evening))\b"
            r"(?!['’]s\s+(?:world|economy|age|era|society))",
            re.I,
            _near_day,
        ),
        (
            False,
            r"\b(?:(?P<which>last|next|this|past|coming)\s+)?(?:the\s+)?weekend\b",
            re.I,
            _weekend,
        ),
        (
            False,
            rf"\b(?:(?P<which>[Ll]ast|[Nn]ext|[Tt]his|[Pp]ast|[Cc]oming)\s+)?(?:[Ll]ate\s+|[Ee]arly\s+)?(?P<weekday>{_WEEKDAY})"
            r"(?!\s+(?:Night\s+Live|Times|Post|Telegraph|Review))\b(?:['’]s)?(?:\s+(?:morning|afternoon|evening|night))?",
            0,
            _weekday,
        ),
        (
            False,
            r"\b(?P<part>(?:the\s+)?(?:end|start|beginning|middle|close)\s+of|late|early)\s+(?:the\s+|(?P<which>this|last|next)\s+)"
            r"(?:calendar\s+)?(?P<unit>week|month|year)\b",
            re.I,
            _end_of_period,
        ),
        (
            False,
            r"\b(?:earlier\s+|later\s+|late\s+|early\s+)?(?:the\s+)?(?P<which>last|this|next|past|coming|previous|current)\s+"
            r"(?P<unit>week|month|quarter|year)\b(?!['’-]?s?\s+(?:old))",
            re.I,
            _period,
        ),
    )
)


class _Quarter:
    """A quarter's match whose two ways of writing the digit look like one."""

    def __init__(self, match: re.Match) -> None:
        self._match = match

    def __getitem__(self, name: str) -> str | None:
        return self._match["digit"] or self._match["digit2"] if name == "digit" else self._match[name]


def find_dates(text: str, published: date | None) -> list[DateMention]:
    """Return the time expressions of a text in their order, without overlaps (the earlier rule wins)."""
    taken: list[tuple[int, int]] = []
    found: list[DateMention] = []
    for is_duration, pattern, read in _RULES:
        for match in pattern.finditer(text):
            start, end = _extent(match)
            if any(start < other_end and other_start < end for other_start, other_end in taken):
                continue
            taken.append((start, end))
            span, ahead = read(match, published)
            said = text[start:end]
            found.append(
                DateMention(
                    start, end, _saying(span, said), is_duration, _saying(ahead, said) if ahead != span else None
                )
            )
    return sorted(found, key=lambda mention: mention.start)


def _extent(match: re.Match) -> tuple[int, int]:
    """Leave the preposition outside a month's words: "in April" is said by "April"."""
    start = match.start()
    if "lead" in match.re.groupindex:
        start = match.start("month")
    return start, match.end()


def _saying(span: DateSpan | None, said: str) -> DateSpan | None:
    return replace(span, said=said) if span else None
