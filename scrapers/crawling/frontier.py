"""The crawl frontier: known URLs, the visits to them, and what is due next, in crawl.db.

Each change of state is one transaction. Methods that depend on the time take it as `now`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from scrapers.crawling.revisit_policy import REVISITS, next_interval, next_visit
from scrapers.database import PageRef, index_page, open_crawl_db, transaction
from scrapers.fetching.url_guard import host_key, normal_url
from scrapers.items import FETCHED, Feed, FeedEntry, FeedShape, Outcome, Page, Source, Visit
from scrapers.messages import Answer, RobotsCopy, Task, as_moment, as_text

ROBOTS_TTL = timedelta(days=1)
ROBOTS_TTL_AFTER_FAILURE = timedelta(hours=1)
ROBOTS_TTL_UNREACHABLE = timedelta(minutes=10)  # perhaps a brief network outage
# Some servers answer 304 forever, so feeds are requested without validators once a day.
VALIDATORS_TTL = timedelta(days=1)
MAX_HOLD = timedelta(days=1)
MAX_ENTRIES = 2000
MAX_CHILD_FEEDS = 50
MAX_FEED_DEPTH = 3  # of child feeds below the card's; an index of indexes of sitemaps has 2
# If a feed reports an edit, the article is revisited early, but not more often than this.
MIN_BETWEEN_REVISITS = timedelta(hours=1)
MAX_FEED_WAIT = timedelta(days=31)  # no card has a longer interval
REFILTER_WINDOW = timedelta(days=30)  # a changed topic filter is not applied to older items

Judge = Callable[[FeedEntry], tuple[Outcome, str] | None]


@dataclass(frozen=True, slots=True)
class SourceSummary:
    """Statistics of all visits to one source."""

    source_id: str
    outcomes: dict[str, int] = field(default_factory=dict)
    last_visit_at: datetime | None = None
    last_success_at: datetime | None = None
    last_fault: str = ""  # outcome and detail of the latest failure since the last success


class FeedsTooDeep(ValueError):
    """Child feeds are nested deeper than any real index; the message says so of their parent."""


class Frontier:
    """URLs with their state, visits, and the robots.txt and rate limits of hosts."""

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self.db = open_crawl_db(self.path)

    def close(self) -> None:
        """Close the database after merging the write-ahead log into it."""
        self.db.execute("pragma wal_checkpoint(truncate)")
        self.db.close()

    def add_sources(self, sources: Iterable[Source], now: datetime) -> None:
        """Add the feeds of the sources; known ones are unchanged."""
        with transaction(self.db):
            for source in sources:
                for feed in source.feeds:
                    self._insert(source.source_id, "feed", feed.url, feed.url, feed.url, now)

    def correct_clock(self, now: datetime) -> int:
        """Make URLs due that were postponed too far because the clock was wrong; return their number."""
        latest = {"feed": as_text(now + MAX_FEED_WAIT), "article": as_text(now + REVISITS[-1])}
        with transaction(self.db):
            self.db.execute("update hosts set not_before = null where not_before > ?", (as_text(now + MAX_HOLD),))
            return sum(
                self.db.execute(
                    "update urls set next_due_at = ? where kind = ? and next_due_at > ?", (as_text(now), kind, moment)
                ).rowcount
                for kind, moment in latest.items()
            )

    def add_feeds(self, source: Source, feed: Feed, urls: Sequence[str], found_on: str, now: datetime) -> list[str]:
        """Add child feeds, such as those of a sitemap index, up to a limit; return the new ones.

        Raises:
            FeedsTooDeep: `found_on` is MAX_FEED_DEPTH feeds away from the card's, so an index may be listing itself.
        """
        if urls and self._depth(found_on) >= MAX_FEED_DEPTH:
            raise FeedsTooDeep(f"lists feeds more than {MAX_FEED_DEPTH} levels below the card's feed")
        with transaction(self.db):
            return [
                url
                for url in urls[:MAX_CHILD_FEEDS]
                if self._insert(source.source_id, "feed", url, feed.url, found_on, now)
            ]

    def _depth(self, feed_url: str) -> int:
        """Return how many feeds are between a feed and the one on the card."""
        (depth,) = self.db.execute(
            "with recursive up (url, n) as (select ?, 0 union all select urls.discovered_from, up.n + 1 from urls "
            "join up using (url) where urls.kind = 'feed' and urls.discovered_from <> urls.url and up.n <= ?) "
            "select max(n) from up",
            (feed_url, MAX_FEED_DEPTH),
        ).fetchone()
        return int(depth)

    def add_entries(
        self,
        source: Source,
        feed: Feed,
        entries: Iterable[FeedEntry],
        now: datetime,
        judge: Judge = lambda entry: None,
        judged_by: str = "",
    ) -> list[Visit]:
        """Add the entries of a feed; return the visits of those that `judge` rejects, which need no request.

        For known URLs, changes of title, summary and dates are recorded. If the feed reports an edit, the URL is due
        again; if it was out of scope and its title or summary changed, it is re-evaluated.

        Args:
            source: The source of the feed.
            feed: The feed.
            entries: Its entries; at most MAX_ENTRIES are added.
            now: The current time.
            judge: Returns the outcome and detail of a rejected entry, None for an accepted one.
            judged_by: The version of `judge`.
        """
        ended: list[Visit] = []
        with transaction(self.db):
            for entry in list(entries)[:MAX_ENTRIES]:
                url = normal_url(entry.url)
                if not self._insert(source.source_id, "article", url, feed.url, feed.url, now, entry):
                    if self._update_hint(url, entry, now):
                        self._judge_again(entry, judge, judged_by, now)
                elif (verdict := judge(entry)) is not None:
                    visit = Visit(url, source.source_id, now, verdict[0], verdict[1])
                    self._settle(visit, now, every_minutes=0)
                    self.db.execute("update urls set judged_by = ? where url = ?", (judged_by, url))
                    ended.append(visit)
        return ended

    def judge_again(self, source: Source, judge: Callable[[Feed], Judge], judged_by: str, now: datetime) -> int:
        """Re-evaluate what another version of the topic filter recently rejected; return the number of URLs now due.

        `judge` returns the Judge for a feed of the source.
        """
        feeds = {feed.url: feed for feed in source.feeds}
        due = 0
        with transaction(self.db):
            rows = self.db.execute(
                "select url, title, summary, feed_url from urls where source_id = ? and last_outcome = 'OUT_OF_SCOPE' "
                "and n_read = 0 and judged_by <> ? and first_seen_at > ?",
                (source.source_id, judged_by, as_text(now - REFILTER_WINDOW)),
            ).fetchall()
            for row in rows:
                if (feed := feeds.get(row["feed_url"])) is not None:
                    entry = FeedEntry(row["url"], row["title"], row["summary"])
                    due += self._judge_again(entry, judge(feed), judged_by, now)
        return due

    def _judge_again(self, entry: FeedEntry, judge: Judge, judged_by: str, now: datetime) -> bool:
        """Re-evaluate a URL that was out of scope; return whether it is due now."""
        url = normal_url(entry.url)
        row = self._row(url)
        if row is None or row["last_outcome"] != Outcome.OUT_OF_SCOPE or row["n_read"]:
            return False
        wanted = judge(entry) is None
        self.db.execute("update urls set judged_by = ? where url = ?", (judged_by, url))
        if wanted:
            self.db.execute(
                "update urls set state = 'waiting', attempts = 0, next_due_at = ? where url = ?", (as_text(now), url)
            )
        return wanted

    def gone(self) -> dict[str, datetime]:
        """Return the URLs that were read and have since disappeared, with the time each was first missing."""
        rows = self.db.execute(
            "select u.url, min(v.at) from urls u join visits v using (url) where u.state = 'gone' and u.n_read > 0 "
            "and u.kind = 'article' and v.outcome = 'GONE' and v.visit_id > (select max(visit_id) from visits r "
            "where r.url = u.url and r.outcome in ('SAVED', 'UNCHANGED')) and v.at > (select max(at) from visits r "
            "where r.url = u.url and r.outcome in ('SAVED', 'UNCHANGED')) group by u.url order by u.url"
        )  # compares times too, in case the clock was set back
        return {row[0]: as_moment(row[1]) for row in rows.fetchall()}

    def due(self, now: datetime, limit: int, sources: Iterable[Source]) -> list[Task]:
        """Return what is due: feeds, then unread articles, newest first, then articles to revisit.

        Disabled sources, hosts on hold and articles beyond a source's `daily_pages` are skipped.
        """
        known = {source.source_id: source for source in sources if source.enabled}
        feeds = {(s.source_id, feed.url): feed for s in known.values() for feed in s.feeds}
        day = as_text(now - timedelta(days=1))
        counts = self.db.execute(
            "select v.source_id, count(*) from visits v join urls u using (url) "
            "where v.at > ? and v.at <= ? and u.kind = 'article' and v.status > 0 group by 1",
            (day, as_text(now)),
        )
        visited = dict(map(tuple, counts.fetchall()))
        rows = self.db.execute(
            "select u.* from urls u left join hosts h using (host) where u.next_due_at <= :now "
            "and (h.not_before is null or h.not_before <= :now) "
            "order by u.kind = 'article', u.n_read > 0, coalesce(u.published_at, u.first_seen_at) desc, u.url",
            {"now": as_text(now)},
        )
        tasks: list[Task] = []
        for row in rows.fetchall():
            source = known.get(row["source_id"])
            feed = feeds.get((row["source_id"], row["feed_url"]))
            if feed is None and row["kind"] == "article":  # added by hand, or its feed was removed from the card
                feed = Feed(url=row["feed_url"], shape=FeedShape.LISTING, pass_all=True)
            if source is None or feed is None or len(tasks) >= limit:
                continue
            if row["kind"] == "article":
                if visited.get(source.source_id, 0) >= source.daily_pages:
                    continue
                visited[source.source_id] = visited.get(source.source_id, 0) + 1
            tasks.append(self._task(row, feed, now))
        return tasks

    def record(
        self, answer: Answer, now: datetime, archived: tuple[Page, PageRef] | None = None, every_minutes: int = 30
    ) -> None:
        """Record a visit and, in the same transaction, its archived page."""
        with transaction(self.db):
            if archived is not None:
                index_page(self.db, *archived)
            every = float(every_minutes)
            if answer.task.kind == "feed" and answer.visit.outcome in FETCHED:
                every = self._interval(answer, every_minutes)
            self._settle(
                answer.visit,
                now,
                every_minutes=every,
                temporary=answer.visit.temporary,
                validators=(answer.visit.header("ETag"), answer.visit.header("Last-Modified")),
                n_entries=_n_listed(answer),
            )

    def _interval(self, answer: Answer, every_minutes: int) -> float:
        """Return and store the new interval of a feed."""
        row = self._row(answer.visit.url)
        listed = [*map(normal_url, (entry.url for entry in answer.entries[:MAX_ENTRIES])), *answer.more]
        n_new = sum(self._row(url) is None for url in listed)
        last = row["interval_minutes"] if row is not None else None
        minutes = next_interval(last, every_minutes, n_new, len(listed))
        self.db.execute("update urls set interval_minutes = ? where url = ?", (minutes, answer.visit.url))
        return minutes

    def recover(self, found: Iterable[tuple[Page, PageRef]]) -> list[str]:
        """Record pages that were archived just before a crash; return their URLs."""
        urls = []
        for page, ref in found:
            with transaction(self.db):
                index_page(self.db, page, ref)
                if self._row(page.url) is not None:
                    detail = "found in the archive after the program was interrupted"
                    values = (page.status, len(page.body), page.sha256)
                    visit = Visit(page.url, page.source_id, page.fetched_at, Outcome.SAVED, detail, *values)
                    self._settle(visit, page.fetched_at, every_minutes=0)
            urls.append(page.url)
        return urls

    def hold_host(self, host: str, until: datetime, reason: str, now: datetime) -> datetime:
        """Make no requests to a host until a time, at most a day ahead; return that time. A longer hold is kept."""
        until = min(until, now + MAX_HOLD)
        with transaction(self.db):
            self.db.execute(
                "insert into hosts (host, not_before, reason) values (?, ?, ?) on conflict (host) do update set "
                "reason = excluded.reason, not_before = max(coalesce(not_before, ''), excluded.not_before)",
                (host, as_text(until), reason),
            )
        return until

    def held_until(self, host: str, now: datetime) -> datetime | None:
        """Return until when a host is on hold, None if it is not."""
        row = self.db.execute("select not_before from hosts where host = ?", (host,)).fetchone()
        return as_moment(row[0]) if row and row[0] and row[0] > as_text(now) else None

    def robots(self, host: str, now: datetime) -> RobotsCopy | None:
        """Return the stored robots.txt of a site such as "https://host", None if there is no fresh one."""
        row = self.db.execute(
            "select robots_status, robots_body, robots_fetched_at from hosts where host = ?", (host,)
        ).fetchone()
        if row is None or row["robots_fetched_at"] is None:
            return None
        fetched_at = as_moment(row["robots_fetched_at"])
        failed = row["robots_status"] == 0 or row["robots_status"] == 429 or row["robots_status"] >= 500
        unreached = row["robots_status"] == 0
        kept = ROBOTS_TTL_UNREACHABLE if unreached else ROBOTS_TTL_AFTER_FAILURE if failed else ROBOTS_TTL
        if fetched_at > now or now - fetched_at >= kept:
            return None
        return RobotsCopy(host, row["robots_status"], row["robots_body"], fetched_at)

    def keep_robots(self, copy: RobotsCopy) -> None:
        """Store the robots.txt of a site."""
        with transaction(self.db):
            self.db.execute(
                "insert into hosts (host, robots_status, robots_body, robots_fetched_at) values (?, ?, ?, ?) "
                "on conflict (host) do update set robots_status = excluded.robots_status, "
                "robots_body = excluded.robots_body, robots_fetched_at = excluded.robots_fetched_at",
                (copy.host, copy.status, copy.body, as_text(copy.fetched_at)),
            )

    def hint(self, url: str) -> FeedEntry | None:
        """Return the feed entry of a URL, None if no feed listed it."""
        row = self._row(normal_url(url))
        if row is None or row["kind"] != "article":
            return None
        published = as_moment(row["published_at"]) if row["published_at"] else None
        updated = as_moment(row["updated_at"]) if row["updated_at"] else None
        return FeedEntry(row["url"], row["title"], row["summary"], published, updated, row["entry_id"])

    def visits(self, source_id: str | None = None) -> Iterator[Visit]:
        """Yield the stored visits, or those to one source, oldest first."""
        where, values = ("where source_id = ?", (source_id,)) if source_id else ("", ())
        yield from map(_visit, self.db.execute(f"select * from visits {where} order by visit_id", values))

    def visits_backwards(self, source_id: str) -> Iterator[Visit]:
        """Yield the stored visits to a source, latest first."""
        sql = "select * from visits where source_id = ? order by at desc, visit_id desc"
        yield from map(_visit, self.db.execute(sql, (source_id,)))

    def summaries(self) -> dict[str, SourceSummary]:
        """Return the statistics of each source that was ever visited."""
        outcomes: dict[str, dict[str, int]] = {}
        for source_id, outcome, n in self.db.execute(
            "select source_id, outcome, sum(n) from ("
            "select source_id, outcome, count(*) n from visits group by 1, 2 "
            "union all select source_id, outcome, n from visit_counts) group by 1, 2"
        ):
            outcomes.setdefault(source_id, {})[outcome] = n
        return {source_id: self._summary(source_id, counts) for source_id, counts in outcomes.items()}

    def _summary(self, source_id: str, counts: dict[str, int]) -> SourceSummary:
        read = tuple(outcome.value for outcome in FETCHED)
        asked = "source_id = ? and outcome != 'OUT_OF_SCOPE'"
        last = self.db.execute(f"select max(at) from visits where {asked}", (source_id,)).fetchone()[0]
        success = self.db.execute(
            "select max(at) from visits where source_id = ? and outcome in (?, ?)", (source_id, *read)
        ).fetchone()[0]
        fault = self.db.execute(
            f"select outcome, detail from visits where {asked} and at > ? order by visit_id desc limit 1",
            (source_id, success or ""),
        ).fetchone()
        return SourceSummary(
            source_id,
            counts,
            as_moment(last) if last else None,
            as_moment(success) if success else None,
            ": ".join(filter(None, fault)) if fault else "",
        )

    def _row(self, url: str) -> sqlite3.Row | None:
        return self.db.execute("select * from urls where url = ?", (url,)).fetchone()

    def _insert(
        self,
        source_id: str,
        kind: str,
        url: str,
        feed_url: str,
        found_on: str,
        now: datetime,
        entry: FeedEntry | None = None,
    ) -> bool:
        """Add a URL that is due now; return False if it is already known."""
        entry = entry or FeedEntry(url)
        made = self.db.execute(
            "insert into urls (url, source_id, kind, feed_url, host, state, next_due_at, first_seen_at, "
            "discovered_from, title, summary, published_at, updated_at, entry_id) "
            "values (?, ?, ?, ?, ?, 'waiting', ?, ?, ?, ?, ?, ?, ?, ?) on conflict (url) do nothing",
            (
                *(url, source_id, kind, feed_url, host_key(url), as_text(now), as_text(now), found_on),
                *(entry.title, entry.summary, _text(entry.published_at), _text(entry.updated_at), entry.entry_id),
            ),
        )
        return made.rowcount == 1

    def _update_hint(self, url: str, entry: FeedEntry, now: datetime) -> bool:
        """Record what a feed now says about a known URL; return whether title or summary changed."""
        row = self._row(url)
        if row is None or row["kind"] != "article":
            return False
        values = (entry.title, entry.summary, _text(entry.published_at), _text(entry.updated_at))
        if values != (row["title"], row["summary"], row["published_at"], row["updated_at"]):
            self.db.execute(
                "update urls set title = ?, summary = ?, published_at = ?, updated_at = ? where url = ?",
                (*values, url),
            )
        edited = entry.updated_at is not None and row["last_visit_at"] and as_text(entry.updated_at)
        if (
            edited
            and row["state"] == "kept"
            and edited > row["last_visit_at"]
            and now - as_moment(row["last_visit_at"]) >= MIN_BETWEEN_REVISITS
        ):
            self.db.execute("update urls set next_due_at = ? where url = ?", (as_text(now), url))
        return (entry.title, entry.summary) != (row["title"], row["summary"])

    def _settle(
        self,
        visit: Visit,
        now: datetime,
        *,
        every_minutes: float,
        temporary: bool = False,
        validators: tuple[str, str] = ("", ""),
        n_entries: int | None = None,
    ) -> None:
        """Record a visit and update the state of its URL."""
        row = self._row(visit.url)
        if row is None:
            raise KeyError(f"{visit.url} is not in the frontier")
        read = visit.outcome in FETCHED
        n_read = row["n_read"] + read
        attempts = 0 if read else row["attempts"] + 1
        state, due = next_visit(
            row["kind"],
            visit.outcome,
            now,
            n_read=n_read,
            attempts=attempts,
            every_minutes=every_minutes,
            temporary=temporary,
        )
        full = visit.outcome is Outcome.SAVED or (read and visit.status != 304)
        self.db.execute(
            "update urls set state = ?, next_due_at = ?, n_read = ?, attempts = ?, last_outcome = ?, "
            "last_visit_at = ? where url = ?",
            (state, _text(due), n_read, attempts, visit.outcome.value, as_text(visit.at), visit.url),
        )
        if full:
            self.db.execute(
                "update urls set etag = ?, last_modified = ?, body_sha256 = ?, last_full_at = ? where url = ?",
                (*validators, visit.sha256, as_text(visit.at), visit.url),
            )
        self.db.execute(
            "insert into visits (url, source_id, at, outcome, detail, status, n_bytes, sha256, n_entries) "
            "values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(visit.url, visit.source_id, as_text(visit.at), visit.outcome.value),
                *(visit.detail, visit.status, visit.n_bytes, visit.sha256, n_entries),
            ),
        )

    def _task(self, row: sqlite3.Row, feed: Feed, now: datetime) -> Task:
        last_full = row["last_full_at"]
        trusted = last_full and (row["kind"] == "article" or now - as_moment(last_full) < VALIDATORS_TTL)
        return Task(
            row["url"],
            row["source_id"],
            row["kind"],
            row["host"],
            feed,
            row["etag"] if trusted else "",
            row["last_modified"] if trusted else "",
            row["body_sha256"] if trusted else "",
        )


def _n_listed(answer: Answer) -> int | None:
    """Return the number of items and child feeds in a feed, None if it was not parsed."""
    read = answer.task.kind == "feed" and answer.visit.outcome is Outcome.SAVED
    return len(answer.entries) + len(answer.more) if read else None


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else as_text(moment)


def _visit(row: sqlite3.Row) -> Visit:
    return Visit(
        row["url"],
        row["source_id"],
        as_moment(row["at"]),
        Outcome(row["outcome"]),
        row["detail"],
        row["status"],
        row["n_bytes"],
        row["sha256"],
    )
