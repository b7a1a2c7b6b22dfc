"""Updates events, with their origins and contradictions, after clusters changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipeline.aggregation.clustering.cluster import join_by_editors
from pipeline.aggregation.clustering.features import ClaimFeatures
from pipeline.aggregation.clustering.merge import earliest_claim, make_event
from pipeline.aggregation.contradictions.find import MOST_COMPARED, find_contradictions
from pipeline.aggregation.sources.support import Assigning
from pipeline.ledger.build.candidates import features_of
from pipeline.ledger.build.changes import Changes, EventChanges
from pipeline.ledger.build.context import BuildContext, Lazy, StoredCreditChains
from pipeline.ledger.build.recompute.clusters import members_of, root_of
from pipeline.ledger.build.recompute.contradiction_index import ContradictionIndex
from pipeline.ledger.build.recompute.origins import OriginUpdater
from pipeline.ledger.build.state import chunks, pack, unpack
from pipeline.records import Claim, Contradiction, event_id

_TOGETHER = 500  # events per batch


class EventUpdater:
    """Updates the events of one build."""

    def __init__(self, context: BuildContext, origin_updater: OriginUpdater) -> None:
        self.context, self.state, self.origin_updater = context, context.state, origin_updater
        self.chains, self.contradiction_index = (
            StoredCreditChains(context),
            ContradictionIndex(context.state, context.terms),
        )
        self._compared: set[str] = set()  # events compared already
        self._near = Lazy(
            self.contradiction_index.around, 2_000
        )  # used twice: to find neighbouring events, and to compare

    def update(
        self,
        changes: Changes,
        groups: dict[str, list[str]],
        touched: set[str],
        together: tuple[tuple[str, str], ...],
        apart: frozenset[frozenset[str]],
    ) -> EventChanges:
        """Determine the current events and which of them changed; batches() then computes them.

        Args:
            changes: The changes found.
            groups: Changed clusters, from regroup().
            touched: Articles whose origin may have changed.
            together: Pairs of claim ids that an editor put into one event.
            apart: Pairs of claim ids that an editor keeps apart.
        """
        contradicting = self._refresh_marks(changes)
        old = self._old_events(changes, groups, touched)
        roots = set(groups)
        if not self.context.full:  # else all clusters are new
            roots |= self._roots(old) | {root_of(self.context, c) for c in changes.claims if self._is(c)}
        event_changes = EventChanges()
        made = self._compose(roots, together, apart)
        event_changes.places = {id_: place for place, (id_, _) in enumerate(made)}
        for id_, members in made:
            for claim_id in members:
                sql = "update joined.claims set event_id = ? where claim_id = ?"
                self.state.db.execute(sql, (id_, claim_id))
            event_changes.events.add(id_)
        for id_ in old - event_changes.events - {""}:
            if self.state.has("select 1 from joined.claims where event_id = ?", (id_,)):
                event_changes.events.add(id_)
            else:
                event_changes.gone.add(id_)
        freed: set[str] = set()  # claims that contradicted a removed event
        for id_ in event_changes.gone:
            freed.update(self.state.column("select claim_id from joined.in_contradiction where event_id = ?", (id_,)))
            self._forget(id_)
        if self.context.full:  # all events are new and compared in batches()
            self.state.settle_groups()
        else:
            for id_ in event_changes.ordered(event_changes.events):
                self._assign(id_)
            again = self._contradictions(event_changes, contradicting)
            event_changes.events |= again | self._events_of(freed)
        return event_changes

    def batches(self, event_changes: EventChanges) -> Iterator[list[str]]:
        """Compute the changed events, and yield their ids in batches, while what they need is cached."""
        for some in chunks(event_changes.ordered(event_changes.events), _TOGETHER):
            if self.context.full:
                for id_ in some:
                    self._assign(id_)
                for id_ in some:
                    for other in (id_, *sorted(self._around(id_))):
                        self._find_contradictions(other, event_changes)
            for id_ in some:
                self._make(id_)
            yield some

    def _is(self, claim_id: str) -> bool:
        return self.state.has("select 1 from joined.claims where claim_id = ?", (claim_id,))

    def claims_of(self, id_: str) -> list[Claim]:
        """Return the claims of an event, by id."""
        ids = self.state.column("select claim_id from joined.claims where event_id = ? order by claim_id", (id_,))
        return [self.context.claims[claim_id] for claim_id in ids]

    # Which events exist

    def _old_events(self, changes: Changes, groups: dict[str, list[str]], touched: set[str]) -> set[str]:
        if self.context.full:
            return set()
        state, found = self.state, set(changes.events)
        for members in groups.values():
            found.update(state.one("select event_id from joined.claims where claim_id = ?", (id_,)) for id_ in members)
        found.update(
            state.one("select event_id from joined.claims where claim_id = ?", (c,)) or "" for c in changes.claims
        )
        articles = touched | changes.origin_inputs
        for id_ in touched:
            articles |= set(state.column("select article_id from joined.report_credits where lead = ?", (id_,)))
        for id_ in articles:
            found.update(state.column("select event_id from joined.claims where article_id = ?", (id_,)))
        return found - {""}

    def _roots(self, events: Iterable[str]) -> set[str]:
        return {
            root for id_ in events
            for root in self.state.column("select distinct root from joined.claims where event_id = ?", (id_,))
        }  # fmt: skip

    def _compose(
        self, roots: set[str], together: tuple[tuple[str, str], ...], apart: frozenset[frozenset[str]]
    ) -> list[tuple[str, list[str]]]:
        """Return the events of clusters, each with its claims. Clusters that an editor put together are one event."""
        asked = {claim_id for pair in together for claim_id in pair if self._is(claim_id)}
        joint = {root_of(self.context, claim_id) for claim_id in asked}
        if joint:
            former = {self.state.one("select event_id from joined.claims where claim_id = ?", (c,)) for c in asked}
            joint |= self._roots(former - {""}) | {r for r in roots if self._was_joint(r, joint)}
        made = [[row[1:] for row in members_of(self.context, root)] for root in self._ordered(roots - joint)]
        if joint:
            groups = [self._cases(root) for root in sorted(joint)]
            joined = join_by_editors(groups, together, apart)
            made += [[(c.claim.claim_id, c.claim.evidence.article_id) for c in group] for group in joined]
        return [
            (event_id(earliest_claim(members, self.context.articles)), [claim_id for claim_id, _ in members])
            for members in made if members
        ]  # fmt: skip

    def _ordered(self, roots: set[str]) -> list[str]:
        """Return clusters by their earliest claims: in order of time in a full build."""
        if not self.context.full:
            return sorted(roots)
        every = self.state.db.execute("select claim_id from joined.claims order by day, claim_id")
        return [row[0] for row in every if row[0] in roots]

    def _was_joint(self, root: str, joint: set[str]) -> bool:
        """Whether a cluster was in one event with one of these at the last build."""
        former = self.state.one("select event_id from joined.claims where claim_id = ?", (root,))
        return bool(former) and bool(self._roots([former]) & joint)

    def _cases(self, root: str) -> list[ClaimFeatures]:
        return sorted((features_of(self.context.claims[id_], day) for day, id_, _ in members_of(self.context, root)),
                      key=lambda case: case.key)  # fmt: skip

    # Origins

    def _assign(self, id_: str) -> None:
        context, state = self.context, self.state
        work = Assigning(self.chains, context.origin_of, context.near_duplicates)
        work.event(id_, self.claims_of(id_))
        rows = [(origin, claim_id) for claim_id, origin in work.found.items()]
        state.db.executemany("update joined.claims set origin_id = ? where claim_id = ?", rows)
        before: set[str] = set()
        if not context.full:
            before = set(state.column("select origin_id from joined.event_origins where event_id = ?", (id_,)))
            state.drop("event_origins", "event_id", [id_])
        state.put("event_origins", sorted((id_, origin_id) for origin_id in work.added))
        state.put("origins", [(o.origin_id, len(o.article_ids), pack(o)) for o in work.added.values()])
        state.drop("origins", "origin_id", before - work.added.keys())
        self.origin_updater.changed_origins |= before | work.added.keys()
        self.origin_updater.keep_edges([id_], {(*e, id_) for e in map(self.origin_updater.parts, work.edges)})

    def _forget(self, id_: str) -> None:
        before = self.state.column("select origin_id from joined.event_origins where event_id = ?", (id_,))
        self.state.drop("origins", "origin_id", before)
        self.origin_updater.changed_origins |= set(before)
        self.origin_updater.keep_edges([id_], set())
        for table in ("event_origins", "events", "contradictions", "in_contradiction"):
            self.state.drop(table, "event_id", [id_])
        self.context.events.forget(id_)

    # Contradictions

    def _refresh_marks(self, changes: Changes) -> set[str]:
        """Store the contradiction keys of changed claims; return the claims that their former keys matched."""
        if self.context.full:
            return set()  # stored during ingest; no former ones exist
        former = {claim.claim_id for claim, _, _ in changes.removed} | changes.claims
        contradicting = {other for claim_id in former for other in self.contradiction_index.contradicting(claim_id)}
        self.contradiction_index.forget(former)
        for claim_id in sorted(changes.claims):
            day = self.state.one("select day from joined.claims where claim_id = ?", (claim_id,))
            if day is not None:
                self.contradiction_index.insert(self.context.claims[claim_id], day)
        return contradicting

    def _events_of(self, claim_ids: Iterable[str]) -> set[str]:
        found = (self.state.one("select event_id from joined.claims where claim_id = ?", (c,)) for c in claim_ids)
        return {id_ for id_ in found if id_}

    def _around(self, id_: str) -> set[str]:
        """Return the events with a claim that may contradict this event."""
        return self._events_of(self._near[id_]) - {id_}

    def _contradictions(self, event_changes: EventChanges, contradicting: set[str]) -> set[str]:
        """Find the contradictions of changed events and their neighbours; return events whose flag changed."""
        wanted = event_changes.events | self._events_of(contradicting)
        if not self.context.full:
            for id_ in event_changes.ordered(event_changes.events):
                wanted |= self._around(id_)
        contradicted: set[str] = set()
        for id_ in event_changes.ordered(wanted):
            contradicted |= self._find_contradictions(id_, event_changes)
        return self._events_of(contradicted)

    def _find_contradictions(self, id_: str, event_changes: EventChanges) -> set[str]:
        context, state = self.context, self.state
        if id_ in self._compared:
            return set()
        self._compared.add(id_)
        events = {id_: self.claims_of(id_), **self._contradicting_claims(id_)}
        found: tuple[Contradiction, ...] = find_contradictions(
            events,
            context.articles,
            context.entity_graph,
            near_duplicates=context.near_duplicates,
            terms=context.terms,
            of={id_},
        )
        blob = state.one("select found from joined.contradictions where event_id = ?", (id_,))
        before: tuple[Contradiction, ...] = unpack(blob) if blob else ()
        if found == before:
            return set()
        event_changes.contradictions.add(id_)
        state.drop("contradictions", "event_id", [id_])
        state.drop("in_contradiction", "event_id", [id_])
        if found:
            state.put("contradictions", [(id_, pack(found))])
            claims = {c for contradiction in found for _, ids in contradiction.values for c in ids}
            state.put("in_contradiction", sorted((c, id_) for c in claims))
        return {c for contradiction in (*before, *found) for _, ids in contradiction.values for c in ids}

    def _contradicting_claims(self, id_: str) -> dict[str, list[Claim]]:
        """Return the claims of other events to compare with an event."""
        wanted = self._near[id_]
        sql = "select claim_id from joined.claims where event_id = ? order by claim_id limit ?"
        found = {other: self.state.column(sql, (other, MOST_COMPARED)) for other in self._events_of(wanted) - {id_}}
        return {other: [self.context.claims[c] for c in ids if c in wanted] for other, ids in found.items()}

    # Event records

    def _make(self, id_: str) -> None:
        context, state = self.context, self.state
        claims = self.claims_of(id_)
        sql = "select claim_id, origin_id from joined.claims where event_id = ?"
        contradicted = state.has(
            "select 1 from joined.claims cross join joined.in_contradiction using (claim_id) where claims.event_id = ?",
            (id_,),
        )
        event = make_event(
            claims, context.articles, dict(state.rows(sql, (id_,))), in_contradiction=contradicted,
            jurisdiction_of=context.jurisdictions,
        )  # fmt: skip
        state.put("events", [(id_, int(contradicted), pack(event))])
        context.events.know(id_, event)
