"""The commands `sources list`, `check`, `record` and `health`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.commands.common import need_contact, plain_errors, settings_of, sources_of
from pipeline.commands.groups import SuggestingGroup, did_you_mean
from pipeline.commands.output import json_option, say_json, say_rows
from pipeline.errors import DONE, PROBLEM, OutsideFailure, OversightError, WrongUse
from pipeline.site.text.formatting import count_words
from pipeline.workspace import DataFolder
from scrapers.items import Article, Source

if TYPE_CHECKING:
    from pipeline.settings import Settings
    from scrapers.messages import CrawlConfig


class InvalidCard(OversightError):
    """An invalid source card or recording."""


@click.group(cls=SuggestingGroup)
def sources() -> None:
    """List and check sources, record pages as regression tests, report health."""


@sources.command("list")
@json_option
@click.pass_obj
def list_sources(folder: DataFolder, as_json: bool) -> None:
    """List the sources of this ledger."""
    cards = sources_of(settings_of(folder))
    if as_json:
        say_json(
            [
                {
                    "source_id": card.source_id,
                    "title": card.title,
                    "source_type": card.source_type.value,
                    "jurisdiction": card.jurisdiction,
                    "feeds": [feed.shape.value for feed in card.feeds],
                    "enabled": card.enabled,
                    "note": card.note,
                }
                for card in cards
            ]
        )
        return
    say_rows(
        (
            (
                card.source_id,
                card.title,
                card.source_type.value,
                card.jurisdiction,
                ", ".join(feed.shape.value for feed in card.feeds) or "-",
                "" if card.enabled else f"off: {card.note}",
            )
            for card in cards
        ),
        ("id", "title", "source_type", "jurisdiction", "feeds", "note"),
    )


def _selected(settings: Settings, names: tuple[str, ...], every: bool) -> list[Source]:
    """Return the cards with these ids or file names; without names, all enabled cards, or `every` card."""
    from scrapers.cards import CardError, read_card

    known = {source.source_id: source for source in sources_of(settings)}
    if not names:
        return [source for source in known.values() if source.enabled or every]
    found = []
    for name in names:
        if name in known:
            found.append(known[name])
        elif name.endswith(".toml"):
            try:
                found.append(read_card(Path(name)))
            except CardError as error:
                raise InvalidCard(str(error)) from error
        else:
            raise WrongUse(
                f"There is no source '{name}'.{did_you_mean(name, known)} `oversight sources list` lists all sources; "
                "the name of a card file ends in .toml."
            )
    return found


def _config(folder: DataFolder, settings: Settings, newsroom: bool, max_seconds: float) -> CrawlConfig:
    from scrapers.messages import CrawlConfig

    if not newsroom:
        need_contact(folder, settings)
    return CrawlConfig(
        contact=settings.contact,
        allow_loopback=newsroom,
        max_seconds=max_seconds,
        pause_seconds=0.0 if newsroom else None,
    )


@sources.command("check")
@click.argument("names", nargs=-1, metavar="[CARD]...")
@click.option("--offline", is_flag=True, help="Fetch nothing; validate the cards and parse the recorded pages again.")
@click.option("--all", "every", is_flag=True, help="Include disabled cards.")
@click.option("--max-seconds", default=600.0, show_default=True, help="Maximum duration, in seconds.")
@click.option("--newsroom", is_flag=True, hidden=True, help="For developers: the sites run on this machine.")
@json_option
@click.pass_obj
def check_sources(
    folder: DataFolder,
    names: tuple[str, ...],
    offline: bool,
    every: bool,
    max_seconds: float,
    newsroom: bool,
    as_json: bool,
) -> int:
    """Check source cards against their live sites. CARD is an id or a .toml file; by default all cards are checked.

    Every feed is fetched once, with its newest items, respecting robots.txt and rate limits. Nothing is saved. The exit
    code is 1 if a card does not work, and 4 if no site can be reached.
    """
    settings = settings_of(folder)
    try:
        selected = _selected(settings, names, every)
        if offline:
            return _check_offline(folder, settings, selected, bool(names), as_json)
    except InvalidCard as error:
        click.echo(str(error))
        return PROBLEM
    from pipeline.app.source_check import NO_NETWORK, nothing_reached, probe
    from pipeline.nlp.relevance.score import passes_topic

    config = _config(folder, settings, newsroom, max_seconds)
    if not as_json:
        click.echo(f"Checking {count_words(len(selected), 'card')}: each feed once, and its newest pages ...")
    with folder.lock(), plain_errors():  # a run at the same time would break the rate limits
        found = probe(selected, config, on_topic=passes_topic, crawl_db=folder.crawl_db)
    if as_json:
        say_json([one.as_dict() for one in found])
    for one in [] if as_json else found:
        click.echo(f"\n{one.source_id} ({one.title}): {one.verdict}.")
        for line in one.trouble:
            click.echo(f"  ! {line}")
        for line in one.good:
            click.echo(f"    {line}")
    if nothing_reached(found):
        raise OutsideFailure(NO_NETWORK)
    broken = [one.source_id for one in found if one.trouble]
    if not as_json:
        failed = f"; problems with: {', '.join(broken)}." if broken else "."
        click.echo(f"\n{len(found) - len(broken)} of {len(found)} cards work{failed}")
    return PROBLEM if broken else DONE


def _check_offline(folder: DataFolder, settings: Settings, wanted: list[Source], named: bool, as_json: bool) -> int:
    """Validate cards and parse the recorded pages again; return the exit code."""
    from scrapers.recordings import RecordingError, differences, recordings

    by_id = {source.source_id: source for source in (*sources_of(settings), *wanted)}
    rows, n = [], 0
    for place in _recorded_places(folder, settings):
        try:
            for one in recordings(place):
                if not named or one.page.source_id in {source.source_id for source in wanted}:
                    n += 1
                    if said := differences(one, by_id):
                        rows.append({"recording": str(one.path), "url": one.page.url, "differences": said})
        except RecordingError as error:
            raise InvalidCard(str(error)) from error
    if as_json:
        say_json({"cards": [source.source_id for source in wanted], "recordings": n, "differ": rows})
        return PROBLEM if rows else DONE
    for source in wanted if named else ():
        click.echo(
            f"{source.source_id} ({source.title}): valid, with {count_words(len(source.feeds), 'feed')} and "
            f"{count_words(len(source.recipes), 'recipe')}."
        )
    if not named:
        click.echo(f"{count_words(len(sources_of(settings)), 'card')} valid.")
    for row in rows:
        click.echo(f"{row['recording']}: the result differs from the recorded one:")
        click.echo("".join(f"  {line}\n" for line in row["differences"][:20]), nl=False)
    if n:
        click.echo(f"{n - len(rows)} of {n} recorded pages give the recorded result.")
    return PROBLEM if rows else DONE


def _recorded_places(folder: DataFolder, settings: Settings) -> list[Path]:
    """Return the existing folders of recorded pages: in the data folder and beside the ledger's own cards."""
    places = [folder.path / "recorded", *([Path(settings.cards) / "recorded"] if settings.cards else [])]
    return [place for place in places if place.is_dir()]


