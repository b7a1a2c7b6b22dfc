"""Facets counted in memory agree with SQL under any filters."""

from __future__ import annotations

import re
from itertools import combinations
from urllib.parse import unquote, urlencode

import pytest
from support.site_data import publish
from support.site_under_test import Site

from pipeline.site.facets import columns, selection
from pipeline.site.facets.columns import arrays_path, read_arrays, save_arrays, saved_arrays
from pipeline.site.facets.counts import COLUMNS, day_number
from pipeline.site.facets.selection import Asked, asked
from pipeline.site.plugins.filters import PARTY_ARGUMENTS

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
    ("first_reported_on__gte", "2026-05-05"),
    ("n_claims__gt", "1"),
)
CLAIM_FILTERS = (
    ("type", "agreement"),
    ("modality__in", "occurred,planned"),
    ("source_id", "oms-news"),
    ("attribution_kind", "person"),
    ("published_on__gte", "2026-05-05"),
    ("_party", "oms"),
    ("_words", "testing"),
    ("quote__contains", "model"),
)


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Site:
    folder = tmp_path_factory.mktemp("counting")
    publish(folder)
    return Site(folder)


@pytest.mark.parametrize("chosen", [*combinations(FILTERS, 1), *combinations(FILTERS, 2)], ids=str)
def test_counts_in_memory_agree_with_the_rows(site, chosen):
    body = site.get("/oversight/events.json?" + urlencode([*chosen, ("_size", "max"), ("_shape", "objects")])).json()
    rows, facets = body["rows"], body["facet_results"]
    for column in ("type", "modality", "jurisdiction", "force", "origins_band", "contradicted", "event_month"):
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


@pytest.mark.parametrize("chosen", [*combinations(CLAIM_FILTERS, 1), *combinations(CLAIM_FILTERS, 2)], ids=str)
def test_counts_of_claims_agree_with_the_rows(site, chosen):
    body = site.get("/oversight/claims.json?" + urlencode([*chosen, ("_size", "max"), ("_shape", "objects")])).json()
    rows, facets = body["rows"], body["facet_results"]
    assert body["filtered_table_rows_count"] == len(rows)
    for column in ("type", "modality", "attribution_kind", "newness", "source_id"):
        expected = {}
        for row in rows:
            expected[row[column]] = expected.get(row[column], 0) + 1
        found = {v["value"]: v["count"] for v in facets[column]["results"]}
        assert found.items() <= expected.items() and len(found) == min(len(expected), 10), (column, chosen)
    for value in facets["party"]["results"]:
        ids = [row["claim_id"] for row in rows]
        sql = f"""select count(distinct claim_id) from claim_participants where entity_id = ?
            and claim_id in ({", ".join("?" * len(ids))})"""
        assert site.one(sql, value["value"], *ids) == value["count"], (value, chosen)


@pytest.mark.parametrize(
    ("table", "query"),
    [
        ("events", "modality=occurred"),
        ("events", "type__in=agreement,restriction,regulation&jurisdiction=US"),
        ("events", "_words=model"),
        ("events", "jurisdiction=US&_sort=type"),
        ("events", "jurisdiction=US&_sort=first_reported_on"),
        ("events", "jurisdiction=US&_sort_desc=date_start"),
        ("events", "type__in=agreement,restriction&_sort_desc=last_reported_on"),
        ("claims", "modality=occurred"),
        ("claims", "_words=model&newness=new"),
    ],
)
@pytest.mark.parametrize("few", [0, 2_000])
def test_page_by_page_every_row_is_shown_once_and_in_order(site, monkeypatch, table, query, few):
    """Includes selections so large that only a window of rows is fetched."""
    monkeypatch.setattr(selection, "FEW", few)
    pages, rows, path = 0, [], f"/oversight/{table}.json?{query}&_size=4&_shape=objects&_nofacet=1"
    while path:
        body = site.get(path).json()
        rows += body["rows"]
        pages += 1
        path = body["next_url"] and body["next_url"].removeprefix("http://ledger.test")
    key = f"{table[:-1]}_id"
    whole = site.get(f"/oversight/{table}.json?{query}&_size=max&_shape=objects&_nofacet=1").json()
    assert [row[key] for row in rows] == [row[key] for row in whole["rows"]]
    assert len({row[key] for row in rows}) == len(rows) == body["filtered_table_rows_count"] and pages > 1
    streamed = site.get(f"/oversight/{table}.csv?{query}&_stream=on").text
    assert streamed.count("\n") - 1 == len(rows) or table == "claims"


def test_the_sql_shown_on_a_page_returns_its_rows(site):
    text = site.get("/oversight/events?modality=occurred&_party=nordlys").text
    href = re.search(r'href="([^"]+)" rel="nofollow">as SQL', text).group(1).replace("&amp;", "&")
    assert "/*" not in unquote(href)
    rows = site.get(href.replace("?", ".json?", 1)).json()["rows"]
    assert (
        len(rows)
        == site.get("/oversight/events.json?modality=occurred&_party=nordlys").json()["filtered_table_rows_count"]
    )


