"""Stores what the last build computed, in joined.db beside build.db, so that the next one updates only what changed.

Everything in it can be recomputed from crawl.db. It is private because it holds unpublished claims. It belongs to
exactly one build.db: both change in one transaction.
"""

from __future__ import annotations

import io
import pickle
import sqlite3
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any

VERSION = 6  # of these tables and of the records in them
_PROTOCOL = 5

_TABLES = """
create table meta (key text primary key, value text not null) strict, without rowid;
-- every article of crawl.db with its source, relevant or not
create table known_articles (article_id text primary key, source_id text not null) strict, without rowid;
-- number of versions of an article not read yet
create table pending (article_id text primary key, n integer not null) strict, without rowid;
-- articles whose page is gone, with the day on which it was first found missing
create table gone_articles (article_id text primary key, gone_on text not null) strict, without rowid;
-- number of rows of the tables in TALLIED, by source if they have one
create table tallies (what text not null, source_id text not null, n integer not null, primary key (what, source_id))
    strict, without rowid;
-- relevant articles; moment: of publication, '9999' if unknown. Large values are in separate tables, so that the
-- columns that are read and written often lie close together
create table articles (
    n integer primary key, article_id text not null unique, source_id text not null, url text not null,
    moment text not null,
    component text not null default '', copy_of text not null default '', origin_id text not null default ''
) strict;
create table article_views (n integer primary key, view blob not null) strict;
create table article_rows (n integer primary key, published blob not null) strict;
create trigger articles_deleted after delete on articles begin
    delete from article_views where n = old.n;
    delete from article_rows where n = old.n;
end;
create table sketches (n integer primary key, bands blob not null) strict;
create table origins (origin_id text primary key, n integer not null, origin blob not null) strict, without rowid;
create table bands (bucket integer not null, n integer not null, primary key (bucket, n))
    strict, without rowid;
create table near_duplicates (one text not null, other text not null, similarity real not null,
    primary key (one, other)) strict, without rowid;
create table topics (
    source_id text not null, topic text not null, moment text not null, article_id text not null,
    primary key (source_id, topic, moment, article_id)
) strict, without rowid;
-- articles that credit a source of the ledger, by topic
create table crediting (
    source_id text not null, topic text not null, moment text not null, article_id text not null,
    primary key (source_id, topic, moment, article_id)
) strict, without rowid;
create table credited_reports (article_id text primary key, leads blob not null) strict, without rowid;
create table credited_urls (url text not null, article_id text not null, primary key (url, article_id))
    strict, without rowid;
create table report_credits (lead text not null, article_id text not null, whole integer not null,
    primary key (lead, article_id, whole)) strict, without rowid;
create table outside (
    family text not null, topic text not null, moment text not null, article_id text not null,
    primary key (family, topic, moment, article_id)
) strict, without rowid;
-- published claims in order of arrival, so that claims of one time lie together; root: earliest claim of the cluster
create table claims (
    n integer primary key, claim_id text not null unique, article_id text not null, type text not null,
    day text not null, root text not null default '', event_id text not null default '',
    origin_id text not null default '', mark text not null default ''
) strict;
create table claim_records (n integer primary key, claim blob not null) strict;
create trigger claims_deleted after delete on claims begin delete from claim_records where n = old.n; end;
-- blocking keys of claims; first, last: days of the event (ClaimFeatures.interval)
create table marks (block integer not null, day text not null, claim_id text not null, first integer not null,
    last integer not null, primary key (block, day, claim_id)) strict, without rowid;
create table unions (gone text primary key, kept text not null, type text not null, day text not null)
    strict, without rowid;
create table events (event_id text primary key, contradicted integer not null, event blob not null)
    strict, without rowid;
create table event_origins (event_id text not null, origin_id text not null, primary key (event_id, origin_id))
    strict, without rowid;
-- support of the events of a type and party
create table event_weights (
    type text not null, entity_id text not null, weight integer not null, event_id text not null,
    primary key (type, entity_id, weight, event_id)
) strict, without rowid;
create table edges (
    article_id text not null, to_article_id text not null, to_name text not null, basis text not null,
    detail text not null, owner text not null,
    primary key (article_id, to_article_id, to_name, basis, detail, owner)
) strict, without rowid;
-- keys of claims that may contradict another event: kind occurrence, reversal or heads; says: yes, no or empty
create table contradiction_marks (
    kind text not null, mark text not null, says text not null, day text not null, claim_id text not null,
    primary key (kind, mark, says, day, claim_id)
) strict, without rowid;
create table contradictions (event_id text primary key, found blob not null) strict, without rowid;
create table in_contradiction (claim_id text not null, event_id text not null, primary key (claim_id, event_id))
    strict, without rowid;
create table steps (event_id text primary key, steps blob not null, upcoming blob not null) strict, without rowid;
create table timeline_marks (mark text not null, event_id text not null, primary key (mark, event_id))
    strict, without rowid;
-- entities, unknown names and rejected claims of single articles
create table entities (
    entity_id text not null, article_id text not null, belongs text not null, entity blob not null,
    primary key (entity_id, article_id)
) strict, without rowid;
-- number of events and claims of each entity
create table entity_counts (entity_id text primary key, n_events integer not null, n_claims integer not null)
    strict, without rowid;
create table unknown_names (
    name text not null, kind text not null, article_id text not null, n integer not null, example text not null,
    folded text not null, position integer not null, primary key (name, kind, article_id)
) strict, without rowid;
create table rejected (claim_id text primary key, article_id text not null) strict, without rowid;
-- machine: before the editors' decisions
create table unknown_parties (
    name text not null, machine integer not null, article_id text not null, position integer not null,
    claim_id text not null, primary key (name, machine, article_id, position)
) strict, without rowid;
create table unsure (claim_id text primary key, article_id text not null, claim blob not null)
    strict, without rowid;
create table unsure_parties (type text not null, entity_id text not null, claim_id text not null,
    primary key (type, entity_id, claim_id)) strict, without rowid;
create table named (folded text primary key, subject text not null) strict, without rowid;
create table queue (reason text not null, subject text not null, item blob not null, primary key (reason, subject))
    strict, without rowid;
-- articles with more than one version; lost_near: events that a claim of an earlier version may belong to
create table edits (article_id text primary key, edits blob not null) strict, without rowid;
create table heirs (claim_id text primary key, heir text not null, article_id text not null) strict, without rowid;
create table lost_marks (
    block integer not null, day text not null, claim_id text not null, article_id text not null,
    primary key (block, day, claim_id)
) strict, without rowid;
create table lost_near (event_id text not null, article_id text not null, primary key (event_id, article_id))
    strict, without rowid;
"""

