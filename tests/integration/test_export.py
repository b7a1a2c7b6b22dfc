"""Exports: the same values in each format, every column in the dictionary, and no foreign folder overwritten."""

from __future__ import annotations

import csv
import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.errors import WRONG_USE, WrongUse
from pipeline.ledger.publish.data_dictionary import unit_of
from pipeline.ledger.publish.export import export
from pipeline.ledger.schema import SCHEMA_VERSION
from pipeline.ledger.sqlite_errors import StoreError
from pipeline.site.app import metadata_file

ROOT = Path(__file__).resolve().parents[2]


def snapshot(demo: Path) -> Path:
    return demo / "published" / "current"


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def exported(demo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export") / "tables"
    export(snapshot(demo), folder, metadata=metadata_file(), formats=("csv", "jsonl", "parquet"))
    return folder


def test_all_formats_hold_the_same_values(demo: Path, exported: Path) -> None:
    import pyarrow.parquet

    with closing(sqlite3.connect(snapshot(demo))) as db:
        tables = [row[0] for row in db.execute("select distinct table_name from facet_counts")] + ["claim_participants"]
    for table in tables:
        lines = [json.loads(line) for line in (exported / f"{table}.jsonl").read_text().splitlines()]
        assert lines and pyarrow.parquet.read_table(exported / f"{table}.parquet").to_pylist() == lines
        with (exported / f"{table}.csv").open(encoding="utf-8", newline="") as handle:
            written = list(csv.DictReader(handle))
        assert written == [{k: "" if v is None else str(v) for k, v in line.items()} for line in lines]


def test_the_dictionary_describes_every_column_of_every_table(exported: Path) -> None:
    document = json.loads((exported / "data_dictionary.json").read_text())
    assert document["schema_version"] == SCHEMA_VERSION and len(document["data_sha256"]) == 64
    text = (exported / "data_dictionary.md").read_text()
    for table in document["tables"]:
        with (exported / f"{table['table']}.csv").open(newline="") as handle:
            rows = list(csv.reader(handle))
        assert rows[0] == [column["column"] for column in table["columns"]]
        assert len(rows) - 1 == table["rows"]
        assert table["title"] and table["description"], table["table"]
        for column in table["columns"]:
            assert column["meaning"].endswith("."), (table["table"], column["column"])
            assert f"| {column['column']} | {column['type']}" in text
    with (exported / "data_dictionary.csv").open(newline="") as handle:
        flat = list(csv.DictReader(handle))
    assert len(flat) == sum(len(table["columns"]) for table in document["tables"])
    links = {(row["table"], row["column"]): row["refers_to"] for row in flat}
    assert links["claims", "event_id"] == "events.event_id"


def test_the_data_package_names_files_hashes_keys_and_references_that_hold(exported: Path) -> None:
    import hashlib

    package = json.loads((exported / "datapackage.json").read_text())
    resources = {resource["name"]: resource for resource in package["resources"]}
    for resource in resources.values():
        body = (exported / resource["path"]).read_bytes()
        assert resource["hash"] == f"sha256:{hashlib.sha256(body).hexdigest()}" and resource["bytes"] == len(body)
    assert resources["events"]["schema"]["primaryKey"] == ["event_id"]
    assert resources["event_participants"]["schema"]["primaryKey"] == ["event_id", "entity_id", "role"]
    for name, resource in resources.items():
        for link in resource["schema"].get("foreignKeys", ()):
            other = resources[link["reference"]["resource"] or name]
            fields = {field["name"] for field in other["schema"]["fields"]}
            assert link["reference"]["fields"] in fields


def test_a_second_export_has_the_same_bytes_and_replaces_the_first(demo: Path, exported: Path, tmp_path: Path) -> None:
    folder = tmp_path / "tables"
    formats = ("csv", "jsonl", "parquet")
    for _ in range(2):
        report = export(snapshot(demo), folder, metadata=metadata_file(), formats=formats)
    assert bytes_of(folder) == bytes_of(exported)
    assert [path.name for path in tmp_path.iterdir()] == ["tables"]
    smaller = export(snapshot(demo), folder, formats=["jsonl"], tables=["events", "build_info"])
    assert {"events.jsonl", "build_info.jsonl"} == {n for n in bytes_of(folder) if n.endswith((".jsonl", ".csv.gz"))}
    assert smaller.data_sha256 != report.data_sha256
    assert set(json.loads((folder / "manifest.json").read_text())["rows"]) == {"events", "build_info"}


def test_the_hash_of_the_data_does_not_depend_on_the_format(demo: Path, tmp_path: Path) -> None:
    hashes = {export(snapshot(demo), tmp_path / f, formats=[f]).data_sha256 for f in ("csv", "jsonl", "parquet")}
    assert len(hashes) == 1


def test_a_folder_of_somebody_elses_is_left_alone(demo: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").write_text("years of work")
    with pytest.raises(WrongUse, match=r"holds thesis\.docx, which is not part of an export"):
        export(snapshot(demo), tmp_path)
    mine = tmp_path / "mine"
    export(snapshot(demo), mine, tables=["build_info"])
    (mine / "notes.txt").write_text("mine")
    before = bytes_of(mine)
    with pytest.raises(WrongUse, match=r"holds notes\.txt"):
        export(snapshot(demo), mine)
    assert bytes_of(mine) == before
    with pytest.raises(WrongUse, match="is a file"):
        export(snapshot(demo), mine / "notes.txt")


def test_a_failing_export_leaves_the_former_one_and_nothing_half_written(
    demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "tables"
    export(snapshot(demo), folder, tables=["build_info"])
    before = bytes_of(folder)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pipeline.ledger.publish.export._describe_files", full)
    with pytest.raises(StoreError, match="Free some space"):
        export(snapshot(demo), folder)
    assert bytes_of(folder) == before and [p.name for p in tmp_path.iterdir()] == ["tables"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"tables": ["event"]}, "There is no table 'event'. The tables are articles, article_versions"),
        ({"tables": ["_sqlite_migrations"]}, "There is no table '_sqlite_migrations'"),
        ({"formats": ["xls"]}, "There is no format 'xls'. The formats are csv, jsonl, parquet."),
    ],
)
def test_an_unknown_table_or_format_is_named(demo: Path, tmp_path: Path, words: dict, said: str) -> None:
    with pytest.raises(WrongUse) as caught:
        export(snapshot(demo), tmp_path / "tables", **words)
    assert said.split(" The tables are")[0] in str(caught.value)
    assert not (tmp_path / "tables").exists()


