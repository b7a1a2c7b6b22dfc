"""Parsers for feeds: RSS, Atom, JSON Feed, sitemaps, listing pages and JSON APIs.

May import `reading` and the records of `scrapers.items`. Does no I/O.
"""

__all__ = ["listings", "parse", "sitemaps"]
