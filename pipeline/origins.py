"""Which articles are one report: articles, findings and publishers come in; independent origins and the reasons go out.

An article is put under another report where its text is a copy of it, or where it credits that report for its news.
What is credited decides, not who printed it: a copy never confirms. A dateline alone credits nobody.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from pipeline.copies import find_copies
from pipeline.publishers import Outlet, Publishers, plain
from pipeline.records import Claim, Credit, Findings, Origin, OriginEdge
from scrapers.records import Article, Source

STORY_DAYS = 10  # a credit reaches back so far for the credited report
LEAD_CHARACTERS = 1500  # a credit up to here speaks for the whole article, a later one for its own sentence
_NOT_A_CREDIT = ("dateline",)
_SAME_TEXT = "of the text is the same"
_FIRST = ("first reported", "first report", "originally reported", "broke the", "scoop")
_TAKEN_FROM = ("source line", "source", "via", "byline", "agency", "credit line")


def credit_rank(credit: Credit) -> int | None:
    """Return how far a credit reaches: 0 the first reporter, 1 a report in the lead, 2 where the text was taken from.

    None: it speaks only for the sentence it stands in, or (a dateline) for nothing.
    """
    cue = credit.cue.casefold()
    if any(word in cue for word in _NOT_A_CREDIT):
        return None
    if any(word in cue for word in _FIRST):
        return 0
    if any(cue.startswith(word) for word in _TAKEN_FROM):
        return 2
    return 1 if credit.start < LEAD_CHARACTERS else None


def whole_names(credits: Iterable[Credit]) -> list[Credit]:
    """Return the credits without those whose name is a piece of another's at the same place."""
    every = sorted(set(credits), key=lambda c: (c.start, c.end - c.start, c.name, c.cue))
    return [
        one
        for one in every
        if not any(
            o.start <= one.start
            and one.end <= o.end
            and (o.end - o.start, len(o.name)) > (one.end - one.start, len(one.name))
            for o in every
        )
    ]


def chain(credits: Iterable[Credit]) -> list[Credit]:
    """Return the credits that make up an article's chain: one report it rests on, and where its text was taken from.

    Two reports credited side by side are two origins: only the first is followed, so that nothing is joined too far.
    """
    ranked = sorted(
        (rank, credit.start, credit.name, credit)
        for credit in whole_names(credits)
        if (rank := credit_rank(credit)) is not None
    )
    report = next((credit for rank, *_, credit in ranked if rank < 2), None)
    taken = next((credit for rank, *_, credit in ranked if rank == 2), None)
    return [credit for credit in (report, taken) if credit is not None]


@dataclass(frozen=True, slots=True)
class _Story:
    """What an article is about, coarsely: its day and the (type, entity) pairs of its claims."""

    article: Article
    topics: frozenset[tuple[str, str]]

    def shares_news_with(self, other: _Story) -> bool:
        if not self.topics & other.topics:
            return False
        one, two = self.article.published_at, other.article.published_at
        return one is None or two is None or abs(one - two) <= timedelta(days=STORY_DAYS)


class _Sets:
    """Union-find over article ids and names of outside reports; the smallest key stands for its set."""

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


def _order(article: Article) -> tuple[str, str]:
    return (article.published_at.isoformat() if article.published_at else "9999", article.article_id)


