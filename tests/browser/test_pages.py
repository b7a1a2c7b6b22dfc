"""Every kind of page in Chromium: accessibility (WCAG 2.2 AA by axe-core), keyboard, print."""

from __future__ import annotations

import pytest
from support.browser import SHOTS, SIZES, opened

from pipeline.site.past_snapshots import stamp_of

pytestmark = pytest.mark.browser
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PAGES = {
    "home": "/",
    "events": "/oversight/events",
    "events, filtered": "/oversight/events?_party=oms&modality=planned&date_start__gte=2026-01-01&_words=testing",
    "events, none": "/oversight/events?_party=nobody",
    "events, all columns": "/oversight/events?_columns=all",
    "claims": "/oversight/claims",
    "unsure claims": "/oversight/unsure_claims",
    "articles": "/oversight/articles",
    "names": "/oversight/entities",
    "any table": "/oversight/contradictions",
    "row": "/oversight/sources/oms-news",
    "event, contradicted": "/event/{contradicted}",
    "event, edited": "/event/{edited}",
    "event, withdrawn": "/event/e0000000000000002",
    "entity": "/entity/oms",
    "model": "/entity/aurora-4",
    "article": "/article/{article}",
    "article, edited": "/article/{edited_article}",
    "changes": "/changes?since=2026-01-01",
    "status": "/status",
    "status of one": "/status?name=oms",
    "upcoming": "/upcoming?from=2026-05-01",
    "sources": "/sources",
    "about": "/about",
    "accuracy": "/accuracy",
    "search": "/search?q=aurora",
    "search, none": "/search?q=zzzz",
    "saved queries": "/queries",
    "snapshots": "/snapshots",
    "snapshots, none": "/snapshots/2020-01-01/status",
    "as it was": "/snapshots/{stamp}/event/{contradicted}",
    "question": "/oversight/planned_and_not_done",
    "tables": "/oversight",
    "sql": "/oversight?sql=select+event_id%2C+summary+from+events+limit+3",
    "sql, wrong": "/oversight?sql=select+nothing",
    "no such page": "/nothing",
}


@pytest.fixture(scope="module")
def paths(world) -> dict[str, str]:
    known = {
        "contradicted": world.one("select event_id from events where contradicted = 1 order by n_claims desc"),
        "stamp": stamp_of((world.folder / "published" / "current").resolve()),
        "edited": world.one("select event_id from revisions where event_id is not null"),
        "article": world.one("select article_id from claims group by article_id order by count(*) desc"),
        "edited_article": world.one("select article_id from article_edits"),
    }
    return {name: path.format(**known) for name, path in PAGES.items()}


@pytest.mark.timeout(1200)  # 36 pages
@pytest.mark.parametrize(("size", "scheme"), [("desk", "light"), ("phone", "dark")])
def test_axe_finds_nothing_serious_on_any_page(browser, world, paths, size, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    options = {"runOnly": {"type": "tag", "values": RULES}, "resultTypes": ["violations"]}
    bad = []
    with opened(browser, world, size, scheme, bypass_csp=True) as page:
        for name, path in paths.items():
            page.goto(path)
            page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
            for found in axe.run(page, options=options).response["violations"]:
                if found["impact"] in ("serious", "critical"):
                    bad += [(name, found["id"], node["target"], node["failureSummary"]) for node in found["nodes"]]
    assert bad == []


@pytest.mark.timeout(600)
@pytest.mark.parametrize("size", SIZES)
def test_no_page_scrolls_sideways_or_shows_a_plan_by_colour_alone(browser, world, paths, size):
    with opened(browser, world, size, "light") as page:
        for name, path in paths.items():
            page.goto(path)
            assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), name
            for badge in page.locator("main .badge").all()[:5]:
                assert len(badge.inner_text().strip()) > 4, name
            assert page.locator("h1").count() == 1, name


def test_rows_are_cards_on_a_phone_and_table_rows_on_a_desktop(browser, world):
    heights = {}
    for size in SIZES:
        with opened(browser, world, size, "light") as page:
            page.goto("/oversight/events")
            row = page.locator(".list tbody tr").first
            heights[size] = page.evaluate("e => getComputedStyle(e).display", row.element_handle())
            rows = page.locator(".list tbody tr").all()
            mean = sum(each.bounding_box()["height"] for each in rows) / len(rows)
            assert mean < (165 if size == "desk" else 300)
    assert heights == {"desk": "table-row", "phone": "block"}


def test_everything_works_by_keyboard(browser, world):
    with opened(browser, world, "desk", "light") as page:
        page.goto("/oversight/events")
        page.keyboard.press("Tab")
        assert page.locator(":focus").inner_text() == "Skip to content"
        page.keyboard.press("Enter")
        page.wait_for_url("**/oversight/events#main")
        seen = []
        for _ in range(60):
            page.keyboard.press("Tab")
            seen.append(page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", seen[-1]
        assert {"f-party", "f-type", "f-where", "f-modality", "f-from", "f-to", "f-words", "Show"} <= set(seen)
        page.locator("#f-words").focus()
        page.keyboard.type("testing")
        page.keyboard.press("Enter")
        page.wait_for_url("**/oversight/events?_words=testing")


def test_print_shows_text_and_addresses_but_no_controls(browser, world, paths):
    with opened(browser, world, "desk", "dark") as page:
        page.goto(paths["event, contradicted"])
        page.emulate_media(media="print")
        assert not page.locator(".masthead nav").is_visible() and not page.locator(".find").is_visible()
        assert page.locator("blockquote").first.is_visible()
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        after = "getComputedStyle(document.querySelector('.claim-links a[href^=http]'), '::after').content"
        assert "https://" in page.evaluate(after)
        SHOTS.mkdir(exist_ok=True)
        page.pdf(path=SHOTS / "event.pdf")


def test_the_script_shows_changes_since_the_last_visit_and_copies_citations(browser, world, paths):
    with opened(browser, world, "desk", "light") as page:
        page.goto("/")
        newest = page.locator("form[data-newest]").get_attribute("data-newest")
        assert not page.locator(".last-visit").is_visible()
        page.evaluate("localStorage.setItem('oversight-ledger-newest-seen', '2026-05-05'); sessionStorage.clear()")
        page.goto("/")
        link = page.get_by_role("link", name="What changed since your last visit")
        assert link.get_attribute("href") == "/changes?since=2026-05-05"
        page.reload()
        assert link.is_visible(), "a visit lasts until its tab is closed"
        page.evaluate("sessionStorage.clear()")
        page.goto("/")
        assert page.locator(".last-visit").inner_text() == "No newer report since your last visit."
        assert page.evaluate("localStorage.getItem('oversight-ledger-newest-seen')") == newest
        page.goto(paths["event, contradicted"])
        page.get_by_role("button", name="Copy: In a text").click()
        assert page.locator(".copy", has_text="Cop").count() or page.locator(".copy", has_text="Selected").count()
