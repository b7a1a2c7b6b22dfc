"""Scrapy's item pipeline: records each visit with its page in the archive and the frontier.

Successful visits to articles are sent to the bookkeeper in batches, since each batch costs a write to disk; all others
are sent at once.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from scrapy import signals
from scrapy.crawler import Crawler
from scrapy.exceptions import DropItem

from scrapers.bookkeeper import bookkeeper_extension
from scrapers.items import FETCHED, Listing, Outcome, Page, Visit
from scrapers.messages import Answer, Task

MAX_BATCH, MAX_BATCH_SECONDS = 32, 0.25


class RecordPipeline:
    """Records pages, listings and visits; pages go on to further pipelines and to feed exports."""

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.batch: list[Answer] = []
        crawler.signals.connect(self._dropped, signals.item_dropped)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> RecordPipeline:
        return cls(crawler)

    @property
    def scheduler(self) -> Any:
        """The crawl's FrontierScheduler, which knows the visits in progress."""
        return self.crawler.engine.scheduler  # type: ignore[union-attr]

    def process_item(self, item: Any) -> Any:
        """Record an item. Raises DropItem for one that is no page."""
        if not isinstance(item, Page | Listing | Visit):
            return item
        task = self.scheduler.in_progress.get(item.url)
        if task is not None:
            self.record(task, item)
        if isinstance(item, Page):
            return item
        visit = item.visit if isinstance(item, Listing) else item
        raise DropItem(f"{visit.outcome.value}: {visit.url}", log_level="DEBUG")

    def record(self, task: Task, item: Page | Listing | Visit) -> None:
        """Record the outcome of a visit, soon or at once."""
        answer = _answer(task, item)
        if self.crawler.stats is not None:
            self.crawler.stats.inc_value(f"outcome/{answer.visit.outcome.value}")
        self.batch.append(answer)
        self.scheduler.answered(task)
        resting = task.host in bookkeeper_extension(self.crawler).resting
        waits = task.kind == "article" and answer.visit.outcome in FETCHED and not resting
        if not waits or len(self.batch) >= MAX_BATCH:
            self.flush()
        elif len(self.batch) == 1:
            asyncio.get_running_loop().call_later(MAX_BATCH_SECONDS, self.flush)

    def flush(self) -> None:
        """Send the batch to the bookkeeper, and follow its reply."""
        keeper = bookkeeper_extension(self.crawler).keeper
        if not self.batch or keeper is None:
            return
        batch, self.batch = self.batch, []
        reply = keeper.record_answers(batch)
        for host in reply.skip_hosts:
            self.scheduler.skip(host)
        if reply.stop:
            self.scheduler.stop()
        self.scheduler.add(reply.tasks)

    def _dropped(self, item: Any) -> None:
        """Record a visit whose item another pipeline dropped before it came here."""
        task = self.scheduler.in_progress.get(item.url) if isinstance(item, Page | Listing | Visit) else None
        if task is not None:
            now = datetime.now(UTC)
            self.record(task, Visit(task.url, task.source_id, now, Outcome.UNREADABLE, "an item pipeline dropped it"))

    def close_spider(self) -> None:
        """Record what is left."""
        self.flush()


def _answer(task: Task, item: Page | Listing | Visit) -> Answer:
    if isinstance(item, Listing):
        return Answer(task, item.visit, None, item.entries, item.more, item.faults)
    if isinstance(item, Visit):
        return Answer(task, item)
    visit = Visit(
        *(item.url, item.source_id, item.fetched_at, Outcome.SAVED, "", item.status, len(item.body)),
        *(item.sha256, item.headers),
    )
    return Answer(task, visit, item)
