"""Reads the metadata of an article from its page: title, byline, dates, publisher and canonical URL."""

from __future__ import annotations

import html as html_entities
import re
from calendar import month_abbr
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from selectolax.lexbor import LexborHTMLParser

from scrapers.items import Precision
from scrapers.reading.blocks import attribute, tidy
from scrapers.reading.jsonld import Linked, read_linked
from scrapers.reading.timestamps import Moment, read_moment

_PUBLISHED_META = [
    "article:published_time",
    "og:article:published_time",
    "og:published_time",
    "datepublished",
    "article.published",
    "parsely-pub-date",
    "sailthru.date",
    "dc.date.issued",
    "dcterms.issued",
    "dc.date",
    "dcterms.created",
    "dcterms.date",
    "citation_publication_date",
    "publish-date",
    "publish_date",
    "publishdate",
    "published_date",
    "pubdate",
    "cxenseparse:recs:publishtime",
    "bt:pubdate",
    "rnews:datepublished",
    "iso-8601-publish-date",
    "originalpublicationdate",
    "article_date_original",
    "date.release",
    "release_date",
    "displaydate",
    "date",
]
_MODIFIED_META = [
    "article:modified_time",
    "og:updated_time",
    "article:modified",
    "datemodified",
    "last-modified",
    "dcterms.modified",
    "dc.date.modified",
    "revised",
    "updated_time",
    "article.updated",
]
_AUTHOR_META = [
    "author",
    "article:author",
    "parsely-author",
    "sailthru.author",
    "dc.creator",
    "dcterms.creator",
    "byl",
    "byline",
    "citation_author",
    "cxenseparse:author",
    "bt:author",
    "article.author",
]
_SITE_META = ("og:site_name", "application-name", "twitter:app:name:iphone", "dc.publisher", "publisher")
_SEPARATORS = r"\s+[|\-–—·•»:/*]{1,2}\s+"
_NO_AUTHOR = re.compile(
    r"^(?:https?:|www\.|@?\w+\.(?:com|org|net|co\.uk)$|admin(?:istrator)?$|staff$|none$|null$|n/?a$|undefined$)", re.I
)
_BY = re.compile(
    r"^(?:(?:(?:written|posted|reported|published|story)\s+)?by[:\s]+|(?:words|text|story|reporting)\s*:\s*)", re.I
)
_AND = re.compile(r"\s*(?:[,;|]|\band\b|&)\s*", re.I)
_ROLE = re.compile(
    r"^(?:.*\b(?:editor|reporter|correspondent|writer|contributor|columnist|producer|journalist|analyst|fellow|"
    r"desk|bureau|chief|phd|m\.?d|jr|sr|esq)\b\.?)$",
    re.I,
)
_NO_TITLE = frozenset({"nan", "none", "null", "undefined", "[object object]"})


@dataclass(frozen=True, slots=True)
class Dated:
    """A date with its precision and origin: `json-ld`, `meta`, `time`, `htmldate`, `feed` or `recipe`."""

    at: datetime
    basis: str
    precision: Precision


@dataclass(frozen=True, slots=True)
class Metadata:
    """The metadata of a page. `claims`: its canonical URLs as claimed in the markup, most reliable first."""

    title: str = ""
    byline: tuple[str, ...] = ()
    published: Dated | None = None
    modified_at: datetime | None = None
    publisher: str = ""
    language: str = ""
    description: str = ""
    claims: tuple[str, ...] = ()
    linked: Linked = field(default_factory=Linked)
    og_type: str = ""


def read_metadata(tree: LexborHTMLParser, fetched_at: datetime) -> Metadata:
    """Return the metadata of a page. Dates more than a day after `fetched_at` are ignored."""
    metas = _metas(tree)
    linked = read_linked([node.text(deep=True) for node in tree.css("script[type*='ld+json' i]")])
    site = _first(metas, _SITE_META) or linked.publisher
    latest = fetched_at + timedelta(days=1)
    modified = _first_moment([linked.modified, *_all(metas, _MODIFIED_META)], latest)
    canonical = tree.css_first("link[rel~=canonical i]")
    root = tree.root
    return Metadata(
        title=_title(tree, metas, linked, site),
        byline=_byline(tree, metas, linked),
        published=_published(tree, metas, linked, latest),
        modified_at=modified[0] if modified else None,
        publisher=linked.publisher or site,
        language=language_tag(
            (attribute(root, "lang") if root else "") or linked.language or _first(metas, ("og:locale",))
        ),
        description=_first(metas, ("og:description", "description", "twitter:description")) or linked.description,
        claims=tuple(a for a in (attribute(canonical, "href") if canonical else "", _first(metas, ("og:url",))) if a),
        linked=linked,
        og_type=_first(metas, ("og:type",)).lower(),
    )


