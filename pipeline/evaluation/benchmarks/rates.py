"""Turns the times of runs into pages or articles per second."""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Rate:
    """The speed of one stage.

    Attributes:
        stage: The stage, or the peer it is compared with.
        n: Articles or pages per run.
        runs: Number of runs.
        per_second: Median by the wall clock.
        per_cpu_second: Median by the CPU time of this process and its children.
        least, most: The slowest and the fastest run, per CPU-second.
        note: A remark for the table.
    """

    stage: str
    n: int
    runs: int
    per_second: float
    per_cpu_second: float
    least: float
    most: float
    note: str = ""


@dataclass(slots=True)
class Runs:
    """Wall-clock and CPU seconds of the runs of one stage."""

    n: int
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    @contextmanager
    def timed(self) -> Iterator[None]:
        wall, cpu = time.perf_counter(), _cpu_seconds()
        yield
        self.wall.append(time.perf_counter() - wall)
        self.cpu.append(_cpu_seconds() - cpu)

    def rate(self, stage: str, note: str = "") -> Rate:
        rates = [self.n / max(spent, 1e-6) for spent in self.cpu]
        return Rate(
            stage,
            self.n,
            len(rates),
            round(self.n / max(statistics.median(self.wall), 1e-6), 2),
            round(statistics.median(rates), 2),
            round(min(rates), 2),
            round(max(rates), 2),
            note,
        )


def against(own: Rate, peer: Rate) -> Rate:
    """Return a rate with a note that compares it with a peer's."""
    return replace(own, note=f"{own.per_cpu_second / peer.per_cpu_second:.2f} times the rate of {peer.stage}")


def _cpu_seconds() -> float:
    """Return the CPU time of this process and of its finished children."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime
