"""The day of the news: from the first lines, from answers to it, and from the article's own clock."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import pytest
from support.nlp_tools import load_once

from pipeline.nlp.dates.expressions import find_dates
from pipeline.nlp.dates.resolve import lead_day, spoken_dates
from pipeline.nlp.pipeline import extract
from scrapers.items import Article, text_version

SATURDAY = date(2026, 5, 9)
LEAD = "The Pentagon on Friday barred Anthropic from new contracts.\n\n"
FILL = "Shares of the company hardly moved.\n\nAnalysts were surprised by the step.\n\nNobody had expected it.\n\n"


def _lead(text: str, published: date) -> date | None:
    found = lead_day(find_dates(text, published), text, published)
    return found.start if found else None


def test_first_lines_and_answers_name_the_day_of_the_news() -> None:
    assert _lead(LEAD, SATURDAY) == date(2026, 5, 8)
    assert _lead("The agency shut the site.\n\n" + FILL, SATURDAY) is None
    late = "The agency shut the site.\n\n" + FILL * 8
    assert _lead(late + "The company responded to the agency on Friday evening.", SATURDAY) == date(2026, 5, 8)
    assert _lead(late + "The company held a party on Friday evening.", SATURDAY) is None


@pytest.mark.parametrize("words", ["by Friday", "until Friday", "before the Friday 5 p.m. deadline"])
def test_deadline_is_not_the_day_of_the_news(words: str) -> None:
    assert _lead(f"The agency told the company to answer {words}.", SATURDAY) is None


def test_today_in_a_quotation_is_the_day_it_was_said() -> None:
    text = LEAD + "“Tonight we signed,” he wrote.\n\nToday the firm is silent."
    days = [each.span.start for each in spoken_dates(find_dates(text, SATURDAY), text, SATURDAY) if each.span]
    assert days == [date(2026, 5, 8), date(2026, 5, 8), SATURDAY]


def test_text_without_a_publication_day_has_no_day_of_news() -> None:
    text = LEAD + "“Tonight we signed,” he wrote."
    assert lead_day(find_dates(text, None), text, None) is None
    assert spoken_dates(find_dates(text, None), text, None) == find_dates(text, None)


def test_today_is_counted_by_the_publishers_clock() -> None:
    new_york = timezone(timedelta(hours=-4))
    late = datetime(2026, 5, 8, 22, 30, tzinfo=new_york)
    text = "The Pentagon barred Anthropic today."
    article = Article("a1", text_version(text), "test", "https://example.org/1", "T", text, published_at=late)
    (claim,) = extract(article, load_once(classifier=False)).claims
    assert claim.date.value == "2026-05-08"
