"""Computes the rows of every published table from crawl.db, all at once in memory, as plainly as possible.

A build must leave exactly this in build.db, however often it ran and in whatever order articles arrived.
"""

from __future__ import annotations

import sqlite3
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from pipeline.aggregation.aggregate import Aggregate, aggregate
from pipeline.aggregation.clustering.cluster import MAX_NEIGHBOURS, marks_of
from pipeline.aggregation.clustering.features import ClaimFeatures
from pipeline.aggregation.clustering.late_claims import event_of
from pipeline.aggregation.clustering.similarity import FARTHEST, Similarity
from pipeline.aggregation.revisions.claim_diff import ArticleVersion, edits_of, in_order, latest_of, successors
from pipeline.ledger.article_store import Library
from pipeline.ledger.build.build import MIN_CONFIDENCE, gone_articles
from pipeline.ledger.build.redirects import trace
from pipeline.ledger.publish.indexes import FACETS
from pipeline.ledger.reviews import queue
from pipeline.ledger.reviews.apply import apply_reviews
from pipeline.ledger.reviews.decisions import REOPENED, ReviewFile
from pipeline.ledger.reviews.links import kept as kept_merges
from pipeline.ledger.reviews.names import key, settle_names, unknown_parties
from pipeline.ledger.reviews.rows import review_rows
from pipeline.ledger.rows.entities import name_rows, related_ids, relation_rows, role_rows
from pipeline.ledger.rows.records import Row, claim_participant_rows, claim_row, day, unsure_claim_row
from pipeline.ledger.rows.revisions import edit_rows, lost_claims, revision_rows
from pipeline.ledger.rows.tables import (
    Counted,
    around,
    article_row,
    contradiction_rows,
    entity_rows,
    event_participant_rows,
    event_row,
    name_rows_of,
    origin_row,
    source_rows,
    version_rows,
    visited_of,
)
from pipeline.ledger.rows.timelines import timeline_rows
from pipeline.ledger.schema import SCHEMA_VERSION
from pipeline.lexicon.entity_graph import EntityGraph, holders_of
from pipeline.records import Claim, Entity, Findings
from scrapers.items import Article


@dataclass
class Kept:
    """The content of crawl.db: current version and findings of the articles in the ledger, and all versions."""

    articles: dict[str, Article]
    findings: dict[str, Findings]
    versions: dict[str, tuple[ArticleVersion, ...]]
    source_of: dict[str, str]  # of every article, relevant or not
    last_fetch: str


def _outdated(library: Library) -> set[tuple[str, str]]:
    """Return the versions that a later reading of the same page replaced."""
    read, last = set(), {}
    sql = "select page_sha256, url, article_id, version from readings where article_id is not null order by rowid"
    for page, url, article_id, version in library._rows(sql):
        read.add((article_id, version))
        last[page, url] = (article_id, version)
    return read - set(last.values())


def read_kept(library: Library, program_version: str, wanted: set[str]) -> Kept:
    found = {(f.article_id, f.version): f for f in library.findings(program_version)}
    outdated, versions, last_fetch = _outdated(library), defaultdict(list), ""
    for v in library.versions():
        pair = (v.article.article_id, v.article.version)
        last_fetch = max(last_fetch, v.last_seen_at)
        if pair not in outdated:
            versions[pair[0]].append(ArticleVersion(v.article, found.get(pair), v.first_seen_at, v.last_seen_at))
    articles, findings, chosen, source_of = {}, {}, {}, {}
    for id_, some in versions.items():
        now = latest_of(some)
        source_of[id_] = now.article.source_id
        if now.findings is not None and (id_ in wanted or _relevant(some)):
            articles[id_], findings[id_], chosen[id_] = now.article, now.findings, tuple(some)
    return Kept(articles, findings, chosen, source_of, last_fetch)


def _relevant(versions: Iterable[ArticleVersion]) -> bool:
    return any(e.findings and e.findings.relevant for e in versions)


