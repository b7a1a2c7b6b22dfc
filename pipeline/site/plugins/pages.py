"""A request for one of our own pages comes in, the page goes out (SQL: queries.py, looks: templates)."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import date
from typing import Any
from urllib.parse import unquote, urlencode

from datasette import NotFound, Response, hookimpl
from datasette.utils.asgi import BadRequest

from pipeline.evaluation.figures.stored import load_figures, same_program
from pipeline.evaluation.figures.table import by_type, lines
from pipeline.nlp.events.calibration import load_calibrator
from pipeline.site.formats import jsonld as linked
from pipeline.site.past_snapshots import stamp_of
from pipeline.site.plugins.filters import PARTY_ARGUMENTS
from pipeline.site.plugins.template_helpers import article_href, entity_href, event_href
from pipeline.site.queries import contradictions, decisions, entity_profile, whats_new
from pipeline.site.queries import edits as changes
from pipeline.site.queries import pages as queries
from pipeline.site.queries import status as standing_queries
from pipeline.site.renamed import RENAMED_COLUMNS, RENAMED_PATHS
from pipeline.site.snapshots import NAME, published_at
from pipeline.site.text.citation import cite, report_address
from pipeline.site.views.status import by_matter, line_views
from pipeline.site.views.timeline import build_timeline
from pipeline.versions import program_version

CACHE = {"cache-control": "max-age=5"}
FORM_FIELDS = (
    "_words", "_search", *PARTY_ARGUMENTS, "type", "modality", "jurisdiction", "date_start__gte", "date_start__lte",
    "published_on__gte", "published_on__lte", "force", "event_month", "origins_band", "contradicted",
    "closest_source_type",
    "attribution_kind", "newness", "source_id", "direction", "stage",
)  # fmt: skip


async def show(datasette: Any, request: Any, template: str, status: int = 200, **context: Any) -> Response:
    """Render one of our pages."""
    return Response.html(
        await datasette.render_template(template, context, request=request), status=status, headers=dict(CACHE)
    )


def site_base(datasette: Any, request: Any) -> str:
    """Return the site's own address without a final slash."""
    return datasette.absolute_url(request, "/").rstrip("/")


async def home(datasette: Any, request: Any) -> Response:
    """The front page: latest, due next, disputed, timeline, coverage."""
    db = datasette.get_database(NAME)

    async def make() -> dict[str, Any]:
        day = await queries.last_day(db)
        since = whats_new.days_before(day, whats_new.DAYS - 1)
        months = await queries.months_and_types(db, day[:7])
        return {
            "latest": await queries.latest_events(db),
            "due": await standing_queries.due_next(db, day),
            "disputed": await queries.disputed(db),
            "since": since,
            "changed": await whats_new.changes_since(db, since, 5),
            "timeline": build_timeline(months, day[:7], queries.TIMELINE_MONTHS),
            "coverage": await queries.coverage(db),
            "published_at": published_at(db.path),
            "last_day": day,
        }

    return await show(
        datasette,
        request,
        "home.html",
        **await db.once("home", make),
        url=datasette.absolute_url(request, "/"),
        linked=linked.as_script(linked.home_data(site_base(datasette, request), datasette.metadata())),
    )


async def _changed(datasette: Any, request: Any) -> dict[str, Any]:
    db = datasette.get_database(NAME)
    newest = await queries.last_day(db)
    asked = (request.args.get("since") or "").strip()
    try:
        since = date.fromisoformat(asked).isoformat() if asked else whats_new.days_before(newest, whats_new.DAYS - 1)
    except ValueError:
        raise BadRequest("The day must be written like 2026-05-31.") from None
    return {"since": since, "newest": newest, **await whats_new.changes_since(db, since or "9999")}


async def changed_page(datasette: Any, request: Any) -> Response:
    """What the reports since a day changed; without a day, those of the last seven days that the ledger knows."""
    return await show(datasette, request, "changes.html", **await _changed(datasette, request))


async def changed_json(datasette: Any, request: Any) -> Response:
    """The same as JSON."""
    body = {"ok": True, **await _changed(datasette, request)}
    return Response.json(body, headers={"access-control-allow-origin": "*", "cache-control": "max-age=60"})


