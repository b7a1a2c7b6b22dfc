"""The drafts of one article with their dates -> which of them it reports as news and which it recalls.

News stands in the first paragraphs, or bears the day of publication; what repeats it further down is news
as well. All else, and what grammar or an older date puts into the past, is background.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from pipeline.records import DateSpan, Modality

if TYPE_CHECKING:
    from pipeline.claims import Draft

LEAD = 3  # paragraphs in which news stands
FRESH = timedelta(days=2)  # news is no older
# What has not happened yet is seldom recalled.
_OPEN = (Modality.PLANNED, Modality.CONDITIONAL, Modality.POSTPONED, Modality.NEGATED)


def mentions_of(drafts: Sequence[Draft], dates: Sequence[DateSpan | None], day: date | None) -> list[str]:
    """Return "new" or "background" for each draft, in order."""
    news = [_is_lead(draft, when, day) for draft, when in zip(drafts, dates, strict=True)]
    told = [draft for draft, is_news in zip(drafts, news, strict=True) if is_news]
    result = []
    for draft, when, is_news in zip(drafts, dates, news, strict=True):
        if is_news:
            result.append("new")
        elif draft.mention == "background" or _is_old(when, day):
            result.append("background")
        elif (
            _is_fresh(when, day)
            or any(_repeats(draft, other) for other in told)
            or draft.modality in _OPEN
            and draft.trigger.pos_ in ("VERB", "AUX")
        ):
            result.append("new")
        else:
            result.append("background")
    return result


def _is_lead(draft: Draft, when: DateSpan | None, day: date | None) -> bool:
    return draft.paragraph < LEAD and draft.mention == "new" and not _is_old(when, day)


def _is_old(when: DateSpan | None, day: date | None) -> bool:
    return when is not None and day is not None and when.basis != "publication" and when.end < day - FRESH


def _is_fresh(when: DateSpan | None, day: date | None) -> bool:
    """Tell whether a date that the text itself gives lies at the publication or after it."""
    return when is not None and day is not None and when.basis != "publication" and when.start >= day - FRESH


def _repeats(draft: Draft, other: Draft) -> bool:
    """Tell whether two drafts speak of one thing: same type, and what takes part in both."""
    if draft.type != other.type or draft.direction != other.direction:
        return False
    mine = {party.entity_id for party in draft.participants if party.role != "affected"}
    its = {party.entity_id for party in other.participants if party.role != "affected"}
    return len(mine & its) >= min(2, len(mine), len(its))
