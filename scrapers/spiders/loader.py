"""Scrapy's spider loader: one spider for each source card."""

from __future__ import annotations

import builtins
from dataclasses import replace
from pathlib import Path
from types import FunctionType

from scrapy import Request, Spider
from scrapy.settings import BaseSettings
from scrapy.spiderloader import SpiderLoader

from scrapers.cards import CardError, load_catalogue
from scrapers.items import Source
from scrapers.spiders.base import SourceSpider
from scrapers.spiders.feeds import spider_for


class CardSpiderLoader(SpiderLoader):
    """Makes a spider of each card, from the Python spider of the same name or from the base spider of its feeds.

    Settings: SPIDER_MODULES, CARDS (a folder) and CATALOGUE (whether to use the packaged cards too), or SOURCES
    (records instead of cards).
    """

    def __init__(self, settings: BaseSettings) -> None:
        super().__init__(settings)
        folder = Path(settings["CARDS"]) if settings["CARDS"] else None
        try:
            sources = settings["SOURCES"] or load_catalogue(folder, packaged=settings.getbool("CATALOGUE"))
        except CardError as error:
            raise SystemExit(str(error)) from error
        self.sources: dict[str, Source] = {source.source_id: source for source in sources}

    def load(self, spider_name: str) -> type[Spider]:
        """Return the spider of a card, or the spider `sources`, which crawls all. Raises KeyError if there is none.

        A disabled source, which is not listed, can be crawled by its name.
        """
        source = self.sources.get(spider_name)
        if source is None:
            return super().load(spider_name)
        written = super().load(spider_name) if spider_name in super().list() else spider_for(source)
        if not issubclass(written, SourceSpider):
            raise TypeError(f"{written.__name__} has the name of a card, so it must be a subclass of SourceSpider")
        return type(written.__name__, (written,), _members(written, replace(source, enabled=True)))

    def list(self) -> list[str]:
        """Return the names of the enabled sources."""
        return [name for name, source in self.sources.items() if source.enabled]

    def find_by_request(self, request: Request) -> builtins.list[str]:
        """Return the sources on whose hosts a URL is."""
        return [name for name in self.list() if self.load(name).handles_request(request)]


def _members(written: type[SourceSpider], source: Source) -> dict[str, object]:
    """Return the members of a card's spider. Its contract, for `scrapy check`: its first feed lists something."""
    members: dict[str, object] = {"name": source.source_id, "source": source, "__module__": written.__module__}
    if source.feeds:
        callback = written.parse_feed
        copy = FunctionType(callback.__code__, callback.__globals__, "parse_feed", None, callback.__closure__)
        copy.__doc__ = f"{callback.__doc__}\n\n@url {source.feeds[0].url}\n@entries 1\n"
        members["parse_feed"] = copy
    return members
