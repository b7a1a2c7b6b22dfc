"""Odd texts neither break nor stall extraction: quotes stay exact and time grows with length."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.nlp_tools import load_once

from pipeline.evaluation.documents import read_folder
from pipeline.nlp import pipeline as nlp_pipeline
from pipeline.nlp.pipeline import extract
from pipeline.nlp.relevance.score import judge_relevance
from pipeline.records import Findings
from scrapers.items import Article, article_id, text_version
from scrapers.reading.decoding import load_json, whole
from scrapers.reading.plain_text import plain_text

NEWS = "The Pentagon banned Anthropic on Monday and OpenAI, Google and xAI signed deals with the agency. "
TITLE = "Pentagon bans AI model"


def _names(n: int) -> str:
    """Names that no lexicon knows, each different."""
    parts = ["ba", "do", "ki", "mu", "ra", "tel", "vor", "zan", "quil", "mer", "sto", "pax", "lin", "der", "ost"]
    made = (parts[i % 15] + parts[i // 15 % 15] + parts[i // 225 % 15] for i in range(n // 40))
    return " ".join(f"{name.capitalize()} Labs said Ana {name.capitalize()}berg left." for name in made)


def _acronyms(n: int) -> str:
    letters = ((chr(65 + i % 26), chr(65 + i // 26 % 26), chr(65 + i // 676 % 26)) for i in range(n // 24))
    return " ".join(f"{a}lpha {b}eta {c}umma ({a}{b}{c})." for a, b, c in letters)


HOSTILE: dict[str, Callable[[int], str]] = {
    "one acronym again and again": lambda n: "Alpha Beta (AB) " * (n // 16),
    "many acronyms": _acronyms,
    "quotation marks": lambda n: '" ' * (n // 2),
    "short quotations": lambda n: "“a b c” " * (n // 8),
    "sentences in quotation marks": lambda n: "“We banned it.” " * (n // 16),
    "bullets": lambda n: "".join(f"- The agency banned model {i} of the lab.\n" for i in range(n // 40)),
    "dates": lambda n: " ".join(f"On {1 + i % 28} May {1900 + i % 200} Anthropic signed." for i in range(n // 36)),
    "deep brackets": lambda n: "(" * (n // 2) + "Anthropic signed a deal" + ")" * (n // 2),
    "bracketed letters": lambda n: "(AB) " * (n // 5),
    "surrogates": lambda n: "Anthropic \ud800\udc00 signed a \udfff deal. " * (n // 34),
    "NUL": lambda n: "Anthropic\0signed a deal.\0 " * (n // 26),
    "control characters": lambda n: "".join(chr(i % 32) for i in range(n)),
    "one giant word": lambda n: "x" * n,
    "zero-width characters": lambda n: "AI\u200b ban\u200d signed.\ufeff " * (n // 18),
    "punctuation": lambda n: ".,;:!?—-" * (n // 8),
    "addresses": lambda n: " ".join(f"https://example.org/a/{i}?q=AI&x=%20{i}" for i in range(n // 40)),
    "capitals": lambda n: "THE PENTAGON BANNED ANTHROPIC MONDAY. " * (n // 38),
    "unknown names": _names,
    "known names": lambda n: "Anthropic, " * (n // 11),
    "one endless sentence": lambda n: NEWS.replace(". ", ", and ") * (n // 97),
    "news on one line": lambda n: NEWS * (n // 97),
    "letters on lines": lambda n: "a\n" * (n // 2),
    "white space": lambda n: " \t\r\n\v\f" * (n // 6),
    "emoji": lambda n: "😀 AI ban 🏳️‍🌈 signed. " * (n // 22),
    "right to left": lambda n: "وقعت الشركة اتفاقا مع الحكومة. \u202eAI\u202c " * (n // 36),
    "mojibake": lambda n: "The companyâ€™s â€œAIâ€\x9d ban was signed. " * (n // 42),
    "HTML": lambda n: '<p class="x">Anthropic &amp; OpenAI <b>signed</b> a deal.</p>\n' * (n // 62),
    "stacked accents": lambda n: "á̷̛" * (n // 4),
    "letters that grow in lower case": lambda n: "İstanbul AI yasağı. " * (n // 20),
    "speech within speech": lambda n: (
        "“We will ban it,” said Ana Duarte, who said that the lab, which said it, left. " * (n // 80)
    ),
    "pronouns": lambda n: "He said it banned the company and they sued. " * (n // 45),
}


def _article(text: str) -> Article:
    return Article(
        article_id("https://odd.example/1"), text_version(whole(text)), "odd", "https://odd.example/1", TITLE, text,
        published_at=datetime(2026, 5, 5, 12, tzinfo=UTC),
    )  # fmt: skip


def _read(text: str) -> Findings:
    """Understand a text; check that every quote, trigger and participant stands where it is said to."""
    found = extract(_article(text), load_once())
    mended = whole(text)
    assert len(mended) == len(text)
    for claim in found.claims:
        evidence = claim.evidence
        assert mended[evidence.start : evidence.end] == evidence.quote != ""
        assert mended[claim.trigger_start : claim.trigger_end] == claim.trigger != ""
        for party in claim.participants:
            if party.start >= 0:
                assert evidence.start <= party.start < party.end <= evidence.end
    for credit in found.credits:
        assert 0 <= credit.start <= credit.end <= len(text)
    return found


@pytest.mark.parametrize("name", HOSTILE)
def test_odd_text_gives_equal_results_in_linear_time(name: str) -> None:
    """Four times the text may take four times as long; a margin of three on top tells that from sixteen times."""
    spent = []
    for n in (1_500, 6_000):
        text = HOSTILE[name](n)
        before = time.process_time()
        found = _read(text)
        judge_relevance(TITLE, text)
        spent.append(time.process_time() - before)
        if n == 1_500:
            assert found == _read(text)
    assert spent[1] < 12 * spent[0] + 0.5


PIECES = st.sampled_from(
    [
        "Anthropic", "the Pentagon", "signed a deal with", "banned", "“", "”", '"', "'", "’s", " ", "\n", "\n\n", ". ",
        ", ", "(", ")", "on Monday", "May 5, 2026", "2026-13-45", "AI", "it", "they", "said", "who", "did not", "•",
        "\u200b", "\u202e", "\0", "\ud800", "é", "😀", "U.S.", "Sen.", "Judge Ana Duarte", "both labs", "$5 million",
        "https://a.example/x", "<b>", "&amp;", ":", ";", "—", "ß", "İ", "the order", "according to",
    ]
)  # fmt: skip


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.one_of(st.lists(PIECES, max_size=60).map("".join), st.lists(PIECES, max_size=60).map(" ".join), st.text()))
def test_any_mixture_of_characters_gives_exact_quotes(text: str) -> None:
    _read(text)


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.lists(PIECES, max_size=60).map(" ".join))
def test_offsets_of_a_cleaned_text_map_back_to_the_original(text: str) -> None:
    made = plain_text(text, name="odd", title=text[:50], published=date(2026, 5, 5))
    for claim in extract(made.article, load_once()).claims:
        start, end = made.original_span(claim.evidence.start, claim.evidence.end)
        assert "".join(made.original[start:end].split()) == "".join(claim.evidence.quote.split())
        assert "".join(whole(text)[start:end].split()) == "".join(claim.evidence.quote.split())


def test_very_long_text_is_read_up_to_a_limit_that_is_reported(monkeypatch) -> None:
    monkeypatch.setattr(nlp_pipeline, "MAX_CHARACTERS", 3_000)
    text = f"{NEWS}\n\n" * 80
    found = _read(text)
    assert 0 < len(text) - 3_000 <= found.unread < len(text) - 2_800
    assert found.claims and max(claim.evidence.end for claim in found.claims) <= len(text) - found.unread
    assert _read(text[:2_000]).unread == 0
    assert _read("x" * 5_000).unread == 2_000


def test_two_megabytes_are_filtered_and_split_quickly() -> None:
    before = time.process_time()
    for text in ("word " * 400_000, "\n" * 2_000_000, "AI act " * 300_000, '"' * 2_000_000, "😀" * 500_000):
        judge_relevance(TITLE, text)
        plain_text(text, name="odd")
    assert time.process_time() - before < 30


def test_document_with_lone_surrogates_gives_valid_utf8() -> None:
    document = {"id": "odd", "title": "AI \ud83d ban", "published": date(2026, 5, 5), "text": f"{NEWS} \udc00 " * 12}
    result = next(iter(read_folder([document], (), lambda line: None)))
    assert result["claims"] and json.dumps(result, ensure_ascii=False).encode()
    assert result["title"] == "AI \ufffd ban"


def test_json_in_a_page_gives_valid_characters_and_reports_deep_nesting() -> None:
    assert load_json('{"headline": "A \\ud83d ban", "a": ["\\ud83d\\ude00"]}') == {
        "headline": "A \ufffd ban",
        "a": ["😀"],
    }
    with pytest.raises((ValueError, RecursionError)):
        load_json("[" * 200_000)


def test_unreadable_document_is_named_as_a_usage_error(tmp_path: Path) -> None:
    from pipeline.commands.documents import read_document
    from pipeline.errors import WrongUse

    deep = tmp_path / "deep.json"
    deep.write_text('{"text": ' + "[" * 200_000)
    with pytest.raises(WrongUse, match="deep.json"):
        read_document(deep)


def test_an_article_without_text_has_no_claims() -> None:
    assert replace(_read(""), relevance_score=0.0) == Findings(
        article_id("https://odd.example/1"), text_version(""), True, 0.0
    )
