"""Stored accuracy figures, as JSON files, and the table of them that the site and docs/accuracy.md show.

It imports `pipeline.evaluation.reliability` and the standard library.
"""

from __future__ import annotations

from pipeline.evaluation.figures.stored import load_figures, store

__all__ = ["load_figures", "store"]
