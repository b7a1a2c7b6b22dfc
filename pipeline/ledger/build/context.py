"""Gives a build access to the state, crawl.db, publishers, names and decisions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pipeline.aggregation.aggregate import outlets_of
from pipeline.aggregation.contradictions.administrations import Terms, terms_of
from pipeline.aggregation.sources.credit_chains import CreditChains
from pipeline.aggregation.sources.credit_scope import CreditScope
from pipeline.aggregation.sources.publishers import Publishers
from pipeline.ledger.article_store import Library
from pipeline.ledger.build.state import State, unpack
from pipeline.ledger.reviews.decisions import Decision
from pipeline.ledger.reviews.names import Names
from pipeline.ledger.rows.records import Row
from pipeline.lexicon.entity_graph import EntityGraph, holders_of
from pipeline.records import Claim, Credit, Entity, Event, Origin
from scrapers.items import Article, Source

MOST_KEPT = 10_000  # cached values per mapping, some 50 MB each
MOST_EVENTS = 2_000
OF_ARTICLE = "joined.articles cross join joined.{} using (n) where article_id = ?"
OF_CLAIM = "joined.claims cross join joined.claim_records using (n) where claim_id = ?"
MOST_ARTICLES = 40_000  # used in every pass, and small without their text: some 30 MB


@dataclass(frozen=True, slots=True)
class ArticleView:
    """What aggregation needs of a relevant article. `article` has no text unless that may state the act's force."""

    article: Article
    credits: tuple[tuple[Credit, CreditScope], ...]
    topics: frozenset[tuple[str, str]]

    @property
    def moment(self) -> str:
        return self.article.published_at.isoformat() if self.article.published_at else "9999"


@dataclass(frozen=True, slots=True)
class PublishedRows:
    """The published rows of an article and its versions, without the columns that aggregation adds."""

    row: Row
    versions: tuple[Row, ...]


class Lazy(Mapping[str, Any]):
    """A mapping that reads values on demand and caches the latest ones."""

    def __init__(self, read: Callable[[str], Any], most: int = MOST_KEPT) -> None:
        self._read, self._most = read, most
        self._known: dict[str, Any] = {}

    def __getitem__(self, key: str) -> Any:
        if key not in self._known:
            self._make_room()
            self._known[key] = self._read(key)
        found = self._known[key]
        if found is None:
            raise KeyError(key)
        return found

    def _make_room(self) -> None:
        if len(self._known) >= self._most:
            for old in list(self._known)[: self._most // 4]:
                del self._known[old]

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self.get(key) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    def __bool__(self) -> bool:
        return True  # an empty cache does not mean an empty mapping

    def know(self, key: str, value: Any) -> None:
        """Cache a value without reading it."""
        self._make_room()
        self._known[key] = value

    def forget(self, key: str) -> None:
        self._known.pop(key, None)

    def clear(self) -> None:
        self._known.clear()


@dataclass
class BuildContext:
    """The inputs of one build. `full`: the state is empty."""

    state: State
    library: Library
    program_version: str
    sources: Mapping[str, Source]
    names: Names
    decisions: tuple[Decision, ...]
    min_confidence: float
    full: bool
    marks: dict[str, str] = field(default_factory=dict)  # claim id -> what an editor did

    def __post_init__(self) -> None:
        self.lexicon = self.names.lexicon
        self.publishers = Publishers(self.sources.values(), outlets_of(self.lexicon) if self.lexicon else ())
        self.terms: Terms = terms_of(self.lexicon) if self.lexicon else {}
        self.article_views = Lazy(self._article_view)
        self.claims = Lazy(self._claim)
        self.articles = Lazy(
            lambda id_: found.article if (found := self.article_views.get(id_)) else None, MOST_ARTICLES
        )
        self.origin_of = Lazy(self._origin)
        self.near_duplicates = Lazy(
            lambda id_: self.state.one("select copy_of from joined.articles where article_id = ?", (id_,)) or None
        )
        self.leads = Lazy(self._leads)
        self.event_of = Lazy(
            lambda id_: self.state.one("select event_id from joined.claims where claim_id = ?", (id_,)) or None
        )
        self.events = Lazy(self._event, MOST_EVENTS)
        self.entity_of = Lazy(self._entity)
        self.jurisdictions = Lazy(lambda id_: e.jurisdiction if (e := self.entity_of.get(id_)) else None)

    @cached_property
    def entity_graph(self) -> EntityGraph:
        """The entity graph of the lexicon and of entities that only articles name."""
        ids = self.state.column("select distinct entity_id from joined.entities where belongs <> ''")
        described = [entity for id_ in ids if (entity := self._entity(id_)) is not None]
        known = self.lexicon.entities.values() if self.lexicon else ()
        return EntityGraph([*described, *known], holders_of(self.lexicon) if self.lexicon else ())

    def _article_view(self, article_id: str) -> ArticleView | None:
        blob = self.state.one(f"select view from {OF_ARTICLE.format('article_views')}", (article_id,))
        return unpack(blob) if blob else None

    def published_rows(self, article_id: str) -> PublishedRows | None:
        """Return the published rows of an article, None if it is not in the ledger."""
        blob = self.state.one(f"select published from {OF_ARTICLE.format('article_rows')}", (article_id,))
        return unpack(blob) if blob else None

    def _claim(self, claim_id: str) -> Claim | None:
        blob = self.state.one(f"select claim from {OF_CLAIM}", (claim_id,))
        return unpack(blob) if blob else None

    def _event(self, event_id: str) -> Event | None:
        blob = self.state.one("select event from joined.events where event_id = ?", (event_id,))
        return unpack(blob) if blob else None

    def _origin(self, article_id: str) -> Origin | None:
        """Return the origin of an article; `article_ids` holds only the first article."""
        sql = "select origin from joined.articles cross join joined.origins using (origin_id) where article_id = ?"
        blob = self.state.one(sql, (article_id,))
        return unpack(blob) if blob else None

    def _leads(self, article_id: str) -> dict[Credit, str]:
        blob = self.state.one("select leads from joined.credited_reports where article_id = ?", (article_id,))
        return unpack(blob) if blob else {}

    def _entity(self, entity_id: str) -> Entity | None:
        """Return an entity of the lexicon, else as the first article describes it."""
        if self.lexicon and entity_id in self.lexicon.entities:
            return self.lexicon.entities[entity_id]
        blob = self.state.one(
            "select entity from joined.entities where entity_id = ? order by article_id limit 1", (entity_id,)
        )
        return unpack(blob) if blob else None


class StoredCreditChains(CreditChains):
    """Credit chains read from the state on demand; credited reports are those found before."""

    def __init__(self, context: BuildContext) -> None:
        self.publishers = context.publishers
        self.articles = context.articles
        self.credits = Lazy(lambda id_: list(view.credits) if (view := context.article_views.get(id_)) else None)
        self._article_view, self._leads = context.article_views, context.leads

    def topics(self, id_: str) -> frozenset[tuple[str, str]]:
        return self._article_view[id_].topics

    def credited_article(self, id_: str, credit: Credit) -> str:
        return self._leads[id_].get(credit, "")
