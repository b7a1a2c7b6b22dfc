"""Time expressions, and the dates that they give to events."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.nlp.dates.event_dates import event_date, of_publication, reading
from pipeline.nlp.dates.expressions import find_dates
from pipeline.records import Modality
from scrapers.items import Precision

THURSDAY = date(2026, 6, 25)


def test_coming_weeks_begin_at_publication():
    for words in ("in the weeks ahead", "in the coming weeks", "over the next few weeks"):
        (mention,) = find_dates(f"It will act {words}.", THURSDAY)
        assert mention.span is not None
        assert (mention.span.start, mention.span.precision) == (THURSDAY, Precision.MONTH)
        assert not mention.is_duration


def test_recently_is_undated_early_in_a_month():
    (mention,) = find_dates("It recently signed the pact.", date(2026, 6, 3))
    assert mention.span is None


def test_ambiguous_day_and_month_leave_only_the_year():
    (mention,) = find_dates("It was signed on 12/03/2026.", THURSDAY)
    assert mention.span is not None
    assert (mention.span.value, mention.span.precision) == ("2026", Precision.YEAR)


@pytest.mark.parametrize(
    "words", ["within 30 days", "three days later", "for two years", "a 30-day period", "in six months"]
)
def test_duration_is_not_a_date(words):
    assert all(each.is_duration and each.span is None for each in find_dates(f"It acts {words} of that.", THURSDAY))


@pytest.mark.parametrize(
    "text",
    [
        "It may march on.",
        "In May be careful May Chen said.",
        "They spent $2026 on 2026 chips.",
        "GPT-5.5 and SB 1047.",
        "Feb. 30 is no day",
        "in 5,2026 cases",
        "The Friday Times",
        "a fall in prices",
    ],
)
def test_words_that_look_like_dates_give_no_day(text):
    assert not [each for each in find_dates(text, THURSDAY) if each.span and each.span.precision is Precision.DAY]


def test_without_a_publication_day_only_full_dates_can_be_read():
    found = {
        each.span.value if each.span else None for each in find_dates("On Friday, June 2, and June 3, 2026.", None)
    }
    assert found == {None, "2026-06-03"}


def test_weekday_can_lie_before_or_after_publication():
    (mention,) = find_dates("on Friday", THURSDAY)
    assert mention.span and mention.span.value == "2026-06-19"
    assert mention.ahead and mention.ahead.value == "2026-06-26"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("The order was signed on June 3. A fortnight later the firm sued.", "2026-06-17"),
        ("The order was signed on June 3. The firm sued the same afternoon.", "2026-06-03"),
        ("The order was signed on June 3. The firm sued the same week.", "2026-06"),
        ("The order was signed in May. The firm sued eight days later.", "2026-05"),
    ],
)
def test_relative_expression_counts_from_the_preceding_date(text, value):
    found = find_dates(text, THURSDAY)
    assert found[-1].span is not None
    assert found[-1].span.value == value


def test_weeks_after_a_month_are_undated():
    found = find_dates("The order was signed in May. The firm sued three weeks later.", THURSDAY)
    assert found[-1].span is None


@given(st.text(max_size=400), st.dates(min_value=date(1950, 1, 1), max_value=date(2080, 1, 1)))
def test_dates_of_any_text_quote_it(text, published):
    for each in find_dates(text + " on June 2 or last week", published):
        assert 0 <= each.start < each.end
        if each.span:
            assert each.span.start <= each.span.end
            assert each.span.said == (text + " on June 2 or last week")[each.start : each.end]


def test_done_and_planned_events_read_a_weekday_in_opposite_directions():
    (friday,) = find_dates("The agency acts on Friday.", THURSDAY)
    values = {m: reading(friday, m, THURSDAY) for m in (Modality.OCCURRED, Modality.PLANNED)}
    assert {m: span.value for m, span in values.items() if span} == {
        Modality.OCCURRED: "2026-06-19",
        Modality.PLANNED: "2026-06-26",
    }


def test_what_is_done_has_no_date_after_the_publication():
    (day,) = find_dates("It took effect on 1 August 2026.", THURSDAY)
    assert reading(day, Modality.OCCURRED, THURSDAY) is None
    assert reading(day, Modality.PLANNED, THURSDAY) is not None


def test_only_news_that_was_done_takes_the_day_of_publication():
    assert of_publication(THURSDAY, Modality.OCCURRED).basis == "publication"
    assert of_publication(THURSDAY, Modality.PLANNED) is None
    assert of_publication(None, Modality.OCCURRED) is None


def test_words_that_the_model_points_to_date_the_event():
    text = "On Monday it said that the rule of 3 May 2026 applies."
    at = text.index("3 May 2026")
    found = event_date((at, at + 10), find_dates(text, THURSDAY), Modality.OCCURRED, THURSDAY)
    assert found is not None and found.value == "2026-05-03"
    assert event_date(None, find_dates(text, THURSDAY), Modality.OCCURRED, THURSDAY) is None
