"""Reads the documents that a user names, or explains why a file cannot be read."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

from pipeline.errors import WrongUse
from scrapers.reading.decoding import decode, foreign_format
from scrapers.reading.timestamps import known_day

KINDS = "Give a .json, .html or .txt file, or an http(s) address."
_LONGEST_NAME = 200  # bytes; most file systems allow 255, and ".json" is added


def need_file(name: str, kinds: str = KINDS) -> Path:
    """Return the path of an existing file, or raise WrongUse; `kinds` says what to give instead."""
    path = Path(name)
    if not name.strip():
        raise WrongUse(f"The name of the file is empty. {kinds}")
    if "://" in name:
        raise WrongUse(f"{name}: an address must begin with http:// or https://. {kinds}")
    if path.is_dir():
        raise WrongUse(f"{name}: this is a folder, not a file. {kinds}")
    if not path.is_file():
        raise WrongUse(f"{name}: no such file. {kinds}")
    return path


def text_in(path: Path) -> str:
    """Return the text of a file in UTF-8, UTF-16 or Windows-1252; raise WrongUse for a binary file."""
    body = path.read_bytes()
    what = foreign_format(body)
    if not what and b"\x00" in body and not body.startswith((b"\xff\xfe", b"\xfe\xff")):
        what = "a binary file"
    if what:
        raise WrongUse(f"{path}: this is {what}. Save its text as .txt or .html and add that file.")
    return decode(body)


def read_document(path: Path) -> dict[str, Any]:
    """Return a JSON document that has at least `text`; raise WrongUse otherwise."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise WrongUse(f"{path}: not readable as JSON ({error}).") from error
    if not isinstance(document, dict) or not isinstance(document.get("text"), str):
        raise WrongUse(f'{path}: a document needs a key "text" with the article\'s text.')
    return document


def day_of(path: Path, document: dict[str, Any]) -> date | None:
    """Return the publication day of a document, None if it has none; raise WrongUse if it is not an ISO date."""
    value = document.get("published")
    if not value:
        return None
    try:
        return known_day(str(value))
    except ValueError:
        raise WrongUse(
            f'{path}: "published" is {value!r}, but should be a date such as 2026-05-08 (or 2026-05, or 2026).'
        ) from None


def read_documents(paths: list[Path]) -> list[dict[str, Any]]:
    """Return the documents in these files, each with a unique `id` that can serve as a file name, and its day or None.

    Raises:
        WrongUse: an id would leave the output folder, or two documents share one.
    """
    documents: list[dict[str, Any]] = []
    taken: dict[str, Path] = {}
    for path in paths:
        document = read_document(path)
        id_ = str(document.get("id") or path.stem)
        if not _is_file_name(id_):
            raise WrongUse(
                f'{path}: "id" is {id_[:80]!r}, but the claims go into ID.json. Give an id that can be the name of a '
                f'file: without "/" or "\\", at most {_LONGEST_NAME} bytes.'
            )
        if id_ in taken:
            raise WrongUse(f'{path}: "id" is {id_!r}, as in {taken[id_]}. Give each document a different id.')
        taken[id_] = path
        documents.append({**document, "id": id_, "published": day_of(path, document)})
    return documents


def _is_file_name(name: str) -> bool:
    plain = name.isprintable() and not any(mark in name for mark in "/\\")
    return plain and name.strip(". ") != "" and len(name.encode("utf-8", "surrogatepass")) <= _LONGEST_NAME
