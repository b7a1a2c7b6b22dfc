"""All SQL of the site's own pages: a snapshot and an id or filter come in, plain dictionaries go out."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np

from pipeline.site.facets.counts import day_number

Row = dict[str, Any]

EVENT_COLUMNS = (
    "e.event_id, e.type, e.modality, e.summary, e.stage, e.direction, e.force, e.jurisdiction, e.date_start, "
    "e.date_end, e.date_precision, e.event_month, e.n_claims, e.n_articles, e.n_origins, e.origins_band, "
    "e.contradicted, "
    "e.closest_source_type, e.confidence, e.first_reported_on, e.last_reported_on"
)
TIMELINE_MONTHS = 18
HITS, MOST_RANKED = 20, 3_000  # shown on the page of a search; that are ranked by how well they fit
EVENTS_ON_PAGE = 100  # an entity's events on its own page; the table shows the rest


async def many(db: Any, sql: str, params: Sequence | dict = ()) -> list[Row]:
    """Return all rows of a query as dictionaries."""
    return [dict(row) for row in (await db.execute(sql, params)).rows]


async def one(db: Any, sql: str, params: Sequence | dict = ()) -> Row | None:
    """Return the first row of a query, or None."""
    rows = await many(db, sql, params)
    return rows[0] if rows else None


def _marks(values: Sequence) -> str:
    return ", ".join("?" * len(values))


async def facts(db: Any) -> dict[str, str]:
    """Return the facts of the snapshot: when and from what it was built."""
    return {row["key"]: row["value"] for row in await many(db, "select key, value from build_info order by key")}


async def last_day(db: Any) -> str:
    """Return the last day that the ledger knows of: that of its newest article; "" for an empty ledger."""
    row = await one(db, "select max(published_on) as day from articles")
    return (row or {}).get("day") or ""


async def with_parties(db: Any, events: list[Row]) -> list[Row]:
    """Add to each event its `parties`, in the order of roles: actor, target, object, instrument, affected, body."""
    ids = [event["event_id"] for event in events]
    parties: dict[str, list[Row]] = defaultdict(list)
    if ids:
        sql = f"""
            select p.event_id, p.role, p.n_claims, n.entity_id, n.name, n.kind
            from event_participants p join entities n using (entity_id)
            where p.event_id in ({_marks(ids)})
            order by p.event_id, instr('actor target object instrument affected body', p.role), p.n_claims desc, n.name
        """
        for row in await many(db, sql, ids):
            parties[row["event_id"]].append(row)
    return [event | {"parties": parties[event["event_id"]]} for event in events]


async def latest_events(db: Any, size: int = 12, since: str = "") -> list[Row]:
    """Return the events that were newly reported last: those only recalled as background are left out.

    `since`: only those first reported on that day or later.
    """
    counts = db.counts("events")
    reported = counts.days["first_reported_on"]
    mask = db.arrays.newly_told & (reported >= day_number(since)) & (reported > 0)
    return await with_parties(db, await _newest_events(db, mask, "first_reported_on", "n_origins desc", size))


async def _newest_events(db: Any, mask: np.ndarray, day: str, then: str, size: int) -> list[Row]:
    """Return the events of a mask with the latest days in a column, in the order of that day and of `then`."""
    counts = db.counts("events")
    rowids = counts.newest(mask, counts.days[day], size)
    sql = f"""
        select {EVENT_COLUMNS} from events e where e.rowid in ({", ".join(map(str, rowids))})
        order by e.{day} desc, {then}, e.event_id limit ?
    """
    return await many(db, sql, [size])


async def disputed(db: Any, size: int = 5) -> list[Row]:
    """Return the contradicted events reported on last, each with its `contradictions`."""
    mask = db.counts("events").chosen([("contradicted", "in", ("1",))], ())
    events = await _newest_events(db, mask, "last_reported_on", "e.event_id", size)
    ids = [event["event_id"] for event in events]
    found: dict[str, list[Row]] = defaultdict(list)
    if ids:
        for row in await many(
            db,
            f"select event_id, field, summary from contradictions where event_id in ({_marks(ids)}) order by field",
            ids,
        ):
            found[row["event_id"]].append(row)
    return [event | {"contradictions": found[event["event_id"]]} for event in await with_parties(db, events)]


async def months_and_types(db: Any, until: str) -> list[Row]:
    """Return how many events of each type happened in each month, for the last months up to the month `until`."""
    if not until:
        return []
    counts, since = db.counts("events"), months_before(until, TIMELINE_MONTHS - 1)
    found = counts.crossed("event_month", "type", counts.chosen([("modality", "in", ("occurred",))], ()))
    return [{"event_month": month, "type": kind, "n": n} for month, kind, n in found if since <= str(month) <= until]


def months_before(month: str, n: int) -> str:
    """Return the month n months before: ("2026-01", 1) gives "2025-12"."""
    index = int(month[:4]) * 12 + int(month[5:7]) - 1 - n
    return f"{index // 12:04d}-{index % 12 + 1:02d}"


async def coverage(db: Any) -> Row:
    """Return what the ledger rests on: counts, first and last day, last visit, and sources in trouble."""
    counts = await db.table_counts()
    row = (
        await one(
            db,
            """
        select sum(source_type <> 'unknown' and health not like 'switched off%') as n_sources,
            sum(health like 'switched off%') as n_off, sum(n_articles > 0) as n_with_articles,
            max(last_visit_at) as last_visit_at,
            min(first_article_on) as first_on, max(last_article_on) as last_on,
            sum(last_visit_at is not null and (last_success_at is null or last_success_at < last_visit_at)) as
            n_failing,
            sum(last_visit_at is null and source_type <> 'unknown' and health not like 'switched off%') as n_never
        from sources""",
        )
        or {}
    )
    troubled = await many(
        db, "select source_id, title, alarms, last_article_on from sources where alarms <> '' order by title limit 200"
    )
    row["troubled"] = troubled
    return row | {name: counts.get(name) or 0 for name in ("articles", "claims", "events", "entities")}


async def event(db: Any, event_id: str) -> Row | None:
    """Return one event with its parties, or None."""
    row = await one(db, f"select {EVENT_COLUMNS} from events e where e.event_id = ?", [event_id])
    return (await with_parties(db, [row]))[0] if row else None


async def redirect(db: Any, event_id: str) -> Row | None:
    """Return where an old event went: event_id (None: withdrawn) and reason."""
    return await one(db, "select event_id, reason from event_redirects where old_event_id = ?", [event_id])


CLAIM_COLUMNS = (
    "c.claim_id, c.event_id, c.article_id, c.source_id, c.origin_id, c.type, c.modality, c.direction, c.force, "
    "c.newness, c.date_start, c.date_end, c.date_precision, c.date_basis, c.date_said, c.attribution_kind, "
    "c.attribution_name, c.quote, c.quote_start, c.quote_end, c.trigger, c.trigger_start, c.trigger_end, "
    "c.confidence, c.rule, c.published_on"
)


async def _with_participants(db: Any, claims: list[Row]) -> list[Row]:
    ids = [claim["claim_id"] for claim in claims]
    parties: dict[str, list[Row]] = defaultdict(list)
    for i in range(0, len(ids), 500):
        some = ids[i : i + 500]
        sql = f"""
            select claim_id, role, entity_id, name, text, start, end from claim_participants
            where claim_id in ({_marks(some)}) order by claim_id, position
        """
        for row in await many(db, sql, some):
            parties[row["claim_id"]].append(row)
    return [claim | {"participants": parties[claim["claim_id"]]} for claim in claims]


async def claims_of_event(db: Any, event_id: str) -> list[Row]:
    """Return an event's claims with article, source, origin and participants, by day of publication."""
    sql = f"""
        select {CLAIM_COLUMNS}, a.url, a.title as article_title, a.published_at, a.fetched_at, a.access, a.gone_on,
            s.title as source_title, s.source_type, o.kind as origin_kind, o.label as origin_label,
            o.lead_article_id, o.n_articles as origin_articles
        from claims c join articles a using (article_id) join sources s on s.source_id = c.source_id
            left join origins o on o.origin_id = c.origin_id
        where c.event_id = ?
        order by c.published_on, instr('primary lab wire press trade aggregator', s.source_type), c.article_id,
            c.quote_start limit 500
    """
    return await _with_participants(db, await many(db, sql, [event_id]))


