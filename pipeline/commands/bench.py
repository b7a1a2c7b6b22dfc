"""The command `oversight bench`: measures the speed of each stage on this machine."""

from __future__ import annotations

import importlib.util
from dataclasses import asdict
from pathlib import Path

import click

from pipeline.commands.output import Progress, json_option, say_json, say_rows
from pipeline.errors import WrongUse
from pipeline.workspace import DataFolder

STAGES = ("relevance", "read", "extract", "build")
CRAWL, SITE, BACKFILL, LINEAR, EACH = "crawl", "site", "backfill", "linear", "commands"
ALONE = (SITE, BACKFILL, LINEAR, EACH)  # benchmarks that cannot be combined with others in one call
MIN_EVENTS, MIN_PAGES = 100, 100
LIMIT_MS = 200


@click.command()
@click.argument("stages", nargs=-1)
@click.option("--runs", default=5, show_default=True, help="Number of repetitions; the medians are printed.")
@click.option("--quick", is_flag=True, help="Use few texts: seconds instead of minutes, with rougher figures.")
@click.option("--events", default=100_000, show_default=True, help="site: number of events in the generated ledger.")
@click.option(
    "--ledger",
    default="",
    metavar="FOLDER",
    help="site: folder of the generated ledger, reused if it exists; linear: new folder to generate the ledger in.",
)
@click.option("--pages", default=2_000, show_default=True, help="backfill: number of pages in the generated archives.")
@click.option(
    "--frames",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="backfill: folder of saved pages (.html, .html.gz) for the archives; generated pages by default.",
)
@click.option("--peer-python", default="", help="backfill: Python interpreter with news-please installed.")
@click.option(
    "--articles",
    multiple=True,
    type=click.IntRange(1_000),
    default=(10_000, 50_000, 200_000),
    show_default=True,
    help="linear: number of articles in a ledger; may be given more than once.",
)
@click.option(
    "--relevant",
    default=0.2,
    show_default=True,
    type=click.FloatRange(0.001, 1.0),
    help="linear: share of articles with claims.",
)
@click.option(
    "--per-day", default=400, show_default=True, type=click.IntRange(1), help="linear: number of articles per day."
)
@json_option
@click.pass_obj
def bench(
    folder: DataFolder | None,
    stages: tuple[str, ...],
    runs: int,
    quick: bool,
    events: int,
    ledger: str,
    pages: int,
    frames: Path | None,
    peer_python: str,
    articles: tuple[int, ...],
    relevant: float,
    per_day: int,
    as_json: bool,
) -> None:
    """Measure the articles per second of each stage: relevance, read, extract, build (default: all four).

    `bench crawl` fetches and archives the newsroom, scaled to 2,000 pages, and compares with stock Scrapy. `bench site`
    times every page of the site over a large generated ledger and compares with stock Datasette. `bench backfill` reads
    generated archives and compares with fastwarc alone and with news-please (or trafilatura) and spaCy on every page.
    `bench linear` builds generated ledgers of several sizes and adds a hundred articles to each. `bench commands` runs
    each command over the ledger of --data and reports CPU time and memory.

    The texts are made from the stories that come with the source code. No other machine is contacted, and
    only `bench commands` reads a ledger. The benchmarks need a source checkout; they are not part of the installed
    package.
    """
    _check(stages, runs, events, pages)
    match stages[0] if stages else "":
        case "site":
            _bench_site(2_000 if quick else events, runs, ledger, as_json)
        case "commands":
            _bench_commands(folder or DataFolder(Path("data")), as_json)
        case "linear":
            _bench_linear((1_000, 2_000) if quick else articles, relevant, per_day, ledger, as_json)
        case "backfill":
            _bench_backfill(300 if quick else pages, 1 if quick else runs, frames, peer_python, as_json)
        case _:
            _bench_stages(tuple(dict.fromkeys(stages)) or STAGES, runs, quick, as_json)


def _check(stages: tuple[str, ...], runs: int, events: int, pages: int) -> None:
    """Raise WrongUse if the benchmarks are missing or the arguments don't fit."""
    if importlib.util.find_spec("pipeline.evaluation.benchmarks") is None:
        raise WrongUse("The benchmarks come with the source checkout only; run `oversight bench` from there.")
    known = (*STAGES, CRAWL, *ALONE)
    for name in stages:
        if name not in known:
            raise WrongUse(f"Unknown stage '{name}'. Known stages: {', '.join(known)}.")
        if name in ALONE and len(set(stages)) > 1:
            raise WrongUse(f"`bench {name}` must run alone. Name no other stage with it.")
    if runs < 1:
        raise WrongUse(f"--runs is {runs}; at least 1 is needed.")
    if events < MIN_EVENTS:
        raise WrongUse(f"--events is {events}; at least {MIN_EVENTS} are needed.")
    if BACKFILL in stages and pages < MIN_PAGES:
        raise WrongUse(f"--pages is {pages}; at least {MIN_PAGES} are needed.")


