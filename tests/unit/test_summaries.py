"""Each type and modality has one plain sentence, and a plan, a hope or a denial never reads like a fact."""

from __future__ import annotations

import itertools
import re

import pytest

from pipeline.aggregation.clustering.stages import _COMPILED, act, distinct_stage, stage_of
from pipeline.aggregation.summaries.noun_phrases import is_plural, listing, noun
from pipeline.aggregation.summaries.sentence import summarise
from pipeline.records import EVENT_TYPES, Attribution, EntityKind, Modality, Participant

P, A, L, M, G = (
    EntityKind.PERSON, EntityKind.AGENCY, EntityKind.INSTRUMENT, EntityKind.MODEL, EntityKind.GROUP,
)  # fmt: skip


def party(role: str, name: str, kind: EntityKind = EntityKind.ORGANISATION) -> Participant:
    return Participant(role, name, name, kind)


EVERYTHING = {
    "actor": party("actor", "U.S. Department of Trade", EntityKind.AGENCY),
    "target": party("target", "Meridian"),
    "object": party("object", "Lantern 2", EntityKind.MODEL),
    "instrument": party("instrument", "Harbour Act", EntityKind.INSTRUMENT),
    "body": party("body", "Review Office", EntityKind.AGENCY),
}
MARKS = {
    Modality.PLANNED: r"set to|will",
    Modality.CONSIDERED: r"consider|negotiating",
    Modality.POSTPONED: r"postponed",
    Modality.CANCELLED: r"dropped",
    Modality.NEGATED: r"(?:has|have) not",
    Modality.DENIED: r"den(?:y|ies|ied)",
    Modality.ALLEGED: r"without confirmation",
    Modality.CONDITIONAL: r"would .* under stated conditions",
}


ROLES = ((), ("actor",), ("target",), ("actor", "target"), tuple(EVERYTHING))


@pytest.mark.parametrize("modality", list(Modality))
@pytest.mark.parametrize("type_", EVENT_TYPES)
def test_every_type_and_modality_gives_one_clean_sentence(type_: str, modality: Modality) -> None:
    for roles, act_ in itertools.product(ROLES, ("", *(stage for stage, _ in _COMPILED.get(type_, ())))):
        words = summarise(type_, modality, [EVERYTHING[r] for r in roles], act=act_)
        assert re.fullmatch(r"[A-Z][^\n]*[^ ,.]\.", words), words
        assert not re.search(r"  | ,|\b(\w+) \1\b|\ba [aeio]|None|the the|an? the\b", words), words
        if modality is Modality.OCCURRED:
            assert not any(re.search(mark, words) for mark in MARKS.values()), words
        else:
            assert re.search(MARKS[modality], words), words
        if "actor" in roles and not (act_ == "in force" and "instrument" in roles):
            assert "U.S. Department of Trade" in words


@pytest.mark.parametrize(
    ("type_", "modality", "act_", "people", "expected"),
    [
        ("agreement", "negated", "signed", [party("actor", "Meridian"), party("target", "Lumen")],
         "Meridian has not signed an agreement with Lumen."),
        ("agreement", "negated", "signed", [party("actor", "Meridian"), party("actor", "Lumen")],
         "Meridian and Lumen have not signed an agreement."),
        ("executive_action", "postponed", "issued",
         [party("actor", "Ada Arden", P), party("instrument", "Executive Order 99", L)],
         "Ada Arden postponed issuing Executive Order 99."),
        ("legislation", "occurred", "signed", [party("instrument", "SB 7", L)],
         "SB 7 was signed into law."),
        ("legislation", "planned", "in force", [party("instrument", "Harbour Act", L)],
         "The Harbour Act is set to take effect."),
        ("restriction", "occurred", "banned", [party("target", "Meridian"), party("object", "Lantern 2", M)],
         "A ban on Meridian concerning Lantern 2 was imposed."),
        ("litigation", "considered", "filed", [party("actor", "Meridian"), party("target", "Ministry of Code", A)],
         "Meridian is considering filing a lawsuit against the Ministry of Code."),
        ("access_request", "occurred", "", [party("actor", "regulators", G), party("target", "Meridian"),
         party("object", "its models", G)], "Regulators asked Meridian for access to its models."),
        ("institution", "occurred", "left", [party("actor", "Ada Arden", P), party("body", "Review Office", A)],
         "Ada Arden left the Review Office."),
        ("legislation", "occurred", "in force", [party("actor", "Harbour Council"), party("instrument", "SB 7", L)],
         "SB 7 took effect."),
        ("legislation", "occurred", "passed", [party("actor", "Ada Arden", P), party("instrument", "SB 7", L)],
         "SB 7 was passed."),
        ("evaluation", "negated", "tested", [party("object", "Lantern 2", M), party("target", "Meridian")],
         "Meridian's Lantern 2 has not been tested."),
        ("restriction", "occurred", "banned", [party("actor", "Review Office", A), party("target", "Meridian"),
         party("object", "Lantern 2", M), party("affected", "federal agencies", G)],
         "The Review Office banned federal agencies from using Lantern 2."),
        ("access_grant", "negated", "", [party("actor", "Meridian"), party("target", "Review Office", A),
         party("object", "Meridian's weights", G)], "Meridian has not given the Review Office access to its weights."),
        ("access_grant", "occurred", "", [party("actor", "Lumen"), party("target", "Review Office", A),
         party("object", "Meridian's models", G)], "Lumen gave the Review Office access to an AI system."),
        ("refusal", "conditional", "", [party("actor", "Meridian"), party("object", "government pressure", G)],
         "Meridian would refuse government pressure under stated conditions."),
        ("refusal", "occurred", "", [party("actor", "Meridian"), party("target", "Review Office", A),
         party("object", "demand of the Review Office", G)], "Meridian refused a demand of the Review Office."),
        ("litigation", "occurred", "hearing", [party("actor", "Court of Harbour", A), party("target", "Meridian")],
         "The Court of Harbour heard a case against Meridian."),
        ("litigation", "occurred", "ruled", [party("actor", "Meridian"), party("target", "Review Office", A)],
         "Meridian went to court against the Review Office."),
        ("litigation", "occurred", "ruled", [party("actor", "Court of Harbour", A), party("target", "Meridian")],
         "The Court of Harbour issued a ruling against Meridian."),
        ("litigation", "cancelled", "", [party("actor", "Meridian"), party("target", "Review Office", A)],
         "Meridian dropped legal action against the Review Office."),
        ("model_release", "occurred", "", [party("actor", "Meridian"), party("object", "Lantern 2", M),
         party("affected", "vetted researchers", G)], "Meridian released Lantern 2 to vetted researchers."),
        ("model_release", "cancelled", "released", [party("actor", "Meridian"), party("object", "Lantern 2", M)],
         "Meridian dropped plans to release Lantern 2."),
    ],
)  # fmt: skip
def test_sentences_read_naturally(type_, modality, act_, people, expected) -> None:  # noqa: ANN001
    assert summarise(type_, Modality(modality), people, act=act_) == expected


