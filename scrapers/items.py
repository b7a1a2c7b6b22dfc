"""The records of this package: sources, feeds, pages, articles, and visits with their outcomes.

All are frozen dataclasses of plain values. Times are aware datetimes in UTC unless noted otherwise.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date as Day
from datetime import datetime
from enum import StrEnum


class SourceType(StrEnum):
    """How close a source is to the events it reports."""

    PRIMARY = "primary"  # a government, regulator, court or legislature on its own acts
    LAB = "lab"  # a developer of AI models on its own acts
    WIRE = "wire"  # a news agency whose copy others reprint
    PRESS = "press"  # a general news outlet
    TRADE = "trade"  # a specialist outlet
    AGGREGATOR = "aggregator"  # rewrites or collects the reporting of others


class FeedShape(StrEnum):
    """The format of a feed, that is, of a URL that lists articles."""

    RSS = "rss"
    ATOM = "atom"
    JSON_FEED = "jsonfeed"
    SITEMAP = "sitemap"
    NEWS_SITEMAP = "news-sitemap"
    LISTING = "listing"  # an HTML page with links
    JSON_API = "json-api"  # JSON, read with the paths on the card


class Outcome(StrEnum):
    """The result of a visit to a URL; each visit has exactly one."""

    SAVED = "SAVED"  # a page was archived and is an article, or a feed was read
    UNCHANGED = "UNCHANGED"  # 304, or the same bytes as last time
    ROBOTS_DENIED = "ROBOTS_DENIED"
    GONE = "GONE"  # 404 or 410
    REFUSED = "REFUSED"  # 401, 403, 451 or another 4xx
    RATE_LIMITED = "RATE_LIMITED"  # 429, or 503 with Retry-After
    SERVER_ERROR = "SERVER_ERROR"  # 5xx
    NOT_AN_ARTICLE = "NOT_AN_ARTICLE"  # a listing, an image, a PDF, a soft 404
    NO_TEXT = "NO_TEXT"  # an HTML page without an article body
    UNREADABLE = "UNREADABLE"  # broken bytes, or the parser failed
    TOO_LARGE = "TOO_LARGE"
    TIMEOUT = "TIMEOUT"
    CONNECTION_FAILED = "CONNECTION_FAILED"  # DNS, TLS or TCP
    BAD_REDIRECT = "BAD_REDIRECT"  # a loop, too many hops, or a target that is not http(s)
    BLOCKED_ADDRESS = "BLOCKED_ADDRESS"  # the host resolves to a private or reserved IP address
    OUT_OF_SCOPE = "OUT_OF_SCOPE"  # not on one of the card's hosts, or rejected by the topic filter


FETCHED = frozenset({Outcome.SAVED, Outcome.UNCHANGED})  # the successful visits


class Precision(StrEnum):
    """The precision of a date."""

    MINUTE = "minute"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Feed:
    """A URL that lists articles, as its card describes it."""

    url: str
    shape: FeedShape
    every_minutes: int = 30
    pass_all: bool = False  # False: only visit entries whose title or summary passes the topic filter
    items: str = ""  # LISTING: CSS selector of one item; JSON_API: dotted path of the list
    link: str = ""  # LISTING: CSS selector of the link inside an item; JSON_API: dotted path of the URL
    title: str = ""  # as link
    date: str = ""  # as link; of the publication date
    summary: str = ""  # as link


@dataclass(frozen=True, slots=True)
class Recipe:
    """CSS selectors for one source's pages; if one is empty, the general reader is used."""

    body: str = ""  # the element that holds the article
    drop: tuple[str, ...] = ()  # elements inside the body that are not part of the article
    title: str = ""
    byline: str = ""
    date: str = ""
    valid_from: Day | None = None  # first publication day of this layout
    valid_until: Day | None = None  # last publication day of this layout


