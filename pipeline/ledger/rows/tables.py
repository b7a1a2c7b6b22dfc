"""Returns the rows of the published tables of events, claims, articles, entities and sources. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pipeline.aggregation.clustering.merge import merged_participants
from pipeline.aggregation.contradictions.find import in_words
from pipeline.aggregation.summaries.noun_phrases import listing
from pipeline.ledger.rows.records import Row, date_columns, day, moment, utc
from pipeline.records import Claim, Contradiction, Entity, Event, Origin
from scrapers.crawling.source_health import SourceHealth
from scrapers.items import Article, Outcome, Source, SourceType, Visit

_NEAREST = tuple(SourceType)
GOOD = (Outcome.SAVED, Outcome.UNCHANGED)


@dataclass(frozen=True, slots=True)
class Visited:
    """The visits to one source. `outcomes`: number of each; `last`: the last visit; `last_good`: the last success."""

    outcomes: Mapping[str, int]
    last: Visit | None
    last_good: Visit | None


def visited_of(visits: Iterable[Visit]) -> dict[str, Visited]:
    """Return the visits by source."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    last: dict[str, Visit] = {}
    last_good: dict[str, Visit] = {}
    for visit in visits:
        counts[visit.source_id][visit.outcome.value] += 1
        # Of simultaneous visits the best counts, in whatever order they ended.
        held = last.get(visit.source_id)
        if held is None or (visit.at, visit.outcome in GOOD) > (held.at, held.outcome in GOOD):
            last[visit.source_id] = visit
        if visit.outcome in GOOD and (visit.source_id not in last_good or visit.at >= last_good[visit.source_id].at):
            last_good[visit.source_id] = visit
    return {id_: Visited(counts[id_], last.get(id_), last_good.get(id_)) for id_ in counts}


@dataclass(frozen=True, slots=True)
class Counted:
    """The articles of one source. `n_articles`: relevant or not; the days are of relevant ones."""

    n_articles: int = 0
    n_relevant: int = 0
    first_on: str | None = None
    last_on: str | None = None
    title: str = ""  # as an article gives it


_NO_CARD = {"added": "Publisher without a card"}  # of articles added with `oversight add` or from archives


def source_rows(
    sources: Mapping[str, Source],
    counted: Mapping[str, Counted],
    visited: Mapping[str, Visited],
    health: Mapping[str, SourceHealth],
) -> tuple[list[Row], list[Row]]:
    """Return the rows of `sources` and `fetch_outcomes`."""
    relevant = {id_ for id_, c in counted.items() if c.n_relevant}
    ids = sorted(set(sources) | relevant | (set(visited) & set(counted)))
    rows = []
    for id_ in ids:
        source, has = sources.get(id_), counted.get(id_, Counted())
        been = visited.get(id_, Visited({}, None, None))
        rows.append(
            {
                "source_id": id_,
                "title": source.title if source else has.title or _NO_CARD.get(id_, id_),
                "homepage": source.homepage if source else "",
                "source_type": source.source_type.value if source else "unknown",
                "family": source.family if source else "",
                "jurisdiction": source.jurisdiction if source else "",
                "language": source.language if source else "",
                "n_articles": has.n_articles,
                "n_relevant": has.n_relevant,
                "first_article_on": has.first_on,
                "last_article_on": has.last_on,
                "last_visit_at": moment(been.last.at) if been.last else None,
                "last_success_at": moment(been.last_good.at) if been.last_good else None,
                "health": _health(source, been.last, been.last_good),
                **_signs(health.get(id_)),
            }
        )
    outcomes = [
        {"source_id": id_, "outcome": outcome, "n": n}
        for id_ in ids if id_ in visited
        for outcome, n in sorted(visited[id_].outcomes.items())
    ]  # fmt: skip
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
    if source is None:
        return "no card: not watched"
    if last is None:
        return "never visited"
    if last.outcome in GOOD:
        return "answering"
    since = f"last good visit {good.at.date()}" if good else "no good visit yet"
    return f"last visit ended in {last.outcome.value}, {since}"


def entity_rows(
    wanted: Iterable[str], seen: Mapping[str, tuple[int, int]], entity_of: Mapping[str, Entity]
) -> list[Row]:
    """Return the rows of `entities` for the wanted ones and their ancestors.

    `seen`: entity id -> number of events and of claims.
    """
    chosen: dict[str, Entity] = {}
    todo = sorted(wanted)
    while todo:
        id_ = todo.pop()
        entity = entity_of.get(id_)
        if entity is None or id_ in chosen:
            continue
        chosen[id_] = entity
        if entity.parent_id:
            todo.append(entity.parent_id)
    return [
        {
            "entity_id": id_, "name": e.name, "kind": e.kind.value, "jurisdiction": e.jurisdiction,
            "parent_id": e.parent_id if e.parent_id in chosen else None, "wikidata_id": e.wikidata_id,
            "description": e.description, "in_lexicon": int(e.known), "n_events": seen.get(id_, (0, 0))[0],
            "n_claims": seen.get(id_, (0, 0))[1],
        }
        for id_, e in sorted(chosen.items())
    ]  # fmt: skip


