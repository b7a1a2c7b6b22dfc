"""Near-duplicates and credited reports count once; independent reports count separately."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.builders import SIGNED, article, claim, credit, findings, signing, source

from pipeline.aggregation.aggregate import aggregate
from pipeline.aggregation.sources.near_duplicates import find_near_duplicates
from pipeline.aggregation.sources.origins import find_origins
from pipeline.aggregation.sources.publishers import Outlet, Publishers, plain
from pipeline.records import Attribution
from scrapers.items import SourceType

WIRE_TEXT = (
    "The two sides met on Monday in the old customs house, where staff had laid out copies of the text since dawn. "
    "The accord asks the laboratory to open its largest systems to outside examiners ninety days before any release. "
    "Inspectors may look at training logs, at the safety tests and at the plans for what happens after a failure. "
    "People close to the talks said that the last open question was who pays for the examiners and their machines. "
    "A clause lets either side end the accord with half a year of notice, and a report is due every spring."
)
OWN_TEXT = (
    "Our reporter saw the document, eleven pages with two annexes, on the desk of the deputy head of the office. "
    "It does not name the systems that are covered, and lawyers whom we asked disagree on what counts as a release. "
    "The laboratory's rivals were not invited, two of them said, and they learned of it from the evening news."
)
SOURCES = (
    source("wirepool", agency=True), source("gazette", family="northgroup"), source("herald", family="northgroup"),
    source("courier"), source("signal"), source("beacon"),
)  # fmt: skip
OUTLETS = (Outlet("The Morning Ledger", ("Morning Ledger",)), Outlet("Wire Pool", ("Wirepool",), "", True))


def joined(*reports, sources=SOURCES):
    return aggregate([f for _, f in reports], [a for a, _ in reports], sources)


def n_origins(*reports) -> list[tuple[int, int]]:
    return [(e.n_articles, e.n_origins) for e in joined(*reports).events]


def test_reprinted_wire_story_is_one_origin_led_by_the_agency() -> None:
    wire = signing("wirepool", "accord", text=WIRE_TEXT, day=2)
    reprints = [signing(s, "accord-reprint", text=WIRE_TEXT, day=1) for s in ("courier", "signal")]
    result = joined(wire, *reprints)
    assert [(e.n_articles, e.n_origins) for e in result.events] == [(3, 1)]
    assert [(o.kind, o.label, o.lead_article_id) for o in result.origins] == [("wire", "Wirepool", wire[0].article_id)]
    assert {(e.article_id, e.to_article_id, e.basis) for e in result.edges} == {
        (a.article_id, wire[0].article_id, "wire") for a, _ in reprints
    }


def test_a_lightly_rewritten_copy_is_a_copy() -> None:
    rewritten = WIRE_TEXT.replace("met on Monday", "came together on Monday").replace("ninety days", "three months")
    assert n_origins(signing("courier", "a", text=WIRE_TEXT), signing("signal", "b", text=rewritten)) == [(2, 1)]


def test_reports_of_their_own_are_two_origins() -> None:
    one = signing("courier", "a", text=WIRE_TEXT)
    other = signing("signal", "b", text=OWN_TEXT, sentence=SIGNED.replace("signed", "has signed"))
    assert n_origins(one, other) == [(2, 2)]


def test_two_outlets_of_one_publisher_group_count_once() -> None:
    one, other = signing("gazette", "a", text=WIRE_TEXT), signing("herald", "b", text=OWN_TEXT, day=40)
    result = joined(one, other)
    assert [(e.n_articles, e.n_origins) for e in result.events] == [(2, 1)]
    assert [(e.article_id, e.basis) for e in result.edges] == [(other[0].article_id, "family")]


def test_a_credit_chain_of_two_steps_is_one_origin() -> None:
    first = signing("beacon", "scoop", text=OWN_TEXT)
    second = signing(
        "courier", "b", day=2, text="The signing was first reported by Beacon, which saw the pages.",
        credits=[("Beacon", "first reported by")],
    )  # fmt: skip
    third = signing("signal", "c", day=3, text="Source: Courier", credits=[("Courier", "source line")])
    result = joined(first, second, third)
    assert [(e.n_articles, e.n_origins) for e in result.events] == [(3, 1)]
    assert [(o.label, o.lead_article_id, len(o.article_ids)) for o in result.origins] == [
        ("Beacon", first[0].article_id, 3)
    ]
    assert {(e.article_id, e.to_article_id) for e in result.edges} == {
        (second[0].article_id, first[0].article_id), (third[0].article_id, second[0].article_id),
    }  # fmt: skip


def test_reports_that_credit_one_outlet_outside_the_ledger_are_one_origin() -> None:
    reports = [
        signing(s, "x", text=f"The Morning Ledger was told so. {text}", credits=[("Morning Ledger", "told")])
        for s, text in (("courier", WIRE_TEXT), ("signal", OWN_TEXT))
    ]
    articles, found = zip(*reports, strict=True)
    origins, edges = find_origins(articles, found, SOURCES, OUTLETS)
    assert [(o.kind, o.label, o.lead_article_id) for o in origins] == [("credited", "The Morning Ledger", "")]
    assert {e.to_name for e in edges} == {"The Morning Ledger"}


def test_a_dateline_credits_nobody() -> None:
    one = signing("courier", "a", text="(Wirepool) " + OWN_TEXT, credits=[("Wirepool", "dateline")])
    origins, edges = find_origins([one[0]], [one[1]], SOURCES, OUTLETS)
    assert [o.kind for o in origins] == ["original"]
    assert edges == ()


def test_a_credit_deep_in_the_text_speaks_for_its_own_sentence_only() -> None:
    said = "Meridian Labs banned the Ministry from its models, the Beacon reported."
    art = article("courier", "long", f"{SIGNED}\n\n{OWN_TEXT * 5}\n\n{said}", day=1)
    own = claim(art, SIGNED, "signed", "agreement", actor=["Meridian Labs", "Office"], instrument="Harbour Accord")
    taken = claim(
        art, said, "banned", "restriction", direction="impose", actor="Meridian Labs", target="Ministry",
        object="Lantern 2"
    )  # fmt: skip
    found = findings(art, own, taken, credits=[credit(art, "Beacon", "reported")])
    result = aggregate([found], [art], SOURCES)
    labels = {o.origin_id: o.label for o in result.origins}
    assert labels[result.claim_origin[own.claim_id]] == "Courier"
    assert labels[result.claim_origin[taken.claim_id]] == "Beacon"


def test_a_name_inside_a_longer_name_is_no_credit_of_its_own() -> None:
    first = signing("beacon", "scoop", text=OWN_TEXT)
    late = signing("courier", "b", day=2, text="It was first reported by Beacon Street Beacon.")
    art, found = late
    whole = credit(art, "Beacon", "first reported by")
    late = art, replace(found, credits=(replace(whole, name="Beac", end=whole.end - 2), whole))
    result = joined(first, late)
    assert [(e.n_articles, e.n_origins) for e in result.events] == [(2, 1)]
    assert [o.label for o in result.origins] == ["Beacon"]


def test_the_order_of_articles_makes_no_difference() -> None:
    reports = [
        signing("wirepool", "w", text=WIRE_TEXT, day=2), signing("courier", "c", text=WIRE_TEXT),
        signing("gazette", "g", text=OWN_TEXT), signing("herald", "h", day=3, text="Short, and its own words here."),
        signing("signal", "s", day=4, text="As the Beacon said first.", credits=[("Beacon", "first reported by")]),
    ]  # fmt: skip
    expected = joined(*reports)
    for seed in range(4):
        random.Random(seed).shuffle(reports)
        assert joined(*reports) == expected


def test_short_texts_are_no_near_duplicates_and_a_cut_reprint_is_one() -> None:
    assert find_near_duplicates({"a": "The same few words.", "b": "The same few words."}) == {}
    cut = WIRE_TEXT[: len(WIRE_TEXT) // 2]
    assert list(find_near_duplicates({"a": WIRE_TEXT, "b": cut, "c": OWN_TEXT})) == [("a", "b")]


@pytest.mark.parametrize(
    ("one", "other"),
    [("The New York Times", "New York Times"), ("Reuters news agency", "reuters"), ("BBC News", "BBC")],
)
def test_a_publisher_is_known_under_its_usual_names(one: str, other: str) -> None:
    assert plain(one) == plain(other)
    assert Publishers([]).family(one) == Publishers([]).family(other)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.sampled_from(["courier", "signal", "beacon", "gazette", "herald", "wirepool"]), min_size=1, max_size=7)
)
def test_another_reprint_adds_an_article_and_never_a_confirmation(names: list[str]) -> None:
    reports = [signing(name, f"r{n}", text=WIRE_TEXT, day=n) for n, name in enumerate(names)]
    counts = [n_origins(*reports[: n + 1]) for n in range(len(reports))]
    assert counts == [[(n + 1, 1)] for n in range(len(reports))]


def test_cycle_of_credits_ends_and_is_one_origin() -> None:
    names = ("Courier", "Signal", "Beacon")
    reports = [
        signing(name.casefold(), "x", text=f"{to} reported it.", credits=[(to, "reported")])
        for name, to in zip(names, (*names[1:], names[0]), strict=True)
    ]
    assert n_origins(*reports) == [(3, 1)]


def test_reprint_with_a_new_first_paragraph_is_a_reprint() -> None:
    sentence = "It is done: Meridian Labs has signed the Harbour Accord with the Office of Machine Safety."
    one = signing("courier", "a", text=WIRE_TEXT)
    edited = signing("signal", "new-headline", text=WIRE_TEXT, sentence=sentence, day=2)
    result = joined(one, edited)
    assert [(e.n_articles, e.n_origins) for e in result.events] == [(2, 1)]
    assert [(e.article_id, e.to_article_id, e.basis) for e in result.edges] == [
        (edited[0].article_id, one[0].article_id, "copy")
    ]


@pytest.mark.parametrize(
    "credited",
    [
        "The Beacon reported on Wednesday that testers of the office had seen another system.",
        "The two have met before: in 2023, the Beacon reported, they fell out over a model of ships.",
        "A separate case was first reported by the Beacon.",
    ],
)
def test_a_credit_for_another_story_leaves_the_article_its_own_origin(credited: str) -> None:
    text = f"{OWN_TEXT}\n\nThe staff were told at noon, and the ministers the day after.\n\n{credited}"
    first = signing("beacon", "first", text=WIRE_TEXT)
    own = signing("courier", "own", day=2, text=text, credits=[("Beacon", "reported")])
    assert n_origins(first, own) == [(2, 2)]


def test_text_before_after_the_beacon_reported_is_the_articles_own() -> None:
    sentence = "Meridian Labs signed the Harbour Accord on Tuesday after the Beacon reported that it had given up."
    own = signing("courier", "own", day=2, sentence=sentence, credits=[("Beacon", "reported")])
    result = joined(signing("beacon", "first", text=WIRE_TEXT), own)
    ((claim_,),) = (f.claims for _, f in [own])
    labels = {o.origin_id: o.label for o in result.origins}
    assert labels[result.claim_origin[claim_.claim_id]] == "Courier"


def test_a_linked_report_is_found_even_if_its_names_are_read_differently() -> None:
    first = signing("beacon", "scoop", text=WIRE_TEXT)
    scoop = [("Beacon", "first reported by")]
    art, found = signing("courier", "b", day=2, text="It was first reported by Beacon.", credits=scoop)
    other_name = replace(found.claims[0], participants=())
    found = replace(found, claims=(other_name,), credits=(*found.credits, credit(art, "Beacon", "link", first[0].url)))
    result = joined(first, (art, found))
    assert {(e.article_id, e.to_article_id, e.to_name) for e in result.edges} == {
        (art.article_id, first[0].article_id, "Beacon")
    }


def test_report_of_a_statement_alone_shares_its_origin() -> None:
    office = source("office_of_machine_safety", source_type=SourceType.PRIMARY)
    says = Attribution("organisation", "Office of Machine Safety")
    statement = signing("office_of_machine_safety", "statement", text=WIRE_TEXT)
    retold = signing("courier", "retold", text=OWN_TEXT, says=says)
    result = joined(statement, retold, sources=(*SOURCES, office))
    assert [(e.n_articles, e.n_origins) for e in result.events] == [(2, 1)]
    assert [(e.article_id, e.to_article_id, e.detail) for e in result.edges] == [
        (retold[0].article_id, statement[0].article_id, "rests on its statement alone")
    ]
    for own in ({"says": Attribution()}, {"says": Attribution("anonymous")}, {"says": says, "day": 9}):
        alone = signing("signal", "own", text="Short, and its own words here.", **own)
        (event,) = joined(statement, alone, sources=(*SOURCES, office)).events
        assert event.n_origins == 2, own


def test_an_article_counts_once_however_many_it_credits() -> None:
    said = "Meridian Labs signed the Harbour Accord at noon, {} reported."
    parts = [SIGNED, *(said.format(name) for name in ("the Beacon", "the Signal"))]
    art = article("courier", "many", "\n\n".join([parts[0], OWN_TEXT, OWN_TEXT, *parts[1:]]), day=1)
    made = [claim(art, s, "signed", "agreement", actor=["Meridian Labs", "Office"], instrument="Harbour Accord")
            for s in parts]  # fmt: skip
    for claims in (made, made[1:]):
        found = findings(art, *claims, credits=[credit(art, n, "reported") for n in ("Beacon", "Signal")])
        (event,) = aggregate([found], [art], SOURCES).events
        assert (event.n_articles, event.n_origins) == (1, 1)


OUTLETS_OF_THE_DRAW = ("courier", "signal", "beacon", "gazette", "herald", "wirepool")
DRAWN = st.lists(
    st.tuples(
        st.sampled_from(OUTLETS_OF_THE_DRAW),
        st.sampled_from(("own", "wire", "late")),
        st.sampled_from(("", "Beacon", "Morning Ledger", "Courier")),
        st.sampled_from(("first reported by", "reported", "source line", "dateline")),
    ),
    min_size=1,
    max_size=6,
)


def drawn(number: int, outlet: str, text: str, credited: str, cue: str):
    texts = {"own": f"{outlet} number {number} saw it alone.", "wire": WIRE_TEXT, "late": f"{OWN_TEXT}\n\n{number}"}
    body = texts[text]
    body += f"\n\nAll of this {credited} said." if credited else ""
    return signing(outlet, f"r{number}", text=body, day=number % 4, credits=[(credited, cue)] if credited else ())


@settings(max_examples=40, deadline=None)
@given(DRAWN, st.randoms(use_true_random=False))
def test_order_does_not_matter_and_origins_never_exceed_articles(rows, shuffle) -> None:
    reports = [drawn(n, *row) for n, row in enumerate(rows)]
    expected = joined(*reports)
    assert all(1 <= e.n_origins <= e.n_articles for e in expected.events)
    shuffle.shuffle(reports)
    assert joined(*reports) == expected


@settings(max_examples=40, deadline=None)
@given(DRAWN, st.integers(0, 5))
def test_a_later_reprint_by_somebody_else_never_adds_an_origin(rows, which) -> None:
    reports = [drawn(n, *row) for n, row in enumerate(rows)]
    art, found = reports[which % len(reports)]
    if len(art.text) < 500:
        return  # too short for a near-duplicate
    text = art.text
    reprint = article("reprinter", "again", text, day=5)
    again = replace(found.claims[0], claim_id="c" + "f" * 16,
                    evidence=replace(found.claims[0].evidence, article_id=reprint.article_id))  # fmt: skip
    copied = (reprint, replace(found, article_id=reprint.article_id, claims=(again,)))
    sources = (*SOURCES, source("reprinter"))
    before = sum(e.n_origins for e in joined(*reports, sources=sources).events)
    assert sum(e.n_origins for e in joined(*reports, copied, sources=sources).events) <= before
