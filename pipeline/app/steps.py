"""The steps of a pipeline run after the crawl: extract, build, publish.

Each step commits in small transactions and can be killed at any moment; the next run continues from there.
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

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ExtractReport:
    """Counts of one extraction. `outcomes` counts the outcomes of parsing the new pages."""

    n_pages: int
    n_articles: int
    n_relevant: int
    n_claims: int
    outcomes: dict[str, int] = field(default_factory=dict)
    n_lost: int = 0  # articles on which extraction failed; the reason is stored with each


def read_pages(folder: DataFolder, sources: Sequence[Source], progress: Progress) -> Counter[str]:
    """Parse every archived page that this version of the parser has not parsed yet; return the outcomes."""
    outcomes: Counter[str] = Counter()
    with Library(folder.crawl_db) as library, closing(Frontier(folder.crawl_db)) as frontier:
        archive = Archive(folder.archive, folder.crawl_db)
        waiting = [r for r in archive.pages() if not library.was_read(r.sha256, r.url, reader_version())]
        jobs = ((archive.get(ref.sha256, ref.url), ref.source_id, frontier.hint(ref.url)) for ref in waiting)
        for (page, source_id, _), reading in read_each(jobs, sources):
            library.save_reading(
                page.sha256, page.url, source_id, reader_version(), reading.outcome, reading.article, reading.detail
            )
            outcomes[reading.outcome.value] += 1
            progress(f"parsed {outcomes.total()} of {len(waiting)} pages")
        archive.close()
    return outcomes


def extract(
    folder: DataFolder, sources: Sequence[Source], progress: Progress, lexicon: Sequence[Path] = ()
) -> ExtractReport:
    """Parse new pages into articles and extract the claims of new articles."""
    outcomes = read_pages(folder, sources, progress)
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
                    progress(f"extraction failed on {article.url}: {findings.why}")
                    continue
                library.save_findings(findings, version)
                n_relevant += findings.relevant
                n_claims += len(findings.claims)
                progress(f"extracted {n_claims} claims from {n_articles} of {waiting} articles")
    return ExtractReport(outcomes.total(), n_articles, n_relevant, n_claims, dict(outcomes), n_lost)


def add_article(folder: DataFolder, article: Article, lexicon: Sequence[Path] = ()) -> Findings:
    """Save one article with its findings; return the findings."""
    from pipeline.nlp.pipeline import extract as extract_from  # heavy: spaCy
    from pipeline.nlp.pipeline import load

    version = program_version(*lexicon)
    findings = extract_from(article, load(lexicon=lexicon))
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
    """Build or update build.db, applying the editors' decisions.

    Args:
        folder: the data folder.
        sources: the source cards.
        least_confidence: claims below this probability wait for review.
        lexicon: further lexicon files.
        reviews: the file of decisions; by default that of the data folder.
        full: rebuild from scratch. The result is the same.
    """
    decisions = load_reviews(reviews or folder.reviews)
    version = program_version(*lexicon)
    with closing(Frontier(folder.crawl_db)) as frontier:
        gone = frontier.gone()
    return build_ledger(
        folder.crawl_db,
        folder.build_db,
        sources,
        visits=visits_by_source(folder, version),
        program_version=_extracted_version(folder, lexicon),
        lexicon=load_lexicon(*lexicon),
        min_confidence=least_confidence,
        reviews=decisions,
        health=health(folder, sources, version),
        gone=gone,
        full=full,
    )


def _extracted_version(folder: DataFolder, lexicon: Sequence[Path]) -> str | None:
    """Return this program's version, or None (use the last one's) if this version has extracted nothing yet."""
    version = program_version(*lexicon)
    with Library(folder.crawl_db) as library:
        return version if library.has_findings(version) else None


class ParsingOutcomes:
    """The outcome of parsing each page, by (sha256, address), read from crawl.db one at a time.

    A page whose article failed in extraction, by program `version`, counts as unreadable.
    """

    def __init__(self, library: Library, version: str) -> None:
        self.library, self.version = library, version

    def get(self, page: tuple[str, str], /) -> Outcome | None:
        """Return a page's outcome, None if this version of the parser has not parsed it."""
        return self.library.end_of(*page, reader_version(), self.version)


def visits_by_source(folder: DataFolder, version: str) -> dict[str, Visited]:
    """Return the visits to each source: outcome counts, the last visit and the last successful one.

    A page that was saved but could not be parsed counts with the outcome of parsing. Deleted fetch records still count
    (scrapers/crawling/retention.py).
    """
    with Library(folder.crawl_db) as library, closing(Frontier(folder.crawl_db)) as frontier:
        parsed = ParsingOutcomes(library, version)

        def settled(visit: Visit) -> Visit:
            outcome = parsed.get((visit.sha256, visit.url)) if visit.outcome is Outcome.SAVED else None
            return replace(visit, outcome=outcome) if outcome else visit

        counts = library.visit_outcomes(reader_version(), version)
        return {
            source_id: Visited(outcomes, *_last(map(settled, frontier.visits_backwards(source_id))))
            for source_id, outcomes in counts.items()
        }


def _last(backwards: Iterable[Visit]) -> tuple[Visit | None, Visit | None]:
    """Return the last visit and the last successful one; among simultaneous visits, a successful one counts as last."""
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
    """Return the health of each source, by default as of the last visit to any, so that builds are reproducible."""
    with Library(folder.crawl_db) as library, closing(Frontier(folder.crawl_db)) as frontier:
        return health_of(frontier.db, sources, ParsingOutcomes(library, version), now)


def publish(folder: DataFolder, *, force: bool = False) -> PublishReport:
    """Publish build.db as a new snapshot, with the facet arrays that let a server switch to it at once."""
    months = load_settings(folder.settings).keep_months
    return publish_snapshot(folder.build_db, folder.published, force=force, keep_months=months, prepare=_prepare)


def _prepare(copy: Path, snapshot: Path) -> None:
    """Store facet arrays beside a snapshot. A server without them computes them itself."""
    from pipeline.site.facets.columns import save_arrays

    with suppress(OSError):
        save_arrays(copy, snapshot)
