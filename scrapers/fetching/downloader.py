"""Replaces Scrapy's downloader, for a crawl with exactly one outcome per request.

It checks the URL and robots.txt, keeps each host's rate limit, connects through the guarded resolver, follows
redirects, limits sizes and decompresses, without middlewares.
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

from scrapers.fetching.decompression import ACCEPT_ENCODING, decompress
from scrapers.fetching.dns_guard import guarded_connector, refused_address
from scrapers.fetching.outcomes import FetchEnded, is_retryable, outcome_of
from scrapers.fetching.robots import Rules, rules_of
from scrapers.fetching.url_guard import host_key, refusal
from scrapers.items import Outcome, Source

REDIRECTS = (301, 302, 303, 307, 308)
MAX_REDIRECTS = 5
PAUSE_FACTOR, JITTER = 1.25, 0.2  # a pause of 5 s becomes 5 to 7.5 s, never less than the card requires
KEEPALIVE_SECONDS = 30.0
MAX_HEADER_CHARS = 64 * 1024
MAX_HEADERS = 500
ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,application/json;q=0.8,*/*;q=0.5"


@dataclass(slots=True)
class _Host:
    """The rate limit of one host: one request at a time, with a pause after each."""

    pause: float
    free_at: float = 0.0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(slots=True)
class _Raw:
    """A raw response: headers as bytes, the body compressed."""

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
    """Scrapy's DOWNLOADER.

    Uses the spider's `sources`, `pause_seconds()`, `robots_token` and `bookkeeper`.
    """

    def __init__(self, crawler: Any) -> None:
        self.crawler = crawler
        self.active: set[Request] = set()
        settings = crawler.settings
        self.allow_loopback: bool = settings.getbool("OVERSIGHT_ALLOW_LOOPBACK")
        self.local_ports: dict[str, int] = settings.getdict("OVERSIGHT_LOCAL_PORTS")
        self.max_bytes: int = settings.getint("DOWNLOAD_MAXSIZE")
        self.seconds: float = settings.getfloat("DOWNLOAD_TIMEOUT")
        self.agent: str = settings["USER_AGENT"]
        self.hosts: dict[str, _Host] = {}
        self.rules: dict[str, Rules] = {}
        self.session: aiohttp.ClientSession | None = None
        crawler.signals.connect(self.end, signals.spider_closed)

    def fetch(self, request: Request) -> Any:
        """Return a Deferred of the Response to a request; it may fail with FetchEnded."""
        return deferred_from_coro(self.answer(request))

    def needs_backout(self) -> bool:
        """Return False: requests are limited per host, not in total."""
        return False

    def close(self) -> None:
        """Do nothing: end() closes the connections, since it can await that."""

    async def end(self) -> None:
        """Close all connections."""
        if self.session is not None:
            await self.session.close()

    async def answer(self, request: Request) -> Response:
        """Return the response after redirects; raise FetchEnded, or what the connection raised."""
        task = request.meta["task"]
        source: Source = self.crawler.spider.sources[task.source_id]
        headers = {key.decode(): values[-1].decode("latin-1") for key, values in request.headers.items() if values}
        url, raw = await self._follow(request.url, headers, source, for_feed=task.kind == "feed")
        if (rules := self.rules.get(_site(request.url))) is not None:
            request.meta["rest_seconds"] = rules.rest_seconds(self.crawler.spider.robots_token)
        encoding = raw.header("Content-Encoding")
        body = decompress(raw.body, encoding, self.max_bytes) if encoding and raw.body else raw.body
        by_name: dict[bytes, list[bytes]] = {}
        for name, value in raw.headers:
            by_name.setdefault(name, []).append(value)
        return Response(url, status=raw.status, headers=by_name, body=body, request=request)

    async def _follow(
        self, url: str, headers: dict[str, str], source: Source | None, *, for_feed: bool = False
    ) -> tuple[str, _Raw]:
        """Return the final URL and its response. Each redirect is checked like the first URL.

        `source` is None for a robots.txt, which may redirect to any host and is not subject to robots.txt itself.
        """
        seen: list[str] = []
        while True:
            verdict = refusal(url, source, allow_loopback=self.allow_loopback, for_feed=for_feed)
            if verdict is not None:
                words = f"redirect to a URL that must not be fetched: {verdict[1]}" if seen else verdict[1]
                raise FetchEnded(verdict[0], words)
            if source is not None:
                await self._check_robots(url)
            raw = await self._get(url, headers)
            location = raw.header("Location")
            if raw.status not in REDIRECTS or not location:
                return url, raw
            seen.append(url)
            url = _target(url, location)
            if url in seen:
                raise FetchEnded(Outcome.BAD_REDIRECT, "redirect loop")
            if len(seen) > MAX_REDIRECTS:
                raise FetchEnded(Outcome.BAD_REDIRECT, f"more than {MAX_REDIRECTS} redirects")

    async def _check_robots(self, url: str) -> None:
        """Check robots.txt, using the stored copy while it is fresh; raise FetchEnded if it forbids the URL."""
        spider = self.crawler.spider
        site = _site(url)
        rules, retry_after = self.rules.get(site), ""
        if rules is None:
            copy, why = spider.bookkeeper.robots(site), ""
            if copy is None:
                status, body, retry_after, why = await self._robots_txt(site)
                copy = spider.bookkeeper.keep_robots(site, status, body)
            rules = self.rules[site] = rules_of(copy, spider.robots_token, why)
            asked = rules.delay_seconds(spider.robots_token) * PAUSE_FACTOR
            host = self._host(url)
            host.pause = max(host.pause, asked)
        if rules.closed:
            raise FetchEnded(Outcome.ROBOTS_DENIED, rules.closed, temporary=True, retry_after=retry_after)
        if not rules.allows(url, spider.robots_token):
            raise FetchEnded(Outcome.ROBOTS_DENIED, "robots.txt forbids this URL")

    async def _robots_txt(self, site: str) -> tuple[int, bytes, str, str]:
        """Return status (0: unreachable), body, Retry-After and error of a site's robots.txt."""
        url = f"{site}/robots.txt"
        try:
            last, raw = await self._follow(url, {}, None)
            encoding = raw.header("Content-Encoding")
            body = decompress(raw.body, encoding, self.max_bytes) if encoding and raw.body else raw.body
        except Exception as error:
            end = outcome_of(error, url)
            if refused_address(error):
                raise end from error  # for the host itself or a redirect of its robots.txt
            # RFC 9309, 2.3.1.2: a robots.txt with too many redirects counts as missing.
            return (404 if end.outcome is Outcome.BAD_REDIRECT else 0), b"", "", end.detail
        return raw.status, body, raw.header("Retry-After"), ""

    async def _get(self, url: str, headers: dict[str, str]) -> _Raw:
        """Send a request, and once more if the connection was refused or broke."""
        try:
            return await self._get_once(url, headers)
        except FetchEnded:
            raise
        except Exception as error:
            if not is_retryable(error):
                raise
            return await self._get_once(url, headers)

    async def _get_once(self, url: str, headers: dict[str, str]) -> _Raw:
        async with (
            self._rate_limit(url),
            self._session().get(URL(url, encoded=True), headers=headers, allow_redirects=False) as got,
        ):
            length = got.content_length
            if length is not None and length > self.max_bytes:
                raise FetchEnded(Outcome.TOO_LARGE, f"the response is larger than {self.max_bytes:,} bytes")
            return _Raw(got.status, got.raw_headers, await self._body(got, length))

    async def _body(self, got: aiohttp.ClientResponse, length: int | None) -> bytes:
        if length is not None:
            return await got.read()
        parts, size = [], 0
        async for part in got.content.iter_any():
            parts.append(part)
            size += len(part)
            if size > self.max_bytes:
                raise FetchEnded(Outcome.TOO_LARGE, f"the response is larger than {self.max_bytes:,} bytes")
        return b"".join(parts)

    @contextlib.asynccontextmanager
    async def _rate_limit(self, url: str) -> AsyncIterator[None]:
        """Hold the host's lock for a request, after which a pause of random length begins."""
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
            self.hosts[key] = _Host(self.crawler.spider.pause_seconds(url) * PAUSE_FACTOR)
        return self.hosts[key]

    def _session(self) -> aiohttp.ClientSession:
        if self.session is None:
            self.session = aiohttp.ClientSession(
                connector=guarded_connector(
                    self.allow_loopback,
                    self.local_ports,
                    limit=0,
                    keepalive_timeout=KEEPALIVE_SECONDS,
                    ttl_dns_cache=60,
                ),
                headers={
                    "User-Agent": self.agent,
                    "Accept": ACCEPT,
                    "Accept-Language": "en;q=1.0, *;q=0.5",
                    "Accept-Encoding": ACCEPT_ENCODING,
                },
                timeout=aiohttp.ClientTimeout(total=self.seconds),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                max_line_size=MAX_HEADER_CHARS,
                max_field_size=MAX_HEADER_CHARS,
                max_headers=MAX_HEADERS,
            )
        return self.session


def _site(url: str) -> str:
    return f"{urlsplit(url).scheme}://{host_key(url)}"


def _target(url: str, location: str) -> str:
    """Return the target of a redirect; raise FetchEnded if it is not an http(s) URL."""
    try:
        target = urljoin(url, safe_url_string(location))
        scheme = urlsplit(target).scheme
    except ValueError:
        target, scheme = "", ""
    if scheme not in ("http", "https"):
        raise FetchEnded(Outcome.BAD_REDIRECT, f"redirect to a URL with the scheme {scheme or 'unknown'!r}")
    return target.partition("#")[0]
