"""Commands that keep a ledger going for years: what to let go, how much room it takes, a copy on another disk."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import click

from pipeline.app.commands.common import lexicon_of, plain_errors, reviews_of, settings_of
from pipeline.app.commands.output import Progress, json_option, say_json, say_rows
from pipeline.errors import WrongUse
from pipeline.site.text.formatting import count_words
from pipeline.workspace import DataFolder

_FIRST = "Run `oversight crawl` or `oversight add` first."


@click.command()
@click.option("--pages-older-than", "pages", type=click.IntRange(1), metavar="DAYS",
              help="Take out of the archive pages so many days old that nothing rests on.")  # fmt: skip
@click.option("--visits-older-than", "visits", type=click.IntRange(30), metavar="DAYS",
              help="Let go of visits so many days ago; `oversight run` does so by itself after 400.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Only say what would be done.")
@json_option
@click.pass_obj
def prune(folder: DataFolder, pages: int | None, visits: int | None, dry_run: bool, as_json: bool) -> None:
    """Let go of what is old and what nothing in the ledger rests on.

    No page of an article on AI oversight, or of one that an editor decided on, is ever taken out, nor one that was not
    read yet. The texts that were read stay in any case. What was taken out is written down; `oversight verify` tells.
    """
    from pipeline.app.maintenance import let_go_of_visits, prune_pages
    from pipeline.ledger.reviews.file import load_reviews
    from pipeline.versions import program_version

    if pages is None and visits is None:
        raise WrongUse("Say what: --pages-older-than DAYS, --visits-older-than DAYS, or both.")
    folder.need(folder.crawl_db, _FIRST)
    settings = settings_of(folder)
    found: dict[str, object] = {"dry_run": dry_run}
    with folder.lock(), plain_errors():
        if pages is not None:
            decisions = load_reviews(reviews_of(folder, settings) or folder.reviews).decisions
            decided = {s.article_id for d in decisions for s in (*d.sentences, *d.stays)}
            found["pages"] = asdict(prune_pages(folder, timedelta(days=pages), decided, dry=dry_run))
        if visits is not None:
            version = program_version(*lexicon_of(settings))
            found["visits"] = let_go_of_visits(folder, version, keep=timedelta(days=visits), dry=dry_run)
    if as_json:
        say_json(found)
        return
    done = "Would take" if dry_run else "Took"
    if isinstance(found.get("pages"), dict):
        took = found["pages"]
        click.echo(f"{done} {took['n_pages']:,} pages ({took['n_bytes']:,} bytes) out of {took['n_files']} files.")
    if "visits" in found:
        click.echo(
            f"{'Would let' if dry_run else 'Let'} go of {found['visits']:,} visits; their outcomes stay counted."
        )


@click.command()
@json_option
@click.pass_obj
def disk(folder: DataFolder, as_json: bool) -> None:
    """Say how much room this ledger takes, for each article, and how much it grows by in a month."""
    from pipeline.app.maintenance import room_of

    folder.need(folder.crawl_db, _FIRST)
    with plain_errors():
        room = room_of(folder)
    if as_json:
        say_json(asdict(room))
        return
    say_rows(((name, f"{size:,}") for name, size in room.files.items()), ("what", "bytes"))
    click.echo(
        f"\n{room.n_articles:,} articles ({room.n_relevant:,} on AI oversight), {room.n_pages:,} pages. For each "
        f"article {room.crawl_db_per_article:,} bytes in crawl.db; for each page {room.archive_per_page:,} in the "
        f"archive; for each article on AI oversight {room.ledger_per_relevant:,} in build.db, joined.db and the "
        "snapshots.\n"
    )
    say_rows(
        ((m.month, f"{m.n_pages:,}", f"{m.n_bytes:,}", f"{m.n_articles:,}") for m in room.months[-12:]),
        ("month", "pages", "bytes in the archive", "new articles"),
    )
    click.echo(
        f"\nIt grows by about {room.per_month:,} bytes a month: the median of the last three full months in the "
        "archive, their new articles times the bytes for each, and the snapshot of a month's end, which stays."
    )


@click.command()
@click.argument("target", type=click.Path(file_okay=False, path_type=Path))
@json_option
@click.pass_obj
def backup(folder: DataFolder, target: Path, as_json: bool) -> None:
    """Copy what cannot be made again to another place: crawl.db, archive, decisions and settings.

    A later backup into the same place copies only what is new. To restore, copy the place back, then run `oversight
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
