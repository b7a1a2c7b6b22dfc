"""Timelines: dated stages between parties, their status on any day, and no stage done that is only said."""

from __future__ import annotations

import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.newsroom_world import newsroom_world
from support.reported_events import BAN, LAB, OFFICE, PAIR, Reports

from pipeline.aggregation.timelines.relations import is_title
from pipeline.aggregation.timelines.status import Stage, as_of, by_timeline, timeline_entries
from pipeline.newsroom.answers import planted
from pipeline.records import Modality
from pipeline.site.text.status_text import brief, latest_words, sentence_words, since_words, stage_words


def timeline_of(matter: str, *ids: str) -> list[Stage]:
    """The newsroom's timeline of a matter with these parties and things."""
    world = newsroom_world()
    for stages in by_timeline(timeline_entries(world.events.values(), world.claims, world.day_of)).values():
        first = stages[0]
        if first.matter == matter and set(ids) <= {first.actor_id, first.counterpart_id, first.thing_id}:
            return stages
    raise LookupError((matter, ids))


def done(stages: list[Stage], day: str) -> str | None:
    held = as_of(stages, day).done
    return held.stage if held else None


# ---- the newsroom's planted cases


def test_a_signing_was_hoped_for_planned_put_off_signed_and_left_each_on_its_day():
    timeline = timeline_of("agreement", "vellichor", "federal-office-for-machine-intelligence")
    assert [done(timeline, day) for day in ("2026-03-01", "2026-03-20", "2026-04-08")] == [None, None, None]
    assert [s.modality for s in as_of(timeline, "2026-03-20").ahead] == ["postponed"]
    assert "postponed" in sentence_words(as_of(timeline, "2026-03-20")) and as_of(timeline, "2026-03-01").stages == ()
    assert [done(timeline, day) for day in ("2026-04-09", "2026-05-25")] == ["signed", "signed"]
    assert [done(timeline, day) for day in ("2026-05-26", "2026-12-31")] == ["ended", "ended"]
    assert as_of(timeline, "2026-05-25").ahead == ()


def test_a_ban_that_was_threatened_imposed_and_lifted_holds_between_its_days_only():
    timeline = timeline_of("restriction", "federal-office-for-machine-intelligence", "meridian-loom", "tessel-2")
    assert [done(timeline, day) for day in ("2026-03-29", "2026-03-30", "2026-05-07", "2026-05-08")] == [
        None, "banned", "banned", "lifted",
    ]  # fmt: skip
    before = as_of(timeline, "2026-03-29")
    assert {s.modality for s in before.ahead} == {"conditional"} and "under stated conditions" in sentence_words(before)
    (ban,) = (s for s in timeline if s.stage == "banned" and s.done)
    assert (ban.from_start, ban.until) == ("2026-03-30", "2026-05-08")


def test_a_planned_order_is_a_plan_until_it_is_signed():
    timeline = timeline_of("rule", "executive-order-77")
    assert [s.modality for s in as_of(timeline, "2026-05-03").stages] == ["planned"]
    assert done(timeline, "2026-05-03") is None and done(timeline, "2026-05-04") == "issued"


def test_the_stages_of_a_bill_are_one_timeline_whoever_acts():
    timeline = timeline_of("rule", "frontier-disclosure-act")
    assert [s.stage for s in timeline if s.done] == ["introduced", "passed", "signed"]
    assert [done(timeline, day) for day in ("2026-03-04", "2026-03-25", "2026-03-26", "2026-04-14", "2026-07-02")] == [
        None, "introduced", "passed", "signed", "signed",
    ]  # fmt: skip
    assert [(s.stage, s.modality) for s in as_of(timeline, "2026-07-02").ahead if s.stage == "in force"] == [
        ("in force", "planned")
    ]


@pytest.mark.parametrize("case", planted()["timeline"], ids=lambda case: case["subject"])
def test_the_planted_timelines_are_in_order_with_their_modality(case):
    world = newsroom_world()
    first: dict[str, Stage] = {}
    for stage in timeline_entries(world.events.values(), world.claims, world.day_of):
        if stage.modality == world.events_by_id[stage.event_id].modality:
            first.setdefault(stage.event_id, stage)
    stages = [first[world.events[key].event_id] for key, _ in case["events"]]
    assert [s.done for s in stages] == [modality == "occurred" for _, modality in case["events"]]
    days = [s.from_start for s in stages if s.done and s.dated]
    assert days == sorted(days) and days


