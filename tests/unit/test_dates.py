"""Time expressions, and the dates that claims of one article take from each other."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.paths import SHARED

from pipeline.nlp.dates.document import settle_dates
from pipeline.nlp.dates.expressions import find_dates
from pipeline.nlp.dates.resolve import claim_date
from pipeline.records import (
    Attribution,
    Claim,
    EntityKind,
    Evidence,
    Force,
    Modality,
    Participant,
)
from scrapers.items import Precision
from scrapers.reading.timestamps import known_day

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


def test_claim_without_any_date_has_none():
    text = "Halden signed a pledge."
    at = text.index("signed")
    span = claim_date(
        sentence=(0, len(text)),
        trigger=(at, at + 6),
        modality=Modality.OCCURRED,
        dates=find_dates(text, None),
        published=None,
        text=text,
        newness="new",
    )
    assert span is None


def _claim(text: str, quote: str, trigger: str, newness: str = "new", published: date = THURSDAY) -> Claim:
    start = text.index(quote)
    at = text.index(trigger, start)
    span = claim_date(
        sentence=(start, start + len(quote)),
        trigger=(at, at + len(trigger)),
        modality=Modality.OCCURRED,
        dates=find_dates(text, published),
        published=published,
        text=text,
        newness=newness,
    )
    people = (
        Participant("actor", "pentagon", "Pentagon", EntityKind.AGENCY),
        Participant("target", "halden", "Halden", EntityKind.ORGANISATION),
    )
    return Claim(
        "c1",
        "restriction",
        Modality.OCCURRED,
        Evidence("a", "v", start, start + len(quote), quote),
        at,
        at + len(trigger),
        trigger,
        people,
        Attribution(),
        span,
        "impose",
        Force.NOT_STATED,
        newness,
        1.0,
        "",
    )


def test_claim_takes_its_date_from_another_claim_of_the_event():
    text = "The Pentagon barred Halden on Tuesday.\n\nAfter the designation, Halden fell silent."
    first = _claim(text, "The Pentagon barred Halden on Tuesday.", "barred")
    second = _claim(text, "After the designation, Halden fell silent.", "designation", "background")
    assert [each.date.value for each in settle_dates([first, second], text, THURSDAY) if each.date] == [
        "2026-06-23"
    ] * 2


def test_month_of_another_sentence_refines_a_year():
    text = "The Pentagon barred Halden in July.\n\nThe Pentagon barred Halden last year, after a dispute."
    first = _claim(text, "The Pentagon barred Halden in July.", "barred", "background", date(2026, 3, 2))
    second = _claim(text, "The Pentagon barred Halden last year, after a dispute.", "barred", "background")
    settled = settle_dates([first, second], text, date(2026, 3, 2))
    assert [each.date.value for each in settled if each.date] == ["2025-07", "2025-07"]


def _dates(text: str, *claims: Claim) -> list[str | None]:
    return [each.date.value if each.date else None for each in settle_dates(claims, text, THURSDAY)]


def test_negated_claim_does_not_take_the_date_of_a_completed_act():
    text = "The Pentagon barred Halden in July.\n\nThe Pentagon never barred Halden, it says."
    first = _claim(text, "The Pentagon barred Halden in July.", "barred", "background")
    second = _claim(text, "The Pentagon never barred Halden, it says.", "barred", "background")
    assert _dates(text, first, replace(second, modality=Modality.NEGATED)) == ["2025-07", None]
    assert _dates(text, first, second) == ["2025-07"] * 2


def test_fulfilled_plan_takes_the_day_of_fulfilment():
    text = "The Pentagon barred Halden on Tuesday.\n\nIt had said that it would ban Halden."
    first = _claim(text, "The Pentagon barred Halden on Tuesday.", "barred")
    second = replace(_claim(text, "It had said that it would ban Halden.", "ban"), modality=Modality.PLANNED, date=None)
    assert _dates(text, first, second) == ["2026-06-23"] * 2
    assert _dates(text, first, replace(second, modality=Modality.CONDITIONAL)) == ["2026-06-23", None]


def test_claim_that_repeats_the_news_has_its_day():
    text = "Halden said on Wednesday it was puzzled.\n\nThe Pentagon barred Halden.\n\nAfter the ban, Halden sued."
    first = _claim(text, "The Pentagon barred Halden.", "barred")
    second = _claim(text, "After the ban, Halden sued.", "ban", "background")
    assert _dates(text, first, second) == ["2026-06-24"] * 2


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


def test_new_and_undated_claims_take_the_day_of_the_news():
    text = "Halden said on Wednesday it was puzzled.\n\nThe Pentagon has barred Halden."
    claim = _claim(text, "The Pentagon has barred Halden.", "barred")
    (settled,) = settle_dates([claim], text, THURSDAY)
    assert settled.date and settled.date.value == "2026-06-24"


@given(st.text(max_size=400), st.dates(min_value=date(1950, 1, 1), max_value=date(2080, 1, 1)))
def test_dates_of_any_text_quote_it(text, published):
    for each in find_dates(text + " on June 2 or last week", published):
        assert 0 <= each.start < each.end
        if each.span:
            assert each.span.start <= each.span.end
            assert each.span.said == (text + " on June 2 or last week")[each.start : each.end]


def test_dates_of_annotated_claims_are_found_from_their_triggers():
    """A floor for claims of what was done; many of the rest need knowledge from outside the text."""
    if not (SHARED / "gold/dev").is_dir():
        pytest.skip("the annotated documents are not on this machine")
    right = asked = 0
    for path in sorted((SHARED / "gold/dev/claims").glob("*.json")):
        document = json.loads((SHARED / "gold/dev/texts" / path.name).read_text())
        text, published = document["text"], known_day(document["published"])
        if published is None:
            continue
        dates, claims, gold = find_dates(text, published), [], []
        for each in json.loads(path.read_text())["claims"]:
            start = text.find(each["quote"])
            at = max(start, text.find(each["trigger"], start))
            span = claim_date(
                sentence=(start, start + len(each["quote"])),
                trigger=(at, at + len(each["trigger"])),
                modality=Modality(each["modality"]),
                dates=dates,
                published=published,
                text=text,
                newness=each["mention"],
            )
            people = tuple(
                Participant(p["role"], p["name"], p["name"], EntityKind.ORGANISATION) for p in each["participants"]
            )
            evidence = Evidence("a", "v", start, start + len(each["quote"]), each["quote"])
            claims.append(
                Claim(
                    "c",
                    each["type"],
                    Modality(each["modality"]),
                    evidence,
                    at,
                    at + 1,
                    each["trigger"],
                    people,
                    Attribution(),
                    span,
                    each.get("direction"),
                    Force.NOT_STATED,
                    each["mention"],
                    1.0,
                    "",
                )
            )
            gold.append(each)
        for each, claim in zip(gold, settle_dates(claims, text, published), strict=True):
            if each["date"] and each["modality"] == "occurred" and not each.get("optional"):
                asked += 1
                right += bool(claim.date) and claim.date.value == each["date"]["value"]
    assert right / asked >= 0.75
