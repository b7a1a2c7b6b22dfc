"""New and background events, and the dates that both get."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache

import pytest

from pipeline.nlp.dates.expressions import find_dates
from pipeline.nlp.dates.resolve import lead_day, spoken_dates
from pipeline.nlp.pipeline import Tools, extract, load_tools
from pipeline.records import Claim
from scrapers.items import Article, text_version

SATURDAY = "2026-05-09"
LEAD = "The Pentagon on Friday barred Anthropic from new contracts.\n\n"
FILL = "Shares of the company hardly moved.\n\nAnalysts were surprised by the step.\n\nNobody had expected it.\n\n"


@lru_cache(maxsize=1)
def tools() -> Tools:
    return load_tools(classifier=False, only_relevant=False)


def claim_at(trigger: str, text: str, day: str = SATURDAY) -> Claim:
    """Return the claim of an article whose trigger has these words."""
    published = datetime.fromisoformat(day).replace(tzinfo=UTC)
    article = Article("a1", text_version(text), "test", "https://example.org/1", "T", text, published_at=published)
    found = [claim for claim in extract(article, tools()).claims if trigger in claim.trigger]
    assert found, f"no claim with the trigger {trigger!r}"
    return found[0]


def told(trigger: str, text: str, day: str = SATURDAY) -> tuple[str, str | None]:
    claim = claim_at(trigger, text, day)
    return claim.newness, claim.date.value if claim.date else None


def test_what_is_dated_before_the_day_of_the_news_is_recalled() -> None:
    text = LEAD + FILL + "Anthropic sued the Commerce Department on Thursday."
    assert told("sued", text) == ("background", "2026-05-07")


def test_what_is_dated_to_the_day_of_the_news_is_new_however_far_down() -> None:
    text = LEAD + FILL + "Microsoft signed an agreement with CAISI on Friday."
    assert told("signed", text) == ("new", "2026-05-08")


def test_some_days_later_the_first_lines_may_still_tell_the_news() -> None:
    text = "Last Thursday, a judge blocked the Pentagon's ban on Anthropic.\n\n" + FILL
    assert told("blocked", text, "2026-05-11") == ("new", "2026-05-07")


def test_a_story_told_on_from_an_old_date_is_recalled_without_a_date_of_its_own() -> None:
    text = LEAD + "In March, Google agreed to share its models with CAISI. OpenAI signed an agreement with CAISI."
    assert told("signed", text) == ("background", None)


def test_after_a_leap_in_time_the_month_is_not_known() -> None:
    text = LEAD + "In March, Google agreed to share its models with CAISI. "
    assert told("signed", text + "Three months later, OpenAI signed an agreement with CAISI.") == ("background", None)


def test_another_story_of_the_same_paragraph_keeps_the_day_of_the_news() -> None:
    text = LEAD + "In March, Google agreed to share its models. Separately, OpenAI signed an agreement with CAISI."
    assert told("signed", text) == ("new", "2026-05-08")


def test_what_was_done_already_is_recalled() -> None:
    assert told("agreed", LEAD + "OpenAI has already agreed to the terms of the Pentagon.")[0] == "background"


def test_a_threat_in_the_perfect_is_recalled() -> None:
    text = LEAD + "Pete Hegseth has threatened to designate OpenAI a supply chain risk."
    assert told("designate", text)[0] == "background"


def test_what_is_being_done_and_wanted_today_is_news() -> None:
    assert told("wants", LEAD + FILL + "Anthropic wants access to the ministry's documents.") == ("new", "2026-05-08")
    quoted = "“I am directing the Pentagon to designate OpenAI a supply chain risk,” Pete Hegseth wrote."
    assert told("designate", LEAD + FILL + quoted) == ("new", "2026-05-08")


def test_whoever_commits_in_the_present_tense_does_so_today() -> None:
    text = (
        "Today, the White House announced commitments of OpenAI.\n\n" + FILL + "The companies commit to share results."
    )
    assert told("commit", text.replace("The companies", "OpenAI and Google")) == ("new", "2026-05-09")


def test_a_date_in_a_clause_about_another_thing_dates_nothing_else() -> None:
    text = "Anthropic, which signed a contract with the Pentagon in July, sued the department."
    assert told("sued", text) == ("new", "2026-05-09")
    assert claim_at("signed", text).date.value == "2025-07"


def test_a_clause_that_hangs_on_the_event_dates_it() -> None:
    text = LEAD + FILL + "Experts welcomed the agreement between OpenAI and CAISI signed in July."
    assert told("agreement", text) == ("background", "2025-07")


def test_an_opening_date_holds_for_its_sentence_however_old() -> None:
    text = (
        "In June, the companies Google, OpenAI, Microsoft, Amazon and some smaller ones signed an agreement with CAISI."
    )
    assert told("signed", FILL + text)[1] == "2025-06"


def test_around_the_same_time_is_the_time_of_what_was_told_before() -> None:
    text = LEAD + FILL + "Google signed an agreement with CAISI in April. "
    assert told("renewed", text + "Around the same time, OpenAI renewed its agreement with CAISI.")[1] == "2026-04"


def _lead(text: str, published: date) -> date | None:
    found = lead_day(find_dates(text, published), text, published)
    return found.start if found else None


def test_the_first_lines_or_the_answers_to_it_name_the_day_of_the_news() -> None:
    saturday = date(2026, 5, 9)
    assert _lead(LEAD, saturday) == date(2026, 5, 8)
    assert _lead("The agency shut the site.\n\n" + FILL, saturday) is None
    late = "The agency shut the site.\n\n" + FILL * 8
    assert _lead(late + "The company responded to the agency on Friday evening.", saturday) == date(2026, 5, 8)
    assert _lead(late + "The company held a party on Friday evening.", saturday) is None


@pytest.mark.parametrize("words", ["by Friday", "until Friday", "before the Friday 5 p.m. deadline"])
def test_a_deadline_is_not_the_day_of_the_news(words: str) -> None:
    assert _lead(f"The agency told the company to answer {words}.", date(2026, 5, 9)) is None


def test_today_in_a_quotation_is_the_day_on_which_it_was_said() -> None:
    published = date(2026, 5, 9)
    text = LEAD + "“Tonight we signed,” he wrote.\n\nToday the firm is silent."
    days = [each.span.start for each in spoken_dates(find_dates(text, published), text, published) if each.span]
    assert days == [date(2026, 5, 8), date(2026, 5, 8), date(2026, 5, 9)]


def test_no_text_without_a_publication_day_has_a_day_of_news() -> None:
    text = LEAD + "“Tonight we signed,” he wrote."
    assert lead_day(find_dates(text, None), text, None) is None
    assert spoken_dates(find_dates(text, None), text, None) == find_dates(text, None)


def test_what_has_not_been_done_has_not_been_done_to_this_day() -> None:
    text = "The Pentagon said on Friday that talks were over.\n\nThe Pentagon has not barred Anthropic."
    assert told("barred", text) == ("new", "2026-05-09")
    assert told("barred", text.replace("has not", "has")) == ("new", "2026-05-08")


def test_a_time_stamp_is_not_the_day_of_the_news() -> None:
    text = "Posted:\n\nMay 8, 2026, 6:40 AM\n\nThe Pentagon barred Anthropic."
    assert told("barred", text) == ("new", "2026-05-09")


def test_the_day_of_an_article_is_that_of_its_own_clock() -> None:
    new_york = timezone(timedelta(hours=-4))
    late = datetime(2026, 5, 8, 22, 30, tzinfo=new_york)
    text = "The Pentagon barred Anthropic today."
    article = Article("a1", text_version(text), "test", "https://example.org/1", "T", text, published_at=late)
    (claim,) = extract(article, tools()).claims
    assert claim.date.value == "2026-05-08"


def test_a_story_told_on_from_a_day_of_this_week_was_done_that_day() -> None:
    text = FILL + "On Wednesday, Google agreed to share its models with CAISI. OpenAI signed an agreement with CAISI."
    assert told("signed", text) == ("background", "2026-05-06")


def test_only_the_sentence_before_puts_a_story_into_the_past() -> None:
    text = LEAD + "In March, Google sued the department. Nobody was surprised. OpenAI signed an agreement with CAISI."
    assert told("signed", text) == ("new", "2026-05-08")


def test_what_somebody_says_that_he_is_doing_is_news() -> None:
    text = LEAD + FILL + "Pete Hegseth said that he was directing the Pentagon to designate OpenAI a supply chain risk."
    assert told("designate", text) == ("new", "2026-05-08")


def test_a_ban_in_its_own_words_is_news() -> None:
    text = LEAD + FILL + "“No contractor may do business with Anthropic,” Pete Hegseth wrote."
    assert told("do", text)[0] == "new"


def test_what_may_be_done_is_news_and_what_was_weighed_is_recalled() -> None:
    assert told("sign", LEAD + FILL + "OpenAI may sign an agreement with CAISI.")[0] == "new"
    weighed = "OpenAI was considering signing an agreement with CAISI."
    assert told("signing", LEAD + FILL + weighed)[0] == "background"


def test_a_month_belongs_to_the_past_where_its_verb_does() -> None:
    text = FILL + "In February, the Pentagon proposed to ban Anthropic from new contracts."
    assert told("ban", text)[1] == "2026-02"


def test_the_month_of_a_plan_is_not_that_of_what_follows_from_it() -> None:
    text = FILL + "In line with its action plan from July, the Pentagon will ban Anthropic from new contracts."
    assert told("ban", text)[1] is None


def test_what_an_act_answers_to_was_not_done_on_its_day() -> None:
    text = LEAD + FILL + "After Anthropic's refusal to sign, the Pentagon on Thursday ordered a review of its models."
    assert told("refusal", text) == ("background", None)


def test_a_letter_dates_the_demand_that_it_brings() -> None:
    text = LEAD + FILL + "CAISI had asked Anthropic for access to its models in a letter dated April 14."
    assert told("asked", text)[1] == "2026-04-14"


def test_a_step_that_a_participle_recalls_has_its_own_date() -> None:
    text = FILL + "As laid out in March, the Pentagon will ban Anthropic from new contracts."
    assert told("ban", text)[1] is None


def test_since_a_month_dates_what_goes_on() -> None:
    text = (
        LEAD + FILL + "The Commerce Department has been investigating Anthropic's models and all its sales since March."
    )
    assert told("investigating", text)[1] == "2026-03"


@pytest.mark.parametrize(
    ("words", "value"),
    [("four days", "2026-05-05"), ("several days", "2026-05"), ("two weeks", "2026-04"), ("a few months", "2026")],
)
def test_the_news_that_comes_some_time_after_an_act_tells_when_that_was(words: str, value: str) -> None:
    text = f"The ruling comes {words} after Anthropic sued the Pentagon.\n\n" + FILL
    assert told("sued", text) == ("background", value)


def test_what_came_less_than_a_month_before_has_no_date() -> None:
    text = "The ruling comes less than a month after Anthropic sued the Pentagon.\n\n" + FILL
    assert told("sued", text) == ("background", None)


def test_a_delay_leads_to_the_day_that_a_thing_was_put_off_to() -> None:
    text = FILL + "The Pentagon postponed its ban on Anthropic from Monday to June 11."
    assert told("ban", text)[1] == "2026-06-11"


def test_what_another_clause_recalls_does_not_put_the_news_into_the_past() -> None:
    text = "The Pentagon barred Anthropic, using a power that Congress gave it last year.\n\n" + FILL
    assert told("barred", text) == ("new", "2026-05-09")


def test_a_dateline_is_not_the_day_of_the_news() -> None:
    text = "WASHINGTON, May 9 (Northline) - The Pentagon barred Anthropic, a spokesman said on Friday.\n\n" + FILL
    assert told("barred", text) == ("new", "2026-05-08")