@sources.command("record")
@click.argument("name", metavar="NAME")
@click.argument("url")
@click.option("--into", type=click.Path(file_okay=False, path_type=Path), help="Save the recording in this folder.")
@click.option("--newsroom", is_flag=True, hidden=True, help="For developers: the site runs on this machine.")
@click.pass_obj
def record_page(folder: DataFolder, name: str, url: str, into: Path | None, newsroom: bool) -> int:
    """Save the page at URL and its parsed result as a regression test of the card NAME (an id or a .toml file).

    The page is fetched once. From then on `oversight sources check --offline` parses it again with the current card and
    program, and reports what has changed.
    """
    from pipeline.app.page_reader import read_each
    from pipeline.app.source_check import fetch_one
    from scrapers.fetching.url_guard import in_scope
    from scrapers.recordings import record

    settings = settings_of(folder)
    (source,) = _selected(settings, (name,), every=True)
    if not in_scope(url, source):
        raise WrongUse(
            f"{url} is not on a host of the card '{source.source_id}' ({', '.join(source.hosts)}). Give an address of "
            "the source, or add its host to `hosts` on the card."
        )
    with folder.lock(), plain_errors():
        page, why = fetch_one(source, url, _config(folder, settings, newsroom, 120.0), folder.crawl_db)
    if page is None:
        raise OutsideFailure(f"{url}: could not be fetched ({why}).")
    reading = next(read_each([(page, source.source_id, None)], [source]))[1]
    if reading.article is None:
        click.echo(
            f"{url}: no article found ({reading.outcome.value}: {reading.detail}). Nothing was saved. Add a [[recipe]] "
            "with the selectors of these pages to the card, and record the page again."
        )
        return PROBLEM
    has_own_card = settings.cards and (Path(settings.cards) / f"{source.source_id}.toml").exists()
    path = record(page, reading, into or (Path(settings.cards) if has_own_card else folder.make().path) / "recorded")
    _say_article(reading.article)
    click.echo(
        f"Saved {path} and {path.with_suffix('.html.gz').name}. Check that this is the whole article and nothing else. "
        "If not, correct the card and record the page again."
    )
    return DONE


