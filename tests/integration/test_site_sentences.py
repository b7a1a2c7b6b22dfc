"""What the pages of the demo say at a glance, held against the sentences behind it: nothing surer, finer or other."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest
from support.site_under_test import Site

from pipeline.site.plugins.pages import by_origin
from pipeline.site.text import words as W
from pipeline.site.text.status_text import stage_words


@pytest.fixture(scope="module")
def site(demo: Path) -> Site:
    return Site(demo)


def _in_short(page: str, title: str) -> str:
    """Return what the column "In short" of an event's page says under a title, without markup."""
    found = re.search(rf"<dt>{re.escape(title)}</dt><dd>(.*?)</dd>", page, re.DOTALL)
    assert found, title
    return " ".join(re.sub(r"<[^>]+>", " ", found[1]).split())


def test_what_reports_disagree_on_is_not_given_as_known(site: Site) -> None:
    signed = site.get(f"/event/{site.event_named('signed an agreement on Corvid 4')}").text
    assert _in_short(signed, "Binding?") == "Reports disagree"
    assert _in_short(signed, "When").endswith("Reports disagree")
    other = site.get(f"/event/{site.event_named('adopted rules for a public register')}").text
    assert "Reports disagree" not in _in_short(other, "When") + _in_short(other, "Binding?")


def test_the_first_sentence_under_an_event_bears_it_out(site: Site) -> None:
    badges = {code: words.badge for code, words in W.MODALITIES.items()}
    for event_id, modality in site.db.execute("select event_id, modality from events"):
        page = site.get(f"/event/{event_id}").text
        first = page.index('<figure class="claim"')
        facts = page[first : page.index("</figure>", first)]
        assert badges[modality] in facts, event_id


def test_reports_that_put_it_otherwise_come_last_and_say_so() -> None:
    def claim(article: str, modality: str, day: str) -> dict:
        same = dict.fromkeys(("article_id", "origin_id", "origin_label", "source_title", "lead_article_id"), article)
        return same | {"origin_kind": "original", "published_on": day, "modality": modality}

    groups = by_origin([claim("a", "considered", "2026-03-01"), claim("b", "occurred", "2026-04-01")], "occurred")
    assert [(group["label"], group["otherwise"]) for group in groups] == [("b", False), ("a", True)]


def test_a_limit_that_is_only_planned_is_not_called_imposed_or_lifted(site: Site) -> None:
    found = site.db.execute("select event_id from events where direction is not null and modality <> 'occurred'")
    for (event_id,) in found.fetchall():
        said = _in_short(site.get(f"/event/{event_id}").text, "Direction")
        assert said in ("Lifting a limit", "Imposing a limit", "Reports disagree"), event_id


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        ("2025-09-01", "2025-11-30", "September to November 2025"),
        ("2025-12-01", "2026-02-28", "December 2025 to February 2026"),
        ("2026-07-01", "2026-09-30", "Third quarter of 2026"),
    ],
)
def test_three_months_are_called_a_quarter_only_where_they_are_one(start: str, end: str, said: str) -> None:
    assert W.span_words(start, end, "quarter") == said


def test_a_release_to_some_is_not_told_as_one_to_all(site: Site) -> None:
    summary = site.one("select summary from events where type = 'model_release' and modality = 'occurred'")
    assert summary == "Vellichor released Corvid 4 to 200 vetted organisations."


def test_a_suit_that_was_filed_and_dropped_is_no_dropped_plan() -> None:
    assert stage_words("in court", "cancelled") == "legal action dropped"
    assert stage_words("signed", "cancelled") == "to be signed, but called off"


def test_what_was_due_is_the_release_not_its_delay(site: Site) -> None:
    assert not [summary for (summary,) in site.db.execute("select summary from upcoming") if "delay" in summary]


def test_a_rule_that_has_applied_since_took_effect_then(site: Site) -> None:
    told = "select summary from events join claims using (event_id) where quote like '%has applied since%'"
    assert not [summary for (summary,) in site.db.execute(told) if "published" in summary]


