"""Fusion of frames and classifier: claims that only the classifier finds, and its limits."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from support.nlp_tools import load_once

from pipeline.nlp.events.fusion import _can_play
from pipeline.nlp.pipeline import Tools, extract
from pipeline.records import Claim, EntityKind, Modality, Participant
from scrapers.reading.plain_text import plain_text


@pytest.fixture(scope="module")
def tools() -> Tools:
    found = load_once()
    if found.classifier is None:
        pytest.skip("no weights are shipped")
    return found


def read(text: str, tools: Tools) -> tuple[Claim, ...]:
    return extract(plain_text(text, name="one", published=date(2026, 5, 12)).article, tools).claims


NOT_IN_FRAMES = (
    "Orrin AI handed the keys of its model Kite to the government's testers in April.",
    "Schools in the county have been off limits to Brightwater AI's chatbot since May.",
    "Testers at the institute spent three weeks hammering at Brightwater AI's new model and got past its guardrails.",
)


def test_classifier_finds_claims_that_no_frame_covers(tools: Tools) -> None:
    silent = [text for text in NOT_IN_FRAMES if not read(text, replace(tools, classifier=None))]
    assert silent, "choose other sentences: the frames know all of these"
    found = [claim for text in silent for claim in read(text, tools)]
    assert found and all(claim.rule.startswith("model:") for claim in found)
    assert all(claim.participants for claim in found)


def test_company_ordered_to_open_its_files_grants_the_access(tools: Tools) -> None:
    text = "The Federal Compute Agency has told Brightwater AI to open up the training files of its AI model."
    found = [claim for claim in read(text, tools) if claim.type == "access_grant"]
    for claim in found:
        assert {p.name for p in claim.participants if p.role == "actor"} == {"Brightwater AI"}
        assert claim.modality is not Modality.OCCURRED


def test_triggers_are_whole_words(tools: Tools) -> None:
    text = "The president said there would be a six-month phase-out of Brightwater’s products at the agencies."
    found = read(text, tools)
    assert all(text[claim.trigger_start - 1 : claim.trigger_start].isspace() for claim in found if claim.trigger_start)
    assert not any(claim.modality is Modality.OCCURRED for claim in found)


def test_claim_of_the_classifier_quotes_its_sentence(tools: Tools) -> None:
    text = "A first sentence on AI.\n\n" + " ".join(NOT_IN_FRAMES)
    body = plain_text(text, name="one").article.text
    claims = read(text, tools)
    assert claims
    for claim in claims:
        assert body[claim.evidence.start : claim.evidence.end] == claim.evidence.quote
        assert body[claim.trigger_start : claim.trigger_end] == claim.trigger


def test_frames_work_without_the_classifier(tools: Tools) -> None:
    text = "The Pentagon barred Halden Systems from new AI contracts."
    (alone,) = read(text, replace(tools, classifier=None))
    assert alone.rule.startswith("restriction:")
    assert any(claim.type == "restriction" and claim.rule == alone.rule for claim in read(text, tools))


@pytest.mark.parametrize(
    ("role", "kind", "fits"),
    [
        ("actor", EntityKind.INSTRUMENT, False), ("actor", EntityKind.AGENCY, True),
        ("instrument", EntityKind.GROUP, False), ("instrument", EntityKind.INSTRUMENT, True),
        ("object", EntityKind.PERSON, False), ("object", EntityKind.MODEL, True), ("body", EntityKind.PERSON, False),
    ],
)  # fmt: skip
def test_a_party_plays_only_roles_that_it_can_play(role: str, kind: EntityKind, fits: bool) -> None:
    assert _can_play(Participant(role, "known-id", "Name", kind)) is fits
