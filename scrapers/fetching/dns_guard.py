"""Refuses connections to private and reserved IP addresses.

IP addresses are checked twice: when a name is resolved, and when the socket is created. So DNS rebinding does not help
an attacker, and IP addresses in URLs, which are not resolved, are checked too.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any

from aiohttp import TCPConnector
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from scrapers.fetching.url_guard import is_loopback_host, judge_ip, literal_ip

LOOPBACK = "127.0.0.1"


class RefusedAddress(OSError):
    """A connection to a forbidden IP address; `reason` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(None, reason)
        self.reason = reason


def refused_address(error: BaseException | None) -> str:
    """Return the reason of the RefusedAddress that caused an error, or ""."""
    for _ in range(10):
        if error is None:
            break
        if isinstance(error, RefusedAddress):
            return error.reason
        error = getattr(error, "os_error", None) or error.__cause__ or error.__context__
    return ""


class GuardedResolver(AbstractResolver):
    """The system's resolver, restricted to permitted IP addresses."""

    def __init__(
        self,
        allow_loopback: bool,
        inner: AbstractResolver | None = None,
        local_ports: Mapping[str, int] | None = None,
    ) -> None:
        """`local_ports`: hosts served from this machine instead, each with its port."""
        self.allow_loopback = allow_loopback
        self.local_ports = local_ports or {}
        self.inner = inner or ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the IP addresses of a host that judge_ip() permits; raise RefusedAddress if it permits none."""
        if host in self.local_ports:
            port = self.local_ports[host]
            return [ResolveResult(hostname=host, host=LOOPBACK, port=port, family=socket.AF_INET, proto=0, flags=0)]
        if self.allow_loopback and is_loopback_host(host) and literal_ip(host) is None:
            # RFC 6761: *.localhost is this machine, but not every system resolves it.
            return [ResolveResult(hostname=host, host=LOOPBACK, port=port, family=socket.AF_INET, proto=0, flags=0)]
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


def guarded_connector(allow_loopback: bool, local_ports: Mapping[str, int] | None = None, **more: Any) -> TCPConnector:
    """Return a connector that creates no sockets for forbidden IP addresses.

    `local_ports`: hosts served from this machine instead; only these ports of it are permitted.
    """
    open_ports = frozenset((local_ports or {}).values())

    def make_socket(address: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol, _, sockaddr = address
        local = sockaddr[0] == LOOPBACK and sockaddr[1] in open_ports
        if reason := judge_ip(sockaddr[0], allow_loopback=allow_loopback or local):
            raise RefusedAddress(reason)
        return socket.socket(family=family, type=kind, proto=protocol)

    return TCPConnector(
        resolver=GuardedResolver(allow_loopback, local_ports=local_ports), socket_factory=make_socket, **more
    )
