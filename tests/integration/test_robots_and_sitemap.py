"""robots.txt, sitemaps, structured data, error reports and feeds."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree as ET

import pytest
from support.site_data import publish
from support.site_under_test import Site

from pipeline.site.formats.jsonld import as_script
from pipeline.site.text.citation import report_address

SPACE = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
SCRIPT = re.compile(r'<script type="application/ld\+json">(.*?)</script>', re.DOTALL)


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Site:
    folder = tmp_path_factory.mktemp("finding")
    publish(folder)
    (folder / "oversight.toml").write_text('contact = "desk@ledger.example"\n')
    return Site(folder)


def test_the_sitemap_lists_every_event_and_each_address_opens(site):
    index = ET.fromstring(site.get("/sitemap.xml").content)
    parts = [loc.text for loc in index.iter(f"{SPACE}loc")]
    addresses = [
        loc.text
        for part in parts
        for loc in ET.fromstring(site.get(part.removeprefix("http://ledger.test")).content).iter(f"{SPACE}loc")
    ]
    events = {f"http://ledger.test/event/{key}" for (key,) in site.db.execute("select event_id from events")}
    assert events <= set(addresses) and not any("?" in address for address in addresses)
    for address in addresses[:20] + addresses[-5:]:
        assert site.get(address.removeprefix("http://ledger.test")).status_code == 200, address
    assert site.get("/sitemap-events-9.xml").status_code == 404


def test_robots_txt_names_the_sitemap_and_excludes_facet_combinations(site):
    lines = site.get("/robots.txt").text.splitlines()
    assert "Disallow: /*?" in lines and "Allow: /static/" in lines
    assert "Sitemap: http://ledger.test/sitemap.xml" in lines


def test_structured_data_of_an_event_cites_reports_and_rates_nothing(site):
    event_id = site.event_named("signed testing agreements")
    text = site.get(f"/event/{event_id}").text
    data = json.loads(SCRIPT.search(text).group(1))
    assert data["name"].startswith("Happened: ") and data["url"].endswith(f"/event/{event_id}")
    assert {cited["publisher"]["name"] for cited in data["citation"]} >= {"The Harbour Courier", "The Thames Observer"}
    assert "ClaimReview" not in text and "Rating" not in text
    assert f'<link rel="canonical" href="http://ledger.test/event/{event_id}">' in text
    plan = site.get(f"/event/{site.event_named('Senate will hold a hearing')}").text
    assert json.loads(SCRIPT.search(plan).group(1))["name"].startswith("Planned: ")


@pytest.mark.parametrize("path", ["/", "/entity/oms"])
def test_other_pages_have_valid_structured_data(site, path):
    assert json.loads(SCRIPT.search(site.get(path).text).group(1))["@context"] == "https://schema.org"


def test_stored_text_cannot_close_the_script_element():
    hostile = "</script><script>alert(1)</script><!-- &amp; \u2028"
    script = str(as_script({"name": hostile, "none": None}))
    inside = SCRIPT.fullmatch(script).group(1)
    assert "<" not in inside and ">" not in inside and json.loads(inside) == {"name": hostile}


def test_every_page_has_a_title_a_description_and_one_canonical_address(site):
    for path in (
        "/",
        "/changes",
        "/status",
        "/upcoming",
        "/sources",
        "/accuracy",
        "/about",
        "/queries",
        "/oversight/events",
    ):
        text = site.get(path).text
        assert text.count('rel="canonical"') == 1 and f'rel="canonical" href="http://ledger.test{path}"' in text, path
        assert re.search(r'<meta name="description" content="[^"]{20,}"', text), path
        assert re.search(r"<title>[^<]{8,}</title>", text), path
    assert 'rel="canonical"' not in site.get("/oversight/events?type=agreement").text


def test_errors_can_be_reported_if_a_contact_is_set(site, tmp_path):
    event_id = site.event_named("signed testing agreements")
    href = re.search(r'href="(mailto:[^"]+)"', site.get(f"/event/{event_id}").text).group(1)
    assert href.startswith(f"mailto:desk@ledger.example?subject=Error%20in%20event%20{event_id}")
    assert f"%2Fevent%2F{event_id}".lower() in href.lower().replace("/", "%2f")
    publish(tmp_path)
    assert "Report an error" not in Site(tmp_path).get(f"/event/{event_id}").text


def test_a_contact_page_is_linked_unless_it_is_hostile():
    facts = ("e1", "A & B signed.", "https://ledger.test/event/e1", "2026-05-05")
    issue = report_address("https://forge.example/desk/issues/new", *facts)
    assert issue.startswith("https://forge.example/desk/issues/new?title=Error+in+event+e1&body=https%3A%2F%2F")
    assert report_address("https://desk.example/contact", *facts) == "https://desk.example/contact"
    assert report_address("javascript:alert(1)", *facts) == report_address("", *facts) == ""


def test_one_event_has_a_feed(site):
    event_id = site.event_named("had blocked federal testers")
    feed = ET.fromstring(site.get(f"/event/{event_id}.atom").content)
    entries = feed.findall("{http://www.w3.org/2005/Atom}entry")
    assert len(entries) == 1 and "Latest report" in entries[0].find("{http://www.w3.org/2005/Atom}summary").text
    assert site.get("/event/e0000000000000001.atom").status_code == 301
    assert site.get("/event/nothing.atom").status_code == 404


def test_feeds_support_every_filter_of_the_form_and_refuse_others(site):
    found = site.get("/feed.atom?date_start__gte=2026-06-01&type__in=agreement,restriction&_words=testing")
    assert found.status_code == 200
    rows = site.get(
        "/oversight/events.json?date_start__gte=2026-06-01&type__in=agreement,restriction&_words=testing&_shape=objects"
    ).json()["rows"]
    assert len(ET.fromstring(found.content).findall("{http://www.w3.org/2005/Atom}entry")) == len(rows)
    for query in ("summary__contains=signed", "n_origins__gt=1", "_search=testing", "type__not=agreement"):
        rows = site.get(f"/oversight/events.json?{query}&_shape=objects&_size=max").json()["rows"]
        entries = ET.fromstring(site.get(f"/feed.atom?{query}").content).findall("{http://www.w3.org/2005/Atom}entry")
        assert len(entries) == min(len(rows), 50) > 0, query
        page = site.get(f"/oversight/events?{query}").text
        assert f'href="/feed.atom?{query}"' in page, query
    for query in ("_where=1", "no_such_column=1", "_through={}"):
        assert site.get(f"/feed.atom?{query}").status_code == 400, query


def test_a_feed_is_updated_by_publishers_edits_and_editors_decisions(site):
    space = "{http://www.w3.org/2005/Atom}"
    days = dict(
        site.db.execute(
            """select event_id, max(day) from (
                select event_id, seen_on as day from revisions where fields <> '' or kind <> 'changed'
                union all select event_id, decided_on from reviews where status = 'applied')
            where event_id is not null group by event_id"""
        )
    )
    assert days
    for event_id, day in days.items():
        entry = ET.fromstring(site.get(f"/event/{event_id}.atom").content).find(f"{space}entry")
        reported = site.one("select last_reported_on from events where event_id = ?", event_id)
        assert entry.find(f"{space}updated").text[:10] == max(day, reported)
        summary = entry.find(f"{space}summary").text
        assert " by " in summary or "seen" in summary
    updated = [e.text for e in ET.fromstring(site.get("/feed.atom").content).iterfind(f"{space}entry/{space}updated")]
    assert updated == sorted(updated, reverse=True)


def test_every_result_with_event_ids_has_a_feed(site):
    for path in ("/oversight/planned_and_not_done.atom", "/oversight/claims.atom?modality=planned"):
        feed = ET.fromstring(site.get(path).content)
        assert feed.findall("{http://www.w3.org/2005/Atom}entry"), path
    assert "planned and not yet done" in site.get("/oversight/planned_and_not_done.atom").text
    moved = site.get("/oversight/events.atom?type=agreement")
    assert moved.status_code == 302 and moved.headers["location"] == "/feed.atom?type=agreement"
    assert site.get("/oversight.atom?sql=select+event_id+from+events+limit+2").text.count("<entry>") == 2
    assert site.get("/oversight.atom?sql=select+1+as+x").status_code == 400
