"""The command that measures how quick each stage is on this machine."""

from __future__ import annotations

from dataclasses import asdict

import click

from pipeline.commands.output import Progress, json_option, say_json, say_rows
from pipeline.errors import WrongUse

STAGES = ("gate", "read", "extract", "build")


@click.command()
@click.argument("stages", nargs=-1)
@click.option("--runs", default=5, show_default=True, help="Measure so often; the medians are printed.")
@click.option("--quick", is_flag=True, help="Few texts: seconds instead of minutes, and rougher figures.")
@json_option
def bench(stages: tuple[str, ...], runs: int, quick: bool, as_json: bool) -> None:
    """Measure how many articles a second each stage takes: gate, read, extract, build; all of them by default.

    The texts are made from the stories that come with the program; nothing is fetched and no ledger is touched.
    """
    for name in stages:
        if name not in STAGES:
            raise WrongUse(f"There is no stage '{name}' to measure. Name some of: {', '.join(STAGES)}.")
    if runs < 1:
        raise WrongUse(f"--runs is {runs}, but at least one run is needed.")
    from pipeline.bench.measure import measure

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
