"""Earlier snapshots are listed, can be read as they were, and can be downloaded safely."""

from __future__ import annotations

import asyncio
import hashlib
import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.site_data import publish, rebuilt
from support.site_under_test import Site

from pipeline.ledger.publish import seals
from pipeline.ledger.publish.publish import publish as publish_snapshot
from pipeline.ledger.publish.publish import worth_keeping
from pipeline.site.facets.columns import save_arrays
from pipeline.site.formats import file_download
from pipeline.site.past_snapshots import OPEN, links_within

SENTENCES = {
    datetime(2026, 7, 22, 7, tzinfo=UTC): "The line as it was first.",
    datetime(2026, 7, 22, 19, tzinfo=UTC): "The line as it was then.",
    datetime(2026, 7, 25, 7, tzinfo=UTC): "The line as it is now.",
}
FIRST, SECOND, NOW = (f"{moment:%Y%m%dT%H%M%S}" for moment in SENTENCES)
NEWEST_EVENT = "select event_id from events order by first_reported_on desc, n_origins desc limit 1"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("older")
    first = publish(folder)
    for moment, sentence in SENTENCES.items():
        publish_snapshot(rebuilt(first, folder, sentence), folder / "published", now=moment, prepare=save_arrays)
    first.unlink()
    return folder


@pytest.fixture(scope="module")
def site(folder) -> Site:
    return Site(folder)


def test_kept_snapshots_are_listed_with_size_counts_and_hash(site, folder):
    rows = site.get("/snapshots.json").json()["snapshots"]
    assert [row["snapshot"] for row in rows] == [NOW, SECOND, FIRST]
    page = site.get("/snapshots").text
    for row in rows:
        file = folder / "published" / f"oversight-{row['snapshot']}.db"
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        assert row["sha256"] == digest and digest in page and row["bytes"] == file.stat().st_size
        assert row["rows"]["events"] == site.one("select count(*) from events")
    assert str(folder) not in page and "22 July 2026, 19:00 UTC" in page
    assert 'href="/snapshots"' in site.get("/").text


@pytest.mark.parametrize("suffix", ["", ".json"])
def test_an_event_reads_as_it_did_in_each_snapshot_and_today(site, suffix):
    event = site.one(NEWEST_EVENT)
    for stamp, sentence in zip((FIRST, SECOND, NOW), SENTENCES.values(), strict=True):
        answer = site.get(f"/snapshots/{stamp}/event/{event}{suffix}")
        assert answer.status_code == 200 and sentence in answer.text
        assert sum(other in answer.text for other in SENTENCES.values()) == 1
        assert not suffix or answer.json()["snapshot"] == stamp
    assert "The line as it is now." in site.get(f"/event/{event}{suffix}").text


def test_a_page_of_an_earlier_snapshot_says_so_and_its_links_stay_in_it(site):
    event = site.one(NEWEST_EVENT)
    for path in (f"/event/{event}", "/", "/status", "/oversight/events?type=agreement", "/entity/oms", "/nothing"):
        answer = site.get(f"/snapshots/{SECOND}{path}")
        page = answer.text
        assert "The ledger as published on 22 July 2026, 19:00 UTC." in page
        assert f'<a rel="latest-version" href="{path.replace("&", "&amp;")}">' in page
        links = set(re.findall(r'(?:href|action)="(/[^"]*)"', page)) - {path}
        outside = {link for link in links if not link.startswith(("/snapshots", "/static/"))}
        assert outside == set() and f"/snapshots/{SECOND}/oversight/events" in links
        assert answer.headers["memento-datetime"] == "Wed, 22 Jul 2026 19:00:00 GMT"
        assert answer.headers["x-robots-tag"] == "noindex"
        assert "as it was published on" not in site.get(path).text


def test_tables_facets_sql_and_exports_use_the_earlier_snapshot(site):
    for path in (
        "/oversight/events.json?_shape=array&_size=max",
        "/oversight.json?sql=select+summary+from+events&_shape=array",
        "/oversight/events.csv?_size=max",
        "/feed.atom",
    ):
        text = site.get(f"/snapshots/{FIRST}{path}").text
        assert "The line as it was first." in text and "The line as it is now." not in text
    assert site.get(f"/snapshots/{FIRST}/oversight?sql=delete+from+events").status_code == 400
    assert site.get(f"/snapshots/{FIRST}/oversight/events", "POST").status_code == 405


