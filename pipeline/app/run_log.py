"""The run log: every pipeline run as a row in table `runs` of crawl.db, however the run ends."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pipeline.errors import OversightError, Stopped
from pipeline.ledger.sqlite_errors import plain_errors
from pipeline.versions import program_version, reader_version
from pipeline.workspace import DataFolder
from scrapers.database import open_crawl_db
from scrapers.messages import as_text

NEED_CRAWL_DB = ("build", "publish")
DONE, STOPPED, FAILED, INTERRUPTED = "done", "stopped", "failed", "interrupted"


@dataclass(slots=True)
class Run:
    """What one run has done so far: outcomes by step, counts, and seconds per step. `words`: why it ended early."""

    outcomes: dict[str, dict[str, int]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    words: str = ""

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measure the duration of a step, even if it fails."""
        started = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = round(time.monotonic() - started, 2)

    def add(self, step: str, report: Mapping[str, Any]) -> None:
        """Add the counts and outcomes of a step's report."""
        if report.get("outcomes"):
            self.outcomes[step] = dict(report["outcomes"])
        self.counts |= {f"{step}.{key}": value for key, value in report.items() if type(value) is int}
        self.words = str(report.get("stopped") or self.words)


@contextmanager
def recorded(folder: DataFolder, command: str) -> Iterator[Run]:
    """Record a run. Its row is written at the start, so that a killed run shows up as interrupted."""
    run = Run()
    if not folder.crawl_db.exists() and command in NEED_CRAWL_DB:
        yield run  # the command itself reports what is missing
        return
    with plain_errors(folder.crawl_db, "open"):
        opened = open_crawl_db(folder.crawl_db)
    with closing(opened) as db:
        with plain_errors(folder.crawl_db, "write to"):
            db.execute("update runs set ended = ? where ended = ''", (INTERRUPTED,))
            id_ = db.execute(
                "insert into runs (command, started_at, program_version, reader_version) values (?, ?, ?, ?)",
                (command, as_text(datetime.now(UTC)), program_version(), reader_version()),
            ).lastrowid
        ended = FAILED
        try:
            yield run
            ended = DONE
        except (Stopped, KeyboardInterrupt) as error:
            ended, run.words = STOPPED, str(error) or "by the user"
            raise
        except Exception as error:
            kind = "" if isinstance(error, OversightError) else f"{type(error).__name__}: "
            run.words = run.words or f"{kind}{error}"[:500]
            raise
        finally:
            _finish(db, id_, ended, run)


def _finish(db: sqlite3.Connection, id_: int | None, ended: str, run: Run) -> None:
    try:
        db.execute(
            "update runs set finished_at = ?, ended = ?, words = ?, outcomes = ?, counts = ?, seconds = ? "
            "where run_id = ?",
            (
                as_text(datetime.now(UTC)),
                ended,
                run.words,
                json.dumps(run.outcomes, sort_keys=True),
                json.dumps(run.counts, sort_keys=True),
                json.dumps(run.seconds),
                id_,
            ),
        )
    except sqlite3.Error:
        if ended == DONE:
            raise  # otherwise the error that ended the run matters more: a full disk, most likely


def last_runs(folder: DataFolder, n: int) -> list[dict[str, Any]]:
    """Return the last runs, newest first."""
    with plain_errors(folder.crawl_db, "open"):
        opened = open_crawl_db(folder.crawl_db)
    with closing(opened) as db:
        rows = db.execute("select * from runs order by run_id desc limit ?", (n,)).fetchall()
    return [
        dict(row)
        | {key: json.loads(row[key]) for key in ("outcomes", "counts", "seconds")}
        | {"ended": row["ended"] or "running"}
        for row in rows
    ]
