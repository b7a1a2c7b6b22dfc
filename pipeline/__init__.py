"""Extracts claims from articles on the oversight of AI, groups them into events, and stores and serves them.

The names below are the public interface. The packages are its parts: `lexicon` (what is known), `nlp` (article to
claims), `aggregation` (claims to events), `ledger` (SQLite), `newsroom` (the demo's invented world), `accuracy` (stored
figures), `site` (Datasette), `app` (what runs), `evaluation` and `commands`. Imports `scrapers`, never the reverse.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.aggregation.aggregate import Aggregate
    from pipeline.api import Ledger, aggregate, extract, load
    from pipeline.records import (
        Attribution,
        Claim,
        Contradiction,
        DateSpan,
        Entity,
        EntityKind,
        Event,
        Evidence,
        Findings,
        Force,
        Modality,
        Origin,
        Participant,
    )

__all__ = [
    "Aggregate", "Attribution", "Claim", "Contradiction", "DateSpan", "Entity", "EntityKind", "Event", "Evidence",
    "Findings", "Force", "Ledger", "Modality", "Origin", "Participant", "aggregate", "extract", "load",
]  # fmt: skip
_MODULES = {
    **dict.fromkeys(__all__, "pipeline.records"),
    **dict.fromkeys(("Ledger", "aggregate", "extract", "load"), "pipeline.api"),
    "Aggregate": "pipeline.aggregation.aggregate",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: `import pipeline` itself stays cheap."""
    if name not in _MODULES:
        raise AttributeError(f"module 'pipeline' has no attribute '{name}'")
    return getattr(importlib.import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
