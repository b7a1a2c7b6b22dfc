"""Engines that read parts of archives: worker processes on this machine, or a Dask cluster.

An engine returns reports in the order of the parts. A part that crashes its worker yields Lost and affects no other.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from pipeline.app.backfill.work import Part, PartReport, WorkerSettings, work, worker
from pipeline.errors import OutsideFailure, WrongUse
from pipeline.versions import program_version
from scrapers.process_pool import Limits, Lost, WorkersFailed, run_jobs

Answer = tuple[Part, PartReport | Lost]
# A part made up entirely of relevant articles takes a few CPU minutes.
LIMITS = Limits(cpu_seconds=900.0, wall_seconds=3600.0, memory_mb=4096, renewed_after=500)
ONE_PAGE = Limits(cpu_seconds=120.0, wall_seconds=900.0, memory_mb=4096, renewed_after=500)
QUEUE_PER_WORKER = 3  # parts submitted per thread of a cluster before the first report is back


class Engine(Protocol):
    """Distributes parts to workers."""

    n_workers: int
    shares_files: bool  # whether workers see the files of this machine

    def run(self, parts: Iterable[Part]) -> Iterator[Answer]:
        """Yield each part with its report, in order."""

    def one_by_one(self, parts: Iterable[Part]) -> Iterator[Answer]:
        """Do the same for parts of a single page, some of which may crash their worker."""

    def close(self) -> None:
        """Release the workers."""


class LocalEngine:
    """Worker processes on this machine, each with limits of time and memory."""

    shares_files = True

    def __init__(
        self, settings: WorkerSettings, n_workers: int, start: Callable[[WorkerSettings], Any] = worker
    ) -> None:
        """`start` runs once in each process and returns the function that reads a part."""
        self.settings, self.n_workers, self.start = settings, n_workers, start

    def run(self, parts: Iterable[Part]) -> Iterator[Answer]:
        yield from self._work_off(parts, LIMITS, self.n_workers)

    def one_by_one(self, parts: Iterable[Part]) -> Iterator[Answer]:
        yield from self._work_off(parts, ONE_PAGE, 1)

    def close(self) -> None:
        """Nothing outlives run()."""

    def _work_off(self, parts: Iterable[Part], limits: Limits, n: int) -> Iterator[Answer]:
        try:
            yield from run_jobs(parts, self.start, (self.settings,), limits, processes=n, min_jobs=min(2, n))
        except WorkersFailed as error:
            raise OutsideFailure(
                f"The processes that read the archive keep dying. {error} Finished parts are kept: run the command "
                "again, with --workers 1 if memory is short."
            ) from error


class DaskEngine:
    """Workers of a Dask cluster. They run the same version of the program and see the files under the same paths."""

    shares_files = False

    def __init__(self, settings: WorkerSettings, address: str) -> None:
        """Connect to a scheduler.

        Raises:
            WrongUse: dask is not installed here, or the workers run another version of the program.
            OutsideFailure: the scheduler cannot be reached, or has no worker.
        """
        try:
            from dask.distributed import Client
        except ImportError:
            raise WrongUse("--dask needs dask, which is not installed here: pip install -e '.[dask]'.") from None
        self.settings = settings
        try:
            self.client = Client(address, timeout=15, set_as_default=False)
            self.client.wait_for_workers(1, timeout=60)
        except (OSError, TimeoutError, ValueError) as error:
            raise OutsideFailure(
                f"{address}: found no Dask cluster with a worker ({error}). Start `dask scheduler` and "
                "`dask worker`, and give the scheduler's address: --dask tcp://HOST:8786."
            ) from error
        self.n_workers = sum(self.client.nthreads().values())
        theirs = self._versions()
        if others := {name: version for name, version in theirs.items() if version != program_version()}:
            name, version = next(iter(others.items()))
            self.close()
            raise WrongUse(
                f"The worker {name} runs version {version} of this program, but this machine runs {program_version()}. "
                "Install the same version on every machine."
            )

    def run(self, parts: Iterable[Part]) -> Iterator[Answer]:
        waiting: deque[tuple[Part, Any]] = deque()
        for part in parts:
            waiting.append((part, self._submit(part)))
            while len(waiting) >= max(2, QUEUE_PER_WORKER * self.n_workers) or (waiting and waiting[0][1].done()):
                yield self._result(*waiting.popleft(), LIMITS)
        while waiting:
            yield self._result(*waiting.popleft(), LIMITS)

    def one_by_one(self, parts: Iterable[Part]) -> Iterator[Answer]:
        for part in parts:
            yield self._result(part, self._submit(part), ONE_PAGE)

    def close(self) -> None:
        self.client.close()

    def _versions(self) -> dict[str, str]:
        try:
            return self.client.run(program_version)
        except Exception as error:  # any error of a worker without this program
            raise WrongUse(f"This program is not installed on a worker ({type(error).__name__}: {error}).") from error

    def _submit(self, part: Part) -> Any:
        return self.client.submit(work, self.settings, part, pure=False, key=None)

    def _result(self, part: Part, future: Any, limits: Limits) -> Answer:
        """Wait for a part. Dask repeats the parts of a lost worker; a part that kills three workers is Lost."""
        from dask.distributed import KilledWorker

        until = time.monotonic() + limits.wall_seconds
        while True:
            try:
                return part, future.result(timeout=min(60.0, limits.wall_seconds))
            except KilledWorker:
                return part, Lost("it crashed every worker that tried it")
            except TimeoutError:
                if time.monotonic() > until:
                    future.cancel(force=True)
                    return part, Lost(f"it was not finished after {limits.wall_seconds:.0f} seconds")
                if not self.client.nthreads():
                    continue  # all workers are gone: wait for a new one
                self.n_workers = sum(self.client.nthreads().values())
            except MemoryError:
                return part, Lost("it needs more memory than the worker has")
            except (OSError, EOFError) as error:
                raise OutsideFailure(
                    f"Lost the Dask cluster ({error}). Finished parts are kept: run the command again."
                ) from error
            except Exception as error:  # a failure on one part must not affect others
                return part, Lost(f"the program failed on it: {type(error).__name__}: {error}"[:300])
