"""Security of a public site: refuses unwanted requests, adds response headers, limits SQL, explains errors."""

from __future__ import annotations

import logging
import re
import sqlite3
from typing import Any
from urllib.parse import parse_qsl

from datasette import Response, hookimpl
from datasette.database import QueryInterrupted
from datasette.utils.asgi import Base400, Request
from datasette.views.base import DatasetteError
from markupsafe import Markup

from pipeline.site import connections, snapshots
from pipeline.site.facets.selection import CHOSEN
from pipeline.site.ledger_site import LedgerSite

log = logging.getLogger("oversight.serve")
METHODS = {"GET", "HEAD"}
HEADERS = {
    b"content-security-policy": (
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        b"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"permissions-policy": b"camera=(), geolocation=(), microphone=()",
    b"cross-origin-opener-policy": b"same-origin",
}
UNREADABLE = (ValueError, LookupError, TypeError, AttributeError, AssertionError, sqlite3.Error)
NOT_FOUND = {  # Datasette's messages, in words that help a reader
    "": "There is nothing at this address.",
    "404": "There is nothing at this address.",
    "Database not found": "There is nothing at this address.",
    "Table not found": "There is no table of this name. The page “All tables and SQL” lists them.",
}
_HOST = re.compile(rb"([a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])(:\d{1,5})?", re.I)
LONGEST_ADDRESS = 8_000  # bytes of path and query string together


@hookimpl
def prepare_connection(conn: Any) -> None:
    """Apply our limits to every connection."""
    connections.limit(conn)


@hookimpl
def asgi_wrapper(datasette: LedgerSite) -> Any:
    """Refuse unwanted requests, pin each request to a snapshot, and add security headers to every response."""

    def wrap(app: Any) -> Any:
        async def guarded(scope: dict, receive: Any, send: Any) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return

            async def send_with_headers(message: dict) -> None:
                if message["type"] == "http.response.start":
                    kept = [
                        (k, v)
                        for k, v in message.get("headers", [])
                        if k.lower() not in HEADERS and k.lower() != b"link"
                    ]
                    message = dict(message, headers=kept + list(HEADERS.items()))
                await send(message)

            if refusal := refuse(scope):
                status, words = refusal
                await _plain(send_with_headers, status, words)
                return
            # The site sets no cookies. Those of others on its host may hold bytes that Datasette cannot read.
            scope = dict(scope, headers=[(key, value) for key, value in scope["headers"] if key.lower() != b"cookie"])
            CHOSEN.set(None)
            if snapshots.PINNED.get() is None:  # an internal request keeps the snapshot of the outer one
                snapshots.PINNED.set(datasette.get_database(snapshots.NAME).newest)
                snapshots.HAS_VISITOR_SQL.set(has_visitor_sql(scope))
                shaped = bool(scope.get("query_string")) or scope["path"].startswith(f"/{snapshots.NAME}")
                snapshots.HAS_VISITOR_INPUT.set(shaped)
                snapshots.IS_FILE.set(is_file(scope))
                snapshots.IS_CSV.set(scope["path"].endswith(".csv"))
                snapshots.CLIENT.set((scope.get("client") or ("",))[0])
            await app(scope, receive, send_with_headers)

        return guarded

    return wrap


def refuse(scope: dict) -> tuple[int, str] | None:
    """Return (status, message) for a request that the site refuses, None for all others.

    Refused are methods that write, paths that browsers take for another host, and Datasette's internal pages, which
    reveal paths, threads and settings.
    """
    if scope["method"] not in METHODS:
        return 405, "This site is read-only: only GET and HEAD are answered."
    raw = (scope.get("raw_path") or scope["path"].encode()).partition(b"?")[0]
    if len(raw) + len(scope.get("query_string", b"")) > LONGEST_ADDRESS:
        return 414, "This address is too long."
    hosts = [value for key, value in scope["headers"] if key.lower() == b"host"]
    if len(hosts) != 1 or not _HOST.fullmatch(hosts[0]):
        return 400, "The request names no host that could be ours."
    path = scope["path"]
    if "\\" in path or b"\\" in raw or path.startswith("//") or any(ord(c) < 32 or ord(c) == 127 for c in path):
        return 404, "There is no such page."
    if (path == "/-" or path.startswith("/-/")) and not path.startswith(("/-/static/", "/-/static-plugins/")):
        return 404, "There is no such page."
    return None


def is_file(scope: dict) -> bool:
    """Return whether a request asks for JSON, CSV or a workbook, and not for a page."""
    return scope["path"].endswith((".json", ".csv", ".xlsx"))


def has_visitor_sql(scope: dict) -> bool:
    """Return whether a request carries SQL."""
    return any(key in ("sql", "_where") for key, _ in parse_qsl(scope.get("query_string", b"").decode("latin-1")))


async def _plain(send: Any, status: int, words: str) -> None:
    body = words.encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    if status == 405:
        headers.append((b"allow", b"GET, HEAD"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@hookimpl
def handle_exception(datasette: LedgerSite, request: Request, exception: Exception) -> Any:
    """Answer every error with a plain page or JSON. Details of internal errors go to the log only."""

    async def answer() -> Response:
        status, title, words = explain(exception, request.path, has_parameters=bool(request.query_string))
        if status == 500:
            log.error("%s failed", request.path, exc_info=exception)
        if request.path.endswith(".json"):
            return Response.json({"ok": False, "status": status, "title": title, "error": str(words)}, status=status)
        template = datasette.jinja_env.get_template("error.html")
        # SQL that failed is shown again, so that the reader can correct it.
        sql = request.args.get("sql") if request.path == f"/{snapshots.NAME}" else None
        page = await template.render_async(status=status, title=title, error=words, sql=sql)
        return Response.html(page, status=status)

    return answer


def explain(exception: Exception, path: str = "", *, has_parameters: bool = False) -> tuple[int, str, str]:
    """Return (status, title, message) for an exception; internal errors get a general message.

    Datasette's pages raise bare Python errors for parameters that they cannot parse; under /oversight, and where a
    request has parameters, these count as bad requests.
    """
    if isinstance(exception, QueryInterrupted):
        return 400, "The query took too long", "It was stopped after one second. Add a filter, or select less."
    if isinstance(exception, DatasetteError):
        message = Markup(exception.message).striptags() if exception.message_is_html else exception.message
        if "SQL Interrupted" in (exception.title or ""):
            message = "It was stopped after one second. Add a filter, or select less."
        return min(exception.status, 499), exception.title or "This cannot be answered", str(message)
    if isinstance(exception, Base400):
        words = str(exception.args[0]) if exception.args else ""
        if exception.status == 404:
            return 404, "There is no such page", NOT_FOUND.get(words, words)
        return exception.status, "This cannot be answered", words
    if (has_parameters or path.startswith("/oversight")) and isinstance(exception, UNREADABLE):
        log.warning("%s could not be parsed: %r", path, exception)
        return 400, "This address cannot be read", "One of its parameters is unknown or misspelled."
    return 500, "Something went wrong", "The error is ours and has been logged. Please try again."
