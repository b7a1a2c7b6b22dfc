"""Removal of boilerplate paragraphs from articles."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.paths import SHARED

from scrapers.reading.blocks import tidy
from scrapers.reading.boilerplate import clean, clean_text, rule_for

SEED = SHARED / "seed" / "texts" / "seed-us-urges-meta.json"

# Headings of the seed article that may be kept: the author wrote them.
HEADINGS = (
    "Implications", "Regulatory", "Unclear", "Next Steps", "Key Questions",
    "Why is", "Has Meta", "How does", "What are", "When will",
)  # fmt: skip

PROSE = [
    "The ministry asked the company on Tuesday for access to its newest model, two officials said.",
    "The company said that it was still working through the details and that it hoped to sign soon.",
    "Under the rules the ministry has thirty days to finish a test before a model may be released.",
]

JUNK = [
    ("As an affiliate, we earn on qualifying purchases.", "affiliate"),
    ("As an Amazon Associate I earn from qualifying purchases.", "affiliate"),
    ("If you buy something through our links, we may earn a commission.", "affiliate"),
    ("This post contains affiliate links.", "affiliate"),
    ("View on Amazon", "shop-line"),
    ("$19.99 at Best Buy", "shop-line"),
    ("Sign up for our daily newsletter here.", "newsletter"),
    ("Subscribe to our channel for more.", "newsletter"),
    ("Get the day's news delivered straight to your inbox", "newsletter"),
    ("Follow us on Facebook for the latest.", "newsletter"),
    ("Advertisement", "advert"),
    ("Article continues below", "advert"),
    ("Share this article", "share"),
    ("70 Comments", "share"),
    ("Image: The Gazette", "caption"),
    ("Ann Reed | Bloomberg | Getty Images", "caption"),
    ("A hall in spring. (AP Photo/Ann Reed)", "caption"),
    ("READ MORE: Ministers meet again", "pointer"),
    ("###", "pointer"),
    ("Reporting by Ann Reed in Paris; Editing by Bo Day", "credit-line"),
    ("Source: Engadget", "source-line"),
    ("This article originally appeared in The Lantern Journal.", "source-line"),
]

NEWS = [
    "The company agreed to share its models with the institute.",
    "Subscribers to the service will lose access to the model in June, the regulator said.",
    "The newsletter that leaked the memo said it had seen two drafts.",
    "Buyers may earn money with the tool, the court was told.",
    "Amazon said it would sign the code.",
    "Source code for the model was handed over on Friday.",
    "More than forty states have sued.",
    "Getty Images sued the developer in London in 2023.",
    "Reuters first reported the talks on Monday.",
    "Advertising rules will apply to chatbots from May, the watchdog said.",
    "The photo rule was dropped.",
    "Has Meta agreed to share its models yet?",
    "Share prices fell after the order.",
    "Related bills are before the Senate.",
    "Commission officials said they would follow the case.",
]


@pytest.mark.parametrize(("line", "rule"), JUNK)
def test_boilerplate_line_is_removed_with_its_rule(line, rule):
    cleaned = clean([*PROSE, line])
    assert list(cleaned.kept) == PROSE
    assert [(block.text, block.rule) for block in cleaned.removed] == [(line, rule)]


@pytest.mark.parametrize("line", NEWS)
def test_news_sentence_with_a_boilerplate_word_is_kept(line):
    assert rule_for(line) == ""
    assert line in clean([*PROSE, line]).kept


def test_product_titles_are_removed_whether_single_or_repeated():
    lines = ["A Handbook of Testing, Second Edition", "View on Amazon", *PROSE[1:], "Guide to Cards", "Guide to Cards"]
    cleaned = clean([PROSE[0], *lines])
    assert list(cleaned.kept) == PROSE
    assert cleaned.has_affiliate_content


def test_heading_after_a_disclosure_is_kept():
    cleaned = clean(
        [PROSE[0], "As an affiliate, we earn on qualifying purchases.", "What the ministry may do", *PROSE[1:]]
    )
    assert "What the ministry may do" in cleaned.kept


def test_teasers_after_the_article_are_removed_with_their_heading():
    tail = ["You May Also Like", "Are phones over?", "A look at five phones that did not survive the summer at all."]
    cleaned = clean([*PROSE, *tail])
    assert list(cleaned.kept) == PROSE
    assert {block.rule for block in cleaned.removed} == {"tail"}


PROSE_TWO = [line.replace("The ", "Yesterday the ").replace("Under the", "As to the") for line in PROSE]
PROSE_THREE = [line.replace("The ", "Today the ").replace("Under the", "By the") for line in PROSE]


def test_article_that_continues_after_teasers_is_not_truncated():
    middle = ["Trending", "A headline about something else entirely", "Another headline about a film"]
    cleaned = clean([*PROSE, *PROSE_TWO, *middle, *PROSE_THREE])
    assert list(cleaned.kept) == [*PROSE, *PROSE_TWO, *PROSE_THREE]


def test_pull_quote_is_removed_and_its_paragraph_is_kept():
    said = "“We asked for the weights and we got the weights, and that is all I will say,” the deputy head said."
    pulled = "“We asked for the weights and we got the weights, and that is all I will say”"
    cleaned = clean([PROSE[0], pulled, said, *PROSE[1:]])
    assert list(cleaned.kept) == [PROSE[0], said, *PROSE[1:]]
    assert cleaned.removed[0].rule == "pull-quote"


def test_text_without_blank_lines_is_cleaned_line_by_line():
    cleaned = clean_text("\n".join([*PROSE, "Advertisement"]))
    assert cleaned.text == "\n\n".join(PROSE)


def test_cleaning_is_idempotent():
    once = clean([*PROSE, *(line for line, _ in JUNK)])
    assert clean_text(once.text).kept == once.kept


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.one_of(st.sampled_from([line for line, _ in JUNK] + PROSE + NEWS), st.text(max_size=60)), max_size=25)
)
def test_every_paragraph_is_kept_or_removed_with_a_rule(lines):
    cleaned = clean(lines)
    out = sorted([*cleaned.kept, *(block.text for block in cleaned.removed)])
    assert out == sorted(line for line in map(tidy, lines) if line)
    assert all(block.rule for block in cleaned.removed)
    assert [tidy(lines[i]) for i in cleaned.kept_at] == list(cleaned.kept)


@pytest.mark.skipif(not SEED.is_file(), reason=f"the seed article is not here ({SEED})")
def test_article_full_of_affiliate_links_keeps_only_its_prose():
    text = json.loads(SEED.read_text(encoding="utf-8"))["text"]
    gold = json.loads((SEED.parents[1] / "claims" / SEED.name).read_text(encoding="utf-8"))
    cleaned = clean_text(text)
    junk = [line for line in gold["ignore"] if not line.startswith(HEADINGS)]
    before, _, _ = text.partition("Source: Engadget")
    prose = [tidy(part) for part in before.split("\n\n") if tidy(part) and tidy(part) not in gold["ignore"]]
    assert [line for line in prose if line not in cleaned.kept] == []
    assert len(junk) >= 14
    assert not any(line in cleaned.kept for line in junk)
    for word in ("affiliate", "CompTIA", "SHAP", "Gaza", "Espionage", "slush", "Engadget"):
        assert word not in cleaned.text
    assert cleaned.has_affiliate_content
    assert ("source-line", "Source: Engadget") in [(block.rule, block.text) for block in cleaned.removed]
