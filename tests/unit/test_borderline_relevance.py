"""Borderline articles are extracted; one sure claim makes them relevant."""

from __future__ import annotations

from datetime import UTC, datetime

from support.nlp_tools import load_once

from pipeline.nlp.pipeline import DECIDING_CONFIDENCE, extract
from pipeline.nlp.relevance.score import DOUBT, THRESHOLD, judge_relevance
from scrapers.items import Article, text_version

# Both say "AI" once, and what authorities do in a few words.
SCHOOL = (
    "The school by the canal has four hundred pupils, a garden and a bell from 1904. Its teachers mark some nine "
    "thousand essays a year, most of them on Sunday evenings, with tea. The longest so far was about a heron.\n\n"
    "Handwriting has grown worse, they say, and spelling better. Nobody knows why. The caretaker blames the pens."
)
COUNCIL = (
    "Quota for machines that mark essays",
    "The ministry told schools on Friday that its AI may mark no more than one essay in ten.\n\n"
    "On Tuesday the cabinet banned the grading service Oriel from all primary schools.\n\n"
    "Parents had asked for that since the winter, when a boy in Leeuwarden was given the marks of his sister.\n\n"
    + SCHOOL,
)
PHONE = (
    "A telephone that listens",
    "The new telephone has an AI that takes notes in meetings.\n\n"
    "Its maker praises its own guidelines. The first customers were the ministry, the cabinet and a judge.\n\n"
    "We had it for a week, as had our lawyers and the city council, and the battery lasted.\n\n" + SCHOOL,
)


def read(title: str, text: str):
    day = datetime(2026, 5, 5, tzinfo=UTC)
    return extract(
        Article("a1", text_version(text), "t", "https://e.example/1", title, text, published_at=day),
        load_once(only_relevant=True),
    )


def test_borderline_article_is_kept_only_with_a_confident_claim() -> None:
    for title, text in (COUNCIL, PHONE):
        judged = judge_relevance(title, text)
        assert judged.doubtful and not judged.relevant and DOUBT <= judged.score < THRESHOLD, (title, judged)
    kept, left = read(*COUNCIL), read(*PHONE)
    assert kept.relevant and max(claim.confidence for claim in kept.claims) >= DECIDING_CONFIDENCE
    assert not left.relevant and left.claims == () and left.relevance_score == judge_relevance(*PHONE).score


def test_an_article_on_another_subject_is_not_extracted() -> None:
    judged = judge_relevance("Apple pie", "The court of bakers banned sugar.")
    assert not judged.doubtful and not judged.relevant
    assert not read("Apple pie", "The court of bakers banned sugar.").relevant
