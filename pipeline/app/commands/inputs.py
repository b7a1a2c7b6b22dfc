"""A file that a user names comes in; the document in it goes out, or a plain word why it is none, and what to give."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

from pipeline.errors import WrongUse
from scrapers.reading.decoding import decode, foreign_format
from scrapers.reading.timestamps import known_day

KINDS = "Give a .json, .html or .txt file, or an http(s) address."
_LONGEST_NAME = 200  # bytes: with ".json" and a file system's own marks it stays under the 255 of most of them


def need_file(name: str, kinds: str = KINDS) -> Path:
    """Return the path of a file; raise WrongUse where nothing, or a folder, stands there. `kinds`: what to give."""
    path = Path(name)
    if not name.strip():
        raise WrongUse(f"The name of the file is empty. {kinds}")
    if "://" in name:
        raise WrongUse(f"{name}: addresses begin with http:// or https:// here. {kinds}")
    if path.is_dir():
        raise WrongUse(f"{name}: this is a folder, not a file. {kinds}")
    if not path.is_file():
        raise WrongUse(f"{name}: there is no such file. {kinds}")
    return path


def text_in(path: Path) -> str:
    """Return the text of a file in UTF-8, UTF-16 or Windows-1252; raise WrongUse where its bytes are no text."""
    body = path.read_bytes()
    what = foreign_format(body)
    if not what and b"\x00" in body and not body.startswith((b"\xff\xfe", b"\xfe\xff")):
        what = "a file of bytes that are no text"
    if what:
        raise WrongUse(f"{path}: this is {what}. Save its text as .txt or .html, and add that.")
    return decode(body)


def read_document(path: Path) -> dict[str, Any]:
    """Read a JSON document with at least `text`; raise WrongUse in plain words."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise WrongUse(f"{path}: this is not readable JSON ({error}).") from error
    if not isinstance(document, dict) or not isinstance(document.get("text"), str):
        raise WrongUse(f'{path}: a document needs a key "text" with the article\'s text.')
    return document


def day_of(path: Path, document: dict[str, Any]) -> date | None:
    """Return the publication day of a document, None where it is unknown; raise WrongUse where it is no ISO date."""
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
    """Return the documents in these files, each with an `id` that is a file name of its own, and its day or None.

    Raises WrongUse where an id leads out of the folder that the claims are written to, or two documents bear one.
    """
    documents: list[dict[str, Any]] = []
    taken: dict[str, Path] = {}
    for path in paths:
        document = read_document(path)
        id_ = str(document.get("id") or path.stem)
        if not _is_file_name(id_):
            raise WrongUse(
                f'{path}: "id" is {id_[:80]!r}, and ID.json is to be written: an id is the name of a file, so it needs '
                f'to be one, without "/" or "\\" and no longer than {_LONGEST_NAME} bytes.'
            )
        if id_ in taken:
            raise WrongUse(f'{path}: "id" is {id_!r}, as in {taken[id_]}. Each document needs an id of its own.')
        taken[id_] = path
        documents.append({**document, "id": id_, "published": day_of(path, document)})
    return documents


def _is_file_name(name: str) -> bool:
    plain = name.isprintable() and not any(mark in name for mark in "/\\")
    return plain and name.strip(". ") != "" and len(name.encode("utf-8", "surrogatepass")) <= _LONGEST_NAME
