"""Recomputes the parts of a ledger that a change affects: clusters, origins, events, timelines, entities, review queue.

Each module has one class that keeps its part of the build state. Imported only by `ledger.build`.
"""

__all__ = ["clusters", "contradiction_index", "entities", "events", "origins", "review_queue", "revisions", "timelines"]
