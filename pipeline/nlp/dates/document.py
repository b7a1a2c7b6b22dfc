"""The claims of one article come in, dated each by its own sentence; out they go with what they tell of each other's
dates."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from itertools import zip_longest

from pipeline.lexicon.entity_graph import EntityGraph
from pipeline.nlp.dates.expressions import find_dates
from pipeline.nlp.dates.resolve import CLAUSE_BREAK, DONE, LEAD_DAYS, NEWS_DAYS, WEEK, lead_day
from pipeline.records import Claim, DateSpan, Evidence, Modality
from scrapers.items import Precision

_SAME_DAY = re.compile(
    r"\b(?:earlier\s+in\s+the\s+day|later\s+in\s+the\s+day|(?:the\s+)?same\s+day|(?:minutes|hours|moments)\s+(?:after|before|later|earlier)|"
    r"(?:shortly|soon|immediately)\s+(?:after|before)|shortly\s+thereafter)\b",
    re.I,
)
_OF_THE_POST = re.compile(
    r"\b(?:post|statement|letter|memo|order|directive|announcement)\s+(?:also\s+|further\s+)+"
    r"(?:said|says|stated|states|read|reads|added|adds|called|calls)\b",
    re.I,
)
_SAME_TIME = re.compile(
    r"\b(?:(?:around|about|at)\s+(?:about\s+)?(?:the\s+same|that)\s+time|that\s+(?:same\s+)?day)\b|"
    rf"^(?:Instead|In\s+turn|In\s+response),|{_OF_THE_POST.pattern}",
    re.I,
)
_RIGHT_AFTER = re.compile(r"\b(?:minutes|hours|moments|right|shortly|immediately|just)\s+(?:after|before)\b", re.I)
_SEQUEL = re.compile(r"\b(?:then|later|since|recently|again|also|next|eventually|meanwhile|now)\b", re.I)
_HAD_SAID = re.compile(
    r"\bhad\s+(?:\w+\s+)?(?:said|told|vowed|planned|promised|pledged|threatened|announced|warned|meant|wanted)\b", re.I
)
_DEADLINE = re.compile(r"\b(?:until|by)\s+(?:\w+\s+){0,2}?(?P<day>(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day)\b", re.I)
_CLAUSES = 2  # clause borders over which "hours after" still tells of a trigger
_NEAR_PARAGRAPHS = 2  # how far back "the same time" may point
_PAST = ("occurred", "negated", "denied", "alleged", "cancelled")


def settle_dates(
    claims: Sequence[Claim],
    text: str,
    published: date | None,
    told: Sequence[DateSpan | None] = (),
    as_of_now: Sequence[bool] = (),
    families: EntityGraph | None = None,
) -> tuple[Claim, ...]:
    """Let the claims of one article date each other, since dates are resolved over the whole document.

    (1) What was done and has no date of its own takes that of the nearest claim of the same type, done as well, that
    shares its parties; so do what is dated to a year only and a plan that came true. (2) What is new and undated takes
    the day of the article's news: that which the first lines name, else that of most dated new claims, if it lies in
    the days before publication; what repeats it takes it, too. (3) What is old and undated takes the date of what is
    told "around the same time"; a sentence that merely follows a dated one has no date of its own, unless `told` gives
    it one. (4) What is still undated takes the date of what its own sentence tells as done with it or hours from it,
    or that of its event told elsewhere.

    `told`: for each claim the day that the story of the sentence before it goes on with, or None. `as_of_now`: whether
    its verb tells how things stand as the article is written ("has not barred", "has a pact"): what has not been done
    has not been done to this day, and what is so has begun at some other time.
    """
    kin = families or EntityGraph()
    claims = list(claims)
    dated = [each for each in claims if _has_own(each) and each.modality in _PAST]
    for index, (claim, day) in enumerate(zip_longest(claims, told)):
        if day is not None and not _has_own(claim) and claim.modality in ("occurred", "negated"):
            claims[index] = replace(claim, date=day)
    for index, claim in enumerate(claims):
        if not _has_own(claim) and claim.modality in _PAST and (other := _same_event(claim, dated, kin)):
            if claim.newness == "new" and other.newness != "new" and _is_long_gone(other.date, published):
                continue  # "has revised its policy" is not the day on which it was adopted
            claims[index] = replace(claim, date=other.date)
    for index, claim in enumerate(claims):
        if not _has_own(claim) and _is_old_plan(claim) and (other := _same_event(claim, dated, kin)):
            claims[index] = replace(claim, date=other.date)
    for index, claim in enumerate(claims):
        if _has_own(claim) and claim.modality in _PAST:
            finer = [other for other in dated if _lies_within(other.date, claim.date)]
            if other := _same_event(claim, finer, kin):
                claims[index] = replace(claim, date=other.date)
    news = _news_day(claims, text, published)
    for index, claim in enumerate(claims):
        if _has_own(claim) or claim.modality not in DONE:
            continue
        recalled = claim.newness == "background" or _OF_THE_POST.search(claim.evidence.quote)
        if recalled and (other := _at_that_time(claim, claims[:index], text)):
            claims[index] = replace(claim, date=other.date)
        elif claim.modality is Modality.NEGATED and any(as_of_now[index : index + 1]):
            continue
        elif news is not None and (claim.newness == "new" or _says(_SAME_DAY, claim)):
            claims[index] = replace(claim, date=None if _is_due(claim, news) else news)
    for linked in (_of_the_hour, _of_the_event):
        dated = [each for each in claims if _has_own(each) and each.modality in _PAST]
        for index, claim in enumerate(claims):
            if claim.date is None and (other := linked(claim, dated, text, kin, any(as_of_now[index : index + 1]))):
                claims[index] = replace(claim, date=other.date)
    return tuple(claims)


def _of_the_hour(claim: Claim, dated: list[Claim], text: str, kin: EntityGraph, now: bool) -> Claim | None:
    """Find what the sentence of a claim tells as done with it, or hours before or after it."""
    return _order_of(claim, dated) or _hours_from(claim, dated)


def _of_the_event(claim: Claim, dated: list[Claim], text: str, kin: EntityGraph, now: bool) -> Claim | None:
    """Find another claim of the same event. `now`: whether a claim tells how things stand as the article is written."""
    if claim.modality not in _PAST and not _is_old_plan(claim):
        return None
    return (None if now else _same_event(claim, dated, kin)) or _told_on_from(claim, dated, text, kin)


def _told_on_from(claim: Claim, dated: list[Claim], text: str, kin: EntityGraph) -> Claim | None:
    """Find what the sentence before told of the same old act in other words: "Congress killed it in July. The Senate
    voted it down nearly unanimously." """
    if claim.newness != "background" or claim.modality not in DONE or _SEQUEL.search(claim.evidence.quote):
        return None
    for other in dated:
        between = text[other.evidence.end : claim.evidence.start]
        alike = other.type == claim.type and other.newness == "background" and _is_undone(other) == _is_undone(claim)
        follows = other.evidence.end <= claim.evidence.start and not between.strip() and "\n\n" not in between
        mine, its = _parties(claim, "actor"), _parties(other, "actor")
        if alike and follows and mine and its and _covered(mine, its, kin) and _covered(its, mine, kin):
            return other
    return None


