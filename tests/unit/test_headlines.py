"""What stands at the head of an event: when the program's own sentence is shown, and what is shown instead."""

from __future__ import annotations

import pytest

from pipeline.site.views.headlines import is_sure, label_of, short_title

PARTIES = [
    {"role": "actor", "name": "Vellichor"},
    {"role": "target", "name": "the Office"},
    {"role": "object", "name": "Corvid 4"},
    {"role": "object", "name": "Vellichor"},
    {"role": "instrument", "name": "section 8"},
    {"role": "affected", "name": "schools"},
]


def event(**changes: object) -> dict:
    known = {
        "type": "agreement",
        "summary": "Vellichor signed it on 2026-04-09.",
        "confidence": 0.95,
        "contradicted": 0,
    }
    return known | {"parties": PARTIES} | changes


def test_a_sure_and_undisputed_event_has_the_sentence_of_the_program() -> None:
    assert is_sure(event()) and short_title(event()) == "Vellichor signed it on 9 April 2026."


@pytest.mark.parametrize("changes", [{"confidence": 0.89}, {"contradicted": 1}])
def test_an_unsure_or_disputed_event_has_a_label_that_claims_no_relation(changes: dict) -> None:
    assert short_title(event(**changes)) == "Agreement: Vellichor, the Office, Corvid 4 and 1 more"


def test_a_label_without_parties_is_the_type() -> None:
    assert label_of(event(parties=[])) == "Agreement"
