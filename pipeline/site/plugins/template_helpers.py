"""The template environment comes in; words, links and small helpers that templates call go into it."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from datasette import hookimpl
from markupsafe import Markup

from pipeline.site.facets.selection import unmarked
from pipeline.site.plugins.cells import badge, external_link, page_href
from pipeline.site.plugins.filters import PARTY_ARGUMENTS, SAID, facet_names
from pipeline.site.text import words
from pipeline.site.views import quote_highlight

STATIC = Path(__file__).parents[1] / "static"
SILENT_ARGUMENTS = (
    "_facet",
    "_sort",
    "_next",
    "_size",
    "_labels",
    "_nofacet",
    "_nocount",
    "_columns",
    "_col",
    "_nocol",
)
OPERATORS = {
    "exact": "is", "not": "is not", "gte": "from", "gt": "after", "lte": "up to", "lt": "before", "in": "is one of",
    "contains": "contains", "isnull": "is empty", "notnull": "is not empty", "isblank": "is blank", "like": "is like",
}  # fmt: skip


@cache
def static_href(name: str) -> str:
    """Return the address of a file in static/, with its hash, so that a new version is fetched at once."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]
    return f"/static/{name}?v={digest}"


def plain(value: Any) -> Any:
    """Return the stored value of a cell, whose foreign key Datasette may have opened out into {value, label}."""
    return value["value"] if isinstance(value, dict) else value


def label(value: Any) -> Any:
    """Return the label of a cell whose foreign key was opened out, otherwise the value."""
    return value["label"] if isinstance(value, dict) else value


def without(query_string: str, path: str, *pairs: tuple[str, str]) -> str:
    """Return a page's address without some arguments, and on its first page."""
    kept = [p for p in parse_qsl(query_string, keep_blank_values=True) if p not in pairs and p[0] != "_next"]
    return path + (f"?{urlencode(kept)}" if kept else "")


def active_filters(query_string: str, path: str, party_names: dict[str, str] | None = None) -> list[dict[str, str]]:
    """Return the filters of a table page in words, each with the address of the page without it."""
    found = []
    for key, value in parse_qsl(query_string, keep_blank_values=True):
        if key.startswith(SILENT_ARGUMENTS):
            continue
        column, _, operator = key.partition("__")
        if key in ("_search", "_words"):
            said = f"Words: {value}"
        elif key in SAID:
            said = SAID[key].format((party_names or {}).get(value, value))
            said = said[:1].upper() + said[1:]
        elif key == "_where":
            said = f"SQL: {value}"
        else:
            values = value.split(",") if operator == "in" else [value]
            shown = ", ".join(words.words_for(column, one) for one in values)
            if operator in ("gte", "lte", "gt", "lt"):
                said = f"{words.title_for(column)} {OPERATORS[operator]} {words.day_words(shown) or shown}"
            elif operator in ("", "exact", "in"):
                said = f"{words.title_for(column)}: {shown}"
            else:
                said = f"{words.title_for(column)} {OPERATORS.get(operator, operator)} {shown}"
        found.append({"words": said, "remove": without(query_string, path, (key, value))})
    return found


def ordered_facets(facets: list[dict], configured: list) -> list[dict]:
    """Return facet blocks in the order of the metadata, asked-for ones after them; Datasette sorts them by size."""
    order = {name: i for i, name in enumerate(facet_names(configured))}
    return sorted(facets, key=lambda facet: (order.get(facet["name"], len(order)), facet["name"]))


def kept_filters(request: Any, fields: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return the filters in force that a form has no field for, so that asking again does not lose them."""
    pairs = parse_qsl(request.query_string)
    return [pair for pair in pairs if pair[0] not in fields and not pair[0].startswith(SILENT_ARGUMENTS)]


def has_columns(display_columns: list[dict], *names: str) -> bool:
    """Return whether a table page shows all of these columns."""
    shown = {column["name"] for column in display_columns}
    return set(names) <= shown


def told_in_order(claims: list[dict]) -> list[dict]:
    """Return what reports said of an event, in order: for each day and modality one claim of each source."""
    found: dict[tuple, dict] = {}
    for claim in claims:
        said = found.setdefault(
            (claim["published_on"], claim["modality"]),
            {"published_on": claim["published_on"], "modality": claim["modality"], "claims": []},
        )
        if claim["source_id"] not in {other["source_id"] for other in said["claims"]}:
            said["claims"].append(claim)
    return list(found.values())


def dict_of(rows: list[dict], key: str) -> dict[str, dict]:
    """Return rows by the value of one of their keys."""
    return {row[key]: row for row in rows}


def event_feed_href(request: Any) -> str:
    """Return the feed for a filtered events page, "" where a filter has no feed."""
    pairs = [p for p in parse_qsl(request.query_string) if not p[0].startswith(SILENT_ARGUMENTS)]
    if any(key.startswith("_") and key not in (*PARTY_ARGUMENTS, "_words", "_search") for key, _ in pairs):
        return ""
    return "/feed.atom" + (f"?{urlencode(pairs)}" if pairs else "")


def event_href(event_id: str) -> str:
    """Return an event's permalink."""
    return page_href("event_id", event_id)


def entity_href(entity_id: str) -> str:
    """Return an entity's address."""
    return page_href("entity_id", entity_id)


def article_href(article_id: str) -> str:
    """Return an article's address."""
    return page_href("article_id", article_id)


def table_href(table: str, **filters: str) -> str:
    """Return the address of a table under filters."""
    return f"/oversight/{quote(table)}" + (f"?{urlencode(filters)}" if filters else "")


@hookimpl
def prepare_jinja2_environment(env: Any, datasette: Any) -> None:
    """Give templates the words of the ledger and the helpers above (error pages get no other context)."""
    site = datasette.metadata()
    env.trim_blocks = env.lstrip_blocks = True
    env.globals.update(
        W=words, active_filters=active_filters, article_href=article_href, badge=badge, dict_of=dict_of,
        entity_href=entity_href, event_feed_href=event_feed_href, event_href=event_href, external_link=external_link,
        fragment_url=quote_highlight.fragment_url, has_columns=has_columns, host_of=quote_highlight.host_of,
        kept_filters=kept_filters, label=label, ordered_facets=ordered_facets, pieces=quote_highlight.pieces,
        plain=plain,
        safe_url=quote_highlight.safe_url, snippet=quote_highlight.snippet, static_href=static_href,
        table_href=table_href, told_in_order=told_in_order, site=site,
        sql_allowed=lambda: datasette.setting("default_allow_sql"), unmarked=unmarked, Markup=Markup,
    )  # fmt: skip
