"""How sure a sentence is of its event."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

import pytest

from pipeline.lexicon.inflection import noun_forms, verb_forms
from pipeline.nlp.pipeline import Tools, extract, load_tools
from scrapers.items import Article, text_version


@lru_cache(maxsize=1)
def tools() -> Tools:
    return load_tools(classifier=False, only_relevant=False)


@pytest.mark.parametrize(
    "text",
    [
        "The AI app returns when the agency lifts its ban.",
        "Sales of the AI app resume as soon as the agency lifts the ban.",
        "The agency lifts its ban on the AI app once the lab complies.",
    ],
)
def test_what_waits_for_something_else_has_not_happened(text: str) -> None:
    assert modality(text, "restriction") == "conditional"


@pytest.mark.parametrize(
    ("text", "type_", "expected"),
    [
        ("The agency nearly fined the AI lab.", "enforcement", "negated"),
        ("Nearly a year later, the agency fined the AI lab.", "enforcement", "occurred"),
        ("Almost all the states fined the AI lab.", "enforcement", "occurred"),
        ("Under the proposal, the agency bans AI chatbots in schools.", "restriction", "conditional"),
        ("In the film, the government bans the AI model.", "restriction", "conditional"),
        ("In a mock trial, the agency banned the AI app.", "restriction", "conditional"),
        ("Rather than ban the AI app, the agency sent a letter.", "restriction", "negated"),
        ("The agency sent a letter rather than ban the AI app.", "restriction", "negated"),
        ("An investigation into the AI lab is looming.", "investigation", "considered"),
        ("The AI lab was to have been fined in May.", "enforcement", "negated"),
    ],
)
def test_what_nearly_happened_or_only_on_paper_is_not_done(text: str, type_: str, expected: str) -> None:
    assert modality(text, type_) == expected


def modality(text: str, type_: str) -> str:
    day = datetime(2026, 5, 5, tzinfo=UTC)
    article = Article("a1", text_version(text), "test", "https://example.org/1", "Title", text, published_at=day)
    found = [claim.modality.value for claim in extract(article, tools()).claims if claim.type == type_]
    assert len(found) == 1, found
    return found[0]


SIGN = [
    ("Anthropic signed an agreement with the Pentagon.", "occurred"),
    ("Anthropic said it had signed an agreement with the Pentagon.", "occurred"),
    ("Anthropic will sign an agreement with the Pentagon.", "planned"),
    ("Anthropic is set to sign an agreement with the Pentagon.", "planned"),
    ("Anthropic said it would sign an agreement with the Pentagon.", "planned"),
    ("Anthropic plans to sign an agreement with the Pentagon.", "planned"),
    ("Anthropic is expected to sign an agreement with the Pentagon.", "planned"),
    ("Anthropic hopes to sign an agreement with the Pentagon.", "considered"),
    ("It is not clear why Anthropic signed an agreement with the Pentagon.", "occurred"),
    ("It is not clear when Anthropic will sign an agreement with the Pentagon.", "planned"),
    ("Anthropic has other means to sign an agreement with the Pentagon.", "considered"),
    ("Anthropic may sign an agreement with the Pentagon.", "considered"),
    ("Anthropic is considering signing an agreement with the Pentagon.", "considered"),
    ("Anthropic wants to sign an agreement with the Pentagon.", "considered"),
    ("Anthropic is in talks to sign an agreement with the Pentagon.", "considered"),
    ("Anthropic is ready to sign an agreement with the Pentagon.", "considered"),
    ("It is unclear whether Anthropic signed an agreement with the Pentagon.", "considered"),
    ("Anthropic has not signed an agreement with the Pentagon.", "negated"),
    ("Anthropic has yet to sign an agreement with the Pentagon.", "negated"),
    ("Anthropic never signed an agreement with the Pentagon.", "negated"),
    ("Anthropic failed to sign an agreement with the Pentagon.", "negated"),
    ("Anthropic left without signing an agreement with the Pentagon.", "negated"),
    ("Anthropic denied that it had signed an agreement with the Pentagon.", "denied"),
    ("Anthropic denied signing an agreement with the Pentagon.", "denied"),
    ("Anthropic reportedly signed an agreement with the Pentagon.", "alleged"),
    ("According to reports, Anthropic signed an agreement with the Pentagon.", "alleged"),
    ("If Anthropic signs an agreement with the Pentagon, the suit ends.", "conditional"),
    ("Anthropic could sign an agreement with the Pentagon.", "conditional"),
    ("Anthropic would sign an agreement with the Pentagon if the terms changed.", "conditional"),
    ("Should Anthropic sign an agreement with the Pentagon, the suit ends.", "conditional"),
    ("Anthropic delayed signing an agreement with the Pentagon.", "postponed"),
    ("Anthropic cancelled plans to sign an agreement with the Pentagon.", "cancelled"),
    ("Anthropic will sign an agreement with the Pentagon in the event that it wins.", "conditional"),
    ("Anthropic signed an agreement with the Pentagon in the case of Corvid.", "occurred"),
]


@pytest.mark.parametrize(("text", "expected"), SIGN)
def test_what_governs_a_verb_decides(text: str, expected: str) -> None:
    assert modality(text, "agreement") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Pentagon ordered agencies to stop using Anthropic's models.", "occurred"),
        ("The Pentagon threatened to designate Anthropic a supply chain risk.", "considered"),
        ("The Pentagon will designate Anthropic a supply chain risk unless it agrees.", "conditional"),
        ("If Anthropic fails to comply, the Pentagon could ban the company.", "conditional"),
        ("The Pentagon bans Anthropic on June 30, 2026.", "planned"),
    ],
)
def test_orders_threats_and_days_to_come(text: str, expected: str) -> None:
    assert modality(text, "restriction") == expected


def test_what_is_not_only_done_is_done() -> None:
    assert (
        modality("Anthropic not only signed an agreement with the Pentagon but praised it.", "agreement") == "occurred"
    )


@pytest.mark.parametrize(
    ("verb", "forms"),
    [
        ("hope", {"hope", "hopes", "hoped", "hoping"}),
        ("fine", {"fine", "fines", "fined", "fining"}),
        ("ban", {"ban", "bans", "banned", "banning"}),
        ("deny", {"deny", "denies", "denied", "denying"}),
        ("withdraw", {"withdraw", "withdraws", "withdrew", "withdrawn", "withdrawing"}),
        ("agree", {"agree", "agrees", "agreed", "agreeing"}),
        ("label", {"label", "labels", "labeled", "labelled", "labeling", "labelling"}),
        (
            "authorize",
            {
                "authorize",
                "authorizes",
                "authorized",
                "authorizing",
                "authorise",
                "authorises",
                "authorised",
                "authorising",
            },
        ),
    ],
)
def test_a_verb_has_all_its_forms(verb: str, forms: set[str]) -> None:
    assert verb_forms(verb) == forms


def test_the_last_word_of_a_noun_takes_the_plural() -> None:
    assert "executive orders" in noun_forms("executive order")
    assert "inquiries" in noun_forms("inquiry")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("model_release: Beitou has pushed back the launch of its Kestrel model to November.", "postponed"),
        ("restriction: The ministry backed away from banning Lumen Labs' model.", "cancelled"),
        ("restriction: A plan to ban Lumen Labs' model was abandoned by the ministry.", "cancelled"),
        ("agreement: Reports that Lumen Labs signed a deal with the Pentagon are false.", "denied"),
        ("restriction: Claims that the ministry banned Lumen Labs' model are untrue, he said.", "denied"),
        ("litigation: A class action against Lumen Labs is headed for trial in May.", "planned"),
        ("legislation: The disclosure law comes into force this winter.", "planned"),
        ("agreement: Lumen Labs signed a deal with the Pentagon.", "occurred"),
    ],
)
def test_particles_and_refuted_reports_decide_what_was_done(text: str, expected: str) -> None:
    type_, sentence = text.split(": ", 1)
    assert modality(sentence, type_) == expected


@pytest.mark.parametrize(
    ("text", "type_", "expected"),
    [
        ("Resistance from Anthropic could lead to tensions.", "refusal", "conditional"),
        ("The refusal by Anthropic could lead to a lawsuit.", "refusal", "occurred"),
        ("Anthropic's refusal could lead to a lawsuit.", "refusal", "occurred"),
        ("A ban on Claude by the Pentagon would hurt Anthropic.", "restriction", "conditional"),
        ("The Pentagon's ban on Claude would hurt Anthropic.", "restriction", "occurred"),
    ],
)
def test_what_might_bring_something_is_imagined_unless_it_is_a_known_one(text: str, type_: str, expected: str) -> None:
    assert modality(text, type_) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("restriction: The opposition filed a motion to ban Lumen Labs' model from hospitals.", "considered"),
        ("restriction: A motion to ban Lumen Labs' model failed by two votes.", "negated"),
        ("restriction: The White House backed away from a ban on Lumen Labs.", "cancelled"),
        (
            "restriction: The case for banning Lumen Labs' model from courtrooms is strong, the judge writes.",
            "considered",
        ),
        ("restriction: There is growing support in Norway for banning Lumen Labs' model.", "considered"),
        ("restriction: It would be wrong to ban Lumen Labs' model, the columnist argues.", "conditional"),
        ("enforcement: It is high time that the regulator fined Lumen Labs for its lies.", "considered"),
        ("enforcement: The regulator has imposed not a single fine on Lumen Labs.", "negated"),
        ("litigation: The prospect of being sued by Nevada has not changed how Lumen Labs works.", "considered"),
        ("litigation: Lumen Labs cannot rule out suing the state of Nevada.", "considered"),
        ("model_release: Lumen Labs decided against releasing its Kestrel model to the public.", "negated"),
        ("model_release: The second step of the release of GPT-5 by OpenAI is postponed.", "postponed"),
        ("investigation: A formal investigation of Lumen Labs would follow if the answers fell short.", "conditional"),
        ("agreement: Any agreement between Lumen Labs and the Pentagon would need the board's consent.", "conditional"),
        ("agreement: Had Lumen Labs signed an agreement with the Pentagon, the suit would be over.", "conditional"),
        ("agreement: Imagine that Lumen Labs signed an agreement with the Pentagon tomorrow.", "conditional"),
        ("agreement: Lumen Labs is understood to have signed an agreement with the Pentagon.", "alleged"),
        (
            "agreement: A memo that could not be verified says that Lumen Labs signed a deal with the Pentagon.",
            "alleged",
        ),
        ("legislation: The chamber adjourned before it could pass the disclosure bill.", "negated"),
        ("agreement: Lumen Labs signed a deal with the Pentagon; its rival will not sign one.", "occurred"),
        ("enforcement: Failure to comply can result in a fine for Lumen Labs.", "considered"),
        ("litigation: Publishers have held off suing Lumen Labs.", "postponed"),
        ("evaluation: Neither the institute nor another body has tested Lumen Labs' model.", "negated"),
        ("enforcement: The regulator fined Lumen Labs for failing to label its videos.", "occurred"),
        ("restriction: The city council banned Lumen Labs' model after years in which it would not.", "occurred"),
    ],
)
def test_what_surrounds_an_act_tells_whether_it_was_done(text: str, expected: str) -> None:
    type_, sentence = text.split(": ", 1)
    assert modality(sentence, type_) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("executive_action: The signing of the executive order, announced for Thursday, was cancelled.", "cancelled"),
        ("executive_action: The president is weighing an executive order on Lumen Labs.", "considered"),
        ("institution: The ministry scrapped an advisory body on artificial intelligence.", "cancelled"),
        ("agreement: The Pentagon scrapped its contract with Lumen Labs.", "occurred"),
    ],
)
def test_a_verb_that_names_the_act_tells_whether_it_was_done(text: str, expected: str) -> None:
    type_, sentence = text.split(": ", 1)
    assert modality(sentence, type_) == expected


@pytest.mark.parametrize(
    ("text", "type_", "expected"),
    [
        ("Lumen Labs must pay 5 million won, the watchdog ruled.", "enforcement", "occurred"),
        ("Lumen Labs will have to pay 5 million won.", "enforcement", "occurred"),
        ("If it breaks the rules again, Lumen Labs must pay a fine.", "enforcement", "conditional"),
        ("The ministry ruled out banning Lumen Labs.", "restriction", "negated"),
        ("The Pentagon put ChatGPT off limits for its staff.", "restriction", "occurred"),
        ("Beitou put off the launch of its Kestrel model.", "model_release", "postponed"),
    ],
)
def test_a_ruling_that_somebody_must_pay_is_no_denial_and_off_limits_puts_nothing_off(
    text: str, type_: str, expected: str
) -> None:
    assert modality(text, type_) == expected


def test_what_was_done_beside_an_infinitive_that_was_not_wanted_was_done() -> None:
    assert modality("The FTC did not want to wait and fined Lumen Labs.", "enforcement") == "occurred"
    assert modality("The FTC did not fine Lumen Labs.", "enforcement") == "negated"


def test_an_inverted_condition_counts_wherever_it_stands() -> None:
    text = "Officials will check it, and should violations recur, the ministry will ban Lumen Labs."
    assert modality(text, "restriction") == "conditional"
    assert modality("The ministry will ban Lumen Labs, which should surprise nobody.", "restriction") == "planned"


def test_a_clause_beside_another_is_not_governed_by_it() -> None:
    text = "Lumen Labs has signed the agreement with the Pentagon, Beitou will adopt a code, and others wait."
    assert modality(text, "agreement") == "occurred"


def test_who_finds_nothing_has_looked() -> None:
    assert modality("The AI Security Institute tested GPT-5 and found no flaws.", "evaluation") == "occurred"
    assert modality("The audit of GPT-5 by the AI Security Institute found no flaws.", "evaluation") == "occurred"
