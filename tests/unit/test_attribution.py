"""Attribution: speakers of quotations and reported speech, sources of a sentence, credits to other publishers."""

from __future__ import annotations

import json
import os
from datetime import date
from functools import cache
from pathlib import Path

import pytest

from pipeline.lexicon.load import load_lexicon
from pipeline.nlp.attribution import Speakers, attribute, title_speaker
from pipeline.nlp.credits import find_credits
from pipeline.nlp.entities.coreference import Referents
from pipeline.nlp.entities.mentions import NameFinder, unknown_names
from pipeline.nlp.parsing.paragraphs import find_paragraphs
from pipeline.nlp.parsing.parser import load_language
from pipeline.records import EntityKind, Mention
from scrapers.items import Article, RemovedBlock

SHARED = Path(os.environ.get("OVERSIGHT_SHARED", Path(__file__).parents[2].parent / "shared"))
DAY = date(2026, 6, 25)


@cache
def _tools():
    lexicon = load_lexicon()
    return load_language(), lexicon, NameFinder(lexicon)


def _read(text: str, day: date = DAY, author: Mention | None = None, publisher: str = ""):
    language, lexicon, finder = _tools()
    passages = list(language.parse(text, [(p.start, p.end) for p in find_paragraphs(text)], finder.find(text, day)))
    referents = Referents(passages, unknown_names(passages, lexicon), lexicon, day, author)
    return passages, Speakers(passages, referents, author, publisher)


def _token(passages, at: int, length: int):
    for passage in passages:
        if passage.start <= at < passage.start + len(passage.doc.text):
            start = at - passage.start
            return passage.doc.char_span(start, start + length, alignment_mode="expand").root
    return None


def _who(text: str, trigger: str, author: Mention | None = None, publisher: str = "") -> tuple[str, str | None]:
    passages, speakers = _read(text, author=author, publisher=publisher)
    token = _token(passages, text.index(trigger), len(trigger))
    said = attribute(token, speakers)
    return said.kind, said.name


@pytest.mark.parametrize(
    ("text", "trigger", "kind", "name"),
    [
        ("The Pentagon barred Anthropic on Friday.", "barred", "own_reporting", None),
        (
            "Sam Altman said on Friday that OpenAI had signed a deal with the Pentagon.",
            "signed",
            "person",
            "Sam Altman",
        ),
        ("OpenAI said it will challenge the order in court.", "challenge", "organisation", "OpenAI"),
        ("A Google spokesperson said the firm had tested the model.", "tested", "organisation", "Google"),
        (
            "The Pentagon has barred Anthropic, according to two officials who asked not to be named.",
            "barred",
            "anonymous",
            None,
        ),
        ("Officials said the Pentagon had barred Anthropic.", "barred", "anonymous", None),
        ("According to Reuters, the Pentagon has barred Anthropic.", "barred", "outlet", "Reuters"),
        ("The Pentagon has reportedly barred Anthropic.", "barred", "outlet", None),
        ("Several reports said the Pentagon had barred Anthropic.", "barred", "outlet", None),
        ("A court filing said the Pentagon had barred Anthropic.", "barred", "document", None),
        (
            '"We have signed the agreement with the government," Sam Altman wrote in a post.',
            "signed",
            "person",
            "Sam Altman",
        ),
        (
            "The Pentagon barred Anthropic shortly after Sam Altman said that OpenAI was pleased.",
            "barred",
            "own_reporting",
            None,
        ),
    ],
)
def test_the_source_of_a_claim_is_read_from_its_sentence(text, trigger, kind, name):
    found = _who(text, trigger)
    assert found[0] == kind
    if name:
        assert found[1] == name


def test_a_quotation_goes_on_over_the_next_sentence():
    text = (
        "“I am directing the agencies to stop,” Donald Trump wrote. “Effective at once, no contractor may trade with "
        "Anthropic, and we will cancel every contract.”"
    )
    assert _who(text, "cancel") == ("person", "Donald Trump")


def test_a_statement_given_in_full_is_its_speakers():
    text = (
        "Anthropic says it is ready to go to court:\n\nThe label would set a dangerous precedent for us.\n\n"
        "We will challenge the designation in court."
    )
    assert _who(text, "challenge") == ("organisation", "Anthropic")


