"""Names in a text: offsets, acronyms, kinds, and paragraphs of odd shape."""

from __future__ import annotations

from datetime import date

from support.nlp_tools import load_once
from support.readings import read_by_rules

from pipeline.nlp.entities.mentions import kind_of_name
from pipeline.nlp.parsing.paragraphs import find_paragraphs
from pipeline.records import EntityKind
from scrapers.reading.plain_text import plain_text

DAY = date(2026, 5, 5)


def names_in(text: str, day: date | None = DAY) -> list[str]:
    return [mention.name for mention in load_once().get_pipe("names").find(text, day)]


def new_names_in(text: str) -> dict[str, EntityKind]:
    article = plain_text(text, name="one", published=DAY).article
    return {mention.name: mention.kind for mention in read_by_rules(article).unknown}


def test_offsets_quote_the_text() -> None:
    text = "OpenAI’s deal with Google DeepMind — and NIST’s reply."
    for mention in load_once().get_pipe("names").find(text, DAY):
        assert text[mention.start : mention.end].replace("’", "'") == mention.text


def test_acronym_in_brackets_is_learnt() -> None:
    text = "The Office for Compute Oversight (OCO) opened in May. OCO has ten staff."
    found = [mention for mention in load_once().get_pipe("names").find(text, DAY) if mention.text == "OCO"]
    assert len(found) == 2
    assert {mention.name for mention in found} == {"Office for Compute Oversight"}


def test_name_with_a_number_is_a_model() -> None:
    assert kind_of_name(["Heron", "4"]) is EntityKind.MODEL
    assert kind_of_name(["Section", "230"]) is not EntityKind.MODEL


def test_everything_after_you_may_also_like_is_a_teaser() -> None:
    text = "One. Two.\n\nThree is here.\n\nFour is too.\n\nYou May Also Like\n\nLumenar was banned on Friday.\n"
    assert [paragraph.kind for paragraph in find_paragraphs(text)][-2:] == ["teaser", "teaser"]


def test_very_long_line_is_split_into_paragraphs_without_loss() -> None:
    text = "word and word, " * 5000 + "end."
    pieces = find_paragraphs(text)
    assert max(piece.end - piece.start for piece in pieces) <= 5000
    assert "".join(text[piece.start : piece.end] for piece in pieces) == text


def test_frequent_country_of_a_text_decides_far_from_its_name() -> None:
    text = "Japan Japan Japan. " + "x " * 400 + "The House of Representatives passed the bill on Tuesday."
    assert "House of Representatives of Japan" in names_in(text)
