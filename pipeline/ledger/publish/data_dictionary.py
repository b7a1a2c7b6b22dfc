"""Describes each column of a ledger, with the descriptions from the metadata file.

Written as JSON, CSV, Markdown and a Frictionless data package.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pipeline.ledger.sqlite_errors import plain_errors

_DAYS = re.compile(r".*_on|date_start|date_end|(?:used|held|holds)_(?:from|until)|day")
_OFFSETS = re.compile(r"(?:.*_)?(?:start|end)")
_FRICTIONLESS = {"text": "string", "integer": "integer", "real": "number"}
_MEDIA = {"csv": "text/csv", "jsonl": "application/x-ndjson", "parquet": "application/vnd.apache.parquet"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column. `type`: text, integer or real; `key`: position in the primary key, else 0; `unit`: see unit_of."""

    table: str
    column: str
    type: str
    required: bool
    key: int
    refers_to: str  # "entities.entity_id", "" for no reference
    unit: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Described:
    """A table with its description and columns."""

    name: str
    title: str
    description: str
    columns: tuple[Column, ...]


def read_words(metadata: Path | None) -> dict[str, Any]:
    """Return datasette_metadata.json, {} for None. Raises StoreError."""
    if metadata is None:
        return {}
    with plain_errors(metadata, "read"):
        return json.loads(Path(metadata).read_text(encoding="utf-8"))


def describe(connection: sqlite3.Connection, table: str, words: Mapping[str, Any]) -> Described:
    """Return the columns of a table; descriptions missing from the metadata are empty."""
    about: Mapping[str, Any] = {}
    for database in words.get("databases", {}).values():
        about = database.get("tables", {}).get(table, about)
    meanings = about.get("columns", {})
    info = f"select name, type, \"notnull\", pk from pragma_table_info('{table}') order by cid"
    links = f'select "from", "table", "to" from pragma_foreign_key_list(\'{table}\')'
    foreign = {name: f"{other}.{column or name}" for name, other, column in connection.execute(links)}
    columns = tuple(
        Column(
            table=table,
            column=name,
            type=type_.lower(),
            required=bool(required or key),
            key=key,
            refers_to=foreign.get(name, ""),
            unit=unit_of(name, type_.lower(), meanings.get(name, "")),
            meaning=meanings.get(name, ""),
        )
        for name, type_, required, key in connection.execute(info)
    )
    return Described(table, about.get("title", table), about.get("description", ""), columns)


def unit_of(column: str, type_: str, meaning: str = "") -> str:
    """Return the unit of a column, by the naming rules of the ledger; "" for words, codes and ids."""
    if column.endswith("_at"):
        return "timestamp in UTC (ISO 8601)"
    if column.endswith("_month"):
        return "month (ISO 8601)"
    if _DAYS.fullmatch(column) and type_ == "text":
        return "day (ISO 8601)"
    if type_ == "real":
        return "probability, 0 to 1" if "confidence" in column else ""
    if type_ == "integer":
        if meaning.startswith(("1 where", "1 if")):
            return "0 or 1"
        if column == "n_characters" or _OFFSETS.fullmatch(column):
            return "characters"
        if column == "n" or column.startswith("n_"):
            return "count"
    return ""


def as_rows(tables: Sequence[Described], counts: Mapping[str, int]) -> list[dict[str, Any]]:
    """Return one flat row for each column, with the number of rows of its table."""
    return [asdict(column) | {"rows_of_table": counts[t.name]} for t in tables for column in t.columns]


def as_document(tables: Sequence[Described], counts: Mapping[str, int], about: Mapping[str, Any]) -> dict[str, Any]:
    """Return the dictionary as one JSON value; `about`: versions and hash of the ledger."""
    return {
        **about,
        "tables": [
            {
                "table": t.name,
                "title": t.title,
                "description": t.description,
                "rows": counts[t.name],
                "columns": [{k: v for k, v in asdict(c).items() if k != "table"} for c in t.columns],
            }
            for t in tables
        ],
    }


def as_markdown(tables: Sequence[Described], counts: Mapping[str, int], about: Mapping[str, Any]) -> str:
    """Return the dictionary as Markdown."""
    lines = ["# Data dictionary", ""]
    lines += [f"- {key.replace('_', ' ').capitalize()}: {value}" for key, value in about.items() if value]
    lines += [
        "",
        "Days, months and timestamps are ISO 8601, timestamps in UTC. A missing value is `null` in JSON Lines and"
        " Parquet; in CSV it is empty, as is an empty text. Offsets count Unicode characters of the article's text.",
    ]
    for t in tables:
        lines += ["", f"## {t.name}", "", f"{t.title}. {t.description}".strip(), "", f"{counts[t.name]} rows.", ""]
        lines += ["| column | type | unit | key or reference | meaning |", "|---|---|---|---|---|"]
        for c in t.columns:
            links = ", ".join(
                filter(None, (f"key {c.key}" if c.key else "", f"→ {c.refers_to}" if c.refers_to else ""))
            )
            cells = (c.column, c.type + ("" if c.required else ", may be missing"), c.unit, links, c.meaning)
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def as_datapackage(
    tables: Sequence[Described], files: Mapping[str, tuple[str, int]], format_: str, words: Mapping[str, Any],
    about: Mapping[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """Return a Frictionless data package on the files of one format; `files`: name -> (SHA-256, bytes)."""
    there = {t.name for t in tables}
    package: dict[str, Any] = {
        "name": "oversight-ledger",
        "title": words.get("title", "Oversight Ledger"),
        "profile": "tabular-data-package" if format_ == "csv" else "data-package",
        "version": str(about.get("schema_version") or ""),
        "description": words.get("description", ""),
    }
    if words.get("license"):
        package["licenses"] = [{"title": words["license"], "path": words.get("license_url", "")}]
    package["resources"] = [_resource(t, files, format_, there) for t in tables]
    return package


def _resource(t: Described, files: Mapping[str, tuple[str, int]], format_: str, there: set[str]) -> dict[str, Any]:
    path = f"{t.name}.{format_}"
    digest, size = files[path]
    schema: dict[str, Any] = {"fields": [_field(c) for c in t.columns], "missingValues": [""]}
    if keys := [c.column for c in sorted(t.columns, key=lambda c: c.key) if c.key]:
        schema["primaryKey"] = keys
    if links := list(_links(t.columns, there)):
        schema["foreignKeys"] = links
    return {
        "name": t.name.strip("_"),
        "path": path,
        "title": t.title,
        "description": t.description,
        "profile": "tabular-data-resource" if format_ == "csv" else "data-resource",
        "format": format_,
        "mediatype": _MEDIA[format_],
        "encoding": "utf-8",
        "bytes": size,
        "hash": f"sha256:{digest}",
        "schema": schema,
    }


def _field(c: Column) -> dict[str, Any]:
    days = c.unit == "day (ISO 8601)"
    field: dict[str, Any] = {
        "name": c.column,
        "type": "date" if days else _FRICTIONLESS.get(c.type, "any"),
        "description": " ".join(filter(None, (c.meaning, f"Unit: {c.unit}." if c.unit else ""))),
    }
    if c.required and c.type != "text":  # CSV cannot distinguish empty text from a missing value
        field["constraints"] = {"required": True}
    return field


def _links(columns: Iterable[Column], there: set[str]) -> Iterable[dict[str, Any]]:
    for c in columns:
        table, _, column = c.refers_to.partition(".")
        if c.refers_to and table in there:
            resource = "" if table == c.table else table
            yield {"fields": c.column, "reference": {"resource": resource, "fields": column}}
