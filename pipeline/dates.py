"""The time expressions and the claims of an article come in; out goes when each claim's event was or is to be."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from itertools import zip_longest

from pipeline import dayspans as spans
from pipeline.families import Families
from pipeline.records import Claim, DateSpan, Evidence, Modality
from pipeline.timewords import DateMention, find_dates
from scrapers.records import Precision

__all__ = ["DateMention", "claim_date", "find_dates", "lead_day", "settle_dates", "spoken_dates"]

_CLAUSE_BREAK = re.compile(
    r"[;:–—]|,(?!\s+\d)|\s-\s|\b(?:but|while|after|before|when|whereas|although|though|because|since(?!\s*$)|as|that|which|who|whose|if|"
    r"unless|until|following)\b",
    re.I,
)
_CONTRAST = re.compile(r"\b(?:but|while|whereas|although|though)\b", re.I)  # what follows is another story
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
_PUT_OFF_TO = re.compile(r"\b(?:to|until|till|into)\s+(?:at\s+least\s+|the\s+|late\s+|early\s+)*$", re.I)
_MOVES = re.compile(
    r"\b(?:move|push|put|postpone|delay|defer|extend|shift)(?:s|d|ed|ing|ting)?\b[^.;]{0,60}\bto\s", re.I
)
_AT_HEAD = re.compile(r"(?:In|On|By|During)\s+")
_PAST = ("occurred", "negated", "denied", "alleged", "cancelled")
_DONE = ("occurred", "negated", "cancelled")  # to call a thing off is an act, too
_AHEAD = ("planned", "considered", "conditional", "postponed")
_FAR = 40  # cost, in characters, of a clause border between a trigger and a date
_TOO_FAR = 160
_NEAR = 60  # a date so near belongs to the trigger however old it is
_NEWS_DAYS = 45  # what is new lies hardly further back
_OLD_NEWS = 100
_LEAD = 600  # characters in which an article says when its news happened
_STAMP = 80  # characters of a line with the time stamp of a page
_LEAD_DAYS = 2  # such a day lies hardly further back; "Tuesday" may also be one to come
_WEEK = 6  # but "Last Thursday, ..." opens an article some days later, too
_RECENT_DAYS = 60
_SOON = 45  # days; a day without a year so near is not that of the year before
_LONG_WAY, _SHORT_WAY = 240, 125  # days; between them a day without a year lies rather back than ahead
_DUE_AFTER = re.compile(r"^,?\s*(?:(?:at\s+)?[\d:]+\s*(?:[ap]\.?m\.?)?,?\s*(?:ET|EST|PT|GMT|CET)?\s*)?deadline\b", re.I)
_ANSWERED = re.compile(r"\b(?:responded|reacted|replied|answered|hit\s+back|in\s+(?:a\s+)?(?:response|reply))\b", re.I)
_TODAY = re.compile(r"today|tonight|this\s+(?:morning|afternoon|evening)", re.I)
_SAME_DAY = re.compile(
    r"\b(?:earlier\s+in\s+the\s+day|later\s+in\s+the\s+day|(?:the\s+)?same\s+day|(?:minutes|hours|moments)\s+(?:after|before|later|earlier)|"
    r"(?:shortly|soon|immediately)\s+(?:after|before)|shortly\s+thereafter)\b",
    re.I,
)
_SAME_TIME = re.compile(
    r"\b(?:(?:around|about|at)\s+(?:about\s+)?(?:the\s+same|that)\s+time|that\s+(?:same\s+)?day|"
    r"(?:post|statement|letter|memo|order|directive|announcement)\s+(?:also\s+|further\s+)+"
    r"(?:said|says|stated|states|read|reads|added|adds|called|calls))\b|^(?:Instead|In\s+turn|In\s+response),",
    re.I,
)
_CLAUSES = 2  # clause borders over which "hours after" still tells of a trigger
_NEAR_PARAGRAPHS = 2  # how far back "the same time" may point


def claim_date(
    sentence_start: int,
    sentence_end: int,
    trigger_start: int,
    trigger_end: int,
    modality: str,
    dates: list[DateMention],
    published: date | None,
    text: str,
    mention: str = "new",
    promise: bool = False,
) -> DateSpan | None:
    """Return when the event of one trigger happened or is to happen.

    The nearest time expression counts, where a clause border costs as much as 40 characters and the day on which
    somebody spoke ("said on Friday") is used only for what was new that day. Without one, what is new and was done is
    dated to the publication (basis "publication"); what is old, planned or considered has no date. A `promise` is made
    when it is spoken: "said on Friday that it would wait". `settle_dates` then lets the claims of one article learn
    from each other.
    """
    best: tuple[float, DateSpan] | None = None
    if modality == "postponed" or modality in _AHEAD and _MOVES.search(text[trigger_start:sentence_end]):
        dates = _put_off_to(dates, sentence_start, sentence_end, text)
    for each in dates:
        if not (sentence_start <= each.start and each.end <= sentence_end) or each.is_duration:
            continue
        spoken = each.spoken or _is_spoken(each, trigger_start, trigger_end, sentence_start, sentence_end, text)
        ahead = modality in _AHEAD and not (promise and spoken)
        span = _reading(each, ahead, spoken, published, _is_due(each, text))
        if span is None:
            continue
        cost = _cost(each, trigger_start, trigger_end, text)
        opens = not spoken and (each.opening or _opens(each, sentence_start, text))
        if spoken and _is_contrasted(each, trigger_start, trigger_end, text):
            continue
        if spoken or opens:
            cost = min(cost, _TOO_FAR - 1 + cost / 10_000)  # such a day holds for the whole sentence, as a last resort
        age = _age_cost(span, published) if mention == "new" else 0.0
        if (cost <= _NEAR or opens or cost + age <= _TOO_FAR) and (best is None or cost + age < best[0]):
            best = (cost + age, span)
    if best is not None:
        return best[1]
    if published is not None and mention == "new" and modality in _DONE:
        return spans.day(published, "publication")
    return None


def _put_off_to(dates: list[DateMention], start: int, end: int, text: str) -> list[DateMention]:
    """Return of the dates of "moved from Monday to June 11" the one that it was put off to, if a sentence has one."""
    here = [each for each in dates if start <= each.start and each.end <= end]
    to = [each for each in here if _PUT_OFF_TO.search(text[max(start, each.start - 40) : each.start])]
    return to[-1:] or here


def _reading(each: DateMention, ahead: bool, spoken: bool, published: date | None, due: bool) -> DateSpan | None:
    """Choose between the two readings of an open expression; what was done cannot lie after the publication.

    "until Friday" belongs to what is to come, the day of a speech to what was done: the other claims pass them by.
    """
    if ahead:
        return None if spoken else _ahead(each, published)
    if each.span is None or (due and not spoken) or (published is not None and each.span.start > published):
        return None
    if each.ahead is not None and published is not None and each.span.precision is Precision.DAY:
        gone, to_come = (published - each.span.end).days, (each.ahead.start - published).days
        if gone > _LONG_WAY and to_come < _SOON:
            return None  # "July 9" in June is the one to come, whatever is said of it
    return each.span


def _ahead(each: DateMention, published: date | None) -> DateSpan | None:
    """Return the reading ahead, but not "February 27" of next year where this year's has hardly gone."""
    if each.ahead and each.span and published:
        gone, to_come = (published - each.span.end).days, (each.ahead.start - published).days
        if to_come > _LONG_WAY and gone < _SHORT_WAY:
            return each.span
    return each.ahead or each.span


