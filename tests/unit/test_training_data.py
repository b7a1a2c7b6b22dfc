"""Labels of training windows: triggers, pointers, attributes and batches."""

from __future__ import annotations

import random
from datetime import date

import pytest

from pipeline.nlp.classifier.runtime import BASES, MODALITIES, POINTERS, WEIGHTS
from pipeline.nlp.classifier.windows import MAX_TOKENS, Packer
from pipeline.nlp.training.corpus import Example, read_note
from pipeline.nlp.training.data import (
    IGNORED,
    LabelledTrigger,
    LabelledWindow,
    batches,
    label,
    labelled_documents,
)
from pipeline.records import ATTRIBUTION_KINDS, EVENT_TYPES

ANNOUNCED = "Secretary Ana Roe announced the plan on May 5, 2026."
BARRED = "The Pentagon has barred Halden Systems from contracts, Roe said; Halden Systems objected."
CLAIM = (
    "restriction occurred impose new | has barred | actor=The Pentagon | target=Halden Systems | "
    "date=2026-05-05 stated | by=person: Ana Roe | force=binding"
)


@pytest.fixture(scope="module")
def packer() -> Packer:
    return Packer(WEIGHTS / "tokenizer.json")


def example(sentence: str, *claims: str, source: str = "story") -> Example:
    notes = tuple(read_note(claim, sentence) for claim in claims)
    return Example(sentence, "", notes, source, source, published=date(2026, 5, 8), title="Halden barred")


def words(window: LabelledWindow, packer: Packer, sentences: list[Example], tokens: tuple[int, ...]) -> list[str]:
    """Return the characters of each token of an own sentence."""
    (packed,) = packer.pack(sentences[0].title, [each.sentence for each in sentences])
    assert packed.ids == window.ids
    found = []
    for token in tokens:
        (place,) = [p for p in packed.places if p.first <= token < p.first + len(p.offsets)]
        start, end = place.offsets[token - place.first]
        found.append(sentences[place.sentence].sentence[start:end])
    return found


def only_trigger(packer: Packer, sentences: list[Example]) -> tuple[LabelledWindow, LabelledTrigger]:
    (window,) = label(packer, sentences)
    (trigger,) = window.triggers
    return window, trigger


def test_a_trigger_is_its_first_content_word_and_its_other_words_are_not_asked(packer):
    story = [example(ANNOUNCED), example(BARRED, CLAIM)]
    window, trigger = only_trigger(packer, story)
    assert words(window, packer, story, (trigger.token,)) == ["barred"]
    assert words(window, packer, story, trigger.others) == ["has"]
    assert (trigger.type, trigger.sentence, trigger.optional) == (EVENT_TYPES.index("restriction"), 1, False)


def test_attributes_are_numbered_as_the_model_answers_them(packer):
    _, trigger = only_trigger(packer, [example(ANNOUNCED), example(BARRED, CLAIM)])
    modality, newness, direction, force, attribution, basis = trigger.attributes
    assert MODALITIES[modality] == "occurred"
    assert (newness, direction, force) == (0, 0, 0)
    assert ATTRIBUTION_KINDS[attribution] == "person"
    assert BASES[basis] == "stated"


def test_only_restrictions_have_a_direction(packer):
    claim = "agreement planned background | sign | actor=Halden | date=none | by=own_reporting"
    _, trigger = only_trigger(packer, [example("Halden will sign the code.", claim)])
    assert trigger.attributes[1:3] == (1, IGNORED)
    assert BASES[trigger.attributes[-1]] == "none"


def test_pointers_mark_participants_speaker_and_time_expression(packer):
    story = [example(ANNOUNCED), example(BARRED, CLAIM)]
    window, trigger = only_trigger(packer, story)
    pointed = dict(zip(POINTERS, trigger.pointers, strict=True))
    assert words(window, packer, story, pointed["actor"]) == ["The", "Pentagon"]
    target = words(window, packer, story, pointed["target"])
    assert "".join(target) == "HaldenSystems"
    assert max(pointed["target"]) < trigger.token + 8  # the mention near the trigger, not the later one
    assert words(window, packer, story, pointed["speaker"]) == ["Roe"]
    assert "".join(words(window, packer, story, pointed["time"])) == "May5,2026"  # in the sentence before
    assert pointed["object"] == ()


def test_a_date_of_publication_has_no_time_expression(packer):
    claim = CLAIM.replace("2026-05-05 stated", "2026-05-08 publication")
    _, trigger = only_trigger(packer, [example(ANNOUNCED), example(BARRED, claim)])
    assert trigger.pointers[POINTERS.index("time")] == ()
    assert BASES[trigger.attributes[-1]] == "publication"


def test_a_speaker_of_an_earlier_sentence_is_pointed_to_there(packer):
    claim = CLAIM.replace("has barred", "barred")
    story = [example(ANNOUNCED), example("The Pentagon barred Halden Systems.", claim)]
    window, trigger = only_trigger(packer, story)
    assert words(window, packer, story, trigger.pointers[POINTERS.index("speaker")]) == ["Ana", "Roe"]


def test_a_trigger_beyond_the_tokens_that_are_read_is_left_out(packer):
    (window,) = label(packer, [example("word " * 400 + BARRED, CLAIM)])
    assert window.triggers == ()


def test_documents_keep_their_sentences(packer):
    found = labelled_documents(packer, [example(ANNOUNCED), example(BARRED, CLAIM), example(ANNOUNCED, source="other")])
    assert {name: [len(window.own) for window in own] for name, own in found.items()} == {"story": [2], "other": [1]}


def test_batches_use_every_window_once_within_their_size(packer):
    documents = [
        label(packer, [example(f"{ANNOUNCED} {n}", source=f"s{n}") for _ in range(1 + 7 * n)]) for n in range(12)
    ]
    made = batches(documents, 3, random.Random(1))
    ids = sorted(id(window) for batch in made for window in batch)
    assert ids == sorted(id(window) for own in documents for window in own)
    for batch in made:
        assert len(batch) * max(len(window.ids) for window in batch) <= 3 * MAX_TOKENS
    again = batches(documents, 3, random.Random(1))
    assert [[id(window) for window in batch] for batch in again] == [[id(w) for w in batch] for batch in made]
    assert batches([], 3, random.Random(1)) == []