def test_a_plan_tells_the_day_that_is_named_for_it(site: Site) -> None:
    for page in (site.get("/status").text, site.get("/status?name=Frontier+Disclosure+Act").text):
        assert "To be in force, planned only, reported 15 April 2026; day named: 1 July 2026" in page


def test_no_stage_is_said_to_hold_until_the_day_on_which_it_began(site: Site) -> None:
    sql = "select event_id from timeline_entries where modality <> 'occurred' and until = first_reported_on limit 5"
    for (event_id,) in site.db.execute(sql).fetchall():
        lines = site.get(f"/event/{event_id}").text.partition("Status over time")[2].partition("<section")[0]
        assert not re.search(r"reported (\d+ \w+ \d{4})</[a-z]+> <span class=\"quiet\">until \1", lines), event_id


def test_agencies_without_a_country_are_not_taken_for_american_ones(demo: Path) -> None:
    with sqlite3.connect(demo / "build.db") as db:
        assert db.execute("select jurisdiction from entities where entity_id = 'federal-agencies'").fetchone() == ("",)


def test_every_fact_of_a_snapshot_has_words(site: Site) -> None:
    assert {key for (key,) in site.db.execute("select key from build_info")} <= set(W.FACTS)
    assert "N articles" not in site.get("/about").text


def test_no_two_values_of_a_facet_bear_the_same_words() -> None:
    for column, known in [*W.COLUMN_WORDS.items(), *W.TABLE_COLUMN_WORDS.items()]:
        doubled = [words for words in known.values() if list(known.values()).count(words) > 1]
        assert not doubled or column == "jurisdiction" and set(doubled) == {"United Kingdom"}, (column, doubled)


@pytest.mark.parametrize("ending", ["", ".json", ".csv"])
def test_a_filter_on_a_column_that_is_not_there_is_refused(site: Site, ending: str) -> None:
    answer = site.get(f"/oversight/events{ending}?modalty=occurred")
    assert answer.status_code == 400
    assert "no column modalty" in answer.text and "Did you mean modality?" in answer.text
    assert site.get(f"/oversight/events{ending}?modality=occurred&date_start__gte=2026-01-01").status_code == 200


def test_an_unknown_address_is_told_in_a_readers_words(site: Site) -> None:
    assert "Database" not in site.get("/nothing").text
    assert "lists them" in site.get("/oversight/nothing").text


@pytest.mark.parametrize("sql", ["selec 1", "drop table events", "select * from event"])
def test_sql_that_cannot_be_answered_is_not_lost(site: Site, sql: str) -> None:
    answer = site.get(f"/oversight?sql={sql.replace(' ', '+')}")
    assert answer.status_code == 400
    assert re.search(rf"<textarea[^>]*>{re.escape(sql)}</textarea>", answer.text)


def test_whoever_may_apply_for_an_order_gives_none(site: Site) -> None:
    quote = "%may apply to the Federal Court of Talvia for an order%"
    told = site.db.execute("select summary from events join claims using (event_id) where quote like ?", (quote,))
    assert not [summary for (summary,) in told if "issue a ruling" in summary]


def test_a_day_is_named_only_beside_the_plan_that_names_it(site: Site) -> None:
    lines = site.get("/status.json").json()["lines"]
    stages = [stage for line in lines for stage in line["stages"] if stage["due"]]
    assert {stage["modality"] for stage in stages} <= {"planned", "considered", "conditional", "alleged"}
    for stage in stages:
        claims = site.db.execute("select claim_id from timeline_claims where entry_id = ?", (stage["entry_id"],))
        named = site.db.execute("select claim_id from upcoming where event_id = ?", (stage["event_id"],))
        assert set(claims) & set(named), stage["summary"]


def test_where_sql_is_switched_off_nobody_is_invited_to_write_it(demo: Path) -> None:
    answer = Site(demo, allow_sql=False).get("/oversight?sql=select+1")
    assert answer.status_code >= 400 and "<textarea" not in answer.text and "and SQL" not in answer.text
