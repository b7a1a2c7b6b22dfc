"""The rows of the table `events`."""

from __future__ import annotations

from typing import Any

from support.builders import article, claim

from pipeline.aggregation.clustering.merge import make_event
from pipeline.ledger.rows.tables import event_row
from pipeline.records import Claim
from scrapers.items import Article

PLAN, BAN = "The ministry would bar the model if the records stay closed.", "The ministry barred the model."
ART = article("courier", "a", f"{PLAN}\n{BAN}")


def row(*claims: Claim) -> dict[str, Any]:
    articles: dict[str, Article] = {ART.article_id: ART}
    return event_row(make_event(claims, articles, {}), list(claims), articles, {})


def said(sentence: str, modality: str, confidence: float) -> Claim:
    return claim(ART, sentence, "bar", "restriction", modality=modality, confidence=confidence, actor="ministry")


def test_confidence_of_an_event_is_that_of_its_surest_claim_of_its_own_modality() -> None:
    plan, ban = said(PLAN, "conditional", 0.95), said(BAN, "occurred", 0.6)
    found = row(plan, ban)
    assert (found["modality"], found["confidence"]) == ("occurred", 0.6)
    assert row(plan)["confidence"] == 0.95
