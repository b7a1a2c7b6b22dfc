"""A host name comes in from the connection; only those of its IP addresses that may be fetched go out to it.

The judgement falls twice: on what the name stands for, and on the very address that a socket is made for. So a name
that changes its address in between (rebinding) gains nothing, and an address that stands in the URL itself is judged,
too.
"""

from __future__ import annotations

import socket
from typing import Any

from aiohttp import TCPConnector
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from scrapers.fetching.url_guard import is_loopback_host, judge_ip, literal_ip


class RefusedAddress(OSError):
    """A connection that must not be made; `reason` says why, in words."""

    def __init__(self, reason: str) -> None:
        super().__init__(None, reason)
        self.reason = reason


def refused_address(error: BaseException | None) -> str:
    """Return the reason of the refusal behind an error, "" where there is none."""
    for _ in range(10):
        if error is None:
            break
        if isinstance(error, RefusedAddress):
            return error.reason
        error = getattr(error, "os_error", None) or error.__cause__ or error.__context__
    return ""


class GuardedResolver(AbstractResolver):
    """The system's resolver with a judge behind it."""

    def __init__(self, allow_loopback: bool, inner: AbstractResolver | None = None) -> None:
        self.allow_loopback = allow_loopback
        self.inner = inner or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of a host that judge_ip() lets pass; raise RefusedAddress where it refuses all."""
        if self.allow_loopback and is_loopback_host(host) and literal_ip(host) is None:
            # RFC 6761: *.localhost is this machine; not every system's resolver knows it.
            return [ResolveResult(hostname=host, host="127.0.0.1", port=port, family=socket.AF_INET, proto=0, flags=0)]
        passed, reason = [], ""
        for found in await self.inner.resolve(host, port, family):
            refused = judge_ip(found["host"], allow_loopback=self.allow_loopback)
            reason = reason or refused
            if not refused:
                passed.append(found)
        if not passed and reason:
            raise RefusedAddress(reason)
        return passed

    async def close(self) -> None:
        """Close the system's resolver."""
        await self.inner.close()


def guarded_connector(allow_loopback: bool, **more: Any) -> TCPConnector:
    """Return a connector that makes no socket for an address that must not be fetched."""

    def make_socket(address: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol, _, place = address
        if reason := judge_ip(place[0], allow_loopback=allow_loopback):
            raise RefusedAddress(reason)
        return socket.socket(family=family, type=kind, proto=protocol)

    return TCPConnector(resolver=GuardedResolver(allow_loopback), socket_factory=make_socket, **more)
