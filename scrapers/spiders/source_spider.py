"""The spider: visits the tasks it is given and reports each result to a bookkeeper.

Each host has its own coroutine, which visits the tasks of the host one at a time. Results of successful visits are sent
in batches, since each batch costs a write to disk; all others are sent at once.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import deque
from collections.abc import AsyncIterator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Protocol

from scrapy import Request, Spider
from scrapy.http import Response

from scrapers.feeds.parse import read_feed
from scrapers.fetching.content_type import non_article_reason
from scrapers.fetching.outcomes import FetchEnded, outcome_of
from scrapers.fetching.url_guard import in_scope
from scrapers.items import FETCHED, Outcome, Page, Source, Visit
from scrapers.messages import Answer, FetchOrder, Reply, RobotsCopy, Task

MAX_HEADERS, MAX_HEADER_CHARS = 200, 8192
HEARTBEAT_SECONDS = 1.0
SHUTDOWN_SECONDS = 3.0  # from the request to stop to cancelling open requests
MAX_BATCH, MAX_BATCH_SECONDS = 32, 0.25
MAX_DNS_LOOKUPS = 32  # at a time: one unresponsive name server must not delay other hosts
# They describe the transfer; the body is stored decompressed.
TRANSPORT_HEADERS = frozenset({"content-encoding", "transfer-encoding", "content-length", "connection", "keep-alive"})


class Bookkeeper(Protocol):
    """What the spider needs of scrapers.crawling.bookkeeping.Bookkeeper, in whichever process it runs."""

    def record_answers(self, answers: Sequence[Answer]) -> Reply: ...
    def parsing(self, url: str) -> None: ...
    def heartbeat(self) -> bool: ...
    def robots(self, site: str) -> RobotsCopy | None: ...
    def keep_robots(self, site: str, status: int, body: bytes) -> RobotsCopy: ...


class CardSpider(Spider):
    """Visits the tasks of each host sequentially, and all hosts concurrently."""

    name = "cards"

    def __init__(self, order: FetchOrder, bookkeeper: Bookkeeper, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.order = order
        self.bookkeeper = bookkeeper
        self.sources: dict[str, Source] = {source.source_id: source for source in order.sources}
        self.robots_token = order.robots_token
        self.queues: dict[str, deque[Task]] = {}
        self.active: dict[str, asyncio.Task[None]] = {}
        self.batch: list[Answer] = []
        self.stopping = False
        self.fault: BaseException | None = None
        self.finished = False  # stays False if the engine ends for any other reason

    def pause_seconds(self, url: str) -> float:
        """Return the longest pause that a card requires for the host of a URL."""
        if self.order.pause_seconds is not None:
            return self.order.pause_seconds
        pauses = [s.pause_seconds for s in self.sources.values() if in_scope(url, s, for_feed=True)]
        return max(pauses, default=5.0)

    def stop(self) -> None:
        """Start no more requests; open ones have a few seconds to finish."""
        if not self.stopping:
            self.stopping = True
            self.queues.clear()
            asyncio.get_running_loop().call_later(SHUTDOWN_SECONDS, self._cut_off)

    def _cut_off(self) -> None:
        for host_task in self.active.values():
            host_task.cancel()

    async def start(self) -> AsyncIterator[Request]:
        """Visit all tasks; an error in the program itself is stored in `fault`."""
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(MAX_DNS_LOOKUPS))
        heartbeat = loop.create_task(self._heartbeat())
        try:
            self._enqueue(self.order.tasks)
            while self.active:
                done, _ = await asyncio.wait(self.active.values(), return_when=asyncio.FIRST_COMPLETED)
                for host_task in done:
                    if not host_task.cancelled():
                        host_task.result()
                self.active = {host: one for host, one in self.active.items() if one not in done}
                if not self.active:
                    self._flush()
        except Exception as error:
            self.fault = error
            raise
        finally:
            heartbeat.cancel()
        self.finished = True
        return
        yield  # makes this a generator, as Scrapy expects

    async def _heartbeat(self) -> None:
        """Send heartbeats to the bookkeeper, which returns whether to stop."""
        while True:
            if self.bookkeeper.heartbeat():
                self.stop()
            await asyncio.sleep(HEARTBEAT_SECONDS)

    def _enqueue(self, tasks: Iterable[Task]) -> None:
        """Queue tasks by host, and start hosts that are idle."""
        hosts = []
        for task in tasks:
            queue = self.queues.setdefault(task.host, deque())
            if task.kind == "feed":
                queue.appendleft(task)
            else:
                queue.append(task)
            hosts.append(task.host)
        for host in dict.fromkeys(hosts):
            if host not in self.active or self.active[host].done():
                self.active[host] = asyncio.get_running_loop().create_task(self._visit_host(host))

    async def _visit_host(self, host: str) -> None:
        while not self.stopping and (queue := self.queues.get(host)):
            self._report(await self._fetch(queue.popleft()))

    async def _fetch(self, task: Task) -> Answer:
        """Fetch one URL; any error becomes an answer and affects only this URL."""
        headers = {}
        if task.etag and task.etag.isascii():  # the client would encode other bytes anew, and no server would know them
            headers["If-None-Match"] = task.etag
        if task.last_modified:
            headers["If-Modified-Since"] = task.last_modified
        try:
            request = Request(task.url, headers=headers, meta={"task": task}, dont_filter=True)
        except ValueError as error:
            return self._ended(task, FetchEnded(Outcome.OUT_OF_SCOPE, f"not a valid URL: {error}"))
        try:
            response = await self.crawler.engine.download_async(request)
        except Exception as error:  # outcome_of() maps any exception
            return self._ended(task, outcome_of(error, task.url))
        try:
            answer = self._answer(task, response)
            rest = request.meta.get("rest_seconds", 0.0)
            return replace(answer, rest_seconds=rest) if rest else answer
        except Exception as error:  # a parser's error must affect one URL, not the crawl
            return self._ended(task, FetchEnded(Outcome.UNREADABLE, f"{type(error).__name__}: {error}"[:300]))

    def _report(self, answer: Answer) -> None:
        self.batch.append(answer)
        waits = answer.task.kind == "article" and answer.visit.outcome in FETCHED and not answer.rest_seconds
        if not waits or len(self.batch) >= MAX_BATCH:
            self._flush()
        elif len(self.batch) == 1:
            asyncio.get_running_loop().call_later(MAX_BATCH_SECONDS, self._flush)

    def _flush(self) -> None:
        """Send the batch to the bookkeeper, and follow its reply."""
        if not self.batch:
            return
        batch, self.batch = self.batch, []
        reply = self.bookkeeper.record_answers(batch)
        if reply.stop:
            self.stop()
        for host in reply.skip_hosts:
            self.queues.pop(host, None)
        if not self.stopping:
            self._enqueue(reply.tasks)

    def _ended(self, task: Task, end: FetchEnded) -> Answer:
        visit = Visit(task.url, task.source_id, datetime.now(UTC), end.outcome, end.detail)
        return Answer(task, visit, temporary=end.temporary, retry_after=end.retry_after)

    def _answer(self, task: Task, response: Response) -> Answer:
        outcome, detail = outcome_of_status(response)
        if response.status == 304 and not (task.etag or task.last_modified):
            outcome, detail = Outcome.UNREADABLE, "status 304 without a conditional request"
        sha256 = hashlib.sha256(response.body).hexdigest()
        if outcome is None:
            if task.body_sha256 == sha256:
                outcome, detail = Outcome.UNCHANGED, "same bytes as last time"
            elif task.kind == "feed":
                return self._feed_answer(task, response, sha256)
            else:
                return self._article_answer(task, response, sha256)
        visit = self._visit(task, response, outcome, detail, sha256)
        retry_after = _header(response, "Retry-After") if response.status in (429, 503) else ""
        validators = (_header(response, "ETag"), _header(response, "Last-Modified"))
        return Answer(task, visit, etag=validators[0], last_modified=validators[1], retry_after=retry_after)

    def _feed_answer(self, task: Task, response: Response, sha256: str) -> Answer:
        self._flush()
        self.bookkeeper.parsing(task.url)
        reading = read_feed(response.body, task.feed, response.url)
        useless = not reading.entries and not reading.more and reading.faults
        detail = "; ".join(reading.faults)[:300] if reading.faults else f"{len(reading.entries)} entries"
        outcome = Outcome.UNREADABLE if useless else Outcome.SAVED
        return Answer(
            task,
            self._visit(task, response, outcome, detail, sha256),
            entries=tuple(reading.entries),
            more=tuple(reading.more),
            faults=tuple(reading.faults),
            etag=_header(response, "ETag"),
            last_modified=_header(response, "Last-Modified"),
        )

    def _article_answer(self, task: Task, response: Response, sha256: str) -> Answer:
        media_type, charset = _content_type(_header(response, "Content-Type"))
        if not response.body.strip():
            return Answer(task, self._visit(task, response, Outcome.NO_TEXT, "the response is empty", sha256))
        if reason := non_article_reason(media_type, response.body):
            return Answer(task, self._visit(task, response, Outcome.NOT_AN_ARTICLE, f"it is {reason}", sha256))
        visit = self._visit(task, response, Outcome.SAVED, "", sha256)
        page = Page(
            task.url,
            response.url,
            task.source_id,
            visit.at,
            response.status,
            media_type,
            charset,
            visit.headers,
            response.body,
            sha256,
        )
        validators = (_header(response, "ETag"), _header(response, "Last-Modified"))
        return Answer(task, visit, page, etag=validators[0], last_modified=validators[1])

    def _visit(self, task: Task, response: Response, outcome: Outcome, detail: str, sha256: str) -> Visit:
        if response.url != task.url and outcome not in FETCHED:
            detail = f"{detail} (at {response.url})"
        return Visit(
            task.url,
            task.source_id,
            datetime.now(UTC),
            outcome,
            detail,
            response.status,
            len(response.body),
            sha256 if response.status == 200 else "",
            kept_headers(response),
        )


def outcome_of_status(response: Response) -> tuple[Outcome | None, str]:
    """Return outcome and detail by the status alone; (None, "") if they depend on the body."""
    status = response.status
    detail = f"status {status}"
    if status == 304:
        return Outcome.UNCHANGED, "not modified"
    if status == 206 or status < 200:
        return Outcome.UNREADABLE, f"{detail}, which was not requested"
    if status < 300:
        return None, ""
    if status < 400:
        return Outcome.BAD_REDIRECT, f"{detail} without a valid target"
    if status in (404, 410):
        return Outcome.GONE, detail
    if status == 429 or (status == 503 and response.headers.get("Retry-After")):
        return Outcome.RATE_LIMITED, detail
    return (Outcome.SERVER_ERROR if status >= 500 or status in (408, 425) else Outcome.REFUSED), detail


def kept_headers(response: Response) -> tuple[tuple[str, str], ...]:
    """Return the headers to store, limited in number and length."""
    found = []
    for name, values in response.headers.items():
        key = name.decode("latin-1")
        if key.lower() not in TRANSPORT_HEADERS:
            found += [(key[:200], value.decode("latin-1")[:MAX_HEADER_CHARS]) for value in values[:20]]
        if len(found) >= MAX_HEADERS:
            break
    return tuple(found[:MAX_HEADERS])


def _header(response: Response, name: str) -> str:
    value = response.headers.get(name)
    return "" if value is None else value.decode("latin-1")[:500]


def _content_type(header: str) -> tuple[str, str]:
    """Return the media type and charset of a Content-Type header."""
    media_type, *parameters = header.split(";")
    charset = ""
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            charset = value.strip().strip("\"'")[:40]
    return media_type.strip().lower()[:100], charset