@pytest.mark.parametrize("case", planted()["never_occurred"], ids=lambda case: case["words"])
def test_a_done_stage_rests_only_on_claims_that_it_was_done(case):
    world = newsroom_world()
    ids = {
        c.claim_id for c in world.claims.values()
        if c.evidence.article_id == case["article"] and case["words"] in c.evidence.quote
        and c.modality is not Modality.OCCURRED
    }  # fmt: skip
    assert ids
    for stage in timeline_entries(world.events.values(), world.claims, world.day_of):
        assert not (stage.done and ids & set(stage.claim_ids)), stage.summary


def test_every_stage_of_the_newsroom_has_claims_of_its_own_modality_and_no_plan_reads_as_done():
    world = newsroom_world()
    stages = timeline_entries(world.events.values(), world.claims, world.day_of)
    assert len(stages) > 100
    for stage in stages:
        assert stage.claim_ids
        assert {world.claims[c].modality.value for c in stage.claim_ids} == {stage.modality}
        assert not stage.done or world.events_by_id[stage.event_id].modality is Modality.OCCURRED
        if not stage.done:
            assert stage_words(stage.stage, stage.modality) != stage_words(stage.stage, "occurred")


# ---- days


def test_a_month_is_sure_only_at_its_end_and_said_so():
    news = Reports()
    news.event({"day": 60, "on": "2026-06", "trigger": "signed", **PAIR})
    (stage,) = news.timeline
    assert (stage.from_start, stage.sure_from) == ("2026-06-01", "2026-06-30")
    assert since_words(stage) == "June 2026, by the end of June 2026 at the latest"
    assert as_of(news.timeline, "2026-05-31").stages == ()
    halfway = as_of(news.timeline, "2026-06-15")
    assert halfway.done is None and halfway.maybe == (stage,)
    assert sentence_words(halfway).startswith("Possibly already: ")
    assert as_of(news.timeline, "2026-06-30").done == stage


def test_a_report_within_the_month_narrows_it():
    news = Reports()
    news.event({"day": 8, "on": "2026-05", "trigger": "signed", **PAIR})
    (stage,) = news.timeline
    assert stage.sure_from == "2026-05-12"
    assert since_words(stage) == "May 2026, by 12 May 2026 at the latest"


def test_an_unknown_day_stays_unknown_and_comes_before_the_dated_ones_without_a_place():
    news = Reports()
    news.event({"day": 20, "on": None, "trigger": "signed", "newness": "background", **PAIR})
    news.event({"day": 1, "on": "2026-05-05", "trigger": "ended", **PAIR})
    undated, ended = news.timeline
    assert (undated.from_start, undated.until, undated.sure_from) == (None, None, "2026-05-24")
    assert since_words(undated) == "day not known, by 24 May 2026 at the latest"
    assert ended.until is None
    late = as_of(news.timeline, "2026-06-01")
    assert late.done == ended and late.undated == (undated,)
    assert as_of(news.timeline, "2026-05-10").undated == ()


def test_the_day_of_the_report_is_not_passed_off_as_the_day_of_the_act():
    news = Reports()
    news.event({"day": 3, "on": "2026-05-07", "basis": "publication", "trigger": "signed", **PAIR})
    assert since_words(news.timeline[0]) == "reported 7 May 2026, exact day not given"


def test_words_for_the_latest_day_know_leap_years():
    assert latest_words("2028-02-29") == "by the end of February 2028 at the latest"
    assert latest_words("2026-02-28") == "by the end of February 2026 at the latest"
    assert latest_words("2028-02-28") == "by 28 February 2028 at the latest"
    assert latest_words("2026-06-12") == "by 12 June 2026 at the latest"


# ---- what takes the place of what


