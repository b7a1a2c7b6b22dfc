"""The extraction pipeline: reads one article and returns its findings.

The steps are relevance, paragraphs, names, parsing, coreference, events (frames, then the classifier), attribution,
dates and evidence. The pipeline is pure: it reads and writes nothing besides the tools.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.lexicon.entities import Lexicon
from pipeline.lexicon.event_type_cards import EventTypes, load_event_types
from pipeline.lexicon.load import load_lexicon
from pipeline.nlp.assemble import assemble
from pipeline.nlp.attribution import Speakers, title_speaker
from pipeline.nlp.credits import find_credits
from pipeline.nlp.entities.coreference import PARTIES, Referents
from pipeline.nlp.entities.first_person import WE_SAYS, releasing
from pipeline.nlp.entities.mentions import NameFinder, unknown_names
from pipeline.nlp.events.calibration import ConfidenceModel, load_calibrator
from pipeline.nlp.events.frames import ClaimReader, Draft
from pipeline.nlp.events.fusion import Thresholds, fuse_drafts
from pipeline.nlp.parsing.paragraphs import BODY, find_paragraphs
from pipeline.nlp.parsing.parser import Language, Passage, load_language
from pipeline.nlp.relevance.score import judge_relevance
from pipeline.records import EntityKind, Findings, Mention
from scrapers.items import Article
from scrapers.reading.decoding import whole

if TYPE_CHECKING:
    from pipeline.nlp.classifier.runtime import Classifier

MAX_CHARACTERS = 150_000  # longer texts are cut here, at some 25,000 words; the findings report the rest as unread
DECIDING_CONFIDENCE = 0.75  # a claim this certain makes an article relevant if the relevance filter is in doubt
_PRESIDENT = re.compile(r"\bvested in me as President\b")  # the first words of a U.S. executive order


@dataclass(frozen=True)
class Tools:
    """The models and data that extraction needs; loaded once and used for every article.

    Attributes:
        classifier: None to use frames alone.
        calibrator: None to keep the uncalibrated score as confidence.
        only_relevant: False to read every text, whatever its subject.
    """

    language: Language
    lexicon: Lexicon
    names: NameFinder
    event_types: EventTypes
    classifier: Classifier | None = None
    thresholds: Thresholds = Thresholds()
    calibrator: ConfidenceModel | None = None
    only_relevant: bool = True


def load_tools(*, classifier: bool = True, only_relevant: bool = True, lexicon: Iterable[Path] = ()) -> Tools:
    """Load the lexicon, event types, parser and, by default, the classifier. Takes about two seconds."""
    names = load_lexicon(*lexicon)
    found = None
    if classifier:
        from pipeline.nlp.classifier.runtime import Classifier  # heavy: onnxruntime

        found = Classifier.load()
    return Tools(
        load_language(),
        names,
        NameFinder(names),
        load_event_types(),
        found,
        calibrator=load_calibrator(),
        only_relevant=only_relevant,
    )


def extract(article: Article, tools: Tools) -> Findings:
    """Return the findings of one version of an article. It never fails on a text; an irrelevant one has no claims.

    A text longer than MAX_CHARACTERS is cut at the end of a paragraph or word, and `unread` counts the rest. Lone
    surrogates, which no file can store, become U+FFFD.
    """
    article = _encodable(article)
    judged = judge_relevance(article.title, article.text)
    off_topic = Findings(article.article_id, article.version, False, judged.score)
    if tools.only_relevant and not (judged.relevant or judged.doubtful):
        return off_topic
    article, unread = _shortened(article)
    day = article.published_at.date() if article.published_at else None
    passages, mentions, referents, author = read_text(article, tools, day)
    reader = ClaimReader(tools.event_types, referents)
    drafts: list[Draft] = []
    for passage in passages:
        drafts += reader.read(passage)
    drafts = fuse_drafts(drafts, passages, reader.roles, tools.event_types, tools.classifier, tools.thresholds)
    if tools.calibrator is not None:
        drafts = tools.calibrator.calibrate(drafts)
    decided = any(draft.confidence >= DECIDING_CONFIDENCE for draft in drafts)
    if tools.only_relevant and judged.doubtful and not decided:
        return off_topic
    speakers = Speakers(passages, referents, author, article.publisher)
    claims, entities, gaps = assemble(article, drafts, speakers, tools.lexicon, day)
    return Findings(
        article.article_id,
        article.version,
        True,
        judged.score,
        claims,
        find_credits(article, mentions),
        gaps,
        entities,
        unread,
    )


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


def read_text(
    article: Article, tools: Tools, day: date | None
) -> tuple[list[Passage], list[Mention], Referents, Mention | None]:
    """Return the parsed body paragraphs, the names, the coreference of tokens, and the author who speaks, if any."""
    body = [(p.start, p.end) for p in find_paragraphs(article.text) if p.kind == BODY]
    mentions = tools.names.find(article.text, day)
    passages = list(tools.language.parse(article.text, body, mentions))
    author = author_of(article, tools, day)
    unknown = unknown_names(passages, tools.lexicon)
    speaking = author or _releasing(article, tools, day)
    return passages, mentions, Referents(passages, unknown, tools.lexicon, day, speaking), author


def _releasing(article: Article, tools: Tools, day: date | None) -> Mention | None:
    """Return the organisation that says "we" in its own press release."""
    if not WE_SAYS.search(article.text):
        return None
    title = article.title
    mentions = tools.names.find(f"{title}\n{article.text}", day)
    first = next((m for m in mentions if m.end <= len(title) and title[: m.start].lower().strip() in ("", "the")), None)
    if first is not None and first.kind is EntityKind.PLACE:
        governments = {place.entity_id: place.government_id for place in tools.lexicon.places}
        found = governments.get(first.entity_id)
        first = tools.names.mention(-1, -1, "", found, day, "reference") if found else None
    issuer = first if first is not None and first.kind in PARTIES else None
    return releasing(title, article.text, article.publisher, mentions, issuer)


def author_of(article: Article, tools: Tools, day: date | None) -> Mention | None:
    """Return who "we" and "I" are outside quotations: the speaker in the title, else a publisher that is a party."""
    if _PRESIDENT.search(article.text) and (role := tools.lexicon.holder("President of the United States", day)):
        return tools.names.mention(-1, -1, "", role.person_id, day, "reference")
    speaker = title_speaker(article.title)
    for words in (speaker, article.publisher):
        if not words:
            continue
        found = [m for m in tools.names.find(words, day) if m.kind not in (EntityKind.OUTLET, EntityKind.PLACE)]
        persons = [m for m in found if m.kind is EntityKind.PERSON]
        if found:
            return (persons or found)[-1]
    return None
