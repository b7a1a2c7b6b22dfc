"""Speakers of speeches, credits in removed lines and links, and the accuracy of attribution on annotated texts."""

from __future__ import annotations

import json
from datetime import date

import pytest
from support.nlp_tools import load_once
from support.paths import SHARED

from pipeline.nlp.attribution import Speakers, attribute, title_speaker
from pipeline.nlp.credits import find_credits
from pipeline.nlp.entities.coreference import Referents
from pipeline.nlp.entities.mentions import unknown_names
from pipeline.nlp.parsing.paragraphs import find_paragraphs
from pipeline.records import EntityKind, Mention
from scrapers.items import Article, RemovedBlock

DAY = date(2026, 6, 25)


def _read(text: str, day: date = DAY, author: Mention | None = None, publisher: str = ""):
    tools = load_once(classifier=False)
    spans = [(paragraph.start, paragraph.end) for paragraph in find_paragraphs(text)]
    passages = list(tools.language.parse(text, spans, tools.names.find(text, day)))
    referents = Referents(passages, unknown_names(passages, tools.lexicon), tools.lexicon, day, author)
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


def test_speech_is_attributed_to_its_speaker_throughout():
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
def test_title_names_the_speaker_of_a_speech(title, speaker):
    assert title_speaker(title) == speaker


def _article(text: str, **more) -> Article:
    return Article("a1", "v1", "gazette", "https://gazette.example/news", "A title", text, publisher="Gazette", **more)


def _credits(article: Article) -> list[tuple[str, str]]:
    return [
        (each.name, each.cue)
        for each in find_credits(article, load_once(classifier=False).names.find(article.text, DAY))
    ]


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


def test_source_is_right_for_nine_in_ten_annotated_claims():
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
