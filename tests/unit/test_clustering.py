"""Claims on the same event form one cluster, and others do not."""

from __future__ import annotations

import itertools
import random
from collections.abc import Collection
from dataclasses import replace
from datetime import date

import pytest
from support.builders import article, claim, day_span
from support.gold_claims import b_cubed, load_gold
from support.paths import SHARED

from pipeline.aggregation.clustering.cluster import beyond_reach, group, link_of
from pipeline.aggregation.clustering.features import ClaimFeatures, is_named
from pipeline.aggregation.clustering.merge import best_modality, make_event
from pipeline.aggregation.clustering.similarity import Similarity
from pipeline.evaluation.gold import annotated_claims, lexicon_ids
from pipeline.lexicon.entity_graph import EntityGraph, holders_of
from pipeline.lexicon.load import load_lexicon
from pipeline.newsroom.answers import expected, version
from pipeline.newsroom.stories import FOLDER
from pipeline.records import Entity, EntityKind, Force, Modality, Participant, event_id

TEXT = (
    "Meridian Labs signed the Harbour Accord on 5 May. Meridian Labs plans to sign the Harbour Accord on 5 May. "
    "Meridian Labs signed the Lantern Pact on 5 May. It signed something. They asked for it. "
    "The agency banned Meridian. The agency lifted the ban on Meridian. "
    "Meridian Labs has postponed signing the Harbour Accord."
)


FORCES = (Force.BINDING, Force.VOLUNTARY, Force.BINDING)


def make(source: str, sentence: str, trigger: str, type_: str = "agreement", day: int = 1, **more):
    art = article(source, "one", TEXT, day=day)
    return art, claim(art, sentence, trigger, type_, **more)


def grouped(*pairs, entity_graph: EntityGraph | None = None) -> list[set[str]]:
    articles = {art.article_id: art for art, _ in pairs}
    return [set(ids) for ids in group([c for _, c in pairs], articles, entity_graph=entity_graph)]


SIGNED = "Meridian Labs signed the Harbour Accord on 5 May."
PLANS = "Meridian Labs plans to sign the Harbour Accord on 5 May."
PARTIES = {"actor": ["Meridian Labs", "Office of Machine Safety"], "instrument": "Harbour Accord"}


def test_two_reports_of_one_signing_are_one_event() -> None:
    one = make("gazette", SIGNED, "signed", on="2026-05-05", **PARTIES)
    two = make("herald", SIGNED, "signed", on="2026-05", **PARTIES)
    assert grouped(one, two) == [{one[1].claim_id, two[1].claim_id}]


def test_a_planned_signing_and_the_signing_itself_are_one_event() -> None:
    planned = make("gazette", PLANS, "sign", on="2026-05-05", modality="planned", **PARTIES)
    done = make("herald", SIGNED, "signed", on="2026-05-05", day=2, **PARTIES)
    assert len(grouped(planned, done)) == 1


def test_two_accords_of_one_day_are_two_events() -> None:
    one = make("gazette", SIGNED, "signed", on="2026-05-05", **PARTIES)
    other = make(
        "herald", "Meridian Labs signed the Lantern Pact on 5 May.", "signed", on="2026-05-05",
        actor=["Meridian Labs", "Office of Machine Safety"], instrument="Lantern Pact",
    )  # fmt: skip
    assert len(grouped(one, other)) == 2


def test_imposing_and_lifting_are_never_one_event() -> None:
    roles = {"actor": "The Agency", "target": "Meridian Labs", "on": "2026-05-05"}
    one = make("gazette", "The agency banned Meridian.", "banned", "restriction", direction="impose", **roles)
    other = make("herald", "The agency lifted the ban on Meridian.", "lifted", "restriction", direction="lift", **roles)
    assert len(grouped(one, other)) == 2


def test_requests_in_opposite_directions_are_two_events() -> None:
    one = make("gazette", "They asked for it.", "asked", "access_request", actor="Meridian Labs", target="Ministry")
    other = make("herald", "They asked for it.", "asked", "access_request", actor="Ministry", target="Meridian Labs")
    assert len(grouped(one, other)) == 2


def test_participants_without_a_name_glue_nothing_together() -> None:
    one = make("gazette", "It signed something.", "signed", day=1, actor="the company")
    other = make("herald", "It signed something.", "signed", day=9, actor="the company")
    assert len(grouped(one, other)) == 2


