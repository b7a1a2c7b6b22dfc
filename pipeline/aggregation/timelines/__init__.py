"""Builds timelines of relations (agreements, bans, cases, laws) and lists upcoming dates.

Imports clustering, summaries and records.
"""

__all__ = ["relations", "status", "upcoming"]