def by_origin(claims: list[dict], modality: str) -> list[dict]:
    """Group an event's claims by the origin they rest on, earliest first; articles without an origin stand alone.

    What bears the event's own `modality` out comes before what puts it otherwise: origins, and articles and claims
    within them. Among articles that do, the report that the others rest on comes first.
    """
    groups: dict[str, dict] = {}
    for claim in claims:
        key = claim["origin_id"] or claim["article_id"]
        group = groups.setdefault(
            key,
            {
                "kind": claim["origin_kind"] or "original",
                "label": claim["origin_label"] or claim["source_title"],
                "by_article": {},
            },
        )
        article = group["by_article"].setdefault(claim["article_id"], claim | {"claims": []})
        article["claims"].append(claim)

    def otherwise(article: dict) -> bool:
        return all(claim["modality"] != modality for claim in article["claims"])

    found = []
    for group in groups.values():
        articles = sorted(
            group["by_article"].values(),
            key=lambda one: (
                otherwise(one), one["article_id"] != one["lead_article_id"], one["published_on"] or "9",
                one["article_id"],
            ),
        )  # fmt: skip
        for article in articles:
            article["claims"].sort(key=lambda claim: claim["modality"] != modality)
        found.append({
            "kind": group["kind"], "label": group["label"], "articles": articles, "otherwise": otherwise(articles[0])
        })  # fmt: skip
    return sorted(found, key=lambda group: group["otherwise"])


async def _lines(db: Any, *, event_id: str = "", entity_id: str = "") -> list[dict]:
    """Return the lines of an event or of an entity as they stand on the day of the newest report."""
    if event_id:
        found = await standing_queries.lines_of_event(db, event_id)
    else:
        found = await standing_queries.lines_of_entities(db, [entity_id], 80)
    return line_views(found, await queries.last_day(db) or "9999")


async def event(datasette: Any, request: Any) -> Response:
    """One event with its evidence; an old id redirects, a withdrawn one says why."""
    db = datasette.get_database(NAME)
    event_id = request.url_vars["event_id"]
    row = await queries.event(db, event_id)
    if row is None:
        moved = await queries.redirect(db, event_id)
        if moved is None:
            raise NotFound("No event has this address.")
        if moved["event_id"]:
            return Response.redirect(event_href(moved["event_id"]), status=301)
        return await show(datasette, request, "withdrawn.html", status=410, event_id=event_id, reason=moved["reason"])
    claims = await queries.claims_of_event(db, event_id)
    credits: dict[str, list[dict]] = defaultdict(list)
    for edge in await queries.credits_of(db, sorted({claim["article_id"] for claim in claims})):
        credits[edge["article_id"]].append(edge)
    edited, taken_back = await changes.edits_behind_event(db, event_id)
    as_of = published_at(db.path)[:10] or await queries.last_day(db)
    url = datasette.absolute_url(request, event_href(event_id))
    return await show(
        datasette,
        request,
        "event.html",
        event=row,
        groups=by_origin(claims, row["modality"]),
        claims=claims,
        credits=credits,
        edited=edited,
        taken_back=taken_back,
        contradictions=await contradictions.contradictions_of_event(db, event_id),
        related=await queries.related_events(db, event_id),
        lines=[view for view in await _lines(db, event_id=event_id) if len(view["stages"]) > 1],
        decided=decisions.by_claim(await decisions.of_event(db, event_id)),
        citation=cite(event_id, row["summary"], row["modality"], url, as_of),
        report_href=report_address(datasette.contact, event_id, row["summary"], url, as_of),
        url=url,
        snapshot_url=datasette.absolute_url(request, f"/snapshots/{stamp_of(db.path)}{event_href(event_id)}"),
        linked=linked.as_script(linked.event_data(site_base(datasette, request), url, row, claims)),
    )


async def entity(datasette: Any, request: Any) -> Response:
    """One entity: names over time, events by year, companions."""
    db = datasette.get_database(NAME)
    entity_id = unquote(request.url_vars["entity_id"])
    row = await queries.entity(db, entity_id)
    if row is None:
        raise NotFound("No person, body, model or instrument has this address.")
    years: dict[str, dict] = {}
    for count in await queries.years_of_entity(db, entity_id):
        year = years.setdefault(count["year"], {"year": count["year"], "n": 0, "occurred": 0})
        year["n"] += count["n"]
        year["occurred"] += count["n"] if count["modality"] == "occurred" else 0
    return await show(
        datasette,
        request,
        "entity.html",
        entity=row,
        url=(url := datasette.absolute_url(request, entity_href(entity_id))),
        snapshot_href=f"/snapshots/{stamp_of(db.path)}{entity_href(entity_id)}",
        linked=linked.as_script(linked.entity_data(site_base(datasette, request), url, row)),
        events=await queries.events_of_entity(db, entity_id),
        years=list(years.values()),
        companions=await queries.companions(db, entity_id),
        offices=await entity_profile.offices_of(db, entity_id),
        holders=await entity_profile.holders_in(db, entity_id),
        relations=await entity_profile.relations_of(db, entity_id),
        dealings=await entity_profile.dealings(db, entity_id),
        timeline_entries=by_matter(await _lines(db, entity_id=entity_id)),
        last_day=await queries.last_day(db),
    )