def _metas(tree: LexborHTMLParser) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for node in tree.css("meta[content]"):
        for key in {attribute(node, name).lower() for name in ("property", "name", "itemprop", "http-equiv")} - {""}:
            found.setdefault(key, []).append(tidy(html_entities.unescape(attribute(node, "content"))))
    return found


def _all(metas: dict[str, list[str]], names: tuple[str, ...] | list[str]) -> list[str]:
    return [value for name in names for value in metas.get(name, []) if value]


def _first(metas: dict[str, list[str]], names: tuple[str, ...] | list[str]) -> str:
    return next(iter(_all(metas, names)), "")


def _first_moment(written: list[str], latest: datetime) -> Moment | None:
    moments = (read_moment(one) for one in written if one)
    return next((moment for moment in moments if moment and moment[0] <= latest), None)


def language_tag(written: str) -> str:
    """Return a language tag in the form "en" or "en-GB", "" if it is not one."""
    found = re.match(r"^([A-Za-z]{2,3})(?:[-_]([A-Za-z]{2}))?(?![A-Za-z])", written.strip())
    if not found:
        return ""
    return found[1].lower() + (f"-{found[2].upper()}" if found[2] else "")


def without_site(title: str, site: str) -> str:
    """Return a title without the name of the site before or after it ("A bill passes | The Gazette")."""
    before, colon, after = title.partition(": ")
    if colon and after and _bare(before) == _bare(site) != "":
        return after.strip()
    parts = re.split(f"({_SEPARATORS})", title)
    named = [i for i, part in enumerate(parts) if i % 2 == 0 and _bare(part) == _bare(site) != ""]
    if not named or len(parts) < 3:
        return title
    return "".join(parts[: named[-1] - 1] if named[-1] else parts[2:]).strip()


def _bare(name: str) -> str:
    bare = re.sub(r"\W+", "", name.casefold())
    return re.sub(r"^the|(?:com|couk|org)$", "", bare)


def _title(tree: LexborHTMLParser, metas: dict[str, list[str]], linked: Linked, site: str) -> str:
    """Return the title: of OpenGraph, JSON-LD, the first h1 or the title element, avoiding truncated ones."""
    og = _real(without_site(_first(metas, ("og:title", "twitter:title", "dc.title")), site))
    if og and not _is_truncated(og):
        return og
    headings = [_real(tidy(node.text(separator=" "))) for node in tree.css("h1")]
    headings = [text for text in headings if text]
    headline = _real(without_site(linked.headline, site))
    if og and not _is_completed_by(og, [headline, *headings]):
        return og
    if headline and not _is_completed_by(headline, headings):
        return headline
    longer = [text for text in [og, *headings] if text and headline and text.startswith(headline.rstrip("….")[:40])]
    element = tree.css_first("head title") or tree.css_first("title")
    last = _real(without_site(tidy(element.text()), site)) if element else ""
    return next((text for text in [*longer, og, headline, *headings, last] if text), "")


def _real(title: str) -> str:
    """Return a title, or "" if it is what a template prints where it has none."""
    return "" if title.lower() in _NO_TITLE else title


def _is_truncated(title: str) -> bool:
    return title.endswith(("…", "..."))


def _is_completed_by(title: str, others: list[str]) -> bool:
    """Return whether a title is truncated and one of the others completes it."""
    stem = title.rstrip("….").strip()
    return _is_truncated(title) and any(len(o) > len(stem) and o.startswith(stem) for o in others if o)


