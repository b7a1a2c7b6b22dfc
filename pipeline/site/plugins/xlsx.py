"""Renders tables, saved queries and SQL results as Excel workbooks."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from datasette import Response, hookimpl
from datasette.utils.asgi import BadRequest, Request

from pipeline.site.formats.xlsx import workbook
from pipeline.site.ledger_site import LedgerSite
from pipeline.site.plugins.cells import PAGES
from pipeline.site.plugins.template_helpers import active_filters
from pipeline.site.snapshots import NAME, Busy, published_at
from pipeline.site.text.formatting import moment_words

MOST_ROWS = 5_000  # of a table; the CSV has all
AT_ONCE, WAITING = 1, 6  # workbooks being made, and being made or waiting
MEDIA = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LEFT_OUT = ("_next", "_size", "_shape", "_labels", "_facet", "_nofacet", "_nocount")
_making: dict[str, Any] = {"lock": None, "waiting": 0}


async def render_xlsx(
    datasette: LedgerSite,
    request: Request,
    columns: list,
    rows: list,
    table: str | None,
    query_name: str | None,
    view_name: str,
) -> Response:
    """Return rows as a workbook; for a table, all rows that pass its filters, up to MOST_ROWS."""
    if _making["waiting"] >= WAITING:
        raise Busy("Too many Excel files are being made. Please try again in a moment, or use the CSV.")
    _making["waiting"] += 1
    try:
        loop = asyncio.get_running_loop()
        if _making["lock"] is None or _making["lock"][0] is not loop:
            _making["lock"] = (loop, asyncio.Semaphore(AT_ONCE))
        async with _making["lock"][1]:
            return await _workbook(datasette, request, columns, rows, table, query_name, view_name)
    finally:
        _making["waiting"] -= 1


async def _workbook(
    datasette: LedgerSite,
    request: Request,
    columns: list,
    rows: list,
    table: str | None,
    query_name: str | None,
    view_name: str,
) -> Response:
    more = False
    if table and view_name == "table":
        rows, more = await _all_rows(datasette, request, table)
    base = datasette.absolute_url(request, "/").rstrip("/")
    words = datasette.metadata("columns", database=NAME, table=table) or {} if table else {}
    title, how = await _title(datasette, table, query_name)
    path = request.path.removesuffix(".xlsx") + (f"?{request.query_string}" if request.query_string else "")
    filters = [one["words"] for one in active_filters(request.query_string, request.path)] if table else []
    about = [
        ("Oversight Ledger", title),
        ("Filters", "; ".join(filters) or "none"),
        ("As published", moment_words(published_at(datasette.get_database(NAME).path)) or "on an unknown day"),
        ("Rows", f"{len(rows):,}" + ("; there are more, but this file ends here: use the CSV" if more else "")),
        ("Address", f"{base}{path}"),
        ("Licence", f"{datasette.metadata('license')}; quoted sentences remain their publishers'"),
        ("How to read it", how),
    ]
    values = [[_plain(value) for value in row] for row in rows]
    links = {column: f"{base}{PAGES[column]}" for column in columns if column in PAGES}
    body = await asyncio.to_thread(workbook, [str(c) for c in columns], values, about, words, links)
    name = f"oversight-{query_name or table or 'result'}.xlsx"
    headers = {"content-disposition": f'attachment; filename="{name}"', "cache-control": "max-age=60"}
    return Response(body, headers=headers, content_type=MEDIA)


async def _title(datasette: LedgerSite, table: str | None, query_name: str | None) -> tuple[str, str]:
    if query_name:
        question = await datasette.get_canned_query(NAME, query_name, None) or {}
        return question.get("title") or query_name, question.get("description") or ""
    found = datasette.metadata("databases")[NAME]["tables"].get(table or "", {})
    meaning = "Only rows with modality “occurred” are reported as done. " if table in ("events", "claims") else ""
    return found.get("title") or table or "SQL result", meaning + (found.get("description") or "")


async def _all_rows(datasette: LedgerSite, request: Request, table: str) -> tuple[list[list], bool]:
    """Return all rows that pass a table's filters, up to MOST_ROWS, and whether there are more."""
    kept = [pair for pair in parse_qsl(request.query_string) if not pair[0].startswith(LEFT_OUT)]
    query = urlencode([*kept, ("_size", "max"), ("_nofacet", "1"), ("_nocount", "1"), ("_shape", "arrays")])
    path = f"/{NAME}/{table}.json?{query}"
    rows: list[list] = []
    while path and len(rows) < MOST_ROWS:
        answer = await datasette.client.get(path)
        body = answer.json()
        if answer.status_code != 200:
            raise BadRequest(body.get("error") or "These rows cannot be exported.")
        rows += body["rows"]
        path = urlsplit(body["next_url"])._replace(scheme="", netloc="").geturl() if body.get("next_url") else ""
    return rows[:MOST_ROWS], bool(path) or len(rows) > MOST_ROWS


def _plain(value: Any) -> Any:
    return value["value"] if isinstance(value, dict) and "value" in value else value


@hookimpl
def register_output_renderer() -> list[dict[str, Any]]:
    """Register Excel as a format of every result."""
    return [{"extension": "xlsx", "render": render_xlsx}]
