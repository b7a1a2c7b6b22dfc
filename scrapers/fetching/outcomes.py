"""Maps exceptions of a download to outcomes."""

from __future__ import annotations

import ssl
from urllib.parse import urlsplit

import aiohttp

from scrapers.fetching.dns_guard import refused_address
from scrapers.items import Outcome


class FetchEnded(Exception):
    """A request ended without a usable response; carries its outcome."""

    def __init__(self, outcome: Outcome, detail: str, *, temporary: bool = False, retry_after: str = "") -> None:
        super().__init__(f"{outcome}: {detail}")
        self.outcome = outcome
        self.detail = detail
        self.temporary = temporary
        self.retry_after = retry_after


def outcome_of(error: BaseException, url: str) -> FetchEnded:
    """Return the outcome that an exception of a download means."""
    if isinstance(error, FetchEnded):
        return error
    host = (urlsplit(url).hostname or "").lower()
    if reason := refused_address(error):
        return FetchEnded(Outcome.BLOCKED_ADDRESS, f"{host} resolves to a forbidden address: {reason}")
    if isinstance(error, TimeoutError):
        return FetchEnded(Outcome.TIMEOUT, "the response took too long")
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return FetchEnded(Outcome.CONNECTION_FAILED, f"the name {host} does not resolve")
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return FetchEnded(Outcome.CONNECTION_FAILED, f"its certificate is not valid ({_short(error)})")
    if isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, ConnectionRefusedError):
        return FetchEnded(Outcome.CONNECTION_FAILED, "the connection was refused")
    if isinstance(error, aiohttp.ClientPayloadError):
        return FetchEnded(Outcome.CONNECTION_FAILED, "the response was cut short")
    if isinstance(error, aiohttp.InvalidURL):
        return FetchEnded(Outcome.OUT_OF_SCOPE, f"not a URL that can be requested ({_short(error)})")
    if isinstance(error, aiohttp.ClientError | ssl.SSLError | OSError):
        return FetchEnded(Outcome.CONNECTION_FAILED, f"the connection failed ({_short(error)})")
    return FetchEnded(Outcome.UNREADABLE, f"{type(error).__name__}: {_short(error)}")


def is_retryable(error: BaseException) -> bool:
    """Return whether to retry at once: the connection was refused, or the response was cut short or not HTTP.

    A response that is not HTTP may be excess data of the previous one on the same connection; the retry uses a new
    connection. aiohttp itself retries connections that break before a response. Timeouts are not retried at once.
    """
    if refused_address(error) or isinstance(error, TimeoutError):
        return False
    if isinstance(error, aiohttp.ClientConnectorDNSError | aiohttp.ClientConnectorCertificateError):
        return False
    return isinstance(error, aiohttp.ClientConnectorError | aiohttp.ClientPayloadError | aiohttp.ClientResponseError)


def _short(error: BaseException) -> str:
    return (" ".join(str(error).split()) or type(error).__name__)[:200]
