"""A request for /status or /upcoming comes in; the page, its JSON or its calendar goes out."""

from __future__ import annotations

from datetime import date
from typing import Any
from urllib.parse import urlencode

from datasette import NotFound, Response, hookimpl
from datasette.utils.asgi import BadRequest

from pipeline.site.formats.icalendar import calendar
from pipeline.site.plugins.pages import show
from pipeline.site.queries import pages as queries
from pipeline.site.queries import status as standing_queries
from pipeline.site.snapshots import NAME
from pipeline.site.text import status_text
from pipeline.site.text.permissions import permitted
from pipeline.site.text.status_text import due_state, due_when
from pipeline.site.views.status import by_matter, line_views, matrix, models

DATA_HEADERS = {"access-control-allow-origin": "*", "cache-control": "max-age=60"}
# Lines of each matter on the page of all: those that moved last. More would make it slow to load and to read.
SHOWN = {"agreement": 150, "access": 60, "restriction": 60, "release": 40, "rule": 20, "case": 20, "inquiry": 20}


async def _asked_day(db: Any, request: Any, name: str) -> tuple[str, str]:
    """Return the day asked for (by default the newest report's) and that of the newest report; 400 for nonsense."""
    newest = await queries.last_day(db)
    text = (request.args.get(name) or "").strip()
    if not text:
        return newest or date.min.isoformat(), newest
    try:
        return date.fromisoformat(text).isoformat(), newest
    except ValueError:
        raise BadRequest("The day must be written like 2026-05-31.") from None


async def _asked_party(db: Any, request: Any) -> tuple[str, list[str]]:
    """Return the name asked for and the ids it stands for; 404 for a name that the ledger does not know."""
    text = (request.args.get("name") or "").strip()[:200]
    if not text:
        return "", []
    ids = await queries.entity_ids_named(db, text)
    if not ids:
        found = (await queries.search(db, text))["entities"][:5]
        near = f" Did you mean {', '.join(row['name'] for row in found)}?" if found else ""
        raise NotFound(f"The ledger knows nobody and nothing called “{text}”.{near}")
    return text, ids


async def _standing(datasette: Any, request: Any) -> dict[str, Any]:
    """Return all that the page and its JSON show."""
    db = datasette.get_database(NAME)
    day, newest = await _asked_day(db, request, "as-of")
    name, ids = await _asked_party(db, request)
    context: dict[str, Any] = {"day": day, "newest": newest, "name": name, "entities": []}
    if name:
        for id_ in ids:
            if row := await queries.entity(db, id_):
                context["entities"].append({key: row[key] for key in ("entity_id", "name", "kind")})
        lines = await standing_queries.lines_of_entities(db, ids)
        return context | {"views": line_views(lines, day)}
    found = await (db.once("status", lambda: _of_all(db, day)) if day == newest else _of_all(db, day))
    return context | found


async def _of_all(db: Any, day: str) -> dict[str, Any]:
    """Return how all lines that moved last stood on a day, the matrix of agreements, and the models."""
    views: list[dict] = []
    for matter, size in SHOWN.items():
        views += line_views(await standing_queries.lines_of_matter(db, matter, day, size), day)
    found = models(views)
    named = permitted(found, await standing_queries.affected(db, standing_queries.heads_of(found)))
    return {"views": views, "matrix": matrix(views), "models": named}


async def status_page(datasette: Any, request: Any) -> Response:
    """Where things stand on a day: of one name, or the matrix of companies and bodies, models, rules and cases."""
    found = await _standing(datasette, request)
    pairs = [(key, request.args.get(key)) for key in ("name", "as-of") if request.args.get(key)]
    model_lines = {v["timeline_id"] for m in found.get("models", ()) for v in m["lines"]}
    rest = [v for v in found["views"] if found["name"] or (v["timeline_id"] not in model_lines and v["whole"])]
    return await show(
        datasette,
        request,
        "status.html",
        **found,
        matters=by_matter(v for v in rest if found["name"] or v["matter"] != "agreement"),
        known_parties=await queries.busiest_entities(datasette.get_database(NAME)),
        most=standing_queries.MOST_LINES,
        json_href="/status.json" + (f"?{urlencode(pairs)}" if pairs else ""),
    )


async def status_json(datasette: Any, request: Any) -> Response:
    """The same as JSON: every line with its stages."""
    found = await _standing(datasette, request)
    body = {"ok": True, "as_of": found["day"], "newest_report": found["newest"]}
    if found["name"]:
        body |= {"entities": found["entities"], "lines": found["views"]}
    else:
        body |= {"agreements": found["matrix"], "models": found["models"], "lines": found["views"]}
    return Response.json(body, headers=dict(DATA_HEADERS))


async def _due(datasette: Any, request: Any) -> dict[str, Any]:
    db = datasette.get_database(NAME)
    day, newest = await _asked_day(db, request, "from")
    name, ids = await _asked_party(db, request)
    ahead = await standing_queries.due_ahead(db, day, ids)
    behind = await standing_queries.due_behind(db, day, ids)
    for row in (*ahead, *behind):
        row["when"], row["state"] = due_when(row), due_state(row, day)
    return {"day": day, "newest": newest, "name": name, "ahead": ahead, "behind": behind}


async def due_page(datasette: Any, request: Any) -> Response:
    """What is due, what was due, and what became of it."""
    found = await _due(datasette, request)
    name = f"?{urlencode({'name': found['name']})}" if found["name"] else ""
    pairs = [(key, request.args.get(key)) for key in ("name", "from") if request.args.get(key)]
    return await show(
        datasette,
        request,
        "upcoming.html",
        **found,
        known_parties=await queries.busiest_entities(datasette.get_database(NAME)),
        ics_href=f"/upcoming.ics{name}",
        json_href="/upcoming.json" + (f"?{urlencode(pairs)}" if pairs else ""),
    )


async def due_json(datasette: Any, request: Any) -> Response:
    """The same as JSON."""
    found = await _due(datasette, request)
    body = {"ok": True, "from": found["day"], "newest_report": found["newest"]}
    return Response.json(body | {key: found[key] for key in ("ahead", "behind")}, headers=dict(DATA_HEADERS))


async def due_ics(datasette: Any, request: Any) -> Response:
    """The same as a calendar file to subscribe to."""
    found = await _due(datasette, request)
    base = datasette.absolute_url(request, "/").rstrip("/")
    title = "Oversight Ledger: due" + (f", {found['name']}" if found["name"] else "")
    body = calendar([*reversed(found["behind"]), *found["ahead"]], title, base, found["day"])
    headers = {"cache-control": "max-age=60", "content-disposition": 'inline; filename="oversight-upcoming.ics"'}
    return Response(body.decode(), headers=headers, content_type="text/calendar; charset=utf-8")


@hookimpl
def prepare_jinja2_environment(env: Any, datasette: Any) -> None:
    """Give templates the words of timeline_entries."""
    env.globals.update(S=status_text)


@hookimpl
def register_routes() -> list[tuple[str, Any]]:
    """Our two pages, with their data."""
    return [
        (r"^/status$", status_page),
        (r"^/status\.json$", status_json),
        (r"^/upcoming$", due_page),
        (r"^/upcoming\.json$", due_json),
        (r"^/upcoming\.ics$", due_ics),
    ]
