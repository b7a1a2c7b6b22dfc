"""Parsing of feeds of every shape, valid and hostile."""

from __future__ import annotations

import gzip
import json
import resource
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from scrapers.feeds.parse import MAX_ENTRIES, absolute, plain, read_feed
from scrapers.items import Feed, FeedShape

BASE = "https://gazette.example/feeds/all"


def feed(shape: FeedShape, **keys: str) -> Feed:
    return Feed(BASE, shape, **keys)


RSS = """<?xml version="1.0"?><rss version="2.0"><channel><title>Gazette</title>
<item><title>Court &amp;amp; council: &lt;b&gt;a ruling&lt;/b&gt;</title><link>/story/1</link>
<description>&lt;p&gt;The court ruled.&lt;/p&gt;&lt;script&gt;x()&lt;/script&gt;</description>
<pubDate>Tue, 03 Mar 2026 14:20:00 -0500</pubDate><guid isPermaLink="false">g-1</guid></item>
<item><title>No link</title><pubDate>Invalid Date</pubDate></item>
<item><title>From the future</title><link>https://gazette.example/story/2#part</link>
<pubDate>Wed, 01 Jan 2094 00:00:01 GMT</pubDate></item>
</channel></rss>"""


def test_rss_feed_gives_plain_titles_absolute_urls_and_dates():
    reading = read_feed(RSS.encode(), feed(FeedShape.RSS), BASE)
    first, future = reading.entries
    assert first.url == "https://gazette.example/story/1"
    assert first.title == "Court & council: a ruling"
    assert first.summary == "The court ruled."
    assert first.published_at == datetime(2026, 3, 3, 19, 20, tzinfo=UTC)
    assert first.entry_id == "g-1"
    assert future.url == "https://gazette.example/story/2"
    assert future.published_at == datetime(2094, 1, 1, 0, 0, 1, tzinfo=UTC)


def test_entry_without_url_is_dropped_and_reported():
    reading = read_feed(RSS.encode(), feed(FeedShape.RSS), BASE)
    assert reading.faults == ("1 of 3 entries have no http(s) URL and were dropped",)


def test_guid_that_is_not_a_permalink_is_not_a_url():
    body = RSS.replace("<link>/story/1</link>", "").replace(">g-1<", ">https://gazette.example/internal/1<")
    assert [entry.title for entry in read_feed(body.encode(), feed(FeedShape.RSS), BASE).entries] == ["From the future"]


def test_atom_feed_gives_dates_of_publication_and_update():
    body = """<feed xmlns="http://www.w3.org/2005/Atom"><title>G</title><entry><id>tag:1</id>
    <title type="html">A &lt;i&gt;vote&lt;/i&gt;</title>
    <link rel="self" href="https://gazette.example/api/1"/><link rel="alternate" href="story/1"/>
    <summary>Short.</summary>
    <published>2026-03-03T10:00:00+01:00</published><updated>2026-03-04T10:00:00Z</updated></entry></feed>"""
    (entry,) = read_feed(body.encode(), feed(FeedShape.ATOM), BASE).entries
    assert entry.url == "https://gazette.example/feeds/story/1"
    assert entry.title == "A vote"
    assert entry.published_at == datetime(2026, 3, 3, 9, 0, tzinfo=UTC)
    assert entry.updated_at == datetime(2026, 3, 4, 10, 0, tzinfo=UTC)


def test_broken_xml_gives_the_readable_entries():
    body = RSS.replace("</item>\n</channel></rss>", "").replace("&amp;amp;", "& ")
    entries = read_feed(body.encode(), feed(FeedShape.RSS), BASE).entries
    assert entries[0].url == "https://gazette.example/story/1"


def test_json_feed_is_parsed():
    items = [
        {
            "id": "1",
            "url": "/story/1",
            "title": "A vote",
            "content_text": "Text.",
            "date_published": "2026-03-03T10:00:00Z",
        },
        {"id": "https://gazette.example/story/2", "date_modified": "2026-03-04"},
        "not an item",
        {"title": "no address"},
    ]
    reading = read_feed(json.dumps({"version": "1.1", "items": items}).encode(), feed(FeedShape.JSON_FEED), BASE)
    assert [entry.url for entry in reading.entries] == [
        "https://gazette.example/story/1",
        "https://gazette.example/story/2",
    ]
    assert reading.entries[0].published_at == datetime(2026, 3, 3, 10, 0, tzinfo=UTC)
    assert reading.entries[1].updated_at == datetime(2026, 3, 4, tzinfo=UTC)
    assert "1 of 3" in reading.faults[0]


