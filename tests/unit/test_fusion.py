"""Fusion of frames and classifier: added claims, limits, and the frames alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from pipeline.nlp.events.fusion import _can_play
from pipeline.nlp.pipeline import Tools, extract, load_tools
from pipeline.records import Claim, EntityKind, Modality, Participant
from scrapers.reading.plain_text import plain_text


@pytest.fixture(scope="module")
def tools() -> Tools:
    found = load_tools(only_relevant=False)
    if found.classifier is None:
        pytest.skip("no weights are shipped")
    return found


def read(text: str, tools: Tools) -> tuple[Claim, ...]:
    return extract(plain_text(text, name="one", published=date(2026, 5, 12)).article, tools).claims


UNFORESEEN = (
    "Orrin AI handed the keys of its model Kite to the government's testers in April.",
    "Schools in the county have been off limits to Brightwater AI's chatbot since May.",
    "Testers at the institute spent three weeks hammering at Brightwater AI's new model and got past its guardrails.",
)


def test_the_classifier_sees_claims_that_no_frame_foresaw(tools: Tools) -> None:
    silent = [text for text in UNFORESEEN if not read(text, replace(tools, classifier=None))]
    assert silent, "choose other sentences: the frames know all of these"
    found = [claim for text in silent for claim in read(text, tools)]
    assert found and all(claim.rule.startswith("model:") for claim in found)
    assert all(claim.participants for claim in found)


def test_a_ban_and_its_lifting_in_one_sentence_are_two_events(tools: Tools) -> None:
    text = "The regulator suspended the Corvid app in May, and the suspension was lifted in June."
    assert {claim.direction for claim in read(text, tools) if claim.type == "restriction"} == {"impose", "lift"}


def test_what_the_classifier_reads_as_ordered_is_imposed_by_who_orders(tools: Tools) -> None:
    text = (
        'President Trump also directed every federal agency in the U.S. to "immediately drop" all use Corvid Labs\' AI.'
    )
    found = [claim for claim in read(text, tools) if claim.rule == "model:restriction"]
    assert found and all(claim.modality is Modality.OCCURRED for claim in found)
    assert {p.name for claim in found for p in claim.participants if p.role == "actor"} == {"Donald Trump"}


def test_who_is_told_to_open_his_files_is_the_one_who_gives(tools: Tools) -> None:
    text = "The Federal Compute Agency has told Brightwater AI to open up the training files of its AI model."
    found = [claim for claim in read(text, tools) if claim.type == "access_grant"]
    for claim in found:
        assert {p.name for p in claim.participants if p.role == "actor"} == {"Brightwater AI"}
        assert claim.modality is not Modality.OCCURRED


def test_that_a_decision_can_be_challenged_is_no_lawsuit(tools: Tools) -> None:
    text = "The agency barred the AI model. The decision on the AI model can be challenged in court within thirty days."
    assert not [claim for claim in read(text, tools) if claim.type == "litigation"]


def test_triggers_are_whole_words(tools: Tools) -> None:
    text = "The president said there would be a six-month phase-out of Brightwater’s products at the agencies."
    found = read(text, tools)
    assert all(text[claim.trigger_start - 1 : claim.trigger_start].isspace() for claim in found if claim.trigger_start)
    assert not any(claim.modality is Modality.OCCURRED for claim in found)


def test_what_the_classifier_adds_quotes_its_sentence(tools: Tools) -> None:
    text = "A first sentence on AI.\n\n" + " ".join(UNFORESEEN)
    body = plain_text(text, name="one").article.text
    claims = read(text, tools)
    assert claims
    for claim in claims:
        assert body[claim.evidence.start : claim.evidence.end] == claim.evidence.quote
        assert body[claim.trigger_start : claim.trigger_end] == claim.trigger


def test_without_a_classifier_the_frames_stand_alone(tools: Tools) -> None:
    text = "The Pentagon barred Halden Systems from new AI contracts."
    (alone,) = read(text, replace(tools, classifier=None))
    assert alone.rule.startswith("restriction:")
    assert any(claim.type == "restriction" and claim.rule == alone.rule for claim in read(text, tools))


@pytest.mark.parametrize(
    "sentence",
    [
        "Vellichor has postponed the signing of a testing agreement with the Office for AI Safety.",
        "Orrin AI hopes to sign an agreement with the Office for AI Safety on its models.",
        "Orrin AI has not handed its AI model over to the regulator.",
        "Eastern Power said that it had no reason to switch the AI model Tessel off.",
        "Schools have ten days to switch the AI chatbot off.",
        "The ministry may ban the AI chatbot Petrel from schools if the tests fail.",
    ],
)
def test_the_classifier_never_turns_an_open_event_into_a_done_one(tools: Tools, sentence: str) -> None:
    claims = read(sentence, tools)
    assert claims
    assert [claim.type for claim in claims if claim.modality is Modality.OCCURRED] == []


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


def test_what_a_trigger_says_by_itself_is_not_stored_as_done(tools: Tools) -> None:
    for text in (
        "What the AI watchdog wants is paperwork, not a ban of Brightwater AI's model.",
        "Nobody will take your assistant away today. What the AI watchdog wants is paperwork, not a ban: where the "
        "training code came from and what got filtered out on the way.",
        "The feud between Brightwater AI and the ministry, which ended without an agreement, goes on.",
    ):
        found = [claim for claim in read(text, tools) if claim.type in ("restriction", "agreement")]
        assert found and all(claim.modality is Modality.NEGATED for claim in found), text


def test_an_act_that_somebody_was_far_from_is_not_done(tools: Tools) -> None:
    found = read("Far from banning the AI model, the agency praised it.", tools)
    assert all(claim.modality is Modality.NEGATED for claim in found if claim.type == "restriction")


def test_the_most_that_a_law_threatens_with_was_not_imposed(tools: Tools) -> None:
    text = "The governor's AI bill sets penalties lower; its first draft included fines of up to $9 million for labs."
    found = [claim for claim in read(text, tools) if claim.type == "enforcement"]
    assert not any(claim.modality is Modality.OCCURRED for claim in found)


def test_who_only_asked_for_an_act_does_not_do_it(tools: Tools) -> None:
    text = "The court rejected Brightwater AI's request to suspend the restriction on its model Tern 4."
    acting = {p.name for c in read(text, tools) if c.type == "restriction" for p in c.participants if p.role == "actor"}
    assert acting and "Brightwater AI" not in acting


def test_an_authority_that_tests_a_model_does_not_release_it(tools: Tools) -> None:
    text = (
        "Brightwater AI made Tern 4. Engineers of the FTC will have twenty days with Tern 4 before any general release."
    )
    released = [claim for claim in read(text, tools) if claim.type == "model_release"]
    assert not any(p.name == "Federal Trade Commission" for c in released for p in c.participants if p.role == "actor")


def test_to_pass_something_on_is_no_refusal(tools: Tools) -> None:
    text = "The records belong to our customers, and Brightwater AI's contracts do not allow us to pass the request on."
    assert not any(claim.rule == "refusal:reject" for claim in read(text, tools))
