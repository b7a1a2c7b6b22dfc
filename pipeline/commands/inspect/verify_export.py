"""The commands `verify` and `export`."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import click

from pipeline.commands.common import plain_errors
from pipeline.commands.output import json_option, say_json
from pipeline.errors import DONE, PROBLEM
from pipeline.site.text.formatting import count_words
from pipeline.workspace import DataFolder


@click.command()
@json_option
@click.pass_obj
def verify(folder: DataFolder, as_json: bool) -> int:
    """Check the integrity of archive, texts, claims and snapshots.

    Every page and text is hashed again, and every quote is looked up in its article. The exit code is 1 if anything
    differs.
    """
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
                f"{n_pruned:,} unreferenced pages were deleted by `oversight prune`; only their texts were checked."
            )
        click.echo(f"{_checked(folder)}: {count_words(len(faults), 'fault')}.")
    return PROBLEM if faults else DONE


def _checked(folder: DataFolder) -> str:
    """Return the numbers of pages, files, articles, claims and snapshots that `verify` covers."""
    from pipeline.ledger.publish.publish import snapshots

    with closing(sqlite3.connect(f"file:{folder.crawl_db.absolute()}?mode=ro", uri=True)) as db:
        try:
            n_pages, n_files = db.execute("select count(*), count(distinct warc_file) from pages").fetchone()
            n_texts = db.execute("select count(*) from articles").fetchone()[0]
        except sqlite3.DatabaseError:
            return "Checked crawl.db"
    parts = [f"{count_words(n_pages, 'page')} in {count_words(n_files, 'archive file')}", count_words(n_texts, "text")]
    if folder.current.exists():
        with closing(sqlite3.connect(f"file:{folder.current.resolve()}?mode=ro&immutable=1", uri=True)) as db:
            n_claims, n_quotes, n_events = db.execute(
                "select count(*), count(distinct article_id || quote), (select count(*) from events) from claims"
            ).fetchone()
        parts += [
            f"{count_words(n_claims, 'published claim')} with {count_words(n_quotes, 'quote')}",
            count_words(n_events, "event"),
            count_words(len(snapshots(folder.published)), "snapshot"),
        ]
    return f"Checked {', '.join(parts)}"


@click.command()
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path), help="Output folder.")
@click.option(
    "--format",
    "formats",
    multiple=True,
    metavar="NAME",
    help="csv, jsonl or parquet; repeatable.  [default: csv and jsonl]",
)
@click.option("--table", "tables", multiple=True, metavar="NAME", help="Export only this table; repeatable.")
@json_option
@click.pass_obj
def export(folder: DataFolder, out: Path, formats: tuple[str, ...], tables: tuple[str, ...], as_json: bool) -> None:
    """Export the published tables as CSV, JSON Lines or Parquet, with a data dictionary and SHA-256 checksums.

    An older export in the output folder is replaced. A folder with any other content is refused. Parquet needs pyarrow:
    pip install -e '.[parquet]'.
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
        click.echo(f"Wrote {len(report.files) + 1} files with {sum(report.counts.values()):,} rows to {out}.")
