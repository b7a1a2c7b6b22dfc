"""A process pool that survives jobs that hang, run out of memory or crash.

Such a job yields `Lost` with the reason; its process is replaced, and all other jobs get their results. The time limit
is one of CPU time, so that the result does not depend on the load of the machine; a much longer wall-clock limit
catches jobs that only wait.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import resource
import signal
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from multiprocessing import connection, get_context
from multiprocessing.connection import Connection
from typing import Any, TypeVar

JOBS_AHEAD = 4  # jobs read ahead from the input, per process
MAX_CONSECUTIVE_DEATHS = 10  # unexplained, without a result in between: the jobs are not the cause
START_SECONDS = 300.0

Job = TypeVar("Job")
Result = TypeVar("Result")


class WorkersFailed(RuntimeError):
    """The worker processes keep dying, and not because of the jobs."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one job. `memory_mb`: address space beyond what the process uses once it is ready."""

    cpu_seconds: float
    wall_seconds: float
    memory_mb: int
    renewed_after: int  # number of jobs after which a process is replaced, since some libraries leak memory
    attempts: int = 2  # at a job whose process died or waited too long; one that used up its CPU time has one


@dataclass(frozen=True, slots=True)
class Lost:
    """A job without a result; `why` is the reason, a clause such as "it took too long"."""

    why: str


@dataclass(slots=True)
class _Slot:
    job: Any
    attempts: int = 0
    result: Any = None
    done: bool = False


@dataclass(slots=True, eq=False)
class _Worker:
    process: Any
    pipe: Connection
    slot: _Slot | None = None
    ready: bool = False
    n_done: int = 0
    deadline: float = field(default_factory=lambda: time.monotonic() + START_SECONDS)


def run_jobs(
    jobs: Iterable[Job],
    start: Callable[..., Callable[[Job], Result]],
    args: tuple[Any, ...],
    limits: Limits,
    *,
    processes: int,
    min_jobs: int = 8,
) -> Iterator[tuple[Job, Result | Lost]]:
    """Yield each job with its result, in the order of the jobs.

    A job whose process died for an unknown reason is tried once more.

    Args:
        jobs: Any iterable; it is read only slightly ahead of the results.
        start: Called as `start(*args)` once in each process; returns the function that does one job.
        args: Arguments of `start`; must be picklable.
        limits: Limits of one job.
        processes: Maximum number of processes.
        min_jobs: With fewer jobs than this, one process is used.

    Raises:
        WorkersFailed: Processes keep dying.
        Exception: Whatever `start` raises.
    """
    waiting = iter(jobs)
    first = list(islice(waiting, min_jobs))
    if not first:
        return
    pool = Pool(start, args, limits, processes if len(first) == min_jobs else 1)
    try:
        yield from pool.run(chain(first, waiting))
    finally:
        pool.end()


