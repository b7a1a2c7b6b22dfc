"""Routes for earlier snapshots: the list, any page as it was in one of them, and their files."""

from __future__ import annotations

import logging
import re
from datetime import date, datetime
from email.utils import format_datetime
from typing import Any

import httpx
from datasette import NotFound, Response, hookimpl
from datasette.utils.asgi import BadRequest, Request

from pipeline.errors import OversightError
from pipeline.site import snapshots
from pipeline.site.formats import file_download
from pipeline.site.ledger_site import LedgerSite
from pipeline.site.past_snapshots import AS_OF, STAMP, PastSnapshot, links_within, nearest
from pipeline.site.plugins.pages import show
from pipeline.site.plugins.security import has_visitor_sql
from pipeline.site.snapshots import NAME
from pipeline.site.text.formatting import day_words

PASSED_ON = ("content-disposition", "access-control-allow-origin", "allow", "retry-after")
log = logging.getLogger("oversight.serve")
_DAY = r"\d{4}-\d\d-\d\d"


def _kept(datasette: LedgerSite) -> list[PastSnapshot]:
    return datasette.past_snapshots.kept(datasette.get_database(NAME).newest)


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise BadRequest("The day must be written like 2026-05-31.") from None


async def listing(datasette: LedgerSite, request: Request) -> Response:
    """List the kept snapshots. With a day (`on`), redirect to its last snapshot, or name the nearest ones."""
    kept = _kept(datasette)
    if not (asked := (request.args.get("on") or "").strip()):
        return await _list(datasette, request, kept)
    day = _day(asked)
    if found := next((one for one in kept if one.day == day and one.can_be_read), None):
        return Response.redirect(f"/snapshots/{found.stamp}/")
    return await _list(datasette, request, kept, day=day, nearest=nearest(kept, day))


async def listing_json(datasette: LedgerSite, request: Request) -> Response:
    """Serve the list of snapshots as JSON."""
    rows = [
        {
            "snapshot": one.stamp,
            "published_at": one.published_at,
            "bytes": one.n_bytes,
            "sha256": one.sha256 or None,
            "rows": {name: one.rows[name] for name in ("events", "claims", "articles", "entities") if name in one.rows},
            "pages": f"/snapshots/{one.stamp}/" if one.can_be_read else None,
            "file": f"/snapshots/{one.stamp}.db" if datasette.downloads else None,
        }
        for one in _kept(datasette)
    ]
    headers = {"access-control-allow-origin": "*", "cache-control": "max-age=60"}
    return Response.json({"ok": True, "snapshots": rows}, headers=headers)


async def _list(
    datasette: LedgerSite, request: Request, kept: list[PastSnapshot], status: int = 200, **more: Any
) -> Response:
    context = {"kept": kept, "day": "", "gone": "", "nearest": (None, None), "today": ""} | more
    return await show(datasette, request, "snapshots.html", status=status, **context)


async def of_day(datasette: LedgerSite, request: Request) -> Response:
    """Redirect an address with a day in place of a snapshot to the last snapshot of that day."""
    kept, day = _kept(datasette), _day(request.url_vars["day"])
    rest = (request.url_vars["rest"] or "/") + (f"?{request.query_string}" if request.query_string else "")
    if found := next((one for one in kept if one.day == day and one.can_be_read), None):
        return Response.redirect(f"/snapshots/{found.stamp}{rest}")
    return await _list(datasette, request, kept, 404, day=day, nearest=nearest(kept, day), today=rest)


