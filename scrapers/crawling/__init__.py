"""The crawl: which URLs are due, the run with its fetching process, source health, and retention.

May import everything else in `scrapers`.
"""

__all__ = ["bookkeeping", "child_process", "crawl", "frontier", "retention", "revisit_policy", "source_health"]
