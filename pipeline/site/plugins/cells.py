"""Renders table cells: links for ids and addresses, labels for codes. All values are escaped."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from datasette import hookimpl
from markupsafe import Markup

from pipeline.site.text.labels import COLUMN_WORDS, TABLE_COLUMN_WORDS, modality_words, words_for
from pipeline.site.views.quote_highlight import host_of, safe_url

PAGES = {
    "event_id": "/event/",
    "old_event_id": "/event/",
    "entity_id": "/entity/",
    "parent_id": "/entity/",
    "actor_id": "/entity/",
    "counterpart_id": "/entity/",
    "thing_id": "/entity/",
    "entry_id": "/oversight/timeline_entries/",
    "upcoming_id": "/oversight/upcoming/",
    "article_id": "/article/",
    "to_article_id": "/article/",
    "lead_article_id": "/article/",
    "example_article_id": "/article/",
    "claim_id": "/oversight/claims/",
    "source_id": "/oversight/sources/",
    "origin_id": "/oversight/origins/",
    "contradiction_id": "/oversight/contradictions/",
}
ID_OF_NAME = {"name": "entity_id", "title": "article_id"}  # which column holds the id that a name or title belongs to
URL_COLUMNS = {"url", "homepage"}
DAY = re.compile(r"\d{4}-\d\d-\d\d")
LONGEST_LABEL = 90


def page_href(column: str, value: str) -> str:
    """Return the path of the page for an id in this column; "" for other columns."""
    return PAGES[column] + quote(value, safe="") if column in PAGES and value else ""


@lru_cache(maxsize=64)
def badge(modality: str) -> Markup:
    """Return the badge of a modality: its label and a symbol hidden from screen readers."""
    words = modality_words(modality)
    return Markup('<span class="badge badge-{}" title="{}"><span aria-hidden="true">{}</span> {}</span>').format(
        modality, words.meaning, words.sign, words.badge
    )


def external_link(url: str, text: str = "") -> Markup:
    """Return a link to another site; only the text where the address is unsafe."""
    safe = safe_url(url)
    shown = text or host_of(url) or url
    if not safe:
        return Markup("<span>{}</span>").format(shown)
    return Markup('<a href="{}" rel="noopener noreferrer external">{}</a>').format(safe, shown)


@hookimpl
def render_cell(row: Any, value: Any, column: str, table: str | None, database: str) -> Markup | None:
    """Render a cell of our tables and saved queries; None leaves it to Datasette."""
    if database != "oversight":
        return None
    label = value["label"] if isinstance(value, dict) else value
    plain = value["value"] if isinstance(value, dict) else value
    if plain in (None, ""):
        return None
    if column in PAGES:
        shown = str(label)
        shown = shown if len(shown) <= LONGEST_LABEL else shown[: LONGEST_LABEL - 1] + "…"
        return Markup('<a href="{}">{}</a>').format(page_href(column, str(plain)), shown)
    if column in URL_COLUMNS:
        return external_link(str(plain))
    if column == "modality":
        return badge(str(plain))
    if column == "summary" and "event_id" in _keys(row):
        event_id = row["event_id"]
        event_id = event_id["value"] if isinstance(event_id, dict) else event_id
        return Markup('<a href="{}">{}</a>').format(page_href("event_id", str(event_id)), str(plain))
    if column in ID_OF_NAME and ID_OF_NAME[column] in _keys(row) and table in (None, "entities", "articles"):
        key = row[ID_OF_NAME[column]]
        key = key["value"] if isinstance(key, dict) else key
        return Markup('<a href="{}">{}</a>').format(page_href(ID_OF_NAME[column], str(key)), str(plain))
    if isinstance(plain, str) and DAY.fullmatch(plain):
        return Markup('<span class="nowrap">{}</span>').format(plain)
    if column in COLUMN_WORDS or (table or "", column) in TABLE_COLUMN_WORDS:
        words = words_for(column, plain, table or "")
        return Markup('<span title="{}">{}</span>').format(str(plain), words)
    return None


def _keys(row: Any) -> list[str]:
    return list(row.keys()) if hasattr(row, "keys") else []