def name_rows_of(names: Iterable[Row], entities: list[Row]) -> list[Row]:
    """Return the rows of `entity_names` for the entities of the ledger. `names`: those of the lexicon."""
    known = {row["entity_id"] for row in entities}
    found: dict[tuple[str, str], Row] = {}
    for row in names:
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


def article_row(article: Article, n_versions: int) -> Row:
    """Return the row of `articles` without n_claims, origin_id and gone_on, which aggregation adds."""
    return {
        "article_id": article.article_id, "version": article.version, "source_id": article.source_id,
        "url": article.url, "title": article.title, "byline": listing(article.byline),
        "published_at": utc(article.published_at), "published_on": day(article.published_at),
        "published_basis": article.published_basis, "published_precision": article.published_precision.value,
        "modified_at": utc(article.modified_at), "fetched_at": moment(article.fetched_at),
        "language": article.language, "access": article.access,
        "has_affiliate_content": int(article.has_affiliate_content),
        "n_removed_blocks": len(article.removed_blocks), "n_versions": n_versions,
        "n_characters": len(article.text), "page_sha256": article.page_sha256,
    }  # fmt: skip


def version_rows(article: Article, versions: Iterable[tuple[Article, str, str, int]]) -> list[Row]:
    """Return the rows of `article_versions`. `versions`: (version, first seen, last seen, number of claims)."""
    return [
        {
            "article_id": article.article_id, "version": version.version, "first_seen_at": first,
            "last_seen_at": last, "page_sha256": version.page_sha256, "n_claims": n,
        }
        for version, first, last, n in versions
    ]  # fmt: skip


def event_row(
    event: Event, claims: list[Claim], articles_by_id: Mapping[str, Article], sources: Mapping[str, Source]
) -> Row:
    """Return the row of `events`."""
    articles = [articles_by_id[c.evidence.article_id] for c in claims]
    published = [d for a in articles if (d := day(a.published_at))]
    source_types = [sources[a.source_id].source_type for a in articles if a.source_id in sources]
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
        "contradicted": int(event.contradicted),
        "closest_source_type": min(source_types, key=_NEAREST.index).value if source_types else "unknown",
        "confidence": round(_confidence(event, claims), 4),
        "first_reported_on": min(published, default=None),
        "last_reported_on": max(published, default=None),
    }


def _confidence(event: Event, claims: list[Claim]) -> float:
    """Return the confidence of the surest claim of the event's own modality, 0 to 1; if none has it, of any claim."""
    return max(c.confidence for c in [c for c in claims if c.modality is event.modality] or claims)


def _band(n: int) -> str:
    return str(n) if n < 2 else "2-3" if n < 4 else "4+"


def event_participant_rows(event_id: str, claims: list[Claim]) -> list[Row]:
    """Return the rows of `event_participants` of one event."""
    return [
        {"event_id": event_id, "entity_id": p.entity_id, "role": p.role, "n_claims": n}
        for p, n in merged_participants(claims)
    ]


def contradiction_rows(contradictions: Iterable[Contradiction]) -> tuple[list[Row], list[Row]]:
    """Return the rows of `contradictions` and `contradiction_sides`."""
    contradictions = list(contradictions)
    return [
        {"contradiction_id": c.contradiction_id, "event_id": c.event_id, "field": c.field, "summary": in_words(c)}
        for c in contradictions
    ], [
        {"contradiction_id": c.contradiction_id, "value": value, "claim_id": claim_id}
        for c in contradictions
        for value, ids in c.values
        for claim_id in ids
    ]


def origin_row(origin: Origin, n_articles: int) -> Row:
    """Return the row of `origins`."""
    return {
        "origin_id": origin.origin_id, "kind": origin.kind, "label": origin.label,
        "lead_article_id": origin.lead_article_id or None, "n_articles": n_articles,
    }  # fmt: skip


def around(text: str, start: int, end: int, width: int = 80) -> str:
    """Return the words around a span, at most `width` characters on each side, within its paragraph."""
    left = max(start - width, text.rfind("\n", 0, start) + 1)
    stop = text.find("\n", end)
    right = min(end + width, stop if stop >= 0 else len(text))
    return ("…" if left else "") + text[left:right].strip() + ("…" if right < len(text) else "")