def whole_rows(
    library: Library, sources, *, program_version: str, lexicon=None, reviews: ReviewFile | None = None, visits=(),
    min_confidence: float = MIN_CONFIDENCE, health=None, gone=None,
) -> dict[str, list[Row]]:  # fmt: skip
    """Return the expected rows of every table, and the review queue under "queue"."""
    reviews = reviews or ReviewFile()
    by_id = {s.source_id: s for s in sources}
    decided = {s.article_id for d in reviews.decisions for s in (*d.sentences, *d.stays)}
    kept = read_kept(library, program_version, decided)
    names = settle_names(lexicon, reviews.decisions)
    lexicon = names.lexicon

    def former(article_id: str) -> list[str]:
        now = kept.articles[article_id].version
        return [e.article.text for e in kept.versions[article_id] if e.article.version != now]

    reviewed = apply_reviews(kept.findings.values(), kept.articles, reviews.decisions, names, former)
    findings = {f.article_id: f for f in reviewed.findings if f.relevant or _relevant(kept.versions[f.article_id])}
    articles = {id_: kept.articles[id_] for id_ in findings}
    joined = aggregate(
        findings.values(), articles.values(), by_id.values(), lexicon=lexicon, min_confidence=min_confidence,
        together=reviewed.together, apart=reviewed.apart,
    )  # fmt: skip
    effects = kept_merges(reviewed.effects, joined.claim_event)
    entities = _entities(findings.values(), lexicon)
    entity_graph = EntityGraph(entities.values(), holders_of(lexicon) if lexicon else ())
    claims_of: dict[str, list[Claim]] = defaultdict(list)
    for claim_id in sorted(joined.claim_event):
        claims_of[joined.claim_event[claim_id]].append(joined.claims[claim_id])

    rows: dict[str, list[Row]] = {}
    counted = _counted(kept, articles, by_id)
    rows["sources"], rows["fetch_outcomes"] = source_rows(by_id, counted, visited_of(visits), health or {})
    seen_claims: dict[str, set[str]] = defaultdict(set)
    seen_events: dict[str, set[str]] = defaultdict(set)
    for event, claims in claims_of.items():
        for c in claims:
            for p in c.participants:
                seen_claims[p.entity_id].add(c.claim_id)
                seen_events[p.entity_id].add(event)
    seen = {id_: (len(seen_events[id_]), len(some)) for id_, some in seen_claims.items()}
    roles, relations = (lexicon.roles, lexicon.relations) if lexicon else ((), ())
    rows["entities"] = entity_rows({*seen, *related_ids(seen, roles, relations)}, seen, entities)
    known = {row["entity_id"] for row in rows["entities"]}
    rows["entity_roles"] = role_rows(roles, known)
    rows["entity_relations"] = relation_rows(rows["entities"], relations, known)
    rows["entity_names"] = name_rows_of(name_rows(lexicon), rows["entities"])
    rows["origins"] = [origin_row(o, len(o.article_ids)) for o in joined.origins]
    gone_on = gone_articles(library.addresses(gone or {}), gone or {})
    n_claims = Counter(c.evidence.article_id for some in claims_of.values() for c in some)
    rows["articles"], rows["article_versions"] = [], []
    for id_, article in articles.items():
        versions = [(e.article, e.first_seen_at, e.last_seen_at, len(e.findings.claims) if e.findings else 0)
                    for e in kept.versions[id_]]  # fmt: skip
        rows["articles"].append(
            article_row(article, len(versions))
            | {"n_claims": n_claims[id_], "origin_id": joined.article_origin.get(id_),
               "gone_on": gone_on[id_].isoformat() if id_ in gone_on else None}
        )  # fmt: skip
        rows["article_versions"] += version_rows(article, versions)
    rows["origin_edges"] = [
        {"article_id": e.article_id, "to_article_id": e.to_article_id or None, "to_name": e.to_name,
         "basis": e.basis, "detail": e.detail}
        for e in joined.edges
    ]  # fmt: skip
    rows["events"] = [event_row(e, claims_of[e.event_id], articles, by_id) for e in joined.events]
    rows["event_participants"] = [r for id_, some in claims_of.items() for r in event_participant_rows(id_, some)]
    every = [(c, id_) for id_, some in claims_of.items() for c in some]
    rows["claims"] = [
        claim_row(c, articles[c.evidence.article_id], id_, joined.claim_origin[c.claim_id])
        | {"reviewed": reviewed.marks.get(c.claim_id, "")}
        for c, id_ in every
    ]
    rows["claim_participants"] = [r for c, _ in every for r in claim_participant_rows(c)]
    unsure = [c for f in findings.values() for c in f.claims if c.claim_id not in joined.claim_event]
    rows["unsure_claims"] = [unsure_claim_row(c, articles[c.evidence.article_id]) for c in unsure]
    rows["contradictions"], rows["contradiction_sides"] = contradiction_rows(joined.contradictions)
    rows |= timeline_rows(joined, articles)
    edits = [
        edit for id_ in sorted(findings) if len(kept.versions[id_]) > 1
        for edit in edits_of(
            in_order(kept.versions[id_], articles[id_].version),
            lambda c: c.confidence >= min_confidence and c.claim_id not in reviewed.rejected,
        )
    ]  # fmt: skip
    rows["article_edits"] = edit_rows(edits)
    lost = _lost(lost_claims(edits, joined.claim_event), joined, articles, entity_graph)
    rows["revisions"] = revision_rows(edits, joined.claim_event, lost)
    redirects = trace(
        library.event_history(), library.redirects(), joined.claim_event,
        {c.claim_id for f in findings.values() for c in f.claims}, successors(edits), reviewed.rejected,
    )  # fmt: skip
    days, today = library.gone_days(), kept.last_fetch[:10] or None
    rows["event_redirects"] = [
        {"old_event_id": old, "event_id": new, "reason": why, "gone_on": days.get(old, today)}
        for old, (new, why) in redirects.items()
    ]
    rows["reviews"] = review_rows(effects, reviews.public_names, joined.claim_event)
    rows["unknown_names"] = _gaps(articles, findings)
    rows["facet_counts"] = [
        {"table_name": table, "column_name": column, "value": str(value), "n": n}
        for table, columns in FACETS.items() for column in columns
        for value, n in Counter(row[column] for row in rows[table] if row[column] is not None).items()
    ]  # fmt: skip
    rows["queue"] = _queue(findings, joined, reviewed.marks, effects)
    statuses = Counter(e.status for e in effects)
    facts = {
        "schema_version": SCHEMA_VERSION, "min_confidence": min_confidence, "last_fetched_at": kept.last_fetch,
        "program_version": program_version, "n_articles": len(kept.source_of), "n_relevant": len(articles),
        "n_claims": len(joined.claim_event), "n_withheld": len(unsure), "n_events": len(joined.events),
        "n_origins": len(joined.origins), "n_contradictions": len(joined.contradictions), "n_redirects": len(redirects),
        "n_reviews": statuses["applied"], "n_reopened": statuses[REOPENED], "n_waiting": statuses["waiting"],
        "n_to_review": len(rows["queue"]),
    }  # fmt: skip
    rows["build_info"] = [{"key": name, "value": str(value)} for name, value in facts.items()]
    return rows


