"""Stores the results of a backfill, and the position reached in each file, in crawl.db.

Each part is committed in one transaction together with the new position: after a crash it is complete or absent.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from pipeline.app.backfill.work import PartReport
from pipeline.ledger.article_store import Library
from pipeline.ledger.sqlite_errors import plain_errors
from pipeline.versions import program_version, reader_version
from scrapers.archive.store import Archive
from scrapers.database import index_page, open_crawl_db
from scrapers.items import Outcome
from scrapers.messages import as_text


@dataclass(slots=True)
class FileState:
    """Progress in one file. `position`: byte offset of the first record not committed yet."""

    file_id: str
    choice: str  # hash of host selection, prefilter and parser; if it changes, the file is read again
    name: str
    size: int
    position: int = 0
    records: int = 0
    pages: int = 0
    relevant: int = 0
    claims: int = 0
    passed_over: Counter[str] = field(default_factory=Counter)
    bad: Counter[str] = field(default_factory=Counter)
    finished_at: str | None = None


class ProgressStore:
    """Writes the results of a backfill. One process per ledger."""

    def __init__(self, crawl_db: Path, archive: Path, lexicon: tuple[Path, ...]) -> None:
        """Open crawl.db and archive, or create them; raise StoreError if that fails."""
        with plain_errors(crawl_db, "open"):
            open_crawl_db(crawl_db).close()
        self.library = Library(crawl_db)
        with self.library.transaction() as db:
            self._db = db
        self.archive = Archive(archive, self._db)
        self._reader, self._program = reader_version(), program_version(*lexicon)
        for page, ref in self.archive.unindexed():
            with self.library.transaction():
                index_page(self._db, page, ref)

    def close(self) -> None:
        self.archive.close()
        self.library.close()

    def state(self, file_id: str, choice: str, name: str, size: int) -> FileState:
        """Return the progress in a file, a new state if it is unknown."""
        row = self._db.execute(
            "select * from backfill_files where file_id = ? and choice = ?", (file_id, choice)
        ).fetchone()
        if row is None:
            return FileState(file_id, choice, name, size)
        return FileState(
            file_id,
            choice,
            name,
            size,
            row["position"],
            row["records"],
            row["pages"],
            row["relevant"],
            row["claims"],
            Counter(json.loads(row["passed_over"])),
            Counter(json.loads(row["bad"])),
            row["finished_at"],
        )

    def commit(self, state: FileState, report: PartReport, position: int, *, done: bool) -> int:
        """Store the results of a part and advance its file to `position`; return the number of new articles."""
        refs = [self.archive.append(one.page) for one in report.found]
        now = as_text(datetime.now(UTC))
        new = 0
        with self.library.transaction() as db:
            for one, ref in zip(report.found, refs, strict=True):
                index_page(db, one.page, ref)
                self.library.save_reading(
                    one.page.sha256, one.page.url, one.page.source_id, self._reader, Outcome.SAVED, one.article
                )
                self.library.save_findings(one.findings, self._program)
                new += db.execute(
                    "insert or ignore into backfill_records values (?, ?, ?, ?, ?, ?)",
                    (
                        state.file_id,
                        one.offset,
                        one.page.sha256,
                        one.page.url,
                        one.article.article_id,
                        one.article.version,
                    ),
                ).rowcount
            state.position = position
            state.records += report.n_records
            state.pages += report.n_pages
            state.relevant += len(report.found)
            state.claims += sum(len(one.findings.claims) for one in report.found)
            state.passed_over.update(report.passed_over)
            state.bad.update(report.bad)
            state.finished_at = now if done else None
            db.execute(
                "insert or replace into backfill_files values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    state.file_id,
                    state.choice,
                    state.name,
                    state.size,
                    state.position,
                    state.records,
                    state.pages,
                    state.relevant,
                    state.claims,
                    json.dumps(state.passed_over, sort_keys=True),
                    json.dumps(state.bad, sort_keys=True),
                    now,
                    state.finished_at,
                ),
            )
        return new
