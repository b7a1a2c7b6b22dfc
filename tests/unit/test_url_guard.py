"""Which URLs and IP addresses may be fetched, in every notation an attacker may choose."""

from __future__ import annotations

import asyncio
import socket

import pytest
from aiohttp.abc import AbstractResolver
from scrapy import Request
from scrapy.utils.test import get_crawler

from scrapers.fetching.dns_guard import GuardedResolver, RefusedAddress
from scrapers.fetching.handler import GuardedDownloadHandler
from scrapers.fetching.outcomes import FetchEnded
from scrapers.fetching.url_guard import (
    host_key,
    in_scope,
    is_loopback_host,
    judge_ip,
    judge_url,
    literal_ip,
    normal_url,
)
from scrapers.items import Feed, FeedShape, Outcome, Source, SourceType

FORBIDDEN = [
    "127.0.0.1", "127.9.9.9", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.5.4", "192.168.1.1", "169.254.169.254",
    "168.63.129.16", "100.100.100.200", "100.64.0.1", "192.0.0.8", "192.0.2.7", "198.18.0.1", "198.51.100.1",
    "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1",
    "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
    "::ffff:169.254.169.254", "::127.0.0.1", "::7f00:1", "2002:7f00:1::", "2002:808:808::1", "2001::1",
    "2001:0:53aa:64c:0:5b5e:80ff:fffe",
    "64:ff9b::10.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "2001:db8::1", "3fff::1", "100::1",
]  # fmt: skip
PERMITTED = ["8.8.8.8", "93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"]


@pytest.mark.parametrize("address", FORBIDDEN)
def test_non_public_ip_address_is_refused_with_a_reason(address: str) -> None:
    assert judge_ip(address)


@pytest.mark.parametrize("address", PERMITTED)
def test_public_ip_address_is_permitted(address: str) -> None:
    assert judge_ip(address) == ""


@pytest.mark.parametrize("address", FORBIDDEN)
def test_allow_loopback_permits_loopback_and_nothing_else(address: str) -> None:
    unwrapped = address.removeprefix("::ffff:").removeprefix("64:ff9b::")
    loopback = unwrapped.startswith("127.") or address in ("::1", "::127.0.0.1", "::7f00:1", "64:ff9b::7f00:1")
    assert (judge_ip(address, allow_loopback=True) == "") == loopback


@pytest.mark.parametrize(
    ("host", "meant"),
    [
        ("127.0.0.1", "127.0.0.1"), ("127.1", "127.0.0.1"), ("2130706433", "127.0.0.1"), ("0x7f000001", "127.0.0.1"),
        ("0177.0.0.1", "127.0.0.1"), ("0x7f.1", "127.0.0.1"), ("[::1]", "::1"), ("fe80::1%eth0", "fe80::1"),
        ("10.0.0.1.", "10.0.0.1"),
    ],
)  # fmt: skip
def test_ip_address_is_recognised_in_every_notation(host: str, meant: str) -> None:
    assert str(literal_ip(host)) == meant


@pytest.mark.parametrize("host", ["example.org", "face.org", "1.example", "0xyz.net", "dead.beef"])
def test_host_name_is_not_an_ip_address(host: str) -> None:
    assert literal_ip(host) is None


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "data:text/html,hi", "ftp://example.org/x", "s3://bucket/x", "javascript:alert(1)",
        "//x/y", "/relative", "", "http://", "http:///path", "http://user:pw@example.org/", "http://user@example.org/",
        "http://localhost/", "http://a.localhost/", "http://LOCALHOST./", "http://127.0.0.1:8000/", "http://[::1]/",
        "http://2130706433/", "http://0x7f000001/", "http://0/", "http://0177.1/", "http://[::ffff:10.0.0.1]/",
        "http://169.254.169.254/latest/meta-data/", "http://example.org:99999/", "http://[bad/", "http://999.999.999.999/",
    ],
)  # fmt: skip
def test_forbidden_url_is_refused(url: str) -> None:
    assert judge_url(url)


def test_ordinary_url_is_permitted_and_loopback_only_if_allowed() -> None:
    assert judge_url("https://example.org/a?b=c") == ""
    assert judge_url("http://127.0.0.1:8000/x", allow_loopback=True) == ""
    assert judge_url("http://press.localhost:8000/x", allow_loopback=True) == ""
    assert judge_url("http://10.0.0.1/x", allow_loopback=True)


def test_loopback_hosts_are_recognised() -> None:
    assert all(is_loopback_host(h) for h in ("localhost", "x.localhost", "127.0.0.2", "::1", "2130706433"))
    assert not any(is_loopback_host(h) for h in ("example.org", "localhost.example.org", "10.0.0.1"))


