"""The page reader: turns a fetched page into an article, without I/O.

May import `scrapers.items` and the URL functions of `fetching`.
"""

__all__ = [
    "article",
    "blocks",
    "body",
    "boilerplate",
    "canonical_url",
    "decoding",
    "jsonld",
    "metadata",
    "page_words",
    "parser_limits",
    "plain_text",
    "recipes",
    "timestamps",
]
