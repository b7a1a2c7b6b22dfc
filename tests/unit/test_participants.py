"""Names of people behind their titles, and several bodies named together."""

from __future__ import annotations

from datetime import date

import pytest
from support.readings import read_by_rules

from pipeline.nlp.entities.unknown_names import bodies_listed_together, person_at
from pipeline.nlp.events.participants import Participants
from scrapers.reading.plain_text import plain_text

DAY = date(2026, 5, 12)


def mentioned(text: str) -> list[str]:
    """Return the names of the parties in a text, in order."""
    article = plain_text(text, name="one", published=DAY).article
    reading = read_by_rules(article)
    tokens = [token for passage in reading.passages for token in passage.doc]
    found = [m.name for token in tokens for m in reading.referents.of(token) if m.basis != "reference"]
    return list(dict.fromkeys(found))


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("Assistant Technology Minister Dana Ruiz", "Dana Ruiz"),
        ("Industry and Trade Dana Ruiz", "Dana Ruiz"),
        ("Technology Minister", "Technology Minister"),
        ("Harbour Institute", "Harbour Institute"),
        ("Federal Trade Commission", "Federal Trade Commission"),
    ],
)
def test_name_begins_after_its_title(words: str, name: str) -> None:
    text = f"Minister of {words} spoke." if words.startswith("Industry") else f"Then {words} spoke."
    start = text.index(words)
    assert text[person_at(text, start, start + len(words)) : start + len(words)] == name


def test_portfolio_before_a_name_is_not_a_party() -> None:
    text = "Minister of Science, Industry and Trade Dana Ruiz founded the Harbour AI Safety Institute."
    assert mentioned(text)[:1] == ["Dana Ruiz"]


def test_unlisted_ministries_named_together_are_separated() -> None:
    text = "The Ministries of Tides and Deep Harbours met."
    assert [text[a:b] + " = " + name for a, b, name in bodies_listed_together(text)] == [
        "Ministries of Tides = Ministry of Tides",
        "Deep Harbours = Ministry of Deep Harbours",
    ]


def test_office_of_someone_is_one_body() -> None:
    assert "Office of the Tidal Commissioner" in mentioned("The Office of the Tidal Commissioner fined Corvid Labs.")


def test_the_president_of_a_tribunal_is_nobody_else() -> None:
    named = "It applies unless the president of the tribunal decides otherwise by Friday."
    reading = read_by_rules(plain_text(named, name="one", published=DAY).article)
    (token,) = [token for passage in reading.passages for token in passage.doc if token.text == "president"]
    assert reading.referents.of(token) == ()


def test_an_unresolved_pronoun_is_no_participant() -> None:
    reading = read_by_rules(plain_text("It was introduced in November.", name="one", published=DAY).article)
    (passage,) = reading.passages
    assert Participants(reading.referents).of_span("instrument", passage.doc[0:1], passage) == []
