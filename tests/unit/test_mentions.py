"""Names are found with their ids, as used on the day, and new names are learnt from the text."""

from __future__ import annotations

from datetime import date
from functools import lru_cache

import pytest

from pipeline.lexicon.load import load_lexicon
from pipeline.nlp.entities.mentions import NameFinder, kind_of_name, unknown_names
from pipeline.nlp.parsing.paragraphs import BODY, find_paragraphs
from pipeline.nlp.parsing.parser import Language, load_language
from pipeline.records import EntityKind

DAY = date(2026, 5, 5)


@lru_cache(maxsize=1)
def finder() -> NameFinder:
    return NameFinder(load_lexicon())


@lru_cache(maxsize=1)
def language() -> Language:
    return load_language()


def names_in(text: str, day: date | None = DAY) -> list[str]:
    return [mention.name for mention in finder().find(text, day)]


def new_names_in(text: str) -> dict[str, EntityKind]:
    mentions = finder().find(text, DAY)
    passages = list(language().parse(text, [(0, len(text))], mentions))
    return {mention.name: mention.kind for mention in unknown_names(passages, finder().lexicon)}


def test_offsets_quote_the_text() -> None:
    text = "OpenAI’s deal with Google DeepMind — and NIST’s reply."
    for mention in finder().find(text, DAY):
        assert text[mention.start : mention.end].replace("’", "'") == mention.text


def test_the_longest_name_wins() -> None:
    assert names_in("Google DeepMind signed.") == ["Google DeepMind"]


def test_a_body_has_the_name_of_the_day() -> None:
    assert "U.S. AI Safety Institute" in names_in("The U.S. AI Safety Institute tests models.", date(2024, 8, 29))
    assert "Center for AI Standards and Innovation" in names_in("CAISI tests models.", date(2026, 5, 5))


def test_an_ambiguous_name_needs_a_word_near_it() -> None:
    assert "Meta" not in names_in("The meta question is another.")
    assert "Meta" in names_in("The government urges Meta to share its AI models.")


def test_a_name_inside_a_word_does_not_count() -> None:
    assert "Meta" not in names_in("Metadata about the AI models of the company.")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("He signed SB 53 into law.", "SB 53"),
        ("It rests on Executive Order 14110 of 2023.", "Executive Order 14110"),
        ("They released GPT-5.5 last week.", "GPT-5.5"),
    ],
)
def test_names_with_numbers_are_found(text: str, name: str) -> None:
    assert name in names_in(text)


def test_an_acronym_in_brackets_is_learnt() -> None:
    text = "The Office for Compute Oversight (OCO) opened in May. OCO has ten staff."
    found = [mention for mention in finder().find(text, DAY) if mention.text == "OCO"]
    assert len(found) == 2
    assert {mention.name for mention in found} == {"Office for Compute Oversight"}


def test_unknown_names_get_a_kind_from_their_words() -> None:
    assert new_names_in("The Federal Compute Agency sued Orchid Labs on Monday.") == {
        "Federal Compute Agency": EntityKind.AGENCY,
        "Orchid Labs": EntityKind.ORGANISATION,
    }


def test_a_title_makes_a_person_and_the_surname_follows() -> None:
    text = "Senator Dana Ruiz wrote to the lab. Ruiz wants answers."
    assert new_names_in(text) == {"Dana Ruiz": EntityKind.PERSON}


def test_a_company_may_be_called_by_its_first_word_later() -> None:
    found = new_names_in("In May, Bindi Labs shipped the toy. Later Bindi withdrew it.")
    assert found == {"Bindi Labs": EntityKind.ORGANISATION}


@pytest.mark.parametrize("text", ["He signed an Executive Order on Monday.", "Two Federal Agencies replied in June."])
def test_a_capitalised_common_noun_is_not_a_name(text: str) -> None:
    assert new_names_in(text) == {}


def test_an_amount_is_not_part_of_a_name() -> None:
    assert "Orchid Labs" in new_names_in("Inspectors fined Orchid Labs 40 million euros.")


