"""Which program read a page or a text: a version that changes with the code, cards or weights that decide."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pipeline
import scrapers

READER_FILES = ("*.py", "sources/*.toml")
UNDERSTANDING_FILES = ("*.py", "kinds/**/*.toml", "kinds/*.py", "lexicon/**/*.toml", "lexicon/*.py", "classifier/*.py",
                       "classifier/weights/*")  # fmt: skip


def package_version() -> str:
    """Return the version of the installed distribution, "0" where it is run without being installed."""
    try:
        return version("oversight-ledger")
    except PackageNotFoundError:
        return "0"


@cache
def reader_version() -> str:
    """Return the version of what turns a page into an article: package version and a hash of code and cards."""
    return f"{package_version()}+{_hash(Path(scrapers.__file__).parent, READER_FILES)}"


@cache
def program_version(*further: Path) -> str:
    """Return the version of what turns an article into findings. `further`: lexicon files from outside the package."""
    return f"{package_version()}+{_hash(Path(pipeline.__file__).parent, UNDERSTANDING_FILES, further)}"


@cache
def joining_version() -> str:
    """Return the version of what joins findings into a ledger and writes it."""
    patterns = ("*.py", "ledger/*.py", "reviews/*.py", "store/*.py", "lexicon/*.py")
    return _hash(Path(pipeline.__file__).parent, patterns)


@cache
def gate_version() -> str:
    """Return the version of what tells by title and summary whether an item is about the oversight of AI."""
    return _hash(Path(pipeline.__file__).parent, ("gate*.py", "lexicon/gate_words.toml"))


def _hash(folder: Path, patterns: tuple[str, ...], further: tuple[Path, ...] = ()) -> str:
    digest = hashlib.sha256()
    files = sorted({path for pattern in patterns for path in folder.glob(pattern) if path.is_file()})
    for path in files:
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    for place in further:
        for path in sorted(place.rglob("*.toml")) if place.is_dir() else [place]:
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:10]
