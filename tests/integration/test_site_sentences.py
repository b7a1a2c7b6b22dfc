"""What the demo's pages say agrees with the sentences behind it: no more certain, no more precise."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest
from support.newsroom_world import newsroom_aggregate
from support.site_under_test import Site

from pipeline.site.plugins.pages import by_origin
from pipeline.site.text import labels
from pipeline.site.text.formatting import span_words
from pipeline.site.text.status_text import stage_words


@pytest.fixture(scope="module")
def site(demo: Path) -> Site:
    return Site(demo)


def _fact(page: str, title: str) -> str:
    """Return the text under a title in the facts of an event's page."""
    found = re.search(rf"<dt>{re.escape(title)}</dt><dd>(.*?)</dd>", page, re.DOTALL)
    assert found, title
    return " ".join(re.sub(r"<[^>]+>", " ", found[1]).split())


def test_a_contradicted_field_is_not_shown_as_known(site: Site) -> None:
    signed = site.get(f"/event/{site.event_named('signed an agreement on Corvid 4')}").text
    assert _fact(signed, "When").endswith("Reports disagree")
    other = site.get(f"/event/{site.event_named('opened an investigation into Harrowmere')}").text
    assert "Reports disagree" not in _fact(other, "When") + _fact(other, "Binding?")


def test_the_first_quote_of_an_event_supports_its_modality(site: Site) -> None:
    badges = {code: words.badge for code, words in labels.MODALITIES.items()}
    for event_id, modality in site.db.execute("select event_id, modality from events"):
        page = site.get(f"/event/{event_id}").text
        first = page.index('<figure class="claim"')
        facts = page[first : page.index("</figure>", first)]
        assert badges[modality] in facts, event_id


def test_reports_that_differ_come_last_and_are_marked() -> None:
    def claim(article: str, modality: str, day: str) -> dict:
        same = dict.fromkeys(("article_id", "origin_id", "origin_label", "source_title", "lead_article_id"), article)
        return same | {"origin_kind": "original", "published_on": day, "modality": modality}

    groups = by_origin([claim("a", "considered", "2026-03-01"), claim("b", "occurred", "2026-04-01")], "occurred")
    assert [(group["label"], group["differs"]) for group in groups] == [("b", False), ("a", True)]


def test_a_limit_that_is_only_planned_is_not_called_imposed_or_lifted(site: Site) -> None:
    found = site.db.execute("select event_id from events where direction is not null and modality <> 'occurred'")
    for (event_id,) in found.fetchall():
        said = _fact(site.get(f"/event/{event_id}").text, "Direction")
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
    assert span_words(start, end, "quarter") == said


def test_a_release_to_some_is_not_shown_as_a_release_to_all() -> None:
    released = [e for e in newsroom_aggregate().events if (e.type, e.modality) == ("model_release", "occurred")]
    assert [e.summary for e in released] == ["Vellichor released Corvid 4 to 200 vetted organisations."]


def test_a_dropped_lawsuit_is_not_a_dropped_plan() -> None:
    assert stage_words("in court", "cancelled") == "legal action dropped"
    assert stage_words("signed", "cancelled") == "to be signed, but called off"


def test_a_delay_is_not_an_upcoming_date(site: Site) -> None:
    assert not [summary for (summary,) in site.db.execute("select summary from upcoming") if "delay" in summary]


def test_a_rule_that_has_applied_since_a_day_took_effect_then(site: Site) -> None:
    sql = "select summary from events join claims using (event_id) where quote like '%has applied since%'"
    assert not [summary for (summary,) in site.db.execute(sql) if "published" in summary]


def test_a_plan_shows_its_announced_date(site: Site) -> None:
    for page in (site.get("/status").text, site.get("/status?name=Frontier+Disclosure+Act").text):
        assert "To be in force, planned only, reported 15 April 2026; date given: 1 July 2026" in page


def test_no_stage_ends_on_the_day_on_which_it_began(site: Site) -> None:
    sql = "select event_id from timeline_entries where modality <> 'occurred' and until = first_reported_on limit 5"
    for (event_id,) in site.db.execute(sql).fetchall():
        lines = site.get(f"/event/{event_id}").text.partition("Timeline")[2].partition("<section")[0]
        assert not re.search(r"reported (\d+ \w+ \d{4})</[a-z]+> <span class=\"quiet\">until \1", lines), event_id


def test_agencies_without_a_country_are_not_american(demo: Path) -> None:
    with sqlite3.connect(demo / "build.db") as db:
        assert db.execute("select jurisdiction from entities where entity_id = 'federal-agencies'").fetchone() == ("",)


def test_every_build_info_entry_has_a_label(site: Site) -> None:
    assert {key for (key,) in site.db.execute("select key from build_info")} <= set(labels.BUILD_INFO)
    assert "N articles" not in site.get("/about").text


def test_no_two_values_of_a_facet_have_the_same_label() -> None:
    for column, known in [*labels.COLUMN_WORDS.items(), *labels.TABLE_COLUMN_WORDS.items()]:
        doubled = [words for words in known.values() if list(known.values()).count(words) > 1]
        assert not doubled or column == "jurisdiction" and set(doubled) == {"United Kingdom"}, (column, doubled)


@pytest.mark.parametrize("ending", ["", ".json", ".csv"])
def test_a_filter_on_an_unknown_column_is_refused(site: Site, ending: str) -> None:
    answer = site.get(f"/oversight/events{ending}?modalty=occurred")
    assert answer.status_code == 400
    assert "no column modalty" in answer.text and "Did you mean modality?" in answer.text
    assert site.get(f"/oversight/events{ending}?modality=occurred&date_start__gte=2026-01-01").status_code == 200


def test_an_unknown_address_gets_a_plain_message(site: Site) -> None:
    assert "Database" not in site.get("/nothing").text
    assert "lists them" in site.get("/oversight/nothing").text


@pytest.mark.parametrize("sql", ["selec 1", "drop table events", "select * from event"])
def test_failed_sql_stays_in_the_form(site: Site, sql: str) -> None:
    answer = site.get(f"/oversight?sql={sql.replace(' ', '+')}")
    assert answer.status_code == 400
    assert re.search(rf"<textarea[^>]*>{re.escape(sql)}</textarea>", answer.text)


def test_a_right_to_apply_for_an_order_is_not_an_order(site: Site) -> None:
    quote = "%may apply to the Federal Court of Talvia for an order%"
    found = site.db.execute("select summary from events join claims using (event_id) where quote like ?", (quote,))
    assert not [summary for (summary,) in found if "issue a ruling" in summary]


def test_a_date_is_shown_only_with_the_plan_that_gives_it(site: Site) -> None:
    lines = site.get("/status.json").json()["lines"]
    stages = [stage for line in lines for stage in line["stages"] if stage["due"]]
    assert {stage["modality"] for stage in stages} <= {"planned", "considered", "conditional", "alleged"}
    for stage in stages:
        claims = site.db.execute("select claim_id from timeline_claims where entry_id = ?", (stage["entry_id"],))
        named = site.db.execute("select claim_id from upcoming where event_id = ?", (stage["event_id"],))
        assert set(claims) & set(named), stage["summary"]


def test_without_sql_there_is_no_sql_form(demo: Path) -> None:
    answer = Site(demo, allow_sql=False).get("/oversight?sql=select+1")
    assert answer.status_code >= 400 and "<textarea" not in answer.text and "and SQL" not in answer.text
