"""The README's words are true: each command of its tour runs as it stands there, in order, over the demo's ledger."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def commands() -> list[str]:
    blocks = re.findall(r"```bash\n(.*?)```", README, flags=re.S)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


def test_every_command_of_the_tour_runs(demo: Path, tmp_path: Path) -> None:
    lines = commands()
    assert len(lines) >= 12
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    shutil.copytree(demo, tmp_path / "data" / "demo", symlinks=True)
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    for line in lines:
        program, *words = shlex.split(line)
        assert program == "oversight", line
        result = subprocess.run([sys.executable, "-m", "pipeline.cli", *words], cwd=tmp_path, env=env,
                                capture_output=True, text=True, timeout=180)  # fmt: skip
        assert result.returncode == 0, f"{line}\n{result.stdout}{result.stderr}"
        assert result.stdout.strip(), f"{line} said nothing"


def test_every_file_that_the_readme_names_is_there() -> None:
    named = set(re.findall(r"`((?:docs|scrapers|pipeline)/[\w./-]*|CHANGELOG\.md)`", README))
    named |= set(re.findall(r"\]\((docs/[\w./-]+)\)", README))
    assert len(named) > 6
    assert sorted(name for name in named if not (ROOT / name).exists()) == []


def test_the_example_card_of_the_readme_is_the_one_that_is_checked() -> None:
    assert (ROOT / "docs" / "example_card.toml").read_text() in README


def test_make_knows_the_targets_that_the_readme_names() -> None:
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), flags=re.M)
    assert set(re.findall(r"\bmake (\w+)\b", README)) - {"demo", "test"} == set()
    assert {"demo", "test"} <= set(targets)
