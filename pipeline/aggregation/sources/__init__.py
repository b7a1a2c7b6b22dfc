"""Finds the independent origins behind articles: near-duplicates, credits, publishers and their groups.

Imports records and `scrapers.items`, nothing else of the aggregation.
"""

__all__ = ["credit_chains", "credit_scope", "near_duplicates", "origins", "publishers", "support"]
