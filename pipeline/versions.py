"""Versions of the program's stages: hashes of the code, data files and weights that decide a stage's result.

Pages are parsed again, articles analysed again and the ledger rebuilt only when the version of that stage changes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).parents[1]  # the folder that holds both packages
_SUFFIXES = frozenset({".py", ".toml", ".json", ".onnx", ".npz"})
_BLOCK = 1 << 20  # bytes; the weights are too large to be held in memory beside the model

# How a page becomes an article. Paths are relative to the folder that holds both packages.
READING = ("scrapers/reading", "scrapers/sources", "scrapers/cards.py", "scrapers/items.py")
# Whether an item is about the oversight of AI; this depends on the lexicon's names and words, too.
RELEVANCE = ("pipeline/nlp/relevance", "pipeline/lexicon")
# Which claims a relevant article makes.
EXTRACTION = ("pipeline/nlp", "pipeline/lexicon", "pipeline/records.py")
NOT_EXTRACTION = ("pipeline/nlp/relevance", "pipeline/nlp/training")
# How claims become events, and how these are stored.
AGGREGATION = ("pipeline/aggregation", "pipeline/ledger", "pipeline/lexicon", "pipeline/records.py")


def package_version() -> str:
    """Return the version of the installed distribution, "0" if it is not installed."""
    try:
        return version("oversight-ledger")
    except PackageNotFoundError:
        return "0"


@cache
def reader_version() -> str:
    """Return the version of the stage that turns a page into an article."""
    return f"{package_version()}+{_hash(READING)}"


@cache
def program_version(*further: Path) -> str:
    """Return the version of the stage that turns an article into claims. `further`: lexicon files of the settings."""
    return f"{package_version()}+{_hash(RELEVANCE, _hash(EXTRACTION, without=NOT_EXTRACTION), further=further)}"


@cache
def joining_version() -> str:
    """Return the version of the stage that groups claims into events and writes build.db."""
    return _hash(AGGREGATION)


@cache
def relevance_version() -> str:
    """Return the version of the relevance filter."""
    return _hash(RELEVANCE)


def hashed_files(places: Iterable[str], without: Iterable[str] = ()) -> dict[str, Path]:
    """Return the files that a version covers, by path relative to the folder that holds both packages, sorted.

    Args:
        places: files and folders, relative to that folder.
        without: folders below them to leave out.

    Raises:
        FileNotFoundError: a place holds no file to hash. A renamed folder must not silently drop out of a version.
    """
    found: dict[str, Path] = {}
    for place in places:
        path = ROOT / place
        files = [path] if path.is_file() else [file for file in path.rglob("*") if file.suffix in _SUFFIXES]
        if not files:
            raise FileNotFoundError(f"{path}: nothing to hash. Correct the folders named in pipeline/versions.py.")
        found |= {file.relative_to(ROOT).as_posix(): file for file in files}
    kept = (name for name in found if not name.startswith(tuple(f"{place}/" for place in without)))
    return {name: found[name] for name in sorted(kept)}


def _hash(places: Iterable[str], start: str = "", without: Iterable[str] = (), further: Iterable[Path] = ()) -> str:
    digest = hashlib.sha256(start.encode())
    for name, path in hashed_files(places, tuple(without)).items():
        digest.update(name.encode() + b"\0")
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
    for place in further:
        for path in sorted(place.rglob("*.toml")) if place.is_dir() else [place]:
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:10]
