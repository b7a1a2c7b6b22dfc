"""Decides which URLs and IP addresses may be fetched, and normalises URLs."""

from __future__ import annotations

import ipaddress
import re
import socket
from urllib.parse import SplitResult, urlsplit, urlunsplit

from scrapers.items import Outcome, Source

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

MAX_URL_CHARS = 2000
# Cloud metadata services; not all Python versions include them in the ranges below.
_METADATA = frozenset(
    ipaddress.ip_address(text) for text in ("169.254.169.254", "168.63.129.16", "100.100.100.200", "fd00:ec2::254")
)
_CLOSED_NETWORKS = tuple(
    (ipaddress.ip_network(network), reason)
    for network, reason in (
        ("0.0.0.0/8", "an address of this machine"),
        ("100.64.0.0/10", "a carrier's shared address"),
        ("192.0.0.0/24", "a reserved address"),
        ("192.0.2.0/24", "a documentation address"),
        ("192.88.99.0/24", "a 6to4 relay"),
        ("198.18.0.0/15", "a benchmarking address"),
        ("198.51.100.0/24", "a documentation address"),
        ("203.0.113.0/24", "a documentation address"),
        ("240.0.0.0/4", "a reserved address"),
        ("2002::/16", "a 6to4 address, which wraps another one"),
        ("2001::/23", "a Teredo or protocol address, which may wrap another one"),
        ("2001:db8::/32", "a documentation address"),
        ("3fff::/20", "a documentation address"),
        ("100::/64", "a discard address"),
        ("64:ff9b:1::/48", "a local NAT64 address, which wraps another one"),
        ("fec0::/10", "a site-local address"),
        ("5f00::/16", "a segment-routing address"),
    )
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_IPV4_COMPATIBLE = ipaddress.ip_network("::/96")
_NUMBER_HOST = re.compile(r"(0x[0-9a-f]*|[0-9]+)(\.(0x[0-9a-f]*|[0-9]+)){0,3}\.?", re.I)

# Query parameters that only track readers, in lower case.
_TRACKING = re.compile(
    r"(utm_.*|fbclid|gclid|dclid|gbraid|wbraid|msclkid|yclid|twclid|ttclid|mc_cid|mc_eid|igshid|smid|cmpid|emc|ocid|"
    r"at_medium|at_campaign|at_link_.*|ns_campaign|ns_mchannel|ns_source|guccounter|guce_.*|_hsenc|_hsmi|mkt_tok|"
    r"ftag|xtor|oref|sref|cmp|source_campaign)"
)
_DEFAULT_PORTS = {"http": 80, "https": 443}


def judge_ip(address: str | IPAddress, *, allow_loopback: bool = False) -> str:
    """Return why an IP address must not be fetched, or "" if it may.

    IPv4 addresses embedded in IPv6 (mapped, compatible, NAT64) are judged as IPv4; 6to4 and Teredo, which no publisher
    uses, are refused altogether. `allow_loopback` permits 127.0.0.0/8 and ::1 and nothing else.
    """
    ip = ipaddress.ip_address(address.partition("%")[0]) if isinstance(address, str) else address
    ip = _unwrapped(ip)
    if ip.is_loopback:
        return "" if allow_loopback else f"{ip} is this machine itself"
    if ip in _METADATA:
        return f"{ip} is a cloud provider's metadata service"
    if ip.is_link_local:
        return f"{ip} is a link-local address"
    if ip.is_multicast:
        return f"{ip} is a multicast address"
    for network, reason in _CLOSED_NETWORKS:
        if ip.version == network.version and ip in network:
            return f"{ip} is {reason}"
    if ip.is_unspecified or ip.is_reserved:
        return f"{ip} is a reserved address"
    if ip.is_private or not ip.is_global:
        return f"{ip} is an address of a private network"
    return ""


def _unwrapped(ip: IPAddress) -> IPAddress:
    if not isinstance(ip, ipaddress.IPv6Address):
        return ip
    if ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    wraps = ip in _NAT64 or (ip in _IPV4_COMPATIBLE and int(ip) > 1)
    return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF) if wraps else ip


def literal_ip(host: str) -> IPAddress | None:
    """Return the IP address that a host denotes, in any form that sockets accept, or None for a name.

    Examples: 127.0.0.1, 127.1, 2130706433, 0x7f000001, 0177.0.0.1, ::1 with or without brackets and zone.
    """
    bare = host.strip("[]").partition("%")[0]
    try:
        return ipaddress.ip_address(bare)
    except ValueError:
        pass
    if not _NUMBER_HOST.fullmatch(bare):
        return None
    try:
        return ipaddress.IPv4Address(socket.inet_aton(bare.rstrip(".")))
    except OSError:
        return None