def _entities(findings: Iterable[Findings], lexicon) -> dict[str, Entity]:
    found: dict[str, Entity] = {}
    for finding in sorted(findings, key=lambda f: f.article_id):
        for entity in finding.entities:
            found.setdefault(entity.entity_id, entity)
    for finding in sorted(findings, key=lambda f: f.article_id):
        for p in (p for c in finding.claims for p in c.participants):
            found.setdefault(p.entity_id, Entity(p.entity_id, p.name, p.kind, known=False))
    return {**found, **(lexicon.entities if lexicon else {})}


def _counted(kept: Kept, articles: Mapping[str, Article], sources) -> dict[str, Counted]:
    n, found = Counter(kept.source_of.values()), {}
    for id_ in n:
        ours = sorted((a for a in articles.values() if a.source_id == id_), key=lambda a: a.article_id)
        days = [d for a in ours if (d := day(a.published_at))]
        title = ours[0].publisher if ours and id_ not in sources else ""
        found[id_] = Counted(n[id_], len(ours), min(days, default=None), max(days, default=None), title)
    return found


def _gaps(articles: Mapping[str, Article], findings: Mapping[str, Findings]) -> list[Row]:
    places = defaultdict(list)
    for id_ in sorted(articles):
        for gap in findings[id_].unknown_names:
            places[gap.name, gap.kind.value].append((id_, gap.start, gap.end))
    return [
        {"name": name, "kind": kind, "n_articles": len({p[0] for p in some}), "n_mentions": len(some),
         "example_article_id": some[0][0], "example": around(articles[some[0][0]].text, *some[0][1:])}
        for (name, kind), some in places.items()
    ]  # fmt: skip


