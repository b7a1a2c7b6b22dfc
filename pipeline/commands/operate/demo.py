"""The command `demo`: a ledger of the invented newsroom."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click

from pipeline.commands.common import lexicon_of, plain_errors, settings_of, sources_of
from pipeline.commands.output import Progress
from pipeline.errors import OutsideFailure, Stopped
from pipeline.workspace import DataFolder
from scrapers.items import Source

# Times of the crawls: before and after articles are edited, and at the end of the newsroom's three months.
DAYS = ((2026, 3, 20, 12), (2026, 3, 27, 12), (2026, 4, 17, 12), (2026, 5, 11, 12), (2026, 5, 31, 12))
SETTINGS = """# The demo has only the publishers and names of its invented newsroom.
catalogue = false
cards = "cards"
lexicon = "lexicon.toml"
# The demo shows less certain claims, too; without this line only the surer ones would make events.
least_confidence = 0.45
"""


def demo_lexicon() -> Path:
    """Return the lexicon file of the newsroom's invented names."""
    from pipeline.newsroom.stories import FOLDER

    return FOLDER / "lexicon.toml"


def write_settings(folder: DataFolder, cards: Iterable[Source]) -> None:
    """Write cards, lexicon and settings of the newsroom into the demo's folder, for later commands on it."""
    from pipeline.newsroom.cards import write_cards

    write_cards(cards, folder.path / "cards")
    (folder.path / "lexicon.toml").write_bytes(demo_lexicon().read_bytes())
    if not folder.settings.exists():  # keep what its owner has changed
        folder.settings.write_text(SETTINGS, encoding="utf-8")


def make_demo(folder: DataFolder, say: Callable[[str], None] = click.echo) -> None:
    """Crawl the newsroom on each of DAYS, then extract, build and publish."""
    from pipeline.app import steps
    from pipeline.newsroom.server import Newsroom
    from pipeline.nlp.relevance.score import passes_topic
    from scrapers.archive.store import Archive
    from scrapers.crawling.crawl import CrawlConfig, crawl
    from scrapers.crawling.frontier import Frontier

    folder.make()
    folder.logs.mkdir(exist_ok=True)
    moments = [datetime(*day, tzinfo=UTC) for day in DAYS]
    with Newsroom(under_own_hosts=True) as newsroom:
        cards = newsroom.cards()
        for moment in moments:
            newsroom.set_day(moment)
            config = CrawlConfig(
                contact="demo@oversight-ledger.example",
                local_ports=newsroom.ports,
                topic_filter=passes_topic,
                pause_seconds=0.0,
                now=partial(_same, moment),
                log_file=str(folder.logs / "crawl.log"),
            )
            with closing(Frontier(folder.crawl_db)) as frontier:
                archive = Archive(folder.archive, folder.crawl_db)
                report = crawl(cards, frontier, archive, config=config)
                archive.close()
            if report.interrupted:
                raise Stopped(f"The crawl was stopped: {report.stopped}. Run the command again to continue.")
            say(
                f"Crawled the newsroom as of {moment.date()}: {report.n_visits} requests, "
                f"{report.n_pages} new or changed pages."
            )
    write_settings(folder, (replace(card, homepage=f"https://{card.hosts[-1]}/") for card in cards))
    settings = settings_of(folder)
    sources, lexicon = sources_of(settings), lexicon_of(settings)
    progress = Progress()
    found = steps.extract(folder, sources, progress, lexicon)
    progress.done(
        f"Parsed {found.n_pages} pages: {found.n_relevant} articles on AI oversight, {found.n_claims} claims."
    )
    built = steps.build(folder, sources, least_confidence=settings.least_confidence, lexicon=lexicon)
    say(
        f"Built {built.n_events} events from {built.n_origins} independent origins; "
        f"{built.n_contradictions} contradictions."
    )
    steps.publish(folder)


def _same(moment: datetime) -> datetime:
    """Serve as the crawler's clock."""
    return moment


@click.command()
@click.option("--port", default=8001, show_default=True, type=click.IntRange(0, 65535), help="Port of the site.")
@click.option("--no-serve", is_flag=True, help="Build the ledger without serving it.")
@click.option("--again", is_flag=True, help="Start from scratch, deleting an earlier demo ledger.")
@click.pass_obj
def demo(folder: DataFolder, port: int, no_serve: bool, again: bool) -> None:
    """Build and serve a demo ledger: crawl an invented newsroom, extract, build and publish."""
    import shutil

    place = DataFolder(Path(folder.path) / "demo")
    with place.lock(), plain_errors():
        if again:
            for part in (place.archive, place.published):
                shutil.rmtree(part, ignore_errors=True)
            for file in place.path.glob("*.db*"):
                file.unlink()
        try:
            make_demo(place)
        except OSError as error:
            raise OutsideFailure(f"{place.path}: {error.strerror or error}") from error
    click.echo(f"The demo ledger is in {place.path}. Query it with `oversight --data {place.path} ...`.")
    if not no_serve:
        from pipeline.site.app import serve

        serve(place.path, "127.0.0.1", port)
