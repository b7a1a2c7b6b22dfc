"""The site over a small invented ledger: every page, facet, saved query and feed."""

from __future__ import annotations

import html
import json
import re
import shutil
import sqlite3
import threading
import time
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import pytest
import sqlite_utils
from support.site_data import publish, unmarked
from support.site_under_test import Site, harmless

from pipeline.errors import OutsideFailure, WrongUse
from pipeline.ledger import schema
from pipeline.site import app
from pipeline.site.app import Watcher, build_site, listen
from pipeline.site.plugins.filters import PARTY_ARGUMENTS, facet_names
from pipeline.site.snapshots import check_snapshot, current_snapshot
from pipeline.site.text.labels import MODALITIES


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Site:
    folder = tmp_path_factory.mktemp("site")
    publish(folder)
    return Site(folder)


# ---- pages


def test_every_event_entity_and_article_has_a_page(site):
    for kind, sql in (
        ("event", "event_id from events"),
        ("entity", "entity_id from entities"),
        ("article", "article_id from articles"),
    ):
        for (key,) in site.db.execute(f"select {sql}"):
            answer = site.get(f"/{kind}/{key}")
            assert answer.status_code == 200, f"/{kind}/{key}"
            assert '<html lang="en">' in answer.text and "<h1" in answer.text


@pytest.mark.parametrize("path", ["/", "/sources", "/about", "/accuracy", "/search", "/queries", "/oversight"])
def test_the_fixed_pages_open_and_are_accessible(site, path):
    answer = site.get(path)
    assert answer.status_code == 200
    assert '<main id="main"' in answer.text and 'class="skip" href="#main"' in answer.text
    assert "<script" not in harmless(answer.text) and "style=" not in answer.text


def test_home_marks_plans_as_plans(site):
    text = site.get("/").text
    plan = text.index("The Senate will hold a hearing on testing")
    assert "Planned" in text[plan - 700 : plan]
    assert "Reported, unconfirmed" in text and "Postponed" in text


def test_home_lists_upcoming_dates_and_no_past_ones(site):
    upcoming = site.get("/").text.split('id="upcoming"')[1].split("</section>")[0]
    assert "Executive Order 1207" in upcoming and "Aurora 4 before its release" in upcoming
    assert "signed testing agreements" not in upcoming
    assert upcoming.index("hearing") < upcoming.index("Aurora 4 before") < upcoming.index("joint test")


def test_latest_events_leave_out_those_only_recalled(tmp_path):
    snapshot = publish(tmp_path)
    db = sqlite3.connect(snapshot)
    db.execute(
        "update claims set newness = 'background' "
        "where event_id in (select event_id from events where summary like 'Jane Roe is said%')"
    )
    db.commit()
    site = Site(tmp_path)
    latest = site.get("/").text.split('id="latest"')[1].split("</section>")[0]
    assert site.event_named("Jane Roe is said") not in latest and site.event_named("put off the signing") in latest


def test_home_says_what_is_covered(site):
    text = site.get("/").text
    assert "covers only what 9 sources" in text and "may still have happened" in text
    assert "1 source</a> did not respond" in text


def test_the_month_chart_counts_only_what_happened_and_links_to_the_filtered_table(site):
    text = site.get("/").text
    href = "/oversight/events?type__in=restriction,enforcement&amp;event_month=2026-07&amp;modality=occurred"
    assert href in text
    answer = site.get(href.replace("&amp;", "&"))
    assert "2 rows" in answer.text and site.event_named("fined Hanshan Research") in answer.text


def test_an_event_page_marks_trigger_and_parties_and_groups_near_duplicates_under_one_origin(site):
    text = site.get(f"/event/{site.event_named('signed testing agreements')}").text
    assert "4 independent origins (5 articles)" in text
    assert "<mark>signed</mark>" in text
    assert 'href="/entity/oms" title="Who acts: Office of Model Safety">the Office of Model Safety</a>' in text
    assert "1 more article of this origin: Daily Gleaner" in text
    assert "is a near-duplicate of" in text
    assert text.count('class="origin"') == 4


