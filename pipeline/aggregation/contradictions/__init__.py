"""Finds claims that cannot all be true: other dates, actors, amounts, legal force or occurrence.

Imports clustering's claim features, records and the lexicon.
"""

__all__ = ["administrations", "amounts", "compare", "find"]