class _Finder:
    def __init__(self, articles: Iterable[Article], findings: Iterable[Findings], publishers: Publishers) -> None:
        self.publishers = publishers
        self.articles = {a.article_id: a for a in sorted(articles, key=_order)}
        self.findings = {f.article_id: f for f in findings if f.article_id in self.articles}
        self.stories = {
            id_: _Story(article, _topics(self.findings[id_].claims if id_ in self.findings else ()))
            for id_, article in self.articles.items()
        }
        self.sets = _Sets()
        self.edges: list[OriginEdge] = []
        self.outside: dict[str, list[str]] = {}  # article id -> names of the outside reports it rests on
        self.rests_on: set[str] = set()  # articles that are copies or credit somebody

    def run(self) -> tuple[tuple[Origin, ...], tuple[OriginEdge, ...]]:
        self._copies()
        for id_ in self.articles:
            for credit in chain(self.findings[id_].credits if id_ in self.findings else ()):
                self._credit(id_, credit)
        self._join_outside()
        edges = sorted(set(self.edges), key=lambda e: (e.article_id, e.basis, e.to_article_id, e.to_name, e.detail))
        return self._origins(), tuple(edges)

    def _copies(self) -> None:
        pairs = find_copies({id_: article.text for id_, article in self.articles.items()})
        near: dict[str, dict[str, float]] = defaultdict(dict)
        for (one, other), likeness in pairs.items():
            near[one][other] = near[other][one] = likeness
            self.sets.join(one, other)
        for id_ in near:
            lead = min((id_, *near[id_]), key=self._precedence)
            if lead != id_:
                basis = "wire" if self.publishers.source_is_wire(self.articles[lead].source_id) else "copy"
                self._edge(id_, lead, self._title(lead), basis, f"{near[id_][lead]:.2f} {_SAME_TEXT}")

    def _precedence(self, id_: str) -> tuple:
        """The agency's own text before reprints, a text that credits nobody before one that does, then the earliest."""
        credits = chain(self.findings[id_].credits) if id_ in self.findings else []
        wire = self.publishers.source_is_wire(self.articles[id_].source_id)
        return (not wire, bool(credits), _order(self.articles[id_]))

    def _credit(self, id_: str, credit: Credit) -> None:
        name = self.publishers.label(credit.name)
        own = self._title(id_)
        if self.publishers.family(name) == self.publishers.family(own):
            return
        basis = "wire" if self.publishers.is_wire(name) else "credit"
        detail = credit.cue
        lead = self._credited_article(id_, credit)
        if lead:
            self.sets.join(id_, lead)
            self._edge(id_, lead, name, basis, detail)
        else:
            self._edge(id_, "", name, basis, detail)
            self.outside.setdefault(id_, []).append(name)

    def _credited_article(self, id_: str, credit: Credit) -> str:
        """Return the credited report in the ledger: the linked one, or the source's latest one with that news."""
        if credit.url:
            linked = [a.article_id for a in self.articles.values() if a.url.rstrip("/") == credit.url.rstrip("/")]
            if linked and linked[0] != id_:
                return linked[0]
        source = self.publishers.source_named(credit.name)
        if source is None:
            return ""
        here = self.stories[id_]
        options = [
            (len(here.topics & story.topics), _order(story.article), other)
            for other, story in self.stories.items()
            if other != id_ and story.article.source_id == source.source_id and here.shares_news_with(story)
            and _not_after(story.article, here.article)
        ]  # fmt: skip
        return max(options)[2] if options else ""

    def _join_outside(self) -> None:
        """Join the articles that rest on one outside report: the same name, credited for the same news."""
        by_name: dict[str, list[str]] = defaultdict(list)
        for id_, names in self.outside.items():
            for name in names:
                by_name[self.publishers.family(name)].append(id_)
        for ids in by_name.values():
            for position, one in enumerate(ids):
                for other in ids[position + 1 :]:
                    if self.stories[one].shares_news_with(self.stories[other]):
                        self.sets.join(one, other)

    def _edge(self, id_: str, to_id: str, name: str, basis: str, detail: str) -> None:
        self.rests_on.add(id_)
        self.edges.append(OriginEdge(id_, to_id, name, basis, detail))

    def _title(self, id_: str) -> str:
        article = self.articles[id_]
        return self.publishers.title(article.source_id, article.publisher)

    def _origins(self) -> tuple[Origin, ...]:
        members: dict[str, list[str]] = defaultdict(list)
        for id_ in self.articles:
            members[self.sets.find(id_)].append(id_)
        return tuple(sorted((self._origin(ids) for ids in members.values()), key=lambda o: o.origin_id))

    def _origin(self, ids: list[str]) -> Origin:
        """The one report behind some articles: what they credit outside the ledger, else the one that leads them."""
        named = [self.outside[id_][0] for id_ in ids if id_ in self.outside]
        free = [id_ for id_ in ids if id_ not in self.rests_on]
        if named and not free:
            name = min(named, key=lambda n: (-named.count(n), plain(n)))
            kind = "wire" if self.publishers.is_wire(name) else "credited"
            return Origin(_origin_id(ids[0], name), kind, name, "", tuple(ids))
        lead = min(free or ids, key=self._precedence)
        wire = self.publishers.source_is_wire(self.articles[lead].source_id)
        return Origin(_origin_id(lead, ""), "wire" if wire else "original", self._title(lead), lead, tuple(ids))


