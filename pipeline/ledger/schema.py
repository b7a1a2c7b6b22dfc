"""Defines the tables as migrations: private ones in crawl.db (`private`), published ones in oversight.db (`published`).

A change of a published table needs a new migration here, a higher SCHEMA_VERSION and a line in CHANGELOG.md. Released
migrations are never edited, so the first ones use names that the last one changes: `oversight export` or
datasette_metadata.json show the tables as they are now.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from sqlite_utils import Database, Migrations
from sqlite_utils.db import Table

from pipeline.ledger.sqlite_errors import StoreError

SCHEMA_VERSION = 9

private = Migrations("oversight_private")
published = Migrations("oversight_published")


@private()
def articles_and_findings(db: Database) -> None:
    """Articles with their full text, every version, and their findings."""
    db.executescript(
        """
        create table articles (
            article_id text not null, version text not null, source_id text not null, url text not null,
            title text not null, text text not null, language text not null, byline text not null,
            published_at text, published_basis text not null, published_precision text not null,
            modified_at text, fetched_at text, page_sha256 text not null, publisher text not null,
            links text not null, removed_blocks text not null, has_affiliate_content integer not null,
            access text not null, first_seen_at text not null, last_seen_at text not null,
            primary key (article_id, version)
        ) strict;
        create table readings (
            page_sha256 text not null, url text not null, source_id text not null, reader_version text not null,
            outcome text not null, article_id text, version text, detail text not null,
            primary key (page_sha256, url, reader_version)
        ) strict;
        create table findings (
            article_id text not null, version text not null, program_version text not null, relevant integer not null,
            gate_score real not null, findings text not null,
            primary key (article_id, version, program_version),
            foreign key (article_id, version) references articles (article_id, version)
        ) strict;
        create table event_history (
            event_id text primary key, claim_ids text not null
        ) strict;
        """
    )


@private()
def vanished_events_and_lookups(db: Database) -> None:
    """Redirects of unused event ids, and the indexes that crawling and building use."""
    db.executescript(
        """
        create table event_redirects (
            old_event_id text primary key, event_id text, reason text not null
        ) strict;
        create index articles_by_url on articles (url);
        create index articles_by_first_seen on articles (first_seen_at, article_id, version);
        """
    )


@private()
def what_awaits_an_editor(db: Database) -> None:
    """The review queue of the last build: private because it quotes unpublished text."""
    db.executescript(
        """
        create table review_queue (
            position integer primary key, reason text not null, subject text not null, score real not null,
            event_id text not null, article_id text not null, n_claims integer not null, n_articles integer not null,
            n_origins integer not null, words text not null, quote text not null, was text not null
        ) strict;
        """
    )


@private()
def articles_that_could_not_be_understood(db: Database) -> None:
    """Articles on which extraction crashed or hung, with the reason; the next program version tries them again."""
    db.executescript(
        """
        create table lost_articles (
            article_id text not null, version text not null, program_version text not null, why text not null,
            primary key (article_id, version, program_version)
        ) strict;
        """
    )


@private()
def when_events_vanished(db: Database) -> None:
    """The day on which an event id was first found missing."""
    db.executescript("alter table event_redirects add column gone_on text;")


@private()
def backfilled_archives(db: Database) -> None:
    """Progress through each imported archive, and which of its records became an article."""
    db.executescript(
        """
        create table backfill_files (
            file_id text not null, choice text not null, name text not null, size integer not null,
            position integer not null, records integer not null, pages integer not null, relevant integer not null,
            claims integer not null, passed_over text not null, bad text not null, seen_at text not null,
            finished_at text, primary key (file_id, choice)
        ) strict;
        create table backfill_records (
            file_id text not null, offset integer not null, digest text not null, url text not null,
            article_id text not null, version text not null, primary key (file_id, offset, digest)
        ) strict;
        """
    )


@private()
def what_changed_since_the_last_build(db: Database) -> None:
    """The number of the last change of each article; and a queue without positions, which shift."""
    mark = (
        "delete from article_changes where article_id = {0}; insert into article_changes (article_id) select {0} {1};"
    )
    tables = ("articles", "findings", "readings")
    acts = (("insert", "new"), ("update", "new"), ("delete", "old"))
    triggers = [
        f"create trigger {table}_{act} after {act} on {table} begin "
        + mark.format(f"{row}.article_id", f"where {row}.article_id is not null")
        + " end;"
        for table in tables
        for act, row in acts
    ]
    db.executescript(
        f"""
        create table article_changes (seq integer primary key autoincrement, article_id text not null unique) strict;
        insert into article_changes (article_id) select distinct article_id from articles;
        {"".join(triggers)}
        create trigger readings_of_one_page after insert on readings begin
            delete from article_changes where article_id in (
                select article_id from readings where page_sha256 = new.page_sha256 and url = new.url);
            insert into article_changes (article_id) select distinct article_id from readings
                where page_sha256 = new.page_sha256 and url = new.url and article_id is not null;
        end;
        create trigger readings_replaced before insert on readings begin
            delete from article_changes where article_id in (
                select article_id from readings where page_sha256 = new.page_sha256 and url = new.url);
            insert into article_changes (article_id) select distinct article_id from readings
                where page_sha256 = new.page_sha256 and url = new.url and article_id is not null;
        end;
        create index readings_by_article on readings (article_id, version);
        create index readings_by_url on readings (url);
        create index articles_by_last_seen on articles (last_seen_at);
        create table last_build (token text not null, former text not null) strict;
        drop table review_queue;
        create table review_queue (
            place integer not null, reason text not null, subject text not null, score real not null,
            event_id text not null, article_id text not null, n_claims integer not null, n_articles integer not null,
            n_origins integer not null, words text not null, quote text not null, was text not null,
            primary key (reason, subject)
        ) strict;
        """
    )


@private()
def names_of_the_field(db: Database) -> None:
    """Renames columns and keys to the names used everywhere else."""
    renamed = (("mention", "newness"), ("gaps", "unknown_names"), ("gate_score", "relevance_score"))
    value = "findings"
    for old, new in renamed:
        # Quotation marks inside JSON strings are escaped, so this matches only keys.
        value = f"replace({value}, '\"{old}\":', '\"{new}\":')"
    db.executescript(f"""
        drop trigger findings_update;
        update findings set findings = {value};
        alter table findings rename column gate_score to relevance_score;
        create trigger findings_update after update on findings begin
            delete from article_changes where article_id = new.article_id;
            insert into article_changes (article_id) select new.article_id where new.article_id is not null;
        end;
    """)


# One long function: a released migration is never edited, and its statements are one schema.
@published()
def ledger(db: Database) -> None:
    """The published ledger."""
    db.executescript(
        """
        create table sources (
            source_id text primary key, title text not null, homepage text not null, standing text not null,
            family text not null, jurisdiction text not null, language text not null, n_articles integer not null,
            n_relevant integer not null, first_article_on text, last_article_on text, last_visit_at text,
            last_success_at text, health text not null
        ) strict;
        create table outcomes (
            source_id text not null references sources(source_id), outcome text not null, n integer not null,
            primary key (source_id, outcome)
        ) strict, without rowid;
        create table entities (
            entity_id text primary key, name text not null, kind text not null, jurisdiction text not null,
            parent_id text references entities(entity_id), wikidata_id text not null, description text not null,
            known integer not null, n_events integer not null, n_claims integer not null
        ) strict;
        create table entity_names (
            entity_id text not null references entities(entity_id), name text not null, kind text not null,
            used_from text, used_until text, primary key (entity_id, name)
        ) strict, without rowid;
        create table articles (
            article_id text primary key, version text not null, source_id text not null references sources(source_id),
            url text not null, title text not null, byline text not null, published_at text, published_on text,
            published_basis text not null, published_precision text not null, modified_at text, fetched_at text,
            language text not null, access text not null, has_affiliate_content integer not null,
            n_removed_blocks integer not null, n_versions integer not null, n_characters integer not null,
            n_claims integer not null, page_sha256 text not null, origin_id text
        ) strict;
        create table article_versions (
            article_id text not null references articles(article_id), version text not null,
            first_seen_at text not null,
            last_seen_at text not null, page_sha256 text not null, n_claims integer not null,
            primary key (article_id, version)
        ) strict, without rowid;
        create table origins (
            origin_id text primary key, kind text not null, label text not null, lead_article_id text,
            n_articles integer not null
        ) strict;
        create table origin_edges (
            article_id text not null references articles(article_id), to_article_id text, to_name text not null,
            basis text not null, detail text not null
        ) strict;
        create table events (
            event_id text primary key, type text not null, modality text not null, summary text not null,
            stage text not null, direction text, force text not null, jurisdiction text not null,
            date_start text, date_end text, date_precision text, event_month text, actors text not null,
            targets text not null, objects text not null, instruments text not null, n_claims integer not null,
            n_articles integer not null, n_origins integer not null, origins_band text not null,
            contested integer not null, best_standing text not null, confidence real not null,
            first_reported_on text, last_reported_on text
        ) strict;
        create table event_participants (
            event_id text not null references events(event_id), entity_id text not null references entities(entity_id),
            role text not null, n_claims integer not null, primary key (event_id, entity_id, role)
        ) strict, without rowid;
        create table claims (
            claim_id text primary key, event_id text not null references events(event_id),
            article_id text not null references articles(article_id), version text not null,
            source_id text not null references sources(source_id), origin_id text references origins(origin_id),
            type text not null, modality text not null, direction text, force text not null, mention text not null,
            date_start text, date_end text, date_precision text, date_basis text, date_said text,
            attribution_kind text not null, attribution_name text, quote text not null, quote_start integer not null,
            quote_end integer not null, trigger text not null, trigger_start integer not null,
            trigger_end integer not null, confidence real not null, rule text not null, published_on text
        ) strict;
        create table claim_participants (
            claim_id text not null references claims(claim_id), position integer not null, role text not null,
            entity_id text not null references entities(entity_id), name text not null, text text not null,
            start integer not null, end integer not null, primary key (claim_id, position)
        ) strict, without rowid;
        create table conflicts (
            conflict_id text primary key, event_id text not null references events(event_id), field text not null,
            summary text not null
        ) strict;
        create table conflict_values (
            conflict_id text not null references conflicts(conflict_id), value text not null,
            claim_id text not null references claims(claim_id), primary key (conflict_id, value, claim_id)
        ) strict, without rowid;
        create table event_redirects (
            old_event_id text primary key, event_id text, reason text not null
        ) strict;
        create table lexicon_gaps (
            name text not null, kind text not null, n_articles integer not null, n_mentions integer not null,
            example_article_id text not null references articles(article_id), example text not null,
            primary key (name, kind)
        ) strict, without rowid;
        create table facet_counts (
            table_name text not null, column_name text not null, value text not null, n integer not null,
            primary key (table_name, column_name, value)
        ) strict, without rowid;
        create table facts (
            key text primary key, value text not null
        ) strict;
        """
    )
    Table(db, "events").enable_fts(
        ["summary", "actors", "targets", "objects", "instruments"], tokenize="porter unicode61"
    )
    Table(db, "claims").enable_fts(["quote"], tokenize="porter unicode61")


@published()
def standings_and_due_days(db: Database) -> None:
    """Timelines, and upcoming dates."""
    db.executescript(
        """
        create table standings (
            standing_id text primary key, line_id text not null, position integer not null, matter text not null,
            actor_id text references entities(entity_id), counterpart_id text references entities(entity_id),
            thing_id text references entities(entity_id), stage text not null, modality text not null,
            summary text not null, from_start text, from_end text, from_precision text, from_basis text not null,
            sure_from text, until text, contested integer not null,
            event_id text not null references events(event_id), n_claims integer not null, first_reported_on text
        ) strict;
        create table standing_claims (
            standing_id text not null references standings(standing_id),
            claim_id text not null references claims(claim_id), primary key (standing_id, claim_id)
        ) strict, without rowid;
        create table due (
            due_id text primary key, due_start text not null, due_end text not null, due_precision text not null,
            kind text not null, modality text not null, summary text not null, fate text not null, settled_on text,
            event_id text not null references events(event_id), claim_id text not null references claims(claim_id),
            date_said text not null, n_claims integer not null, first_reported_on text not null
        ) strict;
        """
    )


@published()
def edits_of_articles(db: Database) -> None:
    """What publishers changed in their articles, and the effect on claims."""
    db.executescript(
        """
        create table article_edits (
            article_id text not null references articles(article_id), nth integer not null, old_version text not null,
            new_version text not null, old_seen_at text not null, new_seen_at text not null, old_title text not null,
            new_title text not null, n_sentences_gone integer not null, n_sentences_come integer not null,
            n_revisions integer not null, primary key (article_id, nth)
        ) strict, without rowid;
        create table revisions (
            revision_id text primary key, article_id text not null references articles(article_id),
            nth integer not null, seen_on text not null, kind text not null, fields text not null,
            event_id text references events(event_id), old_claim_id text, new_claim_id text, type text not null,
            old_modality text, new_modality text, old_date text, new_date text, old_parties text not null,
            new_parties text not null, old_quote text not null, new_quote text not null, summary text not null
        ) strict;
        """
    )


@published()
def claims_that_wait_for_review(db: Database) -> None:
    """Claims too unsure to support an event: a separate table, so that no count includes them."""
    db.executescript(
        """
        create table unsure_claims (
            claim_id text primary key, article_id text not null references articles(article_id), version text not null,
            source_id text not null references sources(source_id), type text not null, modality text not null,
            direction text, force text not null, mention text not null, date_start text, date_end text,
            date_precision text, date_basis text, date_said text, attribution_kind text not null, attribution_name text,
            quote text not null, quote_start integer not null, quote_end integer not null, trigger text not null,
            trigger_start integer not null, trigger_end integer not null, confidence real not null, rule text not null,
            published_on text, participants text not null
        ) strict;
        """
    )


@published()
def offices_and_relations(db: Database) -> None:
    """Who held which office when, and which entity belongs to which."""
    db.executescript(
        """
        create table entity_roles (
            person_id text not null references entities(entity_id), position integer not null, office text not null,
            body_id text references entities(entity_id), held_from text, held_until text,
            primary key (person_id, position)
        ) strict, without rowid;
        create table entity_relations (
            entity_id text not null references entities(entity_id), kind text not null,
            other_id text not null references entities(entity_id), holds_from text, holds_until text,
            primary key (entity_id, kind, other_id)
        ) strict, without rowid;
        """
    )


@published()
def decisions_of_editors(db: Database) -> None:
    """The decisions of editors, and the claims that they confirmed, changed or added."""
    db.executescript(
        """
        create table reviews (
            review_id text primary key, decision text not null, status text not null, decided_at text not null,
            decided_on text not null, editor text not null, why text not null, event_id text, claim_id text,
            article_id text, subject text not null, effect text not null, machine_reading text not null,
            now_reads text not null
        ) strict;
        alter table claims add column reviewed text not null default '';
        """
    )


@published()
def when_events_were_withdrawn(db: Database) -> None:
    """Publication day of the newest article when an event id was found missing; empty if an older program wrote it."""
    db.executescript("alter table event_redirects add column gone_on text;")


@published()
def health_of_sources_and_pages_that_are_gone(db: Database) -> None:
    """The usual yield and faults of each source; articles that their publisher removed."""
    db.executescript(
        """
        alter table sources add column last_item_at text;
        alter table sources add column usual_gap_hours real;
        alter table sources add column alarms text not null default '';
        alter table articles add column gone_on text;
        """
    )


@published()
def names_of_the_published_field(db: Database) -> None:
    """Renames tables and columns to the names used by the site and the documentation."""
    db.executescript(
        """
        alter table conflicts rename to contradictions;
        alter table contradictions rename column conflict_id to contradiction_id;
        alter table conflict_values rename to contradiction_sides;
        alter table contradiction_sides rename column conflict_id to contradiction_id;
        alter table standings rename to timeline_entries;
        alter table timeline_entries rename column standing_id to entry_id;
        alter table timeline_entries rename column line_id to timeline_id;
        alter table timeline_entries rename column contested to contradicted;
        alter table standing_claims rename to timeline_claims;
        alter table timeline_claims rename column standing_id to entry_id;
        alter table due rename to upcoming;
        alter table upcoming rename column due_id to upcoming_id;
        alter table facts rename to build_info;
        alter table outcomes rename to fetch_outcomes;
        alter table lexicon_gaps rename to unknown_names;
        alter table entities rename column known to in_lexicon;
        alter table sources rename column standing to source_type;
        alter table events rename column best_standing to closest_source_type;
        alter table events rename column contested to contradicted;
        alter table claims rename column mention to newness;
        alter table unsure_claims rename column mention to newness;
        """
    )


def make_published_tables(connection: sqlite3.Connection) -> None:
    """Create the tables of the published ledger in an empty file."""
    published.apply(Database(connection))


def bring_up_to_date(connection: sqlite3.Connection, path: Path) -> None:
    """Migrate the tables of crawl.db. Raises StoreError if a newer program wrote it."""
    db = Database(connection)
    known = {m.name for m in private.pending(db)} | {m.name for m in private.applied(db)}
    ours = {migration.name for migration in private.pending(Database(memory=True))}
    if newer := sorted(known - ours):
        raise StoreError(
            f"{path} was written by a newer version of this program ({newer[0]} is unknown here). "
            "Update this program; nothing was changed."
        )
    private.apply(db)


def refuse_other_schema(connection: sqlite3.Connection, path: Path) -> None:
    """Raise StoreError if a built or published ledger has another schema version.

    Columns would be missing or mean something else. The ledger can be rebuilt from crawl.db.
    """
    names = {
        row[0] for row in connection.execute("select name from sqlite_master where name in ('build_info', 'facts')")
    }
    if not names:
        return  # no such table: reported by whoever needs it
    table = "build_info" if "build_info" in names else "facts"  # its name before schema 9
    row = connection.execute(f"select value from {table} where key = 'schema_version'").fetchone()
    version = int(row[0]) if row and str(row[0]).isdigit() else SCHEMA_VERSION
    if version < SCHEMA_VERSION:
        raise StoreError(
            f"{path} has the tables of an older version of this program (schema {version}; this one has "
            f"{SCHEMA_VERSION}). Run `oversight build` and `oversight publish`; nothing needs to be crawled again."
        )
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"{path} was made by a newer version of this program (schema {version}; this one has {SCHEMA_VERSION}). "
            "Update this program and start it again."
        )


def open_db(path: Path | str, *, readonly: bool = False) -> sqlite3.Connection:
    """Open a database with the pragmas of the project: WAL, synchronous NORMAL, foreign keys on, 30 s busy timeout.

    Raises:
        sqlite3.DatabaseError: The file is not a database.
        sqlite3.OperationalError: It cannot be opened.
    """
    if readonly:
        return sqlite3.connect(f"file:{Path(path).absolute()}?mode=ro", uri=True, timeout=30)
    connection = sqlite3.connect(path, timeout=30, isolation_level=None)
    connection.executescript("pragma journal_mode=wal; pragma synchronous=normal; pragma foreign_keys=on;")
    return connection
