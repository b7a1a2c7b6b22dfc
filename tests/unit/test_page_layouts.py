"""The page reader, on invented pages in the markup of ten common systems of newsrooms and governments.

The answers are what a careful person would want, not what the reader gives: the deck, all paragraphs, subheadings, list
items, quotations and the names under them; no captions, tables of figures, contact blocks, signatures or descriptions
of the publisher. What the reader gets wrong today is marked as an expected failure.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from support.page_scores import precision_recall

from scrapers.items import Article, Outcome, Page
from scrapers.reading.article import read_page

PAGES = Path(__file__).parent / "pages"
FETCHED = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
LAYOUTS = (
    "agency_release",
    "arc_xp",
    "commission_press",
    "drupal_government",
    "federal_register",
    "govuk",
    "nextjs",
    "substack",
    "wordpress_block",
    "wordpress_classic",
)
WRONG_BYLINE = {
    "wordpress_block": "a block theme names the author only in .wp-block-post-author-name, which is not read",
}
WRONG_BODY = {
    "agency_release": "contact table and closing lines about the agency kept, two subheadings and a list item lost",
    "commission_press": "a quotation inside <figure class=ecl-blockquote> is lost, with its heading and speaker",
    "federal_register": "contact, signature and filing lines kept",
    "nextjs": "headline of an inline related article and a newsletter line within the body kept",
}
NOT_EXACT = WRONG_BODY | {
    "govuk": "contact block at the end of the govspeak kept",
    "substack": "closing line 'Thanks for reading ...' kept",
}


def cases(wrong: dict[str, str]) -> list[Any]:
    return [
        pytest.param(name, marks=pytest.mark.xfail(strict=True, raises=AssertionError, reason=wrong[name]))
        if name in wrong
        else name
        for name in LAYOUTS
    ]


def expected(name: str) -> dict[str, Any]:
    return json.loads((PAGES / f"layout_{name}.json").read_text(encoding="utf-8"))


def article(name: str) -> Article:
    url, raw = expected(name)["url"], (PAGES / f"layout_{name}.html").read_bytes()
    digest = hashlib.sha256(raw).hexdigest()
    reading = read_page(Page(url, url, "layouts", FETCHED, 200, "text/html", "", (), raw, digest))
    if reading.outcome is not Outcome.SAVED:  # not an assertion: never an expected failure
        raise ValueError(f"{name}: {reading.outcome}: {reading.detail}")
    return reading.article


def test_every_page_is_tested():
    assert sorted(path.stem.removeprefix("layout_") for path in PAGES.glob("layout_*.html")) == list(LAYOUTS)


@pytest.mark.parametrize("name", LAYOUTS)
def test_title_and_day_of_a_layout(name):
    found, wanted = article(name), expected(name)
    assert found.title == wanted["title"]
    assert found.published_at is not None
    assert found.published_at.date().isoformat() == wanted["published"]


@pytest.mark.parametrize("name", cases(WRONG_BYLINE))
def test_byline_of_a_layout(name):
    assert list(article(name).byline) == expected(name)["byline"]


@pytest.mark.parametrize("name", cases(WRONG_BODY))
def test_body_of_a_layout_is_nearly_complete_and_clean(name):
    precision, recall = precision_recall("\n\n".join(expected(name)["paragraphs"]), article(name).text)
    assert min(precision, recall) >= 0.95, f"precision {precision:.3f}, recall {recall:.3f}"


@pytest.mark.parametrize("name", cases(NOT_EXACT))
def test_paragraphs_of_a_layout_are_exact(name):
    assert article(name).text.split("\n\n") == expected(name)["paragraphs"]
