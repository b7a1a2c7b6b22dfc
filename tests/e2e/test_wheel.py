"""A wheel built from the project works outside the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel's contents, as an installer would lay them."""
    pytest.importorskip("hatchling", reason="building a wheel needs hatchling")
    place = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(place)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = place.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place / "site")
    return place / "site"


def run(site: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    env = {key: value for key, value in os.environ.items() if not key.startswith("OVERSIGHT_")}
    env["PYTHONPATH"] = str(site)
    return subprocess.run([sys.executable, *words], cwd=folder, env=env, capture_output=True, text=True, timeout=240)


def test_the_wheel_contains_data_files(site: Path) -> None:
    for name in (
        "scrapers/sources/openai.toml", "pipeline/lexicon/words/relevance.toml",
        "pipeline/site/datasette_metadata.json", "pipeline/site/static/ledger.css",
        "pipeline/site/templates/base.html", "pipeline/newsroom/publishers.toml",
        "pipeline/accuracy/newsroom.json",
    ):  # fmt: skip
        assert (site / name).is_file(), name


@pytest.mark.parametrize(
    "name", ["encoder.onnx", "words.npz", "heads.npz", "tokenizer.json", "card.json", "calibration.json", "NOTICE"]
)
def test_the_wheel_contains_the_weights(site: Path, name: str) -> None:
    weights = "pipeline/nlp/classifier/weights"
    assert (site / weights / name).read_bytes() == (ROOT / weights / name).read_bytes()


def test_spacy_opens_a_saved_pipeline_without_an_import_of_ours(site: Path, tmp_path: Path) -> None:
    saved = run(site, tmp_path, "-c", "import pipeline; pipeline.load().to_disk('saved')")
    assert saved.returncode == 0, saved.stderr
    opened = run(
        site, tmp_path, "-c",
        "import spacy; nlp = spacy.load('saved'); print(nlp.pipe_names[-1], type(nlp.get_pipe('claims')).__module__)",
    )  # fmt: skip
    assert opened.stdout.split() == ["claims", "pipeline.nlp.pipeline"], opened.stderr


def test_the_benchmarks_come_with_the_source_checkout_only(site: Path, tmp_path: Path) -> None:
    assert not (site / "pipeline/evaluation/benchmarks").exists()
    assert (site / "pipeline/evaluation/synthetic_news.py").is_file()
    refused = run(site, tmp_path, "-m", "pipeline.cli", "bench", "relevance")
    assert refused.returncode == 2
    assert len(refused.stderr.splitlines()) == 1 and "source checkout" in refused.stderr


def test_the_demo_runs_from_the_wheel(site: Path, tmp_path: Path) -> None:
    where = run(site, tmp_path, "-c", "import pipeline, scrapers; print(pipeline.__file__, scrapers.__file__)")
    assert where.stdout.count(str(site)) == 2
    made = run(site, tmp_path, "-m", "pipeline.cli", "demo", "--no-serve")
    assert made.returncode == 0, made.stdout + made.stderr
    shown = run(site, tmp_path, "-m", "pipeline.cli", "--data", "data/demo", "entity", "Vellichor")
    assert shown.returncode == 0 and "Vellichor" in shown.stdout
    page = run(
        site, tmp_path, "-c",
        "import asyncio; from pipeline.site.app import build_site; "
        "site = build_site('data/demo'); "
        "answer = asyncio.run(site.client.get('/')); print(answer.status_code, 'ledger.css' in answer.text)",
    )  # fmt: skip
    assert page.stdout.split() == ["200", "True"], page.stderr
