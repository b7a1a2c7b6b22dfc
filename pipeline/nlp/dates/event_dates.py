"""Dates events: the time expression that the model points to, read in the direction of the event's modality."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from pipeline.nlp.dates import calendar
from pipeline.nlp.dates.expressions import DateMention
from pipeline.records import DateSpan, Modality
from scrapers.items import Precision

DONE = (Modality.OCCURRED, Modality.NEGATED, Modality.CANCELLED, Modality.ALLEGED, Modality.DENIED)
_LONG_WAY, _SHORT_WAY = 240, 125  # days


def event_date(
    pointed: tuple[int, int] | None, dates: Sequence[DateMention], modality: Modality, published: date | None
) -> DateSpan | None:
    """Return the value of the time expression that dates an event, None without one.

    Args:
        pointed: Offsets of the words that the model points to, None if it points to none.
        dates: The time expressions of the article.
        modality: Says whether "Friday" is the last or the next one.
        published: The day of publication.
    """
    if pointed is not None:
        found = [each for each in dates if each.start < pointed[1] and pointed[0] < each.end]
        values = [span for each in found if (span := reading(each, modality, published)) is not None]
        if values:
            return min(values, key=lambda span: (span.end - span.start, span.precision is not Precision.DAY))
    return None


def reading(each: DateMention, modality: Modality, published: date | None) -> DateSpan | None:
    """Return the past or the future reading of an expression; what is done cannot follow the publication."""
    if modality in DONE:
        if each.span is not None and published is not None and each.span.start > published:
            return None
        return each.span
    if each.ahead is not None and each.span is not None and published is not None:
        gone, to_come = (published - each.span.end).days, (each.ahead.start - published).days
        if to_come > _LONG_WAY and gone < _SHORT_WAY:
            return each.span  # "February 27" in March is this year's
    return each.ahead or each.span


def of_publication(published: date | None, modality: Modality) -> DateSpan | None:
    """Return the day of publication as the date of news that was done and has no other date."""
    if published is None or modality not in DONE:
        return None
    return calendar.day(published, "publication")
