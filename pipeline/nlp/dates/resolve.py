"""Chooses the time expression that dates a trigger, and finds the day of the news in an article's first lines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from pipeline.nlp.dates import calendar
from pipeline.nlp.dates.expressions import DateMention
from pipeline.records import DateSpan, Modality
from scrapers.items import Precision

CLAUSE_BREAK = re.compile(
    r"[;:–—]|,(?!\s+\d)|\s-\s|\b(?:but|while|after|before|when|whereas|although|though|because|since(?!\s*$)|as|that|which|who|whose|if|"
    r"unless|until|following)\b",
    re.I,
)
_CONTRAST = re.compile(r"\b(?:but|while|whereas|although|though)\b", re.I)  # another story follows
_SAID_BEFORE = re.compile(
    r"\b(?:said|says|told|announced|wrote|posted|tweeted|stated|added|reported|confirmed|argued|revealed|declared|vowed|pledged|promised|"
    r"threatened|warned|claimed|insisted|met|meeting|"
    r"memo|post|statement|letter|interview|remarks|speech|press\s+conference)\W+(?:\w+\W+){0,4}$",
    re.I,
)
_SAID_AFTER = re.compile(r"^\W*(?:\w+\W+)?(?:said|told|announced|wrote|posted|added|argued)\b", re.I)
_DUE = re.compile(
    r"\b(?:by|until|till|no\s+later\s+than|due(?:\s+on)?|deadline(?:\s+of)?|expires?(?:\s+on)?|"
    r"(?:scheduled|set|slated)\s+(?:for|to\s+\w+)|takes?\s+effect(?:\s+on)?)\s+(?:(?:the\s+)?(?:end|close)\s+of\s+(?:the\s+)?(?:business(?:\s+day)?|day)\s+)?"
    r"(?:[\d:]+\s*(?:[ap]\.?m\.?)?,?\s*(?:ET|EST|PT|GMT|CET)?\s*)?"
    r"(?:on\s+)?$",
    re.I,
)
_SINCE = re.compile(r"\b(?:since|until|between|from)\b", re.I)
_PUT_OFF_TO = re.compile(r"\b(?:to|until|till|into)\s+(?:at\s+least\s+|the\s+|late\s+|early\s+)*$", re.I)
_MOVES = re.compile(
    r"\b(?:move|push|put|postpone|delay|defer|extend|shift)(?:s|d|ed|ing|ting)?\b[^.;]{0,60}\bto\s", re.I
)
_AT_HEAD = re.compile(r"(?:In|On|By|During)\s+")
DONE = (Modality.OCCURRED, Modality.NEGATED, Modality.CANCELLED)  # a cancellation is an act too
_AHEAD = (Modality.PLANNED, Modality.CONSIDERED, Modality.CONDITIONAL, Modality.POSTPONED)
# Costs of a date are in characters of distance from the trigger.
_CLAUSE_COST = 40  # of a clause border between trigger and date, and of a date less precise than a day
_OLD_COST = 100  # of a date older than NEWS_DAYS for new events
_MAX_COST = 160
_NEAR = 60  # up to this cost, the age of a date is ignored
NEWS_DAYS = 45  # new events are rarely older
_LEAD = 600  # opening characters of an article, which give the day of its news
_STAMP = 80  # maximum characters of a line with the time stamp of a page
LEAD_DAYS = 2  # the day of the news is rarely further back; "Tuesday" may also be a future day
WEEK = 6  # but "Last Thursday, ..." may open an article some days later
_SOON = 45  # days; a date without a year this soon in the future is not last year's
_LONG_WAY, _SHORT_WAY = 240, 125  # days; between them a date without a year is taken as past
_DUE_AFTER = re.compile(r"^,?\s*(?:(?:at\s+)?[\d:]+\s*(?:[ap]\.?m\.?)?,?\s*(?:ET|EST|PT|GMT|CET)?\s*)?deadline\b", re.I)
_ANSWERED = re.compile(r"\b(?:responded|reacted|replied|answered|hit\s+back|in\s+(?:a\s+)?(?:response|reply))\b", re.I)
_TODAY = re.compile(r"today|tonight|this\s+(?:morning|afternoon|evening)", re.I)


def claim_date(
    *,
    sentence: tuple[int, int],
    trigger: tuple[int, int],
    modality: Modality,
    dates: list[DateMention],
    published: date | None,
    text: str,
    newness: str = "new",
    promise: bool = False,
) -> DateSpan | None:
    """Return the date of the event that one trigger names.

    The nearest time expression counts; a clause border costs as much as 40 characters, and the day of a statement
    ("said on Friday") is a last resort. Without an expression, a new event that was done is dated to the publication
    (basis "publication"); an old, planned or considered one has no date. `dates.document` then lets the claims of one
    article date each other.

    Args:
        sentence: Offsets of the sentence in the text.
        trigger: Offsets of the trigger in the text.
        modality: The modality of the event.
        dates: The time expressions of the text.
        published: The day of publication.
        text: The text of the article.
        newness: "new" or "background".
        promise: Whether the event is performed by saying it: "said on Friday that it would wait".
    """
    sentence_start, sentence_end = sentence
    trigger_start, trigger_end = trigger
    best: tuple[float, DateSpan] | None = None
    oldest: tuple[float, DateSpan] | None = None
    if modality is Modality.POSTPONED or modality in _AHEAD and _MOVES.search(text[trigger_start:sentence_end]):
        dates = _put_off_to(dates, sentence_start, sentence_end, text)
    for each in dates:
        if not (sentence_start <= each.start and each.end <= sentence_end) or each.is_duration:
            continue
        spoken = each.spoken or _is_spoken(each, trigger_start, trigger_end, sentence_start, sentence_end, text)
        ahead = modality in _AHEAD and not (promise and spoken)
        span = _reading(each, ahead, spoken, published, _is_due(each, text))
        if span is None or spoken and _is_contrasted(each, trigger_start, trigger_end, text):
            continue
        cost = _cost(each, trigger_start, trigger_end, text)
        opens = not spoken and (each.opening or _opens(each, sentence_start, text))
        if spoken or opens:
            cost = min(cost, _MAX_COST - 1 + cost / 10_000)  # the day covers the whole sentence, as a last resort
        if each.own and not spoken:
            cost = 0.0
        age = _age_cost(span, published) if newness == "new" and not each.own else 0.0
        if (cost <= _NEAR or opens or cost + age <= _MAX_COST) and (best is None or cost + age < best[0]):
            best = (cost + age, span)
        alone = modality in DONE and _follows_alone(each, trigger_end, text)
        if alone and cost <= _MAX_COST and (oldest is None or cost < oldest[0]):
            oldest = (cost, span)
    best = best or oldest  # the only day in a sentence dates it, however old
    if best is not None:
        return best[1]
    if published is not None and newness == "new" and modality in DONE:
        return calendar.day(published, "publication")
    return None


def _follows_alone(each: DateMention, trigger_end: int, text: str) -> bool:
    """Return whether an expression follows the trigger in the same clause, and is not the start of a period."""
    after = text[trigger_end : each.start]
    return (
        bool(after) and not CLAUSE_BREAK.search(after) and not _SINCE.search(text[max(0, each.start - 20) : each.end])
    )


def _put_off_to(dates: list[DateMention], start: int, end: int, text: str) -> list[DateMention]:
    """Return the new date of a postponement ("moved from Monday to June 11") if a sentence has one, else all dates."""
    here = [each for each in dates if start <= each.start and each.end <= end]
    to = [each for each in here if _PUT_OFF_TO.search(text[max(start, each.start - 40) : each.start])]
    return to[-1:] or here


def _reading(each: DateMention, ahead: bool, spoken: bool, published: date | None, due: bool) -> DateSpan | None:
    """Choose between the past and the future reading of an expression; a past event cannot follow the publication.

    A deadline ("until Friday") dates only future events, the day of a statement only past ones.
    """
    if ahead:
        return None if spoken else _ahead(each, published)
    if each.span is None or (due and not spoken) or (published is not None and each.span.start > published):
        return None
    if each.ahead is not None and published is not None and each.span.precision is Precision.DAY:
        gone, to_come = (published - each.span.end).days, (each.ahead.start - published).days
        if gone > _LONG_WAY and to_come < _SOON:
            return None  # in June, "July 9" is still to come
    return each.span


def _ahead(each: DateMention, published: date | None) -> DateSpan | None:
    """Return the future reading, but not next year's "February 27" if this year's has just passed."""
    if each.ahead and each.span and published:
        gone, to_come = (published - each.span.end).days, (each.ahead.start - published).days
        if to_come > _LONG_WAY and gone < _SHORT_WAY:
            return each.span
    return each.ahead or each.span


def _is_spoken(each: DateMention, trigger_start: int, trigger_end: int, start: int, end: int, text: str) -> bool:
    """Return whether the expression dates a statement whose verb is not the trigger."""
    before = text[max(start, each.start - 60) : each.start]
    match = _SAID_BEFORE.search(before)
    if match and not (trigger_start < each.start and trigger_end > each.start - len(before) + match.start()):
        between = before[match.start() :]
        return not re.search(r"\b(?:that|would|will|to)\b", between)
    after = _SAID_AFTER.match(text[each.end : min(end, each.end + 40)])
    return after is not None and not (trigger_start < each.end + after.end() and trigger_end > each.end)


def _opens(each: DateMention, sentence_start: int, text: str) -> bool:
    """Return whether an expression opens its sentence: "On Friday, ...", "Last week, ...", "In March our ..."."""
    return each.start - sentence_start < 12 and (
        text[each.end : each.end + 1] == "," or bool(_AT_HEAD.fullmatch(text[sentence_start : each.start]))
    )


def _is_contrasted(each: DateMention, trigger_start: int, trigger_end: int, text: str) -> bool:
    """Return whether "but" or "though" separates date and trigger: the date belongs to another story."""
    left, right = (each.end, trigger_start) if each.start < trigger_start else (trigger_end, each.start)
    return bool(_CONTRAST.search(text[left:right]))


def _age_cost(span: DateSpan, published: date | None) -> float:
    """Return the cost of an old or imprecise date for a new event."""
    if published is None:
        return 0.0
    old = _OLD_COST if (published - span.end).days > NEWS_DAYS else 0.0
    return old + (0.0 if span.precision is Precision.DAY else _CLAUSE_COST)


def _cost(each: DateMention, trigger_start: int, trigger_end: int, text: str) -> float:
    """Return the distance of a date from a trigger: the characters and clause borders between them."""
    left, right = (each.end, trigger_start) if each.start < trigger_start else (trigger_end, each.start)
    if right <= left:
        return 0.0
    between = re.sub(r"\([^()]*\)", "", text[left:right])
    borders = len(CLAUSE_BREAK.findall(between))
    # "On Friday, the agency signed": the comma after an opening date is not a border.
    if each.start < trigger_start and re.match(r"\s*,", between):
        borders -= 1
    borders += 2 * len(_CONTRAST.findall(between)) + 3 * between.count(";")  # nearly a separate sentence
    return len(between) + _CLAUSE_COST * max(0, borders)


def lead_day(
    dates: Sequence[DateMention], text: str, published: date | None, first: tuple[int, int] | None = None
) -> DateSpan | None:
    """Return the day of the news, if the first lines name it or somebody responds to the news on an earlier day.

    News cannot be more recent than the responses to it ("The company responded on Friday evening").

    Args:
        dates: The time expressions of the text.
        text: The text of the article.
        published: The day of publication.
        first: Offsets of the first sentence with an event; a calendar date in it may be some days old.
    """
    if published is None:
        return None
    recent = [
        each
        for each in dates
        if each.span
        and each.span.precision is Precision.DAY
        and 0 <= (published - each.span.start).days <= (WEEK if _dates_news(each, text, first) else LEAD_DAYS)
        and not _is_due(each, text)
        and not _is_stamp(each.start, text)
    ]
    lead = [each for each in recent if each.start < _LEAD and not _is_quoted(each.start, text)]
    answers = [each for each in recent if _ANSWERED.search(_clause_before(each.start, text))]
    return next((each.span for each in (*lead, *answers)), None)


def _is_stamp(at: int, text: str) -> bool:
    """Return whether an offset is in a page's time stamp, a short line without a sentence: "Posted: May 9, 2026"."""
    start, end = text.rfind("\n", 0, at) + 1, text.find("\n", at)
    line = text[start : end if end >= 0 else len(text)].rstrip()
    return len(line) < _STAMP and not line.endswith((".", "!", "?", "”", '"', "’", "'", ")"))