def test_filters_that_arrays_cannot_evaluate_are_left_to_sql():
    for query in ("_where=1", "summary__contains=x", "date_start__gte=May", "event_id=e1"):
        assert asked(query, "events", PARTY_ARGUMENTS) is None
    found = asked("_sort=type&type=agreement&_facet_size=max&_actor=oms&_words=a", "events", PARTY_ARGUMENTS)
    assert found == Asked((("type", "in", ("agreement",)),), (("_actor", "oms"),), ("a",))


def test_saved_arrays_equal_those_read_and_outdated_ones_are_ignored(tmp_path):
    snapshot = publish(tmp_path)
    path = save_arrays(snapshot)
    assert path == arrays_path(snapshot)
    kept, read = saved_arrays(snapshot), read_arrays(snapshot)
    assert kept is not None and kept.titles == read.titles
    for table in ("events", "claims"):
        a, b = getattr(kept, table), getattr(read, table)
        assert (a.rowids == b.rowids).all() and a.entities.ids == b.entities.ids and a.role_names == b.role_names
        for column, codes in b.codes.items():
            assert codes.values == a.codes[column].values and (codes.of == a.codes[column].of).all()
            assert codes.labels == a.codes[column].labels
    whole = path.read_bytes()
    for broken in (whole[: len(whole) // 2], b"", b"PK nonsense"):
        path.write_bytes(broken)
        assert saved_arrays(snapshot) is None
    path.write_bytes(whole)
    with snapshot.open("ab") as handle:
        handle.write(b"\0" * 4096)
    assert saved_arrays(snapshot) is None


def test_saved_arrays_of_deleted_snapshots_are_deleted(tmp_path):
    snapshot = publish(tmp_path)
    other = snapshot.with_name("oversight-20200101T000000.db" + columns.SUFFIX)
    other.write_bytes(b"old")
    save_arrays(snapshot)
    assert not other.exists() and arrays_path(snapshot).exists()


def test_articles_are_found_by_words_of_their_titles(site):
    title = site.one("select title from articles where title like '%testing pacts%' order by published_on desc")
    found = site.ds.get_database("oversight").arrays.with_title("  TESTING   pacts ", 5)
    assert site.one("select title from articles where rowid = ?", found[0]) == title
    assert site.ds.get_database("oversight").arrays.with_title("no such title", 5) == []


def test_day_numbers_sort_like_days():
    assert day_number(None) == 0 < day_number("2026-05") < day_number("2026-05-01") < day_number("2026-06-01")
    assert "event_month" in COLUMNS["events"]


def test_words_match_former_names_and_quotes_as_well_as_summaries(site):
    def found(words: str) -> set[str]:
        body = site.get("/oversight/events.json?" + urlencode({"_words": words, "_shape": "objects", "_size": "max"}))
        return {row["event_id"] for row in body.json()["rows"]}

    by_party = site.get("/oversight/events.json?_party=oms&_shape=objects&_size=max").json()["rows"]
    assert {row["event_id"] for row in by_party} <= found("Model Evaluation Office")
    quoted = site.event_named("signed testing agreements")
    assert quoted in found("a person who has seen the paper")
    assert found('"*(') == found("")


def test_the_filter_form_keeps_filters_without_a_field(site):
    text = site.get("/oversight/events?force=binding&type=restriction").text
    assert '<input type="hidden" name="force" value="binding">' in text
    assert '<option value="EU">European Union</option>' in text
    answer = site.get("/events?force=binding&type=&jurisdiction=EU&_words=code")
    assert answer.headers["location"] == "/oversight/events?_words=code&jurisdiction=EU&force=binding"


def test_an_entitys_years_and_companions_agree_with_the_tables(site):
    import asyncio

    from pipeline.site.queries import entities

    db = site.ds.get_database("oversight")
    for (entity_id,) in site.db.execute("select entity_id from entities where n_events > 2").fetchall():
        years = asyncio.run(entities.years_of_entity(db, entity_id))
        found = {(row["year"], row["modality"]): row["n"] for row in years}
        sql = """select coalesce(substr(e.date_start, 1, 4), ''), e.modality, count(distinct e.event_id) from events e
            join event_participants p using (event_id) where p.entity_id = ? group by 1, 2"""
        assert found == {(year, modality): n for year, modality, n in site.db.execute(sql, [entity_id])}
        sql = """select count(distinct p.event_id) from event_participants p join event_participants q using (event_id)
            where p.entity_id = ? and q.entity_id = ?"""
        for row in asyncio.run(entities.companions(db, entity_id)):
            assert site.one(sql, entity_id, row["entity_id"]) == row["n"]


def test_a_feed_contains_the_newest_matching_events(site):
    answer = site.get("/feed.atom?contradicted=1&_party=oms").text
    ids = [
        row[0]
        for row in site.db.execute(
            "select event_id from events where contradicted = 1 and event_id in "
            "(select event_id from event_participants where entity_id = 'oms')"
        )
    ]
    assert ids and answer.count("<entry>") == len(ids) and all(event_id in answer for event_id in ids)
