"""`scrapy list`, `crawl`, `shell` and `check` in this project, and spiders that are written in Python."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from support.hostile.server import Site, article

from pipeline.newsroom.cards import write_cards
from pipeline.newsroom.server import Newsroom
from scrapers.archive.store import Archive
from scrapers.crawling.crawl import CrawlConfig, CrawlReport, crawl
from scrapers.crawling.frontier import Frontier
from scrapers.database import folder_lock
from scrapers.items import Feed, FeedShape, Source, SourceType
from scrapers.spiders.feeds import ListingSpider, XmlFeedSpider, spider_for

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 5, 31, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def newsroom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newsroom]:
    with Newsroom(NOW) as newsroom:
        write_cards(newsroom.cards(), tmp_path_factory.getbasetemp() / "cards")
        yield newsroom


class Project:
    """Runs Scrapy's commands as a new user would, in a data folder of the test."""

    def __init__(self, cards: Path, data: Path) -> None:
        self.cards, self.data = cards, data

    def scrapy(self, *words: str, contact: str = "desk@ledger.example") -> subprocess.CompletedProcess[str]:
        own = {
            "OVERSIGHT_CARDS": str(self.cards), "OVERSIGHT_CATALOGUE": "false", "OVERSIGHT_DATA": str(self.data),
            "OVERSIGHT_CONTACT": contact,
        }  # fmt: skip
        command = [sys.executable, "-m", "scrapy", *words]
        loopback = [] if words[0] == "list" else ["-s", "ALLOW_LOOPBACK=1"]
        return subprocess.run([*command, *loopback], capture_output=True, text=True, cwd=ROOT, env=os.environ | own)

    def outcomes(self) -> dict[str, int]:
        with closing(sqlite3.connect(self.data / "crawl.db")) as db:
            return dict(db.execute("select outcome, count(*) from visits group by 1").fetchall())