async def article(datasette: Any, request: Any) -> Response:
    """One article: metadata, what it credits, its claims in the order of the text; never its full text."""
    db = datasette.get_database(NAME)
    article_id = request.url_vars["article_id"]
    row = await queries.article(db, article_id)
    if row is None:
        raise NotFound("No article has this address.")
    return await show(
        datasette,
        request,
        "article.html",
        article=row,
        url=(url := datasette.absolute_url(request, article_href(article_id))),
        linked=linked.as_script(linked.article_data(site_base(datasette, request), url, row)),
        claims=await queries.claims_of_article(db, article_id),
        n_unsure=await queries.unsure_claims_of_article(db, article_id),
        credits=await queries.credits_of(db, [article_id]),
        resting=await queries.articles_resting_on(db, article_id),
        versions=await queries.versions_of_article(db, article_id),
        edits=await changes.edits_of_article(db, article_id),
        contradictions=await contradictions.contradictions_of_article(db, article_id),
        decided=decisions.by_claim(await decisions.of_article(db, article_id)),
    )


async def sources(datasette: Any, request: Any) -> Response:
    """All sources and how their visits went."""
    db = datasette.get_database(NAME)
    return await show(
        datasette, request, "sources.html", sources=await queries.sources(db), coverage=await queries.coverage(db)
    )


async def about(datasette: Any, request: Any) -> Response:
    """Method, meaning of the words, limits, licence."""
    db = datasette.get_database(NAME)
    return await show(
        datasette, request, "about.html", facts=await queries.facts(db), published_at=published_at(db.path)
    )


async def accuracy(datasette: Any, request: Any) -> Response:
    """How often the program is right: the stored figures, and how far confidence keeps its word."""
    db = datasette.get_database(NAME)
    curve = load_calibrator()
    return await show(
        datasette,
        request,
        "accuracy.html",
        measured=[
            each | {"lines": lines(each["figures"]), "by_type": list(by_type(each["figures"])),
                    "is_current": same_program(each["program_version"], program_version())}
            for each in load_figures().values()
        ],
        running=program_version(),
        confidence=curve.report if curve else None,
        facts=await queries.facts(db),
    )  # fmt: skip


async def search(datasette: Any, request: Any) -> Response:
    """One box over entities, events, quotes and articles."""
    text = (request.args.get("q") or "").strip()[:200]
    found = await queries.search(datasette.get_database(NAME), text)
    return await show(
        datasette, request, "search.html", q=text, found=found, n=sum(len(rows) for rows in found.values())
    )


async def renamed_page(datasette: Any, request: Any) -> Response:
    """Lead from the address that a page or table had once to the present one, with the same filters."""
    path = request.path
    for old, new in RENAMED_PATHS.items():
        if path == old or path.startswith((f"{old}.", f"{old}/")):
            path = new + path[len(old) :]
            break
    query = "&".join(
        f"{RENAMED_COLUMNS.get(name.partition('__')[0], name.partition('__')[0])}{name[len(name.partition('__')[0]) :]}"
        + (f"={value}" if mark else "")
        for name, mark, value in (pair.partition("=") for pair in request.query_string.split("&") if pair)
    )
    return Response.redirect(path + (f"?{query}" if query else ""), status=301)


async def questions(datasette: Any, request: Any) -> Response:
    """The saved questions."""
    saved = await datasette.get_canned_queries(NAME, None)
    return await show(datasette, request, "questions.html", questions=list(saved.values()))


async def filter_form(datasette: Any, request: Any) -> Response:
    """Lead the named filter form to the same address that the facets lead to: empty fields are left out."""
    table = "claims" if request.args.get("of") == "claims" else "events"
    pairs = [(f, v.strip()) for f in FORM_FIELDS for v in request.args.getlist(f) if v.strip()]
    for n, (field, value) in enumerate(pairs):
        if field in PARTY_ARGUMENTS:  # the address of the facets holds ids; a name of several stays as it is
            ids = await queries.entity_ids_named(datasette.get_database(NAME), value)
            pairs[n] = (field, ids[0] if len(ids) == 1 else value)
    return Response.redirect(f"/oversight/{table}" + (f"?{urlencode(pairs)}" if pairs else ""))


@hookimpl
def register_routes() -> list[tuple[str, Any]]:
    """Our pages; they stand before Datasette's own."""
    return [
        (r"^/$", home),
        (r"^/event/(?P<event_id>[^/.]+)$", event),
        (r"^/entity/(?P<entity_id>(?:(?!\.atom$)[^/])+)$", entity),
        (r"^/article/(?P<article_id>[^/.]+)$", article),
        (r"^/changes$", changed_page),
        (r"^/changes\.json$", changed_json),
        (r"^/sources$", sources),
        (r"^/about$", about),
        (r"^/accuracy$", accuracy),
        (r"^/search$", search),
        (r"^/queries$", questions),
        *((rf"^{re.escape(old)}(?:[./].*)?$", renamed_page) for old in RENAMED_PATHS),
        (r"^/events$", filter_form),
    ]
