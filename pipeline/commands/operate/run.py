"""The commands `crawl`, `extract`, `build`, `publish`, `run` (all of them) and `runs`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from pipeline.app.run_log import Run, recorded
from pipeline.commands.common import lexicon_of, need_contact, plain_errors, reviews_of, settings_of, sources_of
from pipeline.commands.groups import did_you_mean
from pipeline.commands.operate.alerts import rules_of, send_alerts
from pipeline.commands.output import Progress, json_option, say_json, say_rows
from pipeline.errors import OutsideFailure, Stopped, WrongUse
from pipeline.site.text.formatting import count_words
from pipeline.workspace import DataFolder

Report = dict[str, Any]  # what a step did, for --json and the run log


def _crawl(folder: DataFolder, only: tuple[str, ...], max_pages: int, max_seconds: float) -> Report:
    from contextlib import closing

    from pipeline.nlp.relevance.score import passes_topic
    from pipeline.versions import relevance_version
    from scrapers.archive.store import Archive
    from scrapers.crawling.crawl import CrawlConfig, crawl
    from scrapers.crawling.frontier import Frontier

    settings = settings_of(folder)
    sources = sources_of(settings)
    known = {source.source_id for source in sources}
    for name in only:
        if name not in known:
            raise WrongUse(
                f"There is no source '{name}'.{did_you_mean(name, known)} `oversight sources list` lists all sources."
            )
    chosen = [s for s in sources if s.enabled and (not only or s.source_id in only)]
    need_contact(folder, settings)
    folder.logs.mkdir(parents=True, exist_ok=True)
    config = CrawlConfig(
        contact=settings.contact,
        topic_filter=passes_topic,
        topic_version=relevance_version(),
        max_pages=max_pages,
        max_seconds=max_seconds,
        log_file=str(folder.logs / "crawl.log"),
        spider_modules=("scrapers.spiders", *filter(None, [settings.spiders])),
    )
    with closing(Frontier(folder.crawl_db)) as frontier:
        archive = Archive(folder.archive, folder.crawl_db)
        report = crawl(chosen, frontier, archive, config=config, progress=click.echo)
        archive.close()
    if report.interrupted:
        raise Stopped(
            f"The crawl was stopped: {report.stopped}. {report.n_pages} new pages are kept; run the command again."
        )
    if report.network_down:
        raise OutsideFailure(
            f"NETWORK_DOWN: none of the hosts of {len([s for s in report.sources if s.outcomes])} sources could be "
            "reached. Nothing was published. Check the network and the name server, then run the command again."
        )
    return {"visits": report.n_visits, "pages": report.n_pages, "outcomes": report.outcomes, "stopped": report.stopped}


def _say_crawl(report: Report) -> None:
    outcomes = ", ".join(f"{n} {outcome}" for outcome, n in sorted(report["outcomes"].items())) or "nothing was due"
    requests, pages = count_words(report["visits"], "request"), count_words(report["pages"], "page")
    click.echo(f"Crawled: {requests}, {pages} saved ({outcomes}).")
    if report["stopped"]:
        click.echo(f"Stopped early: {report['stopped']}.")


def _extract(folder: DataFolder) -> Report:
    from dataclasses import asdict

    from pipeline.app.steps import extract as extract_step

    settings = settings_of(folder)
    progress = Progress()
    report = extract_step(folder, sources_of(settings), progress, lexicon_of(settings))
    progress.done(
        f"Parsed {count_words(report.n_pages, 'page')} and analysed {count_words(report.n_articles, 'article')}: "
        f"{report.n_relevant} on AI oversight, {count_words(report.n_claims, 'claim')}."
    )
    if report.n_lost:
        click.echo(f"Extraction failed on {report.n_lost} of them; `oversight sources health` shows the reasons.")
    return asdict(report)


def _build(folder: DataFolder, full: bool = False) -> Report:
    from pipeline.app.steps import build as build_step

    folder.need(folder.crawl_db, "Run `oversight crawl` or `oversight add` first.")
    settings = settings_of(folder)
    report = build_step(
        folder,
        sources_of(settings),
        least_confidence=settings.least_confidence,
        lexicon=lexicon_of(settings),
        reviews=reviews_of(folder, settings),
        full=full,
    )
    click.echo(
        f"Built {count_words(report.n_events, 'event')} from {count_words(report.n_claims, 'claim')} in "
        f"{count_words(report.n_relevant, 'article')} with {count_words(report.n_origins, 'independent origin')}; "
        f"{count_words(report.n_contradictions, 'contradiction')}."
    )
    if report.n_reviews or report.n_reopened or report.n_waiting:
        click.echo(
            f"Editors' decisions: {report.n_reviews} applied, {report.n_reopened} reopened, {report.n_waiting} waiting."
        )
    if report.n_pending:
        click.echo(f"{count_words(report.n_pending, 'article')} not analysed yet: run `oversight extract`.")
    return report.as_dict()


def _publish(folder: DataFolder, force: bool) -> Report:
    from pipeline.app.steps import publish as publish_step

    folder.need(folder.build_db, "Run `oversight build` first.")
    report = publish_step(folder, force=force)
    click.echo(f"Published {report.path}.")
    return {"snapshot": str(report.path), "bytes": report.n_bytes, "rows": report.counts}


def _delete_old_visits(folder: DataFolder) -> Report:
    """Delete old fetch records, so that crawl.db does not grow for ever."""
    from pipeline.app.maintenance import delete_old_visits
    from pipeline.versions import program_version

    return {"visits": delete_old_visits(folder, program_version(*lexicon_of(settings_of(folder))))}


@click.command()
@click.option("--source", "only", multiple=True, help="Crawl only this source; repeatable.")
@click.option("--max-pages", default=2000, show_default=True, help="Maximum number of requests.")
@click.option("--max-seconds", default=1800.0, show_default=True, help="Maximum duration of the crawl, in seconds.")
@json_option
@click.pass_obj
def crawl(folder: DataFolder, only: tuple[str, ...], max_pages: int, max_seconds: float, as_json: bool) -> None:
    """Fetch the feeds and pages that are due, and archive the pages.

    The crawler respects robots.txt and rate limits.
    """
    with folder.lock(), plain_errors(), recorded(folder, "crawl") as run_, run_.step("crawl"):
        report = _crawl(folder, only, max_pages, max_seconds)
        run_.add("crawl", report)
    say_json(report) if as_json else _say_crawl(report)


@click.command()
@json_option
@click.pass_obj
def extract(folder: DataFolder, as_json: bool) -> None:
    """Parse new pages and extract their claims."""
    with folder.lock(), plain_errors(), recorded(folder, "extract") as run_, run_.step("extract"):
        report = _extract(folder)
        run_.add("extract", report)
    if as_json:
        say_json(report)


@click.command()
@click.option("--full", is_flag=True, help="Rebuild from scratch instead of updating; the result is the same.")
@json_option
@click.pass_obj
def build(folder: DataFolder, full: bool, as_json: bool) -> None:
    """Group claims into events, with their origins and contradictions.

    Only what has changed since the last build is processed. The whole ledger is rebuilt if the program, the lexicon, a
    source card, the confidence threshold or an editor's decision on a name has changed.
    """
    with folder.lock(), plain_errors(), recorded(folder, "build") as run_, run_.step("build"):
        report = _build(folder, full)
        run_.add("build", report)
    if as_json:
        say_json(report)


@click.command()
@click.option("--force", is_flag=True, help="Publish even if the new ledger is much smaller than the last one.")
@json_option
@click.pass_obj
def publish(folder: DataFolder, force: bool, as_json: bool) -> None:
    """Publish the built ledger as a new snapshot. A running server switches to it."""
    with folder.lock(), plain_errors(), recorded(folder, "publish") as run_, run_.step("publish"):
        report = _publish(folder, force)
        run_.add("publish", report)
    if as_json:
        say_json(report)


@contextmanager
def _alerts_at_the_end(folder: DataFolder, run_: Run) -> Iterator[None]:
    """Send alerts after the steps, also if one failed: some alerts report failures."""
    try:
        yield
    except (Stopped, KeyboardInterrupt):
        raise
    except Exception:
        try:
            _alerts(folder, run_)
        except Exception as error:  # the failure of the step ends the run
            click.echo(f"Alerts: {error}", err=True)
        raise
    _alerts(folder, run_)


def _alerts(folder: DataFolder, run_: Run) -> None:
    if settings_of(folder).alert:
        with run_.step("alerts"):
            run_.add("alerts", send_alerts(folder))


@click.command()
@click.option("--max-pages", default=2000, show_default=True, help="Maximum number of requests.")
@click.option("--max-seconds", default=1800.0, show_default=True, help="Maximum duration of the crawl, in seconds.")
@click.pass_obj
def run(folder: DataFolder, max_pages: int, max_seconds: float) -> None:
    """Crawl, extract, build, publish and send alerts: the one command for cron."""
    rules_of(settings_of(folder), folder)  # report a mistake in the rules before the crawl
    with folder.lock(), plain_errors(), recorded(folder, "run") as run_:
        folder.rotate_logs()
        with _alerts_at_the_end(folder, run_):
            with run_.step("crawl"):
                crawled = _crawl(folder, (), max_pages, max_seconds)
            run_.add("crawl", crawled)
            _say_crawl(crawled)
            for name, step in (
                ("extract", _extract),
                ("build", _build),
                ("publish", lambda f: _publish(f, force=False)),
            ):
                with run_.step(name):
                    run_.add(name, step(folder))
        with run_.step("upkeep"):
            run_.add("upkeep", _delete_old_visits(folder))


@click.command()
@click.option("--last", "n", default=10, show_default=True, type=click.IntRange(1), help="Number of runs to show.")
@json_option
@click.pass_obj
def runs(folder: DataFolder, n: int, as_json: bool) -> None:
    """List recent runs with their duration, their outcomes and the reason for any failure."""
    from pipeline.app.run_log import last_runs

    folder.need(folder.crawl_db, "Run `oversight run` first.")
    found = last_runs(folder, n)
    if as_json:
        say_json(found)
        return
    if not found:
        click.echo("No run has been recorded yet. `oversight run` and its steps record one each.")
        return
    say_rows(
        (
            (
                f"{row['started_at'][:16].replace('T', ' ')} UTC",
                row["command"],
                row["ended"],
                ", ".join(f"{step} {seconds:.0f} s" for step, seconds in row["seconds"].items()),
                ", ".join(f"{n} {outcome}" for outcome, n in row["outcomes"].get("crawl", {}).items()),
                row["words"],
            )
            for row in found
        ),
        ("started", "command", "status", "duration", "requests", "reason"),
    )
