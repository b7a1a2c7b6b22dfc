"""The invented newsroom is complete and consistent, and its server serves it as planned."""

from __future__ import annotations

import gzip
import html
import http.client
import json
import re
import tomllib
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

import pytest
from selectolax.lexbor import LexborHTMLParser

from pipeline.lexicon.load import load_lexicon
from pipeline.newsroom.answers import expected, planted, version, write_documents
from pipeline.newsroom.pages import article_page
from pipeline.newsroom.server import Newsroom, odd_addresses
from pipeline.newsroom.stories import FOLDER, publishers, read_story, stories, story
from pipeline.nlp.relevance.score import judge_relevance
from pipeline.records import ATTRIBUTION_KINDS, EVENT_TYPES, ROLES, Force, Modality
from scrapers.archive.store import Archive
from scrapers.crawling.crawl import CrawlConfig, crawl
from scrapers.crawling.frontier import Frontier
from scrapers.items import FeedShape, Outcome, Page
from scrapers.reading.article import read_page

COPIES = {
    "northline-tessel-request",
    *(edge["from"] for edge in planted()["origins"]["edge"] if "copy" in edge["basis"]),
}


@pytest.fixture(scope="module")
def newsroom() -> Iterator[Newsroom]:
    with Newsroom() as running:
        yield running


@pytest.fixture
def last_day(newsroom: Newsroom) -> Iterator[Newsroom]:
    """The running newsroom, set back to its last day after the test."""
    moment = newsroom.moment
    yield newsroom
    newsroom.set_day(moment)


