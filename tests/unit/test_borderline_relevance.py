"""Articles whose words leave their subject open are read; a sure claim makes them relevant."""

from __future__ import annotations

from datetime import UTC, datetime

from support.nlp_tools import load_once

from pipeline.nlp.pipeline import DECIDING_CONFIDENCE, doc_of, extract
from pipeline.nlp.relevance.score import DOUBT, THRESHOLD, judge_relevance
from pipeline.records import Findings
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


def article(title: str, text: str) -> Article:
    day = datetime(2026, 5, 5, tzinfo=UTC)
    return Article("a1", text_version(text), "t", "https://e.example/1", title, text, published_at=day)


def read(title: str, text: str) -> Findings:
    return extract(article(title, text), load_once(always=False))


def test_a_sure_claim_decides_on_a_borderline_article() -> None:
    nlp = load_once(always=False)
    for title, text in (COUNCIL, PHONE):
        judged = judge_relevance(title, text)
        assert judged.doubtful and not judged.relevant and DOUBT <= judged.score < THRESHOLD, (title, judged)
        sure = [c for c in nlp(doc_of(article(title, text), nlp))._.claims if c.confidence >= DECIDING_CONFIDENCE]
        found = read(title, text)
        assert found.relevant == bool(sure) and found.relevance_score == judged.score
        assert found.relevant or found.claims == ()
    assert not read(*PHONE).relevant


def test_an_article_on_another_subject_is_not_extracted() -> None:
    judged = judge_relevance("Apple pie", "The court of bakers banned sugar.")
    assert not judged.doubtful and not judged.relevant
    assert not read("Apple pie", "The court of bakers banned sugar.").relevant