async def credits_of(db: Any, article_ids: Sequence[str]) -> list[Row]:
    """Return the origin edges of articles: what each was put under, and why.

    Where one credit of a publisher was found in the ledger, a second credit of the same one says nothing more.
    """
    ids = list(article_ids)[:500]
    if not ids:
        return []
    sql = f"""
        select x.article_id, x.to_article_id, x.to_name, x.basis, x.detail, t.title as to_title
        from origin_edges x left join articles t on t.article_id = x.to_article_id
        where x.article_id in ({_marks(ids)}) order by x.article_id, x.basis
    """
    edges = await many(db, sql, ids)
    found = {(edge["article_id"], edge["to_name"]) for edge in edges if edge["to_article_id"]}
    return [edge for edge in edges if edge["to_article_id"] or (edge["article_id"], edge["to_name"]) not in found]


async def related_events(db: Any, event_id: str, size: int = 6) -> list[Row]:
    """Return events that share most parties with this one (an instrument or model counts double), nearest first."""
    sql = f"""
        with mine as (
            select p.entity_id, max(case when n.kind in ('instrument', 'model') then 2 else 1 end) as weight
            from event_participants p join entities n using (entity_id)
            where p.event_id = :id and n.n_events < 5000 group by p.entity_id
        ), shared as (
            select p.event_id, sum(mine.weight) as score
            from mine join event_participants p using (entity_id) where p.event_id <> :id
            group by p.event_id having score >= 2 order by score desc limit 200
        )
        select {EVENT_COLUMNS} from shared join events e using (event_id)
        order by shared.score desc, abs(julianday(coalesce(e.date_start, e.first_reported_on)) -
            julianday((select coalesce(date_start, first_reported_on) from events where event_id = :id))), e.event_id
        limit :size
    """
    return await with_parties(db, await many(db, sql, {"id": event_id, "size": size}))


