"""Dates that may date a verb, by clause, and relative dates that count from an earlier one."""

from __future__ import annotations

from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st
from support.nlp_tools import load_once

from pipeline.nlp.dates.clauses import dates_for
from pipeline.nlp.dates.expressions import DateMention, find_dates
from pipeline.nlp.pipeline import extract
from pipeline.records import Modality
from scrapers.items import Article, Precision, text_version

WEDNESDAY = date(2026, 6, 24)


def words_dating(verb: str, text: str) -> list[str]:
    return [text[each.start : each.end] for each in dates_of(verb, text)]


def dates_of(verb: str, text: str) -> list[DateMention]:
    """Return the time expressions that may date a verb of a sentence."""
    passage = next(iter(load_once(classifier=False).language.parse(text, [(0, len(text))], [])))
    trigger = next(token for token in passage.doc if token.lower_ == verb)
    return dates_for(trigger, trigger.sent, 0, find_dates(text, WEDNESDAY))


def test_deadline_does_not_hide_the_date_before_it() -> None:
    assert words_dating("gave", "The regulator met the lab on Monday, and it gave the lab until Friday to answer.") == [
        "Monday",
        "Friday",
    ]
    assert words_dating("gave", "The regulator met the lab on Monday, and it gave the lab leave on Friday.") == [
        "Friday"
    ]


def test_date_before_the_subject_applies_to_the_whole_sentence() -> None:
    text = "At its second session, on May 6, the court heard both sides and barred the company from the city."
    assert [each.opening for each in dates_of("barred", text)] == [True]
    assert [each.opening for each in dates_of("barred", "The court heard both sides on May 6 and barred it.")] == [
        False
    ]


def test_since_dates_the_beginning_of_a_state() -> None:
    assert words_dating("kept", "The company has kept downloads suspended in Korea since February 15.") == [
        "February 15"
    ]
    assert words_dating("tested", "The company has tested downloads suspended in Korea since February 15.") == []


def test_same_day_is_the_last_day_named() -> None:
    text = "The order came on June 3, as one in May had. On the same day the ministry suspended DeepSeek."
    same = [each for each in find_dates(text, WEDNESDAY) if text[each.start : each.end] == "the same day"]
    assert [each.span.value for each in same if each.span] == ["2026-06-03"]


def test_day_before_counts_from_the_last_day_named() -> None:
    text = "The order came on June 3. Another ministry had suspended DeepSeek the day before."
    found = [each for each in find_dates(text, WEDNESDAY) if text[each.start : each.end] == "the day before"]
    assert [each.span.value for each in found if each.span] == ["2026-06-02"]
    assert not [each for each in find_dates("It came the day before the vote.", WEDNESDAY) if each.span]


def test_start_middle_and_end_of_a_month_are_distinct() -> None:
    def days(words: str) -> tuple[int, int]:
        span = find_dates(f"It was signed at {words}.", WEDNESDAY)[0].span
        assert span is not None and span.precision is Precision.MONTH
        return span.start.day, span.end.day

    assert days("the start of March 2026") == (1, 10)
    assert days("the middle of March 2026") == (11, 20)
    assert days("the end of March 2026") == (21, 31)


def test_course_of_the_year_is_the_whole_year() -> None:
    span = find_dates("It is to be set up in the course of the year.", WEDNESDAY)[0].span
    assert span is not None
    assert (span.start, span.end) == (date(2026, 1, 1), date(2026, 12, 31))


_PARTS = (
    "On Friday, ", "On Tuesday, when ", "In July, ", "On 30 November ", "the regulator banned DeepSeek", " on Sunday",
    " and fined OpenAI", " next week", ", which had signed an agreement with CAISI in August", "; tomorrow",
    " until December", " the same day", " in the course of the year", ". ", "\n\n", "It said that it had opened an "
    "investigation into xAI", " two days later",
)  # fmt: skip


@given(st.lists(st.sampled_from(_PARTS), min_size=2, max_size=9).map("".join), st.dates(date(2024, 1, 1), WEDNESDAY))
def test_no_completed_act_is_dated_after_publication(text: str, day: date) -> None:
    for claim in _claims(text, day):
        if claim.modality is Modality.OCCURRED and claim.date is not None:
            assert claim.date.start <= day


def _claims(text: str, day: date = WEDNESDAY):
    published = datetime(day.year, day.month, day.day, tzinfo=UTC)
    article = Article("a1", text_version(text), "test", "https://example.org/1", "T", text, published_at=published)
    return extract(article, load_once(classifier=False)).claims
