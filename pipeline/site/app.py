"""Builds and serves the site: Datasette with our plugins over the newest published snapshot of a data folder."""

from __future__ import annotations

import errno
import json
import logging
import socket
import threading
from importlib import import_module
from pathlib import Path
from typing import Any

from datasette.plugins import pm

from pipeline.errors import OutsideFailure, OversightError, WrongUse
from pipeline.settings import load_settings
from pipeline.site.ledger_site import LedgerSite
from pipeline.site.past_snapshots import PastSnapshots
from pipeline.site.snapshots import NAME, PAGE_MS, attach, current_snapshot
from pipeline.workspace import DataFolder

HERE = Path(__file__).parent
PLUGINS = (
    "status_pages",
    "pages",
    "snapshots",
    "feeds",
    "xlsx",
    "filters",
    "facets",
    "robots_sitemap",
    "cells",
    "template_helpers",
    "security",
)
MOST_CONNECTIONS = 200  # open at a time
WATCH_SECONDS = 0.5
SETTINGS = {
    "suggest_facets": False,  # scans the whole table for every page
    "allow_download": False,
    "default_page_size": 25,
    "max_returned_rows": 500,
    "sql_time_limit_ms": PAGE_MS,  # less for a visitor's SQL
    "facet_time_limit_ms": 200,
    "default_facet_size": 10,
    "max_csv_mb": 20,
    "truncate_cells_html": 600,
    "template_debug": False,
    "trace_debug": False,
}
log = logging.getLogger("oversight.serve")


def metadata_file() -> Path:
    """Return the path of datasette_metadata.json: in the installed package, or at the top of a checkout."""
    installed = HERE / "datasette_metadata.json"
    return installed if installed.exists() else HERE.parents[1] / "datasette_metadata.json"


def register_plugins() -> None:
    """Register our plugin modules with Datasette, once per process.

    Unregisters Datasette's own exception handler, which prints the local variables of every 404 to the terminal.
    """
    for name in PLUGINS:
        module = import_module(f"pipeline.site.plugins.{name}")
        if not pm.is_registered(module):
            pm.register(module, name=f"oversight-{name}")
    if pm.has_plugin("datasette.handle_exception"):
        pm.unregister(name="datasette.handle_exception")


def build_site(data_dir: Path | str, *, allow_sql: bool = True, downloads: bool = True) -> LedgerSite:
    """Return the site over the newest snapshot in `data_dir`. It opens published snapshots only.

    Raises:
        WrongUse: Nothing has been published yet.
        OutsideFailure: The snapshot is damaged.
    """
    snapshot = current_snapshot(Path(data_dir))
    register_plugins()
    folder = DataFolder(Path(data_dir))
    settings = load_settings(folder.settings)
    ds = LedgerSite(
        contact=settings.contact,
        public_url=settings.site,
        past_snapshots=PastSnapshots(folder.published),
        downloads=downloads,
        files=[],
        metadata=json.loads(metadata_file().read_text(encoding="utf-8")),
        template_dir=str(HERE / "templates"),
        static_mounts=[("static", str(HERE / "static"))],
        settings=SETTINGS | {"default_allow_sql": allow_sql},
    )
    ds.remove_database("_memory")
    attach(ds, snapshot)
    return ds


class Watcher(threading.Thread):
    """Checks `published/current` twice a second and swaps a valid new snapshot into the running site.

    A thread, because an asyncio task created during Datasette's start-up would die with the start-up's event loop.
    """

    def __init__(self, ds: LedgerSite, data_dir: Path | str, seconds: float = WATCH_SECONDS) -> None:
        super().__init__(daemon=True, name="oversight-snapshots")
        self.ds, self.data_dir, self.seconds = ds, Path(data_dir), seconds
        self._stop_asked = threading.Event()
        self._refused: Path | None = None

    def run(self) -> None:
        """Watch until stop() is called."""
        while not self._stop_asked.wait(self.seconds):
            self.look()

    def look(self) -> bool:
        """Swap to a new valid snapshot, if there is one; return whether it did. A broken one is logged and skipped."""
        try:
            newest = current_snapshot(self.data_dir)
            if newest == self.ds.databases[NAME].newest.path or newest == self._refused:
                return False
            attach(self.ds, newest)
        except OversightError as error:
            if isinstance(error, OutsideFailure):
                self._refused = newest
            log.warning("Still serving the previous snapshot. %s", error)
            return False
        self._refused = None
        log.info("Now serving %s", newest.name)
        return True

    def stop(self) -> None:
        """Stop the thread."""
        self._stop_asked.set()


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket.

    Raises:
        WrongUse: The host or port is not valid on this machine.
        OutsideFailure: The port is in use or not permitted.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (socket.gaierror, OverflowError) as error:
        raise WrongUse(f"{host}:{port} is not an address of this machine ({error}). Try --host 127.0.0.1.") from error
    server = socket.socket(family, kind)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        server.bind(address)
        server.listen(128)
    except OSError as error:
        server.close()
        if error.errno == errno.EADDRINUSE:
            raise OutsideFailure(
                f"Port {port} on {host} is in use by another program. Choose another with --port."
            ) from error
        raise OutsideFailure(
            f"Cannot listen on {host}:{port} ({error.strerror}). Choose another port with --port."
        ) from error
    return server


def serve(
    data_dir: Path | str, host: str = "127.0.0.1", port: int = 8001, *, allow_sql: bool = True, downloads: bool = True
) -> None:
    """Serve the ledger in `data_dir` until interrupted, after printing its address.

    Args:
        data_dir: The data folder.
        host: Address to listen on.
        port: Port to listen on; 0 takes any free one.
        allow_sql: Whether visitors may run SQL of their own.
        downloads: Whether visitors may download snapshot files.

    Raises:
        OversightError: Nothing is published, the snapshot is damaged, or the port is in use.
    """
    import uvicorn

    site = build_site(data_dir, allow_sql=allow_sql, downloads=downloads)
    server_socket = listen(host, port)
    shown = f"[{host}]" if ":" in host else host
    watcher = Watcher(site, data_dir)
    config: dict[str, Any] = {
        "log_level": "warning",
        "lifespan": "on",
        "server_header": False,
        "limit_concurrency": MOST_CONNECTIONS,  # more are answered with 503
    }
    print(f"Oversight Ledger: http://{shown}:{server_socket.getsockname()[1]}/  (stop with Ctrl-C)", flush=True)
    watcher.start()
    try:
        uvicorn.Server(uvicorn.Config(site.app(), **config)).run(sockets=[server_socket])
    except KeyboardInterrupt:
        pass
    finally:
        watcher.stop()
        server_socket.close()
