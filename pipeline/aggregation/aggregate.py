"""Joins the findings of many articles into events, origins and contradictions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pipeline.aggregation.clustering.cluster import group
from pipeline.aggregation.clustering.merge import anchor, make_event
from pipeline.aggregation.contradictions.administrations import terms_of
from pipeline.aggregation.contradictions.find import find_contradictions
from pipeline.aggregation.sources.origins import find_origins, near_duplicates_of
from pipeline.aggregation.sources.publishers import Outlet
from pipeline.aggregation.sources.support import assign
from pipeline.lexicon.entities import Lexicon
from pipeline.lexicon.entity_graph import EntityGraph, holders_of
from pipeline.records import Claim, Contradiction, Entity, EntityKind, Event, Findings, Origin, OriginEdge, event_id
from scrapers.items import Article, Source


@dataclass(frozen=True, slots=True)
class Aggregate:
    """The result of joining all findings. `claims`: those assigned to an event, by id."""

    events: tuple[Event, ...]
    origins: tuple[Origin, ...]
    edges: tuple[OriginEdge, ...]
    contradictions: tuple[Contradiction, ...]
    claims: Mapping[str, Claim]
    claim_event: Mapping[str, str]
    claim_origin: Mapping[str, str]
    article_origin: Mapping[str, str]


def outlets_of(lexicon: Lexicon) -> tuple[Outlet, ...]:
    """Return the news publishers of a lexicon with their aliases, publisher groups and whether they are agencies."""
    names: dict[str, list[str]] = {}
    for name in lexicon.names:
        if name.kind != "nominal":
            names.setdefault(name.entity_id, []).append(name.text)
    return tuple(
        Outlet(e.name, tuple(names.get(id_, ())), lexicon.families.get(id_, ""), id_ in lexicon.wires)
        for id_, e in sorted(lexicon.entities.items())
        if e.kind is EntityKind.OUTLET or id_ in lexicon.wires
    )


def aggregate(
    findings: Iterable[Findings],
    articles: Iterable[Article],
    sources: Iterable[Source],
    *,
    lexicon: Lexicon | None = None,
    min_confidence: float = 0.0,
    together: Iterable[tuple[str, str]] = (),
    apart: Iterable[tuple[str, str]] = (),
) -> Aggregate:
    """Join findings into events. Pure; the order of the input makes no difference.

    Args:
        findings: What was read from each article.
        articles: The version of each article that its findings were read from.
        sources: The source cards of the publishers.
        lexicon: Adds known entities, their parents and the news outlets.
        min_confidence: Claims below it are left out.
        together: Pairs of claim ids that an editor put into one event.
        apart: Pairs of claim ids that an editor keeps in two events.
    """
    by_id = {a.article_id: a for a in articles}
    of_article = {f.article_id: f for f in findings if f.article_id in by_id}
    sources = tuple(sources)
    outlets = outlets_of(lexicon) if lexicon else ()
    entities = _entities(of_article.values(), lexicon)
    entity_graph = EntityGraph(entities.values(), holders_of(lexicon) if lexicon else ())
    claims = {c.claim_id: c for f in of_article.values() for c in f.claims if c.confidence >= min_confidence}

    origins, edges = find_origins(by_id.values(), of_article.values(), sources, outlets)
    grouped: dict[str, tuple[Claim, ...]] = {}
    for ids in group(claims.values(), by_id, entity_graph=entity_graph, together=together, apart=apart):
        members = tuple(claims[id_] for id_ in ids)
        grouped[event_id(anchor(members, by_id))] = members
    claim_origin, more, more_edges = assign(grouped, by_id, of_article, origins, sources, outlets, edges)
    terms = terms_of(lexicon) if lexicon else {}
    contradictions = find_contradictions(
        grouped, by_id, entity_graph, near_duplicates=near_duplicates_of(edges), terms=terms
    )
    of_claim = {claim.claim_id: id_ for id_, members in grouped.items() for claim in members}
    in_contradiction = {of_claim[id_] for c in contradictions for _, ids in c.values for id_ in ids}
    jurisdictions = {id_: e.jurisdiction for id_, e in entities.items()}
    events = tuple(
        make_event(
            members, by_id, claim_origin, in_contradiction=id_ in in_contradiction, jurisdiction_of=jurisdictions
        )
        for id_, members in sorted(grouped.items())
    )  # fmt: skip
    return Aggregate(
        events=events,
        origins=tuple(sorted((*origins, *more), key=lambda o: o.origin_id)),
        edges=tuple(
            sorted({*edges, *more_edges}, key=lambda e: (e.article_id, e.basis, e.to_article_id, e.to_name, e.detail))
        ),
        contradictions=contradictions,
        claims=claims,
        claim_event={c: e.event_id for e in events for c in e.claim_ids},
        claim_origin=claim_origin,
        article_origin={id_: origin.origin_id for origin in origins for id_ in origin.article_ids},
    )


def _entities(findings: Iterable[Findings], lexicon: Lexicon | None) -> dict[str, Entity]:
    """Return all entities by id. The lexicon takes precedence over what single articles say."""
    found: dict[str, Entity] = {}
    for finding in sorted(findings, key=lambda f: f.article_id):
        for entity in finding.entities:
            found.setdefault(entity.entity_id, entity)
    if lexicon:
        found.update(lexicon.entities)
    return found
