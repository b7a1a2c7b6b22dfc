"""Scrapy's downloader middlewares of this project: addresses and pace, robots policy, conditional requests."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares.redirect import RedirectMiddleware
from scrapy.http import Response

from scrapers.bookkeeper import bookkeeper_extension
from scrapers.fetching.content_type import header
from scrapers.fetching.outcomes import FetchEnded, outcome_of
from scrapers.fetching.robots import Rules, refused_directive, rules_of
from scrapers.fetching.url_guard import host_key, in_scope, refusal
from scrapers.items import Outcome, Source
from scrapers.messages import RobotsCopy, Task

_log = logging.getLogger(__name__)
PAUSE_FACTOR = 1.25  # with a DOWNLOAD_DELAY_JITTER of .2 a pause of 5 s becomes 5 to 7.5 s, never less than 5
MAX_SNIFFED_BYTES = 64 * 1024  # in which a page's <meta name="robots"> is looked for
_META = re.compile(rb"<meta\b[^>]*>", re.I)
_META_NAME = re.compile(rb"""\bname\s*=\s*["']?\s*([\w-]+)""", re.I)
_META_CONTENT = re.compile(rb"""\bcontent\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))""", re.I)


class AddressGuardMiddleware:
    """Refuses URLs that must not be fetched, and gives each host a slot of its own with the pause of its card.

    It sees each hop of a redirect. The addresses behind a name are judged later, when the connection is made.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.allow_loopback = crawler.settings.getbool("ALLOW_LOOPBACK")
        self.sources: dict[str, Source] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> AddressGuardMiddleware:
        return cls(crawler)

    def process_request(self, request: Request) -> None:
        """Check the URL; choose the slot."""
        if not self.sources:
            self.sources = {source.source_id: source for source in getattr(self.crawler.spider, "sources", ())}
        task: Task | None = request.meta.get("task")
        # A robots.txt may redirect to any host, as may a page that is looked at in the shell.
        source = None if task is None else self.sources.get(task.source_id)
        for_feed = task is not None and task.kind == "feed"
        verdict = refusal(request.url, source, allow_loopback=self.allow_loopback, for_feed=for_feed)
        if verdict is not None:
            outcome, why = verdict
            moved = "redirect_times" in request.meta
            if task is None and "is_robots_txt" not in request.meta:
                _log.warning("%s is not fetched: %s (see ALLOW_LOOPBACK)", request.url, why)
            raise FetchEnded(outcome, f"redirect to a URL that must not be fetched: {why}" if moved else why)
        host = request.meta["download_slot"] = host_key(request.url)
        slots = self.crawler.engine.downloader.per_slot_settings
        if host not in slots:
            slots[host] = {"concurrency": 1, "delay": self._pause(request.url) * PAUSE_FACTOR}

    def _pause(self, url: str) -> float:
        """Return the longest pause that a card requires for the host of a URL, in seconds."""
        pauses = [one.pause_seconds for one in self.sources.values() if in_scope(url, one, for_feed=True)]
        return max(pauses) if pauses else self.crawler.settings.getfloat("DOWNLOAD_DELAY")


class RobotsPolicyMiddleware:
    """Obeys robots.txt as RFC 9309 says: one that cannot be fetched forbids everything for now.

    Scrapy's own middleware allows everything then. Copies are kept between runs by the bookkeeper.
    """

    def __init__(self, crawler: Crawler) -> None:
        self.crawler = crawler
        self.token = crawler.settings["ROBOTS_TOKEN"]
        self.directives = frozenset(crawler.settings.getlist("REFUSED_DIRECTIVES"))
        self.rules: dict[str, asyncio.Task[Rules]] = {}

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> RobotsPolicyMiddleware:
        return cls(crawler)

    async def process_request(self, request: Request) -> None:
        """Raise FetchEnded if the site's robots.txt forbids the URL."""
        if request.meta.get("is_robots_txt"):
            return
        site = f"{urlsplit(request.url).scheme}://{host_key(request.url)}"
        if site not in self.rules:
            self.rules[site] = asyncio.get_running_loop().create_task(self._read(site))
        rules = await self.rules[site]
        if rules.closed:
            raise FetchEnded(Outcome.ROBOTS_DENIED, rules.closed, temporary=True, retry_after=rules.retry_after)
        if not rules.allows(request.url, self.token):
            if "task" not in request.meta:
                _log.warning("%s is not fetched: robots.txt forbids it", request.url)
            raise FetchEnded(Outcome.ROBOTS_DENIED, "robots.txt forbids this URL")

    def process_response(self, request: Request, response: Response) -> Response:
        """Raise FetchEnded for an article page that asks not to be kept, in its headers or its markup."""
        task: Task | None = request.meta.get("task")
        if self.directives and task is not None and task.kind == "article" and response.status == 200:
            asked = [value.decode("latin-1") for value in response.headers.getlist("X-Robots-Tag")]
            asked += _meta_robots(response.body[:MAX_SNIFFED_BYTES], self.token)
            if found := refused_directive(asked, self.directives, self.token):
                detail = f"the page forbids it: {found}"
                raise FetchEnded(Outcome.ROBOTS_DENIED, detail, response=response)
        return response

    async def _read(self, site: str) -> Rules:
        """Return the rules of a site, from the copy that is kept or from the site."""
        extension = bookkeeper_extension(self.crawler)
        keeper = extension.keeper
        copy = keeper.robots(site) if keeper is not None else None
        why = retry_after = ""
        if copy is None:
            status, body, retry_after, why = await self._fetch(f"{site}/robots.txt")
            copy = keeper.keep_robots(site, status, body) if keeper is not None else RobotsCopy(site, status, body)
        rules = rules_of(copy, self.token, why, retry_after)
        if rest := rules.rest_seconds(self.token):
            extension.rest(host_key(site), rest)
        elif delay := rules.delay_seconds(self.token) * PAUSE_FACTOR:
            self._slow_down(host_key(site), delay)
        return rules

    def _slow_down(self, host: str, delay: float) -> None:
        downloader = self.crawler.engine.downloader
        slot = downloader.per_slot_settings.setdefault(host, {"concurrency": 1, "delay": delay})
        slot["delay"] = max(slot["delay"], delay)
        if host in downloader.slots:
            downloader.slots[host].delay = slot["delay"]

    async def _fetch(self, url: str) -> tuple[int, bytes, str, str]:
        """Return status (0: unreachable), body, Retry-After and error of a robots.txt."""
        request = Request(url, meta={"is_robots_txt": True}, dont_filter=True)
        try:
            response = await self.crawler.engine.download_async(request)
        except Exception as error:
            end = outcome_of(error)
            if end.outcome is Outcome.BLOCKED_ADDRESS:
                raise end from error  # for the host itself or a redirect of its robots.txt
            # RFC 9309, 2.3.1.2: a robots.txt with too many redirects counts as missing.
            return (404 if end.outcome is Outcome.BAD_REDIRECT else 0), b"", "", end.detail
        return response.status, response.body, header(response, "Retry-After"), ""


