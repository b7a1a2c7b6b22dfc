"""A site for tests, over a data folder, that answers one request at a time."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from pathlib import Path

import httpx

from pipeline.site.app import build_site
from pipeline.site.snapshots import current_snapshot

OURS = re.compile(r'<script (?:type="application/ld\+json"|src="/static/ledger\.js\?v=[0-9a-f]{10}" defer)>')


def harmless(page: str) -> str:
    """Return a page without our script and its structured data; it must contain no other script."""
    return OURS.sub("", page)


class Site:
    """A site under test; `get` returns the response to one request."""

    def __init__(self, data_dir: Path, *, allow_sql: bool = True) -> None:
        self.data_dir = data_dir
        self.ds = build_site(data_dir, allow_sql=allow_sql)
        self.loop = asyncio.new_event_loop()
        self.loop.run_until_complete(self.ds.invoke_startup())
        self.application = self.ds.app()
        self.db = sqlite3.connect(current_snapshot(data_dir))

    def get(self, path: str, method: str = "GET", headers: dict[str, str] | None = None) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.application)
            async with httpx.AsyncClient(transport=transport, base_url="http://ledger.test") as client:
                return await client.request(method, path, headers=headers)

        return self.loop.run_until_complete(ask())

    def one(self, sql: str, *values: str) -> str:
        return self.db.execute(sql, values).fetchone()[0]

    def event_named(self, words: str) -> str:
        """Return the id of the event whose summary contains these words."""
        return self.one("select event_id from events where summary like ?", f"%{words}%")
