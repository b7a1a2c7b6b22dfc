"""Exports a published ledger as CSV, JSON Lines or Parquet, with a data dictionary.

The order of rows and columns is fixed, so the same ledger gives the same bytes (Parquet: with the same pyarrow). Files
are written to a temporary folder that then takes the final name, so an export is complete or absent.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from pipeline.errors import WrongUse
from pipeline.ledger.publish import data_dictionary
from pipeline.ledger.publish.data_dictionary import Described
from pipeline.ledger.publish.publish import check
from pipeline.ledger.sqlite_errors import plain_errors

_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # beginnings of a formula
FORMATS = ("csv", "jsonl", "parquet")
DEFAULT_FORMATS = ("csv", "jsonl")
MANIFEST = "manifest.json"
_BATCH = 20_000  # rows held in memory at a time


@dataclass(frozen=True, slots=True)
class ExportReport:
    """The files written with their SHA-256, the rows by table, and the SHA-256 of all values."""

    folder: Path
    files: Mapping[str, str]
    counts: Mapping[str, int]
    data_sha256: str


def export(
    database: Path,
    folder: Path,
    *,
    metadata: Path | None = None,
    formats: Iterable[str] = DEFAULT_FORMATS,
    tables: Iterable[str] = (),
) -> ExportReport:
    """Write tables of `database` into `folder`, with their dictionary and `manifest.json`.

    A former export in `folder` is replaced. `metadata`: datasette_metadata.json, with the descriptions.

    Raises:
        StoreError: The database cannot be read or the files cannot be written.
        WrongUse: Unknown table or format, no pyarrow, or a folder with other files.
    """
    database, folder = Path(database), Path(folder).absolute()
    counts = check(database.resolve())
    names = _chosen(tables, counts)
    formats = tuple(dict.fromkeys(formats)) or DEFAULT_FORMATS
    _can_write(formats)
    _refuse_other_folder(folder)
    words = data_dictionary.read_words(metadata)
    with (
        plain_errors(folder, "write"),
        _in_one_step(folder) as place,
        plain_errors(database, "export"),
        closing(sqlite3.connect(f"file:{database.resolve()}?mode=ro", uri=True)) as connection,
    ):
        described = [data_dictionary.describe(connection, table, words) for table in names]
        hashes = {t.name: _write_table(connection, t, place, formats) for t in described}
        facts = (
            dict(connection.execute("select key, value from build_info order by key")) if "build_info" in counts else {}
        )
        counts = {name: counts[name] for name in names}
        about = {
            "schema_version": int(facts["schema_version"]) if facts.get("schema_version") else None,
            "program_version": facts.get("program_version", ""),
            "data_sha256": _digest(hashes),
        }
        files = _describe_files(place, described, counts, about, formats, words)
        _write_json(place / MANIFEST, about | {"rows": counts, "rows_sha256": hashes, "sha256": files})
    return ExportReport(folder, files, counts, about["data_sha256"])


def _chosen(tables: Iterable[str], counts: Mapping[str, int]) -> list[str]:
    wanted = list(dict.fromkeys(tables)) or list(counts)
    if unknown := [name for name in wanted if name not in counts]:
        raise WrongUse(f"There is no table '{unknown[0]}'. The tables are {', '.join(sorted(counts))}.")
    return sorted(wanted)


def _can_write(formats: Sequence[str]) -> None:
    if unknown := [name for name in formats if name not in FORMATS]:
        raise WrongUse(f"There is no format '{unknown[0]}'. The formats are {', '.join(FORMATS)}.")
    if "parquet" in formats:
        try:
            import pyarrow.parquet  # noqa: F401 - optional: only whoever asks for Parquet needs it
        except ImportError:
            raise WrongUse(
                "Parquet needs the package pyarrow, which is not installed here. "
                "Run `pip install -e '.[parquet]'`, or export csv or jsonl."
            ) from None


def _refuse_other_folder(folder: Path) -> None:
    """Refuse a folder that holds anything but a former export, so that nothing else is overwritten."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise WrongUse(f"{folder} is a file. Name a new folder or an older export.")
    there = {path.name for path in folder.iterdir()}
    if not there:
        return
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        ours = {MANIFEST, *manifest["sha256"]} if "rows" in manifest else set()
    except (OSError, ValueError, KeyError, TypeError):
        ours = set()
    if foreign := sorted(there - ours):
        raise WrongUse(
            f"{folder} holds {foreign[0]}, which is not part of an export, so nothing was written. "
            "Name a new folder or an older export."
        )