class Pool:
    """Worker processes for jobs that come now and then: they stay until end(). Not for several threads at once."""

    def __init__(self, start: Callable, args: tuple[Any, ...], limits: Limits, most: int) -> None:
        self.start, self.args, self.limits, self.most = start, args, limits, most
        self.workers: list[_Worker] = []
        self.todo: deque[_Slot] = deque()
        self.deaths = 0

    def call(self, job: Any) -> Any:
        """Do one job; return its result, or Lost. Raises as run_jobs() does."""
        [(_, result)] = self.run(iter([job]))
        return result

    def run(self, jobs: Iterator[Any]) -> Iterator[tuple[Any, Any]]:
        """Yield each job with its result, in the order of the jobs."""
        order: deque[_Slot] = deque()
        while True:
            for job in islice(jobs, max(0, self.most * JOBS_AHEAD - len(order))):
                slot = _Slot(job)
                order.append(slot)
                self.todo.append(slot)
            if not order:
                return
            while order and order[0].done:
                slot = order.popleft()
                yield slot.job, slot.result
            if order:
                self._assign()
                if not order[0].done:
                    self._listen()

    def _assign(self) -> None:
        for worker in [w for w in self.workers if w.ready and w.slot is None]:
            if not self.todo:
                return
            slot = self.todo.popleft()
            worker.slot, slot.attempts = slot, slot.attempts + 1
            worker.deadline = time.monotonic() + self.limits.wall_seconds
            with contextlib.suppress(BrokenPipeError, ConnectionError):  # _listen notices that it died
                worker.pipe.send(slot.job)
        starting = sum(not worker.ready for worker in self.workers)
        while self.todo and len(self.workers) < self.most and starting < len(self.todo):
            self.workers.append(self._new())
            starting += 1

    def _new(self) -> _Worker:
        context = get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_work, args=(theirs, self.start, self.args, self.limits), daemon=True)
        process.start()
        theirs.close()
        return _Worker(process, ours)

    def _listen(self) -> None:
        """Wait until a process answers, ends or reaches its time limit."""
        ends = min(worker.deadline for worker in self.workers if worker.slot or not worker.ready)
        heard = connection.wait([w.pipe for w in self.workers], max(0.0, min(ends - time.monotonic(), 60.0)))
        for worker in [w for w in self.workers if w.pipe in heard]:
            try:
                said, value = worker.pipe.recv()
            except (EOFError, OSError):
                self._died(worker)
            else:
                self._received(worker, said, value)
        now = time.monotonic()
        for worker in [w for w in self.workers if (w.slot or not w.ready) and now > w.deadline]:
            self._died(worker, f"it did not finish within {self.limits.wall_seconds:.0f} seconds")

    def _received(self, worker: _Worker, said: str, value: Any) -> None:
        if said == "unfit":
            raise value
        if said == "ready":
            worker.ready = True
            return
        slot = worker.slot
        assert slot is not None
        slot.result, slot.done = value, True
        worker.slot, self.deaths = None, 0
        worker.n_done += 1
        if isinstance(value, Lost) or worker.n_done >= self.limits.renewed_after:
            self._end(worker)

    def _died(self, worker: _Worker, why: str = "") -> None:
        slot, was_ready = worker.slot, worker.ready
        code = self._end(worker)
        if slot is not None and code == -signal.SIGPROF and not why:
            seconds = self.limits.cpu_seconds
            slot.result, slot.done = Lost(f"it took more than {seconds:g} seconds of CPU time"), True
            return
        why = why or f"its process died ({_describe_exit(code)})"
        self.deaths += 1
        if self.deaths >= MAX_CONSECUTIVE_DEATHS or not was_ready and self.deaths >= 3:
            raise WorkersFailed(f"{self.deaths} worker processes died in a row; the last one: {why}.")
        if slot is None:
            return
        if slot.attempts < self.limits.attempts:
            self.todo.appendleft(slot)
        else:
            slot.result, slot.done = Lost(f"{why}{', twice' if slot.attempts > 1 else ''}"), True

    def _end(self, worker: _Worker) -> int:
        self.workers.remove(worker)
        worker.pipe.close()
        worker.process.join(0.2 if worker.slot is not None else 0)
        if worker.process.exitcode is None:
            worker.process.kill()
            worker.process.join()
        return worker.process.exitcode

    def end(self) -> None:
        """Kill every process."""
        for worker in list(self.workers):
            worker.process.kill()
            self._end(worker)


def _describe_exit(code: int) -> str:
    if code == -signal.SIGKILL:
        return "killed, most likely for lack of memory"
    try:
        return signal.Signals(-code).name if code < 0 else f"exit code {code}"
    except ValueError:
        return f"exit code {code}"


def _work(pipe: Connection, start: Callable, args: tuple[Any, ...], limits: Limits) -> None:
    """Do jobs until the parent closes the pipe or ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        work = start(*args)
    except Exception as error:  # the parent raises it
        pipe.send(("unfit", _portable(error)))
        return
    _limit_memory(limits.memory_mb)
    with contextlib.suppress(EOFError, ConnectionError):
        pipe.send(("ready", None))
        while True:
            job = pipe.recv()
            signal.setitimer(signal.ITIMER_PROF, limits.cpu_seconds)
            try:
                result = work(job)
            except MemoryError:
                result = Lost(f"it needs more than {limits.memory_mb} MiB of memory")
            except Exception as error:  # an error costs only this job
                result = Lost(f"the program failed on it: {type(error).__name__}: {error}"[:300])
            signal.setitimer(signal.ITIMER_PROF, 0)
            pipe.send(("done", result))


def _portable(error: Exception) -> Exception:
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # pickling may raise anything
        return WorkersFailed(f"{type(error).__name__}: {error}")
    return error


def _limit_memory(megabytes: int) -> None:
    """Limit further growth of this process's address space; if its size is unknown, assume 2 GiB."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            held = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        held = 1 << 31
    limit = held + megabytes * 1024 * 1024
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))