def test_stages_of_one_bill_are_separate_events() -> None:
    art = article("gazette", "bill", "The Senate passed SB 7 on 5 May. The governor signed SB 7 on 6 May.")
    passed = claim(art, "The Senate passed SB 7 on 5 May.", "passed", "legislation", on="2026-05-05", instrument="SB 7")
    signed = claim(
        art, "The governor signed SB 7 on 6 May.", "signed", "legislation", on="2026-05-06", instrument="SB 7"
    )
    assert len(grouped((art, passed), (art, signed))) == 2


def test_bills_with_different_numbers_are_never_one_event() -> None:
    art = article("gazette", "bills", "The Senate passed SB 7 on 5 May. The Senate passed SB 9 on 5 May.")
    pair = [
        (art, claim(art, f"The Senate passed {bill} on 5 May.", "passed", "legislation", on="2026-05-05",
                    actor="Senate", instrument=bill))
        for bill in ("SB 7", "SB 9")
    ]  # fmt: skip
    assert len(grouped(*pair)) == 2


def test_two_unnamed_executive_orders_are_distinguished_by_their_days() -> None:
    roles = {"actor": "President", "instrument": "Executive Order"}
    first = make("gazette", "It signed something.", "signed", "executive_action", day=2, on="2026-05-01", **roles)
    again = make("herald", "It signed something.", "signed", "executive_action", day=20, on="2026-05-18", **roles)
    assert len(grouped(first, again)) == 2


def test_a_signing_that_slipped_from_the_planned_day_is_one_event() -> None:
    roles = {"actor": ["Meridian Labs", "Office of Machine Safety"]}
    planned = make("gazette", PLANS, "sign", on="2026-05-05", modality="planned", **roles)
    done = make("herald", SIGNED, "signed", day=21, on="2026-05-20", **roles)
    assert len(grouped(planned, done)) == 1
    done_twice = make("gazette", SIGNED, "signed", on="2026-05-05", **roles)
    assert len(grouped(done_twice, done)) == 2


def reports(type_: str, *told: tuple[str, str], **roles) -> list[set[str]]:
    """Return the clusters of claims, one article each; `told`: its text, one sentence and a trigger."""
    pairs = []
    for number, (sentence, trigger) in enumerate(told):
        art = article("gazette", str(number), sentence, day=2)
        pairs.append((art, claim(art, sentence, trigger, type_, **roles)))
    return grouped(*pairs)


def test_a_lasting_demand_and_its_deadline_are_two_events() -> None:
    roles = {"actor": "Ministry", "target": "Meridian Labs", "obj": "Tessel 2"}
    wants = "The Ministry wants Meridian Labs to open Tessel 2 to its staff."
    told = "The Ministry told Meridian Labs it has until Friday to open Tessel 2 to its staff."
    deadline = "The Ministry set Meridian Labs a deadline to open Tessel 2 to its staff."
    assert len(reports("access_request", (wants, "wants"), (told, "told"), **roles)) == 2
    assert len(reports("access_request", (deadline, "set Meridian Labs a deadline"), (told, "told"), **roles)) == 1


def test_barring_somebody_and_barring_others_from_dealing_with_it_are_two_events() -> None:
    roles = {"actor": "Ministry", "target": "Meridian Labs", "direction": "impose", "on": "2026-05-02"}
    banned = "The Ministry barred Meridian Labs from public contracts."
    dealing = "The Ministry said no supplier may do business with Meridian Labs."
    both = reports("restriction", (banned, "barred"), (dealing, "may do"), **roles)
    assert len(both) == 2


def test_acts_said_to_be_done_in_different_months_are_two_events() -> None:
    roles = {"actor": "President", "instrument": "Executive Order"}
    first = make("gazette", "It signed something.", "signed", "executive_action", day=2, on="2026-01", **roles)
    again = make("herald", "It signed something.", "signed", "executive_action", day=20, on="2026-04", **roles)
    assert len(grouped(first, again)) == 2


def test_a_hearing_on_a_bill_is_not_its_signing_and_a_friends_brief_is_not_the_suit() -> None:
    heard = "The committee will take up the Lantern Act on 2 May."
    signed = "The governor signed the Lantern Act on 2 May."
    roles = {"instrument": "Lantern Act", "on": "2026-05-02"}
    assert len(reports("legislation", (heard, "take up"), (signed, "signed"), **roles)) == 2
    brief = "Meridian Labs filed an amicus brief against the Ministry."
    suit = "Meridian Labs filed a lawsuit against the Ministry."
    roles = {"actor": "Meridian Labs", "target": "Ministry", "on": "2026-05-02"}
    assert len(reports("litigation", (brief, "filed"), (suit, "filed"), **roles)) == 2
    assert len(reports("litigation", (suit, "filed"), (suit + " Again.", "filed"), **roles)) == 1


