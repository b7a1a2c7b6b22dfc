"""The public functions of the package: read articles, aggregate what they claim, and work with a ledger on disk."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.aggregation.aggregate import Aggregate
from pipeline.aggregation.aggregate import aggregate as _aggregate
from pipeline.app import steps
from pipeline.commands.common import lexicon_of, open_ledger, reviews_of, settings_of, sources_of
from pipeline.lexicon.load import load_lexicon
from pipeline.records import Findings
from pipeline.workspace import DataFolder
from scrapers.items import Article, Source

if TYPE_CHECKING:
    from spacy.language import Language

    from pipeline.ledger.build.build import BuildReport
    from pipeline.ledger.publish.publish import PublishReport

_EVENTS = """
select * from events where (:type is null or type = :type) and (:modality is null or modality = :modality)
  and (:since is null or date_end >= :since) and (:until is null or date_start <= :until)
  and (:party is null or event_id in (
    select event_id from event_participants where entity_id in (
      select entity_id from entities where entity_id = :party or name = :party collate nocase
      union select entity_id from entity_names where name = :party collate nocase)))
order by last_reported_on desc, event_id
"""
_CLAIMS = """
select c.*, a.url, a.title as article_title, s.title as source_title from claims c
join articles a using (article_id) join sources s on s.source_id = c.source_id
where c.event_id = :event_id order by c.published_on, c.claim_id
"""


def load(*, lexicon: Iterable[Path | str] = ()) -> Language:
    """Return the extraction pipeline: a spaCy `Language` with lexicon, parser and event model. Takes three seconds.

    `nlp(text)` returns a Doc with `doc._.claims`, `doc.spans["mentions"]` and `doc.spans["triggers"]`.

    Args:
        lexicon: lexicon files or folders of your own, added to the packaged ones.
    """
    from pipeline.nlp.pipeline import load as load_pipeline  # heavy: spaCy and onnxruntime

    return load_pipeline(lexicon=[Path(place) for place in lexicon])


def extract(article: Article, nlp: Language | None = None) -> Findings:
    """Return the claims of one article. It never fails on a text; an irrelevant article has no claims.

    Args:
        article: as returned by `scrapers.read_page` in a `Reading`, or constructed directly.
        nlp: what `load()` returned; by default loaded for this call.
    """
    from pipeline.nlp.pipeline import extract as extract_findings

    return extract_findings(article, nlp or load())


def aggregate(
    findings: Iterable[Findings],
    articles: Iterable[Article],
    sources: Iterable[Source] = (),
    *,
    least_confidence: float = 0.0,
    lexicon: Iterable[Path | str] = (),
) -> Aggregate:
    """Return the events, origins and contradictions aggregated from the findings of many articles.

    A pure function; the order of findings, articles and sources does not matter.

    Args:
        findings: what `extract` returned, one for each article.
        articles: the articles that the findings were extracted from.
        sources: source cards, which say which publishers belong together.
        least_confidence: claims with a lower probability are left out, 0 to 1.
        lexicon: lexicon files of your own, added to the packaged ones.
    """
    names = load_lexicon(*(Path(place) for place in lexicon))
    return _aggregate(findings, articles, sources, lexicon=names, min_confidence=least_confidence)


class Ledger:
    """A ledger on disk: its data folder with archive, private store and published snapshots.

    Queries read the newest published snapshot. Use it as a context manager, or call `close()`.

    Raises:
        WrongUse: nothing is published yet, or a setting or card of the folder is wrong.
    """

    def __init__(self, path: Path | str) -> None:
        """Use this data folder, such as "data/demo"; `add` creates it if it is missing."""
        self.folder = DataFolder(Path(path))
        self._connection: sqlite3.Connection | None = None

    def __enter__(self) -> Ledger:
        """Return the ledger itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the connection to the snapshot."""
        self.close()

    def close(self) -> None:
        """Close the connection to the snapshot; the next query opens the newest one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def add(self, article: Article) -> Findings:
        """Store an article and its claims; they appear in the events after `build()` and `publish()`."""
        with self.folder.lock():
            return steps.add_article(self.folder, article, lexicon_of(settings_of(self.folder)))

    def build(self, *, full: bool = False) -> BuildReport:
        """Aggregate what changed since the last build; `full` aggregates everything again, with the same result."""
        settings = settings_of(self.folder)
        with self.folder.lock():
            return steps.build(
                self.folder,
                sources_of(settings),
                least_confidence=settings.least_confidence,
                lexicon=lexicon_of(settings),
                reviews=reviews_of(self.folder, settings),
                full=full,
            )

    def publish(self, *, force: bool = False) -> PublishReport:
        """Publish what was built as a new snapshot; `force` publishes even if it shrank by more than half."""
        with self.folder.lock():
            report = steps.publish(self.folder, force=force)
        self.close()
        return report

    def events(
        self,
        *,
        party: str | None = None,
        type: str | None = None,  # noqa: A002 - the column's name
        modality: str | None = None,
        since: str | None = None,
        until: str | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Yield the published events, the most recently reported first, as rows of the table `events`.

        Args:
            party: the name (present, former or short) or id of an entity that takes part.
            type: an event type such as "restriction".
            modality: such as "occurred" or "planned".
            since: ISO day; events that end before it, or have no date, are left out.
            until: ISO day; events that begin after it, or have no date, are left out.
        """
        values = {"party": party, "type": type, "modality": modality, "since": since, "until": until}
        yield from self.query(_EVENTS, values)

    def claims(self, event_id: str) -> list[dict[str, Any]]:
        """Return the claims behind an event with quote, modality, speaker, source and address, oldest first."""
        return self.query(_CLAIMS, {"event_id": event_id})

    def query(self, sql: str, values: Sequence[Any] | dict[str, Any] = ()) -> list[dict[str, Any]]:
        """Return the rows of an SQL query over the published tables (docs/data-model.md lists them)."""
        if self._connection is None:
            self._connection = open_ledger(self.folder)
        return [dict(row) for row in self._connection.execute(sql, values)]
