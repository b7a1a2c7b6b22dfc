"""Stored accuracy figures, as JSON files, and the table of them that the site and docs/accuracy.md show.

It stands below the site and imports nothing but `pipeline.errors` and `pipeline.versions`.
"""

from __future__ import annotations

from pipeline.accuracy.stored import load_figures, store

__all__ = ["load_figures", "store"]
