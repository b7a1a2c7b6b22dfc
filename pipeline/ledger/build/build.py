"""Builds build.db from crawl.db and the source cards. The same archive gives the same ledger.

A build recomputes only what changed since the last one, in one transaction. If the program, the lexicon, the sources or
the decisions on names changed, or there was no build, everything is recomputed in new files, which then replace the old
ones. Both ways give the same export, byte for byte.
"""

from __future__ import annotations

import gc
import hashlib
import os
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path

from sqlite_utils import Database

from pipeline.ledger.article_store import Library
from pipeline.ledger.build.changes import AffiliationChanged
from pipeline.ledger.build.context import BuildContext
from pipeline.ledger.build.incremental import BuildResult, update_ledger
from pipeline.ledger.build.state import State, make_tables, own_version, state_path
from pipeline.ledger.build.tables import SideInputs
from pipeline.ledger.build.writer import Writer
from pipeline.ledger.publish.indexes import create_indexes
from pipeline.ledger.reviews.decisions import APPLIED, REOPENED, WAITING, ReviewFile
from pipeline.ledger.reviews.names import settle_names
from pipeline.ledger.rows.tables import Visited, visited_of
from pipeline.ledger.schema import SCHEMA_VERSION, published
from pipeline.ledger.sqlite_errors import plain_errors
from pipeline.lexicon.entities import Lexicon
from pipeline.settings import Settings
from pipeline.versions import joining_version
from scrapers.crawling.source_health import SourceHealth
from scrapers.items import Source, Visit

MIN_CONFIDENCE = Settings().least_confidence  # claims below it wait for review and support no event
_MANY = 5_000  # changed articles; with fewer, the ledger is always updated in place
_CACHE_KB = 128 * 1024  # of each of the two files
_GC_THRESHOLDS = (50_000, 20, 100)  # see _fewer_gc_runs


@dataclass(frozen=True, slots=True)
class BuildReport:
    """The result of a build. `n_withheld`: claims below the confidence threshold; `n_pending`: unread versions."""

    program_version: str
    n_articles: int
    n_relevant: int
    n_claims: int
    n_withheld: int
    n_events: int
    n_origins: int
    n_contradictions: int
    n_redirects: int
    n_pending: int
    n_reviews: int = 0  # editors' decisions applied
    n_reopened: int = 0  # decisions whose sentence changed
    n_waiting: int = 0  # decisions that match nothing in the ledger
    n_to_review: int = 0  # entries of the review queue
    n_changed: int = 0  # articles that changed since the last build
    whole: bool = True  # whether everything was recomputed

    def as_dict(self) -> dict[str, int | str]:
        return asdict(self)


_NOT_FACTS = ("n_pending", "n_changed", "whole")  # these differ between an update and a rebuild


def build(
    library_path: Path,
    build_path: Path,
    sources: Iterable[Source],
    *,
    visits: Iterable[Visit] | Mapping[str, Visited] = (),
    program_version: str | None = None,
    lexicon: Lexicon | None = None,
    min_confidence: float = MIN_CONFIDENCE,
    reviews: ReviewFile | None = None,
    health: Mapping[str, SourceHealth] | None = None,
    gone: Mapping[str, datetime] | None = None,
    full: bool = False,
) -> BuildReport:
    """Bring build.db up to date with the latest version of each article and its findings.

    Args:
        library_path: crawl.db.
        build_path: build.db.
        sources: The source cards.
        visits: The visits, or their summary by source.
        program_version: Of the findings to use; by default that of the latest findings.
        lexicon: Known entities, with names, parents and publisher groups.
        min_confidence: Claims below it wait for review.
        reviews: The editors' decisions.
        health: The health of each source.
        gone: URLs of removed pages, with the time when each was first found missing.
        full: Recompute everything.

    Raises:
        StoreError: The build failed; the former build.db is unchanged.
    """
    build_path = Path(build_path)
    with Library(library_path) as library:
        program_version = program_version if program_version is not None else library.last_program_version()
        reviews = reviews or ReviewFile()
        by_id = {source.source_id: source for source in sources}
        work = _Work(
            library, build_path, by_id, reviews, lexicon, min_confidence, program_version,
            visits if isinstance(visits, Mapping) else visited_of(visits), health or {}, gone or {},
        )  # fmt: skip
        with _fewer_gc_runs():
            if not full and work.can_update():
                try:
                    return work.update_in_place()
                except AffiliationChanged:
                    pass  # the parent of an entity changed; nothing was written yet
            return work.rebuild()


