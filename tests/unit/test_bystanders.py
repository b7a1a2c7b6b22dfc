"""Parties near an act that take no part in it, and acts that are only mentioned."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

import pytest

from pipeline.aggregation.clustering.stages import act, distinct_stage
from pipeline.nlp.pipeline import Tools, extract, load_tools
from pipeline.records import Claim
from scrapers.items import Article, text_version


def test_breach_of_an_agreement_is_not_its_end() -> None:
    assert act("agreement", "had broken the agreement") == "broken"
    assert act("agreement", "broke off the deal") == act("agreement", "terminated") == "ended"
    assert act("agreement", "talks broke down") == "in talks"
    assert distinct_stage("agreement", "broken") != distinct_stage("agreement", "ended")