def _origin_id(lead: str, name: str) -> str:
    return "o" + hashlib.sha256(f"{lead}\x1f{plain(name) if name else ''}".encode()).hexdigest()[:16]


def _topics(claims: Iterable[Claim]) -> frozenset[tuple[str, str]]:
    return frozenset((claim.type, p.entity_id) for claim in claims for p in claim.participants)


def _not_after(one: Article, other: Article) -> bool:
    if one.published_at is None or other.published_at is None:
        return True
    return one.published_at <= other.published_at + timedelta(days=1)


def copies_of(edges: Iterable[OriginEdge]) -> dict[str, str]:
    """Return for each article that is a copy, or has copies, the smallest article id of its text."""
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
    """Return the independent origins of the articles, each article in exactly one, and why articles were put together.

    An outside report gives a `credited` (or `wire`) origin without a lead article. Pure; order makes no difference.
    """
    return _Finder(articles, findings, Publishers(sources, outlets)).run()


def assign(
    events: Mapping[str, tuple[Claim, ...]],
    articles: Mapping[str, Article],
    findings: Mapping[str, Findings],
    origins: Iterable[Origin],
    sources: Iterable[Source],
    outlets: Iterable[Outlet] = (),
) -> tuple[dict[str, str], tuple[Origin, ...], tuple[OriginEdge, ...]]:
    """Return for each claim the origin it counts under, the origins that this adds, and the edges that say why.

    A claim whose own sentence credits another publisher counts under that one. Within one event, origins of one
    publisher family count as one. `events`: event id -> its claims.
    """
    publishers = Publishers(sources, outlets)
    by_id = {origin.origin_id: origin for origin in origins}
    of_article = {id_: origin for origin in by_id.values() for id_ in origin.article_ids}
    found: dict[str, str] = {}
    added: dict[str, Origin] = {}
    edges: list[OriginEdge] = []
    for event_id in sorted(events):
        of_family: dict[str, Origin] = {}
        claims = sorted(events[event_id], key=lambda c: (_order(articles[c.evidence.article_id]), c.claim_id))
        uncredited = [c for c in claims if _own_credit(c, findings) is None]
        credited = [c for c in claims if _own_credit(c, findings) is not None]
        for claim in [*uncredited, *credited]:
            id_ = claim.evidence.article_id
            credit = _own_credit(claim, findings)
            origin = of_article[id_]
            name = publishers.label(credit.name) if credit else origin.label
            family = publishers.family(name)
            if credit and family != publishers.family(origin.label):
                origin = of_family.get(family) or Origin(
                    _origin_id(event_id, name), "wire" if publishers.is_wire(name) else "credited", name, "", ()
                )
                if origin.origin_id not in by_id:
                    kept = added.get(origin.origin_id, origin).article_ids
                    added[origin.origin_id] = Origin(
                        origin.origin_id, origin.kind, origin.label, "", tuple(dict.fromkeys((*kept, id_)))
                    )
                basis = "wire" if publishers.is_wire(name) else "credit"
                edges.append(OriginEdge(id_, origin.lead_article_id, name, basis, f"{credit.cue} (for one claim)"))
            first = of_family.setdefault(family, origin)
            if first.origin_id != origin.origin_id:
                edges.append(OriginEdge(id_, first.lead_article_id, first.label, "family", "one publisher, one origin"))
            found[claim.claim_id] = first.origin_id
    unique = sorted(set(edges), key=lambda e: (e.article_id, e.basis, e.to_article_id, e.to_name, e.detail))
    return found, tuple(sorted(added.values(), key=lambda o: o.origin_id)), tuple(unique)


def _own_credit(claim: Claim, findings: Mapping[str, Findings]) -> Credit | None:
    """Return the credit that stands in the claim's own sentence, unless it speaks for the whole article anyway."""
    found = findings.get(claim.evidence.article_id)
    whole = chain(found.credits) if found else []
    for credit in whole_names(found.credits) if found else ():
        if credit in whole or any(w in credit.cue.casefold() for w in _NOT_A_CREDIT):
            continue
        if claim.evidence.start <= credit.start < claim.evidence.end:
            return credit
    return None