def _lost(
    lost: list[Claim], joined: Aggregate, articles: Mapping[str, Article], entity_graph: EntityGraph
) -> dict[str, str]:
    """Return the events that claims of earlier versions would belong to."""

    def case(claim: Claim) -> ClaimFeatures:
        published = articles[claim.evidence.article_id].published_at
        return ClaimFeatures(claim, published.date() if published else None)

    whole: dict[str, list[ClaimFeatures]] = defaultdict(list)
    blocks: dict[tuple[str, str], list[tuple[tuple[str, str], ClaimFeatures]]] = defaultdict(list)
    for id_, event in joined.claim_event.items():
        one = case(joined.claims[id_])
        whole[event].append(one)
        for mark in marks_of(one, entity_graph):
            blocks[one.claim.type, mark].append((one.key, one))
    for members in blocks.values():
        members.sort(key=lambda pair: pair[0])
    found = {}
    for claim in lost:
        one, near = case(claim), {}
        for mark in marks_of(one, entity_graph):
            members = blocks.get((claim.type, mark), [])
            at = bisect_left([k for k, _ in members], one.key)
            for _, other in members[max(0, at - MAX_NEIGHBOURS) : at + MAX_NEIGHBOURS]:
                if one.days_from(other) <= FARTHEST:
                    near[other.claim.claim_id] = other
        by_event = defaultdict(list)
        for id_, other in near.items():
            by_event[joined.claim_event[id_]].append(other)
        found[claim.claim_id] = event_of(one, by_event, whole, Similarity(entity_graph))
    return found


def _queue(findings: Mapping[str, Findings], joined: Aggregate, marks: Mapping[str, str], effects) -> list[Row]:
    events = {e.event_id: e for e in joined.events}
    of_event = defaultdict(list)
    for c in joined.contradictions:
        of_event[c.event_id].append(c)
    entries = [queue.contradicted(e, [joined.claims[c] for c in e.claim_ids], of_event[e.event_id], marks)
               for e in joined.events]  # fmt: skip
    near = {}
    for event in joined.events:
        for p in event.participants:
            at = (event.type, p.entity_id)
            if at not in near or (queue.event_weight(event), event.event_id) > (
                queue.event_weight(near[at]),
                near[at].event_id,
            ):
                near[at] = event
    gaps, carried = defaultdict(list), defaultdict(list)
    for found in findings.values():
        for c in found.claims:
            if c.claim_id not in joined.claim_event:
                some = [near[c.type, p.entity_id] for p in c.participants if (c.type, p.entity_id) in near]
                best = max(some, key=lambda e: (queue.event_weight(e), e.event_id), default=None)
                entries.append(queue.unsure(c, best))
            for name in unknown_parties(c):
                carried[name].append(c)
        for gap in found.unknown_names:
            gaps[key(gap.name)].append((gap, found.article_id))
    for name, some in gaps.items():
        behind = {joined.claim_event[c.claim_id] for c in carried[name] if c.claim_id in joined.claim_event}
        quote = carried[name][0].evidence.quote if carried[name] else ""
        entries.append(
            queue.unknown_name(some[0][0].name, some[0][0].kind.value, [id_ for _, id_ in some], len(carried[name]),
                               quote, sum(queue.event_weight(events[id_]) for id_ in behind))
        )  # fmt: skip
    items = [queue.item_of(queue.reopened(e)) for e in effects if e.status == REOPENED]
    items += [queue.item_of(e) for e in entries if e]
    return [{name: getattr(i, name) for name in i.__slots__} for i in queue.in_order(items)]


def differences(build_db: Path, wanted: Mapping[str, list[Row]], library: Library) -> list[str]:
    """Return in words which tables of a built ledger differ from the expected rows, with a row for each."""
    found = []
    with closing(sqlite3.connect(build_db)) as db:
        db.row_factory = sqlite3.Row
        there = {name: [dict(row) for row in db.execute(f"select * from {name}")] for name in wanted if name != "queue"}
        for table in ("events", "claims"):
            db.execute(f"insert into {table}_fts ({table}_fts) values ('integrity-check')")
        found += [f"foreign key: {tuple(row)}" for row in db.execute("pragma foreign_key_check")]
        indexed = db.execute("select count(*) from events_fts").fetchone()[0]
        if indexed != len(wanted["events"]):
            found.append(f"events_fts holds {indexed} of {len(wanted['events'])}")
    there["queue"] = [{name: getattr(i, name) for name in i.__slots__} for i in library.queue()]
    for table, rows in wanted.items():
        here, should = (Counter(tuple(sorted(r.items(), key=lambda p: p[0])) for r in some)
                        for some in (there[table], rows))  # fmt: skip
        if here != should:
            more, less = next(iter(here - should), None), next(iter(should - here), None)
            found.append(f"{table}: has {dict(more) if more else None}\n    should have {dict(less) if less else None}")
    return found
