"""The running site switches to a new snapshot within five seconds, under load, without failed or mixed responses."""

from __future__ import annotations

import http.client
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from support.site_data import publish, rebuilt
from support.site_under_test import Site

from pipeline.ledger.publish.publish import publish as publish_snapshot
from pipeline.ledger.publish.publish import snapshots as kept_snapshots
from pipeline.site import snapshots
from pipeline.site.facets.columns import arrays_path, save_arrays
from pipeline.site.snapshots import current_snapshot

ROOT = Path(__file__).parents[2]
PATHS = (
    "/",
    "/oversight/events",
    "/oversight/events?type=agreement&_party=oms",
    "/oversight/claims?_words=testing",
    "/entity/oms",
    "/status",
    "/upcoming",
    "/feed.atom",
    "/oversight/events.json?modality=occurred",
    "/oversight/events.csv",
)


def test_a_request_sees_one_snapshot_throughout(tmp_path):
    old = publish(tmp_path)
    site = Site(tmp_path)
    newer = old.with_name("oversight-20260722T070000.db")
    shutil.copy(old, newer)
    with closing(sqlite3.connect(newer)) as db:
        db.execute("pragma foreign_keys=off")
        db.execute("delete from events where modality = 'planned'")
        db.execute("delete from claims where event_id not in (select event_id from events)")
        db.execute("delete from event_participants where event_id not in (select event_id from events)")
        db.execute("delete from claim_participants where claim_id not in (select claim_id from claims)")
        db.commit()

    async def under_way() -> tuple[int, ...]:
        db = site.ds.get_database("oversight")
        snapshots.PINNED.set(db.newest)
        before = (await db.execute("select count(*) from events as e")).rows[0][0]
        snapshots.attach(site.ds, newer)
        after = (await db.execute("select count(*) from events as e")).rows[0][0]
        counted = len(db.counts("events"))
        snapshots.PINNED.set(None)
        return before, after, counted, (await db.execute("select count(*) from events as e")).rows[0][0]

    before, after, counted, newest = site.loop.run_until_complete(under_way())
    assert before == after == counted > newest
    assert site.get("/oversight/events.json").json()["filtered_table_rows_count"] == newest


def test_a_new_snapshot_is_served_within_five_seconds_under_load(tmp_path):
    first = publish(tmp_path)
    event_id = sqlite3.connect(first).execute("select event_id from events").fetchone()[0]
    code = f"from pipeline.site.app import serve; serve({str(tmp_path)!r}, port=0)"
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        port = int(server.stdout.readline().split()[2].rstrip("/").rpartition(":")[2])
        stop, answers, faults = threading.Event(), [], []

        def ask(path: str) -> bytes:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            try:
                connection.request("GET", path)
                answer = connection.getresponse()
                body = answer.read()
                answers.append(answer.status)
                if answer.status != 200:
                    faults.append((path, answer.status))
                return body
            except OSError as error:
                faults.append((path, repr(error)))
                return b""
            finally:
                connection.close()

        def reader(start: int) -> None:
            n = start
            while not stop.is_set() and len(answers) < 4_000:
                ask(PATHS[n % len(PATHS)])
                n += 1

        readers = [threading.Thread(target=reader, args=(n,)) for n in range(4)]
        try:
            for each in readers:
                each.start()
            for n in range(1, 4):
                sentence = f"A line that was published as number {n}."
                build = rebuilt(first, tmp_path, sentence)
                moment = datetime(2026, 7, 22, 7, n, tzinfo=UTC)
                publish_snapshot(build, tmp_path / "published", now=moment, prepare=save_arrays)
                began = time.monotonic()
                while sentence.encode() not in ask("/") and time.monotonic() - began < 20:
                    time.sleep(0.05)
                assert time.monotonic() - began < 5
                assert all(sentence.encode() in ask("/") for _ in range(4)), "an old answer came after the new one"
            assert ask(f"/event/{event_id}")
        finally:
            stop.set()
            for each in readers:
                each.join(30)
            server.terminate()
    assert faults == [] and len(answers) > 40
    kept = kept_snapshots(tmp_path / "published")
    assert len(kept) == 4 and first in kept and arrays_path(current_snapshot(tmp_path)).exists()