def test_a_day_redirects_to_its_last_snapshot_or_names_the_nearest(site):
    event = site.one(NEWEST_EVENT)
    assert site.get("/snapshots?on=2026-07-22").headers["location"] == f"/snapshots/{SECOND}/"
    there = site.get(f"/snapshots/2026-07-22/event/{event}?a=b").headers["location"]
    assert there == f"/snapshots/{SECOND}/event/{event}?a=b"
    none = site.get(f"/snapshots/2026-07-24/event/{event}")
    assert none.status_code == 404 and "There is no snapshot of 24 July 2026" in none.text
    assert f'href="/snapshots/{SECOND}/event/{event}"' in none.text and f'href="/event/{event}"' in none.text
    assert f'href="/snapshots/{NOW}/event/{event}"' in none.text
    assert site.get("/snapshots?on=yesterday").status_code == 400
    assert site.get("/snapshots/2026-02-31/").status_code == 400


def test_a_deleted_snapshot_is_gone_and_names_the_nearest(site):
    answer = site.get("/snapshots/20260723T070000/status")
    assert answer.status_code == 410 and f"/snapshots/{SECOND}/status" in answer.text
    assert '<a href="/status">' in answer.text and "23 July 2026, 07:00 UTC is no longer kept" in answer.text
    same_day = site.get("/snapshots/20260722T080000/status").text
    assert f'href="/snapshots/{FIRST}/status"' in same_day and f'href="/snapshots/{SECOND}/status"' in same_day
    assert site.get("/snapshots/20260723T070000.db").status_code == 404


def test_a_redirect_within_a_snapshot_stays_there(site):
    answer = site.get(f"/snapshots/{FIRST}/events?type=agreement")
    assert answer.headers["location"] == f"/snapshots/{FIRST}/oversight/events?type=agreement"
    assert site.get(f"/snapshots/{FIRST}").headers["location"] == f"/snapshots/{FIRST}/"
    assert site.get(f"/snapshots/{FIRST}/snapshots/{FIRST}/").headers["location"] == f"/snapshots/{FIRST}/"
    for hostile in ("//evil.example/", "/\\evil.example/", "/%5Cevil.example"):
        answer = site.get(f"/snapshots/{FIRST}{hostile}")
        assert answer.status_code == 404 and "location" not in answer.headers


def test_no_address_of_a_snapshot_leads_to_another_file(site, folder):
    (folder / "published" / "oversight-secret.db").write_text("private")
    for name in ("secret", "../crawl", "..%2f..%2fcrawl", "20260722T070000/../../../crawl", "current"):
        answer = site.get(f"/snapshots/{name}.db")
        if answer.status_code == 302:  # Datasette writes such signs its own way first
            answer = site.get(answer.headers["location"])
        assert answer.status_code in (404, 410) and "private" not in answer.text
        assert "attachment" not in answer.headers.get("content-disposition", "")
    assert "secret" not in site.get("/snapshots").text


def test_a_download_can_be_resumed(site, folder):
    data = (folder / "published" / f"oversight-{FIRST}.db").read_bytes()
    answer = site.get(f"/snapshots/{FIRST}.db")
    assert answer.status_code == 200 and answer.content == data
    assert answer.headers["content-disposition"] == f'attachment; filename="oversight-{FIRST}.db"'
    assert answer.headers["etag"] == f'"{hashlib.sha256(data).hexdigest()}"'
    assert "content-security-policy" in answer.headers
    head = site.get(f"/snapshots/{FIRST}.db", "HEAD")
    assert head.headers["content-length"] == str(len(data)) and head.content == b""
    assert file_download.part_of("bytes=100-", len(data)) == (100, len(data) - 1)
    assert file_download.part_of("bytes=-5", len(data)) == (len(data) - 5, len(data) - 1)
    assert file_download.part_of("bytes=0-9999999999", len(data)) == (0, len(data) - 1)
    assert file_download.part_of("pages=1-2", 10) is None is file_download.part_of("bytes=0-1,3-4", 10)
    with pytest.raises(file_download.NoSuchPart):
        file_download.part_of(f"bytes={len(data)}-", len(data))