# In a full build the rows of these tables are inserted in key order, all at once: inserted one by one, each row would
# touch a different page of a table larger than memory. Indexes are created only when needed.
OF_ARTICLES = ("entities", "unknown_parties", "topics", "crediting", "bands", "contradiction_marks", "unsure")
OF_CLUSTERS = ("origins", "edges")
_INDEXES_OF_ARTICLES = """
create index joined.known_articles_by_source on known_articles (source_id);
create index joined.articles_by_source on articles (source_id, moment);
create index joined.articles_by_url on articles (url, moment, article_id);
create index joined.topics_by_article on topics (article_id);
create index joined.crediting_by_article on crediting (article_id);
create index joined.credited_urls_by_article on credited_urls (article_id);
create index joined.report_credits_by_article on report_credits (article_id);
create index joined.outside_by_article on outside (article_id);
create index joined.claims_by_article on claims (article_id, claim_id);
create index joined.claims_by_day on claims (type, day, claim_id);
create index joined.unions_by_kept on unions (kept);
create index joined.unions_by_day on unions (type, day);
create index joined.event_weights_by_event on event_weights (event_id);
create index joined.contradiction_marks_by_claim on contradiction_marks (claim_id);
create index joined.in_contradiction_by_event on in_contradiction (event_id);
create index joined.timeline_marks_by_event on timeline_marks (event_id);
create index joined.entities_that_belong on entities (belongs) where belongs <> '';
create index joined.entities_by_article on entities (article_id);
create index joined.unknown_names_by_folded_name on unknown_names (folded, article_id, position);
create index joined.unknown_names_by_article on unknown_names (article_id);
create index joined.rejected_by_article on rejected (article_id);
create index joined.unknown_parties_by_claim on unknown_parties (claim_id);
create index joined.unknown_parties_by_article on unknown_parties (article_id);
create index joined.unsure_by_article on unsure (article_id);
create index joined.unsure_parties_by_claim on unsure_parties (claim_id);
create index joined.heirs_by_article on heirs (article_id);
create index joined.lost_marks_by_article on lost_marks (article_id);
create index joined.lost_near_by_article on lost_near (article_id);
"""
_INDEXES_OF_GROUPS = """
create index joined.edges_by_owner on edges (owner);
create index joined.articles_by_origin on articles (origin_id);
create index joined.articles_by_component on articles (component);
create index joined.claims_by_root on claims (root, claim_id);
create index joined.claims_by_event on claims (event_id, claim_id);
"""
INDEXES = _INDEXES_OF_ARTICLES + _INDEXES_OF_GROUPS

# Tables with a running count of their rows, by the column of the source if there is one: count(*) would scan them.
TALLIED = {
    "known_articles": "source_id",
    "articles": "source_id",
    "claims": "",
    "unsure": "",
    "events": "",
    "origins": "",
    "queue": "",
}
_COUNTED = "insert into tallies values ('{}', {}, {}) on conflict do update set n = n + excluded.n;"


def make_tables(db: sqlite3.Connection) -> None:
    """Create the tables of an empty state. The indexes are created while it is filled."""
    db.executescript(_TABLES)


