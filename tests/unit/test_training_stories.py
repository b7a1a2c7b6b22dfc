"""Training stories as documents: text, paragraphs, title and annotated claims match."""

from __future__ import annotations

from pipeline.evaluation.fitting.confidence import _unseen
from pipeline.evaluation.fitting.stories import story_documents
from pipeline.nlp.training.corpus import FOLDER, read_corpus


def test_every_story_is_a_document_whose_claims_quote_it():
    examples = read_corpus().examples
    made = list(story_documents(examples))
    assert {document["id"] for document, _ in made} == {each.source for each in examples}
    n_claims = 0
    for document, gold in made:
        assert gold["id"] == document["id"]
        for claim in gold["claims"]:
            assert document["text"][claim["start"] : claim["end"]] == claim["quote"]
            assert claim["trigger"] in claim["quote"]
        n_claims += len(gold["claims"])
    assert n_claims == sum(len(each.notes) for each in examples)


def test_a_story_keeps_its_paragraphs_title_and_day():
    path = sorted(FOLDER.glob("*.txt"))[0]
    title = (
        next(line for line in path.read_text().splitlines() if line.startswith("# title:")).partition(":")[2].strip()
    )
    examples = [each for each in read_corpus().examples if each.place.startswith(path.name)]
    ((document, _),) = story_documents(examples)
    assert document["title"] == title
    assert document["published"] == examples[0].published.isoformat()
    assert "\n\n" in document["text"]


def test_stories_that_share_a_group_with_seen_stories_count_as_seen():
    examples = read_corpus().examples
    group = examples[0].group
    unseen = _unseen(examples, [examples[0].source])
    assert not unseen & {each.source for each in examples if each.group == group}
    assert len(unseen) > 50
    assert _unseen(examples, None) == set()