def test_an_event_page_shows_contradicting_values_side_by_side(site):
    text = site.get(f"/event/{site.event_named('signed testing agreements')}").text
    contradictions = text.split('id="contradictions"')[1].split("</section>")[0]
    assert "5 May 2026" in contradictions and "6 May 2026" in contradictions and "Binding" in contradictions


def test_an_article_page_shows_where_other_reports_contradict_it(site):
    article = site.get(f"/event/{site.event_named('signed testing agreements')}.json").json()["claims"][0]["article_id"]
    text = site.get(f"/article/{article}").text
    found = text.split('id="contradictions"')[1].split("</section>")[0]
    assert "Contradicted by other reports" in found and "signed testing agreements" in found
    assert "5 May 2026" in found and "6 May 2026" in found


def test_an_event_page_links_to_the_quote_in_the_original(site):
    text = site.get(f"/event/{site.event_named('passed the Frontier')}").text
    assert "#:~:text=Senators%20passed%20the%20bill%20late%20on%20Wednesday." in text


def test_a_merged_event_redirects_and_a_withdrawn_one_says_why(site):
    moved = site.get("/event/e0000000000000001")
    assert moved.status_code == 301
    assert moved.headers["location"] == f"/event/{site.event_named('signed testing agreements')}"
    gone = site.get("/event/e0000000000000002")
    assert gone.status_code == 410 and "withdrew the only report" in gone.text
    assert site.get("/event/e0000000000000001.json").status_code == 301
    assert site.get("/event/e0000000000000002.json").json()["withdrawn"].startswith("The publisher withdrew")


def test_an_event_as_json_quotes_with_offsets_that_fit(site):
    body = site.get(f"/event/{site.event_named('signed testing agreements')}.json").json()
    assert body["event"]["n_origins"] == 4 and len(body["contradictions"]) == 2
    for claim in body["claims"]:
        for party in claim["participants"]:
            a, b = party["start"] - claim["quote_start"], party["end"] - claim["quote_start"]
            assert claim["quote"][a:b] == party["text"]


def test_an_entity_page_shows_names_over_time_and_companions(site):
    text = site.get("/entity/oms").text
    assert "Model Evaluation Office" in text and "until 2 June 2025" in text
    assert "Department of Trade and Technology" in text and "In the same events" in text


def test_an_article_page_shows_its_claims_but_not_the_full_text(site):
    key = site.one("select article_id from articles where title = 'Labs sign testing pacts: report'")
    text = site.get(f"/article/{key}").text
    assert "is a near-duplicate of" in text and "2 paragraphs" in text and "not the whole article" in text


def test_search_finds_former_names_short_names_quotes_and_beginnings(site):
    assert "/entity/oms" in site.get("/search?q=model+evaluation+office").text
    assert "/entity/eab" in site.get("/search?q=ai+board").text
    assert "<mark>weighing</mark>" in site.get("/search?q=weighing").text
    assert "Executive Order 1207" in site.get("/search?q=execu").text
    assert "Nothing found for" in site.get("/search?q=zzzz").text


@pytest.mark.parametrize("words", ['"', "AND", "a OR", "NEAR(", "*", "' or 1=1 --", "%", "\\", "🙂", "x" * 5000])
def test_search_accepts_any_text(site, words):
    assert site.get("/search?" + urlencode({"q": words})).status_code == 200


def test_a_second_credit_of_a_publisher_that_was_found_is_not_repeated(tmp_path):
    snapshot = publish(tmp_path)
    db = sqlite3.connect(snapshot)
    key, name = db.execute("select article_id, to_name from origin_edges limit 1").fetchone()
    db.execute("insert into origin_edges values (?, null, ?, 'credit', 'first reported by')", [key, name])
    db.execute("insert into origin_edges values (?, null, 'Elsewhere Daily', 'credit', 'told')", [key])
    db.commit()
    text = Site(tmp_path).get(f"/article/{key}").text
    assert f"{name}, which is not in this ledger" not in text
    assert "Elsewhere Daily, which is not in this ledger" in text


