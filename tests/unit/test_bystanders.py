"""The stage of an event that a trigger names."""

from __future__ import annotations

from pipeline.aggregation.clustering.stages import act, distinct_stage


def test_breach_of_an_agreement_is_not_its_end() -> None:
    assert act("agreement", "had broken the agreement") == "broken"
    assert act("agreement", "broke off the deal") == act("agreement", "terminated") == "ended"
    assert act("agreement", "talks broke down") == "in talks"
    assert distinct_stage("agreement", "broken") != distinct_stage("agreement", "ended")
