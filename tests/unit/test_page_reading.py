"""The page reader, on recorded and invented pages."""

from __future__ import annotations

import hashlib
import json
import re
import time
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scrapers.cards import read_card
from scrapers.items import FeedEntry, Outcome, Page, Precision, Reading, article_id, text_version
from scrapers.reading import parser_limits
from scrapers.reading.article import read_page
from scrapers.reading.canonical_url import canonical_address, tidy_address
from scrapers.reading.decoding import decode
from scrapers.reading.parser_limits import _scan, unsafe_markup
from scrapers.reading.timestamps import read_moment

PAGES = Path(__file__).parent / "pages"
FETCHED = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
ADDRESSES = {
    "the_harbour_courier": "https://www.harbour-courier.example/news/port-council-cargo-model",
    "the_lantern_journal": "https://lantern-journal.example/stories/quill-4-audit?fbclid=x",
    "the_meridian_review": "https://meridian-review.example/2026/senator",
    "gadget_parade": "https://gadget-parade.example/ministry-asks-tallgrass",
}
PROSE = (
    "<p>The committee voted on Monday to ask the laboratory for its test results, its chair said in the hall.</p>"
    "<p>The laboratory said that it would answer within a week, and that two of the tests were still running.</p>"
)


def page(
    body: bytes | str,
    url: str = "https://gazette.example/story/one",
    media_type: str = "text/html",
    charset: str = "",
) -> Page:
    raw = body.encode() if isinstance(body, str) else body
    sha256 = hashlib.sha256(raw).hexdigest()
    return Page(url, url, "gazette", FETCHED, 200, media_type, charset, (), raw, sha256)


def html(inside: str, head: str = "") -> str:
    return f"<html><head><title>A vote</title>{head}</head><body><article>{inside}</article></body></html>"


def recorded(name: str) -> Reading:
    card = PAGES / f"{name}.toml"
    source = read_card(card) if card.exists() else None
    return read_page(page((PAGES / f"{name}.html").read_bytes(), ADDRESSES[name]), source)


@pytest.mark.parametrize("name", sorted(ADDRESSES))
def test_recorded_page_gives_the_expected_article(name):
    expected = json.loads((PAGES / f"{name}.json").read_text(encoding="utf-8"))
    reading = recorded(name)
    article = reading.article
    assert reading.outcome is Outcome.SAVED, reading.detail
    assert article.text.split("\n\n") == expected["paragraphs"]
    assert [[block.rule, block.text] for block in article.removed_blocks] == expected["removed"]
    assert [list(link) for link in article.links] == expected["links"]
    assert list(article.byline) == expected["byline"]
    assert article.published_at == datetime.fromisoformat(expected["published_at"])
    assert (article.modified_at.isoformat() if article.modified_at else None) == expected.get("modified_at")
    for key in ("url", "title", "published_basis", "language", "publisher", "access", "has_affiliate_content"):
        assert getattr(article, key) == expected[key], key
    assert article.published_precision == expected["published_precision"]


def test_ids_of_an_article_depend_on_url_and_text_alone():
    article = recorded("the_lantern_journal").article
    assert article.article_id == article_id("https://lantern-journal.example/stories/quill-4-audit")
    assert article.version == text_version(article.text)


def test_reading_is_deterministic():
    assert recorded("gadget_parade") == recorded("gadget_parade")


@pytest.mark.parametrize(
    "head",
    [
        '<script type="application/ld+json">{"@type":"NewsArticle","headline":NaN,"author":Infinity}</script>',
        '<script type="application/ld+json">{"@type":"NewsArticle","headline":true}</script>',
        '<meta property="og:title" content="undefined">',
        '<meta property="og:title" content="NULL">',
    ],
)
def test_what_a_template_prints_without_a_title_is_no_title(head):
    article = read_page(page(html(PROSE, head))).article
    assert (article.title, article.byline) == ("A vote", ())


def test_bidirectional_and_control_characters_are_removed_from_a_title():
    head = '<meta property="og:title" content="A \u202evote\u202c \u2066on\u2069 \u061c\u0007the law\u200b">'
    assert read_page(page(html(PROSE, head))).article.title == "A vote on the law"


def test_a_day_that_does_not_exist_is_not_taken():
    head = '<meta property="article:published_time" content="2026-02-30T10:00:00Z">'
    found = read_page(page(html(PROSE + "<time datetime='2026-02-30'>30 February 2026</time>", head))).article
    assert (found.published_at, found.published_basis) == (None, "unknown")


