"""A number of events comes in; the time of each page goes out: of our site, and of a stock Datasette beside it."""

from __future__ import annotations

import http.client
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from pipeline.bench.site_ledger import make_ledger
from pipeline.errors import OutsideFailure

ROUNDS, START_SECONDS = 5, 120
STOCK_FACETS = (
    "type",
    "modality",
    "jurisdiction",
    "force",
    "event_month",
    "origins_band",
    "contested",
    "best_standing",
)
FILTERS = {
    "none": {},
    "place": {"jurisdiction": "US"},
    "kind": {"type": "agreement"},
    "party": {"_party": "n1"},
    "dates": {"date_start__gte": "2025-06-01"},
    "place, kind": {"jurisdiction": "US", "type": "restriction"},
    "place, dates": {"jurisdiction": "US", "date_start__gte": "2025-06-01"},
    "party, how sure": {"_actor": "n2", "modality": "occurred"},
    "place, kind, dates": {"jurisdiction": "EU", "type": "regulation", "date_start__gte": "2025-06-01"},
    "place, force, origins": {"jurisdiction": "US", "force": "binding", "origins_band": "1"},
    "party, place, month": {"_party": "n1", "jurisdiction": "US", "event_month": "2026-05"},
    "words": {"_words": "weights export"},
}
PAGES = {
    "home": "/",
    "changes": "/changes",
    "event": "/event/e0000000000000090",
    "entity, busy": "/entity/n0",
    "entity, quiet": "/entity/n11",
    "article": "/article/a1",
    "status": "/status",
    "due": "/due",
    "sources": "/sources",
    "search": "/search?q=weights+export",
    "claims": "/oversight/claims",
    "articles": "/oversight/articles",
    "feed": "/feed.atom?jurisdiction=US",
}


@dataclass(frozen=True, slots=True)
class Timed:
    """One page: the median time from the first byte of the question to the last of the answer, in milliseconds."""

    page: str
    ours: float
    stock: float | None  # None where stock Datasette has no such page
    facets_timed_out: int
    stock_facets_timed_out: int


def measure_site(n_events: int, say: Callable[[str], None], rounds: int = ROUNDS) -> list[Timed]:
    """Make a ledger of `n_events` events, serve it by both, time every page; OutsideFailure where a server is dead."""
    with tempfile.TemporaryDirectory() as name:
        published = Path(name) / "published"
        published.mkdir()
        file = published / "oversight-20260701T000000.db"
        say(f"making a ledger of {n_events:,} events")
        make_ledger(file, n_events)
        (published / "current").symlink_to(file.name)
        ours = [sys.executable, "-m", "pipeline.cli", "--data", name, "serve", "--port", "{port}"]
        say("timing the site")
        with running(ours) as port:
            found = {page: timed(port, path, rounds) for page, path in our_pages().items()}
        theirs = [sys.executable, "-m", "datasette", "serve", "-i", str(file), "--port", "{port}"]
        say("timing stock Datasette over the same file")
        with running(theirs) as port:
            stock = {page: timed(port, path, rounds) for page, path in our_pages(stock=f"/{file.stem}/").items()}
    return [
        Timed(page, ms, stock[page][0] if page in stock else None, late, stock[page][1] if page in stock else 0)
        for page, (ms, late) in found.items()
    ]


def our_pages(*, stock: str = "") -> dict[str, str]:
    """Return the pages to time by name. `stock`: where a stock Datasette has the file, for the pages that it has."""
    events = {}
    for name, filters in FILTERS.items():
        if stock and any(key.startswith("_") for key in filters):
            continue
        facets = [("_facet", column) for column in STOCK_FACETS] if stock else []
        query = urlencode([*filters.items(), *facets])
        events[f"events: {name}"] = "/oversight/events" + (f"?{query}" if query else "")
    tables = {page: path for page, path in PAGES.items() if path.startswith("/oversight/")}
    pages = {**(tables if stock else PAGES), **events}
    return {page: path.replace("/oversight/", stock or "/oversight/") for page, path in pages.items()}


@contextmanager
def running(command: list[str]) -> Iterator[int]:
    """Start a server on a free port, give the port once it answers, and stop it afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    line = [part.replace("{port}", str(port)) for part in command]
    with subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait(process, port)
            yield port
        finally:
            process.terminate()


def _wait(process: subprocess.Popen, port: int) -> None:
    for _ in range(START_SECONDS * 5):
        if process.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.2)
    raise OutsideFailure("A server to be timed did not start. Try `oversight serve` to see why.")


def timed(port: int, path: str, rounds: int) -> tuple[float, int]:
    """Return the median milliseconds of `rounds` requests after one to warm up, and how many facets timed out."""
    taken, late = [], 0
    for n in range(rounds + 1):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        began = time.perf_counter()
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        spent = (time.perf_counter() - began) * 1000
        connection.close()
        if answer.status != 200:
            raise OutsideFailure(f"{path} was answered with status {answer.status} while it was timed.")
        if n:
            taken.append(spent)
        late = max(late, facets_late(body.decode(errors="replace")))
    return round(statistics.median(taken), 1), late


def facets_late(page: str) -> int:
    """Return how many facets a page says were not counted in time (ours and stock Datasette's words for it)."""
    told = re.search(r"(?:Too many rows to count in time|These facets timed out): ([^<.]+)", page)
    return len(told.group(1).split(",")) if told else 0
