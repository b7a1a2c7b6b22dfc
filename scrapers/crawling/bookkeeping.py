"""Records the answers of the fetching process in the archive and the frontier, and hands out tasks.

A kill is harmless at any moment: first the page is written to disk, then one transaction records page and visit.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any

from scrapers.archive.store import Archive
from scrapers.crawling.frontier import FeedsTooDeep, Frontier
from scrapers.database import transaction
from scrapers.fetching.robots import NOT_FETCHED
from scrapers.fetching.url_guard import refusal
from scrapers.items import FETCHED, Feed, FeedEntry, Outcome, Page, Source, Visit
from scrapers.messages import Answer, CrawlConfig, Reply, RobotsCopy, Task, unpacked

# After this many, a host is skipped for the rest of the run.
MAX_CONSECUTIVE_FAILURES = 3
_HOST_FAILS = frozenset({Outcome.SERVER_ERROR, Outcome.TIMEOUT, Outcome.CONNECTION_FAILED})
# How long to hold a host that answers "too many requests" without Retry-After.
DEFAULT_HOLD = timedelta(minutes=15)


_NOT_CONNECTED = frozenset({Outcome.CONNECTION_FAILED, Outcome.TIMEOUT})


@dataclass(slots=True)
class CrawlTally:
    """The results of one run for one source."""

    outcomes: Counter[str] = field(default_factory=Counter)
    n_pages: int = 0
    n_bytes: int = 0
    n_unreachable: int = 0  # visits for which no connection to the host could be made
    n_open: int = 0  # tasks handed out but not answered
    faults: dict[str, None] = field(default_factory=dict)  # an ordered set


class FrontierBookkeeper:
    """The state of one run, and the only writer to frontier and archive."""

    def __init__(
        self,
        sources: tuple[Source, ...],
        frontier: Frontier,
        archive: Archive,
        config: CrawlConfig,
        sink: Callable[[Page], None],
        source_done: Callable[[Source, CrawlTally], None],
    ) -> None:
        self.sources = {source.source_id: source for source in sources}
        self.frontier = frontier
        self.archive = archive
        self.config = config
        self.sink = sink
        self.source_done = source_done
        self.tallies = {source.source_id: CrawlTally() for source in sources}
        self.open: dict[str, Task] = {}  # handed out but not answered
        self.failures: Counter[str] = Counter()  # consecutive, by host
        self.started: dict[str, float] = {}  # time of each host's first answer in this run
        self.skipped_hosts: set[str] = set()  # skipped for the rest of this run
        self.rests: dict[str, float] = {}  # seconds to hold a host after each visit
        self.waiting: tuple[Task, ...] = ()  # handed out, but not yet taken by begin()
        self.n_tasks = 0
        self.stopped = ""  # why no more tasks are handed out

    def begin(self) -> tuple[Task, ...]:
        """Return what is due, within the limits of this run; tasks that were handed out already count as due."""
        self.waiting = self.waiting or self._hand_out(list(self.sources.values()))
        tasks, self.waiting = self.waiting, ()
        return tasks

    def is_due(self) -> bool:
        """Return whether anything is due, within the limits of this run."""
        self.waiting = self.waiting or self._hand_out(list(self.sources.values()))
        return bool(self.waiting)

    def record_packed(self, found: Sequence[tuple[Any, ...]]) -> Reply:
        """Record answers that packed() made in the fetching process; return what to do next."""
        now = self.config.now()
        known = [(values, task) for values in found if (task := self.open.get(values[0])) is not None]
        return self.record_answers([unpacked(values, task, now) for values, task in known])

    def record_answers(self, answers: Sequence[Answer]) -> Reply:
        """Record answers; return what to do next. Answers to tasks that are no longer open are ignored."""
        known = [answer for answer in answers if self.open.pop(answer.task.url, None) is not None]
        return self._record(known, self.config.now())

    def _record(self, answers: Sequence[Answer], now: datetime) -> Reply:
        """Write all pages to disk, then record pages and visits in one transaction."""
        pages = [answer.page for answer in answers if answer.page is not None]
        refs = iter(self.archive.append_all(pages))
        rejected: list[Visit] = []
        # A feed and its entries are recorded together: until the feed changes, it is not parsed again.
        with transaction(self.frontier.db):
            for answer in answers:
                archived = (answer.page, next(refs)) if answer.page is not None else None
                self.frontier.record(answer, now, archived, answer.task.feed.every_minutes)
                rejected += self._record_feed(self.sources[answer.task.source_id], answer, now)
        for visit in rejected:
            self._count(visit)
        new: list[Task] = []
        skipped: list[str] = []
        for answer in answers:
            source = self.sources[answer.task.source_id]
            self._count(answer.visit, answer)
            if answer.page is not None:
                self.tallies[source.source_id].n_pages += 1
                self.sink(answer.page)
            if self._skips_host(answer, now):
                skipped.append(answer.task.host)
            if answer.task.kind == "feed" and answer.visit.outcome is Outcome.SAVED:
                new += self._hand_out([source])
            self._close(source)
        return Reply(tuple(new), tuple(skipped), stop=bool(self.stopped))

    def judge_again(self) -> int:
        """Apply a changed topic filter to earlier rejections; return the number of URLs that are due again."""
        version, now = self.config.topic_version, self.config.now()
        return sum(
            self.frontier.judge_again(source, partial(self._judge, source), version, now)
            for source in self.sources.values()
        )

    def _record_feed(self, source: Source, answer: Answer, now: datetime) -> list[Visit]:
        """Record the entries of a feed; return the visits of rejected entries."""
        task = answer.task
        if task.kind != "feed" or answer.visit.outcome is not Outcome.SAVED:
            return []
        self._add_feeds(source, task.feed, answer.more, task.url, now)
        judge = self._judge(source, task.feed)
        return self.frontier.add_entries(source, task.feed, answer.entries, now, judge, self.config.topic_version)

    def add_url(self, url: str, source_id: str, kind: str, feed_url: str, found_on: str) -> tuple[Task, ...]:
        """Add a URL that a spider found, unless it must not be fetched; return what is due of its source."""
        source, now = self.sources[source_id], self.config.now()
        feed = next(feed for feed in source.feeds if feed.url == feed_url)
        if kind == "feed":
            self._add_feeds(source, feed, (url,), found_on, now)
        else:  # the spider chose it, so there is nothing for a topic filter to judge
            judge = self._judge(source, replace(feed, pass_all=True))
            for visit in self.frontier.add_entries(source, feed, [FeedEntry(url)], now, judge):
                self._count(visit)
        return self._hand_out([source])

    def _add_feeds(self, source: Source, feed: Feed, urls: tuple[str, ...], found_on: str, now: datetime) -> None:
        try:
            self.frontier.add_feeds(source, feed, self._safe_feeds(source, urls), found_on, now)
        except FeedsTooDeep as error:
            self.tallies[source.source_id].faults[f"{found_on} {error}; they are not visited."] = None

    def robots(self, site: str) -> RobotsCopy | None:
        """Return the stored robots.txt of a site."""
        return self.frontier.robots(site, self.config.now())

    def keep_robots(self, site: str, status: int, body: bytes) -> RobotsCopy:
        """Store the robots.txt of a site."""
        copy = RobotsCopy(site, status, body, self.config.now())
        self.frontier.keep_robots(copy)
        return copy

    def heartbeat(self) -> bool:
        """Return whether the fetching process should stop."""
        return bool(self.stopped)

    def rest(self, host: str, seconds: float) -> None:
        """Hold a host for this long after each visit."""
        self.rests[host] = seconds

    def died(self) -> None:
        """Take back what the fetching process had not answered when it died."""
        for left in self.open.values():
            self.tallies[left.source_id].n_open -= 1
            self.n_tasks -= 1
        self.open.clear()
        self.waiting = ()

    def _hand_out(self, sources: list[Source]) -> tuple[Task, ...]:
        left = self.config.max_pages - self.n_tasks
        if left <= 0 or self.stopped:
            return ()
        due = self.frontier.due(self.config.now(), left + len(self.open), sources)
        tasks = tuple(t for t in due if t.url not in self.open and t.host not in self.skipped_hosts)[:left]
        for task in tasks:
            self.open[task.url] = task
            self.tallies[task.source_id].n_open += 1
        self.n_tasks += len(tasks)
        return tasks

    def _judge(self, source: Source, feed: Feed) -> Callable[[FeedEntry], tuple[Outcome, str] | None]:
        def judge(entry: FeedEntry) -> tuple[Outcome, str] | None:
            verdict = refusal(entry.url, source, allow_loopback=self.config.allow_loopback)
            if verdict is not None or feed.pass_all or self.config.topic_filter is None:
                return verdict
            on_topic = self.config.topic_filter(f"{entry.title}\n{entry.summary}")
            return None if on_topic else (Outcome.OUT_OF_SCOPE, "off topic by its title and summary")

        return judge

    def _safe_feeds(self, source: Source, urls: tuple[str, ...]) -> list[str]:
        safe = []
        for url in urls:
            verdict = refusal(url, source, allow_loopback=self.config.allow_loopback, for_feed=True)
            if verdict is None:
                safe.append(url)
            else:
                self.tallies[source.source_id].faults[f"{url}: child feed not visited: {verdict[1]}."] = None
        return safe

    def _count(self, visit: Visit, answer: Answer | None = None) -> None:
        tally = self.tallies[visit.source_id]
        tally.outcomes[visit.outcome.value] += 1
        tally.n_bytes += visit.n_bytes
        tally.n_unreachable += visit.outcome in _NOT_CONNECTED or visit.detail.startswith(NOT_FETCHED)
        for fault in answer.faults if answer else ():
            tally.faults[f"{visit.url}: {fault}"] = None
        if answer is not None and visit.outcome not in FETCHED and answer.task.kind == "feed":
            tally.faults[f"The feed {visit.url} yielded no entries: {visit.outcome.value}, {visit.detail}."] = None

    def _skips_host(self, answer: Answer, now: datetime) -> bool:
        """Return whether to skip the host from now on; its open tasks remain due for the next run."""
        host = answer.task.host
        self.failures[host] = self.failures[host] + 1 if answer.visit.outcome in _HOST_FAILS else 0
        held = self._hold(answer, now)
        started = self.started.setdefault(host, time.monotonic())
        too_long = time.monotonic() - started > self.config.host_seconds
        if not (held or too_long or answer.visit.temporary or self.failures[host] >= MAX_CONSECUTIVE_FAILURES):
            return False
        if self.failures[host] >= MAX_CONSECUTIVE_FAILURES:
            words = f"{host} failed {MAX_CONSECUTIVE_FAILURES} times in a row and was skipped for the rest of the run."
            self.tallies[answer.task.source_id].faults[words] = None
        self.skipped_hosts.add(host)
        for task in [task for task in self.open.values() if task.host == host]:
            del self.open[task.url]
            if task.source_id == answer.task.source_id:
                self.tallies[task.source_id].n_open -= 1
            else:
                self._close(self.sources[task.source_id])
        return True

    def _hold(self, answer: Answer, now: datetime) -> bool:
        """Hold a host for as long as it requested; return whether it requested a hold."""
        rests = self.rests.get(answer.task.host, 0.0)
        if rests:  # a permanent rule in robots.txt, so no fault
            until = now + timedelta(seconds=rests)
            self.frontier.hold_host(answer.task.host, until, "its robots.txt asks for a long crawl delay", now)
        limited = answer.visit.outcome is Outcome.RATE_LIMITED
        asked = _retry_moment(answer.visit.retry_after, now) or (now + DEFAULT_HOLD if limited else None)
        if asked is None or asked <= now:
            return limited or rests > 0
        until = self.frontier.hold_host(answer.task.host, asked, answer.visit.detail, now)
        words = f"{answer.task.host} asked for no requests until {until:%Y-%m-%d %H:%M} UTC ({answer.visit.detail})."
        self.tallies[answer.task.source_id].faults[words] = None
        return True

    def _close(self, source: Source) -> None:
        tally = self.tallies[source.source_id]
        tally.n_open -= 1
        if tally.n_open == 0:
            self.source_done(source, tally)


def _retry_moment(header: str, now: datetime) -> datetime | None:
    """Return the time in a Retry-After header, given in seconds or as a date; None if it is neither."""
    text = header.strip()
    if text.isascii() and text.isdigit():
        return now + timedelta(seconds=min(int(text[:9]), 10**8))
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