def judge_url(url: str, *, allow_loopback: bool = False) -> str:
    """Return why a URL must not be fetched, judging by its text alone, or "" if it may.

    The IP addresses of a name are checked later, when connecting.
    """
    parts = _split(url)
    if parts is None:
        return "it is not a well-formed URL"
    if parts.scheme not in ("http", "https"):
        return f"its scheme is {parts.scheme or 'missing'}; only http and https are fetched"
    if not parts.hostname:
        return "it has no host"
    if len(url) > MAX_URL_CHARS:
        return f"it is {len(url)} characters long"
    if parts.username is not None or parts.password is not None:
        return "it contains a user name or a password"
    host = parts.hostname.rstrip(".")
    if host == "localhost" or host.endswith(".localhost"):
        return "" if allow_loopback else f"{host} is this machine itself"
    ip = literal_ip(host)
    if ip is None:
        return "" if not _NUMBER_HOST.fullmatch(host) else f"{host} is not a valid IP address"
    return judge_ip(ip, allow_loopback=allow_loopback)


def refusal(
    url: str, source: Source | None, *, allow_loopback: bool = False, for_feed: bool = False
) -> tuple[Outcome, str] | None:
    """Return the outcome and reason for which a URL must not be requested, None if it may be.

    `source` limits the hosts; None allows any host, since robots.txt may redirect anywhere.
    """
    reason = judge_url(url, allow_loopback=allow_loopback)
    if reason:
        parts = _split(url)
        host = (parts.hostname or "").rstrip(".") if parts is not None and parts.scheme in ("http", "https") else ""
        is_internal = bool(host) and (is_loopback_host(host) or literal_ip(host) is not None)
        return (Outcome.BLOCKED_ADDRESS if is_internal else Outcome.OUT_OF_SCOPE), reason
    if source is not None and not in_scope(url, source, for_feed=for_feed):
        return Outcome.OUT_OF_SCOPE, f"{host_key(url)} is not one of the card's hosts"
    return None


def is_loopback_host(host: str) -> bool:
    """Return whether a host without port is this machine: localhost, *.localhost, 127.x.x.x or ::1."""
    name = host.rstrip(".").lower()
    ip = literal_ip(name)
    return name == "localhost" or name.endswith(".localhost") or (ip is not None and _unwrapped(ip).is_loopback)


def in_scope(url: str, source: Source, *, for_feed: bool = False) -> bool:
    """Return whether a URL is on one of the source's hosts; a feed may also be on the host of one of its feeds.

    A host that begins with a dot includes all subdomains; a host with a port matches that port only.
    """
    parts = _split(url)
    if parts is None or not parts.hostname:
        return False
    host, netloc = parts.hostname.rstrip("."), host_key(url)
    for admitted in source.hosts:
        admitted = admitted.lower()
        if admitted.startswith("."):
            if host == admitted[1:] or host.endswith(admitted):
                return True
        elif admitted in (host, netloc):
            return True
    return for_feed and any(host_key(feed.url) == netloc for feed in source.feeds)


def host_key(url: str) -> str:
    """Return the host of a URL, the unit of rate limits: lower case, with the port unless it is the default."""
    parts = _split(url)
    if parts is None or not parts.hostname:
        return ""
    host = parts.hostname.rstrip(".")
    host = f"[{host}]" if ":" in host else host
    return host if parts.port in (None, _DEFAULT_PORTS.get(parts.scheme)) else f"{host}:{parts.port}"


def normal_url(url: str) -> str:
    """Return the normal form of a URL: no fragment, no tracking parameters, host in lower case.

    Other parameters and their order are kept, since they may matter.
    """
    parts = _split(url.strip())
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        return url.strip()
    kept = [part for part in parts.query.split("&") if part and not _TRACKING.fullmatch(part.partition("=")[0].lower())]
    userinfo = parts.netloc.rpartition("@")[0]
    netloc = (userinfo + "@" if userinfo else "") + host_key(url.strip())
    return urlunsplit((parts.scheme, netloc, parts.path or "/", "&".join(kept), ""))


def _split(url: str) -> SplitResult | None:
    """Return the parts of a URL, None if host or port are malformed."""
    try:
        parts = urlsplit(url)
        _ = parts.port, parts.hostname
    except ValueError:
        return None
    return parts
