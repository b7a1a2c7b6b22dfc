"""Commands that check and hand out the ledger: verify, export."""

from __future__ import annotations

from pathlib import Path

import click

from pipeline.commands.common import plain_errors
from pipeline.commands.output import json_option, say_json
from pipeline.errors import DONE, PROBLEM
from pipeline.folder import DataFolder


@click.command()
@json_option
@click.pass_obj
def verify(folder: DataFolder, as_json: bool) -> int:
    """Check archive, texts, claims and published ledger against each other, byte by byte."""
    from pipeline.store.verify import verify as check

    folder.need(folder.crawl_db, "Run `oversight run` (or `oversight demo`) first.")
    with plain_errors():
        faults = check(folder.path)
    if as_json:
        say_json([{"what": fault.what, "where": fault.where, "claims": list(fault.claim_ids)} for fault in faults])
    else:
        for fault in faults:
            click.echo(str(fault))
        click.echo("All is as it was." if not faults else f"{len(faults)} fault(s).")
    return PROBLEM if faults else DONE


@click.command()
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder to write into.")
@json_option
@click.pass_obj
def export(folder: DataFolder, out: Path, as_json: bool) -> None:
    """Write every published table as CSV and JSON Lines, with a data dictionary and the SHA-256 of each file."""
    from pipeline.store.export import export as write_tables

    snapshot = folder.need(folder.current, "Run `oversight publish` first.")
    manifest = write_tables(snapshot, out)
    if as_json:
        say_json(manifest)
    else:
        click.echo(f"Wrote {len(manifest['files'])} files into {out}.")
