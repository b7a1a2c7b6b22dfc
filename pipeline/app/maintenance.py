"""A data folder comes in; what of it can be let go, how much room it takes, and a whole copy of it go out."""

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

from pipeline.app.steps import Ends
from pipeline.errors import OutsideFailure, WrongUse
from pipeline.ledger.article_store import Library
from pipeline.ledger.publish.publish import KEEP, KEEP_DAYS, snapshots
from pipeline.ledger.sqlite_errors import plain_errors
from pipeline.workspace import DataFolder
from scrapers.archive.pruning import Pruned, prune
from scrapers.archive.store import Archive
from scrapers.crawling.retention import KEEP_VISITS, delete_old_visits
from scrapers.database import PageRef, open_crawl_db
from scrapers.messages import as_text

FORMER = "archive-former"  # in a backup: files of the archive that the folder no longer has


def let_go_of_visits(
    folder: DataFolder, version: str, *, keep: timedelta = KEEP_VISITS, now: datetime | None = None, dry: bool = False
) -> int:
    """Let go of visits older than `keep` that nothing rests on; return how many. `version`: of the program."""
    with Library(folder.crawl_db) as library, closing(open_crawl_db(folder.crawl_db)) as db:
        return delete_old_visits(db, now or datetime.now(UTC), Ends(library, version), keep, dry=dry)


def prune_pages(
    folder: DataFolder, older_than: timedelta, decided: Collection[str] = (), *,
    now: datetime | None = None, dry: bool = False,
) -> Pruned:  # fmt: skip
    """Take pages out of the archive that were fetched longer ago and that nothing in the ledger rests on.

    Kept whatever their age: every page of an article that any version of the program found relevant, or that an editor
    decided on (`decided`: article ids); pages that were not read yet; and pages whose article was not understood yet,
    or could not be. What was read out of a page stays in crawl.db in any case.
    """
    now = now or datetime.now(UTC)
    with Library(folder.crawl_db) as library, closing(open_crawl_db(folder.crawl_db)) as db:
        archive = Archive(folder.archive, db)
        try:
            refs = [ref for ref in archive.pages() if ref.fetched_at < as_text(now - older_than)]
            doomed = [ref for ref in refs if _is_spare(library, ref, decided)]
            return prune(archive, doomed, now, dry=dry)
        finally:
            archive.close()


def _is_spare(library: Library, ref: PageRef, decided: Collection[str]) -> bool:
    articles = library.articles_of_page(ref.sha256, ref.url)
    if articles is None:
        return False
    return not any(id_ in decided or library.may_matter(id_) for id_ in articles)


@dataclass(frozen=True, slots=True)
class Month:
    """What one month added: pages and their bytes in the archive, and articles that were first seen."""

    month: str
    n_pages: int
    n_bytes: int
    n_articles: int


@dataclass(frozen=True, slots=True)
class Room:
    """How much room a ledger takes, in bytes. `per_month`: what it grows by, see room_of()."""

    files: dict[str, int]
    n_articles: int
    n_relevant: int
    n_pages: int
    months: tuple[Month, ...]
    crawl_db_per_article: int
    archive_per_page: int
    ledger_per_relevant: int
    per_month: int


def room_of(folder: DataFolder) -> Room:
    """Return how much room a ledger takes.

    `per_month` is an estimate from the last three full months (all of them where there are fewer): their median bytes
    in the archive, and their median articles times what crawl.db holds for each article, and, for the relevant share of
    them, what build.db, joined.db and the snapshots of the last days hold for each; and the snapshot of one more month.
    """
    files = {
        "crawl.db": _size(folder.crawl_db), "archive": _size(folder.archive), "build.db": _size(folder.build_db),
        "joined.db": _size(folder.path / "joined.db"), "published": _size(folder.published),
        "logs": _size(folder.logs),
    }  # fmt: skip
    with plain_errors(folder.crawl_db, "read"), closing(open_crawl_db(folder.crawl_db)) as db:
        Library(folder.crawl_db).close()  # brings its tables up to date
        months = tuple(_months(db))
        n_articles = db.execute("select count(distinct article_id) from articles").fetchone()[0]
        n_relevant = db.execute("select count(distinct article_id) from findings where relevant = 1").fetchone()[0]
    n_pages, in_archive = sum(m.n_pages for m in months), sum(m.n_bytes for m in months)
    per_article = files["crawl.db"] // max(n_articles, 1)
    in_ledger = files["build.db"] * (1 + KEEP + KEEP_DAYS) + files["joined.db"]
    per_relevant = in_ledger // max(n_relevant, 1)
    last = months[-4:-1] or months
    grows = median(m.n_bytes for m in last) if last else 0
    fresh = median(m.n_articles for m in last) if last else 0
    share = n_relevant / max(n_articles, 1)
    return Room(
        files, n_articles, n_relevant, n_pages, months, per_article, in_archive // max(n_pages, 1), per_relevant,
        round(grows + fresh * (per_article + share * per_relevant)) + files["build.db"],
    )  # fmt: skip


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
    """Return the bytes of a file with what belongs to it, or of all files in a folder."""
    if path.is_dir():
        return sum(p.stat().st_size for p in path.rglob("*") if p.is_file() and not p.is_symlink())
    return sum(p.stat().st_size for p in (path, Path(f"{path}-wal")) if p.exists())


def _snapshots(folder: DataFolder) -> list[Path]:
    return snapshots(folder.published) if folder.published.is_dir() else []


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup copied this time, and how large it is as a whole."""

    folder: Path
    n_copied: int
    n_bytes: int


def back_up(folder: DataFolder, target: Path, say: Callable[[str], None] = lambda words: None) -> Backup:
    """Copy what cannot be made again into `target`: crawl.db, archive, decisions and settings; return what was done.

    crawl.db is copied in one consistent state and checked; of the archive only files that are new or longer are copied,
    and those that the folder no longer has are put aside, never deleted. build.db, joined.db and the snapshots are made
    again by `oversight build` and `oversight publish`. Each file takes its name in one step. To be called under the
    folder's lock. Raises StoreError, OSError, and WrongUse where `target` lies inside the folder or is it.
    """
    if target.resolve() == folder.path.resolve() or folder.path.resolve() in target.resolve().parents:
        raise WrongUse(f"{target} lies in the folder that is backed up. Name a place on another disk.")
    (target / "archive").mkdir(parents=True, exist_ok=True)
    say("copying crawl.db")
    n = 1 + _copy_database(folder.crawl_db, target / "crawl.db")
    if folder.alerts_db.exists():
        n += _copy_database(folder.alerts_db, target / "alerts.db")
    files = sorted(folder.archive.iterdir()) if folder.archive.is_dir() else []
    for number, path in enumerate(files, 1):
        if path.is_file():
            n += _copy(path, target / "archive" / path.name)
            say(f"archive: {number} of {len(files)} files")
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
            raise OutsideFailure(f"{path} is damaged ({said}), so the last backup was left as it is. Restore from it.")
    _take_the_name(temporary, to)
    return 1


def _copy(path: Path, to: Path, *, always: bool = False) -> int:
    """Copy a file that is not there, or not as long; return how many were copied. A file of the archive only grows."""
    if not always and to.exists() and to.stat().st_size == path.stat().st_size:
        return 0
    temporary = to.with_name(f".{to.name}.tmp")
    shutil.copy2(path, temporary)
    _take_the_name(temporary, to)
    return 1


def _take_the_name(temporary: Path, to: Path) -> None:
    with temporary.open("rb") as handle:
        os.fsync(handle.fileno())
    os.replace(temporary, to)
