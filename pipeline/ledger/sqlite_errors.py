"""Turns errors of SQLite and the disk into StoreError: one plain sentence with the next step."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import OutsideFailure


class StoreError(OutsideFailure):
    """A file of the ledger cannot be used: corrupt, locked, disk full, no permission."""


@contextmanager
def plain_errors(path: Path | str, doing: str = "use") -> Iterator[None]:
    """Turn errors of SQLite and the disk inside the block into a StoreError on `path`."""
    try:
        yield
    except sqlite3.Error as error:
        raise StoreError(_words(Path(path), doing, error)) from error
    except OSError as error:
        place = error.filename or path
        cure = (
            "Free some space and run the command again."
            if error.errno == errno.ENOSPC
            else "Correct that and run the command again."
        )
        raise StoreError(
            f"{place}: could not {doing} it ({error.strerror or error}). {cure} and run the command again."
        ) from error


def _words(path: Path, doing: str, error: sqlite3.Error) -> str:
    said = str(error)
    if "locked" in said or "busy" in said:
        return f"{path} is locked by another process. Wait for it to end, then run the command again."
    if "full" in said:
        return f"{path}: the disk is full. Nothing was lost; free some space and run the command again."
    if "malformed" in said or "not a database" in said or "corrupt" in said:
        if path.name == "crawl.db":
            cure = "Restore it from a backup; the raw pages in archive/ are stored separately."
        else:
            cure = "Delete it and run `oversight build` and `oversight publish`: both are made from crawl.db."
        return f"{path} is damaged or not a database ({said}). {cure}"
    if "readonly" in said:
        return f"{path} cannot be written. Give this user permission to write it."
    if "unable to open" in said:
        return f"{path} cannot be opened. Check that its folder exists and that this user may use it."
    return f"{path}: could not {doing} it ({said})."