def test_a_name_with_a_number_is_a_model() -> None:
    assert kind_of_name(["Heron", "4"]) is EntityKind.MODEL
    assert kind_of_name(["Section", "230"]) is not EntityKind.MODEL


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("The company signed an agreement on Monday.", BODY),
        ("Implications of the Deal", "heading"),
        ("Why is the government urging the lab to share its models?", "question"),
        ("Source: Engadget", "credit"),
        ("— an anonymous researcher", "credit"),
        ("As an affiliate, we earn on qualifying purchases.", "advertising"),
        ("A minister speaks during the chip fair in Basel, Jan. 6, 2026.", "caption"),
        ("Jane Doe | Bloomberg | Getty Images", "credit"),
        ("- Lumenar agreed to a test.", BODY),
        ("😀😀😀", "heading"),
    ],
)
def test_a_line_that_reports_nothing_is_not_body(line: str, kind: str) -> None:
    assert [paragraph.kind for paragraph in find_paragraphs(line)] == [kind]


def test_all_after_you_may_also_like_is_teaser() -> None:
    text = "One. Two.\n\nThree is here.\n\nFour is too.\n\nYou May Also Like\n\nLumenar was banned on Friday.\n"
    assert [paragraph.kind for paragraph in find_paragraphs(text)][-2:] == ["teaser", "teaser"]


def test_bullet_and_dateline_are_removed() -> None:
    for line in ("- Lumenar agreed.", "GAITHERSBURG, Md. — Lumenar agreed.", "LIÈGE, 6 September – Lumenar agreed."):
        (paragraph,) = find_paragraphs(line)
        assert line[paragraph.start : paragraph.end] == "Lumenar agreed."


def test_paragraphs_cover_a_line_of_ten_thousand_words_in_pieces() -> None:
    text = "word and word, " * 5000 + "end."
    pieces = find_paragraphs(text)
    assert max(piece.end - piece.start for piece in pieces) <= 5000
    assert "".join(text[piece.start : piece.end] for piece in pieces) == text


def test_a_name_ends_where_its_sentence_ends() -> None:
    assert "Lumen Labs" in new_names_in("It tested the app of Lumen Labs. It has not fined the company.")
    assert "J. K. Moss" in new_names_in("The agency fined J. K. Moss. These claims were denied.")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Ireland’s data protection watchdog opened an inquiry.", ["Data Protection Commission"]),
        ("The Irish regulator asked for data on Friday.", ["Data Protection Commission"]),
        ("China's cyber regulator published draft rules.", ["Cyberspace Administration of China"]),
        ("The UK competition watchdog cleared it.", ["Competition and Markets Authority"]),
        ("The Irish regulator of taxis raised fares.", []),
    ],
)
def test_a_body_is_known_by_its_country_and_what_it_watches(text: str, names: list[str]) -> None:
    assert names_in(text) == names


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("In Tokyo, the House of Representatives passed it.", "House of Representatives of Japan"),
        ("Republicans in Congress want it; the House of Representatives passed it.", "U.S. House of Representatives"),
        ("Brazilian senators met. The Senate voted.", "Federal Senate of Brazil"),
        ("The Australian plan was dropped. The federal government said so.", "Australian government"),
    ],
)
def test_a_shared_name_is_the_body_of_the_country_mentioned_near_by(text: str, name: str) -> None:
    assert name in names_in(text)


def test_a_country_that_a_text_mentions_often_decides_everywhere() -> None:
    text = "Japan Japan Japan. " + "x " * 400 + "The House of Representatives passed the bill on Tuesday."
    assert "House of Representatives of Japan" in names_in(text)


@pytest.mark.parametrize(
    "text",
    [
        "The Malaysian Communications and Multimedia Commission in Europe blocked it.",
        "The Texas Senate passed the bill with votes of Republicans.",
        "The Brazilian Congress passed the AI bill.",
    ],
)
def test_the_last_word_of_a_longer_name_is_not_the_body_with_that_short_name(text: str) -> None:
    assert not {"European Commission", "U.S. Senate", "U.S. Congress"} & set(names_in(text))


