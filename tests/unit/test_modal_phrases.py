"""The set phrases in which reporters say that something was not done, put off, called off, weighed or only rumoured."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

import pytest

from pipeline.nlp.pipeline import Tools, extract, load_tools
from pipeline.records import Claim
from scrapers.items import Article, text_version


@lru_cache(maxsize=1)
def tools() -> Tools:
    return load_tools(classifier=False, only_relevant=False)


def claims(text: str) -> tuple[Claim, ...]:
    day = datetime(2026, 5, 5, tzinfo=UTC)
    article = Article("a1", text_version(text), "test", "https://example.org/1", "Title", text, published_at=day)
    return tuple(extract(article, tools()).claims)


def modality(text: str, type_: str) -> str:
    found = [claim.modality.value for claim in claims(text) if claim.type == type_]
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("litigation: The trial of Nevada's suit against Lumen Labs was moved to a later date.", "postponed"),
        ("restriction: The ministry put its ban on Lumen Labs' model on the back burner.", "postponed"),
        ("model_release: Lumen Labs hit the brakes on releasing its Kestrel model.", "postponed"),
        ("model_release: Lumen Labs pulled the plug on the release of its Kestrel model.", "cancelled"),
        ("restriction: The ministry backed off banning Lumen Labs' model.", "cancelled"),
        ("restriction: The council balked at banning Lumen Labs' model.", "negated"),
        ("restriction: The council sought in vain to ban Lumen Labs' model.", "negated"),
        ("restriction: An unsuccessful attempt to ban Lumen Labs' model cost the minister her seat.", "negated"),
        ("enforcement: Lumen Labs escaped a fine when it deleted the pictures.", "negated"),
        ("agreement: Lumen Labs is far from signing an agreement with the Pentagon.", "negated"),
        ("agreement: Lumen Labs is weeks away from signing an agreement with the Pentagon.", "planned"),
        ("regulation: The regulator is on course to issue a rule on voice clones.", "planned"),
        ("restriction: The ministry is under pressure to ban Lumen Labs' model.", "considered"),
        ("agreement: Lumen Labs is on the verge of signing an agreement with the Pentagon.", "considered"),
        ("agreement: The Pentagon's contract with Lumen Labs hangs in the balance.", "considered"),
        ("agreement: Lumen Labs and the Pentagon are hammering out an agreement.", "considered"),
        ("agreement: After hammering out the terms, Lumen Labs signed an agreement with the Pentagon.", "occurred"),
        ("litigation: Nobody can tell whether the state of Nevada will sue Lumen Labs.", "considered"),
        ("investigation: Several senators called for an investigation of Lumen Labs.", "considered"),
        ("agreement: Word has it that Lumen Labs signed an agreement with the Pentagon.", "alleged"),
        ("evaluation: Lumen Labs skipped an evaluation of its Kestrel model.", "negated"),
        ("executive_action: The president signs an order on voice clones later today.", "planned"),
        ("litigation: The magistrate declined to dismiss the suit against Lumen Labs.", "occurred"),
        ("litigation: The magistrate declined to grant an injunction against Lumen Labs.", "negated"),
        ("refusal: Lumen Labs allegedly refused to open its files, according to a letter by Ms Ferro.", "alleged"),
        ("restriction: The minister's decision last month to ban Lumen Labs' model came as a shock.", "occurred"),
        ("agreement: Negotiations between Lumen Labs and the Pentagon ran aground.", "negated"),
        (
            "agreement: The minister pushed back on reports that Lumen Labs signed an agreement with the Pentagon.",
            "denied",
        ),
        ("legislation: Were the deepfake bill to pass, studios would need a licence.", "conditional"),
        ("restriction: Lumen Labs must label its videos or be banned by the ministry.", "conditional"),
        ("restriction: The ministry came close to banning Lumen Labs' model in March.", "negated"),
        ("restriction: The ministry all but banned Lumen Labs' model.", "negated"),
        ("agreement: Lumen Labs nearly signed an agreement with the Pentagon.", "negated"),
        ("restriction: An amendment to ban Lumen Labs' model from schools was voted down.", "negated"),
        ("restriction: The ministry had too little time to ban Lumen Labs' model.", "negated"),
        ("investigation: The Justice Department passed up a chance to investigate Lumen Labs.", "negated"),
        ("legislation: The deputies ran out of time to pass the deepfake bill.", "negated"),
        ("agreement: Lumen Labs has given no sign that it will sign an agreement with the Pentagon.", "considered"),
        ("investigation: The minister hinted at an investigation of Lumen Labs.", "considered"),
        ("restriction: The ministry banned Lumen Labs' model and nearly all its rivals.", "occurred"),
        ("agreement: The two sides were close to a deal, but Lumen Labs walked away.", "negated"),
        ("model_release: Lumen Labs moved to Nevada in June and released its Kestrel model there.", "occurred"),
    ],
)
def test_set_phrases_of_reporters_tell_whether_an_act_was_done(text: str, expected: str) -> None:
    type_, sentence = text.split(": ", 1)
    assert modality(sentence, type_) == expected


def test_a_ban_that_is_taken_out_of_a_bill_was_never_lifted() -> None:
    found = claims("Senators scrapped the ban on Lumen Labs' model from the final bill.")
    assert "restriction" not in {claim.type for claim in found}


@pytest.mark.parametrize(
    ("text", "types"),
    [
        ("The AI Security Institute decides for itself which systems of Lumen Labs it examines.", []),
        ("The AI Security Institute chooses what models of Lumen Labs it tests.", []),
        ("It is up to the Federal Trade Commission whom it sues over voice clones.", []),
        ("The law lets Ofcom pick which chatbots it bans.", []),
        ("Ofcom alone determines which of Lumen Labs' models are pulled and which it bans.", []),
        ("Ofcom decided which firms it would name, and on Friday it fined Lumen Labs.", ["enforcement"]),
        ("Ofcom disclosed which companies it had sued.", ["litigation"]),
        ("Ofcom, which decides such matters, bans Lumen Labs' chatbot.", ["restriction"]),
        ("The minister who decides on licences bans Lumen Labs' chatbot.", ["restriction"]),
    ],
)
def test_what_somebody_is_left_to_choose_is_no_act(text: str, types: list[str]) -> None:
    assert [claim.type for claim in claims(text)] == types
