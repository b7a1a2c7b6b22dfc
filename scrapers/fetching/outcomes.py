"""An exception of a download comes in; the named outcome that it means, in words, goes out."""

from __future__ import annotations

import ssl
from urllib.parse import urlsplit

import aiohttp

from scrapers.fetching.dns_guard import refused_address
from scrapers.items import Outcome


class Ended(Exception):
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
    if reason := refused_address(error):
        return Ended(Outcome.BLOCKED_ADDRESS, f"{host} leads to {reason}")
    if isinstance(error, TimeoutError):
        return Ended(Outcome.TIMEOUT, "the answer took too long")
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return Ended(Outcome.CONNECTION_FAILED, f"the name {host} has no address")
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return Ended(Outcome.CONNECTION_FAILED, f"nobody vouches for its certificate ({_short(error)})")
    if isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, ConnectionRefusedError):
        return Ended(Outcome.CONNECTION_FAILED, "the connection was refused")
    if isinstance(error, aiohttp.ClientPayloadError):
        return Ended(Outcome.CONNECTION_FAILED, "the answer was cut short")
    if isinstance(error, aiohttp.InvalidURL):
        return Ended(Outcome.OUT_OF_SCOPE, f"it is no address that can be asked for ({_short(error)})")
    if isinstance(error, aiohttp.ClientError | ssl.SSLError | OSError):
        return Ended(Outcome.CONNECTION_FAILED, f"the connection failed ({_short(error)})")
    return Ended(Outcome.UNREADABLE, f"{type(error).__name__}: {_short(error)}")


def may_be_tried_again(error: BaseException) -> bool:
    """Tell whether a second try at once may do: the connection was refused, or the answer was cut short or no HTTP.

    What is no HTTP may be the surplus of the answer before it on the same connection: the second try has a new one.
    A connection that broke before an answer was tried twice already, by aiohttp; a timeout waits for its next turn.
    """
    if refused_address(error) or isinstance(error, TimeoutError):
        return False
    if isinstance(error, aiohttp.ClientConnectorDNSError | aiohttp.ClientConnectorCertificateError):
        return False
    return isinstance(error, aiohttp.ClientConnectorError | aiohttp.ClientPayloadError | aiohttp.ClientResponseError)


def _short(error: BaseException) -> str:
    return (" ".join(str(error).split()) or type(error).__name__)[:200]
