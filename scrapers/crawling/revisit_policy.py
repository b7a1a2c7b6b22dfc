"""What became of a visit comes in; when the address is due again, and in which state it stands until then, go out."""

from __future__ import annotations

from datetime import datetime, timedelta

from scrapers.items import FETCHED, Outcome

# An article is looked at again ever more seldom, to see edits, and then rests.
REVISITS = tuple(timedelta(hours=hours) for hours in (1, 6, 24, 72, 240, 720))
# What was read and is gone is asked for again, for a page may be missing by mistake.
STILL_GONE = tuple(timedelta(days=days) for days in (1, 10))
LONGEST_WAIT = timedelta(days=1)
FIRST_WAIT = timedelta(minutes=15)
MOST_ATTEMPTS = 8
FEW_ATTEMPTS = 3

# A feed is asked more often while it brings something new, more seldom while it does not: between these bounds.
MOST_SELDOM = 8.0  # times the pause of its card
LONGEST_INTERVAL_MINUTES = 360.0  # for a feed whose card asks for it more often than that
SHORTEST_INTERVAL_MINUTES = 10.0  # for one that is nearly all new, so that items may have been missed
SOONER, LATER = 0.5, 1.25
MUCH_NEW, FEW_ITEMS = 0.5, 5

_FINAL = frozenset({Outcome.NOT_AN_ARTICLE, Outcome.OUT_OF_SCOPE, Outcome.TOO_LARGE, Outcome.BLOCKED_ADDRESS})
# What a network that was away for a while looks like: when it is back, no feed must wait for long.
_UNREACHED = frozenset({Outcome.CONNECTION_FAILED, Outcome.TIMEOUT, Outcome.ROBOTS_DENIED})
UNREACHED_WAIT = timedelta(hours=1)
_DOUBTFUL = frozenset({Outcome.REFUSED, Outcome.BAD_REDIRECT})


def next_interval(last: float | None, every_minutes: int, n_new: int, n_items: int) -> float:
    """Return the pause until a feed's next reading in minutes, from the last one and what this reading brought.

    `last` is None at the first reading, where everything is new. `every_minutes` is the card's: the pause is never
    shorter, unless the half or more of what a feed lists is new.
    """
    every = float(every_minutes)
    if last is None:
        return every
    if not n_new:
        return min(max(every, last) * LATER, max(every, min(every * MOST_SELDOM, LONGEST_INTERVAL_MINUTES)))
    overflowing = n_items >= FEW_ITEMS and n_new >= MUCH_NEW * n_items
    least = min(every, max(every * SOONER, SHORTEST_INTERVAL_MINUTES)) if overflowing else every
    return max(least, last * SOONER)


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
    """Return the state (waiting, kept, failing, closed, gone) and the next due moment, None for never.

    `n_read` counts the visits that read the address, this one included; `attempts` those since then that failed.
    `every_minutes`: the pause between two readings of a feed.
    """
    if kind == "feed":
        forbidden = outcome is Outcome.ROBOTS_DENIED and not temporary
        return _next_for_feed(outcome, now, attempts, timedelta(minutes=every_minutes), forbidden)
    if outcome in FETCHED:
        return "kept", now + REVISITS[n_read - 1] if n_read <= len(REVISITS) else None
    if outcome is Outcome.GONE:
        again = STILL_GONE[attempts - 1] if n_read and attempts <= len(STILL_GONE) else None
        return "gone", now + again if again else None
    resting = "kept" if n_read else "closed"
    if outcome in _FINAL or (outcome is Outcome.ROBOTS_DENIED and not temporary):
        return resting, None
    if attempts >= (FEW_ATTEMPTS if outcome in _DOUBTFUL else MOST_ATTEMPTS):
        return resting, None
    return "kept" if n_read else "failing", now + min(FIRST_WAIT * 4 ** (attempts - 1), LONGEST_WAIT)


def _next_for_feed(
    outcome: Outcome, now: datetime, attempts: int, every: timedelta, forbidden: bool
) -> tuple[str, datetime]:
    """A feed is never given up: its card says that it is there, and a person mends the card.

    `forbidden`: by a robots.txt that was read; one that could not be fetched is a failure like any other.
    """
    if outcome in FETCHED:
        return "kept", now + every
    if outcome is Outcome.GONE:
        return "gone", now + max(every, LONGEST_WAIT)
    if forbidden:
        return "failing", now + max(every, timedelta(hours=6))
    longest = UNREACHED_WAIT if outcome in _UNREACHED else LONGEST_WAIT
    return "failing", now + max(every, min(every * 2 ** min(attempts, 16), longest))