@dataclass(frozen=True)
class _Work:
    library: Library
    build_path: Path
    sources: Mapping[str, Source]
    reviews: ReviewFile
    lexicon: Lexicon | None
    min_confidence: float
    program_version: str
    visited: Mapping[str, Visited]
    health: Mapping[str, SourceHealth]
    gone: Mapping[str, datetime]

    @property
    def fingerprint(self) -> str:
        """Hash of everything that an incremental update relies on: program, threshold, names, sources."""
        names = self.lexicon
        inputs = (
            own_version(), SCHEMA_VERSION, joining_version(), self.program_version, self.min_confidence,
            sorted((s.source_id, s.title, s.source_type, s.family, s.agency) for s in self.sources.values()),
            # other decisions affect only single articles and events
            tuple(d for d in self.reviews.decisions if d.action == "gap"),
            names and (sorted(names.entities.items()), names.names, names.roles, names.relations,
                       sorted(names.families.items()), sorted(names.wires)),
        )  # fmt: skip
        return hashlib.sha256(repr(inputs).encode()).hexdigest()

    @property
    def joined_path(self) -> Path:
        return state_path(self.build_path)

    def can_update(self) -> bool:
        """Whether the files of the last build exist, match each other and crawl.db, and have this fingerprint."""
        if not (self.build_path.exists() and self.joined_path.exists()):
            return False
        try:
            with _opened(self.build_path, self.joined_path) as db:
                state = State(db)
                token = state.meta("token")
                return (
                    db.execute("pragma main.user_version").fetchone()[0] == _number(token)
                    and state.meta("fingerprint") == self.fingerprint
                    and bool(token) and token in self.library.last_build()
                    and not self._mostly_new(state)
                )  # fmt: skip
        except sqlite3.DatabaseError:
            return False  # a damaged file: rebuild both

    def _mostly_new(self, state: State) -> bool:
        """Whether so much changed since the last build that rebuilding is faster."""
        n_changed = self.library.n_changed_since(int(state.meta("seq") or 0))
        return n_changed > _MANY and 2 * n_changed > (state.one("select count(*) from joined.known_articles") or 0)

    def update_in_place(self) -> BuildReport:
        with plain_errors(self.build_path, "write"), _opened(self.build_path, self.joined_path) as db:
            db.execute("begin immediate")
            try:
                report = self._run(db, full=False)
                db.execute("commit")
            except BaseException:
                if db.in_transaction:
                    db.execute("rollback")
                raise
            return report

    def rebuild(self) -> BuildReport:
        main, joined = Path(f"{self.build_path}.tmp"), Path(f"{self.joined_path}.tmp")
        with plain_errors(main, "write"):
            for path in (main, joined):
                _remove(path)
            with closing(sqlite3.connect(main)) as connection:
                published.apply(Database(connection))
            with closing(sqlite3.connect(joined)) as connection:
                make_tables(connection)
            with _opened(main, joined, fresh=True) as db:
                db.execute("begin immediate")
                report = self._run(db, full=True)
                for table in ("events", "claims"):
                    db.execute(f"insert into main.{table}_fts ({table}_fts) values ('rebuild')")
                db.execute("commit")
                db.execute("analyze")
        with plain_errors(self.build_path, "replace"):
            for path in (main, joined):
                _sync(path)
            for path in (self.joined_path, self.build_path):
                for leftover in ("-wal", "-shm", "-journal"):
                    Path(f"{path}{leftover}").unlink(missing_ok=True)
            os.replace(joined, self.joined_path)
            os.replace(main, self.build_path)
        return report

    def _run(self, db: sqlite3.Connection, *, full: bool) -> BuildReport:
        """Update the ledger.

        The history in crawl.db is written before the transaction ends: if the build is killed in between, the next one
        finds the same events again.
        """
        state, writer = State(db), Writer(db, full=full)
        former = "" if full else state.meta("token")
        names = settle_names(self.lexicon, self.reviews.decisions)
        context = BuildContext(
            state, self.library, self.program_version, self.sources, names, self.reviews.decisions,
            self.min_confidence, full,
        )  # fmt: skip
        side_inputs = SideInputs(self.visited, self.health, self._gone_articles(), (), self.reviews.public_names)
        result = update_ledger(
            context, writer, side_inputs, trust_history=not full and former == self.library.last_build()[0]
        )
        report = self._report(db, state, result)
        facts = {
            "schema_version": str(SCHEMA_VERSION), "min_confidence": str(self.min_confidence),
            "last_fetched_at": self.library.last_seen(),
            **{key: str(value) for key, value in report.as_dict().items() if key not in _NOT_FACTS},
        }  # fmt: skip
        writer.sync_all("build_info", ({"key": key, "value": value} for key, value in sorted(facts.items())))
        if full:
            create_indexes(db)
        token = secrets.token_hex(8)
        state.set_meta("token", token)
        state.set_meta("fingerprint", self.fingerprint)
        state.set_meta("seq", str(result.seq))
        db.execute(f"pragma main.user_version = {_number(token)}")
        self.library.save_history(
            result.history, result.gone, result.redirects, result.gone_days, token, former, whole=result.complete
        )  # fmt: skip
        self.library.save_queue(result.queue, result.settled, whole=result.complete)
        return report

    def _gone_articles(self) -> dict[str, date]:
        return gone_articles(self.library.addresses(self.gone), self.gone)

    def _report(self, db: sqlite3.Connection, state: State, result: BuildResult) -> BuildReport:
        statuses = [effect.status for effect in result.effects]
        return BuildReport(
            program_version=self.program_version,
            n_articles=state.n("known_articles"),
            n_relevant=state.n("articles"),
            n_claims=state.n("claims"),
            n_withheld=state.n("unsure"),
            n_events=state.n("events"),
            n_origins=state.n("origins"),
            n_contradictions=db.execute("select count(*) from main.contradictions").fetchone()[0],
            n_redirects=len(result.redirects),
            n_pending=state.one("select coalesce(sum(n), 0) from joined.pending"),
            n_reviews=statuses.count(APPLIED),
            n_reopened=statuses.count(REOPENED),
            n_waiting=statuses.count(WAITING),
            n_to_review=state.n("queue") + statuses.count(REOPENED),
            n_changed=result.n_changed,
            whole=result.whole,
        )