def last_past_date(dates: Sequence[DateMention], start: int, end: int, published: date | None) -> DateSpan | None:
    """Return the last date in text[start:end] that is not after the publication."""
    past = [each.span for each in dates if start <= each.start and each.end <= end and each.span]
    return next((span for span in reversed(past) if published is None or span.start <= published), None)


def spoken_dates(dates: Sequence[DateMention], text: str, published: date | None) -> list[DateMention]:
    """Count "today" and "tonight" in a quotation from the day of the news, when the words were spoken."""
    said_on = lead_day(dates, text, published)
    if published is None or said_on is None or said_on.start == published:
        return list(dates)
    back = said_on.start - published
    return [
        replace(each, span=replace(each.span, start=each.span.start + back, end=each.span.end + back))
        if each.span and _TODAY.fullmatch(text[each.start : each.end]) and _is_quoted(each.start, text)
        else each
        for each in dates
    ]


def _dates_news(each: DateMention, text: str, first: tuple[int, int] | None) -> bool:
    """Return whether a day opens a sentence, or is a calendar date in the first sentence with an event."""
    stated = each.span is not None and each.span.basis == "stated"
    if first is not None and first[0] <= each.start < first[1] and stated:
        return True
    return _opens_sentence(each, text)


def _opens_sentence(each: DateMention, text: str) -> bool:
    """Return whether an expression opens any sentence: "Last Thursday, ...", "On Friday, ..."."""
    before = re.search(r"(?:^|[.!?”\"\n]\s*)(?:On\s+|Late\s+|Early\s+)?$", text[max(0, each.start - 40) : each.start])
    return bool(before) and text[each.end : each.end + 1] == ","


def _is_due(each: DateMention, text: str) -> bool:
    """Return whether an expression is a deadline: "by Friday", "until Friday", "the Friday 5 p.m. deadline"."""
    return bool(_DUE.search(text[max(0, each.start - 80) : each.start]) or _DUE_AFTER.match(text[each.end :][:40]))


def _is_quoted(at: int, text: str) -> bool:
    """Return whether an offset is between quotation marks, judged by its paragraph."""
    before = text[text.rfind("\n", 0, at) + 1 : at]
    return before.count("“") > before.count("”") or before.count('"') % 2 == 1


def _clause_before(at: int, text: str) -> str:
    return re.split(r"[.!?;\n]\s", text[max(0, at - 160) : at])[-1]
