"""Labels, links and small helpers that the templates call."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

from datasette import hookimpl
from datasette.utils.asgi import Request

from pipeline.site.facets.selection import unmarked
from pipeline.site.ledger_site import LedgerSite
from pipeline.site.plugins.cells import badge, external_link, page_href
from pipeline.site.plugins.filters import PARTY_ARGUMENTS, facet_names
from pipeline.site.queries import common
from pipeline.site.snapshots import NAME
from pipeline.site.text import formatting, labels
from pipeline.site.views import headlines, quote_highlight

STATIC = Path(__file__).parents[1] / "static"
# Arguments that change how a table is displayed, not which rows it contains.
DISPLAY_ARGUMENTS = (
    *("_facet", "_sort", "_next", "_size", "_labels", "_nofacet", "_nocount", "_columns", "_col", "_nocol"),
)
OPERATORS = {
    "exact": "is",
    "not": "is not",
    "gte": "from",
    "gt": "after",
    "lte": "up to",
    "lt": "before",
    "in": "is one of",
    "contains": "contains",
    "isnull": "is empty",
    "notnull": "is not empty",
    "isblank": "is blank",
    "like": "is like",
}


@cache
def static_href(name: str) -> str:
    """Return the address of a file in static/ with a hash of its content, so that caches never serve an old one."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]
    return f"/static/{name}?v={digest}"


def plain(value: Any) -> Any:
    """Return the stored value of a cell; Datasette may have expanded its foreign key into {value, label}."""
    return value["value"] if isinstance(value, dict) else value


def label(value: Any) -> Any:
    """Return the label of a cell with an expanded foreign key, otherwise its value."""
    return value["label"] if isinstance(value, dict) else value


def url_without(query_string: str, path: str, *pairs: tuple[str, str]) -> str:
    """Return the address of a table without some arguments, at its first page."""
    kept = [p for p in parse_qsl(query_string, keep_blank_values=True) if p not in pairs and p[0] != "_next"]
    return path + (f"?{urlencode(kept)}" if kept else "")


def active_filters(query_string: str, path: str, party_names: dict[str, str] | None = None) -> list[dict[str, str]]:
    """Return the active filters of a table page in words, each with the address that removes it."""
    found = []
    for key, value in parse_qsl(query_string, keep_blank_values=True):
        if key.startswith(DISPLAY_ARGUMENTS):
            continue
        column, _, operator = key.partition("__")
        if key in ("_search", "_words"):
            words = f"Words: {value}"
        elif key in PARTY_ARGUMENTS:
            words = PARTY_ARGUMENTS[key].words.format((party_names or {}).get(value, value))
            words = words[:1].upper() + words[1:]
        elif key == "_where":
            words = f"SQL: {value}"
        else:
            title, values = labels.title_for(column), value.split(",") if operator == "in" else [value]
            shown = ", ".join(labels.words_for(column, one) for one in values)
            if operator in ("gte", "lte", "gt", "lt"):
                words = f"{title} {OPERATORS[operator]} {formatting.day_words(shown) or shown}"
            elif operator in ("", "exact", "in"):
                words = f"{title}{'' if title.endswith('?') else ':'} {shown}"
            else:
                words = f"{title} {OPERATORS.get(operator, operator)} {shown}"
        found.append({"words": words, "remove": url_without(query_string, path, (key, value))})
    return found


def ordered_facets(facets: list[dict], configured: list) -> list[dict]:
    """Return facet blocks in the order of the metadata, then those the visitor added. Datasette sorts by size."""
    order = {name: i for i, name in enumerate(facet_names(configured))}
    return sorted(facets, key=lambda facet: (order.get(facet["name"], len(order)), facet["name"]))


def filters_without_field(request: Request, fields: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return the active filters that a form has no field for, so that submitting it keeps them."""
    pairs = parse_qsl(request.query_string)
    return [pair for pair in pairs if pair[0] not in fields and not pair[0].startswith(DISPLAY_ARGUMENTS)]


async def events_of(datasette: LedgerSite, rows: Iterable[Any]) -> list[dict]:
    """Return the rows of a page of events with their parties and lead quotes, in the same order."""
    db = datasette.get_database(NAME)
    ids = [plain(row["event_id"]) for row in rows]
    sql = f"select {common.EVENT_COLUMNS} from events e where e.event_id in ({common.marks(ids)})"
    found = dict_of(await common.with_parties(db, await common.many(db, sql, ids)), "event_id")
    return [found[event_id] for event_id in ids if event_id in found]


def has_columns(display_columns: list[dict], *names: str) -> bool:
    """Return whether a table page shows all of these columns."""
    shown = {column["name"] for column in display_columns}
    return set(names) <= shown


def reports_in_order(claims: list[dict]) -> list[dict]:
    """Return what reports said about an event, in order: by day and modality, one claim per source."""
    found: dict[tuple, dict] = {}
    for claim in claims:
        group = found.setdefault(
            (claim["published_on"], claim["modality"]),
            {"published_on": claim["published_on"], "modality": claim["modality"], "claims": []},
        )
        if claim["source_id"] not in {other["source_id"] for other in group["claims"]}:
            group["claims"].append(claim)
    return list(found.values())


def dict_of(rows: list[dict], key: str) -> dict[str, dict]:
    """Return rows keyed by one of their columns."""
    return {row[key]: row for row in rows}


def event_feed_href(request: Request) -> str:
    """Return the address of the feed of a filtered events page; "" if feeds do not support a filter."""
    pairs = [p for p in parse_qsl(request.query_string) if not p[0].startswith(DISPLAY_ARGUMENTS)]
    if any(key.startswith("_") and key not in (*PARTY_ARGUMENTS, "_words", "_search") for key, _ in pairs):
        return ""
    return "/feed.atom" + (f"?{urlencode(pairs)}" if pairs else "")


def event_href(event_id: str) -> str:
    """Return the path of an event's page."""
    return page_href("event_id", event_id)


def entity_href(entity_id: str) -> str:
    """Return the path of an entity's page."""
    return page_href("entity_id", entity_id)


def article_href(article_id: str) -> str:
    """Return the path of an article's page."""
    return page_href("article_id", article_id)


def table_href(table: str, **filters: str) -> str:
    """Return the path of a table with filters."""
    return f"/oversight/{quote(table)}" + (f"?{urlencode(filters)}" if filters else "")


@hookimpl
def prepare_jinja2_environment(env: Any, datasette: LedgerSite) -> None:
    """Add labels and helpers to the template environment. Error pages have no other context."""
    helpers: tuple[Callable[..., Any], ...] = (
        *(active_filters, article_href, badge, dict_of, entity_href, event_feed_href, event_href, external_link),
        *(filters_without_field, has_columns, label, ordered_facets, plain, reports_in_order, static_href, table_href),
        *(quote_highlight.fragment_url, quote_highlight.host_of, quote_highlight.pieces, quote_highlight.safe_url),
        *(quote_highlight.snippet, unmarked, headlines.is_sure, headlines.short_title),
    )
    env.trim_blocks = env.lstrip_blocks = True
    env.globals.update({helper.__name__: helper for helper in helpers})
    env.globals.update(
        fmt=formatting,
        labels=labels,
        own_url=datasette.own_url,
        events_of=partial(events_of, datasette),
        site=datasette.metadata(),
        sql_allowed=lambda: datasette.setting("default_allow_sql"),
    )