def test_normal_url_drops_tracking_parameters_and_keeps_others() -> None:
    url = "HTTPS://News.Example.ORG:443/a/B?b=2&utm_source=x&a=1&fbclid=9&CMP=share#top"
    assert normal_url(url) == "https://news.example.org/a/B?b=2&a=1"
    assert normal_url("http://example.org") == "http://example.org/"
    assert normal_url("http://example.org:8080/x?id=7;8") == "http://example.org:8080/x?id=7;8"
    assert normal_url("file:///etc/passwd") == "file:///etc/passwd"
    assert normal_url(normal_url(url)) == normal_url(url)


def test_scope_is_the_hosts_of_the_card_with_dots_and_ports() -> None:
    source = Source(
        "gazette", "Gazette", "https://gazette.example/", SourceType.PRESS, "US", "en", "gazette",
        (Feed("https://feeds.example.net/gazette", FeedShape.RSS),),
        ("gazette.example", ".paper.example", "127.0.0.1:81"),
    )  # fmt: skip
    assert in_scope("https://gazette.example/x", source)
    assert not in_scope("https://www.gazette.example/x", source)
    assert in_scope("https://paper.example/x", source) and in_scope("https://a.b.paper.example/x", source)
    assert not in_scope("https://evilpaper.example/x", source)
    assert in_scope("http://127.0.0.1:81/x", source) and not in_scope("http://127.0.0.1:82/x", source)
    assert not in_scope("https://feeds.example.net/gazette", source)
    assert in_scope("https://feeds.example.net/other", source, for_feed=True)
    assert not in_scope("file:///etc/passwd", source)


def test_host_key_includes_the_port_unless_it_is_the_default() -> None:
    assert host_key("https://A.example:443/x") == "a.example"
    assert host_key("http://a.example:8080/x") == "a.example:8080"
    assert host_key("http://[::1]:81/") == "[::1]:81"


class FakeResolver(AbstractResolver):
    """Replaces the system's resolver; returns the given lists of IP addresses in turn."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[dict]:
        return [{"hostname": host, "host": one, "port": port, "family": family} for one in self.answers.pop(0)]

    async def close(self) -> None:
        """Do nothing."""


def resolved(resolver: GuardedResolver, name: str = "gazette.example") -> list[str]:
    return [found["host"] for found in asyncio.run(resolver.resolve(name, 80))]


def test_resolver_returns_public_ip_addresses_only() -> None:
    resolver = GuardedResolver(False, FakeResolver(["10.0.0.1", "8.8.8.8", "::1", "2606:2800:220:1::1", "fd00::1"]))
    assert resolved(resolver) == ["8.8.8.8", "2606:2800:220:1::1"]


def test_dns_rebinding_is_refused() -> None:
    resolver = GuardedResolver(False, FakeResolver(["8.8.8.8"], ["169.254.169.254"], ["8.8.8.8"], []))
    assert resolved(resolver) == ["8.8.8.8"]
    with pytest.raises(RefusedAddress, match="metadata"):
        resolved(resolver)
    assert resolved(resolver) == ["8.8.8.8"]
    assert resolved(resolver) == [], "a name without IP addresses does not resolve, but is not refused"


def test_resolver_with_allow_loopback_permits_loopback_and_nothing_else() -> None:
    resolver = GuardedResolver(True, FakeResolver(["127.0.0.1", "10.0.0.1"]))
    assert resolved(resolver) == ["127.0.0.1"]
    assert resolved(resolver, "press.localhost") == ["127.0.0.1"]


def test_a_local_port_opens_one_host_and_one_port_only() -> None:
    resolver = GuardedResolver(False, FakeResolver(["127.0.0.1"]), {"www.northline.example": 8123})
    (found,) = asyncio.run(resolver.resolve("www.northline.example", 80))
    assert (found["host"], found["port"]) == ("127.0.0.1", 8123)
    with pytest.raises(RefusedAddress):
        asyncio.run(resolver.resolve("other.example", 8123))


class PermissiveResolver(GuardedResolver):
    """A resolver that returns loopback unchecked, as if the name had changed after the check."""

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[dict]:
        return [{"hostname": host, "host": "127.0.0.1", "port": port, "family": socket.AF_INET, "proto": 0, "flags": 0}]


@pytest.mark.parametrize("address", ["http://127.0.0.1:1/", "http://[::1]:1/", "http://gazette.example:1/"])
def test_no_socket_is_created_for_a_forbidden_ip_address(address: str, monkeypatch) -> None:
    """Both for names and for IP addresses in the URL, which are not resolved."""
    monkeypatch.setattr("scrapers.fetching.dns_guard.GuardedResolver", PermissiveResolver)

    async def ask() -> None:
        handler = GuardedDownloadHandler(get_crawler(settings_dict={"LOCAL_PORTS": {"www.northline.example": 2}}))
        try:
            await handler.download_request(Request(address))
        finally:
            await handler.close()

    with pytest.raises(FetchEnded) as error:
        asyncio.run(ask())
    assert error.value.outcome is Outcome.BLOCKED_ADDRESS
    assert "this machine itself" in error.value.detail and "resolves to a forbidden address" in error.value.detail
