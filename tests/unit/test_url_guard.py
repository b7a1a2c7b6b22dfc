"""Which addresses may be fetched, in every spelling an attacker may choose."""

from __future__ import annotations

import asyncio
import socket

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver

from scrapers.fetching.dns_guard import GuardedResolver, RefusedAddress, guarded_connector, refused_address
from scrapers.fetching.outcomes import outcome_of
from scrapers.fetching.url_guard import (
    host_key,
    in_scope,
    is_loopback_host,
    judge_ip,
    judge_url,
    literal_ip,
    normal_url,
)
from scrapers.items import Feed, FeedShape, Source, SourceType

CLOSED = [
    "127.0.0.1", "127.9.9.9", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.5.4", "192.168.1.1", "169.254.169.254",
    "168.63.129.16", "100.100.100.200", "100.64.0.1", "192.0.0.8", "192.0.2.7", "198.18.0.1", "198.51.100.1",
    "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1",
    "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
    "::ffff:169.254.169.254", "::127.0.0.1", "::7f00:1", "2002:7f00:1::", "2002:808:808::1", "2001::1",
    "2001:0:53aa:64c:0:5b5e:80ff:fffe",
    "64:ff9b::10.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "2001:db8::1", "3fff::1", "100::1",
]  # fmt: skip
OPEN = ["8.8.8.8", "93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"]


@pytest.mark.parametrize("address", CLOSED)
def test_an_address_that_is_not_public_is_refused_with_a_reason(address: str) -> None:
    assert judge_ip(address)


@pytest.mark.parametrize("address", OPEN)
def test_a_public_address_is_let_pass(address: str) -> None:
    assert judge_ip(address) == ""


@pytest.mark.parametrize("address", CLOSED)
def test_allowing_loopback_opens_loopback_and_nothing_else(address: str) -> None:
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
def test_an_address_is_known_in_every_spelling(host: str, meant: str) -> None:
    assert str(literal_ip(host)) == meant


@pytest.mark.parametrize("host", ["example.org", "face.org", "1.example", "0xyz.net", "dead.beef"])
def test_a_name_is_no_number(host: str) -> None:
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
def test_an_address_that_must_not_be_fetched_is_refused_by_its_spelling(url: str) -> None:
    assert judge_url(url)


def test_an_ordinary_address_is_let_pass_and_loopback_only_where_allowed() -> None:
    assert judge_url("https://example.org/a?b=c") == ""
    assert judge_url("http://127.0.0.1:8000/x", allow_loopback=True) == ""
    assert judge_url("http://press.localhost:8000/x", allow_loopback=True) == ""
    assert judge_url("http://10.0.0.1/x", allow_loopback=True)


def test_loopback_hosts_are_known_by_spelling() -> None:
    assert all(is_loopback_host(h) for h in ("localhost", "x.localhost", "127.0.0.2", "::1", "2130706433"))
    assert not any(is_loopback_host(h) for h in ("example.org", "localhost.example.org", "10.0.0.1"))


def test_the_normal_form_drops_tracking_and_keeps_what_may_matter() -> None:
    url = "HTTPS://News.Example.ORG:443/a/B?b=2&utm_source=x&a=1&fbclid=9&CMP=share#top"
    assert normal_url(url) == "https://news.example.org/a/B?b=2&a=1"
    assert normal_url("http://example.org") == "http://example.org/"
    assert normal_url("http://example.org:8080/x?id=7;8") == "http://example.org:8080/x?id=7;8"
    assert normal_url("file:///etc/passwd") == "file:///etc/passwd"
    assert normal_url(normal_url(url)) == normal_url(url)


def test_scope_is_the_cards_hosts_with_dots_and_ports() -> None:
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


def test_the_host_owed_politeness_has_its_port_only_where_it_is_odd() -> None:
    assert host_key("https://A.example:443/x") == "a.example"
    assert host_key("http://a.example:8080/x") == "a.example:8080"
    assert host_key("http://[::1]:81/") == "[::1]:81"


class Names(AbstractResolver):
    """Stands in for the system's resolver: gives the addresses it was made with, one list after the other."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[dict]:
        return [{"hostname": host, "host": one, "port": port, "family": family} for one in self.answers.pop(0)]

    async def close(self) -> None:
        """Nothing to close."""


def resolved(resolver: GuardedResolver, name: str = "gazette.example") -> list[str]:
    return [found["host"] for found in asyncio.run(resolver.resolve(name, 80))]


def test_the_resolver_hands_on_public_addresses_only() -> None:
    resolver = GuardedResolver(False, Names(["10.0.0.1", "8.8.8.8", "::1", "2606:2800:220:1::1", "fd00::1"]))
    assert resolved(resolver) == ["8.8.8.8", "2606:2800:220:1::1"]


def test_a_name_that_turns_inwards_between_two_questions_is_refused_the_second_time() -> None:
    resolver = GuardedResolver(False, Names(["8.8.8.8"], ["169.254.169.254"], ["8.8.8.8"], []))
    assert resolved(resolver) == ["8.8.8.8"]
    with pytest.raises(RefusedAddress, match="metadata"):
        resolved(resolver)
    assert resolved(resolver) == ["8.8.8.8"]
    assert resolved(resolver) == [], "a name without addresses leads nowhere, and is not refused"


def test_allowing_loopback_lets_the_resolver_pass_loopback_alone() -> None:
    resolver = GuardedResolver(True, Names(["127.0.0.1", "10.0.0.1"]))
    assert resolved(resolver) == ["127.0.0.1"]
    assert resolved(resolver, "press.localhost") == ["127.0.0.1"]


class Turned(GuardedResolver):
    """A resolver that lets everything pass, as if a name had been changed behind its back."""

    async def resolve(self, host: str, port: int = 0, family: int = 0) -> list[dict]:
        return [{"hostname": host, "host": "127.0.0.1", "port": port, "family": socket.AF_INET, "proto": 0, "flags": 0}]


@pytest.mark.parametrize("address", ["http://127.0.0.1:1/", "http://[::1]:1/", "http://gazette.example:1/"])
def test_no_socket_is_made_for_an_address_that_must_not_be_fetched(address: str, monkeypatch) -> None:
    """Whatever name led there, and where the address stands in the URL itself, so that no resolver is asked."""
    monkeypatch.setattr("scrapers.fetching.dns_guard.GuardedResolver", Turned)

    async def ask() -> None:
        async with aiohttp.ClientSession(connector=guarded_connector(False)) as session, session.get(address):
            pass

    with pytest.raises(aiohttp.ClientConnectorError) as told:
        asyncio.run(ask())
    assert "this machine itself" in refused_address(told.value)
    assert "resolves to a forbidden address" in outcome_of(told.value, address).detail