@pytest.mark.parametrize("written", ["1 May 2026", "May 1, 2026", "2026-05-01", "1st of May 2026", "01.05.2026"])
def test_the_first_of_a_month_is_taken_if_it_is_written(written):
    found = read_page(page(html(f"<time>{written}</time>{PROSE}"))).article
    assert str(found.published_at.date()) == "2026-05-01"


def test_a_month_alone_is_no_day():
    assert read_page(page(html(f"<p class='date'>Published in May 2026</p>{PROSE}"))).article.published_at is None


def test_general_reader_is_used_if_a_recipe_finds_nothing():
    source = read_card(PAGES / "the_harbour_courier.toml")
    reading = read_page(page(html(PROSE)), source)
    assert reading.outcome is Outcome.SAVED
    assert reading.article.text.startswith("The committee voted")


def test_recipe_is_not_used_after_its_last_day():
    source = read_card(PAGES / "the_harbour_courier.toml")
    old = replace(source, recipes=(replace(source.recipes[0], body=".only"),))
    inside = f'<div class="only"><p>Only this stands in the old container of the page.</p></div>{PROSE}'
    late = html(inside, '<meta property="article:published_time" content="2026-06-01T10:00:00Z">')
    early = html(inside, '<meta property="article:published_time" content="2025-06-01T10:00:00Z">')
    assert "The committee voted" in read_page(page(late), old).article.text
    assert read_page(page(early), old).outcome is Outcome.NO_TEXT


@pytest.mark.parametrize(
    ("start", "word"),
    [(b"%PDF-1.7 ", "PDF"), (b"\x89PNG\r\n", "PNG"), (b"PK\x03\x04", "ZIP"), (b"<?xml version='1.0'?><rss>", "feed")],
)
def test_other_formats_are_recognised_by_name(start, word):
    reading = read_page(page(start + b"x" * 500), None)
    assert reading.outcome is Outcome.NOT_AN_ARTICLE
    assert word in reading.detail


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<div>" * 3_000, "nested"),
        (b"<div " + b'a=">" ' * 30_000 + b">", "attributes"),
        (b"<p>x</p>" * 60_000, "tags"),
        (b"<div/>" * 3_000, "nested"),
        (b"<svg><path/></svg>" + b"<path/>" * 3_000, "nested"),
    ],
)
def test_unsafe_markup_is_refused_quickly_with_a_reason(body, said):
    began = time.process_time()
    reading = read_page(page(b"<html><body>" + body), None)
    assert reading.outcome is Outcome.UNREADABLE
    assert said in reading.detail
    assert time.process_time() - began < 1.0


@pytest.mark.parametrize("body", [b'<p a="' * 500_000, b"<!--" * 500_000, b"<a b=' " * 300_000, b"<" * 1_000_000])
def test_scanning_hostile_markup_takes_linear_time(body):
    began = time.process_time()
    unsafe_markup(body)
    assert time.process_time() - began < 2.0


@pytest.mark.parametrize(
    "inside",
    [
        "<p>Comments</p>" * 24_000,
        "<p>You may also like</p><p>A title of some length without an end</p>" * 12_000,
        "<div class=related>" * 400 + PROSE * 8_000,
        '<script type="application/ld+json">{' + '"a":1,/* ' * 100_000 + "</script>" + PROSE,
        '<script type="application/ld+json">' + '"\\' * 400_000 + "</script>" + PROSE,
        '<script type="application/ld+json">' + "[" * 100_000 + "</script>" + PROSE,
        "<time>" + "1 " * 1_000_000 + "</time>" + PROSE,
    ],
    ids=["comments", "teasers", "deep", "open comments", "open string", "brackets", "long time"],
)
def test_page_designed_to_be_slow_is_read_in_seconds(inside):
    began = time.process_time()
    read_page(page(html(inside)), None)
    assert time.process_time() - began < 5.0


PIECES = """
<div> </div> <a\thref="x"> </a> <p> </p> <br/> <svg> </svg> <path\td='M'/> <g> <script> </script> <SCRIPT\ta=b>
</ScRipt\t> <style> </style <title> </title> <textarea> </TEXTAREA> <!-- --> -- <!doctype\thtml> < > " ' = \t / a text
<a\tb="<div>"> <a\tb=c"d> <a\tb=="x>y"> <a\t="x>y"> <a\tb\t=\t"x>y"> <a\tb="x"c="y>z"> <a/b="x>y"> <a\tb="x> <3 <div/>
<x-y\tz=1/> </x-y\tfoo="<i>"> <Div> </DIV> <li\ta='b'> <span>t</span> <h2\tclass=x>t</h2> <b><i>x</i> <iframe>
</iframe> </\tdiv> <scripty>
"""
MARKUP = st.lists(st.sampled_from(re.split("[ \n]+", PIECES)), max_size=60).map(lambda parts: "".join(parts).encode())


