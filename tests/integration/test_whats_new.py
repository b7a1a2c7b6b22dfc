"""Changes since a day: events that changed status, new contradictions, withdrawn events; and the steps of one event."""

from __future__ import annotations

import pytest
from support.site_data import publish
from support.site_under_test import Site

from pipeline.site.queries.whats_new import days_before, steps


def claim(day: str | None, modality: str, origin: str = "o1") -> dict:
    key = f"{day}{modality}{origin}"
    return {"claim_id": key, "article_id": key, "origin_id": origin, "modality": modality, "published_on": day}


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Site:
    folder = tmp_path_factory.mktemp("moves")
    publish(folder)
    return Site(folder)


def test_steps_are_recorded_only_where_the_modality_changes():
    claims = [
        claim("2026-05-01", "planned"),
        claim("2026-05-02", "planned", "o2"),
        claim("2026-05-09", "occurred", "o3"),
    ]
    assert steps(claims) == [("2026-05-01", "planned"), ("2026-05-09", "occurred")]
    assert steps([claim("2026-05-01", "occurred"), claim("2026-05-03", "considered")]) == [("2026-05-01", "occurred")]
    assert steps([claim(None, "alleged"), claim("2026-05-03", "denied")]) == [("", "alleged"), ("2026-05-03", "denied")]
    assert steps([]) == []


def test_days_before_a_day():
    assert days_before("2026-03-01", 6) == "2026-02-23" and days_before("", 6) == ""


def test_changes_list_events_with_their_former_modality(site):
    site_db = site.db
    event_id, first, last = site_db.execute(
        "select event_id, min(published_on), max(published_on) from claims group by event_id "
        "having count(distinct modality) > 1 and min(published_on) < max(published_on) limit 1"
    ).fetchone()
    body = site.get(f"/changes.json?since={last}").json()
    moved = {row["event_id"]: row for row in body["moved"]}
    for row in moved.values():
        assert row["was"] != row["modality"] and row["moved_on"] >= last
    assert all(row["first_reported_on"] >= last for row in body["new"])
    assert event_id not in {row["event_id"] for row in body["new"]} and first < last


def test_withdrawn_and_merged_events_have_the_day_they_were_first_missed(site):
    gone = site.get("/changes.json?since=2026-07-16").json()["gone"]
    assert [row["old_event_id"] for row in gone] == ["e0000000000000002"]
    text = site.get("/changes?since=2026-07-15").text
    assert "The publisher withdrew the only report of it." in text and "Merged into" in text
    assert "e0000000000000002" not in site.get("/changes?since=2026-07-17").text


def test_an_invalid_day_gets_a_plain_message(site):
    answer = site.get("/changes?since=yesterday")
    assert answer.status_code == 400 and "2026-05-31" in answer.text


def test_the_front_page_counts_changes_in_seven_days(site):
    text = site.get("/").text
    since = days_before(site.one("select max(published_on) from articles"), 6)
    n = site.one("select count(*) from events where first_reported_on >= ?", since)
    assert f'<a href="/changes?since={since}#new"><strong>{n}</strong> new</a>' in text
    assert 'name="since"' in text
