"""Facets that are counted in memory agree with SQL, whatever filters are in force."""

from __future__ import annotations

from itertools import combinations
from urllib.parse import urlencode

import pytest

from pipeline.serve.counting import COLUMNS, day_number
from pipeline.serve.plugins.facets import simple_filters
from tests.site_data import publish
from tests.site_under_test import Site

FILTERS = (
    ("type", "agreement"),
    ("type__in", "agreement,restriction,litigation"),
    ("modality", "occurred"),
    ("jurisdiction", "US"),
    ("date_start__gte", "2026-05-05"),
    ("date_start__lte", "2026-06-30"),
    ("_party", "oms"),
    ("_actor", "Nordlys"),
    ("_model", "windhover"),
    ("_words", "testing"),
    ("n_claims__gt", "1"),
)


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Site:
    folder = tmp_path_factory.mktemp("counting")
    publish(folder)
    return Site(folder)


@pytest.mark.parametrize("chosen", [*combinations(FILTERS, 1), *combinations(FILTERS, 2)], ids=str)
def test_counts_in_memory_are_those_of_the_rows(site, chosen):
    body = site.get("/oversight/events.json?" + urlencode([*chosen, ("_size", "max"), ("_shape", "objects")])).json()
    rows, facets = body["rows"], body["facet_results"]
    for column in ("type", "modality", "jurisdiction", "force", "origins_band", "contested", "event_month"):
        expected = {}
        for row in rows:
            if row[column] is not None:
                expected[row[column]] = expected.get(row[column], 0) + 1
        found = {v["value"]: v["count"] for v in facets[column]["results"]}
        assert found.items() <= expected.items() and len(found) == min(len(expected), 10), (column, chosen)
    ids = [row["event_id"] for row in rows]
    marks = ", ".join("?" * len(ids))
    for name, condition in (("actor", "p.role = 'actor'"), ("model", "n.kind = 'model'")):
        for value in facets[name]["results"]:
            sql = f"""select count(distinct p.event_id) from event_participants p join entities n using (entity_id)
                where p.entity_id = ? and {condition} and p.event_id in ({marks})"""
            assert site.one(sql, value["value"], *ids) == value["count"], (name, value, chosen)


def test_what_arrays_cannot_answer_is_left_to_sql():
    assert simple_filters("_where=1") is None
    assert simple_filters("summary__contains=x") is None
    assert simple_filters("date_start__gte=May") is None
    assert simple_filters("_sort=type&type=agreement&_facet_size=max") == ([("type", "in", ("agreement",))], [])


def test_days_keep_their_order_as_numbers():
    assert day_number(None) == 0 < day_number("2026-05") < day_number("2026-05-01") < day_number("2026-06-01")
    assert "event_month" in COLUMNS


def test_words_find_former_names_and_quotes_beside_the_summary(site):
    def found(words: str) -> set[str]:
        body = site.get("/oversight/events.json?" + urlencode({"_words": words, "_shape": "objects", "_size": "max"}))
        return {row["event_id"] for row in body.json()["rows"]}

    by_party = site.get("/oversight/events.json?_party=oms&_shape=objects&_size=max").json()["rows"]
    assert {row["event_id"] for row in by_party} <= found("Model Evaluation Office")
    quoted = site.event_named("signed testing agreements")
    assert quoted in found("a person who has seen the paper")
    assert found('"*(') == found("")


def test_the_filter_form_keeps_the_facets_that_it_has_no_field_for(site):
    text = site.get("/oversight/events?force=binding&type=restriction").text
    assert '<input type="hidden" name="force" value="binding">' in text
    assert '<option value="EU">European Union</option>' in text
    answer = site.get("/events?force=binding&type=&jurisdiction=EU&_words=code")
    assert answer.headers["location"] == "/oversight/events?_words=code&jurisdiction=EU&force=binding"


def test_an_entitys_years_and_companions_are_those_of_the_tables(site):
    import asyncio

    from pipeline.serve import queries

    db = site.ds.get_database("oversight")
    for (entity_id,) in site.db.execute("select entity_id from entities where n_events > 2").fetchall():
        years = asyncio.run(queries.years_of_entity(db, entity_id))
        found = {(row["year"], row["modality"]): row["n"] for row in years}
        sql = """select coalesce(substr(e.date_start, 1, 4), ''), e.modality, count(distinct e.event_id) from events e
            join event_participants p using (event_id) where p.entity_id = ? group by 1, 2"""
        assert found == {(year, modality): n for year, modality, n in site.db.execute(sql, [entity_id])}
        sql = """select count(distinct p.event_id) from event_participants p join event_participants q using (event_id)
            where p.entity_id = ? and q.entity_id = ?"""
        for row in asyncio.run(queries.companions(db, entity_id)):
            assert site.one(sql, entity_id, row["entity_id"]) == row["n"]


def test_a_feed_holds_the_newest_of_the_events_that_pass(site):
    answer = site.get("/feed.atom?contested=1&_party=oms").text
    ids = [row[0] for row in site.db.execute(
        "select event_id from events where contested = 1 and event_id in "
        "(select event_id from event_participants where entity_id = 'oms')"
    )]  # fmt: skip
    assert ids and answer.count("<entry>") == len(ids) and all(event_id in answer for event_id in ids)