def test_the_pages_of_an_empty_ledger_say_so(tmp_path):
    folder = tmp_path / "published"
    folder.mkdir()
    schema.published.apply(sqlite_utils.Database(folder / "oversight-20260101T000000.db"))
    (folder / "current").symlink_to("oversight-20260101T000000.db")
    site = Site(tmp_path)
    for path in (
        "/",
        "/sources",
        "/about",
        "/accuracy",
        "/search?q=x",
        "/oversight",
        "/oversight/events",
        "/queries",
    ):
        assert site.get(path).status_code == 200, path
    assert ET.fromstring(site.get("/feed.atom").content) is not None
    text = site.get("/").text
    assert "There are no events yet" in text and "none yet" in text


def test_every_table_opens_as_page_csv_and_json_with_words_for_its_columns(site):
    for name, table in site.ds.metadata()["databases"]["oversight"]["tables"].items():
        assert site.get(f"/oversight/{name}").status_code == 200, name
        assert site.get(f"/oversight/{name}.csv").status_code == 200, name
        assert site.get(f"/oversight/{name}.json").status_code == 200, name
        if not table.get("hidden"):
            assert next(iter(table["columns"].values())) in site.get(f"/oversight/{name}").text.replace("&#39;", "'"), (
                name
            )


def test_every_facet_of_the_metadata_shows_values_and_each_value_filters(site):
    for name, table in site.ds.metadata()["databases"]["oversight"]["tables"].items():
        for facet in facet_names(table.get("facets", [])):
            body = site.get(f"/oversight/{name}.json").json()
            values = body["facet_results"][facet]["results"]
            assert values, f"{name}: {facet}"
            argument = f"_{facet}" if f"_{facet}" in PARTY_ARGUMENTS else facet
            rows = site.get(f"/oversight/{name}.json?" + urlencode({argument: values[0]["value"]})).json()
            assert rows["filtered_table_rows_count"] == values[0]["count"], f"{name}: {facet}"


def test_an_editors_decision_is_shown_with_its_claim_and_the_programs_reading(site):
    rows = site.get("/oversight/reviews.json?_shape=objects&_sort=review_id").json()["rows"]
    changed, confirmed, reopened = rows
    page = site.get(f"/event/{changed['event_id']}").text
    assert "Changed by an editor</strong>, 20 July 2026: modality: occurred → planned." in page
    assert "Why: It &lt;b&gt;only&lt;/b&gt; hopes to." in page
    assert "The program read: type: agreement · modality: occurred." in page
    assert "Confirmed by Ada Arden</strong>" in site.get(f"/event/{confirmed['event_id']}").text
    assert reopened["subject"] not in site.get(f"/article/{reopened['article_id']}").text
    data = site.get(f"/event/{changed['event_id']}.json").json()
    assert [row["review_id"] for row in data["decisions"]] == ["r1"]


@pytest.mark.parametrize("argument", sorted(PARTY_ARGUMENTS))
def test_every_party_facet_has_values(site, argument):
    body = site.get(f"/oversight/events.json?_facet_party={argument[1:]}").json()
    assert body["facet_results"][argument[1:]]["results"]


def test_months_are_sorted_newest_first(site):
    months = [v["value"] for v in site.get("/oversight/events.json").json()["facet_results"]["event_month"]["results"]]
    assert months == sorted(months, reverse=True) and len(months) > 3


def test_a_party_filter_takes_ids_names_and_former_names_beside_other_filters(site):
    counts = [
        site.get("/oversight/events.json?" + urlencode({"_party": name, "modality": "planned"})).json()
        for name in ("oms", "Office of Model Safety", "model evaluation office", "OMS")
    ]
    assert [body["filtered_table_rows_count"] for body in counts] == [2, 2, 2, 2]
    both = site.get("/oversight/events?_party=oms&_party=nordlys&type=agreement")
    assert "1 row<" in both.text and "Nordlys Labs takes part" in both.text
    nobody = site.get("/oversight/events?_party=nobody+at+all")
    assert nobody.status_code == 200 and "0 rows" in nobody.text


