"""The steps of the line over a data folder: crawl, extract, build, publish; each takes up where the last run ended.

Every step says how far it has come through `say`, keeps what it has done in small transactions, and may be killed at
any moment: the next run goes on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from pipeline.app.page_reader import read_each
from pipeline.ledger.article_store import Library
from pipeline.ledger.build.build import BuildReport
from pipeline.ledger.build.build import build as build_ledger
from pipeline.ledger.publish.publish import PublishReport
from pipeline.ledger.publish.publish import publish as publish_snapshot
from pipeline.ledger.reviews.file import load_reviews
from pipeline.ledger.rows.tables import GOOD, Visited
from pipeline.lexicon.load import load_lexicon
from pipeline.records import Findings
from pipeline.settings import load_settings
from pipeline.versions import program_version, reader_version
from pipeline.workspace import DataFolder
from scrapers.archive.store import Archive
from scrapers.crawling.frontier import Frontier
from scrapers.crawling.source_health import SourceHealth, health_of
from scrapers.items import Article, Outcome, Source, Visit
from scrapers.process_pool import Lost

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ExtractReport:
    """What one extraction did. `outcomes` counts how reading the new pages ended."""

    n_pages: int
    n_articles: int
    n_relevant: int
    n_claims: int
    outcomes: dict[str, int] = field(default_factory=dict)
    n_lost: int = 0  # articles that could not be understood: each is kept with the reason


def read_pages(folder: DataFolder, sources: Sequence[Source], say: Say) -> Counter[str]:
    """Read every archived page that this version of the reader has not read yet; return how the readings ended.

    Pages are read in processes of their own: one that ends or stops its reader becomes the outcome UNREADABLE.
    """
    ended: Counter[str] = Counter()
    with Library(folder.crawl_db) as library, closing(Frontier(folder.crawl_db)) as frontier:
        archive = Archive(folder.archive, folder.crawl_db)
        waiting = [r for r in archive.pages() if not library.was_read(r.sha256, r.url, reader_version())]
        jobs = ((archive.get(ref.sha256, ref.url), ref.source_id, frontier.hint(ref.url)) for ref in waiting)
        for (page, source_id, _), reading in read_each(jobs, sources):
            library.save_reading(
                page.sha256, page.url, source_id, reader_version(), reading.outcome, reading.article, reading.detail
            )
            ended[reading.outcome.value] += 1
            say(f"read {ended.total()} of {len(waiting)} pages")
        archive.close()
    return ended


def extract(folder: DataFolder, sources: Sequence[Source], say: Say, lexicon: Sequence[Path] = ()) -> ExtractReport:
    """Read new pages into articles and new articles into findings."""
    ended = read_pages(folder, sources, say)
    version = program_version(*lexicon)
    n_articles = n_relevant = n_claims = n_lost = 0
    with Library(folder.crawl_db) as library:
        waiting = library.n_pending(version)
        if waiting:
            from pipeline.nlp.pool import extract_each  # heavy: spaCy

            for article, findings in extract_each(library.pending(version), lexicon):
                n_articles += 1
                if isinstance(findings, Lost):
                    n_lost += 1
                    library.save_lost(article, version, findings.why)
                    say(f"{article.url} could not be understood: {findings.why}")
                    continue
                library.save_findings(findings, version)
                n_relevant += findings.relevant
                n_claims += len(findings.claims)
                say(f"understood {n_articles} of {waiting} articles: {n_claims} claims")
    return ExtractReport(ended.total(), n_articles, n_relevant, n_claims, dict(ended), n_lost)


def add_article(folder: DataFolder, article: Article, lexicon: Sequence[Path] = ()) -> Findings:
    """Keep one article and what it says; return the findings."""
    from pipeline.nlp.pipeline import extract as extract_from  # heavy: spaCy
    from pipeline.nlp.pipeline import load_tools

    version = program_version(*lexicon)
    findings = extract_from(article, load_tools(lexicon=lexicon))
    with Library(folder.crawl_db) as library:
        library.save(article, findings, version)
    return findings


def build(
    folder: DataFolder,
    sources: Sequence[Source],
    *,
    least_confidence: float,
    lexicon: Sequence[Path] = (),
    reviews: Path | None = None,
    full: bool = False,
) -> BuildReport:
    """Join what changed into build.db, as the editors decided: `reviews` is their file, by default the folder's.

    `full`: join everything anew, which gives the same ledger.
    """
    decided = load_reviews(reviews or folder.reviews)
    version = program_version(*lexicon)
    with closing(Frontier(folder.crawl_db)) as frontier:
        gone = frontier.gone()
    return build_ledger(
        folder.crawl_db,
        folder.build_db,
        sources,
        visits=visited(folder, version),
        program_version=_readers_version(folder, lexicon),
        lexicon=load_lexicon(*lexicon),
        min_confidence=least_confidence,
        reviews=decided,
        health=health(folder, sources, version),
        gone=gone,
        full=full,
    )


def _readers_version(folder: DataFolder, lexicon: Sequence[Path]) -> str | None:
    """Return this program's version, or None (the last one's) where this program has not read anything yet."""
    version = program_version(*lexicon)
    with Library(folder.crawl_db) as library:
        return version if library.has_findings(version) else None


class Ends:
    """How reading each page ended, by (sha256, address), looked up when asked for.

    `version`: of the program: a page whose article it could not understand ends as unreadable.
    """

    def __init__(self, library: Library, version: str) -> None:
        self.library, self.version = library, version

    def get(self, page: tuple[str, str], default: Outcome | None = None) -> Outcome | None:
        """Return how reading a page ended, the default where it was not read by this version of the reader."""
        return self.library.end_of(*page, reader_version(), self.version) or default


def visited(folder: DataFolder, version: str) -> dict[str, Visited]:
    """Return how the visits to each source went, each with its last word: a page that was saved, but could not be read,
    ends as the reader said. Visits that were let go (scrapers/crawling/retention.py) count as they then ended."""
    with Library(folder.crawl_db) as library, closing(Frontier(folder.crawl_db)) as frontier:
        ends = Ends(library, version)

        def settled(visit: Visit) -> Visit:
            end = ends.get((visit.sha256, visit.url)) if visit.outcome is Outcome.SAVED else None
            return replace(visit, outcome=end) if end else visit

        counts = library.visit_outcomes(reader_version(), version)
        return {
            source_id: Visited(outcomes, *_last(map(settled, frontier.visits_backwards(source_id))))
            for source_id, outcomes in counts.items()
        }


def _last(backwards: Iterable[Visit]) -> tuple[Visit | None, Visit | None]:
    """Return the last visit, of several at one moment a good one, and the last good one. `backwards`: by time."""
    last: Visit | None = None
    for visit in backwards:
        good = visit.outcome in GOOD
        if last is None or (good and visit.at == last.at and last.outcome not in GOOD):
            last = visit
        if good:
            return last, visit
    return last, None


def health(
    folder: DataFolder, sources: Sequence[Source], version: str, now: datetime | None = None
) -> dict[str, SourceHealth]:
    """Return how each source fares; by default as of the last visit to any, so that a build depends on no clock."""
    with Library(folder.crawl_db) as library, closing(Frontier(folder.crawl_db)) as frontier:
        return health_of(frontier.db, sources, Ends(library, version), now)


def publish(folder: DataFolder, *, force: bool = False) -> PublishReport:
    """Publish build.db as a new snapshot, with what a server needs to take it up at once beside it."""
    months = load_settings(folder.settings).keep_months
    return publish_snapshot(folder.build_db, folder.published, force=force, keep_months=months, prepare=_prepare)


def _prepare(copy: Path, snapshot: Path) -> None:
    """Keep the arrays that the site counts with beside a snapshot. A server without them reads them itself."""
    from pipeline.site.facets.columns import save_arrays

    with suppress(OSError):
        save_arrays(copy, snapshot)


def every_source(cards: Iterable[Source], more: Iterable[Source]) -> tuple[Source, ...]:
    """Return both sets of cards; the second replaces cards of the first with the same id."""
    by_id = {source.source_id: source for source in (*cards, *more)}
    return tuple(by_id[key] for key in sorted(by_id))
