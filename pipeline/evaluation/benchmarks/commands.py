"""Measures the CPU time and peak memory of each command over an existing ledger."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.errors import OutsideFailure

# In an order in which each command finds its input; no command changes the input of an earlier one.
COMMANDS = (
    ("--help",),
    ("extract",),
    ("build",),
    ("build", "--full"),
    ("publish",),
    ("verify",),
    ("disk",),
    ("prune", "--pages-older-than", "36500", "--dry-run"),
    ("backup", "{place}/backup"),
    ("export", "--out", "{place}/tables"),
    ("upcoming",),
    ("contradictions",),
    ("unknown-names",),
    ("review", "list"),
    ("sources", "health"),
    ("runs",),
)
PAGES, SHARE = 400, 0.03  # size of the archive for `backfill`, and its share of relevant pages
# Pages requested once while `serve` is measured.
REQUESTED = (
    "/",
    "/oversight/events",
    "/oversight/claims",
    "/status",
    "/upcoming",
    "/sources",
    "/about",
    "/accuracy",
    "/queries",
)


@dataclass(frozen=True, slots=True)
class Spent:
    """The cost of one command, with all processes that it started."""

    command: str
    cpu_seconds: float
    peak_mb: int  # of its largest process


def measure_commands(folder: Path, say: Callable[[str], None]) -> list[Spent]:
    """Return the cost of each command over the ledger in `folder`, called once.

    Raises OutsideFailure if a command fails.
    """
    found = []
    with tempfile.TemporaryDirectory() as place:
        for words in COMMANDS:
            say(f"measuring {words[0]}")
            spent = _measure(folder, [word.format(place=place) for word in words])
            found.append(replace(spent, command=" ".join(words).format(place="FOLDER")))
        say("measuring the demo")
        found.append(_measure(Path(place) / "line", ["demo", "--no-serve"]))
        # Imported late: a child process starts with the memory of its parent.
        from pipeline.evaluation.benchmarks.inputs.archive import make_archive

        say("measuring backfill")
        made = make_archive(Path(place) / "made.warc.gz", PAGES, SHARE)
        spent = _measure(Path(place) / "years", ["backfill", "--all-hosts", str(made.file)])
        found.append(replace(spent, command=f"backfill --all-hosts ({PAGES} pages, {SHARE:.0%} relevant)"))
    say("measuring serve")
    return [*found, _serve(folder)]


def _serve(folder: Path) -> Spent:
    """Return the cost of a server that starts, answers each page of REQUESTED once, and stops."""
    from pipeline.evaluation.benchmarks.site import running

    call = [sys.executable, "-m", "pipeline.cli", "--data", str(folder), "serve", "--port", "{port}"]
    with running(call) as server:
        for path in REQUESTED:
            server.timed(path, 1, warm=False)
        os.kill(server.pid, signal.SIGTERM)
        _, _, used = os.wait4(server.pid, 0)
    return Spent(f"serve ({len(REQUESTED)} pages)", round(used.ru_utime + used.ru_stime, 2), _mb(used))


def _measure(folder: Path, words: list[str]) -> Spent:
    call = [sys.executable, "-m", "pipeline.cli", "--data", str(folder), *words]
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(call, stdout=out, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in (0, 1):
            out.seek(0)
            said = out.read().decode(errors="replace").strip().splitlines()[-1:]
            raise OutsideFailure(
                f"`oversight {' '.join(words)}` exited with code {process.returncode}: {' '.join(said)}"
            )
    return Spent(" ".join(words), round(used.ru_utime + used.ru_stime, 2), _mb(used))


def _mb(used: resource.struct_rusage) -> int:
    return used.ru_maxrss // 1024
