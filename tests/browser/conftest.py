"""Chromium, and two sites for it: over the demo's ledger and over the small ledger of the site's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.browser import CHROMIUM, FLAGS, Served, serving
from support.site_data import publish

ROOT = Path(__file__).parents[2]
SHOTS = Path(__file__).parent / "shots"  # what the journeys looked like: kept after the run, not in git
CHROMIUM = os.environ.get("OVERSIGHT_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
SIZES = {"desk": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}


@dataclass(frozen=True)
class Served:
    """A running site and its ledger."""

    address: str
    folder: Path

    def one(self, sql: str, *values: object) -> str:
        with sqlite3.connect(self.folder / "published" / "current") as db:
            return db.execute(sql, values).fetchone()[0]


@contextmanager
def serving(folder: Path) -> Iterator[Served]:
    code = f"from pipeline.site.app import serve; serve({str(folder)!r}, port=0)"
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        line = process.stdout.readline()
        assert line.startswith("Oversight Ledger: http://127.0.0.1:"), line
        yield Served(line.split()[2].rstrip("/"), folder)
        process.terminate()


@pytest.fixture(scope="session")
def world(tmp_path_factory) -> Iterator[Served]:
    """The small invented ledger, which contains something of everything."""
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


@contextmanager
def opened(browser, served: Served, size: str, scheme: str, **settings):
    """Yield a page at desktop or phone size; requests to other hosts and script errors fail the test."""
    context = browser.new_context(
        viewport=SIZES[size], color_scheme=scheme, base_url=served.address, has_touch=size == "phone", **settings
    )
    page = context.new_page()
    outside, faults = [], []
    page.on("request", lambda asked: None if asked.url.startswith(served.address) else outside.append(asked.url))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "console",
        lambda said: faults.append(said.text) if said.type == "error" and "Failed to load" not in said.text else None,
    )
    yield page
    context.close()
    assert outside == [], "a page asked another host for something"
    assert faults == []
