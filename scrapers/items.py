"""The nouns of the first room: a source card, a fetched page, the article read from it, and what became of a visit.

Everything here is a frozen dataclass of plain values. All times are aware datetimes in UTC unless said otherwise.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date as Day
from datetime import datetime
from enum import StrEnum


class SourceType(StrEnum):
    """How near a source stands to the events it writes of."""

    PRIMARY = "primary"  # a government, regulator, court or legislature on its own acts
    LAB = "lab"  # a developer of AI models on its own acts
    WIRE = "wire"  # a news agency whose copy others reprint
    PRESS = "press"  # a general news outlet
    TRADE = "trade"  # a specialist outlet
    AGGREGATOR = "aggregator"  # rewrites or collects the reporting of others


class FeedShape(StrEnum):
    """The format of an address that lists articles."""

    RSS = "rss"
    ATOM = "atom"
    JSON_FEED = "jsonfeed"
    SITEMAP = "sitemap"
    NEWS_SITEMAP = "news-sitemap"
    LISTING = "listing"  # an HTML page with links
    JSON_API = "json-api"  # JSON, read with the paths on the card


class Outcome(StrEnum):
    """What became of a visit to an address: each visit ends in exactly one."""

    SAVED = "SAVED"  # a page was archived and is an article, or a feed was read
    UNCHANGED = "UNCHANGED"  # 304, or the same bytes as last time
    ROBOTS_DENIED = "ROBOTS_DENIED"
    GONE = "GONE"  # 404 or 410
    REFUSED = "REFUSED"  # 401, 403, 451 or another 4xx
    RATE_LIMITED = "RATE_LIMITED"  # 429, or 503 with Retry-After
    SERVER_ERROR = "SERVER_ERROR"  # 5xx
    NOT_AN_ARTICLE = "NOT_AN_ARTICLE"  # a listing, an image, a PDF, a soft 404
    NO_TEXT = "NO_TEXT"  # an HTML page in which no article body was found
    UNREADABLE = "UNREADABLE"  # broken bytes, or the reader failed
    TOO_LARGE = "TOO_LARGE"
    TIMEOUT = "TIMEOUT"
    CONNECTION_FAILED = "CONNECTION_FAILED"  # DNS, TLS or TCP
    BAD_REDIRECT = "BAD_REDIRECT"  # a loop, too many hops, or a target that is not http(s)
    BLOCKED_ADDRESS = "BLOCKED_ADDRESS"  # the host resolves to an address that must not be fetched
    OUT_OF_SCOPE = "OUT_OF_SCOPE"  # not one of the card's hosts, or its topic filter said no


FETCHED = frozenset({Outcome.SAVED, Outcome.UNCHANGED})  # the visits that brought what they were made for


class Precision(StrEnum):
    """How fine a date is known."""

    MINUTE = "minute"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Feed:
    """One address that lists articles, as its card describes it."""

    url: str
    shape: FeedShape
    every_minutes: int = 30
    pass_all: bool = False  # False: only entries whose title or summary pass the topic filter
    items: str = ""  # LISTING: CSS selector of one item; JSON_API: dotted path of the list
    link: str = ""  # LISTING: CSS selector of the link inside an item; JSON_API: dotted path of the address
    title: str = ""  # likewise, for the title
    date: str = ""  # likewise, for the publication date
    summary: str = ""  # likewise, for the summary


@dataclass(frozen=True, slots=True)
class Recipe:
    """CSS selectors that read one source's pages; an empty one falls back to the general reader."""

    body: str = ""  # the element that holds the article
    drop: tuple[str, ...] = ()  # elements inside it that are not the article
    title: str = ""
    byline: str = ""
    date: str = ""
    valid_from: Day | None = None  # first publication day of this layout
    valid_until: Day | None = None  # last publication day of this layout


@dataclass(frozen=True, slots=True)
class Source:
    """One publisher, as its card in scrapers/sources describes it. `source_id`: the card's file name without .toml."""

    source_id: str
    title: str
    homepage: str
    source_type: SourceType
    jurisdiction: str  # ISO 3166 code, "EU" or "INT"
    language: str  # BCP 47
    family: str  # publisher group; two sources of one family are one origin
    feeds: tuple[Feed, ...]
    hosts: tuple[str, ...]  # hosts whose pages belong to this source; a leading dot admits subdomains
    recipes: tuple[Recipe, ...] = ()
    pause_seconds: float = 5.0
    daily_pages: int = 200
    agency: bool = False  # its copy is reprinted by others
    enabled: bool = True
    note: str = ""  # why it is disabled, or what is odd about it
    expects_per_week: int = 0  # fewer new items than this in a week is a sign of trouble; 0: no expectation


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """One item of a feed: an address worth a visit, with what the feed says of it."""

    url: str
    title: str = ""
    summary: str = ""
    published_at: datetime | None = None
    updated_at: datetime | None = None
    entry_id: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """The answer to one request, as it came over the wire (after decompression). `sha256` is that of `body`."""

    url: str
    final_url: str
    source_id: str
    fetched_at: datetime
    status: int
    media_type: str  # "text/html", without parameters
    charset: str  # from the Content-Type header, "" if none
    headers: tuple[tuple[str, str], ...]
    body: bytes
    sha256: str


@dataclass(frozen=True, slots=True)
class RemovedBlock:
    """A paragraph that stood in the page's text and was taken out, with the rule that took it."""

    text: str
    rule: str


@dataclass(frozen=True, slots=True)
class Article:
    """What a page says, read once. `text`: paragraphs joined by a blank line; all offsets point into it."""

    article_id: str  # from the canonical address: see article_id()
    version: str  # from the text: see text_version()
    source_id: str
    url: str  # canonical
    title: str
    text: str
    language: str = "en"
    byline: tuple[str, ...] = ()
    published_at: datetime | None = None  # by the publisher's clock where the page gives its offset, else UTC
    published_basis: str = "unknown"  # json-ld, meta, time, htmldate, feed, first-seen, given, unknown
    published_precision: Precision = Precision.UNKNOWN
    modified_at: datetime | None = None
    fetched_at: datetime | None = None
    page_sha256: str = ""  # the archived page that this was read from
    publisher: str = ""
    links: tuple[tuple[str, str], ...] = ()  # (address, anchor text) of links inside the body
    removed_blocks: tuple[RemovedBlock, ...] = ()
    has_affiliate_content: bool = False
    access: str = "full"  # full or partial (paywall, teaser)


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of reading a page: an article with Outcome.SAVED, or none with the reason."""

    outcome: Outcome
    article: Article | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Visit:
    """One attempt at one address and its one outcome."""

    url: str
    source_id: str
    at: datetime
    outcome: Outcome
    detail: str = ""
    status: int = 0
    n_bytes: int = 0
    sha256: str = ""
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)


def article_id(canonical_url: str) -> str:
    """Return the id of the article at a canonical address: "a" and 16 hex digits. It never depends on the text."""
    return "a" + hashlib.sha256(canonical_url.encode()).hexdigest()[:16]


def text_version(text: str) -> str:
    """Return the version of a text: the first 16 hex digits of its SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]
