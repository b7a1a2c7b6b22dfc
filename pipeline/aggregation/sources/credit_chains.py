"""Follows the credits of articles to the reports that they rest on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, timedelta
from itertools import pairwise

from pipeline.aggregation.sources.credit_scope import CreditScope, rank, scope_of
from pipeline.aggregation.sources.publishers import Publishers
from pipeline.records import Claim, Credit, Findings
from scrapers.items import Article

CREDIT_DAYS = 10  # maximum age of a credited report


def whole_names(credits: Iterable[Credit]) -> list[Credit]:
    """Return the credits without those whose name is part of another's at the same place."""
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


@dataclass(frozen=True, slots=True)
class _Topics:
    """The subject of an article: the (type, entity) pairs of its claims."""

    article: Article
    topics: frozenset[tuple[str, str]]

    def shares_news_with(self, other: _Topics) -> bool:
        return bool(self.topics & other.topics) and self.near(other)

    def near(self, other: _Topics) -> bool:
        one, two = self.article.published_at, other.article.published_at
        return one is None or two is None or abs(one - two) <= timedelta(days=CREDIT_DAYS)


class CreditChains:
    """A set of articles with their topics and credits."""

    def __init__(self, articles: Iterable[Article], findings: Iterable[Findings], publishers: Publishers) -> None:
        self.publishers = publishers
        self.articles: Mapping[str, Article] = {a.article_id: a for a in sorted(articles, key=order)}
        found = {f.article_id: f for f in findings if f.article_id in self.articles}
        self.claims: Mapping[str, tuple[Claim, ...]] = {id_: f.claims for id_, f in found.items()}
        self.credits: Mapping[str, list[tuple[Credit, CreditScope]]] = {
            id_: [
                (credit, scope)
                for credit in whole_names(f.credits)
                if (scope := scope_of(credit, self.articles[id_].text, f.claims)) is not None
            ]
            for id_, f in found.items()
        }
        self._topics_of = {
            id_: _Topics(article, _topics(self.claims.get(id_, ()))) for id_, article in self.articles.items()
        }
        self._by_url = {article.url.rstrip("/"): id_ for id_, article in self.articles.items()}
        self._of_source: dict[str, list[str]] = {}
        for id_, article in self.articles.items():
            self._of_source.setdefault(article.source_id, []).append(id_)

    def title(self, id_: str) -> str:
        article = self.articles[id_]
        return self.publishers.title(article.source_id, article.publisher)

    def same_news(self, one: str, other: str) -> bool:
        return self._topics_of[one].shares_news_with(self._topics_of[other])

    def topics(self, id_: str) -> frozenset[tuple[str, str]]:
        """Return the (type, entity) pairs of an article's claims."""
        return self._topics_of[id_].topics

    def near_in_time(self, ids: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Yield pairs that link all articles near in time, directly or via others; undated ones are near all."""
        dated = sorted((a.published_at, a.article_id) for id_ in ids if (a := self.articles[id_]).published_at)
        undated = sorted(id_ for id_ in ids if self.articles[id_].published_at is None)
        for (one, first), (other, second) in pairwise(dated):
            if undated or other - one <= timedelta(days=CREDIT_DAYS):
                yield first, second
        yield from pairwise([*undated, *(id_ for _, id_ in dated[:1])])

    def chain(self, id_: str) -> list[Credit]:
        """Return the credits that the whole article rests on: one report, and the source of its text.

        Of two reports credited side by side only the first is followed, so that origins are not joined too widely.
        """
        ranked = sorted(
            (rank(credit), credit.start, credit.name, credit)
            for credit, scope in self.credits.get(id_, ())
            if scope.whole
        )
        report = next((credit for kind, *_, credit in ranked if kind < 2), None)
        taken = next((credit for kind, *_, credit in ranked if kind == 2), None)
        return [credit for credit in (report, taken) if credit is not None]

    def own_credit(self, claim: Claim) -> Credit | None:
        """Return the credit for a single claim, preferring its sentence to its paragraph."""
        chained = self.chain(claim.evidence.article_id)
        found = [
            (not claim.evidence.start <= credit.start < claim.evidence.end, credit.start, credit.name, credit)
            for credit, scope in self.credits.get(claim.evidence.article_id, ())
            if not scope.whole and credit not in chained and scope.covers(claim)
        ]
        return min(found)[3] if found else None

    def credited_article(self, id_: str, credit: Credit) -> str:
        """Return the id of the credited report: the linked one, else the source's latest on this news, or ""."""
        source = self.publishers.source_named(credit.name)
        links = [credit.url, *(c.url for c, _ in self.credits.get(id_, ()) if source is not None)]
        for url in filter(None, links):
            linked = self._by_url.get(url.rstrip("/"))
            if not linked or linked == id_:
                continue
            if url == credit.url or (source is not None and self.articles[linked].source_id == source.source_id):
                return linked
        if source is None:
            return ""
        here = self._topics_of[id_]
        options = [
            (len(here.topics & self._topics_of[other].topics), order(self.articles[other]), other)
            for other in self._of_source.get(source.source_id, ())
            if other != id_ and self.same_news(id_, other) and _not_after(self.articles[other], here.article)
        ]
        return max(options)[2] if options else ""


def can_rest_on(article: Article, other: Article) -> bool:
    """Return True if the dates allow an article to rest on another one with the same news."""
    return _Topics(article, frozenset()).near(_Topics(other, frozenset())) and _not_after(other, article)


def order(article: Article) -> tuple[str, str]:
    return (article.published_at.astimezone(UTC).isoformat() if article.published_at else "9999", article.article_id)


def _topics(claims: Iterable[Claim]) -> frozenset[tuple[str, str]]:
    return frozenset((claim.type, p.entity_id) for claim in claims for p in claim.participants)


def _not_after(one: Article, other: Article) -> bool:
    if one.published_at is None or other.published_at is None:
        return True
    return one.published_at <= other.published_at + timedelta(days=1)
