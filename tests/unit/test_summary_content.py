"""A summary states what was promised, asked or ruled if a quote does, and never more than that."""

from __future__ import annotations

import pytest
from support.builders import article, claim

from pipeline.aggregation.clustering.merge import make_event
from pipeline.aggregation.summaries.content import NOTHING, clipped, content_of
from pipeline.records import Claim


def told(type_: str, sentence: str, trigger: str, modality: str = "occurred", **roles: str) -> Claim:
    return claim(article("courier", "a", sentence), sentence, trigger, type_, modality=modality, **roles)


def summary(*claims: Claim) -> str:
    return make_event(claims, {}, {}).summary


SENTENCES = [
    ("commitment", "Meridian also promised to keep every complaint for three years, up from two.", "promised",
     "occurred", {"actor": "Meridian"}, "Meridian promised to keep every complaint for three years."),
    ("commitment", "Meridian has not committed to publish its tests.", "committed",
     "negated", {"actor": "Meridian"}, "Meridian has not committed to publish its tests."),
    ("commitment", "Meridian pledged on 3 March not to sell models to schools next year.", "pledged",
     "occurred", {"actor": "Meridian"}, "Meridian pledged not to sell models to schools."),
    ("commitment", "Meridian will contribute $14 million to a fund for tests.", "contribute",
     "planned", {"actor": "Meridian"}, "Meridian is set to contribute $14 million to a fund for tests."),
    ("access_request", "Staff urged Meridian to withdraw its filing as a “trade secret.”", "urged",
     "occurred", {"actor": "Halden Union", "target": "Meridian"},
     "The Halden Union asked Meridian to withdraw its filing as a trade secret."),
    ("access_request", "The ministry may ask Meridian for access to the records of Lantern 2, it said.", "ask",
     "considered", {"actor": "Halden", "target": "Meridian"},
     "Halden is considering asking Meridian for access to the records of Lantern 2."),
    ("access_request", "It has asked Meridian for access to the test records and expects them by May.", "asked",
     "occurred", {"actor": "Halden", "target": "Meridian", "object": "access"},
     "Halden asked Meridian for access to the test records."),
    ("refusal", "Meridian refused a request from Halden for access to its logs, a lawyer said.", "refused",
     "occurred", {"actor": "Meridian", "target": "Halden"},
     "Meridian refused a request from Halden for access to its logs."),
    ("legislation", "Halden is considering a bill that would make tests compulsory, an official said.", "considering",
     "considered", {"actor": "Halden"},
     "Halden is considering advancing legislation that would make tests compulsory."),
]  # fmt: skip


@pytest.mark.parametrize(("type_", "sentence", "trigger", "modality", "roles", "expected"), SENTENCES)
def test_an_events_sentence_says_what_its_claim_says(type_, sentence, trigger, modality, roles, expected) -> None:  # noqa: ANN001
    assert summary(told(type_, sentence, trigger, modality, **roles)) == expected


@pytest.mark.parametrize(
    "sentence",
    [
        "Meridian promised to open its models, if the ministry agrees.",  # the condition would be cut off
        "Meridian promised to give us what we asked for.",
        "Meridian promised to customers that prices would fall.",
        "Meridian promised to the ministry.",
    ],
)
def test_nothing_is_copied_that_would_say_more_than_the_sentence(sentence: str) -> None:
    assert summary(told("commitment", sentence, "promised", actor="Meridian")) == "Meridian made a commitment."


def test_a_promise_of_one_party_is_not_reported_of_all() -> None:
    one = told("commitment", "Meridian promised to share its tests.", "promised", actor="Meridian")
    other = told("commitment", "Halden promised the same.", "promised", actor="Halden")
    assert summary(one, other).endswith("made a commitment.")


def test_a_contradicted_sum_is_not_in_the_summary() -> None:
    one = told("commitment", "Meridian will pay $14 million into a fund.", "pay", "planned", actor="Meridian")
    other = told("commitment", "Meridian will pay $40 million into a fund.", "pay", "planned", actor="Meridian")
    assert content_of([one]).deed == "$14 million into a fund"
    assert content_of([one, other]).deed == "money into a fund"
    fine = told("commitment", "Meridian will pay a $9 million fine.", "pay", "planned", actor="Meridian")
    assert content_of([fine, other]) == NOTHING


def test_a_long_clause_ends_where_another_begins() -> None:
    long = (
        "to tell the office about every fault that was found by its own staff while the system was at work in schools"
    )
    assert clipped(long) == "to tell the office about every fault that was found by its own staff"


def test_object_keeps_its_owners_name() -> None:
    sentence = "In May Halden requested access to Lantern's logs."
    found = told("access_request", sentence, "requested", actor="Halden", object="Lantern's logs")
    assert summary(found) == "Halden requested access to Lantern's logs."
    misread = told("access_request", "In May Halden requested access to its logs.", "requested", actor="Halden",
                   object="Lantern's logs")  # fmt: skip
    assert "Lantern" not in summary(misread)
