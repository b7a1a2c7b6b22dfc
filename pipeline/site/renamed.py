"""Former names of pages, tables and columns. Links to the old addresses are redirected."""

from __future__ import annotations

RENAMED_PATHS = {
    "/questions": "/queries",
    "/due": "/upcoming",
    "/oversight/conflicts": "/oversight/contradictions",
    "/oversight/conflict_values": "/oversight/contradiction_sides",
    "/oversight/standings": "/oversight/timeline_entries",
    "/oversight/standing_claims": "/oversight/timeline_claims",
    "/oversight/due": "/oversight/upcoming",
    "/oversight/facts": "/oversight/build_info",
    "/oversight/outcomes": "/oversight/fetch_outcomes",
    "/oversight/lexicon_gaps": "/oversight/unknown_names",
}
RENAMED_COLUMNS = {
    "mention": "newness",
    "contested": "contradicted",
    "best_standing": "closest_source_type",
    "standing": "source_type",
    "known": "in_lexicon",
    "standing_id": "entry_id",
    "line_id": "timeline_id",
    "due_id": "upcoming_id",
    "conflict_id": "contradiction_id",
}
