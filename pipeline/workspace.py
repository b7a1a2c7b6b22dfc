"""The data folder of a ledger: its files, and the lock that admits one writing process at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import AnotherRun, OutsideFailure, WrongUse
from scrapers.database import FolderInUse, folder_lock

LARGE_LOG = 10 * 1024 * 1024  # bytes


@dataclass(frozen=True, slots=True)
class DataFolder:
    """The files of one ledger under `path`."""

    path: Path

    @property
    def crawl_db(self) -> Path:
        """Private: frontier, fetch records, articles with full text, and extracted claims."""
        return self.path / "crawl.db"

    @property
    def archive(self) -> Path:
        """Fetched pages, in one WARC file per day."""
        return self.path / "archive"

    @property
    def build_db(self) -> Path:
        """The ledger as last built, not yet published."""
        return self.path / "build.db"

    @property
    def published(self) -> Path:
        """Published snapshots; `current` links to the newest."""
        return self.path / "published"

    @property
    def current(self) -> Path:
        """Link to the newest published snapshot."""
        return self.published / "current"

    @property
    def settings(self) -> Path:
        """Optional settings: oversight.toml."""
        return self.path / "oversight.toml"

    @property
    def reviews(self) -> Path:
        """Editors' decisions, unless the settings name another file."""
        return self.path / "reviews.toml"

    @property
    def alerts_db(self) -> Path:
        """Private: reported items and queued messages of all alerts."""
        return self.path / "alerts.db"

    @property
    def alerts(self) -> Path:
        """One Atom feed per alert."""
        return self.path / "alerts"

    @property
    def logs(self) -> Path:
        """Log files of the crawler and of cron."""
        return self.path / "logs"

    def rotate_logs(self) -> None:
        """Rename each log over LARGE_LOG bytes to NAME.1, replacing an older one."""
        for file in self.logs.glob("*.log"):
            if file.stat().st_size > LARGE_LOG:
                file.replace(file.with_name(f"{file.name}.1"))

    def make(self) -> DataFolder:
        """Create the folder if it is missing; raise OutsideFailure if that fails."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutsideFailure(f"{self.path}: cannot create the data folder ({error.strerror}).") from error
        return self

    def need(self, file: Path, remedy: str) -> Path:
        """Return `file` if it exists; raise WrongUse with a remedy otherwise."""
        if not file.exists():
            raise WrongUse(f"{file} does not exist. {remedy}")
        return file

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Lock this folder for one writing run; raise AnotherRun if another process holds the lock."""
        self.make()
        try:
            with folder_lock(self.path):
                yield
        except FolderInUse as error:
            raise AnotherRun(f"{error} Another folder is chosen with --data.") from None
