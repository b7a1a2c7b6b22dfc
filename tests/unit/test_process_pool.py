"""The process pool: order, limits of time and memory, retries, and dying processes."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from scrapers.process_pool import Limits, Lost, WorkersFailed, run_jobs

LIMITS = Limits(cpu_seconds=0.5, wall_seconds=4.0, memory_mb=256, renewed_after=1000)


def worker(folder: str) -> Callable[[str], str]:
    """Return a function that performs the action named in a job."""

    def do(job: str) -> str:
        action, _, name = job.partition(" ")
        if action == "spin":
            while True:
                pass
        if action == "sleep":
            time.sleep(60)
        if action == "eat":
            return str(len(bytearray(1 << 30)))
        if action == "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        if action == "once":
            marker = Path(folder) / name
            if not marker.exists():
                marker.touch()
                os._exit(9)
        if action == "fail":
            raise ValueError("no such page")
        return f"done {job} {os.getpid() if action == 'who' else ''}".strip()

    return do


def fails_at_start(folder: str) -> Callable[[str], str]:
    raise FileNotFoundError(2, "No such file or directory", f"{folder}/weights")


def dies_at_start(folder: str) -> Callable[[str], str]:
    os._exit(7)


def done(jobs: list[str], folder: Path, processes: int = 2, limits: Limits = LIMITS, min_jobs: int = 2) -> dict:
    return dict(run_jobs(jobs, worker, (str(folder),), limits, processes=processes, min_jobs=min_jobs))


def test_results_are_in_the_order_of_the_jobs(tmp_path: Path) -> None:
    jobs = [f"say {n}" for n in range(60)]
    assert list(done(jobs, tmp_path).items()) == [(job, f"done {job}") for job in jobs]


def test_each_deadly_job_fails_alone_with_its_reason(tmp_path: Path) -> None:
    jobs = ["say 1", "spin 1", "say 2", "eat 1", "say 3", "crash 1", "say 4", "fail 1", "say 5"]
    found = done(jobs, tmp_path)
    assert list(found) == jobs
    assert [found[f"say {n}"] for n in range(1, 6)] == [f"done say {n}" for n in range(1, 6)]
    assert found["spin 1"] == Lost("it took more than 0.5 seconds of CPU time")
    assert found["eat 1"] == Lost("it needs more than 256 MiB of memory")
    assert found["crash 1"] == Lost("its process died (SIGSEGV), twice")
    assert found["fail 1"] == Lost("the program failed on it: ValueError: no such page")


def test_job_that_only_waits_hits_the_wall_clock_limit(tmp_path: Path) -> None:
    started = time.monotonic()
    limits = Limits(cpu_seconds=5, wall_seconds=1.0, memory_mb=256, renewed_after=1000)
    found = done(["sleep 1", "say 1"], tmp_path, limits=limits)
    assert found == {"sleep 1": Lost("it did not finish within 1 seconds, twice"), "say 1": "done say 1"}
    assert time.monotonic() - started < 20


def test_job_whose_process_was_killed_is_retried(tmp_path: Path) -> None:
    assert done(["once a", "say 1"], tmp_path) == {"once a": "done once a", "say 1": "done say 1"}


def test_processes_are_replaced_after_a_number_of_jobs(tmp_path: Path) -> None:
    limits = Limits(cpu_seconds=5, wall_seconds=5, memory_mb=256, renewed_after=2)
    found = done([f"who {n}" for n in range(6)], tmp_path, processes=1, limits=limits)
    assert len({words.split()[-1] for words in found.values()}) == 3


def test_few_jobs_use_one_process(tmp_path: Path) -> None:
    found = done([f"who {n}" for n in range(5)], tmp_path, min_jobs=8)
    assert len({words.split()[-1] for words in found.values()}) == 1


def test_error_at_start_is_raised_unchanged(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="weights"):
        list(run_jobs(["say 1"], fails_at_start, (str(tmp_path),), LIMITS, processes=2))


def test_processes_that_never_start_raise_workers_failed(tmp_path: Path) -> None:
    with pytest.raises(WorkersFailed, match="3 worker processes died in a row.*exit code 7"):
        list(run_jobs(["say 1"], dies_at_start, (str(tmp_path),), LIMITS, processes=1))


def test_no_jobs_start_no_process(tmp_path: Path) -> None:
    assert done([], tmp_path) == {}


def test_closing_early_kills_the_processes(tmp_path: Path) -> None:
    found = run_jobs([f"who {n}" for n in range(100)], worker, (str(tmp_path),), LIMITS, processes=2, min_jobs=2)
    pid = int(next(found)[1].split()[-1])
    found.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