async def entity(db: Any, entity_id: str) -> Row | None:
    """Return an entity with its names, parent and children, or None."""
    row = await one(
        db,
        "select e.*, p.name as parent_name from entities e left join entities p on p.entity_id = e.parent_id "
        "where e.entity_id = ?",
        [entity_id],
    )
    if not row:
        return None
    names = await many(
        db,
        "select name, kind, used_from, used_until from entity_names where entity_id = ? "
        "order by coalesce(used_from, ''), name",
        [entity_id],
    )
    children = await many(
        db,
        "select entity_id, name, kind, n_events from entities where parent_id = ? "
        "order by n_events desc, name limit 24",
        [entity_id],
    )
    return row | {"names": names, "children": children}


async def events_of_entity(db: Any, entity_id: str) -> list[Row]:
    """Return an entity's newest events, each once with the entity's `roles` in it, the newest date first."""
    counts = db.counts("events")
    mask = counts.chosen((), [("", (entity_id,))])
    shown = np.where(counts.days["date_start"] > 0, counts.days["date_start"], counts.days["first_reported_on"])
    rowids = counts.newest(mask, shown, EVENTS_ON_PAGE)[: 5 * EVENTS_ON_PAGE]
    sql = f"""
        select {EVENT_COLUMNS}, (select group_concat(p.role) from event_participants p
            where p.event_id = e.event_id and p.entity_id = ?) as roles
        from events e where e.rowid in ({_marks(rowids)})
        order by coalesce(e.date_start, e.first_reported_on) desc, e.event_id limit ?
    """
    return await with_parties(db, await many(db, sql, [entity_id, *rowids, EVENTS_ON_PAGE]))


async def years_of_entity(db: Any, entity_id: str) -> list[Row]:
    """Return how many events an entity has by year and modality ("" where no date is known)."""
    counts = db.counts("events")
    found = counts.by_year(counts.chosen((), [("", (entity_id,))]))
    return [{"year": year, "modality": modality, "n": n} for year, modality, n in found]


async def companions(db: Any, entity_id: str, size: int = 12) -> list[Row]:
    """Return the entities that take part in the same events most often."""
    counts = db.counts("events")
    found = counts.parties(counts.chosen((), [("", (entity_id,))]), "", "", size + 1)
    return [{"entity_id": id_, "name": name, "n": n} for id_, name, n in found if id_ != entity_id][:size]


async def article(db: Any, article_id: str) -> Row | None:
    """Return an article's metadata with its source, or None."""
    sql = """
        select a.*, s.title as source_title, s.source_type, s.homepage, o.label as origin_label, o.kind as origin_kind,
            o.lead_article_id, o.n_articles as origin_articles
        from articles a join sources s using (source_id) left join origins o on o.origin_id = a.origin_id
        where a.article_id = ?
    """
    return await one(db, sql, [article_id])


async def claims_of_article(db: Any, article_id: str) -> list[Row]:
    """Return an article's claims with participants and their events' sentences, in the order of the text."""
    sql = f"""
        select {CLAIM_COLUMNS}, e.summary from claims c join events e using (event_id)
        where c.article_id = ? order by c.quote_start, c.trigger_start, c.claim_id limit 500
    """
    return await _with_participants(db, await many(db, sql, [article_id]))


async def unsure_claims_of_article(db: Any, article_id: str) -> int:
    """Return how many claims of an article wait for review; 0 in a ledger of a program that did not keep them."""
    if "unsure_claims" not in await db.table_counts():
        return 0
    row = await one(db, "select count(*) as n from unsure_claims where article_id = ?", [article_id])
    return (row or {}).get("n") or 0


async def versions_of_article(db: Any, article_id: str) -> list[Row]:
    """Return the versions of an article's text, the oldest first."""
    sql = "select * from article_versions where article_id = ? order by first_seen_at, version"
    return await many(db, sql, [article_id])