@pytest.fixture
def project(newsroom: Newsroom, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return Project(tmp_path_factory.getbasetemp() / "cards", tmp_path / "data")


def test_scrapy_list_prints_the_sources(project: Project) -> None:
    assert project.scrapy("list").stdout.split() == sorted(path.stem for path in project.cards.glob("*.toml"))
    packaged = subprocess.run([sys.executable, "-m", "scrapy", "list"], capture_output=True, text=True, cwd=ROOT)
    names = packaged.stdout.split()
    assert {"nist", "anthropic"} <= set(names) and "reuters" not in names, "reuters is disabled"


def test_scrapy_crawl_fetches_one_source_and_keeps_its_pages(project: Project, tmp_path: Path) -> None:
    out = tmp_path / "pages.jsonl"
    done = project.scrapy("crawl", "fomi", "-O", str(out))
    assert done.returncode == 0 and "Traceback" not in done.stderr
    pages = [json.loads(line) for line in out.read_text().splitlines()]
    assert len(pages) >= 3 and all("<html" in page["body"] and page["source_id"] == "fomi" for page in pages)
    assert project.outcomes() == {"SAVED": len(pages) + 1}, "its feed too"
    with closing(Frontier(project.data / "crawl.db")) as frontier:
        archive = Archive(project.data / "archive", frontier.db)
        assert {ref.url for ref in archive.pages()} == {page["url"] for page in pages}
        archive.close()
    again = project.scrapy("crawl", "fomi", "-O", str(out))
    assert again.returncode == 0 and out.read_text() == "" and project.outcomes() == {"SAVED": len(pages) + 1}


def test_scrapy_crawl_sources_fetches_all(project: Project) -> None:
    done = project.scrapy("crawl", "sources")
    assert done.returncode == 0 and "The Inland Record: " in done.stderr
    assert project.outcomes()["SAVED"] > 60 and project.outcomes()["ROBOTS_DENIED"] >= 1


def test_a_crawl_that_cannot_begin_says_why_in_one_line(project: Project) -> None:
    done = project.scrapy("crawl", "fomi", contact="")
    assert "Set a contact" in done.stderr and "OVERSIGHT_CONTACT" in done.stderr and "Traceback" not in done.stderr
    with folder_lock(project.data):
        done = project.scrapy("crawl", "fomi")
        assert f"is in use by process {os.getpid()}" in done.stderr and "Traceback" not in done.stderr
    assert not (project.data / "crawl.db").exists()


def test_scrapy_check_and_shell_keep_nothing(project: Project, newsroom: Newsroom) -> None:
    checked = project.scrapy("check", "fomi")
    assert checked.returncode == 0 and "Ran 1 contract" in checked.stderr and "OK" in checked.stderr
    listed = project.scrapy("check", "-l").stdout
    assert listed.count("parse_feed") == len(list(project.cards.glob("*.toml")))
    home = newsroom.sites["fomi"].origin
    shell = project.scrapy("shell", f"{home}/", "-c", "(response.status, spider.name, type(response).__name__)")
    assert "(200, 'fomi', 'HtmlResponse')" in shell.stdout
    assert not project.data.exists()


def test_scrapy_check_fails_for_a_feed_that_lists_nothing(project: Project, tmp_path: Path) -> None:
    site = Site()
    try:
        site.routes["/feed"] = site.feed([])
        write_cards([source_of(site, "empty", FeedShape.RSS)], tmp_path / "cards")
        done = Project(tmp_path / "cards", tmp_path / "data").scrapy("check", "empty")
        assert done.returncode == 1 and "0 entries, expected 1 at least (the feed has no entries" in done.stderr
    finally:
        site.close()


# Spiders in Python


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.close()


def source_of(site: Site, name: str, shape: FeedShape = FeedShape.LISTING, **feed: str) -> Source:
    feeds = (Feed(site.url("/feed"), shape, pass_all=True, **feed),)  # type: ignore[arg-type]
    return Source(name, name, site.url("/"), SourceType.PRESS, "US", "en", name, feeds, (site.host,))


class Books:
    """Crawls with the spiders of support.odd_spiders, at times that the test chooses."""

    def __init__(self, folder: Path) -> None:
        self.frontier = Frontier(folder / "crawl.db")
        self.archive = Archive(folder / "archive", self.frontier.db)

    def crawl(self, source: Source, after: timedelta = timedelta()) -> CrawlReport:
        modules = ("scrapers.spiders", "support.odd_spiders")
        config = CrawlConfig(allow_loopback=True, pause_seconds=0.0, now=lambda: NOW + after, spider_modules=modules)
        return crawl([source], self.frontier, self.archive, config=config)

    def outcomes(self, site: Site) -> dict[str, str]:
        rows = self.frontier.db.execute("select url, outcome from visits order by visit_id").fetchall()
        return {row["url"].removeprefix(site.url("")): row["outcome"] for row in rows}


@pytest.fixture
def books(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Books]:
    path = os.pathsep.join(filter(None, (str(ROOT / "tests"), os.environ.get("PYTHONPATH"))))
    monkeypatch.setenv("PYTHONPATH", path)
    books = Books(tmp_path)
    yield books
    books.archive.close()
    books.frontier.close()


def test_the_base_spider_is_chosen_by_the_feeds_of_the_card(site: Site) -> None:
    assert spider_for(source_of(site, "a")) is ListingSpider
    assert spider_for(source_of(site, "a", FeedShape.ATOM)) is XmlFeedSpider


def test_a_list_in_a_script_is_read_by_a_spider_of_three_lines(site: Site, books: Books) -> None:
    posts = json.dumps({"posts": [{"path": "/one", "name": "First"}, {"path": "/two", "name": "Second"}]})
    site.routes |= {
        "/feed": f'<html><body><div id="app"></div><script id="posts">{posts}</script></body></html>'.encode(),
        "/one": article("One."),
        "/two": article("Two."),
    }
    source = source_of(site, "script_list", FeedShape.JSON_API, items="posts", link="path", title="name")
    assert books.crawl(source).outcomes == {"SAVED": 3}
    hint = books.frontier.hint(site.url("/two"))
    assert hint is not None and hint.title == "Second"


def test_requests_that_a_spider_follows_are_remembered_between_runs(site: Site, books: Books) -> None:
    site.routes |= {
        "/feed": b'<html><body><a class="item" href="/one">One</a><a class="next" href="/page/2">Next</a>',
        "/page/2": b'<html><body><a class="item" href="/two">Two</a></body></html>',
        "/one": article('One. <a class="more" href="/one/2">More</a>'),
        "/one/2": article("The rest of one."),
        "/two": article("Two."),
    }
    source = source_of(site, "paged", link="a.item")
    books.crawl(source)
    saved = dict.fromkeys(("/feed", "/page/2", "/one", "/one/2", "/two"), "SAVED")
    assert books.outcomes(site) == saved | {"http://10.0.0.1/internal": "BLOCKED_ADDRESS"}
    site.asked.clear()
    books.crawl(source, after=timedelta(minutes=5))
    assert site.paths() == []
    books.crawl(source, after=timedelta(hours=2))
    assert set(site.paths()) == {"/feed", "/page/2", "/one", "/one/2", "/two"}


def test_a_spider_that_fails_costs_one_page(site: Site, books: Books) -> None:
    links = ["/fails", "/good", "/silent"]
    site.routes["/feed"] = "".join(f'<html><body><a href="{link}">{link}</a>' for link in links).encode()
    site.routes |= {link: article(link) for link in links}
    books.crawl(source_of(site, "faulty", link="a"))
    wanted = {"/feed": "SAVED", "/good": "SAVED", "/fails": "UNREADABLE", "/silent": "UNREADABLE"}
    assert books.outcomes(site) == wanted
    details = {row["detail"] for row in books.frontier.db.execute("select detail from visits").fetchall()}
    assert {"RuntimeError: no such element", "the spider yielded neither a page nor a listing for it"} <= details


def test_a_second_page_of_one_visit_is_not_kept_twice(site: Site, books: Books) -> None:
    site.routes |= {"/feed": b'<html><body><a href="/one">One</a></body></html>', "/one": article("One.")}
    assert books.crawl(source_of(site, "double", link="a")).outcomes == {"SAVED": 2}
    assert [ref.url for ref in books.archive.pages()] == [site.url("/one")]


def test_results_of_the_wrong_type_cost_one_feed(site: Site, books: Books) -> None:
    site.routes["/feed"] = b'<html><body><a href="/one">One</a></body></html>'
    books.crawl(source_of(site, "wrong_results", link="a"))
    (row,) = books.frontier.db.execute("select outcome, detail from visits").fetchall()
    assert tuple(row) == ("UNREADABLE", "TypeError: process_results must return FeedEntry records, not str")


def test_a_list_that_only_leads_to_others_is_saved(site: Site, books: Books) -> None:
    site.routes |= {
        "/feed": b'<html><body><a href="/2025">2025</a><form method="post" action="/search"></form></body></html>',
        "/2025": b"<html><body>Nothing yet.</body></html>",
    }
    books.crawl(source_of(site, "years", link="a"))
    assert books.outcomes(site) == {"/feed": "SAVED", "/2025": "SAVED"}
    assert site.paths().count("/once") == 1, "a request that is not remembered is sent once in a run"


def test_an_item_that_another_pipeline_drops_is_a_visit_too(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.routes |= {"/feed": site.feed(["/a", "/b"]), "/a": article("A."), "/b": article("B.")}
    write_cards([source_of(site, "dropping", FeedShape.RSS)], tmp_path / "cards")
    project = Project(tmp_path / "cards", tmp_path / "data")
    path = os.pathsep.join(filter(None, (str(ROOT / "tests"), os.environ.get("PYTHONPATH"))))
    pipelines = {"support.odd_spiders.DropEverything": -1, "scrapers.crawling.pipelines.RecordPipeline": 0}
    monkeypatch.setenv("PYTHONPATH", path)
    done = project.scrapy("crawl", "dropping", "-s", f"ITEM_PIPELINES={json.dumps(pipelines)}")
    assert done.returncode == 0 and project.outcomes() == {"UNREADABLE": 1}
    pipelines.pop("scrapers.crawling.pipelines.RecordPipeline")
    done = project.scrapy("crawl", "dropping", "-s", f"ITEM_PIPELINES={json.dumps(pipelines)}")
    assert "ITEM_PIPELINES lacks" in done.stderr and "not_begun" in done.stderr


def test_a_card_with_a_typo_is_named_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "cards").mkdir()
    (tmp_path / "cards" / "marsh.toml").write_text('titel = "The Marsh Courier"\n')
    done = Project(tmp_path / "cards", tmp_path / "data").scrapy("list")
    assert done.returncode == 1 and "marsh.toml: the key 'titel' is unknown" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_sitemap_of_anthropic_is_read_for_its_news_alone(newsroom: Newsroom, books: Books, site: Site) -> None:
    paths = ["/news/a-release", "/research/a-paper", "/careers/editor", "/pricing"]
    urls = "".join(f"<url><loc>{site.url(path)}</loc></url>" for path in paths)
    site.routes |= {path: article(path) for path in paths}
    site.routes["/feed"] = f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{urls}</urlset>'.encode()
    books.crawl(source_of(site, "anthropic", FeedShape.SITEMAP))
    assert books.outcomes(site) == dict.fromkeys(("/feed", "/news/a-release", "/research/a-paper"), "SAVED")
