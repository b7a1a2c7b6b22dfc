"""Routes for robots.txt and the sitemaps. Events are listed; combinations of facets are not."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree as ET

from datasette import NotFound, Response, hookimpl
from datasette.utils.asgi import Request

from pipeline.site.ledger_site import LedgerSite
from pipeline.site.plugins.pages import site_base
from pipeline.site.queries import common
from pipeline.site.snapshots import NAME

ROBOTS = """User-agent: *
Allow: /static/
Disallow: /*?
Disallow: /-/
Disallow: /search
Disallow: /snapshots/
Disallow: /oversight/*.csv
Disallow: /oversight/*.json
Disallow: /oversight/*.xlsx
Disallow: /oversight/*.atom
Allow: /

Sitemap: {base}/sitemap.xml
"""
SITEMAPS = "http://www.sitemaps.org/schemas/sitemap/0.9"
PAGES = (
    "/",
    "/changes",
    "/status",
    "/upcoming",
    "/queries",
    "/sources",
    "/accuracy",
    "/about",
    "/snapshots",
    "/oversight/events",
)
ADDRESSES = 5_000  # row ids per file; the protocol allows ten times as many, but they would be slow to produce
_RANGE = "rowid > ? and rowid <= ?"
PARTS = {
    "events": f"select event_id as id, last_reported_on as day from events where {_RANGE}",
    "entities": f"select entity_id as id, null as day from entities where n_events > 0 and {_RANGE}",
    "articles": f"select article_id as id, published_on as day from articles where n_claims > 0 and {_RANGE}",
}
PATHS = {"events": "/event/", "entities": "/entity/", "articles": "/article/"}
HEADERS = {"cache-control": "max-age=3600"}


async def robots(datasette: LedgerSite, request: Request) -> Response:
    """Serve robots.txt. It excludes addresses with a query string, hence all combinations of facets."""
    return Response.text(ROBOTS.format(base=site_base(datasette, request)), headers=dict(HEADERS))


def _xml(root: ET.Element) -> Response:
    body = ET.tostring(root, encoding="utf-8", xml_declaration=True).decode()
    return Response(body, headers=dict(HEADERS), content_type="application/xml; charset=utf-8")


async def sitemap_index(datasette: LedgerSite, request: Request) -> Response:
    """Serve the sitemap index: fixed pages, then events, entities and articles in parts."""
    db, base = datasette.get_database(NAME), site_base(datasette, request)
    root = ET.Element("sitemapindex", xmlns=SITEMAPS)
    names = ["pages"]
    for table in PARTS:
        row = await common.one(db, f"select max(rowid) as n from {table}")
        names += [f"{table}-{part}" for part in range(-(-((row or {}).get("n") or 0) // ADDRESSES))]
    for name in names:
        ET.SubElement(ET.SubElement(root, "sitemap"), "loc").text = f"{base}/sitemap-{name}.xml"
    return _xml(root)


async def sitemap(datasette: LedgerSite, request: Request) -> Response:
    """Serve one sitemap, with the day of each event's newest report as its last modification."""
    db, base = datasette.get_database(NAME), site_base(datasette, request)
    table, part = request.url_vars["table"], int(request.url_vars["part"] or 0)
    root = ET.Element("urlset", xmlns=SITEMAPS)
    if table == "pages":
        found = [(path, None) for path in PAGES]
    else:
        rows = await common.many(db, PARTS[table], [part * ADDRESSES, (part + 1) * ADDRESSES])
        found = [(PATHS[table] + quote(row["id"], safe=""), row["day"]) for row in rows]
    if not found:
        raise NotFound("There is no such sitemap.")
    for path, day in found:
        url = ET.SubElement(root, "url")
        ET.SubElement(url, "loc").text = base + path
        if day:
            ET.SubElement(url, "lastmod").text = day[:10]
    return _xml(root)


@hookimpl
def register_routes() -> list[tuple[str, Any]]:
    """Register robots.txt and the sitemaps."""
    return [
        (r"^/robots\.txt$", robots),
        (r"^/sitemap\.xml$", sitemap_index),
        (r"^/sitemap-(?P<table>pages)(?P<part>)\.xml$", sitemap),
        (r"^/sitemap-(?P<table>events|entities|articles)-(?P<part>\d{1,6})\.xml$", sitemap),
    ]
