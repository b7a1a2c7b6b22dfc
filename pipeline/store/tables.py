"""The rows of each published table: what was joined, articles and publishers come in, rows by table go out. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date as Day

from pipeline.conflicts import in_words
from pipeline.joining import Joined
from pipeline.lexicon.lexicon import Relation, Role
from pipeline.merging import merged_participants
from pipeline.phrases import listing
from pipeline.records import Claim, Entity, Event, Findings
from pipeline.reviews.decisions import Reviewed
from pipeline.reviews.rows import review_rows
from pipeline.store.entity_rows import related_ids, relation_rows, role_rows
from pipeline.store.indexes import FACETS
from pipeline.store.rows import Row, claim_participant_rows, claim_row, date_columns, day, moment, unsure_claim_row, utc
from pipeline.store.standings import standing_rows
from scrapers.health import SourceHealth
from scrapers.records import Article, Outcome, Source, Standing, Visit

_NEAREST = tuple(Standing)
_GOOD = (Outcome.SAVED, Outcome.UNCHANGED)


@dataclass
class Material:
    """All that the published tables are made from. `versions`: article id -> its versions, oldest first."""

    joined: Joined
    articles: Mapping[str, Article]  # relevant ones, in the version that the claims were read from
    findings: Mapping[str, Findings]
    versions: Mapping[str, list[tuple[Article, str, str, int]]]  # (version, first seen, last seen, number of claims)
    sources: Mapping[str, Source]
    n_articles_of: Mapping[str, int]  # source id -> articles kept, relevant or not
    entities: Mapping[str, Entity]
    names: Iterable[Row] = ()  # rows of entity_names
    roles: Iterable[Role] = ()
    relations: Iterable[Relation] = ()
    visits: Iterable[Visit] = ()
    facts: Mapping[str, str] = field(default_factory=dict)
    redirects: Mapping[str, tuple[str | None, str]] = field(default_factory=dict)
    gone_days: Mapping[str, str | None] = field(default_factory=dict)  # old event id -> day it was first missed
    edits: Iterable[Row] = ()  # rows of article_edits
    revisions: Iterable[Row] = ()  # rows of revisions
    reviewed: Reviewed = Reviewed(())
    public_names: Mapping[str, str] = field(default_factory=dict)  # of editors
    health: Mapping[str, SourceHealth] = field(default_factory=dict)  # by source id
    gone: Mapping[str, Day] = field(default_factory=dict)  # article id -> first day on which its page was not there


def table_rows(material: Material) -> dict[str, list[Row]]:
    """Return the rows of every published table, in an order in which foreign keys hold while they are inserted."""
    claims_of: dict[str, list[Claim]] = defaultdict(list)
    for claim_id, event_id in material.joined.claim_event.items():
        claims_of[event_id].append(material.joined.claims[claim_id])
    rows: dict[str, list[Row]] = {}
    rows["sources"], rows["outcomes"] = _sources(material)
    rows["entities"] = _entities(material, claims_of)
    known = {row["entity_id"] for row in rows["entities"]}
    rows["entity_roles"] = role_rows(material.roles, known)
    rows["entity_relations"] = relation_rows(rows["entities"], material.relations)
    rows["entity_names"] = _names(material, rows["entities"], known)
    rows["origins"] = [
        {
            "origin_id": o.origin_id, "kind": o.kind, "label": o.label, "lead_article_id": o.lead_article_id or None,
            "n_articles": len(o.article_ids),
        }
        for o in material.joined.origins
    ]  # fmt: skip
    rows["articles"], rows["article_versions"] = _articles(material)
    rows["origin_edges"] = [
        {
            "article_id": e.article_id, "to_article_id": e.to_article_id or None, "to_name": e.to_name,
            "basis": e.basis, "detail": e.detail,
        }
        for e in material.joined.edges
    ]  # fmt: skip
    rows["events"] = [_event(event, claims_of[event.event_id], material) for event in material.joined.events]
    rows["event_participants"] = _event_participants(claims_of)
    ordered = sorted(material.joined.claim_event.items())
    rows["claims"] = [
        claim_row(claim, material.articles[claim.evidence.article_id], event_id, material.joined.claim_origin[claim_id])
        | {"reviewed": material.reviewed.marks.get(claim_id, "")}
        for claim_id, event_id in ordered
        for claim in (material.joined.claims[claim_id],)
    ]
    rows["claim_participants"] = [r for id_, _ in ordered for r in claim_participant_rows(material.joined.claims[id_])]
    rows["unsure_claims"] = [
        unsure_claim_row(claim, material.articles[id_])
        for id_, findings in sorted(material.findings.items())
        for claim in sorted(findings.claims, key=lambda claim: claim.claim_id)
        if claim.claim_id not in material.joined.claim_event
    ]
    rows["conflicts"] = [
        {"conflict_id": c.conflict_id, "event_id": c.event_id, "field": c.field, "summary": in_words(c)}
        for c in material.joined.conflicts
    ]
    rows["conflict_values"] = [
        {"conflict_id": c.conflict_id, "value": value, "claim_id": claim_id}
        for c in material.joined.conflicts
        for value, ids in c.values
        for claim_id in ids
    ]
    rows |= standing_rows(material.joined, material.articles)
    rows["event_redirects"] = [
        {"old_event_id": old, "event_id": new, "reason": reason, "gone_on": material.gone_days.get(old)}
        for old, (new, reason) in sorted(material.redirects.items())
    ]
    rows["article_edits"], rows["revisions"] = list(material.edits), list(material.revisions)
    rows["reviews"] = review_rows(material.reviewed.effects, material.public_names, material.joined.claim_event)
    rows["lexicon_gaps"] = _gaps(material)
    rows["facet_counts"] = _facet_counts(rows)
    rows["facts"] = [{"key": key, "value": value} for key, value in sorted(material.facts.items())]
    return rows


def _sources(material: Material) -> tuple[list[Row], list[Row]]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    last: dict[str, Visit] = {}
    last_good: dict[str, Visit] = {}
    for visit in material.visits:
        counts[visit.source_id][visit.outcome.value] += 1
        # Of visits at one moment the best stands for the source, in whatever order they ended.
        held = last.get(visit.source_id)
        if held is None or (visit.at, visit.outcome in _GOOD) > (held.at, held.outcome in _GOOD):
            last[visit.source_id] = visit
        if visit.outcome in _GOOD and (visit.source_id not in last_good or visit.at >= last_good[visit.source_id].at):
            last_good[visit.source_id] = visit
    days: dict[str, list[str]] = defaultdict(list)
    relevant: Counter[str] = Counter()
    titles: dict[str, str] = {}
    for article in material.articles.values():
        relevant[article.source_id] += 1
        titles.setdefault(article.source_id, article.publisher or article.source_id)
        if article.published_at:
            days[article.source_id].append(article.published_at.date().isoformat())
    ids = sorted(set(material.sources) | set(relevant) | (set(counts) & set(material.n_articles_of)))
    rows = []
    for id_ in ids:
        source = material.sources.get(id_)
        rows.append(
            {
                "source_id": id_,
                "title": source.title if source else titles.get(id_, id_),
                "homepage": source.homepage if source else "",
                "standing": source.standing.value if source else "unknown",
                "family": source.family if source else "",
                "jurisdiction": source.jurisdiction if source else "",
                "language": source.language if source else "",
                "n_articles": material.n_articles_of.get(id_, 0),
                "n_relevant": relevant[id_],
                "first_article_on": min(days[id_], default=None),
                "last_article_on": max(days[id_], default=None),
                "last_visit_at": moment(last[id_].at) if id_ in last else None,
                "last_success_at": moment(last_good[id_].at) if id_ in last_good else None,
                "health": _health(source, last.get(id_), last_good.get(id_)),
                **_signs(material.health.get(id_)),
            }
        )
    outcomes = [
        {"source_id": id_, "outcome": outcome, "n": n} for id_ in ids for outcome, n in sorted(counts[id_].items())
    ]
    return rows, outcomes


def _signs(health: SourceHealth | None) -> Row:
    gap = health.usual_gap if health else None
    return {
        "last_item_at": moment(health.last_item_at) if health else None,
        "usual_gap_hours": round(gap.total_seconds() / 3600, 1) if gap else None,
        "alarms": "; ".join(alarm.words for alarm in health.alarms) if health else "",
    }


def _health(source: Source | None, last: Visit | None, good: Visit | None) -> str:
    if source is not None and not source.enabled:
        return f"switched off: {source.note}" if source.note else "switched off"
    if last is None:
        return "never visited"
    if last.outcome in _GOOD:
        return "answering"
    since = f"last good visit {good.at.date()}" if good else "no good visit yet"
    return f"last visit ended in {last.outcome.value}, {since}"


def _entities(material: Material, claims_of: Mapping[str, list[Claim]]) -> list[Row]:
    n_claims: Counter[str] = Counter()
    events: dict[str, set[str]] = defaultdict(set)
    seen: dict[str, Entity] = {}
    for event_id, claims in claims_of.items():
        for claim in claims:
            for p in sorted(claim.participants, key=lambda p: (p.entity_id, p.name)):
                events[p.entity_id].add(event_id)
                seen.setdefault(p.entity_id, Entity(p.entity_id, p.name, p.kind, known=False))
            n_claims.update({p.entity_id for p in claim.participants})
    chosen: dict[str, Entity] = {}
    todo = sorted({*seen, *related_ids(seen, material.roles, material.relations)})
    while todo:
        id_ = todo.pop()
        entity = material.entities.get(id_) or seen.get(id_)
        if entity is None or id_ in chosen:
            continue
        chosen[id_] = entity
        if entity.parent_id in material.entities:
            todo.append(entity.parent_id)
    return [
        {
            "entity_id": id_, "name": e.name, "kind": e.kind.value, "jurisdiction": e.jurisdiction,
            "parent_id": e.parent_id if e.parent_id in chosen else None, "wikidata_id": e.wikidata_id,
            "description": e.description, "known": int(e.known), "n_events": len(events[id_]),
            "n_claims": n_claims[id_],
        }
        for id_, e in sorted(chosen.items())
    ]  # fmt: skip


def _names(material: Material, entities: list[Row], known: set[str]) -> list[Row]:
    found: dict[tuple[str, str], Row] = {}
    for row in material.names:
        if row["entity_id"] in known:
            found.setdefault((row["entity_id"], row["name"]), dict(row))
    for row in entities:
        found.setdefault(
            (row["entity_id"], row["name"]),
            {
                "entity_id": row["entity_id"],
                "name": row["name"],
                "kind": "canonical",
                "used_from": None,
                "used_until": None,
            },
        )
    return [found[key] for key in sorted(found)]


def _articles(material: Material) -> tuple[list[Row], list[Row]]:
    n_claims = Counter(c.evidence.article_id for c in map(material.joined.claims.get, material.joined.claim_event) if c)
    rows, versions = [], []
    for id_, article in sorted(material.articles.items()):
        kept = material.versions[id_]
        rows.append(
            {
                "article_id": id_, "version": article.version, "source_id": article.source_id, "url": article.url,
                "title": article.title, "byline": listing(article.byline), "published_at": utc(article.published_at),
                "published_on": day(article.published_at), "published_basis": article.published_basis,
                "published_precision": article.published_precision.value, "modified_at": utc(article.modified_at),
                "fetched_at": moment(article.fetched_at), "language": article.language, "access": article.access,
                "has_affiliate_content": int(article.has_affiliate_content),
                "n_removed_blocks": len(article.removed_blocks), "n_versions": len(kept),
                "n_characters": len(article.text), "n_claims": n_claims[id_], "page_sha256": article.page_sha256,
                "origin_id": material.joined.article_origin.get(id_),
                "gone_on": material.gone[id_].isoformat() if id_ in material.gone else None,
            }
        )  # fmt: skip
        versions += [
            {
                "article_id": id_, "version": version.version, "first_seen_at": first, "last_seen_at": last,
                "page_sha256": version.page_sha256, "n_claims": n,
            }
            for version, first, last, n in kept
        ]  # fmt: skip
    return rows, sorted(versions, key=lambda r: (r["article_id"], r["version"]))


def _event(event: Event, claims: list[Claim], material: Material) -> Row:
    articles = [material.articles[c.evidence.article_id] for c in claims]
    published = [d for a in articles if (d := day(a.published_at))]
    standings = [material.sources[a.source_id].standing for a in articles if a.source_id in material.sources]
    names = {
        role: listing([p.name for p in event.participants if p.role == role])
        for role in ("actor", "target", "object", "instrument", "body")
    }
    return {
        "event_id": event.event_id,
        "type": event.type,
        "modality": event.modality.value,
        "summary": event.summary,
        "stage": event.stage,
        "direction": event.direction,
        "force": event.force.value,
        "jurisdiction": event.jurisdiction,
        **date_columns(event.date),
        "event_month": event.date.value[:7] if event.date and len(event.date.value) >= 7 else None,
        "actors": names["actor"],
        "targets": names["target"],
        "objects": names["object"],
        "instruments": names["instrument"] or names["body"],
        "n_claims": len(event.claim_ids),
        "n_articles": event.n_articles,
        "n_origins": event.n_origins,
        "origins_band": _band(event.n_origins),
        "contested": int(event.contested),
        "best_standing": min(standings, key=_NEAREST.index).value if standings else "unknown",
        "confidence": round(max(c.confidence for c in claims), 4),
        "first_reported_on": min(published, default=None),
        "last_reported_on": max(published, default=None),
    }


def _band(n: int) -> str:
    return str(n) if n < 2 else "2-3" if n < 4 else "4+"


def _event_participants(claims_of: Mapping[str, list[Claim]]) -> list[Row]:
    return [
        {"event_id": event_id, "entity_id": p.entity_id, "role": p.role, "n_claims": n}
        for event_id in sorted(claims_of)
        for p, n in sorted(merged_participants(claims_of[event_id]), key=lambda x: (x[0].entity_id, x[0].role))
    ]


def _gaps(material: Material) -> list[Row]:
    found: dict[tuple[str, str], list[tuple[str, int, int]]] = defaultdict(list)
    for id_ in sorted(material.articles):
        for gap in material.findings[id_].gaps:
            found[gap.name, gap.kind.value].append((id_, gap.start, gap.end))
    rows = []
    for (name, kind), places in sorted(found.items()):
        id_, start, end = places[0]
        rows.append(
            {
                "name": name, "kind": kind, "n_articles": len({p[0] for p in places}), "n_mentions": len(places),
                "example_article_id": id_, "example": _around(material.articles[id_].text, start, end),
            }
        )  # fmt: skip
    return rows


def _around(text: str, start: int, end: int, width: int = 80) -> str:
    """Return the words around a place, at most `width` characters on each side, within its paragraph."""
    left = max(start - width, text.rfind("\n", 0, start) + 1)
    stop = text.find("\n", end)
    right = min(end + width, stop if stop >= 0 else len(text))
    return ("…" if left else "") + text[left:right].strip() + ("…" if right < len(text) else "")


def _facet_counts(rows: Mapping[str, list[Row]]) -> list[Row]:
    counts = [
        {"table_name": table, "column_name": column, "value": str(value), "n": n}
        for table, columns in FACETS.items()
        for column in columns
        for value, n in Counter(row[column] for row in rows[table] if row[column] is not None).items()
    ]
    return sorted(counts, key=lambda r: (r["table_name"], r["column_name"], r["value"]))
