"""A real Chromium, and two sites for it: the demo's ledger and the small invented one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.browser import CHROMIUM, FLAGS, Served, serving
from support.site_data import publish


@pytest.fixture(scope="session")
def world(tmp_path_factory) -> Iterator[Served]:
    """The small invented ledger, in which something of everything stands."""
    folder = tmp_path_factory.mktemp("browser")
    publish(folder)
    with serving(folder) as served:
        yield served


@pytest.fixture(scope="session")
def demo_site(demo: Path) -> Iterator[Served]:
    """The demo's ledger."""
    with serving(demo) as served:
        yield served


@pytest.fixture(scope="module")  # while it is open an event loop runs here, which other modules' tests cannot bear
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM:
        pytest.skip("no Chromium found: install Debian's chromium or set OVERSIGHT_CHROMIUM")
    with playwright.sync_playwright() as player:
        chromium = player.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()
