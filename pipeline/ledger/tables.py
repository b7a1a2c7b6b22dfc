"""What one build found other comes in; the published tables are brought up to date with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from pipeline.ledger.changes import Changes, Happened
from pipeline.ledger.edited import Edited
from pipeline.ledger.happenings import Happenings
from pipeline.ledger.lines import Lines
from pipeline.ledger.originals import Originals
from pipeline.ledger.state import chunks, kept
from pipeline.ledger.world import World
from pipeline.ledger.writing import Writer
from pipeline.records import Event
from pipeline.reviews.decisions import Effect
from pipeline.reviews.rows import review_rows
from pipeline.store.entity_rows import name_rows, related_ids, relation_rows, role_rows
from pipeline.store.rows import claim_participant_rows, claim_row, unsure_claim_row
from pipeline.store.standings import due_row, stage_row
from pipeline.store.tables import (
    Counted,
    Visited,
    conflict_rows,
    entity_rows,
    event_participant_rows,
    event_row,
    name_rows_of,
    origin_row,
    source_rows,
)
from scrapers.health import SourceHealth

_MOST = 500  # events or articles whose rows are held in memory at a time


@dataclass(frozen=True)
class Around:
    """What the ledger shows that is not joined: visits, health, pages that are gone, decisions, facts."""

    visited: Mapping[str, Visited] = field(default_factory=dict)
    health: Mapping[str, SourceHealth] = field(default_factory=dict)
    gone: Mapping[str, date] = field(default_factory=dict)  # article id -> first day on which its page was not there
    effects: tuple[Effect, ...] = ()
    public_names: Mapping[str, str] = field(default_factory=dict)


class Tables:
    """Writes what one build found other."""

    def __init__(self, world: World, writer: Writer, around: Around, happenings: Happenings) -> None:
        self.world, self.state, self.writer, self.around = world, world.state, writer, around
        self.happenings, self.lines = happenings, Lines(world, happenings)
        self._met: Counter[tuple[str, str]] = Counter()  # by how much an entity's counts are other now

    def begin(self, articles: list[str], happened: Happened) -> None:
        """Bring the tables of articles up to date, and take out the events that are gone."""
        self._articles(articles)
        if not self.writer.full:
            self._meet(happened, -1)
        self.lines.begin(happened)
        for some in chunks(sorted(happened.gone), _MOST):
            self._events(some)

    def take(self, ids: list[str]) -> None:
        """Bring the tables of some events and their claims up to date."""
        self._events(ids)
        for id_ in ids:
            self.lines.keep(id_)

    def finish(self, changes: Changes, originals: Originals, happened: Happened, edited: Edited) -> None:
        """Bring up to date what hangs on several events: disagreements, lines, origins, edits."""
        self._withdrawn(changes, originals.ordered(changes.articles))
        if not self.writer.full:
            self._meet(happened, 1)
        self._conflicts(happened)
        for lined in self.lines.update(happened):
            ids = sorted(lined.events | happened.gone)
            stages = sorted(lined.stages, key=lambda s: s.standing_id)
            self._standing_claims(ids, stages)
            self.writer.sync("standings", "event_id", ids, map(stage_row, stages))
            self.writer.sync("due", "event_id", ids, map(due_row, lined.dues))
        if happened.gone:
            ids = sorted(happened.gone)
            self._standing_claims(ids, [])
            for table in ("standings", "due"):
                self.writer.sync(table, "event_id", ids, [])
        self._origins(originals)
        self._gaps(changes.gaps)
        for some in chunks(sorted(edited.touched(changes, happened)), _MOST):
            found = [edited.rows(id_) for id_ in some]
            self.writer.sync("article_edits", "article_id", some, [r for rows, _ in found for r in rows])
            self.writer.sync("revisions", "article_id", some, [r for _, rows in found for r in rows])

    def _articles(self, ids: list[str]) -> None:
        moved = {
            id_ for id_, day in self.writer.db.execute(
                "select article_id, gone_on from main.articles where gone_on is not null"
            ) if id_ not in self.around.gone or self.around.gone[id_].isoformat() != day
        }  # fmt: skip
        for some in chunks(dict.fromkeys((*ids, *sorted({*moved, *self.around.gone}))), _MOST):
            rows, versions = [], []
            for id_ in some:
                shown = self.world.shown(id_)
                if shown is None:
                    continue
                n = self.state.one("select count(*) from joined.cases where article_id = ?", (id_,))
                origin = self.state.one("select origin_id from joined.stories where article_id = ?", (id_,))
                gone = self.around.gone.get(id_)
                rows.append(shown.row | {"n_claims": n, "origin_id": origin or None,
                                        "gone_on": gone.isoformat() if gone else None})  # fmt: skip
                versions += shown.versions
            self.writer.sync("articles", "article_id", some, rows)
            self.writer.sync("article_versions", "article_id", some, versions)

    def _events(self, ids: list[str]) -> None:
        world, events, parties, claims, participants = self.world, [], [], [], []
        for id_ in ids:
            event: Event | None = world.events.get(id_)
            if event is None:
                continue
            members = self.happenings.claims_of(id_)
            events.append(event_row(event, members, world.articles, world.sources))
            parties += event_participant_rows(id_, members)
            sql = "select claim_id, origin_id, mark from joined.cases where event_id = ?"
            more = {row[0]: row[1:] for row in self.state.rows(sql, (id_,))}
            for claim in members:
                origin_id, mark = more[claim.claim_id]
                article = world.articles[claim.evidence.article_id]
                claims.append(claim_row(claim, article, id_, origin_id) | {"reviewed": mark})
                participants += claim_participant_rows(claim)
        self.writer.sync("events", "event_id", ids, events)
        self.writer.sync("event_participants", "event_id", ids, parties)
        claim_ids = [row["claim_id"] for row in claims]
        self.writer.sync("claims", "claim_id", claim_ids, claims)
        self.writer.sync("claim_participants", "claim_id", claim_ids, participants)

    def _withdrawn(self, changes: Changes, articles: list[str]) -> None:
        """Take out the claims that are gone, and write those of some articles that are too unsure."""
        ids = {claim.claim_id for claim, _, _ in changes.removed}
        here = "select 1 from joined.cases where claim_id = ?"
        gone = sorted(id_ for id_ in ids if not self.state.has(here, (id_,)))
        for table in ("claims", "claim_participants"):
            self.writer.sync(table, "claim_id", gone, [])
        for some in chunks(articles, _MOST):
            rows = [
                unsure_claim_row(kept(blob), self.world.articles[id_])
                for id_ in some
                for blob in self.state.column(
                    "select claim from joined.unsure where article_id = ? order by claim_id", (id_,)
                )
            ]
            self.writer.sync("unsure_claims", "article_id", some, rows)

    def _gaps(self, names: set[str]) -> None:
        """Write the unknown names of which any article tells otherwise."""
        sql = (
            "select name, kind, count(*), sum(n), min(article_id), example from joined.gaps where name = ? "
            "group by name, kind order by name, kind"
        )
        columns = ("name", "kind", "n_articles", "n_mentions", "example_article_id", "example")
        for some in chunks(sorted(names), _MOST):
            rows = (dict(zip(columns, row, strict=True)) for name in some for row in self.state.rows(sql, (name,)))
            self.writer.sync("lexicon_gaps", "name", some, rows)

    def _conflicts(self, happened: Happened) -> None:
        for some in chunks(sorted(happened.conflicts | happened.gone), _MOST):
            blobs = (self.state.one("select found from joined.conflicts where event_id = ?", (id_,)) for id_ in some)
            rows, values = conflict_rows(c for blob in blobs if blob for c in kept(blob))
            sql = "select conflict_id from main.conflicts where event_id = ?"
            ids = {r["conflict_id"] for r in rows}
            if not self.writer.full:
                ids.update(row[0] for id_ in some for row in self.writer.db.execute(sql, (id_,)))
            self.writer.sync("conflict_values", "conflict_id", sorted(ids), values)
            self.writer.sync("conflicts", "event_id", some, rows)

    def _standing_claims(self, event_ids: list[str], stages) -> None:
        ids = {s.standing_id for s in stages}
        if not self.writer.full:
            sql = "select standing_id from main.standings where event_id = ?"
            ids.update(row[0] for id_ in event_ids for row in self.writer.db.execute(sql, (id_,)))
        rows = [{"standing_id": s.standing_id, "claim_id": c} for s in stages for c in s.claim_ids]
        self.writer.sync("standing_claims", "standing_id", sorted(ids), rows)

    def _origins(self, originals: Originals) -> None:
        for some in chunks(sorted(originals.changed_origins), _MOST):
            found = (
                self.state.db.execute("select origin, n from joined.origins where origin_id = ?", (id_,)).fetchone()
                for id_ in some
            )
            rows = [origin_row(kept(row[0]), row[1]) for row in found if row]
            self.writer.sync("origins", "origin_id", some, rows)
        names = ("article_id", "to_article_id", "to_name", "basis", "detail")
        where = " and ".join(f"{name} = ?" for name in names)
        rows = [
            dict(zip(names, edge, strict=True)) | {"to_article_id": edge[1] or None}
            for edge in sorted(originals.changed_edges)
            if self.state.has(f"select 1 from joined.edges where {where}", edge)
        ]
        if not self.writer.full:
            gone = "delete from main.origin_edges where article_id = ? and to_article_id is ? and to_name = ?"
            self.writer.db.executemany(
                f"{gone} and basis = ? and detail = ?",
                [(e[0], e[1] or None, *e[2:]) for e in originals.changed_edges],
            )
        self.writer.add("origin_edges", rows)

    def _meet(self, happened: Happened, sign: int) -> None:
        """Count the entities that are met in the events that change out (-1) or in (1) again."""
        sql = (
            "select entity_id, count(distinct claim_id) from main.claims cross join main.claim_participants "
            "using (claim_id) where event_id = ? group by entity_id"
        )
        for id_ in sorted(happened.events | happened.gone):
            for entity_id, n in self.writer.db.execute(sql, (id_,)):
                self._met[entity_id, "n_events"] += sign
                self._met[entity_id, "n_claims"] += sign * n

    def _keep_met(self) -> None:
        """Bring up to date in how many events and claims each entity is met."""
        db = self.writer.db
        if self.writer.full:
            db.execute(
                "insert into joined.met select entity_id, count(distinct event_id), count(distinct claim_id) "
                "from main.claim_participants join main.claims using (claim_id) group by entity_id"
            )
            return
        for (entity_id, column), n in self._met.items():
            if n:
                db.execute("insert or ignore into joined.met values (?, 0, 0)", (entity_id,))
                db.execute(f"update joined.met set {column} = {column} + ? where entity_id = ?", (n, entity_id))
        db.execute("delete from joined.met where n_claims = 0")

    def count(self) -> None:
        """Write what is counted over the whole ledger: sources, entities, decisions, facets."""
        world, writer = self.world, self.writer
        rows, outcomes = source_rows(world.sources, self._counted(), self.around.visited, self.around.health)
        writer.sync_all("sources", rows)
        writer.sync_all("outcomes", outcomes)
        self._entities()
        claim_event = world.event_of
        writer.sync_all("reviews", review_rows(self.around.effects, self.around.public_names, claim_event))
        writer.count_facets()

    def _counted(self) -> dict[str, Counted]:
        kept_ = dict(self.state.rows("select source_id, count(*) from joined.known group by source_id"))
        sql = (
            "select source_id, count(*), min(published_on), max(published_on), min(article_id) from main.articles "
            "group by source_id"
        )
        found = {id_: Counted(n) for id_, n in kept_.items()}
        for id_, n, first, last, article_id in self.writer.db.execute(sql).fetchall():
            title = "" if id_ in self.world.sources else self.world.articles[article_id].publisher
            found[id_] = Counted(kept_.get(id_, 0), n, first, last, title)
        return found

    def _entities(self) -> None:
        world, writer = self.world, self.writer
        self._keep_met()
        seen = {row[0]: (row[1], row[2]) for row in self.state.rows("select * from joined.met")}
        lexicon = world.lexicon
        roles, relations = (lexicon.roles, lexicon.relations) if lexicon else ((), ())
        rows = entity_rows(seen, world.entity_of, related_ids(seen, roles, relations))
        known = {row["entity_id"] for row in rows}
        writer.sync_all("entities", rows)
        writer.sync_all("entity_roles", role_rows(roles, known))
        writer.sync_all("entity_relations", relation_rows(rows, relations))
        writer.sync_all("entity_names", name_rows_of(name_rows(lexicon), rows))
