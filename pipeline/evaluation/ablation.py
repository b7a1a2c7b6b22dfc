"""Measures what each part of the pipeline is worth: reads annotated documents once with it and once without.

The model reads a document once; only the rules run again for each part. The parts are those of `nlp.switches`.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc

from pipeline.accuracy.table import ABLATED
from pipeline.evaluation.documents import Read, claim_row, documents_by_fold, load_fold, text_of
from pipeline.evaluation.folds import difference, fold_figures
from pipeline.evaluation.metrics import Tally, tally
from pipeline.nlp.classifier.runtime import EventModel, EventReading
from pipeline.nlp.pipeline import doc_of
from pipeline.nlp.relevance.score import judge_relevance
from pipeline.nlp.switches import PARTS
from pipeline.records import Findings
from scrapers.items import Article
from scrapers.reading.plain_text import PlainText

_PIPES = ("names", "coreference", "events", "claims")  # in order; the parser's work is never repeated
_NEEDED = {"names": _PIPES, "coreference": ("coreference", "claims"), "claims": ("claims",)}  # to run again
WHOLE = ""  # the name of the run with every part


class Remembered:
    """An event model that reads each article once. It keeps the last one."""

    def __init__(self, model: EventModel) -> None:
        self._model = model
        self._last: tuple[Any, tuple[EventReading, ...]] | None = None

    def read(self, title: str, sentences: Sequence[str]) -> tuple[EventReading, ...]:
        """Return what the model reads in an article, from memory if it is the last one."""
        key = title, tuple(sentences)
        if self._last is None or self._last[0] != key:
            self._last = key, self._model.read(title, sentences)
        return self._last[1]

    def same_event(self, one: EventReading, other: EventReading) -> float:
        """Return the probability that two readings of one article name the same event."""
        return self._model.same_event(one, other)


@dataclass(frozen=True, slots=True)
class Runs:
    """The findings in each document with every part, and without each.

    Attributes:
        read: The documents, as read with every part.
        without: Part -> document id -> findings.
    """

    read: list[Read] = field(default_factory=list)
    without: dict[str, dict[str, Findings]] = field(default_factory=lambda: defaultdict(dict))


def read_without(
    documents: Iterable[dict[str, Any]], folds: Path, lexicon: Sequence[Path], say: Callable[[str], None]
) -> Runs:
    """Read each document that belongs to a fold with the whole pipeline, and without each part.

    Args:
        documents: The documents; `published` is a date or None.
        folds: A folder of weights by fold.
        lexicon: Additional lexicon files.
        say: Reports progress.
    """
    runs = Runs()
    for folder, unseen in documents_by_fold(documents, folds):
        nlp = load_fold(folder, lexicon)
        events: Any = nlp.get_pipe("events")
        events.model = Remembered(events.model)
        variants = {part: pipes_without(nlp, part) for part in PARTS}
        for document in unseen:
            text = text_of(document)
            for part, findings in findings_without(text.article, nlp, variants).items():
                if part == WHOLE:
                    runs.read.append((document, text, findings))
                else:
                    runs.without[part][document["id"]] = findings
            say(f"read {len(runs.read)} documents")
    return runs


def pipes_without(nlp: Language, part: str) -> list[Callable[[Doc], Doc]]:
    """Return the components that have to run again to read a document without a part."""
    place = PARTS[part].component
    factory = f"oversight_{place}"
    known: Any = nlp.get_factory_meta(factory).default_config
    config = {key: value for key, value in nlp.get_pipe_config(place).items() if key in known}
    changed = nlp.create_pipe(factory, config=config | {"without": [part]})
    return [changed if name == place else nlp.get_pipe(name) for name in _NEEDED[place]]


def findings_without(
    article: Article, nlp: Language, variants: Mapping[str, Sequence[Callable[[Doc], Doc]]]
) -> dict[str, Findings]:
    """Return the findings in one article: under WHOLE those of the whole pipeline, under each part those without it."""
    judged = judge_relevance(article.title, article.text)
    rejected = not (judged.relevant or judged.doubtful)
    doc = nlp(doc_of(article, nlp))
    nothing = Findings(article.article_id, article.version, False, judged.score)
    found = {WHOLE: nothing if rejected else doc._.findings}
    reading, whole = doc._.reading, doc._.findings
    for part, pipes in variants.items():
        if rejected:
            found[part] = whole if part == "relevance_filter" else nothing
            continue
        doc._.reading = copy.copy(reading)
        for pipe in pipes:
            doc = pipe(doc)
        found[part] = doc._.findings
    return found


def ablation_table(
    runs: Runs,
    whole: Mapping[str, Tally],
    gold: Mapping[str, dict[str, Any]],
    fold_of: Mapping[str, str],
    shown_from: Callable[[str], float],
) -> dict[str, Any]:
    """Return the figures with every part, and the difference that leaving out each makes, with its paired interval.

    Args:
        runs: The findings with and without each part.
        whole: The counts of the whole pipeline, by document id.
        gold: The annotation of each document.
        fold_of: The fold of each document.
        shown_from: The confidence from which the claims of a document are shown by default.
    """  # fmt: skip
    base = fold_figures(whole, fold_of)
    table: dict[str, dict[str, Any]] = {}
    for part, findings in runs.without.items():
        tallies = {}
        for document, text, _ in runs.read:
            id_ = document["id"]
            predicted = _predicted(findings[id_], text)
            tallies[id_] = tally(id_, document["text"], gold[id_], predicted, shown_from=shown_from(id_))
        figures = fold_figures(tallies, fold_of)
        table[part] = {name: difference(base, figures, name) for name, _ in ABLATED}
        table[part]["meaning"] = PARTS[part].without
    return {"whole": base.as_dict()["mean"], "without": table}


def _predicted(findings: Findings, text: PlainText) -> dict[str, Any]:
    return {"relevant": findings.relevant, "claims": [claim_row(claim, text, "") for claim in findings.claims]}
