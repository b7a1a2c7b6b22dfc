"""The command `oversight`: finds the subcommand by name, runs it, and turns every error into one line and an exit code.

Commands live in pipeline/app/commands, one module per subject, and are imported only when they are called.
"""

from __future__ import annotations

import errno
import importlib
import os
import signal
import sqlite3
import sys
import threading
import traceback
from pathlib import Path

import click

from pipeline.errors import DONE, INTERNAL, OUTSIDE, WRONG_USE, OversightError, Stopped

COMMANDS = {
    "demo": ("operate.demo", "Crawl the small invented newsroom, build its ledger and serve it."),
    "run": ("operate.run", "Crawl what is due, read it, build the ledger and publish it."),
    "crawl": ("operate.run", "Fetch what is due from the sources."),
    "extract": ("operate.run", "Read the claims out of the fetched pages."),
    "build": ("operate.run", "Join the claims into events."),
    "publish": ("operate.run", "Publish what was built as a new snapshot."),
    "backfill": ("operate.backfill", "Read archives of the web (WARC files) into the ledger."),
    "serve": ("operate.serve", "Serve the published ledger on this machine."),
    "add": ("documents", "Add one page or text from a file or an address."),
    "claims": ("documents", "Read the claims of a folder of texts into a folder of JSON files."),
    "evaluate": ("documents", "Score the extraction against annotated texts."),
    "bench": ("bench", "Measure how quick each stage is on this machine."),
    "verify": ("inspect.verify_export", "Check archive, texts, claims and published ledger against each other."),
    "event": ("inspect.entries", "Show one event with its evidence."),
    "entity": ("inspect.entries", "Show one person, body, company, model or instrument."),
    "origins": ("inspect.entries", "Show which reports behind an event are independent."),
    "contradictions": ("inspect.contradictions", "Show where reports disagree."),
    "status": ("inspect.status", "Show how things stand with a name, on any day."),
    "upcoming": ("inspect.status", "Show what is due next, and what was due."),
    "revisions": ("inspect.revisions", "Show how an article was edited and what that did to its claims."),
    "unknown-names": ("inspect.entries", "Show names that the lexicon does not know yet."),
    "review": ("review.commands", "Confirm, change or reject what the program read; merge, split, settle names."),
    "runs": ("operate.run", "Show what the last runs did, how long they took and how they ended."),
    "schedule": ("operate.schedule", "Print units for systemd or a line for cron that run the ledger by themselves."),
    "backup": ("operate.maintenance", "Copy what cannot be made again to another place."),
    "disk": ("operate.maintenance", "Say how much room the ledger takes and how much it grows."),
    "prune": ("operate.maintenance", "Let go of old pages and visits that nothing rests on."),
    "sources": ("operate.sources", "List and try the source cards, record pages as tests of them, show their health."),
    "alerts": ("operate.alerts", "Show whom the ledger tells of what, try it, and send what waits."),
    "export": ("inspect.verify_export", "Write the published tables as CSV, JSON Lines or Parquet."),
}


RENAMED = {"conflicts": "contradictions", "due": "upcoming", "gaps": "unknown-names"}  # old name -> new name


class LazyCommands(click.Group):
    """A group whose commands are imported when they are called, so that help is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module = importlib.import_module(f"pipeline.app.commands.{COMMANDS[name][0]}")
        return getattr(module, name.replace("-", "_"))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, words) in COMMANDS.items()])

    def resolve_command(self, ctx: click.Context, args: list[str]):  # noqa: ANN201 - click's own type
        if args and args[0] in RENAMED:
            click.echo(
                f"`{args[0]}` is now `{RENAMED[args[0]]}`; the old name will go with the next release.", err=True
            )
            args = [RENAMED[args[0]], *args[1:]]
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            raise click.UsageError(f"There is no command '{args[0]}'. `oversight --help` lists them all.")
        return super().resolve_command(ctx, args)


@click.group(cls=LazyCommands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="OVERSIGHT_DATA",
    default=Path("data"),
    show_default=True,
    help="The folder that holds this ledger's files (or set OVERSIGHT_DATA).",
)
@click.version_option(package_name="oversight-ledger", prog_name="oversight")
@click.pass_context
def oversight(ctx: click.Context, data: Path) -> None:
    """Oversight Ledger: who did what to whom in the oversight of AI, how certain that is, and who says so."""
    from pipeline.workspace import DataFolder

    ctx.obj = DataFolder(data)


def main() -> None:
    """Run the command line and exit: 0 done, 1 found a problem, 2 wrong use, 3 another run, 4 something outside."""
    sys.exit(_run())


def _run() -> int:
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _stop)
    try:
        result = oversight.main(standalone_mode=False)
        return result if isinstance(result, int) else DONE
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return WRONG_USE
    except (click.Abort, KeyboardInterrupt):
        click.echo("Stopped.", err=True)
        return 130
    except BrokenPipeError:
        # The reader of our output went away (`| head`): not an error of ours.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except OversightError as error:
        return _say(str(error), error.exit_code)
    except sqlite3.Error as error:
        return _say(_words_for_sqlite(error), OUTSIDE)
    except OSError as error:
        return _say(_words_for_os(error), OUTSIDE)
    except Exception as error:  # a fault of the program: keep the details in a file, say one line
        return _say(_keep_traceback(error), INTERNAL)


def _stop(number: int, frame: object) -> None:
    raise Stopped("Told to stop. What was done so far is kept; run this again to go on.")


def _say(message: str, code: int) -> int:
    click.echo(f"oversight: {message}", err=True)
    return code


def _words_for_sqlite(error: sqlite3.Error) -> str:
    text = str(error)
    if "locked" in text:
        return f"A database is locked by another program ({text}). Close it, or wait, and run this again."
    if "full" in text:
        return "The disk is full: nothing half-done was kept. Free some space and run this again."
    if "not a database" in text or "malformed" in text:
        return (
            f"A database file is damaged ({text}). `oversight verify` names it; restore it from a backup, "
            "or delete build.db and published/ and run `oversight build` and `oversight publish` again."
        )
    return f"The database said: {text}."


_OS_CURES = {
    errno.EACCES: " Give this user the right to it, or name another place, and run this again.",
    errno.EPERM: " Give this user the right to it, or name another place, and run this again.",
    errno.EROFS: " Nothing can be written there: name another place and run this again.",
    errno.EISDIR: " A file is needed: name one and run this again.",
    errno.ENOTDIR: " A folder is needed: name one and run this again.",
}


def _words_for_os(error: OSError) -> str:
    place = f"{error.filename}: " if error.filename else ""
    if error.errno == errno.ENOSPC:
        return f"{place}The disk is full: nothing half-done was kept. Free some space and run this again."
    return f"{place}{error.strerror or error}.{_OS_CURES.get(error.errno or 0, '')}"


def _data_folder() -> Path:
    """Return the folder that was named on the command line, for errors that end a command."""
    words = sys.argv[1:]
    named = [words[i + 1] for i, word in enumerate(words[:-1]) if word == "--data"]
    named += [word.partition("=")[2] for word in words if word.startswith("--data=")]
    return Path(named[0] if named else os.environ.get("OVERSIGHT_DATA", "data"))


def _keep_traceback(error: Exception) -> str:
    file = _data_folder() / "logs" / "internal-error.txt"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(traceback.format_exception(error)))
        what = f"{type(error).__name__}: {error}"
        return f"A fault in the program itself ({what}). The details are in {file}: please report them."
    except OSError:
        traceback.print_exception(error)
        return "A fault in the program itself; the details stand above: please report them."


if __name__ == "__main__":
    main()
