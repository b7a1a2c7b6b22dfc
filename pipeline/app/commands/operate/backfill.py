"""The command that reads archives of the web into the ledger."""

from __future__ import annotations

import time
from pathlib import Path

import click

from pipeline.app.commands.common import lexicon_of, need_contact, plain_errors, settings_of, sources_of
from pipeline.app.commands.inputs import need_file
from pipeline.app.commands.operate.run import _build, _publish
from pipeline.app.commands.output import Progress, json_option, say_json
from pipeline.app.run_log import recorded
from pipeline.errors import OutsideFailure, WrongUse
from pipeline.workspace import DataFolder

QUIET_SECONDS = 30.0  # between two plain lines where there is no terminal
BAR = 20


@click.command()
@click.argument("files", nargs=-1, required=True)
@click.option("--workers", type=click.IntRange(1), help="Read with so many processes; by default one for each core.")
@click.option(
    "--hosts", "hosts_file", type=click.Path(dir_okay=False, path_type=Path),
    help="Only pages of these hosts, one on each line; .news.example admits all hosts under it. "
    "By default those of the source cards.",
)  # fmt: skip
@click.option("--all-hosts", is_flag=True, help="Pages of every host.")
@click.option("--dask", "dask_address", default="", help="Let the workers of a Dask cluster read: tcp://HOST:8786.")
@click.option("--no-build", is_flag=True, help="Read only; `oversight build` and `oversight publish` later.")
@click.option("--part-mb", default=8.0, hidden=True, type=click.FloatRange(min=0.001))
@click.option("--allow-loopback", is_flag=True, hidden=True)  # for tests against a server on this machine
@json_option
@click.pass_obj
def backfill(
    folder: DataFolder, files: tuple[str, ...], workers: int | None, hosts_file: Path | None, all_hosts: bool,
    dask_address: str, no_build: bool, part_mb: float, allow_loopback: bool, as_json: bool,
) -> None:  # fmt: skip
    """Read archives of the web (WARC FILES, paths or http(s) addresses, such as CC-NEWS) into the ledger.

    Pages of the wanted hosts that may be about the oversight of AI are read as if they had been crawled on the day on
    which the archive's maker fetched them. It may be stopped or killed at any moment and goes on inside the file when
    it is called again; a file that is done is not read again.
    """
    if dask_address and workers:
        raise WrongUse("--workers is for this machine, --dask for a cluster: give one of them.")
    if hosts_file and all_hosts:
        raise WrongUse("--hosts names the hosts that are wanted, --all-hosts wants every one: give one of them.")
    names = tuple(dict.fromkeys(files))
    _check(names)
    with folder.lock(), plain_errors(), recorded(folder, "backfill") as run_:
        with run_.step("backfill"):
            tally = _read(
                folder, names, workers, hosts_file, all_hosts, dask_address, part_mb, allow_loopback, as_json
            )  # fmt: skip
        report = {
            "files": tally.n_files, "finished": tally.finished, "records": tally.records, "pages": tally.pages,
            "relevant": tally.relevant, "new": tally.new, "claims": tally.claims,
            "passed_over": dict(tally.passed_over), "bad": dict(tally.bad), "problems": tally.problems,
        }  # fmt: skip
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
            + (" The others stand above." if len(tally.problems) > 1 else "")
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
            raise WrongUse(f"{name}: is no WARC archive: it begins with neither a WARC record nor a compressed one.")


def _read(
    folder: DataFolder, names: tuple[str, ...], workers: int | None, hosts_file: Path | None, all_hosts: bool,
    dask_address: str, part_mb: float, allow_loopback: bool, as_json: bool,
):  # fmt: skip
    from pipeline.app.backfill.engines import DaskEngine, Engine, LocalEngine
    from pipeline.app.backfill.hosts import hosts_of, read_hosts
    from pipeline.app.backfill.progress import Books
    from pipeline.app.backfill.run import Backfill
    from pipeline.app.backfill.work import Order
    from pipeline.nlp.pool import reader_count
    from scrapers.archive.remote_files import Access, is_address

    settings = settings_of(folder)
    if any(map(is_address, names)) and not allow_loopback:
        need_contact(folder, settings)
    sources, lexicon = sources_of(settings), lexicon_of(settings)
    hosts = hosts_of(sources, read_hosts(hosts_file) if hosts_file else None, every=all_hosts)
    agent = f"OversightLedger/0.1 (+{settings.contact})" if settings.contact else "OversightLedger/0.1"
    access = Access(agent, allow_loopback)
    order = Order(hosts, sources, lexicon, access)
    engine: Engine = DaskEngine(order, dask_address) if dask_address else LocalEngine(order, workers or reader_count())
    books = Books(folder.crawl_db, folder.archive, lexicon)
    watcher = _Watcher(len(names), quiet=as_json)
    try:
        tally = Backfill(books, engine, order, folder.path / "backfill", watcher, int(part_mb * 1024 * 1024)).run(names)
    finally:
        books.close()
        engine.close()
    watcher.end(tally)
    return tally


def _silently(step, folder: DataFolder) -> dict:
    """Run a step whose words would stand in the middle of JSON."""
    import contextlib
    import io

    with contextlib.redirect_stdout(io.StringIO()):
        return step(folder)


class _Watcher:
    """A bar on a terminal; elsewhere a plain line for each file, and one now and then."""

    def __init__(self, n_files: int, *, quiet: bool) -> None:
        self.n_files, self.quiet = n_files, quiet
        self.progress = Progress()
        self.began = self.spoke = time.monotonic()

    def __call__(self, tally, line: str) -> None:
        if line and not self.quiet:
            self.progress.done(line)
        now = time.monotonic()
        if self.progress.live:
            if now - self.spoke > 0.2 or line:
                self.progress(f"{bar(tally.share)} {self._words(tally, now)}")
                self.spoke = now
        elif not self.quiet and now - self.spoke > QUIET_SECONDS:
            click.echo(self._words(tally, now))
            self.spoke = now

    def _words(self, tally, now: float) -> str:
        return progress_words(tally, now - self.began)

    def end(self, tally) -> None:
        if self.quiet:
            return
        seconds = time.monotonic() - self.began
        self.progress.done(
            f"Read {tally.records:,} records of {tally.finished} of {tally.n_files} files in {lasting(seconds)}: "
            f"{tally.pages:,} pages of wanted hosts, {tally.relevant:,} on AI oversight ({tally.new:,} new), "
            f"{tally.claims:,} claims."
        )
        for title, counts in (("Passed over", tally.passed_over), ("Bad records", tally.bad)):
            if counts:
                click.echo(f"{title}: " + ", ".join(f"{n:,} {why}" for why, n in counts.most_common()) + ".")


def bar(share: float) -> str:
    """Return a bar of fixed width for a share from 0 to 1."""
    filled = round(BAR * min(1.0, max(0.0, share)))
    return "[" + "#" * filled + "-" * (BAR - filled) + "]"


def progress_words(tally, seconds: float) -> str:
    """Return how far a run has come, its rate and the time left, in words."""
    rate = tally.records / max(seconds, 1e-6)
    done = tally.share - tally.share_before
    left = f", about {lasting(seconds * (1 - tally.share) / done)} left" if done > 0.001 and seconds > 1 else ""
    return (
        f"{tally.share:.0%} of {tally.n_files} file{'s' if tally.n_files != 1 else ''}, {rate:,.0f} records/s, "
        f"{tally.pages:,} pages, {tally.relevant:,} on AI oversight, {tally.claims:,} claims{left}"
    )


def lasting(seconds: float) -> str:
    """Return a length of time in words: "40 s", "12 min", "3 h 5 min"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"
