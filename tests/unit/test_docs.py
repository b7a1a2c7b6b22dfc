"""Checks the documentation against the code: links, paths, make targets, examples, tables and columns."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import click
import pytest
from sqlite_utils import Database

from pipeline.cli import oversight
from pipeline.ledger.schema import published
from pipeline.lexicon.load import load_lexicon
from pipeline.records import ATTRIBUTION_KINDS, EVENT_TYPES, ROLES
from pipeline.settings import Settings
from pipeline.site.text.labels import MODALITIES

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
LONGEST_README = 150  # lines


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_linked_and_named_file_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = {page.parent / link for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)}
    named = {ROOT / path for path in re.findall(r"`((?:docs|scrapers|pipeline|tests|requirements)/[\w./-]*)`", text)}
    assert sorted(str(path) for path in links | named if not path.exists()) == []


def test_the_readme_is_short() -> None:
    assert len(text_of("README.md").splitlines()) <= LONGEST_README


def test_every_make_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([\w-]+):", text_of("Makefile"), flags=re.M))
    named = {name for page in PAGES for name in re.findall(r"(?:`|^ +)make ([\w-]+)", page.read_text(), flags=re.M)}
    assert {"demo", "test"} <= named
    assert named - targets == set()


def test_the_example_card_in_contributing_is_the_one_in_docs() -> None:
    assert text_of("docs/example_card.toml") in text_of("CONTRIBUTING.md")


def test_the_example_names_in_contributing_load(tmp_path: Path) -> None:
    (example,) = [
        block
        for block in re.findall(r"```toml\n(.*?)```", text_of("CONTRIBUTING.md"), flags=re.S)
        if "[[entity]]" in block
    ]
    file = tmp_path / "names.toml"
    file.write_text(example, encoding="utf-8")
    lexicon = load_lexicon(file)
    for entity in tomllib.loads(example)["entity"]:
        assert entity["id"] in lexicon.entities


def test_the_data_model_names_every_published_table_and_only_real_columns() -> None:
    db = Database(memory=True)
    published.apply(db)
    text = text_of("docs/data-model.md")
    columns = {
        table: set(db[table].columns_dict)
        for table in db.table_names()
        if "_fts" not in table and not table.startswith("_") and not table.startswith("sqlite_")
    }
    assert [table for table in columns if f"`{table}`" not in text] == []
    drawn = re.findall(r"^    (\w+) \{\n(.*?)^    \}", text, flags=re.S | re.M)
    assert len(drawn) >= 8
    for table, body in drawn:
        assert set(re.findall(r"^ +\w+ (\w+)", body, flags=re.M)) <= columns[table], table


def commands_in(page: Path) -> list[str]:
    """Return every `oversight ...` in the code of a page. A line in front of it may have times for cron."""
    text = page.read_text(encoding="utf-8")
    inline = [" ".join(code.split()) for code in re.findall(r"(?<!`)`(oversight [^`]+)`(?!`)", text)]
    indented = re.findall(r"^ {4}[\d *]*(oversight [^#|&\n]+)", text, flags=re.M)
    return [*inline, *indented]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_and_option_exists(page: Path) -> None:
    unknown = []
    for line in commands_in(page):
        words = line.split()[1:]
        if words[0] == "--data":
            words = words[2:]
        command: click.Command = oversight
        context = click.Context(command)
        while words and isinstance(command, click.Group) and (words[0] in command.list_commands(context)):
            found = command.get_command(context, words.pop(0))
            assert found is not None, line
            command = found
        options = {name for parameter in command.params for name in parameter.opts}
        if command is oversight or {word for word in words if word.startswith("--")} - options:
            unknown.append(line)
    assert unknown == []


def test_the_definition_of_a_claim_names_every_type_role_modality_and_attribution() -> None:
    text = text_of("docs/claims.md")
    assert [code for code in (*EVENT_TYPES, *ROLES, *ATTRIBUTION_KINDS) if f"`{code}`" not in text] == []
    shown = dict(re.findall(r"^\| `(\w+)` \| [^|]+ \| ([^|]+) \|$", text.partition("## Modality")[2], flags=re.M))
    assert shown == {code: words.badge for code, words in MODALITIES.items()}


def test_every_setting_is_documented() -> None:
    text = text_of("docs/operating.md")
    assert [name for name in Settings.model_fields if f"`{name}`" not in text and f"[[{name}]]" not in text] == []