NEWS = """<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9">
<url><loc> https://gazette.example/old </loc><lastmod>2026-01-01</lastmod></url>
<url><loc>https://gazette.example/new</loc><news:news>
<news:publication><news:name>Gazette</news:name></news:publication>
<news:publication_date>2026-03-03T10:00:00+00:00</news:publication_date>
<news:title>A vote &amp; a veto</news:title></news:news></url>
<url><lastmod>2026-01-01</lastmod></url></urlset>"""


def test_news_sitemap_gives_titles_and_dates_newest_first():
    reading = read_feed(NEWS.encode(), feed(FeedShape.NEWS_SITEMAP), BASE)
    assert [entry.url for entry in reading.entries] == ["https://gazette.example/new", "https://gazette.example/old"]
    assert reading.entries[0].title == "A vote & a veto"
    assert reading.entries[0].published_at == datetime(2026, 3, 3, 10, 0, tzinfo=UTC)
    assert reading.entries[1].published_at is None
    assert reading.entries[1].updated_at == datetime(2026, 1, 1, tzinfo=UTC)
    assert len(reading.faults) == 1


def test_gzipped_sitemap_is_decompressed():
    assert len(read_feed(gzip.compress(NEWS.encode()), feed(FeedShape.SITEMAP), BASE).entries) == 2


def test_sitemap_index_gives_child_feeds_newest_first():
    rows = "".join(f"<sitemap><loc>/map-{i}.xml</loc><lastmod>2026-01-{i:02}</lastmod></sitemap>" for i in range(1, 29))
    reading = read_feed(f"<sitemapindex>{rows}</sitemapindex>".encode(), feed(FeedShape.SITEMAP), BASE)
    assert reading.entries == ()
    assert reading.more[0] == "https://gazette.example/map-28.xml"
    assert len(reading.more) == 28
    assert reading.faults == ()


LISTING = """<html><head><base href="https://gazette.example/en/"></head><body>
<nav><a href="/about">About</a></nav>
<ul><li class="row"><a class="go" href="news/one"><h3>One</h3></a><time datetime="2026-03-03">3 March</time>
<p>Sum one</p></li>
<li class="row"><a class="go" href="news/two"><h3>Two</h3></a><span class="day">4 March 2026</span></li>
<li class="row"><a class="go" href="news/one">Read more</a></li>
<li class="row"><a class="go" href="mailto:news@gazette.example">Write</a></li></ul></body></html>"""


def test_listing_page_is_parsed_with_the_selectors_of_its_card():
    card = feed(FeedShape.LISTING, items=".row", link="a.go", title="h3", date="time, .day", summary="p")
    reading = read_feed(LISTING.encode(), card, BASE)
    one, two = reading.entries
    assert (one.url, one.title, one.summary) == ("https://gazette.example/en/news/one", "One", "Sum one")
    assert one.published_at == datetime(2026, 3, 3, tzinfo=UTC)
    assert two.published_at == datetime(2026, 3, 4, tzinfo=UTC)
    assert "1 of 3" in reading.faults[0]


def test_listing_page_needs_only_a_link_selector():
    reading = read_feed(LISTING.encode(), feed(FeedShape.LISTING, link='a[href^="news/"]'), BASE)
    assert [entry.title for entry in reading.entries] == ["One", "Two"]


API = {
    "count": 2,
    "results": [
        {"title": "Request for comment", "html_url": "https://register.example/d/1", "publication_date": "2026-03-03",
         "agencies": [{"name": "Office"}]},
        {"title": "Notice", "html_url": None},
    ],
}  # fmt: skip


