"""Routes for Atom feeds and for one event as JSON."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote, unquote, urlencode

from datasette import NotFound, Response, hookimpl
from datasette.filters import Filters
from datasette.utils import MultiParams, escape_fts
from datasette.utils.asgi import BadRequest, Request

from pipeline.site.formats import atom
from pipeline.site.ledger_site import LedgerSite
from pipeline.site.past_snapshots import stamp_of
from pipeline.site.plugins.filters import PARTY_ARGUMENTS, Conditions, choice, conditions
from pipeline.site.plugins.template_helpers import active_filters
from pipeline.site.queries import contradictions, decisions, entities, events, recent_changes, whats_new
from pipeline.site.snapshots import NAME, published_at

MOST_IN_FEED = 200  # events of a query result considered for its feed
NO_FEED = ("_where", "_through", "_filter_column", "_search_", "_searchmode")  # arguments that feeds do not support


async def feed(datasette: LedgerSite, request: Request) -> Response:
    """Serve the events that changed last, under any filters of the events table, as Atom."""
    db = datasette.get_database(NAME)
    query = urlencode([("_party" if k == "party" else k, v) for k, v in parse_qsl(request.query_string)])
    args = MultiParams(parse_qs(query))
    for argument in PARTY_ARGUMENTS:
        for text in args.getlist(argument):
            if text.strip() and not await entities.entity_ids_named(db, text):
                raise NotFound(f"Nothing in the ledger is called “{text}”.")
    more = await conditions(db, args, "events")
    filters = [one["words"] for one in active_filters(query, "/feed.atom", more.names)]
    if (chosen := await choice(db, "events", query)) is not None:
        return await _feed(datasette, request, await recent_changes.chosen_events(db, chosen), filters)
    columns = await _other_conditions(db, args, parse_qsl(query))
    found = await recent_changes.events_where(db, [*columns.clauses, *more.clauses], {**columns.params, **more.params})
    return await _feed(datasette, request, found, filters)


async def _other_conditions(db: Any, args: MultiParams, pairs: list[tuple[str, str]]) -> Conditions:
    """Return the conditions that Datasette itself understands: on any column, with any operator, and full text."""
    if refused := sorted({key for key, _ in pairs if key.startswith(NO_FEED)}):
        raise BadRequest(f"Feeds do not support {', '.join(refused)}; they support all other filters of the table.")
    columns = set(await db.table_columns("events"))
    wanted = [(k, v) for k, v in pairs if not k.startswith("_")]
    if unknown := sorted({key for key, _ in wanted if key.partition("__")[0] not in columns}):
        raise BadRequest(
            f"Events have no column {', '.join(unknown)}; a feed takes the same filters as the events table."
        )
    clauses, params = Filters(sorted(wanted)).build_where_clauses("events")
    if text := (args.get("_search") or "").strip():
        clauses.append("rowid in (select rowid from events_fts where events_fts match :_search)")
        params["_search"] = escape_fts(text)
    return Conditions(clauses, params, [], {})


async def entity_feed(datasette: LedgerSite, request: Request) -> Response:
    """Serve one entity's events as Atom."""
    db = datasette.get_database(NAME)
    name = unquote(request.url_vars["entity_id"])
    chosen = await choice(db, "events", urlencode({"_party": name}))
    if chosen is None or not await entities.entity_ids_named(db, name):
        raise NotFound(f"Nothing in the ledger is called “{name}”.")
    names = (await conditions(db, MultiParams({"_party": [name]}), "events")).words
    found = await recent_changes.chosen_events(db, chosen)
    return await _feed(datasette, request, found, names, f"/entity/{quote(name, safe='')}")


async def event_feed(datasette: LedgerSite, request: Request) -> Response:
    """Serve one event as Atom: one entry, updated whenever a report, an edit or an editor changes the event."""
    db = datasette.get_database(NAME)
    event_id = request.url_vars["event_id"]
    if await events.event(db, event_id) is None:
        moved = await events.redirect(db, event_id)
        if moved and moved["event_id"]:
            return Response.redirect(f"/event/{moved['event_id']}.atom", status=301)
        raise NotFound("No event has this address." if not moved else f"This event was withdrawn: {moved['reason']}")
    found = await recent_changes.events_with_ids(db, [event_id])
    return await _feed(datasette, request, found, [f"event {event_id}"], f"/event/{event_id}")