def test_without_pyarrow_parquet_is_refused_plainly(demo: Path, tmp_path: Path) -> None:
    script = (
        "import sys; sys.modules['pyarrow'] = None; from pipeline.cli import main; "
        f"sys.argv = ['oversight', '--data', {str(demo)!r}, 'export', '--format', 'parquet', '--out', "
        f"{str(tmp_path / 'tables')!r}]; main()"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == WRONG_USE and "pip install -e '.[parquet]'" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1 and not (tmp_path / "tables").exists()


@pytest.mark.parametrize(
    ("column", "type_", "meaning", "unit"),
    [
        ("fetched_at", "text", "", "timestamp in UTC (ISO 8601)"),
        ("published_on", "text", "", "day (ISO 8601)"),
        ("used_until", "text", "", "day (ISO 8601)"),
        ("event_month", "text", "", "month (ISO 8601)"),
        ("n_claims", "integer", "", "count"),
        ("quote_start", "integer", "", "characters"),
        ("confidence", "real", "", "probability, 0 to 1"),
        ("contradicted", "integer", "1 where reports disagree, otherwise 0.", "0 or 1"),
        ("summary", "text", "", ""),
    ],
)
def test_a_column_says_what_it_counts_in(column: str, type_: str, meaning: str, unit: str) -> None:
    assert unit_of(column, type_, meaning) == unit
