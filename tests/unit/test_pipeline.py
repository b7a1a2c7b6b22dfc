"""Claims of whole texts: evidence, robustness, and one real noisy article."""

from __future__ import annotations

import importlib.util
import json
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.nlp_tools import load_once
from support.paths import SHARED

from pipeline.aggregation.aggregate import aggregate
from pipeline.lexicon.load import load_lexicon
from pipeline.nlp.pipeline import extract
from pipeline.records import Claim
from scrapers.items import Article, text_version


def article(text: str, title: str = "Title", day: str = "2026-05-05") -> Article:
    published = datetime.fromisoformat(day).replace(tzinfo=UTC)
    return Article("a1", text_version(text), "test", "https://example.org/1", title, text, published_at=published)


def claims(text: str) -> tuple[Claim, ...]:
    return extract(article(text), load_once()).claims


def parties(claim: Claim, role: str) -> list[str]:
    return [party.name for party in claim.participants if party.role == role]


def test_company_missing_from_the_lexicon_is_reported_as_unknown() -> None:
    findings = extract(article("The Federal Compute Agency banned Lumenar on Monday."), load_once())
    assert {gap.name for gap in findings.unknown_names} == {"Federal Compute Agency", "Lumenar"}
    assert {entity.name for entity in findings.entities if not entity.known} == {"Federal Compute Agency", "Lumenar"}


def test_the_quote_of_a_long_sentence_is_cut_to_the_clauses_around_the_trigger() -> None:
    filler = "which, as several people in the room recalled later, took a very long time to say, " * 7
    (claim,) = claims(
        f"After a meeting {filler}Anthropic sued the Pentagon on Monday, and the day went on, {filler}to its end."
    )
    assert len(claim.evidence.quote) <= 700
    assert "Anthropic sued the Pentagon" in claim.evidence.quote


def test_every_quote_trigger_and_party_has_exact_offsets() -> None:
    text = (
        "“We signed a deal with the Pentagon,” Sam Altman said.\n\nOpenAI’s models, he added, will be tested by CAISI."
    )
    for claim in claims(text):
        assert text[claim.evidence.start : claim.evidence.end] == claim.evidence.quote
        assert text[claim.trigger_start : claim.trigger_end] == claim.trigger
        for party in claim.participants:
            assert party.start < 0 or text[party.start : party.end].replace("’", "'") == party.text.replace("’", "'")


def test_second_extraction_gives_the_same_claims() -> None:
    text = "Anthropic sued the Pentagon. The Pentagon banned Anthropic on Monday."
    assert claims(text) == claims(text)


def test_an_irrelevant_text_has_no_claims() -> None:
    findings = extract(article("The council passed the parking act."), load_once(always=False))
    assert not findings.relevant and findings.claims == ()


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "\n\n\n", "😀 🇪🇺 😀", "‏שלום עולם‏ sued the Pentagon.", "\x00\x01\x02 Anthropic \x07sued\x1b the "
        "Pentagon.",
        "“" * 500, "(((((", "A" * 20_000, "Anthropic " * 1000, "sued " * 3000, "İstanbul’da Anthropic sued the "
        "Pentagon.",
        "banned by by by of of to to and and and", "No may can not never until if unless.",
        "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
    ],
)  # fmt: skip
def test_no_text_causes_an_error(text: str) -> None:
    extract(article(text), load_once())


WORDS = st.sampled_from(
    """Anthropic sued banned agreed to not if the Pentagon a “ ” ( ) , . ? ! — it which has yet refused
    model models order by of and""".split()  # noqa: SIM905
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(WORDS, max_size=40))
def test_no_order_of_words_causes_an_error(words: list[str]) -> None:
    text = " ".join(words)
    for claim in claims(text):
        assert text[claim.evidence.start : claim.evidence.end] == claim.evidence.quote


# -- one real article, noisy and partly self-contradictory
# ----------------------------------------------------------------


@pytest.fixture(scope="module")
def seed() -> tuple[dict, tuple[Claim, ...]]:
    path = SHARED / "seed" / "texts" / "seed-us-urges-meta.json"
    if not path.exists():
        pytest.skip(f"{path} is not here: set OVERSIGHT_SHARED to the folder that holds seed/")
    document = json.loads(path.read_text())
    return document, extract(article(document["text"], document["title"], document["published"]), load_once()).claims


def test_the_real_articles_claims_are_found(seed, tmp_path) -> None:
    document, found = seed
    scorer = importlib.util.spec_from_file_location("score", SHARED / "gold" / "score.py")
    score = importlib.util.module_from_spec(scorer)
    scorer.loader.exec_module(score)
    gold = json.loads((SHARED / "seed" / "claims" / f"{document['id']}.json").read_text())
    predicted = [
        {
            "type": c.type,
            "span": (c.evidence.start, c.evidence.end),
            "participants": [{"role": p.role, "name": p.name} for p in c.participants],
        }
        for c in found
    ]  # fmt: skip
    for claim in gold["claims"]:
        claim["span"] = score.spans(document["text"], claim)
    pairs = score.match(gold["claims"], predicted, typed=True)
    hits = sum(not gold["claims"][i].get("optional") for i, _ in pairs)
    required = sum(not claim.get("optional") for claim in gold["claims"])
    extra = len(predicted) - len(pairs)
    assert 2 * hits / (required + hits + extra) >= 0.68


def test_headings_and_advertising_yield_no_claims(seed) -> None:
    document, found = seed
    gold = json.loads((SHARED / "seed" / "claims" / f"{document['id']}.json").read_text())
    for line in gold["ignore"]:
        assert not [claim.trigger for claim in found if claim.evidence.quote in line]


def test_uncompleted_act_is_not_stored_as_occurred(seed) -> None:
    _, found = seed
    unfinished = ("has yet to voluntarily share", "hopes to sign", "has not yet agreed", "aims to finalize")
    claims_ = [c for c in found if any(words in c.evidence.quote for words in unfinished)]
    claims_ = [c for c in claims_ if c.type in ("access_grant", "agreement", "regulation")]
    assert claims_
    assert [c.evidence.quote for c in claims_ if c.modality == "occurred"] == []


def test_the_order_of_june_second_has_signer_and_date(seed) -> None:
    _, found = seed
    claim = next(claim for claim in found if claim.type == "executive_action" and "June 2" in claim.evidence.quote)
    assert "Donald Trump" in parties(claim, "actor")
    assert claim.date is not None and claim.date.value == "2026-06-02"


def test_the_real_article_credits_one_framework_to_two_administrations(seed) -> None:
    document, _ = seed
    art = article(document["text"], document["title"], document["published"])
    lexicon = load_lexicon()
    found = aggregate([extract(art, load_once())], [art], [], lexicon=lexicon)
    twice = [contradiction for contradiction in found.contradictions if contradiction.field == "actor"]
    assert [sorted(value for value, _ in contradiction.values) for contradiction in twice] == [
        ["Biden administration", "Trump administration"]
    ]
    quotes = [found.claims[id_].evidence.quote for _, ids in twice[0].values for id_ in ids]
    assert any("Trump on June 2" in quote for quote in quotes)
    assert any(quote.startswith("The Biden administration aims to finalize") for quote in quotes)
    # What was set and what is yet to be finished never becomes one event that is done.
    assert len({found.claim_event[id_] for _, ids in twice[0].values for id_ in ids}) == 2
