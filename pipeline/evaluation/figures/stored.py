"""A report of `oversight evaluate` comes in, a file of figures goes out that says when, on what and by which program it
was measured; and back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.errors import OutsideFailure

FOLDER = Path(__file__).parent
ORDER = ("held-out", "retold", "newsroom")  # the files that are shown, in this order; any others after them
HELD_OUT = "The classifier had not seen these documents or their events; frames and rules were made with them in view."
NEWSROOM = "An invented news world: the classifier had not seen it; frames and rules were checked against it."
IN_SAMPLE = "Nothing says that the program had not seen these documents before: take it as the best case."
TITLES = {HELD_OUT: "Real documents, held out", NEWSROOM: "Invented newsroom", IN_SAMPLE: "Documents of your own"}


def store(
    file: Path, report: dict[str, Any], *, note: str, title: str, data_hash: str, least_confidence: float
) -> None:
    """Write a report as a file of figures. `note`: who had seen the documents; `data_hash`: see `hash_of`."""
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
        raise OutsideFailure(f"{file}: the figures could not be written ({error.strerror}).") from error


def hash_of(files: Iterable[Path]) -> str:
    """Return 16 hex digits that change with any of the texts and annotations."""
    digest = hashlib.sha256()
    for path in sorted(files, key=lambda path: (path.parent.name, path.name)):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def load_figures(folder: Path = FOLDER) -> dict[str, dict[str, Any]]:
    """Return the stored figures by the name of their file, in the order in which they are shown."""
    names = sorted(folder.glob("*.json"), key=lambda path: (path.stem not in ORDER, *_place(path.stem)))
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in names}


def same_program(one: str, other: str) -> bool:
    """Tell whether two program versions read texts alike: the hash of what reads decides, not the package's number."""
    return one.rpartition("+")[2] == other.rpartition("+")[2]


def _place(name: str) -> tuple[int, str]:
    return (ORDER.index(name) if name in ORDER else len(ORDER)), name
