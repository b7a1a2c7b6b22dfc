"""Backfill on a Dask cluster gives the same rows, even when a worker is killed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support import backfill_world as world

from pipeline.app.backfill.engines import DaskEngine
from pipeline.app.backfill.work import WorkerSettings
from pipeline.errors import OutsideFailure

pytest.importorskip("dask.distributed", reason="dask is not installed: pip install -e '.[dask]'")


@contextmanager
def cluster(folder: Path, n_workers: int = 2) -> Iterator[tuple[str, list[subprocess.Popen]]]:
    """A scheduler and workers, each in a process of its own, on this machine."""
    started: list[subprocess.Popen] = []
    environment = {**os.environ, "PYTHONPATH": str(world.ROOT), "DASK_DISTRIBUTED__DASHBOARD__LINK": ""}

    def start(name: str, *words: str) -> subprocess.Popen:
        log = (folder / f"{name}.log").open("w")
        started.append(
            subprocess.Popen([sys.executable, "-m", "distributed.cli." + words[0], *words[1:]], cwd=folder, stdout=log,
                             stderr=subprocess.STDOUT, env=environment, start_new_session=True)
        )  # fmt: skip
        return started[-1]

    try:
        start("scheduler", "dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--no-jupyter")
        address = _address(folder / "scheduler.log")
        workers = [
            start(f"worker-{n}", "dask_worker", address, "--host", "127.0.0.1", "--nthreads", "1", "--no-nanny",
                  "--no-dashboard", "--local-directory", str(folder))
            for n in range(n_workers)
        ]  # fmt: skip
        yield address, workers
    finally:
        for process in reversed(started):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _address(log: Path) -> str:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if found := re.search(r"tcp://127\.0\.0\.1:\d+", log.read_text()):
            return found[0]
        time.sleep(0.1)
    raise AssertionError(f"no scheduler: {log.read_text()}")


def order() -> WorkerSettings:
    return WorkerSettings(world.wanted(1), ())


def test_killed_worker_loses_nothing(tmp_path: Path) -> None:
    archive = world.write(tmp_path / "news.warc.gz", world.records(1))
    world.fill(tmp_path / "here", [str(archive)], order_=order(), workers=2)
    with cluster(tmp_path) as (address, workers):
        engine = DaskEngine(order(), address)
        killed: list[int] = []
        run = engine.run

        def disturbed(parts):
            for n, answer in enumerate(run(parts)):
                if n == 3:
                    os.killpg(workers[0].pid, signal.SIGKILL)
                    killed.append(n)
                yield answer

        engine.run = disturbed
        try:
            tally = world.fill(tmp_path / "cluster", [str(archive)], engine, order_=order(), part_bytes=4_000)
        finally:
            engine.close()
        assert killed and workers[0].poll() is not None and workers[1].poll() is None
    assert tally.finished == 1 and tally.problems == [] and not tally.bad
    assert world.held(tmp_path / "cluster") == world.held(tmp_path / "here")


def test_command_reads_on_a_cluster(tmp_path: Path) -> None:
    archive = world.write(tmp_path / "news.warc.gz", world.records(8))
    hosts = tmp_path / "hosts.txt"
    hosts.write_text("\n".join(world.hosts(8)))
    with cluster(tmp_path, 1) as (address, _):
        process = world.command(tmp_path / "data", str(archive), "--hosts", str(hosts), "--dask", address, "--no-build")
        out, err = process.communicate(timeout=200)
    assert process.returncode == 0, err
    assert "on AI oversight" in out and world.held(tmp_path / "data")["articles"]


def test_missing_cluster_is_reported(tmp_path: Path) -> None:
    with pytest.raises(OutsideFailure, match="no Dask cluster"):
        DaskEngine(order(), "tcp://127.0.0.1:9")
