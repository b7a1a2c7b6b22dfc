"""Kills the pipeline at random moments over a small newsroom and compares the final results.

python tests/support/kills.py --kills 50 --seed 1
"""

from __future__ import annotations

import argparse
import os
import pickle
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MOMENT = datetime(2026, 4, 17, 12, tzinfo=UTC)
PUBLISHERS = ("fomi", "northline", "veldmark_observer")
PHASES = ("crawl", "extract", "build", "publish")
WEIGHTS = (5, 5, 3, 3)
KILLS_OF_A_TRIAL = 5


def run_pipeline(data: Path, cards: Path, phases: Path) -> None:
    """Run the pipeline once, as of MOMENT; append the name of each phase to `phases` when it begins."""
    from pipeline.app import steps
    from pipeline.commands.operate.demo import demo_lexicon
    from pipeline.nlp.relevance.score import passes_topic
    from pipeline.workspace import DataFolder
    from scrapers.archive.store import Archive
    from scrapers.crawling.crawl import CrawlConfig, crawl
    from scrapers.crawling.frontier import Frontier

    folder, sources, lexicon = DataFolder(data), pickle.loads(cards.read_bytes()), (demo_lexicon(),)

    def begin(phase: str) -> None:
        with phases.open("a") as file:
            file.write(f"{phase}\n")

    config = CrawlConfig(
        contact="desk@kills.example",
        allow_loopback=True,
        topic_filter=passes_topic,
        pause_seconds=0.0,
        now=lambda: MOMENT,
    )
    with folder.lock():
        begin("crawl")
        with closing(Frontier(folder.crawl_db)) as frontier:
            archive = Archive(folder.archive, folder.crawl_db)
            crawl(sources, frontier, archive, config=config)
            archive.close()
        begin("extract")
        steps.extract(folder, sources, lambda words: None, lexicon)
        begin("build")
        steps.build(folder, sources, least_confidence=0.45, lexicon=lexicon)
        begin("publish")
        steps.publish(folder)


@dataclass
class Attempt:
    """One pipeline run in a process of its own, with the phases that it reports."""

    data: Path
    cards: Path
    started: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.phases = self.data.with_suffix(".phases")
        self.phases.unlink(missing_ok=True)
        path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--line", str(self.data), str(self.cards), str(self.phases)],
            env={**os.environ, "PYTHONPATH": path, "OVERSIGHT_READERS": "1"}, start_new_session=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def look(self) -> bool:
        """Record which phases have begun; return whether the process still runs."""
        if self.phases.exists():
            for phase in self.phases.read_text().split():
                self.started.setdefault(phase, time.monotonic())
        return self.process.poll() is None

    def phase(self) -> str:
        return list(self.started)[-1] if self.started else "start"

    def finish(self) -> dict[str, float]:
        """Wait for the end; return the duration of each phase. Raises RuntimeError if the run failed."""
        while self.look():
            time.sleep(0.01)
        output = self.process.stdout.read() if self.process.stdout else ""
        if self.process.returncode != 0:
            raise RuntimeError(f"the run ended with {self.process.returncode}:\n{output}")
        ends = [*list(self.started.values())[1:], time.monotonic()]
        return {phase: end - begun for (phase, begun), end in zip(self.started.items(), ends, strict=True)}

    def kill_in(self, phase: str, after: float, *, everything: bool) -> str:
        """Kill -9 `after` seconds into a phase or once it is over; return the phase then, "" if the run had ended."""
        while self.look():
            begun = self.started.get(phase)
            later = any(PHASES.index(other) > PHASES.index(phase) for other in self.started)
            if begun is not None and (later or time.monotonic() - begun >= after):
                if everything:
                    os.killpg(self.process.pid, signal.SIGKILL)
                else:
                    self.process.kill()
                self.process.wait()
                return self.phase()
            time.sleep(0.002)
        return ""


def state_of(data: Path, out: Path) -> dict[str, bytes]:
    """Return the state of a ledger: every exported file, the archived pages and the visits."""
    import sqlite3

    from pipeline.ledger.publish.export import export
    from pipeline.ledger.publish.verify import verify
    from pipeline.workspace import DataFolder

    folder = DataFolder(data)
    export(folder.current.resolve(), out, formats=("jsonl",))
    found = {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*.jsonl"))}
    with closing(sqlite3.connect(folder.crawl_db)) as db:
        for name, sql in {
            "visits": "select url, outcome, count(*) from visits group by 1, 2 order by 1, 2",
            "pages": "select url, sha256 from pages order by 1, 2",
            "articles": "select article_id, version from articles order by 1, 2",
            "readings": "select url, outcome from readings order by 1, 2",
        }.items():
            found[f"crawl.db: {name}"] = repr(db.execute(sql).fetchall()).encode()
    found["faults"] = repr(verify(data)).encode()
    return found


@dataclass
class Report:
    """The result of a series of kills. `differences`: what differs, for each trial that does."""

    kills: Counter[str]
    trials: int
    differences: list[str]
    n_pages: int


def kill_again_and_again(folder: Path, kills: int, seed: int) -> Report:
    """Kill `kills` runs, KILLS_OF_A_TRIAL for each new ledger, and compare each ledger with an undisturbed one."""
    from pipeline.newsroom.server import Newsroom

    chance = random.Random(seed)
    with Newsroom(MOMENT) as newsroom:
        cards = folder / "cards.pickle"
        cards.write_bytes(pickle.dumps([c for c in newsroom.cards() if c.source_id in PUBLISHERS]))
        took = Attempt(folder / "undisturbed", cards).finish()
        wanted = state_of(folder / "undisturbed", folder / "undisturbed-export")
        report = Report(Counter(), 0, [], wanted["crawl.db: pages"].count(b"http"))
        while report.kills.total() < kills:
            report.trials += 1
            data = folder / f"trial-{report.trials}"
            n = min(KILLS_OF_A_TRIAL, kills - report.kills.total())
            for phase in sorted(chance.choices(PHASES, WEIGHTS, k=n), key=PHASES.index):
                attempt = Attempt(data, cards)
                where = attempt.kill_in(
                    phase, chance.uniform(0, 1.1 * took[phase]), everything=chance.random() < 0.3
                )  # fmt: skip
                if not where and attempt.process.returncode == 0:
                    break  # it was done before the moment came
                if not where:
                    raise RuntimeError(f"the run failed before {phase}: {attempt.process.stdout.read()}")
                report.kills[where] += 1
            Attempt(data, cards).finish()
            found = state_of(data, folder / f"export-{report.trials}")
            report.differences += [
                f"trial {report.trials}: {name}" for name in sorted({*wanted, *found})
                if wanted.get(name) != found.get(name)
            ]  # fmt: skip
            if not report.differences:
                shutil.rmtree(data)
    return report


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--line", nargs=3, type=Path, metavar=("DATA", "CARDS", "PHASES"), help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.line:
        run_pipeline(*chosen.line)
        return 0
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report = kill_again_and_again(Path(folder), chosen.kills, chosen.seed)
    where = ", ".join(f"{n} in {phase}" for phase, n in report.kills.items())
    print(f"{report.kills.total()} kills ({where}) over {report.trials} ledgers of {report.n_pages} pages, "
          f"{time.monotonic() - started:.0f} s.")  # fmt: skip
    print("\n".join(report.differences) or "Each ledger equals the undisturbed one.")
    return bool(report.differences)


if __name__ == "__main__":
    raise SystemExit(main())
