"""Security of the public site: no writes, no runaway SQL, no leaked paths, no open redirects, no injected markup."""

from __future__ import annotations

import asyncio
import contextlib
import re
import resource
import sqlite3
import threading
import time
from urllib.parse import urlencode

import httpx
import pytest
from datasette.database import Database
from support.site_data import STORIES, publish
from support.site_under_test import Site, harmless

from pipeline.evaluation.benchmarks.inputs.site_ledger import make_ledger
from pipeline.site import app
from pipeline.site.snapshots import (
    VISITOR_QUERIES_AT_ONCE,
    VISITOR_QUERIES_OF_ONE,
    VISITOR_QUERIES_WAITING,
    LedgerDatabase,
)


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Site:
    folder = tmp_path_factory.mktemp("site")
    publish(folder)
    return Site(folder)


MANY_ROWS = "c(x) as (select 1 union all select x + 1 from c limit 450)"

# ---- safety


def test_methods_that_write_are_refused(site):
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
        f"with recursive {MANY_ROWS} select hex(zeroblob(3500000)) from c",
        f"with recursive {MANY_ROWS} select zeroblob(7000000) from c",
    ],
)
def test_sql_is_limited_in_memory_and_time(site, sql):
    began = time.monotonic()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    answer = site.get("/oversight.json?" + urlencode({"sql": sql}))
    assert answer.status_code == 400 or answer.json()["rows"] == [[None]]
    assert time.monotonic() - began < 3
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kilobytes


def test_visitors_sql_does_not_block_pages_and_its_queue_is_limited(site):
    db, gate = site.ds.get_database("oversight"), threading.Event()
    for _ in range(VISITOR_QUERIES_AT_ONCE):
        db._visitor_threads.submit(gate.wait, 60)  # occupies all threads for visitors' SQL

    async def together() -> tuple[int, list[int]]:
        clients = [
            httpx.AsyncClient(
                transport=httpx.ASGITransport(app=site.application, client=(f"192.0.2.{n}", 1)),
                base_url="http://ledger.test",
                timeout=60,
            )
            for n in range(VISITOR_QUERIES_WAITING)
        ]
        async with contextlib.AsyncExitStack() as stack:
            for each in clients:
                await stack.enter_async_context(each)
            client = clients[0]
            asked = [asyncio.create_task(each.get("/oversight.json?sql=select+1")) for each in clients]
            while db._waiting.total() < VISITOR_QUERIES_WAITING:
                await asyncio.sleep(0.01)
            assert (await asyncio.create_task(client.get("/oversight.json?sql=select+2"))).status_code == 503
            page = await asyncio.create_task(client.get("/oversight/events?type=agreement"))
            gate.set()
            return page.status_code, [answer.status_code for answer in await asyncio.gather(*asked)]

    status, codes = site.loop.run_until_complete(together())
    assert status == 200 and codes == [200] * VISITOR_QUERIES_WAITING


ENDLESS = "with recursive c(x) as (select 1 union all select x + 1 from c) select count(*) from c"


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("select instr(hex(zeroblob(450000)), hex(zeroblob(225000)) || '1')", "stopped after one second"),  # one opcode
        ("select 1" + ", 1" * 100, "too many columns"),
        (
            f"with t(b) as (select hex(zeroblob(490000))) select {', '.join(f'b || {n}' for n in range(99))} from t",
            "too much memory",
        ),
        ("select * from sqlite_stmt", "prohibited"),
        ("select * from dbstat", ""),
    ],
)
def test_sql_that_sqlite_does_not_interrupt_ends_with_its_process(site, sql, words):
    """A1, A2 and A10 of a list of attacks on the first version."""
    began = time.monotonic()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    answer = site.get("/oversight.json?" + urlencode({"sql": sql}))
    assert answer.status_code == 400 and words in answer.json()["error"], answer.text
    assert time.monotonic() - began < 20
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60_000  # kilobytes
    assert site.get("/oversight.json?sql=select+1&_shape=arrays").json()["rows"] == [[1]], "the next one is answered"


def test_a_page_of_sql_has_as_many_cells_as_can_be_rendered_quickly(site):
    wide = f"with recursive {MANY_ROWS} select " + ", ".join("x" for _ in range(90)) + " from c"
    page = site.get("/oversight?" + urlencode({"sql": wide}))
    assert page.status_code == 200 and page.text.count("<td") <= 10_000 and "More than 111 rows" in page.text
    assert len(site.get("/oversight.json?" + urlencode({"sql": wide, "_shape": "arrays"})).json()["rows"]) == 450


