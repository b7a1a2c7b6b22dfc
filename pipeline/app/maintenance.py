"""Maintenance of a data folder: retention, disk usage and backups."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

from pipeline.app.steps import ParsingOutcomes
from pipeline.errors import OutsideFailure, WrongUse
from pipeline.ledger.article_store import Library
from pipeline.ledger.publish.publish import KEEP, KEEP_DAYS, snapshots
from pipeline.ledger.sqlite_errors import plain_errors
from pipeline.workspace import DataFolder
from scrapers.archive.pruning import Pruned, prune
from scrapers.archive.store import Archive
from scrapers.crawling.retention import KEEP_VISITS
from scrapers.crawling.retention import delete_old_visits as delete_visits
from scrapers.database import PageRef, open_crawl_db
from scrapers.messages import as_text

FORMER = "archive-former"  # folder of a backup for archive files that the data folder no longer has


def delete_old_visits(
    folder: DataFolder,
    version: str,
    *,
    keep: timedelta = KEEP_VISITS,
    now: datetime | None = None,
    dry: bool = False,
) -> int:
    """Delete unreferenced fetch records older than `keep`; return their number.

    Args:
        folder: the data folder.
        version: of the program, as of `program_version()`.
        keep: age up to which every fetch record is kept.
        now: the current time, by default that of the clock.
        dry: count only, delete nothing.
    """
    with Library(folder.crawl_db) as library, closing(open_crawl_db(folder.crawl_db)) as db:
        return delete_visits(db, now or datetime.now(UTC), ParsingOutcomes(library, version), keep, dry=dry)


def prune_pages(
    folder: DataFolder,
    older_than: timedelta,
    decided: Collection[str] = (),
    *,
    now: datetime | None = None,
    dry: bool = False,
) -> Pruned:
    """Delete unreferenced pages from the archive that were fetched longer ago than `older_than`.

    These pages are never deleted: those of an article that any version of the program found relevant, or that an editor
    decided on (`decided`: article ids); those not parsed yet; and those whose article has not been analysed yet, or on
    which extraction failed. The parsed text always stays in crawl.db.
    """
    now = now or datetime.now(UTC)
    with Library(folder.crawl_db) as library, closing(open_crawl_db(folder.crawl_db)) as db:
        archive = Archive(folder.archive, db)
        try:
            refs = [ref for ref in archive.pages() if ref.fetched_at < as_text(now - older_than)]
            unreferenced = [ref for ref in refs if _is_unreferenced(library, ref, decided)]
            return prune(archive, unreferenced, now, dry=dry)
        finally:
            archive.close()


def _is_unreferenced(library: Library, ref: PageRef, decided: Collection[str]) -> bool:
    articles = library.articles_of_page(ref.sha256, ref.url)
    if articles is None:
        return False
    return not any(id_ in decided or library.may_matter(id_) for id_ in articles)


@dataclass(frozen=True, slots=True)
class Month:
    """Growth in one month: pages, their bytes in the archive, and new articles."""

    month: str
    n_pages: int
    n_bytes: int
    n_articles: int


@dataclass(frozen=True, slots=True)
class DiskUsage:
    """Disk usage of a ledger in bytes. `per_month`: estimated growth, see disk_usage()."""

    files: dict[str, int]
    n_articles: int
    n_relevant: int
    n_pages: int
    months: tuple[Month, ...]
    crawl_db_per_article: int
    archive_per_page: int
    ledger_per_relevant: int
    per_month: int


def disk_usage(folder: DataFolder) -> DiskUsage:
    """Return the disk usage of a ledger.

    `per_month` is estimated from the last three full months (from all months if there are fewer). It adds up:

    - the median bytes added to the archive;
    - the median number of new articles, times the bytes per article in crawl.db, plus, for the relevant share of them,
      the bytes per relevant article in build.db, joined.db and the daily snapshots;
    - one month-end snapshot.
    """
    files = {
        "crawl.db": _size(folder.crawl_db),
        "archive": _size(folder.archive),
        "build.db": _size(folder.build_db),
        "joined.db": _size(folder.path / "joined.db"),
        "published": _size(folder.published),
        "logs": _size(folder.logs),
    }
    with plain_errors(folder.crawl_db, "read"), closing(open_crawl_db(folder.crawl_db)) as db:
        Library(folder.crawl_db).close()  # migrates its tables
        months = tuple(_months(db))
        n_articles = db.execute("select count(distinct article_id) from articles").fetchone()[0]
        n_relevant = db.execute("select count(distinct article_id) from findings where relevant = 1").fetchone()[0]
    n_pages, in_archive = sum(m.n_pages for m in months), sum(m.n_bytes for m in months)
    per_article = files["crawl.db"] // max(n_articles, 1)
    in_ledger = files["build.db"] * (1 + KEEP + KEEP_DAYS) + files["joined.db"]
    per_relevant = in_ledger // max(n_relevant, 1)
    last = months[-4:-1] or months
    new_bytes = median(m.n_bytes for m in last) if last else 0
    new_articles = median(m.n_articles for m in last) if last else 0
    share = n_relevant / max(n_articles, 1)
    return DiskUsage(
        files,
        n_articles,
        n_relevant,
        n_pages,
        months,
        per_article,
        in_archive // max(n_pages, 1),
        per_relevant,
        round(new_bytes + new_articles * (per_article + share * per_relevant)) + files["build.db"],
    )


def _months(db: sqlite3.Connection) -> Iterator[Month]:
    pages = {
        month: (n, size)
        for month, n, size in db.execute(
            "select substr(fetched_at, 1, 7), count(*), sum(length) from pages group by 1 order by 1"
        )
    }
    articles = dict(
        db.execute(
            "select substr(first, 1, 7), count(*) from (select min(first_seen_at) first from articles "
            "group by article_id) group by 1"
        ).fetchall()
    )
    for month in sorted({*pages, *articles}):
        n, size = pages.get(month, (0, 0))
        yield Month(month, n, size, articles.get(month, 0))


def _size(path: Path) -> int:
    """Return the bytes of a database with its write-ahead log, or of all files in a folder."""
    if path.is_dir():
        return sum(p.stat().st_size for p in path.rglob("*") if p.is_file() and not p.is_symlink())
    return sum(p.stat().st_size for p in (path, Path(f"{path}-wal")) if p.exists())


def _snapshots(folder: DataFolder) -> list[Path]:
    return snapshots(folder.published) if folder.published.is_dir() else []


@dataclass(frozen=True, slots=True)
class Backup:
    """The number of files copied this time, and the bytes of the whole backup."""

    folder: Path
    n_copied: int
    n_bytes: int


def back_up(folder: DataFolder, target: Path, progress: Callable[[str], None] = lambda text: None) -> Backup:
    """Copy everything that cannot be rebuilt into `target`: crawl.db, archive, decisions and settings.

    crawl.db is copied in a consistent state and checked. Archive files are copied if they are new or longer; those that
    the folder no longer has are moved to FORMER, never deleted. build.db, joined.db and the snapshots are not copied:
    `oversight build` and `oversight publish` rebuild them. Each file is replaced atomically. The caller holds the
    folder's lock.

    Raises:
        WrongUse: `target` is the data folder or lies inside it.
        StoreError: a database cannot be copied or is damaged.
        OSError: a file cannot be copied.
    """
    if target.resolve() == folder.path.resolve() or folder.path.resolve() in target.resolve().parents:
        raise WrongUse(f"{target} lies in the folder to back up. Choose a folder on another disk.")
    (target / "archive").mkdir(parents=True, exist_ok=True)
    progress("copying crawl.db")
    n = 1 + _copy_database(folder.crawl_db, target / "crawl.db")
    if folder.alerts_db.exists():
        n += _copy_database(folder.alerts_db, target / "alerts.db")
    files = sorted(folder.archive.iterdir()) if folder.archive.is_dir() else []
    for number, path in enumerate(files, 1):
        if path.is_file():
            n += _copy(path, target / "archive" / path.name)
            progress(f"archive: {number} of {len(files)} files")
    here = {path.name for path in files}
    for path in sorted((target / "archive").iterdir()):
        if path.is_file() and path.name not in here:
            (target / FORMER).mkdir(exist_ok=True)
            os.replace(path, target / FORMER / path.name)
    for path in sorted((*folder.path.glob("*.toml"), *folder.path.glob("*/*.toml"))):
        to = target / path.relative_to(folder.path)
        to.parent.mkdir(exist_ok=True)
        n += _copy(path, to, always=True)
    return Backup(target, n - 1, _size(target))


def _copy_database(path: Path, to: Path) -> int:
    temporary = Path(f"{to}.tmp")
    temporary.unlink(missing_ok=True)
    with plain_errors(path, "copy"), closing(sqlite3.connect(path, timeout=30)) as db:
        db.execute("vacuum into ?", (str(temporary),))
    with plain_errors(temporary, "check"), closing(sqlite3.connect(temporary)) as db:
        said = db.execute("pragma quick_check").fetchone()[0]
        if said != "ok":
            raise OutsideFailure(f"{path} is damaged ({said}). The last backup is unchanged: restore from it.")
    _replace(temporary, to)
    return 1


def _copy(path: Path, to: Path, *, always: bool = False) -> int:
    """Copy a file that is missing or of another size; return the number of copies. Archive files only grow."""
    if not always and to.exists() and to.stat().st_size == path.stat().st_size:
        return 0
    temporary = to.with_name(f".{to.name}.tmp")
    shutil.copy2(path, temporary)
    _replace(temporary, to)
    return 1


def _replace(temporary: Path, to: Path) -> None:
    with temporary.open("rb") as handle:
        os.fsync(handle.fileno())
    os.replace(temporary, to)