def _is_spoken(each: DateMention, trigger_start: int, trigger_end: int, start: int, end: int, text: str) -> bool:
    """True where the expression dates a statement and the trigger is another word than that statement's."""
    before = text[max(start, each.start - 60) : each.start]
    match = _SAID_BEFORE.search(before)
    if match and not (trigger_start < each.start and trigger_end > each.start - len(before) + match.start()):
        between = before[match.start() :]
        return not re.search(r"\b(?:that|would|will|to)\b", between)
    after = _SAID_AFTER.match(text[each.end : min(end, each.end + 40)])
    return bool(after) and not (trigger_start < each.end + after.end() and trigger_end > each.end)


def _opens(each: DateMention, sentence_start: int, text: str) -> bool:
    """True for "On Friday, ...", "Last week, ..." and "In March our ..." at the head of a sentence."""
    return each.start - sentence_start < 12 and (
        text[each.end : each.end + 1] == "," or bool(_AT_HEAD.fullmatch(text[sentence_start : each.start]))
    )


def _is_contrasted(each: DateMention, trigger_start: int, trigger_end: int, text: str) -> bool:
    """True where "but" or "though" stands between: the day is that of another story."""
    left, right = (each.end, trigger_start) if each.start < trigger_start else (trigger_end, each.start)
    return bool(_CONTRAST.search(text[left:right]))


