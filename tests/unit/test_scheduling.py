"""systemd units and the cron line, also with awkward folder names."""

from __future__ import annotations

import configparser
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from pipeline.app.scheduling import UNIT, check_minutes, cron_line, systemd_units
from pipeline.errors import WrongUse

FOLDER = Path("/srv/news desk/100% $ledger")
COMMAND = ["/opt/over sight/bin/oversight"]
# What systemd.unit(5), systemd.service(5), systemd.exec(5), systemd.kill(5) and systemd.timer(5) name.
KNOWN = {
    "Unit": {"Description", "Documentation", "Wants", "After"},
    "Service": {"Type", "WorkingDirectory", "ExecStart", "SuccessExitStatus", "TimeoutStartSec", "TimeoutStopSec",
                "KillMode", "Nice", "IOSchedulingClass", "NoNewPrivileges", "PrivateTmp", "UMask"},
    "Timer": {"OnCalendar", "RandomizedDelaySec", "Persistent", "Unit"},
    "Install": {"WantedBy"},
}  # fmt: skip


def parsed(text: str) -> configparser.ConfigParser:
    found = configparser.ConfigParser(interpolation=None, strict=True, delimiters=("=",))
    found.optionxform = str
    found.read_string(text)
    return found


def as_systemd_reads(line: str) -> list[str]:
    return [word.replace("%%", "%").replace("$$", "$") for word in shlex.split(line)]


def test_the_units_hold_only_settings_that_systemd_knows() -> None:
    for text in systemd_units(COMMAND, FOLDER, 15).values():
        unit = parsed(text)
        assert {section: set(unit[section]) - KNOWN[section] for section in unit.sections()} == {
            section: set() for section in unit.sections()
        }


def test_service_quotes_any_folder_name() -> None:
    service = parsed(systemd_units(COMMAND, FOLDER, 15)[f"{UNIT}.service"])["Service"]
    assert as_systemd_reads(service["ExecStart"]) == [*COMMAND, "--data", str(FOLDER), "run"]
    assert service["Type"] == "oneshot" and "3" in service["SuccessExitStatus"].split()


@pytest.mark.parametrize(
    ("minutes", "calendar"), [(5, "*:0/5"), (30, "*:0/30"), (60, "hourly"), (120, "0/2:00"), (1440, "daily")]
)
def test_timer_has_the_requested_interval(minutes: int, calendar: str) -> None:
    timer = parsed(systemd_units(COMMAND, FOLDER, minutes)[f"{UNIT}.timer"])["Timer"]
    assert timer["OnCalendar"] == calendar and timer["Unit"] == f"{UNIT}.service"


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd-analyze here")
def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    for name, text in systemd_units(["/bin/true"], tmp_path, 15).items():
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / f"{UNIT}.service"), str(tmp_path / f"{UNIT}.timer")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def as_cron_reads(line: str) -> tuple[list[str], str]:
    """Return the five times and the command: an unescaped % would end the line, an escaped one is a %."""
    *times, command = line.split(None, 5)
    assert not re.search(r"(?<!\\)%", command)
    return times, command.replace(r"\%", "%")


def test_the_cron_line_has_times_a_lock_and_a_log_and_is_understood_by_the_shell(tmp_path: Path) -> None:
    folder = tmp_path / "news desk 100% $x"
    (folder / "logs").mkdir(parents=True)
    program = tmp_path / "over sight"
    program.write_text('#!/bin/sh\nfor word in "$@"; do echo "<$word>"; done\necho trouble >&2\n')
    program.chmod(0o755)
    times, command = as_cron_reads(cron_line([str(program)], folder, 15))
    assert times == ["*/15", "*", "*", "*", "*"]
    subprocess.run(["/bin/sh", "-c", command], check=True)
    said = (folder / "logs" / "cron.log").read_text().splitlines()
    assert said == ["<--data>", f"<{folder}>", "<run>", "trouble"]


def test_two_runs_from_cron_do_not_overlap(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    _, command = as_cron_reads(cron_line(["/bin/echo"], tmp_path, 15))
    holder = subprocess.Popen(["flock", str(tmp_path / "cron.lock"), "sleep", "30"], start_new_session=True)
    try:
        for _ in range(100):
            busy = subprocess.run(["flock", "-n", str(tmp_path / "cron.lock"), "true"], check=False).returncode
            if busy:
                break
        done = subprocess.run(["/bin/sh", "-c", command], check=False)
        assert done.returncode == 1 and (tmp_path / "logs" / "cron.log").read_text() == ""
    finally:
        import os
        import signal

        os.killpg(holder.pid, signal.SIGKILL)


@pytest.mark.parametrize("minutes", [0, 3, 7, 45, 90, 300, 2000])
def test_interval_that_a_timer_cannot_express_is_refused(minutes: int) -> None:
    with pytest.raises(WrongUse, match="cannot be said"):
        check_minutes(minutes)
