"""Resolves names of publishers to sources, outlets and publisher groups."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from scrapers.items import Source, SourceType

_TAIL = re.compile(r"\b(?:news agency|newswire|newspaper|magazine|news|online|com|org|net|inc|ltd)\b")


@dataclass(frozen=True, slots=True)
class Outlet:
    """A publisher known by name, with or without a source card. `wire`: a news agency."""

    name: str
    aliases: tuple[str, ...] = ()
    family: str = ""
    wire: bool = False


def plain(name: str) -> str:
    """Normalise a publisher's name: "The New York Times" and "New York Times" are one."""
    words = re.sub(r"[^\w ]+", " ", name.casefold().removesuffix("'s").removesuffix("’s"))
    words = " ".join(word for word in words.split() if word != "the")
    return " ".join(_TAIL.sub(" ", words).split()) or words


class Publishers:
    """Looks names up among the sources of the ledger, then among other outlets."""

    def __init__(self, sources: Iterable[Source], outlets: Iterable[Outlet] = ()) -> None:
        self.sources = {source.source_id: source for source in sources}
        self._source_of = {plain(source.title): source for source in self.sources.values()}
        self._outlet_of: dict[str, Outlet] = {}
        for outlet in outlets:
            for name in (outlet.name, *outlet.aliases):
                self._outlet_of.setdefault(plain(name), outlet)

    def source_named(self, name: str) -> Source | None:
        """Return the source of this title, also by an outlet's other names."""
        outlet = self._outlet_of.get(plain(name))
        names = [name, *((outlet.name, *outlet.aliases) if outlet else ())]
        return next((source for n in names if (source := self._source_of.get(plain(n)))), None)

    def label(self, name: str) -> str:
        """Return the full name of a credited publisher."""
        source, outlet = self.source_named(name), self._outlet_of.get(plain(name))
        return source.title if source else outlet.name if outlet else " ".join(name.split())

    def family(self, name: str) -> str:
        """Return the key of the publisher group of a name. Two names with one key never confirm each other."""
        source = self.source_named(name)
        outlet = self._outlet_of.get(plain(name))
        if source is not None and source.family:
            return plain(source.family)
        if outlet is not None:
            return plain(outlet.family or outlet.name)
        return plain(source.title if source else name)

    def is_wire(self, name: str) -> bool:
        source, outlet = self.source_named(name), self._outlet_of.get(plain(name))
        return bool((source and (source.agency or source.source_type is SourceType.WIRE)) or (outlet and outlet.wire))

    def source_is_wire(self, source_id: str) -> bool:
        source = self.sources.get(source_id)
        return bool(source and (source.agency or source.source_type is SourceType.WIRE))

    def title(self, source_id: str, default: str = "") -> str:
        source = self.sources.get(source_id)
        return source.title if source else default or source_id
