"""Commands that check and hand out the ledger: verify, export."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from pipeline.app.commands.common import plain_errors
from pipeline.app.commands.output import json_option, say_json
from pipeline.errors import DONE, PROBLEM
from pipeline.site.text.formatting import count_words
from pipeline.workspace import DataFolder


@click.command()
@json_option
@click.pass_obj
def verify(folder: DataFolder, as_json: bool) -> int:
    """Check archive, texts, claims and published ledger against each other, byte by byte."""
    from pipeline.ledger.publish.verify import pruned
    from pipeline.ledger.publish.verify import verify as check

    folder.need(folder.crawl_db, "Run `oversight run` (or `oversight demo`) first.")
    with plain_errors():
        faults = check(folder.path)
        n_pruned = 0 if any(fault.what == "database" for fault in faults) else pruned(folder.path)
    if as_json:
        say_json([asdict(fault) for fault in faults])
    else:
        for fault in faults:
            click.echo(str(fault))
        if n_pruned:
            click.echo(
                f"{n_pruned:,} pages on which nothing in the ledger rests were taken out of the archive by `oversight "
                "prune`; of these only the texts were checked."
            )
        click.echo("All is as it was." if not faults else f"{count_words(len(faults), 'fault')} found.")
    return PROBLEM if faults else DONE


@click.command()
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Folder to write into.")
@click.option("--format", "formats", multiple=True, metavar="NAME",
              help="csv, jsonl or parquet; may be given more than once.  [default: csv and jsonl]")  # fmt: skip
@click.option("--table", "tables", multiple=True, metavar="NAME", help="Only this table; may be given more than once.")
@json_option
@click.pass_obj
def export(folder: DataFolder, out: Path, formats: tuple[str, ...], tables: tuple[str, ...], as_json: bool) -> None:
    """Write the published tables as CSV, JSON Lines or Parquet, with a data dictionary and the SHA-256 of each file.

    The folder is replaced as a whole if it holds an older export, and left alone if it holds anything else.
    Parquet needs the extra: pip install 'oversight-ledger[parquet]'.
    """
    from pipeline.ledger.publish.export import export as write_tables
    from pipeline.site.app import metadata_file

    snapshot = folder.need(folder.current, "Run `oversight publish` first.")
    report = write_tables(snapshot, out, metadata=metadata_file(), formats=formats, tables=tables)
    if as_json:
        say_json(
            {
                "folder": str(report.folder),
                "data_sha256": report.data_sha256,
                "files": dict(report.files),
                "rows": dict(report.counts),
            }
        )
    else:
        click.echo(f"Wrote {len(report.files) + 1} files with {sum(report.counts.values())} rows into {out}.")
