"""The data folder: where each file of a running ledger lies, and the lock that keeps two runs apart."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import AnotherRun, OutsideFailure, WrongUse

LARGE_LOG = 10 * 1024 * 1024  # bytes


@dataclass(frozen=True, slots=True)
class DataFolder:
    """The files of one ledger under `path`."""

    path: Path

    @property
    def crawl_db(self) -> Path:
        """Private: what was crawled and read, with full texts."""
        return self.path / "crawl.db"

    @property
    def archive(self) -> Path:
        """The raw pages, as WARC files by day."""
        return self.path / "archive"

    @property
    def build_db(self) -> Path:
        """The ledger as last built, before it is published."""
        return self.path / "build.db"

    @property
    def published(self) -> Path:
        """The published snapshots; `current` in it points at the newest."""
        return self.path / "published"

    @property
    def current(self) -> Path:
        return self.published / "current"

    @property
    def settings(self) -> Path:
        """Optional settings of this ledger: oversight.toml."""
        return self.path / "oversight.toml"

    @property
    def reviews(self) -> Path:
        """What editors decided, unless the settings name another file."""
        return self.path / "reviews.toml"

    @property
    def alerts_db(self) -> Path:
        """Private: what alerts have told, and the messages that still have to go out."""
        return self.path / "alerts.db"

    @property
    def alerts(self) -> Path:
        """An Atom feed for each alert."""
        return self.path / "alerts"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    def turn_logs(self) -> None:
        """Put a log that has grown large aside, in place of the one put aside before: a ledger runs for years."""
        for file in self.logs.glob("*.log"):
            if file.stat().st_size > LARGE_LOG:
                file.replace(file.with_name(f"{file.name}.1"))

    def make(self) -> DataFolder:
        """Create the folder where it is missing; raise OutsideFailure where that cannot be done."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutsideFailure(f"{self.path}: cannot be made a data folder ({error.strerror}).") from error
        return self

    def need(self, file: Path, cure: str) -> Path:
        """Return `file` if it is there; raise WrongUse with the cure otherwise."""
        if not file.exists():
            raise WrongUse(f"{file} is not there. {cure}")
        return file

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold this folder for one writing run; raise AnotherRun where another process holds it."""
        self.make()
        file = self.path / "lock"
        with file.open("a+") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                handle.seek(0)
                holder = handle.read().strip() or "another process"
                raise AnotherRun(
                    f"{self.path} is in use by {holder}. Wait for it to end, or name another folder with --data."
                ) from None
            handle.truncate(0)
            handle.write(f"process {os.getpid()}")
            handle.flush()
            try:
                yield
            finally:
                handle.truncate(0)
