"""A source's visits, items and readings come in; how it fares, and every sign of trouble in words, go out.

Nothing here asks whether a site is up at this moment: it asks whether the ledger still learns from the source what it
learned before. A source that answers and brings nothing is as sick as one that does not answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from scrapers.items import FETCHED, Outcome, Source

LEAST_GAP = timedelta(hours=8)  # a busy source is silent at night
USUAL_SHARE = 0.8  # of ten gaps between two items eight are no longer than the usual one
FEW_GAPS = 5  # with fewer nobody knows what is usual
SILENT_GAPS = 3
MOST_FAILURES = 3  # of one feed, in a row
MOST_EMPTY = 2  # readings of one feed with no item, in a row
FEW_PAGES = 5
UNREAD_SHARE = 0.5  # of the last pages that are no article any more: the layout has changed
REFUSED_SHARE = 0.8
UNVISITED = timedelta(days=3)
_UNREAD = frozenset({Outcome.NO_TEXT, Outcome.UNREADABLE})
_FAILED = frozenset(
    {Outcome.REFUSED, Outcome.ROBOTS_DENIED, Outcome.SERVER_ERROR, Outcome.TIMEOUT, Outcome.CONNECTION_FAILED,
     Outcome.RATE_LIMITED, Outcome.BLOCKED_ADDRESS, Outcome.BAD_REDIRECT}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sign:
    """One visit: to a feed (`n_items` says what it listed, None where it was not read) or to an article's page."""

    url: str
    at: datetime
    outcome: Outcome
    detail: str = ""
    n_items: int | None = None


@dataclass(frozen=True, slots=True)
class Signs:
    """What is known of one source, newest first. `items`: when each of its items was published, or else first seen."""

    feeds: tuple[Sign, ...] = ()
    pages: tuple[Sign, ...] = ()
    items: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class Alarm:
    """One sign of trouble. `kind`: failing, refused, empty, silent, frozen, unread, too-few or unvisited."""

    kind: str
    words: str


@dataclass(frozen=True, slots=True)
class SourceHealth:
    """How one source fares at a moment."""

    source_id: str
    last_visit_at: datetime | None
    last_success_at: datetime | None
    last_item_at: datetime | None
    usual_gap: timedelta | None
    alarms: tuple[Alarm, ...]


def judge(source: Source, signs: Signs, now: datetime) -> SourceHealth:
    """Return how a source fares; one that is switched off raises no alarm."""
    every = (*signs.feeds, *signs.pages)
    good = [sign.at for sign in every if sign.outcome in FETCHED]
    gap = usual_gap(signs.items)
    return SourceHealth(
        source.source_id,
        max((sign.at for sign in every), default=None),
        max(good, default=None),
        signs.items[0] if signs.items else None,
        gap,
        tuple(_alarms(source, signs, gap, now)) if source.enabled else (),
    )


def usual_gap(items: Sequence[datetime]) -> timedelta | None:
    """Return the time within which the next item usually comes, None where too few came to say."""
    moments = sorted(set(items))
    gaps = sorted(later - earlier for earlier, later in zip(moments, moments[1:], strict=False))
    if len(gaps) < FEW_GAPS:
        return None
    return max(LEAST_GAP, gaps[int(USUAL_SHARE * (len(gaps) - 1))])


def _alarms(source: Source, signs: Signs, gap: timedelta | None, now: datetime) -> list[Alarm]:
    last = max((sign.at for sign in (*signs.feeds, *signs.pages)), default=None)
    if last is None:
        return []
    found = []
    if now - last > UNVISITED:
        found.append(Alarm("unvisited", f"not visited since {last:%Y-%m-%d}: is `oversight run` still being run?"))
    named = {feed.url for feed in source.feeds}
    for url in dict.fromkeys(sign.url for sign in signs.feeds if sign.url in named):
        found += _feed_alarms(url, [sign for sign in signs.feeds if sign.url == url])
    if not found:
        found += _silence(source, signs, gap)
    return found + _page_alarms(signs.pages)


def _feed_alarms(url: str, visits: list[Sign]) -> list[Alarm]:
    failures = next((n for n, sign in enumerate(visits) if sign.outcome in FETCHED), len(visits))
    if failures >= MOST_FAILURES:
        since = f"since {visits[failures - 1].at:%Y-%m-%d}" if failures < len(visits) else "so far"
        why = ": ".join(filter(None, (visits[0].outcome.value, visits[0].detail)))
        return [Alarm("failing", f"{url} could not be read {since}, {failures} times in a row ({why})")]
    read = [sign for sign in visits if sign.n_items is not None]
    empty = next((n for n, sign in enumerate(read) if sign.n_items), len(read))
    if empty >= MOST_EMPTY:
        return [Alarm("empty", f"{url} answers, but lists nothing, since {read[empty - 1].at:%Y-%m-%d}")]
    return []


def _silence(source: Source, signs: Signs, gap: timedelta | None) -> list[Alarm]:
    """Compare what came with what usually comes, or with what the card expects, up to the last time we looked."""
    looked = max((sign.at for sign in signs.feeds if sign.outcome in FETCHED), default=None)
    if looked is None or not signs.items:
        return []
    last = signs.items[0]
    if gap is not None and looked - last > SILENT_GAPS * gap:
        since = [sign for sign in signs.feeds if sign.at > last and sign.outcome in FETCHED]
        words = f"nothing new since {last:%Y-%m-%d}; usually something comes within {in_words(gap)}"
        if len(since) >= FEW_GAPS and all(sign.outcome is Outcome.UNCHANGED for sign in since):
            return [Alarm("frozen", f"its feed has not changed at all since {last:%Y-%m-%d}: {words}")]
        return [Alarm("silent", words)]
    week = timedelta(days=7)
    oldest = min(sign.at for sign in signs.feeds)
    came = sum(looked - item <= week for item in signs.items)
    if source.expects_per_week and looked - oldest >= week and came < source.expects_per_week:
        words = f"{came} new items in the last week, where its card expects {source.expects_per_week}"
        return [Alarm("too-few", words)]
    return []


def _page_alarms(pages: Sequence[Sign]) -> list[Alarm]:
    if len(pages) < FEW_PAGES:
        return []
    ends = Counter(sign.outcome for sign in pages)
    unread, failed = sum(ends[o] for o in _UNREAD), sum(ends[o] for o in _FAILED)
    fetched = len(pages) - failed
    found = []
    if fetched >= FEW_PAGES and unread >= UNREAD_SHARE * fetched:
        words = f"{unread} of its last {fetched} pages gave no text: its layout has probably changed"
        found.append(Alarm("unread", words))
    if failed >= REFUSED_SHARE * len(pages):
        most = max(_FAILED, key=lambda o: (ends[o], o.value))
        found.append(Alarm("refused", f"{failed} of its last {len(pages)} pages could not be had ({most.value})"))
    return found


def in_words(span: timedelta) -> str:
    """Return a length of time in the unit that a person would use."""
    hours = span.total_seconds() / 3600
    return f"{round(hours)} hours" if hours < 48 else f"{round(hours / 24)} days"
