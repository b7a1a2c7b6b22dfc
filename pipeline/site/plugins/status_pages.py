"""Routes for /status (current status by timeline) and /upcoming, with their JSON and calendar files."""

from __future__ import annotations

from datetime import date
from typing import Any
from urllib.parse import urlencode

from datasette import NotFound, Response, hookimpl
from datasette.utils.asgi import BadRequest, Request

from pipeline.site.formats.icalendar import calendar
from pipeline.site.ledger_site import LedgerSite
from pipeline.site.plugins.pages import show
from pipeline.site.queries import common, entities, search, timelines
from pipeline.site.snapshots import NAME
from pipeline.site.text import status_text
from pipeline.site.text.permissions import permitted
from pipeline.site.text.status_text import upcoming_state, upcoming_when
from pipeline.site.views.timelines import by_matter, matrix, models, timeline_views

DATA_HEADERS = {"access-control-allow-origin": "*", "cache-control": "max-age=60"}
# Timelines per matter on the general page: those that changed last. More would be slow to load and hard to read.
SHOWN = {"agreement": 150, "access": 60, "restriction": 60, "release": 40, "rule": 20, "case": 20, "inquiry": 20}


async def _asked_day(db: Any, request: Request, name: str) -> tuple[str, str]:
    """Return the requested day (by default that of the newest report) and the day of the newest report.

    Raises:
        BadRequest: The day is not a date.
    """
    newest = await common.last_day(db)
    text = (request.args.get(name) or "").strip()
    if not text:
        return newest or date.min.isoformat(), newest
    try:
        return date.fromisoformat(text).isoformat(), newest
    except ValueError:
        raise BadRequest("The day must be written like 2026-05-31.") from None


async def _asked_party(db: Any, request: Request) -> tuple[str, list[str]]:
    """Return the requested name and the ids of the entities that have it; raise NotFound for an unknown name."""
    text = (request.args.get("name") or "").strip()[:200]
    if not text:
        return "", []
    ids = await entities.entity_ids_named(db, text)
    if not ids:
        found = (await search.search(db, text))["entities"][:5]
        near = f" Did you mean {', '.join(row['name'] for row in found)}?" if found else ""
        raise NotFound(f"Nothing in the ledger is called “{text}”.{near}")
    return text, ids


async def _status(datasette: LedgerSite, request: Request) -> dict[str, Any]:
    """Return the data of the status page and its JSON."""
    db = datasette.get_database(NAME)
    day, newest = await _asked_day(db, request, "as-of")
    name, ids = await _asked_party(db, request)
    context: dict[str, Any] = {"day": day, "newest": newest, "name": name, "entities": []}
    if name:
        for id_ in ids:
            if row := await entities.entity(db, id_):
                context["entities"].append({key: row[key] for key in ("entity_id", "name", "kind")})
        return context | {"views": timeline_views(await timelines.timelines_of_entities(db, ids), day)}
    if day == newest:
        return context | await db.cached_page("status", lambda: _general_status(db, day))
    return context | await _general_status(db, day)


async def _general_status(db: Any, day: str) -> dict[str, Any]:
    """Return the timelines that changed last as of a day, the matrix of agreements, and the models."""
    views: list[dict] = []
    for matter, size in SHOWN.items():
        views += timeline_views(await timelines.timelines_of_matter(db, matter, day, size), day)
    found = models(views)
    named = permitted(found, await timelines.affected(db, timelines.current_events_of(found)))
    return {"views": views, "matrix": matrix(views), "models": named}


async def status_page(datasette: LedgerSite, request: Request) -> Response:
    """Show the status on a day, of one name or in general: agreements, models, rules and cases."""
    found = await _status(datasette, request)
    pairs = [(key, request.args.get(key)) for key in ("name", "as-of") if request.args.get(key)]
    of_models = {v["timeline_id"] for m in found.get("models", ()) for v in m["lines"]}
    rest = [v for v in found["views"] if found["name"] or (v["timeline_id"] not in of_models and v["whole"])]
    return await show(
        datasette,
        request,
        "status.html",
        **found,
        matters=by_matter(v for v in rest if found["name"] or v["matter"] != "agreement"),
        known_parties=await entities.busiest_entities(datasette.get_database(NAME)),
        most=timelines.MOST_TIMELINES,
        json_href="/status.json" + (f"?{urlencode(pairs)}" if pairs else ""),
    )


async def status_json(datasette: LedgerSite, request: Request) -> Response:
    """Serve the status as JSON: every timeline with its stages."""
    found = await _status(datasette, request)
    body = {"ok": True, "as_of": found["day"], "newest_report": found["newest"]}
    if found["name"]:
        body |= {"entities": found["entities"], "lines": found["views"]}
    else:
        body |= {"agreements": found["matrix"], "models": found["models"], "lines": found["views"]}
    return Response.json(body, headers=dict(DATA_HEADERS))


async def _upcoming(datasette: LedgerSite, request: Request) -> dict[str, Any]:
    db = datasette.get_database(NAME)
    day, newest = await _asked_day(db, request, "from")
    name, ids = await _asked_party(db, request)
    ahead = await timelines.upcoming_after(db, day, ids)
    behind = await timelines.upcoming_before(db, day, ids)
    for row in (*ahead, *behind):
        row["when"], row["state"] = upcoming_when(row), upcoming_state(row, day)
    return {"day": day, "newest": newest, "name": name, "ahead": ahead, "behind": behind}


async def upcoming_page(datasette: LedgerSite, request: Request) -> Response:
    """Show upcoming days, past ones, and what became of them."""
    found = await _upcoming(datasette, request)
    name = f"?{urlencode({'name': found['name']})}" if found["name"] else ""
    pairs = [(key, request.args.get(key)) for key in ("name", "from") if request.args.get(key)]
    return await show(
        datasette,
        request,
        "upcoming.html",
        **found,
        known_parties=await entities.busiest_entities(datasette.get_database(NAME)),
        ics_href=f"/upcoming.ics{name}",
        json_href="/upcoming.json" + (f"?{urlencode(pairs)}" if pairs else ""),
    )


async def upcoming_json(datasette: LedgerSite, request: Request) -> Response:
    """Serve upcoming days as JSON."""
    found = await _upcoming(datasette, request)
    body = {"ok": True, "from": found["day"], "newest_report": found["newest"]}
    return Response.json(body | {key: found[key] for key in ("ahead", "behind")}, headers=dict(DATA_HEADERS))


async def upcoming_ics(datasette: LedgerSite, request: Request) -> Response:
    """Serve upcoming days as a calendar file to subscribe to."""
    found = await _upcoming(datasette, request)
    base = datasette.absolute_url(request, "/").rstrip("/")
    title = "Oversight Ledger: upcoming" + (f", {found['name']}" if found["name"] else "")
    body = calendar([*reversed(found["behind"]), *found["ahead"]], title, base, found["day"])
    headers = {"cache-control": "max-age=60", "content-disposition": 'inline; filename="oversight-upcoming.ics"'}
    return Response(body.decode(), headers=headers, content_type="text/calendar; charset=utf-8")


@hookimpl
def prepare_jinja2_environment(env: Any, datasette: LedgerSite) -> None:
    """Add the sentences about status to the template environment."""
    env.globals.update(status_text=status_text)


@hookimpl
def register_routes() -> list[tuple[str, Any]]:
    """Register both pages and their data formats."""
    return [
        (r"^/status$", status_page),
        (r"^/status\.json$", status_json),
        (r"^/upcoming$", upcoming_page),
        (r"^/upcoming\.json$", upcoming_json),
        (r"^/upcoming\.ics$", upcoming_ics),
    ]