def test_a_needed_abbreviation_is_not_a_common_word() -> None:
    assert names_in("It told us that the House of Representatives met.") == []


def test_a_longer_name_is_not_the_known_company_it_ends_with() -> None:
    text = "Oxbow Cognition, an AI startup, met the FTC. On Friday the firm Oxbow said no more."
    assert "Cognition" not in names_in(text)
    assert "Oxbow Cognition" in new_names_in(text)
    assert "Cognition" not in names_in(
        "The FTC asked Halden Systems, Oxbow Cognition and two other AI startups for records."
    )
    assert "Cognition" not in names_in("The FTC wrote to AI startups. Oxbow Cognition did not sign the pledge.")
    assert "Cognition" in names_in("The FTC wrote to AI startups. Separately Cognition signed the pledge.")
    text = "The AI startup Cognition met the FTC. On Friday the firm said no more."
    assert "Cognition" in names_in(text)


def test_ai_before_the_word_model_is_not_part_of_the_name() -> None:
    assert "Heron-XL" in new_names_in("The lab gave the FTC access to its Heron-XL AI model.")


def test_an_adjective_for_a_region_is_not_a_name() -> None:
    assert "European" not in new_names_in("The lab postponed the European launch of its chatbot.")


def test_a_known_companys_legal_form_belongs_to_its_name() -> None:
    found = finder().find("The guild sued Meta Platforms Inc and Microsoft Corp. before the tribunal.", DAY)
    assert [mention.text for mention in found] == ["Meta Platforms Inc", "Microsoft Corp."]
    assert [m.text for m in finder().find("It sued Anthropic Ltd.", DAY)] == ["Anthropic Ltd"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Jakarta blocked the chatbot last week.", ["Indonesia"]),
        ("On Monday Jakarta blocked the chatbot.", ["Indonesia"]),
        ("Officials in Hanoi and Ankara agreed.", ["Vietnam", "Turkey"]),
        ("A professor at Seoul Women's University will lead it.", []),
        ("The University of Tokyo tested the model.", []),
        ("A Paris-based start-up agreed.", []),
    ],
)
def test_a_capital_stands_for_its_country_unless_it_is_part_of_a_longer_name(text: str, names: list[str]) -> None:
    assert names_in(text) == names


def test_a_title_in_the_middle_of_capitals_begins_a_persons_name() -> None:
    found = new_names_in("The council is chaired by University of Oulu Prof. Aino Lahti, a veteran of the field.")
    assert "Aino Lahti" in found


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Seoul opened the AI Safety Institute in Pangyo.", "Korea AI Safety Institute"),
        ("In Japan the AI Safety Institute tested it.", "Japan AI Safety Institute"),
        ("In Britain the AI Safety Institute tested it.", "U.K. AI Safety Institute"),
        ("Türkiye's competition watchdog opened an inquiry.", "Turkish Competition Authority"),
        ("The privacy watchdog of Italy opened an inquiry.", "Italian Data Protection Authority"),
        ("Brazil's CADE opened an inquiry.", "Administrative Council for Economic Defense"),
    ],
)
def test_authorities_of_many_countries_are_known(text: str, name: str) -> None:
    assert name in names_in(text, date(2024, 11, 27))


def test_a_family_name_in_first_place_is_recognised_by_the_description() -> None:
    found = new_names_in("Park Ha-joon, a professor of law, will lead it. Park praised the FTC.")
    assert found["Park Ha-joon"] is EntityKind.PERSON


def test_of_after_a_person_begins_another_name() -> None:
    found = new_names_in("Dana Roe of Orchid Labs met the Institute of Compute Safety.")
    assert {"Dana Roe", "Orchid Labs", "Institute of Compute Safety"} <= set(found)
