"""Dates the claims of an article.

`expressions` finds time expressions, `normalise` gives them values by `calendar`, `anaphora` resolves those that count
from an earlier date, and `event_dates` reads the one that the model points to. It imports the lexicon's month names.
"""

from __future__ import annotations

__all__: list[str] = []
