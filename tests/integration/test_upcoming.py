"""Upcoming dates: each with the claim that names it and its outcome; and the calendar file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.calendars import read_calendar, unescaped
from support.newsroom_world import newsroom_world
from support.reported_events import LAB, OFFICE, PAIR, Reports

from pipeline.aggregation.timelines.status import timeline_entries
from pipeline.aggregation.timelines.upcoming import Upcoming, upcoming_days
from pipeline.ledger.rows.timelines import upcoming_row
from pipeline.site.formats.icalendar import calendar, escaped, folded
from pipeline.site.text.status_text import upcoming_state, upcoming_when


def upcoming_of(news: Reports) -> list[Upcoming]:
    return list(upcoming_days(news.events, news.claims, news.day_of, news.stages))


def newsroom_due() -> dict[tuple[str, str], Upcoming]:
    world = newsroom_world()
    stages = timeline_entries(world.events.values(), world.claims, world.day_of)
    keys = {event.event_id: key for key, event in world.events.items()}
    found = upcoming_days(world.events.values(), world.claims, world.day_of, stages)
    return {(keys[d.event_id].partition("/")[2], d.start): d for d in found}


def test_the_newsrooms_effective_day_is_ahead_and_names_its_claim():
    due = newsroom_due()["legislation/frontier-disclosure-act-effect", "2026-07-01"]
    assert (due.kind, due.modality, due.outcome) == ("effect", "planned", "open")
    assert due.summary == "The Frontier Disclosure Act is set to take effect."
    world = newsroom_world()
    assert "July 1" in world.claims[due.claim_id].evidence.quote
    assert world.day_of[world.claims[due.claim_id].evidence.article_id] == due.first_reported_on
    assert set(due.claim_ids) <= set(world.claims)


def test_a_signing_that_was_put_off_and_then_happened_is_settled_on_the_day_it_happened():
    due = newsroom_due()["agreement/vellichor-fomi-testing", "2026-03-24"]
    assert (due.outcome, due.settled_on) == ("happened", "2026-04-09")


def test_a_release_that_was_put_off_is_no_longer_due():
    (due,) = (d for (key, day), d in newsroom_due().items() if day == "2026-06-16")
    assert (due.outcome, due.modality) == ("put_off", "planned")
    assert upcoming_state(upcoming_row(due), "2026-06-01") == "Postponed, as reported 27 May 2026; no new date."


def test_a_day_that_passed_in_silence_says_that_no_report_tells_of_it():
    (due,) = (d for (key, day), d in newsroom_due().items() if day == "2026-03-27" and d.outcome == "open")
    assert upcoming_state(upcoming_row(due), "2026-05-31") == "Date passed; no report that it happened."
    assert upcoming_state(upcoming_row(due), "2026-03-27") == "Upcoming."


def test_only_days_that_a_sentence_names_for_later_are_due():
    news = Reports()
    news.event({"day": 1, "modality": "planned", "trigger": "sign", **PAIR})
    news.event({"day": 1, "on": "2026-05-05", "basis": "publication", "modality": "planned", "trigger": "sign", **PAIR})
    news.event({"day": 9, "on": "2026-05-05", "modality": "planned", "trigger": "sign", **PAIR})
    news.event({"day": 9, "on": "2026-06-05", "modality": "negated", "trigger": "sign", **PAIR})
    news.event({"day": 9, "on": "2026-05-13", "basis": "relative", "modality": "considered", "trigger": "sign", **PAIR})
    assert upcoming_of(news) == []


def test_a_plan_that_another_event_of_its_timeline_fulfils_has_happened():
    news = Reports()
    news.event({"day": 1, "on": "2026-05-20", "modality": "planned", "trigger": "sign", **PAIR})
    (due,) = upcoming_of(news)
    assert (due.outcome, due.settled_on) == ("open", None)
    news.event({"day": 17, "on": "2026-05-21", "trigger": "signed", **PAIR})
    (due,) = upcoming_of(news)
    assert (due.outcome, due.settled_on) == ("happened", "2026-05-21")


def test_what_happened_before_does_not_settle_what_is_announced_after_it():
    news = Reports()
    news.event(
        {"day": 1, "on": "2026-05-05", "trigger": "signed", **PAIR},
        {"day": 4, "on": "2026-06-01", "modality": "planned", "trigger": "sign", **PAIR},
    )
    (due,) = upcoming_of(news)
    assert due.outcome == "open"


def test_a_later_report_with_another_day_moves_it():
    news = Reports()
    news.event(
        {"day": 1, "on": "2026-05-20", "modality": "planned", "trigger": "sign", **PAIR},
        {"day": 5, "on": "2026-06-10", "modality": "planned", "trigger": "sign", **PAIR},
    )
    first, second = upcoming_of(news)
    assert (first.outcome, first.settled_on, second.outcome) == ("moved", "2026-05-09", "open")
    assert upcoming_state(upcoming_row(first), "2026-05-10") == "Moved: a report of 9 May 2026 gives another date."


def test_a_month_is_due_by_its_end_and_the_day_within_it_is_not_another_day():
    news = Reports()
    news.event(
        {"day": 1, "on": "2026-06", "modality": "planned", "trigger": "sign", **PAIR},
        {"day": 5, "on": "2026-06-10", "modality": "planned", "trigger": "sign", **PAIR},
    )
    month, day = upcoming_of(news)
    assert (month.outcome, day.outcome) == ("open", "open")
    assert upcoming_when(upcoming_row(month)) == "June 2026, by the end of June 2026 at the latest"
    assert upcoming_state(upcoming_row(month), "2026-06-15") == "Due about now; no report that it happened."


def test_a_threat_with_a_deadline_keeps_its_condition():
    news = Reports()
    news.event(
        {"day": 1, "on": "2026-05-20", "modality": "conditional", "direction": "impose", "trigger": "ban",
         "actor": OFFICE, "target": LAB},
        type_="restriction",
    )  # fmt: skip
    (due,) = upcoming_of(news)
    assert due.modality == "conditional" and "under stated conditions" in due.summary


# ---- the calendar


def row(**more) -> dict:
    return {
        "upcoming_id": "d0123456789abcdef", "event_id": "e0123456789abcdef", "due_start": "2026-07-01",
        "due_end": "2026-07-01", "due_precision": "day", "kind": "effect", "modality": "planned",
        "summary": "The act is set to take effect.", "fate": "open", "settled_on": None, "quote": "It takes effect.",
        "source_title": "The Inland Record", "published_on": "2026-04-15", "first_reported_on": "2026-04-15",
    } | more  # fmt: skip


def entries(*rows: dict) -> list[dict[str, str]]:
    return read_calendar(calendar(rows, "Due, all of it", "https://ledger.example", "2026-05-31"))


def test_a_day_is_a_whole_day_and_tentative():
    (entry,) = entries(row())
    assert (entry["DTSTART"], entry["DTEND"], entry["STATUS"]) == ("20260701", "20260702", "TENTATIVE")
    assert entry["SUMMARY"] == "The act is set to take effect."
    assert entry["URL"] == "https://ledger.example/event/e0123456789abcdef"
    assert "“It takes effect.” The Inland Record, 2026-04-15" in entry["DESCRIPTION"]


def test_a_month_is_shown_on_its_last_day_and_says_so():
    (entry,) = entries(row(due_start="2026-09-01", due_end="2026-09-30", due_precision="month"))
    assert (entry["DTSTART"], entry["DTEND"]) == ("20260930", "20261001")
    assert entry["SUMMARY"].startswith("By the end of September 2026 at the latest: ")


def test_what_is_only_considered_says_so_in_its_title():
    (entry,) = entries(row(modality="considered"))
    assert entry["SUMMARY"].endswith("(considered)")


@pytest.mark.parametrize("fate", ["put_off", "called_off", "moved"])
def test_what_is_off_is_cancelled_under_the_same_uid(fate):
    (before,), (after,) = entries(row()), entries(row(fate=fate, settled_on="2026-05-20"))
    assert before["UID"] == after["UID"] and after["STATUS"] == "CANCELLED"
    assert int(after["SEQUENCE"]) > int(before["SEQUENCE"]) and after["DTSTAMP"] > before["DTSTAMP"]


def test_uids_do_not_depend_on_the_host():
    one, other = (read_calendar(calendar([row()], "x", f"https://{host}", "2026-05-31"))[0] for host in "ab")
    assert one["UID"] == other["UID"]


def test_an_empty_calendar_is_a_calendar():
    assert entries() == []


@given(st.text(max_size=300))
def test_any_text_survives_escaping_and_folding(text: str):
    clean = text.encode("utf-8", "ignore").decode()
    timeline = folded(f"SUMMARY:{escaped(clean)}")
    assert timeline.endswith(b"\r\n") and all(len(part) <= 75 for part in timeline.split(b"\r\n"))
    joined = timeline.decode().replace("\r\n ", "").removesuffix("\r\n").removeprefix("SUMMARY:")
    printable = "".join(c if c == "\n" or ord(c) >= 32 and ord(c) != 127 else " "
                        for c in clean.replace("\r\n", "\n").replace("\r", "\n"))  # fmt: skip
    assert unescaped(joined) == printable


def test_hostile_words_cannot_open_an_entry_of_their_own():
    (entry,) = entries(row(summary="a\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:x; y, z\\", quote="\x00" + "ü" * 200))
    assert entry["SUMMARY"] == "a\nEND:VEVENT\nBEGIN:VEVENT\nUID:x; y, z\\"
