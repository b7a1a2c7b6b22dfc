"""A list of hosts or source cards in; which source an address of an archive belongs to, or none, out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import WrongUse
from scrapers.fetching.url_guard import host_key
from scrapers.items import Source

ADDED = "added"  # the source of what no card stands for


@dataclass(frozen=True, slots=True)
class Hosts:
    """The hosts whose pages are wanted, each with its source. `every`: pages of all other hosts as well."""

    exact: tuple[tuple[str, str], ...]
    under: tuple[tuple[str, str], ...] = ()  # a domain that is admitted with all that lies under it
    every: bool = False

    def mark(self) -> str:
        """Return a short name for this choice: another choice reads a file anew."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:12]

    def finder(self) -> HostFinder:
        return HostFinder(self)


class HostFinder:
    """Finds the source of an address; hosts that were met are remembered."""

    MOST = 100_000

    def __init__(self, hosts: Hosts) -> None:
        self._exact, self._under, self._every = dict(hosts.exact), dict(hosts.under), hosts.every
        self._known: dict[str, str | None] = {}

    def source_of(self, url: str) -> str | None:
        """Return the id of the source that an address belongs to, None where its pages are not wanted."""
        scheme, _, rest = url.partition("://")
        netloc = rest.partition("/")[0].partition("?")[0]
        key = f"{scheme}://{netloc}"
        if key in self._known:
            return self._known[key]
        if len(self._known) >= self.MOST:
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
    """Return the hosts of the cards, or those of a list; a name of the list that a card has belongs to its source.

    As on a card, a leading dot admits the host and all under it.
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
    """Return the hosts named in a file, one on each line, # for remarks. Raises WrongUse in plain words."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise WrongUse(f"{file}: this list of hosts cannot be read ({error}).") from error
    names = [name for line in lines if (name := line.partition("#")[0].strip())]
    for name in names:
        if "/" in name or " " in name or "." not in name.strip("."):
            raise WrongUse(f"{file}: {name!r} is no host. Write one on each line: news.example, or .news.example for "
                           "all hosts under it as well.")  # fmt: skip
    if not names:
        raise WrongUse(f"{file}: there is no host in it.")
    return names