def _meta_robots(start: bytes, token: str) -> list[str]:
    """Return the contents of the <meta> elements that speak to robots, those for us with our name before them."""
    found = []
    for element in _META.findall(start):
        name, content = _META_NAME.search(element), _META_CONTENT.search(element)
        if name is None or content is None:
            continue
        text = next(part for part in content.groups() if part is not None).decode("latin-1")
        if name[1].lower() == b"robots":
            found.append(text)
        elif name[1].lower() == token.lower().encode():
            found.append(f"{token}: {text}")
    return found


class HttpRedirectMiddleware(RedirectMiddleware):
    """Scrapy's own, for which a target that is no URL is a bad redirect and no error of the program."""

    def process_response(self, request: Request, response: Response) -> Request | Response:  # type: ignore[override]
        """Return the request of the target, or a response that is no redirect."""
        try:
            return super().process_response(request, response)
        except ValueError as error:
            raise FetchEnded(Outcome.BAD_REDIRECT, f"redirect to no URL: {error}", response=response) from error


class ResponseGuardMiddleware:
    """Refuses responses that nobody asked for: parts of a page, and encodings that cannot be undone."""

    def process_response(self, request: Request, response: Response) -> Response:
        """Raise FetchEnded for such a response."""
        if response.status == 206 or response.status < 200:
            detail = f"status {response.status}, which was not requested"
            raise FetchEnded(Outcome.UNREADABLE, detail, response=response)
        encoding = header(response, "Content-Encoding")[:30]
        if encoding not in ("", "identity"):
            detail = f"the response has an encoding that was not requested ({encoding!r})"
            raise FetchEnded(Outcome.UNREADABLE, detail, response=response)
        return response


class ConditionalGetMiddleware:
    """Asks whether a page has changed since the last visit, and drops it if it has not."""

    def process_request(self, request: Request) -> None:
        """Send the validators of the last full response."""
        task: Task | None = request.meta.get("task")
        if task is None:
            return
        if task.etag and task.etag.isascii():  # other bytes would be encoded anew, and no server would know them
            request.headers["If-None-Match"] = task.etag
        if task.last_modified:
            request.headers["If-Modified-Since"] = task.last_modified

    def process_response(self, request: Request, response: Response) -> Response:
        """Raise FetchEnded with UNCHANGED for a page that is as it was."""
        task: Task | None = request.meta.get("task")
        if task is None:
            return response
        if response.status == 304:
            if task.etag or task.last_modified:
                raise FetchEnded(Outcome.UNCHANGED, "not modified", response=response)
            detail = "status 304 without a conditional request"
            raise FetchEnded(Outcome.UNREADABLE, detail, response=response)
        same = task.body_sha256 and hashlib.sha256(response.body).hexdigest() == task.body_sha256
        if same and 200 <= response.status < 300:
            raise FetchEnded(Outcome.UNCHANGED, "same bytes as last time", response=response)
        return response
