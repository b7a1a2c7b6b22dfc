"""Contradicting values are kept with their claims, and agreement is never a contradiction."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from support.builders import article, claim, parties
from support.gold_claims import load_gold

from pipeline.aggregation.contradictions.amounts import agree, amounts
from pipeline.aggregation.contradictions.find import find_contradictions, in_words
from pipeline.lexicon.entity_graph import EntityGraph
from pipeline.records import Claim, Participant
from scrapers.items import Precision

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


def contradictions(*pairs, events: dict[str, list[Claim]] | None = None):
    articles = {art.article_id: art for art, _ in pairs}
    return find_contradictions(events or {"e1": [c for _, c in pairs]}, articles)


def test_two_days_for_one_act_are_a_contradiction_with_their_claims() -> None:
    one, two = say("a", on="2026-05-05"), say("b", on="2026-05-07")
    (found,) = contradictions(one, two)
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
def test_agreeing_pairs_are_no_contradiction(one: dict, other: dict) -> None:
    assert contradictions(say("a", **one), say("b", **other)) == ()


def test_binding_and_voluntary_contradict_each_other() -> None:
    (found,) = contradictions(say("a", force="binding"), say("b", force="voluntary"), say("c"))
    assert found.field == "force"
    assert [value for value, _ in found.values] == ["binding", "voluntary"]


def test_a_denial_contradicts_a_report_that_it_happened() -> None:
    (found,) = contradictions(say("a"), say("b", modality="denied"))
    assert (found.field, [v for v, _ in found.values]) == ("happened", ["it did not (denied)", "it happened"])


def test_later_denial_in_the_past_tense_contradicts() -> None:
    (found,) = contradictions(say("a", on="2026-05-05"), say("b", modality="negated", day=9))
    assert found.field == "happened"


def test_two_sums_are_a_contradiction_but_rounding_and_about_are_not() -> None:
    def fine(source: str, sum_: str):
        return say(
            source, text=f"The Ministry fined Meridian Labs {sum_}.", trigger="fined", type_="enforcement",
            actor="Ministry", target="Meridian Labs",
        )  # fmt: skip

    (found,) = contradictions(fine("a", "$20 million"), fine("b", "$35 million"), fine("c", "about $21 million"))
    assert found.field == "amount"
    assert {value for value, _ in found.values} == {"$20 million", "$35 million", "about $21 million"}
    assert contradictions(fine("a", "$1.8 billion"), fine("b", "$1.79 billion"), fine("c", "nearly $1.9 billion")) == ()
    assert contradictions(fine("a", "$20 million"), fine("b", "€18 million")) == ()


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
        (found,) = find_contradictions(events, articles)
        assert (found.event_id, found.field) == ("e1", "actor")
        assert [v for v, _ in found.values] == ["Arden administration", "Bellow administration"]


def test_imposed_by_one_report_and_lifted_by_another_on_one_day() -> None:
    roles = {"actor": "Ministry", "target": "Meridian Labs", "on": "2026-05-05", "type_": "restriction"}
    one = say("a", text="The Ministry banned Meridian Labs.", trigger="banned", direction="impose", **roles)
    two = say("b", text="The Ministry freed Meridian Labs.", trigger="freed", direction="lift", **roles)
    (found,) = contradictions(one, two, events={"e1": [one[1]], "e2": [two[1]]})
    assert (found.event_id, found.field, [v for v, _ in found.values]) == ("e1", "direction", ["impose", "lift"])


def test_several_signatories_are_not_contradicting_actors() -> None:
    one = say("a", type_="agreement", actor=["Meridian Labs", "Ministry"])
    two = say("b", type_="agreement", actor=["Meridian Labs", "Ministry", "Lantern"])
    assert contradictions(one, two) == ()


def test_amounts_are_read_with_currency_and_looseness() -> None:
    found = amounts("up to $200 million, then €1.8bn and 20 million dollars, but not 5 million users or 2026")
    assert [(a.currency, a.value, a.near) for a in found] == [("$", 2e8, True), ("€", 1.8e9, False), ("$", 2e7, False)]
    assert not agree(*amounts("$200 million, $150 million"))


def fine(source: str, rest: str, **more):
    return say(
        source, text=f"The Ministry fined Meridian Labs {rest}.", trigger="fined", type_="enforcement",
        actor="Ministry", target="Meridian Labs", **more,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("$14 million", "$40 million, up from an earlier sum"),
        ("$14 million at first", "$40 million"),
        ("$14 million", "$40 million after the sum was raised"),
        ("$14 million", ", a company valued at $40 million"),
        ("$14 million", "$2 million a year"),
        ("up to $40 million", "$14 million"),
        ("at least $14 million", "$40 million"),
        ("more than $14 million", "$14.2 million"),
        ("$14 million of the $40 million it had asked for", "$20 million"),
    ],
)
def test_a_new_sum_a_bound_and_the_sum_of_something_else_do_not_contradict(one: str, other: str) -> None:
    assert contradictions(fine("a", one), fine("b", other, day=3)) == ()


def test_a_sum_outside_a_bound_contradicts() -> None:
    (found,) = contradictions(fine("a", "up to $14 million"), fine("b", "$40 million"))
    assert found.field == "amount"


AGREED = "Meridian Labs {} the Office on the testing of Lantern 2."


def agreed(source: str, verb: str = "signed an agreement with", trigger: str = "signed", **more):
    more.setdefault("actor", ["Meridian Labs", "Office"])
    more.setdefault("object", "Lantern 2")
    return say(source, text=AGREED.format(verb) + more.pop("then", ""), trigger=trigger, type_="agreement", **more)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        # An announcement and the formal act.
        ({"verb": "announced an agreement with", "trigger": "announced", "on": "2026-05-04"}, {"on": "2026-05-07"}),
        # A noun takes its day from what is said of it.
        ({"verb": "regrets its deal with", "trigger": "its deal", "on": "2026-05-09"}, {"on": "2026-05-07"}),
        # A plan and its fulfilment; a plan that was put off; a deadline.
        ({"modality": "planned", "on": "2026-05-04"}, {"on": "2026-05-07"}),
        ({"modality": "planned", "on": "2026-05-14"}, {"modality": "planned", "on": "2026-05-28", "day": 9}),
        ({"on": "2026"}, {"on": "2026-05-07"}),
        ({"on": "2026-05"}, {"on": "2026-05-07"}),
        # Long apart, of nothing with a name: two agreements.
        ({"on": "2026-01-05"}, {"on": "2026-05-07", "day": 4}),
        ({"object": "Lantern 2", "on": "2026-05-04"}, {"object": "Beacon 7", "on": "2026-05-07"}),
        ({"actor": ["Meridian Labs", "Court"], "object": [], "on": "2026-05-04"}, {"object": [], "on": "2026-05-07"}),
        # "Not yet", then signed.
        ({"modality": "negated", "day": 2}, {"on": "2026-05-09", "day": 5}),
        ({"modality": "denied", "day": 2}, {"on": "2026-05-20", "day": 16}),
        # It did not sign the other one.
        ({"modality": "negated", "day": 20, "object": "Beacon 7"}, {"on": "2026-05-07"}),
        ({"modality": "negated", "day": 20, "verb": "did not join", "trigger": "join"}, {"on": "2026-05-07"}),
        # Voluntary now, binding if a plan comes about.
        ({"force": "voluntary"}, {"force": "binding", "modality": "planned"}),
        ({"force": "voluntary"}, {"force": "binding", "then": " It must report.", "verb": "must sign a deal with"}),
    ],
)  # fmt: skip
def test_developments_and_other_acts_are_no_contradiction(one: dict, other: dict) -> None:
    one, other = ({"trigger": "sign", **k} if "must sign" in k.get("verb", "") else k for k in (one, other))
    if len(one.get("on", "")) == 4:
        year = agreed("a", on="2026-05-07")
        span = replace(year[1].date, start=date(2026, 1, 1), end=date(2026, 12, 31), precision=Precision.YEAR)
        assert contradictions((year[0], replace(year[1], date=span)), agreed("b", **other)) == ()
        return
    assert contradictions(agreed("a", **one), agreed("b", **other)) == ()


def test_two_dates_in_one_sentence_or_of_two_acts_in_one_article_are_no_contradiction() -> None:
    text = "Meridian Labs signed on 4 May and signed again on 9 May with the Office."
    art = article("a", "x", text)
    made = [
        replace(
            claim(art, text, "signed", "agreement", actor=["Meridian Labs", "Office"], on=day),
            claim_id=f"c{day}",
        )
        for day in ("2026-05-04", "2026-05-09")
    ]
    assert find_contradictions({"e1": made}, {art.article_id: art}) == ()


def test_near_duplicates_do_not_contradict_each_other() -> None:
    """A reprint three days later resolves "on Tuesday" to another day: one report, read twice."""
    one, copy = agreed("a", on="2026-05-05"), agreed("b", on="2026-05-12", day=8)
    ids = {one[0].article_id: "x", copy[0].article_id: "x"}
    articles = {art.article_id: art for art, _ in (one, copy)}
    assert find_contradictions({"e1": [one[1], copy[1]]}, articles, near_duplicates=ids) == ()
    assert [k.field for k in find_contradictions({"e1": [one[1], copy[1]]}, articles)] == ["date"]


def test_voluntary_mentioned_further_down_counts() -> None:
    one = agreed("a", then=" It took a year. The agreement is voluntary.")
    other = agreed("b", "signed a legally binding agreement with", force="binding")
    (found,) = contradictions(one, other)
    assert (found.field, [v for v, _ in found.values]) == ("force", ["binding", "voluntary"])
    assert "“The agreement is voluntary”" in in_words(found)


def test_a_denial_in_an_event_of_its_own_finds_the_report_that_it_denies() -> None:
    roles = {"type_": "access_grant", "actor": "Meridian Labs", "target": "Institute"}
    yes = say("a", text="Meridian Labs gave the Institute access to Lantern 2.", trigger="gave", object="Lantern 2",
              on="2026-05-05", day=2, **roles)  # fmt: skip
    no = say("b", text="Meridian Labs denied that it had given the Institute access.", trigger="given",
             object="Lantern 2 AI", modality="denied", on="2026-05-07", day=3, **roles)  # fmt: skip
    (found,) = contradictions(yes, no, events={"e2": [yes[1]], "e1": [no[1]]})
    assert (found.event_id, found.field) == ("e2", "happened")
    assert dict(found.values) == {"it happened": (yes[1].claim_id,), "it did not (denied)": (no[1].claim_id,)}
    for other in ({"object": "Beacon 7"}, {"actor": "Court"}, {"target": "Court"}, {"day": 90}, {"day": 0}):
        changed = roles | {"object": "Lantern 2", "day": 3} | other
        rumour = say(
            "b", text="Meridian Labs denied that it had given access.", trigger="given", modality="denied", **changed
        )
        assert contradictions(yes, rumour, events={"e2": [yes[1]], "e1": [rumour[1]]}) == (), other


SET = "President Arden signed an order on 2 May which set a framework for reviewing new models within 30 days."
AIMS = "The Bellow administration aims to finalize the review framework for new models within 30 days."


def framework(first: str = SET, second: str = AIMS, *, on: str | None = "2026-05-02", modality: str = "considered",
              trigger: str = "finalize", day: int = 10):  # fmt: skip
    """One article that credits a framework to two administrations, in two events of two types."""
    art = article("a", "x", f"{first}\n\n{second}", day=day)
    done = claim(art, first, "signed", "executive_action", on=on, instrument="executive order")
    open_ = claim(art, second, trigger, "regulation", modality=modality, instrument="review framework")
    heads = [
        Participant("actor", "arden", "Arden", parties(actor="X")[0].kind, "President Arden"),
        Participant("actor", "house", "Government House", parties(actor="X")[0].kind, "The Bellow administration"),
    ]
    made = [replace(c, participants=(head, *c.participants)) for c, head in zip((done, open_), heads, strict=True)]
    return art, made


def test_one_framework_of_two_administrations_in_two_events_is_a_contradiction_of_the_article() -> None:
    art, (done, open_) = framework()
    (found,) = find_contradictions({"e1": [open_], "e2": [done]}, {art.article_id: art})
    assert (found.field, found.article_id) == ("actor", art.article_id)
    assert dict(found.values) == {
        "Arden administration": (done.claim_id,), "Bellow administration": (open_.claim_id,),
    }  # fmt: skip
    assert in_words(found).startswith("One article contradicts itself on who acted: Arden administration")


@pytest.mark.parametrize(
    "changed",
    [
        {"on": "2024-05-02"},  # a predecessor's order, and a successor who finishes the work
        {"second": "The Bellow administration aims to finalize a framework of its own for new models within 30 days."},
        {"second": "The Bellow administration aims to finalize the framework for farm subsidies."},
        {"second": "The incoming Bellow administration aims to finalize the framework for new models."},
        {"second": "The Bellow administration aims to revoke the framework for new models.", "trigger": "revoke"},
        {"second": "The Arden-Bellow administration aims to finalize the framework for new models within 30 days."},
    ],
)  # fmt: skip
def test_a_change_of_office_is_no_contradiction(changed: dict) -> None:
    art, (done, open_) = framework(**changed)
    if "Arden-Bellow" in changed.get("second", ""):
        both = replace(open_.participants[0], text="The Arden-Bellow administration")
        open_ = replace(open_, participants=(both, *open_.participants[1:]))
    assert find_contradictions({"e1": [open_], "e2": [done]}, {art.article_id: art}) == ()


def test_known_administrations_explain_a_successors_plan() -> None:
    art, (done, open_) = framework()
    handed_over = {"Arden": ((date(2022, 1, 1), date(2026, 5, 5)),), "Bellow": ((date(2026, 5, 5), None),)}
    still_there = {"Arden": ((date(2022, 1, 1), None),), "Bellow": ((date(2018, 1, 1), date(2021, 12, 31)),)}
    events = {"e1": [open_], "e2": [done]}
    assert find_contradictions(events, {art.article_id: art}, terms=handed_over) == ()
    assert len(find_contradictions(events, {art.article_id: art}, terms=still_there)) == 1


def test_a_body_made_under_one_and_renamed_under_another_administration_is_no_contradiction() -> None:
    text = "The Arden administration created the Review Board. The Bellow administration renamed the Review Board."
    art = article("a", "x", text)
    made = []
    for sentence, words, verb in zip(text.split(". "), ("The Arden administration", "The Bellow administration"),
                                     ("created", "renamed"), strict=True):  # fmt: skip
        base = claim(art, sentence, verb, "institution", body="Review Board")
        actor = Participant("actor", "house", "Government House", parties(actor="X")[0].kind, words)
        made.append(replace(base, participants=(actor, *base.participants)))
    assert find_contradictions({"e1": made[:1], "e2": made[1:]}, {art.article_id: art}) == ()


def test_report_of_both_the_ban_and_its_end_is_not_a_contradiction() -> None:
    text = "The Ministry banned Meridian Labs at noon. The Ministry freed Meridian Labs at night."
    art = article("a", "x", text)
    roles = {"actor": "Ministry", "target": "Meridian Labs", "on": "2026-05-05"}
    one = claim(art, text.split(". ")[0], "banned", "restriction", direction="impose", **roles)
    two = claim(art, text.split(". ")[1], "freed", "restriction", direction="lift", **roles)
    late = say(
        "b", text="The Ministry freed Meridian Labs.", trigger="freed", direction="lift", type_="restriction", **roles
    )
    events = {"e1": [one], "e2": [two, late[1]]}
    assert find_contradictions(events, {art.article_id: art, late[0].article_id: late[0]}) == ()


def test_the_order_of_claims_and_events_makes_no_difference() -> None:
    said = (
        {"on": "2026-05-05"},
        {"on": "2026-05-07", "force": "binding"},
        {"modality": "denied"},
        {"force": "voluntary"},
    )
    pairs = [agreed(source, **more) for source, more in zip("abcd", said, strict=True)]
    expected = contradictions(*pairs)
    assert {k.field for k in expected} == {"date", "force", "happened"}
    for seed in range(5):
        random.Random(seed).shuffle(pairs)
        assert contradictions(*pairs) == expected


def test_few_false_contradictions_are_found_within_annotated_events(shared: Path) -> None:
    """Claims of one annotated event agree. Of all events in 580 real documents, 16 are called contradictory today."""
    claims, articles, entities, keys = load_gold(shared / "gold/dev")
    events: dict[str, list[Claim]] = {}
    for one in claims:
        named = tuple(replace(p, text=p.text or "") for p in one.participants)
        events.setdefault(keys[one.claim_id], []).append(replace(one, participants=named))
    assert len(find_contradictions(events, articles, EntityGraph(entities))) <= 16


def test_the_real_article_that_credits_one_framework_to_two_administrations_is_found(shared: Path) -> None:
    claims, articles, entities, keys = load_gold(shared / "seed")
    gold = json.loads(next((shared / "seed/claims").glob("*.json")).read_text())
    events: dict[str, list[Claim]] = {}
    for one in claims:
        named = tuple(replace(p, text=p.text or "") for p in one.participants)
        events.setdefault(keys[one.claim_id], []).append(replace(one, participants=named))
    (found,) = find_contradictions(events, articles, EntityGraph(entities))
    quotes = {one.claim_id: one.evidence.quote for one in claims}
    said = {quotes[id_] for _, ids in found.values for id_ in ids}
    assert said == set(next(c for c in gold["contradictions"] if c["strict"])["quotes"])