def _age_cost(span: DateSpan, published: date | None) -> float:
    """New events are recent, and told to the day."""
    if published is None:
        return 0.0
    old = _OLD_NEWS if (published - span.end).days > _NEWS_DAYS else 0.0
    return old + (0.0 if span.precision is Precision.DAY else _FAR)


def _cost(each: DateMention, trigger_start: int, trigger_end: int, text: str) -> float:
    """Measure how far a date stands from a trigger: characters, and the clause borders between."""
    left, right = (each.end, trigger_start) if each.start < trigger_start else (trigger_end, each.start)
    if right <= left:
        return 0.0
    between = re.sub(r"\([^()]*\)", "", text[left:right])
    borders = len(_CLAUSE_BREAK.findall(between))
    # "On Friday, the agency signed": the comma after an opening date is no border.
    if each.start < trigger_start and re.match(r"\s*,", between):
        borders -= 1
    borders += 2 * len(_CONTRAST.findall(between)) + 3 * between.count(";")  # a sentence of its own
    return len(between) + _FAR * max(0, borders)


def settle_dates(
    claims: Sequence[Claim],
    text: str,
    published: date | None,
    told: Sequence[DateSpan | None] = (),
    as_of_now: Sequence[bool] = (),
    families: Families | None = None,
) -> tuple[Claim, ...]:
    """Let the claims of one article date each other, since dates are resolved over the whole document.

    (1) What was done and has no date of its own takes that of the nearest claim of the same type, done as well, that
    shares its parties; so do what is dated to a year only and a plan that came true. (2) What is new and undated takes
    the day of the article's news: that which the first lines name, else that of most dated new claims, if it lies in
    the days before publication; what repeats it takes it, too. (3) What is old and undated takes the date of what is
    told "around the same time"; a sentence that merely follows a dated one has no date of its own, unless `told` gives
    it one.

    `told`: for each claim the day that the story of the sentence before it goes on with, or None. `as_of_now`: whether
    its verb tells how things stand as the article is written ("has not barred", "has a pact"): what has not been done
    has not been done to this day, and what is so has begun at some other time.
    """
    kin = families or Families()
    claims = list(claims)
    dated = [each for each in claims if _has_own(each) and each.modality in _PAST]
    for index, (claim, day) in enumerate(zip_longest(claims, told)):
        if day is not None and not _has_own(claim) and claim.modality in ("occurred", "negated"):
            claims[index] = replace(claim, date=day)
    for index, claim in enumerate(claims):
        if not _has_own(claim) and claim.modality in _PAST and (other := _same_event(claim, dated, kin)):
            if claim.mention == "new" and other.mention != "new" and _is_long_gone(other.date, published):
                continue  # "has revised its policy" is not the day on which it was adopted
            claims[index] = replace(claim, date=other.date)
    for index, claim in enumerate(claims):
        if not _has_own(claim) and claim.modality is Modality.PLANNED and (other := _same_event(claim, dated, kin)):
            claims[index] = replace(claim, date=other.date)
    for index, claim in enumerate(claims):
        if _has_own(claim) and claim.modality in _PAST:
            finer = [other for other in dated if _lies_within(other.date, claim.date)]
            if other := _same_event(claim, finer, kin):
                claims[index] = replace(claim, date=other.date)
    news = _news_day(claims, text, published)
    for index, claim in enumerate(claims):
        if _has_own(claim) or claim.modality not in _DONE:
            continue
        if claim.mention == "background" and (other := _at_that_time(claim, claims[:index], text)):
            claims[index] = replace(claim, date=other.date)
        elif claim.modality is Modality.NEGATED and any(as_of_now[index : index + 1]):
            continue
        elif news is not None and (claim.mention == "new" or _says(_SAME_DAY, claim)):
            claims[index] = replace(claim, date=news)
    dated = [each for each in claims if _has_own(each) and each.modality in _PAST]
    for index, claim in enumerate(claims):
        open_ = claim.date is None and (claim.modality in _PAST or claim.modality is Modality.PLANNED)
        if open_ and not any(as_of_now[index : index + 1]) and (other := _same_event(claim, dated, kin)):
            claims[index] = replace(claim, date=other.date)
    return tuple(claims)