def test_ranges_are_sent_and_a_changed_file_is_sent_whole(site, folder):
    data = (folder / "published" / f"oversight-{FIRST}.db").read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    part = site.get(f"/snapshots/{FIRST}.db", headers={"range": "bytes=4096-8191", "if-range": f'"{digest}"'})
    assert part.status_code == 206 and part.content == data[4096:8192]
    assert part.headers["content-range"] == f"bytes 4096-8191/{len(data)}"
    other = site.get(f"/snapshots/{FIRST}.db", headers={"range": "bytes=4096-8191", "if-range": '"another"'})
    assert other.status_code == 200 and other.content == data
    assert site.get(f"/snapshots/{FIRST}.db", headers={"range": "bytes=999999999-"}).status_code == 416


def test_downloads_are_limited_and_can_be_switched_off(site, folder, monkeypatch):
    with monkeypatch.context() as busy:
        busy.setattr(file_download, "_under_way", file_download.AT_ONCE)
        assert site.get(f"/snapshots/{FIRST}.db").status_code == 503
        assert site.get(f"/snapshots/{FIRST}/").status_code == 200
    monkeypatch.setattr(site.ds, "downloads", False)
    assert site.get(f"/snapshots/{FIRST}.db").status_code == 404
    assert ".db" not in site.get("/snapshots").text and "SQLite," not in site.get("/snapshots").text


def test_a_client_that_disconnects_or_stalls_ends_a_download(site, folder, monkeypatch):
    monkeypatch.setattr(file_download, "STALLED_SECONDS", 0.05)
    monkeypatch.setattr(file_download, "CHUNK", 1024)
    kept = site.ds.past_snapshots.kept(site.ds.get_database("oversight").newest)[0]
    sent: list[dict] = []

    async def stall(message: dict) -> None:
        sent.append(message)
        if message["type"] == "http.response.body":
            await asyncio.sleep(5)

    async def note(message: dict) -> None:
        sent.append(message)
        await asyncio.sleep(0)

    async def waiting() -> dict:
        await asyncio.sleep(60)
        return {"type": "http.disconnect"}

    async def away() -> dict:
        return {"type": "http.disconnect"}

    class Asked:
        method, headers = "GET", {}

    for receive, send in ((waiting, stall), (away, note)):
        sent.clear()
        site.loop.run_until_complete(file_download.send_file(kept, Asked, receive, send))
        assert len(sent) < kept.n_bytes // 1024 and file_download._under_way == 0


def test_few_snapshots_are_open_at_a_time_and_one_with_another_schema_is_only_listed(site, folder):
    for stamp in (FIRST, SECOND, FIRST, NOW):
        assert site.get(f"/snapshots/{stamp}/").status_code == 200
    assert len(site.ds.past_snapshots._open) <= OPEN
    path = folder / "published" / f"oversight-{FIRST}.db"
    beside = seals.beside(path)
    words = beside.read_text()
    beside.write_text(re.sub(r'"schema_version": \d+', '"schema_version": 1', words))
    try:
        answer = site.get(f"/snapshots/{FIRST}/status")
        assert answer.status_code == 404 and "another version of the program" in answer.text
        assert "from another version: download only" in site.get("/snapshots").text
    finally:
        beside.write_text(words)


def test_stored_text_is_not_rewritten_like_a_link():
    page = '<a href="/event/e1">x</a> <q>href=&#34;/event/e2&#34;</q> <a href="//other.example/">y</a>'
    assert links_within(page, "20260101T000000") == page.replace('"/event/e1"', '"/snapshots/20260101T000000/event/e1"')


def test_the_last_snapshot_of_each_of_seven_days_and_each_month_is_kept():
    names = [f"oversight-2026{m:02}{d:02}T{h:02}0000.db" for m in (1, 2, 3) for d in range(1, 29) for h in range(24)]
    kept = sorted(worth_keeping(names))
    assert kept == sorted(
        {*names[-7:], *(f"oversight-202603{d}T230000.db" for d in range(22, 29))}
        | {"oversight-20260128T230000.db", "oversight-20260228T230000.db"}
    )
    assert worth_keeping(names, keep_months=0) == {name for name in kept if name[10:16] == "202603"}
    assert worth_keeping(names[:1]) == {names[0]} and worth_keeping([]) == set()


def test_snapshots_newer_than_the_served_one_are_not_listed(folder):
    site = Site(folder)
    later = folder / "published" / "oversight-20260801T000000.db"
    later.write_bytes(b"not yet checked")
    try:
        assert "20260801T000000" not in site.get("/snapshots.json").text
    finally:
        later.unlink()
    with closing(sqlite3.connect(folder / "published" / "current")) as db:
        assert db.execute("select count(*) from events").fetchone()[0] > 0