async def _feed(
    datasette: LedgerSite, request: Request, found: list[dict], filters: list[str], path: str = ""
) -> Response:
    db = datasette.get_database(NAME)
    shown = await recent_changes.changed_last(db, found)
    steps = await whats_new.steps_of_events(db, [event["event_id"] for event in shown])
    title = "Oversight Ledger" + (f": {', '.join(filters)}" if filters else "")
    base = datasette.absolute_url(request, "/").rstrip("/")
    page = base + (path or "/oversight/events" + (f"?{request.query_string}" if request.query_string else ""))
    body = atom.event_feed(title, datasette.own_url(request), page, base, shown, published_at(db.path), steps)
    return Response(
        body.decode(), headers={"cache-control": "max-age=60"}, content_type="application/atom+xml; charset=utf-8"
    )


async def render_atom(
    datasette: LedgerSite, request: Request, columns: list, rows: list, table: str | None, query_name: str | None
) -> Response:
    """Render any result with a column event_id as a feed: of a table, a saved query or a visitor's SQL."""
    if table == "events":
        query = request.query_string
        return Response.redirect("/feed.atom" + (f"?{query}" if query else ""))
    if "event_id" not in columns:
        raise BadRequest("A feed consists of events: the result needs a column event_id.")
    ids = [value["value"] if isinstance(value, dict) else value for value in (row["event_id"] for row in rows)]
    db = datasette.get_database(NAME)
    found = await recent_changes.events_with_ids(db, list(dict.fromkeys(str(id_) for id_ in ids if id_))[:MOST_IN_FEED])
    path = request.path.removesuffix(".atom") + (f"?{request.query_string}" if request.query_string else "")
    question = await datasette.get_canned_query(NAME, query_name, None) if query_name else None
    title = (question or {}).get("title") or table or "an SQL query"
    return await _feed(datasette, request, found, [title], path)


async def event_json(datasette: LedgerSite, request: Request) -> Response:
    """Serve one event as JSON: parties, claims with quotes and offsets, contradictions, editors' decisions."""
    db = datasette.get_database(NAME)
    event_id = request.url_vars["event_id"]
    row = await events.event(db, event_id)
    if row is None:
        moved = await events.redirect(db, event_id)
        if moved and moved["event_id"]:
            return Response.redirect(f"/event/{moved['event_id']}.json", status=301)
        if moved:
            return Response.json({"ok": False, "event_id": event_id, "withdrawn": moved["reason"]}, status=410)
        raise NotFound("No event has this address.")
    found_contradictions = [
        {
            "contradiction_id": contradiction["contradiction_id"],
            "field": contradiction["field"],
            "summary": contradiction["summary"],
            "values": [
                {"value": value, "claim_ids": [claim["claim_id"] for claim in claims]}
                for value, claims in contradiction["values"].items()
            ],
        }
        for contradiction in await contradictions.contradictions_of_event(db, event_id)
    ]
    claims = await events.claims_of_event(db, event_id)
    decided = await decisions.of_event(db, event_id)
    body = {"ok": True, "event": row, "claims": claims, "contradictions": found_contradictions, "decisions": decided}
    body |= {"snapshot": stamp_of(db.path), "published_at": published_at(db.path)}
    return Response.json(body, headers={"access-control-allow-origin": "*", "cache-control": "max-age=5"})


@hookimpl
def register_routes() -> list[tuple[str, Any]]:
    """Register the feeds and the JSON of an event."""
    return [
        (r"^/feed\.atom$", feed),
        (r"^/entity/(?P<entity_id>[^/]+)\.atom$", entity_feed),
        (r"^/event/(?P<event_id>[^/.]+)\.json$", event_json),
        (r"^/event/(?P<event_id>[^/.]+)\.atom$", event_feed),
    ]


@hookimpl
def register_output_renderer() -> list[dict[str, Any]]:
    """Register Atom as a format of every result with a column event_id."""
    return [{"extension": "atom", "render": render_atom, "can_render": lambda columns: "event_id" in columns}]
