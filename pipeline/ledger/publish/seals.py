"""Seals a checked snapshot (size, SHA-256, rows) in a file beside it, and checks seals.

Checking a large ledger takes many seconds. `oversight publish` does it once; a server need not repeat it for a file
that matches its seal.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from pipeline.ledger.schema import SCHEMA_VERSION

FORMAT = 1
SUFFIX = ".seal.json"


@dataclass(frozen=True, slots=True)
class Seal:
    """A snapshot when it was checked: bytes, modification time (ns since 1970), hash, rows.

    `schema_version`: of its tables; a program serves only its own version.
    """

    n_bytes: int
    changed_ns: int
    sha256: str
    schema_version: int
    rows: Mapping[str, int]  # of every table, including those of the full-text index
    format: int = FORMAT


def beside(snapshot: Path) -> Path:
    """Return the path of the seal of a snapshot."""
    return snapshot.with_name(snapshot.name + SUFFIX)


def seal(path: Path, snapshot: Path | None = None) -> Seal:
    """Seal a checked, finished ledger; `snapshot`: its future path, if another."""
    with path.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    facts = path.stat()
    made = Seal(facts.st_size, facts.st_mtime_ns, digest, SCHEMA_VERSION, rows_of(path))
    target = beside(snapshot or path)
    temporary = target.with_name(target.name + ".tmp")
    temporary.write_text(json.dumps(asdict(made)), encoding="utf-8")
    temporary.replace(target)
    return made


def rows_of(path: Path) -> dict[str, int]:
    """Return the number of rows of each table."""
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?immutable=1", uri=True)) as connection:
        tables = [name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")]
        return {name: connection.execute(f'select count(*) from "{name}"').fetchone()[0] for name in tables}


def broken(snapshot: Path) -> str:
    """Hash a snapshot and return how it differs from its seal; "" if it does not, or is not sealed."""
    try:
        sealed = Seal(**json.loads(beside(snapshot).read_text(encoding="utf-8"))).sha256
    except FileNotFoundError:
        return ""
    except (OSError, ValueError, TypeError) as error:
        return f"its seal {beside(snapshot).name} cannot be read ({error})"
    with snapshot.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    return "" if digest == sealed else f"its SHA-256 is {digest}, but was {sealed} when it was published"


def seal_of(snapshot: Path) -> Seal | None:
    """Return the seal of a snapshot; None if it has none or the file has changed."""
    try:
        found = Seal(**json.loads(beside(snapshot).read_text(encoding="utf-8")))
        facts = snapshot.stat()
    except (OSError, ValueError, TypeError):
        return None
    same = (found.n_bytes, found.changed_ns) == (facts.st_size, facts.st_mtime_ns)
    return found if same and found.format == FORMAT and isinstance(found.rows, dict) else None
