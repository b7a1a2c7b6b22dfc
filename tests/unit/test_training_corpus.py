"""The training corpus: its format, its checks, and annotated documents as examples."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from support.paths import SHARED

from pipeline.nlp.training.corpus import FOLDER, data_hash, read_annotated, read_corpus, read_note, split_sentences
from pipeline.nlp.training.corpus_check import check, counts, main
from pipeline.records import EVENT_TYPES

HEADING = "# story: one\n# event-group: halden\n# register: wire    region: US    published: 2026-05-08\n# title: No\n"
BARRED = "The Pentagon on Friday barred Halden Systems from new contracts."
CLAIM = (
    "> restriction occurred impose new | barred | actor=The Pentagon -> U.S. Department of Defense | "
    "target=Halden Systems | date=2026-05-08 relative | by=own_reporting | force=binding"
)


def _corpus(folder: Path, text: str, name: str = "a.txt") -> Path:
    (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_a_story_is_read_with_its_claims_and_contexts(tmp_path):
    reading = read_corpus(_corpus(tmp_path, f"{HEADING}! KEY POINTS\n{BARRED}\n{CLAIM}\n\nIt declined to comment.\n"))
    assert reading.faults == []
    first, second = reading.examples
    assert (first.group, first.source, first.register, first.region) == ("halden", "one", "wire", "US")
    (note,) = first.notes
    assert (note.type, note.direction, note.newness, note.force) == ("restriction", "impose", "new", "binding")
    assert first.sentence[note.start : note.end] == note.trigger == "barred"
    assert [(role.role, role.text, role.name) for role in note.roles] == [
        ("actor", "The Pentagon", "U.S. Department of Defense"),
        ("target", "Halden Systems", "Halden Systems"),
    ]
    assert (second.previous, second.notes) == (BARRED, ())


def test_one_file_may_hold_several_stories(tmp_path):
    other = HEADING.replace("one", "two")
    reading = read_corpus(_corpus(tmp_path, f"{HEADING}{BARRED}\n{other}It went on.\n"))
    assert [(each.source, each.previous) for each in reading.examples] == [("one", ""), ("two", "")]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("restriction occurred new | barred | actor=Halden Systems | date=none | by=anonymous", "needs impose or lift"),
        ("ban occurred new | barred | actor=Halden Systems | date=none | by=anonymous", "Unknown type 'ban'"),
        ("refusal done new | barred | actor=Halden Systems | date=none | by=anonymous", "Unknown modality 'done'"),
        ("refusal occurred | barred | actor=Halden Systems | date=none | by=anonymous", "should read"),
        ("refusal occurred new | forbade | actor=Halden Systems | date=none | by=anonymous", "is not in the sentence"),
        ("refusal occurred new | bar | actor=Halden Systems | date=none | by=anonymous", "is not in the sentence"),
        ("refusal occurred new | barred | actor=it -> Halden | date=none | by=anonymous", "'it' of actor"),
        ("refusal occurred new | barred | date=none | by=anonymous", "at least one participant"),
        ("refusal occurred new | barred | actor=Halden Systems | by=anonymous", "needs 'date='"),
        ("refusal occurred new | barred | actor=Halden Systems | date=May | by=anonymous", "date is 'May'"),
        ("refusal occurred new | barred | actor=Halden Systems | date=2026-02-30 stated | by=anonymous", "date is"),
        ("refusal occurred new | barred | actor=Halden Systems | date=none | by=gossip", "by is 'gossip'"),
        (
            "refusal occurred new | barred | actor=Halden Systems | date=none | by=anonymous | force=hard",
            "Unknown force",
        ),
        ("refusal occurred new | barred | speaker=X | date=none | by=anonymous", "Unknown key 'speaker'"),
    ],
)
def test_a_faulty_claim_line_is_explained(line, words):
    with pytest.raises(ValueError, match=words.replace("(", r"\(")):
        read_note(line, BARRED)


def test_a_trigger_can_be_any_occurrence_of_its_words():
    note = read_note(
        "agreement occurred new | signed#2 | actor=X | date=none | by=anonymous", "It signed, then X signed."
    )
    assert note.start == 18


def test_the_check_names_file_and_line(tmp_path, capsys):
    text = f"{HEADING.replace('wire', 'rumour')}{BARRED}\n> nonsense\n"
    assert main([str(_corpus(tmp_path, text))]) == 1
    printed = capsys.readouterr().out
    assert "a.txt:5: Unknown register 'rumour'" in printed
    assert "a.txt:6: A claim line needs a description" in printed


def test_near_duplicate_sentences_are_rejected(tmp_path):
    near = BARRED.replace("contracts.", "contracts!")
    text = f"{HEADING}{BARRED}\n{near}\nYes, sir.\nYes, sir.\n"
    _, faults = check(_corpus(tmp_path, text))
    assert [str(each) for each in faults] == ["a.txt:6: This sentence nearly repeats a.txt:5. Write another one."]


def test_story_names_must_be_unique(tmp_path):
    _corpus(tmp_path, f"{HEADING}{BARRED}\n")
    _, faults = check(_corpus(tmp_path, f"{HEADING}It went on.\n", "b.txt"))
    assert "already exists at a.txt:5" in str(faults[0])


def test_the_packaged_corpus_has_every_type_and_more_sentences_without_claims():
    reading = read_corpus(FOLDER)
    types = Counter(note.type for each in reading.examples for note in each.notes)
    assert set(types) == set(EVENT_TYPES)
    assert "claims by type: " in counts(reading.examples)


def test_the_data_hash_changes_with_any_word(tmp_path):
    first = read_corpus(_corpus(tmp_path, f"{HEADING}{BARRED}\n{CLAIM}\n")).examples
    second = read_corpus(_corpus(tmp_path, f"{HEADING}{BARRED}\n{CLAIM.replace('binding', 'voluntary')}\n")).examples
    assert data_hash(first) != data_hash(second)
    assert data_hash(first) == data_hash(list(first))


def test_sentences_are_split_at_their_ends_and_not_at_abbreviations():
    text = 'Sen. Roe signed the U.S. pact. "It is law," she said. Then\nA new line'
    assert [text[a:b] for a, b in split_sentences(text)] == [
        "Sen. Roe signed the U.S. pact.",
        '"It is law," she said.',
        "Then",
        "A new line",
    ]


def _documents(folder: Path) -> tuple[Path, Path]:
    texts, claims = folder / "texts", folder / "claims"
    for each in (texts, claims):
        each.mkdir()

    def write(name: str, text: str, quote: str, trigger: str, event: str, mention: str) -> None:
        (texts / name).write_text(json.dumps({"text": text}))
        claim = {
            "quote": quote, "trigger": trigger, "type": "agreement", "modality": "occurred", "mention": mention,
            "attribution": {"kind": "own_reporting", "name": None}, "date": None, "event": event,
            "participants": [{"role": "actor", "name": "X", "text": "X"}],
        }  # fmt: skip
        (claims / name).write_text(json.dumps({"claims": [claim], "published": "2026-05-08", "ignore": ["Buy mugs."]}))

    write("a.json", "X signed. Buy mugs. Y sang.", "X signed.", "signed", "e1", "new")
    write("b.json", "On Friday X signed.", "On Friday X signed.", "signed", "e1", "new")
    write("c.json", "X had signed.", "X had signed.", "signed", "e1", "background")
    return texts, claims


def test_annotated_documents_become_examples_grouped_by_news(tmp_path):
    examples = read_annotated(*_documents(tmp_path))
    assert [(each.sentence, len(each.notes), each.group) for each in examples] == [
        ("X signed.", 1, "a"),
        ("Y sang.", 0, "a"),
        ("On Friday X signed.", 1, "a"),
        ("X had signed.", 1, "c"),
    ]
    assert examples[1].previous == "X signed."


def test_every_claim_of_the_annotated_documents_becomes_a_note_with_its_trigger_in_place():
    if not (SHARED / "gold/dev").is_dir():
        pytest.skip("the annotated documents are not on this machine")
    examples = read_annotated(SHARED / "gold/dev/texts", SHARED / "gold/dev/claims")
    notes = [(each, note) for each in examples for note in each.notes]
    files = (SHARED / "gold/dev/claims").glob("*.json")
    assert len(notes) == sum(len(json.loads(file.read_text())["claims"]) for file in files)
    assert all(each.sentence[note.start : note.end] == note.trigger for each, note in notes)
