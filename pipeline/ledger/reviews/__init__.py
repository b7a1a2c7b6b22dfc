"""Reads, writes and applies the editors' decisions, and ranks what they should review next.

Imports the aggregation's records and the lexicon, not the database.
"""

__all__ = ["apply", "decisions", "fields", "file", "links", "locate", "names", "queue", "rows"]