def _at_that_time(claim: Claim, earlier: list[Claim], text: str) -> Claim | None:
    """Find what was told just before a claim "around the same time", "hours after", or of "the post" of before."""
    to_the_day = _says(_SAME_DAY, claim)
    if not (_SAME_TIME.search(claim.evidence.quote) or to_the_day):
        return None
    for other in reversed(earlier):
        if other.evidence.start == claim.evidence.start:
            continue
        if text.count("\n\n", other.evidence.end, claim.evidence.start) > _NEAR_PARAGRAPHS:
            return None
        fine = other.date is not None and other.date.precision is Precision.DAY
        if _has_own(other) and other.modality in _PAST and (fine or not to_the_day):
            return other
    return None


def _says(pattern: re.Pattern, claim: Claim) -> bool:
    """Tell whether such words stand in the clause of the trigger, or in the next to it."""
    quote, start = claim.evidence.quote, claim.evidence.start
    for match in pattern.finditer(quote):
        left, right = match.end(), claim.trigger_start - start
        if right < match.start():
            left, right = claim.trigger_end - start, match.start()
        if len(_CLAUSE_BREAK.findall(quote[left:right])) <= _CLAUSES:
            return True
    return False


def _is_long_gone(span: DateSpan | None, published: date | None) -> bool:
    return span is not None and published is not None and (published - span.end).days > _NEWS_DAYS


def _is_undone(claim: Claim) -> bool:
    return claim.modality in (Modality.NEGATED, Modality.CANCELLED)


def _has_own(claim: Claim) -> bool:
    return claim.date is not None and claim.date.basis != "publication"


def _lies_within(fine: DateSpan | None, coarse: DateSpan | None) -> bool:
    """True for a shorter time inside a longer one, "in July" and "last year"; a day inside a month may be another's."""
    if fine is None or coarse is None or coarse.precision is not Precision.YEAR:
        return False
    return fine.precision is not Precision.YEAR and coarse.start <= fine.start and fine.end <= coarse.end


def _parties(claim: Claim, *roles: str) -> set[str]:
    return {each.entity_id for each in claim.participants if each.role in roles}


def _related(some: set[str], others: set[str], kin: Families) -> bool:
    """Tell whether two sets of parties share one, or hold a person and the office that he leads."""
    return any(kin.closeness(one, other) for one in some for other in others)


def _same_event(claim: Claim, dated: list[Claim], kin: Families) -> Claim | None:
    """Find the nearest dated claim of the same type, direction and actor whose target or thing does not differ."""
    same: list[Claim] = []
    bare: list[Claim] = []
    for other in dated:
        if other is claim or other.type != claim.type or other.direction != claim.direction:
            continue
        if _is_undone(other) != _is_undone(claim):
            continue  # talks that failed are not the contract that was signed before them
        mine, its = _parties(claim, "actor"), _parties(other, "actor")
        # "the agreement with the institute" may be any of several; with both parties named it is one
        if (
            not _related(mine, its, kin)
            or claim.type == "agreement"
            and not (mine <= its or its <= mine or len(mine & its) > 1)
        ):
            continue
        pairs = [
            (_parties(claim, *roles), _parties(other, *roles)) for roles in (("target",), ("instrument",), ("object",))
        ]
        both = [(one, two) for one, two in pairs if one and two]
        if all(_related(one, two, kin) for one, two in both):
            (same if both or claim.type == "agreement" else bare).append(other)
    recalled = claim.mention == "background" and claim.modality is Modality.OCCURRED
    if not same and recalled and len({other.date for other in bare}) == 1:
        same = bare  # "the suit that it brought" and "it sued in May": nothing else can be meant
    return min(same, key=lambda other: abs(other.evidence.start - claim.evidence.start), default=None)


