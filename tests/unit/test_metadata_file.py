"""datasette_metadata.json describes every published table and column, and nothing else."""

from __future__ import annotations

import json
import re

import pytest
import sqlite_utils

from pipeline.ledger.schema import published
from pipeline.site.app import metadata_file
from pipeline.site.plugins.filters import PARTY_ARGUMENTS, facet_names
from pipeline.site.text.labels import COLUMN_WORDS


@pytest.fixture(scope="module")
def metadata() -> dict:
    return json.loads(metadata_file().read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def columns() -> dict[str, list[str]]:
    db = sqlite_utils.Database(memory=True)
    published.apply(db)
    return {name: [c.name for c in db[name].columns] for name in db.table_names() if "_fts" not in name}


def test_exactly_the_tables_of_the_schema_are_described(metadata, columns):
    assert set(metadata["databases"]["oversight"]["tables"]) == set(columns)


def test_every_column_is_described_in_schema_order(metadata, columns):
    tables = metadata["databases"]["oversight"]["tables"]
    for name, wanted in columns.items():
        assert list(tables[name]["columns"]) == wanted, name


def test_descriptions_are_sentences(metadata):
    for name, table in metadata["databases"]["oversight"]["tables"].items():
        assert table["title"] and table["description"].endswith("."), name
        for column, words in table["columns"].items():
            assert words.endswith(".") and len(words) > 9, f"{name}.{column}: {words}"


def test_facets_sorts_and_labels_name_existing_columns(metadata, columns):
    for name, table in metadata["databases"]["oversight"]["tables"].items():
        for facet in facet_names(table.get("facets", [])):
            assert facet in columns[name] or f"_{facet}" in PARTY_ARGUMENTS, f"{name}: facet {facet}"
        for key in ("sort", "sort_desc", "label_column"):
            assert table.get(key, columns[name][0]) in columns[name], f"{name}: {key}"


def test_the_site_is_described(metadata):
    assert metadata["title"] == "Oversight Ledger"
    assert metadata["license"] and metadata["license_url"].startswith("https://")
    assert metadata["description"].endswith(".")


def test_every_saved_query_has_a_parameter_and_says_how_to_read_it(metadata):
    questions = metadata["databases"]["oversight"]["queries"]
    assert len(questions) >= 3
    for name, question in questions.items():
        assert question["title"].endswith("?"), name
        assert "How to read it:" in question["description"], name
        assert re.search(r":[a-z]+", question["sql"]), name


def test_every_code_of_the_records_has_a_label():
    from pipeline.records import ATTRIBUTION_KINDS, EVENT_TYPES, ROLES, EntityKind, Force, Modality
    from pipeline.site.text.labels import ATTRIBUTIONS, FAMILIES, KINDS
    from scrapers.items import Outcome, SourceType

    assert set(COLUMN_WORDS["type"]) == set(EVENT_TYPES) == {kind for kinds in FAMILIES.values() for kind in kinds}
    assert set(COLUMN_WORDS["modality"]) == set(Modality)
    assert set(COLUMN_WORDS["role"]) == set(ROLES)
    assert set(COLUMN_WORDS["force"]) == set(Force)
    assert set(COLUMN_WORDS["source_type"]) == {*SourceType, "unknown"}  # of a publisher without a card
    assert set(COLUMN_WORDS["outcome"]) == set(Outcome)
    assert set(KINDS) == set(EntityKind)
    assert set(ATTRIBUTIONS) == set(ATTRIBUTION_KINDS)


def test_column_descriptions_list_the_stored_codes(metadata):
    from pipeline.aggregation.contradictions.find import FIELDS
    from pipeline.records import Modality
    from pipeline.site.text.labels import (
        BUILD_INFO,
        DIRECTIONS,
        FORCES,
        MATTER_WORDS,
        ROLES,
        SOURCE_TYPES,
        UPCOMING_KINDS,
        UPCOMING_OUTCOMES,
    )

    codes = {
        ("events", "modality"): Modality,
        ("timeline_entries", "modality"): Modality,
        ("events", "direction"): DIRECTIONS,
        ("events", "force"): FORCES,
        ("events", "closest_source_type"): SOURCE_TYPES,
        ("event_participants", "role"): ROLES,
        ("contradictions", "field"): [field for field in FIELDS if field != "happened"],
        ("timeline_entries", "matter"): MATTER_WORDS,
        ("upcoming", "kind"): UPCOMING_KINDS,
        ("upcoming", "fate"): UPCOMING_OUTCOMES,
        ("build_info", "key"): BUILD_INFO,
    }
    for (table, column), known in codes.items():
        words = metadata["databases"]["oversight"]["tables"][table]["columns"][column]
        assert not [code for code in known if not re.search(rf"\b{code}\b", words)], f"{table}.{column}"
