"""A small web archive of the newsroom's pages, and helpers that run and inspect backfill."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from pipeline.app.backfill.engines import Answer, Engine, LocalEngine
from pipeline.app.backfill.hosts import Hosts, hosts_of
from pipeline.app.backfill.progress import ProgressStore
from pipeline.app.backfill.run import Backfill, Tally
from pipeline.app.backfill.work import Part, WorkerSettings, worker
from pipeline.evaluation.benchmarks.inputs import warcs
from pipeline.ledger.publish.verify import verify
from pipeline.newsroom.pages import article_page
from pipeline.newsroom.stories import Story, stories
from scrapers.archive.remote_files import Access

ROOT = Path(__file__).resolve().parents[2]
FETCHED = datetime(2026, 6, 1, 12, tzinfo=UTC)


def chosen(every: int = 4) -> list[Story]:
    return stories()[::every]


def records(every: int = 4) -> list[bytes]:
    """A note on the archive, then a page of another host, an image and a redirect between the stories."""
    made = [warcs.info()]
    for number, story in enumerate(chosen(every)):
        at = FETCHED + timedelta(minutes=number)
        head = (("Content-Type", f"text/html; charset={story.encoding}"),)
        made.append(warcs.response(story.url, article_page(story), at, headers=head))
        if number % 5 == 0:
            made.append(warcs.response(f"https://elsewhere.example/{number}", article_page(story), at))
            made.append(warcs.response(story.url + "/x.png", b"\x89PNG", at, headers=(("Content-Type", "image/png"),)))
            made.append(warcs.response(story.url + "/old", b"", at, status="301 Moved Permanently"))
    return made


def hosts(every: int = 4) -> list[str]:
    return sorted({story.url.split("/")[2] for story in chosen(every)})


def wanted(every: int = 4) -> Hosts:
    return hosts_of((), hosts(every))


def write(file: Path, data: list[bytes]) -> Path:
    file.write_bytes(b"".join(map(warcs.member, data)))
    return file


def order(**more) -> WorkerSettings:
    return WorkerSettings(wanted(), (), access=Access(allow_loopback=True), **more)


class InProcess:
    """An engine without processes of its own: nothing is loaded again for each run."""

    shares_files, n_workers = True, 1

    def __init__(self, order: WorkerSettings) -> None:
        self.work = worker(order)

    def run(self, parts: Iterable[Part]) -> Iterator[Answer]:
        for part in parts:
            yield part, self.work(part)

    one_by_one = run

    def close(self) -> None:
        pass


def fill(
    data: Path, files: list[str], engine: Engine | None = None, *, part_bytes: int = 20_000, workers: int = 0,
    order_: WorkerSettings | None = None, said: list[str] | None = None,
) -> Tally:  # fmt: skip
    """Backfill files into a data folder: in this process, or with `workers` processes of their own."""
    order_ = order_ or order()
    books = ProgressStore(data / "crawl.db", data / "archive", ())
    try:
        watch = lambda tally, line: said.append(line) if said is not None and line else None  # noqa: E731
        engine = engine or (LocalEngine(order_, workers) if workers else InProcess(order_))
        return Backfill(books, engine, order_, data / "backfill", watch, part_bytes).run(files)
    finally:
        books.close()


def command(data: Path, *words: str, **more) -> subprocess.Popen:
    """Start `oversight backfill` in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline.cli", "--data", str(data), "backfill", *words], cwd=ROOT, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True, **more,
    )  # fmt: skip


def held(data: Path) -> dict[str, list]:
    """What a ledger holds, without the moments at which it was written."""
    queries = {
        "articles": "select * from articles order by article_id, version",
        "findings": "select * from findings order by article_id, version",
        "readings": "select * from readings order by page_sha256, url",
        "pages": "select sha256, url, source_id, fetched_at, media_type, charset from pages order by 1, 2",
        "records": "select * from backfill_records order by offset",
        "files": "select file_id, position, size, records, pages, relevant, claims, passed_over, bad, "
        "finished_at is not null from backfill_files order by file_id, choice",
    }
    with closing(sqlite3.connect(data / "crawl.db")) as db:
        found = {name: db.execute(sql).fetchall() for name, sql in queries.items()}
    return {**found, "faults": verify(data)}


class FileServer:
    """Serves one file at 127.0.0.1, in parts or only as a whole, and may break off or change it."""

    def __init__(self, file: Path, *, ranges: bool = True) -> None:
        self.file, self.ranges = file, ranges
        self.break_after: list[int] = []  # for each of the next answers: bytes after which it breaks off
        self.status: list[int] = []  # for each of the next answers
        self.redirect = ""
        self.tag = "v1"
        self.asked: list[str] = []


@contextmanager
def serving(file: Path, *, ranges: bool = True):
    """Give a FileServer with its `url`."""
    here = FileServer(file, ranges=ranges)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *words: object) -> None:
            pass

        def do_GET(self) -> None:
            asked = self.headers.get("Range", "")
            here.asked.append(asked)
            data = here.file.read_bytes()
            if here.status and (status := here.status.pop(0)) != 200:
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            if here.redirect and self.path != "/final":
                self.send_response(302)
                self.send_header("Location", here.redirect)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            body, status = data, 200
            if here.ranges and asked:
                first, _, last = asked.removeprefix("bytes=").partition("-")
                body, status = data[int(first) : int(last) + 1], 206
            self.send_response(status)
            self.send_header("ETag", here.tag)
            if status == 206:
                self.send_header("Content-Range", f"bytes {first}-{int(first) + len(body) - 1}/{len(data)}")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if here.break_after:
                self.wfile.write(body[: here.break_after.pop(0)])
                self.wfile.flush()
                self.close_connection = True
                return
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    here.url = f"http://127.0.0.1:{server.server_port}/a.warc.gz"
    try:
        yield here
    finally:
        server.shutdown()
        server.server_close()
