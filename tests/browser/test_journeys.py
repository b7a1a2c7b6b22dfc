"""Tasks of journalists and researchers in Chromium over the demo, on desktop and phone, without scripts."""

from __future__ import annotations

import hashlib
import re
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import pytest
from support.browser import SHOTS, opened

pytestmark = pytest.mark.browser
ATOM = "{http://www.w3.org/2005/Atom}"
DEVICES = [("desk", "light"), ("phone", "dark")]


@pytest.fixture(params=DEVICES, ids="-".join)
def page(request, browser, demo_site):
    size, scheme = request.param
    with opened(browser, demo_site, size, scheme, java_script_enabled=False) as page:
        yield page
        SHOTS.mkdir(exist_ok=True)
        page.screenshot(path=SHOTS / f"{re.sub(r'[^a-z_-]+', '-', request.node.name)}.png", full_page=True)


def follow(page, link) -> None:
    """Click a link or button and wait for the next page."""
    with page.expect_navigation():
        link.click()


def test_find_an_event_by_name_and_cite_it(page, demo_site):
    page.goto("/")
    page.get_by_label("Find a company, a public body").fill("Vellichor")
    follow(page, page.locator(".find-big button"))
    assert page.locator("#s-entities").is_visible()
    follow(page, page.locator(".search-page .event-what a").first)
    quote = page.locator("h1").inner_text()
    title = page.title().removesuffix(" · Oversight Ledger")
    modality = page.locator(".event-meta .badge").first.inner_text().split(maxsplit=1)[1]
    assert page.get_by_label("Permalink").input_value() == page.url
    plain = page.get_by_label("In a text").input_value()
    assert title.startswith(f"{modality}: ") and title in plain and page.url in plain and "as of" in plain
    page.get_by_text("BibTeX and Wikipedia").click()
    assert page.get_by_label("BibTeX").input_value().startswith("@misc{oversight-e")
    assert page.get_by_label("Wikipedia").input_value().startswith("{{cite web |title=")
    event_id = page.url.rpartition("/")[2]
    said = "select 1 from claims where event_id = ? and modality = (select modality from events where event_id = ?)"
    assert demo_site.one(f"{said} and quote = ?", event_id, event_id, quote.strip("“”")) == 1


def test_see_from_the_front_page_who_disagrees(page, demo_site):
    page.goto("/")
    follow(page, page.locator(".contradicted a").first)
    assert page.url.endswith("#contradictions")
    sides = page.locator(".versus").first.locator(".value").all_inner_texts()
    assert len(set(sides)) >= 2
    event_id = page.url.rpartition("/")[2].partition("#")[0]
    assert demo_site.one("select contradicted from events where event_id = ?", event_id) == 1
    link = page.locator(".versus a[href^='#c']").first
    link.click()
    target = page.locator(".claim:target")
    assert target.count() == 1 and target.locator("blockquote").inner_text().strip()


def test_follow_a_lab_over_time_as_of_a_day(page):
    seen = {}
    for day, words in (("2026-03-08", "8 March 2026"), ("2026-04-15", "15 April 2026"), ("2026-05-30", "30 May 2026")):
        page.goto("/status")
        page.get_by_label("On this day").fill(day)
        page.get_by_label("Company, public body, model or law").fill("Vellichor")
        follow(page, page.get_by_role("button", name="Show"))
        assert "Vellichor" in page.locator("h1").inner_text()
        assert words in page.locator(".lede").inner_text()
        seen[day] = page.locator("main").inner_text()
    assert len(set(seen.values())) == 3
    follow(page, page.locator("h1 a"))
    years = page.locator("h3.year").all_inner_texts()
    assert years == sorted(years, reverse=True) and page.locator("#status").is_visible()


def test_narrow_a_filter_subscribe_to_it_and_export_it(page):
    page.goto("/oversight/events")
    page.get_by_label("Party").fill("Vellichor")
    follow(page, page.get_by_role("button", name="Show"))
    assert page.url.endswith("/oversight/events?_party=vellichor")
    n_all = int(page.locator(".found strong").inner_text().split()[0])
    follow(page, page.locator(".facets").get_by_role("link", name="Happened"))
    n_happened = int(page.locator(".found strong").inner_text().split()[0])
    assert 0 < n_happened < n_all
    href = page.get_by_role("link", name="Atom feed of this filter").get_attribute("href")
    feed = ET.fromstring(page.request.get(href).body())
    titles = [title.text for title in feed.iterfind(f"{ATOM}entry/{ATOM}title")]
    assert len(titles) == n_happened and all(title.startswith("Happened: ") for title in titles)
    for name, start in (("CSV", b"event_id,"), ("JSON", b"{"), ("Excel", b"PK")):
        answer = page.request.get(page.get_by_role("link", name=name, exact=True).get_attribute("href"))
        assert answer.ok and answer.body().startswith(start), name
    follow(page, page.get_by_role("link", name="Did it happen? Happened"))
    assert int(page.locator(".found strong").inner_text().split()[0]) == n_all


def test_follow_the_evidence_to_the_quote_in_the_original(page):
    page.goto("/oversight/events?type=access_request&modality=occurred")
    follow(page, page.locator(".event-what a").first)
    claim = page.locator(".claim").first
    assert claim.locator("mark").first.is_visible()
    quote = claim.locator("blockquote").inner_text()
    link = claim.get_by_role("link", name=re.compile("^Read it at ")).get_attribute("href")
    address, _, fragment = link.partition("#:~:text=")
    assert address.startswith("https://") and unquote(fragment.split(",")[0]) in " ".join(quote.split())
    assert re.search(r"published \d+ \w+ 2026 · archived \d+ \w+ 2026", page.locator(".report-head").first.inner_text())
    data = page.request.get(page.url.partition("#")[0] + ".json").json()
    assert quote.split()[:4] in [each["quote"].split()[:4] for each in data["claims"]]


def test_open_a_cited_page_as_it_was(page, demo_site):
    event_id = demo_site.one("select event_id from events where modality = 'occurred' order by n_origins desc")
    page.goto(f"/event/{event_id}")
    sentence, lasting = page.locator("h1").inner_text(), page.get_by_label("This version, unaffected").input_value()
    page.goto(lasting)
    assert page.locator("h1").inner_text() == sentence and page.locator(".as-of").is_visible()
    follow(page, page.locator(".who-what a[href*='/entity/']").first)
    assert re.search(r"/snapshots/\d{8}T\d{6}/entity/", page.url) and page.locator(".as-of").is_visible()
    follow(page, page.get_by_role("link", name="Current version of this page"))
    assert "/snapshots/" not in page.url and page.locator(".as-of").count() == 0
    follow(page, page.get_by_role("link", name="Earlier snapshots"))
    follow(page, page.locator(".snapshots tbody a").first)
    assert page.url.startswith(lasting.partition("/event/")[0]) and page.locator(".as-of").is_visible()
    follow(page, page.get_by_role("link", name="All snapshots"))
    with page.expect_download() as download:
        page.locator(".snapshots a[download]").first.click()
    digest = hashlib.sha256(download.value.path().read_bytes()).hexdigest()
    assert digest == page.locator(".snapshots code").nth(1).inner_text()
