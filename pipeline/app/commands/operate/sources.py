"""Commands over the source cards: list them, try them, record pages as tests of them, show their health."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.app.commands.common import need_contact, plain_errors, settings_of, sources_of
from pipeline.app.commands.output import json_option, say_json, say_rows
from pipeline.errors import DONE, PROBLEM, OutsideFailure, OversightError, WrongUse
from pipeline.settings import Settings
from pipeline.site.text.formatting import count_words
from pipeline.workspace import DataFolder
from scrapers.items import Source

if TYPE_CHECKING:
    from scrapers.messages import CrawlConfig


class Problem(OversightError):
    """A card or a recording that is not in order."""


@click.group()
def sources() -> None:
    """List and try the source cards, record pages as tests of them, show their health."""


@sources.command("list")
@json_option
@click.pass_obj
def list_sources(folder: DataFolder, as_json: bool) -> None:
    """List the sources that this ledger knows."""
    cards = sources_of(settings_of(folder))
    rows = [
        {"source_id": c.source_id, "title": c.title, "source_type": c.source_type.value, "jurisdiction": c.jurisdiction,
         "feeds": [feed.shape.value for feed in c.feeds], "enabled": c.enabled, "note": c.note}
        for c in cards
    ]  # fmt: skip
    if as_json:
        say_json(rows)
        return
    say_rows(
        ((r["source_id"], r["title"], r["source_type"], r["jurisdiction"], ", ".join(r["feeds"]) or "-",
          "" if r["enabled"] else f"off: {r['note']}") for r in rows),
        ("id", "title", "source_type", "where", "feeds", "note"),
    )  # fmt: skip


def _wanted(folder: DataFolder, settings: Settings, names: tuple[str, ...], every: bool) -> list[Source]:
    """Return the cards of these names: ids of sources, or card files; all that are switched on where none is named."""
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
                raise Problem(str(error)) from error
        else:
            raise WrongUse(f"There is no source '{name}'. `oversight sources list` names them all; a card file ends "
                           "in .toml.")  # fmt: skip
    return found


def _config(folder: DataFolder, settings: Settings, newsroom: bool, max_seconds: float) -> CrawlConfig:
    from scrapers.messages import CrawlConfig

    if not newsroom:
        need_contact(folder, settings)
    return CrawlConfig(contact=settings.contact, allow_loopback=newsroom, max_seconds=max_seconds,
                       pause_seconds=0.0 if newsroom else None)  # fmt: skip


@sources.command("check")
@click.argument("names", nargs=-1, metavar="[CARD]...")
@click.option("--offline", is_flag=True, help="Fetch nothing: check the cards' form, and read recorded pages again.")
@click.option("--all", "every", is_flag=True, help="Also cards that are switched off.")
@click.option("--max-seconds", default=600.0, show_default=True, help="Take at most so long.")
@click.option("--newsroom", is_flag=True, hidden=True, help="For developers: the sites are on this machine.")
@json_option
@click.pass_obj
def check_sources(
    folder: DataFolder, names: tuple[str, ...], offline: bool, every: bool, max_seconds: float, newsroom: bool,
    as_json: bool,
) -> int:  # fmt: skip
    """Try each CARD (an id or a .toml file; else all) against its live site, and say in words what works.

    Every feed is read once and its newest items are fetched, with all manners; nothing is kept. Ends with 1 where a
    card does not work, with 4 where no site at all can be reached.
    """
    settings = settings_of(folder)
    try:
        wanted = _wanted(folder, settings, names, every)
        if offline:
            return _check_offline(folder, settings, wanted, bool(names), as_json)
    except Problem as found:
        click.echo(str(found))
        return PROBLEM
    from pipeline.app.source_check import NO_NETWORK, nothing_reached, probe
    from pipeline.nlp.relevance.score import passes_topic

    config = _config(folder, settings, newsroom, max_seconds)
    if not as_json:
        click.echo(f"Trying {len(wanted)} card{'s' * (len(wanted) != 1)}: each feed once, and its newest pages ...")
    with folder.lock(), plain_errors():  # one request at a time for each host: not beside a run
        found = probe(wanted, config, on_topic=passes_topic, crawl_db=folder.crawl_db)
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
        click.echo(f"\n{len(found) - len(broken)} of {len(found)} work" + (f"; look at: {', '.join(broken)}." if broken
                                                                          else "."))  # fmt: skip
    return PROBLEM if broken else DONE


def _check_offline(
    folder: DataFolder, settings: Settings, wanted: list[Source], named: bool, as_json: bool
) -> int:  # fmt: skip
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
            raise Problem(str(error)) from error
    if as_json:
        say_json({"cards": [source.source_id for source in wanted], "recordings": n, "differ": rows})
        return PROBLEM if rows else DONE
    for source in wanted if named else ():
        click.echo(f"{source.source_id}: in order. {source.title}: {count_words(len(source.feeds), 'feed')}, "
                   f"{count_words(len(source.recipes), 'recipe')}.")  # fmt: skip
    if not named:
        click.echo(f"{len(sources_of(settings))} cards are in order.")
    for row in rows:
        click.echo(f"{row['recording']} reads otherwise than when it was recorded:")
        click.echo("".join(f"  {line}\n" for line in row["differences"][:20]), nl=False)
    if n:
        click.echo(f"{n - len(rows)} of {n} recorded pages read as they did.")
    return PROBLEM if rows else DONE


def _recorded_places(folder: DataFolder, settings: Settings) -> list[Path]:
    """Return the folders in which pages are recorded: beside the editor's own cards, and the ledger's."""
    places = [folder.path / "recorded", *([Path(settings.cards) / "recorded"] if settings.cards else [])]
    return [place for place in places if place.is_dir()]


@sources.command("record")
@click.argument("name", metavar="NAME")
@click.argument("url")
@click.option("--into", type=click.Path(file_okay=False, path_type=Path), help="Keep it in this folder.")
@click.option("--newsroom", is_flag=True, hidden=True, help="For developers: the site is on this machine.")
@click.pass_obj
def record_page(folder: DataFolder, name: str, url: str, into: Path | None, newsroom: bool) -> int:
    """Keep the page at URL with its reading, as a test of the card NAME (an id or a .toml file).

    It is fetched once, with all manners. From then on `oversight sources check --offline` reads it again with the card
    and the program of the day, and says what has changed.
    """
    from pipeline.app.page_reader import read_each
    from pipeline.app.source_check import fetch_one
    from scrapers.fetching.url_guard import in_scope
    from scrapers.recordings import record

    settings = settings_of(folder)
    (source,) = _wanted(folder, settings, (name,), every=True)
    if not in_scope(url, source):
        raise WrongUse(f"{url} is on no host of the card '{source.source_id}' ({', '.join(source.hosts)}). Give an "
                       "address of the source, or add its host to `hosts` on the card.")  # fmt: skip
    with folder.lock(), plain_errors():
        page, why = fetch_one(source, url, _config(folder, settings, newsroom, 120.0), folder.crawl_db)
    if page is None:
        raise OutsideFailure(f"{url}: it could not be fetched ({why}).")
    reading = next(read_each([(page, source.source_id, None)], [source]))[1]
    if reading.article is None:
        click.echo(f"{url}: no article was read from it ({reading.outcome.value}: {reading.detail}). Nothing was kept: "
                   "give the card a [[recipe]] with the selectors of its pages, and record it again.")  # fmt: skip
        return PROBLEM
    own = (
        Path(settings.cards)
        if settings.cards and (Path(settings.cards) / f"{source.source_id}.toml").exists()
        else None
    )
    place = into or (own or folder.make().path) / "recorded"
    path = record(page, reading, place)
    article = reading.article
    click.echo(f"“{article.title}”")
    click.echo(f"By {', '.join(article.byline) or 'nobody named'}, "
               f"{article.published_at or 'no date'} ({article.published_basis}).")  # fmt: skip
    for text in article.text.split("\n\n"):
        click.echo(f"  {text}")
    if article.removed_blocks:
        click.echo("Taken out:")
        for block in article.removed_blocks:
            click.echo(f"  [{block.rule}] {block.text}")
    click.echo(f"Kept: {path} and {path.with_suffix('.html.gz').name}. Is this the article, the whole article and "
               "nothing else? If not, mend the card and record it again.")  # fmt: skip
    return DONE


@sources.command("health")
@click.option("--strict", is_flag=True, help="Exit with 1 where any source is in trouble, naming only those.")
@json_option
@click.pass_obj
def source_health(folder: DataFolder, strict: bool, as_json: bool) -> int:
    """Show how each source fares, and in words what is wrong with it."""
    from datetime import UTC, datetime

    from pipeline.app.commands.common import lexicon_of
    from pipeline.app.steps import health
    from pipeline.versions import program_version
    from scrapers.crawling.source_health import in_words

    folder.need(folder.crawl_db, "Run `oversight crawl` first.")
    settings = settings_of(folder)
    found = health(folder, sources_of(settings), program_version(*lexicon_of(settings)), datetime.now(UTC))
    shown = [one for _, one in sorted(found.items()) if one.last_visit_at and (one.alarms or not strict)]
    sick = [one for one in shown if one.alarms]
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
                    in_words(one.usual_gap) if one.usual_gap else "not known",
                    "; ".join(alarm.words for alarm in one.alarms),
                )
                for one in shown
            ),
            ("id", "last success", "newest item", "usual gap", "trouble"),
        )
    else:
        click.echo("No source is in trouble." if strict else "No source was visited yet.")
    return PROBLEM if strict and sick else DONE
