"""Reconciles the dates of an article's claims, each of which was dated from its own sentence alone."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

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
_MAX_BORDERS = 2  # clause borders between "hours after" and its trigger
_NEAR_PARAGRAPHS = 2  # how far back "the same time" may point
_PAST = (Modality.OCCURRED, Modality.NEGATED, Modality.DENIED, Modality.ALLEGED, Modality.CANCELLED)


def settle_dates(
    claims: Sequence[Claim],
    text: str,
    published: date | None,
    continued: Sequence[DateSpan | None] = (),
    as_of_now: Sequence[bool] = (),
    families: EntityGraph | None = None,
) -> tuple[Claim, ...]:
    """Let the claims of one article date each other.

    1. A past claim without a date of its own takes that of the nearest past claim of the same event; so do a claim
       dated only to a year and a plan that was carried out.
    2. An undated new claim takes the day of the news: the one in the first lines, else the most frequent day of new
       claims shortly before publication.
    3. An undated old claim takes the date of one reported "around the same time". A sentence that merely follows a
       dated one gets no date from it, unless `continued` says so.
    4. A claim still undated takes the date of an act that its own sentence links to it, or of its event elsewhere.

    Args:
        claims: The claims in text order.
        text: The text of the article.
        published: The day of publication.
        continued: For each claim the day that it continues from the sentence before, or None.
        as_of_now: For each claim whether its verb describes the state at the time of writing ("has not barred", "has a
            pact"): a negated one still holds, and the state began at some other time.
        families: The graph of related entities.
    """
    kin = families or EntityGraph()
    settled = list(claims)
    for index, day in enumerate(continued):
        claim = settled[index]
        if day is not None and not _has_own(claim) and claim.modality in (Modality.OCCURRED, Modality.NEGATED):
            settled[index] = replace(claim, date=day)
    _date_by_event(settled, _dated(claims), published, kin)
    _date_by_news(settled, text, published, as_of_now)
    _date_by_link(settled, text, as_of_now, kin)
    return tuple(settled)


def _dated(claims: Sequence[Claim]) -> list[Claim]:
    """Return the past claims with a date of their own."""
    return [each for each in claims if _has_own(each) and each.modality in _PAST]


def _date_by_event(claims: list[Claim], dated: list[Claim], published: date | None, kin: EntityGraph) -> None:
    """Apply rule 1 of `settle_dates`; the date of a long-gone event does not carry over to a new claim."""
    for index, claim in enumerate(claims):
        if not _has_own(claim) and claim.modality in _PAST and (other := _same_event(claim, dated, kin)):
            if claim.newness == "new" and other.newness != "new" and _is_long_gone(other.date, published):
                continue  # "has revised its policy" does not take the day on which the policy was adopted
            claims[index] = replace(claim, date=other.date)
    for index, claim in enumerate(claims):
        if not _has_own(claim) and _is_old_plan(claim) and (other := _same_event(claim, dated, kin)):
            claims[index] = replace(claim, date=other.date)
    for index, claim in enumerate(claims):
        if _has_own(claim) and claim.modality in _PAST:
            finer = [other for other in dated if _lies_within(other.date, claim.date)]
            if other := _same_event(claim, finer, kin):
                claims[index] = replace(claim, date=other.date)


def _date_by_news(claims: list[Claim], text: str, published: date | None, as_of_now: Sequence[bool]) -> None:
    """Apply rules 2 and 3 of `settle_dates`."""
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


def _date_by_link(claims: list[Claim], text: str, as_of_now: Sequence[bool], kin: EntityGraph) -> None:
    """Apply rule 4 of `settle_dates`."""
    dated = _dated(claims)
    for index, claim in enumerate(claims):
        if claim.date is None and (other := _order_of(claim, dated) or _hours_from(claim, dated)):
            claims[index] = replace(claim, date=other.date)
    dated = _dated(claims)
    for index, claim in enumerate(claims):
        now = any(as_of_now[index : index + 1])
        if claim.date is None and (other := _of_the_event(claim, dated, text, kin, now)):
            claims[index] = replace(claim, date=other.date)


def _of_the_event(claim: Claim, dated: list[Claim], text: str, kin: EntityGraph, now: bool) -> Claim | None:
    """Return another claim of the same event. `now`: whether the claim describes the state at the time of writing."""
    if claim.modality not in _PAST and not _is_old_plan(claim):
        return None
    return (None if now else _same_event(claim, dated, kin)) or _reworded(claim, dated, text, kin)


def _reworded(claim: Claim, dated: list[Claim], text: str, kin: EntityGraph) -> Claim | None:
    """Return the claim of the sentence before if this one repeats it in other words.

    Example: "Congress killed it in July. The Senate voted it down nearly unanimously."
    """
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
    """Return the order that imposes a restriction, in its own sentence: "directed the agencies to stop"."""
    if claim.modality is not Modality.OCCURRED or claim.type != "restriction":
        return None
    here = (other for other in dated if other.evidence == claim.evidence and other.type == "executive_action")
    return next((o for o in here if o.trigger_start < claim.trigger_start and o.modality is Modality.OCCURRED), None)


def _hours_from(claim: Claim, dated: list[Claim]) -> Claim | None:
    """Return an act in the claim's sentence reported as hours before or after it.

    Example: "the pact came right after talks with another lab broke down".
    """
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
    """Return an earlier claim that this one refers to: "around the same time", "hours after", "the post also said"."""
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
    """Return whether a pattern matches in the clause of the trigger or near it."""
    quote, start = claim.evidence.quote, claim.evidence.start
    for match in pattern.finditer(quote):
        left, right = match.end(), claim.trigger_start - start
        if right < match.start():
            left, right = claim.trigger_end - start, match.start()
        if len(CLAUSE_BREAK.findall(quote[left:right])) <= _MAX_BORDERS:
            return True
    return False


def _is_due(claim: Claim, news: DateSpan) -> bool:
    """Return whether the day of the news is a claim's deadline: "gave the lab until Friday" was not on Friday."""
    days = {match["day"].casefold() for match in _DEADLINE.finditer(claim.evidence.quote)}
    return claim.type == "access_request" and f"{news.start:%A}".casefold() in days


def _is_long_gone(span: DateSpan | None, published: date | None) -> bool:
    return span is not None and published is not None and (published - span.end).days > NEWS_DAYS


def _is_old_plan(claim: Claim) -> bool:
    """Return whether a claim is a past plan ("had said that it would"), which an older act may have fulfilled."""
    old = claim.newness == "background" or _HAD_SAID.search(claim.evidence.quote)
    return claim.modality is Modality.PLANNED and bool(old)


def _is_undone(claim: Claim) -> bool:
    return claim.modality in (Modality.NEGATED, Modality.CANCELLED)


def _has_own(claim: Claim) -> bool:
    return claim.date is not None and claim.date.basis != "publication"


def _lies_within(fine: DateSpan | None, coarse: DateSpan | None) -> bool:
    """Return whether a date is inside a year; a day inside a month may be another event's."""
    if fine is None or coarse is None or coarse.precision is not Precision.YEAR:
        return False
    return fine.precision is not Precision.YEAR and coarse.start <= fine.start and fine.end <= coarse.end


def _parties(claim: Claim, *roles: str) -> set[str]:
    return {each.entity_id for each in claim.participants if each.role in roles}


def _related(some: set[str], others: set[str], kin: EntityGraph) -> bool:
    """Return whether two sets of parties share one, or contain related ones: a person and the office they lead."""
    return any(kin.closeness(one, other) for one in some for other in others)


def _covered(some: set[str], others: set[str], kin: EntityGraph) -> bool:
    """Return whether each of some parties, or a related one, is among others."""
    return all(_related({each}, others, kin) for each in some)


def _same_event(claim: Claim, dated: list[Claim], kin: EntityGraph) -> Claim | None:
    """Return the nearest dated claim of the same type, direction and actor without a differing target or object."""
    same: list[Claim] = []
    bare: list[Claim] = []
    for other in dated:
        if other is claim or other.type != claim.type or other.direction != claim.direction:
            continue
        if _is_undone(other) != _is_undone(claim):
            continue  # failed talks are not the contract signed before them
        mine, its = _parties(claim, "actor"), _parties(other, "actor")
        # "The agreement with the institute" may be any of several; with both parties named it is one.
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
        same = bare  # "the suit that it brought" and "it sued in May": no other candidate
    return min(same, key=lambda other: abs(other.evidence.start - claim.evidence.start), default=None)


def _news_day(claims: list[Claim], text: str, published: date | None) -> DateSpan | None:
    if published is None:
        return None
    first = next((claim.evidence for claim in claims if claim.newness == "new"), None)
    sentence = (first.start, first.end) if first is not None else None
    lead = lead_day(find_dates(text, published), text, published, sentence)
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
