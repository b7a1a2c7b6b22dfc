"""The newsroom's expected findings, joined into events as a correct run would join them."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from pipeline.aggregation.aggregate import Aggregate, aggregate
from pipeline.aggregation.clustering.merge import make_event
from pipeline.commands.operate.demo import demo_lexicon
from pipeline.lexicon.load import load_lexicon
from pipeline.newsroom.answers import write_documents
from pipeline.records import Claim, Event, Findings
from support.gold_claims import load_gold


@dataclass(frozen=True)
class World:
    """Events by the key of the expected findings, claims by id, the publication day of each article."""

    events: dict[str, Event]
    claims: dict[str, Claim]
    day_of: dict[str, str]

    @property
    def events_by_id(self) -> dict[str, Event]:
        return {event.event_id: event for event in self.events.values()}


@cache
def newsroom_world() -> World:
    lexicon = load_lexicon(demo_lexicon())
    kinds = {entity.name: entity.kind for entity in lexicon.entities.values()}
    with tempfile.TemporaryDirectory() as folder:
        write_documents(Path(folder) / "texts", Path(folder) / "claims")
        claims, articles, _, keys = load_gold(folder)
    known = [
        replace(c, participants=tuple(replace(p, kind=kinds.get(p.name, p.kind)) for p in c.participants))
        for c in claims
    ]
    groups: dict[str, list[Claim]] = defaultdict(list)
    for claim in known:
        groups[keys[claim.claim_id]].append(claim)
    return World(
        {key: make_event(members, articles, {}) for key, members in groups.items()},
        {claim.claim_id: claim for claim in known},
        {id_: a.published_at.date().isoformat() for id_, a in articles.items() if a.published_at},
    )


@cache
def newsroom_aggregate() -> Aggregate:
    """Return what the aggregation makes of the expected claims."""
    with tempfile.TemporaryDirectory() as folder:
        write_documents(Path(folder) / "texts", Path(folder) / "claims")
        _, articles, _, _ = load_gold(folder)
    claims: dict[str, list[Claim]] = defaultdict(list)
    for claim in newsroom_world().claims.values():
        claims[claim.evidence.article_id].append(claim)
    findings = [Findings(id_, each.version, True, 1.0, tuple(claims[id_])) for id_, each in articles.items()]
    return aggregate(findings, articles.values(), (), lexicon=load_lexicon(demo_lexicon()), min_confidence=0.0)
