"""The gate: what is about the oversight of AI, what is only about AI, and what is only about oversight."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from pipeline.gate import LONGEST, gate

SHARED = Path(os.environ.get("OVERSIGHT_SHARED", Path(__file__).parents[1].parent / "shared"))


def test_an_agency_that_bars_an_ai_company_is_relevant_though_no_lexicon_knows_the_company():
    answer = gate(
        "Pentagon bars Halden Systems from contracts",
        "The Pentagon on Friday barred the artificial intelligence company Halden Systems from new contracts.\n\n"
        "A Defense Department official said the AI firm had been designated a supply chain risk.",
    )
    assert answer.relevant
    assert "artificial intelligence" in answer.ai
    assert "supply chain risk" in answer.oversight


def test_a_short_notice_is_relevant():
    assert gate(
        "", "The European Commission on Monday opened an investigation into how xAI trained Grok under the AI Act."
    ).relevant


def test_ai_products_and_money_alone_are_not_relevant():
    assert not gate(
        "Corvid raises $40m for its AI agents",
        "Corvid, which builds AI agents for dentists, has raised $40m.\n\nThe chatbot is evaluated on safety by its "
        "users, said the president of the company. Demand for large language models is growing.",
    ).relevant


def test_regulation_of_something_else_is_not_relevant():
    assert not gate(
        "Senate passes bill on milk labels",
        "The Senate passed legislation on Tuesday that requires the agency to regulate milk labels.\n\nA court had "
        "blocked an executive order. The Federal Trade Commission fined two dairies.",
    ).relevant


def test_one_word_on_ai_far_from_the_regulation_of_something_else_is_not_relevant():
    filler = "\n\n".join(f"Paragraph {number} speaks of harvests." for number in range(12))
    text = f"The Senate passed a bill; a court blocked an order.\n\n{filler}\n\nHer son studies machine learning."
    assert not gate("Senate passes farm bill", text).relevant


@pytest.mark.parametrize(
    "text", ["The bandit said so.", "He paid for the airline's daily claims.", "Probesoft is a brand of banners."]
)
def test_words_inside_other_words_do_not_count(text):
    answer = gate("", text)
    assert answer.ai == ()
    assert answer.oversight == ()


@pytest.mark.parametrize("text", ["", "\x00\x01", "İ" * 2000 + " AI bans", "\u202eAI\u202c", "🤖" * 999, "\n" * 5000])
def test_no_text_makes_it_fail(text):
    assert gate(text, text).score >= 0.0


def test_a_huge_text_is_looked_at_up_to_a_limit():
    assert gate("", "harvest " * (LONGEST // 8) + "The Senate banned AI. " * 50).ai == ()


def test_the_same_words_weigh_once_per_passage():
    once = gate("AI ban", "The AI ban was announced. AI and AI.")
    often = gate("AI ban", "The AI ban was announced. AI and AI. " + "A ban, a ban, a ban. " * 40)
    assert once.score == often.score


def test_at_least_55_of_the_57_annotated_documents_are_judged_right():
    gold, texts = SHARED / "gold/dev/claims", SHARED / "gold/dev/texts"
    if not gold.is_dir():
        pytest.skip("the annotated documents are not on this machine")
    right = 0
    for path in sorted(gold.glob("*.json")):
        document = json.loads((texts / path.name).read_text())
        right += gate(document["title"], document["text"]).relevant == json.loads(path.read_text())["relevant"]
    assert right >= 55
