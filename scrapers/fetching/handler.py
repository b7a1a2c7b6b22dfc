"""Scrapy's download handler: requests on aiohttp, through the guarded resolver and within limits."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from scrapy import Request
from scrapy.core.downloader.handlers.base import BaseDownloadHandler
from scrapy.crawler import Crawler
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    ResponseDataLossError,
)
from scrapy.http import Headers, Response
from scrapy.responsetypes import responsetypes
from yarl import URL

from scrapers.fetching.dns_guard import guarded_connector, refused_address
from scrapers.fetching.outcomes import FetchEnded
from scrapers.items import Outcome

KEEPALIVE_SECONDS = 30.0
MAX_HEADER_CHARS = 64 * 1024
MAX_HEADERS = 500
# They describe the connection, and aiohttp sets them.
_OWN_HEADERS = frozenset({"host", "connection", "content-length", "transfer-encoding"})


class GuardedDownloadHandler(BaseDownloadHandler):
    """Requests http and https URLs; the address connected to is judged, for redirects and rebound names too.

    Settings: ALLOW_LOOPBACK, LOCAL_PORTS, DOWNLOAD_MAXSIZE (bytes), DOWNLOAD_TIMEOUT (seconds, for the whole response).
    """

    lazy = True

    def __init__(self, crawler: Crawler) -> None:
        super().__init__(crawler)
        settings = crawler.settings
        self.max_bytes = settings.getint("DOWNLOAD_MAXSIZE")
        self.seconds = settings.getfloat("DOWNLOAD_TIMEOUT")
        self.session = aiohttp.ClientSession(
            connector=guarded_connector(
                settings.getbool("ALLOW_LOOPBACK"),
                settings.getdict("LOCAL_PORTS"),
                limit=0,
                keepalive_timeout=KEEPALIVE_SECONDS,
                ttl_dns_cache=60,
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=("Accept", "Accept-Encoding", "User-Agent"),
            max_line_size=MAX_HEADER_CHARS,
            max_field_size=MAX_HEADER_CHARS,
            max_headers=MAX_HEADERS,
        )

    async def close(self) -> None:
        """Close all connections."""
        await self.session.close()

    async def download_request(self, request: Request) -> Response:
        """Return the response; raise one of Scrapy's download errors, or FetchEnded."""
        async with self._errors(request), self._asked(request) as got:
            length = got.content_length
            if length is not None and length > self.max_bytes:
                raise FetchEnded(Outcome.TOO_LARGE, f"the response is larger than {self.max_bytes:,} bytes")
            body = await got.read() if length is not None else await self._read(got)
            headers = Headers()
            for name, value in got.raw_headers:
                headers.appendlist(name, value)
        # The class depends on the body; of a compressed one HttpCompressionMiddleware chooses it, once it can be read.
        packed = "Content-Encoding" in headers
        kind = Response if packed else responsetypes.from_args(headers=headers, url=request.url, body=body)
        return kind(request.url, status=got.status, headers=headers, body=body, request=request)

    def _asked(self, request: Request) -> aiohttp.client._RequestContextManager:
        return self.session.request(
            request.method,
            URL(request.url, encoded=True),
            data=request.body or None,
            headers=[(k, v) for k, v in request.headers.to_tuple_list() if k.lower() not in _OWN_HEADERS],
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=request.meta.get("download_timeout", self.seconds)),
        )

    async def _read(self, got: aiohttp.ClientResponse) -> bytes:
        """Return a body of unknown length."""
        parts, size = [], 0
        async for part in got.content.iter_any():
            parts.append(part)
            size += len(part)
            if size > self.max_bytes:
                raise FetchEnded(Outcome.TOO_LARGE, f"the response is larger than {self.max_bytes:,} bytes")
        return b"".join(parts)

    @asynccontextmanager
    async def _errors(self, request: Request) -> AsyncIterator[None]:
        """Raise Scrapy's exceptions for those of aiohttp. Which of them are tried again: see RETRY_EXCEPTIONS."""
        try:
            yield
        except TimeoutError as error:
            raise DownloadTimeoutError(f"{request.url} took longer than {self.seconds:g} s") from error
        except (aiohttp.ClientError, ssl.SSLError, OSError) as error:
            if reason := refused_address(error):
                host = request.meta.get("download_slot", request.url)
                blocked = f"{host} resolves to a forbidden address: {reason}"
                raise FetchEnded(Outcome.BLOCKED_ADDRESS, blocked) from error
            if isinstance(error, aiohttp.InvalidURL):
                raise FetchEnded(Outcome.OUT_OF_SCOPE, f"not a URL that can be requested: {error}") from error
            raise _scrapy_error(error) from error


def _scrapy_error(error: Exception) -> Exception:
    words = (" ".join(str(error).split()) or type(error).__name__)[:200]
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return CannotResolveHostError(f"the name {error.host} does not resolve")
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return DownloadFailedError(f"its certificate is not valid ({words})")
    if isinstance(error, aiohttp.ClientConnectorError):
        refused = isinstance(error.os_error, ConnectionRefusedError)
        return DownloadConnectionRefusedError(
            "the connection was refused" if refused else f"the connection failed ({words})"
        )
    if isinstance(error, aiohttp.ClientPayloadError):
        return ResponseDataLossError("the response was cut short")
    if isinstance(error, aiohttp.ClientResponseError):
        # Not HTTP. It may be excess data of the previous response on the same connection; a new one is opened.
        return ResponseDataLossError(f"the connection failed ({words})")
    return DownloadFailedError(f"the connection failed ({words})")