def test_one_client_cannot_take_all_places(site):
    async def together() -> tuple[list[int], int]:
        def of(address: str) -> httpx.AsyncClient:
            transport = httpx.ASGITransport(app=site.application, client=(address, 1))
            return httpx.AsyncClient(transport=transport, base_url="http://ledger.test", timeout=60)

        async with of("192.0.2.1") as greedy, of("192.0.2.2") as other:
            path = "/oversight.json?" + urlencode({"sql": ENDLESS})
            asked = [asyncio.create_task(greedy.get(path)) for _ in range(VISITOR_QUERIES_OF_ONE + 3)]
            await asyncio.sleep(0.2)
            answer = await other.get("/oversight.json?sql=select+1")
            return [one.status_code for one in await asyncio.gather(*asked)], answer.status_code

    codes, other = site.loop.run_until_complete(together())
    assert codes.count(503) == 3 and codes.count(400) == VISITOR_QUERIES_OF_ONE and other == 200


def test_pages_answer_while_visitors_ask_the_worst(site):
    """A4: an error with a cursor in its traceback made other threads wait for the cursor's connection."""

    async def together() -> list[float]:
        transport = httpx.ASGITransport(app=site.application)
        async with httpx.AsyncClient(transport=transport, base_url="http://ledger.test", timeout=60) as client:
            await client.get("/")
            asked = [
                asyncio.create_task(client.get("/oversight.json?" + urlencode({"sql": ENDLESS}))) for _ in range(4)
            ]
            times = []
            while not all(one.done() for one in asked):
                began = time.process_time()
                assert (await client.get("/")).status_code == 200
                times.append(time.process_time() - began)
                await asyncio.sleep(0.01)
            return times

    assert max(site.loop.run_until_complete(together())) < 2


@pytest.mark.parametrize(
    "path",
    [
        '/feed.atom?_search="""',
        "/feed.atom?type__in=[1",
        "/feed.atom?type__arraycontains=x",
        "/oversight/events?type__in=[1",
    ],
)
def test_odd_parameters_are_bad_requests(site, path):
    assert site.get(path).status_code == 400


def test_odd_headers_do_no_harm(site):
    assert site.get("/", headers={"Cookie": b"a=\xff\xfe"}).status_code == 200
    for host in ("user:pw@evil.example", "a b", "evil.example/x", ""):
        assert site.get("/", headers={"Host": host}).status_code == 400
    stamp = site.db.execute("select file from pragma_database_list").fetchone()[0][-18:-3]
    answer = site.get(f"/snapshots/{stamp}.db", headers={"Range": f"bytes={'9' * 5000}-"})
    assert answer.status_code in (200, 416)


def test_the_address_in_the_settings_is_used_in_place_of_the_host_header(tmp_path):
    publish(tmp_path)
    (tmp_path / "oversight.toml").write_text('site = "https://ledger.example"\n')
    site = Site(tmp_path)
    event = site.one("select event_id from events")
    for path in ("/", f"/event/{event}", "/feed.atom", "/sitemap.xml", "/robots.txt", "/upcoming.ics"):
        text = site.get(path, headers={"Host": "evil.example"}).text
        assert "evil.example" not in text, path
    assert f"https://ledger.example/event/{event}" in site.get(f"/event/{event}").text


def test_no_text_in_csv_is_a_formula(site):
    sql = "select '=HYPERLINK(1)' as a, '@SUM(1)' as b, -2 as c, 'plain' as d"
    lines = site.get("/oversight.csv?" + urlencode({"sql": sql})).text.splitlines()
    assert lines == ["a,b,c,d", "'=HYPERLINK(1),'@SUM(1),-2,plain"]


def test_private_files_cannot_be_reached(tmp_path):
    publish(tmp_path)
    db = sqlite3.connect(tmp_path / "crawl.db")
    db.execute("create table texts (body text)")
    db.execute("insert into texts values ('the-whole-private-text')")
    db.commit()
    site = Site(tmp_path)
    for sql in (
        f"attach '{tmp_path}/crawl.db' as x",
        "select * from x.texts",
        "select * from texts",
        f"select readfile('{tmp_path}/crawl.db')",
        f"select load_extension('{tmp_path}/x')",
        "select * from pragma_database_list",
        "select fts5_source_id()",
    ):
        for path in ("/oversight", "/oversight.json", "/oversight.csv", "/oversight.xlsx"):
            text = site.get(f"{path}?" + urlencode({"sql": sql})).text
            assert "the-whole-private-text" not in text, sql
            assert str(tmp_path) in sql or str(tmp_path) not in text, sql
    for path in ("/crawl", "/crawl.db", "/crawl.json", "/published", "/archive", "/static/../../crawl.db"):
        assert site.get(path).status_code == 404, path


