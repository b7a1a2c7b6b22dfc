"""The commands `schedule systemd` and `schedule cron`."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import click

from pipeline.commands.groups import SuggestingGroup
from pipeline.workspace import DataFolder

every = click.option("--every", "minutes", default=15, show_default=True, help="Minutes between runs.")


@click.group(cls=SuggestingGroup)
def schedule() -> None:
    """Print systemd units or a crontab line for regular runs."""


def _command() -> list[str]:
    """Return the command that starts this program from any folder."""
    beside = Path(sys.executable).with_name("oversight")
    found = str(beside) if beside.exists() else shutil.which("oversight")
    return [found] if found else [sys.executable, "-m", "pipeline.cli"]


@schedule.command()
@every
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write the two files into this folder instead of printing them.",
)
@click.pass_obj
def systemd(folder: DataFolder, minutes: int, into: Path | None) -> None:
    """Print a systemd service and timer, or write them into a folder."""
    from pipeline.app.scheduling import UNIT, check_minutes, systemd_units

    units = systemd_units(_command(), folder.path.resolve(), check_minutes(minutes))
    place = into or Path("~/.config/systemd/user")
    for name, text in units.items():
        if into is None:
            click.echo(f"# {place / name}\n{text}")
        else:
            into.mkdir(parents=True, exist_ok=True)
            (into / name).write_text(text, encoding="utf-8")
            click.echo(f"Wrote {into / name}")
    click.echo(
        f"# With both files in {place}:\n#   systemctl --user daemon-reload\n"
        f"#   systemctl --user enable --now {UNIT}.timer\n#   journalctl --user -u {UNIT}"
    )


@schedule.command()
@every
@click.pass_obj
def cron(folder: DataFolder, minutes: int) -> None:
    """Print a crontab line, with a lock and a log."""
    from pipeline.app.scheduling import check_minutes, cron_line

    (folder.make().logs).mkdir(exist_ok=True)
    click.echo(cron_line(_command(), folder.path.resolve(), check_minutes(minutes)))
