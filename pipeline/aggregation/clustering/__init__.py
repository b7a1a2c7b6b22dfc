"""Groups claims that report the same event and merges each group into one Event.

Imports only records, the lexicon and the summaries that describe an event.
"""

__all__ = ["cluster", "features", "late_claims", "merge", "similarity", "stages"]
