"""Datasette with the settings that our plugins read from it."""

from __future__ import annotations

from typing import Any

from datasette.app import Datasette

from pipeline.site.past_snapshots import PastSnapshots


class LedgerSite(Datasette):
    """The Datasette application that serves a ledger.

    Attributes:
        contact: Where readers report errors: an e-mail or http(s) address, "" for none.
        past_snapshots: The earlier snapshots that can be read and downloaded.
        downloads: Whether visitors may download snapshot files.
    """

    def __init__(self, contact: str, past_snapshots: PastSnapshots, downloads: bool, **options: Any) -> None:
        super().__init__(**options)
        self.contact = contact
        self.past_snapshots = past_snapshots
        self.downloads = downloads
