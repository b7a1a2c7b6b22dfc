"""Times every page of the site over a large generated ledger, compared with stock Datasette over the same file."""

from __future__ import annotations

import http.client
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from urllib.parse import urlencode

from pipeline.errors import OutsideFailure
from pipeline.evaluation.benchmarks.inputs.site_ledger import COMMON_WORD, make_ledger
from pipeline.site.facets.columns import arrays_path, save_arrays

ROUNDS, START_SECONDS = 5, 120
STOCK_FACETS = tuple(
    ["type", "modality", "jurisdiction", "force", "event_month", "origins_band", "contradicted", "closest_source_type"]
)
FILTERS = {  # one value of each facet, a frequent one if possible: rare values are faster
    "kind": ("type", "agreement"),
    "how sure": ("modality", "occurred"),
    "who acts": ("_actor", "n1"),
    "towards whom": ("_target", "n2"),
    "model": ("_model", "n2"),
    "law": ("_instrument", "n3"),
    "place": ("jurisdiction", "US"),
    "binding": ("force", "binding"),
    "month": ("event_month", "2026-05"),
    "origins": ("origins_band", "1"),
    "agree": ("contradicted", "0"),
    "source": ("closest_source_type", "primary"),
    "dates": ("date_start__gte", "2025-06-01"),
    "words": ("_words", "weights"),
}
MOST_FILTERS = 3
STOCK_SHARE = 6  # stock Datasette gets one in six of the combinations: each takes seconds
PAGES = {
    "home": "/",
    "changes": "/changes",
    "event": "/event/e0000000000000090",
    "entity, busy": "/entity/n0",
    "entity, quiet": "/entity/n11",
    "article": "/article/a1",
    "status": "/status",
    "due": "/upcoming",
    "sources": "/sources",
    "search": "/search?q=weights+export",
    "search, common": f"/search?q={COMMON_WORD}",
    "one question": "/oversight/who_restricted_whom",
    "questions": "/queries",
    "tables": "/oversight",
    "events": "/oversight/events",
    "claims": "/oversight/claims",
    "claims of a party": "/oversight/claims?_party=n1",
    "claims with words": "/oversight/claims?_words=weights",
    "articles": "/oversight/articles",
    "entities": "/oversight/entities",
    "timeline_entries": "/oversight/timeline_entries",
    "days due": "/oversight/upcoming",
    "a row": "/oversight/events/e0000000000000090",
    "event as JSON": "/event/e0000000000000090.json",
    "events as JSON": "/oversight/events.json?jurisdiction=US",
    "events as CSV": "/oversight/events.csv?jurisdiction=US",
    "feed": "/feed.atom?jurisdiction=US",
    "sitemap": "/sitemap-events-0.xml",
}


@dataclass(frozen=True, slots=True)
class Timed:
    """The response times of a page or a group of pages, as medians in milliseconds.

    Attributes:
        page: The page or group.
        n: Number of pages in the group.
        ours: From the first byte of the request to the last of the response.
        cpu: CPU time of the server, which other work on the machine does not affect.
        slowest: The slowest page of the group.
        late: Number of facets that timed out.
        stock, stock_cpu, stock_late: The same for stock Datasette; None if it has no such page.
        stock_failed: Number of pages that stock Datasette answered with an error because they took too long.
    """

    page: str
    n: int
    ours: float
    cpu: float
    slowest: float
    late: int
    stock: float | None = None
    stock_cpu: float | None = None
    stock_late: int = 0
    stock_failed: int = 0


def measure_site(n_events: int, say: Callable[[str], None], rounds: int = ROUNDS, ledger: str = "") -> list[Timed]:
    """Generate a ledger, serve it with both servers, and time every page.

    Args:
        n_events: Number of events in the ledger.
        say: Reports progress.
        rounds: Requests per page.
        ledger: Folder of the ledger, reused if it exists; "" for a temporary one.

    Raises:
        OutsideFailure: A server does not start or answers with an error.
    """
    with tempfile.TemporaryDirectory() as name:
        published = Path(ledger or name) / "published"
        published.mkdir(parents=True, exist_ok=True)
        file = published / f"oversight-20260701T000000_{n_events}.db"
        if not file.exists():
            say(f"generating a ledger of {n_events:,} events")
            part = file.with_suffix(".part")
            part.unlink(missing_ok=True)
            make_ledger(part, n_events)
            part.replace(file)
        if not arrays_path(file).exists():
            save_arrays(file)
        (published / "current").unlink(missing_ok=True)
        (published / "current").symlink_to(file.name)
        ours = [sys.executable, "-m", "pipeline.cli", "--data", ledger or name, "serve", "--port", "{port}"]
        say("timing the site")
        with running(ours) as server:
            pages = {page: server.timed(path, rounds) for page, path in PAGES.items()}
            combined = {
                n: [server.timed(path, 1, warm=False) for path in paths] for n, paths in combinations_of().items()
            }
        theirs = [sys.executable, "-m", "datasette", "serve", "-i", str(file), "--port", "{port}"]
        say("timing stock Datasette over the same file")
        with running(theirs, may_fail=True) as server:
            own = f"/{file.stem}/"
            stock_pages = {
                page: server.timed(path.replace("/oversight/", own), rounds)
                for page, path in PAGES.items()
                if path.startswith("/oversight/") and "?_" not in path and page != "one question"
            }
            stock_combined = server.once_each(combinations_of(stock=own))
    rows = [_group(page, [took], [stock_pages[page]] if page in stock_pages else []) for page, took in pages.items()]
    return rows + [
        _group(f"events, {n} filter{'s' if n > 1 else ''}", took, stock_combined[n]) for n, took in combined.items()
    ]