def test_a_quoted_term_is_no_quotation():
    assert _who("The Pentagon labelled Anthropic a “supply chain risk” on Friday.", "risk")[0] == "own_reporting"


def test_an_outlet_that_quotes_itself_reports_on_its_own():
    text = "The Pentagon has barred Anthropic, according to Reuters."
    assert _who(text, "barred", publisher="Reuters")[0] == "own_reporting"


def test_a_speech_is_its_speakers_throughout():
    author = Mention(-1, -1, "Jane Roe", "x-1", "Jane Roe", EntityKind.PERSON, "title")
    assert _who("In May, we unveiled a new strategy on AI.", "unveiled", author=author) == ("person", "Jane Roe")


@pytest.mark.parametrize(
    ("title", "speaker"),
    [
        ("Remarks by President Jane Roe on Artificial Intelligence", "President Jane Roe"),
        ("Statement from Minister Ana Silva on the AI pact", "Minister Ana Silva"),
        ("Regulator fines Halden over chatbot", None),
        ("Statement of work for federal agencies", None),
    ],
)
def test_a_title_names_the_speaker_of_a_speech(title, speaker):
    assert title_speaker(title) == speaker


def _article(text: str, **more) -> Article:
    return Article("a1", "v1", "gazette", "https://gazette.example/news", "A title", text, publisher="Gazette", **more)


def _credits(article: Article) -> list[tuple[str, str]]:
    return [(each.name, each.cue) for each in find_credits(article, _tools()[2].find(article.text, DAY))]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("The deal was first reported by The Information.", "The Information"),
        ("The FTC opened a probe, Axios reported on Friday.", "Axios"),
        ("According to The New York Times, the FTC opened a probe.", "The New York Times"),
        ("LONDON (Reuters) - The FTC opened a probe.", "Reuters"),
        ("Two officials told Reuters that the FTC had opened a probe.", "Reuters"),
        ("The talks, as first reported by the Harrow Courier, have ended.", "the Harrow Courier"),
        ("The FTC opened a probe.\n\nSource: Engadget", "Engadget"),
    ],
)
def test_a_publisher_that_is_credited_is_found(text, name):
    article = _article(text)
    found = find_credits(article, _tools()[2].find(text, DAY))
    assert [each.name for each in found] == [name]
    assert text[found[0].start : found[0].end].removeprefix("The ") == name.removeprefix("The ")


@pytest.mark.parametrize(
    "text",
    [
        "The New York Times sued OpenAI over copyright.",
        "Reuters is a news agency.",
        "The Gazette first reported the deal.",
    ],
)
def test_a_publisher_that_is_only_mentioned_is_not_credited(text):
    assert _credits(_article(text)) == []


def test_a_source_line_that_was_removed_still_credits():
    article = _article(
        "The FTC opened a probe.", removed_blocks=(RemovedBlock("Source: Engadget, The Verge", "source"),)
    )
    assert _credits(article) == [("Engadget", "source line"), ("The Verge", "source line")]
    assert {each.start for each in find_credits(article, [])} == {-1}


def test_a_link_to_the_original_report_credits_and_a_plain_link_does_not():
    text = "The FTC opened a probe, it was reported. More on the FTC here."
    article = _article(text, links=(("https://www.harrow.example/1", "it was reported"), ("https://ftc.gov/", "here")))
    (credit,) = find_credits(article, [])
    assert (credit.name, credit.url) == ("harrow.example", "https://www.harrow.example/1")


def test_who_says_so_is_right_for_nine_in_ten_annotated_claims():
    if not (SHARED / "gold/dev").is_dir():
        pytest.skip("the annotated documents are not on this machine")
    right = asked = 0
    for path in sorted((SHARED / "gold/dev/claims").glob("2026-02-2*.json")):
        document = json.loads((SHARED / "gold/dev/texts" / path.name).read_text())
        text = document["text"]
        passages, speakers = _read(text, date.fromisoformat(document["published"]), publisher=document["site"])
        for each in json.loads(path.read_text())["claims"]:
            start = text.find(each["quote"])
            token = _token(passages, max(start, text.find(each["trigger"], start)), len(each["trigger"]))
            if token is not None and not each.get("optional"):
                asked += 1
                right += attribute(token, speakers).kind == each["attribution"]["kind"]
    assert asked > 50
    assert right / asked >= 0.9
