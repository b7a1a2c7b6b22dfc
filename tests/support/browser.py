"""Serves a site in a process of its own, and opens its pages in a real Chromium."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.paths import ROOT

SHOTS = ROOT / "tests" / "browser" / "shots"  # screenshots of the journeys, kept after the run, not in git
CHROMIUM = os.environ.get("OVERSIGHT_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
SIZES = {"desk": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}


@dataclass(frozen=True)
class Served:
    """A site that is being served, and its ledger."""

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


@contextmanager
def opened(browser, served: Served, size: str, scheme: str, **settings):
    """Give a page on a desk or a phone; nothing may be asked of another host, and no script may fail."""
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
