"""A request comes in from Scrapy's engine; one answer, judged and unpacked, goes out: Scrapy's downloader, replaced.

What a news crawler needs on the way stands here in one line instead of a chain of middlewares: address, robots.txt,
the host's pace, the connection with its judge, redirects, size, compression. Each end of it has a named outcome.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

import aiohttp
from scrapy import Request, signals
from scrapy.http import Response
from scrapy.utils.defer import deferred_from_coro
from w3lib.url import safe_url_string
from yarl import URL

from scrapers.fetching.decompression import ACCEPTED, unpack
from scrapers.fetching.dns_guard import guarded_connector, refused_address
from scrapers.fetching.outcomes import Ended, ending, may_be_tried_again
from scrapers.fetching.robots import Rules, rules_of
from scrapers.fetching.url_guard import host_key, refusal
from scrapers.items import Outcome, Source

REDIRECTS = (301, 302, 303, 307, 308)
MOST_REDIRECTS = 5
LEAST_SLOWER, JITTER = 1.25, 0.2  # a pause of 5 s becomes 5 to 7.5 s: never shorter than the card says
KEPT_OPEN_SECONDS = 30.0
LONGEST_HEADER = 64 * 1024
MOST_HEADERS = 500
ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,application/json;q=0.8,*/*;q=0.5"


@dataclass(slots=True)
class _Host:
    """The pace of one host: one request at a time, and a pause after each."""

    pause: float
    free_at: float = 0.0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(slots=True)
class _Raw:
    """An answer as it came: headers as bytes, the body still packed."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    def header(self, name: str) -> str:
        wanted = name.encode().lower()
        for key, value in self.headers:
            if len(key) == len(wanted) and key.lower() == wanted:
                return value.decode("latin-1")
        return ""


