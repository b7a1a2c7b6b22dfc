"""Tasks come in, requests go out; each answer becomes one Answer with one named outcome, handed to the desk.

Each host has a coroutine of its own that visits its tasks one after the other. Pages that came as they should are
handed over a few at a time, for each handing-over costs a write to the disk; everything else at once.

The one spider there is, driven by the cards. It knows the desk's few methods, and nothing of what stands behind it.
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
from scrapers.fetching.content_type import why_no_article
from scrapers.fetching.outcomes import Ended, ending
from scrapers.fetching.url_guard import in_scope
from scrapers.items import FETCHED, Outcome, Page, Source, Visit
from scrapers.messages import Answer, FetchOrder, Reply, RobotsCopy, Task

MOST_HEADERS, LONGEST_HEADER = 200, 8192
BEAT_SECONDS = 1.0
LAST_SECONDS = 3.0  # from the wish to stop to the end of what is under way
MOST_IN_A_BATCH, LONGEST_IN_A_BATCH_SECONDS = 32, 0.25
MOST_NAMES_ASKED_FOR = 32  # at a time: a name server that is silent for one host must not hold up the others
# These say how the bytes travelled; the body that is kept is unpacked.
TRANSPORT_HEADERS = frozenset({"content-encoding", "transfer-encoding", "content-length", "connection", "keep-alive"})


class Desk(Protocol):
    """Whoever keeps the books of a crawl."""

    def answers(self, answers: Sequence[Answer]) -> Reply: ...
    def reading(self, url: str) -> None: ...
    def beat(self) -> bool: ...
    def robots(self, site: str) -> RobotsCopy | None: ...
    def keep_robots(self, site: str, status: int, body: bytes) -> RobotsCopy: ...


class CardSpider(Spider):
    """Visits each host's tasks one after the other, all hosts side by side."""

    name = "cards"

    def __init__(self, order: FetchOrder, desk: Desk, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.order = order
        self.desk = desk
        self.sources: dict[str, Source] = {source.source_id: source for source in order.sources}
        self.robots_token = order.robots_token
        self.queues: dict[str, deque[Task]] = {}
        self.under_way: dict[str, asyncio.Task[None]] = {}
        self.batch: list[Answer] = []
        self.stopping = False
        self.fault: BaseException | None = None
        self.finished = False  # whatever else ends the engine has not done the work

    def pause_seconds(self, url: str) -> float:
        """Return the longest pause that any card asks for on the host of an address."""
        if self.order.pause_seconds is not None:
            return self.order.pause_seconds
        pauses = [s.pause_seconds for s in self.sources.values() if in_scope(url, s, for_feed=True)]
        return max(pauses, default=5.0)

    def stop(self) -> None:
        """Start nothing more; what is under way has some seconds to end."""
        if not self.stopping:
            self.stopping = True
            self.queues.clear()
            asyncio.get_running_loop().call_later(LAST_SECONDS, self._cut_off)

    def _cut_off(self) -> None:
        for visiting in self.under_way.values():
            visiting.cancel()

    async def start(self) -> AsyncIterator[Request]:
        """Visit everything; what goes wrong in the program itself is kept in `fault`."""
        loop = asyncio.get_running_loop()
        loop.set_default_executor(ThreadPoolExecutor(MOST_NAMES_ASKED_FOR))
        beating = loop.create_task(self._beat())
        try:
            self._take(self.order.tasks)
            while self.under_way:
                done, _ = await asyncio.wait(self.under_way.values(), return_when=asyncio.FIRST_COMPLETED)
                for visiting in done:
                    if not visiting.cancelled():
                        visiting.result()
                self.under_way = {host: one for host, one in self.under_way.items() if one not in done}
                if not self.under_way:
                    self._flush()
        except Exception as error:
            self.fault = error
            raise
        finally:
            beating.cancel()
        self.finished = True
        return
        yield  # what makes this a generator, as Scrapy wants it

    async def _beat(self) -> None:
        """Tell the desk that this process is alive, and hear whether to stop."""
        while True:
            if self.desk.beat():
                self.stop()
            await asyncio.sleep(BEAT_SECONDS)

    def _take(self, tasks: Iterable[Task]) -> None:
        """Queue tasks by host; start on each host that has none under way."""
        hosts = []
        for task in tasks:
            queue = self.queues.setdefault(task.host, deque())
            if task.kind == "feed":
                queue.appendleft(task)
            else:
                queue.append(task)
            hosts.append(task.host)
        for host in dict.fromkeys(hosts):
            if host not in self.under_way or self.under_way[host].done():
                self.under_way[host] = asyncio.get_running_loop().create_task(self._visit_host(host))

    async def _visit_host(self, host: str) -> None:
        while not self.stopping and (queue := self.queues.get(host)):
            self._hand_over(await self._fetched(queue.popleft()))

    async def _fetched(self, task: Task) -> Answer:
        """Fetch one address; whatever happens becomes an answer, and costs this address alone."""
        headers = {}
        if task.etag:
            headers["If-None-Match"] = task.etag
        if task.last_modified:
            headers["If-Modified-Since"] = task.last_modified
        try:
            request = Request(task.url, headers=headers, meta={"task": task}, dont_filter=True)
        except ValueError as error:
            return self._ended(task, Ended(Outcome.OUT_OF_SCOPE, f"no address: {error}"))
        try:
            response = await self.crawler.engine.download_async(request)
        except Exception as error:  # noqa: BLE001 - whatever it is, ending() has a name for it
            return self._ended(task, ending(error, task.url))
        try:
            answer = self._answer(task, response)
            rest = request.meta.get("rest_seconds", 0.0)
            return replace(answer, rest_seconds=rest) if rest else answer
        except Exception as error:  # noqa: BLE001 - a reader's fault must cost one address, not the crawl
            return self._ended(task, Ended(Outcome.UNREADABLE, f"{type(error).__name__}: {error}"[:300]))

    def _hand_over(self, answer: Answer) -> None:
        self.batch.append(answer)
        waits = answer.task.kind == "article" and answer.visit.outcome in FETCHED and not answer.rest_seconds
        if not waits or len(self.batch) >= MOST_IN_A_BATCH:
            self._flush()
        elif len(self.batch) == 1:
            asyncio.get_running_loop().call_later(LONGEST_IN_A_BATCH_SECONDS, self._flush)

    def _flush(self) -> None:
        """Hand over what is ready, and do as the desk says."""
        if not self.batch:
            return
        batch, self.batch = self.batch, []
        reply = self.desk.answers(batch)
        if reply.stop:
            self.stop()
        for host in reply.leave_hosts:
            self.queues.pop(host, None)
        if not self.stopping:
            self._take(reply.tasks)

    def _ended(self, task: Task, end: Ended) -> Answer:
        visit = Visit(task.url, task.source_id, datetime.now(UTC), end.outcome, end.detail)
        return Answer(task, visit, temporary=end.temporary, retry_after=end.retry_after)

    def _answer(self, task: Task, response: Response) -> Answer:
        outcome, detail = outcome_of_status(response)
        if response.status == 304 and not (task.etag or task.last_modified):
            outcome, detail = Outcome.UNREADABLE, "not modified, although nothing was known of it"
        sha256 = hashlib.sha256(response.body).hexdigest()
        if outcome is None:
            if task.body_sha256 == sha256:
                outcome, detail = Outcome.UNCHANGED, "the same bytes as last time"
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
        self.desk.reading(task.url)
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
            return Answer(task, self._visit(task, response, Outcome.NO_TEXT, "the answer is empty", sha256))
        if reason := why_no_article(media_type, response.body):
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
    """Return the outcome that the status alone decides, with words; (None, "") where the body decides."""
    status = response.status
    said = f"status {status}"
    if status == 304:
        return Outcome.UNCHANGED, "not modified"
    if status == 206 or status < 200:
        return Outcome.UNREADABLE, f"{said}, which was not asked for"
    if status < 300:
        return None, ""
    if status < 400:
        return Outcome.BAD_REDIRECT, f"{said} without a target that can be followed"
    if status in (404, 410):
        return Outcome.GONE, said
    if status == 429 or (status == 503 and response.headers.get("Retry-After")):
        return Outcome.RATE_LIMITED, said
    return (Outcome.SERVER_ERROR if status >= 500 or status in (408, 425) else Outcome.REFUSED), said


def kept_headers(response: Response) -> tuple[tuple[str, str], ...]:
    """Return the headers worth keeping, bounded in number and length: nothing else limits them."""
    found = []
    for name, values in response.headers.items():
        key = name.decode("latin-1")
        if key.lower() not in TRANSPORT_HEADERS:
            found += [(key[:200], value.decode("latin-1")[:LONGEST_HEADER]) for value in values[:20]]
        if len(found) >= MOST_HEADERS:
            break
    return tuple(found[:MOST_HEADERS])


def _header(response: Response, name: str) -> str:
    value = response.headers.get(name)
    return "" if value is None else value.decode("latin-1")[:500]


def _content_type(header: str) -> tuple[str, str]:
    """Return media type and charset of a Content-Type header."""
    media_type, *parameters = header.split(";")
    charset = ""
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            charset = value.strip().strip("\"'")[:40]
    return media_type.strip().lower()[:100], charset
