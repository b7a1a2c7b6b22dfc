"""The versions of an article come in; the one that counts goes out."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.revisions import Edition


def latest_of(editions: Iterable[Edition]) -> Edition | None:
    """Return the version seen last; of several seen at one time the one that was first seen last."""
    return max(editions, key=lambda e: (e.last_seen_at, e.first_seen_at, e.article.version), default=None)
