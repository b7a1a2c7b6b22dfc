"""crawl.db comes in; the articles, versions and findings that a ledger is built from go out."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from pipeline.records import Findings
from pipeline.revisions import Edition
from pipeline.store.library import Library
from scrapers.records import Article


@dataclass(frozen=True, slots=True)
class Kept:
    """What crawl.db holds for one version of the program.

    `articles` and `findings`: the latest version of each article that is, or in an earlier version was, about the
    oversight of AI. `editions`: all its versions, oldest first. `n_articles_of`: source id -> articles kept.
    """

    articles: dict[str, Article]
    findings: dict[str, Findings]
    editions: dict[str, tuple[Edition, ...]]
    n_articles_of: Counter[str]
    last_fetch: str

    def former(self, article_id: str) -> list[str]:
        """Return the texts of an article's other versions."""
        now = self.articles[article_id].version
        return [e.article.text for e in self.editions[article_id] if e.article.version != now]

    def with_findings(self, findings: Iterable[Findings]) -> Kept:
        """Return the same with other findings of the articles; those that are not relevant now fall out."""
        found = {f.article_id: f for f in findings if f.relevant or _relevant(self.editions[f.article_id])}
        return replace(
            self,
            articles={id_: article for id_, article in self.articles.items() if id_ in found},
            findings=found,
            editions={id_: editions for id_, editions in self.editions.items() if id_ in found},
        )

    @property
    def versions(self) -> dict[str, list[tuple[Article, str, str, int]]]:
        """Return for each article (version, first seen, last seen, number of claims), oldest first."""
        return {
            id_: [(e.article, e.first_seen_at, e.last_seen_at, len(e.findings.claims) if e.findings else 0) for e in es]
            for id_, es in self.editions.items()
        }


def _relevant(editions: Iterable[Edition]) -> bool:
    return any(e.findings and e.findings.relevant for e in editions)


def read_kept(library: Library, program_version: str, wanted: Collection[str] = ()) -> Kept:
    """Read the latest version of each article with its findings.

    Only relevant articles are kept in memory, and those that editors decided on, by their ids `wanted`.
    A page that was read anew by a later reader counts as that reader read it: the former text was never published.
    """
    found = {(f.article_id, f.version): f for f in library.findings(program_version)}
    outdated = library.outdated_versions()
    editions: dict[str, list[Edition]] = defaultdict(list)
    latest: dict[str, tuple[tuple[str, str, str], str]] = {}
    source_of: dict[str, str] = {}
    last_fetch = ""
    for kept in library.versions():
        article, first, last = kept.article, kept.first_seen_at, kept.last_seen_at
        last_fetch = max(last_fetch, last)
        key = (article.article_id, article.version)
        if key in outdated:
            continue
        rank = (last, first, article.version)
        if article.article_id not in latest or rank > latest[article.article_id][0]:
            latest[article.article_id] = (rank, article.version)
            source_of[article.article_id] = article.source_id
        editions[article.article_id].append(Edition(article, found.get(key), first, last))
    articles, findings, chosen = {}, {}, {}
    for id_, (_, version) in latest.items():
        now = next(e for e in editions[id_] if e.article.version == version)
        if now.findings is not None and (id_ in wanted or _relevant(editions[id_])):
            articles[id_], findings[id_], chosen[id_] = now.article, now.findings, tuple(editions[id_])
    return Kept(articles, findings, chosen, Counter(source_of.values()), last_fetch)
