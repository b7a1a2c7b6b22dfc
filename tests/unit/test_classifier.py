"""The event model at run time: windows of whole sentences, and reading with the shipped weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.nlp.classifier.runtime import MODALITIES, POINTERS, WEIGHTS, EventModel
from pipeline.nlp.classifier.windows import (
    CLOSE,
    MAX_AFTER,
    MAX_BEFORE,
    MAX_SENTENCE,
    MAX_TITLE,
    MAX_TOKENS,
    OPEN,
    OTHER,
    OWN,
    TITLE,
    Packer,
    Window,
)
from pipeline.records import EVENT_TYPES

BARRED = "The Pentagon on Friday barred Halden Systems from new contracts."
LARGEST_FILE, LARGEST_SUM = 90e6, 120e6  # bytes; usual forges refuse files over 100 MB


@pytest.fixture(scope="module")
def packer() -> Packer:
    return Packer(WEIGHTS / "tokenizer.json")


def numbers(windows: Sequence[Window]) -> list[int]:
    return [place.sentence for window in windows for place in window.places]


def words_of(window: Window, segment: int) -> list[int]:
    return [each for each, kind in zip(window.ids, window.segments, strict=True) if kind == segment and each != CLOSE]


@settings(max_examples=30)
@given(title=st.text(max_size=200), sentences=st.lists(st.text(max_size=800), max_size=40))
def test_every_sentence_is_own_in_exactly_one_window(packer, title, sentences):
    windows = packer.pack(title, sentences)
    assert numbers(windows) == list(range(len(sentences)))
    for window in windows:
        assert len(window.ids) == len(window.segments) <= MAX_TOKENS
        assert window.ids[0] == OPEN
        assert len(words_of(window, TITLE)) <= MAX_TITLE
        for place in window.places:
            inside = slice(place.first, place.first + len(place.offsets))
            assert set(window.segments[inside]) <= {OWN}
            assert window.ids[place.first + len(place.offsets)] == CLOSE


def test_tokens_of_a_place_mark_the_words_of_its_sentence(packer):
    (window,) = packer.pack("Contracts", ["It declined to comment.", BARRED])
    place = window.places[1]
    words = [BARRED[start:end] for start, end in place.offsets]
    assert words[:5] == ["The", "Pentagon", "on", "Friday", "barred"]


def test_a_long_article_has_several_windows_with_context_on_both_sides(packer):
    sentences = [f"Sentence {n} says that a regulator met a company on day {n}." for n in range(80)]
    windows = packer.pack("A title", sentences)
    assert len(windows) > 2
    lengths = [len(window.ids) for window in windows]
    assert max(lengths) < 2 * min(lengths)
    for window in windows[1:-1]:
        context = words_of(window, OTHER)
        assert 0 < len(context) <= MAX_BEFORE + MAX_AFTER
        assert words_of(window, TITLE) == words_of(windows[0], TITLE)


def test_an_article_without_sentences_has_no_window(packer):
    assert packer.pack("", []) == packer.pack("A title alone", []) == []
    (window,) = packer.pack("", [""])
    assert window.places[0].offsets == ()


def test_of_a_huge_sentence_the_beginning_is_read(packer):
    windows = packer.pack("title " * 500, [BARRED, "word " * 5000, BARRED])
    assert numbers(windows) == [0, 1, 2]
    assert max(len(place.offsets) for window in windows for place in window.places) == MAX_SENTENCE
    assert max(len(window.ids) for window in windows) <= MAX_TOKENS


@pytest.fixture(scope="module")
def model() -> EventModel:
    return EventModel.load()


def test_weights_without_a_file_name_it(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"encoder\.onnx"):
        EventModel.load(tmp_path)


def test_shipped_weights_are_small_and_match_the_types_of_the_records(model):
    sizes = [path.stat().st_size for path in WEIGHTS.iterdir()]
    assert max(sizes) < LARGEST_FILE
    assert sum(sizes) < LARGEST_SUM
    assert model.card["types"] == list(EVENT_TYPES)
    assert model.card["modalities"] == list(MODALITIES)


def test_a_plain_order_is_read_with_its_parties_and_its_day(model):
    (event,) = [each for each in model.read("Pentagon bars Halden", [BARRED]) if each.score > 0.5]
    assert (event.type, BARRED[event.start : event.end]) == ("restriction", "barred")
    assert MODALITIES[int(event.modality.argmax())] == "occurred"
    assert event.lift < 0.5
    words = {each.what: BARRED[each.start : each.end] for each in event.spans}
    assert words["target"] == "Halden Systems"
    assert words["actor"].endswith("Pentagon")
    assert words["time"].endswith("Friday")


def test_any_text_is_read_and_offsets_lie_in_its_sentences(model):
    odd = ["", "🤖" * 500, "\x00\x01", "word " * 3000, BARRED, "ＡＩ　barred it.", "\u202ebarred\u202c"]
    reading = model.read("🤖", odd)
    assert any(each.sentence == odd.index(BARRED) for each in reading)
    for each in reading:
        assert 0 <= each.start < each.end <= len(odd[each.sentence])
        assert np.isclose(np.linalg.norm(each.vector), 1, atol=1e-3)
        for span in each.spans:
            assert span.what in POINTERS
            assert 0 <= span.start < span.end <= len(odd[span.sentence])


def test_nothing_is_read_in_nothing(model):
    assert model.read("", []) == ()


def test_an_article_is_read_alike_after_others(model):
    first = model.read("Title", [BARRED])
    model.read("Other", ["Something else happened."] * 50)
    again = model.read("Title", [BARRED])
    assert [each.score for each in first] == [each.score for each in again]


def test_weights_are_loaded_from_the_package():
    assert Path(__file__).parents[2] / "pipeline/nlp/classifier/weights" == WEIGHTS
