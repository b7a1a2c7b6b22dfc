"""Updates the clusters of claims after claims were added, removed or changed.

Clustering goes day by day and never splits what earlier days formed (clustering.cluster). So clusters before the first
changed day stay; later days are processed again, over clusters loaded on demand.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from pipeline.aggregation.clustering.cluster import Groups, beyond_reach, exact, link_of, spread
from pipeline.aggregation.clustering.similarity import Similarity
from pipeline.ledger.build.candidates import Candidates, at, features_of, place_of
from pipeline.ledger.build.changes import Changes
from pipeline.ledger.build.context import BuildContext

_NEVER = -1e9
_MOST_GROUPS = 10_000  # claims processed before the clusters in memory are flushed


class Pairs:
    """Scores pairs of claims, with a cache."""

    def __init__(self, candidates: Candidates, apart: frozenset[frozenset[str]]) -> None:
        self.candidates, self.apart = candidates, apart
        self.measure = Similarity(candidates.context.entity_graph)
        self.known: dict[tuple[int, int], float | None] = {}

    def links(self, place: int, others: Iterable[int]) -> Iterable[tuple[int, float]]:
        """Yield those of some claims that may be one event with a claim, with the probability."""
        case, placed, parties_differ = (
            self.candidates.placed[place],
            self.candidates.placed,
            self.measure.parties_differ,
        )
        for other in others:
            if not parties_differ(case, placed[other]) and (score := self.score(place, other)) is not None:
                yield other, score

    def score(self, one: int, other: int) -> float | None:
        """Return the probability of a pair; None if the two exclude each other."""
        pair = (one, other) if one < other else (other, one)
        if pair not in self.known:
            cases = self.candidates.placed[pair[0]], self.candidates.placed[pair[1]]
            barred = self._kept_apart(*pair) or self.measure.opposed(*cases)
            self.known[pair] = None if barred else exact(self.measure.probability(*cases))
        return self.known[pair]

    def _kept_apart(self, one: int, other: int) -> bool:
        return bool(self.apart) and frozenset((at(one)[1], at(other)[1])) in self.apart


class StoredGroups(Groups):
    """Clusters of one type, of which only those that a day's news can change are in memory.

    Two clusters without new claims have the same link as when their last day ended, so only links of clusters with a
    new claim, or that merged with such a cluster, are computed.
    """

    def __init__(self, candidates: Candidates, pairs: Pairs, type_: str) -> None:
        super().__init__({}, lambda a, b: pairs.score(a, b) is None, lambda a, b: pairs.score(a, b) or 0.0)
        self.candidates, self.pairs, self.type = candidates, pairs, type_
        self.day = ""
        self.whole: set[int] = set()  # groups whose links are all in memory
        self.unions: list[tuple[str, str, str, str]] = []

    def live(self, day: str, claim_ids: list[str]) -> None:
        """Process one day: add its claims, and merge."""
        self.day = day
        for claim_id in claim_ids:
            place = place_of(day, claim_id)
            for other, score in self.pairs.links(place, self.candidates.before(self.candidates.cases[claim_id], day)):
                self._scores[place][other] = score
                self._load(other)
            self.whole.add(place)
            self.add(place)
            del self._scores[place]  # Pairs caches them
        self.candidates.keep_marks()
        self.grow()
        self._best.clear()  # the rest is below LINK until a new claim arrives

    def _load(self, place: int) -> None:
        """Load the cluster of a claim, without its links."""
        if place in self._group_of:
            return
        root = root_of(self.candidates.context, at(place)[1])
        members = members_of(self.candidates.context, root)
        places = [place_of(*row[:2]) for row in members]
        first = min(places)
        self.members[first] = places
        self._group_of.update(dict.fromkeys(places, first))

    def _complete(self, group: int) -> None:
        if group in self.whole:
            return
        linked: set[int] = set()
        for place in self.members[group]:
            day, claim_id = at(place)
            for other, _ in self.pairs.links(
                place, self.candidates.around(self.candidates.cases[claim_id], day, self.day)
            ):
                self._load(other)
                linked.add(self._group_of[other])
        for other in linked - {group}:
            self._links[group][other] = self._links[other][group] = self._link(group, other)
        self.whole.add(group)

    def _link(self, one: int, other: int) -> float:
        """Return the link of two groups, or less than any link if they can never merge.

        They never merge if two of their claims exclude each other, or once the link can no longer reach LINK.
        """
        some, others = spread(self.members[one]), spread(self.members[other])
        n = left = len(some) * len(others)
        larger = max(len(self.members[one]), len(self.members[other]))
        total, table = 0.0, []
        for a in some:
            row = []
            for b in others:
                score = self.pairs.score(a, b)
                if score is None:
                    return _NEVER
                row.append(score)
                total += score
                left -= 1
                if beyond_reach(total, left, n, larger):
                    return _NEVER
            table.append(row)
        return link_of(table)

    def _unite(self, kept_: int, gone: int) -> None:
        self._complete(kept_)
        self._complete(gone)
        self._best.setdefault(gone, (0.0, 0))
        super()._unite(kept_, gone)
        self.whole.discard(gone)
        self.unions.append((at(gone)[1], at(kept_)[1], self.type, self.day))

    def flush(self) -> None:
        """Store what was merged, and clear the memory."""
        self.candidates.state.put("unions", self.unions)
        self.unions.clear()
        for known in (self.members, self._links, self._group_of, self._walls, self._best, self._scores, self.whole):
            known.clear()


def root_of(context: BuildContext, claim_id: str) -> str:
    """Return the earliest claim of the cluster of a claim."""
    while (up := context.state.one("select kept from joined.unions where gone = ?", (claim_id,))) is not None:
        claim_id = up
    return claim_id


def members_of(context: BuildContext, root: str) -> list[tuple[str, str, str]]:
    """Return day, id and article of the claims of a cluster."""
    return context.state.rows(
        "with recursive m (id) as (select ? union select gone from m cross join joined.unions on kept = m.id) "
        "select c.day, c.claim_id, c.article_id from m cross join joined.claims c on c.claim_id = m.id",
        (root,),
    )


def regroup(
    context: BuildContext, candidates: Candidates, changes: Changes, apart: frozenset[frozenset[str]]
) -> dict[str, list[str]]:
    """Update the clusters; return those whose claims changed: earliest claim -> all claims."""
    state = context.state
    for claim, day, _ in changes.removed:
        candidates.delete(features_of(claim, day), day)
    if not context.full:  # else stored day by day
        for claim_id in sorted(changes.claims):
            day = state.one("select day from joined.claims where claim_id = ?", (claim_id,))
            if day is not None:
                candidates.insert(candidates.cases[claim_id], day)
    found: dict[str, list[str]] = {}
    for type_, first in sorted(changes.days.items()):
        found |= _regroup_type(context, candidates, type_, first, changes, apart)
    return found


def _regroup_type(
    context: BuildContext,
    candidates: Candidates,
    type_: str,
    first: str,
    changes: Changes,
    apart: frozenset[frozenset[str]],
) -> dict[str, list[str]]:
    state = context.state
    roots = {root for claim, _, root in changes.removed if claim.type == type_ and root}
    roots.update(
        state.column(
            "select distinct root from joined.claims where type = ? and day >= ? and root <> ''", (type_, first)
        )
    )
    touched = [
        id_ for root in roots for id_ in state.column("select claim_id from joined.claims where root = ?", (root,))
    ]
    state.db.execute("delete from joined.unions where type = ? and day >= ?", (type_, first))
    groups = StoredGroups(candidates, Pairs(candidates, apart), type_)
    sql = "select day, claim_id from joined.claims where type = ? and day >= ? order by day, claim_id"
    since, later = 0, []
    for day, rows in groupby(state.db.execute(sql, (type_, first)).fetchall(), key=lambda row: row[0]):
        ids = [row[1] for row in rows]
        groups.live(day, ids)
        later += ids
        since += len(ids)
        if since >= _MOST_GROUPS:
            groups.flush()
            groups.pairs.known.clear()
            candidates.placed.clear()
            since = 0
    groups.flush()
    candidates.forget()
    return _changed(context, dict.fromkeys((*later, *touched)))


def _changed(context: BuildContext, claim_ids: Iterable[str]) -> dict[str, list[str]]:
    """Store the clusters of some claims; return those whose claims changed."""
    state = context.state
    found: dict[str, list[str]] = {}
    seen: set[str] = set()
    for claim_id in claim_ids:
        if claim_id in seen:
            continue
        root = root_of(context, claim_id)
        members = sorted(row[1] for row in members_of(context, root))
        seen.update(members)
        before = [] if context.full else state.column("select claim_id from joined.claims where root = ?", (root,))
        if members != sorted(before):
            found[root] = members
    for root, members in found.items():
        state.db.executemany("update joined.claims set root = ? where claim_id = ?", [(root, id_) for id_ in members])
    return found


__all__ = ["StoredGroups", "regroup"]
