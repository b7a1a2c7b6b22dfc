"""Updates the review queue, entry by entry."""

from __future__ import annotations

from collections.abc import Iterable

from pipeline.ledger.build.changes import Changes, EventChanges
from pipeline.ledger.build.context import BuildContext, Lazy
from pipeline.ledger.build.state import pack, unpack
from pipeline.ledger.reviews import queue
from pipeline.ledger.reviews.names import unknown_parties
from pipeline.ledger.reviews.queue import QueueItem, event_weight, item_of
from pipeline.records import Claim, Event


class ReviewQueue:
    """Updates the review queue of one build."""

    def __init__(self, context: BuildContext) -> None:
        self.context, self.state = context, context.state
        self._before: dict[tuple[str, str], str | None] = {}  # best supported event of a type and party
        self.items: list[QueueItem] = []  # new or changed
        self.gone: list[tuple[str, str]] = []

    def begin(self, event_changes: EventChanges) -> None:
        """Note the best supported events before the changes, and delete the entries of removed events."""
        if not self.context.full:
            self._before = {
                party: self._first(*party) for party in self._parties(event_changes.events | event_changes.gone)
            }
        for id_ in sorted(event_changes.gone):
            self._keep_weights(id_, None)
            self._update_contradicted(id_)

    def take(self, ids: Iterable[str]) -> None:
        """Update the entries of some events."""
        for id_ in ids:
            self._keep_weights(id_, self.context.events[id_])
            self._update_contradicted(id_)

    def finish(self, changes: Changes, event_changes: EventChanges) -> None:
        """Update entries that depend on several events."""
        for id_ in sorted(event_changes.contradictions - event_changes.events - event_changes.gone):
            self._update_contradicted(id_)
        now = {party: self._first(*party) for party in self._before.keys() | self._parties(event_changes.events)}
        self._unsure(changes, {
            party for party, id_ in now.items() if id_ in event_changes.events or id_ != self._before.get(party, id_)
        })  # fmt: skip
        self._names(changes, event_changes)

    def _put(self, reasons: Iterable[str], subject: str, entry: queue.Entry | None) -> None:
        """Store the entry of a subject under one of some reasons; None deletes it."""
        item = item_of(entry) if entry else None
        for reason in reasons:
            blob = self.state.one("select item from joined.queue where reason = ? and subject = ?", (reason, subject))
            if item is not None and item.reason == reason:
                if blob is None or unpack(blob) != item:
                    self.state.put("queue", [(reason, subject, pack(item))])
                    if not self.context.full:  # then all are read at the end
                        self.items.append(item)
            elif blob is not None:
                self.state.db.execute(
                    "delete from joined.queue where reason = ? and subject = ?", (reason, subject)
                )  # fmt: skip
                self.gone.append((reason, subject))

    def _parties(self, ids: Iterable[str]) -> set[tuple[str, str]]:
        sql = "select type, entity_id from joined.event_weights where event_id = ?"
        return {party for id_ in ids for party in self.state.rows(sql, (id_,))}

    def _keep_weights(self, id_: str, event: Event | None) -> None:
        self.state.drop("event_weights", "event_id", [id_])
        if event is not None:
            ids = sorted({p.entity_id for p in event.participants})
            self.state.put("event_weights", ((event.type, entity, event_weight(event), id_) for entity in ids))

    def _update_contradicted(self, id_: str) -> None:
        event, entry = self.context.events.get(id_), None
        if event is not None:
            blob = self.state.one("select found from joined.contradictions where event_id = ?", (id_,))
            claims = [self.context.claims[c] for c in event.claim_ids]
            entry = queue.contradicted(event, claims, unpack(blob) if blob else (), Lazy(self._mark))
        self._put(("happened", "contradicted"), id_, entry)

    def _mark(self, claim_id: str) -> str | None:
        return self.state.one("select mark from joined.claims where claim_id = ?", (claim_id,)) or None

    def _unsure(self, changes: Changes, parties: set[tuple[str, str]]) -> None:
        wanted = set(changes.unsure)
        for type_, entity in parties:
            sql = "select claim_id from joined.unsure_parties where type = ? and entity_id = ?"
            wanted.update(self.state.column(sql, (type_, entity)))
        for claim_id in sorted(wanted):
            blob = self.state.one("select claim from joined.unsure where claim_id = ?", (claim_id,))
            if claim_id in changes.unsure:
                self.state.db.execute("delete from joined.unsure_parties where claim_id = ?", (claim_id,))
            if blob is None:
                self._put(("unsure",), claim_id, None)
                continue
            claim: Claim = unpack(blob)
            ids = sorted({p.entity_id for p in claim.participants})
            self.state.put("unsure_parties", ((claim.type, entity, claim_id) for entity in ids))
            near = [event for entity in ids if (event := self._nearest(claim.type, entity)) is not None]
            best = max(near, key=lambda e: (event_weight(e), e.event_id), default=None)
            self._put(("unsure",), claim_id, queue.unsure(claim, best))

    def _nearest(self, type_: str, entity: str) -> Event | None:
        """Return the best supported event of a type and party."""
        id_ = self._first(type_, entity)
        return self.context.events.get(id_) if id_ else None

    def _first(self, type_: str, entity: str) -> str | None:
        sql = (
            "select event_id from joined.event_weights where type = ? and entity_id = ? "
            "order by weight desc, event_id desc"
        )
        return self.state.one(sql, (type_, entity))

    def _names(self, changes: Changes, event_changes: EventChanges) -> None:
        names = set(changes.names)
        for id_ in event_changes.events:
            sql = "select name from joined.claims cross join joined.unknown_parties using (claim_id) where event_id = ?"
            names.update(self.state.column(sql, (id_,)))
        names.update(name for claim, _, _ in changes.removed for name in unknown_parties(claim))
        for name in sorted(names):
            self._name(name)

    def _name(self, folded: str) -> None:
        state = self.state
        sql = "select name, kind, article_id from joined.unknown_names where folded = ? order by article_id, position"
        places = state.rows(sql, (folded,))
        before = state.column("select subject from joined.named where folded = ?", (folded,))
        subject = places[0][0] if places else ""
        for old in before:
            if old != subject:
                self._put(("name",), old, None)
        state.drop("named", "folded", [folded])
        if not places:
            return
        state.put("named", [(folded, subject)])
        n = state.one("select count(*) from joined.unknown_parties where name = ? and machine = 0", (folded,))
        blob = state.one(
            "select coalesce(c.claim, u.claim) from joined.unknown_parties p left join joined.claims using (claim_id) "
            "left join joined.claim_records c using (n) left join joined.unsure u using (claim_id) "
            "where name = ? and machine = 0 "
            "order by p.article_id, p.position limit 1", (folded,),
        )  # fmt: skip
        weight = state.one(
            "select sum(weight) from (select max(weight) as weight from (select distinct event_id "
            "from joined.unknown_parties cross join joined.claims using (claim_id) where name = ? and machine = 0) "
            "cross join joined.event_weights using (event_id) group by event_id)", (folded,),
        )  # fmt: skip
        quote = unpack(blob).evidence.quote if blob else ""
        entry = queue.unknown_name(subject, places[0][1], [row[2] for row in places], n, quote, weight or 0)
        self._put(("name",), subject, entry)