@settings(max_examples=300, deadline=None)
@given(MARKUP, st.sampled_from([(512, 50_000), (3, 50_000), (5, 12)]))
def test_skipping_plain_markup_does_not_change_the_result(body, limits):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parser_limits, "MAX_DEPTH", limits[0])
        patch.setattr(parser_limits, "MAX_TAGS", limits[1])
        assert unsafe_markup(body) == _scan(body, skip_plain=False)[0]


def test_ordinary_markup_is_safe():
    assert unsafe_markup(b"<ul>" + b"<li><p>one<br><img src=a>" * 2_000 + b"</ul>") == ""
    assert unsafe_markup(b"<svg>" + b"<path d='M0 0'/>" * 2_000 + b"</svg><script>" + b"'<div>'" * 2_000) == ""


def test_page_over_the_size_limit_is_too_large():
    reading = read_page(page(b"<html>" + b"x" * 5_000_001), None)
    assert reading.outcome is Outcome.TOO_LARGE
    assert "5,000,000" in reading.detail


def test_empty_response_and_page_of_scripts_have_no_text():
    assert read_page(page(b"  "), None).outcome is Outcome.NO_TEXT
    assert read_page(page(html("<script>render()</script>")), None).outcome is Outcome.NO_TEXT


def test_error_page_with_status_200_is_not_an_article():
    soft = f"<html><head><title>Page not found</title></head><body>{PROSE}</body></html>"
    assert read_page(page(soft), None).outcome is Outcome.NOT_AN_ARTICLE


def test_front_page_is_not_an_article():
    assert read_page(page(html(PROSE), url="https://gazette.example/"), None).outcome is Outcome.NOT_AN_ARTICLE


def test_listing_is_not_an_article():
    links = "".join(
        f"<p><a href='/story/{i}'>A headline of some length about number {i}, and more</a></p>" for i in range(40)
    )
    assert read_page(page(f"<html><body><main>{links}</main></body></html>"), None).outcome in {
        Outcome.NOT_AN_ARTICLE,
        Outcome.NO_TEXT,
    }


@pytest.mark.parametrize(
    ("raw", "charset"),
    [
        ("naïve “quotes”".encode(), "iso-8859-1"),
        ("naïve “quotes”".encode("cp1252"), "utf-8"),
        ("naïve “quotes”".encode("cp1252"), ""),
        ("naïve “quotes”".encode("utf-16"), ""),
        ("\ufeffnaïve “quotes”".encode(), "ascii"),
        ("naïve “quotes”".encode(), "no-such-charset"),
    ],
)
def test_wrong_charset_in_the_header_does_not_garble_text(raw, charset):
    assert decode(raw, charset) == "naïve “quotes”"


def test_charset_of_the_meta_tag_is_used_without_one_in_the_header():
    raw = '<meta charset="windows-1251"><p>Дума</p>'.encode("cp1251")
    assert "Дума" in decode(raw)


def test_control_characters_are_removed():
    reading = read_page(page(html(PROSE.replace("committee", "com\x00mit\x08tee\u200b"))), None)
    assert reading.article.text.startswith("The committee voted")


def test_white_space_is_collapsed_and_paragraphs_stay_separate():
    inside = (
        PROSE.replace(" voted ", "&nbsp; voted\n\t ") + "<p>First line<br><br>Second line of the same paragraph.</p>"
    )
    text = read_page(page(html(inside)), None).article.text
    assert "committee voted on" in text
    assert "First line\n\nSecond line of the same paragraph." in text


def test_date_in_the_future_is_ignored_in_favour_of_the_next():
    head = (
        '<meta property="article:published_time" content="2031-01-01T00:00:00Z">'
        '<meta name="parsely-pub-date" content="2026-06-30T10:00:00Z">'
    )
    article = read_page(page(html(PROSE, head)), None).article
    assert article.published_at == datetime(2026, 6, 30, 10, 0, tzinfo=UTC)
    assert article.published_basis == "meta"


def test_feed_supplies_missing_date_and_title():
    hint = FeedEntry(
        "https://gazette.example/story/one", "A vote, at last", published_at=datetime(2026, 6, 1, tzinfo=UTC)
    )
    bare = f"<html><body><article>{PROSE}</article></body></html>"
    article = read_page(page(bare), None, hint).article
    assert (article.published_at, article.published_basis) == (hint.published_at, "feed")
    assert article.title == "A vote, at last"


