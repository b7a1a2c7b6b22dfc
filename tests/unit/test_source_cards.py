"""Loading source cards: valid cards, errors that name file, key and remedy, and the catalogue of the package."""

from __future__ import annotations

import csv
import re
from datetime import date
from urllib.parse import urlsplit

import pytest

from scrapers.cards import SOURCES, CardError, load_sources, read_card
from scrapers.items import FeedShape, Source, SourceType

CARD = """
title = "The Gazette"
homepage = "https://www.gazette.example/"
source_type = "press"
jurisdiction = "GB"
language = "en-GB"

[[feed]]
url = "https://www.gazette.example/rss.xml"
shape = "rss"
"""


def write(tmp_path, text: str, name: str = "the_gazette.toml"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_minimal_card_gets_defaults(tmp_path):
    source = read_card(write(tmp_path, CARD))
    assert isinstance(source, Source)
    assert source.source_id == source.family == "the_gazette"
    assert source.source_type is SourceType.PRESS
    assert source.hosts == ("gazette.example", "www.gazette.example")
    assert source.feeds[0].shape is FeedShape.RSS
    assert (source.feeds[0].every_minutes, source.feeds[0].pass_all, source.enabled) == (30, False, True)


def test_a_card_with_every_key_is_read(tmp_path):
    text = CARD.replace(
        "[[feed]]", 'family = "presses"\nhosts = [".gazette.example"]\nagency = true\npause_seconds = 2\n[[feed]]'
    )
    text += """
[[feed]]
url = "https://www.gazette.example/news"
shape = "listing"
items = "li.story"
link = "a"
pass_all = true

[[recipe]]
body = "article .text > p"
drop = [".advert", "aside"]
title = "h1"
valid_from = 2024-05-01
valid_until = 2026-01-31
"""
    source = read_card(write(tmp_path, text))
    assert (source.family, source.hosts, source.agency, source.pause_seconds) == (
        "presses",
        (".gazette.example",),
        True,
        2,
    )
    assert source.feeds[1].items == "li.story"
    (recipe,) = source.recipes
    assert recipe.drop == (".advert", "aside")
    assert (recipe.valid_from, recipe.valid_until) == (date(2024, 5, 1), date(2026, 1, 31))


def test_a_homepage_with_a_port_keeps_it_in_the_hosts(tmp_path):
    assert read_card(write(tmp_path, CARD.replace('www.gazette.example/"', '127.0.0.1:8099/"'))).hosts == (
        "127.0.0.1:8099",
    )


WRONG = [
    ('shape = "rss"', 'shape = "json2"', ["feed 1", "shape", "'json2'", "jsonfeed"]),
    ('shape = "rss"', "", ["feed 1", "shape", "missing", "news-sitemap"]),
    ('source_type = "press"', 'source_type = "newspaper"', ["source_type", "'newspaper'", "primary"]),
    ('source_type = "press"', "", ["source_type", "missing", "aggregator"]),
    ("source_type =", "standing =", ["'standing'", "did you mean 'source_type'?"]),
    ("title =", "titel =", ["'titel'", "unknown", "'title'"]),
    ('language = "en-GB"', 'language = "english"', ["language", "'english'", "en-GB"]),
    ('jurisdiction = "GB"', 'jurisdiction = "Britain"', ["jurisdiction", "'Britain'", "ISO 3166"]),
    ('"https://www.gazette.example/rss.xml"', '"gazette.example/rss"', ["feed 1", "url", "https://"]),
    ('"https://www.gazette.example/rss.xml"', '"file:///etc/passwd"', ["feed 1", "url", "https://"]),
    ('shape = "rss"', 'shape = "rss"\nevery_minutes = "often"', ["every_minutes", "'often'", "whole number"]),
    ('shape = "rss"', 'shape = "rss"\nevery_minutes = true', ["every_minutes", "True", "whole number"]),
    ('shape = "rss"', 'shape = "rss"\nevery_minutes = 0', ["every_minutes", "1 or more"]),
    ('shape = "rss"', 'shape = "rss"\nitems = "li"', ["items", "does not apply", "'rss'"]),
    ('shape = "rss"', 'shape = "listing"', ["listing", "link"]),
    ('shape = "rss"', 'shape = "json-api"', ["json-api", "link"]),
    ("[[feed]]", "[feed]", ["feed", "[[feed]]"]),
    ("[[feed]]", "family = 3\n[[feed]]", ["family is 3", "a text"]),
    ("[[feed]]", "hosts = [1]\n[[feed]]", ["hosts", "1", "list of texts"]),
    ("[[feed]]", 'hosts = ["https://x.example/"]\n[[feed]]', ["hosts", "bare host"]),
    ("[[feed]]", "enabled = false\n[[feed]]", ["enabled", "note"]),
    ("[[feed]]", "[[feed", ["not TOML", "line"]),
    ('shape = "rss"', 'shape = "rss"\n[[recipe]]\nbody = "p:hass(a"', ["recipe 1", "body", "CSS selector"]),
    ('shape = "rss"', 'shape = "rss"\n[[recipe]]\ndrop = ["p"]', ["recipe 1", "no selector", "body"]),
    (
        'shape = "rss"',
        'shape = "rss"\n[[recipe]]\nbody = "p"\nvalid_from = "2024"',
        ["recipe 1", "valid_from", "without quotes"],
    ),
    (
        'shape = "rss"',
        'shape = "rss"\n[[recipe]]\nbody = "p"\nvalid_from = 2024-02-01\nvalid_until = 2024-01-01',
        ["recipe 1", "valid_until", "before"],
    ),
]


@pytest.mark.parametrize(("right", "wrong", "said"), WRONG)
def test_invalid_card_is_refused_with_file_key_and_remedy(tmp_path, right, wrong, said):
    assert right in CARD
    path = write(tmp_path, CARD.replace(right, wrong, 1))
    with pytest.raises(CardError) as error:
        read_card(path)
    for word in [str(path), *said]:
        assert word in str(error.value)


def test_all_errors_of_a_card_are_reported(tmp_path):
    path = write(tmp_path, CARD.replace("title =", "titel =").replace('"rss"', '"json2"'))
    with pytest.raises(CardError) as error:
        read_card(path)
    unknown, missing, shape = str(error.value).splitlines()
    assert "did you mean 'title'?" in unknown and "title is missing" in missing and "feed 1: shape" in shape


def test_an_enabled_card_without_a_feed_is_refused(tmp_path):
    with pytest.raises(CardError, match=r"no \[\[feed\]\]"):
        read_card(write(tmp_path, CARD.partition("[[feed]]")[0]))


def test_file_name_that_is_not_an_id_is_refused(tmp_path):
    with pytest.raises(CardError, match="lower-case letters"):
        read_card(write(tmp_path, CARD, "The Gazette.toml"))


def test_missing_card_and_missing_folder_are_named(tmp_path):
    with pytest.raises(CardError, match="nothing_here.toml"):
        read_card(tmp_path / "nothing_here.toml")
    with pytest.raises(CardError, match="no such folder"):
        load_sources(tmp_path / "nowhere")


def test_catalogue_has_sources_of_every_type():
    sources = load_sources()
    enabled = [source for source in sources if source.enabled]
    assert len(enabled) >= 30
    assert {source.source_type for source in enabled} >= {
        SourceType.PRIMARY,
        SourceType.LAB,
        SourceType.WIRE,
        SourceType.PRESS,
        SourceType.TRADE,
    }
    assert {feed.shape for source in enabled for feed in source.feeds} >= {
        FeedShape.RSS, FeedShape.ATOM, FeedShape.SITEMAP, FeedShape.NEWS_SITEMAP, FeedShape.LISTING, FeedShape.JSON_API,
    }  # fmt: skip
    assert [source.source_id for source in sources] == sorted(path.stem for path in SOURCES.glob("*.toml"))


def test_nearly_every_surveyed_source_has_a_card(shared):
    """Sources whose URL answered are enabled, unless the card says why not."""
    sources = load_sources()
    by_host = {host.lstrip(".").removeprefix("www."): source for source in sources for host in source.hosts}
    by_host |= {urlsplit(feed.url).hostname.removeprefix("www."): s for s in sources for feed in s.feeds}
    with (shared / "sources.tsv").open(newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    found = {row["name"]: by_host.get(urlsplit(row["url"]).hostname.removeprefix("www.")) for row in rows}
    assert sum(source is not None for source in found.values()) >= 95
    off = [
        r["name"]
        for r in rows
        if r["status"] == "confirmed" and (s := found[r["name"]]) and not s.enabled and not s.note
    ]
    assert off == []


def test_catalogue_covers_many_jurisdictions():
    enabled = [source for source in load_sources() if source.enabled]
    assert {"US", "US-CA", "US-NY", "EU", "GB", "FR", "IE", "CA", "AU", "KR", "INT"} <= {
        s.jurisdiction for s in enabled
    }
    assert len(enabled) >= 65 and sum(source.expects_per_week > 0 for source in enabled) >= 40
    assert all(source.expects_per_week <= 40 for source in enabled), "health checks look at no more items than this"


def test_each_feed_is_on_one_card_and_uses_https():
    addresses = [feed.url for source in load_sources() for feed in source.feeds]
    assert len(addresses) == len(set(addresses))
    assert all(urlsplit(address).scheme == "https" for address in addresses)


def test_every_disabled_card_says_why():
    for source in load_sources():
        assert source.enabled or re.search(r"\w+ \w+", source.note), source.source_id
