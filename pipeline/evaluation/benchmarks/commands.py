"""A ledger comes in; the processor time and the peak memory of each command over it go out."""

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

# In an order in which each finds what it needs; the last ones change nothing that the first ones read.
COMMANDS = (
    ("--help",), ("extract",), ("build",), ("build", "--full"), ("publish",), ("verify",), ("disk",),
    ("prune", "--pages-older-than", "36500", "--dry-run"), ("backup", "{place}/backup"),
    ("export", "--out", "{place}/tables"), ("upcoming",), ("contradictions",), ("unknown-names",), ("review", "list"),
    ("sources", "health"), ("runs",),
)  # fmt: skip
PAGES, SHARE = 400, 0.03  # of the archive that is read
# Pages that are asked for once while the server is measured.
ASKED = (
    "/", "/oversight/events", "/oversight/claims", "/status", "/upcoming", "/sources", "/about", "/accuracy",
    "/queries",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Spent:
    """What one call of a command took, with all processes that it started."""

    command: str
    cpu_seconds: float
    peak_mb: int  # of its largest process


def measure_commands(folder: Path, say: Callable[[str], None]) -> list[Spent]:
    """Return what each command takes over the ledger in `folder`, one call each.

    Raises OutsideFailure where one fails.
    """
    found = []
    with tempfile.TemporaryDirectory() as place:
        for words in COMMANDS:
            say(f"measuring {words[0]}")
            spent = _measure(folder, [word.format(place=place) for word in words])
            found.append(replace(spent, command=" ".join(words).format(place="FOLDER")))
        say("measuring the whole line over the newsroom")
        found.append(_measure(Path(place) / "line", ["demo", "--no-serve"]))
        from pipeline.evaluation.benchmarks.inputs.archive import (
            make_archive,  # only now: a process begins with the memory of its parent
        )

        say("measuring backfill")
        made = make_archive(Path(place) / "made.warc.gz", PAGES, SHARE)
        spent = _measure(Path(place) / "years", ["backfill", "--all-hosts", str(made.file)])
        found.append(replace(spent, command=f"backfill --all-hosts ({PAGES} pages, {SHARE:.0%} relevant)"))
    say("measuring serve")
    return [*found, _serve(folder)]


def _serve(folder: Path) -> Spent:
    """Return what a server takes that starts, answers each page of ASKED once, and is stopped."""
    from pipeline.evaluation.benchmarks.site import running

    call = [sys.executable, "-m", "pipeline.cli", "--data", str(folder), "serve", "--port", "{port}"]
    with running(call) as server:
        for path in ASKED:
            server.timed(path, 1, warm=False)
        os.kill(server.pid, signal.SIGTERM)
        _, _, used = os.wait4(server.pid, 0)
    return Spent(f"serve ({len(ASKED)} pages)", round(used.ru_utime + used.ru_stime, 2), _mb(used))


def _measure(folder: Path, words: list[str]) -> Spent:
    call = [sys.executable, "-m", "pipeline.cli", "--data", str(folder), *words]
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(call, stdout=out, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in (0, 1):
            out.seek(0)
            said = out.read().decode(errors="replace").strip().splitlines()[-1:]
            raise OutsideFailure(f"`oversight {' '.join(words)}` ended with {process.returncode}: {' '.join(said)}")
    return Spent(" ".join(words), round(used.ru_utime + used.ru_stime, 2), _mb(used))


def _mb(used: resource.struct_rusage) -> int:
    return used.ru_maxrss // 1024