def test_undated_page_gets_the_day_in_its_url_if_any():
    dated = read_page(page(html(PROSE), url="https://gazette.example/2026/05/17/vote"), None).article
    assert dated.published_at == datetime(2026, 5, 17, tzinfo=UTC)
    assert (dated.published_basis, dated.published_precision) == ("htmldate", Precision.DAY)
    assert read_page(page(html(PROSE)), None).article.published_at is None


def test_article_body_of_json_ld_is_used_only_for_short_pages():
    data = json.dumps(
        {"@type": "NewsArticle", "headline": "A vote", "articleBody": "One long paragraph of text. " * 40}
    )
    script = f'<script type="application/ld+json">{data}</script>'
    assert "One long paragraph" in read_page(page(html("<p>Loading the story.</p>", script)), None).article.text
    full = read_page(page(html(PROSE * 5 + "<p>" + "Another sentence of it. " * 30 + "</p>", script)), None).article
    assert "One long paragraph" not in full.text


def test_plain_text_is_split_at_blank_lines():
    text = "A vote in the hall\n\n" + "The committee voted on Monday. " * 5 + "\n\n" + "It will meet again. " * 5
    article = read_page(page(text, media_type="text/plain"), None).article
    assert article.title == "A vote in the hall"
    assert article.text.count("\n\n") == 1


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("HTTPS://Example.org:443/a?utm_source=x&id=7#part", "https://example.org/a?id=7"),
        ("https://example.org/story/amp/", "https://example.org/story"),
        ("https://example.org/story.amp.html", "https://example.org/story.html"),
        ("https://m.example.co.uk/a", "https://www.example.co.uk/a"),
        ("https://example.org/x?b=2&a=1&smid=tw&CMP=share", "https://example.org/x?b=2&a=1"),
        ("javascript:alert(1)", ""),
        ("https://[broken/", ""),
    ],
)
def test_normal_form_of_a_url_drops_everything_but_the_page(address, expected):
    assert tidy_address(address) == expected


def test_canonical_url_is_never_on_another_site_or_a_front_page():
    own = "https://gazette.example/story/one"
    assert canonical_address(own, ["https://other.example/story"]) == own
    assert canonical_address(own, ["https://gazette.example/"]) == own
    assert canonical_address(own, ["/story/1"]) == "https://gazette.example/story/1"


@pytest.mark.parametrize(
    ("written", "expected", "precision"),
    [
        ("2026-04-09T23:40:00-04:00", datetime(2026, 4, 10, 3, 40, tzinfo=UTC), Precision.MINUTE),
        ("2026-04-09", datetime(2026, 4, 9, tzinfo=UTC), Precision.DAY),
        ("2026-05-02T00:00:00+01:00", datetime(2026, 5, 2, tzinfo=UTC), Precision.DAY),
        ("Thu, 01 Jan 2004 19:48:21 GMT", datetime(2004, 1, 1, 19, 48, 21, tzinfo=UTC), Precision.MINUTE),
        ("April 28, 2023 2:26 PM EDT", datetime(2023, 4, 28, 18, 26, tzinfo=UTC), Precision.MINUTE),
        ("3 March 2026", datetime(2026, 3, 3, tzinfo=UTC), Precision.DAY),
        ("1682000000", datetime(2023, 4, 20, 14, 13, 20, tzinfo=UTC), Precision.MINUTE),
    ],
)
def test_date_is_parsed_with_its_precision(written, expected, precision):
    assert read_moment(written) == (expected, precision)


@pytest.mark.parametrize(
    "written", ["2026-04-09T23:40:00-04:00", "Thu, 09 Apr 2026 23:40:00 -0400", "April 9, 2026 11:40 PM EDT"]
)
def test_story_of_the_evening_keeps_its_local_date(written):
    moment, _ = read_moment(written)
    assert moment.date() == date(2026, 4, 9)


@pytest.mark.parametrize("written", ["", "soon", "Invalid Date", "2026-13-45", "0000-00-00", None, True, "9" * 400])
def test_invalid_date_is_none(written):
    assert read_moment(written) is None


def test_canonical_url_may_be_on_another_host_of_the_card() -> None:
    own, hosts = "http://127.0.0.1:8101/2026/03/02/order", ("127.0.0.1:8101", "www.gazette.example")
    assert canonical_address(own, ["https://www.gazette.example/order"], hosts) == "https://www.gazette.example/order"
    assert canonical_address(own, ["https://www.other.example/order"], hosts) == own
