"""Selects pages of an archive by host and assigns each to a source."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import WrongUse
from scrapers.fetching.url_guard import host_key
from scrapers.items import Source

ADDED = "added"  # source id of hosts without a source card


@dataclass(frozen=True, slots=True)
class Hosts:
    """The selected hosts, each with its source id. `every`: select all other hosts, too."""

    exact: tuple[tuple[str, str], ...]
    under: tuple[tuple[str, str], ...] = ()  # domains selected with their subdomains
    every: bool = False

    def fingerprint(self) -> str:
        """Return a hash of this selection. Under another selection a file is read again."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:12]

    def finder(self) -> HostFinder:
        return HostFinder(self)


class HostFinder:
    """Finds the source of an address, with a cache by host."""

    MAX_CACHED = 100_000

    def __init__(self, hosts: Hosts) -> None:
        self._exact, self._under, self._every = dict(hosts.exact), dict(hosts.under), hosts.every
        self._known: dict[str, str | None] = {}

    def source_of(self, url: str) -> str | None:
        """Return the source id of an address, None if its host is not selected."""
        scheme, _, rest = url.partition("://")
        netloc = rest.partition("/")[0].partition("?")[0]
        key = f"{scheme}://{netloc}"
        if key in self._known:
            return self._known[key]
        if len(self._known) >= self.MAX_CACHED:
            self._known.clear()
        self._known[key] = found = self._look(key)
        return found

    def _look(self, site: str) -> str | None:
        netloc = host_key(site)
        if not netloc or not site.lower().startswith(("http://", "https://")):
            return None
        host = netloc.rpartition(":")[0] if netloc.rpartition(":")[2].isdigit() else netloc
        for name in (netloc, host):
            if name in self._exact:
                return self._exact[name]
        labels = host.split(".")
        for at in range(len(labels)):
            if (source := self._under.get(".".join(labels[at:]))) is not None:
                return source
        return ADDED if self._every else None


def hosts_of(sources: Iterable[Source], wanted: Iterable[str] | None = None, *, every: bool = False) -> Hosts:
    """Return the hosts to select.

    Args:
        sources: the source cards.
        wanted: host names; ".news.example" includes subdomains. By default the hosts of the cards. A host on a card is
            assigned to that card's source, any other to ADDED.
        every: select all other hosts, too.
    """
    exact: dict[str, str] = {}
    under: dict[str, str] = {}
    for source in sources:
        for host in source.hosts:
            name = host.lower()
            (under if name.startswith(".") else exact).setdefault(name.lstrip("."), source.source_id)
    if wanted is None:
        return Hosts(tuple(sorted(exact.items())), tuple(sorted(under.items())), every)
    finder = Hosts(tuple(exact.items()), tuple(under.items()), True).finder()
    chosen_exact: dict[str, str] = {}
    chosen_under: dict[str, str] = {}
    for name in wanted:
        bare = name.lower().lstrip(".")
        id_ = finder.source_of(f"https://{bare}/") or ADDED
        if name.startswith("."):
            chosen_under[bare] = id_
            chosen_exact |= {host: own for host, own in exact.items() if host.endswith(name.lower())}
        else:
            chosen_exact[bare] = id_
    return Hosts(tuple(sorted(chosen_exact.items())), tuple(sorted(chosen_under.items())), every)


def read_hosts(file: Path) -> list[str]:
    """Return the hosts listed in a file, one per line, "#" before comments; raise WrongUse for an invalid file."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise WrongUse(f"{file}: cannot read this list of hosts ({error}).") from error
    names = [name for line in lines if (name := line.partition("#")[0].strip())]
    for name in names:
        if "/" in name or " " in name or "." not in name.strip("."):
            raise WrongUse(
                f"{file}: {name!r} is not a host. Write one per line: news.example, or .news.example to include "
                "subdomains."
            )
    if not names:
        raise WrongUse(f"{file}: the file lists no host.")
    return names
