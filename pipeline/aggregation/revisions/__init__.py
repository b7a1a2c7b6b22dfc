"""Compares the versions of an article: which sentences changed, and which claims with them.

Imports records and the boilerplate rules of `scrapers.reading`.
"""

__all__ = ["claim_diff", "text_diff"]
