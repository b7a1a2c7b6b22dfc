"""Scrapy's scheduler over the frontier: hands out what is due, and remembers what spiders follow."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime

from scrapy import Request
from scrapy.core.scheduler import BaseScheduler
from scrapy.crawler import Crawler
from scrapy.exceptions import CloseSpider

from scrapers.bookkeeper import bookkeeper_extension
from scrapers.crawling.pipelines import RecordPipeline
from scrapers.items import Outcome, Visit
from scrapers.messages import Task
from scrapers.spiders import SourceSpider

_log = logging.getLogger(__name__)
_KINDS = {"parse_feed": "feed", "parse_article": "article"}  # callbacks that are remembered between runs


class FrontierScheduler(BaseScheduler):
    """Hands out one request at a time for each host, feeds first. What is left stays in the frontier.

    Requests that are no visit of a source, such as those of `scrapy shell`, pass through it and are forgotten.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.queues: dict[str, deque[Task]] = {}  # of each host with something to do
        self.free: deque[str] = deque()  # hosts with a queue and without a request in progress
        self.in_progress: dict[str, Task] = {}  # by URL
        self.passing: deque[Request] = deque()  # redirects, repetitions, and what is not remembered
        self.passed: set[bytes] = set()  # fingerprints of what was not remembered
        self.stopping = False

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> FrontierScheduler:
        return cls(crawler)

    def resume(self) -> None:
        """Queue what is due, once. The spiders' start() calls it."""
        extension = bookkeeper_extension(self.crawler)
        if extension.keeper is not None:
            return
        if self.crawler.get_item_pipeline(RecordPipeline) is None:
            _log.error("ITEM_PIPELINES lacks scrapers.crawling.pipelines.RecordPipeline, which records the visits")
            raise CloseSpider("not_begun")
        self.add(extension.begin())

    def stop(self) -> None:
        """Hand out nothing more, and close the spider."""
        if not self.stopping:
            self.stopping = True
            self.queues.clear()
            self.free.clear()
            bookkeeper_extension(self.crawler).stop()

    def add(self, tasks: Iterable[Task]) -> None:
        """Queue tasks that are due."""
        for task in () if self.stopping else tasks:
            if task.host not in self.queues:
                self.queues[task.host] = deque()
                self.free.append(task.host)
            if task.kind == "feed":
                self.queues[task.host].appendleft(task)
            else:
                self.queues[task.host].append(task)

    def skip(self, host: str) -> None:
        """Drop what is queued for a host; it stays due."""
        if host in self.queues:
            self.queues[host].clear()

    def answered(self, task: Task) -> None:
        """Note that a visit has its outcome, so that its host is free for the next one."""
        if self.in_progress.pop(task.url, None) is not None and task.host in self.queues:
            self.free.append(task.host)

    def has_pending_requests(self) -> bool:
        """Return whether something is queued or has no outcome yet."""
        return bool(self.passing or self.in_progress or any(self.queues.values()))

    def next_request(self) -> Request | None:
        """Return the request of a task of a host that is free."""
        if self.passing:
            return self.passing.popleft()
        while self.free:
            host = self.free.popleft()
            if not self.queues.get(host):
                self.queues.pop(host, None)
                continue
            task = self.queues[host].popleft()
            self.in_progress[task.url] = task
            try:
                return self.crawler.spider.request(task)  # type: ignore[union-attr]
            except ValueError as error:
                self._refuse(task, Outcome.OUT_OF_SCOPE, f"not a valid URL: {error}")
            except Exception as error:
                _log.exception("The spider has no request for %s", task.url)
                self._refuse(task, Outcome.UNREADABLE, f"{type(error).__name__}: {error}"[:300])
        return None

    def enqueue_request(self, request: Request) -> bool:
        """Take a request. One with the callback parse_feed or parse_article becomes a visit, now or when it is due."""
        if request.meta.get("is_start_request"):
            if request.callback is None and isinstance(self.crawler.spider, SourceSpider):
                request.callback = self.crawler.spider.parse_article
            if isinstance(getattr(request.callback, "__self__", None), SourceSpider):
                self.resume()
        spider = getattr(request.callback, "__self__", None)
        kind = _KINDS.get(getattr(request.callback, "__name__", ""), "")
        keeper = bookkeeper_extension(self.crawler).keeper
        is_plain = request.method == "GET" and not request.body
        if "task" in request.meta or keeper is None or not (kind and is_plain and isinstance(spider, SourceSpider)):
            return self._pass(request)
        parent: Task | None = request.meta.get("found_on")
        feed_url = parent.feed.url if parent is not None else spider.source.feeds[0].url
        found_on = parent.url if parent is not None else request.url
        tasks = keeper.add_url(request.url, spider.source.source_id, kind, feed_url, found_on)
        self.add(tasks)
        return bool(tasks)

    def _pass(self, request: Request) -> bool:
        """Queue a request that is not remembered, unless an equal one was queued in this run."""
        if "task" not in request.meta and not request.dont_filter:
            fingerprint = self.crawler.request_fingerprinter.fingerprint(request)  # type: ignore[union-attr]
            if fingerprint in self.passed:
                return False
            self.passed.add(fingerprint)
        self.passing.append(request)
        return True

    def _refuse(self, task: Task, outcome: Outcome, detail: str) -> None:
        pipeline = self.crawler.get_item_pipeline(RecordPipeline)
        assert pipeline is not None, "RecordPipeline is not among the ITEM_PIPELINES"
        now = datetime.now(UTC)
        pipeline.record(task, Visit(task.url, task.source_id, now, outcome, detail))