def _say_article(article: Article) -> None:
    click.echo(f"“{article.title}”")
    byline = ", ".join(article.byline) or "no byline"
    click.echo(f"By {byline}, {article.published_at or 'no date'} ({article.published_basis}).")
    for text in article.text.split("\n\n"):
        click.echo(f"  {text}")
    if article.removed_blocks:
        click.echo("Removed:")
        for block in article.removed_blocks:
            click.echo(f"  [{block.rule}] {block.text}")


@sources.command("health")
@click.option("--strict", is_flag=True, help="List only sources with problems, and exit with code 1 if there are any.")
@json_option
@click.pass_obj
def source_health(folder: DataFolder, strict: bool, as_json: bool) -> int:
    """Report the health of each source and its problems."""
    from datetime import UTC, datetime

    from pipeline.app.steps import health
    from pipeline.commands.common import lexicon_of
    from pipeline.versions import program_version
    from scrapers.crawling.source_health import in_words

    folder.need(folder.crawl_db, "Run `oversight crawl` first.")
    settings = settings_of(folder)
    found = health(folder, sources_of(settings), program_version(*lexicon_of(settings)), datetime.now(UTC))
    shown = [one for _, one in sorted(found.items()) if one.last_visit_at and (one.alarms or not strict)]
    failing = [one for one in shown if one.alarms]
    if as_json:
        say_json(
            [
                {
                    "source_id": one.source_id,
                    "last_visit_at": one.last_visit_at,
                    "last_success_at": one.last_success_at,
                    "last_item_at": one.last_item_at,
                    "usual_gap_hours": round(one.usual_gap.total_seconds() / 3600, 1) if one.usual_gap else None,
                    "alarms": [{"kind": alarm.kind, "words": alarm.words} for alarm in one.alarms],
                }
                for one in shown
            ]
        )
    elif shown:
        say_rows(
            (
                (
                    one.source_id,
                    str(one.last_success_at or "never")[:16],
                    str(one.last_item_at or "none yet")[:16],
                    in_words(one.usual_gap) if one.usual_gap else "unknown",
                    "; ".join(alarm.words for alarm in one.alarms),
                )
                for one in shown
            ),
            ("id", "last success", "newest item", "usual gap", "problem"),
        )
    else:
        click.echo("No source has a problem." if strict else "No source has been visited yet.")
    return PROBLEM if strict and failing else DONE
