"""A data folder comes in, the running site goes out: Datasette over the newest published snapshot, with our pages."""

from __future__ import annotations

import errno
import json
import logging
import socket
import threading
from importlib import import_module
from pathlib import Path
from typing import Any

from datasette.app import Datasette
from datasette.plugins import pm

from pipeline.errors import OutsideFailure, OversightError, WrongUse
from pipeline.settings import load_settings
from pipeline.site.past_snapshots import Older
from pipeline.site.snapshots import NAME, PAGE_MS, attach, current_snapshot
from pipeline.workspace import DataFolder

HERE = Path(__file__).parent
PLUGINS = (
    "status",
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
WATCH_SECONDS = 0.5
SETTINGS = {
    "suggest_facets": False,  # scans the whole table for every page
    "allow_download": False,
    "default_page_size": 25,
    "max_returned_rows": 500,
    "sql_time_limit_ms": PAGE_MS,  # a visitor's SQL has less
    "facet_time_limit_ms": 200,
    "default_facet_size": 10,
    "max_csv_mb": 20,
    "truncate_cells_html": 600,
    "template_debug": False,
    "trace_debug": False,
}
log = logging.getLogger("oversight.serve")


def metadata_file() -> Path:
    """Return datasette_metadata.json: in the package when installed, at the top of the checkout otherwise."""
    installed = HERE / "datasette_metadata.json"
    return installed if installed.exists() else HERE.parents[1] / "datasette_metadata.json"


def register_plugins() -> None:
    """Make our plugin modules known to Datasette, once for this process.

    Datasette's own handler of exceptions is taken out: it prints every local variable of every 404 to the terminal.
    """
    for name in PLUGINS:
        module = import_module(f"pipeline.site.plugins.{name}")
        if not pm.is_registered(module):
            pm.register(module, name=f"oversight-{name}")
    if pm.has_plugin("datasette.handle_exception"):
        pm.unregister(name="datasette.handle_exception")


def build_site(data_dir: Path | str, *, allow_sql: bool = True, downloads: bool = True) -> Datasette:
    """Return a Datasette over the newest snapshot in `data_dir`; nothing but published snapshots is ever opened.

    Raises WrongUse where nothing was published yet, OutsideFailure where the snapshot is damaged.
    """
    snapshot = current_snapshot(Path(data_dir))
    register_plugins()
    ds = Datasette(
        files=[],
        metadata=json.loads(metadata_file().read_text(encoding="utf-8")),
        template_dir=str(HERE / "templates"),
        static_mounts=[("static", str(HERE / "static"))],
        settings=SETTINGS | {"default_allow_sql": allow_sql},
    )
    ds.remove_database("_memory")
    ds.contact = load_settings(DataFolder(Path(data_dir)).settings).contact  # shown where a reader reports an error
    ds.older, ds.downloads = Older(DataFolder(Path(data_dir)).published), downloads
    attach(ds, snapshot)
    return ds


class Watcher(threading.Thread):
    """Looks twice a second where `published/current` points, and swaps a sound new snapshot in under the running site.

    It is a thread because a task made at Datasette's start-up would die with the event loop of the start-up.
    """

    def __init__(self, ds: Datasette, data_dir: Path | str, seconds: float = WATCH_SECONDS) -> None:
        super().__init__(daemon=True, name="oversight-snapshots")
        self.ds, self.data_dir, self.seconds = ds, Path(data_dir), seconds
        self._stop_asked = threading.Event()
        self._refused: Path | None = None

    def run(self) -> None:
        """Watch until stop() is called."""
        while not self._stop_asked.wait(self.seconds):
            self.look()

    def look(self) -> bool:
        """Swap if there is a new sound snapshot; return whether a swap was made. A broken one is refused and logged."""
        try:
            newest = current_snapshot(self.data_dir)
            if newest == self.ds.databases[NAME].newest.path or newest == self._refused:
                return False
            attach(self.ds, newest)
        except OversightError as error:
            if isinstance(error, OutsideFailure):
                self._refused = newest
            log.warning("The site stays with its snapshot. %s", error)
            return False
        self._refused = None
        log.info("Now serving %s", newest.name)
        return True

    def stop(self) -> None:
        """End the watch."""
        self._stop_asked.set()


def listen(host: str, port: int) -> socket.socket:
    """Return a listening socket; raise OutsideFailure or WrongUse in plain words where that cannot be had."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (socket.gaierror, OverflowError) as error:
        raise WrongUse(f"{host}:{port} is no address of this machine ({error}). Try --host 127.0.0.1.") from error
    server = socket.socket(family, kind)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        server.bind(address)
        server.listen(128)
    except OSError as error:
        server.close()
        if error.errno == errno.EADDRINUSE:
            raise OutsideFailure(
                f"Port {port} on {host} is in use by another program. Choose another: --port."
            ) from error
        raise OutsideFailure(
            f"{host}:{port} cannot be served on ({error.strerror}). Choose another port: --port."
        ) from error
    return server


def serve(
    data_dir: Path | str, host: str = "127.0.0.1", port: int = 8001, *, allow_sql: bool = True, downloads: bool = True
) -> None:
    """Serve the ledger in `data_dir` until interrupted; print one line with the address. Port 0 takes any free port.

    `allow_sql`: whether visitors may ask in SQL; `downloads`: whether they may take the files of snapshots.

    Raises OversightError in plain words: nothing published, damaged snapshot, port in use.
    """
    import uvicorn

    ds = build_site(data_dir, allow_sql=allow_sql, downloads=downloads)
    server_socket = listen(host, port)
    shown = f"[{host}]" if ":" in host else host
    watcher = Watcher(ds, data_dir)
    config: dict[str, Any] = {"log_level": "warning", "lifespan": "on", "server_header": False}
    print(f"Oversight Ledger: http://{shown}:{server_socket.getsockname()[1]}/  (stop with Ctrl-C)", flush=True)
    watcher.start()
    try:
        uvicorn.Server(uvicorn.Config(ds.app(), **config)).run(sockets=[server_socket])
    except KeyboardInterrupt:
        pass
    finally:
        watcher.stop()
        server_socket.close()
