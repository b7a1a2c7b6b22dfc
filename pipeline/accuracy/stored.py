"""Stores reports of `oversight evaluate` as files of figures, with date, data and program version, and loads them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.errors import OutsideFailure

FOLDER = Path(__file__).parent
ORDER = ("held-out", "newsroom")  # order in which the files are shown; any others follow
HELD_OUT = (
    "Each document was read with weights, thresholds and a calibration that had not seen it or its events; the rules "
    "were written with some of these documents in view."
)
NEWSROOM = "An invented news world: the model had not seen it; the rules were checked against it."
IN_SAMPLE = "These documents may have been used to build the program: take the figures as the best case."
TITLES = {HELD_OUT: "Real documents, held out", NEWSROOM: "Invented newsroom", IN_SAMPLE: "Documents of your own"}


def store(
    file: Path, report: dict[str, Any], *, note: str, title: str, data_hash: str, least_confidence: float
) -> None:
    """Write a report as a file of figures.

    Args:
        file: Where to write it.
        report: The report, as `Report.as_dict` returns it.
        note: Whether the documents had been used before, such as HELD_OUT.
        title: The heading of its column.
        data_hash: The hash of the documents; see `hash_of`.
        least_confidence: The threshold below which claims were left out.
    """
    from pipeline.versions import program_version

    figures = {
        "version": 1,
        "title": title or TITLES.get(note, "Documents of your own"),
        "note": note,
        "date": datetime.now(UTC).date().isoformat(),
        "program_version": program_version(),
        "data_hash": data_hash,
        "documents": report["documents"],
        "annotated_claims": report["claims"]["gold"],
        "found_claims": report["claims"]["predicted"],
        "least_confidence": least_confidence,
        "figures": report,
    }
    try:
        file.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise OutsideFailure(f"Cannot write the figures to {file} ({error.strerror}).") from error


def hash_of(files: Iterable[Path]) -> str:
    """Return a hash of 16 hex digits over texts and annotations."""
    digest = hashlib.sha256()
    for path in sorted(files, key=lambda path: (path.parent.name, path.name)):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def load_figures(folder: Path = FOLDER) -> dict[str, dict[str, Any]]:
    """Return file name -> stored figures, in the order in which they are shown."""
    names = sorted(folder.glob("*.json"), key=lambda path: (path.stem not in ORDER, *_place(path.stem)))
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in names}


def same_program(one: str, other: str) -> bool:
    """Return whether two program versions extract alike: the hash of the extraction decides, not the release number."""
    return one.rpartition("+")[2] == other.rpartition("+")[2]


def _place(name: str) -> tuple[int, str]:
    return (ORDER.index(name) if name in ORDER else len(ORDER)), name