def ask(url: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Send one request without following redirects; return status, headers (lower case) and the body as sent."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    try:
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(method, target, headers={name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


# Content


def test_the_newsroom_has_enough_articles_of_every_publisher_over_three_months() -> None:
    assert len(stories()) >= 44
    by_source_type: dict[str, set[str]] = {}
    for each in stories():
        by_source_type.setdefault(each.publisher.source_type, set()).add(each.publisher.publisher_id)
    assert len(by_source_type["primary"]) == 2
    assert len(by_source_type["lab"]) == 2
    assert len(set(publishers()) - by_source_type["primary"] - by_source_type["lab"]) == 8
    days = [each.published.date() for each in stories()]
    assert min(days) >= date(2026, 3, 1)
    assert max(days) <= date(2026, 5, 31)
    assert (max(days) - min(days)).days > 80


def test_every_article_is_as_long_as_a_news_story() -> None:
    lengths = {each.story_id: len(each.text.split()) for each in stories()}
    assert {name: words for name, words in lengths.items() if not 120 <= words <= 450} == {}


def test_no_two_articles_share_their_words_but_the_planted_copies() -> None:
    def shingles(text: str) -> set[tuple[str, ...]]:
        words = re.findall(r"\w+", text.lower())
        return {tuple(words[at : at + 4]) for at in range(len(words) - 3)}

    sets = [(each.story_id, shingles(each.text)) for each in stories()]
    alike = set()
    for at, (one, first) in enumerate(sets):
        for two, second in sets[at + 1 :]:
            likeness = len(first & second) / len(first | second)
            if {one, two} <= COPIES:
                assert likeness > 0.4, (one, two, likeness)
            elif likeness > 0.08:
                alike.add((one, two, round(likeness, 2)))
    assert alike == set()


def test_no_two_articles_share_an_address_and_all_hosts_are_reserved_names() -> None:
    assert len({each.url for each in stories()}) == len(stories())
    assert all(publisher.host.endswith(".example") for publisher in publishers().values())
    pages = b"".join(article_page(version) for each in stories() for version in each.versions)
    addresses = set(re.findall(rb"https?://([^/\"'<\s]+)", pages))
    assert {name for name in addresses if not name.endswith(b".example")} == {b"schema.org"}


def test_an_edit_changes_the_text_and_a_boilerplate_edit_only_the_page() -> None:
    for case in planted()["edited"]:
        first, second = story(case["article"]).versions
        assert article_page(first) != article_page(second)
        assert (first.text != second.text) == case["claims_change"]


def test_an_edit_that_fits_nothing_is_refused_by_name(tmp_path: Path) -> None:
    source = (FOLDER / "articles/harbour_gazette/gazette-vellichor-signing.md").read_text()
    folder = tmp_path / "harbour_gazette"
    folder.mkdir()
    (folder / "edited.md").write_text(
        source.replace("Vellichor will sign a testing", "Vellichor will initial a testing", 1)
    )
    changed = read_story(folder / "edited.md")
    with pytest.raises(ValueError, match="edited: edit of 2026-03-23"):
        _ = changed.versions
    (folder / "bare.md").write_text("No front matter.\n")
    with pytest.raises(ValueError, match="bare.md: an article file begins with front matter"):
        read_story(folder / "bare.md")


# Layouts


def skeleton(page: bytes) -> set[str]:
    """The elements of a page's body with their classes: what a layout is made of."""
    body = LexborHTMLParser(page.decode("utf-8", "replace")).body
    assert body is not None
    return {f"{node.tag}.{node.attributes.get('class') or ''}" for node in body.traverse()}


def test_all_layouts_differ() -> None:
    latest = {each.publisher.publisher_id: skeleton(article_page(each)) for each in stories()}
    assert len(latest) == 12
    names = sorted(latest)
    for at, one in enumerate(names):
        for two in names[at + 1 :]:
            likeness = len(latest[one] & latest[two]) / len(latest[one] | latest[two])
            assert likeness < 0.5, (one, two, likeness)


def test_a_page_names_its_stable_address_and_holds_no_port(newsroom: Newsroom) -> None:
    for each in stories():
        page = article_page(each)
        tree = LexborHTMLParser(page.decode(each.encoding, "replace"))
        link = tree.css_first("link[rel=canonical]")
        assert link is not None, each.story_id
        assert link.attributes["href"] == each.url
        assert b"127.0.0.1" not in page


def test_every_paragraph_is_on_its_page() -> None:
    for each in stories():
        shown = LexborHTMLParser(article_page(each).decode(each.encoding, "replace")).text()
        missing = [block.text for block in each.blocks if block.kind == "p" and block.text not in shown]
        if each.broken:
            assert 0 < len(missing) < 3
        else:
            assert missing == [], each.story_id


def test_layouts_give_the_date_in_different_ways() -> None:
    def marks(publisher_id: str) -> set[bytes]:
        page = next(article_page(each) for each in stories() if each.publisher.publisher_id == publisher_id)
        known = (b"ld+json", b"article:published_time", b"<time", b"dcterms.issued", b'name="date"', b"itemprop=")
        return {mark for mark in known if mark in page}

    assert marks("ellery_post") == {b"article:published_time"}
    assert marks("inland_record") == set()
    assert b"<time" in marks("model_and_statute")
    assert marks("bitbazaar") == {b"ld+json"}
    assert marks("fomi") == {b"dcterms.issued"}
    assert len({frozenset(marks(name)) for name in publishers()}) >= 7


# Expected findings


def test_at_least_thirty_articles_have_expected_claims() -> None:
    assert sum(bool(document["claims"]) for document in expected().values()) >= 30
    assert {each.story_id for each in stories()} <= set(expected())
    found = {claim["type"] for document in expected().values() for claim in document["claims"]}
    assert found == set(EVENT_TYPES)
    assert {claim["modality"] for document in expected().values() for claim in document["claims"]} == set(Modality)


@pytest.mark.parametrize("document_id", sorted(expected()))
def test_every_expected_claim_is_in_its_article(document_id: str) -> None:
    findings, text = expected()[document_id], version(document_id).text
    assert findings["id"] == document_id
    assert findings["published"] == version(document_id).published.date().isoformat()
    for claim in findings["claims"]:
        quote = claim["quote"]
        assert text.count(quote) == 1, quote
        at = text.index(quote)
        assert at == 0 or text[at - 1] in "\n ", f"no sentence begins at {quote!r}"
        assert re.search(r"[.!?][\"”’)]?$", quote), f"no sentence ends at {quote!r}"
        assert claim["trigger"]
        assert claim["trigger"] in quote
        assert claim["type"] in EVENT_TYPES
        assert claim["modality"] in set(Modality)
        assert claim["attribution"]["kind"] in ATTRIBUTION_KINDS
        assert claim["force"] in set(Force)
        assert claim["mention"] in ("new", "background")
        assert claim["participants"]
        assert (claim.get("direction") in ("impose", "lift")) == (claim["type"] == "restriction")
        day, kind, slug = claim["event"].split("/")
        assert re.fullmatch(r"undated|\d{4}(-\d\d(-\d\d)?)?", day)
        assert kind == claim["type"]
        assert re.fullmatch(r"[a-z0-9-]+", slug)
        if claim["date"]:
            assert re.fullmatch(r"\d{4}(-\d\d(-\d\d)?)?", claim["date"]["value"])
            assert claim["date"]["basis"] in ("stated", "relative", "publication")
        for participant in claim["participants"]:
            assert participant["role"] in ROLES
            assert participant["name"]
            assert participant["text"] in quote


def test_documents_are_written_in_the_format_that_extraction_takes(tmp_path: Path) -> None:
    count = write_documents(tmp_path / "texts", tmp_path / "claims")
    assert count == len(expected()) == len(list((tmp_path / "texts").iterdir()))
    document = json.loads((tmp_path / "texts" / "gazette-vellichor-signing@2.json").read_text())
    assert document["text"].startswith("Vellichor has postponed the signing")


def test_the_twelve_addresses_of_one_story_have_three_origins() -> None:
    origins = planted()["origins"]
    groups = [group["articles"] for group in origins["group"]]
    members = [name for group in groups for name in group]
    assert len(groups) == 3
    assert len(members) == len(set(members)) == 12
    for name in members:
        done = [claim for claim in expected()[name]["claims"] if claim["event"] == origins["event"]]
        assert any(claim["modality"] == "occurred" for claim in done), name
    leads = {group["lead"] for group in origins["group"]}
    edges = {edge["from"]: edge["to"] for edge in origins["edge"]}
    assert set(edges) == set(members) - leads
    for group in origins["group"]:
        for name in set(group["articles"]) - {group["lead"]}:
            while name in edges:
                name = edges[name]
            assert name == group["lead"]
    families = [{version(name).publisher.family for name in group} for group in groups]
    assert not (families[0] & families[1] or families[0] & families[2] or families[1] & families[2])


def test_credits_are_named_in_the_articles_that_give_them() -> None:
    for document_id, findings in expected().items():
        each = version(document_id)
        for name in findings["cites"]:
            short = name.removeprefix("The Veldmark ")
            assert short in each.text or name in each.credit, document_id


def test_planted_contradictions_are_in_the_expected_claims() -> None:
    fields = set()
    for case in planted()["contradiction"]:
        fields.add(case["field"])
        for value, names in case["values"].items():
            for name in names:
                claims = [claim for claim in expected()[name]["claims"] if claim["event"] == case["event"]]
                said = {
                    "date": lambda claim: (claim["date"] or {}).get("value"),
                    "force": lambda claim: claim["force"],
                    "happened": lambda claim: claim["modality"],
                    "amount": lambda claim, value=value: value if value in claim["quote"] else None,
                }[case["field"]]
                assert value in [said(claim) for claim in claims], (name, value)
    assert fields == {"date", "force", "happened", "amount"}


def test_unfinished_acts_are_expected_as_such() -> None:
    for case in planted()["never_occurred"]:
        claims = [claim for claim in expected()[case["article"]]["claims"] if case["words"] in claim["quote"]]
        assert claims, case
        assert {claim["modality"] for claim in claims} == {case["modality"]}, case


def test_edits_and_fulfilled_plans_are_in_the_expected_claims() -> None:
    def modalities(document_id: str, event: str) -> set[str]:
        return {claim["modality"] for claim in expected()[document_id]["claims"] if claim["event"] == event}

    case = next(case for case in planted()["edited"] if case["claims_change"])
    assert modalities(case["article"], case["event"]) == {case["before"]}
    assert modalities(case["article"] + "@2", case["event"]) == {case["after"]}
    for case in planted()["comes_true"]:
        assert modalities(case["planned"], case["event"]) == {"planned"}
        assert "occurred" in modalities(case["occurred"], case["event"])


def test_timelines_name_expected_events_and_plans_are_never_done() -> None:
    done: dict[str, set[str]] = {}
    for document in expected().values():
        for claim in document["claims"]:
            done.setdefault(claim["event"], set()).add(claim["modality"])
    for timeline in planted()["timeline"]:
        for event, modality in timeline["events"]:
            assert modality in done[event]
            assert modality == "occurred" or "occurred" not in done[event]


def test_pages_that_are_not_about_oversight_have_no_claims() -> None:
    articles = planted()["articles"]
    silent = [*articles["irrelevant"], *articles["relevant_without_event"], *articles["other_language"]]
    assert all(expected()[name]["claims"] == [] for name in silent)
    assert {name for name, document in expected().items() if not document["relevant"]} == set(articles["irrelevant"])


def test_gaps_are_names_in_the_texts_but_not_in_the_lexicon() -> None:
    lexicon = tomllib.loads((FOLDER / "lexicon.toml").read_text())
    known = {entity["name"] for entity in lexicon["entity"]}
    texts = "\n".join(each.text for each in stories())
    for names in planted()["gaps"].values():
        for name in names:
            assert name in texts
            assert name not in known
    assert sum(name in texts for name in known) > 20


def test_the_newsrooms_lexicon_joins_the_packaged_one() -> None:
    lexicon = load_lexicon(FOLDER / "lexicon.toml")
    assert "openai" in lexicon.entities
    assert lexicon.name_at("model-assurance-institute", date(2026, 3, 16)) == "Talvian AI Safety Institute"
    assert lexicon.name_at("model-assurance-institute", date(2026, 3, 30)) == "Model Assurance Institute"
    names = {name.text.casefold() for name in lexicon.names}
    assert not [name for names_of in planted()["gaps"].values() for name in names_of if name.casefold() in names]


def test_relevance_filter_passes_oversight_and_nothing_else() -> None:
    articles = planted()["articles"]
    undecided = {*articles["relevant_without_event"], *articles["other_language"]}
    for document_id, findings in expected().items():
        each = version(document_id)
        if document_id not in undecided:
            assert judge_relevance(each.title, each.text).relevant == findings["relevant"], document_id


# Server


def test_every_article_is_served_where_its_feed_says(newsroom: Newsroom) -> None:
    for each in stories():
        status, headers, body = ask(newsroom.address(each.story_id))
        assert status == 200, each.story_id
        assert headers["content-type"].startswith("text/html")
        assert body == article_page(each.versions[-1])


def test_every_shape_of_feed_is_there_and_parses(newsroom: Newsroom) -> None:
    shapes = set()
    for card in newsroom.cards():
        for feed in card.feeds:
            shapes.add(feed.shape)
            status, _, body = ask(feed.url)
            assert status == 200, feed.url
            published = [each for each in stories() if each.publisher.publisher_id == card.source_id]
            if feed.shape in (FeedShape.JSON_FEED, FeedShape.JSON_API):
                content = json.loads(body)
                for key in feed.items.split(".") if feed.items else ["items"]:
                    content = content[key]
                assert len(content) >= len(published)
            elif feed.shape is FeedShape.LISTING:
                rows = LexborHTMLParser(body.decode()).css(feed.items)
                assert len(rows) == len(published)
                assert all(row.css_first(feed.link) and row.css_first(feed.date) for row in rows)
            else:
                root = ET.fromstring(body)
                addresses = {element.text for element in root.iter() if element.tag.endswith("}loc")}
                if feed.shape is FeedShape.SITEMAP:
                    assert root.tag.endswith("sitemapindex")
                    children = [ET.fromstring(ask(address)[2]) for address in sorted(filter(None, addresses))]
                    addresses = {e.text for child in children for e in child.iter() if e.tag.endswith("}loc")}
                addresses |= {element.text for element in root.iter("link")}
                addresses |= {element.get("href") for element in root.iter("{http://www.w3.org/2005/Atom}link")}
                assert {newsroom.address(each.story_id) for each in published} <= addresses
    assert shapes == set(FeedShape)


def test_robots_files_answer_or_are_missing_as_planned(newsroom: Newsroom) -> None:
    for publisher_id, publisher in publishers().items():
        status, _, body = ask(newsroom.sites[publisher_id].origin + "/robots.txt")
        assert status == (200 if publisher.robots is not None else 404)
        assert publisher.robots is None or b"User-agent: *" in body
    assert {publisher.robots is None for publisher in publishers().values()} == {True, False}


def test_odd_addresses_misbehave_as_planned(newsroom: Newsroom) -> None:
    wanted = {"gone": 410, "pdf": 200, "redirect": 301, "page": 200, "shell": 200, "forbidden": 403}
    seen = set()
    for odd in odd_addresses():
        assert odd.outcome in set(Outcome)
        seen |= {odd.outcome, odd.reading}
        if odd.answer == "elsewhere":
            assert urlsplit(odd.address).hostname not in {publisher.host for publisher in publishers().values()}
            continue
        site = newsroom.sites[odd.publisher_id]
        status, headers, body = ask(site.origin + odd.path)
        assert status == wanted[odd.answer], odd.path
        if odd.answer == "pdf":
            assert headers["content-type"] == "application/pdf"
            assert body.startswith(b"%PDF")
        if odd.answer == "redirect":
            landed = ask(site.origin + headers["location"])[0]
            assert landed == (301 if odd.outcome == "BAD_REDIRECT" else 200)
        if odd.outcome == "ROBOTS_DENIED":
            rules = re.findall(r"Disallow: (\S+)", publishers()[odd.publisher_id].robots or "")
            assert any(odd.path.startswith(rule) for rule in rules)
    assert {"GONE", "ROBOTS_DENIED", "NOT_AN_ARTICLE", "NO_TEXT", "REFUSED", "BAD_REDIRECT"} <= seen


def test_feeds_name_the_odd_addresses_from_their_day_on(last_day: Newsroom) -> None:
    for odd in odd_addresses():
        card = next(card for card in last_day.cards() if card.source_id == odd.publisher_id)
        address = odd.address or last_day.sites[odd.publisher_id].origin + odd.path

        def listed(url: str = card.feeds[0].url) -> str:
            body = ask(url)[2].decode()
            children = re.findall(r"<loc>([^<]*sitemap-[^<]*)</loc>", body)
            return body + "".join(ask(child)[2].decode() for child in children)

        last_day.set_day(date(2026, 5, 31))
        assert address in listed(), odd.path
        last_day.set_day(date(2026, 3, 1))
        assert address not in listed(), odd.path


def test_only_published_pages_are_served_and_an_edit_shows_after_its_hour(last_day: Newsroom) -> None:
    name = "gazette-vellichor-signing"
    address = last_day.address(name)
    last_day.set_day(date(2026, 3, 16))
    assert ask(address)[0] == 404
    last_day.set_day(datetime(2026, 3, 17, 6, 29, tzinfo=UTC))
    assert ask(address)[0] == 404
    last_day.set_day(date(2026, 3, 22))
    assert b"Vellichor will sign a testing agreement" in ask(address)[2]
    rss = next(card for card in last_day.cards() if card.source_id == "harbour_gazette").feeds[0].url
    assert b"updated" not in ask(rss)[2]
    last_day.set_day(datetime(2026, 3, 23, 16, 40, tzinfo=UTC))
    assert b"Vellichor has postponed the signing" in ask(address)[2]
    assert b"2026-03-23T16:40:00+00:00" in ask(rss)[2]


def test_page_is_unchanged_when_other_stories_are_published(last_day: Newsroom) -> None:
    address = last_day.address("gazette-vellichor-hopes")
    last_day.set_day(date(2026, 3, 2))
    first = ask(address)
    last_day.set_day(date(2026, 5, 30))
    assert ask(address)[2] == first[2]
    assert ask(address)[1]["etag"] == first[1]["etag"]


def test_client_with_a_fresh_copy_gets_304(newsroom: Newsroom) -> None:
    address = newsroom.address("northline-tessel-request")
    _, headers, body = ask(address)
    assert ask(address, If_None_Match=headers["etag"])[::2] == (304, b"")
    assert ask(address, If_Modified_Since=headers["last-modified"])[0] == 304
    assert ask(address, If_None_Match='"another"', If_Modified_Since=headers["last-modified"])[0] == 200
    assert ask(address, If_Modified_Since="Mon, 02 Mar 2026 00:00:00 GMT")[0] == 200
    assert ask(address, If_Modified_Since="yesterday")[2] == body


def test_pages_are_compressed_for_clients_that_can_read_it(newsroom: Newsroom) -> None:
    address = newsroom.address("ms-tessel-letter")
    _, headers, body = ask(address, Accept_Encoding="gzip, br")
    assert headers["content-encoding"] == "gzip"
    assert gzip.decompress(body) == ask(address)[2]
    status, headers, body = ask(address, method="HEAD")
    assert (status, body) == (200, b"")
    assert int(headers["content-length"]) == len(ask(address)[2])


def test_lying_and_broken_pages_are_as_planned(newsroom: Newsroom) -> None:
    (lying,) = planted()["articles"]["lying_charset"]
    _, headers, body = ask(newsroom.address(lying))
    assert headers["content-type"] == "text/html; charset=utf-8"
    with pytest.raises(UnicodeDecodeError):
        body.decode("utf-8")
    assert "René Laforêt" in body.decode("cp1252")
    (broken,) = planted()["articles"]["truncated"]
    _, _, body = ask(newsroom.address(broken))
    assert b"</TABLE>" not in body
    assert body.endswith(b"<p cl")
    assert b"\xff\xfe\x00" in body


def test_the_paywalled_page_says_so_and_affiliate_pages_repeat_their_products(newsroom: Newsroom) -> None:
    (walled,) = planted()["articles"]["partial"]
    assert b'"isAccessibleForFree": false' in ask(newsroom.address(walled))[2]
    for name in planted()["articles"]["affiliate"]:
        body = html.unescape(ask(newsroom.address(name))[2].decode())
        products = [block.text for block in story(name).blocks if block.kind == "product"]
        assert len(products) > len(set(products))
        assert "You may also like" in body
        assert all(body.count(product) == products.count(product) for product in products)


def test_cards_admit_the_loopback_port_and_the_stable_host(newsroom: Newsroom) -> None:
    cards = {card.source_id: card for card in newsroom.cards()}
    assert set(cards) == set(publishers())
    assert len({urlsplit(card.homepage).netloc for card in cards.values()}) == 12
    for each in stories():
        card = cards[each.publisher.publisher_id]
        assert urlsplit(newsroom.address(each.story_id)).netloc in card.hosts
        assert urlsplit(each.url).netloc in card.hosts
    one, two = planted()["articles"]["one_family"]
    assert cards[one].family == cards[two].family
    assert len({card.family for card in cards.values()}) == 11
    assert [card.source_id for card in cards.values() if card.agency] == ["northline"]


def test_a_closed_newsroom_frees_its_ports() -> None:
    with Newsroom() as first:
        port = urlsplit(next(iter(first.sites.values())).origin).port
    with pytest.raises(ConnectionRefusedError):
        ask(f"http://127.0.0.1:{port}/")


def test_the_crawler_meets_every_article_and_every_planted_outcome(tmp_path: Path) -> None:
    pages: list[Page] = []
    config = CrawlConfig(allow_loopback=True, contact="newsroom@demo.example")
    frontier, archive = Frontier(tmp_path / "crawl.db"), Archive(tmp_path / "archive")
    with Newsroom() as running:
        report = crawl(running.cards(), frontier, archive, config=config, sink=pages.append)
        cards = {card.source_id: card for card in running.cards()}
        texts = {page.url: read_page(page, cards[page.source_id]) for page in pages}
        for each in stories():
            reading = texts[running.address(each.story_id)]
            assert reading.outcome is Outcome.SAVED, (each.story_id, reading.detail)
            assert reading.article is not None
            claims = expected()[f"{each.story_id}@{len(each.versions)}" if each.edits else each.story_id]["claims"]
            lost = [claim["quote"] for claim in claims if claim["quote"] not in reading.article.text]
            assert lost == [], each.story_id
        met = report.outcomes
        for odd in odd_addresses():
            assert met.get(odd.outcome, 0) > 0, odd.path
            if odd.reading:
                assert texts[running.sites[odd.publisher_id].origin + odd.path].outcome == odd.reading
    members_only = b"Whoever quotes from it did not ask"
    assert not any(members_only in page.body for page in pages)
