"""Clusters claims of one type into events by agglomerative clustering.

Identity is structural: type, stage, direction, named instrument or object, core parties and date interval. The words of
the sentence break ties (clustering.similarity). Clusters grow along pairs that share a party or an instrument. A
link is mostly the average over all pairs, so one bridging claim cannot chain two events together. No cluster holds two
claims that exclude each other. The order of the input makes no difference.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from itertools import groupby

from pipeline.aggregation.clustering.features import ClaimFeatures
from pipeline.aggregation.clustering.similarity import FARTHEST, Similarity
from pipeline.lexicon.entity_graph import EntityGraph
from pipeline.records import Claim, Entity
from scrapers.items import Article

LINK = 0.48  # minimum link, size bonus included, at which two groups are one event
AVERAGE = 0.7  # weight of the average over all pairs; the rest is the average of each claim's best pair
DRAW = 0.04  # bonus per natural log of the larger group's size: widely reported events attract further reports
COPIED = 60  # sentences of this length are shared only by copied texts
_STEPS = 1 << 20
_MARGIN = 1e-6  # well above any rounding error
REPRESENTATIVES = 40  # maximum number of members that represent a large group
MAX_NEIGHBOURS = 100  # maximum number of comparisons per claim and blocking key, nearest in time first


def marks_of(case: ClaimFeatures, entity_graph: EntityGraph) -> set[str]:
    """Return the blocking keys of a claim: two claims of one type are compared only if they share a key."""
    marks = {case.claim.evidence.article_id}
    if len(case.claim.evidence.quote) >= COPIED:
        marks.add(case.claim.evidence.quote)
    for ids in case.named.values():
        for entity_id in ids:
            marks.update(entity_graph.above(entity_id))
    marks |= {word for title in case.titles for word in title}
    if case.dated and case.claim.date and case.claim.date.start == case.claim.date.end:
        marks.add(case.claim.date.start.isoformat())
    return marks


def neighbours(cases: list[ClaimFeatures], entity_graph: EntityGraph) -> set[tuple[int, int]]:
    """Return the pairs worth comparing: same type, and a shared named party, thing, article or sentence."""
    blocks: dict[tuple[str, str], list[int]] = defaultdict(list)
    for index, case in enumerate(cases):
        for mark in marks_of(case, entity_graph):
            blocks[case.claim.type, mark].append(index)
    pairs: set[tuple[int, int]] = set()
    for members in blocks.values():
        for position, index in enumerate(members):
            pairs.update(
                (index, other)
                for other in members[position + 1 : position + 1 + MAX_NEIGHBOURS]
                if cases[index].days_from(cases[other]) <= FARTHEST
            )
    return pairs


def spread(members: list[int]) -> list[int]:
    """Return the members of a group, at most REPRESENTATIVES of them, evenly spread in order of publication."""
    if len(members) <= REPRESENTATIVES:
        return members
    members = sorted(members)
    return [members[number * len(members) // REPRESENTATIVES] for number in range(REPRESENTATIVES)]


def exact(probability: float) -> float:
    """Round a probability to steps of 2**-20, so that sums are the same in any order."""
    return round(probability * _STEPS) / _STEPS


def link_of(table: Sequence[Sequence[float]]) -> float:
    """Return the link of two groups from the probabilities of their pairs, one row for each claim of one group.

    The link is the average over all pairs, mixed with the average of each claim's best pair, taken over the smaller
    group: a claim that fits one report of an event well need not fit every other. Sums are exact (see `exact`), so the
    link is symmetric.
    """
    columns = list(zip(*table, strict=True))
    n, m = len(table), len(columns)
    sides = [side for side, size in ((table, n), (columns, m)) if size <= min(n, m)]
    best = sum(max(row) for side in sides for row in side) / (min(n, m) * len(sides))
    return AVERAGE * (sum(map(sum, table)) / (n * m)) + (1 - AVERAGE) * best


def beyond_reach(total: float, left: int, pairs: int, larger: int) -> bool:
    """Return whether a link must stay below LINK, however the remaining pairs turn out.

    Args:
        total: Sum of the probabilities so far.
        left: Number of `pairs` not yet scored.
        pairs: Number of all pairs.
        larger: Number of claims in the larger group.
    """
    most = AVERAGE * (total + left) / pairs + (1 - AVERAGE)
    return most + DRAW * math.log(larger) < LINK - _MARGIN


class Groups:
    """Clusters that merge step by step: in each step the two with the highest link join.

    No group ever holds two claims that exclude each other, and a group is never split again.
    """

    def __init__(
        self,
        scores: dict[tuple[int, int], float],
        forbids: Callable[[int, int], bool],
        score: Callable[[int, int], float],
    ) -> None:
        """Start without members.

        Args:
            scores: Probability of each compared pair.
            forbids: Whether two claims exclude each other; called for every pair before their groups join.
            score: Probability of a pair that was not compared; called where other pairs link its groups.
        """
        self.members: dict[int, list[int]] = {}
        self._scores: dict[int, dict[int, float]] = defaultdict(dict)
        for (one, other), likely in scores.items():
            self._scores[one][other] = self._scores[other][one] = likely
        self._forbids, self._score = forbids, score
        self._links: dict[int, dict[int, float]] = defaultdict(dict)  # group -> group -> link
        self._group_of: dict[int, int] = {}
        self._walls: dict[int, set[int]] = defaultdict(set)
        self._best: dict[int, tuple[float, int]] = {}

    def add(self, index: int) -> None:
        """Add a claim as a group of its own."""
        self.members[index], self._group_of[index] = [index], index
        linked = {self._group_of[other] for other in self._scores[index] if other in self._group_of} - {index}
        for group_ in sorted(linked):
            self._links[index][group_] = self._links[group_][index] = self._link(index, group_)
        for group_ in [index, *self._links[index]]:
            self._best[group_] = self._best_of(group_)

    def _link(self, one: int, other: int) -> float:
        """Return the link of two groups. A large group is represented by members spread over its time."""
        some, others = spread(self.members[one]), spread(self.members[other])
        for a in some:
            known = self._scores[a]
            for b in others:
                if b not in known:
                    known[b] = self._scores[b][a] = self._score(min(a, b), max(a, b))
        return link_of([[self._scores[a][b] for b in others] for a in some])

    def _best_of(self, one: int) -> tuple[float, int]:
        """Return the link to the best other group, and that group."""
        size, options = len(self.members[one]), []
        for other, link in self._links[one].items():
            if other not in self._walls[one]:
                options.append((link + DRAW * math.log(max(size, len(self.members[other]))), -other))
        return max(options, default=(0.0, 0))

    def grow(self) -> None:
        """Merge groups, best link first, until no link reaches LINK."""
        while self._best:
            link, one = max((value[0], -index) for index, value in self._best.items())
            if link < LINK:
                return
            one = -one
            kept, gone = sorted((one, -self._best[one][1]))
            if any(self._forbids(a, b) for a in self.members[kept] for b in self.members[gone]):
                self._walls[kept].add(gone)
                self._walls[gone].add(kept)
                self._best[kept], self._best[gone] = self._best_of(kept), self._best_of(gone)
            else:
                self._unite(kept, gone)

    def _unite(self, kept: int, gone: int) -> None:
        for index in self.members[gone]:
            self._group_of[index] = kept
        self.members[kept] += self.members.pop(gone)
        linked = {*self._links[kept], *self._links.pop(gone)} - {kept, gone}
        for other in linked:
            self._links[other].pop(gone, None)
        self._links[kept].pop(gone, None)
        for other in sorted(linked):
            self._links[kept][other] = self._links[other][kept] = self._link(kept, other)
        for other in self._walls.pop(gone, set()):
            self._walls[other].discard(gone)
            self._walls[other].add(kept)
            self._walls[kept].add(other)
        del self._best[gone]
        for other in [kept, *self._links[kept]]:
            self._best[other] = self._best_of(other)


def group(
    claims: Iterable[Claim],
    articles: Mapping[str, Article],
    entities: Iterable[Entity] = (),
    entity_graph: EntityGraph | None = None,
    together: Iterable[tuple[str, str]] = (),
    apart: Iterable[tuple[str, str]] = (),
) -> tuple[tuple[str, ...], ...]:
    """Return the clusters as tuples of claim ids, earliest claim first. The order of the claims makes no difference.

    Args:
        claims: The claims to cluster.
        articles: By id; they give the publication days.
        entities: Their `parent_id`s are the entity graph if none is given.
        entity_graph: Which entity belongs to which.
        together: Pairs of claim ids that an editor put into one event.
        apart: Pairs of claim ids that an editor keeps apart; takes precedence over `together`.
    """
    cases = [ClaimFeatures(claim, _day(articles.get(claim.evidence.article_id))) for claim in claims]
    cases.sort(key=lambda case: case.key)
    entity_graph = entity_graph or EntityGraph(entities)
    measure = Similarity(entity_graph)
    by_type: dict[str, list[ClaimFeatures]] = defaultdict(list)
    for case in cases:
        by_type[case.claim.type].append(case)
    kept_apart = frozenset(frozenset(pair) for pair in apart)
    found: list[list[ClaimFeatures]] = []
    for type_ in sorted(by_type):
        of_type = by_type[type_]
        scores, cannot_link = {}, _kept_apart(of_type, kept_apart)
        for one, other in sorted(neighbours(of_type, entity_graph)):
            if measure.parties_differ(of_type[one], of_type[other]):
                continue  # scored later by Groups if other pairs link their groups
            if (one, other) in cannot_link or measure.opposed(of_type[one], of_type[other]):
                cannot_link.add((one, other))
            else:
                scores[one, other] = exact(measure.probability(of_type[one], of_type[other]))
        found += _grown(of_type, scores, cannot_link, measure)
    found = join_by_editors(found, together, kept_apart)
    found.sort(key=lambda cases: cases[0].key)
    return tuple(tuple(case.claim.claim_id for case in cases) for cases in found)


def _grown(
    cases: list[ClaimFeatures],
    scores: dict[tuple[int, int], float],
    cannot_link: set[tuple[int, int]],
    measure: Similarity,
) -> list[list[ClaimFeatures]]:
    """Return the clusters of claims of one type, given in order of publication.

    Claims are added day by day. Later news may extend an event or join two, but never splits one.
    """
    known = {**dict.fromkeys(cannot_link, True), **dict.fromkeys(scores, False)}

    def forbids(one: int, other: int) -> bool:
        pair = (min(one, other), max(one, other))
        if pair not in known:
            known[pair] = measure.opposed(cases[pair[0]], cases[pair[1]])
        return known[pair]

    def score(one: int, other: int) -> float:
        return 0.0 if forbids(one, other) else exact(measure.probability(cases[one], cases[other]))

    groups = Groups(scores, forbids, score)
    for _, day in groupby(range(len(cases)), key=lambda index: cases[index].key[0]):
        for index in day:
            groups.add(index)
        groups.grow()
    return [[cases[index] for index in sorted(members)] for members in groups.members.values()]


def _kept_apart(cases: list[ClaimFeatures], apart: frozenset[frozenset[str]]) -> set[tuple[int, int]]:
    """Return pairs of claim ids as pairs of indexes, smaller first; pairs with an unknown claim are skipped."""
    place = {case.claim.claim_id: index for index, case in enumerate(cases)}
    pairs = [sorted(place[id_] for id_ in pair if id_ in place) for pair in apart]
    return {(pair[0], pair[1]) for pair in pairs if len(pair) == 2}


def join_by_editors(
    groups: list[list[ClaimFeatures]], together: Iterable[tuple[str, str]], apart: frozenset[frozenset[str]]
) -> list[list[ClaimFeatures]]:
    """Join whole groups, of any type, where an editor put a claim of each into one event."""
    group_of = {case.claim.claim_id: members for members in groups for case in members}
    for one, other in together:
        some, others = group_of.get(one), group_of.get(other)
        if some is None or others is None or some is others:
            continue
        if any(frozenset((a.claim.claim_id, b.claim.claim_id)) in apart for a in some for b in others):
            continue
        merged = sorted([*some, *others], key=lambda case: case.key)
        groups = [members for members in groups if members is not some and members is not others] + [merged]
        group_of.update({case.claim.claim_id: merged for case in merged})
    return groups


def _day(article: Article | None) -> date | None:
    return article.published_at.date() if article and article.published_at else None