async def articles_resting_on(db: Any, article_id: str, size: int = 30) -> list[Row]:
    """Return articles that rest on this one: copies, agency copy, credits."""
    sql = """
        select x.article_id, x.basis, x.detail, a.title, s.title as source_title, a.published_on
        from origin_edges x join articles a on a.article_id = x.article_id join sources s using (source_id)
        where x.to_article_id = ? order by a.published_on, x.article_id limit ?
    """
    return await many(db, sql, [article_id, size])


async def sources(db: Any) -> list[Row]:
    """Return all sources with their `outcomes` (what became of visits), by standing and title."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in await many(db, "select source_id, outcome, n from fetch_outcomes order by source_id, n desc"):
        found[row["source_id"]].append(row)
    rows = await many(
        db,
        "select * from sources "
        "order by instr('primary lab wire press trade aggregator', source_type), title collate nocase",
    )
    return [row | {"outcomes": found[row["source_id"]]} for row in rows]


async def busiest_entities(db: Any, size: int = 150) -> list[Row]:
    """Return the entities with most events, for the filter form's suggestions."""
    sql = "select entity_id, name, n_events from entities where n_events > 0 order by n_events desc, name limit ?"
    return await many(db, sql, [size])


async def entity_ids_named(db: Any, text: str) -> list[str]:
    """Return the ids of the entities that have this id or bear this name, whatever its capitals; at most 20."""
    sql = """
        select entity_id from entities where entity_id = :text
        union select entity_id from entities where name = :text collate nocase
        union select entity_id from entity_names where name = :text collate nocase
        limit 20
    """
    return [row["entity_id"] for row in await many(db, sql, {"text": text.strip()})]


async def entity_ids_like(db: Any, text: str, size: int) -> list[str]:
    """Return the ids of the busiest entities that bear, or once bore, a name with these words in it."""
    sql = """
        select entity_id from entities where n_events > 0 and entity_id in (
            select entity_id from entities where name like :pattern escape '\\'
            union select entity_id from entity_names where name like :pattern escape '\\'
        ) order by n_events desc, entity_id limit :size
    """
    return [row["entity_id"] for row in await many(db, sql, {"pattern": like_pattern(text), "size": size})]


def fts_query(text: str) -> str:
    """Return a full-text query that finds all words of `text`, the last one also as a beginning; "" for no words."""
    words = re.findall(r"\w+", text)[:12]
    if not words:
        return ""
    return " ".join([f'"{word}"' for word in words[:-1]] + [f'"{words[-1]}"*'])


def like_pattern(text: str) -> str:
    """Return a LIKE pattern (escape character \\) for names that contain `text`."""
    escaped = re.sub(r"([\\%_])", r"\\\1", text.strip()[:60])
    return f"%{escaped}%"


async def search(db: Any, text: str) -> dict[str, list[Row]]:
    """Return what a reader's words find: `entities` by any of their names, `events`, `quotes`, `articles` by title."""
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
    rowids = db.arrays.titled(text, 12)
    sql = f"""
        select a.article_id, a.title, a.published_on, s.title as source_title, a.n_claims
        from articles a join sources s using (source_id)
        where a.rowid in ({_marks(rowids)}) order by a.published_on desc, a.article_id"""
    articles = await many(db, sql, rowids)
    return {
        "entities": entities,
        "events": await with_parties(db, events),
        "quotes": quotes,
        "articles": articles,
    }


async def _hits(db: Any, table: str, match: str) -> np.ndarray:
    """Return the row ids that a full-text query finds, as many as there are."""

    counts = db.counts(table)
    if (known := counts.remembered(("hits", match))) is not None:
        return known

    def find(connection: Any) -> np.ndarray:
        cursor = connection.cursor()
        cursor.row_factory = None  # numbers alone: no need to be counted
        found = cursor.execute(f"select rowid from {table}_fts where {table}_fts match ?", [match])
        return np.fromiter(chain.from_iterable(found), dtype=np.int64)

    hits = await db.execute_fn(find)
    counts.remember(("hits", match), hits)
    return hits


async def _best(db: Any, table: str, day: str, match: str) -> tuple[str, Sequence]:
    """Return SQL, with its parameters, for the row ids of the best hits: by rank; of very many the newest."""
    hits = await _hits(db, table, match)
    if len(hits) <= MOST_RANKED:
        return f"select rowid, rank from {table}_fts where {table}_fts match ? order by rank limit {HITS}", [match]
    counts = db.counts(table)
    rowids = counts.newest(counts.chosen_rows(hits), counts.days[day], HITS)[: 10 * HITS]
    marks = ", ".join(map(str, rowids))
    return f"select rowid, rowid as rank from {table} where rowid in ({marks}) order by {day} desc limit {HITS}", []


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