def test_a_claim_joins_an_event_by_the_one_report_that_it_fits() -> None:
    table = [[0.9, 0.3, 0.3]]
    assert link_of(table) == link_of([[0.9], [0.3], [0.3]]) == pytest.approx(0.7 * 0.5 + 0.3 * 0.9)
    assert link_of([[0.9, 0.1], [0.2, 0.4]]) == link_of([[0.9, 0.2], [0.1, 0.4]])
    assert not beyond_reach(1.5, 0, 3, 3)
    assert beyond_reach(0.0, 0, 3, 3)


def test_a_renamed_body_is_not_summarised_as_an_appointment() -> None:
    roles = {"actor": "Ministry", "target": "Ada Lund", "body": "Office of Machine Safety"}
    art, renamed = make("gazette", "It signed something.", "signed", "institution", **roles)
    event = make_event([replace(renamed, trigger="renamed")], {art.article_id: art}, {})
    assert "renamed" in event.summary
    assert "appointed" not in event.summary


def test_tie_between_binding_and_voluntary_is_left_open() -> None:
    told = [make(name, SIGNED, "signed", **PARTIES) for name in ("gazette", "herald", "wire")]
    arts = {art.article_id: art for art, _ in told}
    binding, voluntary, third = (replace(found, force=f) for (_, found), f in zip(told, FORCES, strict=True))
    assert make_event([binding, voluntary], arts, {}).force is Force.NOT_STATED
    assert make_event([binding, voluntary, third], arts, {}).force is Force.BINDING


def test_one_sentence_states_an_event_once() -> None:
    art = article("gazette", "two", "Meridian Labs signed the deal and agreed to another.")
    sentence = art.text
    roles = {"actor": ["Meridian Labs", "Office of Machine Safety"], "on": "2026-05-05"}
    pair = [(art, claim(art, sentence, trigger, "agreement", **roles)) for trigger in ("signed", "agreed")]
    assert len(grouped(*pair)) == 2


def test_what_an_article_reports_and_what_it_recalls_are_hardly_one_event() -> None:
    text = "The agency banned the model. Readers remember an earlier decision: after a leak it was banned for a day."
    art, day = article("gazette", "ban", text), date(2026, 5, 1)
    roles = {"actor": "The Agency", "target": "Meridian Labs", "direction": "impose"}
    new = ClaimFeatures(claim(art, "The agency banned the model.", "banned", "restriction", **roles), day)
    again, recalled = (
        ClaimFeatures(claim(art, text.split(". ", 1)[1], "banned", "restriction", newness=newness, **roles), day)
        for newness in ("new", "background")
    )
    measure = Similarity(EntityGraph([]))
    assert measure.probability(new, recalled) < measure.probability(new, again) - 0.2


def test_who_holds_an_office_and_the_office_can_be_one_party() -> None:
    lexicon = load_lexicon()
    entity_graph = EntityGraph(lexicon.entities.values(), holders_of(lexicon))
    assert entity_graph.closeness("pam-bondi", "us-attorney-general") == 0.8
    assert entity_graph.closeness("donald-trump", "us-government") > 0
    assert not entity_graph.closeness("pam-bondi", "us-secretary-of-commerce")


def test_an_agency_and_its_department_can_be_one_party() -> None:
    entity_graph = EntityGraph([Entity("safety-unit", "Safety Unit", EntityKind.AGENCY, parent_id="ministry")])
    one = make("gazette", "They asked for it.", "asked", "access_request", actor="Safety Unit", target="Meridian Labs")
    other = make("herald", "They asked for it.", "asked", "access_request", actor="Ministry", target="Meridian Labs")
    assert len(grouped(one, other, entity_graph=entity_graph)) == 1
    assert len(grouped(one, other)) == 2


def test_the_order_of_claims_makes_no_difference() -> None:
    pairs = [
        make(f"paper{n}", SIGNED, "signed", day=n, on="2026-05-05" if n % 2 else None, **PARTIES) for n in range(12)
    ] + [make(f"other{n}", "They asked for it.", "asked", "access_request", actor=f"Body {n % 3}") for n in range(9)]
    first = grouped(*pairs)
    for seed in range(5):
        random.Random(seed).shuffle(pairs)
        assert grouped(*pairs) == first


