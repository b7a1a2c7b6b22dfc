"""Invariants of aggregation for any articles in any order, drawn from the newsroom's annotated articles."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from functools import cache
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from support.builders import source
from support.gold_claims import load_gold

from pipeline.aggregation.aggregate import Aggregate, aggregate
from pipeline.commands.operate.demo import demo_lexicon
from pipeline.lexicon.load import load_lexicon
from pipeline.newsroom.answers import write_documents
from pipeline.records import Findings
from scrapers.items import Article

SOURCES = (source("courier"),)
SEVERAL = st.lists(st.integers(0, 10_000), min_size=2, max_size=14, unique=True)


@cache
def reports() -> tuple[tuple[Article, Findings], ...]:
    """Return the newsroom's articles with claims, in order of publication."""
    with tempfile.TemporaryDirectory() as folder:
        write_documents(Path(folder) / "texts", Path(folder) / "claims")
        claims, articles, _, _ = load_gold(folder)
    of_article = defaultdict(list)
    for claim in claims:
        of_article[claim.evidence.article_id].append(claim)
    pairs = [
        (articles[id_], Findings(id_, articles[id_].version, True, 1.0, tuple(members)))
        for id_, members in of_article.items()
    ]
    return tuple(sorted(pairs, key=lambda pair: (str(pair[0].published_at), pair[0].article_id)))


@cache
def lexicon():  # noqa: ANN201
    return load_lexicon(demo_lexicon())


def some(numbers: list[int]) -> list[tuple[Article, Findings]]:
    every = reports()
    return [every[number] for number in sorted({number % len(every) for number in numbers})]


def joined(pairs: list[tuple[Article, Findings]]) -> Aggregate:
    return aggregate([found for _, found in pairs], [art for art, _ in pairs], SOURCES, lexicon=lexicon())


@settings(max_examples=25, deadline=None)
@given(SEVERAL, st.randoms(use_true_random=False))
def test_order_of_articles_does_not_matter(numbers, shuffle) -> None:
    pairs = some(numbers)
    expected = joined(pairs)
    shuffle.shuffle(pairs)
    assert joined(pairs) == expected


@settings(max_examples=25, deadline=None)
@given(SEVERAL)
def test_a_further_article_of_the_latest_day_never_lowers_n_articles(numbers) -> None:
    pairs = some(numbers)
    before, after = joined(pairs[:-1]), joined(pairs)
    now = {event.event_id: event for event in after.events}
    for event in before.events:
        holders = {after.claim_event[claim_id] for claim_id in event.claim_ids}
        assert len(holders) == 1, event
        assert now[holders.pop()].n_articles >= event.n_articles
        # No report counts twice, whatever is added later.
        assert all(e.n_origins <= e.n_articles for e in after.events)


@settings(max_examples=25, deadline=None)
@given(SEVERAL, st.integers(0, 10_000))
def test_an_article_that_goes_and_comes_back_leaves_the_same_ids(numbers, which) -> None:
    pairs = some(numbers)
    gone = pairs[which % len(pairs)]
    first = joined(pairs)
    without = joined([pair for pair in pairs if pair is not gone])
    assert not {c.claim_id for c in gone[1].claims} & set(without.claims)
    again = joined([pair for pair in pairs if pair is not gone] + [gone])
    assert [e.event_id for e in again.events] == [e.event_id for e in first.events]
    assert again == first


@settings(max_examples=25, deadline=None)
@given(SEVERAL)
def test_every_claim_is_in_one_event_and_every_event_has_a_claim(numbers) -> None:
    pairs = some(numbers)
    found = joined(pairs)
    held = [claim_id for event in found.events for claim_id in event.claim_ids]
    assert sorted(held) == sorted(c.claim_id for _, findings in pairs for c in findings.claims)
    assert all(event.claim_ids for event in found.events)
    assert len({event.event_id for event in found.events}) == len(found.events)


def test_later_articles_split_no_event_and_older_ones_few() -> None:
    pairs = list(reports())
    whole = joined(pairs)
    number = {event.event_id: event.n_articles for event in whole.events}
    lowered = 0
    for gone in pairs[:: max(1, len(pairs) // 12)]:
        for event in joined([pair for pair in pairs if pair is not gone]).events:
            lowered += max(number[whole.claim_event[id_]] for id_ in event.claim_ids) < event.n_articles
    assert lowered <= 2
