"""Calls the command line in a process of its own, as a user would."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DONE, PROBLEM, WRONG_USE, LOCKED, OUTSIDE = 0, 1, 2, 3, 4  # exit codes


def oversight(*words: str | Path, data: Path | None = None, **more) -> subprocess.CompletedProcess[str]:
    """Run `oversight` with these words, without the settings of the environment."""
    place = ["--data", str(data)] if data else []
    env = {key: value for key, value in os.environ.items() if not key.startswith("OVERSIGHT_")}
    return subprocess.run(
        [sys.executable, "-m", "pipeline.cli", *place, *map(str, words)],
        capture_output=True, text=True, cwd=ROOT, env=env, timeout=120, **more,
    )  # fmt: skip


def one_line(result: subprocess.CompletedProcess[str], code: int) -> str:
    """Return the one line of error; assert the exit code and that there is no traceback."""
    assert result.returncode == code, result.stderr + result.stdout
    assert "Traceback" not in result.stderr
    lines = [line for line in result.stderr.splitlines() if line.startswith(("oversight: ", "Error: "))]
    assert len(lines) == 1, result.stderr
    return lines[0]
