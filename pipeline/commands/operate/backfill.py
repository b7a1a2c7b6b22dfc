"""The command `backfill`."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipeline.app.run_log import recorded
from pipeline.commands.common import lexicon_of, need_contact, plain_errors, settings_of, sources_of
from pipeline.commands.inputs import need_file
from pipeline.commands.operate.run import Report, _build, _publish
from pipeline.commands.output import Progress, json_option, say_json
from pipeline.errors import OutsideFailure, WrongUse
from pipeline.workspace import DataFolder

if TYPE_CHECKING:
    from pipeline.app.backfill.run import Tally

QUIET_SECONDS = 30.0  # between two progress lines without a terminal
BAR_WIDTH = 20


@click.command()
@click.argument("files", nargs=-1, required=True)
@click.option("--workers", type=click.IntRange(1), help="Number of worker processes; by default one per core.")
@click.option(
    "--hosts",
    "hosts_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File of hosts to import, one per line; .news.example includes its subdomains. "
    "By default the hosts of the source cards.",
)
@click.option("--all-hosts", is_flag=True, help="Import pages of all hosts.")
@click.option(
    "--dask",
    "dask_address",
    default="",
    help="Address of a Dask scheduler whose workers do the reading: tcp://HOST:8786.",
)
@click.option("--no-build", is_flag=True, help="Do not build and publish afterwards.")
@click.option("--part-mb", default=8.0, hidden=True, type=click.FloatRange(min=0.001))
@click.option("--allow-loopback", is_flag=True, hidden=True)  # for tests against a server on this machine
@json_option
@click.pass_obj
def backfill(
    folder: DataFolder,
    files: tuple[str, ...],
    workers: int | None,
    hosts_file: Path | None,
    all_hosts: bool,
    dask_address: str,
    no_build: bool,
    part_mb: float,
    allow_loopback: bool,
    as_json: bool,
) -> None:
    """Import web archives, such as CC-NEWS: FILES are WARC files, given as paths or http(s) addresses.

    Relevant pages of the chosen hosts are imported as if they had been crawled on the day the archive fetched them.
    The import can be stopped at any moment; the same command continues inside the file. Finished files are
    skipped.
    """
    if dask_address and workers:
        raise WrongUse("--workers applies to this machine, --dask to a cluster: give one of them.")
    if hosts_file and all_hosts:
        raise WrongUse("--hosts and --all-hosts exclude each other: give one of them.")
    names = tuple(dict.fromkeys(files))
    _check(names)
    with folder.lock(), plain_errors(), recorded(folder, "backfill") as run_:
        with run_.step("backfill"):
            tally = _read(folder, names, workers, hosts_file, all_hosts, dask_address, part_mb, allow_loopback, as_json)
        report = {
            "files": tally.n_files,
            "finished": tally.finished,
            "records": tally.records,
            "pages": tally.pages,
            "relevant": tally.relevant,
            "new": tally.new,
            "claims": tally.claims,
            "passed_over": dict(tally.passed_over),
            "bad": dict(tally.bad),
            "problems": tally.problems,
        }
        run_.add("backfill", {**report, "outcomes": {**tally.passed_over, **tally.bad}})
        if tally.new and not no_build:
            for name, step in (("build", _build), ("publish", lambda f: _publish(f, force=False))):
                with run_.step(name):
                    run_.add(name, step(folder) if not as_json else _silently(step, folder))
    if as_json:
        say_json(report)
    if tally.problems:
        raise OutsideFailure(
            f"{len(tally.problems)} of {tally.n_files} files could not be read to the end: {tally.problems[0]}"
            + (" The other errors are listed above." if len(tally.problems) > 1 else "")
        )


def _check(names: tuple[str, ...]) -> None:
    from scrapers.archive.remote_files import is_address
    from scrapers.archive.warc import packing_of

    for name in names:
        if is_address(name):
            continue
        need_file(name, "Give WARC files by path or http(s) address.")
        from scrapers.archive.remote_files import LocalFile

        place = LocalFile(name)
        packing = packing_of(place)
        place.close()
        if packing is None:
            raise WrongUse(f"{name}: not a WARC file: it begins with neither a WARC record nor a compressed one.")


def _read(
    folder: DataFolder,
    names: tuple[str, ...],
    workers: int | None,
    hosts_file: Path | None,
    all_hosts: bool,
    dask_address: str,
    part_mb: float,
    allow_loopback: bool,
    as_json: bool,
) -> Tally:
    from pipeline.app.backfill.engines import DaskEngine, Engine, LocalEngine
    from pipeline.app.backfill.hosts import hosts_of, read_hosts
    from pipeline.app.backfill.progress import ProgressStore
    from pipeline.app.backfill.run import Backfill
    from pipeline.app.backfill.work import WorkerSettings
    from pipeline.nlp.pool import reader_count
    from scrapers.archive.remote_files import Access, is_address

    settings = settings_of(folder)
    if any(map(is_address, names)) and not allow_loopback:
        need_contact(folder, settings)
    sources, lexicon = sources_of(settings), lexicon_of(settings)
    hosts = hosts_of(sources, read_hosts(hosts_file) if hosts_file else None, every=all_hosts)
    agent = f"OversightLedger/0.1 (+{settings.contact})" if settings.contact else "OversightLedger/0.1"
    access = Access(agent, allow_loopback)
    worker_settings = WorkerSettings(hosts, sources, lexicon, access)
    engine: Engine
    if dask_address:
        engine = DaskEngine(worker_settings, dask_address)
    else:
        engine = LocalEngine(worker_settings, workers or reader_count())
    store = ProgressStore(folder.crawl_db, folder.archive, lexicon)
    watcher = _Watcher(len(names), quiet=as_json)
    try:
        tally = Backfill(
            store, engine, worker_settings, folder.path / "backfill", watcher, int(part_mb * 1024 * 1024)
        ).run(names)
    finally:
        store.close()
        engine.close()
    watcher.end(tally)
    return tally


def _silently(step: Callable[[DataFolder], Report], folder: DataFolder) -> Report:
    """Run a step without its output, which would break up the JSON."""
    import contextlib
    import io

    with contextlib.redirect_stdout(io.StringIO()):
        return step(folder)


class _Watcher:
    """Shows a progress bar on a terminal; elsewhere a line per file, and one every QUIET_SECONDS."""

    def __init__(self, n_files: int, *, quiet: bool) -> None:
        self.n_files, self.quiet = n_files, quiet
        self.progress = Progress()
        self.started = self.last_shown = time.monotonic()

    def __call__(self, tally: Tally, line: str) -> None:
        if line and not self.quiet:
            self.progress.done(line)
        now = time.monotonic()
        if self.progress.live:
            if now - self.last_shown > 0.2 or line:
                self.progress(f"{bar(tally.share)} {self._words(tally, now)}")
                self.last_shown = now
        elif not self.quiet and now - self.last_shown > QUIET_SECONDS:
            click.echo(self._words(tally, now))
            self.last_shown = now

    def _words(self, tally: Tally, now: float) -> str:
        return progress_words(tally, now - self.started)

    def end(self, tally: Tally) -> None:
        if self.quiet:
            return
        seconds = time.monotonic() - self.started
        self.progress.done(
            f"Read {tally.records:,} records in {duration_words(seconds)}; finished {tally.finished} of "
            f"{tally.n_files} files. Found {tally.pages:,} pages of the chosen hosts, {tally.relevant:,} on AI "
            f"oversight ({tally.new:,} new), {tally.claims:,} claims."
        )
        for title, counts in (("Skipped", tally.passed_over), ("Bad records", tally.bad)):
            if counts:
                click.echo(f"{title}: " + ", ".join(f"{n:,} {why}" for why, n in counts.most_common()) + ".")


def bar(share: float) -> str:
    """Return a bar of BAR_WIDTH characters for a share from 0 to 1."""
    filled = round(BAR_WIDTH * min(1.0, max(0.0, share)))
    return "[" + "#" * filled + "-" * (BAR_WIDTH - filled) + "]"


def progress_words(tally: Tally, seconds: float) -> str:
    """Return progress, rate and remaining time of a run as a line."""
    rate = tally.records / max(seconds, 1e-6)
    done = tally.share - tally.share_before
    left = f", about {duration_words(seconds * (1 - tally.share) / done)} left" if done > 0.001 and seconds > 1 else ""
    return (
        f"{tally.share:.0%} of {tally.n_files} file{'s' if tally.n_files != 1 else ''}, {rate:,.0f} records/s, "
        f"{tally.pages:,} pages, {tally.relevant:,} on AI oversight, {tally.claims:,} claims{left}"
    )


def duration_words(seconds: float) -> str:
    """Return a duration as "40 s", "12 min" or "3 h 5 min"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
