"""Verifies a data folder: pages, texts, quotes, ledgers and snapshots.

Everything computable is computed again: pages and texts are re-hashed, and every quote is looked up in its text.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from pipeline.ledger.article_store import Library
from pipeline.ledger.publish import seals
from pipeline.ledger.publish.publish import CURRENT, check, roll_back, snapshots
from pipeline.ledger.sqlite_errors import StoreError, plain_errors
from scrapers.archive.pruning import pruned_pages
from scrapers.archive.store import Archive, ArchiveError
from scrapers.database import open_crawl_db
from scrapers.items import text_version


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that changed. `claims` and `articles`: ids that depend on it."""

    what: str  # page, text, finding, claim, event, snapshot, database
    where: str  # the id, address or file
    words: str
    articles: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()

    def __str__(self) -> str:
        touched = [f"claim {id_}" for id_ in self.claims] or [f"article {id_}" for id_ in self.articles]
        shown = ", ".join(touched[:10]) + (f" and {len(touched) - 10} more" if len(touched) > 10 else "")
        return f"{self.words} Affected: {shown}." if touched else self.words


def verify(data_dir: Path) -> list[Fault]:
    """Return what is wrong with the ledger under `data_dir`; an empty list if everything is verified."""
    data_dir = Path(data_dir)
    crawl_db = data_dir / "crawl.db"
    if not crawl_db.exists():
        return [
            Fault(
                "database", str(crawl_db), f"{crawl_db} does not exist: nothing has been crawled into this folder yet."
            )
        ]
    try:
        with Library(crawl_db) as library:
            damage = list(_damage(crawl_db))
            if damage:
                return damage
            texts, articles_of_page, claims_of, faults = _texts(library)
            faults += _pages(data_dir, articles_of_page, claims_of)
            for path in (data_dir / "build.db", data_dir / "published" / CURRENT):
                if path.exists():
                    faults += _ledger(path, texts)
            faults += _snapshots(data_dir / "published")
    except StoreError as error:
        return [Fault("database", str(crawl_db), str(error))]
    return faults


def _damage(path: Path) -> Iterator[Fault]:
    try:
        with closing(sqlite3.connect(f"file:{path.absolute()}?mode=ro", uri=True)) as connection:
            said = [row[0] for row in connection.execute("pragma integrity_check")]
    except sqlite3.DatabaseError as error:
        said = [str(error)]
    if said != ["ok"]:
        yield Fault("database", str(path), f"{path} is damaged: {said[0]}. Restore it from a backup.")


def _texts(
    library: Library,
) -> tuple[dict[tuple[str, str], str], dict[str, set[str]], dict[str, list[str]], list[Fault]]:
    """Check texts and quotes; return texts, articles by page, claims by article, and the faults."""
    texts: dict[tuple[str, str], str] = {}
    pages: dict[str, set[str]] = defaultdict(set)
    claims_of: dict[str, list[str]] = defaultdict(list)
    faults: list[Fault] = []
    changed: list[tuple[str, str, str]] = []
    for version in library.versions():
        article = version.article
        key = (article.article_id, article.version)
        texts[key] = article.text
        if article.page_sha256:
            pages[article.page_sha256].add(article.article_id)
        if text_version(article.text) != article.version:
            changed.append((*key, article.url))
    quotes: list[Fault] = []
    for program_version in library.program_versions():
        for findings in library.findings(program_version):
            text = texts.get((findings.article_id, findings.version), "")
            for claim in findings.claims:
                claims_of[findings.article_id].append(claim.claim_id)
                evidence = claim.evidence
                if text[evidence.start : evidence.end] != evidence.quote:
                    words = f"Claim {claim.claim_id}: its quote is not in article {findings.article_id}."
                    quotes.append(Fault("finding", claim.claim_id, words, (findings.article_id,), (claim.claim_id,)))
    for id_, text_version_, url in changed:
        words = f"The stored text of {url} (version {text_version_}) is not the text that was read: its hash differs."
        faults.append(Fault("text", id_, words, (id_,), _unique(claims_of[id_])))
    return texts, pages, claims_of, faults + quotes


