"""The file of decisions is read strictly and written plainly; a decision holds while its sentence is in the article."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.builders import SIGNED, article, claim, findings, signing, source

from pipeline.errors import WrongUse
from pipeline.ledger.article_store import Library
from pipeline.ledger.build.build import build
from pipeline.ledger.publish.export import export
from pipeline.ledger.reviews.apply import apply_reviews
from pipeline.ledger.reviews.decisions import Decision, ReviewFile, Sentence
from pipeline.ledger.reviews.fields import fields_of, problem_with, with_fields
from pipeline.ledger.reviews.file import append_decisions, decision_text, load_reviews, parse_reviews, read_reviews
from pipeline.ledger.reviews.names import settle_names
from pipeline.lexicon.entities import Lexicon, Name
from pipeline.records import Entity, EntityKind, Findings, Modality, Participant, UnknownName, unknown_entity_id

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
SOURCES = (source("courier"), source("signal"), source("beacon"))


def decide(action: str, art, found, *, at: datetime = NOON, place: int = 1, **changes) -> Decision:
    sentence = Sentence(art.url, found.evidence.quote, found.claim_id, found.trigger, found.type)
    read = fields_of(found) if action != "add" else {}
    return Decision(action, "ada", at, "because", (sentence,), read=read, changes=changes, place=place)


def applied(pairs, *decisions: Decision, former=lambda id_: (), lexicon=None):
    arts = {art.article_id: art for art, _ in pairs}
    names = settle_names(lexicon, decisions)
    return apply_reviews([found for _, found in pairs], arts, decisions, names, former)


def only(reviewed):
    (found,) = reviewed.claims().values()
    return found


# deciding on claims


def test_an_accepted_claim_is_certain_and_otherwise_unchanged() -> None:
    art, found = signing("courier", "a", confidence=0.3)
    done = applied([(art, found)], decide("accept", art, found.claims[0]))
    assert only(done) == replace(found.claims[0], confidence=1.0)
    assert done.marks == {found.claims[0].claim_id: "confirmed"} and done.effects[0].status == "applied"


def test_an_edit_changes_its_fields_alone_and_keeps_id_and_quote() -> None:
    art, found = signing("courier", "a")
    before = found.claims[0]
    changes = {"modality": "planned", "date": "2026-06", "target": ("Harbour Council",), "attribution": "person: Ada"}
    done = applied([(art, found)], decide("edit", art, before, **changes))
    after = only(done)
    assert (after.claim_id, after.evidence, after.type) == (before.claim_id, before.evidence, before.type)
    assert (after.modality, after.date.value, after.attribution.name) == (Modality.PLANNED, "2026-06", "Ada")
    assert [p.name for p in after.participants if p.role == "target"] == ["Harbour Council"]
    assert [p for p in after.participants if p.role != "target"] == [
        p for role in ("actor", "instrument") for p in before.participants if p.role == role
    ]
    assert ("modality", "occurred", "planned") in done.effects[0].changed
    assert done.effects[0].machine["modality"] == "occurred"


def test_party_added_by_an_editor_has_the_offsets_of_its_text() -> None:
    art, found = signing("courier", "a")
    done = applied([(art, found)], decide("edit", art, found.claims[0], target=("Harbour Council = Harbour Accord",)))
    party = next(p for p in only(done).participants if p.role == "target")
    assert art.text[party.start : party.end] == "Harbour Accord" == party.text


def test_a_retyped_claim_loses_the_direction_that_only_restrictions_have() -> None:
    art = article("courier", "a", "The agency banned Tessel 2 on Monday.")
    found = claim(art, art.text, "banned", "restriction", direction="impose", actor="Agency", object="Tessel 2")
    done = applied([(art, findings(art, found))], decide("edit", art, found, type="regulation"))
    assert (only(done).type, only(done).direction) == ("regulation", None)


def test_a_rejected_claim_is_gone_and_a_missed_one_can_be_added() -> None:
    art, found = signing("courier", "a", text="The ministry opened an inquiry into Meridian Labs.")
    extra = "The ministry opened an inquiry into Meridian Labs."
    added = Decision(
        "add", "ada", NOON, "missed", (Sentence(art.url, extra, "", "opened"),),
        changes={"type": "investigation", "modality": "occurred", "actor": ("Ministry",), "target": ("Meridian Labs",)},
        place=2,
    )  # fmt: skip
    done = applied([(art, found)], decide("reject", art, found.claims[0]), added)
    new = only(done)
    assert art.text[new.evidence.start : new.evidence.end] == extra == new.evidence.quote
    assert art.text[new.trigger_start : new.trigger_end] == "opened"
    assert {(p.role, p.name, p.text) for p in new.participants} == {
        ("actor", "Ministry", "ministry"), ("target", "Meridian Labs", "Meridian Labs")}  # fmt: skip
    assert done.rejected == {found.claims[0].claim_id} and done.marks == {new.claim_id: "added"}
    again = applied([(art, replace(found, claims=(*found.claims, new)))], added)
    assert len(again.claims()) == 2 and again.effects[0].detail == "the program now finds this claim too"


def test_the_later_of_two_decisions_on_one_claim_holds_and_the_earlier_is_marked_replaced() -> None:
    art, found = signing("courier", "a")
    late = decide("reject", art, found.claims[0], at=NOON.replace(hour=13), place=1)
    early = decide("accept", art, found.claims[0], place=2)
    done = applied([(art, found)], late, early)
    assert not done.claims()
    assert [(e.decision.action, e.status) for e in done.effects] == [("reject", "applied"), ("accept", "replaced")]
    assert "2026-06-01" in done.effects[1].detail


# surviving


def test_a_decision_is_found_again_by_its_sentence_when_the_claims_id_has_changed() -> None:
    art, found = signing("courier", "a")
    decision = decide("edit", art, found.claims[0], modality="planned")
    fresh = claim(art, SIGNED, "signed", "commitment", actor="Meridian Labs", on="2026-05-05")
    done = applied([(art, findings(art, fresh))], decision)
    assert fresh.claim_id != found.claims[0].claim_id
    assert (only(done).claim_id, only(done).type, only(done).modality) == (fresh.claim_id, "agreement", "planned")


def test_a_claim_that_an_editor_confirmed_stays_when_the_program_no_longer_finds_it() -> None:
    art, found = signing("courier", "a")
    done = applied([(art, findings(art))], decide("accept", art, found.claims[0]))
    after, before = only(done), found.claims[0]
    assert fields_of(after) == fields_of(before)
    assert (after.claim_id, after.evidence, after.trigger_start) == (
        before.claim_id,
        before.evidence,
        before.trigger_start,
    )
    assert "no longer finds" in done.effects[0].detail


@settings(max_examples=60, deadline=None)
@given(
    before=st.text(st.characters(blacklist_categories=("Cs",)), max_size=60),
    after=st.text(st.characters(blacklist_categories=("Cs",)), max_size=60),
    reads=st.sampled_from(["same", "other type", "nothing"]),
    action=st.sampled_from(["accept", "edit", "reject"]),
)
def test_a_review_survives_a_re_extraction_that_does_not_touch_its_sentence(before, after, reads, action) -> None:
    art, found = signing("courier", "a")
    decision = decide(action, art, found.claims[0], **({"modality": "denied"} if action == "edit" else {}))
    edited = article("courier", "a", f"{before}\n\n{SIGNED}\n\n{after}", day=5)
    type_ = "commitment" if reads == "other type" else "agreement"
    again = [] if reads == "nothing" else [claim(edited, SIGNED, "signed", type_, actor="Meridian Labs")]
    done = applied([(edited, findings(edited, *again))], decision, former=lambda id_: [art.text])
    assert done.effects[0].status == "applied"
    if action == "reject":
        assert not done.claims()
        return
    kept = only(done)
    assert kept.type == "agreement" and kept.modality == ("denied" if action == "edit" else "occurred")
    assert edited.text[kept.evidence.start : kept.evidence.end] == SIGNED == kept.evidence.quote


def test_a_decision_is_reopened_when_its_sentence_was_edited_and_both_wordings_are_kept() -> None:
    art, found = signing("courier", "a")
    wording = SIGNED.replace("signed", "said it would sign")
    edited = article("courier", "a", f"Other words stand here.\n\n{wording}\n\nAnd here.", day=5)
    fresh = claim(edited, wording, "sign", "agreement", actor="Meridian Labs", modality="planned")
    done = applied(
        [(edited, findings(edited, fresh))], decide("accept", art, found.claims[0]), former=lambda _: [art.text]
    )
    (effect,) = done.effects
    assert (effect.status, effect.new_wording) == ("reopened", wording)
    assert only(done) == fresh and not done.marks


def test_a_decision_that_fits_nothing_waits_and_says_why() -> None:
    art, found = signing("courier", "a")
    base = decide("reject", art, found.claims[0])
    (sentence,) = base.sentences
    other = claim(art, SIGNED, "Accord", "commitment", actor="Meridian Labs")
    cases = {
        "no article": replace(sentence, article="https://nobody.example/x"),
        "these words are not in": replace(sentence, quote="Nobody ever wrote this.", trigger=""),
        "has 2 claims": replace(sentence, claim_id="", trigger="", type=""),
    }
    for words, wrong in cases.items():
        done = applied([(art, findings(art, found.claims[0], other))], replace(base, sentences=(wrong,)))
        assert done.effects[0].status == "waiting" and words in done.effects[0].detail
        assert len(done.claims()) == 2
    elsewhere = signing("signal", "b")
    wrong = replace(base, action="accept", sentences=(replace(sentence, claim_id=elsewhere[1].claims[0].claim_id),))
    done = applied([(art, findings(art)), elsewhere], wrong)
    assert done.effects[0].status == "waiting" and "another sentence" in done.effects[0].detail


def test_the_order_of_the_input_makes_no_difference() -> None:
    pairs = [signing(name, name, day=day) for day, name in enumerate(("courier", "signal", "beacon"), 1)]
    decisions = [
        decide(action, art, found.claims[0], place=n)
        for n, (action, (art, found)) in enumerate(zip(("accept", "reject", "accept"), pairs, strict=True), 1)
    ]
    first = applied(pairs, *decisions)
    mixed, shuffled = random.Random(1).sample(pairs, 3), random.Random(2).sample(decisions, 3)
    other = applied(mixed, *shuffled)
    assert (other.claims(), other.effects, other.marks) == (first.claims(), first.effects, first.marks)


@given(st.sampled_from(["2026-05-05", "2026-05", "2026", "2026-05-04 to 2026-05-10 (relative)"]))
def test_claim_and_its_fields_survive_writing_and_reading(when: str) -> None:
    art, found = signing("courier", "a", on=None)
    dated = with_fields(found.claims[0], {"date": when}, lambda *_: pytest.fail("no party changed"))
    assert fields_of(dated)["date"] == when
    assert with_fields(dated, fields_of(dated), lambda *_: pytest.fail("no party changed")) == dated


# merging and splitting


def anchor(action: str, pairs, ids, stays=(), **more) -> Decision:
    by_id = {f.claims[0].claim_id: (art, f.claims[0]) for art, f in pairs}

    def sentence(id_: str) -> Sentence:
        art, found = by_id[id_]
        return Sentence(art.url, found.evidence.quote, id_, found.trigger, found.type)

    return Decision(action, "ada", more.pop("at", NOON), "because", tuple(map(sentence, ids)),
                    tuple(map(sentence, stays)), place=more.pop("place", 1))  # fmt: skip


def test_merges_and_splits_become_pairs_and_the_later_one_wins() -> None:
    pairs = [signing(name, name) for name in ("courier", "signal", "beacon")]
    one, two, three = (found.claims[0].claim_id for _, found in pairs)
    merge, split = anchor("merge", pairs, [one, two, three]), anchor("split", pairs, [three], [one, two], place=2)
    done = applied(pairs, merge)
    assert set(done.together) == {(one, two), (one, three)} and not done.apart
    done = applied(pairs, merge, replace(split, when=NOON.replace(hour=13)))
    assert done.together == ((one, two),) and set(done.apart) == {(three, one), (three, two)}
    assert [e.status for e in done.effects] == ["applied", "applied"] and "later decision" in done.effects[0].detail
    done = applied(pairs, replace(merge, when=NOON.replace(hour=13)), split)
    assert not done.apart and [e.status for e in done.effects] == ["applied", "replaced"]


def test_a_merge_whose_sentence_is_gone_is_reopened() -> None:
    pairs = [signing(name, name) for name in ("courier", "signal")]
    merge = anchor("merge", pairs, [f.claims[0].claim_id for _, f in pairs])
    edited = article("signal", "signal", "Nothing of it is left.", day=4)
    done = applied([pairs[0], (edited, findings(edited))], merge, former=lambda _: [pairs[1][0].text])
    assert done.effects[0].status == "reopened" and not done.together


# names


LEXICON = Lexicon(
    entities={"heron": Entity("heron", "Heron", EntityKind.MODEL)},
    names=(Name("Heron", "heron", "canonical", True),), roles=(), patterns=(), places=(), families={},
    wires=frozenset(), version="0",
)  # fmt: skip


def with_gap(name: str = "Oxbow", kind: EntityKind = EntityKind.ORGANISATION, role: str = "actor"):
    art, found = signing("courier", "a")
    party = Participant(role, unknown_entity_id(name, kind), name, kind)
    odd = replace(found.claims[0], participants=(*found.claims[0].participants, party))
    return art, replace(found, claims=(odd,), unknown_names=(UnknownName(name, kind, 0, 5),))


def settle(name: str, place: int = 1, **answer) -> Decision:
    return Decision("gap", "ada", NOON, "", name=name, place=place, **answer)


def test_a_name_can_be_an_alias_a_new_entity_or_no_name() -> None:
    art, found = with_gap("Heron-XL", EntityKind.ORGANISATION, "object")
    done = applied([(art, found)], settle("heron-xl", entity="heron"), lexicon=LEXICON)
    assert ("object", "heron", "Heron", EntityKind.MODEL) in {
        (p.role, p.entity_id, p.name, p.kind) for p in only(done).participants}  # fmt: skip
    assert done.findings[0].unknown_names == ()
    done = applied([(art, found)], settle("Heron-XL", entity="heron-xl", kind="model"), lexicon=LEXICON)
    assert "heron-xl" in {p.entity_id for p in only(done).participants}
    names = settle_names(LEXICON, [settle("Heron-XL", entity="heron-xl", kind="model")])
    assert names.lexicon.entities["heron-xl"].kind is EntityKind.MODEL and names.known("Heron-XL")
    done = applied([(art, found)], settle("Heron-XL"), lexicon=LEXICON)
    assert "Heron-XL" not in {p.name for p in only(done).participants}


def test_an_alias_may_refer_to_a_new_name_further_down_in_the_file() -> None:
    decisions = [settle("Heron-XL AI", entity="heron-xl"), settle("Heron-XL", 2, entity="heron-xl", kind="model")]
    assert settle_names(LEXICON, decisions).settled["heron-xl ai"].name == "Heron-XL"


def test_confirmed_claim_follows_later_decisions_on_its_names() -> None:
    art, found = with_gap("Heron-XL", EntityKind.ORGANISATION, "object")
    accept = decide("accept", art, found.claims[0], place=2)
    for answer, objects in (({"entity": "heron"}, {"heron"}), ({}, set())):
        done = applied([(art, found)], accept, settle("Heron-XL", **answer), lexicon=LEXICON)
        assert {p.entity_id for p in only(done).participants if p.role == "object"} == objects


def test_decision_on_a_missing_name_waits() -> None:
    done = applied([with_gap()], settle("Oxbow", entity="nobody"), settle("Unheard", 2), lexicon=LEXICON)
    assert [e.status for e in done.effects] == ["waiting", "waiting"]
    assert "no entity 'nobody'" in done.effects[0].detail and "no claim" in done.effects[1].detail


def test_claim_whose_only_party_is_not_a_name_is_removed() -> None:
    art, found = with_gap()
    lone = replace(found.claims[0], participants=found.claims[0].participants[-1:])
    done = applied([(art, replace(found, claims=(lone,)))], settle("Oxbow"))
    assert not done.claims() and done.rejected == {lone.claim_id}


# the file


def example() -> list[Decision]:
    art, found = signing("courier", "a")
    odd = replace(found.claims[0], trigger="signed")
    pairs = [signing(name, name) for name in ("courier", "signal")]
    ids = [f.claims[0].claim_id for _, f in pairs]
    return [
        decide("accept", art, odd),
        decide("edit", art, odd, modality="planned", target=("A “B” = c\\d", "É\x7f")),
        replace(decide("reject", art, odd), why='No.\n[[decision]]\naction = "x" # \x01 \u2028 \U0001f600'),
        replace(decide("add", art, odd, type="agreement", modality="planned", actor=("X",)), place=4),
        anchor("merge", pairs, ids), anchor("split", pairs, ids[:1], ids[1:]),
        settle("Oxbow", entity="heron"),
        settle("Oxbow Ltd", entity="oxbow", kind="organisation", more={"parent": "heron"}),
        settle("Read More"),
    ]  # fmt: skip


def test_written_decisions_are_read_back_byte_for_byte(tmp_path: Path) -> None:
    path = tmp_path / "reviews.toml"
    append_decisions(path, example())
    read = load_reviews(path).decisions
    assert [replace(d, place=0) for d in read] == [
        replace(d, place=0, sentences=d.sentences if d.action != "add" else (replace(d.sentences[0], type=""),))
        for d in example()
    ]
    assert [d.place for d in read] == list(range(1, 10))
    assert "".join(map(decision_text, read)) == "".join(map(decision_text, example()))
    before = path.read_bytes()
    append_decisions(path, [])
    load_reviews(path)
    assert path.read_bytes() == before


def test_editors_own_text_stays_unchanged_when_a_decision_is_added(tmp_path: Path) -> None:
    path = tmp_path / "reviews.toml"
    by_hand = '# our file\n[[decision]] # first\naction   = "gap"\nwho="ada"\nwhen=2026-06-01\nname="X"\nno_name=true'
    path.write_text(by_hand)
    append_decisions(path, example()[:1])
    assert path.read_text().startswith(by_hand + "\n\n[[decision]]\n")
    assert [d.action for d in load_reviews(path).decisions] == ["gap", "accept"]


GOOD = decision_text(example()[1])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[decision]\n", "is not TOML"),
        ("\x00", "is not TOML"),
        ("a = " + "[" * 3000, "is not TOML"),
        ("decision = 3\n", "under [[decision]]"),
        ("[[decisions]]\n", "unknown table or key 'decisions'"),
        ("[[editor]]\nwho = 3\n", "editor 1: write [[editor]]"),
        (GOOD.replace('"edit"', '"delete"'), "action is 'delete'; it can be accept"),
        (GOOD.replace("who =", "whom ="), "unknown key 'whom'"),
        (GOOD.replace("2026-06-01T12:00:00Z", "2026-06-01T12:00:00"), "with its zone"),
        (GOOD.replace("2026-06-01T12:00:00Z", '"yesterday"'), "when is yesterday"),
        (GOOD.replace('"planned"', '"done"'), "modality is 'done'; it can be occurred"),
        (GOOD.replace("set.modality", "set.mood"), "unknown field 'mood'"),
        (GOOD.replace('why = "because"\n', ""), "why is missing"),
        (GOOD.replace("courier.example", "courier.example").replace("https://", ""), "article is"),
        (GOOD.replace('trigger = "signed"', 'trigger = "sang"'), "'sang' is not in the quote"),
        (GOOD.replace('claim = "c', 'claim = "x'), "an id is the letter c and 16"),
        (GOOD + GOOD, "it repeats decision 1"),
        ("\n".join(line for line in GOOD.splitlines() if not line.startswith("set.")), "an edit changes something"),
        (GOOD.replace("set.modality", 'set.direction = "impose"\nset.modality'), "only a restriction has a direction"),
        (GOOD.replace('set.modality = "planned"', 'set.date = "2026-02-30"'), "no such day exists"),
        ('[[decision]]\naction = "gap"\nwho = "a"\nwhen = 2026-06-01\nname = "X"\nnew = "spaceship"\n', "kinds are"),
        ('[[decision]]\naction = "gap"\nwho = "a"\nwhen = 2026-06-01\nname = "X"\n', "write one of is"),
        ('[[decision]]\naction = "merge"\nwho = "a"\nwhen = 2026-06-01\nwhy = "x"\n', "a claim of each event"),
    ],
)
def test_invalid_decision_is_refused_with_file_place_and_correction(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "reviews.toml"
    path.write_text(text)
    read = read_reviews(path)
    assert read.problems and words in read.problems[0] and str(path) in read.problems[0]
    with pytest.raises(WrongUse) as caught:
        append_decisions(path, example()[:1])
    assert words in str(caught.value) and path.read_text() == text


def test_the_place_of_a_problem_is_its_number_and_line() -> None:
    text = "# words\n\n" + decision_text(example()[0]) + "\n" + GOOD.replace('"planned"', '"done"')
    (problem,) = parse_reviews(text.encode(), "reviews.toml").problems
    line = text[: text.rindex("[[decision]]")].count("\n") + 1
    assert problem.startswith(f"reviews.toml, decision 2, line {line}: set: modality is 'done'")


@given(st.binary(max_size=300))
def test_no_bytes_make_the_reader_fail(body: bytes) -> None:
    parse_reviews(body, "reviews.toml")


def test_a_value_of_a_field_is_checked() -> None:
    assert problem_with("actor", ["Meta"]) == "" == problem_with("attribution", "person: Ada Arden")
    assert "write names in a list" in problem_with("actor", [3])
    assert "write one of own_reporting" in problem_with("attribution", "somebody: Ada")
    assert "ends before it begins" in problem_with("date", "2026-05-05 to 2026-05-01")


# at a build


def world() -> list[tuple]:
    return [signing(name, name, day=day) for day, name in enumerate(("courier", "signal", "beacon"), 1)]


def built(tmp_path: Path, name: str, pairs, *decisions: Decision, public=None, earlier=()) -> Path:
    with Library(tmp_path / f"{name}.crawl.db") as library:
        for art in earlier:
            library.save_article(art)
        for art, found in pairs:
            library.save(art, found, "1")
    target = tmp_path / f"{name}.build.db"
    build(library.path, target, SOURCES, reviews=ReviewFile(tuple(decisions), public or {}))
    return target


def rows(path: Path, sql: str) -> list[tuple]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


def test_a_build_applies_decisions_and_publishes_them_without_the_editors_name(tmp_path: Path) -> None:
    pairs = world()
    (one, first), (two, second), _ = pairs
    reject = decide("reject", one, first.claims[0])
    edit = decide("edit", two, second.claims[0], place=2, modality="planned")
    path = built(tmp_path, "a", pairs, reject, edit)
    assert rows(path, "select n_articles from events") == [(2,)]
    assert rows(path, "select reviewed from claims where reviewed <> ''") == [("changed",)]
    published = rows(path, "select decision, status, editor, effect from reviews order by decision")
    assert published == [
        ("edit", "applied", "", "modality: occurred → planned"),
        ("reject", "applied", "", "removed"),
    ]
    named = built(tmp_path, "b", pairs, reject, public={"ada": "Ada Arden"})
    assert rows(named, "select editor from reviews") == [("Ada Arden",)]


def test_a_merge_and_a_split_make_the_events_that_editors_asked_for(tmp_path: Path) -> None:
    pairs = world()
    ids = [found.claims[0].claim_id for _, found in pairs]
    assert rows(built(tmp_path, "plain", pairs), "select count(*) from events") == [(1,)]
    path = built(tmp_path, "split", pairs, anchor("split", pairs, ids[:1], ids[1:]))
    assert sorted(rows(path, "select n_claims from events")) == [(1,), (2,)]
    merge = anchor("merge", pairs, ids, at=NOON.replace(hour=13), place=2)
    path = built(tmp_path, "both", pairs, anchor("split", pairs, ids[:1], ids[1:]), merge)
    assert rows(path, "select n_claims from events") == [(3,)]
    assert rows(path, "select decision, status from reviews order by 1") == [
        ("merge", "applied"),
        ("split", "replaced"),
    ]


def test_claim_can_be_added_to_an_article_judged_irrelevant(tmp_path: Path) -> None:
    art, found = signing("courier", "a")
    added = decide("add", art, found.claims[0], **fields_of(found.claims[0]))
    nothing = Findings(art.article_id, art.version, False, 0.1)
    path = built(tmp_path, "a", [(art, nothing)], added)
    assert rows(path, "select quote, reviewed, confidence from claims") == [(SIGNED, "added", 1.0)]
    assert rows(built(tmp_path, "b", [(art, nothing)]), "select count(*) from articles") == [(0,)]


def test_an_event_whose_only_claim_was_rejected_says_so_at_its_old_address(tmp_path: Path) -> None:
    pairs = world()[:1]
    path = built(tmp_path, "a", pairs)
    ((event_id,),) = rows(path, "select event_id from events")
    build(
        tmp_path / "a.crawl.db",
        path,
        SOURCES,
        reviews=ReviewFile((decide("reject", pairs[0][0], pairs[0][1].claims[0]),)),
    )
    assert rows(path, "select old_event_id, event_id, reason from event_redirects") == [
        (event_id, None, "an editor rejected the claims that it rested on")
    ]


def test_the_same_decisions_give_the_same_bytes_and_a_second_build_adds_nothing(tmp_path: Path) -> None:
    pairs = world()
    decisions = [decide("edit", *[(a, f.claims[0]) for a, f in pairs][0], modality="planned"), settle("Nobody", 2)]
    folders = []
    for name in ("a", "b"):
        path = built(tmp_path, name, random.Random(name).sample(pairs, 3), *decisions)
        build(tmp_path / f"{name}.crawl.db", path, SOURCES, reviews=ReviewFile(tuple(decisions)))
        export(path, tmp_path / name)
        folders.append({file.name: file.read_bytes() for file in sorted((tmp_path / name).iterdir())})
    assert folders[0] == folders[1] and b"Nobody" in folders[0]["reviews.csv"]


def test_the_queue_has_reopened_decisions_first_then_contradictions_and_drops_what_was_decided(tmp_path: Path) -> None:
    pairs = world()
    old = pairs[0][0]
    edited = article("courier", "courier", SIGNED.replace("5 May", "6 May"), day=9)
    moved = claim(
        edited, edited.text, "signed", "agreement", actor="Meridian Labs", instrument="Harbour Accord", on="2026-05-06"
    )
    denied = signing(
        "herald", "d", sentence="Meridian Labs denied that it signed the Harbour Accord.", day=4, modality="denied"
    )
    doubt = claim(denied[0], denied[0].text.split("\n")[2], "known", "refusal", actor="Oxbow", confidence=0.2)
    news = [
        (edited, findings(edited, moved)),
        *pairs[1:],
        (denied[0], replace(denied[1], claims=(*denied[1].claims, doubt))),
    ]
    stale = decide("accept", old, pairs[0][1].claims[0])
    path = built(tmp_path, "a", news, stale, earlier=[old])
    with Library(tmp_path / "a.crawl.db") as library:
        queue = library.queue()
    assert [item.reason for item in queue][0] == "reopened" and queue[0].was == SIGNED and queue[0].quote == edited.text
    assert {"happened", "unsure"} <= {item.reason for item in queue}
    assert [item.position for item in queue] == list(range(1, len(queue) + 1))
    scores = [item.score for item in queue[1:]]
    assert scores == sorted(scores, reverse=True)
    assert rows(path, "select value from build_info where key = 'n_to_review'") == [(str(len(queue)),)]
    assert "review_queue" not in {name for (name,) in rows(path, "select name from sqlite_master")}
    settled = [
        decide("accept", art, c, place=n) for n, (art, c) in enumerate(((a, c) for a, f in news for c in f.claims), 1)
    ]
    built(tmp_path, "b", news, *settled)
    with Library(tmp_path / "b.crawl.db") as library:
        assert library.queue() == []
