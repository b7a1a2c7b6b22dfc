"""Runs what the README and CONTRIBUTING show: every command, the Python example and the SQL queries, on the demo."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.S)


@pytest.fixture
def checkout(demo: Path, tmp_path: Path) -> Path:
    """A working directory with the demo's ledger and the documentation, as after `make demo`."""
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    shutil.copytree(demo, tmp_path / "data" / "demo", symlinks=True)
    return tmp_path


def test_every_command_runs_as_written(checkout: Path) -> None:
    lines = [line for block in blocks(README + CONTRIBUTING, "bash") for line in block.splitlines() if line.strip()]
    assert len(lines) >= 15
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    for line in lines:
        program, *arguments = shlex.split(line)
        assert program == "oversight", line
        result = subprocess.run(
            [sys.executable, "-m", "pipeline.cli", *arguments],
            cwd=checkout,
            env=env,
            capture_output=True,
            text=True,
            timeout=180,
        )
        assert result.returncode == 0, f"{line}\n{result.stdout}{result.stderr}"
        assert result.stdout.strip(), f"{line} printed nothing"


def test_the_python_example_runs_as_written(checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    from scrapers.reading.plain_text import plain_text

    monkeypatch.chdir(checkout)
    text = (checkout / "docs" / "example-article.txt").read_text(encoding="utf-8")
    names = {"article": plain_text(text, name="example", title="Ministry bars chatbot from schools").article}
    (example,) = blocks(README, "python")
    exec(compile(example, "README.md", "exec"), names)
    assert names["findings"].claims
    assert names["result"].events
    assert "Corvid 4" in capsys.readouterr().out


def test_every_sql_query_returns_rows(demo: Path) -> None:
    queries = [query for block in blocks(README, "sql") for query in block.split(";") if query.strip()]
    assert len(queries) == 3
    with closing(sqlite3.connect(demo / "published" / "current")) as db:
        for query in queries:
            assert db.execute(query).fetchall(), query


def test_the_printed_event_is_in_the_ledger(demo: Path) -> None:
    (shown,) = blocks(README, "text")
    summary, quote, _, contradiction = (line.strip() for line in shown.splitlines())
    with closing(sqlite3.connect(demo / "published" / "current")) as db:
        for table, column, value in (
            ("events", "summary", summary),
            ("claims", "quote", quote.strip("“”")),
            ("contradictions", "summary", contradiction),
        ):
            assert db.execute(f"select 1 from {table} where {column} = ?", (value,)).fetchone(), value