def test_the_filter_form_redirects_to_the_address_of_the_facets(site):
    answer = site.get("/events?_party=+model+evaluation+OFFICE&type=&modality=planned&date_start__gte=&_search=")
    assert answer.status_code == 302 and answer.headers["location"] == "/oversight/events?_party=oms&modality=planned"
    assert site.get("/events?of=claims&_search=code").headers["location"] == "/oversight/claims?_search=code"


def test_facets_and_table_show_labels_not_codes(site):
    text = site.get("/oversight/events").text
    assert "Reported, unconfirmed" in text and "1 origin only" in text and "European Union" in text
    assert text.index("<h3>Event type") < text.index("<h3>Month") < text.index("<h3>Independent origins")
    assert "restriction</a>" not in text


def test_every_saved_query_returns_rows_with_and_without_parameters(site):
    questions = site.ds.metadata()["databases"]["oversight"]["queries"]
    assert len(questions) >= 15
    for name in questions:
        plain = site.get(f"/oversight/{name}.json?_shape=objects").json()
        page = site.get(f"/oversight/{name}")
        assert page.status_code == 200 and "How to read it" in page.text, name
        assert plain["rows"] or "No rows." in page.text, name
        assert site.get(f"/oversight/{name}.csv").status_code == 200
    asked = site.get("/oversight/planned_and_not_done.json?_shape=objects&party=OMS").json()["rows"]
    assert asked and all("Model Safety" in row["summary"] for row in asked)
    since = site.get("/oversight/who_restricted_whom.json?_shape=objects&since=2026-07-01").json()["rows"]
    assert {row["date"] for row in since} == {"2026-07-02", "2026-07-08"}
    laws = site.get("/oversight/follow_one_instrument.json?_shape=objects&instrument=frontier").json()["rows"]
    assert [row["stage"] for row in laws][:2] == ["introduced", "passed"]


def test_feed_titles_begin_with_the_modality(site):
    for path, least in (
        ("/feed.atom", 40),
        ("/feed.atom?modality=planned", 6),
        ("/entity/nordlys.atom", 5),
        ("/feed.atom?party=Nordlys", 5),
    ):
        answer = site.get(path)
        assert answer.headers["content-type"].startswith("application/atom+xml")
        feed = ET.fromstring(answer.content)
        titles = [
            e.text for e in feed.iterfind("{http://www.w3.org/2005/Atom}entry/{http://www.w3.org/2005/Atom}title")
        ]
        assert len(titles) >= least
        assert all(title.split(":")[0] in {words.badge for words in MODALITIES.values()} for title in titles)
    assert site.get("/feed.atom?party=nobody").status_code == 404


# ---- snapshots


def test_a_new_snapshot_is_shown_within_five_seconds_without_a_failed_request(tmp_path):
    publish(tmp_path)
    site = Site(tmp_path)
    watcher = Watcher(site.ds, tmp_path, seconds=0.1)
    watcher.start()
    folder = tmp_path / "published"
    try:
        assert "freshly published" not in site.get("/").text
        newer = folder / "oversight-20260722T070000.db"
        shutil.copy(current_snapshot(tmp_path), newer)
        db = sqlite3.connect(newer)
        unmarked(db, site.event_named("Kestrel Systems and the"), "A freshly published line.")
        db.commit()
        db.close()

        def switch() -> None:
            (folder / "next").symlink_to(newer.name)
            (folder / "next").rename(folder / "current")

        threading.Timer(0.3, switch).start()
        deadline, seen = time.monotonic() + 5, False
        while not seen and time.monotonic() < deadline:
            for path in ("/", "/oversight/events", "/oversight/events.json", "/oversight"):
                answer = site.get(path)
                assert answer.status_code == 200
                seen = seen or "freshly published" in answer.text
        assert seen
        assert all("freshly published" in site.get("/").text for _ in range(8))
    finally:
        watcher.stop()
        watcher.join(5)


