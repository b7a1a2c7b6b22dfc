"""Speakers named in titles, and credits in removed lines and links."""

from __future__ import annotations

import pytest
from support.readings import read_by_rules

from pipeline.nlp.attribution import title_speaker
from pipeline.nlp.credits import find_credits
from scrapers.items import Article, RemovedBlock


@pytest.mark.parametrize(
    ("title", "speaker"),
    [
        ("Remarks by President Jane Roe on Artificial Intelligence", "President Jane Roe"),
        ("Statement from Minister Ana Silva on the AI pact", "Minister Ana Silva"),
        ("Regulator fines Halden over chatbot", None),
        ("Statement of work for federal agencies", None),
    ],
)
def test_title_names_the_speaker_of_a_speech(title, speaker):
    assert title_speaker(title) == speaker


def _article(text: str, **more) -> Article:
    return Article("a1", "v1", "gazette", "https://gazette.example/news", "A title", text, publisher="Gazette", **more)


def _credits(article: Article) -> list[tuple[str, str]]:
    return [(each.name, each.cue) for each in find_credits(article, read_by_rules(article).known)]


def test_removed_source_line_still_credits():
    article = _article(
        "The FTC opened a probe.", removed_blocks=(RemovedBlock("Source: Engadget, The Verge", "source"),)
    )
    assert _credits(article) == [("Engadget", "source line"), ("The Verge", "source line")]
    assert {each.start for each in find_credits(article, [])} == {-1}


def test_link_to_the_original_report_credits_and_a_plain_link_does_not():
    text = "The FTC opened a probe, it was reported. More on the FTC here."
    article = _article(text, links=(("https://www.harrow.example/1", "it was reported"), ("https://ftc.gov/", "here")))
    (credit,) = find_credits(article, [])
    assert (credit.name, credit.url) == ("harrow.example", "https://www.harrow.example/1")
