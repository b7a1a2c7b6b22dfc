"""The choice between two readings of a page's body."""

from __future__ import annotations

import pytest

from scrapers.reading.blocks import Block, parse
from scrapers.reading.body import by_justext, by_trafilatura, choose, general_body, linked_body, with_links

RULES = (
    "as its own rules have said for as long as it has had any of them, and of which the minister has said in the house "
    "that they would all stay as they are until there is a new law for the whole of the country"
)
STORY = [Block("p", f"On day {n} the ministry published order number {n} of this spring, {RULES}.") for n in range(8)]
OTHER = [
    Block("p", f"Recipe {n}: stir the flour into the milk and wait until the whole dough has risen.") for n in range(8)
]
LABEL = Block("p", "Watch: the minister's speech")


def never() -> list[Block]:
    raise AssertionError("a third opinion is not needed where two agree")


def test_ours_is_taken_where_both_agree_without_short_lines_that_one_alone_has():
    own = [STORY[0], LABEL, *STORY[1:]]
    assert choose(own, STORY, never) == STORY
    assert choose(own, [LABEL, *STORY], never) == own


def test_a_deck_and_long_paragraphs_need_no_second_reader():
    deck = Block("p", "Nobody had expected it")
    long = Block(
        "p", "The text of the last order is forty pages long, and the ministry asks for comments on it until June."
    )
    own = [deck, *STORY, long]
    assert choose(own, STORY, never) == own


@pytest.mark.parametrize(("third", "expected"), [(STORY, STORY), (OTHER, OTHER), ([LABEL], OTHER)])
def test_a_third_opinion_decides_where_they_differ_and_trafilatura_wins_without_one(third, expected):
    assert choose(STORY, OTHER, lambda: third) == expected


def test_an_empty_opinion_does_not_count():
    assert choose([], OTHER, never) == OTHER and choose(STORY, [], never) == STORY


def test_links_are_those_of_the_same_paragraph_on_the_page():
    page = '<p>The order is <a href="/order">on the site</a>.</p><p>Nothing else.</p>'
    (found, other) = with_links([Block("p", "The order is on the site."), Block("p", "Not there.")], page)
    assert found.links == (("/order", "on the site"),) and found.link_chars == len("on the site")
    assert other.links == ()


def test_every_reader_finds_the_paragraphs_of_a_plain_page():
    story = "".join(f"<p>{block.text}</p>" for block in STORY)
    html = f"<html><body><nav><a href='/a'>Home</a></nav><article>{story}</article></body></html>"
    texts = [block.text for block in STORY]
    for body in (general_body(parse(html)), by_trafilatura(html), by_justext(html)):
        assert [block.text for block in body] == texts


def test_an_article_body_of_json_ld_may_contain_markup():
    assert [block.text for block in linked_body("<p>One <b>bold</b> word.</p><p>Two.<br>Three.</p>\n")] == [
        "One bold word.",
        "Two.",
        "Three.",
    ]
