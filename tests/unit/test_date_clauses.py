"""Which date of a sentence, and of the sentences around it, dates an event."""

from __future__ import annotations

from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st
from unit.test_newness import FILL, claim_at, told, tools

from pipeline.nlp.dates.clauses import dates_for
from pipeline.nlp.dates.expressions import DateMention, find_dates
from pipeline.nlp.pipeline import extract
from pipeline.records import Modality
from scrapers.items import Article, Precision, text_version

WEDNESDAY = date(2026, 6, 24)


def when(trigger: str, text: str, day: str = "2026-06-24") -> str | None:
    return told(trigger, text, day)[1]


def kept(verb: str, text: str) -> list[str]:
    return [text[each.start : each.end] for each in dated(verb, text)]


def dated(verb: str, text: str) -> list[DateMention]:
    """Return the time expressions that may date a verb of a sentence."""
    passage = next(iter(tools().language.parse(text, [(0, len(text))], [])))
    trigger = next(token for token in passage.doc if token.lower_ == verb)
    return dates_for(trigger, trigger.sent, 0, find_dates(text, WEDNESDAY))


def test_of_two_verbs_joined_by_and_each_keeps_its_own_date() -> None:
    text = "Ofcom opened an investigation into xAI on 2 March, and the CNIL opened an investigation into X on 9 April."
    claims = [claim for claim in _claims(text) if claim.type == "investigation"]
    assert [claim.date.value for claim in claims if claim.date] == ["2026-03-02", "2026-04-09"]


def test_a_deadline_is_no_date_of_the_verb_that_sets_it() -> None:
    assert kept("gave", "The regulator met the lab on Monday, and it gave the lab until Friday to answer.") == [
        "Monday",
        "Friday",
    ]
    assert kept("gave", "The regulator met the lab on Monday, and it gave the lab leave on Friday.") == ["Friday"]


def test_what_is_to_be_done_by_then_is_dated_by_the_end_of_its_own_clause() -> None:
    text = "The ministry will publish a code in July and issue guidelines for firms that sell AI by the end of October."
    assert when("issue", text) == "2026-10"


def test_a_date_before_the_subject_holds_for_all_that_the_sentence_tells() -> None:
    text = "At its second session, on May 6, the court heard both sides and barred the company from the city."
    assert [each.opening for each in dated("barred", text)] == [True]
    assert [each.opening for each in dated("barred", "The court heard both sides on May 6 and barred it.")] == [False]


def test_a_day_followed_by_when_is_that_of_what_happened_then() -> None:
    text = (
        "Parisians woke up on Tuesday, when the city's own data protection office, the CNIL, banned DeepSeek, to news."
    )
    assert told("banned", text, "2026-06-24") == ("new", "2026-06-23")


def test_a_semicolon_ends_what_a_date_tells_of() -> None:
    text = "In March the ministry suspended DeepSeek; this month the mayor said that he had seen it."
    assert when("suspended", text) == "2026-03"


def test_a_state_that_lasts_since_a_day_began_then() -> None:
    assert kept("kept", "The company has kept downloads suspended in Korea since February 15.") == ["February 15"]
    assert kept("tested", "The company has tested downloads suspended in Korea since February 15.") == []


def test_what_is_moved_to_a_day_is_dated_to_that_day() -> None:
    text = "The Commission plans to delay the AI Act from 2 August 2026 to May 2027."
    assert when("delay", text) == "2027-05"


def test_the_day_of_a_speech_is_not_the_day_of_the_plan_in_it() -> None:
    text = "On Monday, the head of the agency said that it would ban DeepSeek."
    claim = claim_at("ban", text, "2026-06-24")
    assert claim.modality is Modality.PLANNED
    assert claim.date is None


def test_the_same_day_is_the_last_one_that_was_named() -> None:
    text = "The order came on June 3, as one in May had. On the same day the ministry suspended DeepSeek."
    same = [each for each in find_dates(text, WEDNESDAY) if text[each.start : each.end] == "the same day"]
    assert [each.span.value for each in same if each.span] == ["2026-06-03"]


def test_who_stresses_what_he_wants_goes_on_with_the_speech_before() -> None:
    text = "Anthropic refused on Tuesday to hand over its model.\n\n" + FILL
    text += "A spokesman for the Pentagon said Wednesday that the talks were over. He stressed that the Pentagon wants "
    text += "Anthropic to hand over the model."
    assert when("wants", text) == "2026-06-24"


