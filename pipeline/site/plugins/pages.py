"""Routes for the site's main pages: home, event, entity, article, changes, sources, about, accuracy, search."""

from __future__ import annotations

import re
from collections import defaultdict
from datetime import date
from typing import Any
from urllib.parse import unquote, urlencode

from datasette import NotFound, Response, hookimpl
from datasette.utils.asgi import BadRequest, Request

from pipeline.accuracy.stored import load_figures, same_program
from pipeline.accuracy.table import GROUPS, ablation_rows, by_type, fold_rows, group_rows, lines
from pipeline.nlp.events.calibration import load_calibrator
from pipeline.site.formats import jsonld
from pipeline.site.ledger_site import LedgerSite
from pipeline.site.past_snapshots import stamp_of
from pipeline.site.plugins.filters import PARTY_ARGUMENTS
from pipeline.site.plugins.template_helpers import article_href, entity_href, event_href
from pipeline.site.queries import (
    articles,
    common,
    contradictions,
    decisions,
    edits,
    entities,
    entity_profile,
    events,
    search,
    sources,
    timelines,
    whats_new,
)
from pipeline.site.renamed import RENAMED_COLUMNS, RENAMED_PATHS
from pipeline.site.snapshots import NAME, published_at
from pipeline.site.text.citation import cite, report_address
from pipeline.site.views.headlines import short_title
from pipeline.site.views.month_chart import build_month_chart
from pipeline.site.views.timelines import by_matter, timeline_views
from pipeline.versions import program_version

CACHE = {"cache-control": "max-age=5"}
FORM_FIELDS = (
    *("_words", "_search", *PARTY_ARGUMENTS, "type", "modality", "jurisdiction", "date_start__gte", "date_start__lte"),
    *("published_on__gte", "published_on__lte", "force", "event_month", "origins_band", "contradicted"),
    *("closest_source_type", "attribution_kind", "newness", "source_id", "direction", "stage"),
)


async def show(datasette: LedgerSite, request: Request, template: str, status: int = 200, **context: Any) -> Response:
    """Render a template as an HTML response."""
    return Response.html(
        await datasette.render_template(template, context, request=request), status=status, headers=dict(CACHE)
    )


def site_base(datasette: LedgerSite, request: Request) -> str:
    """Return the site's address without a trailing slash."""
    return datasette.absolute_url(request, "/").rstrip("/")


async def home_page(datasette: LedgerSite, request: Request) -> Response:
    """Show the front page: latest events, recent changes, upcoming days, contradictions, chart and coverage."""
    db = datasette.get_database(NAME)

    async def make() -> dict[str, Any]:
        day = await common.last_day(db)
        since = whats_new.days_before(day, whats_new.DAYS - 1)
        months = await events.months_and_types(db, day[:7])
        return {
            "latest": await events.latest_events(db),
            "upcoming": await timelines.next_upcoming(db, day),
            "contradicted": await events.contradicted_events(db),
            "since": since,
            "changed": await whats_new.changes_since(db, since, 5),
            "chart": build_month_chart(months, day[:7], events.CHART_MONTHS),
            "coverage": await sources.coverage(db),
            "published_at": published_at(db.path),
            "last_day": day,
        }

    return await show(
        datasette,
        request,
        "home.html",
        **await db.cached_page("home", make),
        url=datasette.absolute_url(request, "/"),
        linked=jsonld.as_script(jsonld.home_data(site_base(datasette, request), datasette.metadata())),
    )


async def _changes(datasette: LedgerSite, request: Request) -> dict[str, Any]:
    db = datasette.get_database(NAME)
    newest = await common.last_day(db)
    asked = (request.args.get("since") or "").strip()
    try:
        since = date.fromisoformat(asked).isoformat() if asked else whats_new.days_before(newest, whats_new.DAYS - 1)
    except ValueError:
        raise BadRequest("The day must be written like 2026-05-31.") from None
    return {"since": since, "newest": newest, **await whats_new.changes_since(db, since or "9999")}


async def changes_page(datasette: LedgerSite, request: Request) -> Response:
    """Show what reports since a day changed; by default those of the last seven days covered."""
    return await show(datasette, request, "changes.html", **await _changes(datasette, request))


async def changes_json(datasette: LedgerSite, request: Request) -> Response:
    """Serve the changes page as JSON."""
    body = {"ok": True, **await _changes(datasette, request)}
    return Response.json(body, headers={"access-control-allow-origin": "*", "cache-control": "max-age=60"})


