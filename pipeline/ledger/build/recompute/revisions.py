"""Stores what the edits of articles did to claims, and updates the rows of revisions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from pipeline.aggregation.clustering.late_claims import event_of
from pipeline.aggregation.clustering.similarity import Similarity
from pipeline.aggregation.revisions.claim_diff import ArticleVersion, Edit, edits_of, in_order, successors
from pipeline.ledger.build.candidates import NOWHERE, Candidates, at, features_of
from pipeline.ledger.build.changes import Changes, EventChanges
from pipeline.ledger.build.context import BuildContext, Lazy
from pipeline.ledger.build.state import pack, unpack
from pipeline.ledger.rows.records import Row
from pipeline.ledger.rows.revisions import edit_rows, lost_claims, revision_rows
from pipeline.records import Claim


def keep_edits(
    context: BuildContext, article_id: str, versions: Sequence[ArticleVersion], current: str, rejected: Collection[str],
    changes: Changes,
) -> None:  # fmt: skip
    """Store the effects of the edits of an article. Unpublished and rejected claims do not count."""
    state = context.state
    blob = state.one("select edits from joined.edits where article_id = ?", (article_id,))
    edits: tuple[Edit, ...] = ()
    if len(versions) > 1:

        def counts(claim: Claim) -> bool:
            return claim.confidence >= context.min_confidence and claim.claim_id not in rejected

        edits = tuple(
            replace(edit, old=replace(edit.old, text=""), new=replace(edit.new, text=""))
            for edit in edits_of(in_order(versions, current), counts)
        )
    if edits != (unpack(blob) if blob else ()):
        changes.edited.add(article_id)
        if not context.full:
            for table in ("edits", "heirs"):
                state.drop(table, "article_id", [article_id])
        if edits:
            state.put("edits", [(article_id, pack(edits))])
            state.put("heirs", sorted((old, new, article_id) for old, new in successors(edits).items()))


class RevisionUpdater:
    """Finds the articles whose revisions are affected by a build."""

    def __init__(self, context: BuildContext, candidates: Candidates) -> None:
        self.context, self.state, self.candidates = context, context.state, candidates
        self.measure = Similarity(context.entity_graph)
        self.events = Lazy(
            lambda id_: self.state.one("select event_id from joined.claims where claim_id = ?", (id_,)) or None
        )

    def touched(self, changes: Changes, event_changes: EventChanges) -> set[str]:
        """Return the articles whose revisions must be written again."""
        found = set(changes.edited) | changes.gone
        if self.context.full:
            return found
        for id_ in event_changes.events | event_changes.gone:
            found.update(self.state.column("select article_id from joined.lost_near where event_id = ?", (id_,)))
        for id_ in event_changes.events:
            sql = "select article_id from joined.claims cross join joined.edits using (article_id) where event_id = ?"
            found.update(self.state.column(sql, (id_,)))
        return found | self._near_claims(changes)

    def _near_claims(self, changes: Changes) -> set[str]:
        """Return the articles with a removed claim that a changed claim is, or was, compared with."""
        if not self.state.has("select 1 from joined.lost_marks limit 1"):
            return set()
        cases = [(features_of(claim, day), day) for claim, day, _ in changes.removed]
        for claim_id in changes.claims:
            day = self.state.one("select day from joined.claims where claim_id = ?", (claim_id,))
            cases += [(self.candidates.cases[claim_id], day)] if day else []
        sql = "select article_id from joined.lost_marks where block = ? and day between ? and ?"
        return {
            article for case, day in cases for block in self.candidates.blocks(case)
            for article in self.state.column(sql, (block, *self.candidates.day_range(block, day, case.claim.claim_id)))
        }  # fmt: skip

    def rows(self, article_id: str) -> tuple[list[Row], list[Row]]:
        """Return an article's rows of `article_edits` and `revisions`."""
        state = self.state
        for table in ("lost_near", "lost_marks"):
            state.drop(table, "article_id", [article_id])
        blob = state.one("select edits from joined.edits where article_id = ?", (article_id,))
        if not blob:
            return [], []
        edits: tuple[Edit, ...] = unpack(blob)
        lost = {claim.claim_id: self._would_be(claim, article_id) for claim in lost_claims(edits, self.events)}
        return edit_rows(edits), revision_rows(edits, self.events, lost)

    def _would_be(self, claim: Claim, article_id: str) -> str:
        """Return the event that a removed claim would belong to, "" for none."""
        published = self.context.articles[article_id].published_at
        day = published.date().isoformat() if published else NOWHERE
        lost = features_of(claim, day)
        near = defaultdict(list)
        for place in self.candidates.around(lost, day, NOWHERE):
            claim_id = at(place)[1]
            near[self.events[claim_id]].append(self.candidates.cases[claim_id])
        self.state.put(
            "lost_marks", ((block, day, claim.claim_id, article_id) for block in self.candidates.blocks(lost))
        )
        self.state.put("lost_near", sorted((id_, article_id) for id_ in near))
        whole = Lazy(self._members)
        return event_of(lost, near, whole, self.measure)

    def _members(self, event_id: str) -> list:
        ids: Iterable[str] = self.state.column("select claim_id from joined.claims where event_id = ?", (event_id,))
        return [self.candidates.cases[id_] for id_ in ids]