def _news_day(claims: list[Claim], text: str, published: date | None) -> DateSpan | None:
    if published is None:
        return None
    first = next((claim.evidence for claim in claims if claim.mention == "new"), None)
    told = (first.start, first.end) if first is not None else None
    lead = lead_day(find_dates(text, published), text, published, told)
    if lead and (published - lead.start).days <= (_WEEK if lead.basis == "stated" else _LEAD_DAYS):
        return lead
    days = [
        claim.date
        for claim in claims
        if _has_own(claim) and claim.mention == "new" and claim.modality is Modality.OCCURRED and claim.date
    ]
    recent = [day for day in days if day.precision is Precision.DAY and 0 <= (published - day.start).days <= _LEAD_DAYS]
    if not recent:
        week = days[0] if days and first is not None and days[0] == _date_of(claims, first) else None
        return week if week is not None and week.precision is Precision.WEEK and week.end >= published else None
    count = Counter(day.start for day in recent)
    best = max(count, key=lambda day: (count[day], day))
    return next(day for day in recent if day.start == best)


def _date_of(claims: list[Claim], evidence: Evidence) -> DateSpan | None:
    return next((claim.date for claim in claims if claim.evidence == evidence and _has_own(claim)), None)


def lead_day(
    dates: Sequence[DateMention], text: str, published: date | None, told: tuple[int, int] | None = None
) -> DateSpan | None:
    """Return the day of the news, if the first lines name it or somebody answers the news on an earlier day.

    What an article reports cannot be younger than the answers to it ("The company responded on Friday evening").
    `told`: the offsets of the first sentence that tells an event; a date of the calendar in it may lie some days back.
    """
    if published is None:
        return None
    recent = [
        each
        for each in dates
        if each.span
        and each.span.precision is Precision.DAY
        and 0 <= (published - each.span.start).days <= (_WEEK if _tells_news(each, text, told) else _LEAD_DAYS)
        and not _is_due(each, text)
        and not _is_stamp(each.start, text)
    ]
    lead = [each for each in recent if each.start < _LEAD and not _is_quoted(each.start, text)]
    answers = [each for each in recent if _ANSWERED.search(_clause_before(each.start, text))]
    return next((each.span for each in (*lead, *answers)), None)


def _is_stamp(at: int, text: str) -> bool:
    """True in a short line that is no sentence: "Posted: May 9, 2026, 6:40 AM" says when the page was made."""
    start, end = text.rfind("\n", 0, at) + 1, text.find("\n", at)
    line = text[start : end if end >= 0 else len(text)].rstrip()
    return len(line) < _STAMP and not line.endswith((".", "!", "?", "”", '"', "’", "'", ")"))


def told_before(dates: Sequence[DateMention], start: int, end: int, published: date | None) -> DateSpan | None:
    """Return the last date of what was done that text[start:end] gives."""
    past = [each.span for each in dates if start <= each.start and each.end <= end and each.span]
    return next((span for span in reversed(past) if published is None or span.start <= published), None)


def spoken_dates(dates: Sequence[DateMention], text: str, published: date | None) -> list[DateMention]:
    """Count "today" and "tonight" inside a quotation from the day of the news, on which the words were said."""
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


def _tells_news(each: DateMention, text: str, told: tuple[int, int] | None) -> bool:
    """True for a day at the head of a sentence, and for a date of the calendar inside that which tells the news."""
    if told is not None and told[0] <= each.start < told[1] and each.span is not None and each.span.basis == "stated":
        return True
    return _opens_sentence(each, text)


def _opens_sentence(each: DateMention, text: str) -> bool:
    """True for "Last Thursday, ..." and "On Friday, ..." at the head of any sentence."""
    before = re.search(r"(?:^|[.!?”\"\n]\s*)(?:On\s+|Late\s+|Early\s+)?$", text[max(0, each.start - 40) : each.start])
    return bool(before) and text[each.end : each.end + 1] == ","


def _is_due(each: DateMention, text: str) -> bool:
    """True for the day of a deadline: "by Friday", "until Friday", "the Friday 5 p.m. deadline"."""
    return bool(_DUE.search(text[max(0, each.start - 80) : each.start]) or _DUE_AFTER.match(text[each.end :][:40]))


def _is_quoted(at: int, text: str) -> bool:
    """True between an opening and a closing quotation mark of one paragraph."""
    before = text[text.rfind("\n", 0, at) + 1 : at]
    return before.count("“") > before.count("”") or before.count('"') % 2 == 1


def _clause_before(at: int, text: str) -> str:
    return re.split(r"[.!?;\n]\s", text[max(0, at - 160) : at])[-1]
