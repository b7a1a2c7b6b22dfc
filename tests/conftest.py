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


# Modules of tests/unit and tests/integration that take more than some seconds; tests over the demo are slow, too.
SLOW_MODULES = {
    "test_alerts", "test_backfill", "test_benchmarks", "test_entity_rows", "test_export", "test_feedparser_suite",
    "test_incremental_build", "test_maintenance", "test_metrics", "test_nlp_pool", "test_past_snapshots",
    "test_publish", "test_real_pages", "test_remote_files", "test_reviews", "test_schema", "test_site",
    "test_snapshot_swap", "test_source_check", "test_training_stories", "test_xlsx",
}  # fmt: skip
SLOW_TESTS = {
    "test_dates_of_annotated_claims_are_found_from_their_triggers",
    "test_grouping_of_the_annotated_claims_keeps_its_level",
    "test_source_is_right_for_nine_in_ten_annotated_claims",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark slow tests, which `make test-fast` leaves out."""
    for item in items:
        if (
            item.path.stem in SLOW_MODULES
            or getattr(item, "originalname", item.name) in SLOW_TESTS
            or "demo" in getattr(item, "fixturenames", ())
        ):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def demo(run_folder: Path) -> Path:
    """The demo's data folder: crawled, read, built and published. Not to be changed: copy it first."""
    from pipeline.commands.operate.demo import make_demo
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
