"""Pronouns and descriptions refer to what was named before."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

import pytest

from pipeline.nlp.pipeline import Tools, load_tools, read_text
from scrapers.items import Article, text_version


@lru_cache(maxsize=1)
def tools() -> Tools:
    return load_tools(classifier=False, only_relevant=False)


def stands_for(text: str, word: str, title: str = "Title", nth: int = 1) -> list[str]:
    """Return the names that the nth occurrence of a word stands for."""
    day = datetime(2026, 5, 5, tzinfo=UTC)
    article = Article("a1", text_version(text), "test", "https://example.org/1", title, text, published_at=day)
    passages, _, referents, _ = read_text(article, tools(), day.date())
    found = [token for passage in passages for token in passage.doc if token.lower_ == word]
    return [mention.name for mention in referents.of(found[nth - 1])]


@pytest.mark.parametrize(
    ("text", "word", "names"),
    [
        ("Orchid Labs met the press. The company signed a deal.", "company", ["Orchid Labs"]),
        (
            "The Federal Compute Agency wrote to Orchid Labs. The agency wants access.",
            "agency",
            ["Federal Compute Agency"],
        ),
        ("OpenAI and Anthropic met on Monday. Both labs signed.", "labs", ["OpenAI", "Anthropic"]),
        ("Orchid Labs denied it. A data inspectorate sent letters. It asked Orchid Labs for logs.", "it", []),
        ("Briefs back OpenAI.\n\nIn its suits, Anthropic accused the agency of censorship.", "its", ["Anthropic"]),
        (
            "OpenAI, Anthropic and Google met. The three companies signed.",
            "companies",
            ["OpenAI", "Anthropic", "Google"],
        ),
        ("OpenAI and Anthropic met on Monday. They signed.", "they", ["OpenAI", "Anthropic"]),
        ("Anthropic was asked twice. It refused.", "it", ["Anthropic"]),
        ("Senator Dana Ruiz wrote a bill. She wants a vote.", "she", ["Dana Ruiz"]),
        ("Anthropic sued. A Pentagon official replied.", "official", ["U.S. Department of Defense"]),
    ],
)
def test_a_word_refers_to_what_was_named(text: str, word: str, names: list[str]) -> None:
    assert stands_for(text, word) == names


def test_its_refers_to_the_subject_of_the_verb() -> None:
    assert stands_for("The Pentagon is urging Anthropic to share its models.", "its") == ["Anthropic"]


def test_his_company_is_the_one_he_leads() -> None:
    text = "OpenAI CEO Sam Altman spoke on Friday. He said his company has agreed to terms."
    assert stands_for(text, "company") == ["OpenAI"]


def test_we_in_a_quotation_is_the_speakers_side() -> None:
    text = "“We will challenge the designation in court,” Anthropic said in a post on Friday."
    assert stands_for(text, "we") == ["Anthropic"]


def test_i_in_remarks_is_the_speaker_in_the_title() -> None:
    text = "Thank you all. In May, I signed an executive order on artificial intelligence."
    assert stands_for(text, "i", title="Remarks by President Biden on Artificial Intelligence") == ["Joe Biden"]


def test_expletive_it_refers_to_nothing() -> None:
    assert stands_for("Anthropic met the press. It is unclear whether the lab will sign.", "it") == []


def test_an_object_it_may_be_a_bill_without_a_name() -> None:
    text = "Senator Dana Ruiz wrote a chatbot bill. The governor signed it."
    assert stands_for(text, "it") == ["chatbot bill"]


def test_a_company_without_a_name_refers_to_nothing() -> None:
    assert stands_for("The company signed a deal.", "company") == []


def test_it_in_what_somebody_says_is_the_speaker() -> None:
    text = "Meta makes a chatbot.\n\nThe FTC said on Tuesday that it is looking into the company."
    assert stands_for(text, "it") == ["Federal Trade Commission"]
    text = "Meta makes a chatbot.\n\nThe watchdog said on Tuesday that it is looking into children's safety."
    assert stands_for(text, "it") == ["watchdog"]  # which one is not said, but it is not the firm


def test_inspectors_of_a_body_act_for_it() -> None:
    text = "The lab will let inspectors of the AI Security Institute see its logs."
    assert stands_for(text, "inspectors") == ["U.K. AI Security Institute"]
    text = "The FTC met the press. Three officials of the agency said that it will sue."
    assert stands_for(text, "officials") == ["Federal Trade Commission"]


def test_the_authority_is_not_a_court() -> None:
    text = "The Competition and Markets Authority fined OpenAI. The Tokyo District Court agreed. The authority went on."
    assert stands_for(text, "authority") == ["Competition and Markets Authority"]


def test_the_federal_government_is_that_of_the_bodies_mentioned() -> None:
    text = "The Indian computer emergency team, CERT-In, wrote to AI firms. The federal government wants more."
    assert "U.S. government" not in stands_for(text, "government")
    assert stands_for("Congress met OpenAI. The federal government wants more.", "government") == ["U.S. government"]


def test_a_word_capitalised_once_is_not_the_company() -> None:
    text = "OpenAI will label its chatbot. Your saved personas stay, even Daan. The company has not said more."
    assert stands_for(text, "company") == ["OpenAI"]


def test_a_capitalised_title_refers_only_to_a_body_of_that_name() -> None:
    text = "The Cyberspace Administration of China set AI rules. The Tidal Council issued rules for AI models, too."
    assert "Cyberspace Administration of China" not in stands_for(text, "tidal council")


def test_the_commissioner_is_not_an_institute() -> None:
    text = "The U.K. AI Security Institute tested a model. The commissioner then fined its maker."
    assert stands_for(text, "commissioner") == []


def test_the_regulator_is_neither_institute_nor_court() -> None:
    text = "The Federal Trade Commission wrote. The U.K. AI Security Institute tested a model. The regulator fined it."
    assert stands_for(text, "regulator") == ["Federal Trade Commission"]


def test_the_government_is_that_of_the_country_mentioned_not_of_the_companies_home() -> None:
    text = "Malaysia restored access to Grok. X and xAI promised better filters. The government wants more."
    assert stands_for(text, "government") == ["Malaysian government"]
    text = "Microsoft and OpenAI will put servers into Kenyan data centres. The government wants more."
    assert stands_for(text, "government") == ["Kenyan government"]
    assert stands_for("Microsoft met OpenAI. The government wants more.", "government") == ["U.S. government"]
