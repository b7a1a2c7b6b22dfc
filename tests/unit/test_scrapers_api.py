"""The public API of `scrapers`."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import scrapers
from scrapers import Outcome, Page, load_sources, read_page

PAGES = Path(__file__).parent / "pages"


def test_a_page_is_read_with_the_card_of_its_source() -> None:
    (source,) = load_sources(PAGES)
    body = (PAGES / "the_harbour_courier.html").read_bytes()
    url = "https://www.harbour-courier.example/news/port-council-cargo-model"
    fetched_at = datetime(2026, 7, 1, 12, tzinfo=UTC)
    sha256 = hashlib.sha256(body).hexdigest()
    page = Page(url, url, source.source_id, fetched_at, 200, "text/html", "utf-8", (), body, sha256)
    reading = read_page(page, source)
    assert reading.outcome is Outcome.SAVED and reading.article is not None
    assert reading.article.source_id == "the_harbour_courier" and reading.article.text
    assert read_page(page).outcome is Outcome.SAVED, "a page can be read without a card"


def test_the_default_sources_are_the_packaged_catalogue() -> None:
    assert len(load_sources()) > 100


def test_every_public_name_exists() -> None:
    assert all(getattr(scrapers, name) for name in scrapers.__all__)


def test_importing_the_package_loads_no_heavy_library() -> None:
    heavy = "{'scrapy', 'lxml', 'trafilatura', 'pydantic', 'bs4', 'selectolax'}"
    code = f"import sys, scrapers; print(sorted({heavy} & sys.modules.keys()))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PAGES.parents[2]
    )
    assert loaded.stdout.strip() == "[]"
