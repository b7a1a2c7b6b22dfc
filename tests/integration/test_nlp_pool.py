"""The extraction pool: order, determinism, replacement of killed workers, and wrong settings."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from support.nlp_tools import load_once

from pipeline.errors import WrongUse
from pipeline.nlp.pipeline import extract
from pipeline.nlp.pool import MIN_ARTICLES, extract_all, extract_each, reader_count
from pipeline.records import Findings
from scrapers.items import Article, article_id, text_version
from scrapers.process_pool import Lost

STORY = (
    "Halden Labs signed an agreement with the AI safety institute on Monday to let it test AI model {n} early. "
    "The Pentagon banned Anthropic from AI contracts, and {name} sued over the order."
)


def _articles(count: int) -> list[Article]:
    texts = [STORY.format(n=n, name="HERON FOUR LABS" if n % 2 else "Heron Four Labs") for n in range(count)]
    return [
        Article(
            article_id(f"https://crew.example/{n}"),
            text_version(text),
            "crew",
            f"https://crew.example/{n}",
            "AI deal signed",
            text,
            published_at=datetime(2026, 5, 5, 12, tzinfo=UTC),
        )  # fmt: skip
        for n, text in enumerate(texts)
    ]


def test_two_workers_give_the_findings_of_one_in_the_same_order() -> None:
    articles = _articles(MIN_ARTICLES + 6)
    alone = list(extract_all(articles, readers=1))
    assert list(extract_all(iter(articles), readers=2)) == alone
    assert [found.article_id for found in alone] == [article.article_id for article in articles]
    assert all(found.claims for found in alone)


def test_findings_do_not_depend_on_earlier_articles() -> None:
    nlp = load_once()
    articles = _articles(4)
    first = extract(articles[0], nlp)
    for other in articles[1:]:
        extract(other, nlp)
    assert extract(articles[0], nlp) == first


def test_killed_workers_are_replaced_without_loss() -> None:
    articles = _articles(MIN_ARTICLES + 8)
    found = extract_each(articles, readers=2)
    seen = [next(found)]
    for child in multiprocessing.active_children():
        os.kill(child.pid, signal.SIGKILL)
    seen += found
    assert [article for article, _ in seen] == articles
    assert all(isinstance(each, Findings) and each.claims for _, each in seen)


def deadly(lexicon: tuple) -> Callable[[Article], Findings]:
    """Return a reader that an article named "crew.example/1" ends."""

    def read(article: Article) -> Findings:
        if article.url.endswith("/1"):
            os.kill(os.getpid(), signal.SIGSEGV)
        return Findings(article.article_id, article.version, False, 0.0)

    return read


def test_an_article_that_kills_its_worker_loses_only_its_own_findings() -> None:
    articles = _articles(4)
    found = dict(extract_each(articles, readers=1, start=deadly))
    assert found[articles[1]] == Lost("its process died (SIGSEGV), twice")
    assert [isinstance(each, Findings) for each in found.values()] == [True, False, True, True]


def test_no_articles_start_no_worker() -> None:
    assert list(extract_all([], readers=2)) == []


@pytest.mark.parametrize("wrong", ["0", "-1", "two", "1.5"])
def test_a_wrong_number_of_workers_is_rejected(wrong: str, monkeypatch) -> None:
    monkeypatch.setenv("OVERSIGHT_READERS", wrong)
    with pytest.raises(WrongUse, match="OVERSIGHT_READERS"):
        reader_count()


def test_the_number_of_workers_can_be_set(monkeypatch) -> None:
    monkeypatch.setenv("OVERSIGHT_READERS", "3")
    assert reader_count() == 3