@dataclass(frozen=True, slots=True)
class Source:
    """One publisher, as its card describes it."""

    source_id: str  # the card's file name without .toml
    title: str
    homepage: str
    source_type: SourceType
    jurisdiction: str  # ISO 3166 code, "EU" or "INT"
    language: str  # BCP 47
    family: str  # publisher group; sources of one family count as one origin
    feeds: tuple[Feed, ...]
    hosts: tuple[str, ...]  # hosts whose pages belong to this source; a leading dot admits subdomains
    recipes: tuple[Recipe, ...] = ()
    pause_seconds: float = 5.0
    daily_pages: int = 200
    agency: bool = False  # a news agency, reprinted by others
    enabled: bool = True
    note: str = ""  # why it is disabled, or what is unusual about it
    expects_per_week: int = 0  # fewer new items in a week raise an alarm; 0: no expectation


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """One item of a feed, with the metadata that the feed gives."""

    url: str
    title: str = ""
    summary: str = ""
    published_at: datetime | None = None
    updated_at: datetime | None = None
    entry_id: str = ""


def _exported_text(body: bytes) -> str:
    """Return a body as Scrapy's feed exports write it."""
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body.decode("cp1252", "replace")


@dataclass(frozen=True, slots=True)
class Page:
    """The response to one request, after decompression. `sha256` is the hash of `body`. An item of the spiders."""

    url: str
    final_url: str
    source_id: str
    fetched_at: datetime
    status: int
    media_type: str  # "text/html", without parameters
    charset: str  # from the Content-Type header, "" if none
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(metadata={"serializer": _exported_text})
    sha256: str


@dataclass(frozen=True, slots=True)
class RemovedBlock:
    """A paragraph that was removed from the page's text, with the rule that removed it."""

    text: str
    rule: str


@dataclass(frozen=True, slots=True)
class Article:
    """The article on a page. `text`: its paragraphs, joined by blank lines; all offsets refer to it."""

    article_id: str  # from the canonical address: see article_id()
    version: str  # from the text: see text_version()
    source_id: str
    url: str  # canonical
    title: str
    text: str
    language: str = "en"
    byline: tuple[str, ...] = ()
    published_at: datetime | None = None  # with the publisher's UTC offset if the page gives it, else in UTC
    published_basis: str = "unknown"  # json-ld, meta, time, htmldate, feed, first-seen, given, unknown
    published_precision: Precision = Precision.UNKNOWN
    modified_at: datetime | None = None
    fetched_at: datetime | None = None
    page_sha256: str = ""  # of the archived page
    publisher: str = ""
    links: tuple[tuple[str, str], ...] = ()  # (address, anchor text) of links inside the body
    removed_blocks: tuple[RemovedBlock, ...] = ()
    has_affiliate_content: bool = False
    access: str = "full"  # full or partial (paywall, teaser)


@dataclass(frozen=True, slots=True)
class Reading:
    """The result of reading a page: an article with Outcome.SAVED, or another outcome with the reason."""

    outcome: Outcome
    article: Article | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Visit:
    """One attempt to fetch a URL, with its outcome. An item of the spiders, for a URL without a page."""

    url: str
    source_id: str
    at: datetime
    outcome: Outcome
    detail: str = ""
    status: int = 0
    n_bytes: int = 0
    sha256: str = ""
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    temporary: bool = False  # the cause is temporary: try again later
    retry_after: str = ""  # the header as sent, with 429, 503 or a robots.txt that could not be read

    def header(self, name: str) -> str:
        """Return a response header, "" if there was none."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")[:500]


@dataclass(frozen=True, slots=True)
class Listing:
    """What a feed listed, and the visit to it. An item of the spiders."""

    visit: Visit
    entries: tuple[FeedEntry, ...] = ()
    more: tuple[str, ...] = ()  # URLs of further feeds
    faults: tuple[str, ...] = ()

    @property
    def url(self) -> str:
        """The feed's URL."""
        return self.visit.url


def article_id(canonical_url: str) -> str:
    """Return the id of the article at a canonical URL: "a" and 16 hex digits. It does not depend on the text."""
    return "a" + hashlib.sha256(canonical_url.encode()).hexdigest()[:16]


def text_version(text: str) -> str:
    """Return the version of a text: the first 16 hex digits of its SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]