class State:
    """The state tables, over a connection to build.db to which joined.db is attached."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db
        self._staged: tuple[str, ...] = ()

    def stage(self, tables: tuple[str, ...]) -> None:
        """Stage rows for some empty tables until settle() inserts them; nothing may read these tables before that."""
        self._staged = tables
        for table in tables:
            self.db.execute(f"create temp table staged_{table} as select * from joined.{table} limit 0")

    def settle(self) -> None:
        """Insert the staged rows in key order."""
        for table in self._staged:
            keys = self.column("select name from pragma_table_info(?, 'joined') where pk > 0 order by pk", (table,))
            rows = f"select * from temp.staged_{table} order by {', '.join(keys)}, rowid"
            self.db.execute(f"insert or replace into joined.{table} {rows}")
            self.db.execute(f"drop table temp.staged_{table}")
        self._staged = ()

    def settle_articles(self) -> None:
        """Insert the staged rows of articles, and create their indexes."""
        self.settle()
        self._make(_INDEXES_OF_ARTICLES)

    def settle_groups(self) -> None:
        """Create the indexes on clusters, events and origins."""
        self._make(_INDEXES_OF_GROUPS)

    def tally(self) -> None:
        """Count the rows of TALLIED, and keep the counts up to date with triggers."""
        for table, source in TALLIED.items():
            key = source or "''"
            rows = f"select '{table}', {key}, count(*) from joined.{table} group by 2"
            self.db.execute(f"insert into joined.tallies {rows}")
            came, went = (_COUNTED.format(table, f"{row}.{source}" if source else key, n)
                          for row, n in (("new", 1), ("old", -1)))  # fmt: skip
            acts = {"insert": came, "delete": went} | ({f"update of {source}": went + came} if source else {})
            for act, counted in acts.items():
                name = f"joined.{table}_{act.split()[0]}"
                self.db.execute(f"create trigger {name} after {act} on {table} begin {counted} end")

    def n(self, table: str) -> int:
        """Return the number of rows of a table in TALLIED."""
        return self.one("select coalesce(sum(n), 0) from joined.tallies where what = ?", (table,))

    def _make(self, indexes: str) -> None:
        for sql in filter(None, map(str.strip, indexes.split(";"))):
            self.db.execute(sql)

    def meta(self, key: str) -> str:
        row = self.db.execute("select value from joined.meta where key = ?", (key,)).fetchone()
        return row[0] if row else ""

    def set_meta(self, key: str, value: str) -> None:
        self.db.execute("insert or replace into joined.meta values (?, ?)", (key, value))

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple]:
        return self.db.execute(sql, values).fetchall()

    def column(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        """Return the first column of a query."""
        return [row[0] for row in self.db.execute(sql, values)]

    def one(self, sql: str, values: Sequence[Any] = ()) -> Any:
        """Return the first column of the first row of a query, None if there is no row."""
        row = self.db.execute(sql, values).fetchone()
        return row[0] if row else None

    def has(self, sql: str, values: Sequence[Any] = ()) -> bool:
        return self.db.execute(sql, values).fetchone() is not None

    def put(self, table: str, rows: Iterable[Sequence[Any]]) -> None:
        """Insert whole rows, replacing those with the same key."""
        rows = list(rows)
        if rows:
            marks = ", ".join("?" * len(rows[0]))
            place = f"temp.staged_{table}" if table in self._staged else f"joined.{table}"
            self.db.executemany(f"insert or replace into {place} values ({marks})", rows)

    def drop(self, table: str, column: str, values: Iterable[str]) -> None:
        """Delete the rows whose `column` has one of `values`."""
        self.db.executemany(f"delete from joined.{table} where {column} = ?", [(value,) for value in values])


class _Makers(dict):
    """How to rebuild a record of each type from its field values, in order.

    By default, dataclasses look up the fields for every record, which takes twice as long.
    """

    def __missing__(self, kind: type) -> Callable[[Any], Any]:
        if issubclass(kind, type):
            raise KeyError(kind)  # a class is pickled by name
        if is_dataclass(kind):
            names = [field.name for field in fields(kind)]
            values = attrgetter(*names)
            found = (lambda record: (kind, (values(record),))) if len(names) == 1 else (lambda r: (kind, values(r)))
        else:
            found = _reduce
        self[kind] = found
        return found


def _reduce(value: Any) -> Any:
    return value.__reduce_ex__(_PROTOCOL)


_MAKERS = _Makers()


def pack(value: Any) -> bytes:
    """Return records as bytes. Only the state of this program is ever read back."""
    out = io.BytesIO()
    pickler = pickle.Pickler(out, _PROTOCOL)
    pickler.dispatch_table = _MAKERS
    pickler.dump(value)
    return out.getvalue()


def unpack(data: bytes) -> Any:
    """Return the records given to pack()."""
    return pickle.loads(data)


def own_version() -> str:
    """Return the version of the layout and of Python; a state of another version cannot be read."""
    return f"{VERSION} {sys.version_info.major}.{sys.version_info.minor}"


def chunks(ids: Iterable[Any], size: int) -> Iterator[list[Any]]:
    """Yield items in lists of at most `size`."""
    chunk: list[Any] = []
    for id_ in ids:
        chunk.append(id_)
        if len(chunk) >= size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def state_path(build_path: Path) -> Path:
    """Return joined.db beside build.db."""
    return build_path.with_name(f"joined{build_path.name.removeprefix('build')}")
