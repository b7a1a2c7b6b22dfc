"""The house stands as drawn: who may import whom, no circles, no module too large, nothing of the workshop in it."""

from __future__ import annotations

import ast
import re
import resource
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted([*ROOT.glob("scrapers/**/*.py"), *ROOT.glob("pipeline/**/*.py")])
MAX_LINES = 500
# Pure modules: what they return depends on their arguments alone, so they may not reach for files, nets or frameworks.
PURE = (
    "scrapers.reading", "scrapers.cleaning", "scrapers.feeds", "pipeline.dates", "pipeline.events", "pipeline.origins",
    "pipeline.conflicts", "pipeline.summaries", "pipeline.modality", "pipeline.attribution", "pipeline.flow",
)  # fmt: skip
NOT_IN_PURE = ("sqlite3", "sqlite_utils", "scrapy", "datasette", "socket", "urllib.request", "requests", "httpx")
# Frameworks stay at the edges.
EDGES = {
    "scrapy": ("scrapers.",),
    "datasette": ("pipeline.serve",),
    "spacy": ("pipeline.",),
    "apprise": ("pipeline.alerts",),
    "sqlite_utils": ("pipeline.store", "pipeline.ledger.build", "pipeline.serve", "scrapers.frontier"),
}


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


GRAPH = {name_of(path): imports_of(path) for path in MODULES}


def test_scrapers_imports_nothing_of_pipeline() -> None:
    guilty = {
        module: names
        for module, found in GRAPH.items()
        if module.startswith("scrapers") and (names := sorted(n for n in found if n.split(".")[0] == "pipeline"))
    }
    assert guilty == {}


def test_pure_modules_reach_for_no_database_net_or_framework() -> None:
    guilty = {
        module: bad
        for module in PURE
        if (bad := [n for n in GRAPH[module] if any(n == f or n.startswith(f + ".") for f in NOT_IN_PURE)])
    }
    assert guilty == {}


@pytest.mark.parametrize("framework", EDGES)
def test_frameworks_stay_at_the_edges(framework: str) -> None:
    users = [m for m, found in GRAPH.items() if any(n == framework or n.startswith(framework + ".") for n in found)]
    assert users, f"nobody imports {framework}: drop it from the dependencies"
    assert [m for m in users if not m.startswith(EDGES[framework])] == []


def test_there_is_no_circle_of_imports() -> None:
    edges = defaultdict(set)
    for module, found in GRAPH.items():
        edges[module] = {n for n in found if n in GRAPH and n != module}
    state: dict[str, int] = {}
    trail: list[str] = []

    def visit(module: str) -> None:
        state[module] = 1
        trail.append(module)
        for other in sorted(edges[module]):
            if module.startswith(other + ".") or other == "pipeline":
                continue  # a package's own __init__
            assert state.get(other) != 1, "circle: " + " -> ".join([*trail[trail.index(other) :], other])
            if other not in state:
                visit(other)
        trail.pop()
        state[module] = 2

    for module in sorted(GRAPH):
        if module not in state:
            visit(module)


def test_no_module_has_grown_too_large() -> None:
    long = {name_of(p): n for p in MODULES if (n := len(p.read_text(encoding="utf-8").splitlines())) > MAX_LINES}
    assert long == {}


def test_every_module_begins_with_a_sentence() -> None:
    silent = [name_of(p) for p in MODULES if not ast.get_docstring(ast.parse(p.read_text(encoding="utf-8")))]
    assert silent == []


def test_nothing_of_the_workshop_is_left_in_the_text() -> None:
    """No path of one machine, no unfinished notes."""
    bad = re.compile(r"/work/|/root/|/home/\w+/|\bTODO\b|\bFIXME\b|NotImplementedError")
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    paths = [ROOT / name for name in tracked] or MODULES
    found = []
    for path in paths:
        if (
            path.suffix in {".py", ".toml", ".md", ".json", ".html", ".css", ".txt"}
            and path.name != Path(__file__).name
        ):
            text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
            found += [f"{path.relative_to(ROOT)}: {m.group()}" for m in bad.finditer(text)]
    assert found == []


def test_help_is_quick() -> None:
    """Heavy imports wait until a command needs them: the best of three starts takes under half a second of work."""
    times = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "pipeline.cli", "--help"], check=True, capture_output=True, cwd=ROOT)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(times) < 0.5
