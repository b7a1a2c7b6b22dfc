"""Crawls of local servers: saving, refusing, rate limits, hostile sites, and kills."""

from __future__ import annotations

import contextlib
import gzip
import ipaddress
import os
import resource
import signal
import socket
import ssl
import subprocess
import sys
import textwrap
import threading
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import brotli
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from support.hostile.cases import CASES, HOPS, LINKS
from support.hostile.server import Handler, Site, article, redirect, status

from scrapers.archive.store import Archive
from scrapers.crawling.crawl import ConfigError, CrawlConfig, CrawlError, CrawlReport, crawl
from scrapers.crawling.frontier import Frontier
from scrapers.items import Feed, FeedEntry, FeedShape, Outcome, Page, Source, SourceType

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
ROOT = Path(__file__).parents[2]


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.close()


def source_of(site: Site, **changes: object) -> Source:
    fields: dict = {
        "source_id": "gazette", "title": "The Gazette", "homepage": site.url("/"), "source_type": SourceType.PRESS,
        "jurisdiction": "US", "language": "en", "family": "gazette", "hosts": (site.host,),
        "feeds": (Feed(site.url("/feed"), FeedShape.RSS, pass_all=True),),
    }  # fmt: skip
    return Source(**fields | changes)


class Ledger:
    """A data folder with frontier and archive, crawled at times that the test chooses."""

    def __init__(self, folder: Path) -> None:
        self.frontier = Frontier(folder / "crawl.db")
        self.archive = Archive(folder / "archive")

    def crawl(self, *sources: Source, after: timedelta = timedelta(0), **config: object) -> CrawlReport:
        settings: dict = {"allow_loopback": True, "pause_seconds": 0.0, "timeout_seconds": 5.0} | config
        self.pages: list[Page] = []
        self.lines: list[str] = []
        return crawl(
            sources, self.frontier, self.archive, config=CrawlConfig(now=lambda: NOW + after, **settings),
            sink=self.pages.append, progress=self.lines.append,
        )  # fmt: skip

    def outcomes(self) -> dict[str, str]:
        """Return the latest outcome of each URL."""
        rows = self.frontier.db.execute("select url, outcome from visits order by visit_id").fetchall()
        return {row["url"]: row["outcome"] for row in rows}


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(tmp_path)
    yield ledger
    ledger.archive.close()


def test_articles_of_a_feed_are_saved_and_a_second_run_adds_nothing(site: Site, ledger: Ledger) -> None:
    site.routes["/robots.txt"] = b"User-agent: *\nDisallow: /private"
    links = [f"/news/{n}" for n in range(5)]
    etag = '"v1"'

    def feed(h: Handler) -> None:
        same = h.headers.get("If-None-Match") == etag
        h.reply(b"" if same else site.feed(links), status=304 if same else 200, media="application/rss+xml", ETag=etag)

    site.routes["/feed"] = feed
    site.routes |= {link: article(f"Story of {link}.") for link in links}
    report = ledger.crawl(source_of(site))
    assert report.outcomes == {"SAVED": 6} and report.n_visits == 6 and report.n_pages == 5
    assert report.stopped == "" and report.n_bytes > 0
    assert sorted(page.url for page in ledger.pages) == sorted(map(site.url, links))
    assert ledger.pages[0].media_type == "text/html" and ledger.pages[0].charset == "utf-8"
    assert all(ledger.archive.get(page.sha256) == page for page in ledger.pages)
    assert ledger.lines == ["The Gazette: 5 new pages, 1 feed read."]
    assert {page.fetched_at for page in ledger.pages} == {NOW}, "the caller's clock is used"
    assert ledger.frontier.hint(site.url("/news/1")).title == "On /news/1"
    agents = {asked.headers["user-agent"] for asked in site.asked}
    assert agents == {"OversightLedger/0.1"}

    site.asked.clear()
    again = ledger.crawl(source_of(site), after=timedelta(minutes=31))
    assert again.outcomes == {"UNCHANGED": 1} and again.n_pages == 0
    assert site.paths(without_robots=False) == ["/feed"]  # robots.txt is stored too
    nothing = ledger.crawl(source_of(site), after=timedelta(minutes=32))
    assert nothing.n_visits == 0 and site.paths() == ["/feed"]


