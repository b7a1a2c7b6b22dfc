"""Journeys of a reader in a real Chromium, on a desk and on a phone, over the invented ledger."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.site_data import publish

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = os.environ.get("OVERSIGHT_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium found: install Debian's chromium or set OVERSIGHT_CHROMIUM"),
]
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
SIZES = {"desk": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}
PAGES = (
    "/",
    "/oversight/events",
    "/oversight/events?_party=oms&modality=planned",
    "/oversight/claims",
    "/entity/oms",
    "/status",
    "/status?name=oms",
    "/due",
    "/sources",
    "/about",
    "/accuracy",
    "/search?q=aurora",
    "/queries",
    "/oversight/planned_and_not_done",
    "/oversight",
    "/oversight/articles",
    "/nothing",
)


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("browser")
    publish(folder)
    code = f"from pipeline.serve.app import serve; serve({str(folder)!r}, port=0)"
    root = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", code], cwd=root, stdout=subprocess.PIPE, text=True) as process:
        line = process.stdout.readline()
        assert line.startswith("Oversight Ledger: http://127.0.0.1:"), line
        yield line.split()[2].rstrip("/")
        process.terminate()


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as player:
        chromium = player.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(params=[("desk", "light"), ("phone", "dark")], ids="-".join)
def page(request, browser, address):
    size, scheme = request.param
    context = browser.new_context(
        viewport=SIZES[size], color_scheme=scheme, base_url=address, java_script_enabled=False
    )
    page = context.new_page()
    page.outside = []
    page.on("request", lambda asked: None if asked.url.startswith(address) else page.outside.append(asked.url))
    yield page
    assert page.outside == [], "a page asked another host for something"
    context.close()


def test_an_event_is_found_by_name_and_can_be_cited(page):
    page.goto("/")
    page.get_by_label("Find a company, a public body").fill("frontier models act")
    page.locator(".find-big button").click()
    page.get_by_role("link", name="The Senate passed the Frontier Models Act.").click()
    assert page.locator("h1").inner_text() == "The Senate passed the Frontier Models Act."
    assert page.get_by_label("Permalink").input_value() == page.url
    assert "Happened: The Senate passed" in page.get_by_label("In a text").input_value()


def test_who_disagrees_can_be_seen_from_the_front_page(page):
    page.goto("/")
    page.locator(".disputed a").first.click()
    sides = page.locator(".versus .value").all_inner_texts()
    assert sides == ["40 million euros", "42 million euros"]
    page.locator(".versus a").first.click()
    assert page.locator(".claim:target").count() == 1


def test_filters_narrow_down_and_can_be_taken_away(page):
    page.goto("/oversight/events")
    page.get_by_label("Who takes part").fill("OMS")
    page.get_by_label("How sure it is").select_option("planned")
    page.get_by_role("button", name="Show").click()
    assert page.url.endswith("/oversight/events?_party=OMS&modality=planned")
    assert page.locator(".list tbody tr").count() == 2
    page.get_by_role("link", name="How sure it is: Planned").click()
    assert page.locator(".list tbody tr").count() == 9
    page.locator(".facets").get_by_role("link", name="1 origin only").click()
    assert page.locator(".list tbody tr").count() < 9


def test_a_lab_is_followed_over_time_and_by_feed(page):
    page.goto("/entity/nordlys")
    years = page.locator("h3.year").all_inner_texts()
    assert years == sorted(years, reverse=True)
    feed = page.get_by_role("link", name="Follow as a feed").get_attribute("href")
    answer = page.request.get(feed)
    assert answer.ok and answer.headers["content-type"].startswith("application/atom+xml")


def test_the_evidence_leads_to_the_words_in_the_original(page):
    page.goto("/oversight/events?type=evaluation")
    page.get_by_role("link", name="published its tests of Compass XL").click()
    link = page.get_by_role("link", name="Read it at thames-observer.example").get_attribute("href")
    assert link.startswith("https://thames-observer.example/") and "#:~:text=The%20Institute" in link
    assert page.locator("mark", has_text="published").first.is_visible()


def test_no_page_scrolls_sideways_or_shows_a_plan_by_colour_alone(page):
    for path in PAGES:
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), path
        for badge in page.locator("main .badge").all()[:5]:
            assert len(badge.inner_text().strip()) > 4


def test_the_first_tab_stop_leads_past_the_menu(page):
    page.goto("/")
    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.url.endswith("#main")
