"""Participants: countries, described parties, titles before names, releases that say "we"."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

import pytest

from pipeline.nlp.entities.unknown_names import bodies_listed_together, person_at
from pipeline.nlp.pipeline import Tools, extract, load_tools, read_text
from pipeline.records import Claim, Participant
from scrapers.reading.plain_text import plain_text

DAY = date(2026, 5, 12)


@lru_cache(maxsize=1)
def tools() -> Tools:
    return load_tools(only_relevant=False)


def read(text: str, **more: str) -> tuple[Claim, ...]:
    return extract(plain_text(text, name="one", published=DAY, **more).article, tools()).claims


def parties(text: str, role: str, type_: str = "", **more: str) -> list[Participant]:
    """Return who plays a role in the claims of a text, each once, in their order."""
    found = [p for c in read(text, **more) if type_ in ("", c.type) for p in c.participants if p.role == role]
    return list({p.entity_id: p for p in found}.values())


def names(text: str, role: str, type_: str = "", **more: str) -> list[str]:
    return [party.name for party in parties(text, role, type_, **more)]


def mentioned(text: str) -> list[str]:
    """Return the names in a text as they are understood, in order."""
    article = plain_text(text, name="one", published=DAY).article
    passages, _, referents, _ = read_text(article, tools(), DAY)
    found = [
        m.name for passage in passages for token in passage.doc for m in referents.of(token) if m.basis != "reference"
    ]
    return list(dict.fromkeys(found))


def test_a_country_acts_through_its_government_in_the_words_of_the_text() -> None:
    (actor,) = parties("Portugal, which had hesitated, has banned the chatbot Kestrel.", "actor", "restriction")
    assert (actor.name, actor.text) == ("Portuguese government", "Portugal")


def test_a_country_that_only_says_where_does_not_act() -> None:
    text = "The app store of Corvid Labs in Portugal removed the chatbot Kestrel, which was banned."
    assert "Portuguese government" not in names(text, "actor")


def test_judges_of_a_town_are_a_party_and_the_town_is_not() -> None:
    found = parties("Judges in Tallinn ordered Corvid Labs to delete the weights of its model.", "actor")
    assert [party.text for party in found] == ["Judges in Tallinn"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The regulator barred any firm that sells chips from exporting them.", "any firm that sells chips"),
        ("The ministry suspended the chatbot for users in Georgia on Monday.", "users in Georgia"),
    ],
)
def test_a_description_keeps_its_identifying_phrase(text: str, words: str) -> None:
    found = [p.text for claim in read(text) for p in claim.participants]
    assert words in found


def test_who_faces_an_act_does_not_perform_it() -> None:
    assert "Corvid Labs" not in names("Corvid Labs faces a new inquiry by the Spanish regulator AEPD.", "actor")


def test_the_actor_is_not_also_the_target() -> None:
    text = "If the provider does not comply, the Harbour Commissioner could seek civil penalties against it."
    assert "Harbour Commissioner" not in names(text, "target")


def test_founded_at_the_beginning_of_a_sentence_refers_to_the_subject() -> None:
    text = "Set up in 2023, the Corvid Institute for AI Safety employs forty engineers."
    assert "Corvid Institute for AI Safety" not in names(text, "actor", "institution")


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
def test_a_name_begins_after_its_title(words: str, name: str) -> None:
    text = f"Minister of {words} spoke." if words.startswith("Industry") else f"Then {words} spoke."
    start = text.index(words)
    assert text[person_at(text, start, start + len(words)) : start + len(words)] == name


def test_a_portfolio_before_a_name_is_not_a_party() -> None:
    text = "Minister of Science, Industry and Trade Dana Ruiz founded the Harbour AI Safety Institute."
    assert mentioned(text)[:1] == ["Dana Ruiz"]
    assert names(text, "actor") == ["Dana Ruiz"]


def test_departments_in_one_list_are_separate_bodies() -> None:
    text = "The Departments of Energy, Defense and Homeland Security will test the models of Corvid Labs."
    found = names(text, "actor", "evaluation")
    assert {"U.S. Department of Energy", "U.S. Department of Defense", "U.S. Department of Homeland Security"} <= set(
        found
    )


def test_unknown_ministries_in_one_list_are_separate_too() -> None:
    text = "The Ministries of Tides and Deep Harbours met."
    assert [text[a:b] + " = " + name for a, b, name in bodies_listed_together(text)] == [
        "Ministries of Tides = Ministry of Tides",
        "Deep Harbours = Ministry of Deep Harbours",
    ]


def test_an_office_of_the_commissioner_is_one_body() -> None:
    assert "Office of the Tidal Commissioner" in mentioned("The Office of the Tidal Commissioner fined Corvid Labs.")


def test_the_words_of_a_party_are_the_whole_name() -> None:
    text = "Norland's Harbour Commission (NHC) fined Corvid Labs 2 million euros over its chatbot."
    (actor,) = parties(text, "actor", "enforcement")
    assert actor.text == "Norland's Harbour Commission (NHC)" and text[actor.start : actor.end] == actor.text


RELEASE = "We are opening an investigation into Corvid Labs. We will fine it if we have to. Our staff will report."


@pytest.mark.parametrize(
    ("title", "text", "site", "actors"),
    [
        ("News", f"Ofcom looks after safety online.\n\n{RELEASE}", "ofcom.org.uk", ["Ofcom"]),
        ("News", f"{RELEASE}\n\nSOURCE Ofcom", "wire.example", ["Ofcom"]),
        ("Ofcom opens an inquiry", RELEASE, "wire.example", ["Ofcom"]),
        ("A letter on Ofcom", RELEASE, "wire.example", []),
    ],
)
def test_we_in_a_release_is_the_issuing_body(title: str, text: str, site: str, actors: list[str]) -> None:
    assert names(text, "actor", "investigation", title=title, publisher=site) == actors


def test_a_single_we_of_an_outlet_is_not_the_body_in_the_headline() -> None:
    text = "The agency has opened an investigation. It does not say why, and we have asked for the file."
    assert names(text, "actor", "access_request", title="Ofcom opens an inquiry", publisher="wire.example") == []


INSTITUTES = (
    "The U.S. AI Safety Institute and the U.K. AI Safety Institute met in Tallinn in November 2024. "
    "Corvid Labs came too.\n\n"
)


def stands_for(text: str, word: str) -> list[str]:
    article = plain_text(text, name="one", published=date(2024, 11, 25)).article
    passages, _, referents, _ = read_text(article, tools(), date(2024, 11, 25))
    token = [token for passage in passages for token in passage.doc if token.lower_ == word][-1]
    return [mention.name for mention in referents.of(token)]


def test_a_body_described_by_its_country_is_that_countrys() -> None:
    assert stands_for(INSTITUTES + "The British institute tested the model Kite.", "institute") == [
        "U.K. AI Safety Institute"
    ]
    both = stands_for(INSTITUTES + "The U.S. and U.K. institutes tested the model Kite.", "institutes")
    assert both == ["U.S. AI Safety Institute", "U.K. AI Safety Institute"]


def test_an_unnamed_body_of_a_country_is_not_another_countrys() -> None:
    assert stands_for(INSTITUTES + "The Kenyan institute tested the model Kite.", "institute") != [
        "U.K. AI Safety Institute"
    ]


def test_it_is_the_speaking_body_even_without_a_name() -> None:
    assert stands_for("Corvid Labs met the press. A coastal watchdog said that it has opened a file.", "it") == [
        "coastal watchdog"
    ]


def test_officials_from_several_countries_act_for_their_governments() -> None:
    text = "Officials from Portugal, Greece and Kazakhstan founded the Tidal Institute for AI Safety."
    wanted = {"Portuguese government", "Greek government", "Kazakh government"}
    assert wanted <= set(names(text, "actor", "institution"))


def test_the_other_side_of_a_deal_may_precede_it() -> None:
    text = "Under a deal with the Commerce Department, Corvid Labs agreed to let its model Kite be tested."
    assert names(text, "actor", "agreement") == ["Corvid Labs", "U.S. Department of Commerce"]


@pytest.mark.parametrize(
    "text",
    [
        "Ofcom has opened a formal inquiry into Corvid Labs over its chatbot.",
        "The ministry secured voluntary commitments from Corvid Labs on the safety of its chatbot.",
    ],
)
def test_an_event_is_not_its_own_instrument(text: str) -> None:
    assert not [n for n in names(text, "instrument") if n in ("formal inquiry", "voluntary commitments")]


def test_against_it_is_not_the_actor() -> None:
    text = "Corvid Labs met the press on Monday. The Harbour Commission sought civil penalties against it."
    assert stands_for(text, "it") == ["Corvid Labs"]


def test_a_companys_head_named_beside_it_takes_part_too() -> None:
    found = names("Nevada sued Orchid Labs and its chief executive, Dana Roe, on Monday over its AI model.", "target")
    assert found == ["Orchid Labs", "Dana Roe"]
