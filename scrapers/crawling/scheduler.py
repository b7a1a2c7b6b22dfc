"""Scrapy's scheduler over the frontier: what is due comes out, what spiders follow goes in."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime

from scrapy import Request
from scrapy.core.scheduler import BaseScheduler
from scrapy.crawler import Crawler

from scrapers.bookkeeper import bookkeeping
from scrapers.crawling.pipelines import RecordPipeline
from scrapers.items import Outcome, Visit
from scrapers.messages import Task
from scrapers.spiders import SourceSpider

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
        self.stopping = False

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> FrontierScheduler:
        return cls(crawler)

    def resume(self) -> None:
        """Queue what is due, once. The spiders' start() calls it."""
        books = bookkeeping(self.crawler)
        if books.keeper is None:
            self.add(books.begin())

    def stop(self) -> None:
        """Hand out nothing more, and close the spider."""
        if not self.stopping:
            self.stopping = True
            self.queues.clear()
            self.free.clear()
            bookkeeping(self.crawler).stop()

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
                self._refuse(task, f"not a valid URL: {error}")
        return None

    def enqueue_request(self, request: Request) -> bool:
        """Take a request. One with the callback parse_feed or parse_article becomes a visit, now or when it is due."""
        spider = getattr(request.callback, "__self__", None)
        kind = _KINDS.get(getattr(request.callback, "__name__", ""), "")
        keeper = bookkeeping(self.crawler).keeper
        if "task" in request.meta or keeper is None or not kind or not isinstance(spider, SourceSpider):
            self.passing.append(request)
            return True
        parent: Task | None = request.meta.get("found_on")
        feed_url = parent.feed.url if parent is not None else spider.source.feeds[0].url
        found_on = parent.url if parent is not None else request.url
        tasks = keeper.add_url(request.url, spider.source.source_id, kind, feed_url, found_on)
        self.add(tasks)
        return bool(tasks)

    def _refuse(self, task: Task, detail: str) -> None:
        pipeline = self.crawler.get_item_pipeline(RecordPipeline)
        assert pipeline is not None, "RecordPipeline is not among the ITEM_PIPELINES"
        now = datetime.now(UTC)
        pipeline.record(task, Visit(task.url, task.source_id, now, Outcome.OUT_OF_SCOPE, detail))
