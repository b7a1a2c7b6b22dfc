"""Groups articles that are one report into independent origins, and records why.

An article joins another report if it is a near-duplicate of it or credits it for its news. The credit decides, not the
printing outlet: a copy never confirms. A dateline alone credits nobody.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping

from pipeline.aggregation.sources.credit_chains import CreditChains, order
from pipeline.aggregation.sources.near_duplicates import find_near_duplicates
from pipeline.aggregation.sources.publishers import Outlet, Publishers, plain
from pipeline.records import Credit, Findings, Origin, OriginEdge
from scrapers.items import Article, Source

_SAME_TEXT = "of the text is the same"


class _Sets:
    """Union-find over article ids and names of outside reports; the smallest key represents its set."""

    def __init__(self) -> None:
        self._up: dict[str, str] = {}

    def find(self, key: str) -> str:
        while (up := self._up.setdefault(key, key)) != key:
            self._up[key] = self._up[up]
            key = up
        return key

    def join(self, one: str, other: str) -> None:
        low, high = sorted((self.find(one), self.find(other)))
        self._up[high] = low


class Finder:
    """Finds the origins of articles. `near_duplicates`: the pairs of near-duplicates among them."""

    def __init__(self, chains: CreditChains, near_duplicates: Mapping[tuple[str, str], float]) -> None:
        self.chains = chains
        self.pairs = near_duplicates
        self.publishers = chains.publishers
        self.articles = chains.articles
        self.sets = _Sets()
        self.edges: list[OriginEdge] = []
        self.outside: dict[str, list[str]] = {}  # article id -> names of the outside reports that it rests on
        self.rests_on: set[str] = set()  # near-duplicates and articles with a credit

    def run(self) -> tuple[tuple[Origin, ...], tuple[OriginEdge, ...]]:
        self._near_duplicates()
        for id_ in self.articles:
            for credit in self.chains.chain(id_):
                self._credit(id_, credit)
        self._join_outside()
        edges = sorted(set(self.edges), key=lambda e: (e.article_id, e.basis, e.to_article_id, e.to_name, e.detail))
        return self._origins(), tuple(edges)

    def _near_duplicates(self) -> None:
        near: dict[str, dict[str, float]] = defaultdict(dict)
        for (one, other), similarity in self.pairs.items():
            near[one][other] = near[other][one] = similarity
            self.sets.join(one, other)
        for id_, others in near.items():
            lead = min((id_, *others), key=self._precedence)
            if lead != id_:
                basis = "wire" if self.publishers.source_is_wire(self.articles[lead].source_id) else "copy"
                self._edge(id_, lead, self.chains.title(lead), basis, f"{others[lead]:.2f} {_SAME_TEXT}")

    def _precedence(self, id_: str) -> tuple:
        """Sort key: the agency's own text before reprints, texts without credits before others, then the earliest."""
        wire = self.publishers.source_is_wire(self.articles[id_].source_id)
        return (not wire, bool(self.chains.chain(id_)), order(self.articles[id_]))

    def _credit(self, id_: str, credit: Credit) -> None:
        name = self.publishers.label(credit.name)
        own = self.chains.title(id_)
        if self.publishers.family(name) == self.publishers.family(own):
            return
        basis = "wire" if self.publishers.is_wire(name) else "credit"
        detail = credit.cue
        lead = self.chains.credited_article(id_, credit)
        if lead:
            self.sets.join(id_, lead)
            self._edge(id_, lead, self.chains.title(lead), basis, detail)
        else:
            self._edge(id_, "", name, basis, detail)
            self.outside.setdefault(id_, []).append(name)

    def _join_outside(self) -> None:
        """Join the articles that rest on one outside report: same name, credited for the same news."""
        blocks: dict[tuple, list[str]] = defaultdict(list)
        for id_, names in self.outside.items():
            for family in {self.publishers.family(name) for name in names}:
                for topic in self.chains.topics(id_):
                    blocks[family, topic].append(id_)
        for ids in blocks.values():
            for one, other in self.chains.near_in_time(ids):
                self.sets.join(one, other)

    def _edge(self, id_: str, to_id: str, name: str, basis: str, detail: str) -> None:
        self.rests_on.add(id_)
        self.edges.append(OriginEdge(id_, to_id, name, basis, detail))

    def _origins(self) -> tuple[Origin, ...]:
        members: dict[str, list[str]] = defaultdict(list)
        for id_ in self.articles:
            members[self.sets.find(id_)].append(id_)
        return tuple(sorted((self._origin(ids) for ids in members.values()), key=lambda o: o.origin_id))

    def _origin(self, ids: list[str]) -> Origin:
        """Return the report behind some articles: the outside report they credit, else the leading article."""
        named = [self.outside[id_][0] for id_ in ids if id_ in self.outside]
        free = [id_ for id_ in ids if id_ not in self.rests_on]
        if named and not free:
            name = min(named, key=lambda n: (-named.count(n), plain(n)))
            kind = "wire" if self.publishers.is_wire(name) else "credited"
            return Origin(origin_id(ids[0], name), kind, name, "", tuple(ids))
        lead = min(free or ids, key=self._precedence)
        wire = self.publishers.source_is_wire(self.articles[lead].source_id)
        return Origin(origin_id(lead, ""), "wire" if wire else "original", self.chains.title(lead), lead, tuple(ids))


def origin_id(lead: str, name: str) -> str:
    """Return the id of an origin: from its leading article, or from the event and the name of an outside report."""
    return "o" + hashlib.sha256(f"{lead}\x1f{plain(name) if name else ''}".encode()).hexdigest()[:16]


def near_duplicates_of(edges: Iterable[OriginEdge]) -> dict[str, str]:
    """Return, for each article with near-duplicates, the smallest article id of its group."""
    sets = _Sets()
    members = set()
    for edge in edges:
        if edge.to_article_id and edge.detail.endswith(_SAME_TEXT):
            sets.join(edge.article_id, edge.to_article_id)
            members |= {edge.article_id, edge.to_article_id}
    return {id_: sets.find(id_) for id_ in sorted(members)}


def find_origins(
    articles: Iterable[Article],
    findings: Iterable[Findings],
    sources: Iterable[Source],
    outlets: Iterable[Outlet] = (),
) -> tuple[tuple[Origin, ...], tuple[OriginEdge, ...]]:
    """Return the independent origins, each article in exactly one, and the reasons for joining articles.

    An outside report gives a `credited` (or `wire`) origin without a lead article. Pure; the order of the input makes
    no difference.
    """
    chains = CreditChains(articles, findings, Publishers(sources, outlets))
    return Finder(chains, find_near_duplicates({id_: article.text for id_, article in chains.articles.items()})).run()
