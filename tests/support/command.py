"""Calls the command line in a process of its own, as a user would."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

from support.paths import ROOT

DONE, PROBLEM, WRONG_USE, LOCKED, OUTSIDE = 0, 1, 2, 3, 4  # exit codes


def oversight(*words: str | Path, data: Path | None = None, **more) -> subprocess.CompletedProcess[str]:
    """Run `oversight` with these words, without the settings of the environment."""
    place = ["--data", str(data)] if data else []
    env = {key: value for key, value in os.environ.items() if not key.startswith("OVERSIGHT_")}
    return subprocess.run(
        [sys.executable, "-m", "pipeline.cli", *place, *map(str, words)],
        capture_output=True, text=True, cwd=ROOT, env=env, timeout=120, **more,
    )  # fmt: skip


def least_cpu_seconds(*words: str, runs: int = 3) -> float:
    """Return the CPU time of the quickest of several runs: other work on the machine does not count."""
    times = []
    for _ in range(runs):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert oversight(*words).returncode == DONE
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(times)


def one_line(result: subprocess.CompletedProcess[str], code: int) -> str:
    """Return the one line of error; assert the exit code and that there is no traceback."""
    assert result.returncode == code, result.stderr + result.stdout
    assert "Traceback" not in result.stderr
    lines = [line for line in result.stderr.splitlines() if line.startswith(("oversight: ", "Error: "))]
    assert len(lines) == 1, result.stderr
    return lines[0]
