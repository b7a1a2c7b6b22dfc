"""Fetches and reads news pages: source cards, a Scrapy crawl, WARC archives, feeds, and pages turned into articles.

The package does not import `pipeline`. Importing it is cheap: the functions below load their modules on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from scrapers.items import Article, Feed, Outcome, Page, Reading, Source, Visit

if TYPE_CHECKING:
    from scrapers.cards import load_sources
    from scrapers.reading.article import read_page

__all__ = ["Article", "Feed", "Outcome", "Page", "Reading", "Source", "Visit", "load_sources", "read_page"]

_LAZY = {"load_sources": "scrapers.cards", "read_page": "scrapers.reading.article"}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
