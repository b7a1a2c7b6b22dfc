"""Times of runs come in; how many pages or articles a second that is goes out."""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Rate:
    """How quick one stage was. Rates are medians of the runs; `least` and `most` the slowest and quickest run."""

    stage: str
    n: int  # articles or pages in a run
    runs: int
    per_second: float  # by the clock
    per_cpu_second: float  # by the processor's time of this process and those it started
    least: float  # per CPU-second
    most: float
    note: str = ""


@dataclass(slots=True)
class Runs:
    """Times of the runs of one stage."""

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
            stage, self.n, len(rates), round(self.n / max(statistics.median(self.wall), 1e-6), 2),
            round(statistics.median(rates), 2), round(min(rates), 2), round(max(rates), 2), note,
        )  # fmt: skip


def against(own: Rate, peer: Rate) -> Rate:
    """Return a rate with the words how many times that of a peer it is."""
    return replace(own, note=f"{own.per_cpu_second / peer.per_cpu_second:.2f} times the rate of {peer.stage}")


def _cpu_seconds() -> float:
    """Return the processor's time of this process and of the processes it has started and seen end."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime
