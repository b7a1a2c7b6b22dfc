"""The site over a small invented ledger: every page, facet and question opens, nothing hostile gets through."""

from __future__ import annotations

import asyncio
import json
import resource
import shutil
import sqlite3
import threading
import time
from pathlib import Path
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import httpx
import pytest

from pipeline.errors import OutsideFailure, WrongUse
from pipeline.serve import app
from pipeline.serve.app import Watcher, build_site, listen
from pipeline.serve.cite import cite
from pipeline.serve.evidence import fragment_url, pieces, safe_url, snippet_pieces
from pipeline.serve.feeds import atom, entry_id
from pipeline.serve.plugins.filters import PARTY_ARGUMENTS, facet_names
from pipeline.serve.queries import fts_query, like_pattern, months_before
from pipeline.serve.snapshots import check_snapshot, current_snapshot, published_at
from pipeline.serve.timeline import build_timeline
from pipeline.serve.words import MODALITIES, span_words, words_for
from tests.site_data import STORIES, publish


class Site:
    """A site under test: `get` answers one request as a reader would get it."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.ds = build_site(data_dir)
        self.loop = asyncio.new_event_loop()
        self.loop.run_until_complete(self.ds.invoke_startup())
        self.application = self.ds.app()
        self.db = sqlite3.connect(current_snapshot(data_dir))

    def get(self, path: str, method: str = "GET") -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.application)
            async with httpx.AsyncClient(transport=transport, base_url="http://ledger.test") as client:
                return await client.request(method, path)

        return self.loop.run_until_complete(ask())

    def one(self, sql: str, *values: str) -> str:
        return self.db.execute(sql, values).fetchone()[0]


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Site:
    folder = tmp_path_factory.mktemp("site")
    publish(folder)
    return Site(folder)


def event_named(site: Site, words: str) -> str:
    return site.one("select event_id from events where summary like ?", f"%{words}%")


# ---- pages


def test_every_event_entity_and_article_has_a_page(site):
    for kind, sql in (("event", "event_id from events"), ("entity", "entity_id from entities"), ("article", "article_id from articles")):  # fmt: skip
        for (key,) in site.db.execute(f"select {sql}"):
            answer = site.get(f"/{kind}/{key}")
            assert answer.status_code == 200, f"/{kind}/{key}"
            assert '<html lang="en">' in answer.text and "<h1>" in answer.text


@pytest.mark.parametrize("path", ["/", "/sources", "/about", "/search", "/search?q=aurora", "/questions", "/oversight"])
def test_the_fixed_pages_open_and_are_marked_up_for_all_readers(site, path):
    answer = site.get(path)
    assert answer.status_code == 200
    assert '<main id="main"' in answer.text and 'class="skip" href="#main"' in answer.text
    assert "<script" not in answer.text and "style=" not in answer.text


def test_home_never_shows_a_plan_without_saying_so(site):
    text = site.get("/").text
    plan = text.index("The Senate will hold a hearing on testing")
    assert "Planned" in text[plan - 700 : plan]
    assert "Reported, unconfirmed" in text and "Postponed" in text


def test_home_lists_what_is_due_next_and_leaves_out_what_lies_behind(site):
    due = site.get("/").text.split('id="due"')[1].split("</section>")[0]
    assert "Executive Order 1207" in due and "Aurora 4 before its release" in due
    assert "signed testing agreements" not in due
    assert due.index("hearing") < due.index("Aurora 4 before") < due.index("joint test")


def test_home_leaves_events_that_are_only_recalled_out_of_the_latest(tmp_path):
    snapshot = publish(tmp_path)
    db = sqlite3.connect(snapshot)
    db.execute("update claims set mention = 'background' where event_id in (select event_id from events where summary like 'Jane Roe is said%')")  # fmt: skip
    db.commit()
    latest = Site(tmp_path).get("/").text.split('id="latest"')[1].split("</section>")[0]
    assert "offered her resignation" not in latest and "put off the signing" in latest


def test_home_says_what_is_covered_and_what_is_not(site):
    text = site.get("/").text
    assert "knows only what 9 sources" in text and "may still have happened" in text
    assert "1 source</a> did not answer" in text


def test_the_timeline_counts_only_what_happened_and_leads_to_the_filtered_table(site):
    text = site.get("/").text
    href = "/oversight/events?type__in=restriction,enforcement&amp;event_month=2026-07&amp;modality=occurred"
    assert href in text
    answer = site.get(href.replace("&amp;", "&"))
    assert "2 rows" in answer.text and "fined Hanshan Research" in answer.text


def test_an_event_page_marks_trigger_and_parties_and_groups_copies_under_one_origin(site):
    text = site.get(f"/event/{event_named(site, 'signed testing agreements')}").text
    assert "4 independent origins (5 articles)" in text
    assert "<mark>signed</mark>" in text
    assert 'href="/entity/oms" title="Who acts: Office of Model Safety">the Office of Model Safety</a>' in text
    assert "1 more article of this origin: Daily Gleaner" in text
    assert "is nearly the same text as" in text
    assert text.count('class="origin"') == 4


def test_an_event_page_sets_conflicting_values_side_by_side(site):
    text = site.get(f"/event/{event_named(site, 'signed testing agreements')}").text
    conflicts = text.split('id="conflicts"')[1].split("</section>")[0]
    assert "5 May 2026" in conflicts and "6 May 2026" in conflicts and "Binding" in conflicts


def test_an_event_page_leads_to_the_words_in_the_original(site):
    text = site.get(f"/event/{event_named(site, 'passed the Frontier')}").text
    assert "#:~:text=Senators%20passed%20the%20bill%20late%20on%20Wednesday." in text


def test_a_merged_event_leads_on_and_a_withdrawn_one_says_why(site):
    moved = site.get("/event/e0000000000000001")
    assert moved.status_code == 301
    assert moved.headers["location"] == f"/event/{event_named(site, 'signed testing agreements')}"
    gone = site.get("/event/e0000000000000002")
    assert gone.status_code == 410 and "withdrew the only report" in gone.text
    assert site.get("/event/e0000000000000001.json").status_code == 301
    assert site.get("/event/e0000000000000002.json").json()["withdrawn"].startswith("The publisher withdrew")


def test_an_event_as_json_quotes_with_offsets_that_fit(site):
    body = site.get(f"/event/{event_named(site, 'signed testing agreements')}.json").json()
    assert body["event"]["n_origins"] == 4 and len(body["conflicts"]) == 2
    for claim in body["claims"]:
        for party in claim["participants"]:
            a, b = party["start"] - claim["quote_start"], party["end"] - claim["quote_start"]
            assert claim["quote"][a:b] == party["text"]


def test_an_entity_page_shows_names_over_time_and_companions(site):
    text = site.get("/entity/oms").text
    assert "Model Evaluation Office" in text and "until 2 June 2025" in text
    assert "Department of Trade and Technology" in text and "In the same events" in text


def test_an_article_page_shows_its_claims_and_never_links_to_a_full_text(site):
    key = site.one("select article_id from articles where title = 'Labs sign testing pacts: report'")
    text = site.get(f"/article/{key}").text
    assert "is nearly the same text as" in text and "2 paragraphs" in text and "never the whole article" in text


def test_search_finds_former_names_short_names_quotes_and_beginnings(site):
    assert "/entity/oms" in site.get("/search?q=model+evaluation+office").text
    assert "/entity/eab" in site.get("/search?q=ai+board").text
    assert "<mark>weighing</mark>" in site.get("/search?q=weighing").text
    assert "Executive Order 1207" in site.get("/search?q=execu").text
    assert "Nothing was found" in site.get("/search?q=zzzz").text


@pytest.mark.parametrize("words", ['"', "AND", "a OR", "NEAR(", "*", "' or 1=1 --", "%", "\\", "🙂", "x" * 5000])
def test_search_takes_any_words(site, words):
    assert site.get("/search?" + urlencode({"q": words})).status_code == 200


# ---- tables, facets, questions, feeds


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


@pytest.mark.parametrize("argument", sorted(PARTY_ARGUMENTS))
def test_every_party_facet_can_be_asked_for(site, argument):
    body = site.get(f"/oversight/events.json?_facet_party={argument[1:]}").json()
    assert body["facet_results"][argument[1:]]["results"]


def test_months_stand_in_the_order_of_dates(site):
    months = [v["value"] for v in site.get("/oversight/events.json").json()["facet_results"]["event_month"]["results"]]
    assert months == sorted(months, reverse=True) and len(months) > 3


def test_a_party_filter_takes_ids_names_and_former_names_beside_other_filters(site):
    counts = [
        site.get("/oversight/events.json?" + urlencode({"_party": name, "modality": "planned"})).json()["filtered_table_rows_count"]
        for name in ("oms", "Office of Model Safety", "model evaluation office", "OMS")
    ]  # fmt: skip
    assert counts == [2, 2, 2, 2]
    both = site.get("/oversight/events?_party=oms&_party=nordlys&type=agreement")
    assert "1 row<" in both.text and "Nordlys Labs takes part" in both.text
    nobody = site.get("/oversight/events?_party=nobody+at+all")
    assert nobody.status_code == 200 and "0 rows" in nobody.text


def test_the_filter_form_leads_to_the_address_of_the_facets(site):
    answer = site.get("/events?_party=oms&type=&modality=planned&date_start__gte=&_search=")
    assert answer.status_code == 302 and answer.headers["location"] == "/oversight/events?_party=oms&modality=planned"
    assert site.get("/events?of=claims&_search=code").headers["location"] == "/oversight/claims?_search=code"


def test_facets_show_words_and_the_table_says_how_sure_each_event_is(site):
    text = site.get("/oversight/events").text
    assert "Reported, unconfirmed" in text and "1 origin only" in text and "European Union" in text
    assert text.index("Kind of event") < text.index("Independent origins") < text.index(">Month<")
    assert "restriction</a>" not in text


def test_every_saved_question_answers_without_and_with_its_parameters(site):
    questions = site.ds.metadata()["databases"]["oversight"]["queries"]
    for name in questions:
        plain = site.get(f"/oversight/{name}.json?_shape=objects").json()
        assert plain["rows"], name
        assert site.get(f"/oversight/{name}").status_code == 200
        assert site.get(f"/oversight/{name}.csv").status_code == 200
    asked = site.get("/oversight/planned_and_not_done.json?_shape=objects&party=OMS").json()["rows"]
    assert asked and all("Model Safety" in row["summary"] for row in asked)
    since = site.get("/oversight/who_restricted_whom.json?_shape=objects&since=2026-07-01").json()["rows"]
    assert {row["day"] for row in since} == {"2026-07-02", "2026-07-08"}
    laws = site.get("/oversight/follow_one_instrument.json?_shape=objects&instrument=frontier").json()["rows"]
    assert [row["stage"] for row in laws][:2] == ["introduced", "passed"]


def test_feeds_are_atom_and_begin_with_how_sure_each_event_is(site):
    for path, least in (("/feed.atom", 40), ("/feed.atom?modality=planned", 6), ("/entity/nordlys.atom", 5), ("/feed.atom?party=Nordlys", 5)):  # fmt: skip
        answer = site.get(path)
        assert answer.headers["content-type"].startswith("application/atom+xml")
        feed = ET.fromstring(answer.content)
        titles = [
            e.text for e in feed.iterfind("{http://www.w3.org/2005/Atom}entry/{http://www.w3.org/2005/Atom}title")
        ]
        assert len(titles) >= least
        assert all(title.split(":")[0] in {words.badge for words in MODALITIES.values()} for title in titles)
    assert site.get("/feed.atom?party=nobody").status_code == 404


# ---- safety


def test_writing_is_refused(site):
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
        assert site.get("/oversight", method).status_code == 405
    for sql in ("delete from events", "pragma writable_schema=1", "attach 'x.db' as x", "vacuum into '/tmp/x.db'"):
        assert site.get("/oversight?" + urlencode({"sql": sql})).status_code == 400
    assert site.one("select count(*) from events") == len(STORIES)


@pytest.mark.parametrize(
    "sql",
    [
        "select length(randomblob(900000000))",
        "select length(hex(zeroblob(400000000)))",
        "select length(printf('%.*c', 500000000, 'x'))",
        "with recursive c(x) as (select 1 union all select x + 1 from c) select count(*) from c",
        "select 1 where 'a' like '" + "%a" * 150 + "'",
    ],
)
def test_sql_cannot_eat_memory_or_time(site, sql):
    began = time.monotonic()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    answer = site.get("/oversight.json?" + urlencode({"sql": sql}))
    assert answer.status_code == 400 or answer.json()["rows"] == [[None]]
    assert time.monotonic() - began < 3
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kilobytes


def test_no_page_tells_where_the_files_lie(site):
    folder = str(site.data_dir)
    paths = ["/-/databases.json", "/-/databases", "/-/threads", "/-/metadata", "/-/config.json", "/-/settings", "/-/plugins.json",
             "/-/versions", "/_internal", "/_internal/databases.json", "/_memory", "/oversight.json", "/oversight.db",
             "/oversight?" + urlencode({"sql": "select * from pragma_database_list"}),
             "/oversight.json?" + urlencode({"sql": "select file from pragma_database_list()"})]  # fmt: skip
    for path in paths:
        answer = site.get(path)
        assert folder not in answer.text, path
        if path != "/oversight.json":
            assert answer.status_code in (400, 403, 404), path


@pytest.mark.parametrize("path", ["/\\evil.example/", "/%5Cevil.example/", "//evil.example/", "/\\/evil.example/", "/%09//evil.example/"])  # fmt: skip
def test_no_path_leads_to_another_host(site, path):
    async def ask() -> list[dict]:
        raw = path.encode()
        decoded = path.replace("%5C", "\\").replace("%09", "\t")
        scope = {"type": "http", "http_version": "1.1", "method": "GET", "scheme": "http", "path": decoded, "raw_path": raw,
                 "query_string": b"", "headers": [(b"host", b"ledger.test")], "server": ("ledger.test", 80), "client": None}  # fmt: skip
        sent: list[dict] = []

        async def receive() -> dict:
            return {"type": "http.request", "body": b""}

        async def send(message: dict) -> None:
            sent.append(message)

        await site.application(scope, receive, send)
        return sent

    start = site.loop.run_until_complete(ask())[0]
    assert start["status"] == 404
    assert b"location" not in dict(start["headers"])


@pytest.mark.parametrize(
    "path", ["/", "/event/nothing", "/static/ledger.css", "/robots.txt", "/oversight/events.json", "/-/x"]
)
def test_every_answer_has_the_safety_headers(site, path):
    headers = site.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy and "script-src" not in policy and "http" not in policy
    assert "frame-ancestors 'none'" in policy and headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer" and "set-cookie" not in headers


def test_robots_may_read_events_but_not_facet_combinations(site):
    text = site.get("/robots.txt").text
    assert "Disallow: /*?" in text and "Allow: /" in text


def test_no_page_asks_anything_of_another_host(site):
    for path in ("/", "/oversight/events", f"/event/{event_named(site, 'passed the Frontier')}"):
        for attribute in ('src="http', '<link rel="stylesheet" href="http', "@import", "url(http"):
            assert attribute not in site.get(path).text
    sheet = (app.HERE / "static" / "ledger.css").read_text()
    assert "url(" not in sheet and "@import" not in sheet


HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)>'


@pytest.fixture(scope="module")
def hostile(tmp_path_factory) -> Site:
    folder = tmp_path_factory.mktemp("hostile")
    db = sqlite3.connect(publish(folder))
    event = db.execute("select event_id from events where contested = 1 order by n_claims desc").fetchone()[0]
    poison = {
        "events": ("summary", "stage", "actors", "targets"),
        "articles": ("title", "byline", "published_basis"),
        "entities": ("name", "description", "jurisdiction", "wikidata_id"),
        "entity_names": ("name",), "sources": ("title", "health"), "origins": ("label",),
        "origin_edges": ("to_name", "detail"), "conflicts": ("summary",), "conflict_values": ("value",),
        "claim_participants": ("name",), "claims": ("attribution_name", "date_said", "rule"),
        "event_redirects": ("reason",), "lexicon_gaps": ("example",), "facts": ("value",),
    }  # fmt: skip
    for table, columns in poison.items():
        for column in columns:
            suffix = (
                " || rowid"
                if table not in ("entity_names", "conflict_values", "claim_participants", "lexicon_gaps")
                else " || rtrim(substr(hex(randomblob(4)), 1))"
            )
            db.execute(f"update {table} set {column} = ?{suffix}", [HOSTILE])
    db.execute("update articles set url = 'javascript:alert(1)//' || rowid")
    db.execute("update sources set homepage = ' JaVaScRiPt:alert(1)'")
    db.execute("update claims set quote = substr(? || quote, 1, length(quote))", [HOSTILE])
    db.execute("insert into events_fts(events_fts) values ('rebuild')")
    db.execute("insert into claims_fts(claims_fts) values ('rebuild')")
    db.commit()
    site = Site(folder)
    site.event = event
    return site


def test_hostile_words_come_out_inert_on_every_page(hostile):
    db = hostile.db
    paths = [
        "/",
        "/sources",
        "/about",
        "/questions",
        "/search?q=script",
        "/oversight",
        f"/event/{hostile.event}",
        "/event/e0000000000000002",
    ]
    paths += [f"/entity/{key}" for (key,) in db.execute("select entity_id from entities limit 6")]
    paths += [
        f"/article/{key}" for (key,) in db.execute("select article_id from articles order by n_versions desc limit 6")
    ]
    tables = hostile.ds.metadata()["databases"]["oversight"]
    paths += [f"/oversight/{name}" for name in (*tables["tables"], *tables["queries"])]
    paths += ["/oversight/events?_columns=all", "/oversight/claims?_columns=all", f"/oversight/events/{hostile.event}"]
    paths += [
        "/oversight/events?" + urlencode({"_party": HOSTILE, "type": HOSTILE, "_search": HOSTILE}),
        "/search?" + urlencode({"q": HOSTILE}),
    ]
    paths += [
        "/oversight?"
        + urlencode({"sql": f"select '{HOSTILE}' as summary, 'e1' as event_id, 'javascript:alert(1)' as url"})
    ]
    paths += [
        "/oversight?" + urlencode({"sql": f"select {HOSTILE}"}),
        "/" + HOSTILE,
        "/feed.atom?" + urlencode({"type": HOSTILE}),
    ]
    for path in paths:
        text = hostile.get(path).text
        assert "<script" not in text and "<img" not in text, path
        lowered = text.lower().replace(" ", "")
        assert 'href="javascript' not in lowered and 'cite="javascript' not in lowered, path


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
        db.execute(
            "update events set summary = 'A freshly published line.' where summary like 'Kestrel Systems and the%'"
        )
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
    assert watcher.look() is False and "stays with its snapshot" in caplog.text
    caplog.clear()
    assert watcher.look() is False and caplog.text == ""
    assert site.get("/").status_code == 200
    with pytest.raises(OutsideFailure):
        check_snapshot(bad)
    (tmp_path / "published" / "current").unlink()
    assert watcher.look() is False
    (tmp_path / "published" / "current").symlink_to(old.name)


def test_nothing_published_and_a_port_in_use_are_said_plainly(tmp_path):
    with pytest.raises(WrongUse, match="oversight publish"):
        build_site(tmp_path)
    first = listen("127.0.0.1", 0)
    try:
        with pytest.raises(OutsideFailure, match="in use.*--port"):
            listen("127.0.0.1", first.getsockname()[1])
    finally:
        first.close()
    with pytest.raises(WrongUse, match="no address"):
        listen("no.such.host.invalid", 8001)


def test_sql_can_be_switched_off(tmp_path):
    publish(tmp_path)
    site = Site(tmp_path)
    site.ds._settings["default_allow_sql"] = False
    assert site.get("/oversight?sql=select+1").status_code == 403
    assert site.get("/oversight/events").status_code == 200
    assert site.get("/oversight/where_reports_disagree").status_code == 200


# ---- pure parts


def test_pieces_joined_are_the_quote_again_and_mark_what_offsets_say():
    quote = "Nordlys signed a deal with OMS."
    parties = [
        {"start": 100, "end": 107, "role": "actor", "entity_id": "nordlys", "name": "Nordlys Labs"},
        {"start": 127, "end": 130, "role": "target", "entity_id": "oms", "name": "OMS"},
        {"start": -1, "end": -1, "role": "object", "entity_id": "x", "name": "x"},
        {"start": 90, "end": 105, "role": "object", "entity_id": "y", "name": "outside"},
    ]
    found = pieces(quote, 100, (108, 114), parties)
    assert "".join(piece.text for piece in found) == quote
    assert [piece.text for piece in found if piece.trigger] == ["signed"]
    assert [(piece.text, piece.entity_id) for piece in found if piece.entity_id] == [
        ("Nordlys", "nordlys"),
        ("OMS", "oms"),
    ]


def test_overlapping_pieces_show_the_shorter_party_and_keep_the_trigger():
    quote = "OMS chief's removal"
    long = {"start": 0, "end": 9, "role": "target", "entity_id": "chief", "name": "Chief"}
    short = {"start": 0, "end": 3, "role": "body", "entity_id": "oms", "name": "OMS"}
    found = pieces(quote, 0, (4, 19), [long, short])
    assert "".join(piece.text for piece in found) == quote
    assert found[0].entity_id == "oms" and found[-1].trigger
    assert any(piece.entity_id == "chief" and piece.trigger for piece in found)


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", " javascript:alert(1)", "data:text/html,x", "//evil.example", "/x", "", None, "http://", "ftp://x.y/",
     "https://a.example/\n", "https://a.example/ b", 'https://a.example/"onload=', "https://[bad", "vbscript:x"],
)  # fmt: skip
def test_only_http_addresses_are_linked(url):
    expected = "https://a.example/" if url == "https://a.example/\n" else ""
    assert safe_url(url) == expected


def test_a_text_fragment_escapes_what_the_browser_would_take_for_syntax():
    assert fragment_url("https://a.example/x", "well-known, true & new") == (
        "https://a.example/x#:~:text=well%2Dknown%2C%20true%20%26%20new"
    )
    long = fragment_url("https://a.example/x#part", " ".join(f"w{i}" for i in range(30)))
    assert long == "https://a.example/x#part:~:text=w0%20w1%20w2%20w3%20w4,w25%20w26%20w27%20w28%20w29"
    assert fragment_url("javascript:alert(1)", "words") == ""


def test_a_snippet_is_cut_at_its_marks():
    assert [(p.text, p.trigger) for p in snippet_pieces("a \x02b\x03 <c>")] == [
        ("a ", False),
        ("b", True),
        (" <c>", False),
    ]


def test_dates_are_never_shown_finer_than_they_are_known():
    assert span_words("2026-05-05", "2026-05-05", "day") == "5 May 2026"
    assert span_words("2026-05-01", "2026-05-31", "month") == "May 2026"
    assert span_words("2026-10-01", "2026-12-31", "quarter") == "Last quarter of 2026"
    assert span_words("2026-01-01", "2026-12-31", "year") == "2026"
    assert span_words("2026-05-04", "2026-05-10", "week") == "Week of 4 May 2026"
    assert span_words(None, None, None) == "no date given"


def test_a_modality_nobody_knows_is_never_shown_as_something_that_happened():
    assert words_for("modality", "rumoured") == "rumoured"
    assert "Happened" not in {words.badge for code, words in MODALITIES.items() if code != "occurred"}


def test_a_timeline_adds_kinds_of_one_family_and_keeps_empty_months():
    rows = [
        {"event_month": "2026-05", "type": "restriction", "n": 2},
        {"event_month": "2026-05", "type": "enforcement", "n": 1},
    ]
    chart = build_timeline(rows, "2026-07", 18)
    assert len(chart.months) == 18 and chart.months[0] == "2025-02" and chart.highest == 3
    assert {line.name: line.n for line in chart.lines}["Limits and penalties"] == 3
    assert build_timeline([], "2026-07", 18) is None and build_timeline(rows, "", 18) is None
    assert months_before("2026-01", 1) == "2025-12"


def test_search_words_become_a_safe_full_text_query():
    assert fts_query('say "no" to-morrow') == '"say" "no" "to" "morrow"*'
    assert fts_query("!!") == ""
    assert like_pattern("50%_\\") == "%50\\%\\_\\\\%"


def test_citations_say_how_sure_and_as_of_when():
    cited = cite("e1", "A & B agree | {x}", "planned", "https://l.example/event/e1", "2026-07-21")
    assert cited.plain.startswith("“Planned: A & B agree") and "as of 21 July 2026" in cited.plain
    assert r"A \& B agree | \{x\}" in cited.bibtex and "&#124;" in cited.wikipedia


def test_a_feed_entry_keeps_its_id_whatever_host_serves_it_and_survives_odd_characters():
    event = {"event_id": "e1", "type": "agreement", "modality": "denied", "summary": "A\x00B <b>", "date_start": None,
             "date_end": None, "date_precision": None, "n_origins": 1, "n_articles": 2, "contested": 1,
             "first_reported_on": "2026-05-01", "last_reported_on": "2026-05-02"}  # fmt: skip
    feeds = [atom("t", f"{host}/feed.atom", host, host, [event], "") for host in ("http://a", "http://b")]
    entries = [ET.fromstring(feed).find("{http://www.w3.org/2005/Atom}entry") for feed in feeds]
    assert {entry.find("{http://www.w3.org/2005/Atom}id").text for entry in entries} == {entry_id("e1")}
    assert entries[0].find("{http://www.w3.org/2005/Atom}title").text == "Denied: AB <b>"


def test_the_name_of_a_snapshot_tells_when_it_was_published():
    assert published_at("/x/oversight-20260721T070102.db") == "2026-07-21T07:01:02Z"
    assert published_at("/x/other.db") == ""


def test_what_is_served_is_inside_the_package():
    assert json.loads(app.metadata_file().read_text(encoding="utf-8"))["title"] == "Oversight Ledger"
    for name in ("templates/base.html", "static/ledger.css", "static/icon.svg"):
        assert (app.HERE / name).is_file()
