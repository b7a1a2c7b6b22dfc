"""Late articles: when they take no reports from an event, and why they sometimes must."""

from __future__ import annotations

from functools import cache
from itertools import permutations

import pytest
from support.builders import article, claim

from pipeline.aggregation.clustering.cluster import group
from pipeline.evaluation.fitting.grouping import Material
from pipeline.evaluation.fitting.late_arrivals import cannot_lose, draws, events, losses, synthetic, table
from pipeline.evaluation.gold import annotated_claims, lexicon_ids
from pipeline.lexicon.entity_graph import EntityGraph, holders_of
from pipeline.lexicon.load import load_lexicon
from pipeline.newsroom.answers import expected, version
from pipeline.newsroom.stories import FOLDER
from pipeline.records import Claim
from scrapers.items import Article

Report = tuple[Article, Claim]


@cache
def newsroom() -> Material:
    """The newsroom's annotated claims."""
    lexicon = load_lexicon(FOLDER / "lexicon.toml")
    claims, articles = [], {}
    for document_id, gold in expected().items():
        one, found, _ = annotated_claims(gold, version(document_id).text, lexicon_ids(lexicon))
        articles[one.article_id] = one
        claims += found
    return Material("newsroom", claims, articles, EntityGraph(lexicon.entities.values(), holders_of(lexicon)), {}, {})


@pytest.mark.parametrize("few", [True, False])
@pytest.mark.parametrize("of", ["newsroom", "synthetic"])
def test_an_article_without_links_or_with_only_older_links_takes_no_reports(of: str, few: bool) -> None:
    material = newsroom() if of == "newsroom" else synthetic(4)
    held = 0
    for claims, late in draws(material, 40, few, seed=7):
        if cannot_lose(material, claims, late):
            held += 1
            assert losses(material, claims, late) == []
    assert held >= (10 if few else 1)


def test_late_articles_take_few_reports() -> None:
    found = [
        loss for claims, late in draws(newsroom(), 40, few=False, seed=7) for loss in losses(newsroom(), claims, late)
    ]
    assert len(found) <= 2
    for loss in found:
        assert 1 <= loss.after < loss.before


def test_each_claim_is_in_one_event_with_and_without_a_late_article() -> None:
    for claims, late in draws(synthetic(5), 10, few=False):
        rest = [c for c in claims if c.evidence.article_id != late]
        for some in (claims, rest):
            held = [id_ for ids in events(synthetic(5), some).values() for id_ in ids]
            assert sorted(held) == sorted(c.claim_id for c in some)


def report(source_id: str, sentence: str, trigger: str, day: int, **more) -> Report:
    art = article(source_id, "ban", sentence, day=day)
    return art, claim(
        art, sentence, trigger, "restriction", actor="Halden Office", target="Meridian", object="Lantern 2", **more
    )


BAN = report("courier", "The Halden Office imposed a ban on Lantern 2 of Meridian.", "imposed", 0, direction="impose")
END = report("herald", "The Halden Office lifted a ban on Lantern 2 of Meridian.", "lifted", 1, direction="lift")
OPEN = report("gazette", "The Halden Office decided on the ban on Lantern 2 of Meridian.", "decided", 2)


def sizes(*reports: Report) -> list[int]:
    return sorted(len(ids) for ids in group([c for _, c in reports], {a.article_id: a for a, _ in reports}))


def test_a_report_cannot_stay_with_both_of_two_incompatible_claims() -> None:
    """An event can lose articles because the result must not depend on the order of discovery."""
    assert sizes(BAN, OPEN) == [2]
    assert sizes(END, OPEN) == [2]
    assert sizes(BAN, END) == [1, 1]
    for some in permutations((BAN, END, OPEN)):
        assert sizes(*some) == [1, 2]
    material = Material("bans", [c for _, c in (BAN, END, OPEN)], {a.article_id: a for a, _ in (BAN, END, OPEN)},
                        EntityGraph(()), {}, {})  # fmt: skip
    lost = losses(material, material.claims, END[0].article_id)
    assert [(loss.before, loss.after, loss.excluded) for loss in lost] == [(2, 1, True)]
    assert not cannot_lose(material, material.claims, END[0].article_id)


def test_the_table_counts_every_draw() -> None:
    lines = list(table([synthetic(6)], 3))
    assert [line.split(", ")[0].split()[-3:] for line in lines] == [["few", "draws", "3"], ["half", "draws", "3"]]
    assert all("safe with loss 0" in line for line in lines)
