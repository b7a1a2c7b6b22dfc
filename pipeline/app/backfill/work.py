"""A part of an archive in; the articles on the oversight of AI in it, with all that they claim, out.

One function for every engine: a process of this machine and one of a cluster do the same, hold nothing between two
parts but what they have loaded, and write nothing. Pages pass the host filter and the sieve before anything is parsed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path

from pipeline.app.backfill.hosts import Hosts
from pipeline.nlp.relevance.html_prefilter import may_pass, prefilter, text_may_pass
from pipeline.nlp.relevance.score import judge_relevance
from pipeline.records import Findings
from scrapers.archive.gzip_members import Fields
from scrapers.archive.remote_files import Access, ArchiveFile, ArchiveFileError, open_archive_file
from scrapers.archive.warc import Packing, Record, Scan
from scrapers.archive.warc_pages import Answer, NoPage, answer_of, page_of
from scrapers.items import Article, Outcome, Page, Source
from scrapers.reading.article import Draft, draft, finish

# Why a sound record is passed over; the other reasons stand in scrapers.archive.warc and scrapers.archive.warc_pages.
NO_ANSWER, OTHER_HOST, OFF_TOPIC = "no answer to a request", "another host", "not about the oversight of AI"
NO_ARTICLE, UNREADABLE = "no article on the page", "page that cannot be read"
_KEPT_FREE = 31 << 20


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a file: the records that begin from `start` on and before `stop`.

    `exact`: a record begins at `start` for certain. `alone`: the candidates are only named, not read.
    """

    file: str
    packing: Packing
    start: int
    stop: int
    exact: bool = False
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """An article on the oversight of AI: the page it was read from, what it claims, and where it lay."""

    offset: int
    page: Page
    article: Article
    findings: Findings


@dataclass(frozen=True, slots=True)
class PartReport:
    """What a part held. `first`: where its first record began, `end`: where the first one behind it does.

    `passed_over` and `bad` count records by reason; `candidates` are the offsets of pages that the sieve let through.
    """

    part: Part
    first: int | None
    end: int | None
    n_records: int = 0
    n_pages: int = 0  # of wanted hosts, with a body that is a web page
    found: tuple[Found, ...] = ()
    passed_over: dict[str, int] = field(default_factory=dict)
    bad: dict[str, int] = field(default_factory=dict)
    candidates: tuple[int, ...] = ()
    failed: str = ""  # why the file itself could not be read, in words


@dataclass(frozen=True, slots=True)
class Order:
    """Everything that a worker needs to know at its start."""

    hosts: Hosts
    sources: tuple[Source, ...]
    lexicon: tuple[Path, ...] = ()
    access: Access = Access()


def worker(order: Order) -> Callable[[Part], PartReport]:
    """Return what works off one part after the other in one process."""
    prefilter()  # loaded before memory is limited
    _keep_freed_memory()
    return partial(work, order)


def _keep_freed_memory() -> None:
    """Let the C library keep what one page frees for the next, instead of giving it back and asking anew.

    glibc keeps as much as twice the largest block it ever took back, up to 32 MiB a block (mallopt(3),
    M_MMAP_THRESHOLD); other libraries take no notice. The block is never written to, so it costs no memory.
    """
    bytes(_KEPT_FREE)


@lru_cache(maxsize=4)
def _place(file: str, access: Access) -> ArchiveFile:
    return open_archive_file(file, access)


@lru_cache(maxsize=1)
def _reader(lexicon: tuple[Path, ...]) -> Callable[[Article], Findings]:
    from pipeline.nlp.pool import reader  # heavy: spaCy; a worker that meets nothing relevant never loads it

    return reader(lexicon)


@lru_cache(maxsize=2)
def _known(order: Order):
    return order.hosts.finder(), {source.source_id: source for source in order.sources}


def work(order: Order, part: Part) -> PartReport:
    """Read one part. No record makes it fail, and a file that cannot be read is told in the report."""
    try:
        return _work(order, part)
    except ArchiveFileError as error:
        _place.cache_clear()
        return PartReport(part, None, None, failed=error.words)


def _work(order: Order, part: Part) -> PartReport:
    finder, sources = _known(order)
    passed, bad = Counter[str](), Counter[str]()
    found: list[Found] = []
    candidates: list[int] = []
    n_pages = 0

    def wish(fields: Fields) -> bool:
        if _field(fields, "warc-type").lower() != "response":
            passed[NO_ANSWER] += 1
            return False
        if finder.source_of(_address(_field(fields, "warc-target-uri"))) is None:
            passed[OTHER_HOST] += 1
            return False
        return True

    scan = Scan(_place(part.file, order.access), part.packing, part.start, part.stop, wish, exact=part.exact)
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
            one = _read(record, answer, finder.source_of, sources, order.lexicon)
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
    record: Record, answer: Answer, source_of: Callable[[str], str | None], sources: dict[str, Source],
    lexicon: tuple[Path, ...],
) -> Found:  # fmt: skip
    """Read a page and understand its article. Raises NoPage with the reason where it is not one to keep."""
    url = _address(_field(record.fields, "warc-target-uri"))
    source_id = source_of(url) or ""
    page = page_of(answer, record.fields, url, source_id)
    reading = draft(page, sources.get(source_id))
    if isinstance(reading, Draft):
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
    return Found(record.offset, page, article, findings)
