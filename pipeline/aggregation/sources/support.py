"""Assigns each claim the origin that it counts under, with the reasons.

Within an event an article counts once. A claim credited to another publisher counts under that one; a claim that rests
on a body's own statement counts under the statement, if the ledger holds it. Two outlets of one publisher group are one
origin; a near-duplicate counts with its original.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from pipeline.aggregation.sources.credit_chains import CreditChains, order
from pipeline.aggregation.sources.origins import near_duplicates_of, origin_id
from pipeline.aggregation.sources.publishers import Outlet, Publishers
from pipeline.records import Claim, Credit, Findings, Origin, OriginEdge
from scrapers.items import Article, Source, SourceType

STATEMENT_DAYS = 1  # maximum days between a statement and a report that rests on it
_STATED = ("organisation", "document", "person")


def assign(
    events: Mapping[str, tuple[Claim, ...]],
    articles: Mapping[str, Article],
    findings: Mapping[str, Findings],
    origins: Iterable[Origin],
    sources: Iterable[Source],
    outlets: Iterable[Outlet] = (),
    edges: Iterable[OriginEdge] = (),
) -> tuple[dict[str, str], tuple[Origin, ...], tuple[OriginEdge, ...]]:
    """Return the origin of each claim, the origins that this adds, and the edges that say why. Pure.

    Args:
        events: Event id -> its claims.
        articles: By id.
        findings: By article id.
        origins: Those of find_origins.
        sources: The source cards of the publishers.
        outlets: Publishers without a source card.
        edges: Those of find_origins; they name the near-duplicates.
    """
    publishers = Publishers(sources, outlets)
    of_article = {id_: origin for origin in origins for id_ in origin.article_ids}
    work = Assigning(
        CreditChains(articles.values(), findings.values(), publishers), of_article, near_duplicates_of(edges)
    )
    for event_id in sorted(events):
        work.event(event_id, events[event_id])
    unique = sorted(set(work.edges), key=lambda e: (e.article_id, e.basis, e.to_article_id, e.to_name, e.detail))
    return work.found, tuple(sorted(work.added.values(), key=lambda o: o.origin_id)), tuple(unique)


class Assigning:
    """Assigns origins to claims, event by event.

    `of_article`: the origin of each article; `near_duplicates`: see near_duplicates_of.
    """

    def __init__(
        self, chains: CreditChains, of_article: Mapping[str, Origin], near_duplicates: Mapping[str, str]
    ) -> None:
        self.chains = chains
        self.publishers = chains.publishers
        self.near_duplicates = near_duplicates
        self.of_article = of_article
        self.found: dict[str, str] = {}
        self.added: dict[str, Origin] = {}
        self.edges: list[OriginEdge] = []

    def event(self, event_id: str, members: Iterable[Claim]) -> None:
        """Assign one origin to each article of an event, and so to its claims."""
        by_article: dict[str, list[Claim]] = {}
        for claim in sorted(members, key=lambda c: (order(self.chains.articles[c.evidence.article_id]), c.claim_id)):
            by_article.setdefault(claim.evidence.article_id, []).append(claim)
        origin_of = {id_: self._origin(event_id, id_, claims, by_article) for id_, claims in by_article.items()}
        origin_of = {id_: origin_of[self._original(id_, by_article)] for id_ in by_article}
        of_family: dict[str, Origin] = {}
        # Origins in the ledger first, so that a report credited by name joins the publisher's own.
        for id_, origin in sorted(origin_of.items(), key=lambda item: not item[1].lead_article_id):
            first = of_family.setdefault(self.publishers.family(origin.label), origin)
            if first.origin_id != origin.origin_id:
                self._edge(id_, first.lead_article_id, first.label, "family", "one publisher, one origin")
            if not first.article_ids:  # a report outside the ledger
                kept = self.added.get(first.origin_id, first)
                ids = tuple(sorted({*kept.article_ids, id_}))
                self.added[first.origin_id] = replace(kept, article_ids=ids)
            self.found.update({claim.claim_id: first.origin_id for claim in by_article[id_]})

    def _original(self, id_: str, present: Mapping[str, list[Claim]]) -> str:
        """Return the article of the event that this one is a near-duplicate of, or itself."""
        group = self.near_duplicates.get(id_)
        if group is None:
            return id_
        return min(
            (o for o in present if self.near_duplicates.get(o) == group), key=lambda o: order(self.chains.articles[o])
        )

    def _origin(self, event_id: str, id_: str, claims: list[Claim], present: Mapping[str, list[Claim]]) -> Origin:
        """Return the origin of an article's claims: its own, unless each claim is credited to somebody else."""
        own = self.of_article[id_]
        credits = [self.chains.own_credit(claim) for claim in claims]
        reported = [self._credited(event_id, id_, credit, own) for credit in credits if credit is not None]
        if reported and None not in credits:
            return reported[0]
        return self._statement(id_, claims, present) or own

    def _credited(self, event_id: str, id_: str, credit: Credit, own: Origin) -> Origin:
        """Return the origin of a report credited for part of an article, and record why."""
        name = self.publishers.label(credit.name)
        if self.publishers.family(name) == self.publishers.family(own.label):
            return own
        lead = self.chains.credited_article(id_, credit)
        wire = self.publishers.is_wire(name)
        self._edge(id_, lead, name, "wire" if wire else "credit", f"{credit.cue} (for one claim)")
        if lead:
            return self.of_article[lead]
        return Origin(origin_id(event_id, name), "wire" if wire else "credited", name, "", ())

    def _statement(self, id_: str, claims: list[Claim], present: Mapping[str, list[Claim]]) -> Origin | None:
        """Return the origin of a body's own recent statement, if the article reports nothing else."""
        if self._speaks_for_itself(id_) or any(c.attribution.kind not in _STATED for c in claims):
            return None
        said_by = {self.publishers.family(claim.attribution.name or "") for claim in claims}
        day = self.chains.articles[id_].published_at
        for other in present:
            when = self.chains.articles[other].published_at
            if other == id_ or not self._speaks_for_itself(other) or day is None or when is None:
                continue
            title = self.chains.title(other)
            says_so = {c.modality for c in claims} <= {c.modality for c in present[other]}
            near = -STATEMENT_DAYS <= (day.date() - when.date()).days <= STATEMENT_DAYS
            if says_so and near and said_by == {self.publishers.family(title)}:
                self._edge(id_, other, title, "credit", "rests on its statement alone")
                return self.of_article[other]
        return None

    def _speaks_for_itself(self, id_: str) -> bool:
        source = self.publishers.sources.get(self.chains.articles[id_].source_id)
        return source is not None and source.source_type in (SourceType.PRIMARY, SourceType.LAB)

    def _edge(self, id_: str, to_id: str, name: str, basis: str, detail: str) -> None:
        self.edges.append(OriginEdge(id_, to_id, name, basis, detail))
