"""The pipeline works as spaCy pipelines do: factories, config, saving and loading, displaCy, the page in the docs."""

from __future__ import annotations

import re
import tomllib
from importlib import import_module
from pathlib import Path

import pytest
import spacy
from spacy.language import Language
from support.builders import article
from support.nlp_tools import load_once

from pipeline.nlp.pipeline import doc_of

ROOT = Path(__file__).resolve().parents[2]
FACTORIES = {
    "paragraphs": "oversight_paragraphs",
    "names": "oversight_names",
    "coreference": "oversight_coreference",
    "events": "oversight_events",
    "claims": "oversight_claims",
}
TEXT = "The Federal Trade Commission fined Halden on Friday over the chatbot's data practices.\n\nHalden will appeal."


def read(nlp: Language) -> tuple:
    """Return the claims, names and triggers of an article."""
    doc = nlp(doc_of(article("courier", "fine", TEXT), nlp))
    spans = [(s.start_char, s.end_char, s.label_, s.kb_id_) for key in ("mentions", "triggers") for s in doc.spans[key]]
    return doc._.claims, spans


def test_the_config_names_the_factories() -> None:
    nlp = load_once()
    assert {name: nlp.config["components"][name]["factory"] for name in FACTORIES} == FACTORIES
    assert [name for name in nlp.pipe_names if name in FACTORIES] == list(FACTORIES)


def test_a_pipeline_is_rebuilt_from_its_config() -> None:
    rebuilt = spacy.util.load_model_from_config(load_once().config)
    assert rebuilt.pipe_names == load_once().pipe_names
    assert rebuilt.get_pipe("claims").always


def test_a_saved_pipeline_reads_what_the_first_one_read(tmp_path: Path) -> None:
    load_once().to_disk(tmp_path / "saved")
    claims, spans = read(load_once())
    assert claims and spans
    assert read(spacy.load(tmp_path / "saved")) == (claims, spans)


def test_the_entry_points_are_the_factories() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    points = project["entry-points"]["spacy_factories"]
    assert set(points) == set(FACTORIES.values())
    for name, place in points.items():
        module, _, attribute = place.partition(":")
        found = getattr(import_module(module), attribute)
        assert Language.has_factory(name) and found.__module__ == module


def test_the_page_on_spacy_runs_as_written(capsys: pytest.CaptureFixture[str]) -> None:
    page = (ROOT / "docs" / "spacy.md").read_text(encoding="utf-8")
    names: dict = {}
    for example in re.findall(r"```python\n(.*?)```", page, flags=re.S):
        exec(compile(example, "docs/spacy.md", "exec"), names)
    printed = capsys.readouterr().out
    assert "Federal Trade Commission agency federal-trade-commission" in printed
    assert "fined enforcement" in printed
    assert "Kobalt Labs" in names["html"] and names["html"].count("spans") >= 2
    listed = re.findall(r"^\| `(\w+)` \| `(\w+)` \|", page.partition("## Components")[2], flags=re.M)
    assert dict(listed) == FACTORIES