def _bench_stages(stages: tuple[str, ...], runs: int, quick: bool, as_json: bool) -> None:
    from pipeline.evaluation.benchmarks.measure import measure

    progress = Progress()
    report = measure(stages, runs, quick, progress)
    if as_json:
        say_json({**report, "rates": [asdict(rate) for rate in report["rates"]]})
        return
    machine = report["machine"]
    lengths = ", ".join(f"{kind} {size:,}" for kind, size in report["characters"].items())
    libraries = ", ".join(f"{name} {number}" for name, number in machine["libraries"].items())
    progress.done(f"{machine['cpu']}, {machine['cores']} cores, load {machine['load']}, {machine['system']}")
    click.echo(f"Python {machine['python']}, {libraries}")
    click.echo(
        f"Texts {report['data_hash']} (mean characters: {lengths}); articles per second, medians of {runs} runs\n"
    )
    say_rows(
        (
            (
                rate.stage,
                f"{rate.per_second:,.1f}",
                f"{rate.per_cpu_second:,.1f}",
                f"{rate.least:,.1f}-{rate.most:,.1f}",
                str(rate.n),
                rate.note,
            )
            for rate in report["rates"]
        ),
        ("stage", "per second", "per CPU-second", "range", "n", ""),
    )
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
        f"{n_events:,} events with 3 parties each, {n_events // 5:,} articles; medians of {runs} requests per page and "
        "of one request per combination of filters. In brackets: CPU time of the server.\n"
    )
    say_rows(
        (
            (
                row.page,
                str(row.n),
                f"{row.ours:,.0f} ({row.cpu:,.0f})",
                f"{row.slowest:,.0f}",
                str(row.late or ""),
                "" if row.stock is None else f"{row.stock:,.0f} ({row.stock_cpu:,.0f})",
                str(row.stock_late or ""),
                str(row.stock_failed or ""),
            )
            for row in rows
        ),
        ("page", "n", "ms here", "slowest", "facets timed out", "ms, stock Datasette", "facets timed out", "errors"),
    )
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
        f"{report['archive_bytes'] / 1e6:,.0f} MB compressed, {report['relevant']:,} relevant; "
        f"data {report['data_hash']}; medians of {runs} runs\n"
    )
    say_rows(
        (
            (line.what, f"{line.per_second:,.1f}", f"{line.per_cpu_second:,.1f}", f"{line.n:,}")
            for line in report["lines"]
        ),
        ("pages", "per second", "per CPU-second", "n"),
    )
    peer = report["peer"]
    click.echo(
        f"\nFound {report['relevant'] - report['missed']:,} of {report['relevant']:,} relevant articles, "
        f"{report['extra']} others and {report['claims']:,} claims; the peer found {peer['relevant'] - peer['missed']} "
        f"of {peer['relevant']} relevant articles in {peer['pages']} pages."
    )
    for words, ratio in report["ratios"].items():
        click.echo(f"{ratio} {words}")


def _bench_linear(sizes: tuple[int, ...], relevant: float, per_day: int, ledger: str, as_json: bool) -> None:
    from pipeline.evaluation.benchmarks.linear import BASELINE_ARTICLES, MORE, measure_linear
    from pipeline.evaluation.benchmarks.measure import machine

    place = Path(ledger) if ledger else None
    if place and place.exists() and any(place.iterdir()):
        raise WrongUse(f"{place} is not empty. Name a new folder for the generated ledger.")
    progress = Progress()
    found, about = measure_linear(sizes, relevant, progress, place, per_day), machine()
    if as_json:
        costs = [asdict(size) | {"relative_cost": round(size.relative_cost, 2)} for size in found]
        say_json({"machine": about, "relevant": relevant, "per_day": per_day, "sizes": costs})
        return
    progress.done(f"{about['cpu']}, {about['cores']} cores, load {about['load']}, {about['system']}")
    click.echo(f"{per_day:,} articles per day, {relevant:.0%} of them with claims")
    click.echo("CPU seconds (wall-clock seconds)")
    click.echo(f"relative: cost of an article relative to a ledger of {BASELINE_ARTICLES:,}, built at the same time\n")
    say_rows(
        (
            (
                f"{s.n_articles:,}",
                f"{s.n_claims:,}",
                f"{s.n_events:,}",
                f"{s.full:,.1f} ({s.full_clock:,.1f})",
                f"{s.ms_per_article:.2f}",
                f"{s.relative_cost:.2f}",
                f"{s.incremental:,.1f} ({s.incremental_clock:,.1f})",
                f"{s.published:,.1f} ({s.published_clock:,.1f})",
                f"{s.peak_mb:,}",
                f"{sum(s.bytes.values()) / s.n_articles / 1000:.1f}",
                {None: "", True: "yes", False: "NO"}[s.same],
            )
            for s in found
        ),
        (
            "articles",
            "claims",
            "events",
            "full build",
            "ms each",
            "relative",
            f"{MORE} more",
            "publish",
            "MB",
            "kB each",
            "same",
        ),
    )


def _bench_commands(folder: DataFolder, as_json: bool) -> None:
    from pipeline.evaluation.benchmarks.commands import measure_commands

    folder.need(folder.build_db, "Run `oversight demo` or `oversight run` first.")
    progress = Progress()
    found = measure_commands(folder.path, progress)
    if as_json:
        say_json([asdict(spent) for spent in found])
        return
    progress.done("CPU seconds, and the memory of the largest process:")
    say_rows(
        ((f"oversight {s.command}", f"{s.cpu_seconds:.1f}", str(s.peak_mb)) for s in found),
        ("command", "CPU seconds", "MB"),
    )
