"""Full-text search over entities, events, quotes and article titles."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np

from pipeline.site.queries.common import EVENT_COLUMNS, Row, many, marks, with_parties

HITS, MOST_RANKED = 20, 3_000  # results on a search page; above MOST_RANKED hits, the newest replace the best


def fts_query(text: str) -> str:
    """Return an FTS query for all words of `text`, the last one as a prefix; "" for no words."""
    words = re.findall(r"\w+", text)[:12]
    if not words:
        return ""
    return " ".join([f'"{word}"' for word in words[:-1]] + [f'"{words[-1]}"*'])


def like_pattern(text: str) -> str:
    r"""Return a LIKE pattern (escape character \) for names that contain `text`."""
    escaped = re.sub(r"([\\%_])", r"\\\1", text.strip()[:60])
    return f"%{escaped}%"


async def search(db: Any, text: str) -> dict[str, list[Row]]:
    """Return search results: `entities` by any name, `events`, `quotes`, and `articles` by title."""
    match = fts_query(text)
    if not match:
        return {"entities": [], "events": [], "quotes": [], "articles": []}
    pattern = {"pattern": like_pattern(text), "size": 12}
    entities = await many(
        db,
        """
        select n.entity_id, n.name, n.kind, n.n_events, max(m.name) as matched from entities n join (
            select entity_id, name from entities where name like :pattern escape '\\'
            union all select entity_id, name from entity_names where name like :pattern escape '\\'
        ) m using (entity_id) group by n.entity_id order by n.n_events desc, n.name limit :size""",
        pattern,
    )
    events = await _events_by_words(db, match)
    quotes = await _quotes_by_words(db, match)
    rowids = db.arrays.with_title(text, 12)
    sql = f"""
        select a.article_id, a.title, a.published_on, s.title as source_title, a.n_claims
        from articles a join sources s using (source_id)
        where a.rowid in ({marks(rowids)}) order by a.published_on desc, a.article_id"""
    articles = await many(db, sql, rowids)
    return {
        "entities": entities,
        "events": await with_parties(db, events),
        "quotes": quotes,
        "articles": articles,
    }


async def _hits(db: Any, table: str, match: str) -> np.ndarray:
    """Return the row ids of all matches of a full-text query."""
    counts = db.counts(table)
    if (known := counts.remembered(("hits", match))) is not None:
        return known

    def find(connection: Any) -> np.ndarray:
        cursor = connection.cursor()
        cursor.row_factory = None  # plain numbers, so the Meter is not needed
        found = cursor.execute(f"select rowid from {table}_fts where {table}_fts match ?", [match])
        return np.fromiter(chain.from_iterable(found), dtype=np.int64)

    hits = await db.execute_fn(find)
    counts.remember(("hits", match), hits)
    return hits


async def _best(db: Any, table: str, day: str, match: str) -> tuple[str, Sequence]:
    """Return SQL and parameters for the row ids of the best matches by rank, or of the newest if there are many."""
    hits = await _hits(db, table, match)
    if len(hits) <= MOST_RANKED:
        return f"select rowid, rank from {table}_fts where {table}_fts match ? order by rank limit {HITS}", [match]
    counts = db.counts(table)
    rowids = counts.newest(counts.chosen_rows(hits), counts.days[day], HITS)[: 10 * HITS]
    ids = ", ".join(map(str, rowids))
    return f"select rowid, rowid as rank from {table} where rowid in ({ids}) order by {day} desc limit {HITS}", []


async def _events_by_words(db: Any, match: str) -> list[Row]:
    hits, params = await _best(db, "events", "first_reported_on", match)
    sql = f"select {EVENT_COLUMNS} from ({hits}) f cross join events e on e.rowid = f.rowid"
    return await many(db, sql, params)


async def _quotes_by_words(db: Any, match: str) -> list[Row]:
    hits, params = await _best(db, "claims", "published_on", match)
    sql = f"""
        select c.claim_id, c.event_id, c.modality, c.article_id, c.published_on, c.quote, s.title as source_title
        from ({hits}) f cross join claims c on c.rowid = f.rowid join sources s using (source_id)"""
    return await many(db, sql, params)
