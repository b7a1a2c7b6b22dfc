"""Updates the published tables with the changes of a build."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from pipeline.aggregation.timelines.status import Stage
from pipeline.ledger.build.changes import Changes, EventChanges
from pipeline.ledger.build.context import BuildContext
from pipeline.ledger.build.recompute.entities import EntityUpdater
from pipeline.ledger.build.recompute.events import EventUpdater
from pipeline.ledger.build.recompute.origins import UNDATED, OriginUpdater
from pipeline.ledger.build.recompute.revisions import RevisionUpdater
from pipeline.ledger.build.recompute.timelines import TimelineUpdater
from pipeline.ledger.build.state import chunks, unpack
from pipeline.ledger.build.writer import Writer
from pipeline.ledger.reviews.decisions import Effect
from pipeline.ledger.reviews.rows import review_rows
from pipeline.ledger.rows.records import Row, claim_participant_rows, claim_row, unsure_claim_row
from pipeline.ledger.rows.tables import (
    Counted,
    Visited,
    contradiction_rows,
    event_participant_rows,
    event_row,
    origin_row,
    source_rows,
)
from pipeline.ledger.rows.timelines import stage_row, upcoming_row
from pipeline.records import Event
from scrapers.crawling.source_health import SourceHealth

_MOST = 500  # events or articles per batch


@dataclass(frozen=True)
class SideInputs:
    """What the ledger shows besides aggregated data: visits, health, removed pages, decisions."""

    visited: Mapping[str, Visited] = field(default_factory=dict)
    health: Mapping[str, SourceHealth] = field(default_factory=dict)
    gone: Mapping[str, date] = field(
        default_factory=dict
    )  # article id -> day on which its page was first found missing
    effects: tuple[Effect, ...] = ()
    public_names: Mapping[str, str] = field(default_factory=dict)


class Tables:
    """Writes the changes of one build."""

    def __init__(
        self, context: BuildContext, writer: Writer, side_inputs: SideInputs, event_updater: EventUpdater
    ) -> None:
        self.context, self.state, self.writer, self.side_inputs = context, context.state, writer, side_inputs
        self.event_updater, self.timelines = event_updater, TimelineUpdater(context, event_updater)
        self.entities = EntityUpdater(context, writer)

    def begin(self, articles: list[str], event_changes: EventChanges) -> None:
        """Update the tables of articles and delete removed events."""
        self._articles(articles)
        self.entities.meet(event_changes, -1)
        self.timelines.begin(event_changes)
        for some in chunks(sorted(event_changes.gone), _MOST):
            self._events(some)

    def take(self, ids: list[str]) -> None:
        """Update the tables of some events and their claims."""
        self._events(ids)
        for id_ in ids:
            self.timelines.keep(id_)

    def finish(
        self, changes: Changes, origin_updater: OriginUpdater, event_changes: EventChanges, edited: RevisionUpdater
    ) -> None:
        """Update what depends on several events: contradictions, timelines, origins, edits."""
        self._withdrawn(changes, origin_updater.ordered(changes.articles))
        self.entities.meet(event_changes, 1)
        self._contradictions(event_changes)
        for timeline_changes in self.timelines.update(event_changes):
            ids = sorted(timeline_changes.events | event_changes.gone)
            stages = sorted(timeline_changes.stages, key=lambda s: s.entry_id)
            self._timeline_claims(ids, stages)
            self.writer.sync("timeline_entries", "event_id", ids, map(stage_row, stages))
            self.writer.sync("upcoming", "event_id", ids, map(upcoming_row, timeline_changes.upcoming))
        if event_changes.gone:
            ids = sorted(event_changes.gone)
            self._timeline_claims(ids, [])
            for table in ("timeline_entries", "upcoming"):
                self.writer.sync(table, "event_id", ids, [])
        self._origins(origin_updater)
        self._unknown_names(changes.unknown_names)
        for some in chunks(sorted(edited.touched(changes, event_changes)), _MOST):
            found = [edited.rows(id_) for id_ in some]
            self.writer.sync("article_edits", "article_id", some, [r for rows, _ in found for r in rows])
            self.writer.sync("revisions", "article_id", some, [r for _, rows in found for r in rows])

    def _articles(self, ids: list[str]) -> None:
        moved = {
            id_ for id_, day in self.state.rows("select article_id, gone_on from joined.gone_articles")
            if id_ not in self.side_inputs.gone or self.side_inputs.gone[id_].isoformat() != day
        }  # fmt: skip
        for some in chunks(dict.fromkeys((*ids, *sorted({*moved, *self.side_inputs.gone}))), _MOST):
            rows: list[Row] = []
            versions: list[Row] = []
            for id_ in some:
                published = self.context.published_rows(id_)
                if published is None:
                    continue
                n = self.state.one("select count(*) from joined.claims where article_id = ?", (id_,))
                origin = self.state.one("select origin_id from joined.articles where article_id = ?", (id_,))
                gone = self.side_inputs.gone.get(id_)
                rows.append(published.row | {"n_claims": n, "origin_id": origin or None,
                                        "gone_on": gone.isoformat() if gone else None})  # fmt: skip
                versions += published.versions
            self.writer.sync("articles", "article_id", some, rows)
            self.state.drop("gone_articles", "article_id", some)
            self.state.put("gone_articles", [(r["article_id"], r["gone_on"]) for r in rows if r["gone_on"]])
            self.writer.sync("article_versions", "article_id", some, versions)

    def _events(self, ids: list[str]) -> None:
        context, events, parties, claims, participants = self.context, [], [], [], []
        for id_ in ids:
            event: Event | None = context.events.get(id_)
            if event is None:
                continue
            members = self.event_updater.claims_of(id_)
            events.append(event_row(event, members, context.articles, context.sources))
            parties += event_participant_rows(id_, members)
            sql = "select claim_id, origin_id, mark from joined.claims where event_id = ?"
            more = {row[0]: row[1:] for row in self.state.rows(sql, (id_,))}
            for claim in members:
                origin_id, mark = more[claim.claim_id]
                article = context.articles[claim.evidence.article_id]
                claims.append(claim_row(claim, article, id_, origin_id) | {"reviewed": mark})
                participants += claim_participant_rows(claim)
        self.writer.sync("events", "event_id", ids, events)
        self.writer.sync("event_participants", "event_id", ids, parties)
        claim_ids = [row["claim_id"] for row in claims]
        self.writer.sync("claims", "claim_id", claim_ids, claims)
        self.writer.sync("claim_participants", "claim_id", claim_ids, participants)

    def _withdrawn(self, changes: Changes, articles: list[str]) -> None:
        """Delete removed claims, and write the unsure claims of some articles."""
        ids = {claim.claim_id for claim, _, _ in changes.removed}
        here = "select 1 from joined.claims where claim_id = ?"
        gone = sorted(id_ for id_ in ids if not self.state.has(here, (id_,)))
        for table in ("claims", "claim_participants"):
            self.writer.sync(table, "claim_id", gone, [])
        for some in chunks(articles, _MOST):
            rows = [
                unsure_claim_row(unpack(blob), self.context.articles[id_])
                for id_ in some
                for blob in self.state.column(
                    "select claim from joined.unsure where article_id = ? order by claim_id", (id_,)
                )
            ]
            self.writer.sync("unsure_claims", "article_id", some, rows)

    def _unknown_names(self, names: set[str]) -> None:
        """Write the unknown names whose mentions changed."""
        sql = (
            "select name, kind, count(*), sum(n), min(article_id), example from joined.unknown_names where name = ? "
            "group by name, kind order by name, kind"
        )
        columns = ("name", "kind", "n_articles", "n_mentions", "example_article_id", "example")
        for some in chunks(sorted(names), _MOST):
            rows = (dict(zip(columns, row, strict=True)) for name in some for row in self.state.rows(sql, (name,)))
            self.writer.sync("unknown_names", "name", some, rows)

    def _contradictions(self, event_changes: EventChanges) -> None:
        for some in chunks(sorted(event_changes.contradictions | event_changes.gone), _MOST):
            blobs = (
                self.state.one("select found from joined.contradictions where event_id = ?", (id_,)) for id_ in some
            )
            rows, values = contradiction_rows(c for blob in blobs if blob for c in unpack(blob))
            sql = "select contradiction_id from main.contradictions where event_id = ?"
            ids = {r["contradiction_id"] for r in rows}
            if not self.writer.full:
                ids.update(row[0] for id_ in some for row in self.writer.db.execute(sql, (id_,)))
            self.writer.sync("contradiction_sides", "contradiction_id", sorted(ids), values)
            self.writer.sync("contradictions", "event_id", some, rows)

    def _timeline_claims(self, event_ids: list[str], stages: Iterable[Stage]) -> None:
        ids = {s.entry_id for s in stages}
        if not self.writer.full:
            sql = "select entry_id from main.timeline_entries where event_id = ?"
            ids.update(row[0] for id_ in event_ids for row in self.writer.db.execute(sql, (id_,)))
        rows = [{"entry_id": s.entry_id, "claim_id": c} for s in stages for c in s.claim_ids]
        self.writer.sync("timeline_claims", "entry_id", sorted(ids), rows)

    def _origins(self, origin_updater: OriginUpdater) -> None:
        for some in chunks(sorted(origin_updater.changed_origins), _MOST):
            found = (
                self.state.db.execute("select origin, n from joined.origins where origin_id = ?", (id_,)).fetchone()
                for id_ in some
            )
            rows = [origin_row(unpack(row[0]), row[1]) for row in found if row]
            self.writer.sync("origins", "origin_id", some, rows)
        names = ("article_id", "to_article_id", "to_name", "basis", "detail")
        where = " and ".join(f"{name} = ?" for name in names)
        rows = [
            dict(zip(names, edge, strict=True)) | {"to_article_id": edge[1] or None}
            for edge in sorted(origin_updater.changed_edges)
            if self.state.has(f"select 1 from joined.edges where {where}", edge)
        ]
        if not self.writer.full:
            gone = "delete from main.origin_edges where article_id = ? and to_article_id is ? and to_name = ?"
            self.writer.db.executemany(
                f"{gone} and basis = ? and detail = ?",
                [(e[0], e[1] or None, *e[2:]) for e in origin_updater.changed_edges],
            )
        self.writer.add("origin_edges", rows)

    def count(self, changes: Changes) -> None:
        """Write what is counted over the whole ledger: sources, entities, decisions, facets."""
        context, writer = self.context, self.writer
        rows, outcomes = source_rows(
            context.sources, self._counted(), self.side_inputs.visited, self.side_inputs.health
        )
        writer.sync_all("sources", rows)
        writer.sync_all("fetch_outcomes", outcomes)
        self.entities.write(changes)
        claim_event = context.event_of
        writer.sync_all("reviews", review_rows(self.side_inputs.effects, self.side_inputs.public_names, claim_event))
        writer.count_facets()

    def _counted(self) -> dict[str, Counted]:
        state, found = self.state, {}
        sql = "select source_id, n from joined.tallies where what = ? and n > 0"
        day = "(select {}(moment) from joined.articles where source_id = ?1 and moment < ?2)"
        days = f"select {day.format('min')}, {day.format('max')}"  # two index look-ups instead of a scan
        relevant = dict(state.rows(sql, ("articles",)))
        for id_, n in state.rows(sql, ("known_articles",)):
            if id_ not in relevant:
                found[id_] = Counted(n)
                continue
            first, last = state.rows(days, (id_, UNDATED))[0]
            title = ""
            if id_ not in self.context.sources:
                an_article = state.one("select min(article_id) from joined.articles where source_id = ?", (id_,))
                title = self.context.articles[an_article].publisher
            found[id_] = Counted(n, relevant[id_], first and first[:10], last and last[:10], title)
        return found