def test_a_single_voice_is_named() -> None:
    people = [party("actor", "Meridian"), party("target", "Lumen")]
    beacon = [Attribution("outlet", "Beacon")] * 2
    assert summarise("refusal", Modality.OCCURRED, people, attributions=beacon) == (
        "According to Beacon, Meridian refused a request from Lumen."
    )
    own = [Attribution("organisation", "Meridian")]
    assert (
        summarise("commitment", Modality.PLANNED, people[:1], attributions=own)
        == "Meridian says it will make a commitment."
    )
    ada = [party("actor", "Ada Arden", EntityKind.PERSON)]
    word = [Attribution("person", "Ada Arden")]
    assert summarise("commitment", Modality.PLANNED, ada, attributions=word) == "Ada Arden plans to make a commitment."
    assert summarise("refusal", Modality.DENIED, people, attributions=own) == (
        "Meridian denies having refused a request from Lumen."
    )
    assert summarise("refusal", Modality.DENIED, people, attributions=[Attribution("organisation", "Lumen")]) == (
        "Lumen denies that Meridian refused a request from Lumen."
    )
    both = [*ada, party("actor", "Meridian")]
    assert summarise("agreement", Modality.DENIED, both, act="ended", attributions=word) == (
        "Ada Arden denies that an agreement was ended."
    )
    two_voices = [Attribution("outlet", "Beacon"), Attribution("outlet", "Signal")]
    assert "According" not in summarise("refusal", Modality.OCCURRED, people, attributions=two_voices)
    unnamed = summarise("refusal", Modality.ALLEGED, people, attributions=[Attribution("anonymous")])
    assert unnamed == "According to unnamed sources, but without confirmation, Meridian refused a request from Lumen."


def test_nouns_take_the_article_that_english_wants() -> None:
    cases = [
        ("OpenAI", EntityKind.ORGANISATION, "OpenAI"), ("xAI", EntityKind.ORGANISATION, "xAI"),
        ("European Commission", EntityKind.AGENCY, "the European Commission"),
        ("U.S. Congress", EntityKind.AGENCY, "the U.S. Congress"), ("SB 53", EntityKind.INSTRUMENT, "SB 53"),
        ("RAISE Act", EntityKind.INSTRUMENT, "the RAISE Act"), ("draft rule", EntityKind.INSTRUMENT, "a draft rule"),
        ("executive order on chips", EntityKind.INSTRUMENT, "an executive order on chips"),
        ("$200 million contract", EntityKind.INSTRUMENT, "a $200 million contract"),
        ("federal agencies", EntityKind.GROUP, "federal agencies"),
        ("first lab", EntityKind.GROUP, "the first lab"),
        ("American company", EntityKind.GROUP, "an American company"),
        ("U.S. vendors", EntityKind.GROUP, "U.S. vendors"),
        ("its models", EntityKind.GROUP, "its models"),
        ("EU code", EntityKind.INSTRUMENT, "EU code"), ("technology", EntityKind.GROUP, "technology"),
    ]  # fmt: skip
    assert [noun(name, kind) for name, kind, _ in cases] == [expected for *_, expected in cases]
    assert is_plural("AI developers")
    assert not is_plural("access to models")
    assert listing(["A", "B", "C", "D", "E"]) == "A, B, C and 2 others"


def test_trigger_names_its_stage() -> None:
    assert (act("legislation", "vetoed"), act("legislation", "moved on")) == ("vetoed", "")
    assert distinct_stage("agreement", "signed") == distinct_stage("agreement", "agreed")
    assert distinct_stage("litigation", "sued") != distinct_stage("litigation", "appealed")
    assert stage_of("legislation", "signed", Modality.PLANNED, None) == "planned"
    assert stage_of("restriction", "banned", Modality.OCCURRED, "lift") == "lifted"
