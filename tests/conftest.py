"""What all tests share: the demo's ledger, made once in each run of the suite by the real line over the newsroom."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parents[1]


# A busy machine must not fail a test: how long something takes is shown by `oversight bench`.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's data folder: crawled, read, built and published. Not to be changed: copy it first."""
    from pipeline.app.commands.operate.demo import make_demo
    from pipeline.workspace import DataFolder

    folder = DataFolder(tmp_path_factory.mktemp("demo") / "ledger")
    make_demo(folder, say=lambda line: None)
    return folder.path


@pytest.fixture
def ledger(demo: Path, tmp_path: Path) -> Path:
    """A copy of the demo's ledger that a test may damage."""
    copy = tmp_path / "ledger"
    shutil.copytree(demo, copy, symlinks=True)
    return copy


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real pages, feeds and annotated texts, not part of the project: skip where it is absent."""
    folder = Path(os.environ.get("OVERSIGHT_SHARED", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"the folder of real texts and pages is not at {folder}")
    return folder
