"""Reads one part of an archive into relevant articles and their claims.

All engines call the same function. Workers keep no state between parts except loaded models, and write nothing. The
host filter and the HTML prefilter run before any page is parsed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path

from pipeline.app.backfill.hosts import HostFinder, Hosts
from pipeline.nlp.relevance.html_prefilter import may_pass, prefilter, text_may_pass
from pipeline.nlp.relevance.score import judge_relevance
from pipeline.records import Findings
from scrapers.archive.gzip_members import Fields
from scrapers.archive.remote_files import Access, ArchiveFile, ArchiveFileError, open_archive_file
from scrapers.archive.warc import Packing, Record, Scan
from scrapers.archive.warc_pages import HttpAnswer, NoPage, answer_of, page_of
from scrapers.items import Article, Outcome, Page, Source
from scrapers.reading.article import PageDraft, draft, finish

# Why an intact record is skipped; scrapers.archive.warc and scrapers.archive.warc_pages name further reasons.
NO_ANSWER, OTHER_HOST, OFF_TOPIC = "not a response", "another host", "not about the oversight of AI"
NO_ARTICLE, UNREADABLE = "no article on the page", "unreadable page"
_LARGEST_POOLED_BLOCK = 31 << 20  # bytes; glibc's limit for a dynamic threshold is 32 MiB


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a file: the records that begin at byte `start` or later, and before `stop`.

    `exact`: a record certainly begins at `start`. `alone`: only list the candidates, do not read them.
    """

    file: str
    packing: Packing
    start: int
    stop: int
    exact: bool = False
    alone: bool = False


@dataclass(frozen=True, slots=True)
class FoundArticle:
    """A relevant article: its page, its findings and the offset of its record."""

    offset: int
    page: Page
    article: Article
    findings: Findings


@dataclass(frozen=True, slots=True)
class PartReport:
    """Contents of a part. `first`: offset of its first record, `end`: offset of the first record after the part.

    `passed_over` and `bad` count records by reason. `candidates` are the offsets of pages that passed the prefilter.
    """

    part: Part
    first: int | None
    end: int | None
    n_records: int = 0
    n_pages: int = 0  # web pages of selected hosts
    found: tuple[FoundArticle, ...] = ()
    passed_over: dict[str, int] = field(default_factory=dict)
    bad: dict[str, int] = field(default_factory=dict)
    candidates: tuple[int, ...] = ()
    failed: str = ""  # why the file cannot be read


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """What a worker needs to start."""

    hosts: Hosts
    sources: tuple[Source, ...]
    lexicon: tuple[Path, ...] = ()
    access: Access = Access()


def worker(settings: WorkerSettings) -> Callable[[Part], PartReport]:
    """Return the function that reads parts in one worker process."""
    prefilter()  # load it before memory is limited
    _pool_freed_memory()
    return partial(work, settings)


def _pool_freed_memory() -> None:
    """Make the C library keep the memory that one page frees for the next, instead of returning it to the system.

    Freeing a large block raises glibc's M_MMAP_THRESHOLD (mallopt(3)); other C libraries ignore it. The block is never
    written to, so it costs no memory.
    """
    bytes(_LARGEST_POOLED_BLOCK)


@lru_cache(maxsize=4)
def _place(file: str, access: Access) -> ArchiveFile:
    return open_archive_file(file, access)


@lru_cache(maxsize=1)
def _reader(lexicon: tuple[Path, ...]) -> Callable[[Article], Findings]:
    from pipeline.nlp.pool import reader  # heavy: spaCy; a worker that finds nothing relevant never loads it

    return reader(lexicon)


@lru_cache(maxsize=2)
def _known(settings: WorkerSettings) -> tuple[HostFinder, dict[str, Source]]:
    return settings.hosts.finder(), {source.source_id: source for source in settings.sources}


def work(settings: WorkerSettings, part: Part) -> PartReport:
    """Read one part. It never fails on a record; an unreadable file is noted in the report."""
    try:
        return _work(settings, part)
    except ArchiveFileError as error:
        _place.cache_clear()
        return PartReport(part, None, None, failed=error.words)


def _work(settings: WorkerSettings, part: Part) -> PartReport:
    finder, sources = _known(settings)
    passed, bad = Counter[str](), Counter[str]()
    found: list[FoundArticle] = []
    candidates: list[int] = []
    n_pages = 0

    def wanted(fields: Fields) -> bool:
        if _field(fields, "warc-type").lower() != "response":
            passed[NO_ANSWER] += 1
            return False
        if finder.source_of(_address(_field(fields, "warc-target-uri"))) is None:
            passed[OTHER_HOST] += 1
            return False
        return True

    scan = Scan(_place(part.file, settings.access), part.packing, part.start, part.stop, wanted, exact=part.exact)
    for record in scan:
        if not isinstance(record, Record):
            bad[record.fault.value] += 1
            continue
        try:
            answer = answer_of(record)
        except NoPage as error:
            (bad if error.why in _BAD else passed)[error.why] += 1
            continue
        n_pages += 1
        if not may_pass(answer.body, answer.charset):
            passed[OFF_TOPIC] += 1
            continue
        candidates.append(record.offset)
        if part.alone:
            continue
        try:
            one = _read(record, answer, finder.source_of, sources, settings.lexicon)
        except NoPage as error:
            (bad if error.why in _BAD else passed)[error.why] += 1
            continue
        found.append(one)
    return PartReport(
        part, scan.first, scan.end, scan.n_records, n_pages, tuple(found), dict(passed), dict(bad), tuple(candidates)
    )


_BAD = frozenset({"no HTTP answer", "damaged compression", "digest does not match", "no date"})


def _field(fields: Fields, wanted: str) -> str:
    return next((value for name, value in fields if name.lower() == wanted), "")


def _address(field: str) -> str:
    return field.strip().strip("<>")


def _read(
    record: Record,
    answer: HttpAnswer,
    source_of: Callable[[str], str | None],
    sources: dict[str, Source],
    lexicon: tuple[Path, ...],
) -> FoundArticle:
    """Parse a page and extract the claims of its article; raise NoPage with the reason if it is not relevant."""
    url = _address(_field(record.fields, "warc-target-uri"))
    source_id = source_of(url) or ""
    page = page_of(answer, record.fields, url, source_id)
    reading = draft(page, sources.get(source_id))
    if isinstance(reading, PageDraft):
        if not text_may_pass(reading.text):
            raise NoPage(OFF_TOPIC)
        reading = finish(reading)
    article = reading.article
    if article is None:
        raise NoPage(UNREADABLE if reading.outcome is Outcome.UNREADABLE else NO_ARTICLE)
    judged = judge_relevance(article.title, article.text)
    if not (judged.relevant or judged.doubtful):
        raise NoPage(OFF_TOPIC)
    findings = _reader(lexicon)(article)
    if not findings.relevant:
        raise NoPage(OFF_TOPIC)
    return FoundArticle(record.offset, page, article, findings)