@pytest.mark.parametrize(
    "path", ["/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/-/static/../app.py"]
)
def test_no_file_outside_the_static_folder_is_served(site, path):
    answer = site.get(path)
    assert answer.status_code == 404 and "import" not in answer.text


def test_traces_and_database_downloads_are_off(site):
    for query in ("_trace=1", "_debug=1"):
        assert "_trace" not in site.get(f"/oversight/events.json?{query}&_shape=objects").json()
    for path in ("/oversight.db", "/oversight.sqlite", "/oversight-20260721T070102.db"):
        assert not site.get(path).content.startswith(b"SQLite format"), path
    assert site.get("/oversight.db").status_code == 403


def test_a_csv_stream_ends_at_its_limit(tmp_path, monkeypatch):
    folder = tmp_path / "published"
    folder.mkdir()
    make_ledger(folder / "oversight-20260701T000000.db", 4_000)
    (folder / "current").symlink_to("oversight-20260701T000000.db")
    site = Site(tmp_path)
    whole = site.get("/oversight/events.csv?_stream=on").content
    assert whole.count(b"\n") == 4_001 and len(whole) > 1_100_000
    monkeypatch.setitem(site.ds._settings, "max_csv_mb", 1)
    cut = site.get("/oversight/events.csv?_stream=on").content
    assert len(cut) < 1_100_000 and b"CSV contains more than" in cut


def test_with_sql_switched_off_it_is_neither_possible_nor_offered(tmp_path):
    publish(tmp_path)
    site = Site(tmp_path, allow_sql=False)
    for path in (
        "/oversight?sql=select+1",
        "/oversight.json?sql=select+1",
        "/oversight.xlsx?sql=select+1",
        "/oversight.atom?sql=select+1",
        "/oversight/events?_where=1",
        "/oversight/events.csv?_where=1",
    ):
        assert site.get(path).status_code == 403, path
    for path in ("/", "/oversight", "/oversight/events", "/queries", "/oversight/one_origin_only", "/about"):
        answer = site.get(path)
        assert answer.status_code == 200 and "?sql=" not in answer.text and 'name="sql"' not in answer.text, path


def test_no_page_reveals_file_paths(site):
    folder = str(site.data_dir)
    paths = [
        "/-/databases.json",
        "/-/databases",
        "/-/threads",
        "/-/metadata",
        "/-/config.json",
        "/-/settings",
        "/-/plugins.json",
        "/-/versions",
        "/_internal",
        "/_internal/databases.json",
        "/_memory",
        "/oversight.json",
        "/.json",
        "/oversight.db",
        "/oversight?" + urlencode({"sql": "select * from pragma_database_list"}),
        "/oversight.json?" + urlencode({"sql": "select file from pragma_database_list()"}),
    ]
    for path in paths:
        answer = site.get(path)
        assert folder not in answer.text, path
        if path not in ("/oversight.json", "/.json"):
            assert answer.status_code in (400, 403, 404), path


@pytest.mark.parametrize(
    "path", ["/\\evil.example/", "/%5Cevil.example/", "//evil.example/", "/\\/evil.example/", "/%09//evil.example/"]
)
def test_no_path_redirects_to_another_host(site, path):
    async def ask() -> list[dict]:
        raw = path.encode()
        decoded = path.replace("%5C", "\\").replace("%09", "\t")
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": decoded,
            "raw_path": raw,
            "query_string": b"",
            "headers": [(b"host", b"ledger.test")],
            "server": ("ledger.test", 80),
            "client": None,
        }
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
def test_every_response_has_the_security_headers(site, path):
    headers = site.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy and "script-src 'self';" in policy and "http" not in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy and headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer" and "set-cookie" not in headers


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")  # Datasette's own, on a bad facet
@pytest.mark.parametrize(
    "query",
    [
        "_sort=nosuch",
        "_sort=type&_sort_desc=type",
        "_through=[]",
        '_through={"table":"x"}',
        "_through={bad",
        "_timelimit=abc",
        "_size=-1",
        "_next=garbage",
        "_facet=nosuch",
        "_facet_array=quote",
        "_facet_party=nosuch",
        "_col=nosuch",
        "_where=bad sql",
        "_search=*&_searchmode=raw",
        "_fts_table=x&_search=a",
        "_shape=x",
    ],
)
def test_a_malformed_query_string_is_a_bad_request(site, query):
    for ending in ("", ".json", ".csv"):
        assert site.get(f"/oversight/claims{ending}?{query}").status_code < 500


