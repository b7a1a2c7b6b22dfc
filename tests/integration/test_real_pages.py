"""86 real news pages with gold answers in; floors under body, title, day and authors, with recipes and without, out."""

from __future__ import annotations

from functools import lru_cache

import pytest
from support.page_scores import Score, score_all, shared_folder, summary

from scrapers.items import Outcome

PAGES = shared_folder() / "pages"

pytestmark = pytest.mark.skipif(not PAGES.is_dir(), reason=f"the recorded pages are not here ({PAGES})")

# What was measured, less a hair: a change that loses ground has to say so here.
FLOORS = {
    False: {"f1": 0.968, "precision": 0.955, "recall": 0.974, "title": 0.79, "day": 0.97, "authors": 0.94},
    True: {"f1": 0.983, "precision": 0.983, "recall": 0.982, "title": 0.79, "day": 0.97, "authors": 0.94},
}


@lru_cache(maxsize=2)
def scores(recipes: bool) -> list[Score]:
    return score_all(PAGES, recipes=recipes)


@pytest.mark.parametrize("recipes", [False, True], ids=["general reader", "recipes"])
@pytest.mark.parametrize("figure", sorted(FLOORS[True]))
def test_no_figure_falls_under_its_floor(recipes, figure):
    assert summary(scores(recipes))[figure] >= FLOORS[recipes][figure]


@pytest.mark.parametrize("recipes", [False, True], ids=["general reader", "recipes"])
def test_every_page_is_found_to_be_an_article(recipes):
    assert [s.name for s in scores(recipes) if s.reading.outcome is not Outcome.SAVED] == []


def test_no_date_of_the_pages_is_without_a_basis():
    for score in scores(True):
        article = score.reading.article
        assert (article.published_basis == "unknown") == (article.published_at is None), score.name