def test_a_signing_that_is_withdrawn_before_it_happened_was_never_signed():
    news = Reports()
    news.event(
        {"day": 0, "modality": "planned", "trigger": "sign", **PAIR},
        {"day": 5, "modality": "cancelled", "trigger": "sign", **PAIR},
    )
    assert done(news.timeline, "2027-01-01") is None
    assert [s.modality for s in as_of(news.timeline, "2026-05-06").ahead] == ["planned"]
    assert [s.modality for s in as_of(news.timeline, "2026-05-10").ahead] == ["cancelled"]
    assert "but called off" in brief(as_of(news.timeline, "2026-05-10").ahead[0])


def test_talk_of_lifting_leaves_the_ban_in_force():
    news = Reports()
    news.event({"day": 1, "on": "2026-05-05", "direction": "impose", "trigger": "bans", **BAN}, type_="restriction")
    news.event({"day": 9, "modality": "considered", "direction": "lift", "trigger": "lift", **BAN}, type_="restriction")
    now = as_of(news.timeline, "2026-06-01")
    assert now.done.stage == "banned" and now.done.until is None
    assert [(s.stage, s.modality) for s in now.ahead] == [("lifted", "considered")]


def test_lifting_the_ban_on_a_model_leaves_the_ban_on_the_company():
    news = Reports()
    company = {key: value for key, value in BAN.items() if key != "object"}
    news.event({"day": 1, "on": "2026-05-05", "direction": "impose", "trigger": "bans", **company}, type_="restriction")
    news.event({"day": 2, "on": "2026-05-06", "direction": "impose", "trigger": "bans", **BAN}, type_="restriction")
    news.event({"day": 9, "on": "2026-05-13", "direction": "lift", "trigger": "lifted", **BAN}, type_="restriction")
    ends = {
        timeline[0].thing_id: as_of(timeline, "2026-06-01").done.stage for timeline in by_timeline(news.stages).values()
    }
    assert ends == {None: "banned", "tessel": "lifted"}


def test_a_second_pledge_or_an_amendment_does_not_end_the_first():
    news = Reports()
    news.event({"day": 1, "on": "2026-05-05", "trigger": "signed", **PAIR})
    news.event({"day": 9, "on": "2026-05-13", "trigger": "amended", **PAIR})
    now = as_of(news.timeline, "2026-06-01")
    assert (now.done.stage, [s.stage for s in now.besides]) == ("amended", ["signed"])
    news.event({"day": 12, "on": "2026-05-16", "trigger": "terminated", **PAIR})
    now = as_of(news.timeline, "2026-06-01")
    assert (now.done.stage, now.besides) == ("ended", ())


def test_a_denial_marks_a_done_stage_as_contradicted_and_replaces_nothing():
    news = Reports()
    roles = {"actor": LAB, "target": OFFICE, "object": "Tessel"}
    news.event({"day": 1, "on": "2026-05-05", "trigger": "gave", **roles}, type_="access_grant")
    news.event({"day": 4, "modality": "denied", "trigger": "gave", **roles}, type_="access_grant")
    assert all(s.contradicted for s in news.timeline)
    now = as_of(news.timeline, "2026-06-01")
    assert now.done.stage == "granted" and "reports disagree" in sentence_words(now)
    assert [s.modality for s in now.ahead] == ["denied"]


def test_a_request_and_its_refusal_are_one_timeline():
    news = Reports()
    news.event(
        {"day": 1, "on": "2026-05-05", "trigger": "asked", "actor": OFFICE, "target": LAB}, type_="access_request"
    )
    news.event({"day": 3, "on": "2026-05-07", "trigger": "refused", "actor": LAB, "target": OFFICE}, type_="refusal")
    first, second = news.timeline
    assert (first.actor_id, first.counterpart_id) == ("office-of-safety", "meridian-labs")
    assert (first.stage, first.until, second.stage) == ("requested", "2026-05-07", "refused")


def test_two_labs_that_sign_with_one_body_make_two_timelines_and_none_between_the_labs():
    news = Reports()
    news.event({"day": 1, "on": "2026-05-05", "trigger": "signed", "actor": [LAB, "Corvid Works", OFFICE]})
    assert {(timeline[0].actor_id, timeline[0].counterpart_id) for timeline in by_timeline(news.stages).values()} == {
        ("meridian-labs", "office-of-safety"), ("corvid-works", "office-of-safety"),
    }  # fmt: skip


