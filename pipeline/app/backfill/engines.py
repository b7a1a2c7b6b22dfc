"""Parts of archives come in, their reports go out in the same order: worked off by processes here or by a cluster.

Whichever engine does it, a part that ends its worker is answered with Lost, and costs nobody else's.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from pipeline.app.backfill.work import Order, Part, PartReport, work, worker
from pipeline.errors import OutsideFailure, WrongUse
from pipeline.versions import program_version
from scrapers.process_pool import Limits, Lost, WorkersFailed, run_jobs

Answer = tuple[Part, PartReport | Lost]
# A part of nothing but relevant articles takes some minutes of one processor.
LIMITS = Limits(cpu_seconds=900.0, wall_seconds=3600.0, memory_mb=4096, renewed_after=500)
ONE_PAGE = Limits(cpu_seconds=120.0, wall_seconds=900.0, memory_mb=4096, renewed_after=500)
AHEAD = 3  # parts given to each thread of a cluster before the first of them is back


class Engine(Protocol):
    """What works off parts."""

    n_workers: int
    shares_files: bool  # workers see the paths of this machine

    def run(self, parts: Iterable[Part]) -> Iterator[Answer]:
        """Yield each part with its report, in order."""

    def one_by_one(self, parts: Iterable[Part]) -> Iterator[Answer]:
        """Do the same for parts of a single page, some of which end their worker."""

    def close(self) -> None:
        """End what was started."""


class LocalEngine:
    """Processes of this machine, each with limits of time and memory."""

    shares_files = True

    def __init__(self, order: Order, n_workers: int, start: Callable[[Order], Any] = worker) -> None:
        """`start` runs once in each process and returns what works off one part."""
        self.order, self.n_workers, self.start = order, n_workers, start

    def run(self, parts: Iterable[Part]) -> Iterator[Answer]:
        yield from self._work_off(parts, LIMITS, self.n_workers)

    def one_by_one(self, parts: Iterable[Part]) -> Iterator[Answer]:
        yield from self._work_off(parts, ONE_PAGE, 1)

    def close(self) -> None:
        """Nothing outlives run()."""

    def _work_off(self, parts: Iterable[Part], limits: Limits, n: int) -> Iterator[Answer]:
        try:
            yield from run_jobs(parts, self.start, (self.order,), limits, processes=n, min_jobs=min(2, n))
        except WorkersFailed as error:
            raise OutsideFailure(
                f"The processes that read the archive keep ending. {error} What was read is kept: run this again, with "
                "--workers 1 where memory is short."
            ) from error


class DaskEngine:
    """The workers of a Dask cluster: they have this version of the program, and see the files by the same names."""

    shares_files = False

    def __init__(self, order: Order, address: str) -> None:
        """Connect to a scheduler. Raises WrongUse without dask or with other versions, OutsideFailure unreached."""
        try:
            from dask.distributed import Client
        except ImportError:
            raise WrongUse(
                "--dask needs dask, which is not installed here: pip install 'oversight-ledger[dask]'."
            ) from None
        self.order = order
        try:
            self.client = Client(address, timeout=15, set_as_default=False)
            self.client.wait_for_workers(1, timeout=60)
        except (OSError, TimeoutError, ValueError) as error:
            raise OutsideFailure(
                f"{address}: no Dask cluster with a worker was reached there ({error}). Start `dask scheduler` and "
                "`dask worker`, and give the scheduler's address: --dask tcp://HOST:8786."
            ) from error
        self.n_workers = sum(self.client.nthreads().values())
        theirs = self._versions()
        if others := {name: version for name, version in theirs.items() if version != program_version()}:
            name, version = next(iter(others.items()))
            self.close()
            raise WrongUse(
                f"The worker {name} has version {version} of this program, here is {program_version()}. Install the "
                "same version on every machine."
            )

    def run(self, parts: Iterable[Part]) -> Iterator[Answer]:
        waiting: deque[tuple[Part, Any]] = deque()
        for part in parts:
            waiting.append((part, self._submit(part)))
            while len(waiting) >= max(2, AHEAD * self.n_workers) or (waiting and waiting[0][1].done()):
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
        except Exception as error:  # noqa: BLE001 - whatever a worker answers without this program
            raise WrongUse(f"A worker does not have this program ({type(error).__name__}: {error}).") from error

    def _submit(self, part: Part) -> Any:
        return self.client.submit(work, self.order, part, pure=False, key=None)

    def _result(self, part: Part, future: Any, limits: Limits) -> Answer:
        """Wait for one part. A lost worker's parts are done by another; one that ends three workers is Lost."""
        from dask.distributed import KilledWorker

        until = time.monotonic() + limits.wall_seconds
        while True:
            try:
                return part, future.result(timeout=min(60.0, limits.wall_seconds))
            except KilledWorker:
                return part, Lost("it ended every worker that tried it")
            except TimeoutError:
                if time.monotonic() > until:
                    future.cancel(force=True)
                    return part, Lost(f"it was not done after {limits.wall_seconds:.0f} seconds")
                if not self.client.nthreads():
                    continue  # every worker is gone: the parts wait for a new one
                self.n_workers = sum(self.client.nthreads().values())
            except MemoryError:
                return part, Lost("it needs more memory than the worker has")
            except (OSError, EOFError) as error:
                raise OutsideFailure(
                    f"The Dask cluster was lost ({error}). What was read is kept: run this again to go on."
                ) from error
            except Exception as error:  # noqa: BLE001 - what fails on one part must cost that part alone
                return part, Lost(f"the program failed on it: {type(error).__name__}: {error}"[:300])
