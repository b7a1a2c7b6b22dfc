"""Sources, a frontier and an archive come in; what is due is fetched and kept; a report of the run goes out.

Scrapy runs in a process of its own, so that crawl() may be called any number of times and a crash over there loses
nothing here. This process alone writes.
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
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import urlsplit

from scrapers.archive.store import Archive
from scrapers.crawling.bookkeeping import BookDesk, Tally
from scrapers.crawling.frontier import Frontier
from scrapers.fetching.url_guard import is_loopback_host
from scrapers.items import Outcome, Page, Source
from scrapers.messages import CrawlConfig, FetchOrder, Task

__all__ = ["ConfigError", "CrawlConfig", "CrawlError", "CrawlReport", "SourceReport", "crawl"]

GRACE_SECONDS = 6.0  # from the wish to stop to the end of the fetching process
SILENCE_SECONDS = 90.0  # a fetching process that says nothing for so long is stuck
MOST_DEATHS = 3
TOLD_TO_STOP = "it was told to stop"
LEAST_FREE_BYTES = 200 * 1024 * 1024
_ROOT = Path(__file__).resolve().parents[2]


class ConfigError(ValueError):
    """The crawl was asked for in a way that cannot be done; the message says what to change."""


class CrawlError(RuntimeError):
    """Something outside the program stopped the crawl; what was fetched before is kept."""


@dataclass(frozen=True, slots=True)
class SourceReport:
    """What one run did for one source; `faults` are sentences for a reader."""

    source_id: str
    outcomes: dict[str, int] = field(default_factory=dict)
    n_pages: int = 0
    n_bytes: int = 0
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CrawlReport:
    """What one run did. The counts of `outcomes` add up to `n_visits`."""

    started_at: datetime
    finished_at: datetime
    outcomes: dict[str, int]
    n_visits: int
    n_pages: int  # articles archived
    n_bytes: int
    duration_seconds: float
    sources: tuple[SourceReport, ...]
    recovered: tuple[str, ...] = ()  # addresses whose page was found in the archive after an interruption
    stopped: str = ""  # why the run ended before everything due was visited, "" where it did not
    told_to_stop: bool = False  # by a signal: whatever comes after a crawl is not wanted either


def crawl(
    sources: Sequence[Source],
    frontier: Frontier,
    archive: Archive,
    *,
    config: CrawlConfig,
    sink: Callable[[Page], None] | None = None,
    progress: Callable[[str], None] | None = None,
) -> CrawlReport:
    """Visit everything that is due and return what came of it.

    `sink` is called with each article page after it is archived and entered; a kill between the two is why readers go
    by the archive's index, not by the sink. `progress` gets one line of plain text for each source. Raises ConfigError
    where the live web is to be crawled without a contact, CrawlError where too little disk is free or fetching keeps
    dying, OSError or sqlite3.Error where the disk refuses a write.
    """
    enabled = tuple(source for source in sources if source.enabled)
    order_text = _identity(enabled, config)
    _check_disk(archive.folder)
    if config.log_file:
        Path(config.log_file).parent.mkdir(parents=True, exist_ok=True)
    started_at, clock = config.now(), time.monotonic()
    say = progress or (lambda line: None)
    recovered = tuple(frontier.recover(archive.unindexed()))
    frontier.add_sources(enabled, started_at)
    desk = BookDesk(
        enabled, frontier, archive, config, sink or (lambda page: None), lambda s, tally: say(_line(s, tally))
    )
    frontier.mend_clock(started_at)
    desk.judge_again()
    with _stop_on_signal(desk):
        _fetch_all(desk, enabled, config, order_text, clock)
    return _report(desk, started_at, config.now(), time.monotonic() - clock, recovered)


def _identity(sources: tuple[Source, ...], config: CrawlConfig) -> str:
    """Return the User-Agent header. Raises ConfigError where the crawler would be a stranger to the sites."""
    hosts = {urlsplit(feed.url).hostname or "" for source in sources for feed in source.feeds}
    hosts |= {host.lstrip(".").rpartition(":")[0] or host.lstrip(".") for s in sources for host in s.hosts}
    abroad = sorted(host for host in hosts if host and not is_loopback_host(host))
    contact = config.contact.strip()
    if abroad and not ("@" in contact or contact.startswith(("http://", "https://"))):
        raise ConfigError(
            f"The sites ({abroad[0]} and others) must be able to reach whoever crawls them. Set a contact: an e-mail "
            f"address or a web page{f' ({contact!r} is neither)' if contact else ''}."
        )
    if any(not char.isprintable() or ord(char) > 126 for char in config.user_agent + contact):
        raise ConfigError("User agent and contact are sent to every site and must be plain ASCII text.")
    return f"{config.user_agent} (+{contact})" if contact else config.user_agent


def _check_disk(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < LEAST_FREE_BYTES:
        raise CrawlError(f"{folder}: only {free // 2**20} MiB are free on this disk, too little to crawl. Free some.")


def _fetch_all(desk: BookDesk, sources: tuple[Source, ...], config: CrawlConfig, agent: str, clock: float) -> None:
    """Run the fetching process, again after a crash, until nothing is due or the run must end."""
    unexplained = 0
    while not desk.stopped and (tasks := desk.first_tasks()):
        death = _fetch(desk, _order(sources, tasks, config, agent), clock + config.max_seconds)
        if not death:
            break
        unexplained += not desk.died(death)
        if unexplained >= MOST_DEATHS and not desk.stopped:
            raise CrawlError(f"The fetching process died {unexplained} times, the last time like this: {death}.")
    if not desk.stopped and desk.n_tasks >= config.max_pages:
        desk.stopped = f"{config.max_pages} visits, the most for one run, were made"


def _order(sources: tuple[Source, ...], tasks: tuple[Task, ...], config: CrawlConfig, agent: str) -> FetchOrder:
    return FetchOrder(
        sources=sources,
        tasks=tasks,
        user_agent=agent,
        robots_token=config.user_agent.partition("/")[0].strip() or config.user_agent,
        allow_loopback=config.allow_loopback,
        pause_seconds=config.pause_seconds,
        timeout_seconds=config.timeout_seconds,
        max_bytes=config.max_bytes,
        memory_mb=config.memory_mb,
        log_file=config.log_file,
    )


def _fetch(desk: BookDesk, order: FetchOrder, deadline: float) -> str:
    """Run one fetching process to its end. Return "" where it ended as it should, else how it died."""
    ours, theirs = socket.socketpair()
    with tempfile.TemporaryFile() as errors:
        path = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))
        process = subprocess.Popen(
            [sys.executable, "-m", "scrapers.crawling.child_process", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            env={**os.environ, "PYTHONPATH": path, "MALLOC_ARENA_MAX": "2"},  # threads must not eat its address space
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,  # Ctrl-C reaches this process alone, which then ends the other in order
        )
        theirs.close()
        pipe = Connection(ours.detach())
        try:
            pipe.send(order)
            ended_well = _serve(desk, pipe, deadline)
        except (EOFError, OSError) as error:
            if not isinstance(error, EOFError | ConnectionError):
                raise
            ended_well = False
        finally:
            pipe.close()
            code = _end(process)
        if ended_well or desk.stopped:
            return ""
        errors.seek(0)
        lines = errors.read().decode("utf-8", "replace").strip().splitlines()
        return f"exit code {code}" + (f", {lines[-1][:300]}" if lines else "")


def _serve(desk: BookDesk, pipe: Connection, deadline: float) -> bool:
    """Answer the fetching process until it is done (True), stuck or to be cut off (False)."""
    heard, stop_at = time.monotonic(), 0.0
    while True:
        now = time.monotonic()
        if now > deadline and not desk.stopped:
            desk.stopped = "the time for one run is over"
        if desk.stopped and not stop_at:
            stop_at = now + GRACE_SECONDS
        if (stop_at and now > stop_at) or now - heard > SILENCE_SECONDS:
            return False
        if not pipe.poll(0.5):
            continue
        name, args = pipe.recv()
        if name == "done":
            pipe.send(None)
            return True
        pipe.send(getattr(desk, name)(*args))
        heard = time.monotonic()


def _end(process: subprocess.Popen[bytes]) -> int:
    """End a process and return its exit code: it has a second to go by itself."""
    try:
        return process.wait(1.0)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


@contextmanager
def _stop_on_signal(desk: BookDesk) -> Iterator[None]:
    """Let SIGTERM and SIGINT stop the run in order; only a program's main thread may listen to signals."""

    def stop(number: int, frame: object) -> None:
        if not desk.stopped.startswith(TOLD_TO_STOP):
            desk.stopped = f"{TOLD_TO_STOP} ({signal.Signals(number).name})"

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _line(source: Source, tally: Tally) -> str:
    """Return what happened to one source in a sentence, with the first fault behind it."""
    n_feeds = tally.outcomes[Outcome.SAVED.value] - tally.n_pages
    parts = [_count(tally.n_pages, "new page"), f"{_count(n_feeds, 'feed')} read"]
    others = sorted(set(tally.outcomes) - {Outcome.SAVED.value})
    parts += [f"{tally.outcomes[name]} {name.lower().replace('_', ' ')}" for name in others]
    fault = f" {next(iter(tally.faults))}" if tally.faults else ""
    return f"{source.title}: {', '.join(parts)}.{fault}"


def _count(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"


def _report(
    desk: BookDesk, started_at: datetime, finished_at: datetime, seconds: float, recovered: tuple[str, ...]
) -> CrawlReport:
    total: Counter[str] = Counter()
    for tally in desk.tallies.values():
        total.update(tally.outcomes)
    return CrawlReport(
        started_at=started_at,
        finished_at=finished_at,
        outcomes=dict(sorted(total.items())),
        n_visits=sum(total.values()),
        n_pages=sum(tally.n_pages for tally in desk.tallies.values()),
        n_bytes=sum(tally.n_bytes for tally in desk.tallies.values()),
        duration_seconds=seconds,
        sources=tuple(
            SourceReport(source_id, dict(sorted(t.outcomes.items())), t.n_pages, t.n_bytes, tuple(t.faults))
            for source_id, t in desk.tallies.items()
        ),
        recovered=recovered,
        stopped=desk.stopped,
        told_to_stop=desk.stopped.startswith(TOLD_TO_STOP),
    )
