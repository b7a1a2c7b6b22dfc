"""Requests and answers pass through; what must not be fetched, followed or unpacked ends here with a named outcome.

Closes what Scrapy leaves open: addresses, robots.txt on errors, redirects, decompression, pace, connection errors.
"""

from __future__ import annotations

import zlib
from typing import Any
from urllib.parse import urljoin, urlsplit

from scrapy import Request
from scrapy.downloadermiddlewares.httpcompression import HttpCompressionMiddleware
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    ResponseDataLossError,
)
from scrapy.http import Response
from scrapy.http.request import NO_CALLBACK
from w3lib.url import safe_url_string

from scrapers.addresses import host_key, judge_ip, refusal
from scrapers.records import Outcome
from scrapers.resolver import GuardedResolver
from scrapers.robots import Rules, rules_of
from scrapers.settings import MOST_REDIRECTS

REDIRECTS = (301, 302, 303, 307, 308)
LEAST_SLOWER, JITTER = 1.25, 0.2  # a pause of 5 s becomes 5 to 7.5 s: never shorter than the card says


class Ended(IgnoreRequest):
    """A request ended with a known outcome before it had a usable answer."""

    def __init__(self, outcome: Outcome, detail: str, *, temporary: bool = False, retry_after: str = "") -> None:
        super().__init__(f"{outcome}: {detail}")
        self.outcome = outcome
        self.detail = detail
        self.temporary = temporary
        self.retry_after = retry_after


def ending(error: BaseException, url: str) -> Ended:
    """Return the outcome that an exception of the download means, in words."""
    if isinstance(error, Ended):
        return error
    host = (urlsplit(url).hostname or "").lower()
    if isinstance(error, CannotResolveHostError) and host in GuardedResolver.refused:
        return Ended(Outcome.BLOCKED_ADDRESS, f"{host} leads to {GuardedResolver.refused[host]}")
    if isinstance(error, DownloadTimeoutError):
        return Ended(Outcome.TIMEOUT, "the answer took too long")
    if isinstance(error, DownloadCancelledError):
        return Ended(Outcome.TOO_LARGE, "the answer is larger than is kept")
    if isinstance(error, CannotResolveHostError):
        return Ended(Outcome.CONNECTION_FAILED, f"the name {host} has no address")
    if isinstance(error, DownloadConnectionRefusedError):
        return Ended(Outcome.CONNECTION_FAILED, "the connection was refused")
    if isinstance(error, ResponseDataLossError):
        return Ended(Outcome.CONNECTION_FAILED, "the answer was cut short")
    if isinstance(error, DownloadFailedError):
        return Ended(Outcome.CONNECTION_FAILED, f"the connection failed ({_short(error)})")
    return Ended(Outcome.UNREADABLE, f"{type(error).__name__}: {_short(error)}")


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]


class _Middleware:
    def __init__(self, crawler: Any) -> None:
        self.crawler = crawler
        self.allow_loopback = crawler.settings.getbool("OVERSIGHT_ALLOW_LOOPBACK")

    @classmethod
    def from_crawler(cls, crawler: Any):  # noqa: ANN206 - whichever middleware it is
        return cls(crawler)

    def refusal(self, url: str, request: Request) -> tuple[Outcome, str] | None:
        """Judge an address within what `request` is for: its card's hosts, or any host for a robots.txt."""
        task = request.meta.get("task")
        source = self.crawler.spider.sources[task.source_id] if task else None
        for_feed = task is not None and task.kind == "feed"
        return refusal(url, source, allow_loopback=self.allow_loopback, for_feed=for_feed)


class AddressMiddleware(_Middleware):
    """Refuses, before anything else, addresses that must not be fetched or lie outside the card's hosts."""

    def process_request(self, request: Request) -> None:
        if (verdict := self.refusal(request.url, request)) is not None:
            raise Ended(*verdict)


class PeerMiddleware(_Middleware):
    """A second lock behind the resolver's: an answer from an address that must not be fetched is thrown away."""

    def process_response(self, request: Request, response: Response) -> Response:
        if response.ip_address is not None:
            reason = judge_ip(response.ip_address, allow_loopback=self.allow_loopback)
            if reason:
                raise Ended(Outcome.BLOCKED_ADDRESS, reason)
        return response


class PaceMiddleware(_Middleware):
    """Gives each host a slot of its own with the longest pause that any card or its robots.txt asks for."""

    def process_request(self, request: Request) -> None:
        host = host_key(request.url)
        slots = self.crawler.engine.downloader.per_slot_settings
        if host not in slots:
            pause = self.crawler.spider.pause_seconds(request.url) * LEAST_SLOWER
            slots[host] = {"concurrency": 1, "delay": pause, "jitter": JITTER}
        request.meta["download_slot"] = host


