"""Stores articles with their full text, all versions and findings in crawl.db, which is private.

Each article is written in one transaction, so after a crash it is complete or absent. Only one process writes at a
time.
"""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.ledger.reviews.queue import QueueItem, in_order
from pipeline.ledger.rows.records import article_of, article_row, findings_of, findings_row
from pipeline.ledger.schema import bring_up_to_date, open_db
from pipeline.ledger.sqlite_errors import plain_errors
from pipeline.records import Findings
from scrapers.items import Article, Outcome

LATEST = "order by last_seen_at desc, first_seen_at desc, version desc"


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an article as it was seen; times are ISO text."""

    article: Article
    first_seen_at: str
    last_seen_at: str


class Library:
    """The articles and findings of one ledger."""

    def __init__(self, path: Path) -> None:
        """Open crawl.db and migrate its tables. Raises StoreError."""
        self.path = Path(path)
        with plain_errors(self.path, "open"):
            self._db = open_db(self.path)
            self._db.row_factory = sqlite3.Row
            bring_up_to_date(self._db, self.path)

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> Library:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Hold the write lock and commit or roll back the whole block. A nested block joins the outer one."""
        with plain_errors(self.path, "write"):
            if self._db.in_transaction:
                yield self._db
                return
            self._db.execute("begin immediate")
            try:
                yield self._db
                self._db.execute("commit")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("rollback")
                raise

    def _rows(self, sql: str, values: Iterable[Any] | Mapping[str, Any] = ()) -> Iterator[sqlite3.Row]:
        with plain_errors(self.path, "read"):
            yield from self._db.execute(sql, values if isinstance(values, Mapping) else tuple(values))

    # articles

    def save_article(self, article: Article, seen_at: datetime | None = None) -> bool:
        """Store a version of an article; return True if it is new. A known version is only marked as seen again.

        `seen_at`: when its page was fetched; by default the article's own fetched_at, else now.
        """
        seen = (seen_at or article.fetched_at or datetime.now(UTC)).astimezone(UTC).isoformat()
        row = {**article_row(article), "first_seen_at": seen, "last_seen_at": seen}
        with self.transaction() as db:
            added = db.execute(_insert("articles", row, "or ignore"), row).rowcount == 1
            if not added:
                db.execute(
                    "update articles set last_seen_at = max(last_seen_at, :last_seen_at), "
                    "first_seen_at = min(first_seen_at, :first_seen_at) "
                    "where article_id = :article_id and version = :version",
                    {k: row[k] for k in ("article_id", "version", "first_seen_at", "last_seen_at")},
                )
        return added

    def article(self, article_id: str, version: str | None = None) -> Article | None:
        """Return an article, by default its latest version; None if unknown."""
        where = "where article_id = ? and (? is null or version = ?)"
        row = next(self._rows(f"select * from articles {where} {LATEST} limit 1", (article_id, version, version)), None)
        return article_of(row) if row else None

    def article_at(self, url: str) -> Article | None:
        """Return the latest version of the article with a canonical URL."""
        row = next(self._rows(f"select * from articles where url = ? {LATEST} limit 1", (url,)), None)
        return article_of(row) if row else None

    def versions(self, article_id: str | None = None) -> Iterator[Version]:
        """Yield every stored version (of one article, if given), oldest first within each article."""
        where, values = ("", ()) if article_id is None else ("where article_id = ?", (article_id,))
        for row in self._rows(f"select * from articles {where} order by article_id, last_seen_at, version", values):
            yield Version(article_of(row), row["first_seen_at"], row["last_seen_at"])

    def count(self) -> int:
        """Return the number of articles."""
        return next(self._rows("select count(distinct article_id) from articles"))[0]

    # readings: the outcome of each archived page

    def save_reading(
        self, page_sha256: str, url: str, source_id: str, reader_version: str, outcome: Outcome,
        article: Article | None = None, detail: str = "",
    ) -> None:  # fmt: skip
        """Store the result of reading a page, so that the same reader does not read it again."""
        row = {
            "page_sha256": page_sha256, "url": url, "source_id": source_id, "reader_version": reader_version,
            "outcome": outcome.value, "article_id": article.article_id if article else None,
            "version": article.version if article else None, "detail": detail,
        }  # fmt: skip
        with self.transaction() as db:
            if article is not None:
                self.save_article(article)
            db.execute(_insert("readings", row, "or replace"), row)

    def was_read(self, page_sha256: str, url: str, reader_version: str) -> bool:
        """Return whether this version of the reader has read a page."""
        sql = "select 1 from readings where page_sha256 = ? and url = ? and reader_version = ?"
        return next(self._rows(sql, (page_sha256, url, reader_version)), None) is not None

    def articles_of_page(self, page_sha256: str, url: str) -> set[str] | None:
        """Return the articles read from a page by any reader; None if none has read it yet."""
        rows = list(self._rows("select article_id from readings where page_sha256 = ? and url = ?", (page_sha256, url)))
        return {row[0] for row in rows if row[0]} if rows else None

    def may_matter(self, article_id: str) -> bool:
        """Return whether any program version found an article relevant, or could not read it."""
        sql = """select exists (select 1 from findings where article_id = :id and relevant = 1)
                 or exists (select 1 from lost_articles where article_id = :id)
                 or exists (select 1 from articles a where article_id = :id and not exists (select 1 from findings f
                     where f.article_id = a.article_id and f.version = a.version))"""
        return bool(next(self._rows(sql, {"id": article_id}))[0])

    def end_of(self, page_sha256: str, url: str, reader_version: str, program_version: str) -> Outcome | None:
        """Return the outcome of reading a page by this version of the reader, None if it was not read.

        It is UNREADABLE if extraction failed.
        """
        sql = """select r.outcome, exists (select 1 from lost_articles l where l.article_id = r.article_id
                     and l.version = r.version and l.program_version = :program)
                 from readings r where page_sha256 = :page and url = :url and reader_version = :reader"""
        values = {"page": page_sha256, "url": url, "reader": reader_version, "program": program_version}
        row = next(self._rows(sql, values), None)
        return None if row is None else Outcome.UNREADABLE if row[1] else Outcome(row[0])

    def visit_outcomes(self, reader_version: str, program_version: str) -> dict[str, dict[str, int]]:
        """Return the number of visits to each source by outcome, including deleted fetch records."""
        sql = """select v.source_id, case when l.article_id is not null then 'UNREADABLE'
                     else coalesce(r.outcome, v.outcome) end, count(*) from visits v
                 left join readings r on v.outcome = 'SAVED' and r.page_sha256 = v.sha256 and r.url = v.url
                     and r.reader_version = :reader
                 left join lost_articles l on l.article_id = r.article_id and l.version = r.version
                     and l.program_version = :program
                 group by 1, 2 union all select source_id, outcome, n from visit_counts"""
        found: dict[str, Counter[str]] = defaultdict(Counter)
        for source_id, outcome, n in self._rows(sql, {"reader": reader_version, "program": program_version}):
            found[source_id][outcome] += n
        return {source_id: dict(counts) for source_id, counts in sorted(found.items())}

    def addresses(self, urls: Iterable[str]) -> dict[str, set[str]]:
        """Return, for each article read at one of some URLs, all URLs at which it was found."""
        ids = {row[0] for url in urls for row in self._rows("select article_id from readings where url = ?", (url,))}
        sql = "select distinct url from readings where article_id = ?"
        return {id_: {row[0] for row in self._rows(sql, (id_,))} for id_ in sorted(ids - {None})}

    def outdated_versions(self, article_id: str) -> set[str]:
        """Return the versions of an article that a later reading of the same page replaced."""
        sql = """select version, not exists (
                     select 1 from readings later where later.page_sha256 = r.page_sha256 and later.url = r.url
                     and later.rowid > r.rowid and later.article_id is not null and later.version is not null)
                 from readings r where article_id = ? and version is not null"""
        rows = [(row[0], row[1]) for row in self._rows(sql, (article_id,))]
        return {version for version, _ in rows} - {version for version, last in rows if last}

    # changes, and look-ups of single articles by a build

    def last_change(self) -> int:
        """Return the number of the last change of any article."""
        return next(self._rows("select coalesce(max(seq), 0) from article_changes"))[0]

    def changed_since(self, number: int) -> list[str]:
        """Return the ids of the articles changed after a change number."""
        return [row[0] for row in self._rows("select article_id from article_changes where seq > ?", (number,))]

    def n_changed_since(self, number: int) -> int:
        """Return the number of articles changed after a change number."""
        return next(self._rows("select count(*) from article_changes where seq > ?", (number,)))[0]

    def article_ids(self) -> list[str]:
        """Return the ids of all articles, in order of arrival."""
        sql = "select article_id from articles group by article_id order by min(rowid)"
        return [row[0] for row in self._rows(sql)]

    def sources(self) -> Iterator[tuple[str, str]]:
        """Yield id and source of every version of every article, in order of arrival."""
        return ((row[0], row[1]) for row in self._rows("select article_id, source_id from articles order by rowid"))

    def relevant_ids(self, program_version: str) -> set[str]:
        """Return the articles that a program version found relevant in any version."""
        sql = "select distinct article_id from findings where program_version = ? and relevant = 1"
        return {row[0] for row in self._rows(sql, (program_version,))}

    def read_otherwise(self) -> set[str]:
        """Return the articles with several versions, or whose page has several readings."""
        sql = """select article_id from articles group by article_id having count(*) > 1
                 union select article_id from readings where article_id is not null and (page_sha256, url) in (
                     select page_sha256, url from readings group by page_sha256, url having count(*) > 1)"""
        return {row[0] for row in self._rows(sql)}

    def relevant_versions(self, article_id: str, program_version: str) -> dict[str, bool]:
        """Return the versions of an article that a program version has read, and whether each is relevant."""
        sql = "select version, relevant from findings where article_id = ? and program_version = ?"
        return {row[0]: bool(row[1]) for row in self._rows(sql, (article_id, program_version))}

    def source_of(self, article_id: str) -> str | None:
        """Return the source of an article's latest version; None if all versions are outdated."""
        sql = f"select source_id, version from articles where article_id = ? {LATEST}"
        rows = [(row[0], row[1]) for row in self._rows(sql, (article_id,))]
        outdated = self.outdated_versions(article_id) if rows else set()
        return next((source for source, version in rows if version not in outdated), None)

    def last_seen(self) -> str:
        """Return when any version was last seen, as ISO text; "" if there is none."""
        return next(self._rows("select coalesce(max(last_seen_at), '') from articles"))[0]

    # findings

    def save_findings(self, findings: Findings, program_version: str) -> None:
        """Store the findings of one version of an article, replacing earlier ones of the same program."""
        row = findings_row(findings, program_version)
        with self.transaction() as db:
            db.execute(_insert("findings", row, "or replace"), row)

    def save_lost(self, article: Article, program_version: str, why: str) -> None:
        """Record that this program version could not read an article, and why; its findings are empty."""
        row = {
            "article_id": article.article_id, "version": article.version, "program_version": program_version,
            "why": why,
        }  # fmt: skip
        with self.transaction() as db:
            self.save_findings(Findings(article.article_id, article.version, False, 0.0), program_version)
            db.execute(_insert("lost_articles", row, "or replace"), row)

    def save(self, article: Article, findings: Findings, program_version: str, seen_at: datetime | None = None) -> bool:
        """Store an article and its findings in one transaction; return True if this version of it is new."""
        with self.transaction():
            added = self.save_article(article, seen_at)
            self.save_findings(findings, program_version)
        return added

    def pending(self, program_version: str, limit: int | None = None) -> Iterator[Article]:
        """Yield the versions that this program version has not read yet, oldest seen first."""
        sql = """
            select article_id, version from articles a where not exists (
                select 1 from findings f
                where f.article_id = a.article_id and f.version = a.version and f.program_version = ?
            ) order by first_seen_at, article_id, version limit ?"""
        with plain_errors(self.path, "read"):
            waiting = self._db.execute(sql, (program_version, -1 if limit is None else limit)).fetchall()
        for article_id, version in waiting:  # one text at a time: pending texts may exceed memory
            article = self.article(article_id, version)
            if article is not None:
                yield article

    def n_unread(self, program_version: str, article_id: str | None = None) -> Iterator[tuple[str, int]]:
        """Yield articles (all, or the one given) with the number of versions that this program version has not read."""
        one, values = ("", ()) if article_id is None else ("and article_id = ?", (article_id,))
        sql = f"""
            select article_id, count(*) from articles a where not exists (
                select 1 from findings f
                where f.article_id = a.article_id and f.version = a.version and f.program_version = ?) {one}
            group by article_id"""
        return ((row[0], row[1]) for row in self._rows(sql, (program_version, *values)))

    def n_pending(self, program_version: str) -> int:
        """Return the number of versions that this program version has not read."""
        sql = """
            select count(*) from articles a where not exists (
                select 1 from findings f
                where f.article_id = a.article_id and f.version = a.version and f.program_version = ?)"""
        return next(self._rows(sql, (program_version,)))[0]

    def findings(self, program_version: str, *, relevant_only: bool = False) -> Iterator[Findings]:
        """Yield all findings of a program version, of every version of every article."""
        sql = "select findings from findings where program_version = ? and relevant >= ? order by article_id, version"
        for row in self._rows(sql, (program_version, int(relevant_only))):
            yield findings_of(row["findings"])

    def findings_of(self, article: Article, program_version: str) -> Findings | None:
        """Return the findings of a program version on one version of an article, None if it has not read it."""
        sql = "select findings from findings where article_id = ? and version = ? and program_version = ?"
        row = next(self._rows(sql, (article.article_id, article.version, program_version)), None)
        return findings_of(row["findings"]) if row else None

    def has_findings(self, program_version: str) -> bool:
        """Return whether a program version has read anything yet."""
        sql = "select 1 from findings where program_version = ? limit 1"
        return next(self._rows(sql, (program_version,)), None) is not None

    def last_program_version(self) -> str:
        """Return the program version of the latest findings, "" if there are none."""
        row = next(self._rows("select program_version from findings order by rowid desc limit 1"), None)
        return row[0] if row else ""

    def program_versions(self) -> tuple[str, ...]:
        """Return the program versions with stored findings."""
        return tuple(row[0] for row in self._rows("select distinct program_version from findings order by 1"))

    # event ids of the last build

    def event_history(self, event_ids: Iterable[str] | None = None) -> dict[str, tuple[str, ...]]:
        """Return the claim ids of the events of the last build: all, or some."""
        if event_ids is None:
            every = self._rows("select event_id, claim_ids from event_history")
            return {row[0]: tuple(row[1].split()) for row in every}
        sql = "select claim_ids from event_history where event_id = ?"
        rows = {id_: next(self._rows(sql, (id_,)), None) for id_ in event_ids}
        return {id_: tuple(row[0].split()) for id_, row in rows.items() if row is not None}

    def last_build(self) -> tuple[str, str]:
        """Return the tokens of the build that last wrote the event history, and of the build before it."""
        row = next(self._rows("select token, former from last_build"), None)
        return (row[0], row[1]) if row else ("", "")

    def redirects(self) -> dict[str, tuple[str | None, str]]:
        """Return the target (None for nowhere) of each event id no longer in use, and why."""
        return {row[0]: (row[1], row[2]) for row in self._rows("select * from event_redirects")}

    def gone_days(self) -> dict[str, str | None]:
        """Return the day on which each unused event id was first found missing, None if not recorded."""
        return {row[0]: row[1] for row in self._rows("select old_event_id, gone_on from event_redirects")}

    def save_history(
        self,
        history: Iterable[tuple[str, Iterable[str]]],
        gone: Iterable[str],
        redirects: Mapping[str, tuple[str | None, str]],
        gone_days: Mapping[str, str | None],
        token: str,
        former: str = "",
        *,
        whole: bool = False,
    ) -> None:
        """Update the event history and the redirects in one transaction.

        Args:
            history: New and changed events with their claims.
            gone: Ids of removed events.
            redirects: Targets and reasons of unused event ids.
            gone_days: Days on which these were first found missing.
            token: Of the build that found them.
            former: Of the build whose state it updated.
            whole: Whether `history` is complete.
        """
        wanted: set[tuple[str | None, ...]] = {(old, *value, gone_days.get(old)) for old, value in redirects.items()}
        with self.transaction() as db:
            db.execute("delete from last_build")
            db.execute("insert into last_build values (?, ?)", (token, former))
            if whole:
                db.execute("delete from event_history")
            db.executemany("delete from event_history where event_id = ?", [(id_,) for id_ in gone])
            db.executemany(
                "insert or replace into event_history values (?, ?)", ((k, " ".join(ids)) for k, ids in history)
            )
            known = {tuple(row) for row in db.execute("select * from event_redirects")}
            db.executemany("delete from event_redirects where old_event_id = ?", [row[:1] for row in known - wanted])
            new = sorted(wanted - known, key=lambda r: str(r[0]))
            db.executemany("insert into event_redirects values (?, ?, ?, ?)", new)

    # review queue

    def save_queue(
        self, items: Iterable[QueueItem], gone: Iterable[tuple[str, str]] = (), *, whole: bool = False
    ) -> None:
        """Update the review queue with new and changed items, and delete `(reason, subject)` pairs.

        Reopened decisions are always given in full, in order, and replace the former ones.
        """
        rows = [asdict(item) | {"place": place} for place, item in enumerate(items)]
        for row in rows:
            del row["position"]
        with self.transaction() as db:
            db.execute("delete from review_queue" if whole else "delete from review_queue where reason = 'reopened'")
            db.executemany("delete from review_queue where reason = ? and subject = ?", list(gone))
            if rows:
                db.executemany(_insert("review_queue", rows[0], "or replace"), rows)

    def queue(self) -> list[QueueItem]:
        """Return the review queue of the last build, most important first."""
        rows = [dict(row) for row in self._rows("select * from review_queue order by place, reason, subject")]
        return in_order([QueueItem(**{"position": 0, **{k: v for k, v in r.items() if k != "place"}}) for r in rows])


def _insert(table: str, row: Mapping[str, Any], how: str = "") -> str:
    return f"insert {how} into {table} ({', '.join(row)}) values ({', '.join(':' + name for name in row)})"
