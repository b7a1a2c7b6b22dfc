"""Fixtures of all tests: the demo's ledger, made once in each run, and the folder of real texts."""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings
from support.paths import SHARED

# A busy machine must not fail a test: how long something takes is shown by `oversight bench`.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def demo(run_folder: Path) -> Path:
    """The demo's data folder: crawled, read, built and published. Not to be changed: copy it first."""
    from pipeline.app.commands.operate.demo import make_demo
    from pipeline.workspace import DataFolder

    folder, done = DataFolder(run_folder / "demo" / "ledger"), run_folder / "demo-is-made"
    with (run_folder / "demo.lock").open("w") as lock:  # the first of the parallel workers makes it, the others wait
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            make_demo(folder, say=lambda line: None)
            done.touch()
    return folder.path


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The temporary folder of the whole run, shared by its parallel workers."""
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


@pytest.fixture
def ledger(demo: Path, tmp_path: Path) -> Path:
    """A copy of the demo's ledger that a test may damage."""
    copy = tmp_path / "ledger"
    shutil.copytree(demo, copy, symlinks=True)
    return copy


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real pages, feeds and annotated texts, not part of the project: skip where it is absent."""
    if not SHARED.is_dir():
        pytest.skip(f"the folder of real texts and pages is not at {SHARED}")
    return SHARED
