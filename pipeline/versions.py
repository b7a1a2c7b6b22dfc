"""Versions of the parts of the program: each is a hash of the folders whose code, cards or weights decide a result.

A page is read again, an article understood again, or the ledger joined again only when the version of the part that
decides it has changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pipeline
import scrapers

_SUFFIXES = frozenset({".py", ".toml", ".json", ".onnx"})

# What decides how a page becomes an article. Paths are relative to the folder of the two packages.
READING = ("scrapers/reading", "scrapers/sources", "scrapers/cards.py", "scrapers/items.py")
# What decides whether an item is about the oversight of AI. The lexicon's names and words are part of it.
RELEVANCE = ("pipeline/nlp/relevance", "pipeline/lexicon")
# What decides which claims a relevant article makes.
UNDERSTANDING = ("pipeline/nlp", "pipeline/lexicon", "pipeline/records.py")
NOT_UNDERSTANDING = ("pipeline/nlp/relevance", "pipeline/nlp/training")
# What decides how claims become events and how they are written.
AGGREGATION = ("pipeline/aggregation", "pipeline/ledger", "pipeline/lexicon", "pipeline/records.py")


def package_version() -> str:
    """Return the version of the installed distribution, "0" where it is run without being installed."""
    try:
        return version("oversight-ledger")
    except PackageNotFoundError:
        return "0"


@cache
def reader_version() -> str:
    """Return the version of what turns a page into an article."""
    return f"{package_version()}+{_hash(READING)}"


@cache
def program_version(*further: Path) -> str:
    """Return the version of what turns an article into findings. `further`: lexicon files from outside the package."""
    return f"{package_version()}+{_hash(RELEVANCE, _hash(UNDERSTANDING, without=NOT_UNDERSTANDING), further=further)}"


@cache
def joining_version() -> str:
    """Return the version of what joins findings into a ledger and writes it."""
    return _hash(AGGREGATION)


@cache
def relevance_version() -> str:
    """Return the version of what judges by title and summary whether an item is about the oversight of AI."""
    return _hash(RELEVANCE)


def hashed_files(places: Iterable[str], without: Iterable[str] = ()) -> dict[str, Path]:
    """Return the files that a version covers, by their path below the folder of the packages, in order.

    Args:
        places: files and folders, relative to the folder that holds the two packages.
        without: folders below them that the version does not cover.

    Raises:
        FileNotFoundError: a place holds no such file, so that a renamed folder can't drop out of a version unnoticed.
    """
    found: dict[str, Path] = {}
    for place in places:
        root = Path((scrapers if place.startswith("scrapers") else pipeline).__file__ or "").parents[1]
        path = root / place
        files = [path] if path.is_file() else [file for file in path.rglob("*") if file.suffix in _SUFFIXES]
        if not files:
            raise FileNotFoundError(f"{path}: nothing to hash. Correct the folders named in pipeline/versions.py.")
        found |= {file.relative_to(root).as_posix(): file for file in files}
    kept = (name for name in found if not name.startswith(tuple(f"{place}/" for place in without)))
    return {name: found[name] for name in sorted(kept)}


def _hash(places: Iterable[str], start: str = "", without: Iterable[str] = (), further: Iterable[Path] = ()) -> str:
    digest = hashlib.sha256(start.encode())
    for name, path in hashed_files(places, tuple(without)).items():
        digest.update(name.encode() + b"\0" + path.read_bytes())
    for place in further:
        for path in sorted(place.rglob("*.toml")) if place.is_dir() else [place]:
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:10]
