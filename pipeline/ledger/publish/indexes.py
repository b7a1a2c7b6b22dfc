"""Creates the indexes of the published ledger, after the rows are inserted.

A facet page must never read the table itself. With a single-column index and a filter on the date, SQLite walks the
index and looks up every row. So the index of each facet column covers all other facet columns and the date.
"""

from __future__ import annotations

import sqlite3

FACETS = {
    "events": (
        "type", "modality", "jurisdiction", "stage", "direction", "force", "origins_band", "contradicted",
        "closest_source_type", "event_month",
    ),
    "claims": ("type", "modality", "newness", "force", "attribution_kind", "direction", "source_id"),
    "unsure_claims": ("type", "modality", "newness", "source_id"),
    "timeline_entries": ("matter", "modality", "stage", "contradicted"),
    "upcoming": ("kind", "fate", "modality"),
    "articles": ("source_id", "access", "has_affiliate_content", "published_basis"),
}  # fmt: skip
_DATE = {
    "events": "date_start", "claims": "published_on", "unsure_claims": "published_on", "articles": "published_on",
    "timeline_entries": "sure_from", "upcoming": "due_end",
}  # fmt: skip
_LOOKUPS = (
    ("events", "first_reported_on"),
    ("events", "last_reported_on"),
    ("events", "date_start"),
    ("event_participants", "entity_id, event_id, role"),
    ("claims", "event_id"),
    ("claims", "article_id, version"),
    ("claims", "origin_id"),
    ("claims", "published_on"),
    ("claim_participants", "entity_id, claim_id"),
    ("unsure_claims", "article_id"),
    ("unsure_claims", "confidence"),
    ("contradictions", "event_id"),
    ("contradiction_sides", "claim_id"),
    ("articles", "origin_id"),
    ("articles", "published_on"),
    ("origin_edges", "article_id"),
    ("origin_edges", "to_article_id"),
    ("entities", "parent_id"),
    ("entities", "n_events"),
    ("event_redirects", "event_id"),
    ("event_redirects", "gone_on"),
    ("timeline_entries", "timeline_id, position"),
    ("timeline_entries", "actor_id, sure_from, timeline_id"),
    ("timeline_entries", "counterpart_id, sure_from, timeline_id"),
    ("timeline_entries", "thing_id, sure_from, timeline_id"),
    ("timeline_entries", "sure_from"),
    ("timeline_entries", "event_id"),
    ("timeline_entries", "matter, sure_from, timeline_id"),
    ("timeline_claims", "claim_id"),
    ("upcoming", "due_end, due_start, fate"),
    ("upcoming", "due_start"),
    ("upcoming", "event_id"),
    ("upcoming", "claim_id"),
    ("entity_roles", "body_id"),
    ("entity_relations", "other_id"),
    ("revisions", "event_id"),
    ("revisions", "article_id, nth"),
    ("revisions", "new_claim_id"),
    ("revisions", "seen_on"),
    ("reviews", "event_id"),
    ("reviews", "article_id"),
)


def create_indexes(connection: sqlite3.Connection) -> None:
    """Create the indexes that do not exist yet."""
    for table, facets in FACETS.items():
        for column in facets:
            others = [name for name in facets if name != column]
            _create(connection, table, f"facet_{column}", ", ".join([column, *others, _DATE[table]]))
    for table, columns in _LOOKUPS:
        _create(connection, table, columns.split(",")[0], columns)


def _create(connection: sqlite3.Connection, table: str, name: str, columns: str) -> None:
    connection.execute(f"create index if not exists {table}_by_{name} on {table} ({columns})")