def by_origin(claims: list[dict], modality: str) -> list[dict]:
    """Group an event's claims by origin, earliest first; an article without an origin is a group of its own.

    Origins, articles and claims that support the event's `modality` come before those that differ. Within an origin,
    the article that the others rest on comes first.
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

    def differs(article: dict) -> bool:
        return all(claim["modality"] != modality for claim in article["claims"])

    found = []
    for group in groups.values():
        articles = sorted(
            group["by_article"].values(),
            key=lambda one: (
                differs(one),
                one["article_id"] != one["lead_article_id"],
                one["published_on"] or "9",
                one["article_id"],
            ),
        )
        for article in articles:
            article["claims"].sort(key=lambda claim: claim["modality"] != modality)
        found.append(
            {"kind": group["kind"], "label": group["label"], "articles": articles, "differs": differs(articles[0])}
        )
    return sorted(found, key=lambda group: group["differs"])


async def _timelines(db: Any, *, event_id: str = "", entity_id: str = "") -> list[dict]:
    """Return the timelines of an event or an entity as of the day of the newest report."""
    if event_id:
        found = await timelines.timelines_of_event(db, event_id)
    else:
        found = await timelines.timelines_of_entities(db, [entity_id], 80)
    return timeline_views(found, await common.last_day(db) or "9999")


async def event_page(datasette: LedgerSite, request: Request) -> Response:
    """Show one event with its evidence. A merged event redirects; a withdrawn one says why."""
    db = datasette.get_database(NAME)
    event_id = request.url_vars["event_id"]
    row = await events.event(db, event_id)
    if row is None:
        moved = await events.redirect(db, event_id)
        if moved is None:
            raise NotFound("There is no event at this address.")
        if moved["event_id"]:
            return Response.redirect(event_href(moved["event_id"]), status=301)
        return await show(datasette, request, "withdrawn.html", status=410, event_id=event_id, reason=moved["reason"])
    claims = await events.claims_of_event(db, event_id)
    credits: dict[str, list[dict]] = defaultdict(list)
    for edge in await articles.credits_of(db, sorted({claim["article_id"] for claim in claims})):
        credits[edge["article_id"]].append(edge)
    edited, retracted = await edits.edits_behind_event(db, event_id)
    as_of = published_at(db.path)[:10] or await common.last_day(db)
    url, words = datasette.absolute_url(request, event_href(event_id)), short_title(row)
    return await show(
        datasette,
        request,
        "event.html",
        event=row,
        groups=by_origin(claims, row["modality"]),
        claims=claims,
        credits=credits,
        edited=edited,
        retracted=retracted,
        contradictions=await contradictions.contradictions_of_event(db, event_id),
        related=await events.related_events(db, event_id),
        timelines=[view for view in await _timelines(db, event_id=event_id) if len(view["stages"]) > 1],
        decided=decisions.by_claim(await decisions.of_event(db, event_id)),
        citation=cite(event_id, words, row["modality"], url, as_of),
        report_href=report_address(datasette.contact, event_id, words, url, as_of),
        url=url,
        snapshot_url=datasette.absolute_url(request, f"/snapshots/{stamp_of(db.path)}{event_href(event_id)}"),
        linked=jsonld.as_script(
            jsonld.event_data(site_base(datasette, request), url, row | {"summary": words}, claims)
        ),
    )


async def entity_page(datasette: LedgerSite, request: Request) -> Response:
    """Show one entity: status, dealings, events, names over time, offices, related entities."""
    db = datasette.get_database(NAME)
    entity_id = unquote(request.url_vars["entity_id"])
    row = await entities.entity(db, entity_id)
    if row is None:
        raise NotFound("There is no person, body, model or law at this address.")
    years: dict[str, dict] = {}
    for count in await entities.years_of_entity(db, entity_id):
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
        linked=jsonld.as_script(jsonld.entity_data(site_base(datasette, request), url, row)),
        events=await entities.events_of_entity(db, entity_id),
        years=list(years.values()),
        companions=await entities.companions(db, entity_id),
        offices=await entity_profile.offices_of(db, entity_id),
        holders=await entity_profile.holders_in(db, entity_id),
        relations=await entity_profile.relations_of(db, entity_id),
        dealings=await entity_profile.dealings(db, entity_id),
        timelines_by_matter=by_matter(await _timelines(db, entity_id=entity_id)),
        last_day=await common.last_day(db),
    )


async def article_page(datasette: LedgerSite, request: Request) -> Response:
    """Show one article: metadata, credits, its claims in the order of the text, its edits. Not its full text."""
    db = datasette.get_database(NAME)
    article_id = request.url_vars["article_id"]
    row = await articles.article(db, article_id)
    if row is None:
        raise NotFound("There is no article at this address.")
    return await show(
        datasette,
        request,
        "article.html",
        article=row,
        url=(url := datasette.absolute_url(request, article_href(article_id))),
        linked=jsonld.as_script(jsonld.article_data(site_base(datasette, request), url, row)),
        claims=await articles.claims_of_article(db, article_id),
        n_unsure=await articles.unsure_claims_of_article(db, article_id),
        credits=await articles.credits_of(db, [article_id]),
        resting=await articles.articles_resting_on(db, article_id),
        versions=await articles.versions_of_article(db, article_id),
        edits=await edits.edits_of_article(db, article_id),
        contradictions=await contradictions.contradictions_of_article(db, article_id),
        decided=decisions.by_claim(await decisions.of_article(db, article_id)),
    )


async def sources_page(datasette: LedgerSite, request: Request) -> Response:
    """Show all sources and the outcomes of their fetches."""
    db = datasette.get_database(NAME)
    return await show(
        datasette, request, "sources.html", sources=await sources.sources(db), coverage=await sources.coverage(db)
    )


async def about_page(datasette: LedgerSite, request: Request) -> Response:
    """Show the method, the meaning of the labels, the limits and the licence."""
    db = datasette.get_database(NAME)
    return await show(
        datasette, request, "about.html", facts=await common.build_info(db), published_at=published_at(db.path)
    )


async def accuracy_page(datasette: LedgerSite, request: Request) -> Response:
    """Show how often the program is right: the stored figures and the calibration of confidence."""
    db = datasette.get_database(NAME)
    return await show(
        datasette,
        request,
        "accuracy.html",
        measured=[
            each
            | {
                "lines": lines(each["figures"]),
                "by_type": list(by_type(each["figures"])),
                "folds": fold_rows(each["figures"]),
                "groups": [rows for name, _ in GROUPS if (rows := group_rows(each["figures"], name))],
                "parts": ablation_rows(each["figures"]),
                "is_current": same_program(each["program_version"], program_version()),
            }
            for each in load_figures().values()
        ],
        running=program_version(),
        confidence=load_calibrator().report,
        facts=await common.build_info(db),
    )


async def search_page(datasette: LedgerSite, request: Request) -> Response:
    """Search entities, events, quotes and articles."""
    text = (request.args.get("q") or "").strip()[:200]
    found = await search.search(datasette.get_database(NAME), text)
    return await show(
        datasette, request, "search.html", q=text, found=found, n=sum(len(rows) for rows in found.values())
    )


async def redirect_renamed(datasette: LedgerSite, request: Request) -> Response:
    """Redirect a former address of a page or table to the present one, keeping its filters."""
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


async def saved_queries_page(datasette: LedgerSite, request: Request) -> Response:
    """List the saved queries."""
    saved = await datasette.get_canned_queries(NAME, None)
    return await show(datasette, request, "questions.html", questions=list(saved.values()))


async def redirect_filter_form(datasette: LedgerSite, request: Request) -> Response:
    """Redirect a submitted filter form to the table's address, as the facets write it: without empty fields."""
    table = "claims" if request.args.get("of") == "claims" else "events"
    pairs = [(f, v.strip()) for f in FORM_FIELDS for v in request.args.getlist(f) if v.strip()]
    for n, (field, value) in enumerate(pairs):
        if field in PARTY_ARGUMENTS:  # facets use ids; an ambiguous name stays a name
            ids = await entities.entity_ids_named(datasette.get_database(NAME), value)
            pairs[n] = (field, ids[0] if len(ids) == 1 else value)
    return Response.redirect(f"/oversight/{table}" + (f"?{urlencode(pairs)}" if pairs else ""))


@hookimpl
def register_routes() -> list[tuple[str, Any]]:
    """Register the main pages, which replace Datasette's own."""
    return [
        (r"^/$", home_page),
        (r"^/event/(?P<event_id>[^/.]+)$", event_page),
        (r"^/entity/(?P<entity_id>(?:(?!\.atom$)[^/])+)$", entity_page),
        (r"^/article/(?P<article_id>[^/.]+)$", article_page),
        (r"^/changes$", changes_page),
        (r"^/changes\.json$", changes_json),
        (r"^/sources$", sources_page),
        (r"^/about$", about_page),
        (r"^/accuracy$", accuracy_page),
        (r"^/search$", search_page),
        (r"^/queries$", saved_queries_page),
        *((rf"^{re.escape(old)}(?:[./].*)?$", redirect_renamed) for old in RENAMED_PATHS),
        (r"^/events$", redirect_filter_form),
    ]
