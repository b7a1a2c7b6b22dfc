"""Finds the independent origins behind articles: near-duplicates, credits, publishers and their groups.

Imports records and `scrapers.items`, nothing else of the aggregation.
"""
