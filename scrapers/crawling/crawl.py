"""Runs a crawl: visits the URLs that are due, archives the pages and reports the results.

Scrapy runs in a child process, so that crawl() can be called repeatedly and a crash there loses nothing here. Only this
process writes to the database and the archive.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from scrapers.archive.store import Archive
from scrapers.crawling.bookkeeping import CrawlTally, FrontierBookkeeper
from scrapers.crawling.frontier import Frontier
from scrapers.fetching.url_guard import is_loopback_host
from scrapers.items import Outcome, Page, Source
from scrapers.messages import CrawlConfig, FetchOrder

__all__ = ["ConfigError", "CrawlConfig", "CrawlError", "CrawlReport", "SourceReport", "crawl"]

GRACE_SECONDS = 6.0  # from the request to stop to killing the fetching process
SILENCE_SECONDS = 90.0  # a fetching process that is silent for longer is stuck
MAX_DEATHS = 3
SOURCES_TO_JUDGE = 3  # that must have been visited in vain before the network is said to be down
INTERRUPTED = "stopped by"
MIN_FREE_BYTES = 200 * 1024 * 1024
_ROOT = Path(__file__).resolve().parents[2]


class ConfigError(ValueError):
    """The crawl is configured wrongly; the message says what to change."""


class CrawlError(RuntimeError):
    """An external cause stopped the crawl; what was fetched so far is saved."""


@dataclass(frozen=True, slots=True)
class SourceReport:
    """The results of one run for one source; `faults` are sentences for the operator."""

    source_id: str
    outcomes: dict[str, int] = field(default_factory=dict)
    n_pages: int = 0
    n_bytes: int = 0
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CrawlReport:
    """The results of one run. The counts in `outcomes` add up to `n_visits`."""

    started_at: datetime
    finished_at: datetime
    outcomes: dict[str, int]
    n_visits: int
    n_pages: int  # articles archived
    n_bytes: int
    duration_seconds: float
    sources: tuple[SourceReport, ...]
    recovered: tuple[str, ...] = ()  # URLs whose page was found in the archive after an interruption
    stopped: str = ""  # why the run ended early; "" if everything due was visited
    interrupted: bool = False  # by a signal, so the steps after the crawl should not run either
    network_down: bool = False  # several sources were visited, and no host could be reached


def crawl(
    sources: Sequence[Source],
    frontier: Frontier,
    archive: Archive,
    *,
    config: CrawlConfig,
    sink: Callable[[Page], None] | None = None,
    progress: Callable[[str], None] | None = None,
) -> CrawlReport:
    """Visit everything that is due and return the results.

    Args:
        sources: The sources to crawl; disabled ones are skipped.
        frontier: Remembers URLs and visits between runs.
        archive: Receives the article pages.
        config: Options of the crawl.
        sink: Called with each article page after it is archived and recorded. The process may be killed before the
            call, so page processing should rely on the archive's index.
        progress: Called with one line of text per source.

    Raises:
        ConfigError: Sites other than local ones would be crawled without a contact.
        CrawlError: Too little disk space is free, or the fetching process keeps dying.
        OSError, sqlite3.Error: A write fails.
    """
    enabled = tuple(source for source in sources if source.enabled)
    order = _order(enabled, config, identity(enabled, config.user_agent, config.contact))
    check_disk(archive.folder)
    if config.log_file:
        Path(config.log_file).parent.mkdir(parents=True, exist_ok=True)
    started_at, clock = config.now(), time.monotonic()
    report_line = progress or (lambda line: None)
    recovered = tuple(frontier.recover(archive.unindexed()))
    frontier.add_sources(enabled, started_at)
    bookkeeper = FrontierBookkeeper(
        enabled, frontier, archive, config, sink or (lambda page: None), lambda s, tally: report_line(_line(s, tally))
    )
    frontier.correct_clock(started_at)
    bookkeeper.judge_again()
    with _stop_on_signal(bookkeeper):
        _fetch_all(bookkeeper, order, config, clock)
    return _report(bookkeeper, started_at, config.now(), time.monotonic() - clock, recovered)


def identity(sources: Sequence[Source], user_agent: str, contact: str) -> str:
    """Return the User-Agent header. Raises ConfigError if sites would have no contact for the crawler."""
    hosts = {urlsplit(feed.url).hostname or "" for source in sources for feed in source.feeds}
    hosts |= {host.lstrip(".").rpartition(":")[0] or host.lstrip(".") for s in sources for host in s.hosts}
    abroad = sorted(host for host in hosts if host and not is_loopback_host(host))
    contact = contact.strip()
    if abroad and not ("@" in contact or contact.startswith(("http://", "https://"))):
        raise ConfigError(
            f"Sites such as {abroad[0]} need a contact for the crawler. Set a contact: an e-mail address or a web "
            f"page{f' ({contact!r} is neither)' if contact else ''}."
        )
    if any(not char.isprintable() or ord(char) > 126 for char in user_agent + contact):
        raise ConfigError("User agent and contact are sent to every site; both must be plain ASCII text.")
    return f"{user_agent} (+{contact})" if contact else user_agent


def check_disk(folder: Path) -> None:
    """Raise CrawlError if too little space is free on the disk of a folder."""
    free = shutil.disk_usage(folder).free
    if free < MIN_FREE_BYTES:
        raise CrawlError(
            f"{folder}: only {free // 2**20} MiB are free on this disk; a crawl needs {MIN_FREE_BYTES // 2**20} MiB. "
            "Free some space."
        )


def _fetch_all(bookkeeper: FrontierBookkeeper, order: FetchOrder, config: CrawlConfig, clock: float) -> None:
    """Run the fetching process, restarting it after a crash, until nothing is due or the run must end."""
    deaths = 0
    while not bookkeeper.stopped and bookkeeper.is_due():
        death = _fetch(bookkeeper, order, clock + config.max_seconds)
        if not death:
            break
        bookkeeper.died()
        deaths += 1
        if deaths >= MAX_DEATHS and not bookkeeper.stopped:
            raise CrawlError(f"The fetching process died {deaths} times; the last time: {death}.")
    if not bookkeeper.stopped and bookkeeper.n_tasks >= config.max_pages:
        bookkeeper.stopped = f"{config.max_pages} visits made, the maximum for one run"


def _order(sources: tuple[Source, ...], config: CrawlConfig, agent: str) -> FetchOrder:
    """Return the settings of the fetching process: those of the project, but for what this run determines."""
    settings: dict[str, Any] = {
        "SOURCES": sources,
        "SPIDER_MODULES": list(config.spider_modules),
        "USER_AGENT": agent,
        "ROBOTS_TOKEN": config.user_agent.partition("/")[0].strip() or config.user_agent,
        "ALLOW_LOOPBACK": config.allow_loopback,
        "LOCAL_PORTS": dict(config.local_ports),
        "DOWNLOAD_TIMEOUT": config.timeout_seconds,
        "DOWNLOAD_MAXSIZE": config.max_bytes,
        "LOG_ENABLED": bool(config.log_file),
        "LOG_FILE": config.log_file or None,
        "LOG_LEVEL": "INFO",
    }
    if config.pause_seconds is not None:
        settings["SOURCES"] = tuple(replace(source, pause_seconds=config.pause_seconds) for source in sources)
        settings["DOWNLOAD_DELAY"] = config.pause_seconds
    return FetchOrder(settings, config.memory_mb)


def _fetch(bookkeeper: FrontierBookkeeper, order: FetchOrder, deadline: float) -> str:
    """Run one fetching process to its end. Return "" if it ended normally, otherwise how it died."""
    ours, theirs = socket.socketpair()
    with tempfile.TemporaryFile() as errors:
        path = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
        process = subprocess.Popen(
            [sys.executable, "-m", "scrapers.crawling.child_process", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            env={
                **os.environ,
                "PYTHONPATH": path,
                "OVERSIGHT_DATA": str(bookkeeper.archive.folder.parent),
                "MALLOC_ARENA_MAX": "2",  # arenas of threads would use up the address space
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,  # Ctrl-C reaches this process only, which then stops the child
        )
        theirs.close()
        pipe = Connection(ours.detach())
        try:
            pipe.send(order)
            ended_well = _serve(bookkeeper, pipe, deadline)
        except (EOFError, OSError) as error:
            if not isinstance(error, EOFError | ConnectionError):
                raise
            ended_well = False
        finally:
            pipe.close()
            code = _end(process)
        if ended_well or bookkeeper.stopped:
            return ""
        errors.seek(0)
        lines = errors.read().decode("utf-8", "replace").strip().splitlines()
        return f"exit code {code}" + (f", {lines[-1][:300]}" if lines else "")


def _serve(bookkeeper: FrontierBookkeeper, pipe: Connection, deadline: float) -> bool:
    """Serve the fetching process until it is done (True), or stuck or out of time (False)."""
    heard, stop_at = time.monotonic(), 0.0
    while True:
        now = time.monotonic()
        if now > deadline and not bookkeeper.stopped:
            bookkeeper.stopped = "the time limit of one run was reached"
        if bookkeeper.stopped and not stop_at:
            stop_at = now + GRACE_SECONDS
        if (stop_at and now > stop_at) or now - heard > SILENCE_SECONDS:
            return False
        if not pipe.poll(0.5):
            continue
        name, args = pipe.recv()
        if name == "done":
            pipe.send(None)
            return True
        pipe.send(getattr(bookkeeper, name)(*args))
        heard = time.monotonic()


def _end(process: subprocess.Popen[bytes]) -> int:
    """Return the exit code of a process, killing it after a second."""
    try:
        return process.wait(1.0)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


@contextmanager
def _stop_on_signal(bookkeeper: FrontierBookkeeper) -> Iterator[None]:
    """Stop the run cleanly on SIGTERM and SIGINT; only the main thread can handle signals."""

    def stop(number: int, frame: object) -> None:
        if not bookkeeper.stopped.startswith(INTERRUPTED):
            bookkeeper.stopped = f"{INTERRUPTED} {signal.Signals(number).name}"

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _line(source: Source, tally: CrawlTally) -> str:
    """Return a line on the results for one source, with its first fault."""
    n_feeds = tally.outcomes[Outcome.SAVED.value] - tally.n_pages
    parts = [_count(tally.n_pages, "new page"), f"{_count(n_feeds, 'feed')} read"]
    others = sorted(set(tally.outcomes) - {Outcome.SAVED.value})
    parts += [f"{tally.outcomes[name]} {name.lower().replace('_', ' ')}" for name in others]
    fault = f" {next(iter(tally.faults))}" if tally.faults else ""
    return f"{source.title}: {', '.join(parts)}.{fault}"


def _count(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"


def _report(
    bookkeeper: FrontierBookkeeper,
    started_at: datetime,
    finished_at: datetime,
    seconds: float,
    recovered: tuple[str, ...],
) -> CrawlReport:
    total: Counter[str] = Counter()
    for tally in bookkeeper.tallies.values():
        total.update(tally.outcomes)
    return CrawlReport(
        started_at=started_at,
        finished_at=finished_at,
        outcomes=dict(sorted(total.items())),
        n_visits=sum(total.values()),
        n_pages=sum(tally.n_pages for tally in bookkeeper.tallies.values()),
        n_bytes=sum(tally.n_bytes for tally in bookkeeper.tallies.values()),
        duration_seconds=seconds,
        sources=tuple(
            SourceReport(source_id, dict(sorted(t.outcomes.items())), t.n_pages, t.n_bytes, tuple(t.faults))
            for source_id, t in bookkeeper.tallies.items()
        ),
        recovered=recovered,
        stopped=bookkeeper.stopped,
        interrupted=bookkeeper.stopped.startswith(INTERRUPTED),
        network_down=_is_network_down(bookkeeper.tallies.values()),
    )


def _is_network_down(tallies: Iterable[CrawlTally]) -> bool:
    """Return whether nothing could be reached, of so many sources that the fault is not theirs."""
    visited = [tally for tally in tallies if tally.outcomes]
    return len(visited) >= SOURCES_TO_JUDGE and all(t.n_unreachable == t.outcomes.total() for t in visited)
