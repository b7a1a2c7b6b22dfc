"""Structured data (JSON-LD with schema.org terms) for the pages of events, entities and articles.

There is no ClaimReview: the ledger records who says what and does not rate the truth of a claim.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from markupsafe import Markup

from pipeline.site.text.labels import modality_words
from pipeline.site.views.quote_highlight import safe_url

SCHEMA = "https://schema.org"
SCHEMA_TYPES = {
    "organisation": "Organization",
    "agency": "GovernmentOrganization",
    "government": "GovernmentOrganization",
    "outlet": "NewsMediaOrganization",
    "person": "Person",
    "model": "SoftwareApplication",
    "instrument": "Legislation",
    "place": "Place",
}
MOST_CITED = 50


def ledger_of(base: str, site: dict[str, Any]) -> dict[str, Any]:
    """Return the ledger as a Dataset; `base` is the site's address without a trailing slash."""
    return {
        "@type": "Dataset",
        "@id": f"{base}/#ledger",
        "name": "Oversight Ledger",
        "description": site.get("description") or "Oversight Ledger",
        "url": f"{base}/",
        "license": safe_url(site.get("license_url")),
        "distribution": [
            {"@type": "DataDownload", "encodingFormat": mime, "contentUrl": f"{base}/oversight/events.{ending}"}
            for mime, ending in (("text/csv", "csv"), ("application/json", "json"))
        ],
    }


def home_data(base: str, site: dict[str, Any]) -> dict[str, Any]:
    """Return the site with its search and its dataset."""
    search = {"@type": "SearchAction", "target": f"{base}/search?q={{q}}", "query-input": "required name=q"}
    return {
        "@context": SCHEMA,
        "@graph": [
            {"@type": "WebSite", "name": "Oversight Ledger", "url": f"{base}/", "potentialAction": search},
            ledger_of(base, site),
        ],
    }


def event_data(base: str, url: str, event: dict, claims: Iterable[dict]) -> dict[str, Any]:
    """Return an event's page: its summary, the parties it mentions, and the articles it cites."""
    words = modality_words(event["modality"])
    cited: dict[str, dict] = {}
    for claim in claims:
        if (address := safe_url(claim["url"])) and len(cited) < MOST_CITED:
            cited.setdefault(address, _article(claim, address))
    parties = {party["entity_id"]: party for party in event["parties"]}
    return {
        "@context": SCHEMA,
        "@type": "WebPage",
        "@id": url,
        "url": url,
        "name": f"{words.badge}: {event['summary']}",
        "description": words.meaning,
        "inLanguage": "en",
        "dateCreated": event["first_reported_on"],
        "dateModified": event["last_reported_on"],
        "isPartOf": {"@id": f"{base}/#ledger", "@type": "Dataset", "name": "Oversight Ledger", "url": f"{base}/"},
        "mentions": [_party(base, party) for party in parties.values()],
        "citation": list(cited.values()),
    }


def entity_data(base: str, url: str, entity: dict) -> dict[str, Any]:
    """Return an entity's page with its other names."""
    others = sorted({row["name"] for row in entity["names"]} - {entity["name"]})
    about = _party(base, entity) | ({"alternateName": others} if others else {})
    return {"@context": SCHEMA, "@type": "WebPage", "@id": url, "url": url, "name": entity["name"], "mainEntity": about}


def article_data(base: str, url: str, article: dict) -> dict[str, Any]:
    """Return the page about an article, with the article itself as `about`."""
    address = safe_url(article["url"])
    return {
        "@context": SCHEMA,
        "@type": "WebPage",
        "@id": url,
        "url": url,
        "name": f"Claims in “{article['title']}”",
        "about": _article(article | {"article_title": article["title"]}, address),
        "isPartOf": {"@id": f"{base}/#ledger", "@type": "Dataset", "name": "Oversight Ledger", "url": f"{base}/"},
    }


def _article(row: dict, address: str) -> dict[str, Any]:
    return {
        "@type": "NewsArticle" if row["source_type"] in ("wire", "press", "trade", "aggregator") else "Article",
        "headline": row["article_title"],
        "datePublished": row["published_at"] or row["published_on"],
        "publisher": {"@type": "Organization", "name": row["source_title"]},
    } | ({"url": address} if address else {})


def _party(base: str, party: dict) -> dict[str, Any]:
    address = f"{base}/entity/{party['entity_id']}"
    return {"@type": SCHEMA_TYPES.get(party["kind"], "Thing"), "@id": address, "name": party["name"]}


def as_script(data: dict[str, Any]) -> Markup:
    """Return JSON-LD as a script element, escaped so that stored text cannot close it."""
    text = json.dumps(_without_empty(data), ensure_ascii=False, sort_keys=True)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup('<script type="application/ld+json">{}</script>').format(Markup(text))  # noqa: S704 - escaped above


def _without_empty(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_empty(each) for key, each in value.items() if each not in (None, "", [])}
    return [_without_empty(each) for each in value] if isinstance(value, list) else value
