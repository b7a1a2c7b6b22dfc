"""Parties near an act that take no part in it, and acts that are only mentioned."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

import pytest

from pipeline.aggregation.clustering.stages import act, distinct_stage
from pipeline.nlp.pipeline import Tools, extract, load_tools
from pipeline.records import Claim
from scrapers.items import Article, text_version


@lru_cache(maxsize=2)
def tools(classifier: bool) -> Tools:
    return load_tools(classifier=classifier, only_relevant=False)


def claims(text: str, *, classifier: bool = True) -> list[Claim]:
    day = datetime(2026, 5, 13, tzinfo=UTC)  # a Wednesday
    article = Article("a1", text_version(text), "test", "https://example.org/1", "Title", text, published_at=day)
    return list(extract(article, tools(classifier)).claims)


def actors(found: list[Claim], type_: str) -> set[str]:
    return {p.name for claim in found if claim.type == type_ for p in claim.participants if p.role == "actor"}


@pytest.mark.parametrize(
    "text",
    [
        "According to two officials, four testers worked at Lumenar Labs's offices for a week on its AI model.",
        "The AI Security Institute was let in: engineers spent three days testing models at Lumenar Labs's site.",
    ],
)
def test_on_whose_premises_a_test_is_run_does_not_run_it(text: str) -> None:
    assert "Lumenar Labs" not in actors(claims(text), "evaluation")


def test_without_whom_a_paper_was_made_did_not_make_it() -> None:
    told = claims(
        "Four AI companies signed a pledge on safety tests on Tuesday. The pledge was negotiated without the help of "
        "the Federal Trade Commission, whose chair learned of it from a reporter."
    )
    assert any(claim.type in ("commitment", "agreement") for claim in told)
    assert not any(p.name == "Federal Trade Commission" and p.role == "actor" for claim in told
                   for p in claim.participants)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "modality"),
    [
        ("Lumenar Labs will give engineers of the AI Security Institute supervised access to its model if it agrees.",
         {"conditional"}),
        ("Lumenar Labs gave engineers of the AI Security Institute supervised access to its model.", {"occurred"}),
        ("Lumenar Labs refused to wait and gave the AI Security Institute access to its model.", {"occurred"}),
    ],
)  # fmt: skip
def test_a_participle_before_a_noun_is_no_deed_of_its_own(text: str, modality: set[str]) -> None:
    assert {claim.modality.value for claim in claims(text) if claim.type == "access_grant"} == modality


@pytest.mark.parametrize(
    ("text", "n"),
    [
        ("The company says that an AI developer's refusal to hand over its weights is not a crime.", 0),
        ("Any company's refusal to hand over its weights would be punished.", 0),
        ("Lumenar Labs's refusal to hand over its weights is not a crime, its lawyer said.", 1),
        ("An AI developer's refusal to hand over its weights led Ofcom to its doors.", 1),
    ],
)
def test_what_such_an_act_is_tells_of_no_act(text: str, n: int) -> None:
    assert len([claim for claim in claims(text, classifier=False) if claim.type == "refusal"]) == n


def test_who_denies_for_a_body_speaks_of_it() -> None:
    told = claims(
        "Lumenar Labs ended its agreement with Ofcom on Tuesday. Ada Brandt, Ofcom's director, denied that it had "
        "banned the company's model.", classifier=False,
    )  # fmt: skip
    assert actors(told, "restriction") == {"Ofcom"}


def test_the_day_of_what_followed_is_not_that_of_what_went_before() -> None:
    told = claims(
        "Ofcom lifted its ban on Lumenar Labs's chatbot on Monday, 39 days after pulling the plug on it in a row."
    )  # fmt: skip
    days = {claim.direction: claim.date.value if claim.date else "" for claim in told if claim.type == "restriction"}
    assert days["lift"] == "2026-05-11"
    assert days["impose"] != "2026-05-11"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Lumenar Labs has told Ofcom that it will discontinue its case before the High Court.", {"litigation"}),
        ("Ofcom opened a case into Lumenar Labs in March.", {"investigation"}),
    ],
)
def test_a_company_that_ends_its_case_ends_a_lawsuit(text: str, expected: set[str]) -> None:
    types = {claim.type for claim in claims(text, classifier=False)} & {"litigation", "investigation"}
    assert types == expected


def test_it_is_whoever_speaks_even_where_nothing_is_known_of_him() -> None:
    """Of a body that the text and the lexicon know nothing of, "it" is nobody rather than the body named last."""
    told = claims(
        "The regulator and Ofcom look at large AI models made by Lumenar Labs. Eastern Transmission said in a note to "
        "its staff that it had no reason to switch the model off."
    )  # fmt: skip
    assert not actors(told, "restriction")


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("The High Court will hear the suit of Lumenar Labs in May. The office will defend the case, a spokesman said.",
         "High Court"),
        ("Ofcom signed an agreement with Lumenar Labs. In Norway, the markets authority signed no agreement with it.",
         "Ofcom"),
    ],
)  # fmt: skip
def test_a_description_is_nobody_whom_it_does_not_fit(text: str, wrong: str) -> None:
    last = text.split(". ")[1]
    told = [claim for claim in claims(text) if claim.evidence.quote.startswith(last[:20])]
    assert told and not any(p.name == wrong for claim in told for p in claim.participants)


def test_who_denies_a_breach_does_not_deny_the_end() -> None:
    assert act("agreement", "had broken the agreement") == "broken"
    assert act("agreement", "broke off the deal") == act("agreement", "terminated") == "ended"
    assert act("agreement", "talks broke down") == "in talks"
    assert distinct_stage("agreement", "broken") != distinct_stage("agreement", "ended")
