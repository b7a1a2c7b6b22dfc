"""Disagreement is kept with each value and its claims, and agreement is never called a conflict."""

from __future__ import annotations

import pytest
from builders import article, claim, parties

from pipeline.amounts import agree, amounts
from pipeline.conflicts import find_conflicts, in_words
from pipeline.records import Claim, Participant

SENTENCES = {
    "signed": "Meridian Labs signed the Harbour Accord.",
    "fined": "The Ministry fined Meridian Labs {}.",
}


def say(
    source: str,
    *,
    day: int = 1,
    text: str = "Meridian Labs signed the Harbour Accord.",
    trigger: str = "signed",
    **more,
):
    art = article(source, "x", text, day=day)
    roles = {"actor": "Meridian Labs", "instrument": "Harbour Accord"} if not {"actor", "target"} & set(more) else {}
    type_ = more.pop("type_", "executive_action")
    return art, claim(art, text, trigger, type_, **roles, **more)


def conflicts(*pairs, events: dict[str, list[Claim]] | None = None):
    articles = {art.article_id: art for art, _ in pairs}
    return find_conflicts(events or {"e1": [c for _, c in pairs]}, articles)


def test_two_days_for_one_act_are_a_conflict_with_their_claims() -> None:
    one, two = say("a", on="2026-05-05"), say("b", on="2026-05-07")
    (found,) = conflicts(one, two)
    assert (found.field, found.values) == (
        "date", (("2026-05-05", (one[1].claim_id,)), ("2026-05-07", (two[1].claim_id,))),
    )  # fmt: skip
    assert in_words(found) == "Reports differ on the date: 2026-05-05 (1 claim) or 2026-05-07 (1 claim)."


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"on": "2026-05"}, {"on": "2026-05-05"}),
        ({"on": "2026-05-03", "modality": "planned"}, {"on": "2026-05-05"}),
        ({"on": "2026-05-04", "basis": "publication"}, {"on": "2026-05-05"}),
        ({"force": "not_stated"}, {"force": "binding"}),
        ({"modality": "planned"}, {"modality": "occurred"}),
        ({"modality": "negated", "day": 1}, {"on": "2026-05-20", "day": 20}),
        ({}, {"actor": "the laboratory"}),
    ],
)
def test_agreeing_pairs_are_no_conflict(one: dict, other: dict) -> None:
    assert conflicts(say("a", **one), say("b", **other)) == ()


def test_binding_and_voluntary_contradict_each_other() -> None:
    (found,) = conflicts(say("a", force="binding"), say("b", force="voluntary"), say("c"))
    assert found.field == "force"
    assert [value for value, _ in found.values] == ["binding", "voluntary"]


def test_a_denial_contradicts_a_report_that_it_happened() -> None:
    (found,) = conflicts(say("a"), say("b", modality="denied"))
    assert (found.field, [v for v, _ in found.values]) == ("happened", ["it did not (denied)", "it happened"])


def test_a_did_not_that_was_written_afterwards_contradicts() -> None:
    (found,) = conflicts(say("a", on="2026-05-05"), say("b", modality="negated", day=9))
    assert found.field == "happened"


def test_two_sums_are_a_conflict_but_rounding_and_about_are_not() -> None:
    def fine(source: str, sum_: str):
        return say(
            source, text=f"The Ministry fined Meridian Labs {sum_}.", trigger="fined", type_="enforcement",
            actor="Ministry", target="Meridian Labs",
        )  # fmt: skip

    (found,) = conflicts(fine("a", "$20 million"), fine("b", "$35 million"), fine("c", "about $21 million"))
    assert found.field == "amount"
    assert {value for value, _ in found.values} == {"$20 million", "$35 million", "about $21 million"}
    assert conflicts(fine("a", "$1.8 billion"), fine("b", "$1.79 billion"), fine("c", "nearly $1.9 billion")) == ()
    assert conflicts(fine("a", "$20 million"), fine("b", "€18 million")) == ()


def test_one_article_that_credits_one_body_to_two_administrations_contradicts_itself() -> None:
    text = "The Arden administration created the Review Board. The Bellow administration created the Review Board."
    art = article("a", "x", text)
    first, second = (s + "." for s in text.removesuffix(".").split(". "))
    made = []
    for sentence, words in ((first, "The Arden administration"), (second, "The Bellow administration")):
        base = claim(art, sentence, "created", "institution", body="Review Board")
        actor = Participant("actor", "government-house", "Government House", parties(actor="X")[0].kind, words)
        made.append(
            Claim(**{**{f: getattr(base, f) for f in base.__slots__}, "participants": (actor, *base.participants)})
        )
    articles = {art.article_id: art}
    for events in ({"e1": made}, {"e1": made[:1], "e2": made[1:]}):
        (found,) = find_conflicts(events, articles)
        assert (found.event_id, found.field) == ("e1", "actor")
        assert [v for v, _ in found.values] == ["Arden administration", "Bellow administration"]


def test_imposed_by_one_report_and_lifted_by_another_on_one_day() -> None:
    roles = {"actor": "Ministry", "target": "Meridian Labs", "on": "2026-05-05", "type_": "restriction"}
    one = say("a", text="The Ministry banned Meridian Labs.", trigger="banned", direction="impose", **roles)
    two = say("b", text="The Ministry freed Meridian Labs.", trigger="freed", direction="lift", **roles)
    (found,) = conflicts(one, two, events={"e1": [one[1]], "e2": [two[1]]})
    assert (found.event_id, found.field, [v for v, _ in found.values]) == ("e1", "direction", ["impose", "lift"])


def test_several_parties_that_sign_are_no_rival_actors() -> None:
    one = say("a", type_="agreement", actor=["Meridian Labs", "Ministry"])
    two = say("b", type_="agreement", actor=["Meridian Labs", "Ministry", "Lantern"])
    assert conflicts(one, two) == ()


def test_amounts_are_read_with_currency_and_looseness() -> None:
    found = amounts("up to $200 million, then €1.8bn and 20 million dollars, but not 5 million users or 2026")
    assert [(a.currency, a.value, a.near) for a in found] == [("$", 2e8, True), ("€", 1.8e9, False), ("$", 2e7, False)]
    assert not agree(*amounts("$200 million, $150 million"))