@pytest.mark.parametrize("broken", [b"", b"this is no database at all, whatever it says", None])
def test_a_broken_snapshot_is_refused_and_the_old_one_stays(tmp_path, broken, caplog):
    old = publish(tmp_path)
    site = Site(tmp_path)
    bad = tmp_path / "published" / "oversight-20260722T070000.db"
    whole = old.read_bytes()
    bad.write_bytes(whole[: len(whole) // 2] if broken is None else broken)
    (tmp_path / "published" / "current").unlink()
    (tmp_path / "published" / "current").symlink_to(bad.name)
    watcher = Watcher(site.ds, tmp_path)
    assert watcher.look() is False and "Still serving the previous snapshot" in caplog.text
    caplog.clear()
    assert watcher.look() is False and caplog.text == ""
    assert site.get("/").status_code == 200
    with pytest.raises(OutsideFailure):
        check_snapshot(bad)
    (tmp_path / "published" / "current").unlink()
    assert watcher.look() is False
    (tmp_path / "published" / "current").symlink_to(old.name)


def test_an_unpublished_ledger_and_a_port_in_use_give_clear_errors(tmp_path):
    with pytest.raises(WrongUse, match="oversight publish"):
        build_site(tmp_path)
    first = listen("127.0.0.1", 0)
    try:
        with pytest.raises(OutsideFailure, match="in use.*--port"):
            listen("127.0.0.1", first.getsockname()[1])
    finally:
        first.close()
    with pytest.raises(WrongUse, match="not an address"):
        listen("no.such.host.invalid", 8001)


def test_sql_can_be_switched_off(tmp_path):
    publish(tmp_path)
    site = Site(tmp_path)
    site.ds._settings["default_allow_sql"] = False
    assert site.get("/oversight?sql=select+1").status_code == 403
    assert site.get("/oversight/events").status_code == 200
    assert site.get("/oversight/where_reports_disagree").status_code == 200


def test_static_files_are_inside_the_package():
    assert json.loads(app.metadata_file().read_text(encoding="utf-8"))["title"] == "Oversight Ledger"
    for name in ("templates/base.html", "static/ledger.css", "static/icon.svg"):
        assert (app.HERE / name).is_file()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("/due", "/upcoming"),
        ("/due.ics?name=OMS", "/upcoming.ics?name=OMS"),
        ("/questions", "/queries"),
        ("/oversight/conflicts", "/oversight/contradictions"),
        (
            "/oversight/standings?matter=agreement&contested=1",
            "/oversight/timeline_entries?matter=agreement&contradicted=1",
        ),
        ("/oversight/lexicon_gaps.json?kind__exact=person", "/oversight/unknown_names.json?kind__exact=person"),
    ],
)
def test_the_old_address_of_a_page_redirects_to_the_new_one(site, old: str, new: str) -> None:
    answer = site.get(old)
    assert answer.status_code == 301 and answer.headers["location"] == new
    assert site.get(new).status_code == 200


def test_a_filter_on_a_renamed_column_suggests_the_new_name(site) -> None:
    answer = site.get("/oversight/events?contested=1")
    assert answer.status_code == 400 and "Did you mean contradicted?" in answer.text


def test_an_article_page_names_the_origin_it_is_counted_under(site) -> None:
    article = site.one("select article_id from articles where origin_id is not null limit 1")
    assert "Counted under the origin “" in site.get(f"/article/{article}").text


def test_an_event_is_headed_by_a_quote_of_its_own_modality_and_news(site):
    for event_id, modality in site.db.execute("select event_id, modality from events"):
        text = site.get(f"/event/{event_id}").text
        shown = re.sub(r"<[^>]+>", "", text.split('<h1 class="event-quote">')[1].split("</h1>")[0])
        claims = site.db.execute(
            "select quote, modality, newness from claims where event_id = ?", [event_id]
        ).fetchall()
        (found,) = {claim[1:] for claim in claims if claim[0] == html.unescape(shown).strip().strip("“”")}
        assert found[0] == modality
        if any(claim[1:] == (modality, "new") for claim in claims):
            assert found[1] == "new", event_id
