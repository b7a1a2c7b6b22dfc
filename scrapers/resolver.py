"""A host name comes in from Scrapy; only those of its IP addresses that may be fetched go out to the connection.

The judgement falls on the very address that is connected to, so a name that changes its address between a check and
the connection (rebinding) gains nothing.
"""

# mypy: disable-error-code="call-arg,arg-type,misc,return-value"
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import IAddress, IHostnameResolver, IHostResolution, IResolutionReceiver
from zope.interface import implementer, provider

from scrapers.addresses import is_loopback_host, judge_ip, literal_ip


@implementer(IHostResolution)
class _Resolution:
    def __init__(self, name: str) -> None:
        self.name = name

    def cancel(self) -> None:
        """Nothing is under way that could be cancelled."""


@implementer(IHostnameResolver)
class GuardedResolver:
    """Twisted's own resolver with a judge behind it; set as TWISTED_DNS_RESOLVER.

    `refused` keeps, for each host that had addresses but none that may be fetched, the reason in words.
    """

    refused: dict[str, str] = {}

    def __init__(self, reactor: Any, allow_loopback: bool) -> None:
        self.reactor = reactor
        self.inner = reactor.nameResolver
        self.allow_loopback = allow_loopback

    @classmethod
    def from_crawler(cls, crawler: Any, reactor: Any) -> GuardedResolver:
        return cls(reactor, crawler.settings.getbool("OVERSIGHT_ALLOW_LOOPBACK"))

    def install_on_reactor(self) -> None:
        self.reactor.installNameResolver(self)

    def resolveHostName(
        self,
        resolutionReceiver: IResolutionReceiver,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Sequence[type[IAddress]] | None = None,
        transportSemantics: str = "TCP",
    ) -> IHostResolution:
        """Hand on the addresses of a host that judge_ip() lets pass; none where all are refused."""
        if self.allow_loopback and is_loopback_host(hostName) and literal_ip(hostName) is None:
            # RFC 6761: *.localhost is this machine; not every system's resolver knows it.
            resolution = _Resolution(hostName)
            resolutionReceiver.resolutionBegan(resolution)
            resolutionReceiver.addressResolved(IPv4Address(transportSemantics, "127.0.0.1", portNumber))
            resolutionReceiver.resolutionComplete()
            return resolution
        judge = self._judge(resolutionReceiver, hostName)
        return self.inner.resolveHostName(judge, hostName, portNumber, addressTypes, transportSemantics)

    def _judge(self, receiver: IResolutionReceiver, host: str) -> IResolutionReceiver:
        guard = self
        reasons: list[str] = []
        passed: list[IAddress] = []

        @provider(IResolutionReceiver)
        class Judge:
            @staticmethod
            def resolutionBegan(resolution: IHostResolution) -> None:
                receiver.resolutionBegan(resolution)

            @staticmethod
            def addressResolved(address: Any) -> None:
                reason = judge_ip(address.host, allow_loopback=guard.allow_loopback)
                if reason:
                    reasons.append(reason)
                else:
                    passed.append(address)
                    receiver.addressResolved(address)

            @staticmethod
            def resolutionComplete() -> None:
                if reasons and not passed:
                    guard.refused[host.lower()] = reasons[0]
                else:
                    guard.refused.pop(host.lower(), None)
                receiver.resolutionComplete()

        return Judge
