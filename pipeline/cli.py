"""The `oversight` command: runs a subcommand and turns every error into one line and an exit code."""

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

from pipeline.commands.groups import SuggestingGroup
from pipeline.errors import DONE, INTERNAL, OUTSIDE, WRONG_USE, OversightError, Stopped

COMMANDS = {  # name -> (module below pipeline.commands, line in --help)
    "demo": ("operate.demo", "Build and serve a demo ledger from an invented newsroom."),
    "run": ("operate.run", "Crawl, extract, build, publish and send alerts."),
    "crawl": ("operate.run", "Fetch the pages that are due."),
    "extract": ("operate.run", "Extract claims from fetched pages."),
    "build": ("operate.run", "Group claims into events."),
    "publish": ("operate.run", "Publish the built ledger as a new snapshot."),
    "backfill": ("operate.backfill", "Import web archives (WARC files)."),
    "serve": ("operate.serve", "Serve the published ledger."),
    "add": ("documents", "Add one article from a file or an address."),
    "claims": ("documents", "Extract claims from a folder of JSON documents."),
    "evaluate": ("evaluate", "Score the extraction against annotated texts."),
    "bench": ("bench", "Measure the speed of each stage."),
    "verify": ("inspect.verify_export", "Check the integrity of archive, texts, claims and snapshots."),
    "event": ("inspect.entries", "Show one event with its evidence."),
    "entity": ("inspect.entries", "Show a person, company, public body, model or law."),
    "origins": ("inspect.entries", "Show which reports of an event are independent."),
    "contradictions": ("inspect.contradictions", "Show where reports disagree."),
    "status": ("inspect.status", "Show agreements, access and restrictions as of any day."),
    "upcoming": ("inspect.status", "List due dates, upcoming and past."),
    "revisions": ("inspect.revisions", "Show how an article was edited."),
    "unknown-names": ("inspect.entries", "List names that are not in the lexicon."),
    "review": ("review.commands", "Confirm, correct or reject claims; merge and split events."),
    "runs": ("operate.run", "List recent runs."),
    "schedule": ("operate.schedule", "Print systemd units or a crontab line for regular runs."),
    "backup": ("operate.maintenance", "Back up everything that cannot be rebuilt."),
    "disk": ("operate.maintenance", "Report disk usage and growth."),
    "prune": ("operate.maintenance", "Delete unreferenced pages and fetch records."),
    "sources": ("operate.sources", "List and check sources; report their health."),
    "alerts": ("operate.alerts", "Manage alerts."),
    "export": ("inspect.verify_export", "Export the published tables as CSV, JSON Lines or Parquet."),
}
RENAMED = {"conflicts": "contradictions", "due": "upcoming", "gaps": "unknown-names"}  # old name -> new name


class LazyCommands(SuggestingGroup):
    """A group that imports a command only when it is called, so that --help is fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module = importlib.import_module(f"pipeline.commands.{COMMANDS[name][0]}")
        return getattr(module, name.replace("-", "_"))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] in RENAMED:
            name = RENAMED[args[0]]
            click.echo(f"`{args[0]}` has been renamed `{name}`; the next release removes the old name.", err=True)
            args = [name, *args[1:]]
        return super().resolve_command(ctx, args)


@click.group(cls=LazyCommands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="OVERSIGHT_DATA",
    default=Path("data"),
    show_default=True,
    help="Data folder of the ledger; also OVERSIGHT_DATA.",
)
@click.version_option(package_name="oversight-ledger", prog_name="oversight")
@click.pass_context
def oversight(ctx: click.Context, data: Path) -> None:
    """Oversight Ledger tracks the oversight of AI: who did what, how certain it is, and who reported it."""
    from pipeline.workspace import DataFolder

    ctx.obj = DataFolder(data)


def main() -> None:
    """Run the command line and exit with one of the codes of pipeline.errors."""
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
        # The reader of standard output closed the pipe (`| head`).
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except OversightError as error:
        return _fail(str(error), error.exit_code)
    except sqlite3.Error as error:
        return _fail(_describe_sqlite_error(error), OUTSIDE)
    except OSError as error:
        return _fail(_describe_os_error(error), OUTSIDE)
    except Exception as error:
        return _fail(_save_traceback(error), INTERNAL)


def _stop(number: int, frame: object) -> None:
    raise Stopped("Stopped by a signal. Finished work is kept; run the command again to continue.")


def _fail(message: str, code: int) -> int:
    click.echo(f"oversight: {message}", err=True)
    return code


def _describe_sqlite_error(error: sqlite3.Error) -> str:
    text = str(error)
    if "locked" in text:
        return f"Another program has locked a database ({text}). Close it, or wait, and run the command again."
    if "full" in text:
        return "The disk is full. Nothing incomplete was kept. Free some space and run the command again."
    if "not a database" in text or "malformed" in text:
        return (
            f"A database file is damaged ({text}). `oversight verify` names it. Restore crawl.db from a backup; "
            "delete build.db or published/ and run `oversight build` and `oversight publish` again."
        )
    return f"Database error: {text}."


_OS_REMEDIES = {
    errno.EACCES: " Grant access to this user, or choose another path.",
    errno.EPERM: " Grant access to this user, or choose another path.",
    errno.EROFS: " The file system is read-only: choose another path.",
    errno.EISDIR: " Give a file, not a folder.",
    errno.ENOTDIR: " Give a folder, not a file.",
}


def _describe_os_error(error: OSError) -> str:
    place = f"{error.filename}: " if error.filename else ""
    if error.errno == errno.ENOSPC:
        return f"{place}The disk is full. Nothing incomplete was kept. Free some space and run the command again."
    return f"{place}{error.strerror or error}.{_OS_REMEDIES.get(error.errno or 0, '')}"


def _data_folder() -> Path:
    """Return the data folder given on the command line, before click has parsed it."""
    words = sys.argv[1:]
    named = [words[i + 1] for i, word in enumerate(words[:-1]) if word == "--data"]
    named += [word.partition("=")[2] for word in words if word.startswith("--data=")]
    return Path(named[0] if named else os.environ.get("OVERSIGHT_DATA", "data"))


def _save_traceback(error: Exception) -> str:
    file = _data_folder() / "logs" / "internal-error.txt"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("".join(traceback.format_exception(error)))
        what = f"{type(error).__name__}: {error}"
        return f"Internal error ({what}). Please report the details in {file}."
    except OSError:
        traceback.print_exception(error)
        return "Internal error. Please report the details above."


if __name__ == "__main__":
    main()