def gone_articles(addresses: Mapping[str, Iterable[str]], gone: Mapping[str, datetime]) -> dict[str, date]:
    """Return the articles whose every URL is gone, with the day on which the last was found missing."""
    return {
        id_: max(gone[url] for url in urls).date()
        for id_, urls in addresses.items()
        if urls and all(url in gone for url in urls)
    }


@contextmanager
def _fewer_gc_runs() -> Iterator[None]:
    """Run the cyclic garbage collector less often.

    A build makes hardly any cycles, and looking for them takes a sixth of its time.
    """
    before = gc.get_threshold()
    gc.set_threshold(*_GC_THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)


@contextmanager
def _opened(main: Path, joined: Path, *, fresh: bool = False) -> Iterator[sqlite3.Connection]:
    """Open both files over one connection. `fresh`: nobody else uses them, and a crash may corrupt them."""
    with closing(sqlite3.connect(main, isolation_level=None, timeout=30)) as db:
        db.execute("attach ? as joined", (str(joined),))
        for name in ("main", "joined"):
            # With rollback journals, unlike WAL, a transaction over both files is atomic.
            db.execute(f"pragma {name}.journal_mode = {'off' if fresh else 'delete'}")
            db.execute(f"pragma {name}.synchronous = {'off' if fresh else 'full'}")
            db.execute(f"pragma {name}.cache_size = -{_CACHE_KB}")
        db.execute("pragma recursive_triggers = on")  # a replaced row also fires delete triggers, which count
        yield db


def _number(token: str) -> int:
    return int(token[:7] or "0", 16)


def _remove(path: Path) -> None:
    for suffix in ("", "-journal", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)


def _sync(path: Path) -> None:
    with path.open("rb") as handle:
        os.fsync(handle.fileno())


__all__ = ["MIN_CONFIDENCE", "BuildReport", "build", "gone_articles"]