class HostDownloader:
    """Set as DOWNLOADER. The spider's `sources`, `pause_seconds()`, `robots_token` and `desk` say what is allowed."""

    def __init__(self, crawler: Any) -> None:
        self.crawler = crawler
        self.active: set[Request] = set()
        settings = crawler.settings
        self.allow_loopback: bool = settings.getbool("OVERSIGHT_ALLOW_LOOPBACK")
        self.max_bytes: int = settings.getint("DOWNLOAD_MAXSIZE")
        self.seconds: float = settings.getfloat("DOWNLOAD_TIMEOUT")
        self.agent: str = settings["USER_AGENT"]
        self.hosts: dict[str, _Host] = {}
        self.rules: dict[str, Rules] = {}
        self.session: aiohttp.ClientSession | None = None
        crawler.signals.connect(self.end, signals.spider_closed)

    def fetch(self, request: Request) -> Any:
        """Return a Deferred that gives the Response to a request, or fails with Ended."""
        return deferred_from_coro(self.answer(request))

    def needs_backout(self) -> bool:
        """Hosts are held back one by one, never all of them."""
        return False

    def close(self) -> None:
        """Connections are closed by end(), which can wait for them."""

    async def end(self) -> None:
        """Close every connection."""
        if self.session is not None:
            await self.session.close()

    async def answer(self, request: Request) -> Response:
        """Return the answer to a request after its redirects; raise Ended, or what the connection raised."""
        task = request.meta["task"]
        source: Source = self.crawler.spider.sources[task.source_id]
        headers = {key.decode(): values[-1].decode("latin-1") for key, values in request.headers.items() if values}
        url, raw = await self._follow(request.url, headers, source, for_feed=task.kind == "feed")
        if (rules := self.rules.get(_site(request.url))) is not None:
            request.meta["rest_seconds"] = rules.rest_seconds(self.crawler.spider.robots_token)
        encoding = raw.header("Content-Encoding")
        body = unpack(raw.body, encoding, self.max_bytes) if encoding and raw.body else raw.body
        by_name: dict[bytes, list[bytes]] = {}
        for name, value in raw.headers:
            by_name.setdefault(name, []).append(value)
        return Response(url, status=raw.status, headers=by_name, body=body, request=request)

    async def _follow(
        self, url: str, headers: dict[str, str], source: Source | None, *, for_feed: bool = False
    ) -> tuple[str, _Raw]:
        """Return the last address and its answer; at most five redirects, none of them twice, each judged anew.

        `source` is None for a robots.txt, which may lead anywhere and is itself not forbidden by one.
        """
        seen: list[str] = []
        while True:
            verdict = refusal(url, source, allow_loopback=self.allow_loopback, for_feed=for_feed)
            if verdict is not None:
                words = f"it redirects to an address that is not fetched: {verdict[1]}" if seen else verdict[1]
                raise Ended(verdict[0], words)
            if source is not None:
                await self._ask_robots(url)
            raw = await self._get(url, headers)
            location = raw.header("Location")
            if raw.status not in REDIRECTS or not location:
                return url, raw
            seen.append(url)
            url = _target(url, location)
            if url in seen:
                raise Ended(Outcome.BAD_REDIRECT, "its redirects lead in a circle")
            if len(seen) > MOST_REDIRECTS:
                raise Ended(Outcome.BAD_REDIRECT, f"it redirects more than {MOST_REDIRECTS} times")

    async def _ask_robots(self, url: str) -> None:
        """Ask robots.txt first, from the ledger's copy where there is a fresh one; raise Ended where it says no."""
        spider = self.crawler.spider
        site = _site(url)
        rules, retry_after = self.rules.get(site), ""
        if rules is None:
            copy, why = spider.desk.robots(site), ""
            if copy is None:
                status, body, retry_after, why = await self._robots_txt(site)
                copy = spider.desk.keep_robots(site, status, body)
            rules = self.rules[site] = rules_of(copy, why)
            asked = rules.delay_seconds(spider.robots_token) * LEAST_SLOWER
            host = self._host(url)
            host.pause = max(host.pause, asked)
        if rules.closed:
            raise Ended(Outcome.ROBOTS_DENIED, rules.closed, temporary=True, retry_after=retry_after)
        if not rules.allows(url, spider.robots_token):
            raise Ended(Outcome.ROBOTS_DENIED, "robots.txt forbids this address")

    async def _robots_txt(self, site: str) -> tuple[int, bytes, str, str]:
        """Return status (0: not reached), body, Retry-After and the reason why not of a site's robots.txt."""
        url = f"{site}/robots.txt"
        try:
            last, raw = await self._follow(url, {}, None)
            encoding = raw.header("Content-Encoding")
            body = unpack(raw.body, encoding, self.max_bytes) if encoding and raw.body else raw.body
        except Exception as error:
            end = ending(error, url)
            if refused_address(error):
                raise end from error  # the host itself, not a place that its robots.txt redirects to
            # RFC 9309, 2.3.1.2: after too many redirects a robots.txt counts as absent.
            return (404 if end.outcome is Outcome.BAD_REDIRECT else 0), b"", "", end.detail
        return raw.status, body, raw.header("Retry-After"), ""

    async def _get(self, url: str, headers: dict[str, str]) -> _Raw:
        """Ask once, and once more where the connection was refused or broke."""
        try:
            return await self._get_once(url, headers)
        except Ended:
            raise
        except Exception as error:
            if not may_be_tried_again(error):
                raise
            return await self._get_once(url, headers)

    async def _get_once(self, url: str, headers: dict[str, str]) -> _Raw:
        async with (
            self._turn(url),
            self._session().get(URL(url, encoded=True), headers=headers, allow_redirects=False) as got,
        ):
            length = got.content_length
            if length is not None and length > self.max_bytes:
                raise Ended(Outcome.TOO_LARGE, "the answer is larger than is kept")
            return _Raw(got.status, got.raw_headers, await self._body(got, length))

    async def _body(self, got: aiohttp.ClientResponse, length: int | None) -> bytes:
        if length is not None:
            return await got.read()
        parts, size = [], 0
        async for part in got.content.iter_any():
            parts.append(part)
            size += len(part)
            if size > self.max_bytes:
                raise Ended(Outcome.TOO_LARGE, "the answer is larger than is kept")
        return b"".join(parts)

    @contextlib.asynccontextmanager
    async def _turn(self, url: str) -> AsyncIterator[None]:
        """Wait for the host's turn; after it, its pause begins, never twice the same."""
        host = self._host(url)
        async with host.lock:
            wait = host.free_at - time.monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
            try:
                yield
            finally:
                if host.pause:
                    host.free_at = time.monotonic() + host.pause * random.uniform(1 - JITTER, 1 + JITTER)

    def _host(self, url: str) -> _Host:
        key = host_key(url)
        if key not in self.hosts:
            self.hosts[key] = _Host(self.crawler.spider.pause_seconds(url) * LEAST_SLOWER)
        return self.hosts[key]

    def _session(self) -> aiohttp.ClientSession:
        if self.session is None:
            self.session = aiohttp.ClientSession(
                connector=guarded_connector(
                    self.allow_loopback, limit=0, keepalive_timeout=KEPT_OPEN_SECONDS, ttl_dns_cache=60
                ),
                headers={"User-Agent": self.agent, "Accept": ACCEPT, "Accept-Language": "en;q=1.0, *;q=0.5",
                         "Accept-Encoding": ACCEPTED},
                timeout=aiohttp.ClientTimeout(total=self.seconds),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                max_line_size=LONGEST_HEADER,
                max_field_size=LONGEST_HEADER,
                max_headers=MOST_HEADERS,
            )  # fmt: skip
        return self.session


def _site(url: str) -> str:
    return f"{urlsplit(url).scheme}://{host_key(url)}"


def _target(url: str, location: str) -> str:
    """Return the address that a redirect leads to; raise Ended where that is none to be followed."""
    try:
        target = urljoin(url, safe_url_string(location))
        scheme = urlsplit(target).scheme
    except ValueError:
        target, scheme = "", ""
    if scheme not in ("http", "https"):
        raise Ended(Outcome.BAD_REDIRECT, f"it redirects to an address of the kind {scheme or 'unknown'!r}")
    return target.partition("#")[0]