@contextmanager
def _in_one_step(folder: Path) -> Iterator[Path]:
    """Yield a new folder; if the block succeeds it replaces `folder`, else it is removed."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    place = folder.parent / f".{folder.name}.{os.getpid()}.part"
    former = folder.parent / f".{folder.name}.{os.getpid()}.former"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    try:
        yield place
        if folder.exists():
            os.replace(folder, former)
        os.replace(place, folder)
        shutil.rmtree(former, ignore_errors=True)
    finally:
        if former.exists() and not folder.exists():
            os.replace(former, folder)
        shutil.rmtree(place, ignore_errors=True)


class _Writer(Protocol):
    def write(self, rows: Sequence[Sequence[Any]], lines: bytes) -> None:
        """Write a batch of rows; `lines`: the same as JSON lines, computed once for the hash and the file."""

    def close(self) -> None: ...


def defused(value: Any) -> Any:
    """Return a value for CSV: a text that a spreadsheet would run as a formula gets an apostrophe before it."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


class _Csv:
    def __init__(self, path: Path, table: Described) -> None:
        self._handle = path.open("w", encoding="utf-8", newline="")
        self._csv = csv.writer(self._handle, lineterminator="\n")
        self._csv.writerow([c.column for c in table.columns])

    def write(self, rows: Sequence[Sequence[Any]], lines: bytes) -> None:
        self._csv.writerows([[defused(value) for value in row] for row in rows])

    def close(self) -> None:
        self._handle.close()


class _Jsonl:
    def __init__(self, path: Path, table: Described) -> None:
        self._handle = path.open("wb")

    def write(self, rows: Sequence[Sequence[Any]], lines: bytes) -> None:
        self._handle.write(lines)

    def close(self) -> None:
        self._handle.close()


class _Parquet:
    """Text as string, integers as int64, reals as double; dates stay ISO text."""

    def __init__(self, path: Path, table: Described) -> None:
        import pyarrow
        import pyarrow.parquet

        self._arrow = pyarrow
        types = {"text": pyarrow.string(), "integer": pyarrow.int64(), "real": pyarrow.float64()}
        fields = [
            pyarrow.field(c.column, types[c.type], not c.required, {"description": c.meaning, "unit": c.unit})
            for c in table.columns
        ]
        self._schema = pyarrow.schema(fields, {"title": table.title, "description": table.description})
        self._file = pyarrow.parquet.ParquetWriter(path, self._schema, compression="zstd")

    def write(self, rows: Sequence[Sequence[Any]], lines: bytes) -> None:
        columns = list(zip(*rows, strict=True))
        arrays = [self._arrow.array(values, f.type) for values, f in zip(columns, self._schema, strict=True)]
        self._file.write_table(self._arrow.Table.from_arrays(arrays, schema=self._schema))

    def close(self) -> None:
        self._file.close()


_WRITERS: dict[str, Callable[[Path, Described], _Writer]] = {"csv": _Csv, "jsonl": _Jsonl, "parquet": _Parquet}


def _write_table(connection: sqlite3.Connection, table: Described, place: Path, formats: Sequence[str]) -> str:
    """Write one table in each format in one pass; return the SHA-256 of its JSON lines."""
    names = [c.column for c in table.columns]
    by_key = sorted(table.columns, key=lambda c: (not c.key, c.key))
    listed, order = (", ".join(f'"{n}"' for n in some) for some in (names, [c.column for c in by_key]))
    cursor = connection.execute(f'select {listed} from "{table.name}" order by {order}')
    digest = hashlib.sha256()
    writers: list[_Writer] = []
    try:
        for format_ in formats:
            writers.append(_WRITERS[format_](place / f"{table.name}.{format_}", table))
        while rows := cursor.fetchmany(_BATCH):
            lines = "".join(json.dumps(dict(zip(names, r, strict=True)), ensure_ascii=False) + "\n" for r in rows)
            digest.update(lines.encode())
            for writer in writers:
                writer.write(rows, lines.encode())
    finally:
        for writer in writers:
            writer.close()
    return digest.hexdigest()


def _describe_files(
    place: Path,
    described: Sequence[Described],
    counts: Mapping[str, int],
    about: Mapping[str, Any],
    formats: Sequence[str],
    words: Mapping[str, Any],
) -> dict[str, str]:
    """Write the dictionary and the data package; return the SHA-256 of every file."""
    rows = data_dictionary.as_rows(described, counts)
    _write_json(place / "data_dictionary.json", data_dictionary.as_document(described, counts, about))
    (place / "data_dictionary.csv").write_text(_csv_text(rows), encoding="utf-8", newline="")
    (place / "data_dictionary.md").write_text(data_dictionary.as_markdown(described, counts, about), encoding="utf-8")
    files = {path.name: (_sha256(path), path.stat().st_size) for path in sorted(place.iterdir())}
    package = data_dictionary.as_datapackage(described, files, formats[0], words, about)
    _write_json(place / "datapackage.json", package)
    return {path.name: _sha256(path) for path in sorted(place.iterdir())}


def _csv_text(rows: Sequence[Mapping[str, Any]]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(rows[0])
    writer.writerows(row.values() for row in rows)
    return out.getvalue()


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _digest(hashes: Mapping[str, str]) -> str:
    lines = "".join(f"{name} {digest}\n" for name, digest in sorted(hashes.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
