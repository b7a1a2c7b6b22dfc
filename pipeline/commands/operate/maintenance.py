"""The commands `prune`, `disk` and `backup`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from pipeline.commands.common import lexicon_of, plain_errors, reviews_of, settings_of
from pipeline.commands.output import Progress, json_option, say_json, say_rows
from pipeline.errors import WrongUse
from pipeline.site.text.formatting import count_words
from pipeline.workspace import DataFolder

_FIRST = "Run `oversight crawl` or `oversight add` first."


@click.command()
@click.option(
    "--pages-older-than",
    "pages",
    type=click.IntRange(1),
    metavar="DAYS",
    help="Delete unreferenced pages fetched more than DAYS ago.",
)
@click.option(
    "--visits-older-than",
    "visits",
    type=click.IntRange(30),
    metavar="DAYS",
    help="Delete fetch records older than DAYS; `oversight run` does so after 400 days.",
)
@click.option("--dry-run", is_flag=True, help="Report what would be deleted, and delete nothing.")
@json_option
@click.pass_obj
def prune(folder: DataFolder, pages: int | None, visits: int | None, dry_run: bool, as_json: bool) -> None:
    """Delete unreferenced pages and fetch records.

    Pages of articles on AI oversight, pages of articles that an editor decided on, and pages not parsed yet are never
    deleted. The parsed texts are always kept. Deleted pages are recorded; `oversight verify` reports their number.
    """
    from pipeline.app.maintenance import delete_old_visits, prune_pages
    from pipeline.ledger.reviews.file import load_reviews
    from pipeline.versions import program_version

    if pages is None and visits is None:
        raise WrongUse("Give --pages-older-than DAYS, --visits-older-than DAYS, or both.")
    folder.need(folder.crawl_db, _FIRST)
    settings = settings_of(folder)
    found: dict[str, Any] = {"dry_run": dry_run}
    with folder.lock(), plain_errors():
        if pages is not None:
            decisions = load_reviews(reviews_of(folder, settings) or folder.reviews).decisions
            decided = {s.article_id for d in decisions for s in (*d.sentences, *d.stays)}
            found["pages"] = asdict(prune_pages(folder, timedelta(days=pages), decided, dry=dry_run))
        if visits is not None:
            version = program_version(*lexicon_of(settings))
            found["visits"] = delete_old_visits(folder, version, keep=timedelta(days=visits), dry=dry_run)
    if as_json:
        say_json(found)
        return
    done = "Would delete" if dry_run else "Deleted"
    if "pages" in found:
        gone = found["pages"]
        click.echo(f"{done} {gone['n_pages']:,} pages ({gone['n_bytes']:,} bytes) from {gone['n_files']} files.")
    if "visits" in found:
        click.echo(f"{done} {found['visits']:,} fetch records; their outcomes still count in the statistics.")


@click.command()
@json_option
@click.pass_obj
def disk(folder: DataFolder, as_json: bool) -> None:
    """Report disk usage, in total and per article, and monthly growth."""
    from pipeline.app.maintenance import disk_usage

    folder.need(folder.crawl_db, _FIRST)
    with plain_errors():
        usage = disk_usage(folder)
    if as_json:
        say_json(asdict(usage))
        return
    say_rows(((name, f"{size:,}") for name, size in usage.files.items()), ("file", "bytes"))
    click.echo(
        f"\n{usage.n_articles:,} articles ({usage.n_relevant:,} on AI oversight), {usage.n_pages:,} pages. "
        f"{usage.crawl_db_per_article:,} bytes per article in crawl.db; {usage.archive_per_page:,} bytes per page in "
        f"the archive; {usage.ledger_per_relevant:,} bytes per article on AI oversight in build.db, joined.db and the "
        "snapshots.\n"
    )
    say_rows(
        ((m.month, f"{m.n_pages:,}", f"{m.n_bytes:,}", f"{m.n_articles:,}") for m in usage.months[-12:]),
        ("month", "pages", "bytes in the archive", "new articles"),
    )
    click.echo(
        f"\nGrowth: about {usage.per_month:,} bytes a month. This adds the median growth of the archive over the last "
        "three full months, their median number of new articles times the bytes per article, and a month-end snapshot."
    )


@click.command()
@click.argument("target", type=click.Path(file_okay=False, path_type=Path))
@json_option
@click.pass_obj
def backup(folder: DataFolder, target: Path, as_json: bool) -> None:
    """Back up everything that cannot be rebuilt to the folder TARGET: crawl.db, archive, decisions and settings.

    A later backup to the same folder copies only new files. To restore, copy the folder back and run `oversight
    verify`, `oversight build` and `oversight publish`.
    """
    from pipeline.app.maintenance import back_up

    folder.need(folder.crawl_db, _FIRST)
    progress = Progress()
    with folder.lock(), plain_errors():
        done = back_up(folder, target, progress)
    if as_json:
        say_json({"folder": str(done.folder), "copied": done.n_copied, "bytes": done.n_bytes})
        return
    progress.done(
        f"Copied {count_words(done.n_copied, 'file')}; the backup in {done.folder} has {done.n_bytes:,} bytes."
    )