class RobotsMiddleware(_Middleware):
    """Asks robots.txt first, from the frontier's copy where there is a fresh one."""

    def __init__(self, crawler: Any) -> None:
        super().__init__(crawler)
        self.rules: dict[str, Rules] = {}

    async def process_request(self, request: Request) -> None:
        if request.meta.get("robots"):
            return
        spider = self.crawler.spider
        site = f"{urlsplit(request.url).scheme}://{host_key(request.url)}"
        retry_after = ""
        if site not in self.rules:
            copy, why = spider.desk.robots(site), ""
            if copy is None:
                status, body, retry_after, why = await self._fetch(site)
                copy = spider.desk.keep_robots(site, status, body)
            self.rules[site] = rules_of(copy, why)
            self._slow_down(request.url, self.rules[site])
        rules = self.rules[site]
        if rules.closed:
            raise Ended(Outcome.ROBOTS_DENIED, rules.closed, temporary=True, retry_after=retry_after)
        if not rules.allows(request.url, spider.robots_token):
            raise Ended(Outcome.ROBOTS_DENIED, "robots.txt forbids this address")

    async def _fetch(self, site: str) -> tuple[int, bytes, str, str]:
        """Return status (0: not reached), body, Retry-After and the reason why not of a site's robots.txt."""
        request = Request(f"{site}/robots.txt", meta={"robots": True}, callback=NO_CALLBACK, dont_filter=True)
        try:
            response = await self.crawler.engine.download_async(request)
        except Exception as error:
            end = ending(error, request.url)
            if (urlsplit(site).hostname or "") in GuardedResolver.refused:
                raise end from error  # the host itself, not a place that its robots.txt redirects to
            # RFC 9309, 2.3.1.2: after too many redirects a robots.txt counts as absent.
            return (404 if end.outcome is Outcome.BAD_REDIRECT else 0), b"", "", end.detail
        return response.status, response.body, _text(response.headers.get("Retry-After")), ""

    def _slow_down(self, url: str, rules: Rules) -> None:
        asked = rules.delay_seconds(self.crawler.spider.robots_token)
        downloader, host = self.crawler.engine.downloader, host_key(url)
        settings = downloader.per_slot_settings[host]
        if asked * LEAST_SLOWER > settings["delay"]:
            settings["delay"] = asked * LEAST_SLOWER
            if host in downloader.slots:
                downloader.slots[host].delay = settings["delay"]


class RetryOnceMiddleware(_Middleware):
    """Asks once more after a connection that broke or was refused; timeouts wait for their next turn."""

    def process_exception(self, request: Request, exception: Exception) -> Request | None:
        kinds = (DownloadFailedError, DownloadConnectionRefusedError, ResponseDataLossError)
        if not isinstance(exception, kinds) or request.meta.get("asked_again"):
            return None
        return request.replace(meta={**request.meta, "asked_again": True}, dont_filter=True)


class CompressionMiddleware(HttpCompressionMiddleware):
    """Unpacks bodies within the size limit.

    Hands Scrapy's own code a response without a charset: it would otherwise guess one from the compressed bytes, which
    took 30 % of the crawl's time.
    """

    def process_response(self, request: Request, response: Response, spider: Any = None) -> Request | Response:
        if not response.headers.getlist("Content-Encoding"):
            return response
        plain = Response(
            response.url,
            status=response.status,
            headers=response.headers,
            body=response.body,
            flags=response.flags,
            request=request,
            certificate=response.certificate,
            ip_address=response.ip_address,
            protocol=response.protocol,
        )
        try:
            return super().process_response(request, plain)
        except IgnoreRequest as error:
            raise Ended(Outcome.TOO_LARGE, "the answer unpacks to more than is kept") from error
        except (OSError, EOFError, zlib.error, ValueError) as error:
            raise Ended(Outcome.UNREADABLE, f"the answer cannot be unpacked ({_short(error)})") from error


class RedirectMiddleware(_Middleware):
    """Follows redirects, judging every target as if it were a new address; at most five, none of them twice."""

    def process_response(self, request: Request, response: Response) -> Request | Response:
        location = response.headers.get("Location")
        if response.status not in REDIRECTS or location is None:
            return response
        try:
            target = urljoin(request.url, safe_url_string(location.decode("utf-8", "replace")))
            scheme = urlsplit(target).scheme
        except ValueError:
            target, scheme = "", ""
        if scheme not in ("http", "https"):
            raise Ended(Outcome.BAD_REDIRECT, f"it redirects to an address of the kind {scheme or 'unknown'!r}")
        seen = (*request.meta.get("redirects", ()), request.url)
        if target in seen:
            raise Ended(Outcome.BAD_REDIRECT, "its redirects lead in a circle")
        if len(seen) > MOST_REDIRECTS:
            raise Ended(Outcome.BAD_REDIRECT, f"it redirects more than {MOST_REDIRECTS} times")
        if (verdict := self.refusal(target, request)) is not None:
            raise Ended(verdict[0], f"it redirects to an address that is not fetched: {verdict[1]}")
        meta = {key: value for key, value in request.meta.items() if key != "download_slot"} | {"redirects": seen}
        return request.replace(url=target, meta=meta, dont_filter=True)


def _text(header: bytes | None) -> str:
    return "" if header is None else header.decode("latin-1")
