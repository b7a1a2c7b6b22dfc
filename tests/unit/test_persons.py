"""Descriptions of people, makers and owners refer to those named before."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

import pytest

from pipeline.nlp.pipeline import Tools, load_tools, read_text
from scrapers.items import Article, text_version


@lru_cache(maxsize=1)
def tools() -> Tools:
    return load_tools(classifier=False, only_relevant=False)


@pytest.mark.parametrize(
    ("text", "word", "names"),
    [
        ("Sen. Ida Roe wrote to OpenAI. On Friday the Democrat introduced a bill.", "democrat", ["Ida Roe"]),
        ("Gov. Olu Marsh met Ann Bell. The Republican vetoed the bill.", "republican", ["Olu Marsh"]),
        (
            "Sens. Ida Roe and Max Dole wrote to OpenAI. The two senators want answers.",
            "senators",
            ["Ida Roe", "Max Dole"],
        ),
        ("Sens. Ida Roe and Max Dole wrote to OpenAI. The three senators want answers.", "senators", []),
        ("Nora Venn lost her job to a chatbot. The engineer sued OpenAI.", "engineer", ["Nora Venn"]),
        ("Nora Venn and Pia Lund lost their jobs. The engineer sued OpenAI.", "engineer", []),
        ("Articles of The New York Times were copied. The newspaper sued.", "newspaper", ["The New York Times"]),
        ("Facebook's parent company will keep teenagers out.", "company", ["Meta"]),
        ("The maker of ChatGPT will keep teenagers out.", "maker", ["OpenAI"]),
        ("The Texas House passed a bill on chatbots. The state's governor signed it.", "governor", ["Greg Abbott"]),
        ("Colorado's governor signed it.", "governor", ["Jared Polis"]),
    ],
)
def test_a_description_refers_to_the_person_it_fits(text: str, word: str, names: list[str]) -> None:
    day = datetime(2026, 5, 5, tzinfo=UTC)
    article = Article("a1", text_version(text), "test", "https://example.org/1", "Title", text, published_at=day)
    passages, _, referents, _ = read_text(article, tools(), day.date())
    found = [token for passage in passages for token in passage.doc if token.lower_ == word]
    assert [mention.name for mention in referents.of(found[0])] == names
