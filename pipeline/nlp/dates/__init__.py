"""Dates the claims of an article.

`expressions` finds time expressions, `normalise` gives them values, `clauses` and `resolve` choose the one that dates a
trigger, and `document` lets the claims of one article date each other. It imports `pipeline.nlp.parsing` and the
lexicon.
"""

from __future__ import annotations

__all__: list[str] = []
