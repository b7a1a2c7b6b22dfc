"""Turns one article into findings: its claims, the entities in them, credits and unknown names.

`pipeline.nlp.pipeline` is the entry point; the sub-packages are its steps, from relevance to dates. Everything here is
pure: the same article and pipeline give the same findings. It imports `pipeline.lexicon`, the records and `scrapers`.
"""

from __future__ import annotations

from typing import Any

__all__ = ["doc_of", "extract", "extract_many", "load"]


def __getattr__(name: str) -> Any:
    """Import the public names on first use: they need spaCy."""
    if name in __all__:
        from importlib import import_module

        return getattr(import_module("pipeline.nlp.pipeline"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