def names_in(written: str) -> list[str]:
    """Return the names in a byline: ["Ann Lee", "Bo Day"] for "By Ann Lee and Bo Day, Staff Writers"."""
    text = _BY.sub("", tidy(re.sub(r"\S+@\S+|\([^)]*\)", " ", written)))
    if _NO_AUTHOR.match(text):
        return []
    names: list[str] = []
    for part in _AND.split(text):
        part = _BY.sub("", part.strip(" .,-–|"))
        if not part or _NO_AUTHOR.match(part) or (names and _ROLE.match(part)):
            continue
        if len(part) <= 80 and not re.search(r"\d{2}", part):
            names.append(part)
    return names


def _byline(tree: LexborHTMLParser, metas: dict[str, list[str]], linked: Linked) -> tuple[str, ...]:
    if linked.authors:
        names = [name for author in linked.authors for name in _one_or_more(author)]
        if names:
            return tuple(dict.fromkeys(names))
    written = _first(metas, [name for name in _AUTHOR_META if any(names_in(v) for v in metas.get(name, []))])
    if written:
        every = [v for name in _AUTHOR_META for v in metas.get(name, []) if name in {"citation_author", "author"}]
        return tuple(dict.fromkeys(name for one in ([written, *every]) for name in names_in(one)))
    marked = tree.css("[rel~=author],[itemprop=author] [itemprop=name],[itemprop=author]:not(:has([itemprop=name]))")
    return tuple(dict.fromkeys(name for node in marked[:6] for name in names_in(node.text(separator=" "))))


def _one_or_more(author: str) -> list[str]:
    """Split an author that is several people ("Ann Lee and Bo Day"), but not a name with a comma or "&"."""
    if _NO_AUTHOR.match(author):
        return []
    bare = _BY.sub("", author)
    several = (
        re.search(r"\band\b|;", bare)
        or bare.count(",") > 1
        or bare != author
        or (", " in bare and " " in bare.split(",")[1].strip())
    )
    return names_in(bare) if several else [bare]


def _published(tree: LexborHTMLParser, metas: dict[str, list[str]], linked: Linked, latest: datetime) -> Dated | None:
    """Return the publication date from the most reliable place that has one."""
    for basis, written in (
        ("json-ld", lambda: [linked.published]),
        ("meta", lambda: _all(metas, _PUBLISHED_META)),
        ("time", lambda: _time_elements(tree)),
    ):
        if moment := _first_moment(written(), latest):
            return Dated(moment[0], basis, moment[1])
    return None


def _time_elements(tree: LexborHTMLParser) -> list[str]:
    """Return the dates in <time> elements: those marked as publication date, then the first other one."""
    marked: list[str] = []
    plain: list[str] = []
    for node in tree.css("time,[itemprop=datePublished]"):
        written = attribute(node, "datetime") or attribute(node, "content") or node.text()
        names = f"{attribute(node, 'class')} {attribute(node, 'itemprop')} {attribute(node, 'pubdate')}".lower()
        if "updated" in names or "modified" in names:
            continue
        (marked if "publish" in names or node.attributes.get("pubdate") is not None else plain).append(written)
    return marked + plain[:1]


def date_from_text(markup: str, url: str, latest: datetime) -> Dated | None:
    """Return the day that htmldate finds on a page or in its URL, as a last resort."""
    from htmldate import find_date

    found = find_date(markup, url=url, original_date=True, extensive_search=False, max_date=latest.date().isoformat())
    if not found:
        return None
    moment = datetime.fromisoformat(found).replace(tzinfo=UTC)
    if moment > latest or (moment.day == 1 and not _first_is_written(moment, f"{url} {markup}")):
        return None
    return Dated(moment, "htmldate", Precision.DAY)


def _first_is_written(day: datetime, text: str) -> bool:
    """Return whether the first of a month is written: htmldate also makes it of a month alone, or of 30 February."""
    year, month, name = day.year, f"0?{day.month}", month_abbr[day.month]
    first = r"0?1(?!\d)"
    patterns = (
        rf"{year}[-/.]?{month}[-/.]?{first}",
        rf"\b(?:{first}[-/.]{month}|{month}[-/.]{first})[-/.]{year}",
        rf"\b{first}(?:st|\.)?\s+(?:of\s+)?{name}|\b{name}\w*\.?\s+{first}",
    )
    return any(re.search(pattern, text, re.I) for pattern in patterns)