def test_edited_article_is_saved_again_and_unchanged_one_is_not(site: Site, ledger: Ledger) -> None:
    site.routes["/feed"] = site.feed(["/a", "/b"])
    site.routes |= {"/a": article("First wording."), "/b": article("The same.")}
    ledger.crawl(source_of(site))
    site.routes["/a"] = article("Second wording.")
    report = ledger.crawl(source_of(site), after=timedelta(hours=2))
    assert [page.url for page in ledger.pages] == [site.url("/a")]
    assert report.outcomes == {"SAVED": 1, "UNCHANGED": 2}
    assert [ref.url for ref in ledger.archive.pages()].count(site.url("/a")) == 2
    assert len(list(ledger.archive.pages())) == 3


def test_the_network_is_down_if_no_host_of_three_sources_is_reached(ledger: Ledger) -> None:
    sites = [Site(f"127.0.0.{n}") for n in (1, 2, 3)]
    for site in sites:
        site.routes["/feed"] = site.feed([])
    sources = [source_of(site, source_id=f"gazette{n}") for n, site in enumerate(sites)]
    assert not ledger.crawl(*sources).network_down
    for site in sites:
        site.close()
    assert not ledger.crawl(*sources[:2], after=timedelta(days=1)).network_down, "two may be down themselves"
    report = ledger.crawl(*sources, after=timedelta(days=10))
    assert report.network_down and report.n_visits == 3, str(report)


def test_every_hostile_case_has_its_expected_outcome(site: Site, ledger: Ledger) -> None:
    site.routes = {path: route for path, (route, _) in CASES.items()} | HOPS
    site.routes["/feed"] = site.feed([*CASES, *LINKS])
    report = ledger.crawl(source_of(site), timeout_seconds=1.5, max_bytes=2_000_000, memory_mb=768)
    assert report.duration_seconds < 300, "each is stopped in time, within 768 MiB of address space"
    found = ledger.outcomes()
    expected = {site.url(path): outcome.value for path, (_, outcome) in CASES.items()}
    expected |= {link: outcome.value for link, outcome in LINKS.items()} | {site.url("/feed"): "SAVED"}
    assert {u: (found.get(u), e) for u, e in expected.items() if found.get(u) != e} == {}
    assert report.outcomes == dict(sorted(Counter(expected.values()).items()))
    assert report.n_visits == len(expected) == sum(report.outcomes.values())
    asked = Counter(site.paths())
    assert asked["/e-hangs-up"] == 2, "a broken connection is reopened once"
    assert asked["/p-cut-short"] == 2, "a broken connection is tried once more"
    assert asked["/h-500"] == 1 and asked["/b-drip-body"] == 1
    pages = {page.url: page for page in ledger.pages}
    assert b"Caf\xe9" in pages[site.url("/u-latin-called-utf8")].body
    assert len(pages[site.url("/v-300-headers")].headers) == 200


def test_link_that_is_not_http_is_never_opened(site: Site, ledger: Ledger) -> None:
    links = ["file:///etc/passwd", "ftp://127.0.0.1/x", "data:text/html,hi", "javascript:alert(1)"]
    source = source_of(site)
    ledger.frontier.add_sources([source], NOW)
    ledger.frontier.add_entries(source, source.feeds[0], map(FeedEntry, links), NOW)
    site.routes["/feed"] = site.feed([])
    ledger.crawl(source)
    assert {link: ledger.outcomes()[link] for link in links} == dict.fromkeys(links, "OUT_OF_SCOPE")
    assert list(ledger.archive.pages()) == []


def test_redirect_to_another_host_is_not_followed(site: Site, ledger: Ledger) -> None:
    other = Site("127.0.0.2")
    try:
        other.routes["*"] = article("A secret.")
        site.routes["/feed"] = site.feed(["/away", other.url("/direct")])
        site.routes["/away"] = redirect(other.url("/secret"))
        ledger.crawl(source_of(site))
        assert ledger.outcomes()[site.url("/away")] == "OUT_OF_SCOPE"
        assert ledger.outcomes()[other.url("/direct")] == "OUT_OF_SCOPE"
        assert other.asked == []
    finally:
        other.close()


