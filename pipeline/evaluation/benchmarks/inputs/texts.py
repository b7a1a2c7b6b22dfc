"""Generates any number of different articles and pages from the shipped stories.

Relevant articles are those of the newsroom and the training stories, short ones joined to an ordinary length.
Irrelevant ones are composed, at the same length, from training stories that are not about AI oversight.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from functools import cache

from pipeline.newsroom.pages import article_page
from pipeline.newsroom.stories import stories
from pipeline.nlp.training.corpus import read_corpus
from scrapers.items import Article, Page, Precision, article_id, text_version

ORDINARY = 3_500  # characters of an ordinary news article
PARAGRAPH = 3  # sentences
_NUMBER = re.compile(r"(?<![\d.,])\d{2,3}(?![\d.,])")
_DAY = date(2026, 5, 5)


def relevant_articles(count: int, edition: int = 0) -> list[Article]:
    """Return relevant articles. Editions differ in the numbers and the order of paragraphs."""
    stock = zip(range(count), _cycle(_relevant()), strict=False)
    return [_edition(title, text, number, edition) for number, (title, text) in stock]


def irrelevant_articles(count: int, edition: int = 0) -> list[Article]:
    """Return irrelevant articles of ordinary length, each a different mixture of sentences."""
    chance = random.Random(f"irrelevant {edition}")
    sentences, made = _irrelevant(), []
    for number in range(count):
        title, *chosen = chance.sample(sentences, min(40, len(sentences)))
        paragraphs, size = [], 0
        while chosen and size < ORDINARY:
            words, chosen = " ".join(chosen[:PARAGRAPH]), chosen[PARAGRAPH:]
            paragraphs.append(words)
            size += len(words)
        made.append(_article(f"other-{edition}-{number}", title[:90], "\n\n".join(paragraphs)))
    return made


def pages(count: int, edition: int = 0) -> list[Page]:
    """Return pages as fetched: the newsroom's, in the layouts of its publishers, made unique by a comment."""
    made = []
    sound = [story for story in stories() if not story.broken]
    for number, story in zip(range(count), _cycle(sound), strict=False):
        body = article_page(story) + f"<!-- {edition} {number} -->".encode()
        made.append(
            Page(
                url=f"{story.url}?{edition}.{number}",
                final_url=story.url,
                source_id="bench",
                status=200,
                fetched_at=datetime(2026, 6, 1, tzinfo=UTC),
                media_type="text/html",
                charset=story.encoding,
                headers=(),
                body=body,
                sha256=hashlib.sha256(body).hexdigest(),
            )
        )
    return made


def data_hash() -> str:
    """Return a hash of 16 hex digits over everything that the texts are made from."""
    digest = hashlib.sha256()
    for title, text in _relevant():
        digest.update(f"{title}\0{text}\0".encode())
    for sentence in _irrelevant():
        digest.update(sentence.encode() + b"\0")
    return digest.hexdigest()[:16]


def mean_lengths() -> dict[str, int]:
    """Return the mean number of characters of the relevant and the irrelevant texts."""
    made = {"relevant": [text for _, text in _relevant()], "irrelevant": [a.text for a in irrelevant_articles(50)]}
    return {name: round(sum(map(len, found)) / len(found)) for name, found in made.items()}


def _cycle(items: list) -> Iterable:
    while True:
        yield from items


def _edition(title: str, text: str, number: int, edition: int) -> Article:
    paragraphs = text.split("\n\n")
    turn = edition % len(paragraphs)
    words = "\n\n".join(paragraphs[turn:] + paragraphs[:turn])
    words = _NUMBER.sub(lambda match: str(10 + (int(match[0]) + 7 * number + 13 * edition) % 900), words)
    return _article(f"story-{edition}-{number}", title, words)


def _article(name: str, title: str, text: str) -> Article:
    url = f"https://bench.example/{name}"
    return Article(
        article_id(url),
        text_version(text),
        "bench",
        url,
        title,
        text,
        published_at=datetime.combine(_DAY, time(12), tzinfo=UTC),
        published_basis="given",
        published_precision=Precision.DAY,
        fetched_at=datetime(2026, 5, 6, tzinfo=UTC),
        publisher="bench",
    )


@cache
def _story_sentences() -> dict[str, tuple[bool, list[str]]]:
    """Return training story -> (whether it is relevant, its sentences)."""
    found: dict[str, tuple[bool, list[str]]] = {}
    for example in read_corpus().examples:
        found.setdefault(example.source, (example.relevant, []))[1].append(example.sentence)
    return found


@cache
def _relevant() -> list[tuple[str, str]]:
    made = [(story.title, story.text) for story in stories() if story.language == "en" and not story.broken]
    for about, sentences in _story_sentences().values():
        if about and len(sentences) > 5:
            cut = [" ".join(sentences[at : at + PARAGRAPH]) for at in range(0, len(sentences), PARAGRAPH)]
            made.append((sentences[0][:90], "\n\n".join(cut)))
    from pipeline.nlp.relevance.score import judge_relevance

    joined: list[tuple[str, str]] = []
    for title, text in made:
        if not judge_relevance(title, text).relevant:
            continue
        if joined and len(joined[-1][1]) < ORDINARY * 0.8:
            joined[-1] = (joined[-1][0], f"{joined[-1][1]}\n\n{text}")
        else:
            joined.append((title, text))
    return joined


@cache
def _irrelevant() -> list[str]:
    """Return the sentences of irrelevant stories without any trace of AI, so that no mixture becomes relevant."""
    from pipeline.nlp.relevance.score import passes_topic

    others = (sentences for about, sentences in _story_sentences().values() if not about)
    return [sentence for sentences in others if not passes_topic(" ".join(sentences)) for sentence in sentences]
