"""The claims of one article learn their dates from each other; what stands at a verb dates it before all else."""

from __future__ import annotations

from datetime import UTC, datetime

from unit.test_newness import tools

from pipeline.nlp.pipeline import extract
from pipeline.records import Claim
from scrapers.items import Article, text_version

DAY = datetime(2026, 6, 24, tzinfo=UTC)  # a Wednesday


def claims(text: str) -> tuple[Claim, ...]:
    article = Article("a1", text_version(text), "test", "https://example.org/1", "T", text, published_at=DAY)
    return extract(article, tools()).claims


def dates(text: str, type_: str) -> dict[str, str | None]:
    """Return trigger -> date of the claims of a type."""
    return {c.trigger: c.date.value if c.date else None for c in claims(text) if c.type == type_}


def test_a_date_at_a_verb_dates_it_though_it_is_old_and_another_stands_nearer_the_news() -> None:
    text = (
        "Today's bill builds on the administration's AI strategy, released in March 2025. "
        "Today's Executive Order follows the president's AI action plan released in March 2025, which asked for tests."
    )
    assert dates(text, "executive_action").get("released") == "2025-03"


def test_what_an_order_imposes_is_dated_with_the_order() -> None:
    text = (
        "Halden Systems said on Tuesday that it would sue over its AI models.\n\n"
        "On Monday, President Okoro directed every ministry to stop using Halden's AI models."
    )
    assert set(dates(text, "restriction").values()) == {"2026-06-22"}


def test_the_post_also_said_is_dated_by_the_post() -> None:
    text = (
        "The AI company lost in court.\n\nOn June 3, Defense Secretary Pete Hegseth wrote in a post that he barred "
        "OpenAI from the Pentagon's networks.\n\nHis post also stated that “no contractor may use AI models of OpenAI.”"
    )
    found = dates(text, "restriction")
    assert len(found) > 1 and set(found.values()) == {"2026-06-03"}


def test_a_plan_that_is_news_does_not_take_the_day_of_an_older_act() -> None:
    text = (
        "OpenAI signed an agreement with the Pentagon on its AI models on June 12.\n\n"
        "OpenAI will amend the agreement with the Pentagon, it told its staff."
    )
    assert dates(text, "agreement") == {"signed": "2026-06-12", "amend": None}


def test_what_came_right_after_something_is_dated_with_it() -> None:
    text = (
        "OpenAI signed a deal with the Pentagon on its AI models last Friday.\n\n"
        "OpenAI's deal with the Pentagon came right after talks between Anthropic and the Pentagon broke down."
    )
    assert dates(text, "agreement") == {"signed": "2026-06-19", "deal": "2026-06-19", "broke down": "2026-06-19"}


def test_a_deal_recalled_by_its_year_takes_the_month_that_the_text_gives_elsewhere() -> None:
    text = (
        "The Pentagon wants to change the terms of a deal struck with Anthropic last July on its AI models.\n\n"
        "Anthropic signed its contract with the Pentagon last year."
    )
    found = [c for c in claims(text) if c.type == "agreement"]
    assert {c.date.value for c in found if c.date} == {"2025-07"}
    assert {p.name for p in found[0].participants if p.role == "actor"} == {"Anthropic", "U.S. Department of Defense"}


def test_the_same_old_act_told_again_in_the_next_sentence_has_its_date() -> None:
    text = (
        "The AI bill is back.\n\nIn July 2025 Congress killed an attempt to stop states from regulating AI. "
        "The U.S. Senate voted almost with one voice to strike the moratorium on state AI laws."
    )
    assert dates(text, "legislation").get("voted") == "2025-07"
    assert dates(text.replace("voted almost with one voice", "later voted"), "legislation").get("voted") is None


def test_a_time_limit_was_not_set_on_the_day_on_which_it_ended() -> None:
    text = (
        "The Pentagon barred OpenAI from its networks on Tuesday.\n\n"
        "The Pentagon gave OpenAI until Tuesday to open its AI models to tests."
    )
    assert dates(text, "restriction") == {"barred": "2026-06-23"}
    assert dates(text, "access_request") == {"gave": None}


def test_what_the_news_came_after_does_not_take_its_day() -> None:
    text = (
        "The chief of OpenAI spoke to reporters on Monday. His remarks came after the Pentagon told OpenAI to "
        "open its AI models to tests."
    )
    assert set(dates(text, "access_request").values()) == {None}


def test_a_date_that_was_due_lies_ahead() -> None:
    text = "The Pentagon and OpenAI postponed the signing of their AI pact, which was due on July 3."
    assert dates(text, "agreement") == {"postponed": "2026-07-03"}


def test_what_has_not_been_done_since_is_not_dated_to_the_start() -> None:
    text = "The AI bill has not moved out of committee since it was introduced in November."
    assert "2025-11" not in dates(text, "legislation").values()