def test_internal_errors_show_no_details(site, monkeypatch, caplog):
    async def fail(_db):
        raise RuntimeError("secret detail")

    monkeypatch.setattr("pipeline.site.queries.sources.coverage", fail)
    answer = site.get("/sources")
    assert answer.status_code == 500 and "secret detail" not in answer.text
    assert "secret detail" in caplog.text


def test_robots_may_crawl_events_but_not_facet_combinations(site):
    text = site.get("/robots.txt").text
    assert "Disallow: /*?" in text and "Allow: /" in text


def test_no_page_loads_anything_from_another_host(site):
    for path in ("/", "/oversight/events", f"/event/{site.event_named('passed the Frontier')}"):
        for attribute in ('src="http', '<link rel="stylesheet" href="http', "@import", "url(http"):
            assert attribute not in site.get(path).text
    sheet = (app.HERE / "static" / "ledger.css").read_text()
    assert "url(" not in sheet and "@import" not in sheet


HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(1)>'


KEPT = re.compile(  # ids, codes that the program itself gives, days and offsets
    r"(_id|_ids|_on|_at|_sha256|version|month|_start|_end|_until|_from|language|key)$|^(type|modality|date_|due_|used_|held_|"
    r"holds_|from_|sure_|until$|start|end|.*_modality$|.*_date$|kind$|matter$|fate$|old_|new_|page_|fields$|basis$|column_|"
    r"table_|origins_band|source_type$|decision$|status$|role$|field$|outcome$)"
)


def poison_everything(db: sqlite3.Connection) -> int:
    """Write hostile text into every text column except ids, codes and days; return how many columns."""
    n = 0
    tables = [name for (name,) in db.execute("select name from sqlite_master where type = 'table'")]
    for table in tables:
        if "_fts" in table or table.startswith(("sqlite_", "_sqlite")):
            continue
        for _, column, kind, _, _, key in db.execute(f"pragma table_info({table})").fetchall():
            if kind.lower() == "text" and not key and not KEPT.search(column):
                db.execute(f"update {table} set {column} = ? where {column} is not null", [HOSTILE])
                n += 1
    return n


@pytest.fixture(scope="module", params=["some, each with its row", "every column"])
def hostile(request, tmp_path_factory) -> Site:
    folder = tmp_path_factory.mktemp("hostile")
    db = sqlite3.connect(publish(folder))
    if request.param == "every column":
        assert poison_everything(db) > 45
    event = db.execute("select event_id from events where contradicted = 1 order by n_claims desc").fetchone()[0]
    poison = {
        "events": ("summary", "stage", "actors", "targets"),
        "articles": ("title", "byline", "published_basis"),
        "entities": ("name", "description", "jurisdiction", "wikidata_id"),
        "entity_names": ("name",),
        "sources": ("title", "health"),
        "origins": ("label",),
        "origin_edges": ("to_name", "detail"),
        "contradictions": ("summary",),
        "contradiction_sides": ("value",),
        "claim_participants": ("name",),
        "claims": ("attribution_name", "date_said", "rule"),
        "event_redirects": ("reason",),
        "unknown_names": ("example",),
        "build_info": ("value",),
    }
    for table, columns in poison.items():
        for column in columns:
            suffix = (
                " || rowid"
                if table not in ("entity_names", "contradiction_sides", "claim_participants", "unknown_names")
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


def test_hostile_text_is_inert_on_every_page(hostile):
    db = hostile.db
    paths = [
        "/",
        "/sources",
        "/about",
        "/accuracy",
        "/queries",
        "/changes",
        "/changes?since=2020-01-01",
        "/status",
        "/upcoming",
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
        assert "<script" not in harmless(text) and "<img" not in text, path
        lowered = text.lower().replace(" ", "")
        assert 'href="javascript' not in lowered and 'cite="javascript' not in lowered, path


def test_visitor_shaped_queries_get_one_second_and_our_own_more(site, monkeypatch):
    limits = []

    def noted(real):
        async def note(self, *args, **kwargs):
            if self.name == "oversight":
                limits.append(kwargs.get("custom_time_limit"))
            return await real(self, *args, **kwargs)

        return note

    monkeypatch.setattr(Database, "execute", noted(Database.execute))
    monkeypatch.setattr(LedgerDatabase, "_answer_visitor", noted(LedgerDatabase._answer_visitor))
    assert site.get("/upcoming").status_code == 200 and set(limits) == {None}
    for path in ("/oversight/sources?_nofacet=1", "/oversight/one_origin_only?party=oms", "/oversight?sql=select+1"):
        limits.clear()
        assert site.get(path).status_code == 200
        assert limits and all(limit and limit <= 1_000 for limit in limits), path