def test_json_api_is_parsed_with_the_paths_of_its_card():
    card = feed(
        FeedShape.JSON_API,
        items="results",
        link="html_url",
        title="title",
        date="publication_date",
        summary="agencies.0.name",
    )
    reading = read_feed(json.dumps(API).encode(), card, BASE)
    (entry,) = reading.entries
    assert (entry.url, entry.title, entry.summary) == ("https://register.example/d/1", "Request for comment", "Office")
    assert entry.published_at == datetime(2026, 3, 3, tzinfo=UTC)
    assert "1 of 2" in reading.faults[0]


def test_json_api_without_list_at_its_path_reports_the_existing_keys():
    reading = read_feed(json.dumps({"data": []}).encode(), feed(FeedShape.JSON_API, items="results", link="u"), BASE)
    assert reading.entries == ()
    assert "'results'" in reading.faults[0]
    assert "data" in reading.faults[0]


@pytest.mark.parametrize("shape", list(FeedShape))
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"<",
        b"\x00\xff\xfe",
        b"{}",
        b"[]",
        b"null",
        b"<html><body>Hello</body></html>",
        b"<rss",
        b"[" * 100_000,
    ],
)
def test_nonsense_is_reported_as_a_fault_and_never_raises(shape, body):
    keys = {"items": "a", "link": "a"} if shape in {FeedShape.LISTING, FeedShape.JSON_API} else {}
    reading = read_feed(body, feed(shape, **keys), BASE)
    assert reading.entries == ()
    assert reading.faults


def test_web_page_instead_of_a_feed_is_reported():
    reading = read_feed(b"<!DOCTYPE html><html><body>Moved</body></html>", feed(FeedShape.RSS), BASE)
    assert "web page" in reading.faults[0]


def test_number_of_entries_is_limited():
    items = "".join(
        f"<item><title>{i}</title><link>/s/{i}</link><pubDate>Tue, 03 Mar 2026 14:20:00 GMT</pubDate></item>"
        for i in range(2_100)
    )
    reading = read_feed(f'<rss version="2.0"><channel>{items}</channel></rss>'.encode(), feed(FeedShape.RSS), BASE)
    assert len(reading.entries) == MAX_ENTRIES
    assert "2,100" in reading.faults[0]


ENTITY = """<?xml version="1.0"?><!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/hostname">%s]>"""
LAUGHS = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10 if i else "lol" * 10}">' for i in range(9))


@pytest.mark.parametrize(
    ("shape", "body"),
    [
        (FeedShape.RSS, "<rss><channel><item><title>&x;&l8;</title><link>/1</link></item></channel></rss>"),
        (
            FeedShape.ATOM,
            '<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>&x;&l8;</title><link href="/1"/></entry></feed>',
        ),
        (FeedShape.SITEMAP, "<urlset><url><loc>https://gazette.example/&x;&l8;</loc></url></urlset>"),
    ],
)
def test_entities_of_a_feed_read_no_file_and_do_not_explode(shape, body):
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    reading = read_feed((ENTITY % LAUGHS + body).encode(), feed(shape), BASE)
    hostname = _hostname()
    assert all(hostname not in entry.title + entry.url and "lollol" not in entry.title for entry in reading.entries)
    assert time.process_time() - began < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000


def _hostname() -> str:
    try:
        return Path("/etc/hostname").read_text().strip() or "no such name"
    except OSError:
        return "no such name"


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        ("story/1", "https://gazette.example/feeds/story/1"),
        ("//other.example/a b", "https://other.example/a%20b"),
        ("javascript:alert(1)", ""),
        ("file:///etc/passwd", ""),
        ("https://[broken", ""),
        ("mailto:a@b.example", ""),
        ("https://:80/", ""),
    ],
)
def test_only_http_links_are_urls(link, expected):
    assert absolute(link, BASE) == expected


def test_markup_and_entities_are_removed_from_a_title():
    assert plain("One<script>a < b</script> two<STYLE>p{}</style > three</script> <script>four") == "One two three four"
    assert plain("<script>" * 4_000 + "end") == "end"
    assert plain("AT&amp;T &lt;em&gt;wins&lt;/em&gt;<br/>again &nbsp; 3 < 4") == "AT&T wins again 3 < 4"
