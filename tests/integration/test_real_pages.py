"""Minimum scores of the page reader on 86 real news pages, with and without recipes."""

from __future__ import annotations

from functools import lru_cache

import pytest
from support.page_scores import Score, score_all, summary
from support.paths import SHARED

from scrapers.items import Outcome

PAGES = SHARED / "pages"

pytestmark = pytest.mark.skipif(not PAGES.is_dir(), reason=f"recorded pages not found ({PAGES})")

# Slightly below the measured scores. Lower them only deliberately.
FLOORS = {
    False: {"f1": 0.978, "precision": 0.972, "recall": 0.982, "title": 0.79, "day": 0.97, "authors": 0.94},
    True: {"f1": 0.984, "precision": 0.983, "recall": 0.984, "title": 0.79, "day": 0.97, "authors": 0.94},
}


@lru_cache(maxsize=2)
def scores(recipes: bool) -> list[Score]:
    return score_all(PAGES, recipes=recipes)


@pytest.mark.parametrize("recipes", [False, True], ids=["general reader", "recipes"])
@pytest.mark.parametrize("figure", sorted(FLOORS[True]))
def test_scores_are_not_below_their_floors(recipes, figure):
    assert summary(scores(recipes))[figure] >= FLOORS[recipes][figure]


@pytest.mark.parametrize("recipes", [False, True], ids=["general reader", "recipes"])
def test_every_page_is_an_article(recipes):
    assert [s.name for s in scores(recipes) if s.reading.outcome is not Outcome.SAVED] == []


def test_every_date_has_a_basis():
    for score in scores(True):
        article = score.reading.article
        assert (article.published_basis == "unknown") == (article.published_at is None), score.name