def _pages(data_dir: Path, articles_of_page: dict[str, set[str]], claims_of: dict[str, list[str]]) -> list[Fault]:
    """Check the hash of every archived page.

    A page removed on purpose (`oversight prune`) is no fault; pruned() counts those.
    """
    folder = data_dir / "archive"
    faults: list[Fault] = []
    seen: set[str] = set()
    pruned: set[str] = set()
    if folder.is_dir():
        archive = Archive(folder, data_dir / "crawl.db")
        try:
            pruned = {sha256 for sha256, _ in pruned_pages(archive)}
            for ref in archive.pages():
                seen.add(ref.sha256)
                try:
                    archive.read(ref)
                except (ArchiveError, OSError, EOFError, ValueError) as error:
                    faults.append(_page_fault(ref.sha256, str(error), articles_of_page, claims_of))
        finally:
            archive.close()
    missing = sorted(articles_of_page.keys() - seen - pruned)
    for sha in missing:
        words = f"Page {sha[:16]} is not in the archive."
        faults.append(_page_fault(sha, words, articles_of_page, claims_of))
    return faults


def pruned(data_dir: Path) -> int:
    """Return the number of pages removed on purpose; for these only the texts can be verified."""
    crawl_db = Path(data_dir) / "crawl.db"
    with plain_errors(crawl_db, "read"), closing(open_crawl_db(crawl_db)) as db:
        return db.execute("select count(*) from pruned_pages").fetchone()[0]


def _page_fault(
    sha256: str, words: str, articles_of_page: dict[str, set[str]], claims_of: dict[str, list[str]]
) -> Fault:
    articles = tuple(sorted(articles_of_page.get(sha256, ())))
    return Fault("page", sha256, words, articles, _unique(c for id_ in articles for c in claims_of[id_]))


def _ledger(path: Path, texts: dict[tuple[str, str], str]) -> list[Fault]:
    """Check a built or published ledger against the private texts."""
    try:
        with plain_errors(path, "open"):
            roll_back(path.resolve())
        check(path.resolve())
    except StoreError as error:
        return [Fault("database", str(path), str(error))]
    faults: list[Fault] = []
    with closing(sqlite3.connect(f"file:{path.resolve()}?mode=ro", uri=True)) as connection:
        # A ledger of an older program may lack the second table.
        held = "select name from sqlite_master where type = 'table' and name in ('claims', 'unsure_claims')"
        columns = "claim_id, article_id, version, quote_start, quote_end, quote"
        tables = [name for (name,) in connection.execute(held)]
        rows = connection.execute(" union all ".join(f"select {columns} from {name}" for name in tables))
        for claim_id, article_id, version, start, end, quote in rows:
            text = texts.get((article_id, version))
            if text is None:
                words = f"{path.name}: claim {claim_id} quotes a version of article {article_id} that is not kept."
            elif text[start:end] != quote:
                words = f"{path.name}: claim {claim_id} does not quote the text of article {article_id}."
            else:
                continue
            faults.append(Fault("claim", claim_id, words, (article_id,), (claim_id,)))
        empty = "select event_id from events where event_id not in (select event_id from claims)"
        for (event_id,) in connection.execute(empty):
            faults.append(Fault("event", event_id, f"{path.name}: event {event_id} has no claim behind it."))
        occurred = (
            "select event_id from events e where modality = 'occurred' and not exists "
            "(select 1 from claims c where c.event_id = e.event_id and c.modality = 'occurred')"
        )
        for (event_id,) in connection.execute(occurred):
            words = f"{path.name}: event {event_id} is shown as occurred, but no claim says that it occurred."
            faults.append(Fault("event", event_id, words))
    return faults


def _snapshots(folder: Path) -> Iterator[Fault]:
    """Check the hashes of the kept snapshots, which may be cited."""
    for path in snapshots(folder):
        if words := seals.broken(path):
            yield Fault("snapshot", str(path), f"{path.name} is not as it was published: {words}.")


def _unique(ids: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(ids)))
