"""Datasette with the settings that our plugins read from it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin

from datasette.app import Datasette

from pipeline.site.past_snapshots import PastSnapshots


class LedgerSite(Datasette):
    """The Datasette application that serves a ledger.

    Attributes:
        contact: Where readers report errors: an e-mail or http(s) address, "" for none.
        past_snapshots: The earlier snapshots that can be read and downloaded.
        downloads: Whether visitors may download snapshot files.
        public_url: The site's own address, such as "https://ledger.example"; "" believes each request's Host header.
    """

    def __init__(
        self, contact: str, past_snapshots: PastSnapshots, downloads: bool, public_url: str = "", **options: Any
    ) -> None:
        super().__init__(**options)
        self.public_url = public_url
        self.contact = contact
        self.past_snapshots = past_snapshots
        self.downloads = downloads

    def own_url(self, request: Any) -> str:
        """Return the address of a request under which readers see it."""
        return self.absolute_url(request, request.full_path)

    def absolute_url(self, request: Any, path: str) -> str:
        """Return the address under which readers see a path, for links, feeds and citations."""
        if not self.public_url:
            return super().absolute_url(request, path)
        return urljoin(self.public_url.rstrip("/") + "/", urljoin(request.path, path))
