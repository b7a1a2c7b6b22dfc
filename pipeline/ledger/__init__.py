"""Keeps articles and findings in SQLite, builds the ledger from them, and publishes it.

`crawl.db` is private and holds full texts; `build.db` is the ledger without them. Imports `pipeline.aggregation`,
`pipeline.lexicon` and `scrapers`, never the site.
"""

__all__ = ["article_store", "build", "publish", "reviews", "rows", "schema", "sqlite_errors"]