@pytest.mark.parametrize("modality", [m for m in Modality if m is not Modality.OCCURRED])
def test_no_event_is_occurred_without_a_claim_that_says_so(modality: Modality) -> None:
    one = make("gazette", PLANS, "sign", modality=modality.value, **PARTIES)
    two = make("herald", SIGNED, "signed", modality=modality.value, **PARTIES)
    articles = {art.article_id: art for art, _ in (one, two)}
    event = make_event([one[1], two[1]], articles, {})
    assert event.modality is modality


def test_a_later_and_better_supported_denial_wins_and_the_event_is_contradicted() -> None:
    said = make("gazette", SIGNED, "signed", day=1, **PARTIES)
    denied = [make(f"paper{n}", SIGNED, "signed", modality="denied", day=3, **PARTIES) for n in range(2)]
    articles = {art.article_id: art for art, _ in (said, *denied)}
    claims = [c for _, c in (said, *denied)]
    assert best_modality(claims, articles, {}) == (Modality.DENIED, True)
    assert best_modality(claims[:2], articles, {}) == (Modality.OCCURRED, True)
    one_origin = {c.claim_id: "o1" for c in claims[1:]}
    assert best_modality(claims, articles, one_origin) == (Modality.OCCURRED, True)


def test_one_report_that_it_happened_does_not_outweigh_many_that_it_is_still_open() -> None:
    hasty = make("gazette", SIGNED, "signed", day=1, **PARTIES)
    open_ = [make(f"paper{n}", PLANS, "sign", modality="considered", day=2, **PARTIES) for n in range(3)]
    articles = {art.article_id: art for art, _ in (hasty, *open_)}
    claims = [c for _, c in (hasty, *open_)]
    assert best_modality(claims, articles, {}) == (Modality.CONSIDERED, True)
    assert best_modality(claims[:3], articles, {}) == (Modality.OCCURRED, False)


def test_what_was_planned_and_later_postponed_is_postponed() -> None:
    planned = [make(f"paper{n}", PLANS, "sign", modality="planned", day=1, **PARTIES) for n in range(3)]
    late = make("herald", SIGNED, "signed", modality="postponed", day=4, **PARTIES)
    articles = {art.article_id: art for art, _ in (*planned, late)}
    claims = [c for _, c in (*planned, late)]
    assert best_modality(claims, articles, {}) == (Modality.POSTPONED, False)


def test_an_event_takes_the_day_before_the_month_and_its_id_from_its_earliest_claim() -> None:
    early = make("gazette", SIGNED, "signed", day=1, on="2026-05", **PARTIES)
    late = make("herald", SIGNED, "signed", day=2, on="2026-05-05", **PARTIES)
    event = make_event([late[1], early[1]], {a.article_id: a for a, _ in (early, late)}, {})
    assert event.date == day_span("2026-05-05")
    assert event.event_id == event_id(early[1].claim_id)
    assert (event.n_articles, event.stage) == (2, "signed")


def test_names_and_descriptions_are_distinguished() -> None:
    for name in ("SB 53", "Claude", "xAI", "the European Commission"):
        assert is_named(Participant("object", "x", name, EntityKind.MODEL)), name
    for name in ("its AI models", "Meta’s AI models", "new models", "draft rules on AI"):
        assert not is_named(Participant("object", "x", name, EntityKind.MODEL)), name


def test_circles_among_parents_end() -> None:
    entity_graph = EntityGraph(
        [Entity("a", "A", EntityKind.AGENCY, parent_id="b"), Entity("b", "B", EntityKind.AGENCY, parent_id="a")]
    )
    assert entity_graph.closeness("a", "b") == 0.8


@pytest.mark.skipif(not (SHARED / "gold/dev").is_dir(), reason="the folder with annotated documents is not here")
def test_grouping_of_the_annotated_claims_keeps_its_level() -> None:
    claims, articles, entities, keys = load_gold(SHARED / "gold/dev")
    groups = group(claims, articles, entities)
    found = {claim_id: str(number) for number, ids in enumerate(groups) for claim_id in ids}
    precision, recall, f1 = b_cubed([(keys[c.claim_id], found[c.claim_id]) for c in claims])
    assert f1 >= 0.77, (precision, recall, f1)  # measured .779 on 580 documents
    assert forbidden(groups, claims, articles, EntityGraph(entities)) == []


def forbidden(groups, claims, articles, entity_graph: EntityGraph) -> list[tuple[str, str]]:  # noqa: ANN001
    """Return the pairs of sentences in one cluster that differ in direction, stage, instrument or object."""
    measure = Similarity(entity_graph)
    cases = {c.claim_id: ClaimFeatures(c, articles[c.evidence.article_id].published_at) for c in claims}
    return [
        (cases[one].claim.evidence.quote, cases[other].claim.evidence.quote)
        for ids in groups
        for one, other in itertools.combinations(ids, 2)
        if measure.opposed(cases[one], cases[other])
    ]


