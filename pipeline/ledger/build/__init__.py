"""Builds build.db from crawl.db, recomputing only what changed since the last build.

Imports the aggregation, the article store, reviews and rows.
"""

__all__ = ["build"]