def _order_of(claim: Claim, dated: list[Claim]) -> Claim | None:
    """Find the order by which a restriction is imposed, in its own sentence: "directed the agencies to stop"."""
    if claim.modality is not Modality.OCCURRED or claim.type != "restriction":
        return None
    here = (other for other in dated if other.evidence == claim.evidence and other.type == "executive_action")
    return next((o for o in here if o.trigger_start < claim.trigger_start and o.modality is Modality.OCCURRED), None)


def _hours_from(claim: Claim, dated: list[Claim]) -> Claim | None:
    """Find what was told in the sentence of a claim as hours before or after it: "the pact came right after talks with
    another lab broke down"."""
    if claim.modality not in DONE:
        return None
    for other in dated:
        first, last = sorted((claim, other), key=lambda each: each.trigger_start)
        between = claim.evidence.quote[
            first.trigger_end - claim.evidence.start : last.trigger_start - claim.evidence.start
        ]
        fine = other.date is not None and other.date.precision is Precision.DAY
        if fine and other.evidence == claim.evidence and _RIGHT_AFTER.search(between):
            return other
    return None


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
        if len(CLAUSE_BREAK.findall(quote[left:right])) <= _CLAUSES:
            return True
    return False


def _is_due(claim: Claim, news: DateSpan) -> bool:
    """True where the day of the news is the end of what a claim sets: "gave the lab until Friday" was not on Friday."""
    days = {match["day"].casefold() for match in _DEADLINE.finditer(claim.evidence.quote)}
    return claim.type == "access_request" and f"{news.start:%A}".casefold() in days