def _group(page: str, took: Sequence[Took], stock: Sequence[Took]) -> Timed:
    """Return the medians of a group of pages here and in stock Datasette."""
    median = statistics.median
    own = Timed(
        page=page,
        n=len(took),
        ours=round(median(t.ms for t in took), 1),
        cpu=round(median(t.cpu_ms for t in took), 1),
        slowest=round(max(t.ms for t in took), 1),
        late=sum(t.late for t in took),
    )
    if not stock:
        return own
    return replace(
        own,
        stock=round(median(t.ms for t in stock), 1),
        stock_cpu=round(median(t.cpu_ms for t in stock), 1),
        stock_late=sum(t.late for t in stock),
        stock_failed=sum(t.failed for t in stock),
    )


def combinations_of(*, stock: str = "") -> dict[int, list[str]]:
    """Return the paths of all combinations of filters on events, by number of filters.

    `stock` is the path of the tables in stock Datasette, which gets a share of the combinations that it supports, with
    the facets.
    """
    found: dict[int, list[str]] = {}
    for n in range(1, MOST_FILTERS + 1):
        chosen = list(combinations(FILTERS.values(), n))
        if stock:
            known = [pairs for pairs in chosen if not any(key.startswith("_") for key, _ in pairs)]
            facets = [("_facet", column) for column in STOCK_FACETS]
            found[n] = [
                f"{stock}events?{urlencode([*pairs, *facets])}" for pairs in known[:: 1 if n == 1 else STOCK_SHARE]
            ]
        else:
            found[n] = [f"/oversight/events?{urlencode(pairs)}" for pairs in chosen]
    return found


@dataclass(frozen=True, slots=True)
class Took:
    """The median of some requests for one page, in milliseconds.

    Attributes:
        ms: By the wall clock.
        cpu_ms: CPU time of the server.
        late: Number of facets that timed out.
        failed: Whether a request was answered with an error.
    """

    ms: float
    cpu_ms: float
    late: int
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Server:
    """A server under measurement. `may_fail`: an error status counts as a response."""

    port: int
    pid: int
    may_fail: bool = False

    def timed(self, path: str, rounds: int, *, warm: bool = True) -> Took:
        """Return the median of `rounds` requests; with `warm`, after one that does not count."""
        taken, late, failed = [], 0, False
        if warm:
            self._ask(path)
        before = computed_ms(self.pid)
        for _ in range(rounds):
            began = time.perf_counter()
            status, body = self._ask(path)
            failed |= status != 200
            taken.append((time.perf_counter() - began) * 1000)
            late = max(late, facets_late(body.decode(errors="replace")))
        return Took(statistics.median(taken), (computed_ms(self.pid) - before) / rounds, late, failed)

    def once_each(self, groups: dict[int, list[str]]) -> dict[int, list[Took]]:
        """Return the times of single requests for each page of some groups, without warm-up."""
        return {n: [self.timed(path, 1, warm=False) for path in paths] for n, paths in groups.items()}

    def _ask(self, path: str) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            body = answer.read()
        finally:
            connection.close()
        if answer.status != 200 and not self.may_fail:
            raise OutsideFailure(f"{path} was answered with status {answer.status}.")
        return answer.status, body


def computed_ms(pid: int) -> float:
    """Return the CPU time of a process in milliseconds, 0 if the system does not report it."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(words[11]) + int(words[12])) * 1000 / os.sysconf("SC_CLK_TCK")


@contextmanager
def running(command: list[str], *, may_fail: bool = False) -> Iterator[Server]:
    """Start a server on a free port, yield it once it answers, and stop it afterwards."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    line = [part.replace("{port}", str(port)) for part in command]
    with subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait(process, port)
            yield Server(port, process.pid, may_fail)
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
    raise OutsideFailure("The server did not start. Run `oversight serve` to see why.")


def facets_late(page: str) -> int:
    """Return the number of facets that timed out according to a page, ours or stock Datasette's."""
    found = re.search(r"(?:Too many rows to count in time|These facets timed out): ([^<.]+)", page)
    return len(found.group(1).split(",")) if found else 0
