"""The extraction pipeline: a spaCy pipeline that reads one article and returns its claims.

`load()` returns a spaCy `Language` with the components `paragraphs`, `names`, `coreference`, `events` and `claims`
around spaCy's tagger and parser. A Doc holds one article: `doc.spans["mentions"]` holds its names,
`doc.spans["triggers"]` the words that name events, `doc._.claims` its claims. `extract` adds the relevance filter in
front of it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc, Token

from pipeline.lexicon.entities import Lexicon
from pipeline.lexicon.load import load_lexicon
from pipeline.nlp.assemble import Assembler, Sentence, entities_of, sentences_of
from pipeline.nlp.attribution import title_speaker
from pipeline.nlp.classifier.runtime import EventModel, EventReading
from pipeline.nlp.credits import find_credits
from pipeline.nlp.entities.coreference import Referents
from pipeline.nlp.entities.first_person import WE_SAYS, releasing
from pipeline.nlp.entities.mentions import NameFinder, unknown_names
from pipeline.nlp.events.calibration import UNCALIBRATED, Calibrator, load_calibrator
from pipeline.nlp.parsing.parser import Passage, blanked, load_parser, mark_paragraphs, passages_of
from pipeline.nlp.parsing.spans import PARTIES
from pipeline.nlp.relevance.score import judge_relevance
from pipeline.nlp.switches import majority, parts
from pipeline.records import EntityKind, Findings, Mention
from scrapers.items import Article
from scrapers.reading.decoding import whole

MAX_CHARACTERS = 150_000  # longer texts are cut here, at some 25,000 words; the findings report the rest as unread
DECIDING_CONFIDENCE = 0.75  # a claim this certain makes an article relevant if the relevance filter is in doubt
BATCH = 8  # articles
_PRESIDENT = re.compile(r"\bvested in me as President\b")  # the first words of a U.S. executive order


@dataclass
class Reading:
    """What the components know about one article; each adds its part."""

    article: Article
    unread: int = 0
    known: tuple[Mention, ...] = ()  # names of the lexicon
    unknown: tuple[Mention, ...] = ()  # other names
    author: Mention | None = None  # who "we" and "I" are outside quotations
    passages: tuple[Passage, ...] = ()
    referents: Referents | None = None
    body: tuple[Sentence, ...] = ()
    events: tuple[EventReading, ...] = ()

    @property
    def day(self) -> date | None:
        """The day of publication."""
        return self.article.published_at.date() if self.article.published_at else None


for _name in ("reading", "findings"):
    Doc.set_extension(_name, default=None, force=True)
Doc.set_extension("claims", getter=lambda doc: doc._.findings.claims if doc._.findings else (), force=True)


def load(
    *, lexicon: Iterable[Path] = (), weights: Path | None = None, calibration: Path | None = None, always: bool = False
) -> Language:
    """Return the pipeline, with the names of the lexicon and the weights of the event model loaded.

    Args:
        lexicon: Lexicon files or folders of your own, added to the packaged ones.
        weights: A folder of weights; None for the shipped ones.
        calibration: The calibration file of these weights; None for the shipped one.
        always: True to read every text, whatever its subject.
    """
    nlp = load_parser()
    places = [str(place) for place in lexicon]
    nlp.add_pipe("oversight_paragraphs", name="paragraphs", first=True)
    nlp.add_pipe("oversight_names", name="names", config={"lexicon": places})
    nlp.add_pipe("oversight_coreference", name="coreference")
    nlp.add_pipe("oversight_events", name="events", config={"weights": str(weights) if weights else None})
    nlp.add_pipe(
        "oversight_claims", name="claims",
        config={"calibration": str(calibration) if calibration else None, "always": always},
    )  # fmt: skip
    return nlp


def extract(article: Article, nlp: Language) -> Findings:
    """Return the findings of one version of an article. It never fails on a text; an irrelevant one has no claims.

    A text longer than MAX_CHARACTERS is cut at the end of a paragraph or word, and `unread` counts the rest. Lone
    surrogates, which no file can store, become U+FFFD.
    """
    return next(extract_many([article], nlp))


def extract_many(articles: Iterable[Article], nlp: Language) -> Iterator[Findings]:
    """Yield the findings of articles in order. Texts on other subjects are sorted out before they are parsed."""
    claims: Any = nlp.get_pipe("claims")
    for batch in _batched(map(_encodable, articles)):
        judged = [judge_relevance(article.title, article.text) for article in batch]
        read = [each.relevant or each.doubtful or claims.always for each in judged]
        docs = nlp.pipe(doc_of(article, nlp) for article, needed in zip(batch, read, strict=True) if needed)
        for article, relevance, needed in zip(batch, judged, read, strict=True):
            off_topic = Findings(article.article_id, article.version, False, relevance.score)
            found = replace(next(docs)._.findings, relevance_score=relevance.score) if needed else off_topic
            sure = any(claim.confidence >= DECIDING_CONFIDENCE for claim in found.claims)
            yield found if relevance.relevant or claims.always or sure else off_topic


def _batched(articles: Iterable[Article]) -> Iterator[list[Article]]:
    """Yield articles in lists of BATCH, as itertools.batched does from Python 3.12."""
    stream = iter(articles)
    while batch := list(islice(stream, BATCH)):
        yield batch


def doc_of(article: Article, nlp: Language) -> Doc:
    """Return the unparsed Doc of an article, ready for the pipeline."""
    article, unread = _shortened(article)
    doc = nlp.make_doc(blanked(article.text))
    doc._.reading = Reading(article, unread)
    return doc


def _reading_of(doc: Doc) -> Reading:
    """Return what is known about a Doc; one made of a plain text is an article without title and date."""
    if doc._.reading is None:
        doc._.reading = Reading(Article("a", "", "", "", "", doc.text))
    return doc._.reading


@Language.component("oversight_paragraphs")
def _paragraphs(doc: Doc) -> Doc:
    """Find the body paragraphs and where sentences may begin."""
    return mark_paragraphs(doc, _reading_of(doc).article.text)


class Names:
    """Finds the names in a text: `doc.spans["mentions"]`, with the kind as label and the entity id as `kb_id_`."""

    def __init__(self, lexicon: Lexicon, without: Collection[str] = ()) -> None:
        self.lexicon, self.without = lexicon, parts(without)
        self._finder = NameFinder(lexicon, acronyms="acronyms" not in self.without)

    def find(self, text: str, day: date | None) -> list[Mention]:
        """Return the known names in a text on a day."""
        return self._finder.find(text, day)

    def mention(self, entity_id: str, day: date | None) -> Mention:
        """Return a mention without words of a known entity."""
        return self._finder.mention(-1, -1, "", entity_id, day, "reference")

    def __call__(self, doc: Doc) -> Doc:
        reading = _reading_of(doc)
        reading.known = tuple(self.find(reading.article.text, reading.day))
        reading.passages = tuple(passages_of(doc, reading.known))
        unknown = () if "unknown_names" in self.without else unknown_names(list(reading.passages), self.lexicon)
        reading.unknown = tuple(unknown)
        spans = [
            doc.char_span(m.start, m.end, label=m.kind.value, kb_id=m.entity_id, alignment_mode="expand")
            for m in sorted([*reading.known, *reading.unknown], key=lambda m: (m.start, m.end))
        ]
        doc.spans["mentions"] = [span for span in spans if span is not None]
        reading.author = self.author_of(reading) or self._releasing(reading)
        return doc

    def author_of(self, reading: Reading) -> Mention | None:
        """Return who "we" and "I" are outside quotations: the speaker in the title, else a party that publishes."""
        article, day = reading.article, reading.day
        if _PRESIDENT.search(article.text) and (role := self.lexicon.holder("President of the United States", day)):
            return self.mention(role.person_id, day)
        for words in (title_speaker(article.title), article.publisher):
            found = self.find(words, day) if words else []
            found = [m for m in found if m.kind not in (EntityKind.OUTLET, EntityKind.PLACE)]
            if found:
                return ([m for m in found if m.kind is EntityKind.PERSON] or found)[-1]
        return None

    def _releasing(self, reading: Reading) -> Mention | None:
        """Return the organisation that says "we" in its own press release."""
        article, day = reading.article, reading.day
        if not WE_SAYS.search(article.text):
            return None
        title = article.title
        mentions = self.find(f"{title}\n{article.text}", day)
        first = next(
            (m for m in mentions if m.end <= len(title) and title[: m.start].lower().strip() in ("", "the")), None
        )
        if first is not None and first.kind is EntityKind.PLACE:
            governments = {place.entity_id: place.government_id for place in self.lexicon.places}
            found = governments.get(first.entity_id)
            first = self.mention(found, day) if found else None
        issuer = first if first is not None and first.kind in PARTIES else None
        return releasing(title, article.text, article.publisher, mentions, issuer)


@Language.factory("oversight_names", default_config={"lexicon": [], "without": []})
def _names(nlp: Language, name: str, lexicon: list[str], without: list[str]) -> Names:
    """Return the component `names`; `lexicon`: files or folders of names beside the packaged ones."""
    return Names(load_lexicon(*map(Path, lexicon)), without)


class _NamesOnly(Referents):
    """Resolves names alone: pronouns and descriptions refer to nothing."""

    def of(self, token: Token) -> tuple[Mention, ...]:
        return tuple(mention for mention in super().of(token) if mention.basis != "reference")


class Coreference:
    """Resolves names, pronouns and descriptions."""

    def __init__(self, lexicon: Lexicon, without: Collection[str] = ()) -> None:
        self.lexicon, self.without = lexicon, parts(without)

    def __call__(self, doc: Doc) -> Doc:
        reading = _reading_of(doc)
        reading.referents = (_NamesOnly if "coreference" in self.without else Referents)(
            list(reading.passages), reading.unknown, self.lexicon, reading.day, reading.author
        )
        return doc


@Language.factory("oversight_coreference", default_config={"names": "names", "without": []})
def _coreference(nlp: Language, name: str, names: str, without: list[str]) -> Coreference:
    """Return the component `coreference`, which uses the lexicon of the component `names`."""
    finder: Any = nlp.get_pipe(names)
    return Coreference(finder.lexicon, without)


class Events:
    """Reads the events of an article with the trained model: `doc.spans["triggers"]`, with the type as label."""

    def __init__(self, model: EventModel) -> None:
        self.model = model

    def __call__(self, doc: Doc) -> Doc:
        reading = _reading_of(doc)
        reading.body = tuple(sentences_of(reading.passages))
        reading.events = self.model.read(reading.article.title, [s.span.text for s in reading.body])
        spans = []
        for event in reading.events:
            start = reading.body[event.sentence].start
            spans.append(
                doc.char_span(start + event.start, start + event.end, label=event.type, alignment_mode="expand")
            )
        doc.spans["triggers"] = [span for span in spans if span is not None]
        return doc


@Language.factory("oversight_events", default_config={"weights": None})
def _events(nlp: Language, name: str, weights: str | None) -> Events:
    """Return the component `events`; `weights`: a folder, None for the shipped weights."""
    return Events(EventModel.load(Path(weights) if weights else None))


class Claims:
    """Makes claims of the events: `doc._.claims`.

    `always`: whether `extract` reads texts on other subjects too.
    """

    def __init__(
        self,
        lexicon: Lexicon,
        model: EventModel,
        calibrator: Calibrator,
        always: bool,
        without: Collection[str] = (),
    ) -> None:
        self.lexicon, self.model, self.without = lexicon, model, parts(without)
        self.calibrator = UNCALIBRATED if "calibration" in self.without else calibrator
        self.always = always or "relevance_filter" in self.without

    def __call__(self, doc: Doc) -> Doc:
        reading = _reading_of(doc)
        article = reading.article
        events = [each for each in reading.events if each.score >= self.calibrator.least_score]
        events = [majority(each, self.without) for each in events]
        assert reading.referents is not None, "the component coreference comes before claims"
        assembler = Assembler(article, reading.body, reading.referents, self.model, reading.day, self.without)
        claims = assembler.claims(events, [self.calibrator.probability(each.score) for each in events])
        entities, gaps = entities_of(claims, self.lexicon)
        doc._.findings = Findings(
            article.article_id, article.version, True, judge_relevance(article.title, article.text).score, claims,
            find_credits(article, reading.known), gaps, entities, reading.unread,
        )  # fmt: skip
        return doc


@Language.factory("oversight_claims", default_config={"calibration": None, "always": False, "without": []})
def _claims(nlp: Language, name: str, calibration: str | None, always: bool, without: list[str]) -> Claims:
    """Return the component `claims`, which uses those called `names` and `events`."""
    calibrator = load_calibrator(Path(calibration)) if calibration else load_calibrator()
    finder: Any = nlp.get_pipe("names")
    events: Any = nlp.get_pipe("events")
    return Claims(finder.lexicon, events.model, calibrator, always, without)


def _encodable(article: Article) -> Article:
    fields = (article.title, article.text, article.publisher)
    cleaned = tuple(map(whole, fields))
    return article if cleaned == fields else replace(article, title=cleaned[0], text=cleaned[1], publisher=cleaned[2])


def _shortened(article: Article) -> tuple[Article, int]:
    """Return the article with at most MAX_CHARACTERS of text, and the number of characters cut off."""
    text, limit = article.text, MAX_CHARACTERS
    if len(text) <= limit:
        return article, 0
    cut = next((at for mark in "\n " if (at := text.rfind(mark, limit // 2, limit)) > 0), limit)
    return replace(article, text=text[:cut]), len(text) - cut