def test_three_labs_that_signed_with_nobody_named_are_not_paired_with_each_other():
    news = Reports()
    news.event({"day": 1, "on": "2026-05-05", "trigger": "signed", "actor": [LAB, "Corvid Works", "Harrow"]})
    assert {timeline[0].counterpart_id for timeline in by_timeline(news.stages).values()} == {None}


def test_a_veto_settles_what_was_considered_before():
    news = Reports()
    news.event({"day": 1, "modality": "considered", "trigger": "sign", "instrument": "SB 53"}, type_="legislation")
    news.event({"day": 9, "on": "2026-05-13", "trigger": "vetoed", "instrument": "SB 53"}, type_="legislation")
    assert [s.modality for s in as_of(news.timeline, "2026-05-12").ahead] == ["considered"]
    assert as_of(news.timeline, "2026-05-13").ahead == () and done(news.timeline, "2026-05-13") == "vetoed"


def test_a_courts_ruling_joins_the_only_case_of_the_losing_side():
    news = Reports()
    suit = {"actor": LAB, "target": OFFICE}
    news.event({"day": 1, "on": "2026-05-05", "trigger": "sued", **suit}, type_="litigation")
    ruling = {"actor": "Federal Court", "target": LAB}
    news.event({"day": 9, "on": "2026-05-13", "trigger": "ruled", **ruling}, type_="litigation")
    assert [s.stage for s in news.timeline] == ["filed", "ruled"]


def test_an_unnamed_party_has_no_timeline():
    news = Reports()
    news.event({"day": 1, "on": "2026-05-05", "trigger": "signed", "actor": ["AI developers", "a company"]})
    assert news.stages == ()


def test_titles_and_descriptions_of_instruments_are_distinguished():
    assert all(is_title(name) for name in ("SB 53", "Frontier Disclosure Act", "Executive Order 77"))
    assert not any(is_title(name) for name in ("AI safety testing agreement", "rules", "new bill", "order"))


# ---- properties


def test_the_last_day_shows_the_end_of_every_timeline():
    world = newsroom_world()
    for timeline in by_timeline(timeline_entries(world.events.values(), world.claims, world.day_of)).values():
        end = as_of(timeline, "9999-12-31")
        done_ = [s for s in timeline if s.done and s.dated]
        assert end.done == (done_[-1] if done_ else None)
        assert end.maybe == ()
        assert set(end.undated) == {s for s in timeline if s.done and not s.dated}
        assert set(end.ahead) == {s for s in timeline if not s.done and s.until is None}


def test_no_stage_ends_before_it_began_and_places_count_up():
    world = newsroom_world()
    for timeline in by_timeline(timeline_entries(world.events.values(), world.claims, world.day_of)).values():
        assert [s.position for s in timeline] == list(range(len(timeline)))
        for stage in timeline:
            assert stage.until is None or stage.until >= stage.sure_from


@given(st.randoms(use_true_random=False))
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_order_of_events_makes_no_difference(chance: random.Random):
    world = newsroom_world()
    events = list(world.events.values())
    expected = timeline_entries(events, world.claims, world.day_of)
    chance.shuffle(events)
    assert timeline_entries(events, world.claims, world.day_of) == expected


@given(st.sampled_from(["agreement", "restriction", "access_grant", "litigation", "legislation", "commitment"]))
@settings(max_examples=12, deadline=None)
def test_an_event_about_other_parties_changes_nothing(type_: str):
    world = newsroom_world()
    before = timeline_entries(world.events.values(), world.claims, world.day_of)
    news = Reports()
    news.event(
        {"day": 1, "on": "2026-05-05", "actor": "Wholly Other", "target": "Someone Else", "instrument": "Other Act"},
        type_=type_,
    )
    after = timeline_entries(
        [*world.events.values(), *news.events],
        {**world.claims, **news.claims},
        {**world.day_of, **news.day_of},
    )
    assert set(before) <= set(after) and len(after) > len(before)