def _is_long_gone(span: DateSpan | None, published: date | None) -> bool:
    return span is not None and published is not None and (published - span.end).days > NEWS_DAYS


def _is_old_plan(claim: Claim) -> bool:
    """True for what "had said that it would": an older act of the kind may be what it came to."""
    old = claim.newness == "background" or _HAD_SAID.search(claim.evidence.quote)
    return claim.modality is Modality.PLANNED and bool(old)


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


def _related(some: set[str], others: set[str], kin: EntityGraph) -> bool:
    """Tell whether two sets of parties share one, or hold a person and the office that he leads."""
    return any(kin.closeness(one, other) for one in some for other in others)


def _covered(some: set[str], others: set[str], kin: EntityGraph) -> bool:
    """Tell whether each of some parties, or a body of its family, is among others."""
    return all(_related({each}, others, kin) for each in some)


def _same_event(claim: Claim, dated: list[Claim], kin: EntityGraph) -> Claim | None:
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
            and not (_covered(mine, its, kin) or _covered(its, mine, kin) or len(mine & its) > 1)
        ):
            continue
        pairs = [
            (_parties(claim, *roles), _parties(other, *roles)) for roles in (("target",), ("instrument",), ("object",))
        ]
        both = [(one, two) for one, two in pairs if one and two]
        if all(_related(one, two, kin) for one, two in both):
            (same if both or claim.type == "agreement" else bare).append(other)
    recalled = claim.newness == "background" and claim.modality is Modality.OCCURRED
    if not same and recalled and len({other.date for other in bare}) == 1:
        same = bare  # "the suit that it brought" and "it sued in May": nothing else can be meant
    return min(same, key=lambda other: abs(other.evidence.start - claim.evidence.start), default=None)


def _news_day(claims: list[Claim], text: str, published: date | None) -> DateSpan | None:
    if published is None:
        return None
    first = next((claim.evidence for claim in claims if claim.newness == "new"), None)
    told = (first.start, first.end) if first is not None else None
    lead = lead_day(find_dates(text, published), text, published, told)
    if lead and (published - lead.start).days <= (WEEK if lead.basis == "stated" else LEAD_DAYS):
        return lead
    days = [
        claim.date
        for claim in claims
        if _has_own(claim) and claim.newness == "new" and claim.modality is Modality.OCCURRED and claim.date
    ]
    recent = [day for day in days if day.precision is Precision.DAY and 0 <= (published - day.start).days <= LEAD_DAYS]
    if not recent:
        week = days[0] if days and first is not None and days[0] == _date_of(claims, first) else None
        return week if week is not None and week.precision is Precision.WEEK and week.end >= published else None
    count = Counter(day.start for day in recent)
    best = max(count, key=lambda day: (count[day], day))
    return next(day for day in recent if day.start == best)


def _date_of(claims: list[Claim], evidence: Evidence) -> DateSpan | None:
    return next((claim.date for claim in claims if claim.evidence == evidence and _has_own(claim)), None)
