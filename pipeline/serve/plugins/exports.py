"""A request for a feed or for an event as JSON comes in, the bytes go out."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, quote, unquote

from datasette import NotFound, Response, hookimpl
from datasette.utils import MultiParams
from datasette.utils.asgi import BadRequest

from pipeline.serve import decisions, disputes, moves, queries
from pipeline.serve.feeds import atom
from pipeline.serve.plugins.facets import chosen_events, simple_filters
from pipeline.serve.plugins.filters import PARTY_ARGUMENTS, Conditions, column_conditions, conditions
from pipeline.serve.snapshots import NAME, published_at

FEED_SIZE = 50


async def feed(datasette: Any, request: Any) -> Response:
    """Atom feed of the events last reported on, under any filters of the facets and of the filter form."""
    db = datasette.get_database(NAME)
    pairs = [(k, v) for k, v in parse_qsl(request.query_string) if k not in (*PARTY_ARGUMENTS, "_words", "party")]
    by_columns = column_conditions(pairs)
    if by_columns is None:
        raise BadRequest("A feed takes the filters of the facets and of the form above the list of events, no others.")
    args = MultiParams(
        {**request.args._data, "_party": [*request.args.getlist("_party"), *request.args.getlist("party")]}
    )
    for argument in PARTY_ARGUMENTS:
        for text in args.getlist(argument):
            if text.strip() and not await queries.entity_ids_named(db, text):
                raise NotFound(f"The ledger knows nobody and nothing called “{text}”.")
    more = await conditions(db, args, "events")
    if (simple := simple_filters(request.query_string)) is not None:  # the same events, without sorting all that pass
        mask = await chosen_events(db, *simple)
        rowids = db.event_counts.newest(mask, db.event_counts.last_reported, FEED_SIZE)[: 10 * FEED_SIZE]
        by_rows = Conditions([f"rowid in ({', '.join(map(str, rowids))})"], {}, by_columns.said, {})
        return await _feed(datasette, request, by_rows, Conditions([], {}, more.said, {}))
    return await _feed(datasette, request, by_columns, more)


async def entity_feed(datasette: Any, request: Any) -> Response:
    """Atom feed of one entity's events."""
    args = MultiParams({"_party": [unquote(request.url_vars["entity_id"])]})
    db = datasette.get_database(NAME)
    found = await conditions(db, args, "events")
    if not found.params:
        raise NotFound(f"The ledger knows nobody and nothing called “{args['_party']}”.")
    page = f"/entity/{quote(args['_party'], safe='')}"
    return await _feed(datasette, request, Conditions([], {}, [], {}), found, page)


async def event_feed(datasette: Any, request: Any) -> Response:
    """Atom feed of one event: an entry that changes whenever another report tells of it."""
    db = datasette.get_database(NAME)
    event_id = request.url_vars["event_id"]
    if await queries.event(db, event_id) is None:
        moved = await queries.redirect(db, event_id)
        if moved and moved["event_id"]:
            return Response.redirect(f"/event/{moved['event_id']}.atom", status=301)
        raise NotFound("No event has this address." if not moved else f"This event was withdrawn: {moved['reason']}")
    chosen = Conditions(["event_id = :_event"], {"_event": event_id}, [f"event {event_id}"], {})
    return await _feed(datasette, request, chosen, Conditions([], {}, [], {}), f"/event/{event_id}")


async def _feed(datasette: Any, request: Any, columns: Conditions, more: Conditions, path: str = "") -> Response:
    db = datasette.get_database(NAME)
    said = [*more.said, *columns.said]
    events = await queries.feed_events(db, [*columns.clauses, *more.clauses], {**columns.params, **more.params})
    steps = await moves.steps_of_events(db, [event["event_id"] for event in events])
    title = "Oversight Ledger" + (f": {', '.join(said)}" if said else "")
    base = datasette.absolute_url(request, "/").rstrip("/")
    page = base + (path or "/oversight/events" + (f"?{request.query_string}" if request.query_string else ""))
    body = atom(title, request.url, page, base, events, published_at(db.path), steps)
    return Response(
        body.decode(), headers={"cache-control": "max-age=60"}, content_type="application/atom+xml; charset=utf-8"
    )


async def event_json(datasette: Any, request: Any) -> Response:
    """All that the ledger holds on one event: parties, claims with their words and offsets, conflicts,
    editors' decisions."""
    db = datasette.get_database(NAME)
    event_id = request.url_vars["event_id"]
    row = await queries.event(db, event_id)
    if row is None:
        moved = await queries.redirect(db, event_id)
        if moved and moved["event_id"]:
            return Response.redirect(f"/event/{moved['event_id']}.json", status=301)
        if moved:
            return Response.json({"ok": False, "event_id": event_id, "withdrawn": moved["reason"]}, status=410)
        raise NotFound("No event has this address.")
    conflicts = [
        {
            "conflict_id": conflict["conflict_id"],
            "field": conflict["field"],
            "summary": conflict["summary"],
            "values": [
                {"value": value, "claim_ids": [claim["claim_id"] for claim in claims]}
                for value, claims in conflict["values"].items()
            ],
        }
        for conflict in await disputes.conflicts_of_event(db, event_id)
    ]
    claims = await queries.claims_of_event(db, event_id)
    decided = await decisions.of_event(db, event_id)
    body = {"ok": True, "event": row, "claims": claims, "conflicts": conflicts, "decisions": decided}
    return Response.json(body, headers={"access-control-allow-origin": "*", "cache-control": "max-age=5"})


@hookimpl
def register_routes() -> list[tuple[str, Any]]:
    """Feeds and JSON; they stand before the pages of the same names."""
    return [
        (r"^/feed\.atom$", feed),
        (r"^/entity/(?P<entity_id>[^/]+)\.atom$", entity_feed),
        (r"^/event/(?P<event_id>[^/.]+)\.json$", event_json),
        (r"^/event/(?P<event_id>[^/.]+)\.atom$", event_feed),
    ]
