"""Event type cards: examples give the stated claim, near-misses give none, and faulty cards are refused."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from support.nlp_tools import load_once

from pipeline.lexicon.event_type_cards import EventTypeError, load_event_types, read_card
from pipeline.nlp.pipeline import extract
from pipeline.records import EVENT_TYPES, Claim
from scrapers.items import Article, text_version

CARDS = load_event_types().types
EXAMPLES = [(card.type, example) for card in CARDS.values() for example in card.examples]
NEAR_MISSES = [(card.type, miss.text, miss.because) for card in CARDS.values() for miss in card.near_misses]


def claims_in(text: str) -> tuple[Claim, ...]:
    published = datetime(2026, 5, 5, tzinfo=UTC)
    article = Article("a1", text_version(text), "test", "https://example.org/1", "Title", text, published_at=published)
    return extract(article, load_once(classifier=False)).claims


def test_there_is_a_card_for_each_type_and_no_other() -> None:
    assert set(CARDS) == set(EVENT_TYPES)


@pytest.mark.parametrize("type_", EVENT_TYPES)
def test_a_card_shows_at_least_six_examples_and_four_near_misses(type_: str) -> None:
    assert len(CARDS[type_].examples) >= 6
    assert len(CARDS[type_].near_misses) >= 4


@pytest.mark.parametrize(("type_", "example"), EXAMPLES, ids=[f"{type_}: {e.text[:60]}" for type_, e in EXAMPLES])
def test_an_example_is_found_as_its_card_says(type_: str, example) -> None:
    found = [claim for claim in claims_in(example.text) if claim.type == example.type]
    assert found, "no claim of this type"
    claim = found[0]
    assert claim.modality == example.modality
    assert claim.direction == example.direction
    for role, names in example.roles.items():
        said = {p.name for p in claim.participants if p.role == role} | {
            p.text for p in claim.participants if p.role == role
        }
        assert set(names) <= said, f"{role}: {said}"


@pytest.mark.parametrize(("type_", "text", "because"), NEAR_MISSES, ids=[f"{n[0]}: {n[1][:60]}" for n in NEAR_MISSES])
def test_a_near_miss_gives_no_claim_of_its_type(type_: str, text: str, because: str) -> None:
    assert not [claim.trigger for claim in claims_in(text) if claim.type == type_], because


def test_a_claim_quotes_its_text_and_its_trigger(tmp_path) -> None:
    for _, example in EXAMPLES:
        for claim in claims_in(example.text):
            assert example.text[claim.evidence.start : claim.evidence.end] == claim.evidence.quote
            assert example.text[claim.trigger_start : claim.trigger_end] == claim.trigger


BASE = 'type = "refusal"\nlabel = "R"\ndefinition = "D"\n'
FRAME = '[[frame]]\nid = "f"\nverbs = ["refuse"]\nslots = ["subject -> actor: party !"]\n'


@pytest.mark.parametrize(
    ("card", "said"),
    [
        (BASE + "colour = 1\n" + FRAME, "unknown key 'colour'"),
        (BASE, "has no [[frame]]"),
        (BASE.replace("refusal", "party") + FRAME, "type is 'party'"),
        (BASE + FRAME.replace("-> actor", "-> hero"), "there is no role 'hero'"),
        (BASE + FRAME.replace(": party", ": elf"), "there is no kind 'elf'"),
        (BASE + FRAME.replace("subject ->", "Subject! ->"), "there is no position"),
        (BASE + FRAME.replace('verbs = ["refuse"]', 'verbs = ["@asks"]'), "there is no list '@asks'"),
        (BASE + FRAME.replace('verbs = ["refuse"]\n', ""), "neither verbs nor nouns"),
        (BASE + FRAME + 'modality = "sure"\n', "modality is 'sure'"),
        (BASE + FRAME + 'direction = "up"\n', "direction is 'up'"),
        (BASE + FRAME + '[[example]]\ntext = "x"\nhero = "y"\n', "unknown key 'hero'"),
        ("type = \n", "is not TOML"),
    ],
)
def test_a_faulty_card_is_refused_with_file_and_remedy(tmp_path, card: str, said: str) -> None:
    path = tmp_path / "refusal.toml"
    path.write_text(card)
    with pytest.raises(EventTypeError, match="refusal.toml") as caught:
        read_card(path)
    assert said in str(caught.value)


def test_a_new_event_type_is_one_more_card(tmp_path) -> None:
    path = tmp_path / "refusal.toml"
    path.write_text(BASE + FRAME)
    event_types = load_event_types(tmp_path)
    assert [cue.frame.frame_id for cue in event_types.cues["refused"]] == ["f"]


def test_two_cards_of_one_type_are_refused(tmp_path) -> None:
    for name in ("one.toml", "two.toml"):
        (tmp_path / name).write_text(BASE + FRAME)
    with pytest.raises(EventTypeError, match="another card of type"):
        load_event_types(tmp_path)


def test_an_empty_folder_is_refused(tmp_path) -> None:
    with pytest.raises(EventTypeError, match="holds no cards"):
        load_event_types(tmp_path)


def test_every_verb_form_of_the_cards_has_a_test_in_the_parser_helpers() -> None:
    from pipeline.lexicon.event_type_cards import VERB_FORMS
    from pipeline.nlp.parsing.verb_forms import FORMS

    assert tuple(FORMS) == VERB_FORMS
