"""The archive becomes a ledger: crawl.db and the sources come in, build.db goes out, the same for the same archive.

It is written beside the old one and takes its place in one step; until then nothing has changed.
"""

from __future__ import annotations

import os
import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from pathlib import Path

from sqlite_utils import Database

from pipeline.families import Families
from pipeline.joining import Joined, holders_of, join
from pipeline.records import Entity, Findings
from pipeline.reviews.apply import apply_reviews
from pipeline.reviews.decisions import APPLIED, REOPENED, WAITING, ReviewFile
from pipeline.reviews.linking import kept as kept_merges
from pipeline.reviews.names import settle_names
from pipeline.reviews.queue import make_queue
from pipeline.revisions import Edit, edits_of, in_order, successors
from pipeline.settings import Settings
from pipeline.store.entity_rows import name_rows
from pipeline.store.errors import plain_errors
from pipeline.store.indexes import create_indexes
from pipeline.store.keeping import Kept, read_kept
from pipeline.store.library import Library
from pipeline.store.revising import edit_rows, revision_rows
from pipeline.store.rows import Row
from pipeline.store.schema import SCHEMA_VERSION, published
from pipeline.store.tables import Material, table_rows
from scrapers.health import SourceHealth
from scrapers.records import Source, Visit

MIN_CONFIDENCE = Settings().least_confidence  # claims below wait for review: they stand in no event


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build made. `n_withheld`: claims below the confidence threshold; `n_pending`: versions not read yet."""

    program_version: str
    n_articles: int
    n_relevant: int
    n_claims: int
    n_withheld: int
    n_events: int
    n_origins: int
    n_conflicts: int
    n_redirects: int
    n_pending: int
    n_reviews: int = 0  # decisions of editors that were applied
    n_reopened: int = 0  # decisions whose sentence has changed
    n_waiting: int = 0  # decisions that fit nothing in the ledger
    n_to_review: int = 0  # what waits for an editor: unsure claims, disputes, unknown names, reopened decisions

    def as_dict(self) -> dict[str, int | str]:
        return asdict(self)


def build(
    library_path: Path,
    build_path: Path,
    sources: Iterable[Source],
    *,
    visits: Iterable[Visit] = (),
    program_version: str | None = None,
    lexicon=None,
    min_confidence: float = MIN_CONFIDENCE,
    reviews: ReviewFile | None = None,
    health: Mapping[str, SourceHealth] | None = None,
    gone: Mapping[str, datetime] | None = None,
) -> BuildReport:
    """Write build.db from the latest version of each article and what this program version read out of it.

    `program_version`: by default the one that wrote the latest findings. `lexicon`: pipeline.lexicon's, for the
    families, names and parents of entities. `reviews`: the editors' decisions. `health`: of each source; `gone`: the
    addresses whose page is gone, with the moment at which that was first seen. Raises StoreError; then the former
    build.db stands as it was.
    """
    with Library(library_path) as library:
        program_version = program_version if program_version is not None else library.last_program_version()
        reviews = reviews or ReviewFile()
        kept = read_kept(library, program_version, {s.article_id for d in reviews.decisions for s in d.sentences})
        by_id = {source.source_id: source for source in sources}
        names = settle_names(lexicon, reviews.decisions)
        lexicon = names.lexicon
        reviewed = apply_reviews(kept.findings.values(), kept.articles, reviews.decisions, names, kept.former)
        kept = kept.with_findings(reviewed.findings)
        joined = join(
            kept.findings.values(), kept.articles.values(), by_id.values(), lexicon=lexicon,
            min_confidence=min_confidence, together=reviewed.together, apart=reviewed.apart,
        )  # fmt: skip
        reviewed = replace(reviewed, effects=kept_merges(reviewed.effects, joined.claim_event))
        queue = make_queue(reviewed, joined, min_confidence)
        edits = _edits(kept, min_confidence, reviewed.rejected)
        all_claims = {c.claim_id for f in kept.findings.values() for c in f.claims}
        history = {event.event_id: event.claim_ids for event in joined.events}
        redirects = trace(
            library.event_history(),
            library.redirects(),
            joined.claim_event,
            all_claims,
            successors(edits),
            reviewed.rejected,
        )
        known_days = library.gone_days()
        gone_days = {old: known_days[old] if old in known_days else kept.last_fetch[:10] or None for old in redirects}
        report = BuildReport(
            program_version=program_version,
            n_articles=sum(kept.n_articles_of.values()),
            n_relevant=len(kept.articles),
            n_claims=len(joined.claim_event),
            n_withheld=len(all_claims) - len(joined.claim_event),
            n_events=len(joined.events),
            n_origins=len(joined.origins),
            n_conflicts=len(joined.conflicts),
            n_redirects=len(redirects),
            n_pending=library.n_pending(program_version),
            n_reviews=reviewed.count(APPLIED),
            n_reopened=reviewed.count(REOPENED),
            n_waiting=reviewed.count(WAITING),
            n_to_review=len(queue),
        )
        facts = {
            "schema_version": str(SCHEMA_VERSION),
            "min_confidence": str(min_confidence),
            "last_fetched_at": kept.last_fetch,
            **{key: str(value) for key, value in report.as_dict().items() if key != "n_pending"},
        }
        entities = _entities(kept.findings.values(), lexicon)
        families = Families(entities.values(), holders_of(lexicon) if lexicon else ())
        material = Material(
            joined=joined,
            articles=kept.articles,
            findings=kept.findings,
            versions=kept.versions,
            sources=by_id,
            n_articles_of=kept.n_articles_of,
            entities=entities,
            names=name_rows(lexicon),
            roles=lexicon.roles if lexicon else (),
            relations=lexicon.relations if lexicon else (),
            visits=visits,
            facts=facts,
            redirects=redirects,
            gone_days=gone_days,
            edits=edit_rows(edits),
            revisions=revision_rows(edits, joined.claim_event, joined.claims, kept.articles, families),
            reviewed=reviewed,
            public_names=reviews.public_names,
            health=health or {},
            gone=_gone_articles(library.addresses(), gone or {}),
        )
        temporary = Path(f"{build_path}.tmp")
        with plain_errors(temporary, "write"):
            write_ledger(temporary, table_rows(material))
        # First the history, then the new file: killed in between, the next build finds the same events again.
        library.save_history(history, redirects, gone_days)
        library.save_queue(queue)
        with plain_errors(build_path, "replace"):
            for leftover in ("-wal", "-shm"):
                Path(f"{build_path}{leftover}").unlink(missing_ok=True)
            os.replace(temporary, build_path)
    return report


def _edits(kept: Kept, min_confidence: float, rejected: Collection[str]) -> tuple[Edit, ...]:
    """Return every edit of every article, in the order of articles and of time; what is withheld counts as not said."""
    return tuple(
        edit
        for id_ in sorted(kept.editions)
        if len(kept.editions[id_]) > 1
        for edit in edits_of(
            in_order(kept.editions[id_], kept.articles[id_].version),
            lambda c: c.confidence >= min_confidence and c.claim_id not in rejected,
        )
    )


def _gone_articles(addresses: Mapping[str, Collection[str]], gone: Mapping[str, datetime]) -> dict[str, date]:
    """Return the articles of which no address answers any more, with the day on which the last was found missing."""
    return {
        id_: max(gone[url] for url in urls).date()
        for id_, urls in addresses.items()
        if urls and all(url in gone for url in urls)
    }


def trace(
    history: Mapping[str, tuple[str, ...]],
    redirects: Mapping[str, tuple[str | None, str]],
    claim_event: Mapping[str, str],
    all_claims: set[str],
    heirs: Mapping[str, str] | None = None,
    rejected: Collection[str] = (),
) -> dict[str, tuple[str | None, str]]:
    """Return where each event id that is no longer in use leads, and why.

    `history`: the events of the last build with their claims; `redirects`: what was known to have vanished before;
    `claim_event`: the event of each published claim now; `all_claims`: every claim found now, withheld ones too;
    `heirs`: claim id -> the id that the same claim has since its sentence was edited;
    `rejected`: those that an editor took out.
    """
    heirs = heirs or {}
    alive = set(claim_event.values())
    gone: dict[str, tuple[str | None, str]] = {old: value for old, value in redirects.items() if old not in alive}
    for old, claim_ids in history.items():
        if old in alive:
            continue
        kept = Counter(claim_event[c] for c in claim_ids if c in claim_event)
        edited = Counter(claim_event[heirs[c]] for c in claim_ids if heirs.get(c) in claim_event)
        if kept:
            heir = min(kept, key=lambda e: (-kept[e], e))
            gone[old] = (heir, f"{kept[heir]} of its {len(claim_ids)} claims now stand in this event")
        elif edited:
            heir = min(edited, key=lambda e: (-edited[e], e))
            gone[old] = (heir, "its sentence was edited by the publisher and now stands in this event")
        elif any(c in all_claims for c in claim_ids):
            gone[old] = (None, "its claims are no longer sure enough to be published")
        elif any(c in rejected for c in claim_ids):
            gone[old] = (None, "an editor rejected the claims that it rested on")
        else:
            gone[old] = (None, "the sentences that it rested on are no longer in the articles, or no longer read so")
    for old, (target, reason) in list(gone.items()):
        seen = {old}
        while target in gone and target not in seen:
            seen.add(target)
            target = gone[target][0]
        gone[old] = (target if target in alive else None, reason)
    return gone


def _entities(findings: Iterable[Findings], lexicon) -> dict[str, Entity]:
    found: dict[str, Entity] = {}
    for finding in sorted(findings, key=lambda f: f.article_id):
        for entity in finding.entities:
            found.setdefault(entity.entity_id, entity)
    return {**found, **(lexicon.entities if lexicon else {})}


def write_ledger(path: Path, rows: Mapping[str, list[Row]]) -> None:
    """Write a fresh ledger file with these rows, its search tables and indexes; whatever stood there is replaced."""
    for name in (path, Path(f"{path}-journal"), Path(f"{path}-wal"), Path(f"{path}-shm")):
        name.unlink(missing_ok=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript("pragma journal_mode=delete; pragma synchronous=normal; pragma foreign_keys=on;")
        published.apply(Database(connection))
        connection.execute("begin immediate")
        connection.execute("pragma defer_foreign_keys=on")  # an entity may come before its parent
        for table, entries in rows.items():
            if entries:
                marks = ", ".join(f":{name}" for name in entries[0])
                connection.executemany(f"insert into {table} ({', '.join(entries[0])}) values ({marks})", entries)
        for table in ("events", "claims"):
            connection.execute(f"insert into {table}_fts ({table}_fts) values ('rebuild')")
        create_indexes(connection)
        connection.execute("commit")
        connection.execute("analyze")


__all__ = ["BuildReport", "Joined", "MIN_CONFIDENCE", "build", "trace", "write_ledger"]