async def as_it_was(datasette: LedgerSite, request: Request) -> Response:
    """Show any page of the site as it was in an earlier snapshot."""
    stamp, rest = request.url_vars["stamp"], request.url_vars["rest"] or ""
    query = f"?{request.query_string}" if request.query_string else ""
    kept = _kept(datasette)
    found = next((one for one in kept if one.stamp == stamp), None)
    if found is None:
        moment = snapshots.published_at(f"oversight-{stamp}")
        near = nearest(kept, moment)
        return await _list(
            datasette, request, kept, 410, day=_day(moment[:10]), gone=moment, nearest=near, today=rest + query
        )
    if not rest or rest.startswith("/snapshots"):
        return Response.redirect(rest + query if rest else f"/snapshots/{stamp}/{query}")
    if not found.can_be_read:
        raise NotFound(
            f"The snapshot of {day_words(found.day)} was published by another version of the program, so its pages "
            "cannot be shown here. Its file is listed under /snapshots."
        )
    try:
        snapshot = await datasette.past_snapshots.opened(found, datasette.get_database(NAME).newest)
    except OversightError as error:
        log.warning("The snapshot %s cannot be shown. %s", stamp, error)
        raise NotFound(f"The snapshot of {day_words(found.day)} can no longer be read.") from error
    snapshots.PINNED.set(snapshot)
    snapshots.HAS_VISITOR_SQL.set(has_visitor_sql(request.scope))
    snapshots.HAS_VISITOR_INPUT.set(rest.startswith(f"/{NAME}"))
    AS_OF.set((found, rest + query))
    return _dated(await _request_internally(datasette, request, rest + query), found)


async def _request_internally(datasette: LedgerSite, request: Request, path: str) -> httpx.Response:
    """Request another page of this site within the current request, so that the pinned snapshot applies."""
    scheme = "https" if request.scheme == "https" else "http"
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=datasette.client.app)) as client:
        return await client.request(request.method, f"{scheme}://localhost{path}", headers={"host": request.host})


def _dated(answer: httpx.Response, kept: PastSnapshot) -> Response:
    """Return a response with its links rewritten into the snapshot and a Memento-Datetime header (RFC 7089)."""
    kind = answer.headers.get("content-type", "text/plain; charset=utf-8")
    body: Any = answer.content
    if kind.startswith("text/html"):
        body = links_within(answer.text, kept.stamp)
    moment = datetime.fromisoformat(kept.published_at)
    headers = {name: answer.headers[name] for name in PASSED_ON if name in answer.headers}
    headers |= {"memento-datetime": format_datetime(moment, usegmt=True), "x-robots-tag": "noindex"}
    headers["cache-control"] = "max-age=3600" if answer.status_code < 400 else "max-age=5"
    if location := answer.headers.get("location"):
        inside = location.startswith("/") and not re.match(r"/(snapshots\b|static/|/)", location)
        headers["location"] = f"/snapshots/{kept.stamp}{location}" if inside else location
    return Response(body, status=answer.status_code, headers=headers, content_type=kind)


async def download(datasette: LedgerSite, request: Request, receive: Any, send: Any) -> Response | None:
    """Send the file of an earlier snapshot."""
    if not datasette.downloads:
        raise NotFound("This site does not offer snapshot files. Every table can be exported as CSV and JSON.")
    stamp = request.url_vars["stamp"]
    found = next((one for one in _kept(datasette) if one.stamp == stamp), None)
    if found is None:
        raise NotFound("This snapshot is not kept. The kept ones are listed under /snapshots.")
    return await file_download.send_file(found, request, receive, send)


def as_of() -> dict[str, Any] | None:
    """Return the earlier snapshot being shown and the address of the same page today, for the templates."""
    found = AS_OF.get()
    return {"kept": found[0], "today": found[1]} if found else None


@hookimpl
def prepare_jinja2_environment(env: Any, datasette: LedgerSite) -> None:
    """Add the functions about snapshots to the template environment."""
    env.globals.update(as_of=as_of, downloads_allowed=lambda: datasette.downloads)


@hookimpl
def register_routes() -> list[tuple[str, Any]]:
    """Register the list, the files, and every page of each snapshot."""
    return [
        (r"^/snapshots$", listing),
        (r"^/snapshots\.json$", listing_json),
        (rf"^/snapshots/(?P<stamp>{STAMP})\.db$", download),
        (rf"^/snapshots/(?P<stamp>{STAMP})(?P<rest>/.*)?$", as_it_was),
        (rf"^/snapshots/(?P<day>{_DAY})(?P<rest>/.*)?$", of_day),
    ]
