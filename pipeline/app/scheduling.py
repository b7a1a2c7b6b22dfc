"""Text of systemd units and of a crontab line that run a ledger regularly."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from pipeline.errors import WrongUse

UNIT = "oversight-ledger"
SERVICE = """\
[Unit]
Description=Oversight Ledger: crawl what is due, read it, build and publish
Documentation=man:systemd.service(5)
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
WorkingDirectory={folder_plain}
ExecStart={command}
# 3: another run holds the lock. 143: stopped by SIGTERM.
SuccessExitStatus=3 143
TimeoutStartSec=6h
TimeoutStopSec=20
KillMode=mixed
Nice=10
IOSchedulingClass=idle
NoNewPrivileges=yes
PrivateTmp=yes
UMask=0027
"""
TIMER = """\
[Unit]
Description=Oversight Ledger: every {minutes} minutes

[Timer]
OnCalendar={calendar}
RandomizedDelaySec=60
Persistent=true
Unit={unit}.service

[Install]
WantedBy=timers.target
"""


def systemd_units(command: Sequence[str], folder: Path, minutes: int) -> dict[str, str]:
    """Return the units by file name: a service for one run, and the timer that starts it.

    Args:
        command: the program and its leading arguments.
        folder: the data folder, absolute.
        minutes: time between two runs.
    """
    words = [*command, "--data", str(folder), "run"]
    return {
        f"{UNIT}.service": SERVICE.format(
            folder_plain=str(folder).replace("%", "%%"), command=" ".join(map(_systemd_word, words))
        ),
        f"{UNIT}.timer": TIMER.format(minutes=minutes, calendar=_calendar(minutes), unit=UNIT),
    }


def cron_line(command: Sequence[str], folder: Path, minutes: int) -> str:
    """Return a crontab line that runs one process at a time and logs into the data folder."""
    run = shlex.join([*command, "--data", str(folder), "run"])
    lock, log = shlex.quote(str(folder / "cron.lock")), shlex.quote(str(folder / "logs" / "cron.log"))
    return f"{_cron_times(minutes)} " + f"flock -n {lock} {run} >> {log} 2>&1".replace("%", r"\%")


def check_minutes(minutes: int) -> int:
    """Return the minutes if they divide an hour or a day evenly; raise WrongUse otherwise."""
    if minutes < 5 or minutes > 1440 or (60 % minutes if minutes <= 60 else minutes % 60 or 1440 % minutes):
        raise WrongUse(
            f"--every: {minutes} minutes do not divide an hour or a day evenly. Give 5, 10, 15, 20, 30, 60, 120 ..."
        )
    return minutes


def _calendar(minutes: int) -> str:
    if minutes < 60:
        return f"*:0/{minutes}"
    return "hourly" if minutes == 60 else "daily" if minutes == 1440 else f"0/{minutes // 60}:00"


def _cron_times(minutes: int) -> str:
    if minutes < 60:
        return f"*/{minutes} * * * *"
    return "7 * * * *" if minutes == 60 else "7 4 * * *" if minutes == 1440 else f"7 */{minutes // 60} * * *"


def _systemd_word(word: str) -> str:
    """Return an argument escaped for ExecStart: % and $ doubled, quoted if necessary."""
    word = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{word}"' if not word or any(c.isspace() or c in "\"'\\;" for c in word) else word