def test_the_news_may_be_some_days_old_where_its_sentence_says_so() -> None:
    text = "Two firms settled with the Italian Competition Authority, which closed its investigation into DeepSeek on "
    text += "19 June 2026.\n\nMistral pledged to label its answers."
    assert when("pledged", text) == "2026-06-19"


def test_news_told_as_this_week_happened_this_week() -> None:
    claims = _claims("CAISI signed an agreement with Google this week.\n\nOpenAI signed an agreement with CAISI, too.")
    assert [claim.date.value for claim in claims if claim.date] == ["2026-06", "2026-06"]


def test_what_also_or_therefore_was_done_belongs_to_the_news() -> None:
    lead = "The Pentagon on Tuesday barred Anthropic from new contracts.\n\n" + FILL
    for adverb in ("also", "therefore"):
        text = f"{lead}The ministry {adverb} fined Meta."
        assert told("fined", text, "2026-06-24") == ("new", "2026-06-23"), adverb
    assert told("fined", f"{lead}The ministry fined Meta.", "2026-06-24") == ("background", None)


def test_what_a_relative_clause_repeats_of_the_news_is_news() -> None:
    text = "The ministry on Tuesday banned DeepSeek.\n\n" + FILL + "Users miss DeepSeek, which the ministry banned."
    assert [(claim.newness, claim.date.value) for claim in _claims(text) if claim.date] == [("new", "2026-06-23")] * 2
    earlier = text.replace("which the ministry banned", "which the ministry had banned")
    assert [claim.newness for claim in _claims(earlier)] == ["new", "background"]


def test_a_suit_that_somebody_has_brought_is_the_one_that_is_dated_elsewhere() -> None:
    text = "The Pentagon on Tuesday barred Anthropic from new contracts.\n\n" + FILL
    text += "The union sued in November 2025.\n\n" + FILL.replace("step", "bar")
    text += "After the lawsuit that the union filed against OpenAI, more are expected."
    filed = [claim for claim in _claims(text) if claim.type == "litigation"]
    assert {claim.date.value for claim in filed if claim.date} == {"2025-11"}


def test_the_day_before_counts_from_the_day_told_of() -> None:
    text = "The order came on June 3. Another ministry had suspended DeepSeek the day before."
    found = [each for each in find_dates(text, WEDNESDAY) if text[each.start : each.end] == "the day before"]
    assert [each.span.value for each in found if each.span] == ["2026-06-02"]
    assert not [each for each in find_dates("It came the day before the vote.", WEDNESDAY) if each.span]


def test_what_somebody_said_that_he_has_done_is_news() -> None:
    lead = "The Pentagon on Tuesday barred Anthropic from new contracts.\n\n" + FILL
    assert told("fined", f"{lead}The regulator said that it has fined Meta.", "2026-06-24")[0] == "new"
    assert told("fined", f"{lead}The regulator said that it had fined Meta.", "2026-06-24")[0] == "background"


def test_the_start_middle_and_end_of_a_month_are_told_apart() -> None:
    def days(words: str) -> tuple[int, int]:
        span = find_dates(f"It was signed at {words}.", WEDNESDAY)[0].span
        assert span is not None and span.precision is Precision.MONTH
        return span.start.day, span.end.day

    assert days("the start of March 2026") == (1, 10)
    assert days("the middle of March 2026") == (11, 20)
    assert days("the end of March 2026") == (21, 31)


def test_the_course_of_the_year_is_the_whole_year() -> None:
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
def test_nothing_that_was_done_is_dated_after_the_publication(text: str, day: date) -> None:
    for claim in _claims(text, day):
        if claim.modality is Modality.OCCURRED and claim.date is not None:
            assert claim.date.start <= day


def _claims(text: str, day: date = WEDNESDAY):
    published = datetime(day.year, day.month, day.day, tzinfo=UTC)
    article = Article("a1", text_version(text), "test", "https://example.org/1", "T", text, published_at=published)
    return extract(article, tools()).claims


def test_what_has_been_so_for_years_is_not_of_today() -> None:
    (claim,) = _claims("Ofcom has been investigating the AI lab for two years.")
    assert claim.date is None
    assert claim.newness == "background"
    (banned,) = _claims("Ofcom has banned the AI app for two months.")
    assert banned.date is not None
