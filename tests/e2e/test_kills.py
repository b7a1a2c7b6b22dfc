"""A pipeline run killed at random moments ends with the same result as an undisturbed one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from support.kills import KILLS_OF_A_TRIAL, kill_again_and_again

ROOT = Path(__file__).resolve().parents[2]


def test_pipeline_killed_at_random_moments_ends_like_an_undisturbed_one(tmp_path: Path) -> None:
    """OVERSIGHT_KILLS sets how many, OVERSIGHT_SEED which moments: `make kills` takes fifty."""
    kills = int(os.environ.get("OVERSIGHT_KILLS", KILLS_OF_A_TRIAL))
    report = kill_again_and_again(tmp_path, kills, int(os.environ.get("OVERSIGHT_SEED", "7")))
    assert report.differences == []
    assert report.kills.total() == kills and report.n_pages >= 5


def test_sigterm_stops_any_step_in_order_within_ten_seconds(tmp_path: Path) -> None:
    """The step prints one line, exits with 143, releases the lock, and is recorded."""
    waits = (
        "import sys, time; import pipeline.cli as cli; import pipeline.commands.operate.run as line;"
        "line._build = lambda folder, full: (print('at work', flush=True), time.sleep(60));"
        "folder = sys.argv[1]; sys.argv = ['oversight', '--data', folder, 'build']; cli.main()"
    )
    (tmp_path / "ledger").mkdir()
    from scrapers.crawling.frontier import Frontier

    Frontier(tmp_path / "ledger" / "crawl.db").close()
    process = subprocess.Popen(
        [sys.executable, "-c", waits, str(tmp_path / "ledger")], env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None and process.stdout.readline() == "at work\n"
    started = time.monotonic()
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=20)
    assert time.monotonic() - started < 10
    assert process.returncode == 143 and said.startswith("oversight: Stopped by a signal.") and said.count("\n") == 1

    from pipeline.app.run_log import last_runs
    from pipeline.workspace import DataFolder

    with DataFolder(tmp_path / "ledger").lock():
        (row,) = last_runs(DataFolder(tmp_path / "ledger"), 5)
    assert (row["command"], row["ended"]) == ("build", "stopped")
