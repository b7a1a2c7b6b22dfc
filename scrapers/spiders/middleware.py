"""The spider middleware that makes each visit end with one outcome, whatever a spider yields."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any

from scrapy import Request
from scrapy.http import Response

from scrapers.items import Listing, Outcome, Page, Visit
from scrapers.messages import Task

_log = logging.getLogger(__name__)


class OneOutcomeMiddleware:
    """Passes on the item that ends a visit after everything else, and adds one if the spider yielded none.

    The item comes last because a request that a spider follows must be known before the page it was found on counts
    as visited: after a crash in between, the page is visited again.
    """

    async def process_spider_output(self, response: Response, result: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """Yield the spider's requests and items, then the outcome."""
        task: Task | None = response.meta.get("task")
        last: Page | Listing | Visit | None = None
        n_requests = 0
        async for one in result:
            if task is not None and isinstance(one, Request):
                n_requests += 1
                one.meta.setdefault("found_on", task)
                one.callback = one.callback or _spider_of(response).parse_article
            if task is not None and isinstance(one, Page | Listing | Visit) and one.url == task.url:
                last = last or one
            else:
                yield one
        if last is not None:
            yield last
        elif task is None or "spider_failed" in response.meta:  # process_spider_exception() says it
            return
        elif n_requests and task.kind == "feed":
            yield _spider_of(response).visit(response, Outcome.SAVED, f"{n_requests} requests followed")
        else:
            yield _unreadable(task, "the spider yielded neither a page nor a listing for it")

    def process_spider_exception(self, response: Response, exception: Exception) -> Iterator[Any] | None:
        """Record an error of a spider as the outcome of its page alone; the log has the traceback."""
        task: Task | None = response.meta.get("task")
        if task is None:
            return None
        response.meta["spider_failed"] = True
        _log.error("The spider failed on %s", task.url, exc_info=exception)
        return iter([_unreadable(task, f"{type(exception).__name__}: {exception}"[:300])])


def _spider_of(response: Response) -> Any:
    """Return the spider whose callback got a response; several may share a crawl."""
    return response.request.callback.__self__  # type: ignore[union-attr]


def _unreadable(task: Task, detail: str) -> Visit:
    return Visit(task.url, task.source_id, datetime.now(UTC), Outcome.UNREADABLE, detail)
