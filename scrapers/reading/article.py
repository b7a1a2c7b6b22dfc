"""Reads a fetched page into an article.

The result depends only on the page, the source card and the feed entry.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import urlsplit

from selectolax.lexbor import LexborHTMLParser

from scrapers.items import (
    Article,
    FeedEntry,
    Outcome,
    Page,
    Precision,
    Reading,
    Source,
    article_id,
    text_version,
)
from scrapers.reading.blocks import Block, letters, parse, tidy
from scrapers.reading.body import (
    by_justext,
    by_trafilatura,
    choose,
    general_body,
    is_mostly_links,
    linked_body,
    with_links,
)
from scrapers.reading.boilerplate import Cleaned, clean
from scrapers.reading.canonical_url import canonical_address, tidy_address
from scrapers.reading.decoding import MAX_BYTES, decode, foreign_format
from scrapers.reading.metadata import (
    Dated,
    Metadata,
    date_from_text,
    language_tag,
    names_in,
    read_metadata,
    without_site,
)
from scrapers.reading.parser_limits import unsafe_markup
from scrapers.reading.recipes import Picked, apply, recipes_for
from scrapers.reading.timestamps import read_moment

_MIN_CHARS = 140  # shorter bodies are not articles, unless the metadata says so
_SHORT_BODY = 600  # below this, articleBody of the JSON-LD is tried; below twice this, mentions of a paywall count
_LONG_ENOUGH = 300  # characters of an articleBody from which it is the third opinion on a body
_MANY_LINKS = 12
_LETTERS = 0.25  # minimum share of letters: a text with fewer is a table of prices or similar
_CAREFUL_MAX_TAGS = 20_000  # trafilatura takes minutes for pages with many more
_CAREFUL_MAX_CHARS = 3_000_000
_HTML_TYPES = {"", "text/html", "application/xhtml+xml", "application/octet-stream", "text/plain"}
_ARTICLE_KINDS = re.compile(r"article|report|posting|pressrelease|review")
_WALL = re.compile(
    r"\b(?:subscribe (?:now )?to (?:continue|keep|read|unlock)"
    r"|to (?:continue|keep) reading"
    r"|continue reading (?:with|by|this)"
    r"|already (?:a subscriber|subscribed|have an account)"
    r"|(?:this|the full) (?:article|story|content) is (?:only )?(?:available )?"
    r"(?:for|to|reserved for) (?:paying |registered )?(?:subscribers|members)"
    r"|for subscribers only|subscriber[- ]only"
    r"|(?:log|sign) in to (?:continue|read)"
    r"|register (?:for free )?to (?:continue|read)"
    r"|unlock (?:this|the full) (?:article|story)"
    r"|you (?:have|['’]ve) (?:reached|read|used) (?:your|all)\b.{0,40}(?:free|limit)"
    r"|start your (?:free )?trial)\b",
    re.I,
)
_SOFT_404 = re.compile(
    r"^(?:404|page not found|not found|error 404|page (?:cannot|can['’]t) be found|access denied|just a moment)\b", re.I
)


@dataclass(frozen=True, slots=True)
class PageDraft:
    """A page whose body is found but not cleaned yet: the input of finish()."""

    page: Page
    source: Source | None
    about: Metadata
    published: Dated | None
    blocks: tuple[Block, ...]
    markup: str
    picked: Picked | None = None  # by a recipe; None for plain text

    @property
    def text(self) -> str:
        """The title and all paragraphs, including those that cleaning will remove."""
        return "\n\n".join([self.about.title, *(block.text for block in self.blocks)])


def read_page(page: Page, source: Source | None = None, hint: FeedEntry | None = None) -> Reading:
    """Return the article on a page, or the outcome and detail that say why there is none.

    The body is selected by the newest recipe that was valid on the publication day and finds something, otherwise by
    the general reader.

    Args:
        page: The fetched page.
        source: Its source, for the recipes, the hosts and the name of the publisher.
        hint: The feed entry of the page; it supplies a missing date or title.

    Returns:
        A Reading with the outcome SAVED and the article, or with NOT_AN_ARTICLE, NO_TEXT, UNREADABLE or TOO_LARGE.
    """
    found = draft(page, source, hint)
    return found if isinstance(found, Reading) else finish(found)


def draft(page: Page, source: Source | None, hint: FeedEntry | None = None) -> PageDraft | Reading:
    """Find metadata and body of a page; return a Reading if it is not an article. The first half of read_page()."""
    if refusal := _refusal(page):
        return refusal
    html = decode(page.body, page.charset)
    if "<" not in html[:2000] or (page.media_type == "text/plain" and "<html" not in html[:2000].lower()):
        return _plain_text(page, html, source, hint)
    tree = parse(html)
    about = read_metadata(tree, page.fetched_at)
    published = about.published or _from_hint(page, hint)
    picked = _by_recipe(html, source, published)
    found = list(picked.blocks) if picked and picked.blocks else _general(html, tree, about)
    about = replace(
        about,
        title=(picked.title if picked else "")
        or without_site(about.title, source.title if source else "")
        or (hint.title if hint else ""),
        byline=_picked_names(picked) or about.byline,
    )
    return PageDraft(page, source, about, published, tuple(found), html, picked or Picked())


def finish(found: PageDraft) -> Reading:
    """Clean the body of a draft and decide whether it is an article. The second half of read_page()."""
    body = _clean_blocks(list(found.blocks), found.about)
    published = found.published or _last_resort_date(found)
    return _conclude(found.page, found.source, found.about, published, body, found.markup)


@dataclass(frozen=True, slots=True)
class _Body:
    """A cleaned body, with the links in its paragraphs."""

    cleaned: Cleaned
    links: tuple[tuple[str, str], ...]
    n_link_chars: int


def _refusal(page: Page) -> Reading | None:
    if len(page.body) > MAX_BYTES:
        size = f"{len(page.body):,} bytes"
        return Reading(Outcome.TOO_LARGE, detail=f"the page has {size}; the limit is {MAX_BYTES:,}")
    if not page.body.strip():
        return Reading(Outcome.NO_TEXT, detail="the response is empty")
    if foreign := foreign_format(page.body):
        return Reading(Outcome.NOT_AN_ARTICLE, detail=f"the response is {foreign}, not a web page")
    start = page.body[:300].lstrip().lower()
    if (
        start.startswith((b"<?xml", b"<rss", b"<feed", b"<urlset", b"<sitemapindex"))
        and b"<html" not in page.body[:3000].lower()
    ):
        return Reading(Outcome.NOT_AN_ARTICLE, detail="the response is a feed or another XML document, not a web page")
    if page.media_type not in _HTML_TYPES and b"<html" not in page.body[:3000].lower():
        return Reading(Outcome.NOT_AN_ARTICLE, detail=f"the response is of type {page.media_type}, not a web page")
    if harm := unsafe_markup(page.body):
        return Reading(Outcome.UNREADABLE, detail=f"the page is not parsed because {harm}")
    return None


def _from_hint(page: Page, hint: FeedEntry | None) -> Dated | None:
    if hint is None or hint.published_at is None or hint.published_at > page.fetched_at + timedelta(days=1):
        return None
    return Dated(hint.published_at, "feed", Precision.MINUTE)


def _by_recipe(html: str, source: Source | None, published: Dated | None) -> Picked | None:
    """Return the result of the first recipe that finds a body; one that finds none is outdated."""
    for recipe in recipes_for(source, published.at.date() if published else None):
        picked = apply(recipe, html)
        if picked.blocks or not recipe.body:
            return picked
    return None


def _last_resort_date(found: PageDraft) -> Dated | None:
    if found.picked is None:
        return None
    latest = found.page.fetched_at + timedelta(days=1)
    if (moment := read_moment(found.picked.date)) and moment[0] <= latest:
        return Dated(moment[0], "recipe", moment[1])
    return date_from_text(found.markup, found.page.final_url, latest)


def _picked_names(picked: Picked | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for line in (picked.byline if picked else ()) for name in names_in(line)))


def _general(html: str, tree: LexborHTMLParser, about: Metadata) -> list[Block]:
    """Return the body of a page of unknown layout; see `body`. `tree` is modified."""
    found = general_body(tree, about.description)
    linked = linked_body(about.linked.body)
    if _is_small_enough(html) and not (_length(found) < _MIN_CHARS and is_mostly_links(html)):
        third = linked if _length(linked) >= _LONG_ENOUGH else None
        other = by_trafilatura(html)
        found = choose(found, other, lambda: third or by_justext(html))
        found = with_links(found, html) if found is other else found
    return linked if _length(found) < _SHORT_BODY and _length(linked) > 2 * _length(found) else found


def _length(body: list[Block]) -> int:
    return sum(len(block.text) for block in body)


def _is_small_enough(html: str) -> bool:
    """Return whether a page is small enough for trafilatura and jusText."""
    return len(html) < _CAREFUL_MAX_CHARS and html.count("<") < _CAREFUL_MAX_TAGS


def _clean_blocks(found: list[Block], about: Metadata) -> _Body:
    title = letters(about.title)
    found = [block for block in found if not title or letters(block.text) != title]
    cleaned = clean([block.text for block in found])
    kept = [found[i] for i in cleaned.kept_at]
    links = tuple(dict.fromkeys(link for block in kept for link in block.links))
    return _Body(cleaned, links, sum(block.link_chars for block in kept))


def _conclude(
    page: Page, source: Source | None, about: Metadata, published: Dated | None, body: _Body, html: str
) -> Reading:
    """Decide whether the body is an article, and build it."""
    text = body.cleaned.text
    says_article = bool(_ARTICLE_KINDS.search(about.linked.kind)) or about.og_type == "article"
    if _SOFT_404.match(about.title) and len(text) < _SHORT_BODY:
        return Reading(Outcome.NOT_AN_ARTICLE, detail=f"an error page: its title is {about.title!r}")
    if urlsplit(page.final_url).path in {"", "/"} and not urlsplit(page.final_url).query and not says_article:
        return Reading(Outcome.NOT_AN_ARTICLE, detail="the URL is the front page of a site")
    if len(text) >= _MIN_CHARS and body.n_link_chars > 0.5 * len(text) and len(body.links) >= _MANY_LINKS:
        return Reading(
            Outcome.NOT_AN_ARTICLE, detail=f"a listing: more than half of its text is links ({len(body.links)})"
        )
    if not text or (len(text) < _MIN_CHARS and not (says_article and len(text) >= 40)):
        return Reading(Outcome.NO_TEXT, detail=f"only {len(text)} characters of running text found")
    if sum(map(str.isalpha, text)) < _LETTERS * len(text):
        return Reading(Outcome.NO_TEXT, detail=f"hardly any letters in {len(text)} characters of text")
    partial = len(text) < 2 * _SHORT_BODY and (about.linked.free is False or bool(_WALL.search(html)))
    return Reading(Outcome.SAVED, _article(page, source, about, published, body, "partial" if partial else "full"))


def _article(
    page: Page, source: Source | None, about: Metadata, published: Dated | None, body: _Body, access: str
) -> Article:
    address = canonical_address(page.final_url, list(about.claims), source.hosts if source else ())
    text = body.cleaned.text
    links = ((tidy_address(href, page.final_url), anchor) for href, anchor in body.links)
    return Article(
        article_id=article_id(address),
        version=text_version(text),
        source_id=source.source_id if source else page.source_id,
        url=address,
        title=about.title,
        text=text,
        language=about.language or (language_tag(source.language) if source else "") or "en",
        byline=about.byline,
        published_at=published.at if published else None,
        published_basis=published.basis if published else "unknown",
        published_precision=published.precision if published else Precision.UNKNOWN,
        modified_at=about.modified_at,
        fetched_at=page.fetched_at,
        page_sha256=page.sha256,
        publisher=about.publisher or (source.title if source else ""),
        links=tuple((address, anchor) for address, anchor in links if address),
        removed_blocks=body.cleaned.removed,
        has_affiliate_content=body.cleaned.has_affiliate_content,
        access=access,
    )


def _plain_text(page: Page, text: str, source: Source | None, hint: FeedEntry | None) -> PageDraft:
    """Read text/plain: blank lines separate paragraphs; a first line without a full stop is the title."""
    parts = (
        [tidy(part) for part in re.split(r"\n\s*\n", text)] if "\n\n" in text.replace("\r", "") else text.splitlines()
    )
    parts = [part for part in map(tidy, parts) if part]
    title = hint.title if hint else ""
    if not title and len(parts) > 1 and len(parts[0]) <= 200 and parts[0][-1] not in ".!?":
        title, parts = parts[0], parts[1:]
    blocks = tuple(Block("p", part) for part in parts)
    return PageDraft(page, source, Metadata(title=title), _from_hint(page, hint), blocks, text)
