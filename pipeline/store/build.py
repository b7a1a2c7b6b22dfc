"""The archive becomes a ledger: crawl.db and the sources come in, build.db goes out, the same for the same archive.

It is written beside the old one and takes its place in one step; until then nothing has changed.
"""

from __future__ import annotations

import os
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlite_utils import Database

from pipeline.joining import Joined, join
from pipeline.records import Entity, Findings
from pipeline.store.errors import plain_errors
from pipeline.store.indexes import create_indexes
from pipeline.store.library import Library
from pipeline.store.rows import Row
from pipeline.store.schema import SCHEMA_VERSION, published
from pipeline.store.tables import Material, table_rows
from scrapers.records import Article, Source, Visit

MIN_CONFIDENCE = 0.5  # claims below are kept in crawl.db, but not published


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

    def as_dict(self) -> dict[str, int | str]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Kept:
    """What crawl.db holds for one version of the program."""

    articles: dict[str, Article]
    findings: dict[str, Findings]
    versions: dict[str, list[tuple[Article, str, str, int]]]
    n_articles_of: Counter[str]
    last_fetch: str


def build(
    library_path: Path,
    build_path: Path,
    sources: Iterable[Source],
    *,
    visits: Iterable[Visit] = (),
    program_version: str | None = None,
    lexicon=None,
    min_confidence: float = MIN_CONFIDENCE,
) -> BuildReport:
    """Write build.db from the latest version of each article and what this program version read out of it.

    `program_version`: by default the one that wrote the latest findings. `lexicon`: pipeline.lexicon's, for the
    families, names and parents of entities. Raises StoreError; then the former build.db stands as it was.
    """
    with Library(library_path) as library:
        program_version = program_version if program_version is not None else library.last_program_version()
        kept = _read(library, program_version)
        by_id = {source.source_id: source for source in sources}
        joined = join(
            kept.findings.values(), kept.articles.values(), by_id.values(), lexicon=lexicon,
            min_confidence=min_confidence,
        )  # fmt: skip
        all_claims = {c.claim_id for f in kept.findings.values() for c in f.claims}
        history = {event.event_id: event.claim_ids for event in joined.events}
        redirects = trace(library.event_history(), library.redirects(), joined.claim_event, all_claims)
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
        )
        facts = {
            "schema_version": str(SCHEMA_VERSION),
            "min_confidence": str(min_confidence),
            "last_fetched_at": kept.last_fetch,
            **{key: str(value) for key, value in report.as_dict().items() if key != "n_pending"},
        }
        material = Material(
            joined=joined,
            articles=kept.articles,
            findings=kept.findings,
            versions=kept.versions,
            sources=by_id,
            n_articles_of=kept.n_articles_of,
            entities=_entities(kept.findings.values(), lexicon),
            names=_names(lexicon),
            visits=visits,
            facts=facts,
            redirects=redirects,
        )
        temporary = Path(f"{build_path}.tmp")
        with plain_errors(temporary, "write"):
            write_ledger(temporary, table_rows(material))
        # First the history, then the new file: killed in between, the next build finds the same events again.
        library.save_history(history, redirects)
        with plain_errors(build_path, "replace"):
            for leftover in ("-wal", "-shm"):
                Path(f"{build_path}{leftover}").unlink(missing_ok=True)
            os.replace(temporary, build_path)
    return report


def _read(library: Library, program_version: str) -> _Kept:
    """Read the latest version of each article with its findings; only relevant articles are kept in memory."""
    found = {(f.article_id, f.version): f for f in library.findings(program_version)}
    latest: dict[str, tuple[tuple[str, str, str], Article]] = {}
    versions: dict[str, list[tuple[Article, str, str, int]]] = defaultdict(list)
    last_fetch = ""
    for kept in library.versions():
        article, first, last = kept.article, kept.first_seen_at, kept.last_seen_at
        last_fetch = max(last_fetch, last)
        rank = (last, first, article.version)
        if article.article_id not in latest or rank > latest[article.article_id][0]:
            latest[article.article_id] = (rank, article)
        read = found.get((article.article_id, article.version))
        versions[article.article_id].append((article, first, last, len(read.claims) if read else 0))
    articles, findings = {}, {}
    for id_, (_, article) in latest.items():
        read = found.get((id_, article.version))
        if read is not None and read.relevant:
            articles[id_], findings[id_] = article, read
    per_source = Counter(article.source_id for _, article in latest.values())
    return _Kept(articles, findings, {id_: versions[id_] for id_ in articles}, per_source, last_fetch)


def trace(
    history: Mapping[str, tuple[str, ...]],
    redirects: Mapping[str, tuple[str | None, str]],
    claim_event: Mapping[str, str],
    all_claims: set[str],
) -> dict[str, tuple[str | None, str]]:
    """Return where each event id that is no longer in use leads, and why.

    `history`: the events of the last build with their claims; `redirects`: what was known to have vanished before;
    `claim_event`: the event of each published claim now; `all_claims`: every claim found now, withheld ones too.
    """
    alive = set(claim_event.values())
    gone: dict[str, tuple[str | None, str]] = {old: value for old, value in redirects.items() if old not in alive}
    for old, claim_ids in history.items():
        if old in alive:
            continue
        heirs = Counter(claim_event[c] for c in claim_ids if c in claim_event)
        if heirs:
            heir = min(heirs, key=lambda e: (-heirs[e], e))
            gone[old] = (heir, f"{heirs[heir]} of its {len(claim_ids)} claims now stand in this event")
        elif any(c in all_claims for c in claim_ids):
            gone[old] = (None, "its claims are no longer sure enough to be published")
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


def _names(lexicon) -> list[Row]:
    """Return the rows of entity_names that the lexicon knows; descriptions ("the company") are no names."""
    if lexicon is None:
        return []
    return [
        {
            "entity_id": name.entity_id, "name": name.text, "kind": name.kind,
            "used_from": name.used_from.isoformat() if name.used_from else None,
            "used_until": name.used_until.isoformat() if name.used_until else None,
        }
        for name in lexicon.names
        if name.kind != "nominal"
    ]  # fmt: skip


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
