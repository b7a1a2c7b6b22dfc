"""Decides when a URL is visited again, from the outcome of its last visit."""

from __future__ import annotations

from datetime import datetime, timedelta

from scrapers.items import FETCHED, Outcome

# Articles are revisited at growing intervals, to detect edits; after the last one, never again.
REVISITS = tuple(timedelta(hours=hours) for hours in (1, 6, 24, 72, 240, 720))
# A page that was read and has disappeared is checked again: it may be missing by mistake.
RECHECKS_WHEN_GONE = tuple(timedelta(days=days) for days in (1, 10))
MAX_WAIT = timedelta(days=1)
FIRST_WAIT = timedelta(minutes=15)
MAX_ATTEMPTS = 8
MAX_DOUBTFUL_ATTEMPTS = 3

# Feeds with new items are visited more often, others less often, within these bounds.
MAX_SLOWDOWN = 8.0  # times the interval of its card
MAX_INTERVAL_MINUTES = 360.0  # unless the interval of its card is longer
MIN_INTERVAL_MINUTES = 10.0  # for a feed whose items are mostly new, so that some may have been missed
SPEEDUP, SLOWDOWN = 0.5, 1.25
MOSTLY_NEW, MIN_ITEMS = 0.5, 5

_FINAL = frozenset({Outcome.NOT_AN_ARTICLE, Outcome.OUT_OF_SCOPE, Outcome.TOO_LARGE, Outcome.BLOCKED_ADDRESS})
# The signs of a network outage. When it is over, no feed should wait for long.
_UNREACHABLE = frozenset({Outcome.CONNECTION_FAILED, Outcome.TIMEOUT, Outcome.ROBOTS_DENIED})
UNREACHABLE_WAIT = timedelta(hours=1)
_DOUBTFUL = frozenset({Outcome.REFUSED, Outcome.BAD_REDIRECT})


def next_interval(last: float | None, every_minutes: int, n_new: int, n_items: int) -> float:
    """Return the interval until a feed's next visit, in minutes.

    Args:
        last: The previous interval; None at the first visit, when all items are new.
        every_minutes: The card's interval. The result is only shorter if at least half of the items are new.
        n_new: Number of new items.
        n_items: Number of items.
    """
    every = float(every_minutes)
    if last is None:
        return every
    if not n_new:
        return min(max(every, last) * SLOWDOWN, max(every, min(every * MAX_SLOWDOWN, MAX_INTERVAL_MINUTES)))
    overflowing = n_items >= MIN_ITEMS and n_new >= MOSTLY_NEW * n_items
    least = min(every, max(every * SPEEDUP, MIN_INTERVAL_MINUTES)) if overflowing else every
    return max(least, last * SPEEDUP)


def next_visit(
    kind: str,
    outcome: Outcome,
    now: datetime,
    *,
    n_read: int,
    attempts: int,
    every_minutes: float = 30,
    temporary: bool = False,
) -> tuple[str, datetime | None]:
    """Return the new state of a URL (kept, failing, closed or gone) and when it is due, None for never.

    Args:
        kind: "feed" or "article".
        outcome: The outcome of the visit.
        now: The current time.
        n_read: Number of successful visits, including this one.
        attempts: Number of failed visits since then.
        every_minutes: The interval of a feed.
        temporary: Whether the cause of a failure is temporary.
    """
    if kind == "feed":
        forbidden = outcome is Outcome.ROBOTS_DENIED and not temporary
        return _next_for_feed(outcome, now, attempts, timedelta(minutes=every_minutes), forbidden)
    if outcome in FETCHED:
        return "kept", now + REVISITS[n_read - 1] if n_read <= len(REVISITS) else None
    if outcome is Outcome.GONE:
        recheck = RECHECKS_WHEN_GONE[attempts - 1] if n_read and attempts <= len(RECHECKS_WHEN_GONE) else None
        return "gone", now + recheck if recheck else None
    resting = "kept" if n_read else "closed"
    if outcome in _FINAL or (outcome is Outcome.ROBOTS_DENIED and not temporary):
        return resting, None
    if attempts >= (MAX_DOUBTFUL_ATTEMPTS if outcome in _DOUBTFUL else MAX_ATTEMPTS):
        return resting, None
    return "kept" if n_read else "failing", now + min(FIRST_WAIT * 4 ** (attempts - 1), MAX_WAIT)


def _next_for_feed(
    outcome: Outcome, now: datetime, attempts: int, every: timedelta, forbidden: bool
) -> tuple[str, datetime]:
    """Return state and due time of a feed. Feeds are always retried; only an edit of the card removes one.

    `forbidden`: by a robots.txt that was fetched; one that could not be fetched is an ordinary failure.
    """
    if outcome in FETCHED:
        return "kept", now + every
    if outcome is Outcome.GONE:
        return "gone", now + max(every, MAX_WAIT)
    if forbidden:
        return "failing", now + max(every, timedelta(hours=6))
    longest = UNREACHABLE_WAIT if outcome in _UNREACHABLE else MAX_WAIT
    return "failing", now + max(every, min(every * 2 ** min(attempts, 16), longest))
