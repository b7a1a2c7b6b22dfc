"""Packages import only what lies below them, pure packages stay pure, and frameworks stay in place."""

from __future__ import annotations

import ast
import re
import subprocess
from collections import defaultdict
from pathlib import Path

import pytest
from support.command import least_cpu_seconds

from pipeline import versions

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted([*ROOT.glob("scrapers/**/*.py"), *ROOT.glob("pipeline/**/*.py")])
MOST_MODULES = 13  # at one level of a package, its __init__ left out
# From the ground up: a package may import its own modules and those of layers above it in this list, never below.
# The longest prefix counts. Packages on one line don't import each other.
LAYERS = (
    ("scrapers.items",),
    ("scrapers.messages", "scrapers.process_pool"),
    ("scrapers.bookkeeper", "scrapers.database"),
    ("scrapers.fetching",),
    ("scrapers.reading",),
    ("scrapers.cards", "scrapers.recordings", "scrapers.settings"),
    ("scrapers.archive", "scrapers.feeds"),
    ("scrapers.spiders",),
    ("scrapers.crawling",),
    ("scrapers",),
    ("pipeline.errors", "pipeline.records"),
    ("pipeline.settings", "pipeline.versions", "pipeline.workspace"),
    ("pipeline.lexicon",),
    ("pipeline.nlp.classifier",),
    ("pipeline.nlp.relevance", "pipeline.nlp.parsing"),
    ("pipeline.nlp",),
    ("pipeline.nlp.training",),
    ("pipeline.aggregation",),
    ("pipeline.ledger",),
    ("pipeline.newsroom", "pipeline.accuracy"),
    ("pipeline.site",),
    ("pipeline.app",),
    ("pipeline.evaluation",),
    ("pipeline.commands",),
    ("pipeline.cli",),
    ("pipeline",),
)
# What these return depends on their arguments alone, so they reach for no files, network or frameworks.
PURE = ("scrapers.reading", "scrapers.feeds", "pipeline.nlp", "pipeline.aggregation")
NOT_IN_PURE = ("sqlite3", "sqlite_utils", "scrapy", "datasette", "socket", "urllib.request", "requests", "httpx")
FRAMEWORKS = {
    "scrapy": ("scrapers.", "pipeline.evaluation.benchmarks."),
    "datasette": ("pipeline.site",),
    "spacy": ("pipeline.",),
    "apprise": ("pipeline.app.alerts",),
    "sqlite_utils": ("pipeline.ledger", "pipeline.site", "scrapers.crawling.frontier"),
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


def layer_of(module: str) -> tuple[int, str]:
    """Return the number of a module's layer and the prefix that puts it there."""
    found = [
        (len(prefix), number, prefix)
        for number, prefixes in enumerate(LAYERS)
        for prefix in prefixes
        if module == prefix or module.startswith(prefix + ".")
    ]
    assert found, f"{module} lies in no layer: add its package to LAYERS"
    _, number, prefix = max(found)
    return number, prefix


def test_packages_import_only_what_lies_below_them() -> None:
    wrong = []
    for module, found in GRAPH.items():
        number, prefix = layer_of(module)
        for name in sorted(found & GRAPH.keys() - {"pipeline", "scrapers"}):
            other, other_prefix = layer_of(name)
            if other > number or (other == number and other_prefix != prefix):
                wrong.append(f"{module} imports {name}")
    assert wrong == []


def test_no_level_of_a_package_has_too_many_modules() -> None:
    sizes = {folder: len([*folder.glob("*.py")]) - 1 for folder in {path.parent for path in MODULES}}
    assert {str(folder): n for folder, n in sizes.items() if n > MOST_MODULES} == {}


def test_pure_packages_reach_for_no_database_network_or_framework() -> None:
    guilty = {
        module: bad
        for module, found in GRAPH.items()
        if module.startswith(PURE)
        and (bad := [n for n in found if any(n == f or n.startswith(f + ".") for f in NOT_IN_PURE)])
    }
    assert guilty == {}


def test_every_version_covers_files_and_no_file_of_nlp_counts_twice() -> None:
    relevance = versions.hashed_files(["pipeline/nlp/relevance"])
    extraction = versions.hashed_files(["pipeline/nlp"], versions.NOT_EXTRACTION)
    training = versions.hashed_files(["pipeline/nlp/training"])
    counted = [*relevance, *extraction, *training]
    assert len(counted) == len(set(counted))
    assert set(counted) == set(versions.hashed_files(["pipeline/nlp"]))
    for places in (versions.READING, versions.RELEVANCE, versions.EXTRACTION, versions.AGGREGATION):
        assert all(versions.hashed_files([place]) for place in places)


def test_every_file_of_nlp_that_decides_a_result_counts() -> None:
    files = {path.relative_to(ROOT).as_posix() for path in (ROOT / "pipeline/nlp").rglob("*") if path.is_file()}
    counted = {name for name in files if "__pycache__" not in name and not name.endswith((".md", "/NOTICE"))}
    training = {name for name in counted if name.startswith("pipeline/nlp/training/")}
    assert counted - training == versions.hashed_files(["pipeline/nlp"], ["pipeline/nlp/training"]).keys()


@pytest.mark.parametrize(
    "name", ["encoder.onnx", "words.npz", "heads.npz", "tokenizer.json", "card.json", "calibration.json"]
)
def test_the_program_version_changes_with_the_weights(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in (*versions.EXTRACTION, *versions.RELEVANCE):
        path = tmp_path / place / "__init__.py" if not place.endswith(".py") else tmp_path / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    weights = tmp_path / "pipeline/nlp/classifier/weights" / name
    weights.parent.mkdir(parents=True)
    monkeypatch.setattr(versions, "ROOT", tmp_path)
    found = set()
    for content in (b"one", b"other"):
        weights.write_bytes(content)
        found.add(versions.program_version.__wrapped__())
    assert len(found) == 2


def test_a_folder_that_is_gone_cannot_drop_out_of_a_version_unnoticed() -> None:
    with pytest.raises(FileNotFoundError, match="nothing to hash"):
        versions.hashed_files(["pipeline/nlp/gone"])


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_frameworks_stay_in_their_packages(framework: str) -> None:
    users = [m for m, found in GRAPH.items() if any(n == framework or n.startswith(framework + ".") for n in found)]
    assert users, f"nobody imports {framework}: drop it from the dependencies"
    assert [m for m in users if not m.startswith(FRAMEWORKS[framework])] == []


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


# Functions that are longer than a screen, with the reason.
LONG_FUNCTIONS = {
    "pipeline.ledger.schema.ledger": "one SQL script that makes the tables; a released migration is never edited",
}
MOST_LINES = 60


def test_no_function_is_longer_than_a_screen_without_a_reason() -> None:
    long = {
        f"{name_of(path)}.{node.name}"
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or 0) - node.lineno + 1 > MOST_LINES
    }
    assert long == set(LONG_FUNCTIONS)


def test_no_docstring_follows_the_old_template() -> None:
    """Say what is in a module, or what a function does: not "X comes in; Y goes out" or "X in; Y out"."""
    template = re.compile(r"\b(?:comes? in|goes? out)\b|\bin[;,].*\bout[.;]")
    found = []
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                first = (ast.get_docstring(node) or "").split("\n\n")[0]
                if template.search(first):
                    found.append(f"{name_of(path)}: {first[:90]}")
    assert found == []


def test_every_module_begins_with_a_sentence() -> None:
    silent = [name_of(p) for p in MODULES if not ast.get_docstring(ast.parse(p.read_text(encoding="utf-8")))]
    assert silent == []


def test_no_work_notes_are_left_in_the_text() -> None:
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
    assert least_cpu_seconds("--help") < 0.5
