"""Finds the time expressions of a text and their values.

A weekday or a date without a year has two readings, past and future. The rules are our own because the precision
matters: "June" is a month, "last week" dates an event to a month at best, "within 30 days" is not a date. dateparser
returns a precision too, but its span search misfires ("in May and", the verb "may").
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

from pipeline.lexicon.months import MONTHS
from pipeline.nlp.dates import calendar, normalise
from pipeline.nlp.dates.anaphora import linked, month_of_that_year
from pipeline.records import DateSpan

MAX_CHARACTERS = 400_000  # the rest of a longer text is not searched


@dataclass(frozen=True, slots=True)
class DateMention:
    """A time expression at text[start:end].

    Attributes:
        start: Offset of its first character.
        end: Offset after its last character.
        span: The value, in the past reading if there are two ("Friday", "June 2"). None without a publication day and
            for durations ("within 30 days", "three days later").
        is_duration: Whether it is a duration.
        ahead: The future reading, if it differs.
    """

    start: int
    end: int
    span: DateSpan | None
    is_duration: bool = False
    ahead: DateSpan | None = None


_MONTH = (
    r"(?:Jan(?:uary|\.)?|Feb(?:ruary|\.)?|Mar(?:ch|\.)|Apr(?:il|\.)?|May|Jun(?:e|\.)|Jul(?:y|\.)|Aug(?:ust|\.)?|"
    r"Sept?(?:ember|\.)?|Oct(?:ober|\.)?|Nov(?:ember|\.)?|Dec(?:ember|\.)?)"
)
_LONG_MONTH = f"(?:{'|'.join(MONTHS)})"
_DAY = r"(?:0?[1-9]|[12]\d|3[01])(?:st|nd|rd|th)?"
_YEAR = r"(?:19|20)\d\d"
_WEEKDAY = r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
_SHORT_WEEKDAY = rf"(?:{_WEEKDAY}|(?:Mon|Tues?|Wed|Thurs?|Thu|Fri|Sat|Sun)\.)"
_COUNT = calendar.COUNT_WORDS
_VAGUE = r"(?:several|(?:a\s+)?few|many|some)"
_UNIT = r"(?:hour|day|week|fortnight|month|year)"
_UP_TO = (
    rf"to(?=\s+{_YEAR}\b\W*(?:[,.;:)”\"]|$|(?:at|and|amid|after|because)\b))"  # "put off to 2027", not "to 2027 units"
)
_DASH = r"\s*(?:-|–|—|to|through|until|and)\s*"


_BEFORE_MONTH = (
    r"(?:in|since|by|until|till|before|after|from|during|for|through|of|to|this|earlier\s+in|later\s+in|back\s+in|around|"
    r"and|a|an|the|its|his|her|their|or|least|early\s+as|late\s+as|say|says|not\s+before)"
)
# (is it a duration?, pattern, reader). Earlier rules take precedence if two match the same words.
_RULES: tuple[tuple[bool, re.Pattern, Callable[[re.Match, date | None], normalise.Readings]], ...] = tuple(
    (is_duration, re.compile(pattern, flags), reader)
    for is_duration, pattern, flags, reader in (
        (False, r"\b(?P<year>(?:19|20)\d\d)-(?P<month>\d\d)-(?P<day>\d\d)(?!\d)", 0, normalise.iso),
        (False, r"(?<![\d/.])(?P<one>\d{1,2})[/.](?P<two>\d{1,2})[/.](?P<year>(?:19|20)\d\d)\b", 0, normalise.slashed),
        (
            False,
            rf"\b(?:from\s+|between\s+)?(?P<month>{_MONTH})\s+(?P<day>{_DAY}){_DASH}(?:(?P<month2>{_MONTH})\s+)?"
            rf"(?P<day2>{_DAY})\b(?!\d)(?:,?\s+(?P<year>{_YEAR})\b)?",
            0,
            normalise.day_range,
        ),
        (
            False,
            rf"\b(?P<day>{_DAY})(?:\s*(?:-|–)\s*|\s+(?:to|and)\s+)(?P<day2>{_DAY})\s+(?P<month>{_MONTH})(?P<month2>)"
            rf"(?:,?\s+(?P<year>{_YEAR})\b)?",
            0,
            normalise.day_range,
        ),
        (
            False,
            rf"\b(?:{_SHORT_WEEKDAY},?\s+)?(?P<month>{_MONTH})\s+(?P<day>{_DAY})\b(?![:.,]?\d)"
            rf"(?:,?\s+(?P<year>{_YEAR})\b)?",
            0,
            normalise.day_month,
        ),
        (
            False,
            rf"\b(?:{_SHORT_WEEKDAY},?\s+)?(?:the\s+)?(?P<day>{_DAY})(?:\s+of)?\s+(?P<month>{_MONTH})(?![a-z])"
            rf"(?:,?\s+(?P<year>{_YEAR})\b)?",
            0,
            normalise.day_month,
        ),
        (
            False,
            r"\b(?P<name>New\s+Year['’]s\s+(?:Day|Eve)|Christmas(?:\s+(?:Day|Eve))?|Independence\s+Day|Fourth\s+of\s+July|"
            rf"Juneteenth|Halloween|Labor\s+Day|Memorial\s+Day|Thanksgiving)\b(?:,?\s+(?P<year>{_YEAR})\b)?",
            re.I,
            normalise.holiday,
        ),
        (
            False,
            rf"\b(?:(?P<part>early|mid|late|(?:the\s+)?(?:end|start|beginning|middle|close)\s+of)[\s-]+)?(?P<which>)"
            rf"(?P<month>{_MONTH}),?\s+(?:of\s+)?(?P<year>{_YEAR}|(?:last|this|next|the\s+(?:past|current|coming))\s+year)\b",
            re.I,
            normalise.month_of_year,
        ),
        (
            False,
            rf"\b(?:(?P<part>[Ee]arly|[Mm]id|[Ll]ate|(?:[Tt]he\s+)?(?:end|start|beginning|middle|close)\s+of)[\s-]+"
            rf"|(?P<which>[Ll]ast|[Nn]ext|[Tt]his)\s+)(?P<month>{_LONG_MONTH})\b(?P<year>)",
            0,
            normalise.month_of_year,
        ),
        (
            False,
            rf"\b(?P<lead>(?i:{_BEFORE_MONTH}))\s+(?P<part>)(?P<which>)(?P<month>{_LONG_MONTH})\b(?P<year>)(?!\s+[A-Z]\w)",
            0,
            normalise.month_of_year,
        ),
        (
            False,
            r"\b(?:(?:Q(?P<digit>[1-4])|(?:the\s+)?(?P<word>first|second|third|fourth|last)[\s-]+(?:quarter|(?P<half>half)))"
            rf"(?:,?\s+(?:of\s+)?(?:the\s+year|(?P<year>{_YEAR})))|Q(?:(?<=Q)(?P<digit2>[1-4])))\b",
            re.I,
            normalise.quarter,
        ),
        (
            False,
            rf"\b(?:(?P<which>last|this|next|the|in|by|past|coming)\s+)(?P<season>spring|summer|autumn|fall|winter)\b"
            rf"(?!(?<=fall|ring)\s+(?:of\s+)?(?:in|through|short|under|into|apart|back))(?:\s+(?:of\s+)?(?P<year>{_YEAR})\b)?",
            re.I,
            normalise.season,
        ),
        (
            False,
            rf"\b(?P<which>)(?P<season>spring|summer|autumn|fall|winter)\s+(?:of\s+)?(?P<year>{_YEAR})\b",
            re.I,
            normalise.season,
        ),
        (
            False,
            rf"\b(?:(?:from|between)\s+)(?P<year>{_YEAR}){_DASH}(?P<year2>{_YEAR})\b",
            re.I,
            normalise.year_range,
        ),
        (
            False,
            rf"(?<![\w$€£.,-])(?:(?P<part>early|mid|late|(?:the\s+)?(?:end|start|beginning|middle|close)\s+of)[\s-]+"
            rf"|(?:in|since|by|until|till|before|after|from|during|for|through|(?<!\d\s)of|year|{_UP_TO})\s+)"
            rf"(?P<year>{_YEAR})\b(?![,.]?\d|\s*%)",
            re.I,
            normalise.plain_year,
        ),
        (
            False,
            r"\b(?:in|over|within|during)\s+the\s+(?:(?:coming|next\s+few|next\s+several)\s+(?P<unit>day|week|month)s|"
            r"(?P<unit2>days|weeks|months)\s+ahead)\b",
            re.I,
            normalise.soon,
        ),
        (
            True,
            rf"\b(?:within|for|over|after|in|every|up\s+to|at\s+least|no\s+more\s+than|under)\s+(?:the\s+|a\s+)?(?:next\s+|"
            rf"first\s+|last\s+|past\s+|period\s+of\s+)?(?:{_COUNT}|{_VAGUE}|\w+ty)[\s-](?:business\s+|working\s+|calendar\s+|full\s+)?"
            rf"{_UNIT}s?\b(?!\s+ago)",
            re.I,
            normalise.duration,
        ),
        (
            True,
            rf"\b(?:{_COUNT}|\w+ty|\w+teen)[\s-]{_UNIT}(?:[\s-]old)?\b(?!s|\s+(?:ago|after|later|before|earlier))",
            re.I,
            normalise.duration,
        ),
        (
            True,
            rf"\b(?:{_COUNT}|{_VAGUE}|hours|days|weeks|months|years|moments|minutes|\w+ty)(?:\s+{_UNIT}s?)?\s+"
            r"(?:later|earlier|after|before|since|prior|from\s+now)\b",
            re.I,
            normalise.duration,
        ),
        (False, rf"\b(?P<count>{_COUNT})\s+(?P<unit>{_UNIT})s?\s+ago\b", re.I, normalise.ago),
        (
            False,
            r"\b(?:over\s+|in\s+|during\s+)?(?:the\s+)?(?:recent|past\s+few|last\s+few)\s+(?P<unit>day|week|month|year)s\b",
            re.I,
            normalise.vague_weeks,
        ),
        (False, r"\brecently\b(?=\s+\w+(?:ed|t|n)\b)", 0, normalise.recently),
        (
            False,
            r"\b(?P<word>today|tonight|yesterday|tomorrow|last\s+night|this\s+(?:morning|afternoon|evening))\b"
            r"(?!['’]s\s+(?:world|economy|age|era|society))",
            re.I,
            normalise.near_day,
        ),
        (
            False,
            r"\b(?:(?P<which>last|next|this|past|coming)\s+)?(?:the\s+)?weekend\b",
            re.I,
            normalise.weekend,
        ),
        (
            False,
            rf"\b(?:(?P<which>[Ll]ast|[Nn]ext|[Tt]his|[Pp]ast|[Cc]oming)\s+)?(?:[Ll]ate\s+|[Ee]arly\s+)?(?P<weekday>{_WEEKDAY})"
            r"(?!\s+(?:Night\s+Live|Times|Post|Telegraph|Review))\b(?:['’]s)?(?:\s+(?:morning|afternoon|evening|night))?",
            0,
            normalise.weekday,
        ),
        (
            False,
            r"\b(?P<part>(?:the\s+)?(?:end|start|beginning|middle|close|course)\s+of|late|early)\s+(?:the\s+|(?P<which>this|last|next)\s+)"
            r"(?:calendar\s+)?(?P<unit>week|month|year)\b",
            re.I,
            normalise.end_of_period,
        ),
        (
            False,
            r"\b(?:earlier\s+|later\s+|late\s+|early\s+)?(?:the\s+)?(?P<which>last|this|next|past|coming|previous|current)\s+"
            r"(?P<unit>week|month|quarter|year)\b(?!['’-]?s?\s+(?:old))",
            re.I,
            normalise.period,
        ),
    )
)


def find_dates(text: str, published: date | None) -> list[DateMention]:
    """Return the time expressions of a text in order, without overlaps; the earlier rule wins."""
    found: list[DateMention] = []
    searched = text[:MAX_CHARACTERS]
    taken = bytearray(len(searched))
    for is_duration, pattern, reader in _RULES:
        for match in pattern.finditer(searched):
            start, end = _extent(match)
            if any(taken[start:end]):
                continue
            taken[start:end] = b"\x01" * (end - start)
            if _is_dateline(searched, start, end):
                continue
            span, ahead = reader(match, published)
            said = text[start:end]
            ahead = _with_words(ahead, said) if ahead != span else None
            found.append(DateMention(start, end, _with_words(span, said), is_duration, ahead))
    return _with_links(searched, sorted(found, key=lambda mention: mention.start))


_PLACE = re.compile(
    r"(?:^|\n)[^\w\n]*[A-Z]{3}(?:[A-Z.’'-]*[,.]?\s+)(?:[A-Z][\w.’'-]*[,.]?\s+){0,5}(?:\([^()\n]{1,30}\)\s+)?$"
)
_FILED = re.compile(r"\s*(?:[(/][^()/\n]{1,40}[)/]\s*)?(?:-{1,2}|–|—)\s")


def _is_dateline(text: str, start: int, end: int) -> bool:
    """Return whether a date is part of a dateline ("PORT ELLERY, March 10 (Northline) - "), the day of filing."""
    return bool(_FILED.match(text, end)) and bool(_PLACE.search(text[max(0, start - 80) : start]))


def _with_links(text: str, found: list[DateMention]) -> list[DateMention]:
    """Resolve expressions that count from an earlier date: "eight days later", "October of that year"."""
    last: tuple[int, int, DateSpan | None] | None = None
    for n, each in enumerate(found):
        if each.span is not None and (year := month_of_that_year(text, each.end, each.span, last)):
            found[n] = DateMention(each.start, year[0], _with_words(year[1], text[each.start : year[0]]))
        if found[n].span is not None and not each.is_duration:
            last = (found[n].start, found[n].end, found[n].span)
    # "the next month" may also count from today: it keeps that value as its future reading.
    open_ones = {each.start: each for each in found if each.is_duration or _COUNTS_ON.match(text, each.start)}
    dated = [(each.start, each.end, None if each.start in open_ones else each.span) for each in found]
    taken = bytearray(len(text))
    for each in found:
        if each.start not in open_ones:
            taken[each.start : each.end] = b"\x01" * (each.end - each.start)
    links = [
        DateMention(start, end, _with_words(span, text[start:end]), ahead=_ahead_of(open_ones, start, end))
        for start, end, span in linked(text, dated)
        if not any(taken[start:end])
    ]
    covered = bytearray(len(text))
    for each in links:
        covered[each.start : each.end] = b"\x01" * (each.end - each.start)
    kept = [each for each in found if each.start not in open_ones or not any(covered[each.start : each.end])]
    return sorted([*kept, *links], key=lambda mention: mention.start)


_COUNTS_ON = re.compile(r"the\s+(?:next|following|previous)\s", re.I)


def _ahead_of(found: dict[int, DateMention], start: int, end: int) -> DateSpan | None:
    """Return the future reading of the expression that begins inside a span."""
    return next((found[at].ahead or found[at].span for at in range(start, end) if at in found), None)


def _extent(match: re.Match) -> tuple[int, int]:
    """Return the offsets of a match without the preposition before a month ("in April")."""
    start = match.start()
    if "lead" in match.re.groupindex:
        start = match.start("month")
    return start, match.end()


def _with_words(span: DateSpan | None, said: str) -> DateSpan | None:
    return replace(span, said=said) if span else None
