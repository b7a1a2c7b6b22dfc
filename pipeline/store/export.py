"""A published ledger as plain files: the database comes in; CSV, JSON Lines, a data dictionary and hashes go out.

The order of rows and columns is fixed, so the same ledger gives the same bytes.
"""

from __future__ import annotations

import csv
import hashlib
import json
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.store.errors import plain_errors
from pipeline.store.publish import check

FORMATS = ("csv", "jsonl")


@dataclass(frozen=True, slots=True)
class ExportReport:
    """The files written, with their SHA-256, and the rows by table."""

    folder: Path
    files: Mapping[str, str]
    counts: Mapping[str, int]


def export(
    database: Path, folder: Path, *, metadata: Path | None = None, formats: Iterable[str] = FORMATS
) -> ExportReport:
    """Write every table of `database` into `folder`, and `dictionary.json`, `dictionary.csv` and `manifest.json`.

    `metadata`: datasette_metadata.json with the words for tables and columns. Raises StoreError.
    """
    database, folder = Path(database), Path(folder)
    counts = check(database.resolve())
    words = _words(metadata)
    with plain_errors(folder, "write"):
        folder.mkdir(parents=True, exist_ok=True)
    files: dict[str, str] = {}
    dictionary: list[dict[str, Any]] = []
    with (
        plain_errors(database, "export"),
        closing(sqlite3.connect(f"file:{database.resolve()}?mode=ro", uri=True)) as connection,
    ):
        for table in sorted(counts):
            columns = _columns(connection, table)
            dictionary += [{"table": table, **c, "meaning": words.get((table, c["column"]), "")} for c in columns]
            names = [column["column"] for column in columns]
            keys = {c["column"]: c["key"] for c in columns}
            order = ", ".join(sorted(names, key=lambda n: (not keys[n], keys[n], names.index(n))))
            sql = f"select {', '.join(names)} from {table} order by {order}"
            for format_ in formats:
                path = folder / f"{table}.{format_}"
                _WRITERS[format_](path, names, connection.execute(sql))
                files[path.name] = _sha256(path)
        version = connection.execute("select value from facts where key = 'schema_version'").fetchone()
        facts = dict(connection.execute("select key, value from facts order by key"))
        _write_json(folder / "dictionary.json", dictionary)
        _write_csv(folder / "dictionary.csv", list(dictionary[0]), (row.values() for row in dictionary))
        for name in ("dictionary.csv", "dictionary.json"):
            files[name] = _sha256(folder / name)
        _write_json(
            folder / "manifest.json",
            {
                "schema_version": int(version[0]) if version else None,
                "program_version": facts.get("program_version", ""),
                "rows": dict(sorted(counts.items())),
                "sha256": dict(sorted(files.items())),
            },
        )
    return ExportReport(folder, files, counts)


def _columns(connection: sqlite3.Connection, table: str) -> list[dict[str, Any]]:
    info = f"select name, type, \"notnull\", pk from pragma_table_info('{table}') order by cid"
    links = f'select "from", "table", "to" from pragma_foreign_key_list(\'{table}\')'
    foreign = {name: f"{other}.{column}" for name, other, column in connection.execute(links)}
    return [
        {
            "column": name,
            "type": type_.lower(),
            "required": bool(required),
            "key": pk,
            "refers_to": foreign.get(name, ""),
        }
        for name, type_, required, pk in connection.execute(info)
    ]


def _words(metadata: Path | None) -> dict[tuple[str, str], str]:
    """Return the words for each (table, column) of the Datasette metadata."""
    if metadata is None:
        return {}
    with plain_errors(metadata, "read"):
        described = json.loads(Path(metadata).read_text(encoding="utf-8"))
    return {
        (table, column): words
        for database in described.get("databases", {}).values()
        for table, about in database.get("tables", {}).items()
        for column, words in about.get("columns", {}).items()
    }


def _write_csv(path: Path, names: list[str], rows: Iterable[Iterable[Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(rows)


def _write_jsonl(path: Path, names: list[str], rows: Iterable[Iterable[Any]]) -> None:
    with path.open("w", encoding="utf-8") as handle:
        for row in rows:
            handle.write(json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False) + "\n")


_WRITERS = {"csv": _write_csv, "jsonl": _write_jsonl}


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