@pytest.fixture(scope="module")
def newsroom() -> tuple[list, dict, EntityGraph]:
    """The newsroom's annotated claims, its articles by id, and its entity graph."""
    lexicon = load_lexicon(FOLDER / "lexicon.toml")
    claims, articles = [], {}
    for document_id, gold in expected().items():
        article_, found, _ = annotated_claims(gold, version(document_id).text, lexicon_ids(lexicon))
        articles[article_.article_id] = article_
        claims += found
    return claims, articles, EntityGraph(lexicon.entities.values(), holders_of(lexicon))


def ids_and_articles(newsroom, without: Collection[str] = ()) -> dict[str, set[str]]:  # noqa: ANN001
    """Return event id -> its articles, of the newsroom without some of its articles."""
    claims, articles, entity_graph = newsroom
    kept = [c for c in claims if c.evidence.article_id not in without]
    article_of = {c.claim_id: c.evidence.article_id for c in kept}
    groups = group(kept, articles, entity_graph=entity_graph)
    return {event_id(ids[0]): {article_of[id_] for id_ in ids} for ids in groups}


def test_no_event_of_the_newsroom_holds_two_claims_that_exclude_each_other(newsroom) -> None:  # noqa: ANN001
    claims, articles, entity_graph = newsroom
    assert forbidden(group(claims, articles, entity_graph=entity_graph), claims, articles, entity_graph) == []


def test_in_whatever_order_the_newsrooms_claims_come_the_events_are_the_same(newsroom) -> None:  # noqa: ANN001
    claims, articles, entity_graph = newsroom
    first = group(claims, articles, entity_graph=entity_graph)
    for seed in range(5):
        shuffled = random.Random(seed).sample(claims, len(claims))
        assert group(shuffled, articles, entity_graph=entity_graph) == first


def test_later_articles_never_lower_an_events_articles(newsroom) -> None:  # noqa: ANN001
    """The newsroom is published day by day; no event ever loses an article."""
    _, articles, _ = newsroom
    days = sorted({article.published_at.date() for article in articles.values()})
    before: dict[str, set[str]] = {}
    for day in days:
        later = {id_ for id_, article in articles.items() if article.published_at.date() > day}
        now = ids_and_articles(newsroom, later)
        lost = {id_: some - now[id_] for id_, some in before.items() if id_ in now and not some <= now[id_]}
        assert lost == {}, day
        homes = list(now.values())
        assert all(any(some <= home for home in homes) for some in before.values()), day
        before = now
    assert before == ids_and_articles(newsroom)


def test_an_article_that_is_taken_out_and_put_back_leaves_every_id_as_it_was(newsroom) -> None:  # noqa: ANN001
    claims, articles, entity_graph = newsroom
    whole = ids_and_articles(newsroom)
    for article_id in sorted(articles)[::4]:
        ids_and_articles(newsroom, {article_id})
        back = [c for c in claims if c.evidence.article_id != article_id] + [
            c for c in claims if c.evidence.article_id == article_id
        ]
        assert {event_id(ids[0]) for ids in group(back, articles, entity_graph=entity_graph)} == set(whole)


def test_an_editor_may_join_what_is_opposed_and_keep_apart_what_is_alike() -> None:
    alike = [make(name, SIGNED, "signed", day=day, on="2026-05-05", **PARTIES) for day, name in enumerate("abc", 1)]
    pact = make("d", "Meridian Labs signed the Lantern Pact on 5 May.", "signed", actor="X", instrument="Lantern Pact")
    articles = {art.article_id: art for art, _ in [*alike, pact]}
    claims = [found for _, found in [*alike, pact]]
    one, two, _, other = (found.claim_id for found in claims)
    assert len(group(claims, articles)) == 2
    split = group(claims, articles, apart=[(two, one)])
    assert not any({one, two} <= set(ids) for ids in split)
    assert len(group(claims, articles, together=[(other, one)])) == 1
    assert len(group(claims, articles, together=[(other, one)], apart=[(other, two)])) == 2
    retyped = [*claims[:3], replace(claims[3], type="commitment")]
    assert len(group(retyped, articles, together=[(other, two)])) == 1
    assert group(claims, articles, together=[("c0", one)], apart=[("c0", "c1")]) == group(claims, articles)
