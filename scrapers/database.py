"""Opens crawl.db, creates the crawler's tables in it, and locks its folder."""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scrapers.items import Page
from scrapers.messages import as_text

_TABLES = """
create table if not exists urls (
    url text primary key, source_id text not null, kind text not null check (kind in ('feed', 'article')),
    feed_url text not null, host text not null, state text not null, etag text not null default '',
    last_modified text not null default '', body_sha256 text not null default '', n_read integer not null default 0,
    attempts integer not null default 0, next_due_at text, first_seen_at text not null, discovered_from text not null,
    title text not null default '', summary text not null default '', published_at text, updated_at text,
    entry_id text not null default '', last_outcome text, last_visit_at text, last_full_at text
) strict;
create index if not exists urls_due on urls (next_due_at) where next_due_at is not null;
create table if not exists visits (
    visit_id integer primary key, url text not null references urls (url), source_id text not null, at text not null,
    outcome text not null, detail text not null, status integer not null, n_bytes integer not null,
    sha256 text not null
) strict;
create index if not exists visits_by_source on visits (source_id, at);
create index if not exists visits_by_url on visits (url);
create index if not exists visits_by_time on visits (at);
create table if not exists hosts (
    host text primary key, not_before text, reason text not null default '', robots_status integer,
    robots_body blob, robots_fetched_at text
) strict;
create table if not exists pages (
    sha256 text not null, url text not null, final_url text not null, source_id text not null, fetched_at text not null,
    status integer not null, media_type text not null, charset text not null, headers text not null,
    warc_file text not null, offset integer not null, length integer not null,
    primary key (sha256, url)
) strict;
create index if not exists pages_by_url on pages (url);
create index if not exists pages_by_place on pages (warc_file, offset);
create table if not exists visit_counts (
    source_id text not null, outcome text not null, n integer not null, primary key (source_id, outcome)
) strict;
create table if not exists pruned_pages (
    sha256 text not null, url text not null, source_id text not null, fetched_at text not null,
    n_bytes integer not null, pruned_at text not null, primary key (sha256, url)
) strict;
create table if not exists archive_leftovers (name text primary key) strict;
create table if not exists runs (
    run_id integer primary key, command text not null, started_at text not null, finished_at text,
    ended text not null default '', words text not null default '', outcomes text not null default '{}',
    counts text not null default '{}', seconds text not null default '{}', program_version text not null default '',
    reader_version text not null default ''
) strict;
"""
# Columns added since the first release: (table, column, declaration).
_COLUMNS = (
    ("visits", "n_entries", "integer"),  # number of items, of a feed that was read
    ("urls", "interval_minutes", "real"),  # of a feed: its current revisit interval
    ("urls", "judged_by", "text not null default ''"),  # version of the topic filter last applied
)
_VERSION = 4


@dataclass(frozen=True, slots=True)
class PageRef:
    """The location of an archived page: a gzip member of `length` bytes at `offset` of `warc_file`."""

    sha256: str
    url: str
    source_id: str
    fetched_at: str
    warc_file: str
    offset: int
    length: int


def open_crawl_db(path: Path) -> sqlite3.Connection:
    """Open crawl.db, creating it and its tables if missing. Transactions are explicit: see transaction()."""
    path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(path, isolation_level=None, timeout=30)
    db.row_factory = sqlite3.Row
    db.execute("pragma journal_mode = wal")
    db.execute("pragma synchronous = normal")
    db.execute("pragma foreign_keys = on")
    if db.execute("pragma user_version").fetchone()[0] < _VERSION:
        with transaction(db):
            for statement in _TABLES.split(";"):
                db.execute(statement)
            for table, column, declaration in _COLUMNS:
                if column not in {row["name"] for row in db.execute(f"pragma table_info({table})")}:
                    db.execute(f"alter table {table} add column {column} {declaration}")
            db.execute(f"pragma user_version = {_VERSION}")
    return db


class FolderInUse(RuntimeError):
    """Another process is writing to the data folder; the message names it."""


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Lock a data folder for one writing process. Raises FolderInUse if another one holds the lock."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a+") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.seek(0)
            holder = handle.read().strip() or "another process"
            raise FolderInUse(
                f"{folder} is in use by {holder}. Wait until it ends, or choose another folder."
            ) from None
        handle.truncate(0)
        handle.write(f"process {os.getpid()}")
        handle.flush()
        try:
            yield
        finally:
            handle.truncate(0)


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Run the block in a transaction; a nested one joins the outer transaction."""
    if db.in_transaction:
        yield
        return
    db.execute("begin immediate")
    try:
        yield
    except BaseException:
        db.execute("rollback")
        raise
    db.execute("commit")


def index_page(db: sqlite3.Connection, page: Page, ref: PageRef) -> None:
    """Add an archived page to the index unless it is already there."""
    db.execute(
        "insert or ignore into pages values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            *(page.sha256, page.url, page.final_url, page.source_id, as_text(page.fetched_at), page.status),
            *(page.media_type, page.charset, json.dumps(page.headers), ref.warc_file, ref.offset, ref.length),
        ),
    )
