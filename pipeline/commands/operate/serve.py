"""The command `serve`."""

from __future__ import annotations

import click

from pipeline.workspace import DataFolder


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=8001, show_default=True, type=click.IntRange(0, 65535), help="Port; 0 for any free port."
)
@click.option("--no-sql", is_flag=True, help="Disable SQL queries by visitors.")
@click.option("--no-downloads", is_flag=True, help="Disable downloads of snapshots.")
@click.pass_obj
def serve(folder: DataFolder, host: str, port: int, no_sql: bool, no_downloads: bool) -> None:
    """Serve the published ledger. New snapshots are picked up while it runs."""
    from pipeline.site.app import serve as serve_site

    serve_site(folder.path, host, port, allow_sql=not no_sql, downloads=not no_downloads)
