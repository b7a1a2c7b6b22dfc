"""A request for a feed or for an event as JSON comes in, the bytes go out."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlencode

from datasette import NotFound, Response, hookimpl

from pipeline.serve import decisions, disputes, queries
from pipeline.serve.feeds import atom
from pipeline.serve.snapshots import NAME, published_at
from pipeline.serve.words import title_for, words_for


async def feed(datasette: Any, request: Any) -> Response:
    """Atom feed of the events last reported on, under simple filters: type, modality, jurisdiction, force, party ..."""
    filters = {name: request.args[name] for name in queries.FEED_FILTERS if request.args.get(name)}
    said = [f"{title_for(name).lower()}: {words_for(name, value)}" for name, value in filters.items()]
    party = request.args.get("party")
    return await _feed(datasette, request, filters, party, said)


async def entity_feed(datasette: Any, request: Any) -> Response:
    """Atom feed of one entity's events."""
    return await _feed(datasette, request, {}, unquote(request.url_vars["entity_id"]), [])


async def _feed(datasette: Any, request: Any, filters: dict, party: str | None, said: list[str]) -> Response:
    db = datasette.get_database(NAME)
    ids, arguments = None, [*filters.items()]
    if party:
        ids = await queries.entity_ids_named(db, party)
        if not ids:
            raise NotFound(f"The ledger knows nobody called “{party}”.")
        entity = await queries.entity(db, ids[0])
        said = [entity["name"] if entity else party, *said]
        arguments.append(("_party", party))
    events = await queries.feed_events(db, filters, ids)
    title = "Oversight Ledger" + (f": {', '.join(said)}" if said else "")
    base = datasette.absolute_url(request, "/").rstrip("/")
    page = f"{base}/oversight/events" + (f"?{urlencode(arguments)}" if arguments else "")
    body = atom(title, request.url, page, base, events, published_at(db.path))
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
    ]