def test_name_of_a_local_address_is_never_connected_to(ledger: Ledger) -> None:
    name = socket.gethostname()
    try:
        address = socket.gethostbyname(name)
        site = Site(address)
    except OSError:
        pytest.skip("this machine's own name leads to no address of its own")
    try:
        site.routes["/feed"] = site.feed([])
        feed = f"http://{name}:{site.host.rpartition(':')[2]}/feed"
        source = source_of(site, feeds=(Feed(feed, FeedShape.RSS),), hosts=(name,))
        report = ledger.crawl(source, allow_loopback=False, contact="desk@gazette.example")
        assert report.outcomes == {"BLOCKED_ADDRESS": 1}
        assert site.asked == []
        assert "BLOCKED_ADDRESS" in report.sources[0].faults[0]
    finally:
        site.close()


def test_loopback_is_forbidden_unless_allowed(site: Site, ledger: Ledger) -> None:
    report = ledger.crawl(source_of(site), allow_loopback=False, contact="desk@gazette.example")
    assert report.outcomes == {"BLOCKED_ADDRESS": 1} and site.asked == []


def test_site_with_an_invalid_certificate_is_not_read(tmp_path: Path, ledger: Ledger) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(1))
        .not_valid_after(now + timedelta(1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "site.pem"
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    encoding = serialization.Encoding.PEM
    pem.write_bytes(key.private_bytes(encoding, *form) + certificate.public_bytes(encoding))
    site = Site()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    site.server.socket = context.wrap_socket(site.server.socket, server_side=True)
    try:
        site.routes["*"] = site.feed([])
        source = source_of(site, feeds=(Feed(site.url("/feed").replace("http:", "https:"), FeedShape.RSS),))
        report = ledger.crawl(source)
        assert report.n_pages == 0 and site.asked == []
        assert set(report.outcomes) <= {"ROBOTS_DENIED", "CONNECTION_FAILED"}
    finally:
        site.close()


def test_robots_txt_is_obeyed(site: Site, ledger: Ledger) -> None:
    site.routes["/robots.txt"] = b"User-agent: *\nDisallow: /members\n\nUser-agent: OversightLedger\nDisallow: /closed"
    site.routes["/feed"] = site.feed(["/closed/1", "/members/1"])
    site.routes |= {"/closed/1": article(), "/members/1": article()}
    ledger.crawl(source_of(site))
    assert ledger.outcomes()[site.url("/closed/1")] == "ROBOTS_DENIED"
    assert ledger.outcomes()[site.url("/members/1")] == "SAVED"
    assert site.paths() == ["/feed", "/members/1"]


@pytest.mark.parametrize("route", [status(500), lambda h: h.hang_up()])
def test_unavailable_robots_txt_forbids_the_site_for_now(site: Site, ledger: Ledger, route) -> None:
    site.routes |= {"/robots.txt": route, "/feed": site.feed(["/a"])}
    report = ledger.crawl(source_of(site))
    assert report.outcomes == {"ROBOTS_DENIED": 1} and site.paths() == []
    site.routes["/robots.txt"] = b""
    site.routes["/a"] = article()
    assert ledger.crawl(source_of(site), after=timedelta(days=1)).n_pages == 1


@pytest.mark.parametrize(
    ("header", "meta", "kept"),
    [
        ("", "", True),
        ("noarchive, nofollow", "", True),
        ("noai", "", False),
        ("unavailable_after: 2030-01-01, NOINDEX", "", False),
        ("otherbot: noai, noindex", "", True),
        ("otherbot: noai, OversightLedger: none", "", False),
        ("", '<meta content="max-snippet:-1, nosnippet" name=robots>', False),
        ("", '<meta name="otherbot" content="noai">', True),
        ("", '<meta name="oversightledger" content="noai">', False),
    ],
)
def test_page_that_asks_not_to_be_used_is_not_kept(
    site: Site, ledger: Ledger, header: str, meta: str, kept: bool
) -> None:
    page = article("An order.").replace(b"<title>", meta.encode() + b"<title>")
    site.routes["/feed"] = lambda h: h.reply(site.feed(["/a"]), media="text/xml", X_Robots_Tag="noindex")
    site.routes["/a"] = lambda h: h.reply(page, X_Robots_Tag=header)
    ledger.crawl(source_of(site))
    assert ledger.outcomes() == {site.url("/feed"): "SAVED", site.url("/a"): "SAVED" if kept else "ROBOTS_DENIED"}
    assert [page.url for page in ledger.pages] == ([site.url("/a")] if kept else [])
    ledger.crawl(source_of(site), after=timedelta(days=20))
    assert site.paths().count("/a") == (2 if kept else 1), "what was refused is not asked for again"


def test_every_requested_encoding_is_undone_and_others_are_refused(site: Site, ledger: Ledger) -> None:
    text = article("The ministry signed the order on Monday. " * 50)
    raw = zlib.compressobj(wbits=-15)
    packed = {
        "gzip": gzip.compress(text),
        "x-gzip": gzip.compress(text[:900]) + gzip.compress(text[900:]),
        "deflate": zlib.compress(text),
        "Deflate": raw.compress(text) + raw.flush(),
        "br": brotli.compress(text),
        "identity": text,
        "br, gzip": gzip.compress(brotli.compress(text)),
        "gzip ": gzip.compress(text) + b"surplus",
    }
    broken = {"snappy": text, "br ": b"no brotli", "deflate ": b"\xff\xff", "zstd": b"no zstd"}
    both = list((packed | broken).items())
    site.routes["/feed"] = site.feed([f"/{n}" for n in range(len(both))])
    for n, (name, body) in enumerate(both):
        site.routes[f"/{n}"] = lambda h, name=name, body=body: h.reply(body, Content_Encoding=name.strip())
    ledger.crawl(source_of(site))
    outcomes = {name: ledger.outcomes().get(site.url(f"/{n}")) for n, (name, _) in enumerate(both)}
    assert outcomes == dict.fromkeys(packed, "SAVED") | dict.fromkeys(broken, "UNREADABLE")
    assert {page.body for page in ledger.pages} == {text}


def test_html_instead_of_robots_txt_forbids_nothing(site: Site, ledger: Ledger) -> None:
    site.routes |= {"/robots.txt": article("Disallow: /"), "/feed": site.feed(["/a"]), "/a": article()}
    assert ledger.crawl(source_of(site)).n_pages == 1


def test_enormous_robots_txt_is_truncated(site: Site, ledger: Ledger) -> None:
    rules = b"User-agent: *\n" + b"".join(b"Disallow: /x/%d/*/y$\n" % n for n in range(150_000))
    site.routes |= {"/robots.txt": rules, "/feed": site.feed(["/a"]), "/a": article()}
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    assert ledger.crawl(source_of(site)).n_pages == 1
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < 10


def test_retry_after_holds_the_host_across_runs(site: Site, ledger: Ledger) -> None:
    site.routes["/feed"] = site.feed(["/a", "/b", "/c"])
    site.routes |= {"/a": article("A."), "/b": status(429, Retry_After="7200"), "/c": article("C.")}
    report = ledger.crawl(source_of(site))
    assert report.outcomes == {"RATE_LIMITED": 1, "SAVED": 2}
    assert "asked for no requests until 2026-05-04 14:00" in " ".join(report.sources[0].faults)
    assert site.paths() == ["/feed", "/a", "/b"]
    site.asked.clear()
    site.routes["/b"] = article("B.")
    assert ledger.crawl(source_of(site), after=timedelta(minutes=119)).n_visits == 0
    assert site.asked == []
    later = ledger.crawl(source_of(site), after=timedelta(minutes=121))
    assert later.n_pages == 2 and {p.url for p in ledger.pages} == {site.url("/b"), site.url("/c")}


def test_retry_after_may_be_a_date_and_503_without_it_is_a_server_error(site: Site, ledger: Ledger) -> None:
    site.routes["/feed"] = status(503, Retry_After="Mon, 04 May 2026 13:30:00 GMT")
    assert ledger.crawl(source_of(site)).outcomes == {"RATE_LIMITED": 1}
    assert ledger.frontier.held_until(site.host, NOW) == NOW + timedelta(minutes=90)
    site.routes["/feed"] = status(503)
    assert ledger.crawl(source_of(site), after=timedelta(hours=2)).outcomes == {"SERVER_ERROR": 1}


def test_host_that_keeps_failing_is_skipped_for_the_run(site: Site, ledger: Ledger) -> None:
    site.routes["/feed"] = site.feed([f"/{n}" for n in range(8)])
    site.routes["*"] = lambda h: h.reply(b"", status=404 if h.path == "/robots.txt" else 500)
    report = ledger.crawl(source_of(site))
    assert report.outcomes == {"SAVED": 1, "SERVER_ERROR": 3}
    assert len(site.paths()) == 4
    assert any("failed 3 times in a row" in fault for fault in report.sources[0].faults)


def test_only_entries_on_topic_are_fetched_unless_the_feed_passes_all(site: Site, ledger: Ledger) -> None:
    site.routes["/feed"] = site.feed(["/ai", "/sport"], {"/ai": "Regulator opens AI probe", "/sport": "Cup final"})
    site.routes |= {"/ai": article("AI."), "/sport": article("Sport.")}
    source = source_of(site, feeds=(Feed(site.url("/feed"), FeedShape.RSS),))
    report = ledger.crawl(source, topic_filter=lambda text: "AI" in text)
    assert report.outcomes == {"OUT_OF_SCOPE": 1, "SAVED": 2}
    assert site.paths() == ["/feed", "/ai"]


def test_urls_that_differ_in_tracking_parameters_are_one(site: Site, ledger: Ledger) -> None:
    site.routes["/feed"] = site.feed(["/a?utm_source=rss", "/a?utm_source=mail#top", "/a"])
    site.routes["/a"] = article()
    assert ledger.crawl(source_of(site)).n_pages == 1
    assert site.paths() == ["/feed", "/a"]


def test_pause_of_the_card_is_kept_between_requests_to_a_host(site: Site, ledger: Ledger) -> None:
    site.routes["/feed"] = site.feed(["/a", "/b"])
    site.routes |= {"/a": article("A."), "/b": article("B.")}
    ledger.crawl(source_of(site, pause_seconds=0.5), pause_seconds=None)
    times = [asked.at for asked in site.asked]
    assert len(times) == 4
    gaps = [later - earlier for earlier, later in zip(times, times[1:], strict=False)]
    assert all(gap >= 0.45 for gap in gaps)
    assert max(gaps) - min(gaps) > 0.002, "pauses are randomised"


def test_long_crawl_delay_is_obeyed_across_runs(site: Site, ledger: Ledger) -> None:
    site.routes["/robots.txt"] = b"User-agent: *\nCrawl-delay: 900"
    site.routes |= {"/feed": site.feed(["/a", "/b"]), "/a": article("A."), "/b": article("B.")}
    ledger.crawl(source_of(site))
    assert site.paths() == ["/feed"] and ledger.frontier.held_until(site.host, NOW) == NOW + timedelta(minutes=15)
    ledger.crawl(source_of(site), after=timedelta(minutes=14))
    assert site.paths() == ["/feed"]
    ledger.crawl(source_of(site), after=timedelta(minutes=16))
    assert site.paths() == ["/feed", "/a"]
    ledger.crawl(source_of(site), after=timedelta(minutes=32))
    assert len(site.paths()) == 3


def test_time_spent_on_one_host_is_limited(site: Site, ledger: Ledger) -> None:
    other = Site("127.0.0.2")
    try:
        for each in (site, other):
            each.routes["/feed"] = each.feed([f"/{n}" for n in range(30 if each is site else 2)])
            each.routes["*"] = lambda h: (time.sleep(0.2), h.reply(article(h.path)))
        feed = Feed(other.url("/feed"), FeedShape.RSS, pass_all=True)
        sources = source_of(site), source_of(other, source_id="other", hosts=(other.host,), feeds=(feed,))
        report = ledger.crawl(*sources, host_seconds=1.5)
        assert report.stopped == "" and 4 < report.n_pages < 25 and len(other.paths()) == 3
        later = ledger.crawl(*sources, after=timedelta(minutes=5))
        assert later.n_pages == 32 - report.n_pages, "the rest remained due"
    finally:
        other.close()


def test_twenty_hanging_sites_do_not_delay_another(site: Site, ledger: Ledger) -> None:
    def hangs(h: Handler) -> None:
        time.sleep(8)

    slow = [Site(f"127.0.0.{n}") for n in range(10, 30)]
    try:
        for each in slow:
            each.routes["*"] = hangs
        sources = [
            source_of(each, source_id=f"slow_{n}", feeds=(Feed(each.url("/feed"), FeedShape.RSS),))
            for n, each in enumerate(slow)
        ]
        links = [f"/{n}" for n in range(6)]
        site.routes |= {"/feed": site.feed(links)} | {link: article(link) for link in links}
        report = ledger.crawl(*sources, source_of(site), timeout_seconds=6.0)
        assert report.n_pages == 6
        first_slow = min(asked.at for each in slow for asked in each.asked)
        assert all(len(each.asked) >= 1 for each in slow)
        assert max(asked.at for asked in site.asked) - first_slow < 5, "read while the others hung"
    finally:
        for each in slow:
            each.close()


def test_visits_per_run_and_per_day_are_limited(site: Site, ledger: Ledger) -> None:
    site.routes["/feed"] = site.feed([f"/{n}" for n in range(9)])
    site.routes |= {f"/{n}": article(f"Number {n}.") for n in range(9)}
    report = ledger.crawl(source_of(site), max_pages=4)
    assert report.n_visits == 4 and "4 visits" in report.stopped
    assert ledger.crawl(source_of(site, daily_pages=5), after=timedelta(minutes=5)).n_pages == 2
    assert ledger.crawl(source_of(site), after=timedelta(minutes=6)).n_pages == 4


def test_the_live_web_is_not_crawled_without_a_contact(site: Site, ledger: Ledger) -> None:
    source = source_of(site, feeds=(Feed("https://gazette.example/feed", FeedShape.RSS),), hosts=("gazette.example",))
    for contact in ("", "nobody"):
        with pytest.raises(ConfigError, match="Set a contact"):
            ledger.crawl(source, contact=contact)
    with pytest.raises(ConfigError, match="plain ASCII"):
        ledger.crawl(source, contact="desk@gazette.example\r\nX-Evil: 1")


def test_run_ends_at_its_time_limit(site: Site, ledger: Ledger) -> None:
    site.routes["/feed"] = site.feed([f"/{n}" for n in range(200)])
    site.routes["*"] = lambda h: (time.sleep(0.4), h.reply(article(h.path)))
    started = time.monotonic()
    report = ledger.crawl(source_of(site), max_seconds=8.0)
    assert time.monotonic() - started < 17
    assert report.stopped == "the time limit of one run was reached"
    assert 0 < report.n_pages < 100
    assert sum(report.outcomes.values()) == report.n_visits


def sabotage(folder: Path, monkeypatch: pytest.MonkeyPatch, action: str) -> None:
    """Make the fetching process run a statement when it parses a feed with "bad" in its URL."""
    (folder / "sitecustomize.py").write_text(
        textwrap.dedent(
            """
            import importlib.util, os, sys, time
            class Finder:
                def find_spec(self, name, path=None, target=None):
                    if name != "scrapers.feeds.parse":
                        return None
                    sys.meta_path.remove(self)
                    spec = importlib.util.find_spec(name)
                    load = spec.loader.exec_module
                    def exec_module(module):
                        load(module)
                        read = module.read_feed
                        def read_feed(body, feed, base_url, *more):
                            if "bad" in feed.url:
                                ACTION
                            return read(body, feed, base_url, *more)
                        module.read_feed = read_feed
                    spec.loader.exec_module = exec_module
                    return spec
            sys.meta_path.insert(0, Finder())
            """
        ).replace("ACTION", action)
    )
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH")))))


@pytest.mark.parametrize("action", ["os._exit(9)", "time.sleep(60)", "x = bytearray(4 << 30)"])
def test_feed_that_crashes_or_hangs_the_parser_fails_alone(
    site: Site, ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    sabotage(tmp_path, monkeypatch, action)
    monkeypatch.setattr("scrapers.crawling.crawl.SILENCE_SECONDS", 12.0)
    site.routes |= {"/feed": site.feed(["/a", "/b"]), "/bad": site.feed(["/c"])}
    site.routes |= {path: article(path) for path in ("/a", "/b", "/c")}
    bad = source_of(site, source_id="bad", feeds=(Feed(site.url("/bad"), FeedShape.RSS, pass_all=True),))
    report = ledger.crawl(bad, source_of(site))
    assert report.outcomes == {"SAVED": 3, "UNREADABLE": 1}
    assert ledger.outcomes()[site.url("/bad")] == "UNREADABLE"
    assert {page.url for page in ledger.pages} == {site.url("/a"), site.url("/b")}


def test_fetching_process_that_cannot_start_is_reported_in_one_line(site: Site, ledger: Ledger) -> None:
    with pytest.raises(CrawlError, match="died 3 times") as error:
        ledger.crawl(source_of(site), memory_mb=32)
    assert "\n" not in str(error.value)
    assert site.asked == []


def test_full_disk_stops_the_run_without_partial_results(
    site: Site, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.routes |= {"/feed": site.feed(["/a", "/b"]), "/a": article("A."), "/b": article("B.")}

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("scrapers.archive.store.os.fsync", full)
        with pytest.raises(OSError, match="No space left"):
            ledger.crawl(source_of(site))
    assert list(ledger.archive.pages()) == []
    assert ledger.crawl(source_of(site)).n_pages == 2
    monkeypatch.setattr("scrapers.crawling.crawl.MIN_FREE_BYTES", 1 << 60)
    with pytest.raises(CrawlError, match="Free some space"):
        ledger.crawl(source_of(site))


SCRIPT = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from scrapers.archive.store import Archive
    from scrapers.crawling.crawl import CrawlConfig, crawl
    from scrapers.crawling.frontier import Frontier
    from scrapers.items import Feed, FeedShape, Source, SourceType
    folder, host = Path(sys.argv[1]), sys.argv[2]
    feed = Feed(f"http://{host}/feed", FeedShape.RSS, pass_all=True)
    source = Source("gazette", "The Gazette", "", SourceType.PRESS, "US", "en", "gazette", (feed,), (host,))
    config = CrawlConfig(allow_loopback=True, pause_seconds=0.0)
    report = crawl([source], Frontier(folder / "crawl.db"), Archive(folder / "archive"), config=config)
    print(report.stopped, report.n_pages)
    """
)


def start_elsewhere(folder: Path, site: Site) -> subprocess.Popen[str]:
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(folder), site.host],
        env={**os.environ, "PYTHONPATH": path}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def wait_for(condition, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "timed out"
        time.sleep(0.01)


def test_every_page_is_archived_exactly_once_after_kills(site: Site, tmp_path: Path) -> None:
    links = [f"/{n}" for n in range(60)]
    site.routes["/feed"] = site.feed(links)
    site.routes["*"] = lambda h: h.reply(article(f"Page {h.path} of the paper.") if h.path != "/robots.txt" else b"")
    for asked_for in (12, 30, 47):
        process = start_elsewhere(tmp_path, site)
        wait_for(lambda n=asked_for, p=process: len(set(site.paths())) >= n or p.poll() is not None)
        process.kill()
        process.wait()
    ledger = Ledger(tmp_path)
    before = Counter(ref.url for ref in ledger.archive.pages())
    assert 20 < len(before) < 60
    crawled = crawl(
        [source_of(site)], ledger.frontier, ledger.archive,
        config=CrawlConfig(allow_loopback=True, pause_seconds=0.0, now=lambda: datetime.now(UTC)),
    )  # fmt: skip
    assert Counter(ref.url for ref in ledger.archive.pages()) == Counter(map(site.url, links))
    assert ledger.archive.rebuild_index() == 60
    saved = Counter(
        row["url"] for row in ledger.frontier.db.execute("select url from visits where outcome = 'SAVED'").fetchall()
    )
    assert all(saved[site.url(link)] == 1 for link in links)
    assert crawled.n_pages + len(before | Counter(crawled.recovered)) == 60


def test_the_fetching_process_ends_when_its_parent_is_killed(site: Site, tmp_path: Path) -> None:
    site.routes["/feed"] = site.feed([f"/{n}" for n in range(500)])
    site.routes["*"] = lambda h: (time.sleep(0.1), h.reply(article(h.path)))
    process = start_elsewhere(tmp_path, site)
    wait_for(lambda: len(site.paths()) > 3)
    process.kill()
    process.wait()
    time.sleep(2.5)
    n = len(site.paths())
    time.sleep(0.7)
    assert len(site.paths()) == n


def test_sigterm_ends_a_run_cleanly_within_ten_seconds(site: Site, tmp_path: Path) -> None:
    site.routes["/feed"] = site.feed([f"/{n}" for n in range(500)])
    site.routes["*"] = lambda h: (time.sleep(0.1), h.reply(article(h.path)))
    process = start_elsewhere(tmp_path, site)
    wait_for(lambda: len(site.paths()) > 3)
    started = time.monotonic()
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=12)
    assert time.monotonic() - started < 10
    assert process.returncode == 0 and "stopped by SIGTERM" in output, output
    assert len(list(Archive(tmp_path / "archive").pages())) >= 2


def test_fetching_process_opens_no_port_and_stores_no_cookies(site: Site, tmp_path: Path) -> None:
    """While fetching, it has no listening socket, such as Scrapy's telnet console or remote control."""
    site.routes["/feed"] = site.feed([f"/{n}" for n in range(40)])
    site.routes["*"] = lambda h: (time.sleep(0.1), h.reply(article(h.path), Set_Cookie="id=1; Path=/"))
    process = start_elsewhere(tmp_path, site)
    try:
        wait_for(lambda: len(site.paths()) > 5)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        if not children.exists():
            pytest.skip("this system does not tell which processes a process has started")
        ours = {str(process.pid), *children.read_text().split()}
        sockets = set()
        for fd in [fd for pid in ours for fd in Path(f"/proc/{pid}/fd").iterdir()]:
            with contextlib.suppress(FileNotFoundError):  # closed in the meantime
                sockets.add(os.readlink(fd))
        listening = {
            f"socket:[{line.split()[9]}]"
            for table in ("tcp", "tcp6") if Path(f"/proc/net/{table}").exists()
            for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:] if line.split()[3] == "0A"
        }  # fmt: skip
        assert len(ours) == 2 and listening and sockets & listening == set()
        assert all("cookie" not in asked.headers for asked in site.asked)
    finally:
        process.kill()
        process.wait()


def test_a_crawl_runs_in_a_thread_too(site: Site, tmp_path: Path) -> None:
    site.routes |= {"/feed": site.feed(["/a"]), "/a": article()}
    found: list[int] = []

    def run() -> None:
        found.append(Ledger(tmp_path).crawl(source_of(site)).n_pages)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(30)
    assert found == [1]


def test_failed_feed_is_reported_in_plain_words(site: Site, ledger: Ledger) -> None:
    site.routes["/feed"] = status(404)
    report = ledger.crawl(source_of(site))
    assert report.sources[0].faults == (f"The feed {site.url('/feed')} yielded no entries: GONE, status 404.",)
    summary = ledger.frontier.summaries()["gazette"]
    assert (
        summary.outcomes == {"GONE": 1} and summary.last_success_at is None and summary.last_fault == "GONE: status 404"
    )
    assert Outcome.GONE.value in ledger.lines[0].upper()
