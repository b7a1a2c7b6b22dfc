"""Joins the claims of many articles into events, origins, contradictions, timelines and revisions.

Every function here is pure. The package imports `pipeline.lexicon`, `pipeline.records` and `scrapers.items`, never the
ledger or the site.
"""

__all__ = ["aggregate", "clustering", "contradictions", "revisions", "sources", "summaries", "timelines"]
