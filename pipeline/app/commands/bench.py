"""The command that measures how quick each stage is on this machine."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from pipeline.app.commands.output import Progress, json_option, say_json, say_rows
from pipeline.errors import WrongUse
from pipeline.workspace import DataFolder

STAGES = ("relevance", "read", "extract", "build")
SITE, BACKFILL, CRAWL, LINEAR, EACH = "site", "backfill", "crawl", "linear", "commands"
LIMIT_MS = 200


@click.command()
@click.argument("stages", nargs=-1)
@click.option("--runs", default=5, show_default=True, help="Measure so often; the medians are printed.")
@click.option("--quick", is_flag=True, help="Few texts: seconds instead of minutes, and rougher figures.")
@click.option("--events", default=100_000, show_default=True, help="site: the size of the ledger that is made.")
@click.option("--ledger", default="", metavar="FOLDER", help="site: make the ledger there, take it again later; "
              "linear: make it there, in a new folder, and leave it.")  # fmt: skip
@click.option("--pages", default=2_000, show_default=True, help="backfill: so many pages in the archives it makes.")
@click.option(
    "--frames", type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="backfill: a folder of saved pages (.html, .html.gz) to make the archives of; else they are made up.",
)  # fmt: skip
@click.option("--peer-python", default="", help="backfill: the Python in which news-please is installed.")
@click.option("--articles", multiple=True, type=click.IntRange(1_000), default=(10_000, 50_000, 200_000),
              show_default=True, help="linear: a size of the ledger; may be given more than once.")  # fmt: skip
@click.option("--relevant", default=0.2, show_default=True, type=click.FloatRange(0.001, 1.0),
              help="linear: the share of its articles that has claims.")  # fmt: skip
@click.option("--per-day", default=400, show_default=True, type=click.IntRange(1),
              help="linear: articles of one day, at each size.")  # fmt: skip
@json_option
@click.pass_obj
def bench(
    folder: DataFolder | None, stages: tuple[str, ...], runs: int, quick: bool, events: int, ledger: str, pages: int,
    frames: Path | None, peer_python: str, articles: tuple[int, ...], relevant: float, per_day: int,
    as_json: bool,
) -> None:  # fmt: skip
    """Measure how many articles a second each stage takes: gate, read, extract, build; all of them by default.

    `bench crawl` fetches and archives the newsroom, scaled to 2,000 pages on this machine, beside Scrapy as it comes.
    `bench site` times every page of the site over a large ledger that is made for it, beside a stock Datasette. `bench
    backfill` reads archives that it makes, beside the bare reading of the file and the peer: news-please's extractor
    and spaCy's small model on every page (trafilatura's where news-please is not installed). `bench linear` joins
    ledgers of several sizes, of articles and claims that it makes, and adds a hundred articles to each. `bench
    commands` calls each command over the ledger of --data, and tells processor time and memory. The texts are made
    from the stories that come with the program; no other machine is asked, and no ledger but that one is touched.
    """
    for name in stages:
        if name not in (*STAGES, CRAWL, SITE, BACKFILL, LINEAR, EACH):
            known = ", ".join((*STAGES, CRAWL, SITE, BACKFILL, LINEAR, EACH))
            raise WrongUse(f"There is no stage '{name}' to measure. Name some of: {known}.")
    if runs < 1:
        raise WrongUse(f"--runs is {runs}, but at least one run is needed.")
    if events < 100:
        raise WrongUse(f"--events is {events}, but a ledger to time pages over needs at least 100.")
    if SITE in stages:
        if len(set(stages)) > 1:
            raise WrongUse("`bench site` takes the machine for itself: name it alone.")
        _bench_site(2_000 if quick else events, runs, ledger, as_json)
        return
    if EACH in stages:
        if len(set(stages)) > 1:
            raise WrongUse("`bench commands` calls commands: name it alone.")
        _bench_commands(folder or DataFolder(Path("data")), as_json)
        return
    if LINEAR in stages:
        if len(set(stages)) > 1:
            raise WrongUse("`bench linear` takes the machine for itself: name it alone.")
        _bench_linear((1_000, 2_000) if quick else articles, relevant, per_day, ledger, as_json)
        return
    if BACKFILL in stages:
        if len(set(stages)) > 1:
            raise WrongUse("`bench backfill` takes the machine for itself: name it alone.")
        if pages < 100:
            raise WrongUse(f"--pages is {pages}, but an archive to time needs at least 100.")
        _bench_backfill(300 if quick else pages, 1 if quick else runs, frames, peer_python, as_json)
        return
    from pipeline.evaluation.benchmarks.measure import measure

    progress = Progress()
    report = measure(tuple(dict.fromkeys(stages)) or STAGES, runs, quick, progress)
    if as_json:
        say_json({**report, "rates": [asdict(rate) for rate in report["rates"]]})
        return
    machine = report["machine"]
    lengths = ", ".join(f"{size:,} characters where {kind}" for kind, size in report["characters"].items())
    libraries = ", ".join(f"{name} {number}" for name, number in machine["libraries"].items())
    progress.done(f"{machine['cpu']}, {machine['cores']} cores, load {machine['load']}, {machine['system']}")
    click.echo(f"Python {machine['python']}, {libraries}")
    click.echo(f"Texts {report['data_hash']} (on average {lengths}); articles per second, medians of {runs} runs\n")
    say_rows(
        (
            (rate.stage, f"{rate.per_second:,.1f}", f"{rate.per_cpu_second:,.1f}",
             f"{rate.least:,.1f}-{rate.most:,.1f}", str(rate.n), rate.note)
            for rate in report["rates"]
        ),
        ("stage", "per second", "per CPU-second", "spread", "n", ""),
    )  # fmt: skip
    memory = ", ".join(f"{who} {size} MB" for who, size in report["peak_memory_mb"].items() if size)
    click.echo(f"\nPeak memory: {memory}")


def _bench_site(n_events: int, runs: int, ledger: str, as_json: bool) -> None:
    from pipeline.evaluation.benchmarks.measure import machine
    from pipeline.evaluation.benchmarks.site import measure_site

    progress = Progress()
    rows, about = measure_site(n_events, progress, runs, ledger), machine()
    if as_json:
        say_json({"machine": about, "events": n_events, "pages": [asdict(row) for row in rows]})
        return
    progress.done(f"{about['cpu']}, {about['cores']} cores, load {about['load']}, {about['system']}")
    click.echo(
        f"{n_events:,} events with 3 parties each, {n_events // 5:,} articles; medians of {runs} requests for a page, "
        "of one for each combination of filters. In brackets: how long the server computed.\n"
    )
    say_rows(
        (
            (row.page, str(row.n), f"{row.ours:,.0f} ({row.cpu:,.0f})", f"{row.slowest:,.0f}", str(row.late or ""),
             "" if row.stock is None else f"{row.stock:,.0f} ({row.stock_cpu:,.0f})", str(row.stock_late or ""),
             str(row.stock_failed or ""))
            for row in rows
        ),
        ("page", "n", "ms here", "slowest", "facets late", "ms, stock Datasette", "facets late", "errors"),
    )  # fmt: skip
    slow = [row.page for row in rows if row.ours > LIMIT_MS]
    click.echo(f"\nMedian above {LIMIT_MS} ms: {', '.join(slow) or 'none'}")


def _bench_backfill(n_pages: int, runs: int, frames: Path | None, peer_python: str, as_json: bool) -> None:
    from pipeline.evaluation.benchmarks.backfill import measure_backfill
    from pipeline.evaluation.benchmarks.measure import machine
    from pipeline.nlp.pool import reader_count

    progress = Progress()
    about = machine()
    report = measure_backfill(n_pages, runs, frames, peer_python, reader_count(), progress)
    if as_json:
        say_json({"machine": about, **report, "lines": [asdict(line) for line in report["lines"]]})
        return
    progress.done(f"{about['cpu']}, {about['cores']} cores, load {about['load']}, {about['system']}")
    libraries = ", ".join(f"{name} {number}" for name, number in about["libraries"].items())
    click.echo(f"Python {about['python']}, {libraries}")
    click.echo(
        f"{n_pages:,} pages ({report['frames']}) of {report['bytes_per_page'] // 1000} kB on average, "
        f"{report['archive_bytes'] / 1e6:,.0f} MB packed, {report['relevant']:,} relevant; data {report['data_hash']}; "
        f"medians of {runs} runs\n"
    )
    say_rows(
        (
            (line.what, f"{line.per_second:,.1f}", f"{line.per_cpu_second:,.1f}", f"{line.n:,}")
            for line in report["lines"]
        ),
        ("pages", "per second", "per CPU-second", "n"),
    )  # fmt: skip
    peer = report["peer"]
    click.echo(
        f"\nFound {report['relevant'] - report['missed']:,} of {report['relevant']:,} relevant articles and "
        f"{report['extra']} others, {report['claims']:,} claims; the peer {peer['relevant'] - peer['missed']} of "
        f"{peer['relevant']} in its {peer['pages']} pages."
    )
    for words, ratio in report["ratios"].items():
        click.echo(f"{ratio} {words}")


def _bench_linear(sizes: tuple[int, ...], relevant: float, per_day: int, ledger: str, as_json: bool) -> None:
    from pipeline.evaluation.benchmarks.linear import MORE, YARD, measure_linear
    from pipeline.evaluation.benchmarks.measure import machine

    place = Path(ledger) if ledger else None
    if place and place.exists() and any(place.iterdir()):
        raise WrongUse(f"{place} holds files already. Name a new folder, which the ledger is made in.")
    progress = Progress()
    found, about = measure_linear(sizes, relevant, progress, place, per_day), machine()
    if as_json:
        costs = [asdict(size) | {"beside": round(size.beside, 2)} for size in found]
        say_json({"machine": about, "relevant": relevant, "per_day": per_day, "sizes": costs})
        return
    progress.done(f"{about['cpu']}, {about['cores']} cores, load {about['load']}, {about['system']}")
    click.echo(f"{per_day:,} articles a day, of which {relevant:.0%} have claims")
    click.echo("Seconds of the processor (by the clock)")
    click.echo(f"times: as much as an article costs in a ledger of {YARD:,}, joined right before and after\n")
    say_rows(
        (
            (f"{s.n_articles:,}", f"{s.n_claims:,}", f"{s.n_events:,}", f"{s.whole:,.1f} ({s.whole_clock:,.1f})",
             f"{s.ms_per_article:.2f}", f"{s.beside:.2f}", f"{s.grown:,.1f} ({s.grown_clock:,.1f})",
             f"{s.published:,.1f} ({s.published_clock:,.1f})", f"{s.peak_mb:,}",
             f"{sum(s.bytes.values()) / s.n_articles / 1000:.1f}",
             {None: "", True: "yes", False: "NO"}[s.same])
            for s in found
        ),
        ("articles", "claims", "events", "all anew", "ms each", "times", f"{MORE} more", "publish", "MB", "kB each",
         "same"),
    )  # fmt: skip


def _bench_commands(folder: DataFolder, as_json: bool) -> None:
    from pipeline.evaluation.benchmarks.commands import measure_commands

    folder.need(folder.build_db, "Run `oversight demo` or `oversight run` first.")
    progress = Progress()
    found = measure_commands(folder.path, progress)
    if as_json:
        say_json([asdict(spent) for spent in found])
        return
    progress.done("Seconds of the processor, and the memory of the largest process:")
    say_rows(
        ((f"oversight {s.command}", f"{s.cpu_seconds:.1f}", str(s.peak_mb)) for s in found),
        ("command", "CPU seconds", "MB"),
    )
