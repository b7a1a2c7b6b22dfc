"""Extracts an article as `pipeline.nlp.pipeline` does, timing the relevance filter and each spaCy component."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from spacy.language import Language

from pipeline.nlp.pipeline import doc_of
from pipeline.nlp.relevance.score import judge_relevance
from pipeline.records import Claim
from scrapers.items import Article

STAGES = (
    "relevance", "tokenizer", "paragraphs", "tok2vec", "tagger", "parser", "attribute_ruler", "names", "coreference",
    "events", "claims",
)  # fmt: skip


def staged(article: Article, nlp: Language, spent: dict[str, float]) -> tuple[Claim, ...]:
    """Extract an article, adding the CPU seconds of each of STAGES to `spent`; return the claims."""

    @contextmanager
    def clock(name: str) -> Iterator[None]:
        before = time.process_time()
        yield
        spent[name] += time.process_time() - before

    with clock("relevance"):
        judge_relevance(article.title, article.text)
    with clock("tokenizer"):
        doc = doc_of(article, nlp)
    for name, component in nlp.pipeline:
        with clock(name):
            doc = component(doc)
    return tuple(doc._.claims)
